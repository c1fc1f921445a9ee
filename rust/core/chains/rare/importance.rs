//! Importance sampling: walks on a chain that is drawn to the targets, each weighted by how much likelier it is there.
//!
//! With any V that is positive where the targets can be reached, and 0 elsewhere, the changed chain has
//! `P'_ij = p_ij V_j / (P V)_i`. Of a walk `x_0 ... x_n` that ends in the targets, the likelihood ratio telescopes:
//!
//! ```text
//! L = prod p(x_t, x_{t+1}) / P'(x_t, x_{t+1}) = V(x_0) / V(x_n) * exp(sum_{t<n} c(x_t)),   c_i = ln((P V)_i / V_i)
//! ```
//!
//! so that a walk needs one number for each state it comes through. L is unbiased for every such V (no transition on
//! the way to the targets has lost its probability). Where V is the hitting probability itself all c are 0 and so is
//! the variance (Heidelberger, ACM TOMACS 5, 1995; L'Ecuyer and Tuffin, Annals of OR 189, 2011). A start drawn from a law
//! is drawn in proportion to V as well. The sum is over logarithms: cycles neither overflow nor underflow it. Without a
//! limit to the steps all of this is done on the chain of the moves alone, which reaches the same states.

use super::value::LEAST;
use super::walks::{Errand, drive};
use super::{MarkovChain, Problem, Result, Starts, Status, filled};
use crate::chains::matrix::{Dangling, Meaning, sum};
use crate::chains::ring::{LANES, Ring};
use crate::chains::starts::Walker;
use crate::random::Seed;
use crate::run::{Control, fill_blocks};
use libm::{ilogb, log, scalbn};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// No transition towards the targets becomes less likely than this, whatever the values.
const LEAST_SHARE: f64 = 1e-280;

/// Walks of a unit of work.
const BLOCK: usize = 4096;

/// The changed chain.
pub(super) struct Changed<'a> {
    problem: &'a Problem<'a>,
    chain: MarkovChain,
    starts: Starts<'static>,
    /// Sum of V over the law of the starts.
    scale: f64,
    /// c of each open state.
    factors: Vec<f64>,
    /// V.
    value: Vec<f64>,
}

impl<'a> Changed<'a> {
    /// The chain changed by `value`, which is positive for open and won states and 0 for the others. Takes 24 bytes a
    /// transition while it is made and 28 afterwards, and 16 a state.
    pub(super) fn new(problem: &'a Problem<'a>, mut value: Vec<f64>, control: &Control) -> Result<Self> {
        raise(problem, &mut value, control)?;
        let n_states = problem.chain.n_states();
        let mut factors = filled(n_states, 0.0)?;
        let mut indptr = filled(n_states + 1, 0i64)?;
        for &state in &problem.open {
            let kept = |&&target: &&u32| value[target as usize] > 0.0 && !stays(problem, state, target);
            indptr[state as usize + 1] = problem.chain.row(state).targets.iter().filter(kept).count() as i64;
        }
        for state in 0..n_states {
            indptr[state + 1] += indptr[state];
        }
        let n_transitions = indptr[n_states] as usize;
        let (mut indices, mut weights) = (filled(n_transitions, 0u32)?, filled(n_transitions, 0.0)?);
        for (number, &state) in problem.open.iter().enumerate() {
            if number.is_multiple_of(BLOCK) {
                control.check()?;
            }
            let Inflow { scaling, sum } = inflow(problem, &value, state);
            factors[state as usize] = log(sum / scalbn(value[state as usize], scaling));
            let row = problem.chain.row(state);
            let kept = row.iter().filter(|&(target, _)| value[target as usize] > 0.0 && !stays(problem, state, target));
            for (place, (target, p)) in (indptr[state as usize] as usize..).zip(kept) {
                indices[place] = target;
                weights[place] = p * scalbn(value[target as usize], scaling);
            }
        }
        let meaning = Meaning::Weights(Dangling::Absorb);
        // A control of its own: the caller's counts walks.
        let chain = MarkovChain::from_csr(&indptr, &indices, Some(&weights), meaning, &Control::new(1))?;
        let share = |&(state, p): &(u32, f64)| (state, p * value[state as usize]);
        let scale = sum(problem.law.iter().map(share).map(|(_, p)| p));
        let starts = if let [(state, _)] = problem.law[..] {
            Starts::one(state, n_states)?
        } else {
            let mut law = filled(n_states, 0.0)?;
            problem.law.iter().map(share).for_each(|(state, p)| law[state as usize] = p / scale);
            Starts::law(&law, n_states)?
        };
        Ok(Self { problem, chain, starts, scale, factors, value })
    }

