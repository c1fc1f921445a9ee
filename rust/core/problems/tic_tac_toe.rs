//! Tic-tac-toe: small enough that everything about it is known.

use super::Problem;
use super::choice::choose;
use crate::error::{Result, invalid};
use crate::random::Stream;
use std::collections::HashMap;

/// All nine squares.
const FULL: u16 = 0b1_1111_1111;

/// The rows, columns and diagonals; bit i is square i, row by row from the upper left.
const LINES: [u16; 8] = [0o007, 0o070, 0o700, 0o111, 0o222, 0o444, 0o421, 0o124];

/// Bit m tells whether the squares of the mask m hold a whole line.
const WON: [u64; 8] = {
    let mut won = [0; 8];
    let mut squares = 0;
    while squares < 512 {
        let mut line = 0;
        while line < 8 {
            if squares & LINES[line] == LINES[line] {
                won[squares as usize / 64] |= 1 << (squares % 64);
            }
            line += 1;
        }
        squares += 1;
    }
    won
};

/// The i-th lowest bit of each mask, itself a mask; 0 where there are not so many.
const NTH: [[u16; 9]; 512] = {
    let mut nth = [[0; 9]; 512];
    let mut squares = 0;
    while squares < 512 {
        let (mut square, mut i) = (1, 0);
        while square <= FULL {
            if squares as u16 & square != 0 {
                nth[squares][i] = square;
                i += 1;
            }
            square <<= 1;
        }
        squares += 1;
    }
    nth
};

#[inline(always)]
fn nth_square(squares: u16, i: u32) -> u16 {
    NTH[usize::from(squares & FULL)][i as usize]
}

#[inline(always)]
fn is_won(squares: u16) -> bool {
    WON[usize::from(squares / 64) % 8] >> (squares % 64) & 1 == 1
}

/// The game from a given position on; x moves first. Action i of a state is its i-th empty square, in the order of
/// reading. A win is worth 1, a draw 0, to the player to move: a value of -1 where the other one has just won.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TicTacToe {
    start: Squares,
}

/// A position: the squares of the player to move, and of the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Squares {
    own: u16,
    other: u16,
}

impl Squares {
    const fn empty(self) -> u16 {
        FULL & !(self.own | self.other)
    }

    #[inline(always)]
    fn is_over(self) -> bool {
        is_won(self.other) || self.empty() == 0
    }

    #[inline(always)]
    fn play(&mut self, square: u16) {
        *self = Self { own: self.other, other: self.own | square };
    }
}

impl TicTacToe {
    /// The game after `moves`: squares 1 to 9 in the order of reading, such as "519".
    ///
    /// # Errors
    /// What is no free square, and moves after the end of the game.
    pub fn new(moves: &str) -> Result<Self> {
        let mut start = Squares::default();
        for (i, digit) in moves.chars().enumerate() {
            let square = match digit {
                '1'..='9' => 1 << (digit as u32 - '1' as u32),
                _ => return Err(invalid("moves", &[i], format!("{digit:?}"), "be a digit from 1 to 9")),
            };
            if start.is_over() {
                return Err(invalid("moves", &[i], digit, "not follow the end of the game"));
            }
            if start.empty() & square == 0 {
                return Err(invalid("moves", &[i], digit, "be an empty square"));
            }
            start.play(square);
        }
        Ok(Self { start })
    }

    /// The value of `state` for the player to move when both play best: 1, 0 or -1. At most 5,478 positions are looked
    /// at.
    pub fn best_value(&self, state: &Squares) -> i32 {
        minimax(*state, &mut HashMap::new())
    }
}

