use super::*;
use crate::rows::Matrix;
use proptest::prelude::*;

fn rows(scores: &[f64], values: &[f64], n: usize, k: &[i64], threads: usize) -> Vec<f64> {
    let problems = scores.len() / n;
    let mut out = vec![0.0; problems * k.len()];
    let (scores, values) = (Matrix::new(scores, problems, n), Matrix::new(values, problems, n));
    best_of_k(&scores, &values, k, false, &mut out, &Control::new(threads)).unwrap();
    out
}

/// The mean over all k-subsets, by bit masks.
fn over_subsets(samples: &[Sample], k: u32) -> f64 {
    let (mut sum, mut subsets) = (0.0, 0.0);
    for mask in 0_u32..1 << samples.len() {
        if mask.count_ones() == k {
            let inside: Vec<Sample> = (0..samples.len()).filter(|i| mask >> i & 1 == 1).map(|i| samples[i]).collect();
            let top = inside.iter().fold(f64::NEG_INFINITY, |top, sample| top.max(sample.0));
            let tied: Vec<f64> = inside.iter().filter(|sample| sample.0 == top).map(|sample| sample.1).collect();
            sum += tied.iter().sum::<f64>() / tied.len() as f64;
            subsets += 1.0;
        }
    }
    if subsets == 0.0 { f64::NAN } else { sum / subsets }
}

#[test]
fn known_values() {
    let scores = [1.0, 1.0, 2.0, 2.0, 2.0, 3.0, 0.0, 3.0];
    let values = [1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0];
    let expected = [5.0 / 8.0, 4.0 / 7.0, 187.0 / 336.0, 15.0 / 28.0, 29.0 / 56.0, 85.0 / 168.0, 0.5, 0.5];
    for (got, expected) in rows(&scores, &values, 8, &[1, 2, 3, 4, 5, 6, 7, 8], 1).iter().zip(expected) {
        assert!((got - expected).abs() < 1e-15);
    }
}

#[test]
fn the_first_bad_value_of_the_matrix_is_reported() {
    let scores = vec![0.0; 400];
    let mut values = vec![1.0; 400];
    (values[123], values[399]) = (f64::NAN, f64::INFINITY);
    for threads in [1, 2, 7] {
        let (scores, values) = (Matrix::new(&scores, 100, 4), Matrix::new(&values, 100, 4));
        let error = best_of_k(&scores, &values, &[1], false, &mut [0.0; 100], &Control::new(threads)).unwrap_err();
        assert_eq!(error.to_string(), "values[30, 3] must be finite where the score is a number, got NaN");
    }
}

#[test]
fn the_network_sorts_any_length() {
    for n in 0..70 {
        let mut block = Block::new(n);
        block.longest = n;
        for t in 0..n {
            block.score[t] = each(|l| ((t * (l + 3) * 37) % 23) as f64);
            block.value[t] = each(|l| ((t * (l + 5) * 41) % 29) as f64);
        }
        let lane = |block: &Block, l: usize| -> Vec<Sample> {
            block.score.iter().zip(&block.value).map(|(score, value)| (score[l], value[l])).collect()
        };
        let mut expected: Vec<_> = (0..LANES).map(|l| lane(&block, l)).collect();
        block.sort();
        for (l, expected) in expected.iter_mut().enumerate() {
            sort(expected);
            assert_eq!(lane(&block, l), *expected);
        }
    }
}

#[test]
fn the_packed_network_sorts_any_length() {
    for n in (0..80).chain([128, 144, 257, 500, 512, 1025, 3000]) {
        let mut keys = vec![[PADDING; LANES]; packed::padded(n)];
        for t in 0..n {
            keys[t] = each(|l| ((t * (l + 3) * 37) % 1009) as f64 - 500.0);
        }
        let mut expected: Vec<Vec<f64>> = (0..LANES).map(|l| keys.iter().map(|row| row[l]).collect()).collect();
        packed::sort(&mut keys);
        for (l, expected) in expected.iter_mut().enumerate() {
            expected.sort_by(|a, b| b.total_cmp(a));
            assert!(keys.iter().zip(expected).all(|(row, x)| row[l] == *x), "{n}");
        }
    }
}

