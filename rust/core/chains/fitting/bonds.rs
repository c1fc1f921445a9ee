//! Pairs of different states with transitions either way: what a reversible chain is fitted to, and its Laplacian.
//!
//! A reversible chain is given by symmetric weights `x_ij`: `p_ij = x_ij / x_i`, where `x_i` is the sum over j. Under
//! counts `c_ij` the likelihood is `prod x_ij^c_ij / prod x_i^c_i`. With one number `w_i` for each state (the log of a
//! multiplier of the constraint on `x_i`) its maximum over the weights is at `x_ij = (c_ij + c_ji) / (e^w_i + e^w_j)`,
//! and the `w_i` minimise
//!
//! ```text
//! F(w) = sum over pairs i < j of  c_ij ln(1 + e^(w_j - w_i)) + c_ji ln(1 + e^(w_i - w_j)),
//! ```
//!
//! a convex function whose matrix of second derivatives is the Laplacian of a network of conductances
//! `(c_ij + c_ji) s (1 - s)`, `s = 1 / (1 + e^(w_j - w_i))`. Counts of staying in a state do not enter: `x_ii` is
//! `c_ii e^-w_i`.

use super::table::CountTable;
use crate::chains::matrix::sum;
use crate::error::{Result, invalid};
use crate::memory::{room, zeros};
use crate::run::Control;
use std::ops::Range;

/// Entries whose work is worth a look at the stop flag.
const CHECKED: usize = 1 << 20;

/// The square of how far the residual of a solution is brought down.
const RESIDUAL: f64 = 1e-28;

/// The pairs, each in the rows of both its states.
#[derive(Debug)]
pub(super) struct Bonds {
    indptr: Vec<usize>,
    /// The other state of each entry, ascending within a row.
    pub(super) others: Vec<u32>,
    /// Counts of transitions to the other state, and back from it.
    pub(super) there: Vec<f64>,
    pub(super) back: Vec<f64>,
    /// The place of the same pair in the row of the other state.
    pub(super) mirror: Vec<usize>,
    /// Counts of staying, by state; 0 if there are none.
    pub(super) stay: Vec<f64>,
}

impl Bonds {
    /// The pairs of `counts`, which must be strongly connected.
    pub(super) fn new(counts: &CountTable<'_>, control: &Control) -> Result<Self> {
        let component = crate::chains::connected::strong_components(counts.indptr(), counts.indices(), control)?;
        if let Some(other) = component.iter().position(|&number| number != component[0]) {
            let rule = format!(
                "be strongly connected for a reversible chain: states 0 and {other} do not reach each other \
                 (largest_connected_set names the states to restrict the counts to)"
            );
            return Err(invalid("counts", &[], "", rule));
        }
        let n_states = counts.n_states();
        // The transpose, whose rows come out ascending.
        let mut ends: Vec<usize> = zeros(n_states + 1)?;
        counts.indices().iter().for_each(|&to| ends[to as usize + 1] += 1);
        (0..n_states).for_each(|state| ends[state + 1] += ends[state]);
        let mut incoming: Vec<(u32, f64)> = zeros(counts.indices().len())?;
        for from in 0..n_states {
            for entry in counts.row(from) {
                let to = counts.indices()[entry] as usize;
                incoming[ends[to]] = (from as u32, counts.values()[entry]);
                ends[to] += 1;
            }
        }
        let mut bonds = Self {
            indptr: room(n_states + 1)?,
            others: Vec::new(),
            there: Vec::new(),
            back: Vec::new(),
            mirror: Vec::new(),
            stay: zeros(n_states)?,
        };
        bonds.indptr.push(0);
        let mut begin = 0;
        for state in 0..n_states {
            let mut incoming = incoming[begin..ends[state]].iter().copied().peekable();
            begin = ends[state];
            let mut outgoing = counts.row(state).map(|e| (counts.indices()[e], counts.values()[e])).peekable();
            loop {
                let (to, from) = (outgoing.peek().map(|pair| pair.0), incoming.peek().map(|pair| pair.0));
                let Some(other) = to.into_iter().chain(from).min() else { break };
                let there = outgoing.next_if(|pair| pair.0 == other).map_or(0.0, |pair| pair.1);
                let back = incoming.next_if(|pair| pair.0 == other).map_or(0.0, |pair| pair.1);
                if other as usize == state {
                    bonds.stay[state] = there;
                } else {
                    bonds.others.push(other);
                    bonds.there.push(there);
                    bonds.back.push(back);
                }
            }
            bonds.indptr.push(bonds.others.len());
        }
        bonds.find_mirrors()?;
        Ok(bonds)
    }

    /// Rows are ascending, so the entries that point back at ever higher states are met in their own order.
    fn find_mirrors(&mut self) -> Result<()> {
        let mut next: Vec<usize> = room(self.n_states())?;
        next.extend_from_slice(&self.indptr[..self.n_states()]);
        self.mirror = zeros(self.others.len())?;
        for state in 0..self.n_states() {
            for entry in self.row(state) {
                let other = self.others[entry] as usize;
                if other > state {
                    self.mirror[entry] = next[other];
                    self.mirror[next[other]] = entry;
                    next[other] += 1;
                }
            }
        }
        Ok(())
    }

    pub(super) fn n_states(&self) -> usize {
        self.stay.len()
    }

    #[inline]
    pub(super) fn row(&self, state: usize) -> Range<usize> {
        self.indptr[state]..self.indptr[state + 1]
    }

