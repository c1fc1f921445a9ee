//! Trees in which states are shared.

use super::arena::{Arena, LEAF};
use super::config::{Config, Fpu, Policy, Puct, Uct};
use super::forest::{Forest, Leaves};
use super::tell::{PerLeaf, Told};
use super::tests;
use super::tree::Tree;
use crate::problems::{Problem, TicTacToe};
use crate::random::{Seed, Stream};
use crate::run::Control;
use proptest::prelude::*;
use std::sync::atomic::{AtomicUsize, Ordering};

fn config(c: f64, discount: f64) -> Config {
    let policy = Policy::Uct(Uct { c, fpu: Fpu::Infinity });
    Config { policy, discount, transpositions: true, ..Config::default() }
}

fn forest(config: Config) -> Forest {
    Forest::new(1, config, Seed::from_u64(1), 0).unwrap()
}

/// The visits of every node are its evaluation and the visits of its edges, whoever comes along them.
fn check(arena: &Arena) {
    let mut out = vec![[0; 2]; arena.records.len()];
    let mut reached = vec![0; arena.records.len()];
    for slot in 0..arena.len() as u32 {
        let link = arena.link[slot as usize];
        assert!(arena.traffic(slot) >= arena.in_flight(slot));
        if link < LEAF {
            reached[link as usize] += arena.traffic(slot);
            if arena.same_as(slot).is_none() {
                for child in arena.children(link) {
                    out[link as usize][0] += arena.traffic(child);
                    out[link as usize][1] += arena.in_flight(child);
                }
            }
        }
    }
    for ((record, out), reached) in arena.records.iter().zip(out).zip(reached) {
        assert_eq!(record.visits, out[0] + 1);
        assert_eq!(record.in_flight, out[1]);
        assert!(record.visits <= reached, "nobody visits but along an edge");
    }
}

/// Asks for one leaf, and tells its value, children and key; `None` if there is no leaf.
fn step(forest: &mut Forest, tell: impl Fn(&[u32]) -> (f64, i64, u64)) -> Option<Vec<u32>> {
    let mut leaves = Leaves::default();
    forest.ask(1, None, &mut leaves).unwrap();
    let leaf = leaves.leaves.first()?;
    let (value, n, key) = tell(leaves.path(0));
    let told =
        Told { values: PerLeaf::All(value), n_children: PerLeaf::All(n), keys: PerLeaf::All(key), ..Told::default() };
    assert_eq!(forest.tell(&[leaf.ticket], &told).unwrap(), 1);
    Some(leaves.path(0).to_vec())
}

/// What `refresh` does, from the columns alone.
fn mean(tree: &Tree, slot: u32, own: f64, gamma: f64) -> f64 {
    let arena = &tree.arena;
    let (mut sum, mut n) = (own, 1.0);
    for child in arena.children(arena.link[slot as usize]) {
        let visits = f64::from(arena.visits(child));
        if visits > 0.0 {
            sum += visits * gamma * arena.mean(child);
            n += visits;
        }
    }
    sum / n
}

#[test]
fn both_parents_of_a_node_share_its_children() {
    // 0 then 1 and 1 then 0 lead to the same state: the key is the number of steps and ones.
    let key = |path: &[u32]| (path.len() as u64) << 8 | u64::from(path.iter().sum::<u32>());
    let own = |path: &[u32]| (key(path) as f64 * 0.7).sin();
    let mut forest = forest(config(1.0, -0.9));
    let mut paths = vec![];
    while let Some(path) = step(&mut forest, |path| (own(path), if path.len() < 5 { 2 } else { 0 }, key(path))) {
        paths.push(path);
        let tree = &forest.trees()[0];
        check(&tree.arena);
        // All nodes of the last walk are exact.
        let mut slot = 0;
        let last = paths.last().unwrap();
        for depth in 0..last.len() {
            let own = f64::from(own(&last[..depth]) as f32);
            let expected = mean(tree, slot, own, -0.9);
            assert!((tree.arena.mean(slot) - expected).abs() < 1e-12, "{last:?} {depth}");
            slot = tree.arena.children(tree.arena.link[slot as usize]).nth(last[depth] as usize).unwrap();
        }
    }
    let columns = forest.trees()[0].columns(forest.config());
    let shared: Vec<usize> = (0..columns.same_as.len()).filter(|&slot| columns.same_as[slot] >= 0).collect();
    assert!(shared.len() > 5);
    for slot in shared {
        let first = columns.same_as[slot] as usize;
        assert_eq!((columns.value[slot], columns.depth[slot]), (columns.value[first], columns.depth[first]));
        assert!(!columns.parent.contains(&(slot as i64)), "children belong to the first");
    }
    // There are 1 + 2 + 3 + 4 + 5 states with children: no other node has a record.
    assert_eq!(forest.trees()[0].arena.records.len(), 15);
}

#[test]
fn a_cycle_ends() {
    // Four states in a ring, and one step further or two: every state comes back.
    let state = |path: &[u32]| u64::from(path.iter().map(|action| action + 1).sum::<u32>() % 4);
    let mut forest = forest(config(0.5, 1.0));
    for _ in 0..400 {
        if step(&mut forest, |path| (state(path) as f64, 2, state(path))).is_none() {
            break;
        }
        check(&forest.trees()[0].arena);
    }
    let tree = &forest.trees()[0];
    assert!(tree.columns(forest.config()).same_as.iter().any(|&first| first > 0));
    assert!((0.0..=3.0).contains(&tree.arena.mean(0)));
}

struct Counted(TicTacToe, AtomicUsize);

impl Problem for Counted {
    type State = <TicTacToe as Problem>::State;

