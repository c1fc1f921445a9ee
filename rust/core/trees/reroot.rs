//! A node becomes the root of its tree: what is below it moves to an arena of its own, the rest goes.

use super::arena::{Arena, Extra, FRESH, Family, LEAF, Span};
use super::config::Policy;
use super::forest::Forest;
use super::tree::Tree;
use crate::error::{Result, invalid};
use crate::memory::{filled, room};

/// The new number of what goes.
const GONE: u32 = u32::MAX;

/// New numbers of slots and of records. Both keep their order: so children stay behind their parents, and those that
/// stand side by side stay so, in the order of their records.
struct Kept {
    slots: Vec<u32>,
    records: Vec<u32>,
}

impl Forest {
    /// Makes `node` the root of tree `tree`, and keeps what is below it with all of its statistics. Returns the new number
    /// of each old node, -1 for those that go.
    ///
    /// Leaves in flight at or below `node` stay in flight under their tickets; all others are taken back. The tree's
    /// simulations become the completed visits of the new root, and its budget goes on from there; depths count from it.
    /// What the tree has cost stays, and random draws of walks go on as if nothing had happened; the new root gets noise of
    /// its own where the policy adds any. The root itself changes nothing. Costs a pass over the tree.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) for a tree or a node that is not there, or an order of growth;
    /// [`Error::Memory`](crate::Error::Memory), with the forest as it was.
    pub fn reroot(&mut self, tree: u32, node: u32) -> Result<Vec<i64>> {
        self.check_durable("re-rooted")?;
        self.check_reroot(tree, node)?;
        let kept = self.trees[tree as usize].arena.below(node)?;
        if node == 0 {
            return Ok((0..kept.slots.len() as i64).collect());
        }
        let arena = self.trees[tree as usize].arena.only(&kept)?;
        let outside = self.tickets.open().filter(|(_, ticket)| ticket.tree == tree && !ticket.path.0.contains(&node));
        // Their walks meet no node that stays, so that the new arena needs no change.
        let outside: Vec<u64> = outside.map(|(number, _)| number).collect();
        self.cancel(&outside);
        for ticket in self.tickets.places.iter_mut().filter(|ticket| ticket.tree == tree) {
            let nodes = &mut ticket.path.0;
            let depth = nodes.iter().position(|&at| at == node).unwrap_or(0);
            nodes.drain(..depth);
            for at in nodes {
                *at = kept.slots[*at as usize];
            }
        }
        let searched = &mut self.trees[tree as usize];
        searched.arena = arena;
        searched.simulations = searched.arena.visits(0);
        searched.exhausted = false;
        let taken_back = |link: &&u32| **link == FRESH && matches!(searched.arena.span, Span::Open(_));
        searched.returned = searched.arena.link[1..].iter().filter(taken_back).count() as u32;
        let texts = std::mem::take(&mut searched.payloads).into_iter();
        let texts = texts.map(|(node, text)| (kept.slots[node as usize], text));
        searched.payloads = texts.filter(|&(node, _)| node != GONE).collect();
        searched.root_logits.clear();
        // From the end, where no walk ever gets.
        searched.noise = searched.noise.wrapping_sub(1);
        if searched.arena.n_children(0) > 0 && searched.arena.link[0] < LEAF {
            searched.stir(&self.rules);
        }
        self.wake(tree);
        Ok(kept.slots.iter().map(|&slot| if slot == GONE { -1 } else { slot.into() }).collect())
    }

    /// Fails where the root of `tree` cannot become `node`.
    pub(super) fn check_reroot(&self, tree: u32, node: u32) -> Result<()> {
        if let Policy::Frontier(order) = self.rules.config.policy {
            let rule = "be a search that comes back to the root: an order of growth begins there once";
            return Err(invalid("policy", &[], format!("{order:?}"), rule));
        }
        self.check_node(tree, node)
    }

    /// Fails where there is no such tree or node.
    pub(super) fn check_node(&self, tree: u32, node: u32) -> Result<()> {
        let Some(searched) = self.trees.get(tree as usize) else {
            return Err(invalid("tree", &[], tree, format!("be below the number of trees, {}", self.trees.len())));
        };
        let n = searched.arena.len();
        if node as usize >= n {
            return Err(invalid("node", &[], node, format!("be below the number of nodes, {n}")));
        }
        Ok(())
    }
}

