//! Connect four on seven columns of six: positions as bits, uniform rollouts, and an exact solver in [`solver`].

pub mod solver;

use super::Problem;
use super::choice::choose;
use crate::error::{Result, invalid};
use crate::random::Stream;

const COLUMNS: u32 = 7;
const ROWS: u32 = 6;

/// A column of seven bits, of which the uppermost is never a stone: it keeps lines from running on into the next one.
const COLUMN: u64 = 0x7f;

/// The lowest cell of each column, and the highest.
const BOTTOM: u64 = 0x0000_0408_1020_4081;
const TOP: u64 = BOTTOM << (ROWS - 1);

/// All cells.
const BOARD: u64 = BOTTOM * 0x3f;

/// The game from a given position on; x moves first. Action i of a state is its i-th column that has room, from the
/// left. A win is worth 1, a draw 0, to the player to move: a value of -1 where the other one has just won.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectFour {
    start: Position,
}

/// A position: the stones of the player to move, and of both. Bit 7 c + r is the cell in column c, row r from below.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Position {
    own: u64,
    all: u64,
}

/// Cells where four of `stones` in a line begin; 0 if there are none.
#[inline(always)]
const fn fours(stones: u64) -> u64 {
    // Pairs of neighbours in each direction, then pairs of pairs: up, down the diagonal, across, up the diagonal.
    let (up, down) = (stones & (stones >> 1), stones & (stones >> 6));
    let (across, diagonal) = (stones & (stones >> 7), stones & (stones >> 8));
    (up & (up >> 2)) | (down & (down >> 12)) | (across & (across >> 14)) | (diagonal & (diagonal >> 16))
}

/// Whether four of `stones` stand in a line.
#[inline(always)]
const fn has_four(stones: u64) -> bool {
    fours(stones) != 0
}

impl Position {
    /// The lowest empty cell of each column that has one.
    #[inline(always)]
    const fn playable(self) -> u64 {
        (self.all + BOTTOM) & BOARD
    }

    /// Whether the player who moved last has won.
    #[inline(always)]
    const fn is_lost(self) -> bool {
        has_four(self.own ^ self.all)
    }

    #[inline(always)]
    const fn is_over(self) -> bool {
        self.is_lost() || self.all == BOARD
    }

    /// The player to move puts a stone on `cell`.
    #[inline(always)]
    const fn play(&mut self, cell: u64) {
        self.own ^= self.all;
        self.all |= cell;
    }

    const fn n_stones(self) -> u32 {
        self.all.count_ones()
    }

    /// The cell that action number `action` fills.
    #[inline]
    fn cell(self, action: u32) -> u64 {
        let playable = self.playable();
        if playable.count_ones() == COLUMNS {
            return playable & (COLUMN << (7 * action));
        }
        let mut cells = playable;
        for _ in 0..action {
            cells &= cells.wrapping_sub(1);
        }
        cells & cells.wrapping_neg()
    }
}

impl ConnectFour {
    /// The game after `moves`: columns 1 to 7 from the left, such as "32164625".
    ///
    /// # Errors
    /// What is no column, full columns, and moves after the end of the game.
    pub fn new(moves: &str) -> Result<Self> {
        let mut start = Position::default();
        for (i, digit) in moves.chars().enumerate() {
            let column = match digit {
                '1'..='7' => digit as u32 - '1' as u32,
                _ => return Err(invalid("moves", &[i], format!("{digit:?}"), "be a digit from 1 to 7")),
            };
            if start.is_over() {
                return Err(invalid("moves", &[i], digit, "not follow the end of the game"));
            }
            let cell = start.playable() & (COLUMN << (7 * column));
            if cell == 0 {
                return Err(invalid("moves", &[i], digit, "be a column with room"));
            }
            start.play(cell);
        }
        Ok(Self { start })
    }
}

/// Moves of a rollout between two looks at who has won. Their choices take 2^23 of the values of a draw.
const BURST: usize = 8;

