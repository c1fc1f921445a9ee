use super::*;
use crate::rows::Matrix;

fn settings(method: Method, n_resamples: usize, control_variates: bool) -> Settings {
    Settings { method, n_resamples, control_variates, first: 0, seed: Seed::from_u64(5) }
}

/// Estimates and standard errors of one row.
fn row(answers: &[i64], weights: &[f64], k: &[i64], settings: &Settings) -> Result<(Vec<f64>, Vec<f64>)> {
    let mut out = vec![0.0; 2 * k.len()];
    let (answers, weights) = (Matrix::new(answers, 1, answers.len()), Matrix::new(weights, 1, weights.len()));
    weighted_maj_at_k(&answers, &weights, &[0], k, settings, &Control::default(), &mut out)?;
    let errors = out.split_off(k.len());
    Ok((out, errors))
}

/// The definition, over all subsets.
fn brute(answers: &[i64], weights: &[f64], k: usize) -> f64 {
    let (mut won, mut all) = (0.0, 0.0);
    for subset in (0u32..1 << answers.len()).filter(|s| s.count_ones() as usize == k) {
        let mut sums = [0.0f64; 8];
        for i in (0..answers.len()).filter(|i| subset >> i & 1 == 1 && answers[*i] >= 0) {
            sums[answers[i] as usize] += weights[i];
        }
        let most = sums.iter().copied().fold(0.0, f64::max);
        if most > 0.0 && sums[0] == most {
            won += 1.0 / sums.iter().filter(|sum| **sum == most).count() as f64;
        }
        all += 1.0;
    }
    won / all
}

const ANSWERS: [i64; 8] = [0, 0, 0, 1, 1, 2, 2, 3];
const WEIGHTS: [f64; 8] = [3.0, 1.0, 2.0, 2.0, 2.0, 4.0, 1.0, 1.0];
const K: [i64; 8] = [1, 2, 3, 4, 5, 6, 7, 8];

#[test]
fn golden_values() {
    let expected = [3. / 8., 11. / 28., 137. / 336., 59. / 140., 149. / 336., 43. / 84., 11. / 16., 1.];
    let (found, errors) = row(&ANSWERS, &WEIGHTS, &K, &settings(Method::Auto, 2, true)).unwrap();
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() < 1e-14, "{found} {expected}");
    }
    assert_eq!(errors, [0.0; 8]);
}

#[test]
fn exact_is_the_mean_over_all_subsets() {
    let mut stream = Seed::from_u64(1).stream(0);
    for _ in 0..40 {
        let n = 3 + stream.below(9) as usize;
        let answers: Vec<i64> = (0..n).map(|_| [0, 0, 1, 1, 2, 3, SILENT][stream.below(7) as usize]).collect();
        let weights: Vec<f64> = (0..n).map(|_| stream.below(5) as f64).collect();
        let k: Vec<i64> = (1..=n as i64).collect();
        let (found, _) = row(&answers, &weights, &k, &settings(Method::Exact, 2, true)).unwrap();
        for (found, k) in found.iter().zip(1..) {
            assert!((found - brute(&answers, &weights, k)).abs() < 1e-13, "{answers:?} {weights:?} {k}");
        }
    }
}

#[test]
fn monte_carlo_is_within_its_standard_error() {
    let weights: Vec<f64> = WEIGHTS.iter().map(|w| w.exp() + 0.1).collect();
    for control_variates in [false, true] {
        let (found, errors) =
            row(&ANSWERS, &weights, &K, &settings(Method::MonteCarlo, 20_000, control_variates)).unwrap();
        for k in 0..8 {
            let exact = brute(&ANSWERS, &weights, k + 1);
            assert!((found[k] - exact).abs() <= 4.0 * errors[k] + 1e-12, "{k} {} {exact} {}", found[k], errors[k]);
        }
    }
}

#[test]
fn ties_of_decimals_are_shared() {
    // In binary floating point 0.1 + 0.2 > 0.3.
    let (found, _) = row(&[0, 0, 1], &[0.1, 0.2, 0.3], &[3], &settings(Method::MonteCarlo, 10, false)).unwrap();
    assert_eq!(found, [0.5]);
}

#[test]
fn bad_input_is_named() {
    let auto = settings(Method::Auto, 10, true);
    let text = |answers: &[i64], weights: &[f64], k: &[i64], s: &Settings| {
        row(answers, weights, k, s).unwrap_err().to_string()
    };
    assert!(text(&[0, 1], &[1.0, -0.5], &[1], &auto).starts_with("weights[0, 1] must be finite and at least 0"));
    assert!(text(&[0, 1], &[f64::NAN, 1.0], &[1], &auto).starts_with("weights[0, 0] must be"));
    assert!(text(&[0, -3], &[1.0, 1.0], &[1], &auto).starts_with("answers[0, 1] must be a code"));
    assert_eq!(text(&[0], &[1.0], &[0], &auto), "k[0] must be at least 1, got 0");
    let exact = settings(Method::Exact, 10, true);
    assert!(
        text(&[0, 1], &[1.0, std::f64::consts::PI], &[1], &exact).starts_with("weights[0] must be whole multiples")
    );
    assert!(row(&[0, -1], &[1.0, f64::NAN], &[1], &auto).is_ok());
}

#[test]
fn value_stability() {
    // A changed value here changes seeded results: it needs a line in CHANGELOG.md.
    let weights: Vec<f64> = WEIGHTS.iter().map(|w| w.exp() + 0.1).collect();
    let (found, _) = row(&ANSWERS, &weights, &[3], &settings(Method::MonteCarlo, 1000, false)).unwrap();
    assert_eq!(found, [0.367_333_333_333_333_35]);
}
