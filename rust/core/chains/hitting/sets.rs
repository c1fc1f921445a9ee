//! Which states belong together: strongly connected components of a part of a chain.

use crate::chains::connected::{self, Mark};
use crate::chains::matrix::MarkovChain;
use crate::error::Result;
use crate::run::Control;

/// A set of states of a chain, one bit each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateSet {
    words: Vec<u64>,
    n_states: usize,
}

impl StateSet {
    /// The set of none of `n_states` states.
    pub fn new(n_states: usize) -> Self {
        Self { words: vec![0; n_states.div_ceil(64)], n_states }
    }

    /// Adds a state.
    ///
    /// # Panics
    /// If there is no such state.
    pub fn insert(&mut self, state: u32) {
        assert!((state as usize) < self.n_states, "a set holds states of its chain");
        self.words[state as usize / 64] |= 1 << (state % 64);
    }

    /// Whether it holds `state`.
    ///
    /// # Panics
    /// If there is no such state.
    #[inline]
    pub fn contains(&self, state: u32) -> bool {
        self.bit(state) != 0
    }

    /// 1 if it holds `state`, else 0.
    #[inline]
    pub(super) fn bit(&self, state: u32) -> u64 {
        self.words[state as usize / 64] >> (state % 64) & 1
    }

    /// Number of states of the chain.
    pub fn n_states(&self) -> usize {
        self.n_states
    }

    /// Adds the states of `other`, a set of the same chain.
    pub(super) fn extend(&mut self, other: &Self) {
        for (word, more) in self.words.iter_mut().zip(&other.words) {
            *word |= more;
        }
    }
}

/// Finds strongly connected components within parts of a chain. Takes 12 bytes a state.
#[derive(Debug)]
pub(super) struct Components<'a> {
    chain: &'a MarkovChain,
    /// The part that each state is in.
    part: Vec<u32>,
    marks: Vec<Mark>,
    n_parts: u32,
}

/// A component, its states ascending, and the least probability of a transition within it that is not below the
/// threshold at which it was found.
#[derive(Debug, PartialEq)]
pub(super) struct Component {
    pub(super) states: Vec<u32>,
    pub(super) least: f64,
}

impl<'a> Components<'a> {
    pub(super) fn new(chain: &'a MarkovChain) -> Self {
        let n = chain.n_states();
        Self { chain, part: vec![0; n], marks: vec![Mark::default(); n], n_parts: 0 }
    }

    /// The components of `states` joined by transitions of probability `threshold` and more among them. A component
    /// comes after all that can be reached from it. Cost: O(states + their transitions).
    pub(super) fn of(&mut self, states: &[u32], threshold: f64, control: &Control) -> Result<Vec<Component>> {
        self.n_parts += 1;
        let (chain, part) = (self.chain, self.n_parts);
        for &state in states {
            (self.part[state as usize], self.marks[state as usize]) = (part, Mark::default());
        }
        let parts = &self.part;
        let next = |state, position| {
            let row = chain.row(state);
            let within =
                |&index: &usize| parts[row.targets[index] as usize] == part && row.probability(index) >= threshold;
            (position..row.targets.len()).find(within).map(|index| (row.targets[index], index + 1))
        };
        let mut components = Vec::new();
        let collect = |states: &[u32]| {
            let mut states = states.to_vec();
            states.sort_unstable();
            components.push(Component { states, least: f64::INFINITY });
        };
        connected::search(states.iter().copied(), &mut self.marks, next, collect, control)?;
        // Parts of their own, so that what lies within a component can be told.
        for component in &mut components {
            self.n_parts += 1;
            for &state in &component.states {
                self.part[state as usize] = self.n_parts;
            }
            for &state in &component.states {
                for (target, probability) in chain.row(state).iter() {
                    let within = target != state && self.part[target as usize] == self.n_parts;
                    if within && probability >= threshold {
                        component.least = component.least.min(probability);
                    }
                }
            }
        }
        Ok(components)
    }
}

/// The states from which no state of `targets` can be reached. Cost: O(states + transitions).
pub(super) fn lost(chain: &MarkovChain, targets: &StateSet, control: &Control) -> Result<StateSet> {
    let states: Vec<u32> = (0..chain.n_states() as u32).collect();
    let mut lost = StateSet::new(chain.n_states());
    let mut reaching = targets.clone();
    for component in Components::new(chain).of(&states, 0.0, control)? {
        let reaches = |&state: &u32| {
            reaching.contains(state) || chain.row(state).targets.iter().any(|&target| reaching.contains(target))
        };
        let into = if component.states.iter().any(reaches) { &mut reaching } else { &mut lost };
        for &state in &component.states {
            into.insert(state);
        }
    }
    Ok(lost)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chains::matrix::Meaning;

    /// States 0 to 2 in a circle; 3 and 4 to and fro; 5 alone. From each group a weak transition to the next.
    fn chain() -> MarkovChain {
        let (indptr, indices) = ([0, 1, 2, 4, 5, 7, 8], [1u32, 2, 0, 3, 4, 3, 5, 5]);
        let values = [1.0, 1.0, 0.99, 0.01, 1.0, 0.9, 0.1, 1.0];
        MarkovChain::from_csr(&indptr, &indices, Some(&values), Meaning::Probabilities, &Control::default()).unwrap()
    }

    #[test]
    fn components_come_after_those_they_lead_to() {
        let (chain, control) = (chain(), Control::default());
        let mut components = Components::new(&chain);
        let all: Vec<u32> = (0..6).collect();
        let groups = |found: Vec<Component>| found.into_iter().map(|c| (c.states, c.least)).collect::<Vec<_>>();
        let found = groups(components.of(&all, 0.0, &control).unwrap());
        assert_eq!(found, [(vec![5], f64::INFINITY), (vec![3, 4], 0.9), (vec![0, 1, 2], 0.99)]);
        let found = groups(components.of(&[0, 1, 2, 3, 4], 0.95, &control).unwrap());
        assert_eq!(found, [(vec![0, 1, 2], 0.99), (vec![4], f64::INFINITY), (vec![3], f64::INFINITY)]);
        let found = groups(components.of(&[0, 2, 3, 4], 0.5, &control).unwrap());
        assert_eq!(found.iter().map(|(states, _)| states.len()).collect::<Vec<_>>(), [1, 1, 2]);
    }

    #[test]
    fn states_that_lead_to_no_target_are_lost() {
        let (chain, control) = (chain(), Control::default());
        for (target, expected) in [(5, vec![]), (4, vec![5]), (1, vec![3, 4, 5])] {
            let mut targets = StateSet::new(6);
            targets.insert(target);
            let lost = lost(&chain, &targets, &control).unwrap();
            assert_eq!((0..6).filter(|&state| lost.contains(state)).collect::<Vec<_>>(), expected);
        }
    }
}
