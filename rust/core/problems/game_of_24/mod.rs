//! The Game of 24: four numbers, each to be used once, are combined by + - * / into 24.

mod policy;
pub mod solutions;

use super::Problem;
pub use super::fraction::Fraction;
use super::synthetic::mix;
use crate::error::{Result, invalid};
use crate::random::Stream;

/// What is to be reached.
pub const TARGET: Fraction = Fraction::whole(24);

/// The largest number of a puzzle. Numerators and denominators of what four such numbers make are below 2^31.
pub const LARGEST: i64 = 100;

/// Pairs of four numbers, times results of a pair.
const MOST_MOVES: usize = 36;

/// A Game of 24 for each tree: tree t works on puzzle t, counted round.
///
/// A state is the numbers that are left. An action takes two of them and puts back their sum, difference (either way
/// round), product or quotient (either way round); actions that would leave the same numbers are one, the first of them
/// by pair and by the order above. The state is terminal when one number is left: worth 1 if that is 24, else 0. The
/// value of any other state is the outcome of uniformly random actions, with one draw each.
#[derive(Debug, Clone, PartialEq)]
pub struct GameOf24 {
    puzzles: Vec<[u8; 4]>,
    temperature: f64,
}

/// The numbers that are left, in ascending order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Numbers {
    numbers: [Fraction; 4],
    n: u8,
}

impl Numbers {
    /// Four whole numbers.
    pub(super) fn new(numbers: [u8; 4]) -> Self {
        let mut numbers = numbers.map(|number| Fraction::whole(number.into()));
        numbers.sort_unstable();
        Self { numbers, n: 4 }
    }

    /// The numbers, in ascending order.
    pub fn as_slice(&self) -> &[Fraction] {
        &self.numbers[..usize::from(self.n)]
    }

    /// The numbers without those at `i` < `j`, and with `result`.
    fn combine(&self, i: usize, j: usize, result: Fraction) -> Self {
        let mut next = Self { numbers: [Fraction::whole(0); 4], n: self.n - 1 };
        let mut n = 0;
        let mut placed = false;
        for (place, &number) in self.as_slice().iter().enumerate() {
            if place == i || place == j {
                continue;
            }
            if !placed && result < number {
                next.numbers[n] = result;
                n += 1;
                placed = true;
            }
            next.numbers[n] = number;
            n += 1;
        }
        if !placed {
            next.numbers[n] = result;
        }
        next
    }

    /// A hash of the numbers.
    fn key(&self) -> u64 {
        self.as_slice().iter().fold(u64::from(self.n), |key, number| mix(key ^ number.bits()))
    }
}

/// What can be done with two numbers, in the order of the actions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// First plus second.
    Plus,
    /// First minus second.
    Minus,
    /// Second minus first.
    MinusFrom,
    /// First times second.
    Times,
    /// First divided by second.
    Over,
    /// Second divided by first.
    Under,
}

impl Operation {
    const ALL: [Self; 6] = [Self::Plus, Self::Minus, Self::MinusFrom, Self::Times, Self::Over, Self::Under];

    /// The left and right operand, the sign, and the result unless that is a division by 0.
    fn apply(self, a: Fraction, b: Fraction) -> (Fraction, char, Fraction, Option<Fraction>) {
        match self {
            Self::Plus => (a, '+', b, Some(a.plus(b))),
            Self::Minus => (a, '-', b, Some(a.minus(b))),
            Self::MinusFrom => (b, '-', a, Some(b.minus(a))),
            Self::Times => (a, '*', b, Some(a.times(b))),
            Self::Over => (a, '/', b, (!b.is_zero()).then(|| a.over(b))),
            Self::Under => (b, '/', a, (!a.is_zero()).then(|| b.over(a))),
        }
    }
}

/// A pair of numbers, what to do with them, and what is left then.
#[derive(Debug, Clone, Copy)]
struct Move {
    pair: (u8, u8),
    operation: Operation,
    next: Numbers,
}

