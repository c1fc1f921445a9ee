//! Normal and gamma draws, the same bits on every machine: logarithms are those of `libm`.

use crate::random::Stream;

/// Draws from one stream.
#[derive(Debug)]
pub(super) struct Draws {
    stream: Stream,
    /// The second of a pair of normal numbers.
    spare: Option<f64>,
}

impl Draws {
    pub(super) fn new(stream: Stream) -> Self {
        Self { stream, spare: None }
    }

    /// A number in (0, 1), one draw.
    #[inline]
    pub(super) fn uniform(&mut self) -> f64 {
        ((self.stream.next_u64() >> 11) as f64 + 0.5) * (1.0 / (1u64 << 53) as f64)
    }

    /// A standard normal number, by Marsaglia's polar method: about 1.3 draws.
    #[inline]
    pub(super) fn normal(&mut self) -> f64 {
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

    /// The logarithm of a gamma number with scale 1: a shape of 0.001 gives values far below the least float.
    ///
    /// Marsaglia and Tsang (ACM Trans. Math. Softw. 26, 2000); for a shape below 1, their gamma of `shape + 1` times a
    /// power of a uniform number.
    #[inline]
    pub(super) fn log_gamma(&mut self, shape: f64) -> f64 {
        if shape < 1.0 {
            return self.log_gamma(shape + 1.0) + libm::log(self.uniform()) / shape;
        }
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        loop {
            let x = self.normal();
            let root = 1.0 + c * x;
            if root > 0.0 {
                let cube = root * root * root;
                let log = libm::log(cube);
                if libm::log(self.uniform()) < 0.5 * x * x + d * (1.0 - cube + log) {
                    return libm::log(d) + log;
                }
            }
        }
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
}
