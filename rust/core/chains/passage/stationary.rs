//! Where a chain is in the long run.

use super::solver::{Eliminated, Report, Request, Taken, decide};
use crate::chains::matrix::MarkovChain;
use crate::chains::system::System;
use crate::chains::two_level;
use crate::chains::wide::Wide;
use crate::error::Result;
use crate::memory::filled;
use crate::run::Control;

/// Fills `out` with the stationary distribution of the recurrent class with the number `class`, given those of all states
/// as [`recurrent_classes`](super::recurrent_classes) numbers them: 0 outside of it.
///
/// # Errors
/// What the method reports; [`Error::Memory`](crate::Error::Memory), [`Error::Interrupted`](crate::Error::Interrupted).
///
/// # Panics
/// If `classes` or `out` does not have an element for each state, or there is no such class.
pub fn stationary_distribution(
    chain: &MarkovChain,
    classes: &[u32],
    class: u32,
    request: Request,
    out: &mut [f64],
    control: &Control,
) -> Result<Report> {
    assert!(out.len() == chain.n_states() && classes.len() == out.len(), "one number for each state");
    out.fill(0.0);
    let states: Vec<u32> = (0..).zip(classes).filter(|&(_, &other)| other == class).map(|(state, _)| state).collect();
    if let [state] = states[..] {
        out[state as usize] = 1.0;
        return Ok(Report::SETTLED);
    }
    let (weights, report) = weights(chain, &states, request, control)?;
    let mut all = Wide::ZERO;
    for &weight in &weights {
        all += weight;
    }
    for (&state, weight) in states.iter().zip(weights) {
        out[state as usize] = (weight / all).value();
    }
    Ok(report)
}

/// The stationary distribution of a recurrent class but for a factor. `states` are those of the class, ascending.
///
/// One of them is the reference r: between two visits of r, walks begin steps in state j as often as its probability is
/// larger than that of r.
pub(super) fn weights(
    chain: &MarkovChain,
    states: &[u32],
    request: Request,
    control: &Control,
) -> Result<(Vec<Wide>, Report)> {
    let reference = reference(chain, states, control)?;
    let mut inside = filled(chain.n_states(), false)?;
    for &state in states {
        inside[state as usize] = true;
    }
    inside[reference as usize] = false;
    let system = System::new(chain, |state| inside[state as usize], control)?;
    drop(inside);
    // Walks leave r with 1, not with what may be 1e-200, so that the visits are of a size that f64 holds well.
    let leave = Wide::new(chain.leaving(reference));
    let mut entering = filled(system.n_states(), Wide::ZERO)?;
    for (to, probability) in chain.row(reference).iter() {
        if let Ok(number) = system.states.binary_search(&to) {
            entering[number] = Wide::new(probability) / leave;
        }
    }
    let eliminate = |factors: &Eliminated<'_>| {
        let mut weights = factors.visits(&entering, control)?;
        let place = states.partition_point(|&state| state < reference);
        weights.insert(place, Wide::new(1.0) / leave);
        Ok(weights)
    };
    let iterate = || {
        let class = System::among(chain, states, control)?;
        let solved = two_level::stationary(&class, request.tolerance, control)?;
        let report = Report { taken: Taken::Iterative, residual: solved.residual, n_steps: solved.n_steps };
        Ok((solved.values.into_iter().map(Wide::new).collect(), report))
    };
    decide(&system, request, Some(&iterate), eliminate, control)
}

/// A state that is probably visited as often as any: where the most leads in, for what leads out.
fn reference(chain: &MarkovChain, states: &[u32], control: &Control) -> Result<u32> {
    let mut inflow = filled(chain.n_states(), 0.0)?;
    for &state in states {
        for (to, probability) in chain.row(state).iter().filter(|&(to, _)| to != state) {
            inflow[to as usize] += probability;
        }
    }
    control.check()?;
    let (mut best, mut most) = (states[0], f64::NEG_INFINITY);
    for &state in states {
        let share = inflow[state as usize].ln() - chain.leaving(state).ln();
        if share > most {
            (best, most) = (state, share);
        }
    }
    Ok(best)
}
