//! PUCT's choice where values are brought to a scale before the bonus is added, for all children of a node at once.

use super::arena::{Arena, Extra, FRESH};
use super::config::{Policy, Puct, QTransform};
use super::select::Rules;
use crate::machine::{Kernel, each, widest};

/// The node whose child is chosen.
struct Parent<'a> {
    /// First slot and number of its children.
    block: (usize, usize),
    /// What weights are multiplied with.
    scale: f32,
    gamma: f32,
    own: f32,
    /// Lowest value, range and value of a child never asked for, where all nodes have the same.
    frame: Option<[f32; 3]>,
    /// Which slots are proven; empty where none is.
    proven: &'a [bool],
}

impl Arena {
    /// What [`select_scored`](Self::select_scored) chooses among children that lie side by side, pending ones among them,
    /// in steps that the compiler makes vector instructions of. `None` where it must be asked instead: there are rewards,
    /// players or shared states, or all children are proven.
    #[inline(always)]
    pub(super) fn select_scaled(&self, rules: &Rules, node: u32, record: u32) -> Option<u32> {
        widest(Choice { arena: self, rules, node, record })
    }
}

/// What is chosen from: the children of `node`, whose record is `record`.
struct Choice<'a> {
    arena: &'a Arena,
    rules: &'a Rules,
    node: u32,
    record: u32,
}

impl Kernel for Choice<'_> {
    type Output = Option<u32>;

    #[inline(always)]
    fn run(self) -> Option<u32> {
        let Self { arena, rules, node, record } = self;
        let proven = match arena.extra.as_deref() {
            None => &[],
            Some(Extra { reward, player, proven, copies, graph: None, .. })
                if reward.is_empty() && player.is_empty() && copies.is_empty() =>
            {
                &proven[..]
            }
            Some(_) => return None,
        };
        let block = arena.block(record);
        let parent = Parent {
            block,
            scale: rules.scale(arena.records[record as usize].visits),
            gamma: rules.gamma,
            own: arena.current(node),
            frame: match rules.config.policy {
                Policy::Puct(Puct { q_transform: QTransform::MinMax { .. }, .. }) => {
                    Some(arena.frame(rules, node, record))
                }
                _ => None,
            },
            proven,
        };
        let few = match block.1 {
            0..=4 => arena.best_of_few::<4>(&parent),
            5..=8 => arena.best_of_few::<8>(&parent),
            9..=16 => arena.best_of_few::<16>(&parent),
            _ => None,
        };
        // Not a closure, which would be compiled apart from the kernel.
        let action = if few.is_some() { few } else { arena.best_of_any(&parent) };
        action.map(|action| (block.0 + action) as u32)
    }
}

impl Arena {
    /// The first of the best among up to `N` children; `None` where the arena ends before `N` slots, or none has a score.
    #[inline(always)]
    fn best_of_few<const N: usize>(&self, parent: &Parent<'_>) -> Option<usize> {
        let &Parent { block: (first, n), scale, gamma, own, frame, proven } = parent;
        let value: &[f32; N] = self.value.get(first..first + N)?.try_into().ok()?;
        let weight: &[f32; N] = self.weight.get(first..first + N)?.try_into().ok()?;
        let link: &[u32; N] = self.link.get(first..first + N)?.try_into().ok()?;
        // Beyond them lie the children of others.
        let n = n as u32;
        let seen: [f32; N] = each(|i| gamma * value[i]);
        let asked: [f32; N] = each(|i| if link[i] == FRESH { own } else { seen[i] });
        let asked: [f32; N] = each(|i| if (i as u32) < n { asked[i] } else { own });
        let low = folded(asked, |a, b| if b < a { b } else { a });
        let high = folded(asked, |a, b| if b > a { b } else { a });
        let siblings = framed(if low < own { low } else { own }, if high > own { high } else { own });
        let [low, range, unseen] = if let Some(frame) = frame { frame } else { siblings };
        let seen: [f32; N] = each(|i| if link[i] == FRESH { unseen } else { seen[i] });
        let score: [f32; N] = each(|i| (seen[i] - low) / range + scale * weight[i]);
        let mut score: [f32; N] = each(|i| if (i as u32) < n { score[i] } else { f32::NEG_INFINITY });
        if let Some(proven) = proven.get(first..) {
            for (score, &proven) in score.iter_mut().zip(proven) {
                *score = if proven { f32::NEG_INFINITY } else { *score };
            }
        }
        let top = folded(score, |a, b| if b > a { b } else { a });
        if top == f32::NEG_INFINITY {
            return None;
        }
        let place: [u32; N] = each(|i| if score[i] == top { i as u32 } else { u32::MAX });
        let first = folded(place, |a, b| if b < a { b } else { a });
        (first < N as u32).then_some(first as usize)
    }

