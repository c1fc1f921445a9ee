//! The numbers that first passage times are computed with: `f64`, and one whose exponent never ends.

use std::ops::{Add, Div, Mul};

/// A non-negative number that is added, multiplied and divided, and never subtracted.
pub(super) trait Number:
    Copy + Default + Send + Sync + From<f64> + Add<Output = Self> + Mul<Output = Self> + Div<Output = Self>
{
    /// Times above this are not to be trusted.
    ///
    /// What an `f64` loses of a probability on the way is below 1e-307, and every state costs one step at least. So a time
    /// is wrong, as a share of itself, by at most that times the longest time to the same target: by nothing, up to here.
    const LIMIT: f64;

    /// The nearest `f64`: infinity above its range, 0 below.
    fn value(self) -> f64;
}

/// Whether nothing that matters was lost in computing `times`.
pub(super) fn trusted<T: Number>(times: &[T]) -> bool {
    times.iter().all(|&time| time.value() <= T::LIMIT)
}

impl Number for f64 {
    const LIMIT: f64 = 1e280;

    #[inline(always)]
    fn value(self) -> f64 {
        self
    }
}

/// `mantissa` times two to the power of `exponent`: the digits of an `f64`, and 64 bits for the exponent.
///
/// The probability of a path through several bottlenecks can be 1e-400, and the time at its end 1e400: their product
/// counts. An operation takes about ten times as long as on an `f64`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Wide {
    /// From 1 to below 2, or 0.
    mantissa: f64,
    exponent: i64,
}

const MANTISSA_BITS: u32 = 52;
const BIAS: i64 = 1023;

/// The exponent of zero: below all others, and far from the ends of the type.
const OF_ZERO: i64 = i64::MIN / 4;

impl Wide {
    /// The number whose mantissa, 0 or a normal number, is out of place.
    #[inline(always)]
    fn normal(mantissa: f64, exponent: i64) -> Self {
        let bits = mantissa.to_bits();
        let shift = (bits >> MANTISSA_BITS) as i64 - BIAS;
        if mantissa == 0.0 {
            return Self { mantissa, exponent: OF_ZERO };
        }
        let placed = bits & ((1 << MANTISSA_BITS) - 1) | (BIAS as u64) << MANTISSA_BITS;
        Self { mantissa: f64::from_bits(placed), exponent: exponent + shift }
    }
}

impl Default for Wide {
    fn default() -> Self {
        Self { mantissa: 0.0, exponent: OF_ZERO }
    }
}

/// Two to the power of `exponent`, 0 below the range of normal numbers.
#[inline(always)]
fn power(exponent: i64) -> f64 {
    f64::from_bits(((exponent + BIAS).max(0) as u64) << MANTISSA_BITS)
}

impl From<f64> for Wide {
    fn from(value: f64) -> Self {
        // Subnormal numbers gain a leading bit first.
        if value < f64::MIN_POSITIVE { Self::normal(value * power(64), -64) } else { Self::normal(value, 0) }
    }
}

impl Add for Wide {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        let (large, small) = if self.exponent >= other.exponent { (self, other) } else { (other, self) };
        // Beyond 2^-1022 the smaller is 0 here, and far below a rounding before that.
        Self::normal(large.mantissa + small.mantissa * power(small.exponent - large.exponent), large.exponent)
    }
}

impl Mul for Wide {
    type Output = Self;
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Self::normal(self.mantissa * other.mantissa, self.exponent + other.exponent)
    }
}

impl Div for Wide {
    type Output = Self;
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        Self::normal(self.mantissa / other.mantissa, self.exponent - other.exponent)
    }
}

impl Number for Wide {
    const LIMIT: f64 = f64::INFINITY;

    fn value(self) -> f64 {
        let exponent = self.exponent.clamp(-2000, 2000);
        // In two steps, since a subnormal result is rounded once only.
        let half = exponent / 2;
        if exponent > BIAS { f64::INFINITY } else { self.mantissa * power(half) * power(exponent - half) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn within_the_range_of_f64_wide_numbers_are_the_same(a in 1e-150f64..1e150, b in 1e-150f64..1e150) {
            let (wide_a, wide_b) = (Wide::from(a), Wide::from(b));
            prop_assert_eq!((wide_a + wide_b).value(), a + b);
            prop_assert_eq!((wide_a * wide_b).value(), a * b);
            prop_assert_eq!((wide_a / wide_b).value(), a / b);
        }

        #[test]
        fn neighbours_in_size_add_up_as_they_should(a in 1.0f64..4.0, b in 1.0f64..4.0, shift in -80i32..80) {
            let b = b * 2f64.powi(shift);
            prop_assert_eq!((Wide::from(a) + Wide::from(b)).value(), a + b);
        }
    }

    #[test]
    fn beyond_it_they_go_on() {
        let tiny = Wide::from(1e-200);
        let product = tiny * tiny * tiny;
        assert_eq!(product.value(), 0.0);
        assert!(((Wide::from(1.0) / product * tiny * tiny).value() / 1e200 - 1.0).abs() < 1e-14);
        assert_eq!((Wide::from(1.0) / product).value(), f64::INFINITY);
        for value in [0.0, 5e-324, 3e-310, 1.0, 1e308] {
            assert_eq!(Wide::from(value).value(), value);
            assert_eq!((Wide::from(value) + Wide::default()).value(), value);
        }
        assert_eq!((product * Wide::from(0.0) + Wide::from(2.0)).value(), 2.0);
    }
}
