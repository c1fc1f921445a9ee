//! Answers with a given law: one step, and nothing to search. What repeated sampling is about.

use super::Problem;
use super::laws::Laws;
use super::reasoning::{Answer, Reasoning};
use super::synthetic::mix;
use crate::chains::matrix::sum;
use crate::error::{Result, invalid};
use crate::random::Stream;

/// What a row may be off the sum 1.
const SLACK: f64 = 1e-9;

/// One question an instance, answered in one step: action a gives answer a. Each expert has a law of the answers of
/// each instance.
#[derive(Debug)]
pub struct Categorical {
    n_answers: u32,
    /// The right answer of each instance.
    targets: Vec<u32>,
    /// Answer after answer, instance after instance, expert after expert.
    probabilities: Vec<f64>,
    laws: Laws,
}

/// An instance, and what was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question {
    instance: u32,
    answer: Option<u32>,
}

impl Categorical {
    /// Questions whose answers have the law `probabilities`: `n_answers` numbers for each of the `targets`, the right
    /// answers of the instances, and all of that for each expert.
    ///
    /// # Errors
    /// No answers, instances or experts; targets that are no answers; rows that are no laws.
    pub fn new(probabilities: Vec<f64>, n_answers: u32, targets: Vec<u32>) -> Result<Self> {
        let row = n_answers as usize;
        let whole = row * targets.len();
        if whole == 0 || probabilities.is_empty() {
            return Err(invalid("probabilities", &[], "", "have at least one answer"));
        }
        if !probabilities.len().is_multiple_of(whole) {
            let rule = format!("have {row} numbers for each of {} instances", targets.len());
            return Err(invalid("probabilities", &[], probabilities.len(), rule));
        }
        let shape = [probabilities.len() / whole, targets.len()];
        // A table of one expert, or of one instance, has fewer axes where people hand it in.
        let named = |place: usize, rest: &[usize]| {
            let index = [place / shape[1], place % shape[1]];
            let first = if shape[0] > 1 {
                0
            } else if shape[1] > 1 {
                1
            } else {
                2
            };
            [&index[first..], rest].concat()
        };
        if let Some(place) = targets.iter().position(|&target| target >= n_answers) {
            let index: &[usize] = if shape[1] > 1 { &[place] } else { &[] };
            return Err(invalid("target", index, targets[place], format!("be below the number of answers, {row}")));
        }
        let mut laws = Laws::default();
        for (place, law) in probabilities.chunks_exact(row).enumerate() {
            if let Some(answer) = law.iter().position(|p| !(0.0..=1.0).contains(p)) {
                return Err(invalid("probabilities", &named(place, &[answer]), law[answer], "be from 0 to 1"));
            }
            let total = sum(law.iter().copied());
            if (total - 1.0).abs() > SLACK {
                return Err(invalid("probabilities", &named(place, &[]), total, "sum to 1 within 1e-9"));
            }
            laws.add(row, law);
        }
        Ok(Self { n_answers, targets, probabilities, laws })
    }

    /// Where the law of an instance under an expert begins.
    #[inline(always)]
    fn begin(&self, state: &Question, expert: u32) -> usize {
        (expert as usize * self.targets.len() + state.instance as usize) * self.n_answers as usize
    }

    fn law(&self, state: &Question, expert: u32) -> &[f64] {
        let begin = self.begin(state, expert);
        &self.probabilities[begin..begin + self.n_answers as usize]
    }

    fn success(&self, state: &Question) -> f64 {
        let target = self.targets[state.instance as usize];
        match state.answer {
            Some(answer) => f64::from(u8::from(answer == target)),
            None => self.probabilities[self.begin(state, 0) + target as usize],
        }
    }
}

impl Problem for Categorical {
    type State = Question;

    fn root(&self, tree: u64) -> Question {
        Question { instance: (tree % self.targets.len() as u64) as u32, answer: None }
    }

    #[inline]
    fn n_actions(&self, state: &Question) -> u32 {
        if state.answer.is_none() { self.n_answers } else { 0 }
    }

    #[inline]
    fn step(&self, state: &mut Question, action: u32) -> f64 {
        state.answer = Some(action);
        0.0
    }

