//! Random reversible transition matrices, as probable as observed counts make them.
//!
//! With symmetric weights `x_ij`, `p_ij = x_ij / x_i`, counts `c_ij` stand for the density
//!
//! ```text
//! prod over i < j of x_ij^(c_ij + c_ji - 1)  *  prod over i of x_ii^(c_ii - 1) x_i^-c_i,     x_i = sum_j x_ij
//! ```
//!
//! (the prior is the product of `1 / x_ij`, as in Trendelkamp-Schroer et al., J. Chem. Phys. 143, 2015). Since
//! `x_i^-c` is proportional to the integral of `z^(c - 1) e^(-z x_i)` over positive z, one more number `z_i` for each
//! state makes all conditional laws gamma laws: `x_ij` has shape `c_ij + c_ji` and rate `z_i + z_j`, `x_ii` has shape
//! `c_ii` and rate `z_i`; and given the `x_ij` with j other than i, `z_i` has the sum of the `c_ij` for its shape and
//! that of the `x_ij` for its rate. Drawing them in turn is a Gibbs sampler, as Caron and Doucet (J. Comput. Graph.
//! Stat. 21, 2012) have it for paired comparisons, but one that needs as many turns as the chain needs jumps to relax.
//! So each turn first moves the logs w of all `z_i` together. Their law is `e^-F(w)`, F as in `bonds`: nearly a normal
//! law around the minimum of F, whose covariance is the pseudo-inverse of a Laplacian. An elliptical slice (Murray et
//! al. 2010) under that normal law leaves `e^-F` exactly as it is, and crosses it in a few turns however metastable
//! the chain.

use super::bonds::{Bonds, Work};
use super::posterior::normalise;
use super::reversible::multipliers;
use super::table::CountTable;
use crate::error::{Error, Result};
use crate::memory::zeros;
use crate::random::Seed;
use crate::random::laws::{Draws, Source};
use crate::run::{Control, map_items};
use std::f64::consts::PI;
use std::sync::Mutex;

/// Samples from one run of the Gibbs sampler.
pub const RUN: u64 = 32;

/// Matrices in detailed balance.
#[derive(Debug, Clone, PartialEq)]
pub struct Samples {
    /// Where each row begins, and the number of entries.
    pub indptr: Vec<i64>,
    /// The target of each entry, ascending within a row; each pair of states is there both ways or not at all.
    pub indices: Vec<u32>,
    /// One for each entry of each sample, in that order.
    pub probabilities: Vec<f64>,
}

/// How the Gibbs sampler runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turns {
    /// Turns before the first sample of a run.
    pub burn_in: usize,
    /// Turns from one sample to the next.
    pub thinning: usize,
}

/// `n_samples` reversible matrices. Samples `RUN k` to `RUN k + RUN - 1` of a seed are one run, which starts at the
/// matrix of greatest likelihood and draws from stream `k`; those of the call begin at sample `first`. Cost of a turn:
/// the solution of a sparse symmetric system and some 100 ns a pair of states.
///
/// # Errors
/// As [`fit`](super::reversible::fit).
pub fn sample(
    counts: &CountTable<'_>,
    n_samples: usize,
    turns: Turns,
    seed: &Seed,
    first: u64,
    control: &Control,
) -> Result<Samples> {
    let bonds = Bonds::new(counts, control)?;
    let (indptr, indices) = bonds.layout()?;
    let width = indices.len();
    let mut probabilities: Vec<f64> = zeros(width.checked_mul(n_samples).ok_or(Error::Memory(usize::MAX))?)?;
    let mode = Mode::new(&bonds, control)?;

    let (mut runs, mut rest, mut next) = (Vec::new(), &mut probabilities[..], first);
    while !rest.is_empty() {
        let size = (RUN - next % RUN).min((rest.len() / width) as u64);
        let (part, others) = rest.split_at_mut(size as usize * width);
        runs.push(Mutex::new((next, part)));
        (rest, next) = (others, next.wrapping_add(size));
    }
    map_items(
        runs.len(),
        1,
        control,
        || (),
        |(), run| {
            let mut run = runs[run].lock().map_err(|_| Error::Interrupted)?;
            let (first, out) = &mut *run;
            let mut sampler = Sampler::new(&bonds, &mode, Draws::new(seed.stream(*first / RUN)))?;
            for _ in 0..turns.burn_in {
                sampler.turn(control)?;
            }
            // Samples of the run that come before those wanted are made and overwritten.
            let rows = (0..*first % RUN).map(|_| 0).chain(0..out.len() / width);
            for row in rows {
                for _ in 0..turns.thinning {
                    sampler.turn(control)?;
                }
                sampler.write(&mut out[row * width..(row + 1) * width], &indptr);
            }
            Ok(())
        },
    )?;
    drop(runs);
    Ok(Samples { indptr, indices, probabilities })
}

