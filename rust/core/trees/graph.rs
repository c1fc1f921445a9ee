//! Transpositions: states that are reached in several ways are searched once.
//!
//! A slot is then an edge, and a record a node: where a leaf is told with the key of a node that was evaluated, its slot
//! links to the record of that node, and both parents share its children. Sharing alone would break the means: a visit
//! through one parent changes the node, and the other parent, whose visits do not count it, would go on with a value of
//! another time. So edges have counts of their own, and the mean of a node is not moved by what comes from below but
//! computed anew from what its children are worth now:
//!
//! mean = (own evaluation + sum over children of edge visits (reward + discount mean of the child)) / (1 + sum of edge visits)
//!
//! which stays right however often it is computed, and whoever changed the children (D. Wu, "Monte-Carlo graph search from
//! first principles", documentation of `KataGo`; Czech et al., "Monte-Carlo graph search for `AlphaZero`", ICAPS 2021).
//! Nodes on a walk are brought up to date, others when a walk comes by. Where a walk would enter a node that it has come
//! through already it ends, and counts as a visit of that edge.

use super::arena::{Arena, FRESH, LEAF, PENDING, set};
use super::config::{Backup, Config, InFlight, Policy};
use super::select::Rules;
use super::tree::Tree;
use crate::error::{Result, invalid};
use std::collections::HashMap;

/// What a tree keeps where states are shared.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Graph {
    /// The first slot that was told with each key.
    keys: HashMap<u64, u32>,
    /// That slot + 1 for each slot whose node it shares; 0 for all others.
    same_as: Vec<u32>,
    /// Visits of each slot as an edge: those in flight included, and those in flight.
    edges: Vec<[u32; 2]>,
}

/// Refuses what cannot be combined with transpositions.
pub(super) fn check(config: &Config) -> Result<()> {
    let refuse = |rule: &str| Err(invalid("transpositions", &[], true, rule));
    if !matches!(config.policy, Policy::Uct(_) | Policy::Puct(_)) {
        return refuse("be False unless the policy is Uct or Puct");
    }
    if config.is_open() {
        return refuse("be False where children come one by one");
    }
    if config.backup != Backup::Mean {
        return refuse("be False unless backup is \"mean\"");
    }
    if config.solver.is_some() {
        return refuse("be False with a solver");
    }
    if config.in_flight != InFlight::Count {
        return refuse("be False unless in_flight is \"count\"");
    }
    Ok(())
}

impl Graph {
    pub(super) fn n_bytes(&self) -> usize {
        size_of_val(&self.same_as[..]) + size_of_val(&self.edges[..]) + self.keys.len() * size_of::<(u64, u32)>()
    }

    /// Visits of `slot` as an edge: those in flight included, and those in flight.
    pub(super) fn edge(&self, slot: u32) -> [u32; 2] {
        self.edges.get(slot as usize).copied().unwrap_or_default()
    }

    /// The slot whose node `slot` shares, if it came later.
    pub(super) fn same_as(&self, slot: u32) -> Option<u32> {
        self.same_as.get(slot as usize)?.checked_sub(1)
    }
}

impl Arena {
    pub(super) fn graph(&self) -> Option<&Graph> {
        self.extra.as_ref()?.graph.as_deref()
    }

    /// The slot whose node `slot` shares, if it came later.
    pub(super) fn same_as(&self, slot: u32) -> Option<u32> {
        self.graph()?.same_as(slot)
    }

    fn graph_mut(&mut self) -> &mut Graph {
        self.extra().graph.get_or_insert_default()
    }

    /// The value of `slot`, which other edges to the same node may have changed.
    #[inline]
    pub(super) fn current(&self, slot: u32) -> f32 {
        let link = self.link[slot as usize];
        if link < LEAF && self.graph().is_some() {
            let record = &self.records[link as usize];
            if record.visits > record.in_flight {
                return record.mean as f32;
            }
        }
        self.value[slot as usize]
    }

    /// Adds to the counts of an edge, and weighs it anew.
    fn count_edge(&mut self, rules: &Rules, slot: u32, visits: i32, in_flight: i32) {
        let [all, out] = self.graph().map_or([0; 2], |graph| graph.edge(slot));
        let edge = [all.wrapping_add_signed(visits), out.wrapping_add_signed(in_flight)];
        set(&mut self.graph_mut().edges, slot as usize, edge);
        let prior = self.prior.as_ref().map(|prior| prior[slot as usize]);
        self.weight[slot as usize] = rules.weight(prior, edge[0]);
    }

    /// Adds to the counts of a node that has a record.
    fn count_node(&mut self, slot: u32, visits: i32, in_flight: i32) {
        if let Some(record) = self.records.get_mut(self.link[slot as usize] as usize) {
            record.visits = record.visits.wrapping_add_signed(visits);
            record.in_flight = record.in_flight.wrapping_add_signed(in_flight);
        }
    }