/// The outcome of uniformly random moves from `start` on, for the player to move there; one draw for every eight moves.
///
/// Moves are made in bursts, and lines of four are looked for after all of them at once, several in a vector register:
/// that takes three quarters of the time of a look after each move.
#[inline]
fn rollout(start: Position, stream: &mut Stream) -> f64 {
    if start.is_lost() {
        return -1.0;
    }
    // The columns with room. A column that fills up gives its place to the last one, which keeps the choice uniform.
    let mut columns = [0u64; 8];
    let mut n_columns = 0;
    for column in 0..COLUMNS {
        columns[n_columns % 8] = COLUMN << (7 * column);
        n_columns += usize::from((start.all >> (7 * column + ROWS - 1)) & 1 == 0);
    }
    let mut position = start;
    while n_columns > 0 {
        let mut draw = stream.next_u64();
        let mut movers = [0; BURST];
        for stones in &mut movers {
            // On a full board the choice is a full column, and nothing is played.
            let choice = choose(&mut draw, n_columns) % 8;
            let cell = position.playable() & columns[choice];
            position.play(cell);
            *stones = position.own ^ position.all;
            if cell & TOP != 0 {
                n_columns -= 1;
                columns[choice] = columns[n_columns % 8];
            }
        }
        let fours: [u64; BURST] = std::array::from_fn(|i| fours(movers[i]));
        if fours.iter().fold(0, |any, four| any | four) != 0 {
            // Bursts are even: the player to move at the start makes the moves 0, 2, ... of each.
            let first = fours.iter().position(|&four| four != 0).unwrap_or(0);
            return 1.0 - 2.0 * (first % 2) as f64;
        }
    }
    0.0
}

impl Problem for ConnectFour {
    type State = Position;

    fn root(&self, _tree: u64) -> Position {
        self.start
    }

    #[inline]
    fn n_actions(&self, state: &Position) -> u32 {
        if state.is_lost() { 0 } else { state.playable().count_ones() }
    }

    #[inline]
    fn step(&self, state: &mut Position, action: u32) -> f64 {
        state.play(state.cell(action));
        0.0
    }

    fn value(&self, state: &Position, stream: &mut Stream) -> f64 {
        rollout(*state, stream)
    }

    fn player(&self, state: &Position) -> u8 {
        (state.n_stones() % 2) as u8
    }

    fn n_players(&self) -> u8 {
        2
    }

    fn value_bounds(&self) -> (f64, f64) {
        (-1.0, 1.0)
    }

    fn key(&self, state: &Position) -> Option<u64> {
        // The first empty cell of each column is marked by the sum; stones below it say whose they are.
        Some(state.own + state.all + BOTTOM)
    }

    fn describe(&self, state: &Position) -> String {
        let other = state.own ^ state.all;
        let (x, o) = if self.player(state) == 0 { (state.own, other) } else { (other, state.own) };
        let cell = |i: u32| match () {
            () if x >> i & 1 == 1 => 'x',
            () if o >> i & 1 == 1 => 'o',
            () => '.',
        };
        let row = |r: u32| (0..COLUMNS).map(|c| cell(7 * c + r)).collect::<String>();
        (0..ROWS).rev().map(row).collect::<Vec<_>>().join("\n")
    }

