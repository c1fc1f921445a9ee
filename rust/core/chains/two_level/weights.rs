//! Weights of states within their sets.

use super::CHECKED;
use super::sets::Sets;
use crate::chains::elimination::Factors;
use crate::chains::system::System;
use crate::chains::wide::Wide;
use crate::error::Result;
use crate::memory::{room, zeros};
use crate::run::Control;

/// Sweeps that bring the weights of states that are not reversible near the stationary law of their set. They need not
/// be exact: with any weights the solver is right, with those it takes the fewest steps.
const SWEEPS: usize = 30;

/// The least weight of a state in its set.
const LEAST: f64 = 1e-280;

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
    let ratio = |(&set, &weight): (&u32, &Wide)| greatest[set as usize].map_or(1.0, |most| (weight / most).value());
    out.extend(sets.of.iter().zip(weights).map(ratio).map(|weight| weight.max(LEAST)));
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
