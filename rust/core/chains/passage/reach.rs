//! What the transitions alone settle, whatever their probabilities.

use crate::chains::connected::{Mark, search};
use crate::chains::matrix::MarkovChain;
use crate::chains::structure::Classes;
use crate::chains::system::System;
use crate::error::{Result, invalid};
use crate::memory::{filled, room};
use crate::run::Control;

/// The label of a state that is in no set.
pub const NONE: u32 = u32::MAX;

/// Sets that [`fates`] tells apart at a time.
pub(super) const MOST_SETS: usize = 62;

/// The bit of walks that come to a set which is not told apart.
pub(super) const OTHER: u64 = 1 << 62;

/// The bit of walks that come to no set at all.
pub(super) const LOST: u64 = 1 << 63;

/// States between two looks at the stop flag.
const CHECKED: usize = 4096;

/// Gives `states` the label `with`.
///
/// # Errors
/// If one of them is not a state, or has another label already.
pub fn label(argument: &str, states: &[u32], with: u32, labels: &mut [u32]) -> Result<()> {
    let n_states = labels.len();
    for (index, &state) in states.iter().enumerate() {
        match labels.get_mut(state as usize) {
            None => {
                return Err(invalid(argument, &[index], state, format!("be below the number of states, {n_states}")));
            }
            Some(label) if *label == NONE || *label == with => *label = with,
            Some(_) => return Err(invalid(argument, &[index], state, "be a state that is in no other set")),
        }
    }
    Ok(())
}

/// What can become of walks from each state: bit `l - first` says that they may come to the set with label `l` before
/// any other, [`OTHER`] that they may come to one with another label, [`LOST`] that they may come to where no set can be
/// reached. One bit alone is a certainty, for the chain is finite. A state of a set has come to it.
/// Cost: O(states + transitions); 16 bytes a state.
pub(super) fn fates(chain: &MarkovChain, labels: &[u32], first: u32, control: &Control) -> Result<Vec<u64>> {
    let onward = |state: u32| if labels[state as usize] == NONE { chain.row(state).targets } else { &[] };
    let next = |state: u32, position: usize| onward(state).get(position).map(|&target| (target, position + 1));
    let (mut marks, mut known) = (filled(chain.n_states(), Mark::default())?, filled(chain.n_states(), 0u64)?);
    // What a component leads to is known before, and nothing yet of its own states.
    let settle = |states: &[u32]| {
        let ahead = states.iter().flat_map(|&state| onward(state)).fold(0, |all, &target| all | known[target as usize]);
        let fate = match labels[states[0] as usize] {
            NONE if ahead == 0 => LOST,
            NONE => ahead,
            label => label.checked_sub(first).filter(|&bit| (bit as usize) < MOST_SETS).map_or(OTHER, |bit| 1 << bit),
        };
        for &state in states {
            known[state as usize] = fate;
        }
    };
    search(0..chain.n_states() as u32, &mut marks, next, settle, control)?;
    Ok(known)
}

/// The recurrent class of each state, numbered by their smallest states; [`NONE`] for a transient state.
///
/// # Errors
/// [`Error::Memory`](crate::Error::Memory), [`Error::Interrupted`](crate::Error::Interrupted).
pub fn recurrent_classes(chain: &MarkovChain, control: &Control) -> Result<Vec<u32>> {
    let Classes { mut labels, recurrent, .. } = Classes::new(chain, control)?;
    let mut numbers = room(recurrent.len())?;
    let mut n_classes = 0;
    for recurrent in recurrent {
        numbers.push(if recurrent { n_classes } else { NONE });
        n_classes += u32::from(recurrent);
    }
    for label in &mut labels {
        *label = numbers[*label as usize];
    }
    Ok(labels)
}