/// The outcome of uniformly random moves from `start` on, which is not over, for the player to move there. All orders
/// of nine squares are chosen among 2^18 of the values of `draw`.
///
/// The board is filled to the end whoever wins on the way: without a branch on that, it takes half the time.
#[inline]
fn rollout(start: Squares, mut draw: u64) -> f64 {
    let (mut squares, mut left) = ([0u16; 16], 0);
    for square in 0..9 {
        squares[left] = 1 << square;
        left += usize::from(start.empty() >> square & 1);
    }
    // Bit i tells whether the move before which i squares were empty wins.
    let (mut state, mut wins, n) = (start, 0u32, left);
    while left > 0 {
        let choice = choose(&mut draw, left) % 16;
        let square = squares[choice];
        squares[choice] = squares[(left - 1) % 16];
        state.play(square);
        wins |= u32::from(is_won(state.other)) << left;
        left -= 1;
    }
    if wins == 0 {
        return 0.0;
    }
    // The first win counts; it is that of the player to move at the start after an even number of moves.
    let first = 31 - wins.leading_zeros() as usize;
    1.0 - 2.0 * ((n - first) % 2) as f64
}

fn minimax(state: Squares, known: &mut HashMap<Squares, i32>) -> i32 {
    if is_won(state.other) {
        return -1;
    }
    if let Some(&value) = known.get(&state) {
        return value;
    }
    let mut best = if state.empty() == 0 { 0 } else { -1 };
    for i in 0..state.empty().count_ones() {
        let mut next = state;
        next.play(nth_square(state.empty(), i));
        best = best.max(-minimax(next, known));
    }
    known.insert(state, best);
    best
}

impl Problem for TicTacToe {
    type State = Squares;

    fn root(&self, _tree: u64) -> Squares {
        self.start
    }

    #[inline]
    fn n_actions(&self, state: &Squares) -> u32 {
        if state.is_over() { 0 } else { state.empty().count_ones() }
    }

    #[inline]
    fn step(&self, state: &mut Squares, action: u32) -> f64 {
        state.play(nth_square(state.empty(), action));
        0.0
    }

    fn value(&self, state: &Squares, stream: &mut Stream) -> f64 {
        if state.is_over() {
            return if is_won(state.other) { -1.0 } else { 0.0 };
        }
        rollout(*state, stream.next_u64())
    }

    fn player(&self, state: &Squares) -> u8 {
        ((state.own | state.other).count_ones() % 2) as u8
    }

    fn n_players(&self) -> u8 {
        2
    }

    fn value_bounds(&self) -> (f64, f64) {
        (-1.0, 1.0)
    }

    fn key(&self, state: &Squares) -> Option<u64> {
        Some(u64::from(state.own) << 9 | u64::from(state.other))
    }

    fn describe(&self, state: &Squares) -> String {
        let (x, o) = if self.player(state) == 0 { (state.own, state.other) } else { (state.other, state.own) };
        let square = |i: u32| match () {
            () if x >> i & 1 == 1 => 'x',
            () if o >> i & 1 == 1 => 'o',
            () => '.',
        };
        let row = |r: u32| (3 * r..3 * r + 3).map(square).collect::<String>();
        [row(0), row(1), row(2)].join("\n")
    }

