//! AB-MCTS-A (Inoue et al. 2025, arXiv 2503.04412, section 3): at each node Thompson sampling decides whether to generate
//! another child or to go on below those there are, and then below which.
//!
//! Three kinds of score are told apart at a node: those of its children (GEN), those of all nodes below its children
//! (CONT), and those of each child together with all below it. Each kind has a posterior; the greatest draw wins. Moments
//! are updated as scores come up, so that a draw costs the same however large the subtree is.
//!
//! Scores in flight. The draws of a walk that meets nothing but pending children are used again by the next walk, once
//! something was told; what is in flight below an arm counts as scores like those that were told below it or, where the
//! choice is between generating and going on, below either. With scores that do not depend on the parent's, a root is as
//! wide at 64 in flight as at one. Where they follow the parent's, what pays off deeper is not known yet when many leaves
//! are asked for at once, and the root becomes wider: of 256 nodes 98 are its children at 64 in flight, 65 at 8, 62 at one.

use super::arena::{Arena, FRESH, LEAF, PENDING, Record, Span, set};
use super::config::{InFlight, Thompson};
use super::descent::{End, Path, Walker};
use super::forest::Kind;
use super::posterior::Moments;
use super::select::Rules;
use super::tree::Tree;
use crate::error::Result;
use crate::random::laws::Draws;

/// What a node with children remembers of its children's own scores.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Arms {
    /// Their mean.
    pub mean: f64,
    /// Sum of their squared deviations.
    pub spread: f64,
    /// How many there are.
    pub generated: u32,
    /// Children asked for whose scores are not told.
    pub pending: u32,
}

/// What to do at a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Choice {
    /// Generate another child.
    Generate,
    /// Go on below this child, whose action stands behind it.
    Below(u32, u32),
    /// All there is to do is in flight.
    Wait,
}