    /// The first of the best among any number of children.
    #[inline(always)]
    fn best_of_any(&self, parent: &Parent<'_>) -> Option<usize> {
        let &Parent { block: (first, n), scale, gamma, own, frame, proven } = parent;
        let (value, weight) = (&self.value[first..first + n], &self.weight[first..first + n]);
        let link = &self.link[first..first + n];
        let [low, range, unseen] = frame.unwrap_or_else(|| {
            let [low, high] = extent(value, link, gamma, own);
            framed(low, high)
        });
        let (mut top, mut action) = (f32::NEG_INFINITY, None);
        let mut scores = [0.0f32; LANES];
        for (chunk, ((values, weights), links)) in
            value.chunks(LANES).zip(weight.chunks(LANES)).zip(link.chunks(LANES)).enumerate()
        {
            for (out, ((&value, &weight), &link)) in scores.iter_mut().zip(values.iter().zip(weights).zip(links)) {
                let value = if link == FRESH { unseen } else { gamma * value };
                *out = (value - low) / range + scale * weight;
            }
            for (lane, &score) in scores[..values.len()].iter().enumerate() {
                let at = chunk * LANES + lane;
                if score > top && !proven.get(first + at).copied().unwrap_or(false) {
                    (top, action) = (score, Some(at));
                }
            }
        }
        action
    }
}

const LANES: usize = 16;

/// Lowest value, range and value of a child never asked for, of a node whose values lie between `low` and `high`.
#[inline(always)]
fn framed(low: f32, high: f32) -> [f32; 3] {
    [low, (high - low).max(1e-8), low]
}

/// The elements by twos, their results by twos again, down to one.
#[inline(always)]
fn folded<T: Copy, const N: usize>(mut elements: [T; N], two: impl Fn(T, T) -> T) -> T {
    let mut half = N / 2;
    while half > 0 {
        for i in 0..half {
            elements[i] = two(elements[i], elements[i + half]);
        }
        half /= 2;
    }
    elements[0]
}

/// The least and the greatest of `own` and of what the children are worth that were asked for.
#[inline(always)]
fn extent(value: &[f32], link: &[u32], gamma: f32, own: f32) -> [f32; 2] {
    let (mut low, mut high) = ([own; LANES], [own; LANES]);
    for (values, links) in value.chunks(LANES).zip(link.chunks(LANES)) {
        for (lane, (&value, &link)) in values.iter().zip(links).enumerate() {
            let value = if link == FRESH { own } else { gamma * value };
            low[lane] = if value < low[lane] { value } else { low[lane] };
            high[lane] = if value > high[lane] { value } else { high[lane] };
        }
    }
    let least = low.into_iter().fold(own, |a, b| if b < a { b } else { a });
    [least, high.into_iter().fold(own, |a, b| if b > a { b } else { a })]
}

#[cfg(test)]
mod tests {
    use super::super::arena::{LEAF, PENDING, set};
    use super::super::config::Config;
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn children_are_chosen_as_one_by_one(
            children in prop::collection::vec((0u8..4, -2.0f32..2.0, 0.0f32..1.0, any::<bool>()), 1..40),
            own in -2.0f32..2.0,
            min_max in any::<bool>(),
            discount in prop::sample::select(vec![1.0, -1.0, 0.5]),
            (more, solved) in (any::<bool>(), 0u8..3),
        ) {
            let q_transform = if min_max { QTransform::MinMax { min: -2.0, max: 2.0 } } else { QTransform::ParentAndSiblings };
            let puct = Puct { q_transform, ..Puct::default() };
            let rules = Rules::new(Config { policy: Policy::Puct(puct), discount, ..Config::default() });
            let mut arena = Arena::new(false, true, false);
            arena.value[0] = own;
            arena.link[0] = LEAF + children.len() as u32;
            let record = arena.expand(0, children.len() as u32, rules.fresh).unwrap();
            arena.records[record as usize].visits = 9;
            if more {
                // The children of another node come after: the best of all, if they were read.
                arena.expand(1, 64, 100.0).unwrap();
            }
            for (i, &(state, value, weight, proven)) in children.iter().enumerate() {
                arena.link[1 + i] = [FRESH, PENDING, LEAF, LEAF][usize::from(state)];
                arena.value[1 + i] = value;
                arena.weight[1 + i] = weight;
                // All of them, some, or none.
                if solved > 0 && (solved == 2 || proven) {
                    set(&mut arena.extra().proven, 1 + i, true);
                }
            }
            let expected = arena.select_scored(&rules, 0, record, &[]);
            prop_assert_eq!(arena.select(&rules, 0, record, &[]), expected);
            let scaled = arena.select_scaled(&rules, 0, record);
            let pending = scaled.is_some_and(|slot| arena.link[slot as usize] == PENDING);
            prop_assert!(scaled == expected || pending, "{scaled:?}");
        }
    }

    #[test]
    fn rewards_and_players_are_left_to_others() {
        let rules = Rules::new(Config { policy: Policy::Puct(Puct::default()), ..Config::default() });
        let mut arena = Arena::new(false, true, false);
        arena.link[0] = LEAF + 3;
        let record = arena.expand(0, 3, rules.fresh).unwrap();
        assert_eq!(arena.select_scaled(&rules, 0, record), Some(1));
        set(&mut arena.extra().reward, 2, 1.0);
        assert_eq!(arena.select_scaled(&rules, 0, record), None);
        arena.extra().reward.clear();
        set(&mut arena.extra().player, 2, 1);
        assert_eq!(arena.select_scaled(&rules, 0, record), None);
    }
}
