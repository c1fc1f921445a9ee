//! Which of several sets is hit first, or was left last.

use super::reach::{MOST_SETS, NONE, fates, label, recurrent_classes};
use super::solver::{Eliminated, Report, Request, decide, iterated};
use super::stationary::weights;
use crate::chains::matrix::{MarkovChain, sum};
use crate::chains::system::System;
use crate::chains::wide::Wide;
use crate::error::{Result, invalid};
use crate::memory::{filled, zeros};
use crate::run::{Control, map_items};

/// The labels of the two sets of a hitting probability.
const TARGET: u32 = 0;
const AVOID: u32 = 1;

/// Columns that are solved at a time for each thread: their memory is that of so many results.
const COLUMNS: usize = 8;

/// Fills `out` with the probability from each state that a walk comes to `targets`, before it comes to `avoid`: exactly
/// 0 and 1 where the transitions alone settle it.
///
/// # Errors
/// No target, a set of what is no state, a state in both sets; what the method reports;
/// [`Error::Memory`](crate::Error::Memory), [`Error::Interrupted`](crate::Error::Interrupted).
///
/// # Panics
/// If `out` does not have an element for each state.
pub fn hitting_probabilities(
    chain: &MarkovChain,
    targets: &[u32],
    avoid: &[u32],
    request: Request,
    out: &mut [f64],
    control: &Control,
) -> Result<Report> {
    assert_eq!(out.len(), chain.n_states(), "one probability for each state");
    if targets.is_empty() {
        return Err(invalid("targets", &[], "", "not be empty"));
    }
    let mut labels = filled(chain.n_states(), NONE)?;
    label("targets", targets, TARGET, &mut labels)?;
    label("avoid", avoid, AVOID, &mut labels)?;
    let fates = fates(chain, &labels, 0, control)?;
    let wins = |state: u32| fates[state as usize] == 1 << TARGET;
    for (state, to) in out.iter_mut().enumerate() {
        *to = f64::from(u8::from(wins(state as u32)));
    }
    let open = |state: u32| fates[state as usize] & 1 << TARGET > 0 && !wins(state);
    let system = System::new(chain, open, control)?;
    if system.n_states() == 0 {
        return Ok(Report::SETTLED);
    }
    let column = into(chain, &system, wins)?;
    let iterate = || iterated(&system, &column, request, control);
    let solve = |factors: &Eliminated<'_>| factors.solve(&column, control);
    let (found, report) = decide(&system, request, Some(&iterate), solve, control)?;
    for (&state, probability) in system.states.iter().zip(found) {
        out[state as usize] = probability.min(1.0);
    }
    Ok(report)
}

/// Fills `out`, a row of `n_sets` numbers for each state, with the probabilities that the set with label 0, 1, ... is the
/// first to be hit; states of no set have the label [`NONE`].
///
/// # Errors
/// As [`hitting_probabilities`].
///
/// # Panics
/// If there is no label for each state, one is neither below `n_sets` nor [`NONE`], or `out` has another length.
pub fn absorption_probabilities(
    chain: &MarkovChain,
    labels: &[u32],
    n_sets: usize,
    request: Request,
    out: &mut [f64],
    control: &Control,
) -> Result<Report> {
    let n_states = chain.n_states();
    assert!(labels.len() == n_states && out.len() == n_states * n_sets, "a label and a row for each state");
    assert!(labels.iter().all(|&label| label == NONE || (label as usize) < n_sets), "labels of the sets");
    out.fill(0.0);
    let mut settled = filled(n_states, true)?;
    for first in (0..n_sets).step_by(MOST_SETS) {
        for (state, fate) in fates(chain, labels, first as u32, control)?.into_iter().enumerate() {
            // The block of the only set that can be reached knows it; the others see one bit, too, which says nothing.
            let known = fate.is_power_of_two();
            settled[state] &= known;
            if known && (fate.trailing_zeros() as usize) < MOST_SETS {
                out[state * n_sets + first + fate.trailing_zeros() as usize] = 1.0;
            }
        }
    }
    let system = System::new(chain, |state| !settled[state as usize], control)?;
    if system.n_states() == 0 {
        return Ok(Report::SETTLED);
    }
    // The columns are written as they are found: all of them once more would be too much.
    let solve = |factors: &Eliminated<'_>| {
        let together = COLUMNS * control.threads();
        for first in (0..n_sets).step_by(together) {
            let width = together.min(n_sets - first);
            let columns = map_items(
                width,
                1,
                control,
                || (),
                |(), index| {
                    let sure =
                        |state: u32| settled[state as usize] && out[state as usize * n_sets + first + index] == 1.0;
                    factors.solve(&into(chain, &system, sure)?, control)
                },
            )?;
            for (number, &state) in system.states.iter().enumerate() {
                let row = &mut out[state as usize * n_sets + first..][..width];
                for (to, column) in row.iter_mut().zip(&columns) {
                    *to = column[number].min(1.0);
                }
            }
        }
        Ok(())
    };
    Ok(decide(&system, request, None, solve, control)?.1)
}

