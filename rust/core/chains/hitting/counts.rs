//! Random counts of any size up to 2^63, right to the rounding of a double: geometric, negative binomial, binomial.
//!
//! The usual samplers compare a logarithm with differences of `ln n!`, or with `n ln(1 + x)`, whose rounding error
//! passes one where n passes 10^15. Here the laws are written as deviations from their centre (Loader 2000, "Fast and
//! accurate computation of binomial probabilities"), which keeps all digits at any n. Logarithms are those of `libm`,
//! the same on every machine.

use crate::random;
use crate::random::laws::{Source, gamma_root};
use libm::{exp, expm1, log, log1p, sqrt};
use std::f64::consts::{PI, TAU};

/// 2^-64.
const UNIT: f64 = 1.0 / 18_446_744_073_709_551_616.0;

/// Means from here on are drawn by rejection, below by inversion.
const LARGE: f64 = 10.0;

/// A Poisson mean beyond every time that can be stored, by more than a hundred million standard deviations.
const ENDLESS: f64 = 1e19;

/// Geometric counts that are added one by one.
const FEW: u64 = 4;

/// A uniform number in [0, 1): one of 2^53.
pub(super) fn uniform(state: &mut [u64; 2]) -> f64 {
    (random::draw(state) >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
}

/// A uniform number in (0, 1] whose small values keep all their digits, down to 2^-64.
fn fine(state: &mut [u64; 2]) -> f64 {
    (random::draw(state) as f64 + 1.0) * UNIT
}

/// An exponential number with mean 1: 2^-64 is told from 0, and 44 can occur. One draw.
fn exponential(state: &mut [u64; 2]) -> f64 {
    let draw = random::draw(state);
    if draw >> 63 == 0 { -log1p(-(draw as f64 * UNIT)) } else { -log((!draw + 1) as f64 * UNIT) }
}

/// How often one stays before one leaves, if each trial leaves with a probability proportional to `leave` and stays
/// with one proportional to `stay`: floor(ln U / ln(1 - q)), never by way of 1 - q where q is small. One draw.
///
/// More than 2^64 is 2^64 - 1, and so it is if `leave` is 0.
pub(super) fn geometric(state: &mut [u64; 2], leave: f64, stay: f64) -> u64 {
    if leave <= 0.0 {
        return u64::MAX;
    }
    let q = leave / (leave + stay);
    let rate = if leave < stay { -log1p(-q) } else { -log(stay / (leave + stay)) };
    (exponential(state) / rate) as u64
}

/// The sum of `n` counts of [`geometric`]: negative binomial. Many of them are a Poisson number whose mean is a gamma
/// number, about five draws.
pub(super) fn geometric_sum(state: &mut [u64; 2], n: u64, leave: f64, stay: f64) -> u64 {
    if stay <= 0.0 {
        return 0;
    }
    if n <= FEW {
        return (0..n).fold(0, |sum: u64, _| sum.saturating_add(geometric(state, leave, stay)));
    }
    let mean = gamma(state, n as f64) * (stay / leave);
    poisson(state, mean)
}

/// A gamma number of shape at least 1 and scale 1.
fn gamma(state: &mut [u64; 2], shape: f64) -> f64 {
    let root = gamma_root(&mut Bare(state), shape);
    (shape - 1.0 / 3.0) * (root * root * root)
}

struct Bare<'a>(&'a mut [u64; 2]);

impl Source for Bare<'_> {
    fn uniform(&mut self) -> f64 {
        1.0 - uniform(self.0)
    }

    /// By the ratio of two uniform numbers (Kinderman and Monahan 1977), which keeps nothing for the next call.
    fn normal(&mut self) -> f64 {
        loop {
            let u = 1.0 - uniform(self.0);
            let x = 1.715_527_769_921_413_5 * (uniform(self.0) - 0.5) / u;
            if x * x <= -4.0 * log(u) {
                return x;
            }
        }
    }
}

