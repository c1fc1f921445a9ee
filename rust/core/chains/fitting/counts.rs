//! How often each transition was seen in trajectories (observed walks).

use super::trajectories::Trajectories;
use crate::chains::transitions::PairCounts;
use crate::error::{Error, Result};
use crate::machine::huge_vec;
use crate::memory::{room, zeros};
use crate::run::{Control, map_items};
use std::ops::Range;
use std::sync::Mutex;

/// Chains of up to this many states are counted in a square table of each thread, 2 MB.
const SQUARE: usize = 512;

/// Transitions that are worth a thread of their own.
const PIECE: usize = 1 << 17;

/// Transitions between two looks at the stop flag.
const CHECKED: usize = 1 << 16;

/// The places of row `state` among the entries.
#[inline]
pub(super) fn row(counts: &PairCounts, state: u32) -> Range<usize> {
    counts.indptr[state as usize] as usize..counts.indptr[state as usize + 1] as usize
}

/// Counts whose rows are appended one after another.
struct Builder(PairCounts);

impl Builder {
    fn new(n_states: usize) -> Result<Self> {
        let mut indptr = room(n_states + 1)?;
        indptr.push(0);
        Ok(Self(PairCounts { indptr, ..PairCounts::default() }))
    }

    fn push(&mut self, target: u32, count: i64) {
        self.0.indices.push(target);
        self.0.counts.push(count);
    }

    fn end_row(&mut self) {
        self.0.indptr.push(self.0.indices.len() as i64);
    }
}

/// The transitions over `lag` steps of all `trajectories`: from every position (`strided` false), or from every
/// `lag`-th, so that they do not overlap. Cost: O(length + states), on several threads; rows that are much shorter than
/// the number of states are sorted.
///
/// # Errors
/// [`Error::Memory`], [`Error::Interrupted`].
pub fn count(trajectories: &Trajectories<'_>, lag: usize, strided: bool, control: &Control) -> Result<PairCounts> {
    let stride = if strided { lag } else { 1 };
    control.expect(trajectories.states().len() as u64);
    if trajectories.n_states() <= SQUARE {
        count_square(trajectories, lag, stride, control)
    } else {
        count_rows(trajectories, lag, stride, control)
    }
}

/// Calls `see(from, to)` for each transition that begins within `range`.
#[inline]
fn each_transition(
    trajectories: &Trajectories<'_>,
    range: Range<usize>,
    lag: usize,
    stride: usize,
    control: &Control,
    mut see: impl FnMut(u32, u32),
) -> Result<()> {
    let states = trajectories.states();
    for part in trajectories.parts(range, lag) {
        // The first position of the part that is a whole number of strides from the beginning of its trajectory.
        let mut position = part.begin + (part.positions.start - part.begin).div_ceil(stride) * stride;
        while position < part.positions.end {
            let end = part.positions.end.min(position.saturating_add(CHECKED.saturating_mul(stride)));
            if stride == 1 {
                let (from, to) = (&states[position..end], &states[position + lag..end + lag]);
                from.iter().zip(to).for_each(|(&from, &to)| see(from, to));
                position = end;
            } else {
                while position < end {
                    see(states[position], states[position + lag]);
                    position += stride;
                }
            }
            control.check()?;
        }
    }
    Ok(())
}

/// Each thread counts in a square of its own; the sums are of integers, so that their order does not show.
fn count_square(trajectories: &Trajectories<'_>, lag: usize, stride: usize, control: &Control) -> Result<PairCounts> {
    let (n_states, length) = (trajectories.n_states(), trajectories.states().len());
    let n_pieces = control.threads().min(length.div_ceil(PIECE)).max(1);
    let squares = map_items(
        n_pieces,
        1,
        control,
        || (),
        |(), piece| {
            let mut square = zeros(n_states * n_states)?;
            let range = length * piece / n_pieces..length * (piece + 1) / n_pieces;
            let length = range.len();
            each_transition(trajectories, range, lag, stride, control, |from, to| {
                square[from as usize * n_states + to as usize] += 1;
            })?;
            control.advance(length as u64);
            Ok(square)
        },
    )?;
    let mut counts = Builder::new(n_states)?;
    for from in 0..n_states {
        for to in 0..n_states {
            let count = squares.iter().map(|square: &Vec<i64>| square[from * n_states + to]).sum();
            if count > 0 {
                counts.push(to as u32, count);
            }
        }
        counts.end_row();
    }
    Ok(counts.0)
}

