//! Problems of the same counts, which need to be worked on but once.

use super::walk::Sums;
use super::{LANES, Metric, group};
use crate::error::Result;
use crate::machine::each;
use crate::run::Control;
use std::ops::Range;

/// The distinct pairs of counts in ascending order of n, then c, and how many problems have each.
pub(super) struct Pairs {
    pub(super) n: Vec<i64>,
    pub(super) c: Vec<i64>,
    pub(super) count: Vec<i64>,
}

impl Pairs {
    pub(super) fn len(&self) -> usize {
        self.n.len()
    }

    fn push(&mut self, n: i64, c: i64, count: i64) {
        self.n.push(n);
        self.c.push(c);
        self.count.push(count);
    }

    fn empty() -> Self {
        Self { n: vec![], c: vec![], count: vec![] }
    }

    /// The pairs without the place of each problem.
    pub(super) fn counted(n: &[i64], c: &[i64]) -> Self {
        let mut pairs = Self::empty();
        if let Some(of_c) = histogram(n, c) {
            for (c, &count) in of_c.iter().enumerate().filter(|(_, count)| **count > 0) {
                pairs.push(n[0], c as i64, count as i64);
            }
            return pairs;
        }
        Self::indexed(n, c).0
    }

    /// The pairs, and the pair of each problem.
    pub(super) fn indexed(n: &[i64], c: &[i64]) -> (Self, Vec<usize>) {
        let mut pairs = Self::empty();
        if let Some(mut of_c) = histogram(n, c) {
            for (c, count) in of_c.iter_mut().enumerate().filter(|(_, count)| **count > 0) {
                let place = pairs.len();
                pairs.push(n[0], c as i64, *count as i64);
                *count = place;
            }
            return (pairs, c.iter().map(|&c| of_c[c as usize]).collect());
        }
        let mut order: Vec<usize> = (0..n.len()).collect();
        order.sort_unstable_by_key(|&i| (n[i], c[i]));
        let mut index = vec![0; n.len()];
        for i in order {
            match pairs.len().checked_sub(1) {
                Some(last) if (pairs.n[last], pairs.c[last]) == (n[i], c[i]) => pairs.count[last] += 1,
                _ => pairs.push(n[i], c[i], 1),
            }
            index[i] = pairs.len() - 1;
        }
        (pairs, index)
    }

    /// The sum over the pairs in `range` of count times metric, for each k; a pair with n < k adds nothing.
    pub(super) fn weighted_sum(
        &self,
        range: Range<usize>,
        k: &[i64],
        order: &[(i64, usize)],
        metric: Metric,
        control: &Control,
    ) -> Result<Vec<f64>> {
        let mut sink =
            Sums { totals: vec![[0.0; LANES]; k.len()], weight: [0.0; LANES], hat: metric == Metric::PassHatK };
        for first in range.clone().step_by(LANES) {
            let end = range.end.min(first + LANES);
            sink.weight = each(|l| if first + l < end { self.count[first + l] as f64 } else { 0.0 });
            group(&self.n[first..end], &self.c[first..end], k, order, metric, control, &mut sink)?;
        }
        Ok(sink.totals.iter().map(|lanes| lanes.iter().sum()).collect())
    }
}

/// How many problems have each c, where all have the same n and a table of it is worth its memory.
fn histogram(n: &[i64], c: &[i64]) -> Option<Vec<usize>> {
    let &all = n.first()?;
    if all as usize > 4 * n.len() + 4096 || n.iter().any(|&n| n != all) {
        return None;
    }
    let mut counts = vec![0; all as usize + 1];
    for &c in c {
        counts[c as usize] += 1;
    }
    Some(counts)
}