/// A Poisson number: inversion, or the transformed rejection PTRS of Hoermann 1993 ("The transformed rejection method
/// for generating Poisson random variables").
fn poisson(state: &mut [u64; 2], mean: f64) -> u64 {
    if mean >= ENDLESS {
        return u64::MAX;
    }
    if mean < LARGE {
        // Zero is what the smallest numbers do not stand for, so that a rare one is as rare as it should be.
        let mut left = fine(state);
        let (mut mass, mut k) = (exp(-mean), 0);
        if left > -expm1(-mean) {
            return 0;
        }
        loop {
            k += 1;
            mass *= mean / k as f64;
            left -= mass;
            if left <= 0.0 || mass < UNIT * UNIT {
                return k;
            }
        }
    }
    let b = 0.931 + 2.53 * sqrt(mean);
    let a = -0.059 + 0.02483 * b;
    let inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
    let sure = 0.9277 - 3.6624 / (b - 2.0);
    loop {
        let (u, v) = (uniform(state) - 0.5, uniform(state));
        let edge = 0.5 - u.abs();
        let k = ((2.0 * a / edge + b) * u + mean + 0.43).floor();
        if edge >= 0.07 && v <= sure {
            return k as u64;
        }
        if k < 0.0 || (edge < 0.013 && v > edge) {
            continue;
        }
        let mass = if k == 0.0 { -mean } else { -stirling(k) - deviance(k, mean) - 0.5 * log(TAU * k) };
        if log(v * inverse_alpha / (a / (edge * edge) + b)) <= mass {
            return k as u64;
        }
    }
}

/// How many of `n` succeed, if each does so with a probability proportional to `success` and fails with one proportional
/// to `failure`: inversion, or the transformed rejection BTRS of Hoermann 1993 ("The generation of binomial random
/// variates"). No draw if one of the two is 0.
pub(super) fn binomial(state: &mut [u64; 2], n: u64, success: f64, failure: f64) -> u64 {
    if success > failure {
        return n - binomial(state, n, failure, success);
    }
    let p = success / (success + failure);
    let trials = n as f64;
    let mean = trials * p;
    if n == 0 || mean <= 0.0 {
        return 0;
    }
    if mean < LARGE { binomial_by_inversion(state, n, p) } else { binomial_by_rejection(state, trials, p).min(n) }
}

fn binomial_by_inversion(state: &mut [u64; 2], n: u64, p: f64) -> u64 {
    let none = n as f64 * log1p(-p);
    let mut left = fine(state);
    if left > -expm1(none) {
        return 0;
    }
    let odds = p / (1.0 - p);
    let (mut mass, mut k) = (exp(none), 0);
    while k < n {
        mass *= (n - k) as f64 / (k + 1) as f64 * odds;
        k += 1;
        left -= mass;
        if left <= 0.0 || mass < UNIT * UNIT {
            break;
        }
    }
    k
}

fn binomial_by_rejection(state: &mut [u64; 2], n: f64, p: f64) -> u64 {
    let spread = sqrt(n * p * (1.0 - p));
    let b = 1.15 + 2.53 * spread;
    let a = -0.0873 + 0.0248 * b + 0.01 * p;
    let centre = n * p + 0.5;
    let alpha = (2.83 + 5.1 / b) * spread;
    let sure = 0.92 - 4.2 / b;
    loop {
        let (u, v) = (uniform(state) - 0.5, uniform(state));
        let edge = 0.5 - u.abs();
        let k = ((2.0 * a / edge + b) * u + centre).floor();
        if edge >= 0.07 && v <= sure {
            return k as u64;
        }
        if !(0.0..=n).contains(&k) {
            continue;
        }
        let mode = ((n + 1.0) * p).floor();
        let bound = binomial_mass(k, n, p) - binomial_mass(mode, n, p);
        if log(v * alpha / (a / (edge * edge) + b)) <= bound {
            return k as u64;
        }
    }
}

/// The logarithm of the probability of `k` successes, less what does not depend on `k`.
fn binomial_mass(k: f64, n: f64, p: f64) -> f64 {
    let (q, rest) = (1.0 - p, n - k);
    let part = |k: f64, mean: f64| {
        if k <= 0.0 { -mean } else { -stirling(k) - deviance(k, mean) - 0.5 * log(2.0 * PI * k) }
    };
    part(k, n * p) + part(rest, n * q)
}

/// ln n! - ln(sqrt(2 pi n) (n / e)^n), for n of at least 1.
fn stirling(n: f64) -> f64 {
    if n < 16.0 {
        let factorial = (2..=n as u32).fold(1.0, |product, i| product * f64::from(i));
        return log(factorial) - 0.5 * log(TAU * n) - n * log(n) + n;
    }
    let x = 1.0 / (n * n);
    (1.0 / 12.0 - x * (1.0 / 360.0 - x * (1.0 / 1260.0 - x * (1.0 / 1680.0 - x / 1188.0)))) / n
}

