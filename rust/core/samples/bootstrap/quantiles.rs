//! Spread and quantiles of a column of resampled means.

use super::LANES;
use crate::machine::{Kernel, widest};

pub(super) fn standard_deviation(column: &[f64]) -> f64 {
    let (origin, n) = (column[0], column.len() as f64);
    let mean = widest(Sum { column, term: |x| x - origin }) / n;
    let squares = widest(Sum {
        column,
        term: |x| {
            let deviation = (x - origin) - mean;
            deviation * deviation
        },
    });
    if column.len() < 2 { f64::NAN } else { (squares / (n - 1.0)).sqrt() }
}

/// The sum of `term` over a column, in [`LANES`] sums side by side.
struct Sum<'a, F> {
    column: &'a [f64],
    term: F,
}

impl<F: Fn(f64) -> f64> Kernel for Sum<'_, F> {
    type Output = f64;

    #[inline(always)]
    fn run(self) -> f64 {
        let mut lanes = [0.0; LANES];
        let mut chunks = self.column.chunks_exact(LANES);
        for chunk in &mut chunks {
            for j in 0..LANES {
                lanes[j] += (self.term)(chunk[j]);
            }
        }
        let tail: f64 = chunks.remainder().iter().map(|&x| (self.term)(x)).sum();
        lanes.iter().sum::<f64>() + tail
    }
}

/// Quantiles of `column`, linear between the order statistics around `(n - 1) p`. `tail` is working memory.
pub(super) fn quantiles(column: &[f64], probabilities: &[f64], tail: &mut Vec<f64>) -> Vec<f64> {
    if column.iter().any(|x| x.is_nan()) {
        return vec![f64::NAN; probabilities.len()];
    }
    let quantile = |&p: &f64| {
        let last = column.len() - 1;
        let place = last as f64 * p;
        let below = (place.floor() as usize).min(last);
        let fraction = place - below as f64;
        // Counted from the nearer end, whose tail alone is searched.
        let (first, second) = if p <= 0.5 {
            order_statistics(column, below, |x| x, tail)
        } else {
            let (high, low) = order_statistics(column, last - (below + 1).min(last), |x| -x, tail);
            if below == last { (-high, -high) } else { (-low, -high) }
        };
        if fraction > 0.0 { first + fraction * (second - first) } else { first }
    };
    probabilities.iter().map(quantile).collect()
}

/// The values of rank `rank` and `rank + 1` (the last one twice at the end) of `key(x)` over the column.
fn order_statistics(column: &[f64], rank: usize, key: impl Fn(f64) -> f64, tail: &mut Vec<f64>) -> (f64, f64) {
    const SAMPLE: usize = 512;
    tail.clear();
    let mut whole = true;
    if column.len() > 4 * SAMPLE {
        // A bound that the wanted rank is below with near certainty, from every so many values; it only saves work.
        tail.extend(column.iter().step_by(column.len() / SAMPLE).map(|&x| key(x)));
        let share = (rank + 1) as f64 / column.len() as f64 * tail.len() as f64;
        let place = (share + 4.0 * share.sqrt() + 4.0) as usize;
        if place < tail.len() {
            let bound = *tail.select_nth_unstable_by(place, f64::total_cmp).1;
            tail.resize(column.len(), 0.0);
            let mut kept = 0;
            for &x in column {
                // Written over unless kept: without a branch to mispredict.
                tail[kept] = key(x);
                kept += usize::from(key(x) <= bound);
            }
            tail.truncate(kept);
            whole = kept < (rank + 2).min(column.len());
        }
    }
    if whole {
        tail.clear();
        tail.extend(column.iter().map(|&x| key(x)));
    }
    let (_, &mut first, above) = tail.select_nth_unstable_by(rank, f64::total_cmp);
    (first, above.iter().copied().min_by(f64::total_cmp).unwrap_or(first))
}
