//! A system with the part that the levels of its sets take care of projected out.

use super::CHECKED;
use super::coarse::{Coarse, Levels};
use super::sets::Sets;
use super::weights;
use crate::chains::balance;
use crate::chains::elimination::Factors;
use crate::chains::system::System;
use crate::error::Result;
use crate::memory::room;
use crate::run::Control;

/// How far the two flows of an edge may differ in a system that is treated as reversible. Its solutions do not suffer:
/// their residual is taken with the transitions as they are.
const BALANCED: f64 = 1e-8;

/// Spread of the weights up to which conjugate gradients are used: lighter states have no say in them.
const SPREAD: f64 = 1e-10;

/// A system and its sets.
#[derive(Debug)]
pub(super) struct Operator<'a> {
    pub(super) system: &'a System,
    pub(super) sets: &'a Sets,
    /// With which the residuals of a set are added up.
    pub(super) weights: Vec<f64>,
    /// Weights that make the operator symmetric, if there are any.
    pub(super) symmetric: Option<Vec<f64>>,
    /// What leads within the sets alone, with one state of each as its exit, if it was eliminated.
    pub(super) direct: Option<Factors>,
    /// Probability of leaving each state.
    pub(super) leave: Vec<f64>,
    pub(super) coarse: Coarse,
    /// For each set the sum of its weights, and of weight times leave probability.
    masses: Vec<f64>,
    steps: Vec<f64>,
}

impl<'a> Operator<'a> {
    pub(super) fn new(system: &'a System, sets: &'a Sets, control: &Control) -> Result<Self> {
        let balancing = balance::balancing(system, BALANCED, control)?;
        let (weights, symmetric) = match &balancing {
            Some(wide) => (weights::within(sets, wide)?, spread(balance::floats(wide)?)),
            None => (weights::stationary(system, sets, control)?, None),
        };
        Self::with(system, sets, weights, symmetric, None, control)
    }

    /// For systems so small that what leads within their sets can be eliminated.
    pub(super) fn small(system: &'a System, sets: &'a Sets, control: &Control) -> Result<Self> {
        let (within, weights) = weights::eliminated(system, sets, control)?;
        Self::with(system, sets, weights, None, Some(within), control)
    }

    fn with(
        system: &'a System,
        sets: &'a Sets,
        weights: Vec<f64>,
        symmetric: Option<Vec<f64>>,
        direct: Option<Factors>,
        control: &Control,
    ) -> Result<Self> {
        let coarse = Coarse::new(system, sets, &weights, control)?;
        let mut leave = room(system.n_states())?;
        leave.extend((0..system.n_states()).map(|i| system.row(i).1.iter().sum::<f64>() + system.exits[i]));
        let (mut masses, mut steps) = (vec![0.0; sets.n], vec![0.0; sets.n]);
        for (i, &set) in sets.of.iter().enumerate() {
            masses[set as usize] += weights[i];
            steps[set as usize] += weights[i] * leave[i];
        }
        Ok(Self { system, sets, weights, symmetric, direct, leave, coarse, masses, steps })
    }

    /// Weighted sums over the sets.
    pub(super) fn sums(&self, values: &[f64]) -> Vec<f64> {
        let mut sums = vec![0.0; self.sets.n];
        for ((&value, &weight), &set) in values.iter().zip(&self.weights).zip(&self.sets.of) {
            sums[set as usize] += weight * value;
        }
        sums
    }

    /// Weighted means over the sets.
    pub(super) fn means(&self, values: &[f64]) -> Vec<f64> {
        self.sums(values).iter().zip(&self.masses).map(|(sum, mass)| sum / mass).collect()
    }

    /// Takes from `r`, whose sums over the sets are `sums`, what levels of the sets make flow that have the same sums.
    /// Returns those levels; `sums` keeps what rounding leaves.
    pub(super) fn project(&self, r: &mut [f64], sums: &mut [f64], control: &Control) -> Result<Levels> {
        let levels = self.coarse.levels(sums, control)?;
        self.coarse.subtract(&levels, &self.weights, r, sums);
        Ok(levels)
    }