/// The minimum of F, and F around it.
struct Mode {
    w: Vec<f64>,
    conductances: Vec<f64>,
    /// What each pair adds to F there.
    height: Vec<f64>,
    /// Counts of leaving each state.
    leave: Vec<f64>,
}

impl Mode {
    fn new(bonds: &Bonds, control: &Control) -> Result<Self> {
        let w = multipliers(bonds, control)?;
        let (mut slope, mut conductances) = (zeros(w.len())?, zeros(bonds.others.len())?);
        bonds.derivatives(&w, &mut slope, &mut conductances);
        let mut height = zeros(bonds.others.len())?;
        for state in 0..w.len() {
            for entry in bonds.row(state) {
                height[entry] = pair(bonds, entry, w[bonds.others[entry] as usize] - w[state]);
            }
        }
        let leave = (0..w.len()).map(|state| bonds.row(state).map(|entry| bonds.there[entry]).sum()).collect();
        Ok(Self { w, conductances, height, leave })
    }
}

/// What a pair of states adds to F, the w of the other state being higher by `difference`.
fn pair(bonds: &Bonds, entry: usize, difference: f64) -> f64 {
    bonds.there[entry] * softplus(difference) + bonds.back[entry] * softplus(-difference)
}

/// ln(1 + e^x).
fn softplus(x: f64) -> f64 {
    x.max(0.0) + libm::log1p(libm::exp(-x.abs()))
}

/// One run.
struct Sampler<'a> {
    bonds: &'a Bonds,
    mode: &'a Mode,
    draws: Draws,
    /// w less its value at the minimum of F.
    shift: Vec<f64>,
    /// Whether there are `x_ij`: before the first turn there are none, and w is at the minimum.
    started: bool,
    /// `ln(x_ij z_i)`, by entry.
    flows: Vec<f64>,
    /// Vectors of an elliptical move.
    other: Vec<f64>,
    forces: Vec<f64>,
    proposal: Vec<f64>,
    work: Work,
}

impl<'a> Sampler<'a> {
    fn new(bonds: &'a Bonds, mode: &'a Mode, draws: Draws) -> Result<Self> {
        let n = bonds.n_states();
        let flows = zeros(bonds.others.len())?;
        let vector = || zeros(n);
        let (shift, other, forces, proposal) = (vector()?, vector()?, vector()?, vector()?);
        Ok(Self { bonds, mode, draws, shift, started: false, flows, other, forces, proposal, work: Work::new(n)? })
    }

    fn turn(&mut self, control: &Control) -> Result<()> {
        control.check()?;
        self.draw_states();
        self.slide(control)?;
        self.draw_pairs();
        Ok(())
    }

    /// `ln z_i` given the `x_ij`.
    fn draw_states(&mut self) {
        let (bonds, mode) = (self.bonds, self.mode);
        if !std::mem::replace(&mut self.started, true) {
            return;
        }
        for state in 0..bonds.n_states() {
            let row = &self.flows[bonds.row(state)];
            if row.is_empty() {
                continue;
            }
            let most = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let total: f64 = row.iter().map(|flow| libm::exp(flow - most)).sum();
            self.shift[state] += self.draws.log_gamma(mode.leave[state]) - libm::log(total) - most;
        }
        // Only differences count: the sum of all must not wander off.
        let origin = self.shift[0];
        self.shift.iter_mut().for_each(|shift| *shift -= origin);
    }

