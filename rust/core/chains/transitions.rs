//! How often walks take each transition, or go from one state to another in several steps.

use super::matrix::MarkovChain;
use super::tally::{Direct, Events, Tally, Waiting, lock};
use super::watch::Walks;
use crate::error::{Error, Result, invalid};
use crate::run::{Control, map_items};
use std::sync::Mutex;

/// Cells of a dense matrix of counts at most, 8 MiB: where all pairs of states fit, none needs to be sorted.
const DENSE: usize = 1 << 20;

/// Blocks of states whose pairs are sorted by one thread at a time.
const BLOCKS: usize = 256;

/// New pairs of a block that are sorted at once, or as many as it has, if that is more.
const SORTED: usize = 1 << 14;

/// Counts of pairs of states in compressed sparse rows.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct PairCounts {
    /// Where the row of each first state begins, and the number of entries.
    pub indptr: Vec<i64>,
    /// Second states, ascending in each row.
    pub indices: Vec<u32>,
    /// How often.
    pub counts: Vec<i64>,
}

/// Adds to `out`, one counter for each transition of `chain` in its order, how often the walks take it, from the step
/// after `from_step` on. Cost: O(walks x steps), with a search in the row of each step.
///
/// # Errors
/// If the starts are for another number of walks; [`Error::Memory`] for the tables; [`Error::Interrupted`].
///
/// # Panics
/// If `out` does not have one counter for each transition.
pub fn count_transitions(
    chain: &MarkovChain,
    walks: &Walks<'_>,
    from_step: usize,
    out: &mut [i64],
    control: &Control,
) -> Result<()> {
    let tally = Tally::new(Transitions(chain), out, control.threads());
    walks.watch_pairs(
        chain,
        from_step,
        1,
        control,
        || tally.counter(),
        |counter, before, after| {
            counter.add(pairs(before, after));
        },
    )
}

/// How often the walks are in state j `lag` steps after they were in state i, for all pairs that occur, counted from step
/// `from_step` on; a walk of n steps has n - lag + 1 - `from_step` pairs, which overlap. Cost: O(walks x steps), twice
/// where `lag` is above 1, and the sorting of pairs where there are more than a thousand states; 20 bytes a pair.
///
/// # Errors
/// As [`count_transitions`], for a lag of 0, and [`Error::Memory`] for the pairs.
pub fn count_pairs(
    chain: &MarkovChain,
    walks: &Walks<'_>,
    from_step: usize,
    lag: usize,
    control: &Control,
) -> Result<PairCounts> {
    if lag == 0 {
        return Err(invalid("lag", &[], lag, "be at least 1"));
    }
    match chain.n_states() {
        n if n.saturating_mul(n) <= DENSE => dense(chain, walks, from_step, lag, control),
        _ => sorted(chain, walks, from_step, lag, control),
    }
}

/// A pair of states as one number; pairs are in order of the first state, then of the second.
fn pairs<'a>(before: &'a [u32], after: &'a [u32]) -> impl Iterator<Item = u64> + 'a {
    before.iter().zip(after).map(|(&i, &j)| u64::from(i) << 32 | u64::from(j))
}

/// Pairs of states that are transitions of a chain.
struct Transitions<'a>(&'a MarkovChain);

impl Events for Transitions<'_> {
    const SHIFT: u32 = 32;

    fn n_groups(&self) -> usize {
        self.0.n_states()
    }

    fn begin(&self, group: usize) -> usize {
        if group == self.n_groups() { self.0.n_transitions() } else { self.0.span(group as u32).0 }
    }

    #[inline]
    fn counter(&self, event: u64) -> usize {
        let (begin, degree) = self.0.span((event >> 32) as u32);
        begin + self.0.targets()[begin..begin + degree].partition_point(|&target| target < event as u32)
    }
}

fn dense(
    chain: &MarkovChain,
    walks: &Walks<'_>,
    from_step: usize,
    lag: usize,
    control: &Control,
) -> Result<PairCounts> {
    let n_states = chain.n_states();
    let mut cells = vec![0; n_states * n_states];
    let tally = Tally::new(Direct(cells.len()), &mut cells, control.threads());
    let cell = |pair: u64| (pair >> 32) * n_states as u64 + (pair & 0xffff_ffff);
    walks.watch_pairs(
        chain,
        from_step,
        lag,
        control,
        || tally.counter(),
        |counter, before, after| {
            counter.add(pairs(before, after).map(cell));
        },
    )?;
    drop(tally);
    let mut out = PairCounts { indptr: vec![0], ..PairCounts::default() };
    for row in cells.chunks(n_states) {
        let seen = row.iter().enumerate().filter(|&(_, &count)| count > 0);
        out.indices.extend(seen.clone().map(|(target, _)| target as u32));
        out.counts.extend(seen.map(|(_, &count)| count));
        out.indptr.push(out.indices.len() as i64);
    }
    Ok(out)
}