/// k ln(k / mean) + mean - k, which vanishes to second order at the mean: a series in (k - mean) / (k + mean) there.
fn deviance(k: f64, mean: f64) -> f64 {
    let (gap, sum) = (k - mean, k + mean);
    if gap.abs() >= 0.1 * sum {
        return k * log(k / mean) - gap;
    }
    let v = gap / sum;
    let (mut result, mut term, mut power) = (gap * v, 2.0 * k * v, 1.0);
    loop {
        term *= v * v;
        power += 2.0;
        let next = result + term / power;
        if next == result {
            return result;
        }
        result = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;

    fn state(number: u64) -> [u64; 2] {
        Seed::from_u64(number).state(0)
    }

    /// Chi-squared of `draw` against the probabilities of 0, 1, ..., with the rest in a last cell; cells are merged
    /// until each is expected 20 times. Returns the statistic as a number of standard deviations above its mean.
    fn excess(n: usize, law: impl Fn(u64) -> f64, mut draw: impl FnMut() -> u64) -> f64 {
        let mut draws: Vec<u64> = (0..n).map(|_| draw()).collect();
        draws.sort_unstable();
        let (mut chi2, mut cells, mut expected, mut from, mut seen) = (0.0, 0.0, 0.0, 0, 0.0);
        let highest = draws[n - 1] + 1;
        let mut k = draws[0].saturating_sub(draws[n - 1] / 2);
        while k <= highest {
            expected += law(k) * n as f64;
            if expected >= 20.0 || k == highest {
                let to = draws.partition_point(|&x| x <= k);
                let found = (to - from) as f64;
                seen += expected;
                if k == highest {
                    expected += n as f64 - seen;
                }
                if expected > 0.5 {
                    chi2 += (found - expected).powi(2) / expected;
                    cells += 1.0;
                }
                (from, expected) = (to, 0.0);
            }
            k += 1;
        }
        (chi2 - (cells - 1.0)) / (2.0 * (cells - 1.0f64).max(1.0)).sqrt()
    }

    fn binomial_law(n: f64, p: f64) -> impl Fn(u64) -> f64 {
        move |k| {
            let k = k as f64;
            let choose = libm::lgamma(n + 1.0) - libm::lgamma(k + 1.0) - libm::lgamma(n - k + 1.0);
            if k > n { 0.0 } else { (choose + k * p.ln() + (n - k) * (-p).ln_1p()).exp() }
        }
    }

    #[test]
    fn binomial_counts_follow_their_law() {
        let mut state = state(1);
        for (n, p) in [(1, 0.3), (7, 0.5), (60, 0.9), (200, 0.01), (20, 0.6), (1000, 0.012), (5000, 0.4), (400, 0.97)] {
            let z = excess(200_000, binomial_law(n as f64, p), || binomial(&mut state, n, p, 1.0 - p));
            assert!(z < 6.0, "n = {n}, p = {p}: {z}");
        }
    }

    #[test]
    fn poisson_counts_follow_their_law() {
        let mut state = state(2);
        for mean in [0.01, 1.0, 9.5, 10.0, 11.0, 40.0, 700.0] {
            let law = |k: u64| (-mean + k as f64 * f64::ln(mean) - libm::lgamma(k as f64 + 1.0)).exp();
            let z = excess(200_000, law, || poisson(&mut state, mean));
            assert!(z < 6.0, "mean = {mean}: {z}");
        }
    }

    #[test]
    fn sums_of_geometric_counts_follow_their_law() {
        let mut state = state(3);
        for (n, leave) in [(1, 0.2), (1, 0.9), (3, 0.5), (4, 0.3), (5, 0.3), (6, 0.95), (30, 0.4), (300, 0.5)] {
            let (r, stay) = (f64::from(n), 1.0 - leave);
            let law = |k: u64| {
                let k = k as f64;
                let choose = libm::lgamma(k + r) - libm::lgamma(k + 1.0) - libm::lgamma(r);
                (choose + r * f64::ln(leave) + k * f64::ln(stay)).exp()
            };
            let z = excess(200_000, law, || geometric_sum(&mut state, n as u64, leave, stay));
            assert!(z < 6.0, "n = {n}, leave = {leave}: {z}");
        }
    }

    /// The largest gap between the empirical distribution of `draws` and Phi((x - mean) / spread), times sqrt(n).
    fn kolmogorov(mut draws: Vec<f64>, distribution: impl Fn(f64) -> f64) -> f64 {
        draws.sort_by(f64::total_cmp);
        let n = draws.len() as f64;
        let gap = |(i, &x): (usize, &f64)| {
            let f = distribution(x);
            (f - i as f64 / n).max((i + 1) as f64 / n - f)
        };
        draws.iter().enumerate().map(gap).fold(0.0, f64::max) * n.sqrt()
    }

    fn phi(z: f64) -> f64 {
        0.5 * libm::erfc(-z / 2f64.sqrt())
    }

    #[test]
    fn huge_counts_are_normal_with_the_right_moments() {
        // At these sizes the laws differ from the normal one by less than 1e-4, and K < 2.6 fails once in 1e6 runs.
        let mut state = state(4);
        for (n, p) in [(1u64 << 62, 0.3), (1 << 53, 0.5), (1_000_000_000_000_000, 1e-3), (1 << 60, 1e-9)] {
            let (mean, spread) = (n as f64 * p, (n as f64 * p * (1.0 - p)).sqrt());
            let draws = (0..20_000).map(|_| binomial(&mut state, n, p, 1.0 - p) as f64).collect();
            let k = kolmogorov(draws, |x| phi((x - mean) / spread));
            assert!(k < 2.6, "binomial n = {n}, p = {p}: {k}");
        }
        for (n, leave) in [(1u64 << 60, 0.5), (1 << 50, 0.01), (1_000_000_000_000, 1e-5)] {
            let mean = n as f64 * (1.0 - leave) / leave;
            let spread = (mean / leave).sqrt();
            let draws = (0..20_000).map(|_| geometric_sum(&mut state, n, leave, 1.0 - leave) as f64).collect();
            let k = kolmogorov(draws, |x| phi((x - mean) / spread));
            assert!(k < 2.6, "geometric n = {n}, leave = {leave}: {k}");
        }
    }

    #[test]
    fn long_stays_are_exponential_at_any_rate() {
        let mut state = state(5);
        for leave in [1e-9, 1e-15, 3e-18] {
            let draws = (0..50_000).map(|_| geometric(&mut state, leave, 1.0) as f64 * leave).collect();
            let k = kolmogorov(draws, |x| -(-x).exp_m1());
            assert!(k < 2.6, "{leave}: {k}");
        }
        assert_eq!(geometric(&mut state, 1e-100, 1.0), u64::MAX);
        assert_eq!(geometric(&mut state, 0.0, 1.0), u64::MAX);
        assert_eq!(geometric(&mut state, 1.0, 0.0), 0);
        assert_eq!(geometric_sum(&mut state, 1 << 40, 1e-30, 1.0), u64::MAX);
        assert_eq!(geometric_sum(&mut state, 1 << 40, 1.0, 0.0), 0);
    }

    #[test]
    fn certain_and_impossible_outcomes_are_exact() {
        let mut state = state(6);
        for n in [0, 1, 5, u64::MAX >> 1] {
            assert_eq!(binomial(&mut state, n, 0.0, 0.3), 0);
            assert_eq!(binomial(&mut state, n, 0.3, 0.0), n);
        }
        // A rare success among very many trials comes at its rate, and the weights need not sum to one.
        let hits: u64 = (0..100_000).map(|_| binomial(&mut state, 1 << 55, 1e-200, 36_028_797_018_963_968e-200)).sum();
        assert!((hits as f64 - 1e5).abs() < 6.0 * 1e5f64.sqrt(), "{hits}");
    }

    #[test]
    fn logarithms_of_probabilities_keep_their_digits() {
        // From 60 digits: k ln(k/m) + m - k.
        let near = |found: f64, expected: f64| assert!((found / expected - 1.0).abs() < 1e-13, "{found} {expected}");
        near(deviance(1e15 + 1e8, 1e15), 4.999_999_833_333_342);
        near(deviance(3.0, 9.0), 3.0 * (1.0f64 / 3.0).ln() + 6.0);
        near(stirling(1.0), 0.081_061_466_795_327_26);
        near(stirling(16.0), 0.005_207_655_919_609_64);
    }

    #[test]
    fn value_stability() {
        let mut state = state(7);
        let found = [
            geometric(&mut state, 1e-9, 1.0),
            geometric_sum(&mut state, 1000, 0.25, 0.75),
            geometric_sum(&mut state, 1_000_000_000_000, 1e-3, 1.0),
            binomial(&mut state, 30, 0.1, 0.9),
            binomial(&mut state, 1_000_000_000_000_000, 0.75, 0.25),
        ];
        assert_eq!(found, PINNED);
    }
    const PINNED: [u64; 5] = [95_268_550, 2_976, 1_000_000_441_394_744, 6, 749_999_985_720_263];
}
