//! Many walks in flight on one thread: while one waits for memory the others go on.
//!
//! A step of all walks is a few passes over the ring. The passes that draw and compute are plain arithmetic on arrays,
//! which the compiler turns into vector instructions; those that read the tables take lane after lane, and ask for the
//! lines that the next pass will read.

use super::alias::{Slot, Tables};
use super::matrix::{DEGREE_BITS, DEGREE_MASK};
use super::near;
use super::starts::{Starts, Walker};
use crate::machine::{self, Kernel, prefetch};
use crate::random::{self, Seed};

/// Walks in flight: enough to keep all of a core's outstanding reads busy.
pub(crate) const LANES: usize = 128;

/// A ring of [`LANES`] walks that take their steps together, one draw each. A lane that was given no walk stands at
/// state 0 and may step along with the others.
#[derive(Debug)]
pub(crate) struct Ring<'a, const N: usize = LANES> {
    lanes: Box<Lanes<N>>,
    tables: Tables<'a>,
    /// Lanes in use: those up to the last that was given a walk.
    n_lanes: usize,
}

/// The walks of a ring: words of their generators, the row in which they stand, and the draw of the present step.
#[derive(Debug)]
#[repr(align(64))]
pub(super) struct Lanes<const N: usize> {
    pub(super) low: [u64; N],
    pub(super) high: [u64; N],
    /// Where the row of the state lies, as the tables have it.
    pub(super) entry: [u64; N],
    /// Place of the drawn transition.
    pub(super) place: [u64; N],
    /// What is left of the draw.
    pub(super) rest: [u64; N],
    pub(super) states: [u32; N],
}

impl<'a, const N: usize> Ring<'a, N> {
    pub(crate) fn new(tables: Tables<'a>) -> Self {
        let lanes = Lanes {
            low: [0; N],
            high: [0; N],
            entry: [tables.entry(0); N],
            place: [0; N],
            rest: [0; N],
            states: [0; N],
        };
        Self { lanes: Box::new(lanes), tables, n_lanes: 0 }
    }

    /// Puts a walk in `lane`.
    ///
    /// # Panics
    /// If the chain has no such state, or the ring no such lane.
    #[inline]
    pub(crate) fn place(&mut self, lane: usize, walker: Walker) {
        let lanes = &mut *self.lanes;
        lanes.entry[lane] = self.tables.entry(walker.state);
        [lanes.low[lane], lanes.high[lane]] = walker.random;
        lanes.states[lane] = walker.state;
        self.n_lanes = self.n_lanes.max(lane + 1);
    }

    /// Puts the walks `item..item + n_walks` of a call in the first lanes; see [`Starts::walker`].
    ///
    /// # Panics
    /// If they are more than the lanes, or there are no starts for them.
    pub(crate) fn fill(&mut self, starts: &Starts<'_>, seed: &Seed, first: u64, item: usize, n_walks: usize) {
        struct Words<'s, const N: usize>(&'s Seed, u64);
        impl<const N: usize> Kernel for Words<'_, N> {
            type Output = [[u64; N]; 2];
            #[inline(always)]
            fn run(self) -> Self::Output {
                self.0.states(self.1)
            }
        }
        let [low, high] = machine::widest(Words::<N>(seed, first.wrapping_add(item as u64)));
        for lane in 0..n_walks {
            self.place(lane, starts.begin([low[lane], high[lane]], item + lane));
        }
    }

    /// The walk in `lane`.
    pub(crate) fn walker(&self, lane: usize) -> Walker {
        let Lanes { low, high, states, .. } = &*self.lanes;
        Walker { random: [low[lane], high[lane]], state: states[lane] }
    }

    /// From now on only the first `width` lanes need step.
    pub(crate) fn narrow(&mut self, width: usize) {
        self.n_lanes = self.n_lanes.min(width);
    }

    /// One step of every walk.
    pub(crate) fn step(&mut self) {
        if let Some(near) = self.tables.near() {
            near.walk(&mut self.lanes, &mut [[0; N]], self.n_lanes);
            near::states(&self.lanes.entry, &mut self.lanes.states);
        } else {
            self.far_step();
        }
    }

    /// The state of each lane.
    pub(crate) fn states(&self) -> &[u32; N] {
        &self.lanes.states
    }

    /// Writes the state of each lane to the first of `rows`, those after a step to the next, and so on; then takes one
    /// step more if there are others to come. What a [`step`](Self::step) and a copy of the [`states`](Self::states) would
    /// give, but quicker, and [`states`](Self::states) do not follow.
    pub(crate) fn record(&mut self, rows: &mut [[u32; N]], last: bool) {
        let n_steps = rows.len() - usize::from(last && !rows.is_empty());
        let (steps, end) = rows.split_at_mut(n_steps);
        if let Some(near) = self.tables.near() {
            near.walk(&mut self.lanes, steps, self.n_lanes);
            for row in end {
                near::states(&self.lanes.entry, row);
            }
        } else {
            for row in steps {
                *row = self.lanes.states;
                self.far_step();
            }
            for row in end {
                *row = self.lanes.states;
            }
        }
    }

    fn far_step(&mut self) {
        let Self { lanes, tables, n_lanes } = self;
        match tables.slots() {
            None => {
                let lookup = tables.chain().targets();
                machine::widest(FarStep { lanes, tables, lookup, n_lanes: *n_lanes });
            }
            Some(lookup) => machine::widest(FarStep { lanes, tables, lookup, n_lanes: *n_lanes }),
        }
    }
}

