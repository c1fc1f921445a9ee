//! What holds for every tree, whatever is asked, told and taken back in whatever order.

use super::arena::Arena;
use super::config::{Backup, Config, Fpu, InFlight, Policy, Puct, QTransform, Uct, Widening};
use super::forest::{Forest, Leaves};
use super::tell::{PerLeaf, Told};
use crate::problems::{Problem, TicTacToe};
use crate::random::Seed;
use crate::run::Control;
use proptest::prelude::*;

fn configs() -> impl Strategy<Value = Config> {
    let fpu = prop::sample::select(vec![Fpu::Infinity, Fpu::Constant(0.3), Fpu::ParentMinus(0.1)]);
    let uct = (0.0..2.0f64, fpu).prop_map(|(c, fpu)| Policy::Uct(Uct { c, fpu }));
    let transform = prop::sample::select(vec![
        QTransform::Raw,
        QTransform::ParentAndSiblings,
        QTransform::MinMax { min: -1.0, max: 1.0 },
    ]);
    let puct = transform.prop_map(|q_transform| Policy::Puct(Puct { q_transform, ..Puct::default() }));
    let policy = prop_oneof![uct, puct];
    let backup = prop::sample::select(vec![Backup::Mean, Backup::Max, Backup::Min, Backup::Product, Backup::Last]);
    let in_flight = prop_oneof![Just(InFlight::Count), (0.0..0.5).prop_map(InFlight::VirtualLoss)];
    let widening = prop::option::of(Just(Widening { k: 2.0, alpha: 0.5 }));
    let discount = prop::sample::select(vec![1.0, 0.9, -1.0]);
    (policy, backup, in_flight, widening, discount).prop_map(|(policy, backup, in_flight, widening, discount)| {
        let max_depth = 6;
        // A product of values, or the least of them, has no sign to flip.
        let discount = if matches!(backup, Backup::Min | Backup::Product) { 1.0 } else { discount };
        Config { policy, discount, backup, in_flight, max_depth, widening, ..Config::default() }
    })
}

/// Visits of children and of their parents agree in every node.
pub(super) fn check(arena: &Arena) {
    for slot in 0..arena.len() as u32 {
        let link = arena.link[slot as usize];
        if link < super::arena::LEAF {
            let (mut traffic, mut in_flight) = (0, 0);
            for child in arena.children(link) {
                traffic += arena.traffic(child);
                in_flight += arena.in_flight(child);
            }
            let record = arena.records[link as usize];
            if !arena.is_closed(link) && traffic > 0 {
                let own = record.visits - traffic;
                assert_eq!(own, 1, "a node's visits are its own evaluation and its children's visits");
                assert!(record.in_flight - in_flight <= 1);
            }
        }
    }
}

/// A pure function of the leaf, so that the order of evaluations does not matter.
pub(super) fn evaluate(tree: u32, path: &[u32]) -> (f64, i64) {
    let hash = hash(tree, path);
    let value = f64::from(crate::problems::synthetic::unit(hash));
    (value, if hash.is_multiple_of(5) && !path.is_empty() { 0 } else { 2 + (hash >> 32) as i64 % 3 })
}

/// What leaves are told apart by.
pub(super) fn hash(tree: u32, path: &[u32]) -> u64 {
    let start = u64::from(tree) + 17;
    path.iter().fold(start, |hash, &action| crate::problems::synthetic::mix(hash ^ (u64::from(action) + 1)))
}

