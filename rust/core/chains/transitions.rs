//! How often walks take each transition, or go from one state to another in several steps.

use super::matrix::MarkovChain;
use super::ring::LANES;
use super::tally::{Tally, Waiting, lock};
use super::watch::Walks;
use crate::error::{Error, Result, invalid};
use crate::machine::{huge_vec, prefetch};
use crate::random;
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
/// after `from_step` on. Cost: O(walks x steps + transitions); 16 bytes a transition beside `out` where rows are not
/// uniform.
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
    assert_eq!(out.len(), chain.n_transitions(), "one counter for each transition");
    if chain.is_uniform() {
        return count_places(chain, walks, from_step, out, control, |place, _| place as u64);
    }
    let mut outcomes = huge_vec(2 * out.len())?;
    outcomes.resize(2 * out.len(), 0);
    count_places(chain, walks, from_step, &mut outcomes, control, |place, after| {
        2 * place as u64 + u64::from(chain.targets()[place] != after)
    })?;
    add_outcomes(chain, &outcomes, out, control)
}

/// Counts the steps of walks by `event(place, state after)`, where the place in the tables follows from the draw: to
/// look for the transition in its row would take longer than the step.
fn count_places(
    chain: &MarkovChain,
    walks: &Walks<'_>,
    from_step: usize,
    counts: &mut [i64],
    control: &Control,
    event: impl Fn(usize, u32) -> u64 + Sync,
) -> Result<()> {
    let tally = Tally::new(counts, control.threads());
    let scratch = || (tally.counter(), [[0; 2]; LANES], [0; LANES], [0; LANES]);
    walks.watch(
        chain,
        &mut vec![(); walks.n_walks],
        control,
        scratch,
        |(counter, random, before, places), _, item, step, states| {
            if step == 0 {
                for (lane, random) in random[..states.len()].iter_mut().enumerate() {
                    *random = walks.walker(item + lane).random;
                }
            } else {
                for ((place, random), &state) in places.iter_mut().zip(&mut *random).zip(&before[..states.len()]) {
                    let (begin, degree) = chain.span(state);
                    *place = begin + ((u128::from(random::draw(random)) * degree as u128) >> 64) as usize;
                    prefetch(chain.targets(), *place);
                }
                if step > from_step {
                    counter.add(places.iter().zip(states).map(|(&place, &after)| event(place, after)));
                }
            }
            before[..states.len()].copy_from_slice(states);
        },
    )
}

