//! The sum over ranks of weight times value, and the weights that problems with the same n share.

use super::{LANES, Lane, NEGLIGIBLE, TILE};
use crate::machine::each;

/// The weights of all k for one n: most problems have the same, and then half of the work on a sum is to make them.
pub(super) struct Weights {
    pub(super) n: usize,
    /// For each tile of k, the weights of its members from the top rank down.
    tiles: Vec<[f64; TILE]>,
}

impl Weights {
    /// The weights for n samples, where they serve enough problems and fit 16 MB.
    pub(super) fn shared(n_problems: usize, n: usize, k: &[i64]) -> Option<Self> {
        let len = k.len().div_ceil(TILE).checked_mul(n)?;
        if n_problems < 4 * LANES || len > 1 << 19 {
            return None;
        }
        let mut tiles = Vec::with_capacity(len);
        for ks in k.chunks(TILE) {
            let mut wanted = [1.0; TILE];
            for (wanted, &k) in wanted.iter_mut().zip(ks) {
                *wanted = k as f64;
            }
            // The same steps as in `Sum`, and so the same bits.
            let mut weight = wanted.map(|k| if k <= n as f64 { k / n as f64 } else { 0.0 });
            for t in 0..n {
                tiles.push(weight);
                let (rank, below) = ((n - t) as f64, (n - t) as f64 - 1.0);
                let reciprocal = if below > 0.0 { 1.0 / below } else { 0.0 };
                for (weight, k) in weight.iter_mut().zip(wanted) {
                    *weight *= (rank - k) * reciprocal;
                }
            }
        }
        Some(Self { n, tiles })
    }

    pub(super) fn tile(&self, number: usize) -> &[[f64; TILE]] {
        &self.tiles[number * self.n..(number + 1) * self.n]
    }
}

/// A sum over ranks, from the top down, for one k in each lane.
pub(super) struct Sum {
    k: f64,
    pub(super) weight: Lane,
    part: Lane,
    pub(super) total: Lane,
}

impl Sum {
    #[inline(always)]
    pub(super) fn new(k: f64, n: &Lane) -> Self {
        let weight = each(|l| if k <= n[l] { k / n[l] } else { 0.0 });
        Self { k, weight, part: [0.0; LANES], total: [0.0; LANES] }
    }

    /// Adds the value of the sample of a rank whose weight all lanes share.
    #[inline(always)]
    pub(super) fn add_shared(&mut self, value: &Lane, weight: f64) {
        let part = self.part;
        self.part = each(|l| part[l] + weight * value[l]);
    }

    /// Adds the value of the sample of this rank and turns to the weight of the next.
    #[inline(always)]
    pub(super) fn add(&mut self, value: &Lane, rank: &Lane, reciprocal: &Lane) {
        let (k, weight, part) = (self.k, self.weight, self.part);
        let factor: Lane = each(|l| (rank[l] - k) * reciprocal[l]);
        self.part = each(|l| part[l] + weight[l] * value[l]);
        self.weight = each(|l| weight[l] * factor[l]);
    }

    /// Takes over the part of a chunk.
    #[inline(always)]
    pub(super) fn close(&mut self) {
        let (part, before) = (self.part, self.total);
        self.total = each(|l| before[l] + part[l]);
        self.part = [0.0; LANES];
    }

    /// Whether in any lane the rest, from `rank` on and of values up to `reach`, still matters. Where it does not it
    /// is too small to change the total when added, so a lane does not notice how long its neighbours go on.
    #[inline(always)]
    pub(super) fn goes_on(&self, rank: &Lane, reach: &Lane) -> bool {
        let (enough, weight, total) = (NEGLIGIBLE * self.k, self.weight, self.total);
        let matters: [bool; LANES] = each(|l| weight[l] * rank[l] * reach[l] > enough * total[l].abs());
        matters != [false; LANES]
    }
}
