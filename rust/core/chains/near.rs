//! Chains whose tables fit a cache: a copy of them on one huge page, and the step of many walks over it.
//!
//! A step takes one to two nanoseconds a walk, so that each read more is seen in it. An entry, one word, holds a state, where its row begins and its length. A uniform chain has one
//! entry for each transition, that of its target: a step reads one word. A weighted chain has an entry for each state, then
//! the slots of its alias tables.

use super::alias::Slot;
use super::matrix::MarkovChain;
use super::ring::Lanes;
use crate::machine::{self, HugeWords, Kernel};
use crate::random;

/// Words of the copy at most: one huge page, of the size that a second-level cache has.
const MOST: usize = (2 << 20) / size_of::<u64>();

/// Lanes in use are rounded up to a multiple of this: as many as fill the registers of a pass.
const GROUP: usize = 16;

/// Fields of an entry: the state in 24 bits, its degree in 16, where its row begins in 24.
const STATE: u64 = (1 << 24) - 1;
const DEGREE: u64 = (1 << 16) - 1;

fn entry(chain: &MarkovChain, state: u32) -> u64 {
    let (begin, degree) = chain.span(state);
    (begin as u64) << 40 | (degree as u64) << 24 | u64::from(state)
}

/// The copy of a chain's tables.
///
/// Every entry (a word of a uniform chain, a header of a weighted one) describes a row that lies within the table, and
/// every target is a state: so a step reads without checking, which this file alone may do.
#[derive(Debug)]
pub(super) struct Near {
    words: HugeWords,
    /// Words before the slots; `None` for a uniform chain.
    slots_from: Option<usize>,
}

impl Near {
    /// The copy, or `None` where the chain is too large or there is no memory for it.
    pub(super) fn new(chain: &MarkovChain, slots: Option<&[Slot]>) -> Option<Self> {
        let (n_states, n_transitions) = (chain.n_states(), chain.n_transitions());
        if n_states > MOST || n_transitions > MOST {
            return None;
        }
        if (0..n_states as u32).any(|state| chain.span(state).1 as u64 > DEGREE) {
            return None;
        }
        let Some(slots) = slots else {
            let mut words = HugeWords::zeroed(n_transitions)?;
            for (word, &target) in words.iter_mut().zip(chain.targets()) {
                *word = entry(chain, target);
            }
            return Some(Self { words, slots_from: None });
        };
        // Slots begin at a cache line, so that none lies across two.
        let slots_from = n_states.next_multiple_of(8);
        let n_words = slots_from + 2 * n_transitions;
        if n_words > MOST {
            return None;
        }
        let mut words = HugeWords::zeroed(n_words)?;
        for (state, word) in words[..n_states].iter_mut().enumerate() {
            *word = entry(chain, state as u32);
        }
        for (pair, slot) in words[slots_from..].as_chunks_mut().0.iter_mut().zip(slots) {
            *pair = slot.words();
        }
        Some(Self { words, slots_from: Some(slots_from) })
    }

    /// The entry of `state` of `chain`, which this is the copy of.
    pub(super) fn entry(chain: &MarkovChain, state: u32) -> u64 {
        entry(chain, state)
    }

    /// Bytes of the copy.
    pub(super) fn bytes(&self) -> usize {
        size_of_val(&self.words[..])
    }

    /// For each of `rows`: writes the state of each lane, and takes a step. The entries of the lanes are this copy's own.
    pub(super) fn walk<const N: usize>(&self, lanes: &mut Lanes<N>, rows: &mut [[u32; N]], n_lanes: usize) {
        match self.slots_from {
            None => machine::widest(Walk { lanes, rows, lookup: Fused(&self.words), n_lanes }),
            Some(from) => {
                let (entries, slots) = self.words.split_at(from);
                machine::widest(Walk { lanes, rows, lookup: Slotted(entries, slots), n_lanes });
            }
        }
    }
}

/// Writes the state of each entry.
#[inline(always)]
pub(super) fn states<const N: usize>(entry: &[u64; N], states: &mut [u32; N]) {
    for l in 0..N {
        states[l] = (entry[l] & STATE) as u32;
    }
}

/// `words[index]`, unchecked, and one lane at a time: left to itself the compiler would gather the lanes into a vector,
/// which takes twice as long.
///
/// # Safety
/// `index` must lie within `words`.
#[inline(always)]
#[allow(unsafe_code)]
unsafe fn load(words: &[u64], index: usize) -> u64 {
    debug_assert!(index < words.len());
    // SAFETY: as required of the caller.
    unsafe { std::ptr::read_volatile(words.as_ptr().add(index)) }
}

