//! The 15-puzzle: fifteen tiles are slid into order on a square of four by four.

pub mod solver;

use super::Problem;
use super::synthetic::mix;
use crate::error::{Result, invalid};
use crate::random::Stream;

/// The tiles in order: 0 (the blank) in the upper left corner, then 1 to 15 in the order of reading.
const GOAL: u64 = 0xfedc_ba98_7654_3210;

/// The longest optimal solution of any position (Brüngger, Marzetta, Fukuda and Nievergelt 1999).
const LONGEST: f64 = 80.0;

/// The directions in which the blank moves, in the order of the actions; the opposite of d is 3 - d.
const DIRECTIONS: [&str; 4] = ["up", "left", "right", "down"];

/// What a direction adds to the number of the cell.
const STEPS: [i32; 4] = [-4, -1, 1, 4];

/// No last move.
const NONE: u8 = 4;

/// The distance of each tile from its place, by tile and cell, in rows and columns.
const DISTANCE: [[u8; 16]; 16] = {
    let mut distance = [[0; 16]; 16];
    let mut tile = 1;
    while tile < 16 {
        let mut cell = 0;
        while cell < 16 {
            let (rows, columns) = ((tile / 4i32).abs_diff(cell / 4), (tile % 4).abs_diff(cell % 4));
            distance[tile as usize][cell as usize] = (rows + columns) as u8;
            cell += 1;
        }
        tile += 1;
    }
    distance
};

/// A 15-puzzle for each tree: tree t works on position t, counted round.
///
/// An action moves the blank up, left, right or down, of these what the board allows, but for the move that would undo
/// the last one. The state in which all tiles are in order is terminal.
///
/// Without rewards a state of Manhattan distance d is worth 1 - d / 80, where 80 moves solve any position: the goal is
/// worth 1. With rewards each step gives -1 and a state is worth -d, so that a path and its end are worth minus the
/// moves made and the least that are still needed, as in A*.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FifteenPuzzle {
    starts: Vec<Tiles>,
    rewards: bool,
}

/// A position: four bits for each cell, the cell of the blank, and the direction of its last move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tiles {
    cells: u64,
    blank: u8,
    last: u8,
}

impl Tiles {
    /// The directions that the blank may take, as bits.
    #[inline]
    fn directions(self) -> u32 {
        let (row, column) = (self.blank / 4, self.blank % 4);
        let all =
            u32::from(row > 0) | u32::from(column > 0) << 1 | u32::from(column < 3) << 2 | u32::from(row < 3) << 3;
        // After no move the bit lies outside.
        all & !(1 << 3 >> self.last)
    }

    #[inline]
    fn tile(self, cell: u32) -> usize {
        (self.cells >> (4 * cell) & 15) as usize
    }

    /// The blank moves one cell; returns the tile it changes places with.
    #[inline]
    fn slide(&mut self, direction: u32) -> usize {
        let to = (i32::from(self.blank) + STEPS[direction as usize]) as u32;
        let tile = self.tile(to);
        self.cells ^= (tile as u64) << (4 * to) | (tile as u64) << (4 * self.blank);
        self.blank = to as u8;
        self.last = direction as u8;
        tile
    }

    /// The Manhattan distance: rows and columns between each tile and its place, added up. No solution is shorter.
    #[inline]
    pub fn distance(&self) -> u32 {
        (0..16).map(|cell| u32::from(DISTANCE[self.tile(cell)][cell as usize])).sum()
    }

    /// The direction of action number `action`.
    #[inline]
    fn direction(self, action: u32) -> u32 {
        let mut directions = self.directions();
        for _ in 0..action {
            directions &= directions.wrapping_sub(1);
        }
        directions.trailing_zeros() & 3
    }
}