proptest! {
    #[test]
    fn counts_agree_after_any_sequence(config in configs(), steps in prop::collection::vec((0u8..10, any::<u32>()), 1..120)) {
        let mut forest = Forest::new(3, config, Seed::from_u64(1), 0).unwrap();
        let mut out: Vec<(u64, u32, Vec<u32>)> = Vec::new();
        let mut told = Vec::new();
        for (what, which) in steps {
            let which = which as usize;
            match what {
                0..4 => {
                    let mut leaves = Leaves::default();
                    forest.ask(1 + which % 5, None, &mut leaves).unwrap();
                    for (i, leaf) in leaves.leaves.iter().enumerate() {
                        prop_assert!(out.iter().all(|(_, tree, path)| (*tree, &path[..]) != (leaf.tree, leaves.path(i))), "asked twice");
                        out.push((leaf.ticket, leaf.tree, leaves.path(i).to_vec()));
                    }
                }
                4..8 if !out.is_empty() => {
                    let (ticket, tree, path) = out.swap_remove(which % out.len());
                    let (value, n) = evaluate(tree, &path);
                    let told_of = Told { values: PerLeaf::All(value), n_children: PerLeaf::All(n), ..Told::default() };
                    prop_assert_eq!(forest.tell(&[ticket], &told_of).unwrap(), 1);
                    told.push(ticket);
                }
                8 if !out.is_empty() => {
                    let (ticket, ..) = out.swap_remove(which % out.len());
                    prop_assert_eq!(forest.cancel(&[ticket, ticket]), 1);
                }
                _ => {
                    if let Some(&ticket) = told.get(which % told.len().max(1)) {
                        let before = forest.trees()[0].arena().clone();
                        let late = Told { values: PerLeaf::All(0.5), n_children: PerLeaf::All(2), ..Told::default() };
                        prop_assert_eq!(forest.tell(&[ticket], &late).unwrap(), 0);
                        prop_assert_eq!(&before, forest.trees()[0].arena());
                    }
                }
            }
            for tree in forest.trees() {
                check(tree.arena());
            }
        }
        let in_flight: u32 = forest.trees().iter().map(super::tree::Tree::n_in_flight).sum();
        prop_assert_eq!(in_flight as usize, out.len());
    }

    #[test]
    fn what_is_taken_back_leaves_no_trace(config in configs(), told in 1usize..40, asked in 1usize..12) {
        // A widened tree keeps the place of a child that was not generated.
        let config = Config { widening: None, ..config };
        let mut forest = Forest::new(1, config, Seed::from_u64(1), 0).unwrap();
        let mut leaves = Leaves::default();
        for _ in 0..told {
            leaves.clear();
            forest.ask(1, None, &mut leaves).unwrap();
            if let Some(leaf) = leaves.leaves.first() {
                let (value, n) = evaluate(leaf.tree, leaves.path(0));
                let told = Told { values: PerLeaf::All(value), n_children: PerLeaf::All(n), ..Told::default() };
                forest.tell(&[leaf.ticket], &told).unwrap();
            }
        }
        // Rooms are made on the way down: let both forests make the same.
        leaves.clear();
        forest.ask(asked, None, &mut leaves).unwrap();
        let tickets: Vec<u64> = leaves.leaves.iter().map(|leaf| leaf.ticket).collect();
        forest.cancel(&tickets);
        let once = forest.trees()[0].clone();
        leaves.clear();
        forest.ask(asked, None, &mut leaves).unwrap();
        let tickets: Vec<u64> = leaves.leaves.iter().rev().map(|leaf| leaf.ticket).collect();
        forest.cancel(&tickets);
        let twice = &forest.trees()[0];
        if once.n_simulations() == twice.n_simulations() {
            for slot in 0..once.arena().len() as u32 {
                let seen = |arena: &Arena| {
                    let at = slot as usize;
                    (arena.value[at].to_bits(), arena.weight[at].to_bits(), arena.visits(slot), arena.in_flight(slot))
                };
                prop_assert_eq!(seen(once.arena()), seen(twice.arena()), "node {}", slot);
            }
        }
        check(once.arena());
    }
}

