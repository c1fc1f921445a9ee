//! Orders in which a tree grows: best-first, level by level, depth-first, beams, independent chains.
//!
//! A node that was told and has children is *open* until all of them were asked for. The orders differ in which open node
//! comes next; none waits for more than it needs to know.

use super::arena::{FRESH, LEAF, PENDING};
use super::config::{Order, Policy};
use super::descent::{End, Path, Walker};
use super::forest::Kind;
use super::select::Rules;
use super::tree::Tree;
use crate::error::Result;
use std::cmp::Ordering;
use std::collections::{BinaryHeap, VecDeque};

/// What a growing tree has yet to ask for.
#[derive(Debug, Clone)]
pub(super) struct Frontier {
    /// The parent of each slot; the root's is itself.
    pub parent: Vec<u32>,
    /// Slots to be asked for next, in turn; those taken back stand first.
    pub queue: VecDeque<u32>,
    pub open: Open,
}

#[derive(Debug, Clone)]
pub(super) enum Open {
    /// The greatest key is next.
    Ranked(BinaryHeap<Ranked>),
    /// Nodes, and their first children that were not asked for; the last is next.
    Stack(Vec<(u32, u32)>),
    /// Sets of nodes that are compared when all are told.
    Levels(Vec<Level>),
}

/// An open node; of equal keys the lowest slot is greatest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Ranked {
    pub key: f64,
    pub slot: u32,
}

impl Eq for Ranked {}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key.total_cmp(&other.key).then(other.slot.cmp(&self.slot))
    }
}

/// The nodes of one level of a beam.
#[derive(Debug, Clone, Default)]
pub(super) struct Level {
    /// Those that were told.
    pub told: Vec<Ranked>,
    /// Those that were not.
    pub waiting: usize,
}

impl Frontier {
    pub(super) fn new(order: Order) -> Self {
        let levels = |n: u32| Open::Levels(vec![Level::default(); n as usize]);
        let open = match order {
            Order::BestFirst | Order::BreadthFirst => Open::Ranked(BinaryHeap::new()),
            // Chains begun first end first, so that a budget is not spent on beginnings.
            Order::DepthFirst | Order::BestOfN { .. } => Open::Stack(Vec::new()),
            Order::Beam { .. } => levels(1),
            Order::Dvts { width } => levels(width),
        };
        Self { parent: vec![0], queue: VecDeque::new(), open }
    }

    /// The way from the root to `slot`.
    fn way(&self, slot: u32) -> Vec<u32> {
        let mut way = vec![slot];
        let mut at = slot;
        while at != 0 {
            at = self.parent[at as usize];
            way.push(at);
        }
        way.reverse();
        way
    }
}

impl Policy {
    /// How many children a node at `depth` is given that was told to have `n`: independent chains part at the root alone.
    #[inline]
    pub(super) fn n_children(&self, n: u32, depth: u32) -> u32 {
        match *self {
            Self::Frontier(Order::BestOfN { n: chains }) if n > 0 => {
                if depth == 0 {
                    chains
                } else {
                    1
                }
            }
            _ => n,
        }
    }
}

impl Tree {
    /// [`descend`](Self::descend) where an order of growth says which leaf is next.
    pub(super) fn descend_frontier(&mut self, rules: &Rules, path: &mut Path, walker: &mut impl Walker) -> Result<End> {
        path.start();
        walker.start();
        match self.arena.link[0] {
            FRESH => return Ok(End::Leaf(Kind::Evaluate)),
            PENDING => return Ok(End::Blocked),
            LEAF => return Ok(End::Known),
            _ if rules.config.max_depth == 0 => return Ok(End::Known),
            _ => {}
        }
        let Some(slot) = self.next_of_frontier(rules)? else { return Ok(End::Blocked) };
        let Some(frontier) = &self.frontier else { return Ok(End::Blocked) };
        for step in frontier.way(slot).windows(2) {
            let action = self.arena.action(self.arena.link[step[0] as usize], step[1]);
            path.0.push(step[1]);
            walker.step(action);
        }
        Ok(End::Leaf(Kind::Evaluate))
    }

    fn next_of_frontier(&mut self, rules: &Rules) -> Result<Option<u32>> {
        let Some(frontier) = &mut self.frontier else { return Ok(None) };
        if let Some(slot) = frontier.queue.pop_front() {
            return Ok(Some(slot));
        }
        let node = match &frontier.open {
            Open::Ranked(heap) => heap.peek().map(|open| (open.slot, 0)),
            Open::Stack(stack) => stack.last().copied(),
            Open::Levels(_) => None,
        };
        let Some((node, child)) = node else { return Ok(None) };
        let (first, n) = self.room_of(rules, node)?;
        let Some(frontier) = &mut self.frontier else { return Ok(None) };
        match &mut frontier.open {
            Open::Ranked(heap) => {
                heap.pop();
                frontier.queue.extend(first + 1..first + n);
            }
            Open::Stack(stack) if child + 1 == n => drop(stack.pop()),
            Open::Stack(stack) => stack.last_mut().into_iter().for_each(|open| open.1 += 1),
            Open::Levels(_) => {}
        }
        Ok(Some(first + child))
    }