impl Tree {
    /// [`descend`](Self::descend) by Thompson sampling.
    pub(super) fn descend_thompson(
        &mut self,
        rules: &Rules,
        model: Thompson,
        path: &mut Path,
        walker: &mut impl Walker,
    ) -> Result<End> {
        self.blocked.clear();
        path.start();
        walker.start();
        let draws = &mut Draws::new(self.seed.stream(self.walks));
        // At nodes no deeper than this, going on below the children is decided already.
        let mut decided = None;
        loop {
            let node = path.leaf();
            let record = match self.arena.link[node as usize] {
                FRESH => return Ok(End::Leaf(Kind::Evaluate)),
                PENDING => return Ok(End::Blocked),
                LEAF => return Ok(End::Known),
                _ if path.depth() >= rules.config.max_depth => return Ok(End::Known),
                link if link >= LEAF => {
                    self.make_room(rules, node, link - LEAF)?;
                    continue;
                }
                record if self.arena.records[record as usize].visits == 0 => return Ok(End::Leaf(Kind::Evaluate)),
                record => record,
            };
            let is_decided = decided.is_some_and(|depth| path.depth() <= depth);
            match self.pick(rules, model, node, record, path.depth(), is_decided, draws) {
                Choice::Generate => {
                    let (slot, action) = self.newborn(rules, record)?;
                    path.0.push(slot);
                    walker.step(action);
                    return Ok(End::Leaf(Kind::Widen));
                }
                Choice::Below(slot, action) => {
                    path.0.push(slot);
                    walker.step(action);
                }
                Choice::Wait if node == 0 => return Ok(End::Blocked),
                Choice::Wait => {
                    self.blocked.push(node);
                    path.0.pop();
                    decided = Some(path.depth());
                    walker.start();
                    for step in path.0.windows(2) {
                        walker.step(self.arena.action(self.arena.link[step[0] as usize], step[1]));
                    }
                }
            }
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn pick(
        &self,
        rules: &Rules,
        model: Thompson,
        node: u32,
        record: u32,
        depth: u32,
        is_decided: bool,
        draws: &mut Draws,
    ) -> Choice {
        let arena = &self.arena;
        let may_generate = arena.may_adopt(record) || self.returned > 0 && arena.returned_child(record).is_some();
        // Below the children nothing may grow: there is but one arm.
        let is_last = depth + 1 >= rules.config.max_depth;
        if may_generate && (is_last || arena.n_children(node) == 0) {
            return Choice::Generate;
        }
        if may_generate && !is_decided {
            let ([generate, go_on], [pending, below]) = arena.kinds(record);
            let expected = rules.expected(generate.and(go_on).mean);
            let generate = model.draw(generate.with(pending, expected), f64::NEG_INFINITY, draws);
            if model.draw(go_on.with(below, expected), generate, draws) <= generate {
                return Choice::Generate;
            }
        }
        let mut best: Option<(f64, u32, u32)> = None;
        if !is_last {
            for (action, slot) in arena.children(record).enumerate() {
                let Some((scores, in_flight)) = arena.arm(rules, node, slot) else { continue };
                if self.blocked.contains(&slot) {
                    continue;
                }
                let least = best.map_or(f64::NEG_INFINITY, |(best, ..)| best);
                let scores = scores.with(in_flight, rules.expected(scores.mean));
                let drawn = model.draw(scores, least, draws);
                if best.is_none() || drawn > least {
                    best = Some((drawn, slot, action as u32));
                }
            }
        }
        match best {
            Some((_, slot, action)) => Choice::Below(slot, action),
            // No child will ever go on.
            None if may_generate && arena.records[record as usize].in_flight == 0 => Choice::Generate,
            None => Choice::Wait,
        }
    }
}

impl Rules {
    /// What scores in flight are taken for, where those told have this mean.
    fn expected(&self, mean: f64) -> f64 {
        if let InFlight::VirtualLoss(value) = self.config.in_flight { value } else { mean }
    }
}

impl Arena {
    /// Makes `record`, which is new, remember scores; the node's own is NaN before it is told.
    pub(super) fn remember(&mut self, record: u32, own: f32) {
        let extra = self.extra();
        set(&mut extra.own, record as usize, own);
        set(&mut extra.spread, record as usize, 0.0);
        set(&mut extra.arms, record as usize, Arms::default());
    }

    /// Counts `value`, which came up to `record` from `height` levels below and made its mean what it is, from `before`.
    pub(super) fn observe(&mut self, record: u32, height: usize, value: f64, before: f64) {
        let at = record as usize;
        let Record { mean, visits, in_flight } = self.records[at];
        let extra = self.extra();
        if visits - in_flight > 1 {
            extra.spread[at] += (value - before) * (value - mean);
        }
        match height {
            0 => extra.own[at] = value as f32,
            1 => {
                let arms = &mut extra.arms[at];
                arms.pending = arms.pending.saturating_sub(1);
                arms.generated += 1;
                let before = arms.mean;
                arms.mean += (value - before) / f64::from(arms.generated);
                arms.spread += (value - before) * (value - arms.mean);
            }
            _ => {}
        }
    }

    /// Adds `change` to the children that the last node but one of `path` waits for.
    pub(super) fn await_child(&mut self, path: &[u32], change: i32) {
        let [.., parent, _] = path else { return };
        let record = self.link[*parent as usize];
        if let Some(arms) = self.extra.as_mut().and_then(|extra| extra.arms.get_mut(record as usize)) {
            arms.pending = arms.pending.wrapping_add_signed(change);
        }
    }

    /// The scores of the children of `node`, those of all further below, and how many of both are in flight.
    fn kinds(&self, record: u32) -> ([Moments; 2], [u32; 2]) {
        let at = record as usize;
        let (Some(extra), Record { mean, visits, in_flight }) = (&self.extra, self.records[at]) else {
            unreachable!("records of this search remember scores")
        };
        let (arms, own) = (extra.arms[at], f64::from(extra.own[at]));
        let generated = Moments { n: arms.generated.into(), mean: arms.mean, spread: arms.spread };
        let all = Moments { n: (visits - in_flight).into(), mean, spread: extra.spread[at] };
        let below = all.without(generated).without(Moments::of(own));
        let own_in_flight = u32::from(own.is_nan());
        ([generated, below], [arms.pending, in_flight.saturating_sub(arms.pending + own_in_flight)])
    }

    /// The scores of `slot` and all below it, seen from its parent `node`, and how many are in flight; `None` where nothing
    /// may grow below it for now.
    fn arm(&self, rules: &Rules, node: u32, slot: u32) -> Option<(Moments, u32)> {
        let (moments, in_flight) = match self.link[slot as usize] {
            FRESH | PENDING | LEAF => return None,
            link if link >= LEAF => (Moments::of(self.value[slot as usize].into()), 0),
            record => {
                let Record { mean, visits, in_flight } = self.records[record as usize];
                let spread = self.extra.as_ref().map_or(0.0, |extra| extra.spread[record as usize]);
                (Moments { n: (visits - in_flight).into(), mean, spread }, in_flight)
            }
        };
        if self.is_duplicate(slot) {
            return None;
        }
        let discount = f64::from(self.discount(rules, node, slot).signum()) * rules.config.discount.abs();
        Some((moments.scaled(discount, self.reward(slot)), in_flight))
    }

    fn may_adopt(&self, record: u32) -> bool {
        let Span::Open(families) = &self.span else { return false };
        let family = families[record as usize];
        family.n < family.most
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;
    use crate::trees::tell::PerLeaf;
    use crate::trees::{Config, Forest, Leaves, Policy, Told};

    fn forest(model: Thompson, n_trees: usize, n_simulations: u32) -> Forest {
        let n_simulations = Some(n_simulations);
        let config = Config { policy: Policy::Thompson(model), n_simulations, ..Config::default() };
        Forest::new(n_trees, config, Seed::from_u64(5), 0).unwrap()
    }

    /// Asks for `batch` leaves and tells them all, until nothing is asked any more: a child's score is its parent's, moved
    /// by up to `step` and kept between 0 and 1.
    fn grow(forest: &mut Forest, batch: usize, step: f64, seed: u64) -> Vec<Vec<f64>> {
        let mut scores: Vec<Vec<f64>> = vec![Vec::new(); forest.trees().len()];
        let seed = Seed::from_u64(seed);
        let (mut leaves, mut asked) = (Leaves::default(), 0);
        loop {
            leaves.clear();
            forest.ask(batch, None, &mut leaves).unwrap();
            if leaves.leaves.is_empty() {
                return scores;
            }
            let (mut tickets, mut values) = (Vec::new(), Vec::new());
            for leaf in &leaves.leaves {
                asked += 1;
                let tree = &mut scores[leaf.tree as usize];
                let above = usize::try_from(leaf.parent).map_or(0.5, |parent| tree[parent]);
                let value = (above + step * (2.0 * seed.stream(asked).uniform() - 1.0)).clamp(0.0, 1.0);
                tree.resize(tree.len().max(leaf.node as usize + 1), f64::NAN);
                tree[leaf.node as usize] = f64::from(value as f32);
                tickets.push(leaf.ticket);
                values.push(value);
            }
            forest.tell(&tickets, &Told { values: PerLeaf::Each(&values), ..Told::default() }).unwrap();
        }
    }

    fn moments(scores: &[f64]) -> Moments {
        let n = scores.len() as f64;
        let mean = if scores.is_empty() { 0.0 } else { scores.iter().sum::<f64>() / n };
        Moments { n, mean, spread: scores.iter().map(|score| (score - mean).powi(2)).sum() }
    }

    fn assert_close(found: Moments, expected: Moments) {
        let apart = (found.n - expected.n).abs()
            + (found.mean - expected.mean).abs()
            + (found.spread - expected.spread).abs() / (1.0 + expected.spread);
        assert!(apart < 1e-9, "{found:?} is not {expected:?}");
    }

    #[test]
    fn arms_know_the_moments_of_all_scores_below() {
        for (model, batch) in [(Thompson::GAUSSIAN, 1), (Thompson::BETA, 7)] {
            let mut forest = forest(model, 3, 300);
            let scores = grow(&mut forest, batch, 0.2, 1);
            for (tree, scores) in forest.trees().iter().zip(scores) {
                assert_eq!((tree.n_simulations(), scores.len()), (300, 300));
                let columns = tree.columns(forest.config());
                let below = |top: i64, least: u32| -> Vec<f64> {
                    let inside = |mut node: i64, levels: &mut u32| {
                        while node > top {
                            node = columns.parent[node as usize];
                            *levels += 1;
                        }
                        node == top
                    };
                    let all = (0..300).filter(|&node| {
                        let mut levels = 0;
                        inside(node, &mut levels) && levels >= least
                    });
                    all.map(|node| scores[node as usize]).collect()
                };
                for node in 0..300u32 {
                    let record = tree.arena.link[node as usize];
                    if record < LEAF {
                        let ([generated, further], waiting) = tree.arena.kinds(record);
                        let (all, children) = (below(node.into(), 1), below(node.into(), 2));
                        assert_close(further, moments(&children));
                        assert_eq!((all.len() as f64, waiting), (generated.n + further.n, [0, 0]));
                        let own: Vec<f64> = tree.arena.children(record).map(|child| scores[child as usize]).collect();
                        assert_close(generated, moments(&own));
                    }
                    if let (Some((arm, 0)), true) = (tree.arena.arm(&forest.rules, 0, node), node > 0) {
                        assert_close(arm, moments(&below(node.into(), 0)));
                    }
                }
            }
        }
    }

    #[test]
    fn width_does_not_grow_with_the_batch_where_scores_are_independent() {
        let width = |batch: usize| {
            let mut forest = forest(Thompson::GAUSSIAN, 200, 256);
            let mut total = 0;
            let mut leaves = Leaves::default();
            loop {
                leaves.clear();
                // As many in each tree as a search of one tree would ask for.
                forest.ask(200 * batch, Some(batch as u32), &mut leaves).unwrap();
                if leaves.leaves.is_empty() {
                    break;
                }
                let tickets: Vec<u64> = leaves.leaves.iter().map(|leaf| leaf.ticket).collect();
                let score = |leaf: &crate::trees::forest::Leaf| {
                    Seed::from_u64(3).child(leaf.tree.into()).stream(leaf.node.into()).uniform()
                };
                let values: Vec<f64> = leaves.leaves.iter().map(score).collect();
                forest.tell(&tickets, &Told { values: PerLeaf::Each(&values), ..Told::default() }).unwrap();
            }
            let bytes: usize = forest.trees().iter().map(|tree| tree.arena().n_bytes()).sum();
            assert!(bytes <= 48 * 200 * 256, "{bytes} bytes");
            for tree in forest.trees() {
                total += tree.arena().n_children(0);
            }
            f64::from(total) / 200.0
        };
        let serial = width(1);
        for batch in [8, 64] {
            let parallel = width(batch);
            assert!((parallel / serial - 1.0).abs() < 0.15, "{parallel} children of the root, {serial} serially");
        }
    }
}
