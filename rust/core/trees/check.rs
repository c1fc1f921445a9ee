//! Whether a forest that was read from a file is one that a search can have made: whatever a file holds, searching on
//! ends in no panic, no endless loop, and no count below zero. One pass over the nodes of each tree.

use super::arena::{Arena, Extra, FRESH, LARGEST_CHUNK, LEAF, PENDING, SMALLEST_CHUNK, Span};
use super::config::{Config, Order, Policy};
use super::forest::Forest;
use super::frontier::{Frontier, Open};
use super::tickets::{FREE, Ticket};
use super::tree::Tree;
use crate::error::{Error, Result};
use crate::memory::{filled, zeros};

/// Fails with what is wrong unless `sound`.
fn require(sound: bool, what: &str) -> Result<()> {
    if sound { Ok(()) } else { Err(Error::Damaged(what.to_owned())) }
}

impl Forest {
    /// Fails unless all counts agree and all numbers of nodes, records, trees and places are in range.
    pub(super) fn check(&self) -> Result<()> {
        let config = &self.rules.config;
        require(!config.transpositions, "it has transpositions, which are not saved")?;
        let n_trees = self.trees.len();
        let mut open: Vec<Vec<&Ticket>> = filled(n_trees, Vec::new())?;
        for ticket in self.tickets.places.iter().filter(|ticket| ticket.tree != FREE) {
            let Some(tickets) = open.get_mut(ticket.tree as usize) else {
                return Err(Error::Damaged(format!("a ticket is of tree {}, and there are {n_trees}", ticket.tree)));
            };
            tickets.push(ticket);
        }
        self.check_places()?;
        let mut queued = zeros::<bool>(n_trees)?;
        for &number in self.queue.iter().chain(&self.full) {
            let new = queued.get_mut(number as usize).is_some_and(|queued| !std::mem::replace(queued, true));
            require(new, &format!("the queue holds tree {number}, twice or wrongly"))?;
        }
        for (number, tree) in self.trees.iter().enumerate() {
            let sound = require(tree.queued == queued[number], "it is queued, or not, against the queue");
            sound.and_then(|()| tree.check(config, &open[number])).map_err(|error| match error {
                Error::Damaged(what) => Error::Damaged(format!("tree {number}: {what}")),
                other => other,
            })?;
        }
        Ok(())
    }

    /// Checks the places of tickets.
    fn check_places(&self) -> Result<()> {
        let places = &self.tickets.places;
        let mut free = zeros::<bool>(places.len())?;
        for &place in &self.tickets.free {
            let closed = places.get(place as usize).is_some_and(|ticket| ticket.tree == FREE);
            require(
                closed && !std::mem::replace(&mut free[place as usize], true),
                &format!("place {place} of the tickets is free, but in use, or free twice"),
            )?;
        }
        // Otherwise a place would never be used again; with its generations used up it should not be.
        let spent = |place: usize| places[place].generation == u32::MAX;
        let known = (0..places.len()).all(|place| places[place].tree != FREE || free[place] || spent(place));
        require(known, "a place of the tickets is neither free nor in use")?;
        let serials =
            places.iter().filter(|ticket| ticket.tree != FREE).all(|ticket| ticket.serial < self.tickets.issued);
        require(serials, "a ticket was issued after the last one")
    }
}

impl Tree {
    fn check(&self, config: &Config, tickets: &[&Ticket]) -> Result<()> {
        self.arena.check(config)?;
        require(self.in_flight as usize == tickets.len(), "its leaves in flight are not its tickets")?;
        require(self.simulations.saturating_add(self.in_flight) <= LEAF, "its simulations are too many")?;
        require(self.cost >= 0.0 && self.cost.is_finite(), "its cost is no sum of costs")?;
        let named = self.payloads.last_key_value().is_none_or(|(&node, _)| (node as usize) < self.arena.len());
        require(named, "a text is of a node that is not there")?;
        let actions = self.arena.n_children(0) as usize;
        require(self.root_logits.is_empty() || self.root_logits.len() == actions, "its root has other actions")?;
        self.arena.check_in_flight(tickets)?;
        require(self.returned as usize <= self.arena.len(), "its children taken back are too many")?;
        match (config.policy, &self.frontier) {
            (Policy::Frontier(order), Some(frontier)) => frontier.check(order, &self.arena),
            (Policy::Frontier(_), None) | (_, Some(_)) => require(false, "its order of growth is not its policy's"),
            (Policy::Thompson(_), None) => self.arena.check_arms(),
            _ => Ok(()),
        }
    }
}