impl FifteenPuzzle {
    /// Puzzles from `states`, each the tile in each cell in the order of reading, 0 for the blank.
    ///
    /// # Errors
    /// No states, numbers that are not 0 to 15 once each, and positions from which the goal is out of reach.
    pub fn new(states: &[[i64; 16]], rewards: bool) -> Result<Self> {
        if states.is_empty() {
            return Err(invalid("states", &[], "", "have at least one row"));
        }
        let starts = states.iter().enumerate().map(|(row, tiles)| checked(row, tiles)).collect::<Result<_>>()?;
        Ok(Self { starts, rewards })
    }

    /// The number of puzzles.
    pub const fn n_puzzles(&self) -> usize {
        self.starts.len()
    }
}

/// A position that can be solved, from the tiles of row `row` of the states.
fn checked(row: usize, tiles: &[i64; 16]) -> Result<Tiles> {
    let mut seen = 0u32;
    let mut state = Tiles { cells: 0, blank: 0, last: NONE };
    for (cell, &tile) in tiles.iter().enumerate() {
        if !(0..16).contains(&tile) || seen >> tile & 1 == 1 {
            let rule = "be a number from 0 to 15 that is not there yet";
            return Err(invalid("states", &[row, cell], tile, rule));
        }
        seen |= 1 << tile;
        state.cells |= (tile as u64) << (4 * cell);
        if tile == 0 {
            state.blank = cell as u8;
        }
    }
    // Each slide swaps two numbers and moves the blank by one cell: swaps and cells stay even together.
    let pairs = (0..16).flat_map(|i| (i + 1..16).map(move |j| (i, j)));
    let inversions = pairs.filter(|&(i, j)| tiles[i] > tiles[j]).count();
    let cells = usize::from(state.blank / 4 + state.blank % 4);
    if (inversions + cells) % 2 == 1 {
        let rule = "be a position from which the tiles can be put in order (this one is a swap of two tiles away)";
        return Err(invalid("states", &[row], format!("{tiles:?}"), rule));
    }
    Ok(state)
}

impl Problem for FifteenPuzzle {
    type State = Tiles;

    fn root(&self, tree: u64) -> Tiles {
        self.starts[(tree % self.starts.len() as u64) as usize]
    }

    #[inline]
    fn n_actions(&self, state: &Tiles) -> u32 {
        if state.cells == GOAL { 0 } else { state.directions().count_ones() }
    }

    #[inline]
    fn step(&self, state: &mut Tiles, action: u32) -> f64 {
        state.slide(state.direction(action));
        if self.rewards { -1.0 } else { 0.0 }
    }

    #[inline]
    fn value(&self, state: &Tiles, _stream: &mut Stream) -> f64 {
        let distance = f64::from(state.distance());
        if self.rewards { -distance } else { 1.0 - distance / LONGEST }
    }

    fn has_rewards(&self) -> bool {
        self.rewards
    }

    fn value_bounds(&self) -> (f64, f64) {
        if self.rewards { (-LONGEST, 0.0) } else { (0.0, 1.0) }
    }

    /// Tiles and last move, for what may follow depends on both.
    fn key(&self, state: &Tiles) -> Option<u64> {
        Some(mix(state.cells) ^ u64::from(state.last))
    }

    fn describe(&self, state: &Tiles) -> String {
        let row =
            |r: u32| (4 * r..4 * r + 4).map(|cell| format!("{:2}", state.tile(cell))).collect::<Vec<_>>().join(" ");
        (0..4).map(row).collect::<Vec<_>>().join("\n")
    }

