//! Trees that grow: orders of growth against plain programs, children that come one by one.

use super::config::{Config, Fpu, Order, Policy, Thompson, Uct, Widening};
use super::forest::{Forest, Kind, Leaves};
use super::tell::{PerLeaf, Told};
use super::tests::{check, evaluate};
use crate::random::Seed;
use proptest::prelude::*;
use std::collections::{BTreeSet, VecDeque};

type Way = Vec<u32>;

fn forest(policy: Policy, widening: Option<Widening>, max_depth: u32, n_simulations: u32) -> Forest {
    let n_simulations = Some(n_simulations);
    let config = Config { policy, max_depth, n_simulations, widening, ..Config::default() };
    Forest::new(1, config, Seed::from_u64(2), 0).unwrap()
}

fn ask(forest: &mut Forest, n: usize) -> Vec<(u64, Way, Kind)> {
    let mut leaves = Leaves::default();
    forest.ask(n, None, &mut leaves).unwrap();
    let each = leaves.leaves.iter().enumerate();
    each.map(|(i, leaf)| (leaf.ticket, leaves.path(i).to_vec(), leaf.kind)).collect()
}

fn tell(forest: &mut Forest, key: u32, ticket: u64, way: &[u32]) {
    let (value, n) = evaluate(key, way);
    let n_children = if forest.config().is_open() { PerLeaf::None } else { PerLeaf::All(n) };
    assert_eq!(
        forest.tell(&[ticket], &Told { values: PerLeaf::All(value), n_children, ..Told::default() }).unwrap(),
        1
    );
}

/// The ways to all leaves in the order in which they are asked for, one at a time.
fn serially(order: Order, key: u32, max_depth: u32, n: u32) -> Vec<Way> {
    let mut forest = forest(Policy::Frontier(order), None, max_depth, n);
    let mut ways = Vec::new();
    while let Some((ticket, way, kind)) = ask(&mut forest, 1).pop() {
        assert_eq!(kind, Kind::Evaluate);
        tell(&mut forest, key, ticket, &way);
        ways.push(way);
    }
    assert!(forest.trees()[0].is_done());
    ways
}

/// The nodes told, when leaves are asked for, told and taken back in an order that `words` decides.
fn in_disorder(order: Order, key: u32, max_depth: u32, words: &[u32]) -> BTreeSet<Way> {
    let mut forest = forest(Policy::Frontier(order), None, max_depth, 4000);
    let (mut out, mut told) = (Vec::new(), BTreeSet::new());
    for &word in words.iter().cycle() {
        let which = word as usize / 8;
        match word % 8 {
            0..3 => out.extend(ask(&mut forest, which % 9)),
            3 if !out.is_empty() && which.is_multiple_of(3) => {
                let (ticket, ..) = out.swap_remove(which % out.len());
                assert_eq!(forest.cancel(&[ticket]), 1);
            }
            _ if !out.is_empty() => {
                let (ticket, way, _) = out.swap_remove(which % out.len());
                tell(&mut forest, key, ticket, &way);
                assert!(told.insert(way), "told twice");
            }
            _ => out.extend(ask(&mut forest, 1)),
        }
        check(forest.trees()[0].arena());
        if out.is_empty() && forest.trees()[0].is_done() {
            break;
        }
    }
    told
}

fn children(key: u32, way: &[u32], max_depth: u32) -> impl Iterator<Item = Way> {
    let n = if way.len() < max_depth as usize { evaluate(key, way).1 as u32 } else { 0 };
    (0..n).map(move |action| [way, &[action]].concat())
}

fn best_first(key: u32, depth: u32) -> Vec<Way> {
    let (mut open, mut ways) = (vec![vec![]], vec![vec![]]);
    while let Some(at) =
        (0..open.len()).max_by(|&i, &j| evaluate(key, &open[i]).0.total_cmp(&evaluate(key, &open[j]).0))
    {
        for child in children(key, &open.remove(at), depth) {
            ways.push(child.clone());
            open.push(child);
        }
    }
    ways
}

