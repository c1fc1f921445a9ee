//! The system of sets: what leads from set to set, eliminated exactly.

use super::CHECKED;
use super::groups;
use super::operator::Operator;
use super::refine::refine;
use super::sets::Sets;
use crate::chains::elimination::Factors;
use crate::chains::system::System;
use crate::error::Result;
use crate::memory::room;
use crate::run::Control;

/// Moves from set to set before the system is left, beyond which differences of levels would be lost in the levels:
/// the sets are then grouped into sets of their own.
const MOVES: f64 = 1e4;

/// What may be left of the equations of a column of the inverse, relative to their summands.
const EXACT: f64 = 1e-12;

/// More sets than this are not grouped: the levels that a flow out of each makes on all others are kept in a table.
const MOST_GROUPED: usize = 1000;

/// A number for each set, in layers that are never added before the end: one for each set, for each group of sets,
/// for each group of such groups.
#[derive(Debug, Clone)]
pub(super) struct Levels(Vec<Vec<f64>>);

impl Levels {
    pub(super) fn add(&mut self, other: &Self) {
        for (to, from) in self.0.iter_mut().zip(&other.0) {
            to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
        }
    }

    /// Adds a number to each set.
    pub(super) fn shift(&mut self, by: &[f64]) {
        self.0[0].iter_mut().zip(by).for_each(|(to, by)| *to += by);
    }
}

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
    /// What leaves each set in a step, in the units of its weights.
    rates: Vec<f64>,
    /// The group of each set in each layer but the first, where sets are their own groups.
    groups: Vec<Vec<u32>>,
    inverse: Inverse,
}

#[derive(Debug)]
enum Inverse {
    Factors(Factors),
    /// For each layer, and each set in it, the levels that a flow of 1 out of the set makes.
    Layers(Vec<Vec<Vec<f64>>>),
}

