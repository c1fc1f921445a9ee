//! Strongly connected components: states that reach each other. One search serves all who ask.

use super::matrix::MarkovChain;
use crate::error::Result;
use crate::machine::huge_vec;
use crate::run::Control;

/// Transitions between two looks at the stop flag.
const CHECKED: usize = 1 << 16;

/// What a search knows of a state: the number at which it was found, from 1 (0: not yet), and the least such number
/// that it is known to reach, [`DONE`] once its component is complete.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Mark {
    found: u32,
    least: u32,
}

const DONE: u32 = u32::MAX;

/// Finds the components of what can be reached from `roots`, each after all those that it leads to, by Tarjan's
/// algorithm (SIAM J. Comput. 1, 1972) without recursion: O(states + transitions).
///
/// `next(state, position)` is the next target of `state` from `position` on, with the position after it; the first
/// position is 0. `marks` holds one fresh mark for each state; those that are not fresh are taken to be elsewhere.
/// `component` is handed the states of each component, that found first in front.
pub(super) fn search(
    roots: impl IntoIterator<Item = u32>,
    marks: &mut [Mark],
    next: impl Fn(u32, usize) -> Option<(u32, usize)>,
    mut component: impl FnMut(&[u32]),
    control: &Control,
) -> Result<()> {
    let (mut n_found, mut n_steps) = (0, 0usize);
    // States found whose component is not complete; the search path, with the next position of each of its states.
    let (mut open, mut path): (Vec<u32>, Vec<(u32, usize)>) = (Vec::new(), Vec::new());
    for root in roots {
        let mut deeper = (marks[root as usize].found == 0).then_some(root);
        loop {
            if let Some(state) = deeper.take() {
                n_found += 1;
                marks[state as usize] = Mark { found: n_found, least: n_found };
                open.push(state);
                path.push((state, 0));
            }
            let Some(&mut (state, ref mut position)) = path.last_mut() else { break };
            let Mark { found, mut least } = marks[state as usize];
            while let Some((target, after)) = next(state, *position) {
                n_steps += 1;
                if n_steps % CHECKED == 0 {
                    control.check()?;
                }
                *position = after;
                let mark = marks[target as usize];
                if mark.found == 0 {
                    deeper = Some(target);
                    break;
                }
                if mark.least != DONE {
                    least = least.min(mark.found);
                }
            }
            marks[state as usize].least = least;
            if deeper.is_some() {
                continue;
            }
            path.pop();
            if least == found {
                let first = open.iter().rposition(|&other| other == state).unwrap_or(0);
                for &member in &open[first..] {
                    marks[member as usize].least = DONE;
                }
                component(&open[first..]);
                open.truncate(first);
            } else if let Some(&(before, _)) = path.last() {
                let before = &mut marks[before as usize].least;
                *before = least.min(*before);
            }
        }
    }
    Ok(())
}

/// The component of each state, numbered such that no transition leads to a component with a higher number. Row `i` of
/// the graph is `indices[indptr[i]..indptr[i + 1]]`. O(states + transitions).
///
/// # Errors
/// [`Error::Memory`](crate::Error::Memory), [`Error::Interrupted`](crate::Error::Interrupted).
///
/// # Panics
/// If `indptr` and `indices` do not describe rows of states.
pub fn strong_components(indptr: &[i64], indices: &[u32], control: &Control) -> Result<Vec<u32>> {
    let next = |state: u32, position: usize| {
        let at = indptr[state as usize] as usize + position;
        (at < indptr[state as usize + 1] as usize).then(|| (indices[at], position + 1))
    };
    numbered(indptr.len() - 1, next, control)
}

/// As [`strong_components`], of the transitions of a chain.
///
/// # Errors
/// [`Error::Memory`](crate::Error::Memory), [`Error::Interrupted`](crate::Error::Interrupted).
pub fn chain_components(chain: &MarkovChain, control: &Control) -> Result<Vec<u32>> {
    let targets = chain.targets();
    let next = |state: u32, position: usize| {
        let (begin, degree) = chain.span(state);
        (position < degree).then(|| (targets[begin + position], position + 1))
    };
    numbered(chain.n_states(), next, control)
}

fn numbered(n_states: usize, next: impl Fn(u32, usize) -> Option<(u32, usize)>, control: &Control) -> Result<Vec<u32>> {
    let (mut marks, mut numbers) = (huge_vec(n_states)?, huge_vec(n_states)?);
    marks.resize(n_states, Mark::default());
    numbers.resize(n_states, 0);
    let mut n_components = 0;
    let number = |states: &[u32]| {
        for &state in states {
            numbers[state as usize] = n_components;
        }
        n_components += 1;
    };
    search(0..n_states as u32, &mut marks, next, number, control)?;
    Ok(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn states_share_a_component_if_they_reach_each_other(edges in prop::collection::vec((0u32..7, 0u32..7), 0..20)) {
            let mut sorted = edges.clone();
            sorted.sort_unstable();
            let indices: Vec<u32> = sorted.iter().map(|&(_, to)| to).collect();
            let indptr: Vec<i64> = (0..8).map(|s| sorted.iter().filter(|&&(from, _)| from < s).count() as i64).collect();
            let mut reaches = [[false; 7]; 7];
            (0..7).for_each(|s| reaches[s][s] = true);
            for &(from, to) in &sorted {
                reaches[from as usize][to as usize] = true;
            }
            for via in 0..7 {
                for from in 0..7 {
                    for to in 0..7 {
                        reaches[from][to] |= reaches[from][via] && reaches[via][to];
                    }
                }
            }
            let component = strong_components(&indptr, &indices, &Control::default()).unwrap();
            for from in 0..7 {
                for to in 0..7 {
                    prop_assert_eq!(component[from] == component[to], reaches[from][to] && reaches[to][from]);
                    prop_assert!(!reaches[from][to] || component[from] >= component[to]);
                }
            }
        }
    }

    #[test]
    fn a_path_of_a_million_states_needs_no_deep_stack() {
        let n = 1_000_000u32;
        let indptr: Vec<i64> = (0..=i64::from(n)).collect();
        let ring: Vec<u32> = (1..n).chain([0]).collect();
        let component = strong_components(&indptr, &ring, &Control::default()).unwrap();
        assert!(component.iter().all(|&c| c == 0));
        let line: Vec<u32> = (1..n).chain([n - 1]).collect();
        let component = strong_components(&indptr, &line, &Control::default()).unwrap();
        assert!((0..n).all(|s| component[s as usize] == n - 1 - s));
    }
}