/// Adds to `out` how often each transition was drawn, from how often each place of the tables had its first and its second
/// outcome: the second is a transition to another state of the row.
fn add_outcomes(chain: &MarkovChain, outcomes: &[i64], out: &mut [i64], control: &Control) -> Result<()> {
    let tables = chain.tables(control)?;
    let width = chain.n_states().div_ceil(BLOCKS).max(1);
    let (mut blocks, mut rest) = (Vec::new(), out);
    for first in (0..chain.n_states()).step_by(width) {
        let states = first..chain.n_states().min(first + width);
        let (begin, (last, degree)) = (chain.span(first as u32).0, chain.span(states.end as u32 - 1));
        let (block, others) = rest.split_at_mut(last + degree - begin);
        blocks.push(Mutex::new((states, block)));
        rest = others;
    }
    map_items(
        blocks.len(),
        1,
        control,
        || (),
        |(), block| {
            let (states, out) = &mut *lock(&blocks[block]);
            let first = chain.span(states.start as u32).0;
            for state in states.clone() {
                let state = state as u32;
                let (begin, degree) = chain.span(state);
                let row = &mut out[begin - first..][..degree];
                for place in 0..degree {
                    row[place] += outcomes[2 * (begin + place)];
                    let second = outcomes[2 * (begin + place) + 1];
                    if second > 0 {
                        // Of the draws that come to this place, the last is above its threshold if any is.
                        let draw = (((place as u128 + 1) << 64) - 1) / degree as u128;
                        let target = tables.next(state, draw as u64);
                        row[chain.row(state).targets.partition_point(|&other| other < target)] += second;
                    }
                }
            }
            Ok(())
        },
    )?;
    Ok(())
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

fn dense(
    chain: &MarkovChain,
    walks: &Walks<'_>,
    from_step: usize,
    lag: usize,
    control: &Control,
) -> Result<PairCounts> {
    let n_states = chain.n_states();
    let mut cells = vec![0; n_states * n_states];
    let tally = Tally::new(&mut cells, control.threads());
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chains::matrix::{Dangling, Meaning};
    use crate::chains::{Starts, observe};
    use crate::random::{Seed, Stream};
    use std::collections::BTreeMap;

    /// A chain of `n` states with up to nine targets each; every third row is uniform if not all are.
    fn chain(n: usize, uniform: bool) -> MarkovChain {
        let mut stream = Seed::from_u64(3).stream(0);
        let (mut indptr, mut indices, mut weights) = (vec![0], Vec::new(), Vec::new());
        for state in 0..n {
            for _ in 0..=stream.below(9) {
                indices.push(stream.below(n as u64) as u32);
                weights.push(if uniform || state % 3 == 0 { 1.0 } else { stream.uniform() + 1e-3 });
            }
            indptr.push(indices.len() as i64);
        }
        let values = (!uniform).then_some(&weights[..]);
        MarkovChain::from_csr(&indptr, &indices, values, Meaning::Weights(Dangling::Error), &Control::new(1)).unwrap()
    }

    /// The states of the walks, one draw after another.
    fn plain(chain: &MarkovChain, walks: &Walks<'_>) -> Vec<Vec<u32>> {
        let tables = chain.tables(&Control::new(1)).unwrap();
        let row = |item| {
            let mut stream: Stream = walks.seed.stream(walks.first.wrapping_add(item as u64));
            let mut states = vec![walks.walker(item).state];
            for step in 0..walks.n_steps {
                states.push(tables.next(states[step], stream.next_u64()));
            }
            states
        };
        (0..walks.n_walks).map(row).collect()
    }

    #[test]
    fn all_counts_are_those_of_plain_walks() {
        for (n, uniform, threads) in [(40, true, 1), (40, false, 3), (3000, true, 2), (3000, false, 1)] {
            let (chain, control) = (chain(n, uniform), Control::new(threads));
            let starts = Starts::one(5, n).unwrap();
            let walks = Walks { starts, n_walks: 300, n_steps: 17, seed: Seed::from_u64(4), first: u64::MAX - 100 };
            let rows = plain(&chain, &walks);
            let mut visits = vec![0; n];
            observe::count_visits(&chain, &walks, 4, &mut visits, &control).unwrap();
            let mut expected = vec![0; n];
            rows.iter().flat_map(|row| &row[4..]).for_each(|&state| expected[state as usize] += 1);
            assert_eq!(visits, expected);
            let mut ends = vec![0; 300];
            observe::endpoints(&chain, &walks, &mut ends, &control).unwrap();
            assert!(rows.iter().zip(&ends).all(|(row, &end)| row[17] == end));
            for lag in [1, 2, 17, 18] {
                let mut expected = BTreeMap::new();
                for row in &rows {
                    for step in 2..18usize.saturating_sub(lag) {
                        *expected.entry((row[step], row[step + lag])).or_insert(0) += 1;
                    }
                }
                let found = count_pairs(&chain, &walks, 2, lag, &control).unwrap();
                assert_eq!(entries(&found.indptr, &found.indices, &found.counts), expected, "lag {lag} of {n}");
                if lag == 1 {
                    let mut counts = vec![0; chain.n_transitions()];
                    count_transitions(&chain, &walks, 2, &mut counts, &control).unwrap();
                    let mut indptr = vec![0; n + 1];
                    chain.export(Some(&mut indptr), None, &control).unwrap();
                    assert_eq!(entries(&indptr, chain.targets(), &counts), expected);
                }
            }
        }
    }

    fn entries(indptr: &[i64], indices: &[u32], counts: &[i64]) -> BTreeMap<(u32, u32), i64> {
        let rows = indptr.windows(2).enumerate();
        let all = rows.flat_map(|(row, ends)| (ends[0] as usize..ends[1] as usize).map(move |i| (row as u32, i)));
        all.filter(|&(_, i)| counts[i] > 0).map(|(row, i)| ((row, indices[i]), counts[i])).collect()
    }

    #[test]
    fn a_lag_of_nothing_is_named() {
        let chain = chain(3, true);
        let starts = Starts::one(0, 3).unwrap();
        let walks = Walks { starts, n_walks: 1, n_steps: 1, seed: Seed::from_u64(1), first: 0 };
        let error = count_pairs(&chain, &walks, 0, 0, &Control::new(1)).unwrap_err();
        assert_eq!(error.to_string(), "lag must be at least 1, got 0");
    }
}