/// The actions of a state, without duplicates.
struct Moves {
    moves: [Option<Move>; MOST_MOVES],
    n: usize,
}

impl Moves {
    fn of(state: &Numbers) -> Self {
        let mut found = Self { moves: [None; MOST_MOVES], n: 0 };
        let mut keys = [0; MOST_MOVES];
        let numbers = state.as_slice();
        for i in 0..numbers.len() {
            for j in i + 1..numbers.len() {
                for operation in Operation::ALL {
                    let Some(result) = operation.apply(numbers[i], numbers[j]).3 else { continue };
                    let next = state.combine(i, j, result);
                    let key = next.key();
                    // Equal keys are rare but for equal numbers, which decide.
                    let seen = |n: usize| keys[n] == key && found.moves[n].is_some_and(|known| known.next == next);
                    if !(0..found.n).any(seen) {
                        keys[found.n] = key;
                        found.moves[found.n] = Some(Move { pair: (i as u8, j as u8), operation, next });
                        found.n += 1;
                    }
                }
            }
        }
        found
    }
}

impl Moves {
    /// What is left after each of them.
    fn after(&self) -> impl Iterator<Item = Numbers> {
        self.moves[..self.n].iter().flatten().map(|action| action.next)
    }
}

impl GameOf24 {
    /// Games on `puzzles`, each of four numbers from 1 to 100.
    ///
    /// # Errors
    /// No puzzles, and numbers out of range.
    pub fn new(puzzles: &[[i64; 4]]) -> Result<Self> {
        if puzzles.is_empty() {
            return Err(invalid("puzzles", &[], "", "have at least one row"));
        }
        let puzzles = puzzles.iter().enumerate().map(|(i, numbers)| checked(numbers, "puzzles", &[i]));
        Ok(Self { puzzles: puzzles.collect::<Result<_>>()?, temperature: 1.0 })
    }

    /// Games on all puzzles of cards that have a solution: see [`solutions::puzzles`].
    pub fn all() -> Self {
        Self { puzzles: solutions::puzzles(), temperature: 1.0 }
    }

    /// The same games, with a policy of this temperature: see [`Reasoning`](super::Reasoning).
    ///
    /// # Errors
    /// A temperature that is negative or NaN.
    pub fn with_temperature(self, temperature: f64) -> Result<Self> {
        if temperature >= 0.0 {
            Ok(Self { temperature, ..self })
        } else {
            Err(invalid("temperature", &[], temperature, "be at least 0"))
        }
    }

    /// The puzzles, one after the other.
    pub fn puzzles(&self) -> &[[u8; 4]] {
        &self.puzzles
    }
}

/// Four numbers as they are kept, or an error that names the one out of range.
pub(super) fn checked(numbers: &[i64; 4], argument: &str, index: &[usize]) -> Result<[u8; 4]> {
    if let Some(place) = numbers.iter().position(|number| !(1..=LARGEST).contains(number)) {
        let index = [index, &[place]].concat();
        return Err(invalid(argument, &index, numbers[place], "be from 1 to 100"));
    }
    Ok(numbers.map(|number| number as u8))
}

impl Problem for GameOf24 {
    type State = Numbers;

    fn root(&self, tree: u64) -> Numbers {
        Numbers::new(self.puzzles[(tree % self.puzzles.len() as u64) as usize])
    }

    fn n_actions(&self, state: &Numbers) -> u32 {
        if state.n == 1 { 0 } else { Moves::of(state).n as u32 }
    }

    fn step(&self, state: &mut Numbers, action: u32) -> f64 {
        if let Some(chosen) = Moves::of(state).moves[action as usize] {
            *state = chosen.next;
        }
        0.0
    }

    fn value(&self, state: &Numbers, stream: &mut Stream) -> f64 {
        let mut state = *state;
        while state.n > 1 {
            let moves = Moves::of(&state);
            if let Some(chosen) = moves.moves[stream.below(moves.n as u64) as usize] {
                state = chosen.next;
            }
        }
        f64::from(u8::from(state.numbers[0] == TARGET))
    }

