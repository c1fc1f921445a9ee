//! pass@k beyond the samples at hand: the success rates of problems follow a Beta law, fitted by maximum likelihood.
//!
//! With rate `p ~ Beta(a, b)`, the chance that k samples all fail is `B(a, b + k)/B(a, b)`, so that
//! `pass@k = 1 - prod_{j<k} (b + j)/(a + b + j)`: for large k a power law, `1 - pass@k ~ k^-a Gamma(a + b)/Gamma(b)`.
//! With inflation a share `z` of the problems is never solved, and pass@k tends to `1 - z`. See Kazdan et al. 2025,
//! arXiv 2510.05197, for why not to fit a line to pass@k on log axes.

use crate::error::{Result, invalid};
use crate::run::Control;
use crate::samples::special::{digamma, log_rising};
use std::collections::BTreeMap;

/// What was fitted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fit {
    /// First parameter of the Beta law; infinite without over-dispersion, 0 where every rate is 0 or 1.
    pub alpha: f64,
    /// Second parameter; likewise.
    pub beta: f64,
    /// Share of problems that are never solved; 0 without inflation.
    pub inflation: f64,
    /// Mean rate of the others: `alpha / (alpha + beta)`.
    pub rate: f64,
    /// Logarithm of the likelihood, without the binomial coefficients.
    pub log_likelihood: f64,
    /// Covariance of (ln alpha, ln beta, logit inflation); NaN where a limit of the model was reached.
    pub covariance: [[f64; 3]; 3],
}

/// Distinct (samples, correct) and how many problems have them.
type Histogram = Vec<(f64, f64, f64)>;

/// Fits the model to `num_correct[i]` of `num_samples[i]`. Each of some 20 Newton steps costs a few microseconds a
/// distinct pair of counts.
///
/// # Errors
/// If counts are not counts; if no sample, or every sample, is correct; if no problem has two samples.
pub fn fit(num_samples: &[i64], num_correct: &[i64], inflated: bool, control: &Control) -> Result<Fit> {
    let histogram = histogram(num_samples, num_correct)?;
    let sum = |f: fn(f64, f64) -> f64| histogram.iter().map(|&(n, c, times)| times * f(n, c)).sum::<f64>();
    let rate = sum(|_, c| c) / sum(|n, _| n);
    if rate <= 0.0 || rate >= 1.0 {
        let what = if rate <= 0.0 { "0" } else { "num_samples" };
        return Err(invalid(
            "num_correct",
            &[],
            "",
            format!("not be {what} for every problem: the law of rates is unknown"),
        ));
    }
    if histogram.iter().all(|&(n, _, _)| n < 2.0) {
        return Err(invalid("num_samples", &[], "", "be at least 2 for some problem: one sample each shows no spread"));
    }
    let limit = |alpha: f64, inflation: f64, rate: f64| Fit {
        alpha,
        beta: alpha,
        inflation,
        rate,
        log_likelihood: f64::NAN,
        covariance: [[f64::NAN; 3]; 3],
    };
    if histogram.iter().all(|&(n, c, _)| c == 0.0 || c == n) {
        return Ok(limit(0.0, 0.0, rate));
    }
    // The slope of the likelihood in 1/(a + b) at 0, where all rates are equal.
    let slope: f64 = histogram
        .iter()
        .map(|&(n, c, times)| {
            let wrong = n - c;
            times * (c * (c - 1.0) / rate + wrong * (wrong - 1.0) / (1.0 - rate) - n * (n - 1.0)) / 2.0
        })
        .sum();
    if slope <= 0.0 {
        return Ok(limit(f64::INFINITY, 0.0, rate));
    }
    let model = Model { histogram: &histogram, inflated };
    let zeros: f64 = histogram.iter().filter(|&&(_, c, _)| c == 0.0).map(|&(_, _, times)| times).sum();
    let share = zeros / sum(|_, _| 1.0);
    let start =
        [rate.ln(), (1.0 - rate).ln(), if inflated && share > 0.0 { logit(share / 2.0) } else { f64::NEG_INFINITY }];
    let (place, value) = model.maximise(start, control)?;
    if inflated && (share == 0.0 || place[2] < -15.0) {
        return fit(num_samples, num_correct, false, control);
    }
    let (alpha, beta) = (place[0].exp(), place[1].exp());
    if alpha + beta > 1e12 {
        return Ok(limit(f64::INFINITY, if inflated { sigmoid(place[2]) } else { 0.0 }, alpha / (alpha + beta)));
    }
    Ok(Fit {
        alpha,
        beta,
        inflation: if inflated { sigmoid(place[2]) } else { 0.0 },
        rate: alpha / (alpha + beta),
        log_likelihood: value,
        covariance: model.covariance(&place),
    })
}

