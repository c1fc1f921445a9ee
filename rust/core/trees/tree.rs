//! One tree of a forest: its arena, its budget, and how it is read.

use super::arena::{Arena, FRESH, LEAF, PENDING, Span, set};
use super::config::{Backup, Config, Policy};
use super::frontier::Frontier;
use super::select::Rules;
use crate::error::Result;
use crate::random::Seed;
use std::collections::BTreeMap;

/// One tree of a forest.
#[derive(Debug, Clone)]
pub struct Tree {
    pub(super) arena: Arena,
    /// Completed simulations.
    pub(super) simulations: u32,
    /// Leaves asked for and not told.
    pub(super) in_flight: u32,
    /// Walks from the root so far: numbers the streams of random draws.
    pub(super) walks: u64,
    /// Whether the tree waits in its forest's queue.
    pub(super) queued: bool,
    /// Whether nothing more is asked for: nothing is left, or the search was ended.
    pub(super) exhausted: bool,
    /// Trees of higher priority are asked first.
    pub(super) priority: i64,
    /// Nodes below which all is in flight; working memory of a walk.
    pub(super) blocked: Vec<u32>,
    /// Scores of children; working memory of a walk.
    pub(super) scores: Vec<f64>,
    /// What all the tree's random numbers follow from.
    pub(super) seed: Seed,
    /// The stream of noise at the root; walks are numbered from 1 on.
    pub(super) noise: u64,
    /// Noisy logits of the root's actions, for the policy that wants them; empty until then.
    pub(super) root_logits: Vec<f64>,
    /// What was told to have been spent.
    pub(super) cost: f64,
    /// Simulations that the tree may have in all.
    pub(super) limit: u32,
    /// The texts of nodes.
    pub(super) payloads: BTreeMap<u32, Box<str>>,
    /// Children of an open tree that were asked for and taken back.
    pub(super) returned: u32,
    /// What is next, where an order of growth says so.
    pub(super) frontier: Option<Box<Frontier>>,
}

impl Tree {
    pub(super) fn new(config: &Config, seed: Seed) -> Self {
        Self {
            arena: Arena::new(config.is_open(), config.policy.needs_priors(), config.transpositions),
            simulations: 0,
            in_flight: 0,
            walks: 0,
            queued: true,
            exhausted: false,
            priority: 0,
            blocked: Vec::new(),
            scores: Vec::new(),
            seed,
            noise: 0,
            root_logits: Vec::new(),
            cost: 0.0,
            limit: config.n_simulations.unwrap_or(u32::MAX),
            payloads: BTreeMap::new(),
            returned: 0,
            frontier: match config.policy {
                Policy::Frontier(order) => Some(Box::new(Frontier::new(order))),
                _ => None,
            },
        }
    }

    /// The nodes.
    pub const fn arena(&self) -> &Arena {
        &self.arena
    }

    /// Completed simulations.
    pub const fn n_simulations(&self) -> u32 {
        self.simulations
    }

    /// Leaves asked for and not told.
    pub const fn n_in_flight(&self) -> u32 {
        self.in_flight
    }

    /// Simulations that the tree may have in all, and `u32::MAX` if there is no such number.
    pub const fn limit(&self) -> u32 {
        self.limit
    }

    /// The sum of what evaluations were told to have cost.
    pub const fn cost(&self) -> f64 {
        self.cost
    }

    /// The texts told of nodes, by node.
    pub const fn payloads(&self) -> &BTreeMap<u32, Box<str>> {
        &self.payloads
    }

    /// Whether the search has nothing left to do: its budget is spent, its root proven, everything below it known, or it
    /// was stopped. [`Forest::done`](super::Forest::done) knows what trees share, too.
    pub fn is_done(&self) -> bool {
        self.exhausted || self.simulations >= self.limit || self.arena.is_proven(0)
    }

    /// Whether another leaf may be asked for.
    pub(super) fn may_ask(&self) -> bool {
        let spent = self.simulations.saturating_add(self.in_flight);
        !self.exhausted && spent < self.limit.min(LEAF) && !self.arena.is_proven(0)
    }

    /// Gives `node` a record and room for its `n` children.
    pub(super) fn make_room(&mut self, rules: &Rules, node: u32, n: u32) -> Result<()> {
        let own = self.arena.value[node as usize];
        let told = self.arena.link[node as usize] != PENDING;
        let record = self.arena.expand(node, n, rules.fresh)?;
        let kept = matches!(rules.config.backup, Backup::Min | Backup::Product)
            || rules.config.transpositions
            || matches!(rules.config.policy, Policy::Gumbel(_));
        if let Policy::Thompson(_) = rules.config.policy {
            self.arena.remember(record, if told { own } else { f32::NAN });
        } else if kept {
            set(&mut self.arena.extra().own, record as usize, if told { own } else { f32::NAN });
        }
        let mean = match (told, rules.config.backup) {
            (false, _) => 0.0,
            (true, Backup::Product) => libm::log(f64::from(own)),
            (true, _) => f64::from(own),
        };
        self.arena.records[record as usize].mean = mean;
        let (first, n) = self.arena.block(record);
        if let Some(prior) = &mut self.arena.prior {
            prior[first..first + n].fill(1.0 / n as f32);
            let weight = rules.weight(Some(1.0 / n as f32), 0);
            self.arena.weight[first..first + n].fill(weight);
        }
        if node == 0 {
            self.stir(rules);
        }
        Ok(())
    }

