//! Reasoning on a Markov chain: a walk that comes to one of the states that answer, or runs out of steps.

use super::Problem;
use super::laws::Laws;
use super::reasoning::{Answer, Reasoning};
use crate::chains::MarkovChain;
use crate::chains::matrix::Meaning;
use crate::error::{Error, Result, invalid};
use crate::random::Stream;
use crate::run::Control;

/// In a list of answers: a state that gives none, from which walks go on.
pub const NONE: u32 = u32::MAX;

/// Chances kept at most, 32 MiB: beyond them the exact law is not known.
const MOST_CHANCES: u64 = 1 << 22;

/// Products at most that the chances are worked out with: some seconds.
const MOST_WORK: u64 = 1 << 32;

/// Products between two looks at whether to stop.
const CHECK: usize = 1 << 20;

/// A walk on a chain from one state until it comes to a state that answers, or has taken `max_steps` steps, and answers
/// nothing then. Answer 0 is right, all others are wrong. Actions are the transitions of a row.
///
/// Where states, steps and answers are few enough, the probability of each answer is known from each state with each
/// number of steps left.
///
/// Source: Kim, Wu, Lee and Suzuki 2025 (arXiv 2502.01694) for the chains this is meant for.
#[derive(Debug)]
pub struct MetastableReasoning {
    chain: MarkovChain,
    laws: Laws,
    answers: Vec<u32>,
    start: u32,
    max_steps: u32,
    n_answers: usize,
    /// Of each further policy, how often it takes any transition of the row instead of one by the chain's law.
    exploration: Vec<f64>,
    /// Answer after answer, state after state, from no steps left to all; empty where these are too many.
    chances: Vec<f64>,
}

/// A state of the chain, and the steps that are left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Assertion {
    state: u32,
    left: u32,
}

impl MetastableReasoning {
    /// Walks on a copy of `chain` from `start`; `answers` has the answer of each state, or [`NONE`].
    ///
    /// # Errors
    /// No such start, or one that answers; a list of another length; no state that answers rightly; answers that are
    /// not numbered without gaps; no steps; [`Error::Memory`],
    /// [`Error::Interrupted`].
    pub fn new(chain: &MarkovChain, start: u32, answers: Vec<u32>, max_steps: u32, control: &Control) -> Result<Self> {
        let n_states = chain.n_states();
        if answers.len() != n_states {
            return Err(invalid(
                "answers",
                &[],
                answers.len(),
                format!("have one number for each of {n_states} states"),
            ));
        }
        if start as usize >= n_states {
            return Err(invalid("start", &[], start, format!("be below the number of states, {n_states}")));
        }
        if answers[start as usize] != NONE {
            return Err(invalid("start", &[], start, "not be a state that answers"));
        }
        if max_steps == 0 {
            return Err(invalid("max_steps", &[], max_steps, "be at least 1"));
        }
        let mut given: Vec<u32> = answers.iter().copied().filter(|&answer| answer != NONE).collect();
        given.sort_unstable();
        given.dedup();
        if given.first() != Some(&0) {
            return Err(invalid("target", &[], "", "have at least one state"));
        }
        if let Some(gap) = (0..).zip(&given).position(|(number, &answer): (u32, _)| number != answer) {
            return Err(invalid("answers", &[], given[gap], format!("be numbered without gaps: {gap} is missing")));
        }
        let chain = copied(chain, control)?;
        let mut laws = Laws::default();
        for state in 0..n_states as u32 {
            let row = chain.row(state);
            laws.add(row.targets.len(), row.probabilities);
        }
        let mut made = Self {
            chain,
            laws,
            answers,
            start,
            max_steps,
            n_answers: given.len(),
            exploration: vec![],
            chances: vec![],
        };
        made.chances = made.worked_out(control)?;
        Ok(made)
    }

    /// The same with further policies, for those who learn whom to trust: each takes, with probability `shares[i]`, any
    /// transition of the row, all alike, and else one by the chain's law. Its walk takes one draw more a step.
    ///
    /// # Errors
    /// A share that is no probability.
    pub fn with_experts(mut self, shares: &[f64]) -> Result<Self> {
        if let Some(i) = shares.iter().position(|share| !(0.0..=1.0).contains(share)) {
            return Err(invalid("experts", &[i], shares[i], "be from 0 to 1"));
        }
        self.exploration = shares.to_vec();
        Ok(self)
    }

