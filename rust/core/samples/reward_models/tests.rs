use super::*;
use crate::random::Seed;
use crate::rows::Matrix;
use proptest::prelude::*;

fn close(a: f64, b: f64) -> bool {
    (a.is_nan() && b.is_nan()) || (a - b).abs() < 1e-12
}

proptest! {
    #[test]
    fn auc_and_curve_equal_brute_force(rows in prop::collection::vec((0u8..4, any::<bool>()), 1..9)) {
        let n = rows.len();
        let scores: Vec<f64> = rows.iter().map(|r| f64::from(r.0)).collect();
        let correct: Vec<f64> = rows.iter().map(|r| f64::from(u8::from(r.1))).collect();
        let (s, c) = (Matrix::new(&scores, 1, n), Matrix::new(&correct, 1, n));
        let k: Vec<i64> = (1..=n as i64).collect();
        let (mut curve, mut oracle) = (vec![0.0; n], vec![0.0; n]);
        let found = correctness(&s, &c, &k, &mut curve, &mut oracle, &Control::default()).unwrap();
        let (mut won, mut pairs) = (0.0, 0.0);
        for (i, j) in (0..n).flat_map(|i| (0..n).map(move |j| (i, j))) {
            if correct[i] > correct[j] {
                pairs += 1.0;
                won += if scores[i] > scores[j] { 1.0 } else if scores[i] == scores[j] { 0.5 } else { 0.0 };
            }
        }
        let mut auc = [0.0];
        roc_auc(&s, &c, &mut auc, &Control::default()).unwrap();
        prop_assert!(close(auc[0], won / pairs));
        prop_assert!(close(found.accuracy, won / pairs));
        prop_assert!(close(found.roc_auc, won / pairs)); // stretching one prompt changes no order
        prop_assert!(close(found.mean_prompt_auc, won / pairs));
        for k in 1..=n {
            let (mut chosen, mut best, mut subsets) = (0.0, 0.0, 0.0);
            for subset in (0u32..1 << n).filter(|s| s.count_ones() as usize == k) {
                let members: Vec<usize> = (0..n).filter(|i| subset >> i & 1 == 1).collect();
                let top = members.iter().map(|&i| scores[i]).fold(f64::MIN, f64::max);
                let tied: Vec<f64> =
                    members.iter().filter(|&&i| scores[i] == top).map(|&i| correct[i]).collect();
                chosen += tied.iter().sum::<f64>() / tied.len() as f64;
                best += members.iter().map(|&i| correct[i]).fold(0.0, f64::max);
                subsets += 1.0;
            }
            prop_assert!(close(curve[k - 1], chosen / subsets), "{k}: {} {}", curve[k - 1], chosen / subsets);
            prop_assert!(close(oracle[k - 1], best / subsets));
        }
    }
}

#[test]
fn value_stability_of_max_scores() {
    let scores = [0.3, 0.1, 0.9, f64::NAN, 2.0, 2.0, 1.0, 3.0];
    let correct = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0];
    let (s, c) = (Matrix::new(&scores, 2, 4), Matrix::new(&correct, 2, 4));
    let run = |first, n, threads| {
        let mut out = vec![0.0; n];
        max_scores(&s, &c, &[1, 2, 3, 4], Seed::from_u64(1), first, &mut out, &Control::new(threads)).unwrap();
        out
    };
    let whole = run(3, 8, 1);
    assert_eq!(whole, [run(3, 5, 2), run(8, 3, 7)].concat());
    // A changed value here changes every max score: it needs a line in CHANGELOG.md.
    assert_eq!(whole, [0.5, 0.5, 0.0, 0.5, 0.0, 1.0, 0.0, 0.5]);
}

#[test]
fn bad_input_is_named() {
    let text = |scores: &[f64], correct: &[f64]| {
        let (s, c) = (Matrix::new(scores, 1, scores.len()), Matrix::new(correct, 1, correct.len()));
        roc_auc(&s, &c, &mut [0.0], &Control::default()).unwrap_err().to_string()
    };
    assert!(text(&[1.0, f64::INFINITY], &[0.0, 1.0]).contains("scores[0, 1] must be finite"));
    assert!(text(&[1.0, 2.0], &[0.0, 0.5]).contains("correct[0, 1] must be 0 or 1"));
    assert!(text(&[1.0, 2.0], &[0.0]).contains("correct must have the shape of scores"));
}
