//! Instances written out, against all of their walks.

use super::*;
use crate::problems::GameOf24;
use crate::random::Seed;

fn game(temperature: f64) -> GameOf24 {
    let puzzles = [[1, 1, 4, 6], [3, 3, 8, 8], [1, 1, 1, 1], [13, 2, 2, 3]];
    GameOf24::new(&puzzles).unwrap().with_temperature(temperature).unwrap()
}

/// The probability of every answer by going through all walks from `state`.
fn all_walks<P: Reasoning>(game: &P, state: P::State, expert: u32) -> HashMap<Option<u64>, f64> {
    let mut law = HashMap::new();
    let mut open = vec![(state, 1.0)];
    while let Some((state, p)) = open.pop() {
        let n = game.n_actions(&state);
        if n == 0 {
            *law.entry(game.answer(&state)).or_default() += p;
        }
        let mut policy = Vec::new();
        game.policy(&state, expert, &mut policy);
        for action in 0..n {
            let mut next = state.clone();
            game.step(&mut next, action);
            open.push((next, p * policy.get(action as usize).copied().unwrap_or(1.0 / f64::from(n))));
        }
    }
    law
}

#[test]
fn laws_of_answers_are_those_of_all_walks() {
    for temperature in [0.0, 0.7, f64::INFINITY] {
        let game = game(temperature);
        for tree in 0..4 {
            let table = Table::of(&game, tree, 1, 10_000).unwrap();
            let (law, walks) = (table.answer_law(&0).unwrap(), all_walks(&game, game.root(tree), 0));
            let of = |answer: &Answer| walks.get(&answer.answer).copied().unwrap_or(0.0);
            assert!(law.iter().all(|answer| (answer.probability - of(answer)).abs() < 1e-14), "{law:?} {walks:?}");
            assert!(law.len() >= walks.len() && law.iter().any(|answer| answer.answer.is_some()));
            let right: f64 = law.iter().filter(|answer| answer.is_correct).map(|answer| answer.probability).sum();
            assert!((table.success_probability(&0).unwrap() - right).abs() < 1e-14);
            assert_eq!(right > 0.0, tree != 2 && (temperature > 0.0 || right > 0.0));
        }
    }
}

#[test]
fn walks_on_the_table_follow_each_expert() {
    let game = game(0.7);
    let table = Table::of(&game, 0, 9, 10_000).unwrap();
    assert_eq!(table.n_experts(), 4);
    let n = 20_000u32;
    for expert in 0..4 {
        let exact = all_walks(&game, game.root(0), expert);
        let mut counts: HashMap<Option<u64>, u32> = HashMap::new();
        let mut stream = Seed::from_u64(5).stream(expert.into());
        for _ in 0..n {
            let mut state = 0;
            while !table.is_terminal(&state) {
                table.walk(&mut state, expert, &mut stream, &mut Vec::new());
            }
            *counts.entry(table.answer(&state)).or_default() += 1;
        }
        for (answer, p) in exact {
            let sd = (p * (1.0 - p) / f64::from(n)).sqrt();
            let share = f64::from(counts.get(&answer).copied().unwrap_or(0)) / f64::from(n);
            assert!((share - p).abs() < 5.0 * sd + 1e-3, "{share} {p}");
        }
    }
}

#[test]
fn what_is_too_large_or_comes_back_is_not_written_out() {
    assert!(Table::of(&game(1.0), 0, 4, 100).is_none());
    assert_eq!(Table::of(&game(1.0), 0, 4, 10_000), Table::of(&game(1.0), 0, 4, 5_000));
    assert!(Table::of(&Clock, 0, 1, 100).is_none());
}

/// Three states in a circle.
struct Clock;

impl Problem for Clock {
    type State = u64;
    fn root(&self, _tree: u64) -> u64 {
        0
    }
    fn n_actions(&self, _state: &u64) -> u32 {
        1
    }
    fn step(&self, state: &mut u64, _action: u32) -> f64 {
        *state = (*state + 1) % 3;
        0.0
    }
    fn value(&self, _state: &u64, _stream: &mut Stream) -> f64 {
        0.0
    }
    fn key(&self, state: &u64) -> Option<u64> {
        Some(*state)
    }
}

impl Reasoning for Clock {
    fn max_steps(&self) -> u32 {
        5
    }
    fn answer(&self, _state: &u64) -> Option<u64> {
        None
    }
    fn is_correct(&self, _state: &u64) -> bool {
        false
    }
}

/// Three states on the way to some of 8 answers; two experts, one of whom has a preference in one place alone.
struct Fork {
    longest: u32,
    /// Whether the last answers lead to each other.
    is_round: bool,
}

impl Problem for Fork {
    type State = u64;
    fn root(&self, _tree: u64) -> u64 {
        1
    }
    fn n_actions(&self, state: &u64) -> u32 {
        match state {
            1..4 => 2 + (*state as u32 & 1),
            7 | 8 if self.is_round => 1,
            _ => 0,
        }
    }
    fn step(&self, state: &mut u64, action: u32) -> f64 {
        *state = match state {
            7 => 8,
            8 => 7,
            _ => 2 * *state + u64::from(action),
        };
        0.0
    }
    fn value(&self, _state: &u64, _stream: &mut Stream) -> f64 {
        0.0
    }
    fn key(&self, state: &u64) -> Option<u64> {
        Some(*state)
    }
}

