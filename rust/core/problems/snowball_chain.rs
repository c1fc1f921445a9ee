//! A chain of steps, each right with a probability of its own: errors snowball, for one wrong step spoils the answer.

use super::Problem;
use super::reasoning::{Answer, Reasoning};
use super::synthetic::mix;
use crate::error::{Result, invalid};
use crate::random::Stream;

#[cfg(test)]
mod tests;

/// Wrong actions in a step at most: an answer of each has a place in every list of actions.
const MOST_WRONG: u32 = 1 << 16;

/// 2^63: thresholds on this scale can say both "never" and "always".
const CERTAIN: f64 = (1u64 << 63) as f64;

/// Chains of L steps. Step l is right with probability `p_l`; its `n_wrong` wrong actions share the rest equally. The
/// answer is right where all steps are; else the first wrong action decides which of `n_wrong` wrong answers it is.
/// Steps after a wrong one are taken all the same.
///
/// Instances are alike but for the places of the right actions, which follow from a hash, so that no search can tell
/// them by their numbers. Experts have profiles of their own.
///
/// Source: Gan, Liao and Liu 2025 (arXiv 2501.15602), section 4, where `p_l = min(lambda e^-l, 1)`.
#[derive(Debug, Clone, PartialEq)]
pub struct SnowballChain {
    /// Number of steps.
    length: u32,
    n_wrong: u32,
    n_instances: u64,
    /// Step after step, expert after expert.
    steps: Vec<Step>,
    /// The product of the probabilities from each step on, under expert 0, and 1 at the end.
    remaining: Vec<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Step {
    success: f64,
    /// A draw of 63 bits below this is right.
    threshold: u64,
    /// What turns the rest of the draw into a wrong action.
    scale: f64,
}

/// Where a chain stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Snowball {
    instance: u64,
    step: u32,
    /// 0 while all steps were right, else one more than the first wrong action.
    answer: u32,
}

/// `min(rate e^-l, 1)` for l from 1 to `length`.
pub fn profile(rate: f64, length: u32) -> Vec<f64> {
    (1..=length).map(|l| (rate * (-f64::from(l)).exp()).min(1.0)).collect()
}

impl SnowballChain {
    /// Chains whose steps are right with the probabilities `success`, a row of `length` for each expert.
    ///
    /// # Errors
    /// No steps or experts, probabilities out of range, and no wrong actions or more than 65,536.
    pub fn new(success: &[f64], length: u32, n_wrong: u32, n_instances: u64) -> Result<Self> {
        if success.is_empty() || length == 0 {
            return Err(invalid("success", &[], "", "have at least one step"));
        }
        if !success.len().is_multiple_of(length as usize) {
            return Err(invalid("success", &[], success.len(), format!("have {length} numbers for each expert")));
        }
        let experts = success.len() > length as usize;
        if let Some(place) = success.iter().position(|p| !(0.0..=1.0).contains(p)) {
            let (row, column) = (place / length as usize, place % length as usize);
            let index: &[usize] = if experts { &[row, column] } else { &[column] };
            return Err(invalid("success", index, success[place], "be from 0 to 1"));
        }
        if !(1..=MOST_WRONG).contains(&n_wrong) {
            return Err(invalid("n_wrong", &[], n_wrong, format!("be from 1 to {MOST_WRONG}")));
        }
        if n_instances == 0 {
            return Err(invalid("n_instances", &[], n_instances, "be at least 1"));
        }
        let steps = success.iter().map(|&success| {
            let threshold = (success * CERTAIN) as u64;
            Step { success, threshold, scale: f64::from(n_wrong) / (CERTAIN - threshold as f64) }
        });
        let mut remaining = vec![1.0; length as usize + 1];
        for step in (0..length as usize).rev() {
            remaining[step] = success[step] * remaining[step + 1];
        }
        Ok(Self { length, n_wrong, n_instances, steps: steps.collect(), remaining })
    }

    /// The place of the right action.
    #[inline(always)]
    fn place(&self, state: &Snowball) -> u32 {
        let hash = mix(state.instance ^ u64::from(state.step));
        ((u128::from(hash) * u128::from(self.n_wrong + 1)) >> 64) as u32
    }

    #[inline(always)]
    fn at(&self, state: &Snowball, expert: u32) -> &Step {
        &self.steps[expert as usize * self.length as usize + state.step as usize]
    }

    /// The probability that all steps from here on are right, or 0 after a wrong one.
    fn success(&self, state: &Snowball) -> f64 {
        if state.answer == 0 { self.remaining[state.step as usize] } else { 0.0 }
    }
}

