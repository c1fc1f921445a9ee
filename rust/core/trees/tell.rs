//! What is told of leaves: checked as a whole before anything changes, then carried up leaf by leaf.

use super::arena::{LEAF, MOST_CHILDREN, PENDING, set};
use super::config::{Backup, Policy, Thompson};
use super::forest::Forest;
use crate::error::{Result, invalid};
use crate::machine::{prefetch, prefetch_whole};

/// A property of the leaves that are told: none, one for all, or one for each.
#[derive(Debug, Clone, Copy)]
pub enum PerLeaf<'a, T> {
    /// Not told.
    None,
    /// The same for every leaf.
    All(T),
    /// One for each leaf.
    Each(&'a [T]),
}

impl<T: Copy> PerLeaf<'_, T> {
    #[inline]
    fn get(&self, i: usize) -> Option<T> {
        match self {
            Self::None => None,
            Self::All(value) => Some(*value),
            Self::Each(values) => Some(values[i]),
        }
    }

    fn check(&self, argument: &str, n: usize, ok: impl Fn(T) -> bool, rule: &str) -> Result<()>
    where
        T: std::fmt::Display,
    {
        match self {
            Self::None => Ok(()),
            Self::All(value) if ok(*value) => Ok(()),
            Self::All(value) => Err(invalid(argument, &[], value, rule)),
            Self::Each(values) if values.len() != n => {
                let rule = format!("have one value for each of the {n} tickets");
                Err(invalid(argument, &[], format!("{} values", values.len()), rule))
            }
            Self::Each(values) => match values.iter().position(|&value| !ok(value)) {
                Some(i) => Err(invalid(argument, &[i], values[i], rule)),
                None => Ok(()),
            },
        }
    }
}

/// Prior probabilities of the children of the leaves that are told.
#[derive(Debug, Clone, Copy)]
pub enum Priors<'a> {
    /// Not told: all children of a node are alike.
    None,
    /// A row of this width for each leaf, padded behind the leaf's children.
    Rows(&'a [f32], usize),
    /// The priors of all children of all leaves, one after another.
    Flat(&'a [f32]),
}

/// What is told of leaves.
#[derive(Debug, Clone, Copy)]
pub struct Told<'a> {
    /// The value of each leaf's state, for the player to move; `None` if only children are told.
    pub values: PerLeaf<'a, f64>,
    /// The reward of the step into each leaf.
    pub rewards: PerLeaf<'a, f64>,
    /// How many children each leaf has.
    pub n_children: PerLeaf<'a, i64>,
    /// Whether each leaf is terminal.
    pub terminal: PerLeaf<'a, bool>,
    /// The player to move in each leaf.
    pub players: PerLeaf<'a, u8>,
    /// What each evaluation cost.
    pub costs: PerLeaf<'a, f64>,
    /// Priors of the children.
    pub priors: Priors<'a>,
    /// A number that equal states share and others do not, where the forest shares what it finds.
    pub keys: PerLeaf<'a, u64>,
    /// A text for each leaf, kept by its node; or none at all.
    pub payloads: &'a [Option<&'a str>],
}

impl Default for Told<'_> {
    fn default() -> Self {
        Self {
            values: PerLeaf::None,
            rewards: PerLeaf::None,
            n_children: PerLeaf::None,
            terminal: PerLeaf::None,
            players: PerLeaf::None,
            costs: PerLeaf::None,
            priors: Priors::None,
            keys: PerLeaf::None,
            payloads: &[],
        }
    }
}

