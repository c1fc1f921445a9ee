//! Weights as whole numbers, so that sums neither depend on the order of the votes nor miss a tie: in binary floating
//! point 0.1 + 0.2 beats 0.3.

/// The weights of a row, 0 for a sample that does not vote.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Units {
    /// Exact multiples of a common unit, with no common divisor.
    Whole(Vec<i64>),
    /// Rounded to 2^-30 of the least weight or finer.
    Fixed(Vec<i64>),
    /// Weights that span more orders of magnitude than 62 bits hold, times a power of two.
    Float(Vec<f64>),
}

/// Bits of the sum of a row's units.
const BITS: i32 = 61;

impl Units {
    /// The units of `weights`, finite and not negative.
    pub(super) fn of(weights: &[f64]) -> Self {
        let positive = || weights.iter().copied().filter(|w| *w > 0.0);
        let (least, most) = positive().fold((f64::INFINITY, 0.0f64), |(a, b), w| (a.min(w), b.max(w)));
        if least > most {
            return Self::Whole(vec![0; weights.len()]);
        }
        let bits = BITS - (weights.len() as f64).log2().ceil() as i32;
        // Decimals to six places, then simple ratios to the least weight.
        let decimals = [1.0, 10.0, 100.0, 1e3, 1e4, 1e5, 1e6].map(|scale| (scale, 1.0));
        let ratios = (1..=12).map(|scale| (f64::from(scale), least));
        if let Some(units) = decimals.into_iter().chain(ratios).find_map(|(up, by)| whole(weights, up, by, bits)) {
            return Self::Whole(units);
        }
        // The largest weight becomes at most 2^bits.
        let power = bits - 1 - most.log2().floor() as i32;
        let scale = |w: f64, power: i32| w * 2f64.powi(power / 2) * 2f64.powi(power - power / 2);
        if scale(least, power) >= f64::from(1 << 30) {
            return Self::Fixed(weights.iter().map(|w| scale(*w, power).round() as i64).collect());
        }
        Self::Float(weights.iter().map(|w| scale(*w, power)).collect())
    }
}

/// `weights * up / by` if these are whole numbers up to rounding, divided by their greatest common divisor.
fn whole(weights: &[f64], up: f64, by: f64, bits: i32) -> Option<Vec<i64>> {
    let limit = 2f64.powi(bits.min(48));
    let mut units = Vec::with_capacity(weights.len());
    let mut divisor = 0;
    for &weight in weights {
        let scaled = weight / by * up;
        let unit = scaled.round();
        if unit > limit || (scaled - unit).abs() > 2f64.powi(-50) * scaled {
            return None;
        }
        units.push(unit as i64);
        divisor = greatest_common_divisor(divisor, unit as i64);
    }
    (divisor > 0).then(|| units.iter().map(|unit| unit / divisor).collect())
}

fn greatest_common_divisor(mut a: i64, mut b: i64) -> i64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_and_ratios_are_whole_and_other_weights_are_not() {
        assert_eq!(Units::of(&[0.1, 0.2, 0.3, 0.0]), Units::Whole(vec![1, 2, 3, 0]));
        assert_eq!(Units::of(&[4.0, 6.0]), Units::Whole(vec![2, 3]));
        assert_eq!(Units::of(&[1.0 / 3.0, 2.0 / 3.0, 0.5]), Units::Whole(vec![2, 4, 3]));
        assert_eq!(Units::of(&[0.25, 1e-6]), Units::Whole(vec![250_000, 1]));
        let pi = std::f64::consts::PI;
        assert_eq!(Units::of(&[pi, pi, 0.0]), Units::Whole(vec![1, 1, 0]));
        assert!(matches!(Units::of(&[pi, 1.0, 0.5]), Units::Fixed(_)));
        assert!(matches!(Units::of(&[pi, 1.0, 1e-30]), Units::Float(_)));
        assert!(matches!(Units::of(&[f64::MAX, f64::MIN_POSITIVE * pi]), Units::Float(_)));
    }

    #[test]
    fn sums_do_not_overflow() {
        let Units::Fixed(units) = Units::of(
            &vec![1.999_999_9 * std::f64::consts::E; 1000]
                .iter()
                .enumerate()
                .map(|(i, w)| w + i as f64 * 1e-3 * w.sin().abs())
                .collect::<Vec<_>>(),
        ) else {
            panic!("not fixed")
        };
        assert!(units.iter().try_fold(0i64, |sum, unit| sum.checked_add(*unit)).is_some());
    }
}
