//! What transitions counted from every position are worth: those over several steps overlap, and tell less than as
//! many independent ones.
//!
//! Let `x` be a trajectory whose states `lag` apart form a Markov chain, `N_i` the number of its transitions out of i,
//! and `p_j` the share of those that lead to j. The error of `p_j` is the sum over positions t at which `x` is in i of
//! `e_t(j)`, which is `1 - p_j` if `x` is in j at t + lag, else `-p_j`. Given the past of t + lag, the errors from
//! there on have mean zero: terms at least `lag` apart are uncorrelated. So the variance of the sum is that of `N_i`
//! independent transitions times
//!
//! ```text
//! g_i = 1 + 2 / (N_i (1 - sum_j p_j^2)) * sum over pairs t < t' < t + lag, x_t = x_t' = i, of sum_j e_t(j) e_t'(j)
//! ```
//!
//! for the mean over j (the mean design effect of Rao and Scott 1981; the truncation is that of Hansen and Hodrick 1980
//! for overlapping forecasts). It is at most `lag`: the positions t, t + lag, t + 2 lag, ... alone have terms without
//! correlation, and the whole is the sum of `lag` such series.

use super::counts::row;
use super::trajectories::Trajectories;
use crate::chains::transitions::PairCounts;
use crate::error::Result;
use crate::memory::zeros;
use crate::run::{Control, map_items};
use std::collections::VecDeque;
use std::ops::Range;

/// Positions that are worth a thread of their own; many times the lag, since each thread first reads a window.
const PIECE: usize = 1 << 17;

/// Positions between two looks at the stop flag.
const CHECKED: usize = 1 << 16;

/// Numbers of pairs of overlapping transitions out of the same state.
struct Pairs {
    /// Of each state.
    of_state: Vec<i64>,
    /// Of those, pairs with the same target.
    alike: Vec<i64>,
    /// Pairs of which each entry of the counts is one; twice where it is both.
    of_entry: Vec<i64>,
}

impl Pairs {
    fn new(counts: &PairCounts) -> Result<Self> {
        let n_states = counts.indptr.len() - 1;
        Ok(Self { of_state: zeros(n_states)?, alike: zeros(n_states)?, of_entry: zeros(counts.indices.len())? })
    }

    fn add(&mut self, other: &Self) {
        for (to, from) in [
            (&mut self.of_state, &other.of_state),
            (&mut self.alike, &other.alike),
            (&mut self.of_entry, &other.of_entry),
        ] {
            to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
        }
    }
}

/// How many overlapping transitions out of each state tell as much as one independent one: from 1 to `lag`. `counts`
/// are those of the same `trajectories` and `lag`, from every position. A state that always had the same successor
/// counts each pair as wholly correlated; one without transitions has 1. Cost: O(length), on several threads.
///
/// Negative correlations, which would give less than 1, are not relied upon.
///
/// # Errors
/// [`Error::Memory`](crate::Error::Memory), [`Error::Interrupted`](crate::Error::Interrupted).
pub fn inefficiency(
    trajectories: &Trajectories<'_>,
    lag: usize,
    counts: &PairCounts,
    control: &Control,
) -> Result<Vec<f64>> {
    let length = trajectories.states().len();
    control.expect(length as u64);
    let n_pieces = control.threads().min(length / PIECE.max(lag.saturating_mul(8))).max(1);
    let pieces = map_items(
        n_pieces,
        1,
        control,
        || (),
        |(), piece| {
            let range = length * piece / n_pieces..length * (piece + 1) / n_pieces;
            let mut window = Window::new(counts)?;
            for part in trajectories.parts(range.clone(), lag) {
                window.run(trajectories.states(), part.positions, part.end, lag, control)?;
            }
            control.advance(range.len() as u64);
            Ok(window.pairs)
        },
    )?;
    let mut pairs = Pairs::new(counts)?;
    for piece in &pieces {
        pairs.add(piece);
    }
    Ok((0..counts.indptr.len() as u32 - 1).map(|state| of_state(counts, &pairs, state, lag as f64)).collect())
}

fn of_state(counts: &PairCounts, pairs: &Pairs, state: u32, lag: f64) -> f64 {
    let row = row(counts, state);
    let total: i64 = counts.counts[row.clone()].iter().sum();
    if total == 0 {
        return 1.0;
    }
    let (n_pairs, alike) = (pairs.of_state[state as usize] as f64, pairs.alike[state as usize] as f64);
    let share = |entry: usize| counts.counts[entry] as f64 / total as f64;
    if row.len() == 1 {
        return (1.0 + 2.0 * n_pairs / total as f64).min(lag);
    }
    let squares: f64 = row.clone().map(|entry| share(entry) * share(entry)).sum();
    let means: f64 = row.map(|entry| share(entry) * pairs.of_entry[entry] as f64).sum();
    let products = alike - means + n_pairs * squares;
    (1.0 + 2.0 * products / (total as f64 * (1.0 - squares))).clamp(1.0, lag)
}

/// The transitions that begin less than `lag` after a position.
struct Window<'a> {
    counts: &'a PairCounts,
    pairs: Pairs,
    /// The transitions in the window, the latest first: state, entry, and how many of `passed` there were when it came.
    transitions: VecDeque<(u32, usize, i64)>,
    /// Transitions of each state, and of each entry, in the window.
    states: Vec<i64>,
    entries: Vec<i64>,
    /// Transitions of each state that have been looked at: each was paired with those in the window.
    passed: Vec<i64>,
}

