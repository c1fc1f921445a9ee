use super::*;
use proptest::prelude::*;

fn rows(n: &[i64], c: &[i64], k: &[i64], metric: Metric, threads: usize) -> Vec<f64> {
    let mut out = vec![f64::NAN; n.len() * k.len()];
    curves(n, c, k, metric, &mut out, &Control::new(threads)).unwrap();
    out
}

fn one(n: i64, c: i64, k: i64, metric: Metric) -> f64 {
    rows(&[n], &[c], &[k], metric, 1)[0]
}

/// C(n, k), exact for the sizes used here.
fn choose(n: i64, k: i64) -> f64 {
    if k < 0 || k > n { 0.0 } else { (0..k).fold(1.0, |product, i| product * (n - i) as f64 / (i + 1) as f64) }
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-12 * b.abs()
}

#[test]
fn known_values() {
    assert_eq!(one(10, 1, 5, Metric::PassAtK), 0.5);
    assert_eq!(one(10, 0, 5, Metric::PassAtK), 0.0);
    assert_eq!(one(10, 10, 5, Metric::PassAtK), 1.0);
    assert_eq!(one(49, 49, 49, Metric::PassHatK), 1.0);
    assert!(one(4, 2, 5, Metric::PassAtK).is_nan());
    assert!(one(0, 0, 1, Metric::PassHatK).is_nan());
    assert!(close(one(10_000, 1, 3, Metric::PassAtK), 3e-4));
}

#[test]
fn a_product_within_rounding_of_a_whole_number_is_that_number() {
    assert_eq!(tail::threshold(0.28, 25), 7);
    assert_eq!(tail::threshold(0.0, 5), 1);
    assert_eq!(tail::threshold(0.5, 5), 3);
    assert_eq!(tail::threshold(1.0, 1_000_000), 1_000_000);
}

#[test]
fn bad_input_is_named() {
    let fails = |n: &[i64], c: &[i64], k: &[i64], metric| {
        let mut out = vec![0.0; n.len() * k.len()];
        curves(n, c, k, metric, &mut out, &Control::default()).unwrap_err().to_string()
    };
    assert_eq!(
        fails(&[5, 5], &[1, 6], &[1], Metric::PassAtK),
        "num_correct[1] must be at most num_samples[1] = 5, got 6"
    );
    assert_eq!(fails(&[5], &[1], &[0], Metric::PassAtK), "k[0] must be at least 1, got 0");
    assert_eq!(fails(&[5], &[1], &[1], Metric::GPassAtK { tau: 1.5 }), "tau must be between 0 and 1, got 1.5");
    let metric = Metric::MeanGPassAtK;
    assert!(variances(&[5], &[1], &[1], metric, &mut [0.0], &Control::default()).is_err());
}

#[test]
fn cancel_stops_a_long_walk() {
    let control = Control::new(2);
    control.cancel();
    let n = [1 << 40];
    assert_eq!(curves(&n, &[5], &[1 << 39], Metric::PassAtK, &mut [0.0], &control), Err(Error::Interrupted));
    assert_eq!(mean_curve(&n, &[5], &[1 << 39], Metric::PassAtK, &control), Err(Error::Interrupted));
}

fn problems() -> impl Strategy<Value = Vec<(i64, i64)>> {
    prop::collection::vec((0..40_i64).prop_flat_map(|n| (Just(n), 0..=n)), 1..80)
}

proptest! {
    #[test]
    fn rows_equal_the_ratio_of_binomials(problems in problems(), repeat in 1..6_usize) {
        let problems = problems.repeat(repeat); // with and without a table of distinct pairs
        let (n, c): (Vec<_>, Vec<_>) = problems.iter().copied().unzip();
        let k: Vec<i64> = (1..=40).collect();
        let at = rows(&n, &c, &k, Metric::PassAtK, 1);
        let hat = rows(&n, &c, &k, Metric::PassHatK, 1);
        for (i, &(n, c)) in problems.iter().enumerate() {
            for (j, &k) in k.iter().enumerate() {
                let (at, hat) = (at[i * 40 + j], hat[i * 40 + j]);
                if k > n {
                    prop_assert!(at.is_nan() && hat.is_nan());
                } else {
                    let subsets = choose(n, k);
                    prop_assert!(close(at, (subsets - choose(n - c, k)) / subsets), "{n} {c} {k}: {at}");
                    prop_assert!(close(hat, choose(c, k) / subsets), "{n} {c} {k}: {hat}");
                }
            }
        }
        for metric in [Metric::PassAtK, Metric::GPassAtK { tau: 0.4 }] {
            let alone = rows(&n, &c, &k, metric, 1);
            prop_assert_eq!(bits(&alone), bits(&rows(&n, &c, &k, metric, 7)));
        }
    }

    #[test]
    fn the_mean_is_that_of_the_rows(problems in problems()) {
        let (n, c): (Vec<_>, Vec<_>) = problems.iter().copied().unzip();
        let k = [1, 2, 5, 39];
        let all = rows(&n, &c, &k, Metric::PassAtK, 1);
        let mean = mean_curve(&n, &c, &k, Metric::PassAtK, &Control::new(1)).unwrap();
        for (j, mean) in mean.iter().enumerate() {
            let column: Vec<f64> = all.iter().skip(j).step_by(4).copied().filter(|x| !x.is_nan()).collect();
            let expected = column.iter().sum::<f64>() / column.len() as f64;
            prop_assert!(mean.is_nan() && column.is_empty() || close(*mean, expected));
        }
        prop_assert_eq!(bits(&mean), bits(&mean_curve(&n, &c, &k, Metric::PassAtK, &Control::new(7)).unwrap()));
    }

    #[test]
    fn g_pass_lies_between_pass_hat_and_pass(n in 1..300_i64, c in 0..300_i64, k in 1..300_i64, tau in 0.0..1.0) {
        let (c, k) = (c.min(n), k.min(n));
        let [at, g, hat] = [Metric::PassAtK, Metric::GPassAtK { tau }, Metric::PassHatK].map(|m| one(n, c, k, m));
        prop_assert!(hat <= g * (1.0 + 1e-12) && g <= at * (1.0 + 1e-12));
    }
}

fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|x| x.to_bits()).collect()
}