    fn key(&self, state: &Numbers) -> Option<u64> {
        Some(state.key())
    }

    fn describe(&self, state: &Numbers) -> String {
        let numbers: Vec<String> = state.as_slice().iter().map(Fraction::to_string).collect();
        numbers.join(" ")
    }

    /// As in "4 * 6 = 24 (left: 3 24)".
    fn describe_action(&self, state: &Numbers, action: u32) -> String {
        let Some(chosen) = Moves::of(state).moves.get(action as usize).copied().flatten() else {
            return action.to_string();
        };
        let numbers = state.as_slice();
        let (i, j) = chosen.pair;
        let (left, sign, right, result) = chosen.operation.apply(numbers[usize::from(i)], numbers[usize::from(j)]);
        let result = result.map_or_else(String::new, |result| result.to_string());
        format!("{} {sign} {} = {result} (left: {})", operand(left), operand(right), self.describe(&chosen.next))
    }
}

/// A number as an operand: fractions and negative numbers in parentheses.
fn operand(number: Fraction) -> String {
    let text = number.to_string();
    if text.contains(['/', '-']) { format!("({text})") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;
    use proptest::prelude::*;
    use std::collections::HashSet;

    fn text(game: &GameOf24, state: &Numbers) -> Vec<String> {
        (0..game.n_actions(state)).map(|action| game.describe_action(state, action)).collect()
    }

    #[test]
    fn actions_read_as_people_write_them() {
        let game = GameOf24::new(&[[4, 1, 8, 7]]).unwrap();
        let mut state = game.root(3);
        assert_eq!(game.describe(&state), "1 4 7 8");
        let actions = text(&game, &state);
        assert_eq!(&actions[..3], ["1 + 4 = 5 (left: 5 7 8)", "1 - 4 = -3 (left: -3 7 8)", "4 - 1 = 3 (left: 3 7 8)"]);
        assert!(actions.contains(&"4 / 7 = 4/7 (left: 4/7 1 8)".to_owned()));
        // Divided by one is the same as multiplied by it.
        assert!(actions.contains(&"1 * 4 = 4 (left: 4 7 8)".to_owned()));
        assert!(!actions.iter().any(|text| text.starts_with("4 / 1") || text.starts_with("1 * 7")));
        for wanted in ["8 - 4 = 4 (left: 1 4 7)", "7 - 1 = 6 (left: 4 6)", "4 * 6 = 24 (left: 24)"] {
            let action = text(&game, &state).iter().position(|text| text == wanted).unwrap();
            assert_eq!(game.step(&mut state, action as u32), 0.0);
        }
        assert_eq!(game.n_actions(&state), 0);
        assert_eq!(game.value(&state, &mut Seed::from_u64(0).stream(0)), 1.0);
        assert_eq!(game.describe_action(&state, 0), "0");
    }

    #[test]
    fn negative_numbers_and_fractions_stand_in_parentheses() {
        let game = GameOf24::new(&[[1, 2, 3, 3]]).unwrap();
        let mut state = game.root(0);
        let step = |state: &mut Numbers, wanted: &str| {
            let action = text(&game, state).iter().position(|text| text.starts_with(wanted)).unwrap();
            game.step(state, action as u32);
        };
        step(&mut state, "1 / 2 = 1/2");
        step(&mut state, "(1/2) + 3 = 7/2");
        state = game.root(0);
        step(&mut state, "1 - 2 = -1");
        step(&mut state, "(-1) * 3 = -3");
        assert_eq!(game.describe(&state), "-3 3");
        assert_eq!(
            text(&game, &state),
            [
                "(-3) + 3 = 0 (left: 0)",
                "(-3) - 3 = -6 (left: -6)",
                "3 - (-3) = 6 (left: 6)",
                "(-3) * 3 = -9 (left: -9)",
                "(-3) / 3 = -1 (left: -1)",
            ]
        );
    }

    fn floats(state: &Numbers) -> Vec<f64> {
        state.as_slice().iter().map(|number| number.to_f64()).collect()
    }

    proptest! {
        #[test]
        fn actions_are_distinct_and_complete(
            numbers in prop_oneof![proptest::array::uniform4(1i64..=13), proptest::array::uniform4(97i64..=100)],
            choices in proptest::collection::vec(any::<u32>(), 3),
        ) {
            let game = GameOf24::new(&[numbers]).unwrap();
            let mut state = game.root(0);
            for choice in choices {
                let n = game.n_actions(&state);
                let after: Vec<Numbers> = (0..n).map(|action| {
                    let mut next = state;
                    game.step(&mut next, action);
                    next
                }).collect();
                prop_assert_eq!(after.iter().collect::<HashSet<_>>().len(), after.len());
                prop_assert!(after.iter().all(|next| next.as_slice().is_sorted() && next.n == state.n - 1));
                // As floats, with every pair and operation in both orders.
                let numbers = floats(&state);
                for i in 0..numbers.len() {
                    for j in (0..numbers.len()).filter(|&j| j != i) {
                        let (a, b) = (numbers[i], numbers[j]);
                        for result in [a + b, a - b, a * b, a / b].into_iter().filter(|x| x.is_finite()) {
                            let mut left: Vec<f64> =
                                (0..numbers.len()).filter(|&k| k != i && k != j).map(|k| numbers[k]).collect();
                            left.push(result);
                            left.sort_by(f64::total_cmp);
                            let close = |x: f64, y: f64| (x - y).abs() <= 1e-9 * (1.0 + y.abs());
                            let mut states = after.iter().map(floats);
                            let found = states.any(|next| next.iter().zip(&left).all(|(&x, &y)| close(x, y)));
                            prop_assert!(found);
                        }
                    }
                }
                game.step(&mut state, choice % n);
            }
            prop_assert_eq!(game.n_actions(&state), 0);
        }
    }

    #[test]
    fn trees_take_the_puzzles_in_turn() {
        let game = GameOf24::new(&[[1, 1, 4, 6], [13, 2, 2, 3]]).unwrap();
        assert_eq!([0, 1, 2, u64::MAX].map(|t| game.describe(&game.root(t))), ["1 1 4 6", "2 2 3 13"].repeat(2)[..]);
        assert_eq!(game.key(&game.root(0)), game.key(&game.root(2)));
        assert_ne!(game.key(&game.root(0)), game.key(&game.root(1)));
    }

    #[test]
    fn rollouts_find_24_as_often_as_they_should() {
        // Of the actions on two numbers one in so many makes 24.
        let game = GameOf24::new(&[[1, 1, 4, 6]]).unwrap();
        let mut exact = 0.0;
        let mut open = vec![(game.root(0), 1.0)];
        while let Some((state, p)) = open.pop() {
            let n = game.n_actions(&state);
            if n == 0 {
                exact += p * f64::from(u8::from(state.numbers[0] == TARGET));
            }
            for action in 0..n {
                let mut next = state;
                game.step(&mut next, action);
                open.push((next, p / f64::from(n)));
            }
        }
        let seed = Seed::from_u64(2);
        let n = 20_000u32;
        let sum: f64 = (0..n).map(|i| game.value(&game.root(0), &mut seed.stream(u64::from(i)))).sum();
        let sd = (exact * (1.0 - exact) / f64::from(n)).sqrt();
        assert!((sum / f64::from(n) - exact).abs() < 5.0 * sd, "{sum} {exact}");
        assert_eq!(sum, PINNED);
    }
    const PINNED: f64 = 537.0;

    #[test]
    fn numbers_out_of_range_are_named() {
        let error = |puzzles: &[[i64; 4]]| GameOf24::new(puzzles).unwrap_err().to_string();
        assert_eq!(error(&[[1, 2, 3, 4], [1, 0, 3, 4]]), "puzzles[1, 1] must be from 1 to 100, got 0");
        assert_eq!(error(&[[1, 2, 3, 101]]), "puzzles[0, 3] must be from 1 to 100, got 101");
        assert_eq!(error(&[]), "puzzles must have at least one row");
    }
}
