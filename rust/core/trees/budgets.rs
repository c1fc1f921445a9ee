//! When the search of a tree comes to an end before all is known of it, and whose turn it is to be searched.

use super::arena::LEAF;
use super::config::{Config, Policy, finite, positive};
use super::forest::Forest;
use super::select::Rules;
use super::tree::Tree;
use crate::error::{Result, invalid};

/// What ends a search; each rule is optional.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Budget {
    /// A terminal node of at least this value, for the player at the root, ends its tree. Rewards on the way do not count.
    pub stop_at: Option<f64>,
    /// A tree ends when the simulations it has left cannot change which child of the root is visited most.
    pub stop_when_settled: bool,
    /// Simulations of all trees together.
    pub total_simulations: Option<u64>,
    /// A tree ends when it was told to have cost this much.
    pub max_cost_per_tree: Option<f64>,
    /// All trees end when they were told to have cost this much together.
    pub max_cost: Option<f64>,
}

impl Budget {
    pub(super) fn check(&self, config: &Config) -> Result<()> {
        if let Some(value) = self.stop_at {
            finite("stop_at", value)?;
        }
        if self.stop_when_settled {
            let refuse = |rule: &str| Err(invalid("stop_when_settled", &[], true, rule));
            if config.n_simulations.is_none() {
                return refuse("be False without n_simulations, which says how many are left");
            }
            if !matches!(config.policy, Policy::Uct(_) | Policy::Puct(_)) {
                return refuse("be False unless the policy is Uct or Puct, which prefer what is visited most");
            }
        }
        if self.total_simulations == Some(0) {
            return Err(invalid("total_simulations", &[], 0, "be at least 1"));
        }
        self.max_cost_per_tree.map_or(Ok(()), |cost| positive("max_cost_per_tree", cost))?;
        self.max_cost.map_or(Ok(()), |cost| positive("max_cost", cost))
    }

    /// Whether there is anything to look at when a simulation of a tree was completed.
    const fn ends_trees(&self) -> bool {
        self.stop_at.is_some() || self.stop_when_settled || self.max_cost_per_tree.is_some()
    }

    /// Whether trees share a budget.
    const fn is_shared(&self) -> bool {
        self.total_simulations.is_some() || self.max_cost.is_some()
    }
}

impl Tree {
    /// Ends the search if a rule says so, after a simulation along `path` was completed.
    #[inline(always)]
    pub(super) fn end_early(&mut self, rules: &Rules, path: &[u32]) {
        if rules.config.budget.ends_trees() {
            self.look_for_the_end(rules, path);
        }
    }

    #[cold]
    fn look_for_the_end(&mut self, rules: &Rules, path: &[u32]) {
        let budget = &rules.config.budget;
        self.exhausted |= budget.stop_at.is_some_and(|value| self.gains(rules, path) >= f64::from(value as f32))
            || budget.stop_when_settled && self.is_settled(rules)
            || budget.max_cost_per_tree.is_some_and(|cost| self.cost >= cost);
    }

    /// The value, in single precision, for the player at the root of the node at the end of `path`; NaN if it is not terminal.
    fn gains(&self, rules: &Rules, path: &[u32]) -> f64 {
        let leaf = path[path.len() - 1];
        let link = self.arena.link[leaf as usize];
        if !(link == LEAF || link < LEAF && self.arena.is_closed(link)) {
            return f64::NAN;
        }
        let steps = path.windows(2).map(|step| f64::from(self.arena.discount(rules, step[0], step[1]).signum()));
        steps.product::<f64>() * self.arena.mean(leaf)
    }

    fn is_settled(&self, rules: &Rules) -> bool {
        let left = rules.config.n_simulations.unwrap_or(u32::MAX).saturating_sub(self.simulations);
        let [mut first, mut second] = [0; 2];
        if self.arena.link[0] < LEAF {
            for child in self.arena.children(self.arena.link[0]) {
                let visits = self.arena.visits(child);
                second = second.max(visits.min(first));
                first = first.max(visits);
            }
        }
        first - second > left
    }
}

impl Forest {
    /// Nothing more is asked of tree `tree`: what is in flight may still be told.
    ///
    /// # Panics
    /// If there is no such tree.
    pub fn stop(&mut self, tree: u32) {
        self.trees[tree as usize].exhausted = true;
    }

    /// Lets trees of higher priority go first: others are asked only for what those have not. 0 for all trees at first.
    ///
    /// # Panics
    /// If there is no such tree.
    pub fn set_priority(&mut self, trees: &[u32], priority: i64) {
        for &tree in trees {
            self.trees[tree as usize].priority = priority;
        }
        // Trees of equal priority keep their order.
        let all = &self.trees;
        self.queue.make_contiguous().sort_by_key(|&tree| std::cmp::Reverse(all[tree as usize].priority));
    }

    /// Which trees have nothing left to do.
    pub fn done(&self) -> Vec<bool> {
        let spent = self.rules.config.budget.is_shared() && self.left(false) == 0;
        self.trees.iter().map(|tree| spent || tree.is_done()).collect()
    }

