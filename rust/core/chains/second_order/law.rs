//! The law of a second-order step, and the envelope from which it is drawn by rejection.

use crate::error::{Result, invalid};

/// Smallest and largest `p` and `q`: their reciprocals are finite numbers too.
const RANGE: std::ops::RangeInclusive<f64> = 1e-300..=1e300;

/// Most cells that the way back may have beside those of the row: the numbers of both stay below 2^41.
const MOST_CELLS: f64 = 2_147_483_648.0;

/// Weight of the way back up to which cells are raised to it where that saves a search for the excess.
const MOST_RAISED: f64 = 4.0;

/// 2^63: what a fraction, a number of 63 bits, is compared with if it is always to be below.
const ALWAYS: f64 = 9_223_372_036_854_775_808.0;

/// Weights of the candidates, as shares of the larger of `1` and `1/q`, and what follows from them for a trial.
///
/// A trial throws a dart at the row, in which each candidate has a cell of height 1 (the larger of the weights of a
/// common neighbour and of any other candidate), and at `cells` more cells, which hold what the weight of the return
/// edge has above that height. So a small `p` raises no other cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Law {
    /// Weight of the way back.
    pub(super) back: f64,
    /// Weight of a neighbour of the previous state.
    pub(super) common: f64,
    /// Weight of any other candidate.
    pub(super) other: f64,
    /// What the way back weighs above 1.
    pub(super) excess: f64,
    /// Cells of the excess.
    pub(super) cells: u64,
    /// A dart in a cell of the excess counts below this.
    pub(super) extra_below: u64,
    /// A dart at the way back counts below this.
    pub(super) back_below: u64,
    /// A dart at any other candidate counts below this, whatever the candidate is;
    pub(super) least_below: u64,
    /// and never at or above this.
    pub(super) most_below: u64,
}

impl Law {
    /// `folded`: the excess is held in cells; else it is thrown at as it is, in numbers of 53 bits, unless it is so small
    /// that all cells may as well be as high as the way back.
    ///
    /// # Errors
    /// If `p` or `q` is not from 1e-300 to 1e300.
    pub(super) fn new(p: f64, q: f64, folded: bool) -> Result<Self> {
        for (name, value) in [("p", p), ("q", q)] {
            if !RANGE.contains(&value) {
                return Err(invalid(name, &[], value, "be positive and finite, from 1e-300 to 1e300"));
            }
        }
        let (common, other) = (q.min(1.0), q.recip().min(1.0));
        let back = (common / p).min(f64::MAX);
        let raised = if !folded && (1.0..=MOST_RAISED).contains(&back) { back } else { 1.0 };
        let excess = if raised > 1.0 { 0.0 } else { (back - 1.0).max(0.0) };
        // Where the excess would take more cells than there may be, all heights shrink alike.
        let scale = if folded && excess > MOST_CELLS { MOST_CELLS / excess } else { 1.0 / raised };
        let cells = (excess * scale).ceil();
        let extra = if cells > 0.0 { excess * scale / cells } else { 0.0 };
        let below = |height: f64| (height.min(raised) * scale * ALWAYS) as u64;
        Ok(Self {
            back,
            common,
            other,
            excess,
            cells: cells as u64,
            extra_below: (extra * ALWAYS) as u64,
            back_below: below(back),
            least_below: below(common.min(other)),
            most_below: below(1.0),
        })
    }

    /// Whether neighbours of the previous state are the heavier candidates.
    pub(super) fn common_wins(&self) -> bool {
        self.common > self.other
    }

    /// The weight of a candidate, beside that of its transition.
    pub(super) fn weight(&self, returns: bool, common: bool) -> f64 {
        match (returns, common) {
            (true, _) => self.back,
            (false, true) => self.common,
            (false, false) => self.other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn darts_fall_as_the_weights_say() {
        let values = [1e-300, 1e-12, 1e-3, 0.3, 0.5, 0.999_999, 1.0, 1.000_001, 2.0, 7.0, 1e3, 1e12, 1e300];
        for (p, q) in values.iter().flat_map(|&p| values.map(|q| (p, q))) {
            let law = Law::new(p, q, true).unwrap();
            // How often a dart counts: at the way back, at a neighbour of the previous state, at another candidate.
            let back = law.back_below as f64 / ALWAYS + law.cells as f64 * (law.extra_below as f64 / ALWAYS);
            let (least, most) = (law.least_below as f64 / ALWAYS, law.most_below as f64 / ALWAYS);
            let (common, other) = if law.common_wins() { (most, least) } else { (least, most) };
            // As shares of the whole, to 2^-60: the product p x other overflows for no pair of values.
            let (wanted, found) = ([1.0 / p, 1.0, 1.0 / q], [back, common, other]);
            let largest = wanted.iter().fold(0.0, |a: f64, &b| a.max(b));
            let whole = found.iter().fold(0.0, |a: f64, &b| a.max(b));
            for (wanted, found) in wanted.iter().zip(found) {
                assert!((wanted / largest - found / whole).abs() < 1e-15, "{p} {q}: {law:?}");
            }
            let ratio = (common / other) / q;
            assert!(law.least_below < 1 << 20 || (ratio - 1.0).abs() < 1e-6, "{p} {q}: {ratio}");
            // No dart is thrown in vain at the way back but in one cell, and the row is full unless that is nearly all.
            assert!(law.cells as f64 <= 1.0 + law.excess && (law.cells < 1 << 31 || back > 1e8 * most));
        }
    }

    #[test]
    fn a_small_excess_raises_all_cells_where_it_is_not_folded() {
        for (p, q) in [(0.5, 2.0), (0.25, 1.0), (0.3, 0.8), (0.5, 0.7), (0.9, 1e6)] {
            let law = Law::new(p, q, false).unwrap();
            assert_eq!(law.excess, 0.0);
            let (least, most) = (law.least_below as f64, law.most_below as f64);
            let (common, other) = if law.common_wins() { (most, least) } else { (least, most) };
            for (found, wanted) in [(common, p), (other, p / q)] {
                assert!((found / law.back_below as f64 / wanted - 1.0).abs() < 1e-12, "{p} {q}: {law:?}");
            }
        }
        assert!(Law::new(0.1, 1.0, false).unwrap().excess > 8.9);
    }

    #[test]
    fn p_and_q_have_limits() {
        for bad in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e-301, 1e301] {
            assert!(Law::new(bad, 1.0, true).is_err() && Law::new(1.0, bad, false).is_err());
        }
    }
}