/// A table whose place for a draw holds the next state, or decides which.
trait Lookup: Copy {
    /// Whether what is left of the draw is needed.
    const RESTED: bool;
    fn next(self, place: u64, rest: u64) -> u32;
    fn prefetch(self, place: u64);
}

impl Lookup for &[u32] {
    const RESTED: bool = false;
    #[inline(always)]
    fn next(self, place: u64, _rest: u64) -> u32 {
        self[place as usize]
    }
    #[inline(always)]
    fn prefetch(self, place: u64) {
        prefetch(self, place as usize);
    }
}

impl Lookup for &[Slot] {
    const RESTED: bool = true;
    #[inline(always)]
    fn next(self, place: u64, rest: u64) -> u32 {
        self[place as usize].target(rest)
    }
    #[inline(always)]
    fn prefetch(self, place: u64) {
        prefetch(self, place as usize);
    }
}

/// A step over tables in memory.
struct FarStep<'r, 'a, L, const N: usize> {
    lanes: &'r mut Lanes<N>,
    tables: &'r Tables<'a>,
    lookup: L,
    n_lanes: usize,
}

impl<L: Lookup, const N: usize> Kernel for FarStep<'_, '_, L, N> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { lanes, tables, lookup, n_lanes } = self;
        let headers = tables.chain().headers();
        let mut long = false;
        for l in 0..n_lanes {
            lanes.entry[l] = headers[lanes.states[l] as usize];
            long |= lanes.entry[l] & DEGREE_MASK == 0;
        }
        if long {
            return one_by_one(lanes, n_lanes, tables);
        }
        for l in 0..N {
            let mut state = [lanes.low[l], lanes.high[l]];
            let draw = random::draw(&mut state);
            [lanes.low[l], lanes.high[l]] = state;
            // A degree has 24 bits, so that products with the halves of the draw are exact.
            let degree = lanes.entry[l] & DEGREE_MASK;
            let lower = (draw & 0xffff_ffff) * degree;
            let middle = (draw >> 32) * degree + (lower >> 32);
            lanes.place[l] = (lanes.entry[l] >> DEGREE_BITS) + (middle >> 32);
            if L::RESTED {
                lanes.rest[l] = middle << 32 | lower & 0xffff_ffff;
            }
        }
        for l in 0..n_lanes {
            lookup.prefetch(lanes.place[l]);
        }
        for l in 0..n_lanes {
            let state = lookup.next(lanes.place[l], lanes.rest[l]);
            lanes.states[l] = state;
            prefetch(headers, state as usize);
        }
    }
}

/// A step while some lane stands at a row too long for its header.
#[cold]
fn one_by_one<const N: usize>(lanes: &mut Lanes<N>, n_lanes: usize, tables: &Tables<'_>) {
    for l in 0..n_lanes {
        let mut random = [lanes.low[l], lanes.high[l]];
        lanes.states[l] = tables.next(lanes.states[l], random::draw(&mut random));
        [lanes.low[l], lanes.high[l]] = random;
    }
}
