//! Trajectories: observed walks, one after another in one array.

use crate::error::{Result, invalid};
use std::ops::Range;

/// Trajectories that were checked: each state is below `n_states`.
#[derive(Debug, Clone, Copy)]
pub struct Trajectories<'a> {
    states: &'a [u32],
    offsets: &'a [i64],
    n_states: usize,
}

/// Positions of one trajectory from which a transition begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    /// Where the trajectory begins.
    pub(super) begin: usize,
    /// Of all its positions with a successor, the last one's successor being the trajectory's last state: where they
    /// end.
    pub(super) end: usize,
    /// Those of them that were asked for.
    pub(super) positions: Range<usize>,
}

impl<'a> Trajectories<'a> {
    /// Trajectory `i` is `states[offsets[i]..offsets[i + 1]]`.
    ///
    /// # Errors
    /// If `offsets` do not rise from 0 to the number of states, or a state is not below `n_states`.
    pub fn new(states: &'a [u32], offsets: &'a [i64], n_states: usize) -> Result<Self> {
        let ends = (offsets.first().copied(), offsets.last().copied());
        if ends != (Some(0), Some(states.len() as i64)) || offsets.windows(2).any(|pair| pair[0] > pair[1]) {
            return Err(invalid("offsets", &[], "", format!("rise from 0 to the number of states, {}", states.len())));
        }
        if let Some(position) = states.iter().position(|&state| state as usize >= n_states) {
            let rule = format!("be below the number of states, {n_states}");
            return Err(invalid("trajectories", &[position], states[position], rule));
        }
        Ok(Self { states, offsets, n_states })
    }

    /// All states, trajectory after trajectory.
    pub fn states(&self) -> &'a [u32] {
        self.states
    }

    /// The number of states that a trajectory may visit.
    pub fn n_states(&self) -> usize {
        self.n_states
    }

    /// The positions in `range` from which a transition over `lag` steps begins, trajectory by trajectory.
    pub(super) fn parts(&self, range: Range<usize>, lag: usize) -> impl Iterator<Item = Part> + '_ {
        let first = self.offsets.partition_point(|&offset| offset as usize <= range.start).saturating_sub(1);
        let end_of_range = range.end;
        self.offsets[first..]
            .windows(2)
            .map(|pair| (pair[0] as usize, pair[1] as usize))
            .take_while(move |&(begin, _)| begin < end_of_range)
            .map(move |(begin, end)| {
                let end = end.saturating_sub(lag).max(begin);
                let from = begin.max(range.start).min(end);
                Part { begin, end, positions: from..end.min(range.end).max(from) }
            })
            .filter(|part| !part.positions.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_cut_at_the_borders_of_ranges_and_trajectories() {
        let (states, offsets) = ([0; 12], [0, 0, 5, 7, 12]);
        let trajectories = Trajectories::new(&states, &offsets, 1).unwrap();
        let parts = |range| trajectories.parts(range, 2).collect::<Vec<_>>();
        let part = |begin, end, positions| Part { begin, end, positions };
        assert_eq!(parts(0..12), [part(0, 3, 0..3), part(7, 10, 7..10)]);
        assert_eq!(parts(2..9), [part(0, 3, 2..3), part(7, 10, 7..9)]);
        assert_eq!(parts(5..7), []);
        assert_eq!(parts(11..12), []);
    }

    #[test]
    fn bad_input_is_named() {
        assert!(
            Trajectories::new(&[0, 3], &[0, 2], 3).unwrap_err().to_string().contains("trajectories[1] must be below")
        );
        for offsets in [&[][..], &[0], &[0, 3], &[1, 2], &[0, 2, 1, 2]] {
            assert!(Trajectories::new(&[0, 1], offsets, 3).is_err(), "{offsets:?}");
        }
    }
}