    /// The rows with the diagonal put in where a state was stayed in: where each begins and the targets. With
    /// [`fill_rows`](Self::fill_rows) that is the matrix of the `x_ij`.
    pub(super) fn layout(&self) -> Result<(Vec<i64>, Vec<u32>)> {
        let n_stays = self.stay.iter().filter(|&&stay| stay > 0.0).count();
        let (mut indptr, mut indices) = (room(self.n_states() + 1)?, room(self.others.len() + n_stays)?);
        indptr.push(0);
        for state in 0..self.n_states() {
            let others = &self.others[self.row(state)];
            let lower = others.partition_point(|&other| (other as usize) < state);
            indices.extend_from_slice(&others[..lower]);
            if self.stay[state] > 0.0 {
                indices.push(state as u32);
            }
            indices.extend_from_slice(&others[lower..]);
            indptr.push(indices.len() as i64);
        }
        Ok((indptr, indices))
    }

    /// Writes a value for each entry of the [`layout`](Self::layout): `stay(state)` on the diagonal, else
    /// `bond(state, entry)`.
    pub(super) fn fill_rows(
        &self,
        out: &mut [f64],
        mut stay: impl FnMut(usize) -> f64,
        mut bond: impl FnMut(usize, usize) -> f64,
    ) {
        let mut out = out.iter_mut();
        let mut put = |value: f64| {
            if let Some(out) = out.next() {
                *out = value;
            }
        };
        for state in 0..self.n_states() {
            let mut to_come = self.stay[state] > 0.0;
            for entry in self.row(state) {
                if to_come && self.others[entry] as usize > state {
                    put(stay(state));
                    to_come = false;
                }
                put(bond(state, entry));
            }
            if to_come {
                put(stay(state));
            }
        }
    }

    /// The derivative of F at `w`, into `slope`, and the conductances there.
    pub(super) fn derivatives(&self, w: &[f64], slope: &mut [f64], conductances: &mut [f64]) {
        for state in 0..self.n_states() {
            for entry in self.row(state) {
                let (own, other) = shares(w[state], w[self.others[entry] as usize]);
                // Never zero: an extreme pair still holds the network together.
                conductances[entry] = ((self.there[entry] + self.back[entry]) * own * other).max(f64::MIN_POSITIVE);
            }
            // The flows of the two rows of a pair are each other's negative to the last bit. Summed with their
            // rounding carried along, they cancel within a metastable set, and what passes between sets remains.
            slope[state] = sum(self.row(state).map(|entry| {
                let (own, other) = shares(w[state], w[self.others[entry] as usize]);
                self.back[entry] * own - self.there[entry] * other
            }));
        }
    }

    /// Solves L `x` = `b` for the Laplacian L of `conductances`, up to a constant added to `x`; the entries of `b` add
    /// up to zero. Conjugate gradients, scaled by the diagonal, until the residual has fallen by 1e-14.
    pub(super) fn solve(
        &self,
        conductances: &[f64],
        b: &[f64],
        x: &mut [f64],
        work: &mut Work,
        control: &Control,
    ) -> Result<()> {
        let n = self.n_states();
        let Work { residual, direction, image, scale } = work;
        for state in 0..n {
            let diagonal: f64 = self.row(state).map(|entry| conductances[entry]).sum();
            scale[state] = if diagonal > 0.0 { 1.0 / diagonal } else { 0.0 };
            x[state] = 0.0;
            residual[state] = b[state];
        }
        centre(residual);
        direction.iter_mut().zip(&*residual).zip(&*scale).for_each(|((d, r), s)| *d = r * s);
        let size =
            |residual: &[f64], scale: &[f64]| -> f64 { residual.iter().zip(scale).map(|(r, s)| r * r * s).sum() };
        let mut old = size(residual, scale);
        let goal = RESIDUAL * old;
        let every = (CHECKED / self.others.len().max(1)).max(1);
        for round in 0..20 * n + 100 {
            if round % every == 0 {
                control.check()?;
            }
            let mut energy = 0.0;
            for state in 0..n {
                let own = direction[state];
                let flow: f64 = self
                    .row(state)
                    .map(|entry| conductances[entry] * (own - direction[self.others[entry] as usize]))
                    .sum();
                image[state] = flow;
                energy += own * flow;
            }
            if old <= goal || energy <= 0.0 {
                break;
            }
            let length = old / energy;
            for state in 0..n {
                x[state] += length * direction[state];
                residual[state] -= length * image[state];
            }
            centre(residual);
            let new = size(residual, scale);
            for state in 0..n {
                direction[state] = scale[state] * residual[state] + new / old * direction[state];
            }
            old = new;
        }
        Ok(())
    }
}

/// Vectors for [`Bonds::solve`].
#[derive(Debug)]
pub(super) struct Work {
    residual: Vec<f64>,
    direction: Vec<f64>,
    image: Vec<f64>,
    scale: Vec<f64>,
}

impl Work {
    pub(super) fn new(n_states: usize) -> Result<Self> {
        let vector = || zeros(n_states);
        Ok(Self { residual: vector()?, direction: vector()?, image: vector()?, scale: vector()? })
    }
}

/// Takes the mean off: rounding leaves one that no step could remove, since the Laplacian makes it zero.
fn centre(x: &mut [f64]) {
    let mean = x.iter().sum::<f64>() / x.len() as f64;
    for x in x {
        *x -= mean;
    }
}

/// e^w / (e^w + e^other) and e^other / (e^w + e^other).
#[inline]
pub(super) fn shares(w: f64, other: f64) -> (f64, f64) {
    (1.0 / (1.0 + libm::exp(other - w)), 1.0 / (1.0 + libm::exp(w - other)))
}
