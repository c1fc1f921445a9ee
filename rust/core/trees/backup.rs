//! What a walk leaves behind: counts on the way down, values on the way up.

use super::arena::{Arena, FRESH, LEAF, PENDING, Record, set};
use super::config::{Backup, InFlight, Policy};
use super::select::Rules;
use super::tree::Tree;

impl Tree {
    /// Counts a visit in flight along `path`, whose last node is fresh or has a record.
    pub(super) fn send(&mut self, rules: &Rules, path: &[u32]) {
        if rules.config.transpositions {
            return self.send_in_graph(rules, path);
        }
        let mut above = 0.0;
        for &slot in path {
            let (arena, at) = (&mut self.arena, slot as usize);
            let link = arena.link[at];
            let traffic = if link < LEAF {
                let record = &mut arena.records[link as usize];
                record.visits += 1;
                record.in_flight += 1;
                let record = *record;
                arena.show_count(rules, slot, record);
                record.visits
            } else {
                debug_assert_eq!(link, FRESH, "only a leaf that was never asked for has no record");
                arena.link[at] = PENDING;
                arena.value[at] = match rules.config.in_flight {
                    InFlight::Count => above / rules.gamma,
                    InFlight::VirtualLoss(loss) => (loss / rules.config.discount) as f32,
                };
                1
            };
            arena.reweigh(rules, slot, traffic);
            above = arena.value[at];
        }
        self.arena.await_child(path, 1);
    }

    /// Takes back what [`send`](Self::send) did.
    pub(super) fn recall(&mut self, rules: &Rules, path: &[u32]) {
        if rules.config.transpositions {
            return self.recall_in_graph(rules, path);
        }
        for &slot in path {
            let (arena, at) = (&mut self.arena, slot as usize);
            let link = arena.link[at];
            let traffic = if link < LEAF {
                let record = &mut arena.records[link as usize];
                record.visits -= 1;
                record.in_flight -= 1;
                let record = *record;
                arena.show_count(rules, slot, record);
                if record.visits == 0 && rules.plain {
                    arena.value[at] = rules.fresh;
                }
                record.visits
            } else {
                arena.link[at] = FRESH;
                arena.value[at] = rules.fresh;
                0
            };
            arena.reweigh(rules, slot, traffic);
        }
        self.arena.await_child(path, -1);
        self.give_back(path[path.len() - 1]);
    }

    /// Ends a visit along `path` that is in flight: the leaf's evaluation is `value`.
    ///
    /// The leaf's slot holds the value already where the leaf has no record.
    pub(super) fn settle(&mut self, rules: &Rules, path: &[u32], value: f64) {
        if rules.config.transpositions {
            return self.settle_in_graph(rules, path);
        }
        self.carry(rules, path, value, |record| record.in_flight -= 1);
    }

    /// Makes a whole visit along `path`, as [`send`](Self::send) and [`settle`](Self::settle) do.
    #[inline(always)]
    pub(super) fn visit(&mut self, rules: &Rules, path: &[u32], value: f64) {
        if rules.config.transpositions {
            return self.visit_in_graph(rules, path);
        }
        self.carry(rules, path, value, |record| record.visits += 1);
        for &slot in path {
            let link = self.arena.link[slot as usize];
            let traffic = if link < LEAF { self.arena.records[link as usize].visits } else { 1 };
            self.arena.reweigh(rules, slot, traffic);
        }
    }

    /// [`visit`](Self::visit) in a tree that [is plain](Self::is_plain), with means for values.
    #[inline(always)]
    pub(super) fn visit_plain(&mut self, rules: &Rules, path: &[u32], value: f64) {
        let arena = &mut self.arena;
        let mut value = value;
        for &slot in path.iter().rev() {
            let link = arena.link[slot as usize];
            let mut visits = 1;
            if link < LEAF {
                let record = &mut arena.records[link as usize];
                record.visits += 1;
                visits = record.visits;
                record.mean += (value - record.mean) / f64::from(visits - record.in_flight);
                arena.value[slot as usize] = record.mean as f32;
            }
            arena.weight[slot as usize] = rules.weight(None, visits);
            value *= rules.config.discount;
        }
    }

    #[inline(always)]
    fn carry(&mut self, rules: &Rules, path: &[u32], value: f64, count: impl Fn(&mut Record)) {
        if !self.is_simple(rules) {
            return self.carry_any(rules, path, value, count);
        }
        let arena = &mut self.arena;
        let mut value = value;
        for &slot in path.iter().rev() {
            let link = arena.link[slot as usize];
            if link < LEAF {
                let record = &mut arena.records[link as usize];
                count(record);
                let n = record.visits - record.in_flight;
                record.mean += (value - record.mean) / f64::from(n);
                let record = *record;
                arena.value[slot as usize] = rules.shown(record.mean, n, record.in_flight);
            }
            value *= rules.config.discount;
        }
    }

    /// Whether values are means of what is told, with no rewards, players and proofs.
    #[inline(always)]
    pub(super) fn is_simple(&self, rules: &Rules) -> bool {
        rules.config.backup == Backup::Mean && self.arena.extra.is_none() && rules.config.solver.is_none()
    }