#[test]
fn children_may_be_told_before_the_value() {
    let mut forest = Forest::new(1, Config::default(), Seed::from_u64(1), 0).unwrap();
    let ask = |forest: &mut Forest| {
        let mut leaves = Leaves::default();
        forest.ask(1, None, &mut leaves).unwrap();
        leaves.leaves.first().copied()
    };
    let value = |value| Told { values: PerLeaf::All(value), ..Told::default() };
    let children = |n| Told { n_children: PerLeaf::All(n), ..Told::default() };
    let root = ask(&mut forest).unwrap();
    assert_eq!(ask(&mut forest), None, "nothing is known but the root, which is in flight");
    assert!(forest.tell(&[root.ticket], &value(0.5)).is_err(), "a value alone leaves the children open");
    assert_eq!(forest.tell(&[root.ticket], &children(2)).unwrap(), 0);
    let (left, right) = (ask(&mut forest).unwrap(), ask(&mut forest).unwrap());
    assert_eq!((left.node, right.node, left.action, right.action), (1, 2, 0, 1));
    assert_eq!(forest.tell(&[right.ticket], &children(0)).unwrap(), 0);
    assert_eq!(ask(&mut forest), None, "a terminal node whose value is not told is no leaf to visit");
    assert_eq!(forest.tell(&[right.ticket], &value(1.0)).unwrap(), 1);
    assert_eq!(forest.tell(&[right.ticket], &value(7.0)).unwrap(), 0);
    assert_eq!(forest.tell(&[root.ticket], &value(0.5)).unwrap(), 1);
    let arena = forest.trees()[0].arena();
    assert_eq!((arena.visits(0), arena.in_flight(0), arena.mean(0)), (2, 1, 0.75));
    assert_eq!(forest.cancel(&[left.ticket]), 1);
    let arena = forest.trees()[0].arena();
    assert_eq!((arena.visits(0), arena.in_flight(0), arena.mean(0)), (2, 0, 0.75));
    check(arena);
}

#[test]
fn a_node_taken_back_between_its_children_and_its_value_is_asked_for_again() {
    let mut forest = Forest::new(1, Config::default(), Seed::from_u64(1), 0).unwrap();
    let ask = |forest: &mut Forest| {
        let mut leaves = Leaves::default();
        forest.ask(1, None, &mut leaves).unwrap();
        leaves.leaves.first().copied()
    };
    for n_children in [0, 2] {
        let root = ask(&mut forest).unwrap();
        let told = Told { n_children: PerLeaf::All(n_children), ..Told::default() };
        forest.tell(&[root.ticket], &told).unwrap();
        forest.cancel(&[root.ticket]);
        assert_eq!((forest.trees()[0].arena().visits(0), forest.trees()[0].n_in_flight()), (0, 0));
    }
    let root = ask(&mut forest).unwrap();
    assert_eq!((root.node, root.depth), (0, 0));
    assert_eq!(forest.tell(&[root.ticket], &Told { values: PerLeaf::All(0.5), ..Told::default() }).unwrap(), 1);
    assert_eq!((forest.trees()[0].arena().visits(0), forest.trees()[0].arena().mean(0)), (1, 0.5));
}

#[test]
fn the_solver_agrees_with_minimax_everywhere() {
    let mut reachable = std::collections::HashMap::from([(TicTacToe::new("").unwrap().root(0), String::new())]);
    let game = TicTacToe::new("").unwrap();
    let mut open: Vec<_> = reachable.keys().copied().collect();
    while let Some(state) = open.pop() {
        for action in 0..game.n_actions(&state) {
            let mut next = state;
            game.step(&mut next, action);
            let moves = format!("{}{}", reachable[&state], game.describe_action(&state, action));
            if let std::collections::hash_map::Entry::Vacant(place) = reachable.entry(next) {
                place.insert(moves);
                open.push(next);
            }
        }
    }
    assert_eq!(reachable.len(), 5478, "positions of tic-tac-toe");
    let config = Config {
        policy: Policy::Uct(Uct { c: 1.4, fpu: Fpu::Infinity }),
        discount: -1.0,
        solver: Some((-1.0, 1.0)),
        ..Config::default()
    };
    for (state, moves) in &reachable {
        let game = TicTacToe::new(moves).unwrap();
        let mut forest = Forest::new(1, config.clone(), Seed::from_u64(3), 0).unwrap();
        forest.run(&game, 200_000, &Control::new(1)).unwrap();
        let tree = &forest.trees()[0];
        assert!(tree.arena().is_proven(0), "{moves} is proven");
        assert_eq!(tree.arena().mean(0), f64::from(game.best_value(state)), "{moves}");
        check(tree.arena());
    }
}
