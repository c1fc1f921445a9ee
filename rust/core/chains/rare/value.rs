//! An approximation of the probability itself, for each state: what is near and what is far.
//!
//! The probability h solves h = P h off the targets, where h = 1. Sweeps of value iteration from V = 0, each state in
//! turn from the newest values of the others (Gauss-Seidel), rise towards h from below, and reach any state at once
//! that has a path to the targets, since those nearer to them come first. Only sums and products of positive numbers:
//! V keeps its digits however small it is.

use super::{Problem, Result, Status, filled, invalid};
use crate::run::Control;

/// No value is below this one, so that products with probabilities stay normal numbers; it is larger than 1e-308.
pub(super) const LEAST: f64 = 1e-300;

/// Sweeps at most, and transitions read by all of them at most.
const SWEEPS: usize = 1000;
const BUDGET: u64 = 2_000_000_000;

/// Sweeps end when none raises a value by more than this part of it.
const TOLERANCE: f64 = 1e-6;

/// Transitions between two looks at the stop flag, about.
const CHECKED: u64 = 1 << 18;

/// A positive value for each open and won state, 0 for the others: `exp(levels)`, divided by its largest, or sweeps of
/// value iteration.
pub(super) fn make(problem: &Problem<'_>, levels: Option<&[f64]>, control: &Control) -> Result<Vec<f64>> {
    let Some(levels) = levels else { return swept(problem, control) };
    let n_states = problem.chain.n_states();
    if levels.len() != n_states {
        let rule = format!("have one number for each of the {n_states} states");
        return Err(invalid("levels", &[], levels.len(), rule));
    }
    let used = |state: usize| problem.status[state] != Status::Lost;
    if let Some(state) = (0..n_states).find(|&state| used(state) && !levels[state].is_finite()) {
        return Err(invalid("levels", &[state], levels[state], "be finite where the targets can be reached"));
    }
    let most = (0..n_states).filter(|&state| used(state)).map(|state| levels[state]).fold(f64::NEG_INFINITY, f64::max);
    let mut value = filled(n_states, 0.0)?;
    for state in (0..n_states).filter(|&state| used(state)) {
        value[state] = libm::exp(levels[state] - most).max(LEAST);
    }
    Ok(value)
}

fn swept(problem: &Problem<'_>, control: &Control) -> Result<Vec<f64>> {
    let mut value = filled(problem.chain.n_states(), 0.0)?;
    for (value, &status) in value.iter_mut().zip(&problem.status) {
        *value = f64::from(u8::from(status == Status::Won));
    }
    let mut read = 0;
    let mut checked = 0;
    for _ in 0..SWEEPS {
        let mut rise = 0.0f64;
        for &state in &problem.open {
            let (mut sum, mut leave) = (0.0, 0.0);
            let row = problem.chain.row(state);
            for (target, p) in row.iter() {
                if target != state {
                    leave += p;
                    sum += p * value[target as usize];
                }
            }
            // An open state has a way out.
            let new = (sum / leave).max(LEAST);
            rise = rise.max(new / value[state as usize].max(LEAST) - 1.0);
            value[state as usize] = value[state as usize].max(new);
            read += row.targets.len() as u64;
            if read - checked > CHECKED {
                control.check()?;
                checked = read;
            }
        }
        if rise <= TOLERANCE || read > BUDGET {
            break;
        }
    }
    Ok(value)
}
