//! What is believed of an arm of [Thompson sampling](super::thompson), given its scores; and draws from that.

use super::config::Thompson;
use crate::random::laws::{Draws, Source};

/// Count, mean and sum of squared deviations of scores.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Moments {
    pub n: f64,
    pub mean: f64,
    pub spread: f64,
}

impl Moments {
    /// Of one score; of none if it is NaN.
    pub(super) fn of(score: f64) -> Self {
        if score.is_nan() { Self::default() } else { Self { n: 1.0, mean: score, spread: 0.0 } }
    }

    /// Of these scores and `other` ones.
    pub(super) fn and(self, other: Self) -> Self {
        if self.n == 0.0 {
            return other;
        }
        let all = self.n + other.n;
        let off = other.mean - self.mean;
        let spread = self.spread + other.spread + off * off * self.n * other.n / all;
        Self { n: all, mean: self.mean + off * other.n / all, spread }
    }

    /// Of the scores that are not among `part`.
    pub(super) fn without(self, part: Self) -> Self {
        let n = self.n - part.n;
        if n < 0.5 {
            return Self::default();
        }
        let mean = self.mean + (self.mean - part.mean) * part.n / n;
        let between =
            n * (mean - self.mean) * (mean - self.mean) + part.n * (part.mean - self.mean) * (part.mean - self.mean);
        // Rounding may take a spread of 0 below 0.
        Self { n, mean, spread: (self.spread - part.spread - between).max(0.0) }
    }

    /// Of all scores times `factor`, plus `shift`.
    pub(super) fn scaled(self, factor: f64, shift: f64) -> Self {
        Self { n: self.n, mean: factor * self.mean + shift, spread: factor * factor * self.spread }
    }

    /// With `n` more scores of `value`.
    #[inline]
    pub(super) fn with(self, n: u32, value: f64) -> Self {
        if n == 0 { self } else { self.and(Self { n: n.into(), mean: value, spread: 0.0 }) }
    }
}

impl Thompson {
    /// A draw of an arm's mean score from its posterior, given its scores; or, if that is no more
    /// than `least`, perhaps `least` itself.
    ///
    /// The normal model's mean has a Student law with nu + n degrees of freedom about (kappa m + sum) / (kappa + n) (Murphy
    /// 2023, section 3.4.3.3), the beta model's a beta law of alpha + sum and beta + n - sum.
    #[inline]
    pub(super) fn draw(self, scores: Moments, least: f64, draws: &mut Draws) -> f64 {
        let Moments { n, mean, spread } = scores;
        match self {
            Self::Gaussian { m, kappa, nu, tau_square } => {
                let off = mean - m;
                let (worth, freedom) = (kappa + n, nu + n);
                let centre = m + off * n / worth;
                let (u, w) = in_circle(draws);
                // The draw is on the side of u: half of all need no more than this.
                if u < 0.0 && centre <= least {
                    return least;
                }
                let squares = nu * tau_square + spread + off * off * kappa * n / worth;
                centre + student(freedom, u, w) * (squares / (freedom * worth)).sqrt()
            }
            Self::Beta { alpha, beta } => beta_draw(alpha + n * mean, beta + n * (1.0 - mean), draws),
        }
    }
}

/// A draw from Student's law with `freedom` degrees of freedom, from a coordinate and the squared radius of a uniform point
/// in the unit circle (the polar method of Bailey 1994).
#[inline]
fn student(freedom: f64, u: f64, w: f64) -> f64 {
    u * (freedom * libm::expm1(-2.0 / freedom * libm::log(w)) / w).sqrt()
}

/// A coordinate and the squared radius of a uniform point in the unit circle, its centre left out: two words of the stream
/// for each of about 1.27 trials.
#[inline]
fn in_circle(draws: &mut Draws) -> (f64, f64) {
    loop {
        let (u, v) = (2.0 * draws.uniform() - 1.0, 2.0 * draws.uniform() - 1.0);
        let w = u * u + v * v;
        if w > 0.0 && w < 1.0 {
            return (u, w);
        }
    }
}

