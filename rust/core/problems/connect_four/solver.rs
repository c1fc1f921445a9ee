//! The exact score of a position, by alpha-beta search.
//!
//! Negamax with a null window that halves the range of scores, forced moves and losing moves told by bits, the moves
//! that make most threats first, and a table of bounds: the design of Pons (blog.gamesolver.org, 2015), written anew.

use super::{BOARD, BOTTOM, COLUMN, Position};
use crate::error::{Error, Result};
use crate::run::Control;

/// Nodes between two looks at the stop flag: about half a millisecond.
const CHECKED: u64 = 8192;

/// Entries of the table, 8 bytes each.
const TABLE_BITS: u32 = 20;

/// Cells in order of their columns from the centre out.
const CENTRE_FIRST: [u32; 7] = [3, 2, 4, 1, 5, 0, 6];

/// Solves positions, and remembers what it has learned from one to the next.
#[derive(Debug)]
pub struct Solver<'a> {
    control: &'a Control,
    /// A bound of a position: its key, above eight bits of score and kind.
    table: Vec<u64>,
    n_nodes: u64,
    max_nodes: u64,
}

impl<'a> Solver<'a> {
    /// A solver that gives up after `max_nodes` nodes in all.
    ///
    /// # Errors
    /// No memory for its table of 8 MB.
    pub fn new(max_nodes: u64, control: &'a Control) -> Result<Self> {
        let mut table = Vec::new();
        table.try_reserve_exact(1 << TABLE_BITS).map_err(|_| Error::Memory(8 << TABLE_BITS))?;
        table.resize(1 << TABLE_BITS, 0);
        Ok(Self { control, table, n_nodes: 0, max_nodes })
    }

    /// Nodes searched so far.
    pub const fn n_nodes(&self) -> u64 {
        self.n_nodes
    }

    /// The score of `position` for the player to move when both play best: 0 is a draw, a win with the s-th of one's own
    /// stones is worth 22 - s, a loss as much less than 0 as it is worth to the winner.
    ///
    /// # Errors
    /// [`Error::NotConverged`] after the greatest number of nodes; [`Error::Interrupted`].
    pub fn score(&mut self, position: Position) -> Result<i32> {
        let stones = position.n_stones() as i32;
        if position.is_lost() {
            return Ok((stones + 1) / 2 - 22);
        }
        if wins_at_once(position) {
            return Ok((43 - stones) / 2);
        }
        let (mut low, mut high) = (-((42 - stones) / 2), (43 - stones) / 2);
        while low < high {
            let mut middle = low + (high - low) / 2;
            // Close to zero first: short wins and losses are found last, and mostly not needed.
            if middle <= 0 && low / 2 < middle {
                middle = low / 2;
            } else if middle >= 0 && high / 2 > middle {
                middle = high / 2;
            }
            let score = self.negamax(position, middle, middle + 1)?;
            if score <= middle {
                high = score;
            } else {
                low = score;
            }
        }
        Ok(low)
    }

    /// The score of each action of `position`, in their order, for the player to move.
    ///
    /// # Errors
    /// As [`score`](Self::score).
    pub fn action_scores(&mut self, position: Position) -> Result<Vec<i32>> {
        let mut scores = Vec::new();
        let mut cells = if position.is_lost() { 0 } else { position.playable() };
        while cells != 0 {
            let mut next = position;
            next.play(cells & cells.wrapping_neg());
            scores.push(-self.score(next)?);
            cells &= cells - 1;
        }
        Ok(scores)
    }

    /// The score where it lies between `alpha` and `beta`, else a bound on the same side. The player to move cannot win
    /// at once.
    fn negamax(&mut self, position: Position, mut alpha: i32, mut beta: i32) -> Result<i32> {
        self.n_nodes += 1;
        if self.n_nodes.is_multiple_of(CHECKED) {
            self.control.check()?;
        }
        if self.n_nodes > self.max_nodes {
            return Err(Error::NotConverged(format!(
                "the position is not solved within {} nodes: raise max_nodes",
                self.max_nodes
            )));
        }
        let left = 42 - position.n_stones() as i32;
        let moves = not_losing(position);
        if moves == 0 {
            // Either the board is full, or whatever is played the other one wins with the next stone.
            return Ok(-(left / 2));
        }
        if left <= 2 {
            return Ok(0);
        }
        // The other one needs two more moves to win, so does the player to move.
        alpha = alpha.max(-((left - 2) / 2));
        let (key, slot) = place(position);
        let mut most = (left - 1) / 2;
        let entry = self.table[slot];
        if entry >> 8 == key {
            let bound = (entry & 0x7f) as i32 - 32;
            if entry & 0x80 == 0 {
                most = bound;
            } else {
                alpha = alpha.max(bound);
            }
        }
        beta = beta.min(most);
        if alpha >= beta {
            return Ok(if alpha >= most { most } else { alpha });
        }
        let (cells, n_cells) = in_order(position, moves);
        for &cell in &cells[..n_cells] {
            let mut next = position;
            next.play(cell);
            let score = -self.negamax(next, -beta, -alpha)?;
            if score >= beta {
                self.table[slot] = key << 8 | 0x80 | (score + 32) as u64;
                return Ok(score);
            }
            alpha = alpha.max(score);
        }
        self.table[slot] = key << 8 | (alpha + 32) as u64;
        Ok(alpha)
    }
}