impl Coarse {
    pub(super) fn new(system: &System, sets: &Sets, weights: &[f64], control: &Control) -> Result<Self> {
        let (mut states, mut own, mut begins) = (Vec::new(), Vec::new(), vec![0]);
        let (mut targets, mut values, mut exits) = (Vec::new(), Vec::new(), Vec::new());
        let mut flows: Vec<(u32, u32, f64)> = Vec::new();
        let mut lumped = System { exits: vec![0.0; sets.n], states: (0..sets.n as u32).collect(), ..System::default() };
        for (i, (&set, &weight)) in sets.of.iter().zip(weights).enumerate() {
            if i % CHECKED == 0 {
                control.check()?;
            }
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
                lumped.exits[set as usize] += weight * exit;
                states.push(i as u32);
                own.push(set);
                begins.push(targets.len());
                exits.push(exit);
            }
        }
        control.check()?;
        flows.sort_by_key(|&(from, to, _)| (from, to));
        lumped.begins = room(sets.n + 1)?;
        for of_pair in flows.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
            while lumped.begins.len() <= of_pair[0].0 as usize {
                lumped.begins.push(lumped.targets.len());
            }
            lumped.targets.push(of_pair[0].1);
            lumped.values.push(of_pair.iter().map(|flow| flow.2).sum());
        }
        lumped.begins.resize(sets.n + 1, lumped.targets.len());
        let rates: Vec<f64> = (0..sets.n).map(|k| lumped.row(k).1.iter().sum::<f64>() + lumped.exits[k]).collect();
        let (groups, inverse) = invert(&lumped, &rates, control)?;
        Ok(Self { states, own, begins, targets, values, exits, rates, groups, inverse })
    }

    /// Levels that are all zero.
    pub(super) fn zeros(&self, n_sets: usize) -> Levels {
        let n_groups = |of: &Vec<u32>| of.iter().max().map_or(0, |&last| last as usize + 1);
        let mut layers = vec![vec![0.0; n_sets]];
        layers.extend(self.groups.iter().map(|of| vec![0.0; n_groups(of)]));
        Levels(layers)
    }

    /// The levels of the sets at which the flow out of each of them is `sums`.
    pub(super) fn levels(&self, sums: &[f64], control: &Control) -> Result<Levels> {
        match &self.inverse {
            Inverse::Factors(factors) => {
                // Elimination takes costs that are not negative.
                let mut both: Vec<f64> = room(2 * sums.len())?;
                both.extend(sums.iter().map(|&sum| sum.max(0.0)));
                both.extend(sums.iter().map(|&sum| (-sum).max(0.0)));
                factors.solve(&mut both, control)?;
                let (positive, negative) = both.split_at(sums.len());
                Ok(Levels(vec![positive.iter().zip(negative).map(|(p, q)| p - q).collect()]))
            }
            Inverse::Layers(layers) => {
                let mut levels = self.zeros(sums.len());
                for (to, columns) in levels.0.iter_mut().zip(layers) {
                    for (&sum, column) in sums.iter().zip(columns) {
                        to.iter_mut().zip(column).for_each(|(to, &level)| *to += sum * level);
                    }
                }
                Ok(levels)
            }
        }
    }

    /// The level of a set.
    pub(super) fn level(&self, levels: &Levels, set: u32) -> f64 {
        self.height(levels, set).0
    }

    /// The level of a set, and the sum of the sizes of its summands.
    #[inline]
    pub(super) fn height(&self, levels: &Levels, set: u32) -> (f64, f64) {
        let own = levels.0[0][set as usize];
        let (mut level, mut size) = (own, own.abs());
        for (of, layer) in self.groups.iter().zip(&levels.0[1..]) {
            let part = layer[of[set as usize] as usize];
            (level, size) = (level + part, size + part.abs());
        }
        (level, size)
    }

    /// The level of a set less that of another, from the differences in each layer; and the sum of the sizes of the
    /// numbers that differ.
    #[inline]
    pub(super) fn step(&self, levels: &Levels, set: u32, other: u32) -> (f64, f64) {
        let (a, b) = (levels.0[0][set as usize], levels.0[0][other as usize]);
        let (mut difference, mut size) = (a - b, a.abs() + b.abs());
        for (of, layer) in self.groups.iter().zip(&levels.0[1..]) {
            let (group, other_group) = (of[set as usize], of[other as usize]);
            if group != other_group {
                let (a, b) = (layer[group as usize], layer[other_group as usize]);
                (difference, size) = (difference + (a - b), size + a.abs() + b.abs());
            }
        }
        (difference, size)
    }

    /// Raises `summands`, one number for each set, to the largest that the levels bring into the equations of its states,
    /// divided by the leave probabilities. Within a group rounding spreads from each set to all.
    pub(super) fn sizes(&self, levels: &Levels, leave: &[f64], summands: &mut [f64]) {
        for (at, &set) in self.own.iter().enumerate() {
            let mut size = if self.exits[at] > 0.0 { self.exits[at] * self.height(levels, set).1 } else { 0.0 };
            let range = self.begins[at]..self.begins[at + 1];
            for (&to, &value) in self.targets[range.clone()].iter().zip(&self.values[range]) {
                size += value * self.step(levels, set, to).1;
            }
            let size = size / leave[self.states[at] as usize];
            summands[set as usize] = summands[set as usize].max(size);
        }
        if let Some(of) = self.groups.first() {
            let mut most = vec![0f64; summands.len()];
            for ((&group, size), rate) in of.iter().zip(&*summands).zip(&self.rates) {
                most[group as usize] = most[group as usize].max(size / rate);
            }
            for ((&group, size), rate) in of.iter().zip(summands).zip(&self.rates) {
                *size = size.max(most[group as usize] * rate);
            }
        }
    }

    /// Subtracts from `flows` what the levels make flow out of each state, and from their `sums` over the sets.
    pub(super) fn subtract(&self, levels: &Levels, weights: &[f64], flows: &mut [f64], sums: &mut [f64]) {
        for (at, &state) in self.states.iter().enumerate() {
            let set = self.own[at];
            let mut flow = if self.exits[at] > 0.0 { self.exits[at] * self.level(levels, set) } else { 0.0 };
            let range = self.begins[at]..self.begins[at + 1];
            for (&to, &value) in self.targets[range.clone()].iter().zip(&self.values[range]) {
                flow += value * self.step(levels, set, to).0;
            }
            flows[state as usize] -= flow;
            sums[set as usize] -= weights[state as usize] * flow;
        }
    }
}

/// The inverse of the system of sets, and how the sets are grouped for it.
fn invert(lumped: &System, rates: &[f64], control: &Control) -> Result<(Vec<Vec<u32>>, Inverse)> {
    let n = lumped.n_states();
    let factors = Factors::new(lumped, control)?;
    let mut moves = rates.to_vec();
    factors.solve(&mut moves, control)?;
    if moves.iter().fold(0.0, |most: f64, &x| most.max(x)) <= MOVES || n > MOST_GROUPED {
        return Ok((Vec::new(), Inverse::Factors(factors)));
    }
    let grouped = groups::find(lumped, control)?;
    if grouped.n == 1 || grouped.n == n {
        return Ok((Vec::new(), Inverse::Factors(factors)));
    }
    let operator = Operator::small(lumped, &grouped, control)?;
    let mut groups = vec![grouped.of.clone()];
    let above = |of: &Vec<u32>| grouped.of.iter().map(|&group| of[group as usize]).collect();
    groups.extend(operator.coarse.groups.iter().map(above));
    let mut layers = vec![Vec::new(); 1 + groups.len()];
    let mut cost = vec![0.0; n];
    for k in 0..n {
        cost[k] = 1.0;
        let parts = refine(&operator, &cost, 0.0, control)?;
        if parts.left(&operator) > EXACT {
            return Ok((Vec::new(), Inverse::Factors(factors)));
        }
        cost[k] = 0.0;
        layers[0].push(parts.deviation);
        for (columns, layer) in layers[1..].iter_mut().zip(parts.levels.0) {
            columns.push(layer);
        }
    }
    Ok((groups, Inverse::Layers(layers)))
}