impl<'a> Window<'a> {
    fn new(counts: &'a PairCounts) -> Result<Self> {
        let (n_states, n_entries) = (counts.indptr.len() - 1, counts.indices.len());
        Ok(Self {
            counts,
            pairs: Pairs::new(counts)?,
            transitions: VecDeque::new(),
            states: zeros(n_states)?,
            entries: zeros(n_entries)?,
            passed: zeros(n_states)?,
        })
    }

    /// Looks at the transitions from `positions`, from the last to the first. Transitions begin before `end`.
    fn run(
        &mut self,
        states: &[u32],
        positions: Range<usize>,
        end: usize,
        lag: usize,
        control: &Control,
    ) -> Result<()> {
        for later in (positions.end..end.min(positions.end.saturating_add(lag - 1))).rev() {
            let (state, entry) = self.transition(states, later, lag);
            self.enter(state, entry);
        }
        for position in positions.rev() {
            if position % CHECKED == 0 {
                control.check()?;
            }
            let (state, entry) = self.transition(states, position, lag);
            self.pairs.of_state[state as usize] += self.states[state as usize];
            self.pairs.of_entry[entry] += self.states[state as usize];
            self.pairs.alike[state as usize] += self.entries[entry];
            self.passed[state as usize] += 1;
            self.enter(state, entry);
            if self.transitions.len() >= lag {
                self.leave();
            }
        }
        while !self.transitions.is_empty() {
            self.leave();
        }
        Ok(())
    }

    fn transition(&self, states: &[u32], position: usize, lag: usize) -> (u32, usize) {
        let row = row(self.counts, states[position]);
        let found = self.counts.indices[row.clone()].binary_search(&states[position + lag]);
        (states[position], row.start + found.unwrap_or(0))
    }

    fn enter(&mut self, state: u32, entry: usize) {
        self.transitions.push_front((state, entry, self.passed[state as usize]));
        self.states[state as usize] += 1;
        self.entries[entry] += 1;
    }

    /// The latest transition leaves: it was in the window of those of its state that passed since it came.
    fn leave(&mut self) {
        if let Some((state, entry, passed)) = self.transitions.pop_back() {
            self.pairs.of_entry[entry] += self.passed[state as usize] - passed;
            self.states[state as usize] -= 1;
            self.entries[entry] -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chains::fitting::counts::count;
    use crate::random::Seed;
    use proptest::prelude::*;

    /// The definition, pair by pair.
    fn naive(states: &[u32], lag: usize, state: u32, n_states: usize) -> f64 {
        let from: Vec<usize> = (0..states.len().saturating_sub(lag)).filter(|&t| states[t] == state).collect();
        let total = from.len() as f64;
        let mut p = vec![0.0; n_states];
        for &t in &from {
            p[states[t + lag] as usize] += 1.0 / total;
        }
        let error = |t: usize, j: usize| f64::from(u8::from(states[t + lag] as usize == j)) - p[j];
        let (mut own, mut cross) = (0.0, 0.0);
        for &t in &from {
            own += (0..n_states).map(|j| error(t, j).powi(2)).sum::<f64>();
            for &later in from.iter().filter(|&&later| later > t && later < t + lag) {
                cross += (0..n_states).map(|j| error(t, j) * error(later, j)).sum::<f64>();
            }
        }
        if own < 1e-12 { f64::NAN } else { (1.0 + 2.0 * cross / own).clamp(1.0, lag as f64) }
    }

    proptest! {
        #[test]
        fn windows_give_the_sums_over_pairs(
            states in prop::collection::vec(0u32..3, 2..120), lag in 1usize..9,
        ) {
            let offsets = [0, states.len() as i64];
            let trajectories = Trajectories::new(&states, &offsets, 3).unwrap();
            let counts = count(&trajectories, lag, false, &Control::default()).unwrap();
            let found = inefficiency(&trajectories, lag, &counts, &Control::default()).unwrap();
            for state in 0..3 {
                let expected = naive(&states, lag, state, 3);
                if expected.is_nan() {
                    prop_assert!((1.0..=lag as f64).contains(&found[state as usize]));
                } else {
                    prop_assert!((found[state as usize] - expected).abs() < 1e-9);
                }
            }
        }
    }

    #[test]
    fn pieces_pair_each_two_transitions_once() {
        // Stays of some 20 steps in each of two states.
        let (mut stream, mut state) = (Seed::from_u64(1).stream(0), 0);
        let states: Vec<u32> = (0..3 * PIECE)
            .map(|_| {
                state ^= u32::from(stream.below(20) == 0);
                state
            })
            .collect();
        let offsets = [0, 1000, states.len() as i64];
        let trajectories = Trajectories::new(&states, &offsets, 2).unwrap();
        let counts = count(&trajectories, 5, false, &Control::default()).unwrap();
        let one = inefficiency(&trajectories, 5, &counts, &Control::new(1)).unwrap();
        let three = inefficiency(&trajectories, 5, &counts, &Control::new(3)).unwrap();
        assert_eq!(one, three);
        assert!(one[0] > 1.5, "{one:?}");
    }

    #[test]
    fn a_state_with_one_successor_counts_its_overlaps() {
        let states = [0, 0, 0, 0, 0, 0];
        let trajectories = Trajectories::new(&states, &[0, 6], 2).unwrap();
        let counts = count(&trajectories, 2, false, &Control::default()).unwrap();
        // Four transitions, of which three neighbouring pairs overlap: 1 + 2 * 3 / 4 = 2.5, at most the lag.
        assert_eq!(inefficiency(&trajectories, 2, &counts, &Control::default()).unwrap(), [2.0, 1.0]);
    }
}
