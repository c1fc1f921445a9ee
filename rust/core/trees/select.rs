//! Which child a search goes down to: the best of value + bonus, ties to the lowest action.

use super::arena::{Arena, FRESH, PENDING};
use super::config::{Config, Fpu, InFlight, Policy, Puct, QTransform, Uct};
use crate::machine::{each, prefetch};
use std::collections::VecDeque;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

/// Visits for which the square root of the logarithm is read from a table.
const TABLED: usize = 4096;

/// Visits for which [`explored`] is, and how many such tables are kept.
const EXPLORED: usize = 1 << 14;
const TABLES: usize = 8;

static SQRT_LN: LazyLock<Vec<f32>> = LazyLock::new(|| (0..TABLED).map(|n| sqrt_ln(n as u32)).collect());

fn sqrt_ln(n: u32) -> f32 {
    libm::log(f64::from(n.max(1))).sqrt() as f32
}

/// [`sqrt_ln`] of what lies beyond the table, within 1e-7: ln n = ln m + s ln 2 + ln(n / (m 2^s)), with m in the table.
#[inline(always)]
fn sqrt_ln_beyond(n: u32, table: &[f32]) -> f32 {
    let shift = (n.ilog2() + 1).saturating_sub(TABLED.ilog2());
    let m = n >> shift;
    let root = f64::from(table[m as usize]);
    let rest = f64::from(n - (m << shift)) / f64::from(m << shift);
    (root * root + f64::from(shift) * std::f64::consts::LN_2 + rest).sqrt() as f32
}

/// What PUCT multiplies the weight of a child with, in a node of `visits` visits.
fn explored(init: f32, base: f32, visits: u32) -> f32 {
    let n = visits as f32;
    (init + libm::logf((n + base + 1.0) / base)) * n.sqrt()
}

/// [`explored`] for small numbers of visits. The last few tables are kept, for a search seldom comes alone.
fn tabled(init: f32, base: f32) -> Arc<[f32]> {
    type Table = ([u32; 2], Arc<[f32]>);
    static LAST: Mutex<VecDeque<Table>> = Mutex::new(VecDeque::new());
    let last = || LAST.lock().unwrap_or_else(PoisonError::into_inner);
    let key = [init.to_bits(), base.to_bits()];
    let known = last().iter().find(|(known, _)| *known == key).map(|(_, table)| table.clone());
    known.unwrap_or_else(|| {
        // Not under the lock: others need not wait for it, nor a process that is forked meanwhile.
        let table: Arc<[f32]> = (0..EXPLORED as u32).map(|n| explored(init, base, n)).collect();
        let mut last = last();
        last.truncate(TABLES - 1);
        last.push_front((key, table.clone()));
        table
    })
}

/// A configuration as the inner loops read it.
#[derive(Debug, Clone)]
pub(super) struct Rules {
    pub config: Config,
    /// The discount.
    pub gamma: f32,
    /// The value of a child never asked for, as its slot holds it.
    pub fresh: f32,
    /// Value and bonus are all there is to a score, and slots hold both.
    pub(super) plain: bool,
    bonus: Bonus,
    sqrt_ln: &'static [f32],
    /// Of PUCT, [`explored`] for small numbers of visits.
    explored: Arc<[f32]>,
}

#[derive(Debug, Clone, Copy)]
enum Bonus {
    Uct { c: f32 },
    Puct { init: f32, base: f32 },
    None,
}

impl Rules {
    pub(super) fn new(config: Config) -> Self {
        let gamma = config.discount as f32;
        let (bonus, fpu, raw) = match config.policy {
            Policy::Uct(Uct { c, fpu }) => (Bonus::Uct { c: c as f32 }, fpu, true),
            Policy::Puct(Puct { pb_c_init, pb_c_base, q_transform, fpu, .. }) => {
                let bonus = Bonus::Puct { init: pb_c_init as f32, base: pb_c_base as f32 };
                (bonus, fpu, q_transform == QTransform::Raw)
            }
            _ => (Bonus::None, Fpu::Constant(0.0), false),
        };
        let (fresh, stored) = match fpu {
            // With a weight of 0 for the bonus, unvisited children must still come first.
            Fpu::Infinity => (f32::INFINITY * gamma.signum(), true),
            Fpu::Constant(value) => (value as f32 / gamma, true),
            Fpu::ParentMinus(_) | Fpu::Prior => (0.0, false),
        };
        let plain = raw && stored && config.solver.is_none();
        let explored = match bonus {
            Bonus::Puct { init, base } => tabled(init, base),
            _ => Arc::default(),
        };
        Self { gamma, fresh, plain, bonus, sqrt_ln: &SQRT_LN, explored, config }
    }

    /// How much of the parent's bonus a slot gets that was visited `traffic` times, those in flight included.
    #[inline(always)]
    pub(super) fn weight(&self, prior: Option<f32>, traffic: u32) -> f32 {
        match (self.bonus, prior) {
            (Bonus::Puct { .. }, Some(prior)) => prior / (1.0 + traffic as f32),
            (Bonus::Puct { .. }, None) => 1.0 / (1.0 + traffic as f32),
            _ => 1.0 / (traffic.max(1) as f32).sqrt(),
        }
    }