    fn root(&self, tree: u64) -> Self::State {
        self.0.root(tree)
    }

    fn n_actions(&self, state: &Self::State) -> u32 {
        self.0.n_actions(state)
    }

    fn step(&self, state: &mut Self::State, action: u32) -> f64 {
        self.0.step(state, action)
    }

    fn value(&self, state: &Self::State, stream: &mut Stream) -> f64 {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.value(state, stream)
    }

    fn n_players(&self) -> u8 {
        2
    }

    fn key(&self, state: &Self::State) -> Option<u64> {
        self.0.key(state)
    }
}

#[test]
fn a_game_is_solved_with_fewer_evaluations() {
    for moves in ["", "1", "15", "51", "1425", "519", "1537"] {
        let run = |transpositions| {
            let game = Counted(TicTacToe::new(moves).unwrap(), AtomicUsize::new(0));
            let mut forest = forest(Config { transpositions, ..config(1.0, -1.0) });
            forest.run(&game, 20_000, &Control::new(1)).unwrap();
            let tree = forest.trees[0].clone();
            let best = f64::from(game.0.best_value(&game.0.root(0)));
            ((tree.arena.mean(0) - best).abs(), game.1.into_inner(), tree)
        };
        let (error, evaluations, tree) = run(true);
        let (plain_error, plain, _) = run(false);
        check(&tree.arena);
        assert!(error < plain_error + 0.02 && error < 0.12, "{moves}: {error} {plain_error}");
        assert!(evaluations < plain || plain < 100, "{moves}: {evaluations} {plain}");
        assert_eq!(tree.simulations, 20_000);
    }
}

fn evaluate(path: &[u32], keys: u64) -> (f64, i64, u64) {
    let ((value, n), hash) = (tests::evaluate(0, path), tests::hash(0, path));
    (value, n, if keys == 0 { hash } else { hash >> 8 })
}

#[test]
fn with_no_state_twice_it_is_a_tree() {
    for n in [1, 10, 500] {
        let visits = |transpositions| {
            let mut forest = forest(Config { max_depth: 7, transpositions, ..config(0.7, 0.9) });
            for _ in 0..n {
                let mut leaves = Leaves::default();
                forest.ask(3, None, &mut leaves).unwrap();
                for (i, leaf) in leaves.leaves.iter().enumerate() {
                    let (value, n, key) = evaluate(leaves.path(i), 0);
                    let keys = if transpositions { PerLeaf::All(key) } else { PerLeaf::None };
                    let told =
                        Told { values: PerLeaf::All(value), n_children: PerLeaf::All(n), keys, ..Told::default() };
                    forest.tell(&[leaf.ticket], &told).unwrap();
                }
            }
            let columns = forest.trees()[0].columns(forest.config());
            (columns.visits, columns.parent)
        };
        assert_eq!(visits(true), visits(false));
    }
}

proptest! {
    #[test]
    fn counts_agree_after_any_sequence(
        puct in any::<bool>(), n_keys in 1u64..40, steps in prop::collection::vec((0u8..9, any::<u32>()), 1..150)
    ) {
        let mut config = Config { max_depth: 6, ..config(0.8, 0.9) };
        if puct {
            config.policy = Policy::Puct(Puct::default());
        }
        let mut forest = forest(config);
        let mut out: Vec<(u64, Vec<u32>)> = Vec::new();
        for (what, which) in steps {
            let which = which as usize;
            match what {
                0..4 => {
                    let mut leaves = Leaves::default();
                    forest.ask(1 + which % 5, None, &mut leaves).unwrap();
                    out.extend(leaves.leaves.iter().enumerate().map(|(i, leaf)| (leaf.ticket, leaves.path(i).to_vec())));
                }
                4..8 if !out.is_empty() => {
                    let (ticket, path) = out.swap_remove(which % out.len());
                    let (value, n, key) = evaluate(&path, 1);
                    let told = Told {
                        values: PerLeaf::All(value),
                        n_children: PerLeaf::All(n),
                        keys: PerLeaf::All(key % n_keys),
                        ..Told::default()
                    };
                    prop_assert_eq!(forest.tell(&[ticket], &told).unwrap(), 1);
                }
                _ if !out.is_empty() => {
                    let (ticket, _) = out.swap_remove(which % out.len());
                    prop_assert_eq!(forest.cancel(&[ticket]), 1);
                }
                _ => {}
            }
            check(&forest.trees()[0].arena);
        }
        prop_assert_eq!(forest.trees()[0].n_in_flight() as usize, out.len());
        let mean = forest.trees()[0].arena.mean(0);
        prop_assert!(mean.is_nan() || (0.0..=1.0).contains(&mean));
    }
}

#[test]
fn what_makes_no_sense_is_refused() {
    use super::config::{Backup, InFlight, Widening};
    let good = config(1.0, 1.0);
    for bad in [
        Config { backup: Backup::Max, ..good.clone() },
        Config { in_flight: InFlight::VirtualLoss(0.0), ..good.clone() },
        Config { solver: Some((0.0, 1.0)), ..good.clone() },
        Config { widening: Some(Widening { k: 1.0, alpha: 0.5 }), ..good.clone() },
    ] {
        assert!(bad.check().is_err_and(|error| error.to_string().contains("transpositions")));
    }
    let mut plain = forest(Config { transpositions: false, ..good });
    let mut leaves = Leaves::default();
    plain.ask(1, None, &mut leaves).unwrap();
    let keys = PerLeaf::All(1);
    let told = Told { values: PerLeaf::All(0.5), n_children: PerLeaf::All(2), keys, ..Told::default() };
    assert!(plain.tell(&[leaves.leaves[0].ticket], &told).is_err());
}
