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