impl Frontier {
    /// Checks that what is next can be asked for, once, and that the ways there are those of the tree.
    fn check(&self, order: Order, arena: &Arena) -> Result<()> {
        let Self { parent, queue, open } = self;
        let n = arena.len();
        require(!parent.is_empty() && parent[0] == 0 && parent.len() <= n, "its order of growth has other nodes")?;
        // Whether the way to a slot is known.
        let mut known = zeros::<bool>(n)?;
        known[0] = true;
        for (slot, &link) in arena.link.iter().enumerate().filter(|&(_, &link)| link < LEAF) {
            for child in arena.children(link) {
                known[child as usize] = known[slot] && parent.get(child as usize) == Some(&(slot as u32));
            }
        }
        let unknown = arena.link.iter().zip(&known).any(|(&link, &known)| link != FRESH && !known);
        require(!unknown, "its order of growth has other ways than the tree")?;
        let mut next = zeros::<bool>(n)?;
        let mut ask = |slot: u32| {
            let fresh =
                arena.link.get(slot as usize) == Some(&FRESH) && !std::mem::replace(&mut next[slot as usize], true);
            require(fresh, "its order of growth asks for a node that was asked for, or twice")
        };
        for &slot in queue {
            ask(slot)?;
            require(known[slot as usize], "its order of growth has other ways than the tree")?;
        }
        // Nodes whose children are next, from this one on.
        let opened: Vec<(u32, Option<u32>)> = match open {
            Open::Ranked(heap) => heap.iter().map(|open| (open.slot, Some(0))).collect(),
            Open::Stack(stack) => stack.iter().map(|&(slot, child)| (slot, Some(child))).collect(),
            Open::Levels(levels) => levels.iter().flat_map(|level| &level.told).map(|told| (told.slot, None)).collect(),
        };
        for (slot, child) in opened {
            let link = arena.link.get(slot as usize).copied().unwrap_or(FRESH);
            require(link < PENDING && known[slot as usize], "its order of growth has nodes that were not told")?;
            let Some(first) = child else { continue };
            require(first < arena.n_children(slot), "its order of growth has nodes without children")?;
            if link < LEAF {
                arena.children(link).skip(first as usize).try_for_each(&mut ask)?;
            }
        }
        let levels = |expected: u32| matches!(open, Open::Levels(levels) if levels.len() == expected as usize && levels.iter().all(|level| level.waiting <= n));
        let fits = match order {
            Order::BestFirst | Order::BreadthFirst => matches!(open, Open::Ranked(_)),
            Order::DepthFirst | Order::BestOfN { .. } => matches!(open, Open::Stack(_)),
            Order::Beam { .. } => levels(1),
            Order::Dvts { width } => levels(width),
        };
        require(fits, "its order of growth is not its policy's")
    }
}

impl Arena {
    fn check(&self, config: &Config) -> Result<()> {
        let Self { value, weight, link, records, span, lists: _, prior, extra } = self;
        let n = link.len();
        require(n > 0 && n < PENDING as usize, "it has no nodes, or too many")?;
        require(value.len() == n && weight.len() == n, "its columns differ in length")?;
        require(
            prior.is_some() == config.policy.needs_priors(),
            "its policy reads priors that it has not, or not those it has",
        )?;
        require(prior.as_ref().is_none_or(|prior| prior.len() == n), "its column of priors differs in length")?;
        require(
            matches!(span, Span::Open(_)) == config.is_open(),
            "its children are not kept as its policy needs them",
        )?;
        if let Some(extra) = extra {
            let Extra { reward, player, proven, own, spread, arms, payload, copies, graph: _ } = &**extra;
            let slots = [reward.len(), player.len(), proven.len(), payload.len(), copies.len()];
            let of_records = [own.len(), spread.len(), arms.len()];
            let short = slots.iter().all(|&len| len <= n) && of_records.iter().all(|&len| len <= records.len());
            require(short, "a column is longer than there are nodes")?;
        }
        let mut used = zeros::<bool>(records.len())?;
        for &link in link.iter().filter(|&&link| link < LEAF) {
            let new = used.get_mut(link as usize).is_some_and(|used| !std::mem::replace(used, true));
            require(new, "two nodes share a record, or one has a record that is not there")?;
        }
        require(used.iter().all(|&used| used), "a record belongs to no node")?;
        require(
            records.iter().all(|r| r.in_flight <= r.visits && r.visits <= LEAF),
            "visits are fewer than those in flight",
        )?;
        match span {
            Span::Uniform(b) => {
                let slots = records.len().checked_mul(*b as usize).and_then(|slots| slots.checked_add(1));
                require(slots == Some(n), "its nodes are not the children of its records")?;
            }
            Span::Listed(spans) => {
                require(spans.len() == records.len(), "its lists of children differ in length")?;
                let mut next = 1;
                for &[first, n] in spans {
                    require(first as usize == next, "children do not stand side by side")?;
                    next = next.saturating_add(n as usize);
                }
                require(next == n, "its nodes are not the children of its records")?;
            }
            Span::Open(_) => self.check_lists()?,
        }
        self.check_order()
    }