    /// One elliptical slice of w.
    fn slide(&mut self, control: &Control) -> Result<()> {
        let (bonds, mode) = (self.bonds, self.mode);
        // A force of variance k between the two states of each pair makes a displacement whose covariance is the
        // pseudo-inverse of the Laplacian.
        self.forces.fill(0.0);
        for state in 0..bonds.n_states() {
            for entry in bonds.row(state) {
                let other = bonds.others[entry] as usize;
                if other > state {
                    let force = mode.conductances[entry].sqrt() * self.draws.normal();
                    self.forces[state] += force;
                    self.forces[other] -= force;
                }
            }
        }
        bonds.solve(&mode.conductances, &self.forces, &mut self.other, &mut self.work, control)?;
        let level = self.excess(&self.shift) - libm::log(self.draws.uniform());
        let mut angle = 2.0 * PI * self.draws.uniform();
        let (mut low, mut high) = (angle - 2.0 * PI, angle);
        loop {
            control.check()?;
            let (sin, cos) = libm::sincos(angle);
            for ((to, shift), other) in self.proposal.iter_mut().zip(&self.shift).zip(&self.other) {
                *to = cos * shift + sin * other;
            }
            // At angle zero stands the present w, which is within the level: the interval shrinks towards it.
            if self.excess(&self.proposal) <= level || high - low < 1e-12 {
                std::mem::swap(&mut self.shift, &mut self.proposal);
                return Ok(());
            }
            if angle < 0.0 {
                low = angle;
            } else {
                high = angle;
            }
            angle = low + (high - low) * self.draws.uniform();
        }
    }

    /// F less the quadratic form that is its second order at the minimum.
    fn excess(&self, shift: &[f64]) -> f64 {
        let (bonds, mode) = (self.bonds, self.mode);
        let mut total = 0.0;
        for state in 0..bonds.n_states() {
            for entry in bonds.row(state) {
                let other = bonds.others[entry] as usize;
                if other > state {
                    let change = shift[other] - shift[state];
                    let difference = mode.w[other] - mode.w[state] + change;
                    let square = 0.5 * mode.conductances[entry] * change * change;
                    total += pair(bonds, entry, difference) - mode.height[entry] - square;
                }
            }
        }
        total
    }

    /// `x_ij` given w, as `ln(x_ij z_i)` in the row of i and `ln(x_ij z_j)` in that of j.
    fn draw_pairs(&mut self) {
        let (bonds, mode) = (self.bonds, self.mode);
        for state in 0..bonds.n_states() {
            for entry in bonds.row(state) {
                let other = bonds.others[entry] as usize;
                if other > state {
                    let gamma = self.draws.log_gamma(bonds.there[entry] + bonds.back[entry]);
                    let difference = mode.w[other] - mode.w[state] + self.shift[other] - self.shift[state];
                    self.flows[entry] = gamma - softplus(difference);
                    self.flows[bonds.mirror[entry]] = gamma - softplus(-difference);
                }
            }
        }
    }

    /// The transition probabilities of the present `x_ij`; the `x_ii` are drawn here alone: nothing hangs on them.
    fn write(&mut self, out: &mut [f64], indptr: &[i64]) {
        let (bonds, flows, draws) = (self.bonds, &self.flows, &mut self.draws);
        bonds.fill_rows(out, |state| draws.log_gamma(bonds.stay[state]), |_, entry| flows[entry]);
        for ends in indptr.windows(2) {
            normalise(&mut out[ends[0] as usize..ends[1] as usize]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn value_stability() {
        let counts = CountTable::new(&[0, 2, 5, 6], &[0, 1, 0, 1, 2, 1], &[4.0, 2.0, 1.0, 3.0, 2.5, 2.0]).unwrap();
        let turns = Turns { burn_in: 3, thinning: 2 };
        let found = sample(&counts, 2, turns, &Seed::from_u64(7), 31, &Control::default()).unwrap();
        let bits: Vec<u64> = found.probabilities.iter().map(|p| p.to_bits()).collect();
        assert_eq!(bits, PINNED, "{:?}", found.probabilities);
    }
    const PINNED: [u64; 12] = [
        4_606_032_176_115_656_158,
        4_593_768_991_027_980_419,
        4_586_834_644_355_198_173,
        4_605_965_446_666_634_374,
        4_591_063_286_070_527_337,
        4_607_182_418_800_017_408,
        4_606_134_276_248_131_687,
        4_593_049_561_078_250_691,
        4_583_018_087_545_731_361,
        4_605_574_779_529_951_432,
        4_594_678_469_103_635_905,
        4_607_182_418_800_017_408,
    ];
}