    /// How many simulations the trees may still ask for in all; or complete, if those in flight are not counted.
    pub(super) fn left(&self, in_flight: bool) -> u64 {
        let budget = &self.rules.config.budget;
        if !budget.is_shared() {
            return u64::MAX;
        }
        if budget.max_cost.is_some_and(|most| self.trees.iter().map(Tree::cost).sum::<f64>() >= most) {
            return 0;
        }
        let spent = |tree: &Tree| u64::from(tree.simulations) + u64::from(if in_flight { tree.in_flight } else { 0 });
        let spent = self.trees.iter().map(spent).sum();
        budget.total_simulations.map_or(u64::MAX, |most| most.saturating_sub(spent))
    }

    /// Puts tree `number` in the queue, behind all of its priority.
    #[inline(always)]
    pub(super) fn enqueue(&mut self, number: u32) {
        let trees = &self.trees;
        let priority = trees[number as usize].priority;
        if self.queue.back().is_some_and(|&last| trees[last as usize].priority < priority) {
            let at = self.queue.partition_point(|&other| trees[other as usize].priority >= priority);
            self.queue.insert(at, number);
        } else {
            self.queue.push_back(number);
        }
    }

    /// How many simulations each tree may have, those in flight included, if they take turns up to `wanted` each and what
    /// they share is enough; `None` if no tree may have more than it has.
    pub(super) fn goals(&self, wanted: &[u32]) -> Option<Vec<u32>> {
        let left = self.left(true);
        let had = |tree: &Tree| tree.simulations.saturating_add(tree.in_flight);
        let share = |tree: &Tree, wanted: u32| {
            if tree.may_ask() { wanted.min(tree.limit).saturating_sub(had(tree)) } else { 0 }
        };
        let mut shares: Vec<u32> = self.trees.iter().zip(wanted).map(|(tree, &wanted)| share(tree, wanted)).collect();
        let given = |turns: u32| shares.iter().map(|&share| u64::from(share.min(turns))).sum::<u64>();
        if given(u32::MAX) == 0 || left == 0 {
            return None;
        }
        if given(u32::MAX) <= left {
            return Some(wanted.to_vec());
        }
        // The most turns that all can take; then the first of those who want more take another.
        let (mut low, mut high) = (0, u32::MAX);
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if given(middle) <= left { low = middle } else { high = middle }
        }
        let mut more = left - given(low);
        for (share, tree) in shares.iter_mut().zip(&self.trees) {
            let another = *share > low && more > 0;
            *share = (*share).min(low) + u32::from(another) + had(tree);
            more -= u64::from(another);
        }
        Some(shares)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problems::{AdditiveTree, TicTacToe};
    use crate::random::Seed;
    use crate::run::Control;
    use crate::trees::{Leaves, PerLeaf, Told};

    fn forest(n_trees: usize, config: Config) -> Forest {
        Forest::new(n_trees, config, Seed::from_u64(1), 0).unwrap()
    }

    fn ask(forest: &mut Forest, n: usize) -> Vec<(u64, u32)> {
        let mut leaves = Leaves::default();
        forest.ask(n, None, &mut leaves).unwrap();
        leaves.leaves.iter().map(|leaf| (leaf.ticket, leaf.tree)).collect()
    }

    fn tell(forest: &mut Forest, tickets: &[(u64, u32)]) {
        let tickets: Vec<u64> = tickets.iter().map(|&(ticket, _)| ticket).collect();
        let told = Told { values: PerLeaf::All(0.5), n_children: PerLeaf::All(3), ..Told::default() };
        assert_eq!(forest.tell(&tickets, &told).unwrap(), tickets.len());
    }

    fn trees(asked: &[(u64, u32)]) -> Vec<u32> {
        asked.iter().map(|&(_, tree)| tree).collect()
    }

    #[test]
    fn higher_priority_goes_first() {
        let mut forest = forest(4, Config::default());
        forest.set_priority(&[2, 3], 7);
        forest.set_priority(&[0], -1);
        let roots = ask(&mut forest, 9);
        assert_eq!(trees(&roots), [2, 3, 1, 0]);
        tell(&mut forest, &roots);
        let asked = ask(&mut forest, 9);
        assert_eq!(trees(&asked), [2, 3, 2, 3, 2, 3, 1, 1, 1]);
        tell(&mut forest, &asked);
        forest.set_priority(&[0, 1, 2, 3], 0);
        let mut next = trees(&ask(&mut forest, 4));
        next.sort_unstable();
        assert_eq!(next, [0, 1, 2, 3]);
    }

    #[test]
    fn a_stopped_tree_still_takes_what_is_in_flight() {
        let mut forest = forest(2, Config::default());
        let roots = ask(&mut forest, 2);
        forest.stop(0);
        assert_eq!(forest.done(), [true, false]);
        tell(&mut forest, &roots);
        assert_eq!(trees(&ask(&mut forest, 9)), [1, 1, 1]);
        assert_eq!(forest.trees()[0].n_simulations(), 1);
    }

