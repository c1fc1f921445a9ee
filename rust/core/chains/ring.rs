//! Many walks in flight on one thread: while one waits for memory the others go on.

use super::alias::Tables;
use super::starts::Walker;
use crate::machine::prefetch;
use crate::random;

/// Walks in flight.
pub(crate) const LANES: usize = 128;

/// A ring of [`LANES`] walks that take their steps together, one draw each. A lane that was given no walk stands at
/// state 0 and steps along with the others.
#[derive(Debug)]
pub(crate) struct Ring<'a> {
    tables: Tables<'a>,
    random: [[u64; 2]; LANES],
    states: [u32; LANES],
    /// Lanes that step: those in use, rounded up.
    width: usize,
}

impl<'a> Ring<'a> {
    pub(crate) fn new(tables: Tables<'a>) -> Self {
        Self { tables, random: [[0; 2]; LANES], states: [0; LANES], width: 0 }
    }

    /// Puts a walk in `lane`.
    ///
    /// # Panics
    /// If the chain has no such state, or the ring no such lane.
    #[inline]
    pub(crate) fn place(&mut self, lane: usize, walker: Walker) {
        assert!((walker.state as usize) < self.tables.chain().n_states(), "a walk begins at a state of its chain");
        self.random[lane] = walker.random;
        self.states[lane] = walker.state;
        self.width = self.width.max(lane + 1);
        prefetch(self.tables.chain().headers(), walker.state as usize);
    }

    /// The walk in `lane`.
    pub(crate) fn walker(&self, lane: usize) -> Walker {
        Walker { random: self.random[lane], state: self.states[lane] }
    }

    /// From now on only the first `width` lanes need step.
    pub(crate) fn narrow(&mut self, width: usize) {
        self.width = self.width.min(width);
    }

    /// One step of every walk.
    pub(crate) fn step(&mut self) {
        for lane in 0..self.width {
            let draw = random::draw(&mut self.random[lane]);
            self.states[lane] = self.tables.next(self.states[lane], draw);
            prefetch(self.tables.chain().headers(), self.states[lane] as usize);
        }
    }

    /// The state of each lane.
    pub(crate) fn states(&self) -> &[u32; LANES] {
        &self.states
    }
}
