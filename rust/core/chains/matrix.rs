//! A Markov chain in compressed sparse rows: checked once when it is made, and trusted from then on.

use super::alias::{self, Slot, Tables};
use super::near::Near;
use super::second_order::Joined;
use crate::error::Result;
use crate::run::{Control, fill_rows};
use std::sync::OnceLock;

mod build;
mod edges;
mod owned;
#[cfg(test)]
mod tests;

pub use edges::Edges;

/// Bits of a header that hold the number of transitions of a row; the other 40 hold where they begin.
pub(super) const DEGREE_BITS: u32 = 24;

/// Where the number of transitions stands in a header.
pub(super) const DEGREE_MASK: u64 = (1 << DEGREE_BITS) - 1;

/// Degree in the header of a row whose true degree does not fit: it stands in a table of its own.
pub(super) const LONG: u64 = 0;

/// A chain of `n_states` states. Every state has at least one transition, rows are sorted and without duplicates,
/// and no transition has probability zero.
///
/// Takes 8 bytes a state and 4 a transition; 12 a transition where some row has unequal probabilities, and 28 once
/// walks have asked for their [`Tables`].
#[derive(Debug)]
pub struct MarkovChain {
    /// Where the row begins, and its length: one 8-byte read tells a walk all it needs.
    headers: Vec<u64>,
    targets: Vec<u32>,
    /// One for each transition; empty where each row is uniform.
    probabilities: Vec<f64>,
    /// Length of the rows that are marked [`LONG`], by state.
    long: Vec<(u32, u64)>,
    slots: OnceLock<Vec<Slot>>,
    joined: OnceLock<Joined>,
    /// A copy of the tables on one huge page, where they are small enough.
    near: OnceLock<Option<Near>>,
}

/// What a row without any transition becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dangling {
    /// An error that names it.
    Error,
    /// A state that is never left.
    Absorb,
}

/// What the numbers of a row mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// Probabilities: each row sums to 1 within 1e-9, and they are kept as they are.
    Probabilities,
    /// Weights: divided by the sum of their row.
    Weights(Dangling),
}

/// Where the row of a header begins, and its length, or [`LONG`].
#[inline(always)]
pub(super) fn split(header: u64) -> (u64, u64) {
    (header >> DEGREE_BITS, header & ((1 << DEGREE_BITS) - 1))
}

/// The transitions out of one state.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    /// Where they lead, ascending.
    pub targets: &'a [u32],
    /// Their probabilities; empty where all are equal.
    pub probabilities: &'a [f64],
}

impl<'a> Row<'a> {
    /// The probability of the transition number `index` of this row.
    #[inline]
    pub fn probability(&self, index: usize) -> f64 {
        self.probabilities.get(index).copied().unwrap_or_else(|| 1.0 / self.targets.len() as f64)
    }

    /// The pairs of target and probability.
    pub fn iter(self) -> impl Iterator<Item = (u32, f64)> + 'a {
        self.targets.iter().enumerate().map(move |(index, &target)| (target, self.probability(index)))
    }
}

impl MarkovChain {
    /// Number of states.
    pub fn n_states(&self) -> usize {
        self.headers.len()
    }

    /// Number of transitions of positive probability.
    pub fn n_transitions(&self) -> usize {
        self.targets.len()
    }

    /// Whether each row has equal probabilities: no others are stored then.
    pub fn is_uniform(&self) -> bool {
        self.probabilities.is_empty()
    }