    #[test]
    fn all_trees_share_simulations_and_costs() {
        let total = Budget { total_simulations: Some(7), ..Budget::default() };
        let mut forest = forest(3, Config { budget: total, ..Config::default() });
        let roots = ask(&mut forest, 9);
        tell(&mut forest, &roots);
        let asked = ask(&mut forest, 9);
        assert_eq!(trees(&asked), [0, 1, 2, 0], "those in flight count");
        assert_eq!(ask(&mut forest, 1), []);
        forest.cancel(&[asked[1].0]);
        assert_eq!(ask(&mut forest, 2).len(), 1, "what is taken back is there again");
        tell(&mut forest, &[asked[0]]);
        assert_eq!(forest.done(), [false; 3]);
        for ticket in forest.tickets.open().map(|(number, ticket)| (number, ticket.tree)).collect::<Vec<_>>() {
            tell(&mut forest, &[ticket]);
        }
        assert_eq!(forest.done(), [true; 3]);

        let costs = Budget { max_cost: Some(10.0), max_cost_per_tree: Some(6.0), ..Budget::default() };
        let mut forest = self::forest(3, Config { budget: costs, ..Config::default() });
        let roots = ask(&mut forest, 9);
        for (&(ticket, _), cost) in roots.iter().zip([6.0, 3.0, 1.0]) {
            assert!(!ask(&mut forest, 1).iter().any(|&(_, tree)| tree == 0));
            let told = Told {
                values: PerLeaf::All(0.5),
                n_children: PerLeaf::All(2),
                costs: PerLeaf::All(cost),
                ..Told::default()
            };
            forest.tell(&[ticket], &told).unwrap();
            assert!(forest.done()[0]);
        }
        assert_eq!((forest.done(), ask(&mut forest, 9)), (vec![true; 3], vec![]));
    }

    #[test]
    fn known_leaves_count_against_what_is_shared() {
        // The root has one child, and that is terminal: all further simulations are known.
        let total = Budget { total_simulations: Some(100), ..Budget::default() };
        let mut forest = forest(2, Config { budget: total, ..Config::default() });
        for n in [1, 0] {
            let asked = ask(&mut forest, 2);
            let tickets: Vec<u64> = asked.iter().map(|&(ticket, _)| ticket).collect();
            let told = Told { values: PerLeaf::All(0.5), n_children: PerLeaf::All(n), ..Told::default() };
            forest.tell(&tickets, &told).unwrap();
        }
        assert_eq!(ask(&mut forest, 5), []);
        let total: u32 = forest.trees().iter().map(Tree::n_simulations).sum();
        assert_eq!((total, forest.done()), (100, vec![true; 2]));
    }

    #[test]
    fn a_run_shares_out_what_is_left() {
        let budget = Budget { total_simulations: Some(1001), ..Budget::default() };
        for threads in [1, 2] {
            let mut forest = forest(5, Config { budget, ..Config::default() });
            forest.set_limit(1, 50);
            forest.run(&AdditiveTree::new(3, 8, 1, false).unwrap(), 10_000, &Control::new(threads)).unwrap();
            let counts: Vec<u32> = forest.trees().iter().map(Tree::n_simulations).collect();
            assert_eq!(counts, [238, 50, 238, 238, 237]);
            assert_eq!(forest.done(), [true; 5]);
        }
    }

    #[test]
    fn a_win_or_a_settled_root_ends_a_tree() {
        let config = Config { discount: -1.0, n_simulations: Some(5000), ..Config::default() };
        // In the second game X wins with its next move; a won game is worth -1 to whoever is to move then.
        let games = [TicTacToe::new("").unwrap(), TicTacToe::new("1425").unwrap()];
        let run = |game, budget| {
            let mut forest = forest(1, Config { budget, ..config.clone() });
            forest.run(game, 5000, &Control::new(1)).unwrap();
            let tree = forest.trees.remove(0);
            (tree.simulations, tree.is_done(), tree)
        };
        let (n, done, all) = run(&games[1], Budget::default());
        assert_eq!((n, done), (5000, true));
        let (n, done, tree) = run(&games[0], Budget { stop_at: Some(1.0), ..Budget::default() });
        assert!(n < 5000 && done);
        let terminal = |slot: &u32| tree.arena.n_children(*slot) == 0 && tree.arena.visits(*slot) > 0;
        let found: Vec<u32> = (1..tree.arena.len() as u32).filter(terminal).collect();
        let columns = tree.columns(&config);
        let gain =
            |slot: u32| columns.value[slot as usize] * if columns.depth[slot as usize] % 2 == 0 { 1.0 } else { -1.0 };
        assert_eq!(found.iter().filter(|&&slot| gain(slot) >= 1.0).count(), 1, "the first win is the last node");
        let (n, done, tree) = run(&games[1], Budget { stop_when_settled: true, ..Budget::default() });
        assert!(n < 5000 && done);
        let most = |tree: &Tree| {
            let visits: Vec<u32> = tree.arena.children(0).map(|child| tree.arena.visits(child)).collect();
            (0..visits.len()).max_by_key(|&i| visits[i])
        };
        assert_eq!(most(&tree), most(&all));
    }
}