    /// The children of an open node: the first and their number. Makes room for them where there is none.
    fn room_of(&mut self, rules: &Rules, node: u32) -> Result<(u32, u32)> {
        let link = self.arena.link[node as usize];
        if (LEAF..PENDING).contains(&link) {
            self.make_room(rules, node, link - LEAF)?;
        }
        let (first, n) = self.arena.block(self.arena.link[node as usize]);
        if let Some(frontier) = &mut self.frontier {
            let parent = &mut frontier.parent;
            parent.resize(parent.len().max(first + n), 0);
            parent[first..first + n].fill(node);
        }
        Ok((first as u32, n as u32))
    }

    /// Takes the last node of `path`, which was told, up into the frontier.
    pub(super) fn arrive(&mut self, rules: &Rules, path: &[u32]) -> Result<()> {
        let (Policy::Frontier(order), Some(frontier)) = (rules.config.policy, &mut self.frontier) else {
            return Ok(());
        };
        let (slot, depth) = (path[path.len() - 1], path.len() as u32 - 1);
        let value = f64::from(self.arena.value[slot as usize]);
        let is_open = self.arena.n_children(slot) > 0 && depth < rules.config.max_depth;
        let level = match (order, path.get(1)) {
            (Order::Dvts { width }, Some(&top)) => (self.arena.action(self.arena.link[0], top) % width) as usize,
            _ => 0,
        };
        match &mut frontier.open {
            Open::Ranked(heap) if is_open => {
                heap.push(Ranked { key: if order == Order::BreadthFirst { -f64::from(depth) } else { value }, slot });
            }
            Open::Stack(_) if is_open => {
                let Open::Stack(mut stack) = std::mem::replace(&mut frontier.open, Open::Stack(Vec::new())) else {
                    return Ok(());
                };
                let earlier = |open: &(u32, u32)| is_before(&frontier.way(open.0), path);
                let at = stack.iter().rposition(|open| !earlier(open)).map_or(0, |below| below + 1);
                stack.insert(at, (slot, 0));
                frontier.open = Open::Stack(stack);
            }
            Open::Levels(levels) => {
                let level_of = &mut levels[level];
                level_of.told.push(Ranked { key: value, slot });
                level_of.waiting = level_of.waiting.saturating_sub(1);
                if level_of.waiting == 0 {
                    let told = std::mem::take(&mut level_of.told);
                    self.next_level(rules, order, level, told)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Goes on below the best of a level whose nodes are all told.
    fn next_level(&mut self, rules: &Rules, order: Order, level: usize, mut told: Vec<Ranked>) -> Result<()> {
        told.sort_unstable_by(|a, b| b.cmp(a));
        let width = if let Order::Beam { width } = order { width as usize } else { 1 };
        for Ranked { slot, .. } in told.into_iter().take(width) {
            if self.arena.n_children(slot) == 0 || self.depth_of(slot) >= rules.config.max_depth {
                continue;
            }
            let (first, n) = self.room_of(rules, slot)?;
            let Some(Frontier { queue, open: Open::Levels(levels), .. }) = self.frontier.as_deref_mut() else {
                return Ok(());
            };
            queue.extend(first..first + n);
            let n_levels = levels.len();
            for child in 0..n as usize {
                // The root's children are shared out, in turn, among the subtrees.
                levels[if slot == 0 { child % n_levels } else { level }].waiting += 1;
            }
        }
        Ok(())
    }

    fn depth_of(&self, slot: u32) -> u32 {
        self.frontier.as_ref().map_or(0, |frontier| frontier.way(slot).len() as u32 - 1)
    }

    /// Puts `slot` back that was asked for and taken back.
    pub(super) fn put_back(&mut self, slot: u32) {
        if let Some(frontier) = &mut self.frontier
            && slot > 0
            && self.arena.link[slot as usize] == FRESH
        {
            frontier.queue.push_front(slot);
        }
    }
}

/// Whether depth-first search asks for the children of the last node of `a` before those of `b`: a node's descendants come
/// before what is left of its own children, subtrees to the left before those to the right.
fn is_before(a: &[u32], b: &[u32]) -> bool {
    match a.iter().zip(b).find(|(a, b)| a != b) {
        Some((a, b)) => a < b,
        None => a.len() > b.len(),
    }
}
