//! The search loop on a problem that evaluates its own states: no tickets, one thread a tree.

use super::arena::{LEAF, MOST_CHILDREN, set};
use super::descent::{End, Path, Walker};
use super::forest::Forest;
use super::select::Rules;
use super::tree::Tree;
use crate::error::{Error, Result, invalid};
use crate::machine::{Kernel, widest};
use crate::problems::Problem;
use crate::random::{Seed, Stream};
use crate::run::{Control, fill_blocks};

/// Simulations between two looks at the stop flag.
const BETWEEN_CHECKS: u32 = 256;

impl Forest {
    /// Completes `n_simulations` more simulations in each tree, or as many as its budget leaves; trees are shared out to
    /// threads.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the problem does not fit the forest, [`Error::Memory`], and [`Error::Interrupted`]: all
    /// simulations completed by then are kept.
    pub fn run<P: Problem>(&mut self, problem: &P, n_simulations: u32, control: &Control) -> Result<()> {
        if problem.n_players() == 2 && self.rules.config.discount > 0.0 {
            return Err(invalid("discount", &[], self.rules.config.discount, "be negative for a game of two players"));
        }
        if self.rules.config.is_open() {
            return Err(invalid(
                "problem",
                &[],
                "a built-in problem",
                "be told through ask and tell where children come one by one",
            ));
        }
        control.expect(u64::from(n_simulations) * self.trees.len() as u64);
        let mut rules = self.rules.clone();
        rules.config.max_depth = rules.config.max_depth.min(problem.max_depth().unwrap_or(u32::MAX));
        let wanted: Vec<u32> = self.trees.iter().map(|tree| tree.simulations.saturating_add(n_simulations)).collect();
        // What one tree leaves of a shared budget, because it comes to its end, is for the others.
        while let Some(goals) = self.goals(&wanted) {
            let (rules, seed, first) = (&rules, &self.seed, self.first);
            fill_blocks(&mut self.trees, 1, 1, control, Path::default, |path, number, trees| {
                let (tree, goal) = (&mut trees[0], goals[number]);
                let number = first.wrapping_add(number as u64);
                widest(Run { tree, rules, problem, number, seed: seed.child(number), path, goal, control })
            })?;
            if goals == wanted {
                break;
            }
        }
        for number in 0..self.trees.len() as u32 {
            self.wake(number);
        }
        Ok(())
    }
}

struct Run<'a, P> {
    tree: &'a mut Tree,
    rules: &'a Rules,
    problem: &'a P,
    number: u64,
    seed: Seed,
    path: &'a mut Path,
    /// Simulations that the tree is to have in all, those in flight included.
    goal: u32,
    control: &'a Control,
}

/// Makes the states along a walk.
struct States<'a, P: Problem> {
    problem: &'a P,
    root: P::State,
    state: P::State,
    reward: f64,
}

impl<P: Problem> Walker for States<'_, P> {
    #[inline(always)]
    fn start(&mut self) {
        self.state = self.root.clone();
    }

    #[inline(always)]
    fn step(&mut self, action: u32) {
        self.reward = self.problem.step(&mut self.state, action);
    }
}

impl<P: Problem> Kernel for Run<'_, P> {
    type Output = Result<()>;

    #[inline(always)]
    fn run(self) -> Result<()> {
        let Self { tree, rules, problem, number, seed, path, goal, control } = self;
        let root = problem.root(number);
        let mut states = States { problem, state: root.clone(), root, reward: 0.0 };
        let mut priors = Vec::new();
        let budget = tree.limit.min(goal);
        if problem.branching().is_some() {
            tree.arena.prepare(budget.saturating_sub(tree.simulations) as usize)?;
        }
        let mut counted = tree.simulations;
        while tree.simulations.saturating_add(tree.in_flight) < budget && tree.may_ask() {
            if (tree.simulations - counted) >= BETWEEN_CHECKS {
                control.check()?;
                control.advance(u64::from(tree.simulations - counted));
                counted = tree.simulations;
            }
            tree.walks += 1;
            let stream = &mut seed.stream(tree.walks);
            let plain = tree.is_plain(rules) && tree.is_simple(rules);
            let end = if plain {
                tree.descend::<true>(rules, path, &mut states)?
            } else {
                tree.descend::<false>(rules, path, &mut states)?
            };
            match end {
                End::Leaf(_)
                    if plain && problem.branching().is_some() && !problem.has_rewards() && problem.alternates() =>
                {
                    let value = problem.value(&states.state, stream) as f32;
                    let leaf = path.leaf() as usize;
                    tree.arena.value[leaf] = value;
                    tree.arena.link[leaf] = LEAF + problem.branching().unwrap_or(0);
                    tree.visit_plain(rules, &path.0, f64::from(value));
                    tree.simulations += 1;
                    tree.end_early(rules, &path.0);
                }
                End::Blocked => break,
                End::Leaf(_) => tree.evaluate(rules, path, &states, stream, &mut priors)?,
                End::Known if rules.config.transpositions || path.depth() < rules.config.max_depth => {
                    tree.revisit(rules, path)?;
                }
                // No child of it will ever be seen: another evaluation, such as another rollout, says more.
                End::Known => {
                    let value = problem.value(&states.state, stream);
                    tree.close_off(rules, path.leaf())?;
                    tree.visit(rules, &path.0, value);
                    tree.simulations += 1;
                    tree.end_early(rules, &path.0);
                }
            }
        }
        control.advance(u64::from(tree.simulations - counted));
        Ok(())
    }
}

impl Tree {
    /// Evaluates the fresh node at the end of `path`, and carries its value up.
    #[inline(always)]
    fn evaluate<P: Problem>(
        &mut self,
        rules: &Rules,
        path: &Path,
        states: &States<'_, P>,
        stream: &mut Stream,
        priors: &mut Vec<f32>,
    ) -> Result<()> {
        let (problem, state) = (states.problem, &states.state);
        let leaf = path.leaf() as usize;
        let n = problem.branching().unwrap_or_else(|| problem.n_actions(state));
        let n = rules.config.policy.n_children(n, path.depth());
        if n > MOST_CHILDREN {
            return Err(Error::Memory(usize::MAX));
        }
        let key = if rules.config.transpositions { problem.key(state) } else { None };
        let shares = match key {
            Some(key) => self.share(rules, &path.0, key, n)?,
            None => false,
        };
        // A state that was evaluated is not evaluated again.
        let value = if shares { self.arena.value[leaf] } else { problem.value(state, stream) as f32 };
        if !shares {
            self.arena.value[leaf] = value;
            self.arena.link[leaf] = LEAF + n;
        }
        if let Some(key) = key {
            self.remember(key, leaf as u32);
        }
        if problem.has_rewards() && path.depth() > 0 {
            set(&mut self.arena.extra().reward, leaf, states.reward as f32);
        }
        if !problem.alternates() {
            set(&mut self.arena.extra().player, leaf, problem.player(state));
        }
        if self.arena.prior.is_some() && n > 0 && !shares && path.depth() < rules.config.max_depth {
            priors.clear();
            problem.priors(state, priors);
            if !priors.is_empty() {
                self.make_room(rules, leaf as u32, n)?;
                self.set_priors(rules, leaf as u32, priors);
                self.arena.records[self.arena.link[leaf] as usize].visits = 0; // counted below
            }
        }
        self.visit(rules, &path.0, f64::from(value));
        self.simulations += 1;
        self.end_early(rules, &path.0);
        self.arrive(rules, &path.0)
    }
}
