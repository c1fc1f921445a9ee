//! All strategies on the instances of a problem: trials in parallel, each the same whatever else is run.

use super::experts::Bandit;
use super::layers::Layers;
use super::log::Log;
pub use super::select::Outcome;
use super::select::Reader;
use super::verifier::Judge;
use super::walks::{Own, walks};
use super::{Generator, Purpose, Strategy, Streams, Verifier, search};
use crate::error::{Result, invalid};
use crate::problems::{Reasoning, Table};
use crate::random::Seed;
use crate::run::{Control, map_items};

/// States of an instance that is written out, at most.
const MOST_STATES: usize = 1 << 20;

/// Budgets are below this.
const MOST_STEPS: u64 = 1 << 48;

/// Runs every strategy at every budget in `n_trials` trials: the outcomes, by trial, strategy and budget.
///
/// Budgets are in steps of the policy and ascend; none is exceeded. Trial i works on the instance of root
/// `(first + i) % n_instances` and draws from stream `first + i` of `seed`. Its outcome at a budget does not depend on
/// the other strategies, budgets and trials. Strategies that select among walks see the same walks, and, if they ask the
/// verifier, the same verdicts.
///
/// # Errors
/// [`Error::Invalid`](crate::Error::Invalid) for parameters out of range; [`Error::Interrupted`](crate::Error).
#[allow(clippy::too_many_arguments)]
pub fn compare<P: Reasoning>(
    problem: &P,
    strategies: &[Strategy],
    budgets: &[u64],
    n_trials: usize,
    first: u64,
    verifier: &Verifier,
    seed: Seed,
    control: &Control,
) -> Result<Vec<Outcome>> {
    check(strategies, budgets, verifier)?;
    let width = strategies.len() * budgets.len();
    let setting = Setting { strategies, budgets, verifier, seed, control };
    let n_instances = problem.n_instances();
    // Trials of one instance are worked on together: what it takes to write it out is shared.
    let together = if problem.is_small() { n_instances } else { u64::MAX };
    let n_groups = n_trials.min(usize::try_from(together).unwrap_or(usize::MAX));
    let learns = strategies.iter().any(|strategy| matches!(strategy.generator, Generator::Experts { .. }));
    let n_experts = if learns { problem.n_experts() } else { 1 };
    control.expect(n_trials as u64);
    let groups = map_items(n_groups, 1, &apart(control), Vec::new, |scratch, group| {
        control.check()?;
        let instance = first.wrapping_add(group as u64) % n_instances;
        let table = if problem.is_small() { Table::of(problem, instance, n_experts, MOST_STATES) } else { None };
        let mut outcomes = Vec::new();
        for trial in (group..n_trials).step_by(n_groups.max(1)) {
            let start = outcomes.len();
            outcomes.resize(start + width, Outcome::default());
            let number = first.wrapping_add(trial as u64);
            let out = &mut outcomes[start..];
            match &table {
                Some(table) => setting.trial(table, 0, number, scratch, out)?,
                None => setting.trial(problem, number % n_instances, number, scratch, out)?,
            }
            control.advance(1);
        }
        Ok(outcomes)
    });
    let groups = groups?;
    let mut all = vec![Outcome::default(); n_trials * width];
    for (trial, out) in all.chunks_mut(width.max(1)).enumerate() {
        let (group, round) = (trial % n_groups, trial / n_groups);
        out.copy_from_slice(&groups[group][round * width..][..width]);
    }
    Ok(all)
}

/// Refuses what no trial could be run with.
pub(super) fn check(strategies: &[Strategy], budgets: &[u64], verifier: &Verifier) -> Result<()> {
    verifier.check()?;
    for (i, strategy) in strategies.iter().enumerate() {
        strategy.check(i)?;
    }
    for (i, &budget) in budgets.iter().enumerate() {
        if budget == 0 || budget >= MOST_STEPS {
            return Err(invalid("budgets", &[i], budget, "be at least one step and below 2^48"));
        }
        if i > 0 && budget <= budgets[i - 1] {
            return Err(invalid("budgets", &[i], budget, "ascend"));
        }
    }
    Ok(())
}

/// A control for the same number of threads, whose items are groups of trials.
fn apart(control: &Control) -> Control {
    Control::new(control.threads())
}

/// What all trials have in common.
struct Setting<'a> {
    strategies: &'a [Strategy],
    budgets: &'a [u64],
    verifier: &'a Verifier,
    seed: Seed,
    control: &'a Control,
}

