//! Weights under which the flows between states balance.

use super::CHECKED;
use super::sets::Sets;
use crate::chains::elimination::Factors;
use crate::chains::system::System;
use crate::error::Result;
use crate::memory::{room, zeros};
use crate::run::Control;
use std::collections::VecDeque;

/// Sweeps that bring the weights of states that are not reversible near the stationary law of their set. They need not
/// be exact: with any weights the solver is right, with those it takes the fewest steps.
const SWEEPS: usize = 30;

/// The least weight of a state in its set.
const LEAST: f64 = 1e-280;

/// A positive number of any size: `mantissa * 2^(512 exponent)`, the mantissa within 2^-256 and 2^256.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Wide {
    mantissa: f64,
    exponent: i32,
}

const UP: f64 = f64::from_bits((1023 + 512) << 52);
const DOWN: f64 = f64::from_bits((1023 - 512) << 52);
const HIGH: f64 = f64::from_bits((1023 + 256) << 52);
const LOW: f64 = f64::from_bits((1023 - 256) << 52);

impl Wide {
    pub(super) const ONE: Self = Self { mantissa: 1.0, exponent: 0 };

    fn new(mut mantissa: f64, mut exponent: i32) -> Self {
        while mantissa > HIGH {
            (mantissa, exponent) = (mantissa * DOWN, exponent + 1);
        }
        while mantissa < LOW && mantissa > 0.0 {
            (mantissa, exponent) = (mantissa * UP, exponent - 1);
        }
        Self { mantissa, exponent }
    }

    fn times(self, factor: f64) -> Self {
        let factor = Self::new(factor, 0);
        Self::new(self.mantissa * factor.mantissa, self.exponent + factor.exponent)
    }

    fn divided(self, divisor: f64) -> Self {
        let divisor = Self::new(divisor, 0);
        Self::new(self.mantissa / divisor.mantissa, self.exponent - divisor.exponent)
    }

    /// The ratio of two numbers; 0 or infinity where it is out of range.
    pub(super) fn over(self, other: Self) -> f64 {
        let ratio = self.mantissa / other.mantissa;
        match self.exponent - other.exponent {
            0 => ratio,
            1 => ratio * UP,
            2 => ratio * UP * UP,
            -1 => ratio * DOWN,
            -2 => ratio * DOWN * DOWN,
            more => {
                if more > 0 {
                    f64::INFINITY
                } else {
                    0.0
                }
            }
        }
    }

    fn exceeds(self, other: Self) -> bool {
        self.over(other) > 1.0
    }
}

/// The weights w with `w_i a_ij = w_j a_ji` for all transitions, if there are such: products of ratios along a tree
/// that spans the system, confirmed on every edge to within `tolerance`. Each part that is not connected to the rest has a state of weight 1.
pub(super) fn balancing(system: &System, tolerance: f64, control: &Control) -> Result<Option<Vec<Wide>>> {
    const NONE: Wide = Wide { mantissa: 0.0, exponent: 0 };
    let n = system.n_states();
    let mut weights = room(n)?;
    weights.resize(n, NONE);
    let mut queue = VecDeque::new();
    let mut n_seen = 0usize;
    for root in 0..n as u32 {
        if weights[root as usize] != NONE {
            continue;
        }
        weights[root as usize] = Wide::ONE;
        queue.push_back(root);
        while let Some(i) = queue.pop_front() {
            n_seen += 1;
            if n_seen.is_multiple_of(CHECKED) {
                control.check()?;
            }
            let (targets, values) = system.row(i as usize);
            for (&j, &there) in targets.iter().zip(values) {
                if weights[j as usize] == NONE {
                    let (back_targets, back_values) = system.row(j as usize);
                    let Ok(back) = back_targets.binary_search(&i) else { return Ok(None) };
                    weights[j as usize] = weights[i as usize].times(there).divided(back_values[back]);
                    queue.push_back(j);
                }
            }
        }
    }
    Ok(balances(system, &weights, tolerance, control)?.then_some(weights))
}

