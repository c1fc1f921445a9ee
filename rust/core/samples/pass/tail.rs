//! G-Pass@k: tails of the hypergeometric law of the number of correct samples in a k-subset.

use super::Metric;

/// G-Pass@k of one problem, or its mean over tau: sums of the hypergeometric law of X, the number correct of k, from
/// its mode outwards; only ratios of neighbouring terms enter, and all terms are positive.
pub(super) fn g_pass(n: i64, c: i64, k: i64, metric: Metric) -> f64 {
    if k > n {
        return f64::NAN;
    }
    let (least, credit): (i64, fn(i64) -> f64) = match metric {
        Metric::GPassAtK { tau } => (threshold(tau, k), |_| 1.0),
        // ceil(k/2) + 1 is the least count that earns anything.
        _ => (k / 2 + k % 2 + 1, |above| 2.0 * (above + 1) as f64),
    };
    let (low, high) = ((k - (n - c)).max(0), c.min(k));
    if high < least {
        return 0.0;
    }
    let scale = if metric == Metric::MeanGPassAtK { k as f64 } else { 1.0 };
    let mode = ((k as f64 + 1.0) * (c as f64 + 1.0) / (n as f64 + 2.0)) as i64;
    let mode = mode.clamp(low, high);
    let (nf, cf, kf) = (n as f64, c as f64, k as f64);
    let up = |j: f64| (cf - j) * (kf - j) / ((j + 1.0) * (nf - cf - kf + j + 1.0)); // P(j + 1) / P(j)
    let (mut earned, mut all) = (0.0, 0.0);
    let mut take = |j: i64, weight: f64| {
        all += weight;
        if j >= least {
            earned += weight * credit(j - least);
        }
        // Past the threshold, whether what is left still counts; before it, whether the walk can get there.
        if j >= least { weight > earned * 1e-24 } else { weight > 0.0 }
    };
    let mut weight = 1.0;
    for j in mode..=high {
        if !take(j, weight) {
            break;
        }
        weight *= up(j as f64);
    }
    let mut weight = 1.0;
    for j in (low..mode).rev() {
        weight /= up(j as f64);
        // Below the mode everything is measured against a total of more than 1.
        if !take(j, weight) || weight < 1e-24 {
            break;
        }
    }
    earned / all / scale
}

/// The smallest number of correct samples out of `k` that is at least the fraction `tau`, and at least one.
///
/// 0.28 * 25 is 7.000000000000001 in floating point: a product within rounding of a whole number counts as that.
pub(super) fn threshold(tau: f64, k: i64) -> i64 {
    let product = tau * k as f64;
    let whole = product.round();
    let least = if (product - whole).abs() <= 8.0 * f64::EPSILON * product { whole } else { product.ceil() };
    (least as i64).max(1)
}