impl Tree {
    /// The child of `node` by `action`, if there is room for it.
    pub fn child(&self, node: u32, action: u32) -> Option<u32> {
        let link = *self.arena.link.get(node as usize)?;
        if link < LEAF { self.arena.children(link).nth(action as usize) } else { None }
    }
}

impl Arena {
    /// New numbers for `node` and what is below it.
    fn below(&self, node: u32) -> Result<Kept> {
        let mut slots = filled(self.len(), GONE)?;
        let mut records = filled(self.records.len(), GONE)?;
        slots[node as usize] = 0;
        for slot in node as usize..self.len() {
            let link = self.link[slot];
            if slots[slot] != GONE && link < LEAF {
                records[link as usize] = 0;
                for child in self.children(link) {
                    slots[child as usize] = 0;
                }
            }
        }
        for numbers in [&mut slots, &mut records] {
            for (new, number) in numbers.iter_mut().filter(|number| **number != GONE).enumerate() {
                *number = new as u32;
            }
        }
        Ok(Kept { slots, records })
    }

    /// An arena of what is kept alone.
    fn only(&self, kept: &Kept) -> Result<Self> {
        let Self { value, weight, link, records, span, lists: _, prior, extra } = self;
        let mut links = pick(link, &kept.slots)?;
        for link in links.iter_mut().filter(|link| **link < LEAF) {
            *link = kept.records[*link as usize];
        }
        let mut lists = Vec::new();
        let span = match span {
            Span::Uniform(n) => Span::Uniform(if kept.records.iter().all(|&r| r == GONE) { 0 } else { *n }),
            Span::Listed(spans) => {
                let mut spans = pick(spans, &kept.records)?;
                let mut next = 1;
                for [first, n] in &mut spans {
                    *first = next;
                    next += *n;
                }
                Span::Listed(spans)
            }
            Span::Open(families) => Span::Open(self.families(families, kept, &mut lists)?),
        };
        let extra = match extra.as_deref() {
            None => None,
            Some(Extra { reward, player, proven, own, spread, arms, payload, copies, graph: _ }) => {
                Some(Box::new(Extra {
                    reward: pick(reward, &kept.slots)?,
                    player: pick(player, &kept.slots)?,
                    proven: pick(proven, &kept.slots)?,
                    own: pick(own, &kept.records)?,
                    spread: pick(spread, &kept.records)?,
                    arms: pick(arms, &kept.records)?,
                    payload: pick(payload, &kept.slots)?,
                    copies: pick(copies, &kept.slots)?,
                    graph: None, // refused above
                }))
            }
        };
        Ok(Self {
            value: pick(value, &kept.slots)?,
            weight: pick(weight, &kept.slots)?,
            link: links,
            records: pick(records, &kept.records)?,
            span,
            lists,
            prior: prior.as_ref().map(|prior| pick(prior, &kept.slots)).transpose()?,
            extra,
        })
    }

    /// The lists of children of an open tree, in the order in which the children came.
    fn families(&self, families: &[Family], kept: &Kept, lists: &mut Vec<u32>) -> Result<Vec<Family>> {
        let mut of = filled(self.len(), GONE)?;
        for &link in self.link.iter().filter(|&&link| link < LEAF) {
            for child in self.children(link) {
                of[child as usize] = kept.records[link as usize];
            }
        }
        let mut families = pick(families, &kept.records)?;
        for family in &mut families {
            *family = Family { first: u32::MAX, last: u32::MAX, n: 0, most: family.most };
        }
        for (slot, &record) in of.iter().enumerate().filter(|&(_, &record)| record != GONE) {
            families[record as usize].add(lists, kept.slots[slot]);
        }
        Ok(families)
    }
}

/// The items of `column` that are kept; a column that ends early is as long as what it says.
fn pick<T: Copy>(column: &[T], numbers: &[u32]) -> Result<Vec<T>> {
    let mut picked = room(column.len().min(numbers.len()))?;
    picked.extend(column.iter().zip(numbers).filter(|&(_, &number)| number != GONE).map(|(&item, _)| item));
    picked.shrink_to_fit();
    Ok(picked)
}