    fn describe_action(&self, state: &Tiles, action: u32) -> String {
        DIRECTIONS[state.direction(action) as usize].to_owned()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::random::Seed;
    use proptest::prelude::*;

    /// The tiles of a state in the order of reading.
    fn numbers(state: &Tiles) -> [i64; 16] {
        std::array::from_fn(|cell| state.tile(cell as u32) as i64)
    }

    fn goal() -> Tiles {
        Tiles { cells: GOAL, blank: 0, last: NONE }
    }

    /// The position after a walk of the blank from the goal, as a start.
    pub fn scrambled(choices: &[u32]) -> Tiles {
        let mut state = goal();
        for choice in choices {
            state.slide(state.direction(choice % state.directions().count_ones()));
        }
        Tiles { last: NONE, ..state }
    }

    proptest! {
        #[test]
        fn slides_follow_the_rules(choices in proptest::collection::vec(any::<u32>(), 0..60), rewards: bool) {
            let start = scrambled(&choices);
            let game = FifteenPuzzle::new(&[numbers(&start)], rewards).unwrap();
            prop_assert_eq!(game.root(0), start);
            let mut state = start;
            for choice in choices {
                let n = game.n_actions(&state);
                if n == 0 {
                    break;
                }
                let before = numbers(&state);
                let undone = Tiles { last: NONE, ..state };
                let (action, text) = (choice % n, game.describe_action(&state, choice % n));
                let distance = state.distance();
                prop_assert_eq!(game.step(&mut state, action), if rewards { -1.0 } else { 0.0 });
                prop_assert_eq!(state.distance().abs_diff(distance), 1);
                let from = before.iter().position(|&tile| tile == 0).unwrap() as i32;
                let to = from + match &*text { "up" => -4, "left" => -1, "right" => 1, _ => 4 };
                prop_assert!(from / 4 == to / 4 || from % 4 == to % 4);
                let mut after = before;
                after.swap(from as usize, to as usize);
                prop_assert_eq!(numbers(&state), after);
                // None of what may follow leads back.
                for next in 0..game.n_actions(&state) {
                    let mut again = state;
                    game.step(&mut again, next);
                    prop_assert_ne!(again.cells, undone.cells);
                }
            }
        }
    }

    #[test]
    fn the_goal_is_terminal_and_worth_most() {
        let mut stream = Seed::from_u64(0).stream(0);
        for (rewards, values) in [(false, (1.0, 1.0 - 1.0 / 80.0)), (true, (0.0, -1.0))] {
            let mut tiles: [i64; 16] = std::array::from_fn(|i| i as i64);
            let game = FifteenPuzzle::new(
                &[tiles, {
                    tiles.swap(0, 1);
                    tiles
                }],
                rewards,
            )
            .unwrap();
            assert_eq!((game.n_actions(&game.root(0)), game.value(&game.root(0), &mut stream)), (0, values.0));
            assert_eq!((game.n_actions(&game.root(3)), game.value(&game.root(1), &mut stream)), (3, values.1));
            assert_eq!(game.describe(&game.root(1)), " 1  0  2  3\n 4  5  6  7\n 8  9 10 11\n12 13 14 15");
            assert_eq!(game.n_puzzles(), 2);
        }
    }

    #[test]
    fn equal_tiles_after_other_moves_are_other_states() {
        let game = FifteenPuzzle::new(&[numbers(&scrambled(&[0]))], false).unwrap();
        let keys: Vec<_> = (0..=4).map(|last| game.key(&Tiles { last, ..goal() })).collect();
        assert!((0..5).all(|i| (0..i).all(|j| keys[i] != keys[j])));
    }

    #[test]
    fn what_is_no_puzzle_is_named() {
        let error = |change: fn(&mut [i64; 16])| {
            let mut tiles: [i64; 16] = std::array::from_fn(|i| i as i64);
            change(&mut tiles);
            FifteenPuzzle::new(&[std::array::from_fn(|i| i as i64), tiles], false).unwrap_err().to_string()
        };
        assert_eq!(error(|t| t[3] = 16), "states[1, 3] must be a number from 0 to 15 that is not there yet, got 16");
        assert_eq!(error(|t| t[3] = 2), "states[1, 3] must be a number from 0 to 15 that is not there yet, got 2");
        assert!(error(|t| t.swap(14, 15)).starts_with("states[1] must be a position from which"));
        assert_eq!(FifteenPuzzle::new(&[], false).unwrap_err().to_string(), "states must have at least one row");
    }
}