impl Fit {
    /// pass@k and the standard error of `ln(-ln(1 - pass@k))`, on which scale the error is near normal.
    pub fn pass_at_k(&self, k: i64) -> (f64, f64) {
        let Self { alpha, beta, inflation: z, rate, .. } = *self;
        let k = k as f64;
        let solved = if alpha == 0.0 {
            rate
        } else if alpha.is_infinite() {
            -(k * (-rate).ln_1p()).exp_m1()
        } else {
            // Two forms of ln(B(a, b + k)/B(a, b)): the smaller terms lose fewer digits to their difference.
            let log_fail = if alpha < k {
                log_rising(beta, alpha) - log_rising(beta + k, alpha)
            } else {
                log_rising(beta, k) - log_rising(alpha + beta, k)
            };
            -log_fail.exp_m1()
        };
        let mean = (1.0 - z) * solved;
        if !(alpha > 0.0 && alpha.is_finite()) || mean <= 0.0 || mean >= 1.0 {
            return (mean, f64::NAN);
        }
        // Gradient of mean in (ln alpha, ln beta, logit z).
        let fail = 1.0 - solved;
        let total = digamma(alpha + beta + k) - digamma(alpha + beta);
        let own = digamma(beta + k) - digamma(beta);
        let gradient =
            [(1.0 - z) * fail * total * alpha, (1.0 - z) * fail * (total - own) * beta, -z * (1.0 - z) * solved];
        let mut variance = 0.0;
        for (i, x) in gradient.iter().enumerate() {
            for (j, y) in gradient.iter().enumerate() {
                variance += if *x == 0.0 || *y == 0.0 { 0.0 } else { x * self.covariance[i][j] * y };
            }
        }
        let scale = (1.0 - mean) * -(-mean).ln_1p();
        (mean, variance.max(0.0).sqrt() / scale)
    }
}

fn histogram(num_samples: &[i64], num_correct: &[i64]) -> Result<Histogram> {
    if num_samples.len() != num_correct.len() {
        let rule = format!("have the length of num_samples, {}", num_samples.len());
        return Err(invalid("num_correct", &[], num_correct.len(), rule));
    }
    if num_samples.is_empty() {
        return Err(invalid("num_samples", &[], "", "not be empty"));
    }
    let mut counts = BTreeMap::new();
    for (i, (&n, &c)) in num_samples.iter().zip(num_correct).enumerate() {
        if n < 1 {
            return Err(invalid("num_samples", &[i], n, "be at least 1"));
        }
        if c < 0 || c > n {
            return Err(invalid("num_correct", &[i], c, format!("be between 0 and num_samples[{i}] = {n}")));
        }
        *counts.entry((n, c)).or_insert(0.0) += 1.0;
    }
    Ok(counts.into_iter().map(|((n, c), times)| (n as f64, c as f64, times)).collect())
}

struct Model<'a> {
    histogram: &'a Histogram,
    inflated: bool,
}

/// (ln alpha, ln beta, logit inflation).
type Place = [f64; 3];