    /// What a child's weight is multiplied with, in a node that was visited `traffic` times.
    #[inline(always)]
    pub(super) fn scale(&self, traffic: u32) -> f32 {
        match self.bonus {
            Bonus::Uct { c } => {
                let table = self.sqrt_ln;
                c * table.get(traffic as usize).copied().unwrap_or_else(|| sqrt_ln_beyond(traffic, table))
            }
            Bonus::Puct { init, base } => {
                self.explored.get(traffic as usize).copied().unwrap_or_else(|| explored(init, base, traffic))
            }
            Bonus::None => 0.0,
        }
    }

    /// What a slot holds as its value when `n` of its visits are completed, with mean `mean`, and `in_flight` are not.
    #[inline(always)]
    pub(super) fn shown(&self, mean: f64, n: u32, in_flight: u32) -> f32 {
        match self.config.in_flight {
            InFlight::VirtualLoss(loss) if in_flight > 0 => {
                let loss = loss / self.config.discount;
                ((mean * f64::from(n) + loss * f64::from(in_flight)) / f64::from(n + in_flight)) as f32
            }
            _ => mean as f32,
        }
    }
}

impl Arena {
    /// The discount of the step into `slot`: between players who are not the same it changes the sign.
    #[inline]
    pub(super) fn discount(&self, rules: &Rules, parent: u32, slot: u32) -> f32 {
        match self.extra.as_ref().map(|extra| &extra.player[..]) {
            Some(player) if !player.is_empty() => {
                let of = |slot: u32| player.get(slot as usize).copied().unwrap_or(0);
                if of(parent) == of(slot) { rules.gamma.abs() } else { -rules.gamma.abs() }
            }
            _ => rules.gamma,
        }
    }

    /// Whether `slot` is proven.
    pub(super) fn is_proven(&self, slot: u32) -> bool {
        self.extra.as_ref().is_some_and(|extra| extra.proven.get(slot as usize).copied().unwrap_or(false))
    }

    /// The value of `slot` seen from its parent, reward included.
    #[inline]
    pub(super) fn seen_from(&self, rules: &Rules, parent: u32, slot: u32) -> f32 {
        self.reward(slot) as f32 + self.discount(rules, parent, slot) * self.current(slot)
    }

    /// The child that the node of `record` goes down to, and its action, where values and bonuses are all there is.
    #[inline(always)]
    pub(super) fn select_plain(&self, rules: &Rules, record: u32) -> (u32, u32) {
        let (first, n) = self.block(record);
        // The walk reads the link of whichever child is chosen: it can be on its way before the choice.
        prefetch(&self.link, first);
        let scale = rules.scale(self.records[record as usize].visits);
        let (value, weight) = (&self.value[first..first + n], &self.weight[first..first + n]);
        let action = best(value, weight, rules.gamma, scale);
        ((first + action) as u32, action as u32)
    }

    /// The child that `node`, whose record is `record`, goes down to, or `None` where every child is in `blocked`,
    /// pending or proven.
    pub(super) fn select(&self, rules: &Rules, node: u32, record: u32, blocked: &[u32]) -> Option<u32> {
        if blocked.is_empty() && self.block(record).1 > 0 {
            let slot = if rules.is_scaled() {
                self.select_scaled(rules, node, record)
            } else if rules.plain && self.extra.is_none() {
                Some(self.select_plain(rules, record).0)
            } else {
                None
            };
            if let Some(slot) = slot.filter(|&slot| self.link[slot as usize] != PENDING) {
                return Some(slot);
            }
        }
        self.select_scored(rules, node, record, blocked)
    }

    #[inline(never)]
    pub(super) fn select_scored(&self, rules: &Rules, node: u32, record: u32, blocked: &[u32]) -> Option<u32> {
        let scale = rules.scale(self.records[record as usize].visits);
        let [low, range, unseen] = self.frame(rules, node, record);
        let mut best: Option<(f32, u32)> = None;
        for slot in self.children(record) {
            let link = self.link[slot as usize];
            if link == PENDING || self.is_proven(slot) || self.is_duplicate(slot) || blocked.contains(&slot) {
                continue;
            }
            let value = if link != FRESH {
                self.seen_from(rules, node, slot)
            } else if let Some(Fpu::Prior) = rules.fpu() {
                self.prior.as_ref().map_or(0.0, |prior| prior[slot as usize])
            } else {
                unseen
            };
            let value = if value.is_finite() { (value - low) / range } else { value };
            let score = value + scale * self.weight[slot as usize];
            if best.is_none_or(|(top, _)| score > top) {
                best = Some((score, slot));
            }
        }
        best.map(|(_, slot)| slot)
    }

