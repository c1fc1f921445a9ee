//! Gamma-function ratios that keep their digits at large arguments.

use libm::lgamma;

/// From here on Stirling's series below is exact to rounding.
const LARGE: f64 = 15.0;

/// `ln Gamma(a + b) - ln Gamma(a)` for `a > 0`, `b >= 0`. Subtracting the two logarithms would lose what their
/// common size takes: six digits at `a` = 1e9.
pub(crate) fn log_rising(a: f64, b: f64) -> f64 {
    if b == 0.0 {
        return 0.0;
    }
    if a < LARGE {
        // Gamma(a + 1) = a Gamma(a), up to the range of the series.
        let steps = (LARGE - a).ceil();
        if b <= steps && b.fract() == 0.0 {
            return (0..b as u32).map(|i| (a + f64::from(i)).ln()).sum();
        }
        let low: f64 = (0..steps as u32).map(|i| (a + f64::from(i)).ln()).sum();
        if a + b < LARGE {
            return lgamma(a + b) - lgamma(a);
        }
        // Gamma(a + b)/Gamma(a + steps) times the product; a + b >= 15 but may be below a + steps by less than 1.
        let start = a + steps;
        let above = if a + b >= start { log_rising(start, a + b - start) } else { -log_rising(a + b, start - a - b) };
        return low + above;
    }
    (a - 0.5) * (b / a).ln_1p() + b * ((a + b).ln() - 1.0) + (stirling(a + b) - stirling(a))
}

/// `ln Gamma(z) - ((z - 1/2) ln z - z + ln(2 pi)/2)` for `z >= 15`.
fn stirling(z: f64) -> f64 {
    let w = 1.0 / (z * z);
    (1.0 / 12.0 - w * (1.0 / 360.0 - w * (1.0 / 1260.0 - w * (1.0 / 1680.0 - w * (1.0 / 1188.0))))) / z
}

/// The digamma function for `x > 0`.
pub(crate) fn digamma(mut x: f64) -> f64 {
    let mut below = 0.0;
    while x < LARGE {
        below += 1.0 / x;
        x += 1.0;
    }
    let w = 1.0 / (x * x);
    let series = w * (1.0 / 12.0 - w * (1.0 / 120.0 - w * (1.0 / 252.0 - w * (1.0 / 240.0 - w * (1.0 / 132.0)))));
    x.ln() - 0.5 / x - series - below
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_rising_is_the_log_of_a_product() {
        for a in [1e-9, 0.25, 1.0, 3.7, 14.9, 15.0, 200.5, 1e6] {
            for b in [1u32, 2, 5, 16, 40, 300] {
                let product: f64 = (0..b).map(|i| (a + f64::from(i)).ln()).sum();
                let fast = log_rising(a, f64::from(b));
                assert!((fast - product).abs() < 1e-12 * (1.0 + product.abs()), "{a} {b}: {fast} {product}");
            }
            for b in [0.5, 13.3, 14.5] {
                let parts = log_rising(a, b) + log_rising(a + b, 0.75);
                assert!((parts - log_rising(a, b + 0.75)).abs() < 1e-12 * (1.0 + parts.abs()), "{a} {b}");
            }
        }
        assert!((log_rising(1e9, 0.5) - 0.5 * 1e9f64.ln() + 0.125e-9).abs() < 1e-14);
    }

    #[test]
    fn digamma_at_known_points() {
        assert!((digamma(1.0) + 0.577_215_664_901_532_9).abs() < 1e-14);
        assert!((digamma(0.5) + 1.963_510_026_021_423_5).abs() < 1e-14);
        assert!((digamma(100.0) - 4.600_161_852_738_087).abs() < 1e-14);
    }
}