    /// The chances, by dynamic programming over the steps that are left.
    fn worked_out(&self, control: &Control) -> Result<Vec<f64>> {
        let width = self.n_answers * self.chain.n_states();
        let steps = u64::from(self.max_steps);
        let work = (self.n_answers * self.chain.n_transitions()) as u64 * steps;
        if (steps + 1) * width as u64 > MOST_CHANCES || work > MOST_WORK {
            return Ok(vec![]);
        }
        let mut chances = vec![0.0; (self.max_steps as usize + 1) * width];
        for (state, &answer) in self.answers.iter().enumerate().filter(|&(_, &answer)| answer != NONE) {
            chances[state * self.n_answers + answer as usize] = 1.0;
        }
        let mut done = 0;
        for left in 1..=self.max_steps as usize {
            let (before, after) = chances.split_at_mut(left * width);
            let before = &before[(left - 1) * width..];
            for (state, out) in after[..width].chunks_exact_mut(self.n_answers).enumerate() {
                if self.answers[state] != NONE {
                    out.copy_from_slice(&before[state * self.n_answers..][..self.n_answers]);
                    continue;
                }
                let row = self.chain.row(state as u32);
                for (target, probability) in row.iter() {
                    let from = &before[target as usize * self.n_answers..][..self.n_answers];
                    out.iter_mut().zip(from).for_each(|(out, &chance)| *out += probability * chance);
                }
                done += row.targets.len() * self.n_answers;
                if done > CHECK {
                    control.check()?;
                    done = 0;
                }
            }
        }
        Ok(chances)
    }

    /// The probability of each answer, where it is known.
    fn chances(&self, state: Assertion) -> Option<&[f64]> {
        let place = (state.left as usize * self.chain.n_states() + state.state as usize) * self.n_answers;
        self.chances.get(place..place + self.n_answers)
    }

    /// How often a policy other than the chain's own takes any transition.
    #[inline]
    fn explored(&self, expert: u32) -> Option<f64> {
        (expert > 0).then(|| self.exploration[expert as usize - 1])
    }

    fn given(&self, state: Assertion) -> Option<u32> {
        Some(self.answers[state.state as usize]).filter(|&answer| answer != NONE)
    }
}

/// A chain of its own memory.
fn copied(chain: &MarkovChain, control: &Control) -> Result<MarkovChain> {
    let mut indptr = vec![];
    indptr.try_reserve_exact(chain.n_states() + 1).map_err(|_| Error::Memory(8 * chain.n_states() + 8))?;
    indptr.resize(chain.n_states() + 1, 0);
    chain.export(Some(&mut indptr), None, control)?;
    MarkovChain::from_csr(&indptr, chain.targets(), chain.probabilities(), Meaning::Probabilities, control)
}

impl Problem for MetastableReasoning {
    type State = Assertion;

    fn root(&self, _tree: u64) -> Assertion {
        Assertion { state: self.start, left: self.max_steps }
    }

    #[inline]
    fn n_actions(&self, state: &Assertion) -> u32 {
        if self.is_terminal(state) { 0 } else { self.chain.span(state.state).1 as u32 }
    }

    #[inline]
    fn step(&self, state: &mut Assertion, action: u32) -> f64 {
        state.state = self.chain.row(state.state).targets[action as usize];
        state.left -= 1;
        0.0
    }

    /// The outcome of a walk on from here: from one draw where the chances are known, else step by step.
    fn value(&self, state: &Assertion, stream: &mut Stream) -> f64 {
        let right = if self.is_terminal(state) {
            self.is_correct(state)
        } else if let Some(chances) = self.chances(*state) {
            stream.uniform() < chances[0]
        } else {
            let (mut end, mut scratch) = (*state, vec![]);
            while !self.is_terminal(&end) {
                self.walk(&mut end, 0, stream, &mut scratch);
            }
            self.is_correct(&end)
        };
        f64::from(u8::from(right))
    }