/// Whether each transition has one back, and both flows are the same. Rows are gone through in order, hence the
/// transitions back to them are met in order too: those of a row to lower states come first in it, and have all been met
/// when its turn comes.
fn balances(system: &System, weights: &[Wide], tolerance: f64, control: &Control) -> Result<bool> {
    let mut next: Vec<usize> = room(weights.len())?;
    next.extend_from_slice(&system.begins[..weights.len()]);
    for (i, weight) in weights.iter().enumerate() {
        if i % CHECKED == 0 {
            control.check()?;
        }
        let upper = next[i]..system.begins[i + 1];
        for (&j, &there) in system.targets[upper.clone()].iter().zip(&system.values[upper]) {
            let at = next[j as usize];
            // Transitions to lower states that were not met lead back to states that do not lead here.
            if j < i as u32 || at >= system.begins[j as usize + 1] || system.targets[at] != i as u32 {
                return Ok(false);
            }
            next[j as usize] = at + 1;
            let (back, other) = (system.values[at], weights[j as usize]);
            let ratio = if weight.exponent == other.exponent && there.min(back) > 1e-200 {
                (weight.mantissa * there) / (other.mantissa * back)
            } else {
                weight.times(there).over(other.times(back))
            };
            if (ratio - 1.0).abs() > tolerance || ratio.is_nan() {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// The weights of each set in proportion to `weights`, the greatest of them 1.
pub(super) fn within(sets: &Sets, weights: &[Wide]) -> Result<Vec<f64>> {
    let mut greatest: Vec<Option<Wide>> = vec![None; sets.n];
    for (&set, &weight) in sets.of.iter().zip(weights) {
        let most = &mut greatest[set as usize];
        if most.is_none_or(|most| weight.exceeds(most)) {
            *most = Some(weight);
        }
    }
    let mut out = room(weights.len())?;
    let ratio = |(&set, weight): (&u32, &Wide)| greatest[set as usize].map_or(1.0, |most| weight.over(most));
    out.extend(sets.of.iter().zip(weights).map(ratio).map(|weight| weight.max(LEAST)));
    Ok(out)
}

/// All weights as floats, the greatest 1.
pub(super) fn all(weights: &[Wide]) -> Result<Vec<f64>> {
    let most = weights.iter().fold(Wide::ONE, |most, &weight| if weight.exceeds(most) { weight } else { most });
    let mut out = room(weights.len())?;
    out.extend(weights.iter().map(|weight| weight.over(most)));
    Ok(out)
}

/// Weights of states in proportion to the stationary law of their set with its own transitions alone, roughly; the
/// greatest of each set is 1.
pub(super) fn stationary(system: &System, sets: &Sets, control: &Control) -> Result<Vec<f64>> {
    let n = system.n_states();
    let mut inner: Vec<f64> = zeros(n)?;
    for (i, inner) in inner.iter_mut().enumerate() {
        if i % CHECKED == 0 {
            control.check()?;
        }
        let (targets, values) = system.row(i);
        let own = targets.iter().zip(values).filter(|&(&j, _)| sets.of[j as usize] == sets.of[i]);
        *inner = own.map(|(_, &value)| value).sum();
    }
    // Numbers of steps, not of stays: they spread much less than the weights, which are divided by `inner` at the end.
    let mut steps: Vec<f64> = room(n)?;
    steps.resize(n, 1.0);
    let mut next = zeros(n)?;
    for _ in 0..SWEEPS {
        next.iter_mut().zip(&steps).for_each(|(to, &now)| *to = 0.2 * now);
        for i in 0..n {
            if i % CHECKED == 0 {
                control.check()?;
            }
            let (targets, values) = system.row(i);
            let share = 0.8 * steps[i] / inner[i];
            for (&j, &value) in targets.iter().zip(values) {
                if sets.of[j as usize] == sets.of[i] {
                    next[j as usize] += share * value;
                }
            }
        }
        std::mem::swap(&mut steps, &mut next);
    }
    steps.iter_mut().zip(&inner).for_each(|(step, &inner)| *step = if inner > 0.0 { *step / inner } else { 1.0 });
    greatest_one(sets, &mut steps);
    Ok(steps)
}

/// The transitions within the sets alone, one state of each set having an exit, eliminated; and the stationary law of
/// each set with them, the greatest weight of each being 1.
pub(super) fn eliminated(system: &System, sets: &Sets, control: &Control) -> Result<(Factors, Vec<f64>)> {
    let n = system.n_states();
    let mut within = System { begins: vec![0], exits: zeros(n)?, states: system.states.clone(), ..System::default() };
    let mut first = vec![true; sets.n];
    let mut weights = zeros(n)?;
    for i in 0..n {
        let (targets, values) = system.row(i);
        for (&j, &value) in targets.iter().zip(values).filter(|&(&j, _)| sets.of[j as usize] == sets.of[i]) {
            within.targets.push(j);
            within.values.push(value);
        }
        if std::mem::take(&mut first[sets.of[i] as usize]) {
            let inner: f64 = within.values[within.begins[i]..].iter().sum();
            within.exits[i] = if inner > 0.0 { inner } else { 1.0 };
            weights[i] = within.exits[i];
        }
        within.begins.push(within.targets.len());
    }
    let factors = Factors::new(&within, control)?;
    factors.visits(&mut weights, control)?;
    greatest_one(sets, &mut weights);
    Ok((factors, weights))
}

/// Divides the weights of each set by the greatest of them.
pub(super) fn greatest_one(sets: &Sets, weights: &mut [f64]) {
    let mut greatest = vec![0f64; sets.n];
    for (&weight, &set) in weights.iter().zip(&sets.of) {
        greatest[set as usize] = greatest[set as usize].max(weight);
    }
    weights.iter_mut().zip(&sets.of).for_each(|(x, &set)| *x = (*x / greatest[set as usize]).max(LEAST));
}
