//! Problems that a policy reasons about step by step: what the strategies of slow thinking spend their compute on.

use super::Problem;
use crate::random::Stream;

/// One of the answers that a walk may end with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Answer {
    /// What is answered; `None` for no answer.
    pub answer: Option<u64>,
    /// How probable it is.
    pub probability: f64,
    /// Whether it is right.
    pub is_correct: bool,
}

/// A problem with a policy, which stands for the language model, and with answers, which can be right or wrong.
///
/// A walk begins at the root of an instance and takes steps drawn from the policy until its state is terminal: then it
/// may have an answer. States and actions are those of [`Problem`], so that a tree search sees the same problem.
pub trait Reasoning: Problem {
    /// How many instances there are: trial t works on the instance of root `t % n_instances()`. At least 1.
    fn n_instances(&self) -> u64 {
        1
    }

    /// Steps after which a walk is cut off, and has no answer. At least 1.
    fn max_steps(&self) -> u32;

    /// How many policies there are, such as one model at several temperatures: 0 is the problem's own, the others are
    /// for those who learn which expert to trust. At least 1.
    fn n_experts(&self) -> u32 {
        1
    }

    /// Probabilities of the actions in `state` under the policy of `expert`, which sum to 1, pushed to `probabilities`;
    /// none are pushed where all actions are equally probable.
    fn policy(&self, _state: &Self::State, _expert: u32, _probabilities: &mut Vec<f64>) {}

    /// Takes a step drawn from the policy of `expert`, with one draw of `stream`, and returns the action. The state is
    /// not terminal. Problems override it where they know something faster that draws by the law of
    /// [`policy`](Self::policy). `scratch` is memory to work in.
    fn walk(&self, state: &mut Self::State, expert: u32, stream: &mut Stream, scratch: &mut Vec<f64>) -> u32 {
        scratch.clear();
        self.policy(state, expert, scratch);
        let action =
            if scratch.is_empty() { stream.below(self.n_actions(state).into()) as u32 } else { drawn(scratch, stream) };
        self.step(state, action);
        action
    }

    /// Whether `state` has no actions.
    fn is_terminal(&self, state: &Self::State) -> bool {
        self.n_actions(state) == 0
    }

    /// All there is to know of a state at once: the states that its actions lead to, in their order, are added to `next`,
    /// and the probabilities of each expert's [`policy`](Self::policy) to its entry of `policies`.
    fn expand(&self, state: &Self::State, next: &mut Vec<Self::State>, policies: &mut [Vec<f64>]) {
        for action in 0..self.n_actions(state) {
            let mut after = state.clone();
            self.step(&mut after, action);
            next.push(after);
        }
        for (expert, policy) in policies.iter_mut().enumerate().filter(|_| !self.is_terminal(state)) {
            self.policy(state, expert as u32, policy);
        }
    }

    /// What a terminal state answers; equal answers vote together. `None` where it answers nothing, and never votes.
    fn answer(&self, state: &Self::State) -> Option<u64>;

    /// Whether a terminal state answers rightly. A right state has an answer, and equal answers are equally right.
    fn is_correct(&self, state: &Self::State) -> bool;

    /// The probability that policy 0 goes on from `state` to a right answer, where it is known exactly: what a perfect
    /// process reward says. 1 or 0 where the state is terminal.
    fn success_probability(&self, _state: &Self::State) -> Option<f64> {
        None
    }

    /// All answers of a walk from `state` under policy 0 with their probabilities, which sum to 1, where they are known
    /// exactly; each answer once.
    fn answer_law(&self, _state: &Self::State) -> Option<Vec<Answer>> {
        None
    }

    /// Where each step of policy 0 is right with a probability of its own, whatever came before, a wrong step is never
    /// made good, and walks have a fixed length: those probabilities.
    fn step_success(&self) -> Option<Vec<f64>> {
        None
    }

    /// Tokens that a step is written with, for accounts of cost.
    fn tokens_per_step(&self) -> f64 {
        1.0
    }

    /// Whether every walk takes [`max_steps`](Self::max_steps) steps.
    fn has_fixed_length(&self) -> bool {
        false
    }

    /// Whether an instance has so few states, none of which can come back, that it is worth to be written out once
    /// before many walks ([`Table`](super::table::Table)); needs [`key`](Problem::key).
    fn is_small(&self) -> bool {
        false
    }
}