/// Fills `out` with the probability, for a stationary walk of an irreducible chain that is seen in each state, that it
/// came from `source` last and not from `target`.
///
/// A visit of a state outside both belongs to the set that was left last before it. So with the mean visits `a_i` and
/// `b_i` until the next hit, of walks that leave the one set or the other as often as the stationary chain does, the
/// probability is `a_i` / (`a_i` + `b_i`).
///
/// # Errors
/// No source, no target, a set of what is no state, a state in both sets; what the method reports;
/// [`Error::Memory`](crate::Error::Memory), [`Error::Interrupted`](crate::Error::Interrupted).
///
/// # Panics
/// If `out` does not have an element for each state.
pub fn backward_committor(
    chain: &MarkovChain,
    source: &[u32],
    target: &[u32],
    request: Request,
    out: &mut [f64],
    control: &Control,
) -> Result<Report> {
    let n_states = chain.n_states();
    assert_eq!(out.len(), n_states, "one probability for each state");
    for (argument, states) in [("source", source), ("target", target)] {
        if states.is_empty() {
            return Err(invalid(argument, &[], "", "not be empty"));
        }
    }
    let mut labels = filled(n_states, NONE)?;
    label("source", source, 0, &mut labels)?;
    label("target", target, 1, &mut labels)?;
    if let Some(state) = recurrent_classes(chain, control)?.iter().position(|&class| class != 0) {
        return Err(invalid(
            "the chain",
            &[],
            "",
            format!("be irreducible, but state 0 and state {state} do not reach each other"),
        ));
    }
    let all: Vec<u32> = (0..n_states as u32).collect();
    let (pi, _) = weights(chain, &all, request, control)?;
    let system = System::new(chain, |state| labels[state as usize] == NONE, control)?;
    for (to, &label) in out.iter_mut().zip(&labels) {
        *to = f64::from(u8::from(label == 0));
    }
    if system.n_states() == 0 {
        return Ok(Report::SETTLED);
    }
    let solve = |factors: &Eliminated<'_>| {
        let visits = |set: u32| {
            let mut entering = filled(system.n_states(), Wide::ZERO)?;
            for (state, _) in labels.iter().enumerate().filter(|&(_, &label)| label == set) {
                for (to, probability) in chain.row(state as u32).iter() {
                    if let Ok(number) = system.states.binary_search(&to) {
                        entering[number] += pi[state] * Wide::new(probability);
                    }
                }
            }
            factors.visits(&entering, control)
        };
        Ok((visits(0)?, visits(1)?))
    };
    let ((from_source, from_target), report) = decide(&system, request, None, solve, control)?;
    for (number, &state) in system.states.iter().enumerate() {
        let mut all = from_source[number];
        all += from_target[number];
        out[state as usize] = (from_source[number] / all).value().min(1.0);
    }
    Ok(report)
}

/// The probability of going in a step from each state of `system` to one outside where `wanted` holds.
fn into(chain: &MarkovChain, system: &System, wanted: impl Fn(u32) -> bool) -> Result<Vec<f64>> {
    let mut column = zeros(system.n_states())?;
    for (to, &state) in column.iter_mut().zip(&system.states) {
        let row = chain.row(state).iter();
        *to = sum(row.filter(|&(target, _)| wanted(target)).map(|(_, probability)| probability));
    }
    Ok(column)
}
