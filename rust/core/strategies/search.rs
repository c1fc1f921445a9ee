//! Tree search on a reasoning problem: the forest's own search, with each new node charged as a step.

use super::log::Log;
use super::verifier::Judge;
use super::walks::{answered, walk_on};
use super::{Values, Verifier};
use crate::error::Result;
use crate::problems::synthetic::mix;
use crate::problems::{Problem, Reasoning};
use crate::random::{Seed, Stream};
use crate::run::Control;
use crate::trees::{Backup, Budget, Config, Forest, InFlight, Policy};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Simulations for each step, and for none, after which a search that only comes back to what it knows is ended.
const PER_STEP: u64 = 8;
const AT_FIRST: u64 = 512;

/// Simulations in a round, at most, where a round may turn out to be the last.
const ROUND: u64 = 32;

/// A problem as the search sees it: a state and its depth. To evaluate a state costs what is spent for it; to judge a
/// state of the greatest depth again, which the forest asks for at each further visit, a step as if it were drawn anew.
struct Searched<'a, 'r, P: Reasoning> {
    problem: &'a P,
    values: Values,
    /// Children of a state, drawn from the policy; 0 where all actions are listed, with their probabilities.
    branching: u32,
    /// Where children are drawn from.
    seed: Seed,
    at_work: Mutex<AtWork<'a, 'r, P>>,
}

struct AtWork<'a, 'r, P: Reasoning> {
    root: P::State,
    log: &'a mut Log<'r>,
    judge: Judge<'a>,
    scratch: Vec<f64>,
}

impl<'a, 'r, P: Reasoning> Searched<'a, 'r, P> {
    /// The search of a tree is on one thread, and a panic ends it: nobody waits, and nothing is poisoned.
    fn locked(&self) -> MutexGuard<'_, AtWork<'a, 'r, P>> {
        self.at_work.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<P: Reasoning> Problem for Searched<'_, '_, P> {
    /// With the depth, and a hash of the way there.
    type State = (P::State, u32, u64);

    fn root(&self, _tree: u64) -> Self::State {
        (self.locked().root.clone(), 0, 0)
    }

    fn n_actions(&self, state: &Self::State) -> u32 {
        match self.branching {
            // As deep as walks are long there is nothing more to find.
            _ if state.1 >= self.problem.max_steps() => 0,
            0 => self.problem.n_actions(&state.0),
            _ if self.problem.is_terminal(&state.0) => 0,
            branching => branching,
        }
    }

    fn step(&self, state: &mut Self::State, action: u32) -> f64 {
        state.1 += 1;
        if self.branching == 0 {
            return self.problem.step(&mut state.0, action);
        }
        // A child is the same whenever the search comes by, though no state is kept.
        state.2 = mix(state.2 ^ u64::from(action + 1));
        self.problem.walk(&mut state.0, 0, &mut self.seed.stream(state.2), &mut self.locked().scratch);
        0.0
    }

    fn value(&self, (state, depth, _): &Self::State, stream: &mut Stream) -> f64 {
        let mut at_work = self.locked();
        let AtWork { log, judge, scratch, .. } = &mut *at_work;
        let problem = self.problem;
        log.spent.steps += u64::from(*depth > 0);
        log.spent.verdicts += 1;
        if self.values == Values::Process && !problem.is_terminal(state) {
            log.spent.calls += u64::from(*depth > 0);
            log.push(None, false, judge.verdict(None, false));
            let success = problem.success_probability(state);
            return judge.process_reward(success.unwrap_or_else(|| problem.value(state, stream)));
        }
        let mut end = state.clone();
        let left = problem.max_steps().saturating_sub(*depth);
        log.spent.steps += u64::from(walk_on(problem, &mut end, 0, left, stream, scratch));
        log.spent.calls += 1;
        let (answer, is_correct) = answered(problem, &end);
        let verdict = judge.verdict(answer, is_correct);
        log.push(answer, is_correct, verdict);
        if answer.is_some() { verdict.score } else { 0.0 }
    }

    fn priors(&self, state: &Self::State, priors: &mut Vec<f32>) {
        if self.branching > 0 {
            priors.extend((0..self.branching).map(|_| 1.0 / self.branching as f32));
            return;
        }
        let mut at_work = self.locked();
        let scratch = &mut at_work.scratch;
        scratch.clear();
        self.problem.policy(&state.0, 0, scratch);
        if scratch.is_empty() {
            let n = self.problem.n_actions(&state.0);
            priors.extend((0..n).map(|_| 1.0 / n as f32));
        } else {
            priors.extend(scratch.iter().map(|&p| p as f32));
        }
    }

    fn max_depth(&self) -> Option<u32> {
        Some(self.problem.max_steps())
    }
}

/// Searches until `budget` steps are spent, an answer is accepted if `until_accepted`, or nothing new is found any more.
#[allow(clippy::too_many_arguments)]
pub(super) fn tree<P: Reasoning>(
    problem: &P,
    root: &P::State,
    (policy, values, branching): (Policy, Values, u32),
    budget: u64,
    until_accepted: bool,
    verifier: &Verifier,
    judge: Judge<'_>,
    seed: Seed,
    control: &Control,
    log: &mut Log<'_>,
) -> Result<()> {
    let config = Config {
        policy,
        discount: 1.0,
        backup: Backup::Mean,
        in_flight: InFlight::Count,
        max_depth: problem.max_steps(),
        n_simulations: None,
        widening: None,
        // A subtree that was gone through is not visited again, where another verdict on it would be the same.
        solver: (verifier.noise == 0.0 && verifier.bias == 0.0 && values == Values::Rollout).then_some((0.0, 1.0)),
        deduplicate: false,
        transpositions: false,
        budget: Budget { stop_at: until_accepted.then_some(1.0), ..Budget::default() },
    };
    let mut forest = Forest::new(1, config, seed, 0)?;
    let at_work = Mutex::new(AtWork { root: root.clone(), log, judge, scratch: Vec::new() });
    let searched = Searched { problem, values, branching, seed: seed.child(1), at_work };
    // The forest counts simulations, and its progress is not ours.
    let apart = Control::new(1);
    loop {
        control.check()?;
        let simulations = u64::from(forest.trees()[0].n_simulations());
        let (spent, accepted) = {
            let log = &searched.locked().log;
            (log.spent.steps, until_accepted && log.accepted)
        };
        // What was spent decides, and not the budget: a larger one must not change what comes of a smaller.
        let left = spent.saturating_mul(PER_STEP).saturating_add(AT_FIRST).saturating_sub(simulations);
        if spent >= budget || accepted || left == 0 {
            return Ok(());
        }
        let longest = u64::from(problem.max_steps()) + 1;
        let most = if until_accepted { ROUND } else { 1 << 12 };
        let n = ((budget - spent) / longest).clamp(1, most).min(left);
        forest.run(&searched, n as u32, &apart)?;
        if u64::from(forest.trees()[0].n_simulations()) == simulations {
            return Ok(()); // all is known
        }
    }
}