impl Problem for SnowballChain {
    type State = Snowball;

    fn root(&self, tree: u64) -> Snowball {
        Snowball { instance: mix(tree % self.n_instances), step: 0, answer: 0 }
    }

    #[inline]
    fn n_actions(&self, state: &Snowball) -> u32 {
        if state.step < self.length { self.n_wrong + 1 } else { 0 }
    }

    #[inline]
    fn step(&self, state: &mut Snowball, action: u32) -> f64 {
        let place = self.place(state);
        if state.answer == 0 && action != place {
            state.answer = action + u32::from(action < place);
        }
        state.step += 1;
        0.0
    }

    /// The outcome of a walk to the end under policy 0, from one draw; at the end 1 or 0.
    #[inline]
    fn value(&self, state: &Snowball, stream: &mut Stream) -> f64 {
        let terminal = state.step == self.length;
        let right = if terminal { state.answer == 0 } else { stream.uniform() < self.success(state) };
        f64::from(u8::from(right))
    }

    fn max_depth(&self) -> Option<u32> {
        Some(self.length)
    }

    fn priors(&self, state: &Snowball, priors: &mut Vec<f32>) {
        let success = self.at(state, 0).success;
        let first = priors.len();
        priors.resize(first + self.n_wrong as usize + 1, ((1.0 - success) / f64::from(self.n_wrong)) as f32);
        priors[first + self.place(state) as usize] = success as f32;
    }

    fn key(&self, state: &Snowball) -> Option<u64> {
        Some(mix(mix(state.instance ^ u64::from(state.step)) ^ u64::from(state.answer)))
    }

    /// As in "step 2 of 6, right so far".
    fn describe(&self, state: &Snowball) -> String {
        let so_far = match state.answer {
            0 if state.step == self.length => "right".to_owned(),
            0 => "right so far".to_owned(),
            wrong => format!("wrong answer {wrong}"),
        };
        format!("step {} of {}, {so_far}", state.step, self.length)
    }

    fn describe_action(&self, state: &Snowball, action: u32) -> String {
        let place = self.place(state);
        if action == place { "right".to_owned() } else { format!("wrong {}", action + u32::from(action < place)) }
    }
}

impl Reasoning for SnowballChain {
    fn n_instances(&self) -> u64 {
        self.n_instances
    }

    fn max_steps(&self) -> u32 {
        self.length
    }

    fn n_experts(&self) -> u32 {
        (self.steps.len() / self.length as usize) as u32
    }

    fn policy(&self, state: &Snowball, expert: u32, probabilities: &mut Vec<f64>) {
        let success = self.at(state, expert).success;
        let first = probabilities.len();
        probabilities.resize(first + self.n_wrong as usize + 1, (1.0 - success) / f64::from(self.n_wrong));
        probabilities[first + self.place(state) as usize] = success;
    }

    #[inline]
    fn walk(&self, state: &mut Snowball, expert: u32, stream: &mut Stream, _scratch: &mut Vec<f64>) -> u32 {
        let step = self.at(state, expert);
        let draw = stream.next_u64() >> 1;
        let place = self.place(state);
        state.step += 1;
        if draw < step.threshold {
            return place;
        }
        // Rounding may carry the last draws beyond the last action.
        let wrong = (((draw - step.threshold) as f64 * step.scale) as u32).min(self.n_wrong - 1);
        if state.answer == 0 {
            state.answer = wrong + 1;
        }
        wrong + u32::from(wrong >= place)
    }

    fn answer(&self, state: &Snowball) -> Option<u64> {
        Some(state.answer.into())
    }

    fn is_correct(&self, state: &Snowball) -> bool {
        state.answer == 0
    }

    fn step_success(&self) -> Option<Vec<f64>> {
        Some(self.steps[..self.length as usize].iter().map(|step| step.success).collect())
    }

    fn has_fixed_length(&self) -> bool {
        true
    }

    fn success_probability(&self, state: &Snowball) -> Option<f64> {
        Some(self.success(state))
    }

    fn answer_law(&self, state: &Snowball) -> Option<Vec<Answer>> {
        let answer =
            |answer: u32, probability| Answer { answer: Some(answer.into()), probability, is_correct: answer == 0 };
        if state.answer > 0 || state.step == self.length {
            return Some(vec![answer(state.answer, 1.0)]);
        }
        let right = self.success(state);
        let wrong = (1.0 - right) / f64::from(self.n_wrong);
        let wrong = (1..=self.n_wrong).map(|number| answer(number, wrong));
        Some(std::iter::once(answer(0, right)).chain(wrong).collect())
    }
}
