//! The part of a chain that walks leave: the transitions among its states, and the probability of leaving for good.

use super::matrix::{MarkovChain, sum};
use crate::error::Result;
use crate::memory::{filled, room, zeros};
use crate::run::Control;

/// The number of a state that is no part of a system.
pub const OUTSIDE: u32 = u32::MAX;

/// States between two looks at the stop flag.
const CHECKED: usize = 4096;

/// One in so many states are few: searching for their targets costs less than a table of all states.
const FEW: usize = 16;

/// Transitions among `n` different states, row after row, and what leaves each of them for elsewhere. All equations of
/// exact analysis are of the form
///
/// ```text
/// sum over j of a_ij (x_i - x_j) + exit_i x_i = c_i,
/// ```
///
/// in which no diagonal entry occurs: a state is left with the probability of its other entries, never with one minus
/// the probability of staying.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct System {
    /// Where the row of each state begins; one more than there are states.
    pub begins: Vec<usize>,
    /// Numbers of the states that transitions lead to, ascending within each row, never that of the row.
    pub targets: Vec<u32>,
    /// Probabilities of the transitions, all positive.
    pub values: Vec<f64>,
    /// Probability of the transitions to states outside.
    pub exits: Vec<f64>,
    /// The state of the chain that each number stands for, ascending.
    pub states: Vec<u32>,
}

impl System {
    /// The states of `chain` for which `inside` is true. Cost: O(states + transitions of those inside).
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory), [`Error::Interrupted`](crate::Error::Interrupted).
    pub fn new(chain: &MarkovChain, inside: impl Fn(u32) -> bool, control: &Control) -> Result<Self> {
        let n_states = chain.n_states();
        let mut numbers = room(n_states)?;
        let mut states = Vec::new();
        for state in 0..n_states as u32 {
            if inside(state) {
                numbers.push(states.len() as u32);
                states.push(state);
            } else {
                numbers.push(OUTSIDE);
            }
        }
        Self::numbered(chain, states, |state| numbers[state as usize], control)
    }

    /// The states in `members`, ascending. Where they are few each target is searched for among them, and the cost does
    /// not depend on the size of the chain: it may be taken apart into many parts.
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory), [`Error::Interrupted`](crate::Error::Interrupted).
    pub fn among(chain: &MarkovChain, members: &[u32], control: &Control) -> Result<Self> {
        let mut states = room(members.len())?;
        states.extend_from_slice(members);
        if members.len() < chain.n_states() / FEW {
            let number = |state: u32| members.binary_search(&state).map_or(OUTSIDE, |number| number as u32);
            return Self::numbered(chain, states, number, control);
        }
        let mut numbers = filled(chain.n_states(), OUTSIDE)?;
        (0..).zip(members).for_each(|(number, &state)| numbers[state as usize] = number);
        Self::numbered(chain, states, |state| numbers[state as usize], control)
    }

    /// The `states`, ascending, whose numbers `number` knows.
    fn numbered(chain: &MarkovChain, states: Vec<u32>, number: impl Fn(u32) -> u32, control: &Control) -> Result<Self> {
        let n_transitions = states.iter().map(|&state| chain.span(state).1).sum();
        let (mut begins, mut exits) = (room(states.len() + 1)?, room(states.len())?);
        let (mut targets, mut values) = (room(n_transitions)?, room(n_transitions)?);
        let mut leaving = Vec::new();
        begins.push(0);
        for (at, &state) in states.iter().enumerate() {
            if at % CHECKED == 0 {
                control.check()?;
            }
            leaving.clear();
            for (target, probability) in chain.row(state).iter().filter(|&(target, _)| target != state) {
                let target = number(target);
                if target == OUTSIDE {
                    leaving.push(probability);
                } else {
                    targets.push(target);
                    values.push(probability);
                }
            }
            exits.push(sum(leaving.iter().copied()));
            begins.push(targets.len());
        }
        Ok(Self { begins, targets, values, exits, states })
    }

    /// Number of states.
    pub fn n_states(&self) -> usize {
        self.exits.len()
    }

    /// Number of transitions.
    pub fn n_transitions(&self) -> usize {
        self.targets.len()
    }

    /// Targets and probabilities of the state with this number.
    #[inline]
    pub fn row(&self, number: usize) -> (&[u32], &[f64]) {
        let range = self.begins[number]..self.begins[number + 1];
        (&self.targets[range.clone()], &self.values[range])
    }

    /// The states from which a transition leads to each state, one after another, and where those of each begin.
    /// Cost: O(states + transitions).
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory).
    pub fn sources(&self) -> Result<(Vec<usize>, Vec<u32>)> {
        let n = self.n_states();
        let mut begins: Vec<usize> = zeros(n + 1)?;
        for &target in &self.targets {
            begins[target as usize] += 1;
        }
        let mut end = 0;
        for begin in &mut begins {
            end += *begin;
            *begin = end;
        }
        let mut sources = zeros(end)?;
        for state in (0..n).rev() {
            for &target in self.row(state).0 {
                let place = &mut begins[target as usize];
                *place -= 1;
                sources[*place] = state as u32;
            }
        }
        Ok((begins, sources))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chains::matrix::Meaning;

    #[test]
    fn what_leads_outside_becomes_an_exit_and_loops_vanish() {
        let rows = [0.5, 0.25, 0.25, 1e-30, 1.0, 0.0, 0.0, 0.5, 0.5];
        let (indptr, indices) = ([0, 3, 6, 9], [0u32, 1, 2, 0, 1, 2, 0, 1, 2]);
        let chain =
            MarkovChain::from_csr(&indptr, &indices, Some(&rows), Meaning::Probabilities, &Control::default()).unwrap();
        let system = System::new(&chain, |state| state < 2, &Control::default()).unwrap();
        assert_eq!((system.n_states(), system.states.clone()), (2, vec![0, 1]));
        assert_eq!((system.row(0), system.row(1)), ((&[1][..], &[0.25][..]), (&[0][..], &[1e-30][..])));
        assert_eq!(system.exits, [0.25, 0.0]);
    }

    #[test]
    fn few_members_make_the_same_system_as_a_table_of_all() {
        let n = 80u32;
        let indptr: Vec<i64> = (0..=i64::from(n)).map(|state| 3 * state).collect();
        let indices: Vec<u32> = (0..n).flat_map(|state| [(state + n - 1) % n, state, (state + 1) % n]).collect();
        let chain =
            MarkovChain::from_csr(&indptr, &indices, None, Meaning::Probabilities, &Control::default()).unwrap();
        for members in [&[][..], &[7, 8], &[0, 1, 3, 4, 5, 20, 79]] {
            let found = System::among(&chain, members, &Control::default()).unwrap();
            let expected = System::new(&chain, |state| members.contains(&state), &Control::default()).unwrap();
            assert_eq!(found, expected);
        }
    }
}
