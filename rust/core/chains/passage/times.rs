//! Mean hitting times, and the mean costs that add up until then.

use super::reach::{LOST, NONE, fates, label, reaching};
use super::solver::{Iteration, Report, Request, decide, iterated};
use crate::chains::matrix::MarkovChain;
use crate::chains::system::System;
use crate::error::{Result, invalid};
use crate::memory::{filled, zeros};
use crate::run::Control;

/// Fills `out` with the mean number of steps from each state to the first visit of `targets`: 0 from a target, infinite
/// from where the targets may be missed. With `costs` a step out of state i counts as `costs[i]`, not as one.
///
/// # Errors
/// No target, or one that is not a state; costs of another number, negative or not finite; what the method reports;
/// [`Error::Memory`](crate::Error::Memory), [`Error::Interrupted`](crate::Error::Interrupted).
///
/// # Panics
/// If `out` does not have an element for each state.
pub fn mean_hitting_times(
    chain: &MarkovChain,
    targets: &[u32],
    costs: Option<&[f64]>,
    request: Request,
    out: &mut [f64],
    control: &Control,
) -> Result<Report> {
    let n_states = chain.n_states();
    assert_eq!(out.len(), n_states, "one time for each state");
    if targets.is_empty() {
        return Err(invalid("targets", &[], "", "not be empty"));
    }
    if let Some(costs) = costs {
        check_costs(costs, n_states)?;
    }
    let mut labels = filled(n_states, NONE)?;
    label("targets", targets, 0, &mut labels)?;
    let fates = fates(chain, &labels, 0, control)?;
    for (state, time) in out.iter_mut().enumerate() {
        *time = if fates[state] & LOST > 0 { f64::INFINITY } else { 0.0 };
    }
    let system = System::new(chain, |s| fates[s as usize] == 1 && labels[s as usize] == NONE, control)?;
    drop((fates, labels));
    if system.n_states() == 0 {
        return Ok(Report::SETTLED);
    }
    let mut column = zeros(system.n_states())?;
    for (to, &state) in column.iter_mut().zip(&system.states) {
        *to = costs.map_or(1.0, |costs| costs[state as usize]);
    }
    let iterate = || iterated(&system, &column, request, control);
    // The iteration wants a cost ahead of each state.
    let iterable = column.iter().all(|&cost| cost > 0.0)
        || reaching(&system, |state| column[state] > 0.0, false, control)?.into_iter().all(|ahead| ahead);
    let iterate: Option<Iteration<'_, _>> = if iterable { Some(&iterate) } else { None };
    let (times, report) = decide(&system, request, iterate, |factors| factors.solve(&column, control), control)?;
    for (&state, time) in system.states.iter().zip(times) {
        out[state as usize] = time;
    }
    Ok(report)
}

fn check_costs(costs: &[f64], n_states: usize) -> Result<()> {
    if costs.len() != n_states {
        return Err(invalid("costs", &[], costs.len(), format!("be one for each of the {n_states} states")));
    }
    match costs.iter().position(|&cost| !(0.0..f64::INFINITY).contains(&cost)) {
        Some(state) => Err(invalid("costs", &[state], costs[state], "be finite and not negative")),
        None => Ok(()),
    }
}