impl Model<'_> {
    fn dimensions(&self) -> usize {
        if self.inflated { 3 } else { 2 }
    }

    fn value(&self, place: &Place) -> f64 {
        let (a, b, z) = (place[0].exp(), place[1].exp(), sigmoid(place[2]));
        let one = |&(n, c, times): &(f64, f64, f64)| {
            let likelihood = log_rising(a, c) + log_rising(b, n - c) - log_rising(a + b, n);
            if !self.inflated {
                times * likelihood
            } else if c > 0.0 {
                times * (likelihood + (-z).ln_1p())
            } else {
                times * (z + (1.0 - z) * likelihood.exp()).ln()
            }
        };
        self.histogram.iter().map(one).sum()
    }

    fn gradient(&self, place: &Place) -> Place {
        let (a, b, z) = (place[0].exp(), place[1].exp(), sigmoid(place[2]));
        let (of_a, of_b, of_both) = (digamma(a), digamma(b), digamma(a + b));
        let mut total = [0.0; 3];
        for &(n, c, times) in self.histogram {
            let both = digamma(a + b + n) - of_both;
            let mut weight = times;
            if self.inflated && c == 0.0 {
                let likelihood = (log_rising(b, n) - log_rising(a + b, n)).exp();
                let chance = z + (1.0 - z) * likelihood;
                weight *= (1.0 - z) * likelihood / chance;
                total[2] += times * z * (1.0 - z) * (1.0 - likelihood) / chance;
            } else if self.inflated {
                total[2] -= times * z;
            }
            total[0] += weight * a * (digamma(a + c) - of_a - both);
            total[1] += weight * b * (digamma(b + n - c) - of_b - both);
        }
        total
    }

    /// Minus the second derivatives, by central differences of the gradient.
    fn information(&self, place: &Place) -> [[f64; 3]; 3] {
        let step = 1e-5;
        let mut information = [[0.0; 3]; 3];
        for i in 0..self.dimensions() {
            let (mut up, mut down) = (*place, *place);
            up[i] += step;
            down[i] -= step;
            let (up, down) = (self.gradient(&up), self.gradient(&down));
            for j in 0..3 {
                information[i][j] = (down[j] - up[j]) / (2.0 * step);
            }
        }
        information
    }

    /// Newton's method, damped where a step does not climb.
    fn maximise(&self, mut place: Place, control: &Control) -> Result<(Place, f64)> {
        let mut value = self.value(&place);
        let mut damping = 0.0;
        for _ in 0..200 {
            control.check()?;
            let gradient = self.gradient(&place);
            let information = self.information(&place);
            let scale = (0..self.dimensions()).map(|i| information[i][i].abs()).fold(1e-12, f64::max);
            let mut climbed = false;
            for _ in 0..60 {
                let mut matrix = information;
                for (i, row) in matrix.iter_mut().enumerate() {
                    row[i] += damping * scale + if i < self.dimensions() { 0.0 } else { 1.0 };
                }
                let mut next = place;
                if let Some(inverse) = inverse(&matrix) {
                    for i in 0..self.dimensions() {
                        let step: f64 = (0..3).map(|j| inverse[i][j] * gradient[j]).sum();
                        next[i] = (place[i] + step.clamp(-2.0, 2.0)).clamp(-34.0, 34.0);
                    }
                    let there = self.value(&next);
                    if there > value {
                        climbed = there - value > 1e-13 * value.abs();
                        (place, value, damping) = (next, there, if damping < 1e-6 { 0.0 } else { damping / 10.0 });
                        break;
                    }
                }
                damping = (damping * 10.0).max(1e-6);
            }
            if !climbed {
                break;
            }
        }
        Ok((place, value))
    }

    fn covariance(&self, place: &Place) -> [[f64; 3]; 3] {
        let mut information = self.information(place);
        if !self.inflated {
            information[2] = [0.0, 0.0, 1.0];
        }
        let mut covariance = inverse(&information).unwrap_or([[f64::NAN; 3]; 3]);
        if !self.inflated {
            covariance[2][2] = 0.0;
        }
        covariance
    }
}