/// The states of a system from which one where `marked` holds can be reached, or, `backwards`, that can be reached from
/// such a state; itself included. Cost: O(states + transitions).
pub(super) fn reaching(
    system: &System,
    marked: impl Fn(usize) -> bool,
    backwards: bool,
    control: &Control,
) -> Result<Vec<bool>> {
    let n = system.n_states();
    let (begins, sources) = if backwards { (Vec::new(), Vec::new()) } else { system.sources()? };
    let next = |state: usize| if backwards { system.row(state).0 } else { &sources[begins[state]..begins[state + 1]] };
    let mut found = filled(n, false)?;
    let mut open: Vec<u32> = room(n)?;
    open.extend((0..n as u32).filter(|&state| marked(state as usize)));
    for &state in &open {
        found[state as usize] = true;
    }
    let mut steps = 0usize;
    while let Some(state) = open.pop() {
        steps += 1;
        if steps.is_multiple_of(CHECKED) {
            control.check()?;
        }
        for &other in next(state as usize) {
            if !std::mem::replace(&mut found[other as usize], true) {
                open.push(other);
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chains::matrix::{Dangling, Edges};
    use proptest::prelude::*;

    fn chain(edges: &[(u32, u32)], n_states: usize) -> MarkovChain {
        let (source, target): (Vec<u32>, Vec<u32>) = edges.iter().copied().unzip();
        let edges = Edges { source: &source[..], target: &target[..], weight: None, directed: true };
        MarkovChain::from_edges(edges, Some(n_states), Dangling::Absorb, &Control::default()).unwrap()
    }

    /// The fates by following the transitions of all states until nothing changes.
    fn slowly(chain: &MarkovChain, labels: &[u32]) -> Vec<u64> {
        let n = chain.n_states();
        let mut reach: Vec<Vec<bool>> = (0..n).map(|i| (0..n).map(|j| i == j).collect()).collect();
        for _ in 0..n {
            for row in &mut reach {
                for state in 0..n {
                    if row[state] && labels[state] == NONE {
                        for &target in chain.row(state as u32).targets {
                            row[target as usize] = true;
                        }
                    }
                }
            }
        }
        let sets =
            |i: usize| (0..n).filter(|&j| reach[i][j] && labels[j] != NONE).fold(0u64, |all, j| all | 1 << labels[j]);
        let lost = |i: usize| (0..n).any(|j| reach[i][j] && sets(j) == 0);
        (0..n).map(|i| sets(i) | if lost(i) { LOST } else { 0 }).collect()
    }

    proptest! {
        #[test]
        fn fates_are_what_walks_can_come_to(
            edges in prop::collection::vec((0u32..8, 0u32..8), 0..24),
            labels in prop::collection::vec(prop::sample::select(vec![NONE, NONE, NONE, 0, 1, 2]), 8),
        ) {
            let (chain, control) = (chain(&edges, 8), Control::default());
            let expected = slowly(&chain, &labels);
            prop_assert_eq!(&fates(&chain, &labels, 0, &control).unwrap(), &expected);
            // Seen from the second set on, the first is one of the others.
            let others = fates(&chain, &labels, 1, &control).unwrap();
            for (other, all) in others.into_iter().zip(expected) {
                prop_assert_eq!(other, (all & !LOST) >> 1 | (all & LOST) | if all & 1 > 0 { OTHER } else { 0 });
            }
        }

        #[test]
        fn a_class_is_recurrent_if_all_that_it_leads_to_leads_back(edges in prop::collection::vec((0u32..7, 0u32..7), 0..20)) {
            let (chain, control) = (chain(&edges, 7), Control::default());
            let leads_to = |from: u32, to: u32| {
                let labels: Vec<u32> = (0..7).map(|state| if state == to { 0 } else { NONE }).collect();
                fates(&chain, &labels, 0, &control).unwrap()[from as usize] & 1 > 0
            };
            let classes = recurrent_classes(&chain, &control).unwrap();
            let mut firsts = Vec::new();
            for i in 0..7 {
                let recurrent = (0..7).all(|j| !leads_to(i, j) || leads_to(j, i));
                prop_assert_eq!(recurrent, classes[i as usize] != NONE);
                if recurrent {
                    let first = (0..7).find(|&j| leads_to(i, j)).unwrap();
                    if first == i {
                        firsts.push(i);
                    }
                    prop_assert_eq!(firsts[classes[i as usize] as usize], first);
                }
            }
        }
    }

    #[test]
    fn a_state_has_one_label() {
        let mut labels = vec![NONE; 3];
        label("targets", &[0, 0, 2], 0, &mut labels).unwrap();
        let shared = label("avoid", &[1, 2], 1, &mut labels).unwrap_err();
        assert_eq!(shared.to_string(), "avoid[1] must be a state that is in no other set, got 2");
        assert!(
            label("avoid", &[3], 1, &mut labels).unwrap_err().to_string().contains("below the number of states, 3")
        );
    }
}