    /// Computes the mean of the node of `slot` anew.
    fn refresh(&mut self, rules: &Rules, slot: u32) {
        let link = self.link[slot as usize];
        if link >= LEAF {
            return;
        }
        let own =
            self.extra.as_ref().and_then(|extra| extra.own.get(link as usize)).map_or(f64::NAN, |&own| own.into());
        let (mut sum, mut n) = if own.is_nan() { (0.0, 0.0) } else { (own, 1.0) };
        for child in self.children(link) {
            let visits = f64::from(self.visits(child));
            if visits > 0.0 {
                let sign = f64::from(self.discount(rules, slot, child).signum());
                sum += visits * (self.reward(child) + sign * rules.config.discount.abs() * self.mean(child));
                n += visits;
            }
        }
        if n > 0.0 {
            self.records[link as usize].mean = sum / n;
            self.value[slot as usize] = (sum / n) as f32;
        }
    }
}

impl Tree {
    /// Lets the leaf at the end of `path` share the node that was told with `key` before, if there is one, with `n`
    /// children, that the path does not come through.
    pub(super) fn share(&mut self, rules: &Rules, path: &[u32], key: u64, n: u32) -> Result<bool> {
        let Some(&first) = self.arena.graph().and_then(|graph| graph.keys.get(&key)) else { return Ok(false) };
        let node = self.arena.link[first as usize];
        let is_above = node < LEAF && path.iter().any(|&slot| self.arena.link[slot as usize] == node);
        if n == 0 || self.arena.n_children(first) != n || is_above {
            return Ok(false);
        }
        if node >= LEAF {
            self.make_room(rules, first, n)?;
        }
        let leaf = path[path.len() - 1] as usize;
        self.arena.link[leaf] = self.arena.link[first as usize];
        self.arena.value[leaf] = self.arena.current(first);
        set(&mut self.arena.graph_mut().same_as, leaf, first + 1);
        Ok(true)
    }

    /// Keeps the key of a node that was evaluated, and has children.
    pub(super) fn remember(&mut self, key: u64, slot: u32) {
        if self.arena.n_children(slot) > 0 {
            self.arena.graph_mut().keys.entry(key).or_insert(slot);
        }
    }

    /// Whether `path` ends in a node that it has come through before.
    pub(super) fn has_returned(&self, path: &[u32]) -> bool {
        let link = |slot: &u32| self.arena.link[*slot as usize];
        self.arena.graph().is_some()
            && path.split_last().is_some_and(|(leaf, above)| above.iter().any(|slot| link(slot) == link(leaf)))
    }

    pub(super) fn send_in_graph(&mut self, rules: &Rules, path: &[u32]) {
        let Some((&leaf, above)) = path.split_last() else { return };
        for &slot in above {
            self.arena.count_edge(rules, slot, 1, 1);
            self.arena.count_node(slot, 1, 1);
        }
        debug_assert_eq!(self.arena.link[leaf as usize], FRESH, "only leaves that were never asked for are sent out");
        self.arena.link[leaf as usize] = PENDING;
        self.arena.value[leaf as usize] = above.last().map_or(0.0, |&slot| self.arena.current(slot)) / rules.gamma;
        self.arena.count_edge(rules, leaf, 1, 1);
    }

    pub(super) fn recall_in_graph(&mut self, rules: &Rules, path: &[u32]) {
        let Some((&leaf, above)) = path.split_last() else { return };
        for &slot in above {
            self.arena.count_edge(rules, slot, -1, -1);
            self.arena.count_node(slot, -1, -1);
        }
        self.arena.count_edge(rules, leaf, -1, -1);
        if self.arena.link[leaf as usize] == PENDING {
            self.arena.link[leaf as usize] = FRESH;
            self.arena.value[leaf as usize] = rules.fresh;
        } else {
            self.arena.count_node(leaf, -1, -1);
        }
    }

    pub(super) fn settle_in_graph(&mut self, rules: &Rules, path: &[u32]) {
        let Some((&leaf, above)) = path.split_last() else { return };
        for &slot in above {
            self.arena.count_edge(rules, slot, 0, -1);
            self.arena.count_node(slot, 0, -1);
        }
        self.arena.count_edge(rules, leaf, 0, -1);
        if self.arena.same_as(leaf).is_none() {
            self.arena.count_node(leaf, 0, -1);
        }
        self.refresh(rules, path);
    }

    /// A whole visit at once: of a leaf that was just evaluated, or of a node that is known.
    pub(super) fn visit_in_graph(&mut self, rules: &Rules, path: &[u32]) {
        let Some((&leaf, above)) = path.split_last() else { return };
        for &slot in above {
            self.arena.count_edge(rules, slot, 1, 0);
            self.arena.count_node(slot, 1, 0);
        }
        self.arena.count_edge(rules, leaf, 1, 0);
        // Visits of a node are its evaluation and its children's: one that is known gets no further.
        let link = self.arena.link[leaf as usize];
        if link < LEAF && self.arena.records[link as usize].visits == 0 {
            self.arena.count_node(leaf, 1, 0);
        }
        self.refresh(rules, path);
    }

    fn refresh(&mut self, rules: &Rules, path: &[u32]) {
        for &slot in path.iter().rev() {
            self.arena.refresh(rules, slot);
        }
    }
}