    /// The value that becomes 0 in `node`, the distance to that which becomes 1, and what a child never asked for is worth.
    pub(super) fn frame(&self, rules: &Rules, node: u32, record: u32) -> [f32; 3] {
        let own = self.current(node);
        if let Policy::Puct(Puct { q_transform, .. }) = rules.config.policy {
            match q_transform {
                QTransform::ParentAndSiblings => {
                    let (mut low, mut high) = (own, own);
                    for slot in self.children(record).filter(|&slot| self.link[slot as usize] != FRESH) {
                        let value = self.seen_from(rules, node, slot);
                        (low, high) = (low.min(value), high.max(value));
                    }
                    return [low, (high - low).max(1e-8), low];
                }
                QTransform::MinMax { min, max } => return [min as f32, (max - min) as f32, min as f32],
                QTransform::Raw => {}
            }
        }
        let unseen = match rules.fpu() {
            Some(Fpu::Constant(value)) => value as f32,
            Some(Fpu::ParentMinus(less)) => own - less as f32,
            _ => f32::INFINITY,
        };
        [0.0, 1.0, unseen]
    }
}

impl Rules {
    /// Whether values are brought to a scale.
    const fn is_scaled(&self) -> bool {
        matches!(self.config.policy, Policy::Puct(Puct { q_transform, .. }) if !matches!(q_transform, QTransform::Raw))
    }

    const fn fpu(&self) -> Option<Fpu> {
        match &self.config.policy {
            Policy::Uct(uct) => Some(uct.fpu),
            Policy::Puct(puct) => Some(puct.fpu),
            _ => None,
        }
    }
}

/// The first index at which `gamma * value + scale * weight` is greatest.
#[inline(always)]
fn best(value: &[f32], weight: &[f32], gamma: f32, scale: f32) -> usize {
    if let (Ok(value), Ok(weight)) = (<&[f32; 4]>::try_from(value), <&[f32; 4]>::try_from(weight)) {
        let [a, b, c, d]: [f32; 4] = each(|i| gamma * value[i] + scale * weight[i]);
        let max = |a: f32, b: f32| if a > b { a } else { b };
        let top = max(max(a, b), max(c, d));
        // Counts what stands before the first of the best, without a branch: which child it is can hardly be predicted.
        let (a, b, c) = (usize::from(a != top), usize::from(b != top), usize::from(c != top));
        return a + (a & b) + (a & b & c);
    }
    best_of_many(value, weight, gamma, scale)
}

const LANES: usize = 16;

#[inline(always)]
fn best_of_many(value: &[f32], weight: &[f32], gamma: f32, scale: f32) -> usize {
    let (values, value_tail) = value.as_chunks::<LANES>();
    let (weights, weight_tail) = weight.as_chunks::<LANES>();
    let mut top = [f32::NEG_INFINITY; LANES];
    let mut at = [0u32; LANES];
    for (chunk, (value, weight)) in values.iter().zip(weights).enumerate() {
        for lane in 0..LANES {
            let score = gamma * value[lane] + scale * weight[lane];
            let better = score > top[lane];
            top[lane] = if better { score } else { top[lane] };
            at[lane] = if better { chunk as u32 } else { at[lane] };
        }
    }
    let mut best = f32::NEG_INFINITY;
    let mut index = usize::MAX;
    if !values.is_empty() {
        best = top.iter().copied().fold(f32::NEG_INFINITY, |a, b| if b > a { b } else { a });
        for lane in 0..LANES {
            let place = at[lane] as usize * LANES + lane;
            index = if top[lane] == best && place < index { place } else { index };
        }
    }
    for (i, (&value, &weight)) in value_tail.iter().zip(weight_tail).enumerate() {
        let score = gamma * value + scale * weight;
        if score > best {
            best = score;
            index = values.len() * LANES + i;
        }
    }
    if index == usize::MAX { 0 } else { index }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_root_of_the_logarithm_is_continued_beyond_its_table() {
        for n in (0..32).flat_map(|bit| [1u32 << bit, (1 << bit) + (1 << bit) / 3, (1u32 << bit) - 1 + (1 << bit)]) {
            let table = &SQRT_LN;
            let value = table.get(n as usize).copied().unwrap_or_else(|| sqrt_ln_beyond(n, table));
            let expected = sqrt_ln(n);
            assert!((value - expected).abs() <= 4e-7 * expected, "{n}: {value} {expected}");
        }
    }

    proptest! {
        #[test]
        fn the_first_of_the_best_is_found(scores in prop::collection::vec((0u8..4, 0u8..4), 1..80), gamma in prop::sample::select(vec![1.0f32, -1.0, 0.5])) {
            let value: Vec<f32> = scores.iter().map(|&(v, _)| f32::from(v)).collect();
            let weight: Vec<f32> = scores.iter().map(|&(_, w)| f32::from(w)).collect();
            let score = |i: usize| gamma * value[i] + 0.5 * weight[i];
            let mut expected = 0;
            for i in 1..value.len() {
                if score(i) > score(expected) {
                    expected = i;
                }
            }
            prop_assert_eq!(best(&value, &weight, gamma, 0.5), expected);
        }
    }
}
