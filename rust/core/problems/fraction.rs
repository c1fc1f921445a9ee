//! Exact fractions of small numbers.

use std::cmp::Ordering;
use std::fmt;

/// A fraction in lowest terms with a positive denominator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fraction {
    numerator: i32,
    denominator: i32,
}

impl Fraction {
    /// A whole number.
    pub const fn whole(number: i32) -> Self {
        Self { numerator: number, denominator: 1 }
    }

    /// `numerator / denominator`, in lowest terms. The caller keeps both within i32 once they are reduced, and the
    /// denominator from 0.
    pub(super) fn reduced(numerator: i64, denominator: i64) -> Self {
        let divisor = greatest_common_divisor(numerator.unsigned_abs(), denominator.unsigned_abs()) as i64;
        let divisor = if denominator < 0 { -divisor } else { divisor };
        Self { numerator: (numerator / divisor) as i32, denominator: (denominator / divisor) as i32 }
    }

    /// The nearest float.
    pub fn to_f64(self) -> f64 {
        f64::from(self.numerator) / f64::from(self.denominator)
    }

    fn parts(self) -> (i64, i64) {
        (i64::from(self.numerator), i64::from(self.denominator))
    }

    /// Whether this is 0, 1, 2, ...
    pub(super) const fn is_natural(self) -> bool {
        self.denominator == 1 && self.numerator >= 0
    }

    /// Whether this is 0.
    pub(super) const fn is_zero(self) -> bool {
        self.numerator == 0
    }

    /// Both parts in one word.
    pub(super) const fn bits(self) -> u64 {
        (self.numerator as u32 as u64) << 32 | self.denominator as u32 as u64
    }

    pub(super) fn plus(self, other: Self) -> Self {
        let ((a, b), (c, d)) = (self.parts(), other.parts());
        Self::reduced(a * d + c * b, b * d)
    }

    pub(super) fn minus(self, other: Self) -> Self {
        self.plus(Self { numerator: -other.numerator, ..other })
    }

    pub(super) fn times(self, other: Self) -> Self {
        let ((a, b), (c, d)) = (self.parts(), other.parts());
        Self::reduced(a * c, b * d)
    }

    /// The quotient; `other` is not 0.
    pub(super) fn over(self, other: Self) -> Self {
        let ((a, b), (c, d)) = (self.parts(), other.parts());
        Self::reduced(a * d, b * c)
    }
}

/// Of two numbers that are not both 0.
fn greatest_common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

impl Ord for Fraction {
    fn cmp(&self, other: &Self) -> Ordering {
        let ((a, b), (c, d)) = (self.parts(), other.parts());
        (a * d).cmp(&(c * b))
    }
}

impl PartialOrd for Fraction {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Fraction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.denominator == 1 {
            write!(f, "{}", self.numerator)
        } else {
            write!(f, "{}/{}", self.numerator, self.denominator)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_is_exact_and_reduced() {
        let half = Fraction::whole(3).over(Fraction::whole(-6));
        assert_eq!(half, Fraction { numerator: -1, denominator: 2 });
        assert_eq!(half.plus(half), Fraction::whole(-1));
        assert_eq!(half.minus(half), Fraction::whole(0));
        assert!(half.minus(half).is_zero());
        assert_eq!(half.times(Fraction::whole(-4)), Fraction::whole(2));
        assert_eq!(
            Fraction::whole(6).over(Fraction::whole(1).minus(Fraction::whole(3).over(Fraction::whole(4)))),
            Fraction::whole(24)
        );
        assert!(half < Fraction::whole(0) && Fraction::whole(1) > half);
        assert_eq!([half.to_string(), Fraction::whole(-7).to_string()], ["-1/2", "-7"]);
        assert_ne!(half.bits(), half.times(Fraction::whole(-1)).bits());
    }
}