    /// Makes the sums of `r` over the sets zero in proportion to the steps out of each state; what rounding leaves in them
    /// no step towards the solution can change.
    pub(super) fn free(&self, r: &mut [f64], sums: &[f64]) {
        let excess: Vec<f64> = sums.iter().zip(&self.steps).map(|(sum, steps)| sum / steps).collect();
        for ((r, &leave), &set) in r.iter_mut().zip(&self.leave).zip(&self.sets.of) {
            *r -= excess[set as usize] * leave;
        }
    }

    /// Writes into `out` the flows out of the states that `v` makes, less those of the levels that bring their sums over
    /// the sets to zero.
    pub(super) fn apply(&self, v: &[f64], out: &mut [f64], control: &Control) -> Result<()> {
        let mut sums = vec![0.0; self.sets.n];
        let system = self.system;
        for first in (0..v.len()).step_by(CHECKED) {
            control.check()?;
            let last = v.len().min(first + CHECKED);
            let mut begin = system.begins[first];
            for i in first..last {
                let end = system.begins[i + 1];
                let arriving = arriving(&system.targets[begin..end], &system.values[begin..end], v);
                begin = end;
                out[i] = self.leave[i] * v[i] - arriving;
                sums[self.sets.of[i] as usize] += self.weights[i] * out[i];
            }
        }
        self.project(out, &mut sums, control)?;
        self.free(out, &sums);
        Ok(())
    }

    /// Writes into `r` the cost less the flows out of the states, at the levels of their sets plus `deviation`.
    /// Differences are taken of each apart: where the levels are equal their size does not matter.
    ///
    /// Returns the largest summands of each set, divided by the leave probabilities: rounding spoils its residuals in
    /// proportion.
    pub(super) fn residual(
        &self,
        levels: &Levels,
        deviation: &[f64],
        cost: &[f64],
        r: &mut [f64],
        control: &Control,
    ) -> Result<Vec<f64>> {
        let mut summands = vec![0f64; self.sets.n];
        for (i, r) in r.iter_mut().enumerate() {
            if i % CHECKED == 0 {
                control.check()?;
            }
            let (set, own, exit) = (self.sets.of[i], deviation[i], self.system.exits[i]);
            let mut flow = 0.0;
            if exit > 0.0 {
                flow = exit * (self.coarse.height(levels, set).0 + own);
            }
            let (targets, values) = self.system.row(i);
            for (&j, &value) in targets.iter().zip(values) {
                let to = self.sets.of[j as usize];
                let mut difference = own - deviation[j as usize];
                if to != set {
                    difference += self.coarse.step(levels, set, to).0;
                }
                flow += value * difference;
            }
            *r = cost[i] - flow;
            summands[set as usize] = summands[set as usize].max(cost[i].abs() / self.leave[i] + own.abs());
        }
        self.coarse.sizes(levels, &self.leave, &mut summands);
        Ok(summands)
    }
}

/// The weights, the greatest of which is 1, if they are of similar size.
fn spread(weights: Vec<f64>) -> Option<Vec<f64>> {
    weights.iter().all(|&weight| weight >= SPREAD).then_some(weights)
}

/// The sum of `values` times those of `v` at `targets`, in two partial sums that the processor can add at the same time.
#[inline(always)]
fn arriving(targets: &[u32], values: &[f64], v: &[f64]) -> f64 {
    let (mut even, mut odd) = (0.0, 0.0);
    let ((target_pairs, target), (pairs, value)) = (targets.as_chunks::<2>(), values.as_chunks::<2>());
    for (j, value) in target_pairs.iter().zip(pairs) {
        even += value[0] * v[j[0] as usize];
        odd += value[1] * v[j[1] as usize];
    }
    if let (Some(&j), Some(value)) = (target.first(), value.first()) {
        even += value * v[j as usize];
    }
    even + odd
}
