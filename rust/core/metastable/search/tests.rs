//! Tests of the search.

use super::*;
use crate::metastable::MetaGraph;
use crate::metastable::family::{Entries, Spec, Within, metastable_chain};

fn ring() -> (MarkovChain, Vec<[u32; 2]>) {
    let spec = Spec {
        n_clusters: 5,
        cluster_size: 6,
        epsilon: 0.02,
        n_sources: 1,
        n_targets: 1,
        meta_graph: MetaGraph::Ring,
        within: Within::Uniform,
        entries: Entries::Distinct,
        n_actions: 0,
    };
    let made = metastable_chain(&spec, &Seed::from_u64(1), &Control::default()).unwrap();
    (made.chain, made.sparse_edges)
}

fn plan() -> Plan<'static> {
    Plan {
        starts: None,
        n_restarts: 40,
        n_rollouts: 3,
        n_cluster_steps: 60,
        max_steps: 500,
        n_edges: None,
        patience: None,
    }
}

fn search(plan: &Plan<'_>, threads: usize) -> Found {
    sparse_edge_search(&ring().0, plan, &Seed::from_u64(2), 7, &Control::new(threads)).unwrap()
}

/// One restart after another, by the words of the module.
fn one_by_one(plan: &Plan<'_>) -> Found {
    let (chain, control) = (ring().0, Control::default());
    let tables = chain.tables(&control).unwrap();
    let (mut found, mut places) = (Found::default(), HashMap::new());
    for restart in 0..plan.n_restarts {
        let seed = Seed::from_u64(2).child(7 + restart as u64);
        let mut stream = seed.stream(0);
        let mut state = stream.below(30) as u32;
        let mut cluster = vec![state];
        for _ in 0..plan.n_cluster_steps {
            state = tables.next(state, stream.next_u64());
            cluster.push(state);
        }
        let rollouts: Vec<Rollout> = (0..plan.n_rollouts as u64)
            .map(|number| {
                let (mut stream, mut state) = (seed.stream(number + 1), state);
                for n_steps in 1..=plan.max_steps {
                    let next = tables.next(state, stream.next_u64());
                    if !cluster.contains(&next) {
                        return Rollout { n_steps, edge: Some([state, next]) };
                    }
                    state = next;
                }
                Rollout { n_steps: plan.max_steps, edge: None }
            })
            .collect();
        found.add(&rollouts, plan.n_cluster_steps, &mut places);
    }
    found
}

#[test]
fn the_search_is_what_its_words_say() {
    for plan in [plan(), Plan { n_cluster_steps: 4, ..plan() }, Plan { n_restarts: 1, max_steps: 0, ..plan() }] {
        let expected = one_by_one(&plan);
        for threads in [1, 2, 7] {
            assert_eq!(search(&plan, threads), expected);
        }
    }
}

#[test]
fn all_edges_are_found_and_more_where_clusters_are_not_learnt() {
    let found = search(&plan(), 2);
    assert!(ring().1.iter().all(|edge| found.edges.contains(edge)));
    let short = search(&Plan { n_cluster_steps: 4, ..plan() }, 2);
    assert!(short.edges.len() > found.edges.len() + 5);
}

#[test]
fn a_search_that_stops_early_is_the_beginning_of_the_other() {
    let all = search(&plan(), 1);
    for (n_edges, patience) in [(Some(3), None), (None, Some(4)), (Some(5), Some(1)), (Some(99), None)] {
        let short = Plan { n_edges, patience, ..plan() };
        let found = search(&short, 1);
        let begin = search(&Plan { n_restarts: found.n_restarts, ..plan() }, 3);
        assert_eq!(found, begin);
        assert_eq!(search(&short, 7), found);
        if n_edges == Some(3) {
            assert!(found.edges.len() >= 3 && found.n_restarts < all.n_restarts);
            let before = search(&Plan { n_restarts: found.n_restarts - 1, ..plan() }, 1);
            assert!(before.edges.len() < 3);
        }
    }
}

#[test]
fn restarts_begin_where_they_are_told() {
    let states = vec![13u32; 40];
    let by_state = search(&Plan { starts: Some(Starts::each(&states, 30).unwrap()), ..plan() }, 2);
    let by_one = search(&Plan { starts: Some(Starts::one(13, 30).unwrap()), ..plan() }, 2);
    assert_eq!(by_state, by_one);
    assert_eq!(by_one.edges[0], [12, 19]);
    let law: Vec<f64> = (0..30).map(|state| f64::from(u8::from(state == 13))).collect();
    let by_law = search(&Plan { starts: Some(Starts::law(&law, 30).unwrap()), ..plan() }, 2);
    assert_eq!(by_law.edges[0], [12, 19]);
}

#[test]
fn wrong_arguments_are_named() {
    let message = |plan: &Plan<'_>| {
        sparse_edge_search(&ring().0, plan, &Seed::from_u64(2), 0, &Control::default()).unwrap_err().to_string()
    };
    assert_eq!(message(&Plan { n_restarts: 0, ..plan() }), "n_restarts must be at least 1, got 0");
    assert_eq!(message(&Plan { n_rollouts: 0, ..plan() }), "n_rollouts must be at least 1, got 0");
    let starts = Some(Starts::each(&[1, 2], 30).unwrap());
    assert_eq!(
        message(&Plan { starts, ..plan() }),
        "start must have one state for each of the 40 restarts, got 2 states"
    );
}