    /// Whether an answer drawn by policy 0 is right; whether the answer is, where there is one.
    fn value(&self, state: &Question, stream: &mut Stream) -> f64 {
        let success = self.success(state);
        if state.answer.is_some() { success } else { f64::from(u8::from(stream.uniform() < success)) }
    }

    fn max_depth(&self) -> Option<u32> {
        Some(1)
    }

    fn priors(&self, state: &Question, priors: &mut Vec<f32>) {
        priors.extend(self.law(state, 0).iter().map(|&p| p as f32));
    }

    fn key(&self, state: &Question) -> Option<u64> {
        Some(mix(u64::from(state.instance) << 32) ^ state.answer.map_or(0, |answer| u64::from(answer) + 1))
    }

    /// As in "question 0", "question 0, answer 2".
    fn describe(&self, state: &Question) -> String {
        let answer = state.answer.map_or_else(String::new, |answer| format!(", answer {answer}"));
        format!("question {}{answer}", state.instance)
    }
}

impl Reasoning for Categorical {
    fn n_instances(&self) -> u64 {
        self.targets.len() as u64
    }

    fn max_steps(&self) -> u32 {
        1
    }

    fn n_experts(&self) -> u32 {
        (self.probabilities.len() / (self.targets.len() * self.n_answers as usize)) as u32
    }

    fn policy(&self, state: &Question, expert: u32, probabilities: &mut Vec<f64>) {
        probabilities.extend(self.law(state, expert));
    }

    #[inline]
    fn walk(&self, state: &mut Question, expert: u32, stream: &mut Stream, _scratch: &mut Vec<f64>) -> u32 {
        let answer = self.laws.draw(self.begin(state, expert), self.n_answers as usize, stream);
        state.answer = Some(answer);
        answer
    }

    fn answer(&self, state: &Question) -> Option<u64> {
        state.answer.map(u64::from)
    }

    fn is_correct(&self, state: &Question) -> bool {
        state.answer == Some(self.targets[state.instance as usize])
    }

    fn has_fixed_length(&self) -> bool {
        true
    }

    fn success_probability(&self, state: &Question) -> Option<f64> {
        Some(self.success(state))
    }