    /// [`carry`](Self::carry) with rewards, players, proofs and every kind of backup.
    #[inline(never)]
    fn carry_any(&mut self, rules: &Rules, path: &[u32], value: f64, count: impl Fn(&mut Record)) {
        let product = rules.config.backup == Backup::Product;
        let mut value = if product { libm::log(value) } else { value };
        for (depth, &slot) in path.iter().enumerate().rev() {
            let is_leaf = depth + 1 == path.len();
            let arena = &mut self.arena;
            let link = arena.link[slot as usize];
            if link < LEAF {
                if !is_leaf {
                    let own = arena.extra.as_ref().and_then(|extra| extra.own.get(link as usize)).copied();
                    let own = own.map_or(f64::NAN, f64::from);
                    match rules.config.backup {
                        Backup::Min => value = value.min(own),
                        Backup::Product if own.is_finite() => value += libm::log(own),
                        _ => {}
                    }
                }
                count(&mut arena.records[link as usize]);
                let best = if rules.config.backup == Backup::Max { arena.best_child(rules, slot, link) } else { None };
                let record = &mut arena.records[link as usize];
                let n = record.visits - record.in_flight;
                let before = record.mean;
                match best {
                    Some(best) => record.mean = best,
                    None if rules.config.backup == Backup::Max && n > 1 => {} // its own evaluation, as it was
                    None if n == 1 => record.mean = value,
                    None => {
                        record.mean += if record.mean == value { 0.0 } else { (value - record.mean) / f64::from(n) }
                    }
                }
                let mut record = *record;
                if product {
                    record.mean = libm::exp(record.mean);
                }
                if let Policy::Thompson(_) = rules.config.policy {
                    arena.observe(link, path.len() - 1 - depth, value, before);
                }
                if !arena.is_proven(slot) {
                    arena.show(rules, slot, record);
                }
            }
            if rules.config.solver.is_some() {
                self.prove(rules, slot);
            }
            if depth > 0 {
                let parent = path[depth - 1];
                let rewards = !matches!(rules.config.backup, Backup::Min | Backup::Product | Backup::Last);
                if rewards || rules.config.backup == Backup::Last {
                    let reward = if rewards { self.arena.reward(slot) } else { 0.0 };
                    value = reward
                        + f64::from(self.arena.discount(rules, parent, slot).signum())
                            * rules.config.discount.abs()
                            * value;
                }
            }
        }
    }

    /// Marks `slot` as proven where its children, or the end of the game, leave no doubt about its value.
    fn prove(&mut self, rules: &Rules, slot: u32) {
        let Some((_, high)) = rules.config.solver else { return };
        let arena = &mut self.arena;
        let link = arena.link[slot as usize];
        if arena.is_proven(slot) || link == FRESH || link == PENDING {
            return;
        }
        let known = if link == LEAF || (link < LEAF && arena.is_closed(link)) {
            Some(f64::from(arena.value[slot as usize]))
        } else if link < LEAF && !matches!(arena.span, super::arena::Span::Open(_)) {
            let mut all = true;
            let mut best = f64::NEG_INFINITY;
            for child in arena.children(link) {
                if arena.is_proven(child) {
                    best = best.max(f64::from(arena.seen_from(rules, slot, child)));
                } else {
                    all = false;
                }
            }
            (all || best >= high).then_some(best)
        } else {
            None
        };
        if let Some(value) = known {
            arena.value[slot as usize] = value as f32;
            set(&mut arena.extra().proven, slot as usize, true);
        }
    }
}

impl Arena {
    /// Shows the search the value of `slot` after its counts changed.
    #[inline(always)]
    fn show_count(&mut self, rules: &Rules, slot: u32, record: Record) {
        // Counts alone leave values as they are.
        if rules.config.in_flight != InFlight::Count {
            self.show(rules, slot, record);
        }
    }

    fn show(&mut self, rules: &Rules, slot: u32, record: Record) {
        let n = record.visits - record.in_flight;
        if n > 0 && !self.is_proven(slot) {
            self.value[slot as usize] = rules.shown(record.mean, n, record.in_flight);
        }
    }

    #[inline(always)]
    fn reweigh(&mut self, rules: &Rules, slot: u32, traffic: u32) {
        let prior = self.prior.as_ref().map(|prior| prior[slot as usize]);
        self.weight[slot as usize] = rules.weight(prior, traffic);
    }

    /// The best value of the evaluated children of `slot`, seen from it.
    fn best_child(&self, rules: &Rules, slot: u32, record: u32) -> Option<f64> {
        let evaluated = self.children(record).filter(|&child| self.visits(child) > 0);
        let values = evaluated.map(|child| {
            let sign = f64::from(self.discount(rules, slot, child).signum());
            self.reward(child) + sign * rules.config.discount.abs() * self.mean(child)
        });
        values.fold(None, |best: Option<f64>, value| Some(best.map_or(value, |best| best.max(value))))
    }
}