    /// Keeps the evaluation of `node`, if there was room for its children before it was told.
    pub(super) fn know(&mut self, node: u32, value: f64) {
        if self.arena.same_as(node).is_some() {
            return;
        }
        let record = self.arena.link[node as usize] as usize;
        if let Some(own) = self.arena.extra.as_mut().and_then(|extra| extra.own.get_mut(record)) {
            *own = value as f32;
        }
    }

    /// Sets the priors of the children of `node`, for which there is room.
    pub(super) fn set_priors(&mut self, rules: &Rules, node: u32, priors: &[f32]) {
        let (first, n) = self.arena.block(self.arena.link[node as usize]);
        if let Some(prior) = &mut self.arena.prior {
            for (i, &p) in priors.iter().take(n).enumerate() {
                prior[first + i] = p;
                self.arena.weight[first + i] = rules.weight(Some(p), 0);
            }
        }
        if node == 0 && !priors.is_empty() {
            self.stir(rules);
        }
    }

    /// The columns of all nodes.
    pub fn columns(&self, rules: &Config) -> Columns {
        let n = self.arena.len();
        let mut columns = Columns {
            parent: vec![-1; n],
            action: vec![-1; n],
            depth: vec![0; n],
            visits: vec![0; n],
            in_flight: vec![0; n],
            value: vec![f64::NAN; n],
            reward: vec![0.0; n],
            prior: vec![f64::NAN; n],
            n_children: vec![0; n],
            terminal: vec![false; n],
            player: self.arena.players(),
            same_as: if rules.transpositions { vec![-1; n] } else { Vec::new() },
        };
        // Children stand behind their parents, so one pass sees every parent first.
        for slot in 0..n as u32 {
            let at = slot as usize;
            let link = self.arena.link[at];
            columns.visits[at] = self.arena.visits(slot).into();
            columns.in_flight[at] = self.arena.in_flight(slot).into();
            let mean = self.arena.mean(slot);
            let logs = rules.backup == Backup::Product && link < LEAF && !self.arena.is_proven(slot);
            columns.value[at] = if logs { libm::exp(mean) } else { mean };
            columns.reward[at] = self.arena.reward(slot);
            if let Some(prior) = &self.arena.prior {
                columns.prior[at] = prior[at].into();
            }
            columns.n_children[at] = self.arena.n_children(slot).into();
            columns.terminal[at] =
                columns.visits[at] > 0 && (link == LEAF || link < LEAF && self.arena.is_closed(link));
            if let Some(first) = self.arena.same_as(slot) {
                columns.same_as[at] = first.into();
            } else if link < LEAF {
                for (action, child) in self.arena.children(link).enumerate() {
                    columns.parent[child as usize] = slot.into();
                    columns.action[child as usize] = action as i64;
                    columns.depth[child as usize] = columns.depth[at] + 1;
                }
            }
        }
        columns
    }
}

/// The nodes of a tree as arrays, all of the same length; node 0 is the root.
#[derive(Debug, Clone, PartialEq)]
pub struct Columns {
    /// The parent, -1 for the root.
    pub parent: Vec<i64>,
    /// The number of the node among its siblings, -1 for the root.
    pub action: Vec<i64>,
    /// Steps from the root.
    pub depth: Vec<u32>,
    /// Completed visits.
    pub visits: Vec<i64>,
    /// Visits in flight.
    pub in_flight: Vec<i64>,
    /// The value seen from the node, NaN before it was evaluated.
    pub value: Vec<f64>,
    /// The reward of the step into the node.
    pub reward: Vec<f64>,
    /// The prior probability; NaN where the policy reads none.
    pub prior: Vec<f64>,
    /// How many children the node has, as far as that is known.
    pub n_children: Vec<i64>,
    /// The node that this one, which was told later, shares its children with; -1 for none. Empty
    /// without transpositions.
    pub same_as: Vec<i64>,
    /// Whether the node was evaluated and has no children.
    pub terminal: Vec<bool>,
    /// The player to move; empty where players were never told.
    pub player: Vec<u8>,
}

impl Arena {
    /// Whether the node of `record` never has children.
    pub(super) fn is_closed(&self, record: u32) -> bool {
        match &self.span {
            Span::Open(families) => families[record as usize].most == 0,
            _ => self.block(record).1 == 0,
        }
    }

    /// The number of `slot` among the children of `record`.
    pub(super) fn action(&self, record: u32, slot: u32) -> u32 {
        match &self.span {
            Span::Open(_) => self.children(record).position(|child| child == slot).unwrap_or(0) as u32,
            _ => slot - self.block(record).0 as u32,
        }
    }

    /// The player to move in each slot, or nothing where players were never told.
    fn players(&self) -> Vec<u8> {
        let mut players = self.extra.as_ref().map(|extra| extra.player.clone()).unwrap_or_default();
        if !players.is_empty() {
            players.resize(self.len(), 0);
        }
        players
    }

    /// Whether `slot` was asked for.
    pub fn is_asked(&self, slot: u32) -> bool {
        self.link[slot as usize] != FRESH
    }
}