/// How a drawn place becomes an entry.
trait Lookup: Copy {
    /// Whether what is left of the draw is needed.
    const RESTED: bool;

    /// Words of a place.
    const WORDS: u64;

    /// # Safety
    /// `place` must be the first word of one in the row of an entry of the copy.
    #[allow(unsafe_code)]
    unsafe fn next(self, place: u32, rest: u64) -> u64;
}

#[derive(Clone, Copy)]
struct Fused<'a>(&'a [u64]);

#[allow(unsafe_code)]
impl Lookup for Fused<'_> {
    const RESTED: bool = false;
    const WORDS: u64 = 1;

    #[inline(always)]
    unsafe fn next(self, place: u32, _rest: u64) -> u64 {
        // SAFETY: every row lies within the words.
        unsafe { load(self.0, place as usize) }
    }
}

#[derive(Clone, Copy)]
struct Slotted<'a>(&'a [u64], &'a [u64]);

#[allow(unsafe_code)]
impl Lookup for Slotted<'_> {
    const RESTED: bool = true;
    const WORDS: u64 = 2;

    #[inline(always)]
    unsafe fn next(self, place: u32, rest: u64) -> u64 {
        let Self(entries, slots) = self;
        // SAFETY: every row lies within the slots, and their targets are states, of which each has an entry.
        unsafe {
            let slot = place as usize;
            let slot = Slot::from_words([load(slots, slot), load(slots, slot + 1)]);
            load(entries, slot.target(rest) as usize)
        }
    }
}

/// An array at the beginning of a cache line: vector stores and loads across two of them made
/// steps up to a fifth slower.
#[repr(align(64))]
struct Aligned<T>(T);

struct Walk<'a, L, const N: usize> {
    lanes: &'a mut Lanes<N>,
    rows: &'a mut [[u32; N]],
    lookup: L,
    n_lanes: usize,
}

impl<L: Lookup, const N: usize> Kernel for Walk<'_, L, N> {
    type Output = ();

    #[inline(always)]
    #[allow(unsafe_code)]
    fn run(self) {
        let Self { lanes, rows, lookup, n_lanes } = self;
        // Of their own, so that the compiler knows them apart and may keep them in registers.
        let [mut low, mut high, mut entry] = [lanes.low, lanes.high, lanes.entry].map(Aligned);
        if n_lanes + GROUP > N {
            for states in rows {
                step(&mut low.0, &mut high.0, &mut entry.0, states, lookup, N);
            }
        } else {
            let n_lanes = n_lanes.next_multiple_of(GROUP);
            for states in rows {
                step(&mut low.0, &mut high.0, &mut entry.0, states, lookup, n_lanes);
            }
        }
        (lanes.low, lanes.high, lanes.entry) = (low.0, high.0, entry.0);
    }
}

/// Writes the state of the first `n_lanes` lanes, and takes a step.
#[inline(always)]
#[allow(unsafe_code)]
fn step<L: Lookup, const N: usize>(
    low: &mut [u64; N],
    high: &mut [u64; N],
    entry: &mut [u64; N],
    states: &mut [u32; N],
    lookup: L,
    n_lanes: usize,
) {
    let (mut place, mut rest) = (Aligned([0u32; N]), Aligned([0u64; N]));
    let (place, rest) = (&mut place.0, &mut rest.0);
    for l in 0..n_lanes {
        // With the draws, which read the entries anyway: a vector load waits for the stores of single lanes.
        states[l] = (entry[l] & STATE) as u32;
        let degree = entry[l] >> 24 & DEGREE;
        let mut state = [low[l], high[l]];
        let draw = random::draw(&mut state);
        [low[l], high[l]] = state;
        // A degree has at most 32 bits, so that two products of 32-bit halves are exact.
        let lower = (draw & 0xffff_ffff) * degree;
        let middle = (draw >> 32) * degree + (lower >> 32);
        place[l] = (((entry[l] >> 40) + (middle >> 32)) * L::WORDS) as u32;
        if L::RESTED {
            rest[l] = middle << 32 | lower & 0xffff_ffff;
        }
    }
    for l in 0..n_lanes {
        // SAFETY: the draw is a place of the entry's row.
        entry[l] = unsafe { lookup.next(place[l], rest[l]) };
    }
}
