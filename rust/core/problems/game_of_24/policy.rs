//! How a player reasons about the Game of 24: a preference for plain numbers, more or less strict by temperature.

use super::{GameOf24, Moves, Numbers, TARGET};
use crate::problems::reasoning::Reasoning;

/// Temperatures of the experts, as multiples of the problem's own.
const EXPERTS: [f64; 4] = [1.0, 0.5, 2.0, 4.0];

/// What a last number other than 24 counts, in numbers that are not plain.
const MISSED: f64 = 3.0;

/// What a player dislikes about the numbers that are left: those that are no natural numbers, and a last number that
/// is not 24.
fn displeasure(numbers: &Numbers) -> f64 {
    let numbers = numbers.as_slice();
    if numbers.len() == 1 {
        return if numbers[0] == TARGET { 0.0 } else { MISSED };
    }
    numbers.iter().filter(|number| !number.is_natural()).count() as f64
}

/// Adds the probabilities of actions whose results are disliked so much; none at an infinite temperature.
fn softmax(disliked: &[f64], temperature: f64, probabilities: &mut Vec<f64>) {
    if temperature == f64::INFINITY {
        return;
    }
    let least = disliked.iter().copied().fold(f64::INFINITY, f64::min);
    // Few numbers of numbers are disliked.
    let weights: [f64; 4] =
        std::array::from_fn(|more| if more == 0 { 1.0 } else { libm::exp(-(more as f64) / temperature) });
    let first = probabilities.len();
    probabilities.extend(disliked.iter().map(|disliked| weights[(disliked - least) as usize]));
    let sum: f64 = probabilities[first..].iter().sum();
    for probability in &mut probabilities[first..] {
        *probability /= sum;
    }
}

impl Reasoning for GameOf24 {
    fn n_instances(&self) -> u64 {
        self.puzzles.len() as u64
    }

    fn max_steps(&self) -> u32 {
        3
    }

    fn n_experts(&self) -> u32 {
        EXPERTS.len() as u32
    }

    /// An action's weight is exp(-d / T), d how much is disliked about the numbers that are left. At an infinite
    /// temperature all actions are equally probable; at 0 the least disliked are.
    fn policy(&self, state: &Numbers, expert: u32, probabilities: &mut Vec<f64>) {
        let moves = Moves::of(state);
        let disliked: Vec<f64> = moves.after().map(|next| displeasure(&next)).collect();
        softmax(&disliked, self.temperature * EXPERTS[expert as usize], probabilities);
    }

    fn expand(&self, state: &Numbers, next: &mut Vec<Numbers>, policies: &mut [Vec<f64>]) {
        if state.n > 1 {
            next.extend(Moves::of(state).after());
            let disliked: Vec<f64> = next.iter().map(displeasure).collect();
            for (policy, times) in policies.iter_mut().zip(EXPERTS) {
                softmax(&disliked, self.temperature * times, policy);
            }
        }
    }

    fn is_terminal(&self, state: &Numbers) -> bool {
        state.n == 1
    }

    /// The last number.
    fn answer(&self, state: &Numbers) -> Option<u64> {
        (state.n == 1).then(|| state.numbers[0].bits())
    }

    fn is_correct(&self, state: &Numbers) -> bool {
        state.n == 1 && state.numbers[0] == TARGET
    }

    /// About what "8 - 4 = 4 (left: 1 4 7)" is to a language model.
    fn tokens_per_step(&self) -> f64 {
        16.0
    }

    fn has_fixed_length(&self) -> bool {
        true
    }

    fn is_small(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problems::Problem;

    #[test]
    fn policies_are_exponential_in_what_is_disliked() {
        // 1 2 12 and 2 12 are on the way, and in the end 24 is 3 better than all else.
        let puzzles = [[1, 2, 3, 4], [2, 2, 3, 12]];
        for temperature in [0.0, 0.3, 1.0, 5.0, f64::INFINITY] {
            let game = GameOf24::new(&puzzles).unwrap().with_temperature(temperature).unwrap();
            let mut open = vec![game.root(0), game.root(1)];
            while let Some(state) = open.pop() {
                let next: Vec<Numbers> = (0..game.n_actions(&state))
                    .map(|action| {
                        let mut next = state;
                        game.step(&mut next, action);
                        next
                    })
                    .collect();
                let (mut after, mut policies) = (vec![], vec![vec![]; 4]);
                game.expand(&state, &mut after, &mut policies);
                assert_eq!(after, next);
                assert_eq!(
                    (game.is_terminal(&state), game.answer(&state).is_some()),
                    (next.is_empty(), next.is_empty())
                );
                if next.is_empty() {
                    assert_eq!(game.is_correct(&state), state.numbers[0] == TARGET);
                    continue;
                }
                assert!(!game.is_correct(&state));
                let count = |numbers: &Numbers| match numbers.as_slice() {
                    [last] => {
                        if *last == TARGET {
                            0.0
                        } else {
                            3.0
                        }
                    }
                    some => {
                        let plain = |number: &f64| *number >= 0.0 && *number == number.round();
                        (some.len() - some.iter().map(|number| number.to_f64()).filter(plain).count()) as f64
                    }
                };
                let least = next.iter().map(count).fold(f64::INFINITY, f64::min);
                for (expert, times) in [1.0, 0.5, 2.0, 4.0].into_iter().enumerate() {
                    let mut policy = vec![];
                    game.policy(&state, expert as u32, &mut policy);
                    assert_eq!(policy, policies[expert]);
                    if temperature == f64::INFINITY {
                        assert!(policy.is_empty());
                        continue;
                    }
                    let weight = |next: &Numbers| {
                        let more = count(next) - least;
                        if more == 0.0 { 1.0 } else { (-more / (times * temperature)).exp() }
                    };
                    let total: f64 = next.iter().map(weight).sum();
                    for (next, p) in next.iter().zip(policy) {
                        assert!((weight(next) / total - p).abs() < 1e-14, "{} {p}", game.describe(next));
                    }
                }
                open.extend(next.into_iter().step_by(7));
            }
        }
        let first = GameOf24::new(&[[24, 25, 26, 27]]).unwrap();
        assert!(!first.is_correct(&first.root(0)));
        let game = GameOf24::new(&puzzles).unwrap();
        assert_eq!((game.n_instances(), game.max_steps(), game.n_experts(), game.tokens_per_step()), (2, 3, 4, 16.0));
        assert!(game.has_fixed_length() && game.is_small());
        let error = |temperature| game.clone().with_temperature(temperature).unwrap_err().to_string();
        assert_eq!(error(-0.5), "temperature must be at least 0, got -0.5");
        assert_eq!(error(f64::NAN), "temperature must be at least 0, got NaN");
    }
}