    fn describe_action(&self, state: &Squares, action: u32) -> String {
        (nth_square(state.empty(), action).trailing_zeros() + 1).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;
    use std::collections::HashSet;

    fn reachable() -> HashSet<Squares> {
        let game = TicTacToe::new("").unwrap();
        let mut seen = HashSet::from([game.root(0)]);
        let mut open = vec![game.root(0)];
        while let Some(state) = open.pop() {
            for action in 0..game.n_actions(&state) {
                let mut next = state;
                game.step(&mut next, action);
                if seen.insert(next) {
                    open.push(next);
                }
            }
        }
        seen
    }

    #[test]
    fn there_are_as_many_positions_as_is_known() {
        let game = TicTacToe::new("").unwrap();
        let all = reachable();
        assert_eq!(all.len(), 5478);
        assert_eq!(all.iter().map(|s| game.key(s).unwrap()).collect::<HashSet<_>>().len(), 5478);
        let over: Vec<_> = all.iter().filter(|s| game.n_actions(s) == 0).collect();
        assert_eq!(over.len(), 958);
        // 626 won by x, 316 by o, 16 drawn; a terminal state belongs to the player who would move next.
        let won = |player| over.iter().filter(|s| is_won(s.other) && game.player(s) != player).count();
        assert_eq!((won(0), won(1)), (626, 316));
    }

    #[test]
    fn the_game_is_drawn_and_a_fork_wins() {
        let value = |moves| {
            let game = TicTacToe::new(moves).unwrap();
            game.best_value(&game.root(0))
        };
        assert_eq!([value(""), value("5"), value("519"), value("12"), value("12345")], [0, 0, 0, 1, -1]);
        assert_eq!([value("1352"), value("13527"), value("14253"), value("123546879")], [1, -1, -1, 0]);
    }

    #[test]
    fn rollouts_follow_their_law() {
        // Of all games of random moves x wins 0.58492, o 0.28810 (exact: 737/1260, 121/420).
        let game = TicTacToe::new("").unwrap();
        let seed = Seed::from_u64(3);
        let n = 40_000u32;
        let values: Vec<f64> = (0..n).map(|i| game.value(&game.root(0), &mut seed.stream(u64::from(i)))).collect();
        let share = |value| values.iter().filter(|&&v| v == value).count() as f64 / f64::from(n);
        assert!((share(1.0) - 737.0 / 1260.0).abs() < 0.012, "{}", share(1.0));
        assert!((share(-1.0) - 121.0 / 420.0).abs() < 0.012, "{}", share(-1.0));
    }

    #[test]
    fn rollouts_of_a_seed_are_pinned() {
        let game = TicTacToe::new("").unwrap();
        let seed = Seed::from_u64(1);
        let sum: f64 = (0..10_000).map(|i| game.value(&game.start, &mut seed.stream(i))).sum();
        assert_eq!(sum, PINNED);
    }
    const PINNED: f64 = 3030.0;

    #[test]
    fn rollouts_from_positions_inside_the_game_follow_their_law() {
        let game = TicTacToe::new("1425").unwrap();
        let seed = Seed::from_u64(5);
        let n = 20_000u32;
        let sum: f64 = (0..n).map(|i| game.value(&game.start, &mut seed.stream(u64::from(i)))).sum();
        let exact = mean(game.start);
        assert!((sum / f64::from(n) - exact).abs() < 0.03, "{sum} {exact}");
        let over = TicTacToe::new("14253").unwrap();
        assert_eq!(over.value(&over.start, &mut seed.stream(0)), -1.0);
        let drawn = TicTacToe::new("123546879").unwrap();
        assert_eq!(drawn.value(&drawn.start, &mut seed.stream(0)), 0.0);
    }

    /// The mean outcome of uniform moves for the player to move.
    fn mean(state: Squares) -> f64 {
        if state.is_over() {
            return if is_won(state.other) { -1.0 } else { 0.0 };
        }
        let n = state.empty().count_ones();
        let after = (0..n).map(|i| {
            let mut next = state;
            next.play(nth_square(state.empty(), i));
            -mean(next)
        });
        after.sum::<f64>() / f64::from(n)
    }

    #[test]
    fn positions_read_as_people_write_them() {
        let game = TicTacToe::new("513").unwrap();
        let root = game.root(0);
        assert_eq!(game.describe(&root), "o.x\n.x.\n...");
        assert_eq!(game.player(&root), 1);
        let actions: Vec<String> = (0..game.n_actions(&root)).map(|a| game.describe_action(&root, a)).collect();
        assert_eq!(actions, ["2", "4", "6", "7", "8", "9"]);
    }

    #[test]
    fn illegal_moves_are_named() {
        let error = |moves| TicTacToe::new(moves).unwrap_err().to_string();
        assert_eq!(error("50"), "moves[1] must be a digit from 1 to 9, got '0'");
        assert_eq!(error("515"), "moves[2] must be an empty square, got 5");
        assert_eq!(error("142539"), "moves[5] must not follow the end of the game, got 9");
    }
}