fn breadth_first(key: u32, depth: u32) -> Vec<Way> {
    let (mut open, mut ways) = (VecDeque::from([vec![]]), Vec::new());
    while let Some(way) = open.pop_front() {
        open.extend(children(key, &way, depth));
        ways.push(way);
    }
    ways
}

fn depth_first(key: u32, depth: u32) -> Vec<Way> {
    let (mut open, mut ways) = (vec![vec![]], Vec::new());
    while let Some(way) = open.pop() {
        let mut below: Vec<Way> = children(key, &way, depth).collect();
        below.reverse();
        open.extend(below);
        ways.push(way);
    }
    ways
}

/// Beam search below `level`, whose nodes are told.
fn beam(key: u32, mut level: Vec<Way>, width: usize, depth: u32) -> Vec<Way> {
    let mut ways = level.clone();
    while !level.is_empty() {
        level.sort_by(|a, b| evaluate(key, b).0.total_cmp(&evaluate(key, a).0));
        level = level.iter().take(width).flat_map(|way| children(key, way, depth)).collect();
        ways.extend(level.iter().cloned());
    }
    ways
}

fn dvts(key: u32, width: usize, depth: u32) -> Vec<Way> {
    let tops: Vec<Way> = children(key, &[], depth).collect();
    let share = |i: usize| tops.iter().skip(i).step_by(width).cloned().collect();
    [vec![vec![]], (0..width).flat_map(|i| beam(key, share(i), 1, depth)).collect()].concat()
}

fn best_of_n(key: u32, n: u32, depth: u32) -> Vec<Way> {
    let mut ways: Vec<Way> = vec![vec![]];
    for chain in 0..if evaluate(key, &[]).1 > 0 && depth > 0 { n } else { 0 } {
        let mut way = vec![chain];
        ways.push(way.clone());
        while children(key, &way, depth).next().is_some() {
            way.push(0);
            ways.push(way.clone());
        }
    }
    ways
}

fn set(ways: Vec<Way>) -> BTreeSet<Way> {
    ways.into_iter().collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]
    #[test]
    fn orders_are_those_of_plain_programs(key in 0u32..1000, depth in 0u32..6, width in 1u32..5) {
        prop_assert_eq!(serially(Order::BestFirst, key, depth, 4000), best_first(key, depth));
        prop_assert_eq!(serially(Order::BreadthFirst, key, depth, 4000), breadth_first(key, depth));
        prop_assert_eq!(serially(Order::DepthFirst, key, depth, 4000), depth_first(key, depth));
        prop_assert_eq!(serially(Order::BestOfN { n: width }, key, depth, 4000), best_of_n(key, width, depth));
        let kept = beam(key, vec![vec![]], width as usize, depth);
        prop_assert_eq!(serially(Order::Beam { width }, key, depth, 4000), kept);
        let asked = serially(Order::Dvts { width }, key, depth, 4000);
        prop_assert_eq!(set(asked), set(dvts(key, width as usize, depth)));
        // A budget cuts the same order short.
        let begun: Vec<Way> = best_first(key, depth).into_iter().take(7).collect();
        prop_assert_eq!(serially(Order::BestFirst, key, depth, 7), begun);
    }

    #[test]
    fn what_is_asked_for_in_the_end_does_not_depend_on_the_order_of_answers(
        key in 0u32..1000,
        depth in 0u32..5,
        width in 1u32..5,
        words in prop::collection::vec(any::<u32>(), 20..60).prop_filter("tells", |words| words.iter().any(|word| word % 8 > 4)),
    ) {
        for order in [Order::BestFirst, Order::BreadthFirst, Order::DepthFirst, Order::BestOfN { n: width }, Order::Beam { width }, Order::Dvts { width }] {
            prop_assert_eq!(in_disorder(order, key, depth, &words), set(serially(order, key, depth, 4000)), "{:?}", order);
        }
    }

    #[test]
    fn children_that_come_one_by_one_are_counted_when_asked_for(
        k in 0.5..3.0f64,
        alpha in 0.0..1.0f64,
        c in 0.0..1.5f64,
        words in prop::collection::vec(any::<u32>(), 1..150),
    ) {
        let policy = Policy::Uct(Uct { c, fpu: Fpu::Constant(0.4) });
        let mut forest = forest(policy, Some(Widening { k, alpha }), 8, 4000);
        let (mut out, mut lost) = (Vec::new(), BTreeSet::new());
        for word in words {
            let which = word as usize / 8;
            match word % 8 {
                0..4 => for leaf in ask(&mut forest, 1 + which % 4) {
                    prop_assert!(leaf.1.is_empty() || leaf.2 == Kind::Widen);
                    lost.remove(&leaf.1);
                    // What was taken back comes before anything new beside it.
                    if let Some((_, above)) = leaf.1.split_last() {
                        prop_assert!(!lost.iter().any(|way: &Way| way.len() == leaf.1.len() && way.starts_with(above) && way < &leaf.1));
                    }
                    out.push(leaf);
                },
                4 if !out.is_empty() => {
                    let (ticket, way, _) = out.swap_remove(which % out.len());
                    forest.cancel(&[ticket]);
                    lost.insert(way);
                }
                _ if !out.is_empty() => {
                    let (ticket, way, _) = out.swap_remove(which % out.len());
                    tell(&mut forest, 1, ticket, &way);
                }
                _ => {}
            }
            let arena = forest.trees()[0].arena();
            check(arena);
            for slot in 0..arena.len() as u32 {
                // The visit that brought the last child was not counted when the rule was applied; some were taken back since.
                let visits = f64::from(arena.traffic(slot)) + lost.len() as f64;
                let most = (k * libm::pow(visits, alpha)).ceil();
                prop_assert!(f64::from(arena.n_children(slot)) <= most.max(1.0) + lost.len() as f64);
            }
        }
    }
}