/// The targets are brought into the order of their sources, then each row is counted.
fn count_rows(trajectories: &Trajectories<'_>, lag: usize, stride: usize, control: &Control) -> Result<PairCounts> {
    let (n_states, length) = (trajectories.n_states(), trajectories.states().len());
    let mut ends: Vec<usize> = zeros(n_states + 1)?;
    each_transition(trajectories, 0..length, lag, stride, control, |from, _| ends[from as usize + 1] += 1)?;
    control.advance(length as u64 / 2);
    for state in 0..n_states {
        ends[state + 1] += ends[state];
    }
    let mut targets: Vec<u32> = huge_vec(ends[n_states])?;
    targets.resize(ends[n_states], 0);
    // `ends[s]` is where the next target of `s` goes: from the beginning of its row to its end, where row s + 1 begins.
    each_transition(trajectories, 0..length, lag, stride, control, |from, to| {
        targets[ends[from as usize]] = to;
        ends[from as usize] += 1;
    })?;
    control.advance((length - length / 2) as u64);

    let mut blocks = Vec::new();
    let (mut rest, mut first, mut begin) = (&mut targets[..], 0, 0);
    while first < n_states {
        let mut last = first;
        while last + 1 < n_states && ends[last] - begin < PIECE && last - first < PIECE {
            last += 1;
        }
        let (part, others) = rest.split_at_mut(ends[last] - begin);
        blocks.push(Mutex::new((first..last + 1, begin, part)));
        (rest, begin, first) = (others, ends[last], last + 1);
    }
    let parts = map_items(blocks.len(), 1, control, Vec::new, |histogram, block| {
        let mut block = blocks[block].lock().map_err(|_| Error::Interrupted)?;
        let (rows, begin, targets) = &mut *block;
        let mut counts = Builder::new(rows.len())?;
        let mut from = 0;
        for state in rows.clone() {
            let to = ends[state] - *begin;
            count_row(&mut targets[from..to], n_states, histogram, &mut counts)?;
            from = to;
        }
        Ok(counts.0)
    })?;
    drop(blocks);
    drop(targets);
    let n_entries = parts.iter().map(|part| part.indices.len()).sum();
    let Builder(mut counts) = Builder::new(n_states)?;
    (counts.indices, counts.counts) = (room(n_entries)?, room(n_entries)?);
    for part in parts {
        let before = counts.indices.len() as i64;
        counts.indptr.extend(part.indptr[1..].iter().map(|end| before + end));
        counts.indices.extend(part.indices);
        counts.counts.extend(part.counts);
    }
    Ok(counts)
}

/// Appends the row of the states in `targets`.
fn count_row(targets: &mut [u32], n_states: usize, histogram: &mut Vec<i64>, counts: &mut Builder) -> Result<()> {
    if targets.len() > n_states / 16 {
        if histogram.is_empty() {
            *histogram = zeros(n_states)?;
        }
        for &target in &*targets {
            histogram[target as usize] += 1;
        }
        for (target, count) in histogram.iter_mut().enumerate() {
            if *count > 0 {
                counts.push(target as u32, std::mem::take(count));
            }
        }
    } else {
        targets.sort_unstable();
        for run in targets.chunk_by(|a, b| a == b) {
            counts.push(run[0], run.len() as i64);
        }
    }
    counts.end_row();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn naive(lists: &[Vec<u32>], lag: usize, stride: usize) -> BTreeMap<(u32, u32), i64> {
        let mut seen = BTreeMap::new();
        for list in lists {
            for position in (0..list.len().saturating_sub(lag)).step_by(stride) {
                *seen.entry((list[position], list[position + lag])).or_insert(0) += 1;
            }
        }
        seen
    }

    fn flat(counts: &PairCounts) -> BTreeMap<(u32, u32), i64> {
        let mut seen = BTreeMap::new();
        for state in 0..counts.indptr.len() as u32 - 1 {
            assert!(counts.indices[row(counts, state)].windows(2).all(|pair| pair[0] < pair[1]));
            for entry in row(counts, state) {
                seen.insert((state, counts.indices[entry]), counts.counts[entry]);
            }
        }
        seen
    }

    proptest! {
        #[test]
        fn both_ways_of_counting_equal_the_plain_loop(
            lists in prop::collection::vec(prop::collection::vec(0u32..6, 0..40), 0..6),
            lag in 1usize..6,
            strided: bool,
            threads in 1usize..4,
        ) {
            let states: Vec<u32> = lists.concat();
            let offsets: Vec<i64> = std::iter::once(0)
                .chain(lists.iter().scan(0, |end, list| { *end += list.len() as i64; Some(*end) }))
                .collect();
            let expected = naive(&lists, lag, if strided { lag } else { 1 });
            for n_states in [6, SQUARE + 1] {
                let trajectories = Trajectories::new(&states, &offsets, n_states).unwrap();
                let found = count(&trajectories, lag, strided, &Control::new(threads)).unwrap();
                prop_assert_eq!(found.indptr.len(), n_states + 1);
                prop_assert_eq!(flat(&found), expected.clone());
            }
        }
    }

    #[test]
    fn pieces_and_blocks_join_without_a_gap() {
        let n_states = SQUARE as u32 + 200;
        let states: Vec<u32> = (0..5 * PIECE as u64).map(|i| (i * i * 7919 % u64::from(n_states)) as u32).collect();
        let offsets = [0, 17, states.len() as i64];
        let lists = [states[..17].to_vec(), states[17..].to_vec()];
        let trajectories = Trajectories::new(&states, &offsets, n_states as usize).unwrap();
        for (lag, strided) in [(1, false), (3, false), (3, true)] {
            let found = count(&trajectories, lag, strided, &Control::new(3)).unwrap();
            assert_eq!(flat(&found), naive(&lists, lag, if strided { lag } else { 1 }));
        }
        let small: Vec<u32> = states.iter().map(|state| state % 5).collect();
        let lists = [small[..17].to_vec(), small[17..].to_vec()];
        let trajectories = Trajectories::new(&small, &offsets, 5).unwrap();
        for (lag, strided) in [(1, false), (3, true)] {
            let found = count(&trajectories, lag, strided, &Control::new(3)).unwrap();
            assert_eq!(flat(&found), naive(&lists, lag, if strided { lag } else { 1 }));
        }
    }
}