impl Told<'_> {
    /// The number of children of leaf `i`; `None` if it is not told.
    #[inline]
    fn count(&self, i: usize) -> Option<u32> {
        if self.terminal.get(i) == Some(true) { Some(0) } else { self.n_children.get(i).map(|n| n as u32) }
    }

    fn check(&self, n: usize) -> Result<()> {
        let single = |value: f64| value.is_finite() && value.abs() <= f64::from(f32::MAX);
        self.values.check("values", n, single, "be finite in single precision")?;
        self.rewards.check("rewards", n, single, "be finite in single precision")?;
        let count = |count: i64| (0..=i64::from(MOST_CHILDREN)).contains(&count);
        self.n_children.check("n_children", n, count, "be at least 0 and below 2^31 - 2")?;
        self.terminal.check("terminal", n, |_| true, "")?;
        self.players.check("players", n, |player| player < 2, "be 0 or 1")?;
        self.costs.check("cost", n, |cost| cost >= 0.0 && cost.is_finite(), "be at least 0 and finite")?;
        self.keys.check("keys", n, |_| true, "")?;
        if !self.payloads.is_empty() && self.payloads.len() != n {
            let rule = format!("have one value for each of the {n} tickets");
            return Err(invalid("payload", &[], format!("{} values", self.payloads.len()), rule));
        }
        if let (PerLeaf::None, PerLeaf::None, PerLeaf::None) = (self.values, self.n_children, self.terminal) {
            return Err(invalid("values", &[], "neither", "be given, or n_children"));
        }
        self.check_priors(n)
    }

    /// Scores of a Bernoulli law lie between 0 and 1.
    fn check_scores(&self, n: usize) -> Result<()> {
        let rule = "be between 0 and 1 with the beta model";
        self.values.check("values", n, |value| (0.0..=1.0).contains(&value), rule)?;
        self.rewards.check("rewards", n, |reward| reward == 0.0, "be 0 with the beta model")
    }

    fn check_priors(&self, n: usize) -> Result<()> {
        let (priors, width) = match self.priors {
            Priors::None => return Ok(()),
            Priors::Rows(priors, width) => (priors, Some(width)),
            Priors::Flat(priors) => (priors, None),
        };
        if let Some(i) = priors.iter().position(|&p| !(p >= 0.0 && p.is_finite())) {
            return Err(invalid("priors", &[i], priors[i], "be at least 0 and finite"));
        }
        let mut total = 0;
        for i in 0..n {
            let Some(count) = self.count(i) else {
                return Err(invalid("n_children", &[i], "none", "be given with priors"));
            };
            if width.is_some_and(|width| count as usize > width) {
                return Err(invalid(
                    "priors",
                    &[i],
                    format!("{} columns", width.unwrap_or(0)),
                    format!("have a column for each of n_children[{i}] = {count} children"),
                ));
            }
            total += count as usize;
        }
        let expected = width.map_or(total, |width| n * width);
        if priors.len() != expected {
            return Err(invalid("priors", &[], format!("{} values", priors.len()), format!("have {expected} values")));
        }
        let mut flat = 0;
        for i in 0..n {
            let count = self.count(i).unwrap_or(0) as usize;
            let start = width.map_or(flat, |width| i * width);
            flat += count;
            if count > 0 && priors[start..start + count].iter().all(|&p| p == 0.0) {
                return Err(invalid("priors", &[i], "only zeros", "be above 0 for one of the children"));
            }
        }
        Ok(())
    }
}

impl Forest {
    /// Tells what was found at leaves, in any order; a ticket that was told before, or taken back, changes nothing. Returns
    /// how many simulations this completed.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid), before anything changes; [`Error::Memory`](crate::Error::Memory).
    pub fn tell(&mut self, tickets: &[u64], told: &Told<'_>) -> Result<usize> {
        self.check_told(tickets, told)?;
        let mut completed = 0;
        let mut flat = 0;
        for (i, &number) in tickets.iter().enumerate() {
            let count = told.count(i);
            let priors = match told.priors {
                Priors::None => &[][..],
                Priors::Rows(priors, width) => &priors[i * width..i * width + count.unwrap_or(0) as usize],
                Priors::Flat(priors) => {
                    let start = flat;
                    flat += count.unwrap_or(0) as usize;
                    &priors[start..flat]
                }
            };
            completed += usize::from(self.tell_one(number, i, count, priors, told)?);
        }
        Ok(completed)
    }

    /// Asks for what the tickets after number `i` need, in steps: the ticket, its path and tree, the nodes, the records.
    #[inline(always)]
    fn prefetch(&self, tickets: &[u64], i: usize) {
        if let Some(&number) = tickets.get(i + 8) {
            self.tickets.prefetch(number);
        }
        let later = |ahead: usize| tickets.get(i + ahead).and_then(|&number| self.tickets.get(number));
        if let Some(ticket) = later(6) {
            prefetch_whole(&self.trees, ticket.tree as usize);
            prefetch(&ticket.path.0, 0);
        }
        if let Some(ticket) = later(4) {
            self.trees[ticket.tree as usize].arena.prefetch_path(&ticket.path.0);
        }
        if let Some(ticket) = later(2) {
            self.trees[ticket.tree as usize].arena.prefetch_records(&ticket.path.0);
        }
    }

