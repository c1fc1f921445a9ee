//! An instance of a problem written out: every state that can be reached, what the policies do there, and by exact
//! recursion how often a walk from there ends in which answer. A step on it is a look into an array.

use super::Problem;
use super::reasoning::{Answer, Reasoning};
use crate::random::Stream;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

#[cfg(test)]
mod tests;

/// One instance of a [`Reasoning`] problem as a directed acyclic graph.
///
/// States are numbered from the root, 0. Where walks go is decided by the same probabilities as on the problem itself;
/// the draws are read differently, so that a walk on the table is not the walk on the problem with the same stream.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// Where the actions of each state begin, and one entry more.
    first: Vec<u32>,
    /// The state each action leads to.
    next: Vec<u32>,
    /// The policy of each expert; `None` where it is uniform everywhere.
    policies: Vec<Option<Policy>>,
    /// What a terminal state answers, and whether rightly.
    answers: Vec<(Option<u64>, bool)>,
    /// The probability that a walk from each state ends in a right answer.
    success: Vec<f64>,
    max_steps: u32,
    has_fixed_length: bool,
    tokens_per_step: f64,
}

/// What an expert does, action by action.
#[derive(Debug, Clone, PartialEq, Default)]
struct Policy {
    probabilities: Vec<f64>,
    /// The probability of each action and of those before it.
    cumulative: Vec<f64>,
}

impl Policy {
    fn push(&mut self, probabilities: &[f64]) {
        self.probabilities.extend_from_slice(probabilities);
        let mut sum = 0.0;
        self.cumulative.extend(probabilities.iter().map(|p| {
            sum += p;
            sum
        }));
    }

    fn push_uniform(&mut self, n: usize) {
        self.probabilities.extend(std::iter::repeat_n(1.0 / n as f64, n));
        self.cumulative.extend((1..=n).map(|i| i as f64 / n as f64));
    }
}

/// Keys are hashes already.
#[derive(Default)]
struct Identity(u64);

impl Hasher for Identity {
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

impl Table {
    /// The instance of root `tree`, with the policies of the first `n_experts` experts, the problem's own at least; `None`
    /// where a state has no key, where states come back or walks can be cut off, and where there are more than
    /// `most_states`.
    pub fn of<P: Reasoning>(problem: &P, tree: u64, n_experts: u32, most_states: usize) -> Option<Self> {
        let root = problem.root(tree);
        let mut numbers: HashMap<u64, u32, BuildHasherDefault<Identity>> =
            HashMap::with_capacity_and_hasher(1024, <_>::default());
        numbers.insert(problem.key(&root)?, 0);
        let mut states = vec![root];
        let mut table = Self {
            first: vec![0],
            next: Vec::new(),
            policies: vec![None; n_experts.clamp(1, problem.n_experts()) as usize],
            answers: Vec::new(),
            success: Vec::new(),
            max_steps: problem.max_steps(),
            has_fixed_length: problem.has_fixed_length(),
            tokens_per_step: problem.tokens_per_step(),
        };
        let mut policies = vec![Vec::new(); table.policies.len()];
        let mut after = Vec::new();
        let mut done = 0;
        while let Some(state) = states.get(done).cloned() {
            after.clear();
            policies.iter_mut().for_each(Vec::clear);
            problem.expand(&state, &mut after, &mut policies);
            for next in after.drain(..) {
                let number = *numbers.entry(problem.key(&next)?).or_insert(states.len() as u32);
                if number as usize == states.len() {
                    states.push(next);
                }
                table.next.push(number);
            }
            if states.len() > most_states {
                return None;
            }
            let n_actions = table.next.len() - table.first[done] as usize;
            table.first.push(table.next.len() as u32);
            table.answers.push(if n_actions == 0 {
                (problem.answer(&state), problem.is_correct(&state))
            } else {
                (None, false)
            });
            for (expert, probabilities) in policies.iter().enumerate() {
                table.note_policy(expert, n_actions, probabilities);
            }
            done += 1;
        }
        table.solve()?;
        Some(table)
    }

    /// Adds what `expert` does in a state with `n_actions` actions, the last ones of `next`: nothing is given where all are
    /// equally probable.
    fn note_policy(&mut self, expert: usize, n_actions: usize, probabilities: &[f64]) {
        if probabilities.is_empty() && self.policies[expert].is_none() {
            return;
        }
        // Up to here the expert had no preference.
        let first = &self.first[..self.first.len() - 1];
        let policy = self.policies[expert].get_or_insert_with(|| {
            let mut uniform = Policy::default();
            for bounds in first.windows(2) {
                uniform.push_uniform((bounds[1] - bounds[0]) as usize);
            }
            uniform
        });
        if probabilities.is_empty() {
            policy.push_uniform(n_actions);
        } else {
            policy.push(probabilities);
        }
    }

    /// Works out the probabilities of success from the ends up; `None` where states come back or walks are too long.
    fn solve(&mut self) -> Option<()> {
        let n = self.answers.len();
        self.success = vec![0.0; n];
        let mut left: Vec<u32> = vec![0; n];
        for &next in &self.next {
            left[next as usize] += 1;
        }
        if left[0] > 0 {
            return None;
        }
        // An order in which every state stands before those that it leads to.
        let mut order = vec![0u32];
        let mut depth = vec![0u32; n];
        let mut done = 0;
        while let Some(&state) = order.get(done) {
            for &next in self.after(state) {
                depth[next as usize] = depth[next as usize].max(depth[state as usize] + 1);
                left[next as usize] -= 1;
                if left[next as usize] == 0 {
                    order.push(next);
                }
            }
            done += 1;
        }
        if order.len() < n || depth.iter().any(|&depth| depth > self.max_steps) {
            return None;
        }
        for &state in order.iter().rev() {
            self.success[state as usize] = if self.after(state).is_empty() {
                f64::from(u8::from(self.answers[state as usize].1))
            } else {
                let actions = self.after(state).iter().enumerate();
                actions.map(|(action, &next)| self.probability(state, 0, action) * self.success[next as usize]).sum()
            };
        }
        Some(())
    }

