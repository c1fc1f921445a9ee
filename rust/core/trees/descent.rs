//! The one search loop: from the root down to a leaf that someone must evaluate, or that is known already.

use super::arena::{FRESH, LEAF, PENDING, Span};
use super::config::Widening;
use super::forest::Kind;
use super::select::Rules;
use super::tree::Tree;
use crate::error::Result;

/// Where a walk from the root ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// At a node that was never asked for.
    Leaf(Kind),
    /// At a node that needs no evaluation: it is terminal, or as deep as nodes may be.
    Known,
    /// Nowhere: all that could be asked for is in flight.
    Blocked,
}

/// The nodes of a walk from the root, and the actions between them.
#[derive(Debug, Clone, Default)]
pub(super) struct Path {
    pub nodes: Vec<u32>,
    pub actions: Vec<u32>,
}

impl Path {
    fn start(&mut self) {
        self.nodes.clear();
        self.actions.clear();
        self.nodes.push(0);
    }

    fn push(&mut self, slot: u32, action: u32) {
        self.nodes.push(slot);
        self.actions.push(action);
    }

    /// The last node.
    pub(super) fn leaf(&self) -> u32 {
        self.nodes[self.nodes.len() - 1]
    }

    pub(super) fn depth(&self) -> u32 {
        self.actions.len() as u32
    }
}

/// Follows a walk down the tree: makes the states of a problem again.
pub(super) trait Walker {
    /// At the root.
    fn start(&mut self);
    /// Down by `action`.
    fn step(&mut self, action: u32);
}

impl Walker for () {
    fn start(&mut self) {}
    fn step(&mut self, _action: u32) {}
}

impl Tree {
    /// Walks to the next leaf, and writes the way to `path`. Changes no statistics.
    #[inline(always)]
    pub(super) fn descend(&mut self, rules: &Rules, path: &mut Path, walker: &mut impl Walker) -> Result<End> {
        self.blocked.clear();
        path.start();
        walker.start();
        loop {
            let node = path.leaf();
            let link = self.arena.link[node as usize];
            if link >= LEAF {
                match link {
                    FRESH => return Ok(End::Leaf(Kind::Evaluate)),
                    PENDING => return Ok(End::Blocked), // only the root: no other pending node is chosen
                    LEAF => return Ok(End::Known),
                    _ if path.depth() >= rules.config.max_depth => return Ok(End::Known),
                    link => self.make_room(rules, node, link - LEAF)?,
                };
                continue;
            }
            if path.depth() >= rules.config.max_depth {
                return Ok(End::Known);
            }
            if let Span::Open(families) = &self.arena.span {
                let family = families[link as usize];
                if family.n < family.most && self.wants_child(rules, link, family.n) {
                    let slot = self.arena.adopt(link, rules.fresh)?;
                    path.push(slot, family.n);
                    walker.step(family.n);
                    return Ok(End::Leaf(Kind::Widen));
                }
            }
            if self.arena.n_children(node) == 0 {
                return Ok(if self.arena.is_closed(link) { End::Known } else { End::Blocked });
            }
            if let Some(slot) = self.arena.select(rules, node, link, &self.blocked) {
                let action = self.arena.action(link, slot);
                path.push(slot, action);
                walker.step(action);
            } else {
                // Everything below is in flight: forget the node, and try again from the root.
                if node == 0 {
                    return Ok(End::Blocked);
                }
                self.blocked.push(node);
                path.start();
                walker.start();
            }
        }
    }

    /// Whether the rule of progressive widening gives the node of `record`, which has `n` children, another.
    fn wants_child(&self, rules: &Rules, record: u32, n: u32) -> bool {
        let visits = f64::from(self.arena.records[record as usize].visits);
        rules.config.widening.is_none_or(|Widening { k, alpha }| f64::from(n) < (k * libm::pow(visits, alpha)).ceil())
    }
}