    fn priors(&self, state: &Assertion, priors: &mut Vec<f32>) {
        priors.extend(self.chain.row(state.state).iter().map(|(_, probability)| probability as f32));
    }

    fn key(&self, state: &Assertion) -> Option<u64> {
        Some(u64::from(state.left) << 32 | u64::from(state.state))
    }

    /// As in "state 17, 42 steps left", "state 112, answer 0".
    fn describe(&self, state: &Assertion) -> String {
        match self.given(*state) {
            Some(answer) => format!("state {}, answer {answer}", state.state),
            None => format!("state {}, {} steps left", state.state, state.left),
        }
    }

    fn describe_action(&self, state: &Assertion, action: u32) -> String {
        self.chain.row(state.state).targets.get(action as usize).map_or_else(String::new, |to| format!("to {to}"))
    }
}

impl Reasoning for MetastableReasoning {
    #[inline]
    fn is_terminal(&self, state: &Assertion) -> bool {
        state.left == 0 || self.answers[state.state as usize] != NONE
    }

    fn max_steps(&self) -> u32 {
        self.max_steps
    }

    fn n_experts(&self) -> u32 {
        self.exploration.len() as u32 + 1
    }

    fn policy(&self, state: &Assertion, expert: u32, probabilities: &mut Vec<f64>) {
        let row = self.chain.row(state.state).probabilities;
        let Some(share) = self.explored(expert) else { return probabilities.extend_from_slice(row) };
        let any = share / row.len() as f64;
        probabilities.extend(row.iter().map(|probability| any + (1.0 - share) * probability));
    }

    #[inline]
    fn walk(&self, state: &mut Assertion, expert: u32, stream: &mut Stream, _scratch: &mut Vec<f64>) -> u32 {
        let (begin, degree) = self.chain.span(state.state);
        let action = match self.explored(expert) {
            Some(share) if stream.uniform() < share => stream.below(degree as u64) as u32,
            _ => self.laws.draw(begin, degree, stream),
        };
        state.state = self.chain.targets()[begin + action as usize];
        state.left -= 1;
        action
    }

    fn answer(&self, state: &Assertion) -> Option<u64> {
        self.given(*state).map(u64::from)
    }

    fn is_correct(&self, state: &Assertion) -> bool {
        self.given(*state) == Some(0)
    }

    fn success_probability(&self, state: &Assertion) -> Option<f64> {
        self.chances(*state).map(|chances| chances[0])
    }