    /// Checks the lists of an open tree: every node but the root in one of them, once.
    fn check_lists(&self) -> Result<()> {
        let Span::Open(families) = &self.span else { return Ok(()) };
        require(families.len() == self.records.len(), "its lists of children differ in length")?;
        let n: u64 = families.iter().map(|family| u64::from(family.n)).sum();
        require(n + 1 == self.len() as u64, "its nodes are not the children of its records")?;
        let mut listed = zeros::<bool>(self.len())?;
        let cut = || Error::Damaged("a list of children leads out of its tree".to_owned());
        for family in families {
            require(family.n <= family.most, "a node has more children than it may have")?;
            let (mut place, mut size, mut left) = (family.first, SMALLEST_CHUNK, family.n);
            while left > 0 {
                let start = place as usize;
                let chunk = self.lists.get(start..start + 1 + size as usize).ok_or_else(cut)?;
                for &slot in &chunk[1..=left.min(size) as usize] {
                    let new = listed.get_mut(slot as usize).is_some_and(|listed| !std::mem::replace(listed, true));
                    require(new, "a node is in two lists of children, or in none")?;
                }
                left = left.saturating_sub(size);
                require(left > 0 || place == family.last, "a list of children does not end where it should")?;
                (place, size) = (chunk[0], (2 * size).min(LARGEST_CHUNK));
            }
        }
        Ok(())
    }

    /// Checks that children stand behind their parents, so that there are no circles.
    fn check_order(&self) -> Result<()> {
        for (slot, &link) in self.link.iter().enumerate().filter(|&(_, &link)| link < LEAF) {
            let behind = match &self.span {
                Span::Open(_) => self.children(link).all(|child| child as usize > slot),
                _ => self.block(link).1 == 0 || self.block(link).0 > slot,
            };
            require(behind, "a child stands before its parent")?;
        }
        Ok(())
    }

    /// Checks what is remembered for Thompson sampling: something of every record, and of each child not told that it was asked.
    fn check_arms(&self) -> Result<()> {
        let empty = Extra::default();
        let Extra { own, spread, arms, .. } = self.extra.as_deref().unwrap_or(&empty);
        let n = self.records.len();
        require(own.len() == n && spread.len() == n && arms.len() == n, "scores are not kept of every node")?;
        for (record, arms) in arms.iter().enumerate() {
            let children = self.children(record as u32);
            let untold = children.filter(|&child| self.link[child as usize] == PENDING).count();
            let n = self.children(record as u32).count();
            require(
                (untold..=n).contains(&(arms.pending as usize)),
                "a node waits for other scores than are asked for",
            )?;
        }
        Ok(())
    }

    /// Checks that what is in flight in each node is what its tickets say.
    fn check_in_flight(&self, tickets: &[&Ticket]) -> Result<()> {
        let mut above = filled(if tickets.is_empty() { 0 } else { self.len() }, u32::MAX)?;
        let mut expected = zeros::<u32>(above.len())?;
        for (slot, &link) in self.link.iter().enumerate().filter(|&(_, &link)| link < LEAF && !tickets.is_empty()) {
            for child in self.children(link) {
                above[child as usize] = slot as u32;
            }
        }
        for ticket in tickets {
            let nodes = &ticket.path.0;
            require(nodes.first() == Some(&0), "a ticket's walk does not begin at the root")?;
            for step in nodes.windows(2) {
                let parent = above.get(step[1] as usize);
                require(parent == Some(&step[0]), "a ticket's walk does not follow the tree")?;
            }
            for &node in nodes {
                expected[node as usize] += 1;
            }
        }
        for slot in 0..self.len() as u32 {
            let known = expected.get(slot as usize).copied().unwrap_or(0);
            require(self.in_flight(slot) == known, "visits in flight are not those of the tickets")?;
        }
        Ok(())
    }
}