impl Reasoning for Fork {
    fn max_steps(&self) -> u32 {
        self.longest
    }
    fn n_experts(&self) -> u32 {
        3
    }
    fn policy(&self, state: &u64, expert: u32, probabilities: &mut Vec<f64>) {
        match (state, expert) {
            (2, 1) => probabilities.extend([0.9, 0.1]),
            (1, 2) => probabilities.extend([0.2, 0.5, 0.3]),
            (1, 0) => probabilities.extend([0.5, 0.2, 0.3]),
            (3, 0) => probabilities.extend([0.6, 0.0, 0.4]),
            _ => {}
        }
    }
    fn answer(&self, state: &u64) -> Option<u64> {
        (*state != 5).then_some(state % 7)
    }
    fn is_correct(&self, state: &u64) -> bool {
        *state == 6
    }
    fn tokens_per_step(&self) -> f64 {
        2.5
    }
}

const FORK: Fork = Fork { longest: 3, is_round: false };

#[test]
fn preferences_may_be_anywhere() {
    // 1 leads to 2, 3 and 4; 2 to 4 and 5; 3 to 6, 7 and 8.
    let table = Table::of(&FORK, 0, 3, 8).unwrap();
    assert_eq!((table.n_states(), table.n_experts(), table.max_steps(), table.tokens_per_step()), (8, 3, 3, 2.5));
    assert!(!table.has_fixed_length() && Table::of(&game(1.0), 0, 1, 10_000).unwrap().has_fixed_length());
    assert_eq!(Table::of(&FORK, 0, 0, 8).unwrap().n_experts(), 1);
    let mut numbered = vec![(0, 1)];
    while let Some((number, state)) = numbered.pop() {
        let n = FORK.n_actions(&state);
        assert_eq!(table.n_actions(&number), n);
        assert_eq!(
            (table.answer(&number), table.is_correct(&number)),
            match n {
                0 => (FORK.answer(&state), FORK.is_correct(&state)),
                _ => (None, false),
            }
        );
        let law = table.answer_law(&number).unwrap();
        assert!(law.is_sorted_by_key(|answer| answer.answer));
        let walks = all_walks(&FORK, state, 0);
        assert_eq!(law.len(), walks.len());
        assert!(law.iter().all(|answer| (answer.probability - walks[&answer.answer]).abs() < 1e-15), "{law:?}");
        let right = walks.get(&Some(6)).copied().unwrap_or(0.0);
        assert!((table.success_probability(&number).unwrap() - right).abs() < 1e-15);
        assert_eq!(Some(table.value(&number, &mut Seed::from_u64(0).stream(0))), table.success_probability(&number));
        for expert in 0..3 {
            let (mut given, mut found) = (vec![], vec![]);
            FORK.policy(&state, expert, &mut given);
            table.policy(&number, expert, &mut found);
            given.resize_with(n as usize, || 1.0 / f64::from(n));
            assert_eq!(found, if n > 0 { given.clone() } else { vec![] });
            let mut priors = vec![];
            table.priors(&number, &mut priors);
            assert!(expert > 0 || priors.iter().zip(&given).all(|(&prior, &p)| prior == p as f32));
        }
        for action in 0..n {
            let (mut number, mut state) = (number, state);
            assert_eq!(table.step(&mut number, action), 0.0);
            FORK.step(&mut state, action);
            numbered.push((number, state));
        }
    }
    let n = 20_000u32;
    for expert in 0..3 {
        let mut counts: HashMap<Option<u64>, u32> = HashMap::new();
        let mut stream = Seed::from_u64(6).stream(expert.into());
        for _ in 0..n {
            let mut state = 0;
            while !table.is_terminal(&state) {
                let mut stepped = state;
                let action = table.walk(&mut state, expert, &mut stream, &mut Vec::new());
                table.step(&mut stepped, action);
                assert_eq!(stepped, state);
            }
            *counts.entry(table.answer(&state)).or_default() += 1;
        }
        for (answer, p) in all_walks(&FORK, 1, expert) {
            let (mean, count) = (p * f64::from(n), counts.remove(&answer).unwrap_or(0));
            assert!((f64::from(count) - mean).abs() <= 5.0 * mean.sqrt(), "{expert}: {count} {mean}");
        }
        assert!(counts.is_empty());
    }
}

#[test]
fn walks_that_are_cut_off_are_not_written_out() {
    let written = |longest, is_round, most_states| Table::of(&Fork { longest, is_round }, 0, 1, most_states).is_some();
    assert!(written(2, false, 8) && !written(1, false, 8) && !written(2, false, 7));
    assert!(!written(2, true, 8) && !written(9, true, 8));
}

#[test]
fn keys_are_those_of_states() {
    let table = Table::of(&FORK, 0, 1, 8).unwrap();
    assert_eq!((0..8).map(|state| table.key(&state)).collect::<std::collections::HashSet<_>>().len(), 8);
}
