//! The transitions of a chain by where they lead: for whole columns to be summed in a fixed order.

use super::matrix::MarkovChain;
use crate::error::Result;
use crate::memory::{room, zeros};
use crate::run::Control;

/// States between two looks at the stop flag.
const CHECKED: usize = 1 << 12;

/// For each state the transitions into it, those from the least state first. Takes 8 bytes a state and 4 a transition,
/// 12 where rows have unequal probabilities.
#[derive(Debug)]
pub(super) struct Transposed {
    begins: Vec<usize>,
    sources: Vec<u32>,
    /// One for each transition; empty where each row of the chain is uniform.
    probabilities: Vec<f64>,
}

impl Transposed {
    /// The transitions of `chain`: O(states + transitions).
    pub(super) fn new(chain: &MarkovChain, control: &Control) -> Result<Self> {
        let n_states = chain.n_states();
        // Until the transitions are placed, entry j + 1 is where the next one into j goes.
        let mut begins: Vec<usize> = zeros(n_states + 2)?;
        for targets in chain.targets().chunks(1 << 20) {
            control.check()?;
            for &target in targets {
                begins[target as usize + 2] += 1;
            }
        }
        for state in 2..begins.len() {
            begins[state] += begins[state - 1];
        }
        let n_transitions = chain.n_transitions();
        let mut sources: Vec<u32> = zeros(n_transitions)?;
        let mut probabilities: Vec<f64> = if chain.is_uniform() { room(0)? } else { zeros(n_transitions)? };
        for state in 0..n_states as u32 {
            if (state as usize).is_multiple_of(CHECKED) {
                control.check()?;
            }
            let row = chain.row(state);
            for (index, &target) in row.targets.iter().enumerate() {
                let place = &mut begins[target as usize + 1];
                sources[*place] = state;
                if let Some(probability) = probabilities.get_mut(*place) {
                    *probability = row.probabilities[index];
                }
                *place += 1;
            }
        }
        begins.truncate(n_states + 1);
        Ok(Self { begins, sources, probabilities })
    }

    /// Where the transitions into `state` come from, ascending, and their probabilities: none where each row of the
    /// chain is uniform.
    #[inline]
    pub(super) fn column(&self, state: usize) -> (&[u32], &[f64]) {
        let range = self.begins[state]..self.begins[state + 1];
        let probabilities = if self.probabilities.is_empty() { &[] } else { &self.probabilities[range.clone()] };
        (&self.sources[range], probabilities)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chains::matrix::Meaning;

    #[test]
    fn columns_hold_what_rows_hold() {
        let (indptr, indices, values) = ([0, 2, 3, 5], [0u32, 1, 0, 0, 2], [0.25, 0.75, 1.0, 0.5, 0.5]);
        let control = Control::default();
        let chain = MarkovChain::from_csr(&indptr, &indices, Some(&values), Meaning::Probabilities, &control).unwrap();
        let transposed = Transposed::new(&chain, &control).unwrap();
        assert_eq!(transposed.column(0), (&[0, 1, 2][..], &[0.25, 1.0, 0.5][..]));
        assert_eq!(transposed.column(1), (&[0][..], &[0.75][..]));
        assert_eq!(transposed.column(2), (&[2][..], &[0.5][..]));
        let uniform = MarkovChain::from_csr(&indptr, &indices, None, Meaning::Probabilities, &control).unwrap();
        let transposed = Transposed::new(&uniform, &control).unwrap();
        assert_eq!(transposed.column(0), (&[0, 1, 2][..], &[][..]));
    }
}
