//! A system with the part that the levels of its sets take care of projected out.

use super::coarse::Coarse;
use super::sets::Sets;
use crate::chains::system::{System, room};
use crate::error::Result;
use crate::run::Control;

/// States between two looks at the stop flag.
const CHECKED: usize = 1 << 16;

/// A system and its sets.
#[derive(Debug)]
pub(super) struct Operator<'a> {
    pub(super) system: &'a System,
    pub(super) sets: &'a Sets,
    /// With which the residuals of a set are added up.
    pub(super) weights: Vec<f64>,
    /// Probability of leaving each state.
    pub(super) leave: Vec<f64>,
    /// For each set the sum of its weights, and of weight times leave probability.
    pub(super) masses: Vec<f64>,
    steps: Vec<f64>,
    coarse: Coarse,
}

impl<'a> Operator<'a> {
    pub(super) fn new(system: &'a System, sets: &'a Sets, weights: Vec<f64>, control: &Control) -> Result<Self> {
        let coarse = Coarse::new(system, sets, &weights, control)?;
        let mut leave = room(system.n_states())?;
        leave.extend((0..system.n_states()).map(|i| system.row(i).1.iter().sum::<f64>() + system.exits[i]));
        let (mut masses, mut steps) = (vec![0.0; sets.n], vec![0.0; sets.n]);
        for (i, &set) in sets.of.iter().enumerate() {
            masses[set as usize] += weights[i];
            steps[set as usize] += weights[i] * leave[i];
        }
        Ok(Self { system, sets, weights, leave, masses, steps, coarse })
    }

    /// Weighted sums over the sets.
    pub(super) fn sums(&self, values: &[f64]) -> Vec<f64> {
        let mut sums = vec![0.0; self.sets.n];
        for ((&value, &weight), &set) in values.iter().zip(&self.weights).zip(&self.sets.of) {
            sums[set as usize] += weight * value;
        }
        sums
    }

    /// Takes from the residual `r` what levels of the sets, which are returned, make flow.
    pub(super) fn project(&self, r: &mut [f64], sums: &[f64], control: &Control) -> Result<Vec<f64>> {
        let levels = self.coarse.levels(sums, control)?;
        self.coarse.subtract(&levels, r);
        Ok(levels)
    }

    /// Makes the sums of `r` over the sets, which should be zero, so to rounding, in proportion to the steps out of each
    /// state: steps towards the solution would otherwise stall in what they cannot change.
    pub(super) fn free(&self, r: &mut [f64]) {
        let excess: Vec<f64> = self.sums(r).iter().zip(&self.steps).map(|(sum, steps)| sum / steps).collect();
        for ((r, &leave), &set) in r.iter_mut().zip(&self.leave).zip(&self.sets.of) {
            *r -= excess[set as usize] * leave;
        }
    }

    /// Writes into `out` the flows out of the states that `v` makes, less those of the levels that bring their sums over
    /// the sets to zero.
    pub(super) fn apply(&self, v: &[f64], out: &mut [f64], control: &Control) -> Result<()> {
        let mut sums = vec![0.0; self.sets.n];
        for first in (0..v.len()).step_by(CHECKED) {
            control.check()?;
            for i in first..v.len().min(first + CHECKED) {
                let (targets, values) = self.system.row(i);
                let arriving: f64 = targets.iter().zip(values).map(|(&j, &value)| value * v[j as usize]).sum();
                out[i] = self.leave[i] * v[i] - arriving;
                sums[self.sets.of[i] as usize] += self.weights[i] * out[i];
            }
        }
        self.project(out, &sums, control)?;
        self.free(out);
        Ok(())
    }

    /// Writes into `r` the cost less the flows out of the states at the values `levels` of their sets plus `deviation`.
    /// Differences are taken of each apart: where the levels are equal their size does not matter.
    pub(super) fn residual(
        &self,
        levels: &[f64],
        deviation: &[f64],
        cost: &[f64],
        r: &mut [f64],
        control: &Control,
    ) -> Result<()> {
        for (i, r) in r.iter_mut().enumerate() {
            if i % CHECKED == 0 {
                control.check()?;
            }
            let (level, own) = (levels[self.sets.of[i] as usize], deviation[i]);
            let (targets, values) = self.system.row(i);
            let mut flow = self.system.exits[i] * (level + own);
            for (&j, &value) in targets.iter().zip(values) {
                let to = j as usize;
                flow += value * ((own - deviation[to]) + (level - levels[self.sets.of[to] as usize]));
            }
            *r = cost[i] - flow;
        }
        Ok(())
    }
}