    /// The transitions out of `state`.
    ///
    /// # Panics
    /// If there is no such state.
    #[inline]
    pub fn row(&self, state: u32) -> Row<'_> {
        let (begin, degree) = self.span(state);
        let range = begin..begin + degree;
        let probabilities = if self.is_uniform() { &[] } else { &self.probabilities[range.clone()] };
        Row { targets: &self.targets[range], probabilities }
    }

    /// The probability that `state` is left in a step: a sum, which keeps the digits that one minus the probability of
    /// staying would lose.
    ///
    /// # Panics
    /// If there is no such state.
    pub fn leaving(&self, state: u32) -> f64 {
        sum(self.row(state).iter().filter(|&(target, _)| target != state).map(|(_, probability)| probability))
    }

    /// All targets, row after row.
    pub fn targets(&self) -> &[u32] {
        &self.targets
    }

    /// All probabilities, in the order of [`targets`](Self::targets); `None` where each row is uniform.
    pub fn probabilities(&self) -> Option<&[f64]> {
        (!self.is_uniform()).then_some(&self.probabilities)
    }

    /// Where the row of `state` begins among the targets, and its length.
    #[inline]
    pub fn span(&self, state: u32) -> (usize, usize) {
        let header = self.headers[state as usize];
        let degree = header & ((1 << DEGREE_BITS) - 1);
        let degree = if degree == LONG { self.long_degree(state) } else { degree };
        ((header >> DEGREE_BITS) as usize, degree as usize)
    }

    #[cold]
    fn long_degree(&self, state: u32) -> u64 {
        let found = self.long.binary_search_by_key(&state, |&(state, _)| state);
        found.map_or(1, |index| self.long[index].1)
    }

    /// Fills `indptr`, one number for each state and one more, and `probabilities`, one for each transition.
    ///
    /// # Errors
    /// [`Error::Interrupted`](crate::Error::Interrupted).
    ///
    /// # Panics
    /// If one of them has another length.
    pub fn export(
        &self,
        indptr: Option<&mut [i64]>,
        probabilities: Option<&mut [f64]>,
        control: &Control,
    ) -> Result<()> {
        if let Some(indptr) = indptr {
            assert_eq!(indptr.len(), self.n_states() + 1, "indptr has one element more than there are states");
            for (state, to) in indptr.iter_mut().take(self.n_states()).enumerate() {
                *to = (self.headers[state] >> DEGREE_BITS) as i64;
            }
            indptr[self.n_states()] = self.n_transitions() as i64;
        }
        control.check()?;
        match probabilities {
            Some(probabilities) if self.is_uniform() => {
                assert_eq!(probabilities.len(), self.n_transitions(), "one probability for each transition");
                for state in 0..self.n_states() {
                    let (begin, degree) = self.span(state as u32);
                    probabilities[begin..begin + degree].fill(1.0 / degree as f64);
                }
            }
            Some(probabilities) => probabilities.copy_from_slice(&self.probabilities),
            None => {}
        }
        control.check()
    }

    /// Fills `out` with the transition matrix, row after row.
    ///
    /// # Errors
    /// [`Error::Interrupted`](crate::Error::Interrupted).
    ///
    /// # Panics
    /// If `out` does not have the square of the number of states as its length.
    pub fn fill_dense(&self, out: &mut [f64], control: &Control) -> Result<()> {
        assert_eq!(out.len(), self.n_states().pow(2), "a number for each pair of states");
        let block = (1 << 18) / self.n_states().max(1);
        fill_rows(
            out,
            self.n_states(),
            block,
            control,
            || (),
            |(), state, to| {
                to.fill(0.0);
                for (target, probability) in self.row(state as u32).iter() {
                    to[target as usize] = probability;
                }
                Ok(())
            },
        )
    }

    /// Bytes that the chain takes, tables included where they were made.
    pub fn bytes(&self) -> usize {
        let slots = self.slots.get().map_or(0, Vec::len);
        let near = self.near.get().and_then(Option::as_ref).map_or(0, Near::bytes);
        let joined = self.joined.get().map_or(0, Joined::bytes);
        near + joined + 8 * self.headers.len() + 4 * self.targets.len() + 8 * self.probabilities.len() + 16 * slots
    }

    /// Bytes that the next call of [`tables`](Self::tables) will take: 0 once they are made, or where none are needed.
    pub fn bytes_to_come(&self) -> usize {
        if self.is_uniform() || self.slots.get().is_some() { 0 } else { size_of::<Slot>() * self.n_transitions() }
    }

    /// The tables from which walks draw, made at the first call: O(transitions).
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory), [`Error::Interrupted`](crate::Error::Interrupted).
    pub fn tables(&self, control: &Control) -> Result<Tables<'_>> {
        let slots = if self.is_uniform() {
            None
        } else if let Some(slots) = self.slots.get() {
            Some(&slots[..])
        } else {
            let made = alias::slots(self, control)?;
            Some(&self.slots.get_or_init(|| made)[..])
        };
        let near = self.near.get_or_init(|| Near::new(self, slots)).as_ref();
        Ok(Tables::new(self, slots, near))
    }

    /// What second-order walks ask whether two states are joined, made at the first call: O(transitions).
    pub(super) fn joined(&self, control: &Control) -> Result<&Joined> {
        if let Some(joined) = self.joined.get() {
            return Ok(joined);
        }
        let made = Joined::new(self, control)?;
        Ok(self.joined.get_or_init(|| made))
    }

    pub(super) fn headers(&self) -> &[u64] {
        &self.headers
    }
}

/// The sum of `values`, with the rounding of each addition carried along (Neumaier): a row of a million entries is as
/// exact as a short one.
pub(crate) fn sum(values: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut lost) = (0.0f64, 0.0);
    for value in values {
        let next = sum + value;
        lost += if sum >= value { (sum - next) + value } else { (value - next) + sum };
        sum = next;
    }
    sum + lost
}