/// The index that a number uniform in [0, 1) falls on; the last possible one where rounding leaves it beyond the sum.
#[inline]
pub fn drawn(probabilities: &[f64], stream: &mut Stream) -> u32 {
    let mut left = stream.uniform();
    let mut last = 0;
    for (i, &p) in probabilities.iter().enumerate() {
        if p > 0.0 {
            last = i as u32;
            if left < p {
                break;
            }
            left -= p;
        }
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;

    #[test]
    fn indices_are_drawn_by_their_probabilities() {
        let mut stream = Seed::from_u64(1).stream(0);
        let n = 20_000;
        for p in [&[0.25, 0.0, 0.45, 0.3, 0.0][..], &[1.0], &[0.0, 1.0]] {
            let mut counts = vec![0; p.len()];
            for _ in 0..n {
                counts[drawn(p, &mut stream) as usize] += 1;
            }
            for (&p, &count) in p.iter().zip(&counts) {
                let mean = p * f64::from(n);
                assert!((f64::from(count) - mean).abs() <= 5.0 * (mean * (1.0 - p)).sqrt(), "{counts:?}");
            }
        }
        // What is left over falls to the last that is possible.
        assert!((0..100).all(|_| drawn(&[0.0, 1e-9, 0.0], &mut stream) == 1));
    }

    /// Two steps to one of four places; expert 1 prefers the first action, expert 0 none.
    struct Plain;

    impl Problem for Plain {
        type State = (u32, u32);
        fn root(&self, _tree: u64) -> (u32, u32) {
            (0, 0)
        }
        fn n_actions(&self, state: &(u32, u32)) -> u32 {
            if state.0 < 2 { 2 } else { 0 }
        }
        fn step(&self, state: &mut (u32, u32), action: u32) -> f64 {
            *state = (state.0 + 1, 2 * state.1 + action);
            0.0
        }
        fn value(&self, _state: &(u32, u32), _stream: &mut Stream) -> f64 {
            0.0
        }
    }

    impl Reasoning for Plain {
        fn max_steps(&self) -> u32 {
            2
        }
        fn policy(&self, _state: &(u32, u32), expert: u32, probabilities: &mut Vec<f64>) {
            probabilities.extend([0.9, 0.1].iter().take(2 * expert as usize));
        }
        fn answer(&self, state: &(u32, u32)) -> Option<u64> {
            Some(state.1.into())
        }
        fn is_correct(&self, state: &(u32, u32)) -> bool {
            state.1 == 0
        }
    }

    #[test]
    fn walks_follow_the_policy_of_their_expert() {
        let n = 20_000;
        let mut stream = Seed::from_u64(2).stream(0);
        for (expert, first) in [(0, 0.5), (1, 0.9)] {
            let (mut counts, mut scratch) = ([0; 4], vec![5.0; 3]);
            for _ in 0..n {
                let mut state = (0, 0);
                while !Plain.is_terminal(&state) {
                    let mut stepped = state;
                    let action = Plain.walk(&mut state, expert, &mut stream, &mut scratch);
                    Plain.step(&mut stepped, action);
                    assert_eq!(stepped, state);
                }
                counts[state.1 as usize] += 1;
            }
            let law = [first * first, first * (1.0 - first), (1.0 - first) * first, (1.0 - first) * (1.0 - first)];
            for (p, count) in law.into_iter().zip(counts) {
                let mean = p * f64::from(n);
                assert!((f64::from(count) - mean).abs() <= 5.0 * mean.sqrt(), "{counts:?}");
            }
        }
        let (mut next, mut policies) = (vec![], vec![vec![]; 2]);
        Plain.expand(&(1, 1), &mut next, &mut policies);
        assert_eq!((next, policies), (vec![(2, 2), (2, 3)], vec![vec![], vec![0.9, 0.1]]));
        let (mut next, mut policies) = (vec![], vec![vec![]; 2]);
        Plain.expand(&(2, 1), &mut next, &mut policies);
        assert!(next.is_empty() && policies.iter().all(Vec::is_empty));
        // A place with a single action is not the end.
        assert!(!Single.is_terminal(&0) && Single.is_terminal(&1));
    }

    struct Single;

    impl Problem for Single {
        type State = u32;
        fn root(&self, _tree: u64) -> u32 {
            0
        }
        fn n_actions(&self, state: &u32) -> u32 {
            1 - *state
        }
        fn step(&self, state: &mut u32, _action: u32) -> f64 {
            *state = 1;
            0.0
        }
        fn value(&self, _state: &u32, _stream: &mut Stream) -> f64 {
            0.0
        }
    }

    impl Reasoning for Single {
        fn max_steps(&self) -> u32 {
            1
        }
        fn answer(&self, _state: &u32) -> Option<u64> {
            None
        }
        fn is_correct(&self, _state: &u32) -> bool {
            false
        }
    }
}