    fn answer_law(&self, state: &Question) -> Option<Vec<Answer>> {
        let target = self.targets[state.instance as usize];
        let answer = |answer: u32, probability| {
            let is_correct = answer == target;
            Answer { answer: Some(answer.into()), probability, is_correct }
        };
        if let Some(given) = state.answer {
            return Some(vec![answer(given, 1.0)]);
        }
        let law = (0..).zip(self.law(state, 0)).filter(|&(number, &p)| p > 0.0 || number == target);
        Some(law.map(|(number, &p)| answer(number, p)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;

    const LAWS: [f64; 12] = [0.5, 0.25, 0.25, 0.0, 1.0, 0.0, 0.1, 0.2, 0.7, 0.3, 0.3, 0.4];

    #[test]
    fn answers_have_the_law_of_the_expert_and_the_instance() {
        let problem = Categorical::new(LAWS.to_vec(), 3, vec![0, 2]).unwrap();
        assert_eq!((problem.n_instances(), problem.n_experts(), problem.max_steps()), (2, 2, 1));
        let (mut scratch, mut policy) = (vec![], vec![]);
        let n = 50_000u32;
        let mut first = vec![];
        for expert in 0..2 {
            for instance in 0..2 {
                let mut counts = [0u32; 3];
                for i in 0..u64::from(n) {
                    let mut state = problem.root(instance + 2 * i);
                    let action = problem.walk(&mut state, expert, &mut Seed::from_u64(9).stream(i), &mut scratch);
                    assert_eq!((problem.answer(&state), problem.n_actions(&state)), (Some(action.into()), 0));
                    counts[action as usize] += 1;
                }
                policy.clear();
                problem.policy(&problem.root(instance), expert, &mut policy);
                assert_eq!(policy, LAWS[(expert as usize * 2 + instance as usize) * 3..][..3]);
                for (&p, count) in policy.iter().zip(counts) {
                    let mean = p * f64::from(n);
                    assert!((f64::from(count) - mean).abs() <= 5.0 * (mean * (1.0 - p)).sqrt(), "{counts:?}");
                }
                first.push(counts[0]);
            }
        }
        assert_eq!(first, PINNED);
    }
    const PINNED: [u32; 4] = [25_041, 0, 5074, 15_014];

    #[test]
    fn the_law_of_answers_is_what_was_given() {
        let problem = Categorical::new(LAWS[..6].to_vec(), 3, vec![0, 2]).unwrap();
        let law = problem.answer_law(&problem.root(1)).unwrap();
        let listed: Vec<_> = law.iter().map(|a| (a.answer, a.probability, a.is_correct)).collect();
        assert_eq!(listed, [(Some(1), 1.0, false), (Some(2), 0.0, true)]);
        let mut state = problem.root(2);
        assert_eq!(problem.success_probability(&state), Some(0.5));
        assert_eq!(problem.describe(&state), "question 0");
        problem.step(&mut state, 0);
        assert_eq!(problem.success_probability(&state), Some(1.0));
        assert_eq!(problem.describe(&state), "question 0, answer 0");
        assert_eq!(problem.answer_law(&state).unwrap().len(), 1);
    }

    #[test]
    fn bad_input_is_named() {
        let error =
            |p: &[f64], n, targets: &[u32]| Categorical::new(p.to_vec(), n, targets.to_vec()).unwrap_err().to_string();
        assert_eq!(error(&[0.5, 0.4], 2, &[0]), "probabilities must sum to 1 within 1e-9, got 0.9");
        assert_eq!(error(&[0.5, 0.5, 0.5, 0.6], 2, &[0, 0]), "probabilities[1] must sum to 1 within 1e-9, got 1.1");
        assert_eq!(error(&[0.5, 0.5, -0.5, 1.5], 2, &[0]), "probabilities[1, 0, 0] must be from 0 to 1, got -0.5");
        assert_eq!(error(&[f64::NAN, 0.5], 2, &[0]), "probabilities[0] must be from 0 to 1, got NaN");
        assert_eq!(error(&[0.5, 0.5], 2, &[2]), "target must be below the number of answers, 2, got 2");
        assert_eq!(error(&[0.5, 0.5, 1.0, 0.0], 2, &[0, 3]), "target[1] must be below the number of answers, 2, got 3");
        assert_eq!(error(&[], 2, &[0]), "probabilities must have at least one answer");
    }

    #[test]
    fn values_priors_and_keys_are_those_of_the_state() {
        let problem = Categorical::new(LAWS.to_vec(), 3, vec![0, 1]).unwrap();
        let seed = Seed::from_u64(3);
        let mut keys = std::collections::HashSet::new();
        for tree in 0..2 {
            let root = problem.root(tree);
            let mut priors = vec![];
            problem.priors(&root, &mut priors);
            assert_eq!(priors, LAWS[tree as usize * 3..][..3].iter().map(|&p| p as f32).collect::<Vec<_>>());
            let success = LAWS[[0, 4][tree as usize]];
            let mean = (0..4000).map(|i| problem.value(&root, &mut seed.stream(i))).sum::<f64>() / 4000.0;
            assert!((mean - success).abs() <= 5.0 * (success * (1.0 - success) / 4000.0).sqrt(), "{mean}");
            assert!(keys.insert(problem.key(&root)) && !problem.is_correct(&root));
            for action in 0..3 {
                let mut state = root;
                problem.step(&mut state, action);
                let is_correct = action == [0, 1][tree as usize];
                assert_eq!(problem.is_correct(&state), is_correct);
                assert_eq!(problem.value(&state, &mut seed.stream(0)), f64::from(u8::from(is_correct)));
                let law = problem.answer_law(&state).unwrap();
                assert_eq!((law[0].probability, law[0].is_correct), (1.0, is_correct));
                assert!(keys.insert(problem.key(&state)));
            }
        }
        // What is never answered is left out, but for the right answer.
        let law = problem.answer_law(&problem.root(0)).unwrap();
        assert_eq!(law.len(), 3);
        let error = Categorical::new(vec![0.5, 0.5], 2, vec![2, 0]).unwrap_err().to_string();
        assert_eq!(error, "probabilities must have 2 numbers for each of 2 instances, got 2");
        let error = Categorical::new(vec![0.5, 0.5], 0, vec![0]).unwrap_err().to_string();
        assert_eq!(error, "probabilities must have at least one answer");
    }
}
