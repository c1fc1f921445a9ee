//! Generators that go step by step and choose after each: beam search, diverse verifier trees, stepwise selection.

use super::log::Log;
use super::verifier::Judge;
use super::walks::answered;
use crate::error::Result;
use crate::memory::room;
use crate::problems::Reasoning;
use crate::random::Stream;
use crate::run::Control;

/// Candidates between two looks at the stop flag.
const BETWEEN_CHECKS: u64 = 1 << 12;

/// What all layered generators work with.
pub(super) struct Layers<'a, 'r, P: Reasoning> {
    pub(super) problem: &'a P,
    pub(super) root: &'a P::State,
    pub(super) judge: Judge<'a>,
    pub(super) stream: Stream,
    pub(super) control: &'a Control,
    pub(super) log: &'a mut Log<'r>,
    pub(super) scratch: &'a mut Vec<f64>,
}

/// How many of `n` fall to share number `i` of `shares`, as equally as can be.
const fn share(n: u64, shares: usize, i: usize) -> u64 {
    n / shares as u64 + ((i as u64) < n % shares as u64) as u64
}

impl<P: Reasoning> Layers<'_, '_, P> {
    /// Takes a step from `state`. A terminal state is written down as an answer; others are returned with their process
    /// reward.
    fn step(&mut self, state: &P::State) -> Option<(P::State, f64)> {
        let mut next = state.clone();
        self.problem.walk(&mut next, 0, &mut self.stream, self.scratch);
        self.log.spent.steps += 1;
        self.log.spent.calls += 1;
        self.log.spent.verdicts += 1;
        if self.problem.is_terminal(&next) {
            let (answer, is_correct) = answered(self.problem, &next);
            let verdict = self.judge.verdict(answer, is_correct);
            self.log.push(answer, is_correct, verdict);
            return None;
        }
        let reward = self.reward(&next);
        Some((next, reward))
    }

    /// Looks at the stop flag, every so many candidates.
    fn look(&self, drawn: u64) -> Result<()> {
        if drawn.is_multiple_of(BETWEEN_CHECKS) { self.control.check() } else { Ok(()) }
    }

    fn reward(&mut self, state: &P::State) -> f64 {
        let success = self.problem.success_probability(state);
        let success = success.unwrap_or_else(|| self.problem.value(state, &mut self.stream));
        self.judge.process_reward(success)
    }

    /// Beam search with `width` candidates a layer.
    pub(super) fn beam(&mut self, width: u64, expand: u32) -> Result<()> {
        let mut kept = if self.problem.is_terminal(self.root) { vec![] } else { vec![(self.root.clone(), 0.0)] };
        let mut candidates: Vec<(P::State, f64)> = Vec::new();
        let mut left = width;
        for _ in 0..self.problem.max_steps() {
            if kept.is_empty() || left == 0 {
                break;
            }
            let done = self.log.n_events;
            candidates.clear();
            if (candidates.capacity() as u64) < left {
                candidates = room(left as usize)?;
            }
            for (i, (state, _)) in kept.iter().enumerate() {
                for drawn in 0..share(left, kept.len(), i) {
                    self.look(drawn)?;
                    candidates.extend(self.step(state));
                }
            }
            left -= self.log.n_events - done;
            // Candidates of equal reward stay in the order in which they were drawn.
            candidates.sort_by(|a, b| b.1.total_cmp(&a.1));
            candidates.truncate((left / u64::from(expand)).max(1) as usize);
            std::mem::swap(&mut kept, &mut candidates);
        }
        Ok(())
    }

    /// `width / expand` subtrees, each of which keeps the best of its candidates in each layer.
    pub(super) fn dvts(&mut self, width: u64, expand: u32) -> Result<()> {
        let n_trees = (width / u64::from(expand)).max(1) as usize;
        for tree in 0..n_trees {
            let n = share(width, n_trees, tree);
            let mut kept = (!self.problem.is_terminal(self.root)).then(|| self.root.clone());
            let mut steps = 0;
            while let Some(state) = kept.take()
                && steps < self.problem.max_steps()
            {
                let mut best: Option<(P::State, f64)> = None;
                for drawn in 0..n {
                    self.look(drawn)?;
                    if let Some(next) = self.step(&state)
                        && best.as_ref().is_none_or(|best| next.1 > best.1)
                    {
                        best = Some(next);
                    }
                }
                kept = best.map(|best| best.0);
                steps += 1;
            }
        }
        Ok(())
    }

    /// One chain after another within `budget` steps, each step selected from `width` candidates.
    pub(super) fn stepwise(&mut self, width: u64, budget: u64, accuracy: Option<f64>) -> Result<()> {
        let longest = width.saturating_mul(self.problem.max_steps().into()).max(1);
        while self.log.spent.steps.saturating_add(longest) <= budget {
            self.look(self.log.n_events)?;
            self.chain(width, accuracy)?;
        }
        Ok(())
    }

    fn chain(&mut self, width: u64, accuracy: Option<f64>) -> Result<()> {
        let before = self.log.spent.steps;
        let (mut state, mut lost, mut said) = (self.root.clone(), false, None);
        let mut candidates = room(width as usize)?;
        let mut good = room(if accuracy.is_some() { width as usize } else { 0 })?;
        for _ in 0..self.problem.max_steps() {
            if self.problem.is_terminal(&state) {
                break;
            }
            candidates.clear();
            good.clear();
            let mut best = (0, f64::NEG_INFINITY);
            said = None;
            for i in 0..width as usize {
                self.look(i as u64)?;
                let mut next = state.clone();
                self.problem.walk(&mut next, 0, &mut self.stream, self.scratch);
                if accuracy.is_some() {
                    good.push(self.is_good(&next));
                } else {
                    let (reward, verdict) = if self.problem.is_terminal(&next) {
                        let (answer, is_correct) = answered(self.problem, &next);
                        let verdict = self.judge.verdict(answer, is_correct);
                        (verdict.score, Some(verdict))
                    } else {
                        (self.reward(&next), None)
                    };
                    if reward > best.1 {
                        (best, said) = ((i, reward), verdict);
                    }
                }
                candidates.push(next);
            }
            self.log.spent.steps += width;
            self.log.spent.calls += width;
            self.log.spent.verdicts += width;
            let chosen = accuracy.map_or(best.0, |accuracy| {
                let (chosen, failed) = self.judge.choose(accuracy, &good);
                lost |= failed;
                chosen
            });
            state = candidates.swap_remove(chosen);
        }
        self.log.spent.steps = self.log.spent.steps.max(before + 1);
        let (answer, is_correct) = answered(self.problem, &state);
        let is_correct = is_correct && !lost;
        // The candidate that was taken has had its verdict.
        let verdict = said.unwrap_or_else(|| self.judge.verdict(answer, is_correct));
        self.log.push(answer, is_correct, verdict);
        Ok(())
    }

    /// Whether a walk from `state` may still succeed.
    fn is_good(&mut self, state: &P::State) -> bool {
        if self.problem.is_terminal(state) {
            return self.problem.is_correct(state);
        }
        let success = self.problem.success_probability(state);
        success.unwrap_or_else(|| self.problem.value(state, &mut self.stream)) > 0.0
    }
}