fn sorted(
    chain: &MarkovChain,
    walks: &Walks<'_>,
    from_step: usize,
    lag: usize,
    control: &Control,
) -> Result<PairCounts> {
    let n_states = chain.n_states();
    let width = n_states.div_ceil(BLOCKS).next_power_of_two();
    let blocks: Vec<Mutex<Block>> = (0..n_states.div_ceil(width)).map(|_| Mutex::default()).collect();
    let counter = || Gatherer { blocks: &blocks, waiting: Waiting::new(blocks.len(), 32 + width.ilog2()) };
    walks.watch_pairs(chain, from_step, lag, control, counter, |gatherer, before, after| {
        gatherer.waiting.add(pairs(before, after), |block, pairs| lock(&blocks[block]).add(pairs));
    })?;
    let mut out = PairCounts::default();
    let sorted = map_items(
        blocks.len(),
        1,
        control,
        || (),
        |(), block| {
            let mut block = std::mem::take(&mut *lock(&blocks[block]));
            block.merge();
            if block.missing > 0 { Err(Error::Memory(block.missing)) } else { Ok(block.counted) }
        },
    )?;
    let n_pairs: usize = sorted.iter().map(Vec::len).sum();
    let memory = |_| Error::Memory(n_pairs.saturating_mul(12));
    out.indptr.try_reserve_exact(n_states + 1).map_err(memory)?;
    out.indices.try_reserve_exact(n_pairs).map_err(memory)?;
    out.counts.try_reserve_exact(n_pairs).map_err(memory)?;
    for (pair, count) in sorted.into_iter().flatten() {
        let source = (pair >> 32) as usize;
        out.indptr.resize(source + 1, out.indices.len() as i64);
        out.indices.push(pair as u32);
        out.counts.push(count);
    }
    out.indptr.resize(n_states + 1, n_pairs as i64);
    Ok(out)
}

/// What one thread gathers pairs with; all have been handed on once it is dropped.
struct Gatherer<'a> {
    blocks: &'a [Mutex<Block>],
    waiting: Waiting,
}

impl Drop for Gatherer<'_> {
    fn drop(&mut self) {
        self.waiting.drain(|block, pairs| lock(&self.blocks[block]).add(pairs));
    }
}

/// The pairs that begin in a block of states.
#[derive(Default)]
struct Block {
    /// Pairs in order with their counts.
    counted: Vec<(u64, i64)>,
    /// Pairs that came since.
    new: Vec<u64>,
    /// Bytes that there was no room for: the counts are then incomplete.
    missing: usize,
}

impl Block {
    fn add(&mut self, pairs: &[u64]) {
        if self.new.try_reserve(pairs.len()).is_err() {
            self.missing = 8 * (self.new.len() + pairs.len());
        }
        if self.missing == 0 {
            self.new.extend_from_slice(pairs);
            if self.new.len() >= SORTED.max(self.counted.len()) {
                self.merge();
            }
        }
    }

    /// Puts the new pairs among those in order.
    fn merge(&mut self) {
        self.new.sort_unstable();
        let room = self.counted.len() + self.new.chunk_by(|a, b| a == b).count();
        let mut merged: Vec<(u64, i64)> = Vec::new();
        if merged.try_reserve_exact(room).is_err() {
            self.missing = room.saturating_mul(16);
            return;
        }
        let mut old = self.counted.iter().copied().peekable();
        for equal in self.new.chunk_by(|a, b| a == b) {
            while let Some(earlier) = old.next_if(|&(pair, _)| pair < equal[0]) {
                merged.push(earlier);
            }
            let before = old.next_if(|&(pair, _)| pair == equal[0]).map_or(0, |(_, count)| count);
            merged.push((equal[0], before + equal.len() as i64));
        }
        merged.extend(old);
        self.counted = merged;
        self.new.clear();
    }
}
