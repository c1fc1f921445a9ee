//! Gumbel MuZero (Danihelka et al., "Policy improvement by planning with Gumbel", ICLR 2022): the visits of the root are
//! shared out by sequential halving among its actions of the highest noisy logits, and every node below follows its
//! improved policy without chance.
//!
//! A logit is the logarithm of a prior, so that a prior of 0 forbids the action. Values are seen from the node in
//! which the action is taken, rewards included, and a child without an evaluation of its own is worth the node's mixed
//! value (Appendix D). Visits in flight count wherever visits are shared out; what actions are worth, and how far that
//! is trusted, follows from completed visits alone, unless they stand for a virtual loss.
//!
//! Of the n simulations of a tree one evaluates the root, so that n - 1 are shared out.

use super::arena::PENDING;
use super::config::{Gumbel, InFlight, Policy};
use super::select::Rules;
use super::tree::Tree;

/// The least range of values that is stretched to 0..1.
const LEAST_RANGE: f64 = 1e-8;

/// The visits of those actions whose turn it is after `index` visits, when `total` visits are shared out among
/// `considered` actions by sequential halving.
///
/// The phases have equal shares of the visits. In each, all actions left are visited in turn; then the better half of
/// them is left, down to two.
pub(super) fn considered_visits(considered: u32, total: u32, index: u32) -> u32 {
    if considered <= 1 {
        return index;
    }
    let phases = u64::from(32 - (considered - 1).leading_zeros());
    let (mut left, mut rank, mut visits) = (u64::from(considered), u64::from(index), 0);
    loop {
        let turns = (u64::from(total) / (phases * left)).max(1);
        if left == 2 || rank < turns * left {
            return (visits + rank / left) as u32;
        }
        rank -= turns * left;
        visits += turns;
        left = (left / 2).max(2);
    }
}

impl Tree {
    /// The child that `node`, whose record is `record`, goes down to, or `None` where the next must be waited for.
    #[inline(always)]
    pub(super) fn choose(&mut self, rules: &Rules, node: u32, record: u32) -> Option<u32> {
        match rules.config.policy {
            Policy::Gumbel(gumbel) if node == 0 => self.choose_at_root(rules, gumbel, record),
            Policy::Gumbel(gumbel) => self.choose_below(rules, gumbel, node, record),
            _ => self.arena.select(rules, node, record, &self.blocked),
        }
    }

    /// Whether a walk may go on to `slot`.
    fn is_open(&self, slot: u32) -> bool {
        self.arena.link[slot as usize] != PENDING && !self.arena.is_proven(slot) && !self.blocked.contains(&slot)
    }

    /// Sequential halving. Where nobody whose turn it is can be asked, all of them being in flight, the root waits; where
    /// that cannot help, or nobody has that many visits, those who are nearest to it are taken.
    fn choose_at_root(&mut self, rules: &Rules, gumbel: Gumbel, record: u32) -> Option<u32> {
        if self.root_logits.is_empty() {
            self.root_logits = self.noisy_logits(gumbel);
        }
        let legal = self.root_logits.iter().filter(|&&logit| logit > f64::NEG_INFINITY).count();
        let considered = gumbel.max_num_considered_actions.min(legal as u32);
        let shared = rules.config.n_simulations.unwrap_or(u32::MAX) - 1;
        let turn = considered_visits(considered, shared, self.arena.records[record as usize].visits.saturating_sub(1));
        let mut values = std::mem::take(&mut self.scores);
        self.complete_values(rules, gumbel, 0, record, &mut values);
        let logits = &self.root_logits;
        let mut best: Option<(u32, f64, u32)> = None;
        let mut waits = false;
        for (i, slot) in self.arena.children(record).enumerate() {
            if logits[i] == f64::NEG_INFINITY {
                continue;
            }
            let distance = self.arena.traffic(slot).abs_diff(turn);
            if !self.is_open(slot) {
                waits |= distance == 0 && !self.arena.is_proven(slot);
                continue;
            }
            let score = logits[i] + values[i];
            if best.is_none_or(|(nearest, top, _)| distance < nearest || (distance == nearest && score > top)) {
                best = Some((distance, score, slot));
            }
        }
        self.scores = values;
        best.filter(|&(distance, ..)| distance == 0 || !waits).map(|(.., slot)| slot)
    }

    /// The child whose share of the visits is furthest below its probability under the improved policy.
    fn choose_below(&mut self, rules: &Rules, gumbel: Gumbel, node: u32, record: u32) -> Option<u32> {
        let mut policy = std::mem::take(&mut self.scores);
        self.improve_policy(rules, gumbel, node, record, &mut policy);
        let visits = f64::from(self.arena.records[record as usize].visits);
        let mut best: Option<(f64, u32)> = None;
        for ((slot, &prior), share) in self.arena.children(record).zip(self.priors(record)).zip(&policy) {
            if prior == 0.0 || !self.is_open(slot) {
                continue;
            }
            // The node's own visit stands for the 1 that is added to the sum over its children.
            let score = share - f64::from(self.arena.traffic(slot)) / visits;
            if best.is_none_or(|(top, _)| score > top) {
                best = Some((score, slot));
            }
        }
        self.scores = policy;
        best.map(|(_, slot)| slot)
    }