    fn describe_action(&self, state: &Position, action: u32) -> String {
        (state.cell(action).trailing_zeros() / 7 + 1).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;
    use proptest::prelude::*;
    use std::collections::HashMap;

    fn root(moves: &str) -> Position {
        ConnectFour::new(moves).unwrap().start
    }

    /// Four in a row by looking at every cell and direction.
    fn slow_four(stones: u64) -> bool {
        let at = |c: i32, r: i32| (0..7).contains(&c) && (0..6).contains(&r) && stones >> (7 * c + r) & 1 == 1;
        let lines = [(0, 1), (1, 0), (1, 1), (1, -1)];
        let from = |c, r| lines.iter().any(|(dc, dr)| (0..4).all(|i| at(c + i * dc, r + i * dr)));
        (0..7).any(|c| (0..6).any(|r| from(c, r)))
    }

    proptest! {
        #[test]
        fn games_follow_the_rules(choices in proptest::collection::vec(0usize..7, 0..50)) {
            let game = ConnectFour::new("").unwrap();
            let (mut state, mut heights, mut moves) = (game.root(0), [0u32; 7], String::new());
            for choice in choices {
                let open: Vec<usize> = (0..7).filter(|&c| heights[c] < 6).collect();
                let n_actions = game.n_actions(&state) as usize;
                let over = slow_four(state.own ^ state.all) || open.is_empty();
                prop_assert_eq!(n_actions, if over { 0 } else { open.len() });
                if over {
                    let refused = ConnectFour::new(&(moves + "1")).is_err();
                    prop_assert!(refused);
                    break;
                }
                let action = choice % n_actions;
                let text = game.describe_action(&state, action as u32);
                prop_assert_eq!(&text, &(open[action] + 1).to_string());
                let before = state.all;
                game.step(&mut state, action as u32);
                prop_assert_eq!(state.all ^ before, 1 << (7 * open[action] as u32 + heights[open[action]]));
                heights[open[action]] += 1;
                moves += &text;
                prop_assert_eq!(root(&moves), state);
                prop_assert_eq!(u32::from(game.player(&state)), moves.len() as u32 % 2);
            }
        }

        #[test]
        fn lines_are_found(stones in any::<u64>(), other in any::<u64>()) {
            for stones in [stones & BOARD, stones & other & BOARD] {
                prop_assert_eq!(has_four(stones), slow_four(stones));
            }
        }
    }

    /// The law of the outcome under uniform moves, in order of win, draw, loss of the player to move.
    fn law(state: Position, known: &mut HashMap<Position, [f64; 3]>) -> [f64; 3] {
        if state.is_lost() {
            return [0.0, 0.0, 1.0];
        }
        let game = ConnectFour { start: state };
        let n = game.n_actions(&state);
        if n == 0 {
            return [0.0, 1.0, 0.0];
        }
        if let Some(&found) = known.get(&state) {
            return found;
        }
        let mut total = [0.0; 3];
        for action in 0..n {
            let mut next = state;
            game.step(&mut next, action);
            let [win, draw, loss] = law(next, known);
            total = [total[0] + loss / f64::from(n), total[1] + draw / f64::from(n), total[2] + win / f64::from(n)];
        }
        known.insert(state, total);
        total
    }

    #[test]
    fn rollouts_follow_the_exact_law_of_uniform_moves() {
        // Late positions with columns that are full, nearly full and open.
        for moves in ["2252576253462244111563365343", "7422341735647741166133573473"] {
            let game = ConnectFour::new(moves).unwrap();
            let [win, draw, loss] = law(game.start, &mut HashMap::new());
            let seed = Seed::from_u64(8);
            let n = 40_000u64;
            let values: Vec<f64> = (0..n).map(|i| game.value(&game.start, &mut seed.stream(i))).collect();
            for (value, p) in [(1.0, win), (0.0, draw), (-1.0, loss)] {
                let share = values.iter().filter(|&&v| v == value).count() as f64 / n as f64;
                let sd = (p * (1.0 - p) / n as f64).sqrt();
                assert!((share - p).abs() <= 5.0 * sd, "{moves}: {value} has {share}, law {p}");
            }
        }
    }

    #[test]
    fn rollouts_of_a_seed_are_pinned() {
        let game = ConnectFour::new("").unwrap();
        let seed = Seed::from_u64(1);
        let sum: f64 = (0..10_000).map(|i| game.value(&game.start, &mut seed.stream(i))).sum();
        assert_eq!(sum, PINNED);
    }
    const PINNED: f64 = 1179.0;

    #[test]
    fn positions_read_as_people_write_them() {
        let game = ConnectFour::new("4453").unwrap();
        assert_eq!(game.describe(&game.start), ".......\n.......\n.......\n.......\n...o...\n..oxx..");
        assert_eq!(game.player(&game.start), 0);
        let won = ConnectFour::new("1212121").unwrap();
        assert_eq!((won.n_actions(&won.start), won.value(&won.start, &mut Seed::from_u64(0).stream(0))), (0, -1.0));
    }

    #[test]
    fn illegal_moves_are_named() {
        let error = |moves| ConnectFour::new(moves).unwrap_err().to_string();
        assert_eq!(error("48"), "moves[1] must be a digit from 1 to 7, got '8'");
        assert_eq!(error("4444444"), "moves[6] must be a column with room, got 4");
        assert_eq!(error("12121213"), "moves[7] must not follow the end of the game, got 3");
    }
}