    /// Fills `out` with the estimate of each walk, 0 after `max_steps`; the steps of all. Walk `i` is walk `first + i` of `seed`.
    pub(super) fn walk(
        &self,
        max_steps: u64,
        seed: &Seed,
        first: u64,
        out: &mut [f64],
        control: &Control,
    ) -> Result<u64> {
        let tables = self.chain.tables(&Control::new(control.threads()))?;
        let steps = AtomicU64::new(0);
        control.expect(out.len() as u64);
        fill_blocks(
            out,
            1,
            BLOCK,
            control,
            || Ring::new(tables),
            |ring, begin, out| {
                let items = 0..out.len();
                let lanes = [Lane::default(); LANES];
                let n_walks = out.len() as u64;
                let first = first.wrapping_add(begin as u64);
                let mut walks = Weighted { changed: self, seed, first, items, max_steps, lanes, out };
                steps.fetch_add(drive(ring, &mut walks, control)?, Relaxed);
                control.advance(n_walks);
                Ok(())
            },
        )?;
        Ok(steps.into_inner())
    }

    /// V.
    pub(super) fn into_value(self) -> Vec<f64> {
        self.value
    }

    /// The estimate of a walk whose factors sum to `sum` and that ends in `state`.
    fn estimate(&self, sum: f64, state: u32) -> f64 {
        self.scale * libm::exp(sum) / self.value[state as usize]
    }
}

/// Whether a transition only passes time, of which there is no limit: the changed chain goes without it, so that a state
/// that is hardly ever left costs one step.
fn stays(problem: &Problem<'_>, state: u32, target: u32) -> bool {
    state == target && problem.max_steps == u64::MAX
}

/// (P V)_i, given that the state does not just stay, in units of 2^-scaling, in which the largest value of the row is
/// near 1.
struct Inflow {
    scaling: i32,
    sum: f64,
}

fn inflow(problem: &Problem<'_>, value: &[f64], state: u32) -> Inflow {
    let row = problem.chain.row(state);
    let moves = || row.iter().filter(|&(target, _)| !stays(problem, state, target));
    let most = moves().map(|(target, _)| value[target as usize]).fold(LEAST, f64::max);
    let scaling = -ilogb(most);
    let leave = sum(moves().map(|(_, p)| p));
    let inflow = sum(moves().map(|(target, p)| p * scalbn(value[target as usize], scaling)));
    Inflow { scaling, sum: inflow / leave }
}

/// Raises values that would take a transition on the way to the targets, or a start, its chance. A value is raised by
/// less than 1e-280 of what is around it, so that nobody else's sum changes.
fn raise(problem: &Problem<'_>, value: &mut [f64], control: &Control) -> Result<()> {
    for (number, &state) in problem.open.iter().enumerate() {
        if number.is_multiple_of(BLOCK) {
            control.check()?;
        }
        let Inflow { scaling, sum } = inflow(problem, value, state);
        for (target, p) in problem.chain.row(state).iter() {
            let target = target as usize;
            if value[target] > 0.0 {
                value[target] = value[target].max(scalbn(LEAST_SHARE * sum / p, -scaling));
            }
        }
    }
    let scale: f64 = problem.law.iter().map(|&(state, p)| p * value[state as usize]).sum();
    for &(state, p) in &problem.law {
        if problem.status(state) != Status::Lost {
            value[state as usize] = value[state as usize].max(LEAST_SHARE * scale / p);
        }
    }
    Ok(())
}

#[derive(Debug, Clone, Copy, Default)]
struct Lane {
    item: usize,
    time: u64,
    sum: f64,
}

/// Weighted walks of one block.
struct Weighted<'a, 'out> {
    changed: &'a Changed<'a>,
    seed: &'a Seed,
    first: u64,
    items: std::ops::Range<usize>,
    max_steps: u64,
    lanes: [Lane; LANES],
    out: &'out mut [f64],
}

impl Errand for Weighted<'_, '_> {
    fn begin(&mut self, lane: usize) -> Option<Walker> {
        loop {
            let item = self.items.next()?;
            let walker = self.changed.starts.walker(self.seed, self.first.wrapping_add(item as u64), 0);
            if self.changed.problem.status(walker.state) == Status::Open {
                let sum = self.changed.factors[walker.state as usize];
                self.lanes[lane] = Lane { item, time: 0, sum };
                return Some(walker);
            }
            // No start is lost.
            self.out[item] = self.changed.estimate(0.0, walker.state);
        }
    }

    #[inline]
    fn visit(&mut self, lane: usize, state: u32) -> bool {
        let Lane { item, time, sum } = &mut self.lanes[lane];
        *time += 1;
        if self.changed.problem.status(state) == Status::Won {
            self.out[*item] = self.changed.estimate(*sum, state);
            return true;
        }
        *sum += self.changed.factors[state as usize];
        if *time >= self.max_steps {
            self.out[*item] = 0.0;
            return true;
        }
        false
    }
}