/// The inverse of a symmetric positive matrix; None if it is not one.
fn inverse(m: &[[f64; 3]; 3]) -> Option<[[f64; 3]; 3]> {
    let minor = |i: usize, j: usize| {
        let (a, b) = ((i + 1) % 3, (i + 2) % 3);
        let (c, d) = ((j + 1) % 3, (j + 2) % 3);
        m[a][c] * m[b][d] - m[a][d] * m[b][c]
    };
    let determinant = m[0][0] * minor(0, 0) + m[0][1] * minor(0, 1) + m[0][2] * minor(0, 2);
    let positive = m[0][0] > 0.0 && m[0][0] * m[1][1] - m[0][1] * m[1][0] > 0.0 && determinant > 0.0;
    positive.then(|| std::array::from_fn(|i| std::array::from_fn(|j| minor(j, i) / determinant)))
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

fn logit(p: f64) -> f64 {
    (p / (1.0 - p)).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: [[f64; 3]; 3] = [[0.0; 3]; 3];

    fn law(alpha: f64, beta: f64) -> Fit {
        Fit { alpha, beta, inflation: 0.0, rate: alpha / (alpha + beta), log_likelihood: 0.0, covariance: NONE }
    }

    #[test]
    fn golden_values_and_the_product() {
        assert!((law(0.25, 2.0).pass_at_k(4096).0 - 0.858_388_7).abs() < 1e-7);
        let mut fail = 1.0;
        for k in 1..=65_536i64 {
            let j = (k - 1) as f64;
            fail *= (2.0 + j) / (2.25 + j);
            if k == 1 || (k as u64).is_power_of_two() {
                assert!((law(0.25, 2.0).pass_at_k(k).0 - (1.0 - fail)).abs() < 1e-11, "{k}");
            }
        }
    }

    #[test]
    fn the_gradient_is_that_of_the_value() {
        let counts = histogram(&[8, 8, 8, 5, 5, 3], &[0, 0, 3, 5, 1, 0]).unwrap();
        for inflated in [false, true] {
            let model = Model { histogram: &counts, inflated };
            let place = [-0.7, 0.4, -1.1];
            let gradient = model.gradient(&place);
            for i in 0..model.dimensions() {
                let (mut up, mut down) = (place, place);
                up[i] += 1e-5;
                down[i] -= 1e-5;
                assert!(((model.value(&up) - model.value(&down)) / 2e-5 - gradient[i]).abs() < 1e-7);
            }
            let (top, _) = model.maximise(place, &Control::default()).unwrap();
            assert!(model.gradient(&top).iter().take(2).all(|x| x.abs() < 1e-4), "{top:?}");
        }
    }

    #[test]
    fn limits_of_the_model_are_defined_or_named() {
        let run = |n: &[i64], c: &[i64]| fit(n, c, false, &Control::default());
        assert!(run(&[4, 4], &[0, 0]).unwrap_err().to_string().contains("num_correct must not be 0"));
        assert!(run(&[4, 4], &[4, 4]).unwrap_err().to_string().contains("num_correct must not be num_samples"));
        assert!(run(&[1, 1], &[1, 0]).unwrap_err().to_string().contains("num_samples must be at least 2"));
        assert!((run(&[4, 4], &[2, 2]).unwrap().pass_at_k(3).0 - 0.875).abs() < 1e-15);
        assert_eq!(run(&[4, 4], &[0, 4]).unwrap().pass_at_k(1000).0, 0.5);
    }

    #[test]
    fn inverse_of_a_known_matrix() {
        let m = [[2.0, 1.0, 0.0], [1.0, 3.0, 1.0], [0.0, 1.0, 4.0]];
        let inverse = inverse(&m).unwrap();
        for (i, row) in m.iter().enumerate() {
            for j in 0..3 {
                let x: f64 = row.iter().zip(&inverse).map(|(a, column)| a * column[j]).sum();
                assert!((x - f64::from(u8::from(i == j))).abs() < 1e-14);
            }
        }
    }
}
