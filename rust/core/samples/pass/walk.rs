//! The walk over k, for a group of problems at once.

use super::{LANES, Lane};
use crate::error::Result;
use crate::machine::{Kernel, each, widest};
use crate::run::Control;

/// Where the values of a group of problems go.
pub(super) trait Sink {
    /// Takes `q_k` and pass@k of all lanes for the k at `place`; NaN where k > n.
    fn put(&mut self, place: usize, q: &Lane, pass: &Lane);
}

/// Rows of a matrix, one for each lane in use.
pub(super) struct Table<'a> {
    pub(super) out: &'a mut [f64],
    pub(super) width: usize,
    pub(super) hat: bool,
}

impl Sink for Table<'_> {
    #[inline(always)]
    fn put(&mut self, place: usize, q: &Lane, pass: &Lane) {
        let values = if self.hat { q } else { pass };
        for (row, value) in self.out.chunks_exact_mut(self.width).zip(values) {
            row[place] = *value;
        }
    }
}

/// Weighted sums over problems, a lane apart; a problem with n < k adds nothing.
pub(super) struct Sums {
    pub(super) totals: Vec<Lane>,
    pub(super) weight: Lane,
    pub(super) hat: bool,
}

impl Sink for Sums {
    #[inline(always)]
    fn put(&mut self, place: usize, q: &Lane, pass: &Lane) {
        let (values, weight) = (if self.hat { q } else { pass }, self.weight);
        let added: Lane = each(|l| if values[l].is_nan() { 0.0 } else { weight[l] * values[l] });
        let sum = &mut self.totals[place];
        *sum = each(|l| sum[l] + added[l]);
    }
}

/// Both values at each k.
pub(super) struct States(pub(super) Vec<(Lane, Lane)>);

impl Sink for States {
    #[inline(always)]
    fn put(&mut self, place: usize, q: &Lane, pass: &Lane) {
        self.0[place] = (*q, *pass);
    }
}

/// Counts of up to [`LANES`] problems; the lanes left over repeat the last.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lanes {
    pub(super) n: Lane,
    pub(super) c: Lane,
}

impl Lanes {
    pub(super) fn new(n: &[i64], c: &[i64], count_wrong: bool) -> Self {
        let problem = |l: usize| l.min(n.len() - 1);
        let counted = |i: usize| if count_wrong { n[i] - c[i] } else { c[i] };
        Self { n: each(|l| n[problem(l)] as f64), c: each(|l| counted(problem(l)) as f64) }
    }
}

/// Walks k upwards for all lanes at once and puts `q_k` and pass@k at each k of `order` into `sink`.
pub(super) fn walk(lanes: Lanes, order: &[(i64, usize)], control: &Control, sink: &mut impl Sink) -> Result<()> {
    if lanes.n == [lanes.n[0]; LANES] {
        widest(Walk::<_, true> { lanes, order, control, sink })
    } else {
        widest(Walk::<_, false> { lanes, order, control, sink })
    }
}

/// `SAME_N`: all lanes have the same n, and share one division a step.
struct Walk<'a, S, const SAME_N: bool> {
    lanes: Lanes,
    order: &'a [(i64, usize)],
    control: &'a Control,
    sink: &'a mut S,
}

impl<S: Sink, const SAME_N: bool> Kernel for Walk<'_, S, SAME_N> {
    type Output = Result<()>;

    #[inline(always)]
    fn run(self) -> Result<()> {
        let Lanes { n, c } = self.lanes;
        let wrong: Lane = each(|l| n[l] - c[l]);
        let end = n.iter().fold(0.0, |end: f64, &n| end.max(n));
        let mut q = [1.0; LANES];
        let (mut sum, mut error) = ([0.0; LANES], [0.0; LANES]);
        let mut at = 0.0;
        let mut until_check = 1 << 14;
        for &(k, place) in self.order {
            let k = k as f64;
            while at < k.min(end) {
                let taken = at;
                at += 1.0;
                // At least 1, so that a lane that has run out of samples stays finite.
                let reciprocal: Lane = if SAME_N {
                    [1.0 / (end - taken).max(1.0); LANES]
                } else {
                    each(|l| 1.0 / (n[l] - taken).max(1.0))
                };
                let term: Lane = each(|l| q[l] * c[l] * reciprocal[l]);
                // The terms never increase, so this recovers what the sum rounds off.
                let next: Lane = each(|l| sum[l] + term[l]);
                let lost: Lane = each(|l| term[l] - (next[l] - sum[l]));
                error = each(|l| error[l] + lost[l]);
                sum = next;
                let factor: Lane = each(|l| (wrong[l] - taken).max(0.0) * reciprocal[l]);
                // Without correct samples q stays 1, which the rounded reciprocal would miss.
                let factor: Lane = each(|l| if c[l] > 0.0 { factor[l] } else { 1.0 });
                q = each(|l| q[l] * factor[l]);
                until_check -= 1;
                if until_check == 0 {
                    self.control.check()?;
                    until_check = 1 << 14;
                }
            }
            let pass: Lane = each(|l| if sum[l] < 0.5 { sum[l] + error[l] } else { 1.0 - q[l] });
            let defined: [bool; LANES] = each(|l| k <= n[l]);
            let q_k = each(|l| if defined[l] { q[l] } else { f64::NAN });
            let pass = each(|l| if defined[l] { pass[l] } else { f64::NAN });
            self.sink.put(place, &q_k, &pass);
        }
        Ok(())
    }
}