    fn answer_law(&self, state: &Assertion) -> Option<Vec<Answer>> {
        let chances = self.chances(*state)?;
        let mut law = vec![];
        for (answer, &probability) in (0..).zip(chances) {
            law.push(Answer { answer: Some(answer), probability, is_correct: answer == 0 });
        }
        let nothing = (1.0 - chances.iter().sum::<f64>()).max(0.0);
        law.push(Answer { answer: None, probability: nothing, is_correct: false });
        Some(law)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;

    /// From 0 and 1 to each other, with a leak to 2 (right) and to 3 (wrong).
    fn chain() -> MarkovChain {
        let control = Control::default();
        let matrix = [0.5, 0.25, 0.25, 0.0, 0.25, 0.5, 0.0, 0.25, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.5, 0.5];
        let indptr = [0, 4, 8, 12, 16];
        let indices: Vec<u32> = (0..16).map(|i| i % 4).collect();
        MarkovChain::from_csr(&indptr, &indices, Some(&matrix), Meaning::Probabilities, &control).unwrap()
    }

    fn made(max_steps: u32) -> MetastableReasoning {
        MetastableReasoning::new(&chain(), 1, vec![NONE, NONE, 0, 1], max_steps, &Control::default()).unwrap()
    }

    #[test]
    fn chances_are_those_of_walks() {
        let problem = made(3);
        let root = problem.root(8);
        // By hand: with one step left 0 answers rightly with 1/4, 1 wrongly with 1/4, and so on.
        let law = problem.answer_law(&root).unwrap();
        let listed: Vec<_> = law.iter().map(|a| (a.answer, a.probability)).collect();
        assert_eq!(listed, [(Some(0), 0.125), (Some(1), 0.453_125), (None, 0.421_875)]);
        let seed = Seed::from_u64(3);
        let n = 50_000u32;
        let (mut counts, mut scratch) = ([0u32; 3], vec![]);
        for i in 0..u64::from(n) {
            let (mut state, mut stream) = (root, seed.stream(i));
            while !problem.is_terminal(&state) {
                let mut stepped = state;
                let action = problem.walk(&mut state, 0, &mut stream, &mut scratch);
                problem.step(&mut stepped, action);
                assert_eq!(stepped, state);
            }
            counts[problem.answer(&state).map_or(2, |answer| answer as usize)] += 1;
        }
        for (answer, count) in law.iter().zip(counts) {
            let mean = answer.probability * f64::from(n);
            assert!((f64::from(count) - mean).abs() < 5.0 * mean.sqrt(), "{counts:?}");
        }
        assert_eq!(counts, PINNED);
    }
    const PINNED: [u32; 3] = [6326, 22_497, 21_177];

    #[test]
    fn experts_explore_as_often_as_they_should() {
        let problem = made(3).with_experts(&[0.5, 1.0]).unwrap();
        let root = problem.root(0);
        assert_eq!(problem.n_experts(), 3);
        let n = 40_000u32;
        // What cannot happen is no transition: state 1 has three.
        let any = 1.0 / 3.0;
        let half = [0.5 * (0.25 + any), 0.5 * (0.5 + any), 0.5 * (0.25 + any)];
        for (expert, law) in [(0, [0.25, 0.5, 0.25]), (1, half), (2, [any; 3])] {
            let (mut policy, mut counts, mut scratch) = (vec![], [0u32; 3], vec![]);
            problem.policy(&root, expert, &mut policy);
            assert!(policy.iter().zip(law).all(|(found, known)| (found - known).abs() < 1e-15), "{policy:?}");
            assert_eq!(policy.len(), 3);
            let mut stream = Seed::from_u64(6).stream(expert.into());
            for _ in 0..n {
                counts[problem.walk(&mut root.clone(), expert, &mut stream, &mut scratch) as usize] += 1;
            }
            for (probability, count) in law.into_iter().zip(counts) {
                let mean = probability * f64::from(n);
                assert!((f64::from(count) - mean).abs() <= 5.0 * (mean * (1.0 - probability)).sqrt(), "{counts:?}");
            }
        }
        let error = made(3).with_experts(&[0.5, 1.5]).unwrap_err();
        assert_eq!(error.to_string(), "experts[1] must be from 0 to 1, got 1.5");
    }

    #[test]
    fn long_walks_are_made_but_not_worked_out() {
        let problem = made(1 << 20);
        let mut state = problem.root(0);
        assert_eq!(problem.success_probability(&state), None);
        assert_eq!(problem.answer_law(&state), None);
        let mut stream = Seed::from_u64(4).stream(0);
        let right: f64 = (0..3000).map(|_| problem.value(&state, &mut stream)).sum();
        assert!((right / 3000.0 - 1.0 / 3.0).abs() < 0.045, "{right}");
        problem.step(&mut state, 2);
        assert_eq!((problem.n_actions(&state), problem.describe(&state).as_str()), (0, "state 3, answer 1"));
        assert!(!problem.is_correct(&state));
    }

    #[test]
    fn bad_input_is_named() {
        let error = |start, answers: &[u32], max_steps| {
            let made = MetastableReasoning::new(&chain(), start, answers.to_vec(), max_steps, &Control::default());
            made.unwrap_err().to_string()
        };
        assert_eq!(error(4, &[NONE, NONE, 0, 1], 1), "start must be below the number of states, 4, got 4");
        assert_eq!(error(2, &[NONE, NONE, 0, 1], 1), "start must not be a state that answers, got 2");
        assert_eq!(error(0, &[NONE, NONE, 0, 2], 1), "answers must be numbered without gaps: 1 is missing, got 2");
        assert_eq!(error(0, &[NONE, NONE, NONE, 1], 1), "target must have at least one state");
        assert_eq!(error(0, &[NONE, 0], 1), "answers must have one number for each of 4 states, got 2");
        assert_eq!(error(0, &[NONE, NONE, 0, 1], 0), "max_steps must be at least 1, got 0");
    }
}