/// What tells `position` from all others, and is never 0, and its place in the table.
const fn place(position: Position) -> (u64, usize) {
    let key = position.own + position.all + BOTTOM;
    (key, (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - TABLE_BITS)) as usize)
}

/// The empty cells that would complete a line of four of `stones`.
#[inline]
const fn completing(stones: u64, all: u64) -> u64 {
    let mut found = (stones << 1) & (stones << 2) & (stones << 3);
    let mut shift = 6;
    while shift <= 8 {
        // Two neighbours on one side, with a third beyond them or across the gap; then the same on the other side.
        let left = (stones << shift) & (stones << (2 * shift));
        let right = (stones >> shift) & (stones >> (2 * shift));
        found |= left & ((stones << (3 * shift)) | (stones >> shift));
        found |= right & ((stones >> (3 * shift)) | (stones << shift));
        shift += 1;
    }
    found & (BOARD ^ all)
}

fn wins_at_once(position: Position) -> bool {
    completing(position.own, position.all) & position.playable() != 0
}

/// The moves after which the other player cannot win at once.
fn not_losing(position: Position) -> u64 {
    let mut moves = position.playable();
    let threats = completing(position.own ^ position.all, position.all);
    let forced = moves & threats;
    if forced != 0 {
        if forced & (forced - 1) != 0 {
            return 0; // two at once cannot be met
        }
        moves = forced;
    }
    // Not right below a cell where the other one wins.
    moves & !(threats >> 1)
}

/// `moves`, those that make most threats first, the centre before the sides.
fn in_order(position: Position, moves: u64) -> ([u64; 7], usize) {
    let (mut cells, mut threats, mut n) = ([0; 7], [0; 7], 0);
    for column in CENTRE_FIRST {
        let cell = moves & (COLUMN << (7 * column));
        if cell == 0 {
            continue;
        }
        let made = completing(position.own | cell, position.all | cell).count_ones();
        let mut place = n;
        while place > 0 && threats[place - 1] < made {
            cells[place] = cells[place - 1];
            threats[place] = threats[place - 1];
            place -= 1;
        }
        cells[place] = cell;
        threats[place] = made;
        n += 1;
    }
    (cells, n)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problems::connect_four::ConnectFour;
    use crate::problems::{Problem, connect_four::has_four};
    use proptest::prelude::*;

    fn start(moves: &str) -> Position {
        ConnectFour::new(moves).unwrap().root(0)
    }

    fn score(moves: &str) -> i32 {
        let control = Control::default();
        Solver::new(u64::MAX, &control).unwrap().score(start(moves)).unwrap()
    }

    /// The same by looking at every game.
    fn slow_score(position: Position) -> i32 {
        if position.is_lost() {
            return (position.n_stones() as i32 + 1) / 2 - 22;
        }
        let mut best = if position.all == BOARD { 0 } else { -99 };
        let mut cells = position.playable();
        while cells != 0 {
            let mut next = position;
            next.play(cells & cells.wrapping_neg());
            best = best.max(-slow_score(next));
            cells &= cells - 1;
        }
        best
    }

    /// The position after the choices of a random game, up to `n_stones` stones or the end.
    fn random_position(choices: &[u32], n_stones: usize) -> Position {
        let game = ConnectFour::new("").unwrap();
        let mut state = game.root(0);
        for choice in &choices[..n_stones] {
            match game.n_actions(&state) {
                0 => break,
                n => drop(game.step(&mut state, choice % n)),
            }
        }
        state
    }

    proptest! {
        #[test]
        fn scores_are_those_of_all_games(
            choices in proptest::collection::vec(any::<u32>(), 42),
            n_stones in 30usize..=42,
        ) {
            let control = Control::default();
            let position = random_position(&choices, n_stones);
            let mut solver = Solver::new(u64::MAX, &control).unwrap();
            prop_assert_eq!(solver.score(position).unwrap(), slow_score(position));
            let scores = solver.action_scores(position).unwrap();
            let game = ConnectFour::new("").unwrap();
            prop_assert_eq!(scores.len() as u32, game.n_actions(&position));
            if let Some(&best) = scores.iter().max() {
                prop_assert_eq!(best, slow_score(position));
            }
        }

        #[test]
        fn completing_cells_complete(choices in proptest::collection::vec(any::<u32>(), 42), n_stones in 0usize..=42) {
            let position = random_position(&choices, n_stones);
            if !has_four(position.own) {
                let cells = completing(position.own, position.all);
                for cell in (0..49).map(|i| 1u64 << i).filter(|cell| BOARD & !position.all & cell != 0) {
                    prop_assert_eq!(has_four(position.own | cell), cells & cell != 0);
                }
            }
        }
    }

    #[test]
    fn known_scores() {
        // Played out by hand: three in a row to complete, two threats at once, and games that are over.
        assert_eq!([score("121212"), score("1212121"), score("4433")], [18, -18, 18]);
        let game = "44444433355221166772251";
        let mirrored: String = game.chars().map(|c| char::from(b'8' - c as u8 + b'0')).collect();
        assert_eq!(score(game), score(&mirrored));
    }

    #[test]
    fn a_limit_and_a_stop_are_heard() {
        let control = Control::default();
        let error = Solver::new(1000, &control).unwrap().score(start("4")).unwrap_err();
        assert_eq!(error.to_string(), "the position is not solved within 1000 nodes: raise max_nodes");
        control.cancel();
        assert_eq!(Solver::new(u64::MAX, &control).unwrap().score(start("")), Err(Error::Interrupted));
    }
}