    /// Sets `policy` to the one proportional to prior times exp(completed value).
    pub(super) fn improve_policy(&self, rules: &Rules, gumbel: Gumbel, node: u32, record: u32, policy: &mut Vec<f64>) {
        self.complete_values(rules, gumbel, node, record, policy);
        let prior = self.priors(record);
        let legal = policy.iter().zip(prior).filter(|&(_, &prior)| prior > 0.0);
        let most = legal.map(|(&value, _)| value).fold(f64::NEG_INFINITY, f64::max);
        for (share, &prior) in policy.iter_mut().zip(prior) {
            *share = if prior > 0.0 { f64::from(prior) * libm::exp(*share - most) } else { 0.0 };
        }
        let total: f64 = policy.iter().sum();
        for share in policy {
            *share /= total;
        }
    }

    /// Sets `values` to those of all actions of `node`, on the scale of logits; actions without one take the mixed value.
    pub(super) fn complete_values(&self, rules: &Rules, gumbel: Gumbel, node: u32, record: u32, values: &mut Vec<f64>) {
        let arena = &self.arena;
        let known = |slot: u32| match rules.config.in_flight {
            InFlight::Count => arena.visits(slot),
            InFlight::VirtualLoss(_) => arena.traffic(slot),
        };
        let (mut total, mut most, mut mass, mut weighted) = (0u32, 0, 0.0, 0.0);
        values.clear();
        for (slot, &prior) in arena.children(record).zip(self.priors(record)) {
            let n = known(slot);
            if n == 0 {
                values.push(f64::NAN);
                continue;
            }
            let value = f64::from(arena.seen_from(rules, node, slot));
            let prior = f64::from(prior.max(f32::MIN_POSITIVE));
            (total, most, mass, weighted) = (total + n, most.max(n), mass + prior, weighted + prior * value);
            values.push(value);
        }
        let own = arena.extra.as_ref().and_then(|extra| extra.own.get(record as usize)).copied().map(f64::from);
        let mixed = match own.filter(|own| own.is_finite()) {
            Some(own) if total > 0 => (own + f64::from(total) * (weighted / mass)) / f64::from(total + 1),
            Some(own) => own,
            None if total > 0 => weighted / mass,
            None => 0.0,
        };
        for value in values.iter_mut().filter(|value| value.is_nan()) {
            *value = mixed;
        }
        let scale = (gumbel.maxvisit_init + f64::from(most)) * gumbel.value_scale;
        let (low, range) = if gumbel.rescale_values {
            let low = values.iter().copied().fold(f64::INFINITY, f64::min);
            let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            (low, (high - low).max(LEAST_RANGE))
        } else {
            (0.0, 1.0)
        };
        for value in values {
            *value = scale * ((*value - low) / range);
        }
    }

    /// Logarithms of the priors of the root's actions, with the tree's noise.
    pub(super) fn noisy_logits(&self, gumbel: Gumbel) -> Vec<f64> {
        let prior = self.priors(self.arena.link[0]);
        let noise = self.gumbel_noise(gumbel.gumbel_scale, prior.len());
        noise.iter().zip(prior).map(|(noise, &prior)| noise + libm::log(prior.into())).collect()
    }

