//! Shortest solutions of the 15-puzzle by iterative deepening A* (Korf 1985), with linear conflicts (Hansson, Mayer and
//! Yung 1992) on top of the Manhattan distance.

use super::{DIRECTIONS, DISTANCE, GOAL, NONE, Tiles};
use crate::error::{Error, Result};
use crate::run::Control;

/// Nodes between two looks at the stop flag.
const CHECKED: u64 = 8192;

/// A shortest solution of `state`, as the directions in which the blank moves. Its last move does not bind it.
///
/// Cost: some 50 ns a node. Positions within 40 moves of the goal take up to some thousands of nodes, a random position
/// (53 moves on average) some tens of millions.
///
/// # Errors
/// [`Error::NotConverged`] after `max_nodes` nodes; [`Error::Interrupted`].
pub fn solve_optimally(state: &Tiles, max_nodes: u64, control: &Control) -> Result<Vec<&'static str>> {
    let state = Tiles { last: NONE, ..*state };
    let mut search = Search { control, max_nodes, n_nodes: 0, path: Vec::new() };
    let conflicts = Conflicts::new();
    let mut limit = state.distance() + conflicts.of_all(state);
    loop {
        match search.descend(&conflicts, state, state.distance(), conflicts.of_all(state), limit)? {
            None => return Ok(search.path.iter().rev().map(|&direction| DIRECTIONS[direction as usize]).collect()),
            Some(least) => limit = least,
        }
    }
}

struct Search<'a> {
    control: &'a Control,
    max_nodes: u64,
    n_nodes: u64,
    /// The moves of the solution, from the last to the first.
    path: Vec<u32>,
}

impl Search<'_> {
    /// `None` if the goal was reached within `limit` moves from here, else the least estimate above it.
    fn descend(
        &mut self,
        conflicts: &Conflicts,
        state: Tiles,
        distance: u32,
        conflict: u32,
        limit: u32,
    ) -> Result<Option<u32>> {
        self.n_nodes += 1;
        if self.n_nodes.is_multiple_of(CHECKED) {
            self.control.check()?;
        }
        if self.n_nodes > self.max_nodes {
            return Err(Error::NotConverged(format!(
                "the puzzle is not solved within {} nodes: raise max_nodes",
                self.max_nodes
            )));
        }
        if state.cells == GOAL {
            return Ok(None);
        }
        let mut least = u32::MAX;
        let mut directions = state.directions();
        while directions != 0 {
            let direction = directions.trailing_zeros();
            directions &= directions - 1;
            let mut next = state;
            let tile = next.slide(direction);
            // The tile went to where the blank was.
            let (from, to) = (usize::from(next.blank), usize::from(state.blank));
            let distance = distance + u32::from(DISTANCE[tile][to]) - u32::from(DISTANCE[tile][from]);
            let conflict = conflict + conflicts.of_crossed(next, direction, from, to)
                - conflicts.of_crossed(state, direction, from, to);
            let estimate = 1 + distance + conflict;
            if estimate > limit {
                least = least.min(estimate);
                continue;
            }
            match self.descend(conflicts, next, distance, conflict, limit - 1)? {
                None => {
                    self.path.push(direction);
                    return Ok(None);
                }
                Some(above) => least = least.min(above.saturating_add(1)),
            }
        }
        Ok(Some(least))
    }
}

/// Twice the tiles that must leave their line so that others can pass: of the tiles of a line whose places are in it,
/// all but a longest run in order. Each needs two moves more than its distance.
struct Conflicts {
    /// By the places of the four tiles of a line, each 1 to 4, or 0 for what does not belong there, in base 5.
    moves: [u8; 625],
}

impl Conflicts {
    fn new() -> Self {
        let mut moves = [0; 625];
        for (code, moves) in moves.iter_mut().enumerate() {
            let places = [code / 125, code / 25 % 5, code / 5 % 5, code % 5];
            let present = places.iter().filter(|&&place| place > 0).count();
            // The longest run that ends with each tile.
            let mut runs = [0; 4];
            for i in (0..4).filter(|&i| places[i] > 0) {
                let before = (0..i).filter(|&j| places[j] < places[i]).map(|j| runs[j]).max();
                runs[i] = 1 + before.unwrap_or(0);
            }
            *moves = 2 * (present - runs.into_iter().max().unwrap_or(0)) as u8;
        }
        Self { moves }
    }

    fn of_row(&self, state: Tiles, row: usize) -> u32 {
        self.of_line(|i| state.tile((4 * row + i) as u32), |tile| (tile / 4, tile % 4), row)
    }