/// A draw from the beta law, as a ratio of gamma draws; these are taken in logs, since the gamma law of a small parameter
/// falls below the least number.
fn beta_draw(a: f64, b: f64, draws: &mut Draws) -> f64 {
    let (x, y) = (draws.log_gamma(a), draws.log_gamma(b));
    1.0 / (1.0 + libm::exp(y - x))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;
    use proptest::prelude::*;

    fn moments(scores: &[f64]) -> Moments {
        scores.iter().fold(Moments::default(), |all, &score| all.and(Moments::of(score)))
    }

    fn assert_close(found: Moments, expected: Moments) {
        let apart =
            (found.n - expected.n).abs() + (found.mean - expected.mean).abs() + (found.spread - expected.spread).abs();
        assert!(apart < 1e-9, "{found:?} is not {expected:?}");
    }

    proptest! {
        #[test]
        fn scores_come_and_go(a in prop::collection::vec(-2.0..2.0f64, 0..20), b in prop::collection::vec(-2.0..2.0f64, 1..20)) {
            let all = moments(&[&a[..], &b].concat());
            let n = (a.len() + b.len()) as f64;
            let mean = a.iter().chain(&b).sum::<f64>() / n;
            let spread = a.iter().chain(&b).map(|score| (score - mean).powi(2)).sum();
            assert_close(all, Moments { n, mean, spread });
            assert_close(all.without(moments(&a)), moments(&b));
            assert_close(all.with(3, 0.5), moments(&[&a[..], &b, &[0.5; 3]].concat()));
        }
    }

    /// Draws, their mean and variance, and the share below `bound`.
    fn summary(model: Thompson, scores: &[f64], bound: f64) -> [f64; 3] {
        let (scores, n) = (moments(scores), 200_000);
        let mut source = Draws::new(Seed::from_u64(9).stream(0));
        let draws: Vec<f64> = (0..n).map(|_| model.draw(scores, f64::NEG_INFINITY, &mut source)).collect();
        let mean = draws.iter().sum::<f64>() / f64::from(n);
        let variance = draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / f64::from(n);
        [mean, variance, draws.iter().filter(|&&x| x < bound).count() as f64 / f64::from(n)]
    }

    #[test]
    fn draws_follow_the_posterior() {
        // nu + n = 9, kappa + n = 10: centre 0.4, squares 0.1 + 0.08 + 2 8 / 10 0.5^2 = 0.58, scale^2 0.58 / 90.
        let scores = [0.4, 0.6, 0.4, 0.6, 0.4, 0.6, 0.4, 0.6];
        let model = Thompson::Gaussian { m: 0.0, kappa: 2.0, nu: 1.0, tau_square: 0.1 };
        let square: f64 = (0.1 + 0.08 + 2.0 * 8.0 / 10.0 * 0.25) / (9.0 * 10.0);
        // 0.9 of Student's law with 9 degrees of freedom lie below 1.383.
        let [mean, variance, below] = summary(model, &scores, 0.4 + 1.383_028_7 * square.sqrt());
        assert!((mean - 0.4).abs() < 6e-4, "{mean}");
        assert!((variance / (square * 9.0 / 7.0) - 1.0).abs() < 0.03, "{variance}");
        assert!((below - 0.9).abs() < 0.003, "{below}");
        // With one degree of freedom it is Cauchy's law, which has no moments.
        assert!((summary(Thompson::GAUSSIAN, &[], 0.1f64.sqrt())[2] - 0.75).abs() < 0.004);
        for (alpha, beta, scores) in [(0.5, 0.5, &[0.25, 0.5][..]), (0.01, 0.02, &[]), (30.0, 2.0, &[1.0])] {
            let sum: f64 = scores.iter().sum();
            let (a, b) = (alpha + sum, beta + scores.len() as f64 - sum);
            let [mean, variance, _] = summary(Thompson::Beta { alpha, beta }, scores, 0.0);
            let expected = a * b / ((a + b) * (a + b) * (a + b + 1.0));
            assert!((mean - a / (a + b)).abs() < 5.0 * (expected / 2e5).sqrt(), "{mean}");
            assert!((variance / expected - 1.0).abs() < 0.03, "{variance} is not {expected}");
        }
    }

    #[test]
    fn a_draw_that_loses_need_not_be_made() {
        let scores = moments(&[0.2, 0.3]);
        let (mut whole, mut cut) = (Draws::new(Seed::from_u64(1).stream(0)), Draws::new(Seed::from_u64(1).stream(0)));
        for _ in 0..1000 {
            let drawn = Thompson::GAUSSIAN.draw(scores, f64::NEG_INFINITY, &mut whole);
            let found = Thompson::GAUSSIAN.draw(scores, 0.4, &mut cut);
            assert!(if drawn > 0.4 { found == drawn } else { found <= 0.4 });
        }
        assert_eq!(whole.uniform(), cut.uniform());
    }

    #[test]
    fn value_stability() {
        // A changed value here changes every seeded search: it needs a line in CHANGELOG.md.
        let mut source = Draws::new(Seed::from_u64(1).stream(0));
        let scores = moments(&[0.2, 0.3]);
        let drawn = [Thompson::GAUSSIAN, Thompson::BETA]
            .map(|model| model.draw(scores, f64::NEG_INFINITY, &mut source).to_bits());
        assert_eq!(drawn, [4_590_546_601_777_695_999, 4_594_991_762_075_865_995]);
    }
}