    fn priors(&self, record: u32) -> &[f32] {
        let (first, n) = self.arena.block(record);
        self.arena.prior.as_ref().map_or(&[], |prior| &prior[first..first + n])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;
    use crate::trees::tell::{PerLeaf, Priors, Told};
    use crate::trees::tree::Columns;
    use crate::trees::{Config, Forest, Leaves};

    /// The turns of sequential halving, written out one after another.
    fn turns(considered: usize, total: usize) -> Vec<u32> {
        if considered <= 1 {
            return (0..total as u32).collect();
        }
        let phases = (considered as f64).log2().ceil() as usize;
        let (mut turns, mut visits, mut left) = (Vec::new(), vec![0; considered], considered);
        while turns.len() < total {
            for _ in 0..(total / (phases * left)).max(1) {
                turns.extend_from_slice(&visits[..left]);
                visits[..left].iter_mut().for_each(|n| *n += 1);
            }
            left = (left / 2).max(2);
        }
        turns.truncate(total);
        turns
    }

    #[test]
    fn visits_are_halved_in_turn() {
        for considered in (0..=20).chain([64, 100]) {
            for total in [1, 2, 3, 7, 16, 50, 129, 1000] {
                let found: Vec<u32> =
                    (0..total as u32).map(|i| considered_visits(considered as u32, total as u32, i)).collect();
                assert_eq!(found, turns(considered, total), "{considered} of {total}");
            }
        }
        assert_eq!(considered_visits(16, u32::MAX - 1, u32::MAX - 2), 1_006_632_969);
    }

    const GUMBEL: Gumbel = Gumbel {
        max_num_considered_actions: 6,
        gumbel_scale: 1.0,
        value_scale: 0.1,
        maxvisit_init: 50.0,
        rescale_values: true,
    };

    fn config(n_simulations: u32) -> Config {
        Config { policy: Policy::Gumbel(GUMBEL), n_simulations: Some(n_simulations), ..Config::default() }
    }

    /// Value and priors of a leaf, from its path; the first prior is 0, which makes its action illegal.
    fn evaluate(path: &[u32], n: usize) -> (f64, Vec<f32>) {
        let place = path.iter().fold(7, |place: u64, &action| place.wrapping_mul(31).wrapping_add(action.into()) + 1);
        let mut stream = Seed::from_u64(place).stream(0);
        let value = stream.uniform();
        let mut priors: Vec<f32> = (0..n).map(|_| stream.uniform() as f32).collect();
        priors[0] = 0.0;
        (value, priors)
    }

    /// Searches with up to `ahead` leaves in flight, told in a random order, in two parts if `apart`.
    fn search(config: &Config, n_actions: usize, ahead: usize, apart: bool, seed: u64) -> Forest {
        let mut forest = Forest::new(1, config.clone(), Seed::from_u64(seed), 0).unwrap();
        let mut order = Seed::from_u64(seed).stream(1);
        let (mut leaves, mut flying) = (Leaves::default(), Vec::new());
        loop {
            leaves.clear();
            forest.ask(ahead - flying.len(), None, &mut leaves).unwrap();
            flying.extend((0..leaves.leaves.len()).map(|i| (leaves.leaves[i].ticket, leaves.path(i).to_vec())));
            if flying.is_empty() {
                return forest;
            }
            let (ticket, path) = flying.swap_remove(order.below(flying.len() as u64) as usize);
            let (value, priors) = evaluate(&path, n_actions);
            let children =
                Told { n_children: PerLeaf::All(n_actions as i64), priors: Priors::Flat(&priors), ..Told::default() };
            let value = Told { values: PerLeaf::All(value), ..Told::default() };
            if apart {
                assert_eq!(forest.tell(&[ticket], &children), Ok(0));
                assert_eq!(forest.tell(&[ticket], &value), Ok(1));
            } else {
                assert_eq!(forest.tell(&[ticket], &Told { values: value.values, ..children }), Ok(1));
            }
        }
    }

    fn columns(forest: &Forest) -> Columns {
        forest.trees()[0].columns(forest.config())
    }

    /// Visits of the root's children, in decreasing order.
    fn shares(forest: &Forest) -> Vec<i64> {
        let columns = columns(forest);
        let children = columns.parent.iter().zip(&columns.visits).filter(|&(&parent, _)| parent == 0);
        let mut visits: Vec<i64> = children.map(|(_, &n)| n).collect();
        visits.sort_unstable_by(|a, b| b.cmp(a));
        visits
    }

    #[test]
    fn the_schedule_holds_with_leaves_in_flight() {
        let alone = shares(&search(&config(121), 9, 1, false, 1));
        assert_eq!(alone.iter().filter(|&&n| n > 0).count(), 6);
        for ahead in [2, 7, 64] {
            for seed in 1..6 {
                let forest = search(&config(121), 9, ahead, false, seed);
                assert_eq!(shares(&forest), alone, "{ahead} in flight");
                assert_eq!(forest.trees()[0].n_simulations(), 121);
            }
        }
    }

    #[test]
    fn illegal_actions_are_never_taken() {
        for ahead in [1, 16] {
            let columns = columns(&search(&config(201), 4, ahead, false, 3));
            for (action, visits) in columns.action.iter().zip(&columns.visits) {
                assert!(*action != 0 || *visits == 0);
            }
        }
    }

    #[test]
    fn a_value_may_come_after_the_children() {
        let (whole, parts) = (search(&config(101), 5, 1, false, 4), search(&config(101), 5, 1, true, 4));
        let (whole, parts) = (columns(&whole), columns(&parts));
        assert_eq!((whole.visits, whole.parent, whole.action), (parts.visits, parts.parent, parts.action));
    }

    #[test]
    fn an_action_is_taken_among_the_most_visited() {
        let forest = search(&config(60), 9, 1, false, 5);
        let visits = forest.visit_policy(0, 0.0).unwrap();
        let action = forest.gumbel_action(0).unwrap().unwrap() as usize;
        assert!(visits[action] > 0.0);
        let weights = forest.action_weights(0).unwrap();
        assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-12 && weights[0] == 0.0);
        assert_eq!(Forest::new(1, config(2), Seed::from_u64(1), 0).unwrap().gumbel_action(0), Ok(None));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let missing = Config { n_simulations: None, ..config(5) };
        assert!(missing.check().unwrap_err().to_string().contains("n_simulations"));
        let mut forest = Forest::new(1, config(5), Seed::from_u64(1), 0).unwrap();
        let mut leaves = Leaves::default();
        forest.ask(1, None, &mut leaves).unwrap();
        let told = Told {
            values: PerLeaf::All(0.5),
            n_children: PerLeaf::All(3),
            priors: Priors::Flat(&[0.0, 0.0, 0.0]),
            ..Told::default()
        };
        assert!(forest.tell(&[leaves.leaves[0].ticket], &told).unwrap_err().to_string().contains("priors"));
        assert!(forest.gumbel_action(1).is_err());
    }
}
