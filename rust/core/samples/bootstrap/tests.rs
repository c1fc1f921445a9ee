use super::*;
use crate::samples::intervals::Clusters;
use crate::samples::smooth::compress;
use proptest::prelude::*;

/// One sum a column and replicate, with the same draws.
fn naive(curves: &Curves<'_>, clusters: Option<&[i64]>, n_resamples: usize, seed: &Seed) -> Vec<f64> {
    let groups: Vec<Vec<usize>> = match clusters {
        Some(labels) => Clusters::new(labels).iter().map(<[usize]>::to_vec).collect(),
        None => (0..curves.n_problems()).map(|i| vec![i]).collect(),
    };
    let n = groups.len() as u64;
    let mut out = Vec::new();
    for replicate in 0..n_resamples {
        let mut stream = seed.stream(replicate as u64);
        let mut drawn = Vec::new();
        while drawn.len() < groups.len() {
            let word = stream.next_u64();
            drawn.push((((word >> 32) * n) >> 32) as usize);
            drawn.push((((word & 0xffff_ffff) * n) >> 32) as usize);
        }
        drawn.truncate(groups.len());
        for k in 0..curves.width() {
            let members = drawn.iter().flat_map(|&g| &groups[g]);
            let used: Vec<f64> = members.map(|&i| curves.problem(i)[k]).filter(|x| !x.is_nan()).collect();
            out.push(used.iter().sum::<f64>() / used.len() as f64);
        }
    }
    out
}

fn same(a: &[f64], b: &[f64], tolerance: f64) {
    assert_eq!(a.len(), b.len());
    for (x, y) in a.iter().zip(b) {
        assert!((x.is_nan() && y.is_nan()) || (x - y).abs() <= tolerance, "{x} {y}");
    }
}

/// Rows 1 - (1 - p)^k, the first ones of which end early.
fn smooth(n_rows: usize, width: usize, missing: bool) -> Vec<f64> {
    let value = |row: usize, k: usize| {
        let p = (row as f64 + 0.5) / n_rows as f64;
        if missing && row.is_multiple_of(5) && k >= width / 2 { f64::NAN } else { 1.0 - (1.0 - p).powi(k as i32 + 1) }
    };
    (0..n_rows).flat_map(|row| (0..width).map(move |k| value(row, k))).collect()
}

#[test]
fn smooth_rows_compress_and_agree_with_plain_sums() {
    let seed = Seed::from_u64(3);
    for (n_rows, width, missing) in [(60, 200, false), (60, 200, true), (7, 3, true), (1, 1, false)] {
        let rows = smooth(n_rows, width, missing);
        let index: Vec<i64> = (0..n_rows as i64).chain(0..(n_rows as i64 / 2)).collect();
        let labels: Vec<i64> = index.iter().map(|i| i / 3).collect();
        let curves = Curves::new(&rows, width, &index).unwrap();
        for clusters in [None, Some(&labels[..])] {
            let mut out = vec![0.0; 20 * width];
            means(&curves, clusters, 0, &seed, &Control::default(), &mut out).unwrap();
            same(&out, &naive(&curves, clusters, 20, &seed), 1e-11);
        }
    }
    let zeros = [0.0; 3];
    let none = Curves::new(&zeros, 3, &[0, 0]).unwrap();
    let result = resample(&none, None, 5, &seed, &[0.5], &Control::default()).unwrap();
    assert_eq!((result.quantiles[0][2], result.standard_deviation[0]), (0.0, 0.0));
    let rows = smooth(60, 200, false);
    let space = compress(60, 200, 100, |i| &rows[i * 200..(i + 1) * 200], &Control::default()).unwrap().unwrap();
    assert!(space.rank() < 40, "{}", space.rank());
}

#[test]
fn value_stability() {
    let rows = smooth(11, 4, false);
    let index: Vec<i64> = (0..11).collect();
    let curves = Curves::new(&rows, 4, &index).unwrap();
    let result = resample(&curves, None, 200, &Seed::from_u64(1), &[0.025, 0.975], &Control::default()).unwrap();
    let got = [result.quantiles[0][0], result.quantiles[1][3], result.standard_deviation[1]];
    same(&got, &PINNED, 1e-12);
}
const PINNED: [f64; 3] = [0.309_090_909_090_909_14, 0.929_941_214_273_738_5, 0.091_577_315_548_754_66];

proptest! {
    #[test]
    fn any_rows_any_threads_any_shards(
        values in prop::collection::vec(prop_oneof![9 => -1.0f64..1.0, 1 => Just(f64::NAN)], 6 * 40),
        index in prop::collection::vec(0i64..6, 1..20),
        clustered: bool,
    ) {
        let curves = Curves::new(&values, 40, &index).unwrap();
        let labels: Vec<i64> = (0..index.len() as i64).map(|i| i % 4).collect();
        let clusters = clustered.then_some(&labels[..]);
        let seed = Seed::from_u64(9);
        let mut whole = vec![0.0; 12 * 40];
        means(&curves, clusters, 0, &seed, &Control::new(7), &mut whole).unwrap();
        same(&whole, &naive(&curves, clusters, 12, &seed), 1e-11);
        let mut parts = vec![0.0; 12 * 40];
        let (a, b) = parts.split_at_mut(5 * 40);
        means(&curves, clusters, 0, &seed, &Control::default(), a).unwrap();
        means(&curves, clusters, 5, &seed, &Control::new(2), b).unwrap();
        prop_assert_eq!(format!("{whole:?}"), format!("{parts:?}"));
        let result = resample(&curves, clusters, 12, &seed, &[0.0, 0.3, 1.0], &Control::new(2)).unwrap();
        for k in 0..40 {
            let mut column: Vec<f64> = (0..12).map(|b| whole[b * 40 + k]).collect();
            let zero = ZERO * values.iter().fold(0.0, |top: f64, x| top.max(x.abs()));
            let sides = [column.iter().filter(|x| **x <= zero).count(), column.iter().filter(|x| **x >= -zero).count()];
            prop_assert_eq!([result.not_above[k] as usize, result.not_below[k] as usize], sides);
            column.sort_by(f64::total_cmp);
            let expected = if column.iter().any(|x| x.is_nan()) { [f64::NAN; 3] }
                else { [column[0], column[3] + 0.3 * (column[4] - column[3]), column[11]] };
            same(&[result.quantiles[0][k], result.quantiles[1][k], result.quantiles[2][k]], &expected, 1e-12);
        }
    }
}
