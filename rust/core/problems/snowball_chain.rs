//! A chain of steps, each right with a probability of its own: errors snowball, for one wrong step spoils the answer.

use super::Problem;
use super::reasoning::{Answer, Reasoning};
use super::synthetic::mix;
use crate::error::{Result, invalid};
use crate::random::Stream;

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;

    fn walked(chain: &SnowballChain, expert: u32, stream: &mut Stream) -> Snowball {
        let mut state = chain.root(3);
        let mut scratch = vec![];
        while chain.n_actions(&state) > 0 {
            let before = state;
            let action = chain.walk(&mut state, expert, stream, &mut scratch);
            let mut stepped = before;
            chain.step(&mut stepped, action);
            assert_eq!(stepped, state, "a walk takes the step that it returns");
        }
        state
    }

    #[test]
    fn walks_answer_by_the_law() {
        let success = [0.9, 0.5, 1.0, 0.8, 0.2, 0.0, 0.6, 0.4];
        let chain = SnowballChain::new(&success, 4, 3, 5).unwrap();
        assert_eq!((chain.n_experts(), chain.max_steps(), chain.n_instances()), (2, 4, 5));
        let seed = Seed::from_u64(1);
        let n = 40_000u32;
        let mut counts = [0u32; 4];
        for i in 0..u64::from(n) {
            let state = walked(&chain, 0, &mut seed.stream(i));
            counts[chain.answer(&state).unwrap() as usize] += 1;
            assert!(!chain.is_correct(&walked(&chain, 1, &mut seed.stream(i))));
        }
        let law = chain.answer_law(&chain.root(3)).unwrap();
        assert!((law[0].probability - 0.36).abs() < 1e-15 && law[0].is_correct);
        for (answer, count) in law.iter().zip(counts) {
            let mean = answer.probability * f64::from(n);
            assert!((f64::from(count) - mean).abs() < 5.0 * mean.sqrt(), "{counts:?}");
        }
        assert_eq!(counts, PINNED);
    }
    const PINNED: [u32; 4] = [14_386, 8593, 8538, 8483];

    #[test]
    fn certain_and_impossible_steps_are_just_that() {
        let always = SnowballChain::new(&[1.0; 3], 3, 1, 1).unwrap();
        let never = SnowballChain::new(&[0.0; 3], 3, 2, 1).unwrap();
        let mut stream = Seed::from_u64(2).stream(0);
        for _ in 0..1000 {
            assert!(always.is_correct(&walked(&always, 0, &mut stream)));
            assert!(!never.is_correct(&walked(&never, 0, &mut stream)));
        }
    }

    #[test]
    fn policy_and_step_agree_on_where_the_right_action_is() {
        let chain = SnowballChain::new(&profile(2.0, 5), 5, 6, 7000).unwrap();
        let mut places = vec![0u32; 7];
        for tree in 0..7000 {
            let mut state = chain.root(tree);
            let mut policy = vec![9.0];
            chain.policy(&state, 0, &mut policy);
            assert!((policy[1..].iter().sum::<f64>() - 1.0).abs() < 1e-12);
            let place = policy.iter().skip(1).position(|&p| p == 2.0 * (-1.0f64).exp()).unwrap();
            let mut priors = vec![];
            chain.priors(&state, &mut priors);
            assert!(priors.iter().zip(&policy[1..]).all(|(&f, &p)| f == p as f32));
            places[place] += 1;
            assert_eq!(chain.describe_action(&state, place as u32), "right");
            chain.step(&mut state, place as u32);
            assert!(chain.is_correct(&state));
            let success = chain.success_probability(&state).unwrap();
            assert!((success - profile(2.0, 5)[1..].iter().product::<f64>()).abs() < 1e-15);
            chain.step(&mut state, 0);
            assert!(chain.describe(&state).starts_with("step 2 of 5, "));
        }
        assert!(places.iter().all(|&count| (840..1160).contains(&count)), "{places:?}");
    }

    #[test]
    fn bad_input_is_named() {
        let error = |success: &[f64], length, n_wrong, n| {
            SnowballChain::new(success, length, n_wrong, n).unwrap_err().to_string()
        };
        assert_eq!(error(&[0.5, f64::NAN], 2, 1, 1), "success[1] must be from 0 to 1, got NaN");
        assert_eq!(error(&[0.5, 1.0, 1.5, 0.0], 2, 1, 1), "success[1, 0] must be from 0 to 1, got 1.5");
        assert_eq!(error(&[], 2, 1, 1), "success must have at least one step");
        assert_eq!(error(&[0.5; 3], 2, 1, 1), "success must have 2 numbers for each expert, got 3");
        assert_eq!(error(&[0.5; 2], 2, 0, 1), "n_wrong must be from 1 to 65536, got 0");
        assert_eq!(error(&[0.5; 2], 2, 1, 0), "n_instances must be at least 1, got 0");
    }

    /// All states below `state` and itself.
    fn below(chain: &SnowballChain, state: Snowball) -> Vec<Snowball> {
        let mut found = vec![state];
        let mut done = 0;
        while let Some(&state) = found.get(done) {
            for action in 0..chain.n_actions(&state) {
                let mut next = state;
                chain.step(&mut next, action);
                if !found.contains(&next) {
                    found.push(next);
                }
            }
            done += 1;
        }
        found
    }

    #[test]
    fn what_is_known_of_a_state_follows_from_its_children() {
        let success = [0.9, 0.5, 0.7, 0.2, 0.3, 0.4];
        let chain = SnowballChain::new(&success, 3, 2, 4).unwrap();
        assert_eq!(chain.step_success(), Some(success[..3].to_vec()));
        assert_eq!(chain.root(1), chain.root(5));
        let seed = Seed::from_u64(8);
        for state in below(&chain, chain.root(1)) {
            let law = chain.answer_law(&state).unwrap();
            assert!((law.iter().map(|answer| answer.probability).sum::<f64>() - 1.0).abs() < 1e-15);
            assert!(law.iter().all(|answer| answer.is_correct == (answer.answer == Some(0))));
            let right: f64 = law.iter().filter(|answer| answer.is_correct).map(|answer| answer.probability).sum();
            assert_eq!(chain.success_probability(&state), Some(right));
            let mean = (0..4000).map(|i| chain.value(&state, &mut seed.stream(i))).sum::<f64>() / 4000.0;
            assert!((mean - right).abs() <= 5.0 * (right * (1.0 - right) / 4000.0).sqrt(), "{mean} {right}");
            if chain.is_terminal(&state) {
                assert_eq!((law.len(), law[0].answer), (1, chain.answer(&state)));
                let text = match state.answer {
                    0 => "step 3 of 3, right".to_owned(),
                    wrong => format!("step 3 of 3, wrong answer {wrong}"),
                };
                assert_eq!(chain.describe(&state), text);
                continue;
            }
            let mut policy = vec![];
            chain.policy(&state, 0, &mut policy);
            let mut expected = [0.0; 3];
            for (action, p) in (0..).zip(policy) {
                let mut next = state;
                chain.step(&mut next, action);
                // A wrong action is called after the answer that it leads to.
                let called = chain.describe_action(&state, action);
                assert!(state.answer > 0 || called == "right" || called == format!("wrong {}", next.answer));
                for answer in chain.answer_law(&next).unwrap() {
                    expected[answer.answer.unwrap() as usize] += p * answer.probability;
                }
            }
            for answer in law {
                assert!((answer.probability - expected[answer.answer.unwrap() as usize]).abs() < 1e-15);
            }
        }
    }

    #[test]
    fn places_and_keys_tell_nothing_of_each_other() {
        let chain = SnowballChain::new(&[0.5; 8], 8, 6, 1000).unwrap();
        let at = |tree, step| Snowball { step, ..chain.root(tree) };
        let equal = |pairs: &[(Snowball, Snowball)]| {
            let equal = pairs.iter().filter(|(a, b)| chain.place(a) == chain.place(b)).count() as f64;
            let n = pairs.len() as f64;
            assert!((equal - n / 7.0).abs() < 5.0 * (n * 6.0 / 49.0).sqrt(), "{equal} of {n}");
        };
        equal(&(0..1000).map(|tree| (at(tree, 0), at(tree, 1))).collect::<Vec<_>>());
        equal(&(0..1000).map(|tree| (at(tree, 2), at(tree ^ 1, 3))).collect::<Vec<_>>());
        let mut keys = std::collections::HashSet::new();
        for tree in 0..50 {
            for step in 0..8 {
                assert!((0..7).all(|answer| keys.insert(chain.key(&Snowball { answer, ..at(tree, step) }))));
            }
        }
    }

    #[test]
    fn limits_are_allowed() {
        let wrong =
            |n_wrong| SnowballChain::new(&[0.0, 1.0], 2, n_wrong, 1).map(|_| ()).map_err(|error| error.to_string());
        assert_eq!(wrong(1 << 16), Ok(()));
        assert_eq!(wrong((1 << 16) + 1), Err("n_wrong must be from 1 to 65536, got 65537".into()));
        let error = SnowballChain::new(&[0.5], 0, 1, 1).unwrap_err().to_string();
        assert_eq!(error, "success must have at least one step");
        assert_eq!(profile(4.0, 3), [1.0, 4.0 * (-2.0f64).exp(), 4.0 * (-3.0f64).exp()]);
    }
}
