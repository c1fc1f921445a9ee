//! Normal, gamma, Dirichlet and Gumbel numbers, the same bits on every machine: logarithms are those of `libm`.

use super::Stream;

/// Where [`gamma_root`] takes its numbers from.
pub(crate) trait Source {
    /// A number above 0 and at most 1.
    fn uniform(&mut self) -> f64;
    /// A standard normal number.
    fn normal(&mut self) -> f64;
}

/// A number r for which (shape - 1/3) r^3 is a gamma number of shape `shape`, which is at least 1, and scale 1.
///
/// Marsaglia and Tsang (ACM Trans. Math. Softw. 26, 2000); right to the rounding of a double at any shape.
#[inline]
pub(crate) fn gamma_root(source: &mut impl Source, shape: f64) -> f64 {
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        let x = source.normal();
        let t = c * x;
        if t <= -1.0 {
            continue;
        }
        let u = source.uniform();
        let squared = x * x;
        // ln u < x^2 / 2 + d (1 - v + ln v) for v = (1 + t)^3, with 1 - v + ln v from its expansion in t.
        let gap = 3.0 * log1p_minus(t) - t * t * (3.0 + t);
        if u < 1.0 - 0.0331 * squared * squared || libm::log(u) < 0.5 * squared + d * gap {
            return 1.0 + t;
        }
    }
}

/// ln(1 + t) - t, without the cancellation where t is small.
fn log1p_minus(t: f64) -> f64 {
    if t.abs() > 0.01 {
        return libm::log1p(t) - t;
    }
    // -t^2 (1/2 - t/3 + t^2/4 - ...)
    let series = (2..=10).rev().fold(0.0, |sum, power| 1.0 / f64::from(power) - t * sum);
    -t * t * series
}

/// Draws from one stream.
#[derive(Debug)]
pub(crate) struct Draws {
    stream: Stream,
    /// The second of a pair of normal numbers.
    spare: Option<f64>,
}

impl Source for Draws {
    /// A number in (0, 1), one draw.
    #[inline]
    fn uniform(&mut self) -> f64 {
        ((self.stream.next_u64() >> 11) as f64 + 0.5) * (1.0 / (1u64 << 53) as f64)
    }

    /// A standard normal number, by Marsaglia's polar method: about 1.3 draws.
    #[inline]
    fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        loop {
            let (x, y) = (2.0 * self.uniform() - 1.0, 2.0 * self.uniform() - 1.0);
            let square = x * x + y * y;
            if square < 1.0 && square > 0.0 {
                let factor = (-2.0 * libm::log(square) / square).sqrt();
                self.spare = Some(y * factor);
                return x * factor;
            }
        }
    }
}

impl Draws {
    pub(crate) fn new(stream: Stream) -> Self {
        Self { stream, spare: None }
    }

    /// The logarithm of a gamma number with scale 1: a shape of 0.001 gives values far below the least float.
    ///
    /// For a shape below 1, a gamma number of `shape + 1` times a power of a uniform number.
    #[inline]
    pub(crate) fn log_gamma(&mut self, shape: f64) -> f64 {
        if shape < 1.0 {
            return self.log_gamma(shape + 1.0) + libm::log(self.uniform()) / shape;
        }
        let root = gamma_root(self, shape);
        libm::log(shape - 1.0 / 3.0) + libm::log(root * root * root)
    }

    /// Fills `out` with probabilities from the symmetric Dirichlet law of concentration `alpha`.
    pub(crate) fn dirichlet(&mut self, alpha: f64, out: &mut [f64]) {
        out.fill_with(|| self.log_gamma(alpha));
        let most = out.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mut total = 0.0;
        for out in &mut *out {
            *out = libm::exp(*out - most);
            total += *out;
        }
        for out in out {
            *out /= total;
        }
    }

    /// A standard Gumbel number, one draw.
    pub(crate) fn gumbel(&mut self) -> f64 {
        -libm::log(-libm::log(self.uniform()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;

    /// Mean and variance of `n` values, and the standard errors of both.
    fn moments(values: &[f64]) -> [f64; 4] {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let power = |k: i32| values.iter().map(|x| (x - mean).powi(k)).sum::<f64>() / n;
        [mean, power(2), (power(2) / n).sqrt(), ((power(4) - power(2).powi(2)) / n).sqrt()]
    }

    #[test]
    fn normal_and_gamma_numbers_have_their_moments() {
        let mut draws = Draws::new(Seed::from_u64(1).stream(0));
        let normal: Vec<f64> = (0..200_000).map(|_| draws.normal()).collect();
        let [mean, variance, mean_error, variance_error] = moments(&normal);
        assert!(mean.abs() < 5.0 * mean_error && (variance - 1.0).abs() < 5.0 * variance_error);
        for shape in [0.05, 0.7, 1.0, 3.5, 400.0] {
            let values: Vec<f64> = (0..200_000).map(|_| draws.log_gamma(shape).exp()).collect();
            let [mean, variance, mean_error, variance_error] = moments(&values);
            assert!((mean - shape).abs() < 5.0 * mean_error, "shape {shape}: mean {mean}");
            assert!((variance - shape).abs() < 5.0 * variance_error, "shape {shape}: variance {variance}");
        }
    }

    #[test]
    fn the_log_of_a_gamma_number_of_a_small_shape_is_finite_and_has_its_mean() {
        // The mean of ln G is digamma(shape), which is -1/shape - 0.5772 + pi^2/6 shape for a small one.
        let (mut draws, shape, n) = (Draws::new(Seed::from_u64(2).stream(0)), 1e-3, 200_000);
        let logs: Vec<f64> = (0..n).map(|_| draws.log_gamma(shape)).collect();
        assert!(logs.iter().all(|log| log.is_finite()));
        let [mean, _, error, _] = moments(&logs);
        assert!((mean - (-1000.0 - 0.5772 + 0.0016)).abs() < 5.0 * error, "{mean}");
    }

    #[test]
    fn logarithms_near_zero_keep_their_digits() {
        // From 60 digits: ln(1 + t) - t.
        let near = |found: f64, expected: f64| assert!((found / expected - 1.0).abs() < 1e-13, "{found} {expected}");
        near(log1p_minus(1e-8), -4.999_999_966_666_667e-17);
        near(log1p_minus(-0.009), -4.074_465_214_906_221e-5);
    }

    #[test]
    fn dirichlet_and_gumbel_numbers_have_their_moments() {
        let mut draws = Draws::new(Seed::from_u64(3).stream(0));
        let gumbel: Vec<f64> = (0..200_000).map(|_| draws.gumbel()).collect();
        let [mean, variance, mean_error, variance_error] = moments(&gumbel);
        assert!((mean - 0.577_215_664_9).abs() < 5.0 * mean_error, "{mean}");
        assert!((variance - std::f64::consts::PI.powi(2) / 6.0).abs() < 5.0 * variance_error, "{variance}");
        for alpha in [1e-4, 0.3, 2.0] {
            let mut share = [0.0; 5];
            let first: Vec<f64> = (0..100_000)
                .map(|_| {
                    draws.dirichlet(alpha, &mut share);
                    assert!((share.iter().sum::<f64>() - 1.0).abs() < 1e-12);
                    share[0]
                })
                .collect();
            let [mean, variance, mean_error, variance_error] = moments(&first);
            assert!((mean - 0.2).abs() < 5.0 * mean_error, "alpha {alpha}: {mean}");
            assert!((variance - 0.16 / (5.0 * alpha + 1.0)).abs() < 5.0 * variance_error, "alpha {alpha}: {variance}");
        }
    }
}
