//! The numbers that first passage times are computed with: `f64`, and `Wide`, which takes ten times as long.

pub(super) use crate::chains::wide::Wide;
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

impl Number for Wide {
    const LIMIT: f64 = f64::INFINITY;

    fn value(self) -> f64 {
        self.value()
    }
}
