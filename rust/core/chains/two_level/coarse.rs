//! The system of sets: what leads from set to set, eliminated exactly.

use super::sets::Sets;
use crate::chains::elimination::Factors;
use crate::chains::system::{System, room};
use crate::error::Result;
use crate::run::Control;

/// The transitions between sets, twice: those of each state, and added up with the weights of the states as a system
/// whose states are the sets. Transitions within a set are part of neither.
#[derive(Debug)]
pub(super) struct Coarse {
    /// States from which another set, or the outside, is reached in one step.
    states: Vec<u32>,
    /// The sets of those states.
    own: Vec<u32>,
    begins: Vec<usize>,
    /// Sets that they lead to.
    targets: Vec<u32>,
    values: Vec<f64>,
    exits: Vec<f64>,
    factors: Factors,
}

impl Coarse {
    pub(super) fn new(system: &System, sets: &Sets, weights: &[f64], control: &Control) -> Result<Self> {
        let (mut states, mut own, mut begins) = (Vec::new(), Vec::new(), vec![0]);
        let (mut targets, mut values, mut exits) = (Vec::new(), Vec::new(), Vec::new());
        let mut flows: Vec<(u32, u32, f64)> = Vec::new();
        let mut sums = System { exits: vec![0.0; sets.n], states: (0..sets.n as u32).collect(), ..System::default() };
        for (i, (&set, &weight)) in sets.of.iter().zip(weights).enumerate() {
            let exit = system.exits[i];
            let (row_targets, row_values) = system.row(i);
            for (&j, &value) in row_targets.iter().zip(row_values) {
                let to = sets.of[j as usize];
                if to != set {
                    targets.push(to);
                    values.push(value);
                    flows.push((set, to, weight * value));
                }
            }
            if exit > 0.0 || targets.len() > begins[states.len()] {
                sums.exits[set as usize] += weight * exit;
                states.push(i as u32);
                own.push(set);
                begins.push(targets.len());
                exits.push(exit);
            }
        }
        control.check()?;
        flows.sort_by_key(|&(from, to, _)| (from, to));
        sums.begins = room(sets.n + 1)?;
        for of_pair in flows.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
            while sums.begins.len() <= of_pair[0].0 as usize {
                sums.begins.push(sums.targets.len());
            }
            sums.targets.push(of_pair[0].1);
            sums.values.push(of_pair.iter().map(|flow| flow.2).sum());
        }
        sums.begins.resize(sets.n + 1, sums.targets.len());
        let factors = Factors::new(&sums, control)?;
        Ok(Self { states, own, begins, targets, values, exits, factors })
    }

    /// The levels y of the sets at which the flow out of each of them is `sums`.
    pub(super) fn levels(&self, sums: &[f64], control: &Control) -> Result<Vec<f64>> {
        // Elimination takes costs that are not negative.
        let mut both: Vec<f64> = room(2 * sums.len())?;
        both.extend(sums.iter().map(|&sum| sum.max(0.0)));
        both.extend(sums.iter().map(|&sum| (-sum).max(0.0)));
        self.factors.solve(&mut both, control)?;
        let (positive, negative) = both.split_at(sums.len());
        Ok(positive.iter().zip(negative).map(|(p, q)| p - q).collect())
    }

    /// Subtracts from `flows` what the levels `y` make flow out of each state.
    pub(super) fn subtract(&self, y: &[f64], flows: &mut [f64]) {
        for (at, &state) in self.states.iter().enumerate() {
            let level = y[self.own[at] as usize];
            let mut flow = self.exits[at] * level;
            for (&to, &value) in
                self.targets[self.begins[at]..self.begins[at + 1]].iter().zip(&self.values[self.begins[at]..])
            {
                flow += value * (level - y[to as usize]);
            }
            flows[state as usize] -= flow;
        }
    }
}