#[test]
fn packing_keeps_order_ties_and_value() {
    let scores = [-1e38, -2.5, -2.499_999_999_999_999_6, -6e-39, -0.0, 0.0, 6e-39, 1.0, 1.000_000_000_000_000_2, 1e38];
    let mut keys = [0.0; 10];
    let values = [7.0, 0.0, 1.0, 3.0, 7.0, 0.0, 5.0, 7.0, 0.0, 7.0];
    assert_eq!(packed::pack(&scores, &values, 1.0, &mut keys), Some(10));
    for i in 0..10 {
        assert_eq!(packed::value(keys[i]), values[i]);
        for j in 0..10 {
            assert_eq!(packed::tied(keys[i], keys[j]), scores[i] == scores[j]);
            assert!(scores[i] >= scores[j] || keys[i] < keys[j]);
        }
    }
    let one = |score, value| packed::pack(&[score], &[value], 1.0, &mut [0.0]);
    assert_eq!(one(f64::NAN, f64::NAN), Some(0));
    for (score, value) in [(f64::INFINITY, 0.0), (1e300, 0.0), (1e-300, 0.0), (1.0, 0.5), (1.0, 8.0), (1.0, -1.0)] {
        assert_eq!(one(score, value), None, "{score} {value}");
    }
}

#[test]
fn pairs_and_packed_samples_give_the_same_bits() {
    let scores: Vec<f64> = (0..16 * 70).map(|i| f64::from((i * 7919) % 1009 % 24) - 9.0).collect();
    let values: Vec<f64> = (0..16 * 70).map(|i| f64::from((i * 104_729) % 3)).collect();
    let k: Vec<i64> = (1..=70).collect();
    let packed = rows(&scores, &values, 70, &k, 1);
    // A score that does not fit keeps its block from being packed; here it takes the place of the highest.
    let mut large = scores.clone();
    for block in large.chunks_mut(8 * 70) {
        let top = block[..70].iter().copied().fold(f64::NEG_INFINITY, f64::max);
        for score in block[..70].iter_mut().filter(|score| **score == top) {
            *score = 1e300;
        }
    }
    assert_eq!(packed, rows(&large, &values, 70, &k, 1));
}

proptest! {
    #[test]
    fn rows_equal_the_mean_over_all_subsets(
        samples in prop::collection::vec((0..4_u8, -3..3_i8, prop::bool::weighted(0.2)), 30),
    ) {
        // Three problems of ten samples, some of them missing.
        let scores: Vec<f64> = samples.iter().map(|s| if s.2 { f64::NAN } else { f64::from(s.0) }).collect();
        let values: Vec<f64> = samples.iter().map(|s| f64::from(s.1)).collect();
        let k: Vec<i64> = (1..=10).collect();
        let got = rows(&scores, &values, 10, &k, 1);
        for problem in 0..3 {
            let kept: Vec<Sample> = (problem * 10..problem * 10 + 10)
                .filter(|&i| !scores[i].is_nan())
                .map(|i| (scores[i], values[i]))
                .collect();
            for k in 1..=10 {
                let (got, expected) = (got[problem * 10 + k - 1], over_subsets(&kept, k as u32));
                prop_assert!(got.is_nan() && expected.is_nan() || (got - expected).abs() < 1e-13, "{got} {expected}");
            }
        }
    }

    #[test]
    fn equal_bytes_for_any_threads(scores in prop::collection::vec(0..50_u8, 20 * 40)) {
        let scores: Vec<f64> = scores.into_iter().map(f64::from).collect();
        let values: Vec<f64> = scores.iter().map(|x| (x * 0.37).sin()).collect();
        let k: Vec<i64> = (1..=41).collect();
        let bits = |threads| rows(&scores, &values, 40, &k, threads).iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        prop_assert_eq!(bits(1), bits(2));
        prop_assert_eq!(bits(1), bits(7));
    }
}