    fn of_column(&self, state: Tiles, column: usize) -> u32 {
        self.of_line(|i| state.tile((4 * i + column) as u32), |tile| (tile % 4, tile / 4), column)
    }

    /// `home` says to which line a tile belongs, and to which place in it.
    #[inline]
    fn of_line(&self, tile: impl Fn(usize) -> usize, home: impl Fn(usize) -> (usize, usize), line: usize) -> u32 {
        let code = (0..4).fold(0, |code, i| {
            let tile = tile(i);
            let (own, place) = home(tile);
            code * 5 + if own == line && tile != 0 { place + 1 } else { 0 }
        });
        u32::from(self.moves[code])
    }

    fn of_all(&self, state: Tiles) -> u32 {
        (0..4).map(|line| self.of_row(state, line) + self.of_column(state, line)).sum()
    }

    /// Of the two lines that a tile leaves and enters between two cells; within its own line it passes none.
    fn of_crossed(&self, state: Tiles, direction: u32, from: usize, to: usize) -> u32 {
        if matches!(direction, 0 | 3) {
            self.of_row(state, from / 4) + self.of_row(state, to / 4)
        } else {
            self.of_column(state, from % 4) + self.of_column(state, to % 4)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{FifteenPuzzle, tests::scrambled};
    use super::*;
    use crate::problems::Problem;
    use crate::random::Seed;
    use std::collections::HashMap;

    /// All positions within so many moves of the goal, with the length of their shortest solution.
    fn near(depth: u32) -> HashMap<u64, (Tiles, u32)> {
        let goal = scrambled(&[]);
        let mut known = HashMap::from([(goal.cells, (goal, 0))]);
        let mut layer = vec![goal];
        for moves in 1..=depth {
            let mut next_layer = Vec::new();
            for state in layer {
                for direction in (0..4).filter(|d| state.directions() >> d & 1 == 1) {
                    let mut next = state;
                    next.slide(direction);
                    known.entry(next.cells).or_insert_with(|| {
                        next_layer.push(next);
                        (next, moves)
                    });
                }
            }
            layer = next_layer;
        }
        known
    }

    #[test]
    fn solutions_are_shortest_and_solve() {
        let control = Control::default();
        let conflicts = Conflicts::new();
        let known = near(13);
        assert_eq!(
            known.len(),
            [1, 2, 4, 10, 24, 54, 107, 212, 446, 946, 1948, 3938, 7808, 15544].iter().sum::<usize>()
        );
        for (state, moves) in known.values() {
            assert!(state.distance() + conflicts.of_all(*state) <= *moves);
            let solution = solve_optimally(state, u64::MAX, &control).unwrap();
            assert_eq!(solution.len(), *moves as usize);
            let mut state = Tiles { last: NONE, ..*state };
            for step in solution {
                state.slide(DIRECTIONS.iter().position(|&name| name == step).unwrap() as u32);
            }
            assert_eq!(state.cells, GOAL);
        }
    }

    #[test]
    fn conflicts_along_a_long_walk_are_those_of_a_fresh_look() {
        // The difference of crossed lines is the difference of all lines.
        let conflicts = Conflicts::new();
        let mut stream = Seed::from_u64(6).stream(0);
        let mut state = scrambled(&[]);
        let mut most = 0;
        for _ in 0..20_000 {
            let direction = state.direction(stream.below(u64::from(state.directions().count_ones())) as u32);
            let before = state;
            state.slide(direction);
            let (from, to) = (usize::from(state.blank), usize::from(before.blank));
            let all = conflicts.of_all(before) + conflicts.of_crossed(state, direction, from, to);
            assert_eq!(all, conflicts.of_all(state) + conflicts.of_crossed(before, direction, from, to));
            most = most.max(conflicts.of_all(state));
        }
        assert!(most >= 6);
    }

    #[test]
    fn a_limit_and_a_stop_are_heard() {
        let tiles = [14, 13, 15, 7, 11, 12, 9, 5, 6, 0, 2, 1, 4, 8, 10, 3];
        let game = FifteenPuzzle::new(&[tiles], false).unwrap();
        let control = Control::default();
        let error = solve_optimally(&game.root(0), 1000, &control).unwrap_err();
        assert_eq!(error.to_string(), "the puzzle is not solved within 1000 nodes: raise max_nodes");
        // The first of Korf's hundred: 41 by Manhattan distance, 57 in truth.
        assert_eq!(game.root(0).distance(), 41);
        control.cancel();
        assert_eq!(solve_optimally(&game.root(0), u64::MAX, &control), Err(Error::Interrupted));
    }
}
