//! The part of a chain that walks leave: the transitions among its states, and the probability of leaving for good.

use super::matrix::{MarkovChain, sum};
use crate::error::Result;
use crate::memory::{room, zeros};
use crate::run::Control;

/// The number of a state that is no part of a system.
pub const OUTSIDE: u32 = u32::MAX;

/// States between two looks at the stop flag.
const CHECKED: usize = 4096;

/// Transitions among `n` different states, row after row, and what leaves each of them for elsewhere. All equations of
/// exact analysis are of the form
///
/// ```text
/// sum over j of a_ij (x_i - x_j) + exit_i x_i = c_i,
/// ```
///
/// in which no diagonal entry occurs: a state is left with the probability of its other entries, never with one minus
/// the probability of staying.
#[derive(Debug, Clone, Default)]
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
        let (mut states, mut n_transitions) = (Vec::new(), 0);
        for state in 0..n_states as u32 {
            if inside(state) {
                numbers.push(states.len() as u32);
                states.push(state);
                n_transitions += chain.span(state).1;
            } else {
                numbers.push(OUTSIDE);
            }
        }
        let (mut begins, mut exits) = (room(states.len() + 1)?, room(states.len())?);
        let (mut targets, mut values) = (room(n_transitions)?, room(n_transitions)?);
        begins.push(0);
        for (number, &state) in states.iter().enumerate() {
            if number % CHECKED == 0 {
                control.check()?;
            }
            let row = chain.row(state);
            for (target, probability) in row.iter() {
                let target_number = numbers[target as usize];
                if target_number != OUTSIDE && target != state {
                    targets.push(target_number);
                    values.push(probability);
                }
            }
            let leaving = row.iter().filter(|&(target, _)| numbers[target as usize] == OUTSIDE);
            exits.push(sum(leaving.map(|(_, probability)| probability)));
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
}