impl Setting<'_> {
    /// Trial `number` on the instance of root `instance`.
    fn trial<P: Reasoning>(
        &self,
        problem: &P,
        instance: u64,
        number: u64,
        scratch: &mut Vec<f64>,
        out: &mut [Outcome],
    ) -> Result<()> {
        let streams = Streams(self.seed.child(number));
        let root = problem.root(instance);
        let reader = |strategy, budgets, out| Reader::new(strategy, self.verifier, streams, budgets, out);
        let mut of_walks = Vec::new();
        for (strategy, out) in self.strategies.iter().zip(out.chunks_mut(self.budgets.len().max(1))) {
            match strategy.generator {
                Generator::Walks => of_walks.push(reader(strategy, self.budgets, out)),
                Generator::Beam { .. } | Generator::Dvts { .. } | Generator::Stepwise { .. } => {
                    for (budget, out) in self.budgets.chunks(1).zip(out.chunks_mut(1)) {
                        let mut log = Log::new(vec![reader(strategy, budget, out)]);
                        self.layered(problem, &root, strategy, budget[0], streams, scratch, &mut log)?;
                        log.end();
                    }
                }
                Generator::Tree { .. } | Generator::Experts { .. } => {
                    let mut log = Log::new(vec![reader(strategy, self.budgets, out)]);
                    self.growing(problem, &root, strategy, streams, scratch, &mut log)?;
                    log.end();
                }
            }
        }
        let mut log = Log::new(of_walks);
        self.shared_walks(problem, &root, streams, scratch, &mut log)?;
        log.end();
        Ok(())
    }

    /// The walks for all strategies that select among them, as far as any of them goes.
    fn shared_walks<P: Reasoning>(
        &self,
        problem: &P,
        root: &P::State,
        streams: Streams,
        scratch: &mut Vec<f64>,
        log: &mut Log<'_>,
    ) -> Result<()> {
        let mut of_walks = self.strategies.iter().filter(|strategy| strategy.generator == Generator::Walks).peekable();
        let Some(&most) = self.budgets.last().filter(|_| of_walks.peek().is_some()) else { return Ok(()) };
        let until_accepted = of_walks
            .clone()
            .all(|strategy| strategy.ends_early(self.verifier) || strategy.selector == super::Selector::First);
        let only_first = of_walks.all(|strategy| strategy.selector == super::Selector::First);
        let judge = &mut Judge::new(self.verifier, streams, Purpose::Verdicts, 0);
        let stream = &mut streams.of(Purpose::Walks, 0);
        let budget = if only_first { 1 } else { most };
        walks(problem, root, Own, budget, until_accepted, judge, stream, scratch, self.control, log)
    }

    /// A generator that spends what it is given on a shape made for it: each budget has a run of its own.
    #[allow(clippy::too_many_arguments)]
    fn layered<P: Reasoning>(
        &self,
        problem: &P,
        root: &P::State,
        strategy: &Strategy,
        budget: u64,
        streams: Streams,
        scratch: &mut Vec<f64>,
        log: &mut Log<'_>,
    ) -> Result<()> {
        // Chains of a given width begin alike at any budget.
        let (purpose, number) = match strategy.generator {
            Generator::Beam { .. } => (Purpose::Beam, budget),
            Generator::Dvts { .. } => (Purpose::Dvts, budget),
            Generator::Stepwise { width } if width > 0 => (Purpose::Stepwise, 1 << 53 | u64::from(width)),
            _ => (Purpose::Stepwise, budget),
        };
        let mut layers = Layers {
            problem,
            root,
            judge: Judge::new(self.verifier, streams, Purpose::Verdicts, number << 4 | purpose as u64),
            stream: streams.of(purpose, number),
            control: self.control,
            log,
            scratch,
        };
        let width = budget / u64::from(problem.max_steps());
        match strategy.generator {
            _ if width == 0 => Ok(()),
            Generator::Beam { expand } => layers.beam(width, expand),
            Generator::Dvts { expand } => layers.dvts(width, expand),
            Generator::Stepwise { width } if width > 0 => layers.stepwise(width.into(), budget, self.verifier.accuracy),
            _ => layers.stepwise(width, budget, self.verifier.accuracy),
        }
    }

    /// A generator that goes on: what it did within a budget is the beginning of what it does within a larger one.
    fn growing<P: Reasoning>(
        &self,
        problem: &P,
        root: &P::State,
        strategy: &Strategy,
        streams: Streams,
        scratch: &mut Vec<f64>,
        log: &mut Log<'_>,
    ) -> Result<()> {
        let Some(&most) = self.budgets.last() else { return Ok(()) };
        let (verifier, control, until_accepted) = (self.verifier, self.control, strategy.ends_early(self.verifier));
        match strategy.generator {
            Generator::Tree { policy, values, branching } => {
                let number = values as u64;
                let judge = Judge::new(verifier, streams, Purpose::Verdicts, 1 << 57 | number);
                let seed = streams.seed(Purpose::Tree, number);
                let how = (policy, values, branching);
                search::tree(problem, root, how, most, until_accepted, verifier, judge, seed, control, log)
            }
            Generator::Experts { learner } => {
                let judge = &mut Judge::new(verifier, streams, Purpose::Verdicts, 1 << 57 | 2);
                let bandit = Bandit::new(learner, problem.n_experts(), streams.of(Purpose::Experts, 1));
                let stream = &mut streams.of(Purpose::Experts, 0);
                walks(problem, root, bandit, most, until_accepted, judge, stream, scratch, control, log)
            }
            _ => Ok(()),
        }
    }
}