#[test]
fn what_was_taken_back_is_asked_for_again_in_its_place() {
    for policy in [Policy::Uct(Uct { c: 1.0, fpu: Fpu::Constant(0.0) }), Policy::Thompson(Thompson::GAUSSIAN)] {
        let widening = matches!(policy, Policy::Uct(_)).then_some(Widening { k: 4.0, alpha: 0.5 });
        let mut forest = forest(policy, widening, 3, 100);
        let (root, ..) = ask(&mut forest, 1).remove(0);
        tell(&mut forest, 0, root, &[]);
        let before = ask(&mut forest, 4);
        let taken: Vec<u64> = before.iter().map(|leaf| leaf.0).collect();
        forest.cancel(&taken);
        let arena = forest.trees()[0].arena();
        assert_eq!((arena.traffic(0), arena.in_flight(0), forest.n_in_flight()), (1, 0, 0));
        let again = ask(&mut forest, 4);
        assert_eq!(forest.trees()[0].arena().len(), 1 + again.len().max(before.len()));
        assert!(again.iter().all(|leaf| leaf.2 == Kind::Widen));
        assert_eq!(again[0].1, before[0].1);
    }
}

#[test]
fn a_child_that_repeats_a_sibling_counts_and_is_not_gone_below() {
    let policy = Policy::Uct(Uct { c: 1.0, fpu: Fpu::Infinity });
    let config =
        Config { policy, widening: Some(Widening { k: 3.0, alpha: 0.0 }), deduplicate: true, ..Config::default() };
    let mut forest = Forest::new(1, config, Seed::from_u64(2), 0).unwrap();
    let mut below = [0; 3];
    for _ in 0..40 {
        let (ticket, way, _) = ask(&mut forest, 1).remove(0);
        let text = if way == [2] { "[0]".into() } else { format!("{way:?}") };
        if way.len() > 1 {
            below[way[0] as usize] += 1;
        }
        forest
            .tell(&[ticket], &Told { values: PerLeaf::All(0.5), payloads: &[Some(&text)], ..Told::default() })
            .unwrap();
    }
    let arena = forest.trees()[0].arena();
    check(arena);
    assert!(below[0] > 0 && below[1] > 0 && below[2] == 0, "{below:?}");
    let copies: Vec<u32> = arena.children(0).map(|slot| arena.n_duplicates(slot)).collect();
    assert_eq!(copies, [1, 0, 0]);
    assert_eq!(arena.visits(0), 40);
}
