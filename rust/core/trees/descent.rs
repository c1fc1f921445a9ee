//! The one search loop: from the root down to a leaf that someone must evaluate, or that is known already.

use super::arena::{FRESH, LEAF, PENDING, Span};
use super::config::{Policy, Widening};
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

/// The nodes of a walk from the root.
#[derive(Debug, Clone, Default)]
pub(super) struct Path(pub Vec<u32>);

impl Path {
    #[inline(always)]
    pub(super) fn start(&mut self) {
        self.0.clear();
        self.0.push(0);
    }

    /// The last node.
    #[inline(always)]
    pub(super) fn leaf(&self) -> u32 {
        self.0[self.0.len() - 1]
    }

    /// Steps from the root.
    #[inline(always)]
    pub(super) fn depth(&self) -> u32 {
        self.0.len() as u32 - 1
    }
}

/// Follows a walk down the tree: makes the states of a problem again, or writes the actions down.
pub(super) trait Walker {
    /// At the root.
    fn start(&mut self);
    /// Down by `action`.
    fn step(&mut self, action: u32);
}

impl Walker for Vec<u32> {
    #[inline(always)]
    fn start(&mut self) {
        self.clear();
    }

    #[inline(always)]
    fn step(&mut self, action: u32) {
        self.push(action);
    }
}

impl Tree {
    /// Walks to the next leaf, and writes the way to `path`. Changes no statistics.
    ///
    /// `PLAIN` is [`Tree::is_plain`]: with nothing but values and bonuses the walk is a few instructions a level.
    #[inline(always)]
    pub(super) fn descend<const PLAIN: bool>(
        &mut self,
        rules: &Rules,
        path: &mut Path,
        walker: &mut impl Walker,
    ) -> Result<End> {
        if !PLAIN {
            match rules.config.policy {
                Policy::Thompson(model) => return self.descend_thompson(rules, model, path, walker),
                Policy::Frontier(_) => return self.descend_frontier(rules, path, walker),
                _ => {}
            }
        }
        self.blocked.clear();
        path.start();
        walker.start();
        loop {
            let node = path.leaf();
            let mut link = self.arena.link[node as usize];
            if link >= LEAF {
                match link {
                    FRESH => return Ok(End::Leaf(Kind::Evaluate)),
                    PENDING => return Ok(End::Blocked), // only the root: no other pending node is chosen
                    LEAF => return Ok(End::Known),
                    _ if path.depth() >= rules.config.max_depth => return Ok(End::Known),
                    _ if PLAIN => link = self.arena.expand(node, link - LEAF, rules.fresh)?,
                    _ => {
                        self.make_room(rules, node, link - LEAF)?;
                        continue;
                    }
                }
            } else if self.arena.records[link as usize].visits == 0 {
                // Its children were told, and it was taken back before its value.
                return Ok(End::Leaf(Kind::Evaluate));
            } else if path.depth() >= rules.config.max_depth
                || (!PLAIN && (self.arena.is_closed(link) || self.has_returned(&path.0)))
            {
                if self.arena.visits(node) > 0 {
                    return Ok(End::Known);
                }
                if !self.turn_back(path, walker) {
                    return Ok(End::Blocked);
                }
                continue;
            }
            if PLAIN && self.blocked.is_empty() {
                let (slot, action) = self.arena.select_plain(rules, link);
                if self.arena.link[slot as usize] != PENDING {
                    path.0.push(slot);
                    walker.step(action);
                    continue;
                }
            }
            if let Span::Open(families) = &self.arena.span {
                let family = families[link as usize];
                let wants = family.n < family.most && self.wants_child(rules, link, family.n);
                if wants || (self.returned > 0 && self.arena.returned_child(link).is_some()) {
                    let (slot, action) = self.newborn(rules, link)?;
                    path.0.push(slot);
                    walker.step(action);
                    return Ok(End::Leaf(Kind::Widen));
                }
            }
            if let Some(slot) = self.choose(rules, node, link) {
                let action = self.arena.action(link, slot);
                path.0.push(slot);
                walker.step(action);
            } else if !self.turn_back(path, walker) {
                return Ok(End::Blocked);
            }
        }
    }

    /// Everything below the end of `path` is in flight: forgets the node and starts again from the root. False if it is
    /// the root.
    #[cold]
    fn turn_back(&mut self, path: &mut Path, walker: &mut impl Walker) -> bool {
        let node = path.leaf();
        self.blocked.push(node);
        path.start();
        walker.start();
        node != 0
    }

    /// Whether a walk needs no more than values and bonuses: all nodes have the same number of children, and none is
    /// proven, rewarded or closed.
    pub(super) fn is_plain(&self, rules: &Rules) -> bool {
        rules.plain
            && self.arena.extra.is_none()
            && self.arena.prior.is_none()
            && matches!(self.arena.span, Span::Uniform(1..))
    }

    /// Whether the rule of progressive widening gives the node of `record`, which has `n` children, another.
    fn wants_child(&self, rules: &Rules, record: u32, n: u32) -> bool {
        let visits = f64::from(self.arena.records[record as usize].visits);
        rules.config.widening.is_none_or(|Widening { k, alpha }| f64::from(n) < (k * libm::pow(visits, alpha)).ceil())
    }
}
