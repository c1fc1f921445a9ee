//! Non-negative numbers with the digits of f64 and no bounds to their size.

use std::ops::{Add, AddAssign, Div, Mul};

/// The logarithm, base 2, of a unit of the exponent.
const UNIT: i32 = 512;

/// `mantissa` times 2^(512 `exponent`), the mantissa within [2^-256, 2^256); or 0. A product or a quotient of two
/// mantissas is an ordinary number, so that most operations cost a comparison more than those of f64.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Wide {
    mantissa: f64,
    exponent: i64,
}

/// 2^`power`, a normal number.
const fn two_to(power: i32) -> f64 {
    f64::from_bits(((1023 + power) as u64) << 52)
}

impl Wide {
    pub(super) const ZERO: Self = Self { mantissa: 0.0, exponent: 0 };
    pub(super) const ONE: Self = Self { mantissa: 1.0, exponent: 0 };

    /// A finite number that is not negative.
    pub(super) fn new(value: f64) -> Self {
        // Subnormal numbers become normal before their exponent is looked at.
        if value < two_to(-1000) { Self::of(value * two_to(UNIT), -1).settled() } else { Self::of(value, 0).settled() }
    }

    const fn of(mantissa: f64, exponent: i64) -> Self {
        Self { mantissa, exponent }
    }

    /// With a mantissa in its range, given one that is at most one unit outside.
    #[inline]
    fn settled(self) -> Self {
        if self.mantissa >= two_to(UNIT / 2) {
            Self::of(self.mantissa * two_to(-UNIT), self.exponent + 1)
        } else if self.mantissa >= two_to(-UNIT / 2) {
            self
        } else if self.mantissa > 0.0 {
            Self::of(self.mantissa * two_to(UNIT), self.exponent - 1).settled()
        } else {
            Self::ZERO
        }
    }

    pub(super) fn is_zero(self) -> bool {
        self.mantissa == 0.0
    }

    /// Whether this is the larger one of the two.
    pub(super) fn exceeds(self, other: Self) -> bool {
        // The exponent of 0 says nothing.
        !self.is_zero() && (other.is_zero() || (self.exponent, self.mantissa) > (other.exponent, other.mantissa))
    }

    /// The nearest f64; infinite above their range, 0 below.
    pub(super) fn value(self) -> f64 {
        let mut value = self.mantissa;
        let factor = if self.exponent > 0 { two_to(UNIT) } else { two_to(-UNIT) };
        // Four units are more than the range of f64, whatever the mantissa. Only the last product rounds.
        for _ in 0..self.exponent.unsigned_abs().min(4) {
            value *= factor;
        }
        value
    }
}

impl From<f64> for Wide {
    fn from(value: f64) -> Self {
        Self::new(value)
    }
}

impl Add for Wide {
    type Output = Self;
    #[inline]
    fn add(mut self, other: Self) -> Self {
        self += other;
        self
    }
}

impl Mul for Wide {
    type Output = Self;
    #[inline]
    fn mul(self, other: Self) -> Self {
        Self::of(self.mantissa * other.mantissa, self.exponent + other.exponent).settled()
    }
}

impl Div for Wide {
    type Output = Self;
    #[inline]
    fn div(self, other: Self) -> Self {
        Self::of(self.mantissa / other.mantissa, self.exponent - other.exponent).settled()
    }
}

impl AddAssign for Wide {
    #[inline]
    fn add_assign(&mut self, other: Self) {
        if other.is_zero() {
            return;
        }
        if self.is_zero() {
            *self = other;
            return;
        }
        let (large, small) = if self.exponent >= other.exponent { (*self, other) } else { (other, *self) };
        let addend = match large.exponent - small.exponent {
            0 => small.mantissa,
            1 => small.mantissa * two_to(-UNIT),
            _ => 0.0,
        };
        *self = Self::of(large.mantissa + addend, large.exponent).settled();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn power(base: f64, n: usize) -> Wide {
        (0..n).fold(Wide::new(1.0), |product, _| product * Wide::new(base))
    }

    proptest! {
        #[test]
        fn within_the_range_of_f64_they_are_its_numbers(a in 1e-150f64..1e150, b in 1e-150f64..1e150) {
            let (x, y) = (Wide::new(a), Wide::new(b));
            prop_assert_eq!((x * y).value(), a * b);
            prop_assert_eq!((x / y).value(), a / b);
            prop_assert_eq!(x.exceeds(y), a > b);
            let mut sum = x;
            sum += y;
            prop_assert_eq!(sum.value(), a + b);
        }

        #[test]
        fn powers_come_back(a in 1e-300f64..1e300, n in 1usize..40) {
            let there = power(a, n);
            let back = (0..n - 1).fold(there, |x, _| x / Wide::new(a));
            prop_assert!((back.value() / a - 1.0).abs() < 1e-14 * n as f64);
        }
    }

    #[test]
    fn the_ends_of_the_range() {
        for value in [0.0, 5e-324, 3e-310, 2.2e-308, 1e-200, 1.0, 1e200, f64::MAX] {
            assert_eq!(Wide::new(value).value(), value);
        }
        assert_eq!((power(1e-300, 2).value(), power(1e300, 2).value()), (0.0, f64::INFINITY));
        assert_eq!((power(1e-300, 90).value(), power(1e300, 90).value()), (0.0, f64::INFINITY));
        let zero = Wide::ZERO;
        assert!(power(1e-300, 2).exceeds(zero) && !zero.exceeds(power(1e-300, 2)) && !zero.exceeds(zero));
        assert!(power(1e300, 2).exceeds(Wide::ONE) && Wide::ONE.exceeds(power(1e-300, 2)));
        let mut small = Wide::new(1e-200);
        small += power(1e-100, 3);
        assert_eq!(small.value(), 1e-200);
        let mut sum = power(1e-200, 3);
        sum += power(1e-200, 3);
        assert!(((sum / power(1e-200, 3)).value() - 2.0).abs() < 1e-15);
    }
}