    /// The number of states.
    pub const fn n_states(&self) -> usize {
        self.answers.len()
    }

    #[inline(always)]
    fn after(&self, state: u32) -> &[u32] {
        let state = state as usize;
        &self.next[self.first[state] as usize..self.first[state + 1] as usize]
    }

    /// The probability of an action under the policy of `expert`.
    fn probability(&self, state: u32, expert: usize, action: usize) -> f64 {
        match &self.policies[expert] {
            None => 1.0 / self.after(state).len() as f64,
            Some(policy) => policy.probabilities[self.first[state as usize] as usize + action],
        }
    }
}

impl Problem for Table {
    type State = u32;

    fn root(&self, _tree: u64) -> u32 {
        0
    }

    #[inline]
    fn n_actions(&self, state: &u32) -> u32 {
        self.first[*state as usize + 1] - self.first[*state as usize]
    }

    #[inline]
    fn step(&self, state: &mut u32, action: u32) -> f64 {
        *state = self.after(*state)[action as usize];
        0.0
    }

    fn value(&self, state: &u32, _stream: &mut Stream) -> f64 {
        self.success[*state as usize]
    }

    fn priors(&self, state: &u32, priors: &mut Vec<f32>) {
        let n = self.n_actions(state) as usize;
        priors.extend((0..n).map(|action| self.probability(*state, 0, action) as f32));
    }

    fn max_depth(&self) -> Option<u32> {
        Some(self.max_steps)
    }

    fn key(&self, state: &u32) -> Option<u64> {
        Some((*state).into())
    }
}

impl Reasoning for Table {
    fn max_steps(&self) -> u32 {
        self.max_steps
    }

    fn n_experts(&self) -> u32 {
        self.policies.len() as u32
    }

    fn policy(&self, state: &u32, expert: u32, probabilities: &mut Vec<f64>) {
        let n = self.n_actions(state) as usize;
        if self.policies[expert as usize].is_some() {
            probabilities.extend((0..n).map(|action| self.probability(*state, expert as usize, action)));
        }
    }

    #[inline]
    fn walk(&self, state: &mut u32, expert: u32, stream: &mut Stream, _scratch: &mut Vec<f64>) -> u32 {
        let first = self.first[*state as usize] as usize;
        let after = self.after(*state);
        let action = match &self.policies[expert as usize] {
            None => stream.below(after.len() as u64) as usize,
            Some(Policy { cumulative, .. }) => {
                let draw = stream.uniform();
                // Counting all, rather than looking for the first, leaves nothing to predict.
                let bounds = &cumulative[first..first + after.len() - 1];
                bounds.iter().map(|&bound| usize::from(bound <= draw)).sum()
            }
        };
        *state = after[action];
        action as u32
    }

    #[inline]
    fn answer(&self, state: &u32) -> Option<u64> {
        self.answers[*state as usize].0
    }

    #[inline]
    fn is_correct(&self, state: &u32) -> bool {
        self.answers[*state as usize].1
    }

    #[inline]
    fn success_probability(&self, state: &u32) -> Option<f64> {
        Some(self.success[*state as usize])
    }

    fn answer_law(&self, state: &u32) -> Option<Vec<Answer>> {
        // How often each state is visited; in an order of the graph each is done before it is left.
        let mut visits = vec![0.0; self.n_states()];
        visits[*state as usize] = 1.0;
        let mut law: HashMap<Option<u64>, Answer> = HashMap::new();
        for state in self.from(*state) {
            let visited = visits[state as usize];
            for (action, &next) in self.after(state).iter().enumerate() {
                visits[next as usize] += visited * self.probability(state, 0, action);
            }
            if self.after(state).is_empty() {
                let (answer, is_correct) = self.answers[state as usize];
                law.entry(answer).or_insert(Answer { answer, probability: 0.0, is_correct }).probability += visited;
            }
        }
        let mut law: Vec<Answer> = law.into_values().collect();
        law.sort_unstable_by_key(|answer| answer.answer);
        Some(law)
    }

    fn tokens_per_step(&self) -> f64 {
        self.tokens_per_step
    }

    fn has_fixed_length(&self) -> bool {
        self.has_fixed_length
    }
}

impl Table {
    /// The states that can be reached from `state`, each before those that it leads to.
    fn from(&self, state: u32) -> Vec<u32> {
        let mut seen = vec![false; self.n_states()];
        let mut order = Vec::new();
        // A state is added when all behind it are.
        let mut open = vec![(state, 0)];
        seen[state as usize] = true;
        while let Some((state, at)) = open.pop() {
            match self.after(state).get(at) {
                None => order.push(state),
                Some(&next) => {
                    open.push((state, at + 1));
                    if !std::mem::replace(&mut seen[next as usize], true) {
                        open.push((next, 0));
                    }
                }
            }
        }
        order.reverse();
        order
    }
}