    /// Checks all that can be wrong with what is told.
    pub(super) fn check_told(&self, tickets: &[u64], told: &Told<'_>) -> Result<()> {
        told.check(tickets.len())?;
        if !matches!(told.keys, PerLeaf::None) && !self.rules.config.transpositions {
            return Err(invalid("keys", &[], "some", "be told only to a forest with transpositions"));
        }
        if let Policy::Thompson(Thompson::Beta { .. }) = self.rules.config.policy {
            told.check_scores(tickets.len())?;
        }
        let open = self.rules.config.is_open();
        let needs_count = !open && matches!((told.n_children, told.terminal), (PerLeaf::None, _));
        if needs_count || self.rules.config.backup == Backup::Product {
            self.check_each(tickets, told, open)?;
        }
        Ok(())
    }

    /// Checks what depends on the leaf.
    #[cold]
    fn check_each(&self, tickets: &[u64], told: &Told<'_>, open: bool) -> Result<()> {
        for (i, &number) in tickets.iter().enumerate() {
            self.prefetch(tickets, i);
            let Some(ticket) = self.tickets.get(number) else { continue };
            let leaf = ticket.path.leaf() as usize;
            let pending = self.trees[ticket.tree as usize].arena.link[leaf] == PENDING;
            if pending && !open && told.count(i).is_none() {
                return Err(invalid("n_children", &[i], "none", "be told with or before the value, unless terminal"));
            }
            if self.rules.config.backup == Backup::Product
                && let Some(value) = told.values.get(i).filter(|&value| value < 0.0)
            {
                return Err(invalid("values", &[i], value, "be at least 0 with backup \"product\""));
            }
        }
        Ok(())
    }

    #[inline(always)]
    fn tell_one(&mut self, number: u64, i: usize, count: Option<u32>, priors: &[f32], told: &Told<'_>) -> Result<bool> {
        let Some(ticket) = self.tickets.get(number) else { return Ok(false) };
        let rules = &self.rules;
        let tree = &mut self.trees[ticket.tree as usize];
        let path = &ticket.path.0;
        let leaf = ticket.path.leaf();
        let value = told.values.get(i).map(|value| f64::from(value as f32));
        let key = told.keys.get(i);
        if let Some(reward) = told.rewards.get(i) {
            set(&mut tree.arena.extra().reward, leaf as usize, reward as f32);
        }
        if let Some(player) = told.players.get(i) {
            set(&mut tree.arena.extra().player, leaf as usize, player);
        }
        if let Some(cost) = told.costs.get(i) {
            tree.cost += cost;
        }
        if let Some(Some(text)) = told.payloads.get(i) {
            tree.payloads.insert(leaf, (*text).into());
        }
        let link = tree.arena.link[leaf as usize];
        if link == PENDING {
            let n = rules.config.policy.n_children(count.unwrap_or(MOST_CHILDREN), ticket.path.depth());
            let mut shares = false;
            if let Some(value) = value {
                tree.arena.value[leaf as usize] = value as f32;
                if let Some(key) = key {
                    shares = tree.share(rules, path, key, n)?;
                }
                if !shares {
                    tree.arena.link[leaf as usize] = LEAF + n;
                }
            }
            if shares {
                // Its children are there.
            } else if value.is_none() || (n > 0 && !priors.is_empty()) {
                tree.make_room(rules, leaf, n)?;
                tree.set_priors(rules, leaf, priors);
                if value.is_some() {
                    // The visit that `settle` ends.
                    tree.arena.records[tree.arena.link[leaf as usize] as usize].in_flight = 1;
                }
            }
        }
        let completed = value.is_some();
        if let Some(value) = value {
            tree.know(leaf, value);
            if let Some(key) = key {
                tree.remember(key, leaf);
            }
            tree.settle(rules, path, value);
            tree.in_flight -= 1;
            tree.simulations += 1;
            tree.end_early(rules, path);
            tree.arrive(rules, path)?;
        }
        if let (true, Some(Some(text)), [.., parent, _]) = (rules.config.deduplicate, told.payloads.get(i), &path[..]) {
            tree.compare(rules, *parent, leaf, text);
        }
        let tree = ticket.tree;
        if completed {
            self.tickets.close(number);
        }
        self.wake(tree);
        Ok(completed)
    }
}
