//! What walks show of themselves without being written down: visits, ends, occupancy by step.

use super::matrix::MarkovChain;
use super::tally::Tally;
use super::watch::Walks;
use crate::error::{Result, invalid};
use crate::machine::prefetch;
use crate::run::Control;

/// The label of a state that is counted nowhere.
pub const UNLABELLED: u32 = u32::MAX;

/// Adds to `out`, one counter for each state, how often the walks are there at the steps from `from_step` to their last;
/// step 0 is the start. Cost: O(walks x steps), and 0.5 MB a thread beside `out`.
///
/// # Errors
/// If the starts are for another number of walks; [`Error::Memory`](crate::Error::Memory) for the tables;
/// [`Error::Interrupted`](crate::Error::Interrupted).
///
/// # Panics
/// If `out` does not have one counter for each state.
pub fn count_visits(
    chain: &MarkovChain,
    walks: &Walks<'_>,
    from_step: usize,
    out: &mut [i64],
    control: &Control,
) -> Result<()> {
    assert_eq!(out.len(), chain.n_states(), "one counter for each state");
    let tally = Tally::new(out, control.threads());
    walks.watch(
        chain,
        &mut vec![(); walks.n_walks],
        control,
        || tally.counter(),
        |counter, _, _, step, states| {
            if step >= from_step {
                counter.add(states.iter().map(|&state| u64::from(state)));
            }
        },
    )
}

/// Fills `out` with the state of each walk after its last step.
///
/// # Errors
/// As [`count_visits`].
///
/// # Panics
/// If `out` does not have one element for each walk.
pub fn endpoints(chain: &MarkovChain, walks: &Walks<'_>, out: &mut [u32], control: &Control) -> Result<()> {
    assert_eq!(out.len(), walks.n_walks, "one end for each walk");
    walks.watch(
        chain,
        out,
        control,
        || (),
        |(), ends, _, step, states| {
            if step == walks.n_steps {
                ends.copy_from_slice(states);
            }
        },
    )
}

/// Adds to `out`, `n_labels` counters for each step from 0 to the last, how many walks are then at a state with each
/// label. Without `labels` each state is its own. Cost: as [`count_visits`], and a read of the label.
///
/// # Errors
/// As [`count_visits`], and for a label that is neither below `n_labels` nor [`UNLABELLED`].
///
/// # Panics
/// If `out` does not have `n_labels` counters for each step, or `labels` not one label for each state.
pub fn occupancy(
    chain: &MarkovChain,
    walks: &Walks<'_>,
    labels: Option<&[u32]>,
    n_labels: usize,
    out: &mut [i64],
    control: &Control,
) -> Result<()> {
    assert_eq!(Some(out.len()), walks.n_steps.checked_add(1).and_then(|steps| steps.checked_mul(n_labels)));
    assert_eq!(labels.map_or(n_labels, <[u32]>::len), chain.n_states(), "one label for each state");
    let wrong = |&label: &u32| label != UNLABELLED && label as usize >= n_labels;
    if let Some((state, label)) = labels.and_then(|labels| labels.iter().enumerate().find(|(_, label)| wrong(label))) {
        return Err(invalid("labels", &[state], label, format!("be below the number of labels, {n_labels}")));
    }
    let tally = Tally::new(out, control.threads());
    walks.watch(
        chain,
        &mut vec![(); walks.n_walks],
        control,
        || tally.counter(),
        |counter, _, _, step, states| {
            let begin = (step * n_labels) as u64;
            let Some(labels) = labels else {
                counter.add(states.iter().map(|&state| begin + u64::from(state)));
                return;
            };
            for &state in states {
                prefetch(labels, state as usize);
            }
            let known = states.iter().map(|&state| labels[state as usize]).filter(|&label| label != UNLABELLED);
            counter.add(known.map(|label| begin + u64::from(label)));
        },
    )
}
