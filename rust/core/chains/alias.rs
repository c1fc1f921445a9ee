//! Alias tables: a draw from any row in constant time, exact down to probabilities of 2^-64.

use super::matrix::{MarkovChain, Row};
use super::near::Near;
use crate::error::{Error, Result};
use crate::machine::huge_vec;
use crate::run::{Control, map_items};
use std::sync::Mutex;

#[cfg(test)]
mod tests;

/// 2^64.
const WHOLE: f64 = 18_446_744_073_709_551_616.0;

/// Transitions a work item makes the slots of, about.
const BLOCK: usize = 1 << 16;

/// One of the equally likely columns of a row's table: [`below`](Self::below) if the rest of the draw is below
/// `threshold`, else [`above`](Self::above).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(C, align(16))]
pub(crate) struct Slot {
    pub(crate) threshold: u64,
    /// Both targets, `below` in the low half: one read gets them.
    targets: u64,
}

impl Slot {
    pub(crate) const fn new(threshold: u64, below: u32, above: u32) -> Self {
        Self { threshold, targets: (above as u64) << 32 | below as u64 }
    }

    pub(super) const fn from_words([threshold, targets]: [u64; 2]) -> Self {
        Self { threshold, targets }
    }

    pub(super) const fn words(self) -> [u64; 2] {
        [self.threshold, self.targets]
    }

    pub(crate) const fn below(self) -> u32 {
        self.targets as u32
    }

    pub(crate) const fn above(self) -> u32 {
        (self.targets >> 32) as u32
    }

    /// The target for what is left of a draw. A branch here would be mispredicted every other time.
    #[inline(always)]
    pub(crate) fn target(self, rest: u64) -> u32 {
        std::hint::select_unpredictable(rest < self.threshold, self.below(), self.above())
    }
}

/// What a walk reads: the rows of a chain, and slots where they are not uniform.
///
/// The walk's law is pinned here: of a 64-bit draw times the number of transitions of the row, the high half is the
/// place in the row, and the low half decides between the two targets of its slot.
#[derive(Debug, Clone, Copy)]
pub struct Tables<'a> {
    chain: &'a MarkovChain,
    slots: Option<&'a [Slot]>,
    near: Option<&'a Near>,
}

impl<'a> Tables<'a> {
    pub(super) fn new(chain: &'a MarkovChain, slots: Option<&'a [Slot]>, near: Option<&'a Near>) -> Self {
        debug_assert!(slots.is_none_or(|slots| slots.len() == chain.n_transitions()));
        Self { chain, slots, near }
    }

    /// The chain that the tables belong to.
    pub fn chain(&self) -> &'a MarkovChain {
        self.chain
    }

    /// The slots of all rows, where they are not uniform.
    pub(super) fn slots(&self) -> Option<&'a [Slot]> {
        self.slots
    }

    pub(super) fn near(&self) -> Option<&'a Near> {
        self.near
    }

    /// Where the row of `state` lies, in the form that a step reads.
    ///
    /// # Panics
    /// If there is no such state.
    #[inline]
    pub(super) fn entry(&self, state: u32) -> u64 {
        if self.near.is_some() { Near::entry(self.chain, state) } else { self.chain.headers()[state as usize] }
    }

    /// The state that follows `state` by a 64-bit draw.
    ///
    /// # Panics
    /// If there is no such state.
    #[inline]
    pub fn next(&self, state: u32, draw: u64) -> u32 {
        let (begin, degree) = self.chain.span(state);
        let product = u128::from(draw) * degree as u128;
        let place = begin + (product >> 64) as usize;
        match self.slots {
            None => self.chain.targets()[place],
            Some(slots) => slots[place].target(product as u64),
        }
    }
}

/// The slots of every row of `chain`.
pub(super) fn slots(chain: &MarkovChain, control: &Control) -> Result<Vec<Slot>> {
    let mut slots = huge_vec(chain.n_transitions())?;
    slots.resize(chain.n_transitions(), Slot::default());
    // Blocks of whole rows, each with its own part of the slots.
    let (mut blocks, mut rest, mut first) = (Vec::new(), &mut slots[..], 0);
    while first < chain.n_states() {
        let (mut end, mut size) = (first, 0);
        while end < chain.n_states() && size < BLOCK {
            size += chain.span(end as u32).1;
            end += 1;
        }
        let (part, others) = rest.split_at_mut(size);
        blocks.push(Mutex::new((first..end, part)));
        (rest, first) = (others, end);
    }
    map_items(blocks.len(), 1, control, Work::default, |work, block| {
        let mut block = blocks[block].lock().map_err(|_| Error::Interrupted)?;
        let (states, slots) = &mut *block;
        let mut begin = 0;
        for state in states.clone() {
            let row = chain.row(state as u32);
            fill(row, &mut slots[begin..begin + row.targets.len()], work);
            begin += row.targets.len();
        }
        Ok(())
    })?;
    drop(blocks);
    Ok(slots)
}

/// Working memory: shares of the columns, and which of them have too little and too much.
#[derive(Debug, Default)]
pub(crate) struct Work {
    share: Vec<f64>,
    small: Vec<u32>,
    large: Vec<u32>,
}

/// Walker's tables by Vose's method (IEEE Trans. Softw. Eng. 17, 1991). A probability below the mean of its row is one
/// threshold, rounded once: rare transitions keep all their digits.
pub(crate) fn fill(row: Row<'_>, slots: &mut [Slot], work: &mut Work) {
    let degree = row.targets.len();
    let Work { share, small, large } = work;
    for (slot, &target) in slots.iter_mut().zip(row.targets) {
        *slot = Slot::new(0, target, target);
    }
    if row.probabilities.is_empty() || degree == 1 {
        return;
    }
    let scale = degree as f64 / super::matrix::sum(row.probabilities.iter().copied());
    share.clear();
    share.extend(row.probabilities.iter().map(|&probability| probability * scale));
    small.clear();
    large.clear();
    for (column, &share) in share.iter().enumerate() {
        if share < 1.0 { small.push(column as u32) } else { large.push(column as u32) }
    }
    // Rounding may leave one of the lists a little too long; such a column keeps its own target for the whole draw.
    while let (Some(&poor), Some(&rich)) = (small.last(), large.last()) {
        small.pop();
        let (poor, rich) = (poor as usize, rich as usize);
        slots[poor] = Slot::new((share[poor] * WHOLE) as u64, row.targets[poor], row.targets[rich]);
        share[rich] = (share[rich] + share[poor]) - 1.0;
        if share[rich] < 1.0 {
            large.pop();
            small.push(rich as u32);
        }
    }
}
