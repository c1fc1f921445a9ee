//! What the walks of one thread have in flight: a word for each lane of each thing, and arithmetic over them.

use super::search::Search;
use crate::machine::prefetch;

/// Walks in flight.
pub(super) const LANES: usize = 128;

pub(super) type Words = [u64; LANES];

/// The walks of one thread. Conditions are words of no or of all bits.
#[derive(Debug)]
#[repr(align(64))]
pub(super) struct Flight {
    pub(super) random: [Words; 2],
    /// The two states that a step depends on.
    pub(super) previous: Words,
    pub(super) state: Words,
    /// Where the state has been written, and where the last of the walk will be.
    pub(super) at: Words,
    pub(super) last: Words,
    /// The lane throws darts: it holds a walk, and no search.
    pub(super) tries: Words,
    pub(super) trials: Words,
    /// Transitions of the previous state.
    pub(super) former: Words,
    /// The row of the state; cells of the excess of the way back.
    pub(super) begin: Words,
    pub(super) degree: Words,
    pub(super) cells: Words,
    /// Where the dart fell: the place among the targets, the height in the cell.
    pub(super) place: Words,
    pub(super) height: Words,
    pub(super) excess: Words,
    /// What stands there, then the state that may follow.
    pub(super) target: Words,
    pub(super) candidate: Words,
    pub(super) arrives: Words,
    pub(super) asks: Words,
    pub(super) word: Words,
    pub(super) bits: Words,
    pub(super) events: [u8; LANES],
    /// If the chain is not uniform: the part of a draw that chooses a target of a slot; the excess of the way back, which
    /// once it is `known` is times the probability of the transition; how deep in it the dart fell.
    pub(super) rest: Words,
    pub(super) weight: [f64; LANES],
    pub(super) depth: [f64; LANES],
    pub(super) known: Words,
    pub(super) searches: [Search; LANES],
    /// Lanes that begin a search, and that are at one.
    pub(super) opening: List,
    pub(super) searching: List,
}

/// Lanes.
#[derive(Debug)]
pub(super) struct List {
    pub(super) lanes: [u8; LANES],
    pub(super) len: usize,
}

impl List {
    pub(super) const EMPTY: Self = Self { lanes: [0; LANES], len: 0 };

    #[inline(always)]
    pub(super) fn push(&mut self, lane: usize) {
        self.lanes[self.len % LANES] = lane as u8;
        self.len += 1;
    }

    #[inline(always)]
    pub(super) fn get(&self, index: usize) -> usize {
        usize::from(self.lanes[index % LANES]) % LANES
    }
}

impl Flight {
    pub(super) fn new() -> Self {
        let zero = [0; LANES];
        Self {
            random: [zero; 2],
            previous: zero,
            state: zero,
            at: zero,
            last: zero,
            tries: zero,
            trials: zero,
            former: zero,
            begin: zero,
            degree: zero,
            cells: zero,
            place: zero,
            height: zero,
            excess: zero,
            target: zero,
            candidate: zero,
            arrives: zero,
            asks: zero,
            word: zero,
            bits: zero,
            events: [0; LANES],
            rest: zero,
            weight: [0.0; LANES],
            depth: [0.0; LANES],
            known: zero,
            searches: [Search::default(); LANES],
            opening: List::EMPTY,
            searching: List::EMPTY,
        }
    }
}

/// All bits if `condition` holds.
#[inline(always)]
pub(super) fn all(condition: bool) -> u64 {
    u64::from(condition).wrapping_neg()
}

/// `yes` where the bits of `condition` are set, else `no`.
#[inline(always)]
pub(super) fn select(condition: u64, yes: u64, no: u64) -> u64 {
    no ^ ((yes ^ no) & condition)
}

/// The product of a draw and a number below 2^32: the high and the low half.
#[inline(always)]
pub(super) fn product(draw: u64, number: u64) -> (u64, u64) {
    let low = (draw & 0xffff_ffff) * number;
    let middle = (draw >> 32) * number + (low >> 32);
    (middle >> 32, middle << 32 | low & 0xffff_ffff)
}

/// Asks for `slice` at all `places`.
#[inline(always)]
pub(super) fn ahead<T>(slice: &[T], places: &Words) {
    for &place in places {
        prefetch(slice, place as usize);
    }
}
