//! Tests of the family.

use super::*;
use crate::chains::connected::strong_components;
use crate::metastable::oracle::mean_costs;
use proptest::prelude::*;

fn spec() -> Spec<'static> {
    Spec {
        n_clusters: 4,
        cluster_size: 5,
        epsilon: 0.01,
        n_sources: 1,
        n_targets: 1,
        meta_graph: MetaGraph::Ring,
        within: Within::Uniform,
        entries: Entries::Distinct,
        n_actions: 0,
    }
}

fn make(spec: &Spec<'_>) -> Family {
    metastable_chain(spec, &Seed::from_u64(3), &Control::default()).unwrap()
}

#[test]
fn the_reference_ring() {
    let found = make(&spec());
    assert_eq!(found.meta_edges, [[0, 1], [1, 2], [2, 3], [3, 0]]);
    assert_eq!(found.entries, [1, 6, 11, 16]);
    assert_eq!(found.sparse_edges, [[0, 6], [5, 11], [10, 16], [15, 1]]);
    let source: Vec<(u32, f64)> = found.chain.row(5).iter().collect();
    assert_eq!(source.iter().map(|&(target, _)| target).collect::<Vec<_>>(), [5, 6, 7, 8, 9, 11]);
    assert_eq!((source[0].1, source[5].1), (0.99 * 0.2, 0.01));
    assert!(found.chain.row(6).iter().eq((5..10).map(|target| (target, 0.2))));
    assert!(found.actions.is_empty());
}

#[test]
fn a_source_with_epsilon_one_always_leaves() {
    let found = make(&Spec { epsilon: 1.0, ..spec() });
    assert!(found.chain.row(10).iter().eq([(16, 1.0)]));
}

#[test]
fn what_is_drawn_does_not_depend_on_what_else_is() {
    let base = Spec { meta_graph: MetaGraph::Random { degree: 2 }, entries: Entries::Random, n_actions: 5, ..spec() };
    let (one, other) = (make(&base), make(&Spec { within: Within::Random, epsilon: 0.5, ..base }));
    assert_eq!((&one.meta_edges, &one.entries), (&other.meta_edges, &other.entries));
    assert_eq!((&one.sparse_edges, &one.actions), (&other.sparse_edges, &other.actions));
    assert!(one.actions.iter().all(|&action| action < 5) && one.actions.iter().any(|&action| action > 0));
}

proptest! {
    #[test]
    fn every_chain_of_the_family_is_what_its_words_say(
        n_clusters in 2usize..7, cluster_size in 2usize..7, n_sources in 1usize..3, n_targets in 1usize..3,
        graph in 0usize..4, within in 0usize..3, entries in 0usize..3, seed in any::<u64>(),
    ) {
        let (n_sources, n_targets) = (n_sources.min(cluster_size), n_targets.min(cluster_size));
        let spec = Spec {
            n_clusters, cluster_size, epsilon: 1e-3, n_sources, n_targets,
            meta_graph: [
                MetaGraph::Ring, MetaGraph::Cycle, MetaGraph::Complete, MetaGraph::Random { degree: 1 },
            ][graph],
            within: [Within::Uniform, Within::Regular { degree: 3 }, Within::Random][within],
            entries: [Entries::Distinct, Entries::Sources, Entries::Random][entries],
            n_actions: 3,
        };
        let control = Control::default();
        let Ok(found) = metastable_chain(&spec, &Seed::from_u64(seed), &control) else {
            prop_assert!(n_sources + n_targets > cluster_size || n_targets > n_sources);
            return Ok(());
        };
        let cluster = |state: u32| state as usize / cluster_size;
        let mut sparse = Vec::new();
        for state in 0..found.chain.n_states() as u32 {
            let (mut inside, mut outside) = (0.0, 0.0);
            for (target, probability) in found.chain.row(state).iter() {
                if cluster(target) == cluster(state) {
                    inside += probability;
                } else {
                    outside += probability;
                    sparse.push([state, target]);
                    prop_assert!(found.meta_edges.contains(&[cluster(state) as u32, cluster(target) as u32]));
                    prop_assert!(found.entries[cluster(target) * n_targets..][..n_targets].contains(&target));
                }
            }
            let leaves = if (state as usize % cluster_size) < n_sources { 1e-3f64 } else { 0.0 };
            prop_assert!((inside - (1.0 - leaves)).abs() < 1e-14 && (outside - leaves).abs() < 1e-17);
        }
        prop_assert_eq!(&sparse, &found.sparse_edges);
        prop_assert_eq!(sparse.len(), found.meta_edges.len() * n_sources * n_targets);
        prop_assert_eq!(found.actions.len(), sparse.len());
        // Each cluster hangs together without the sparse edges, and the last is reached from all.
        let (mut indptr, mut inside) = (vec![0], Vec::new());
        for state in 0..found.chain.n_states() as u32 {
            inside.extend(found.chain.row(state).targets.iter().filter(|&&target| cluster(target) == cluster(state)));
            indptr.push(inside.len() as i64);
        }
        let component = strong_components(&indptr, &inside, &control).unwrap();
        prop_assert!((0..component.len()).all(|s| component[s] == component[s / cluster_size * cluster_size]));
        let times = mean_costs(&found.meta_edges, &vec![1.0; n_clusters], n_clusters - 1, &control).unwrap();
        prop_assert!(times.iter().all(|time| time.is_finite()));
    }
}

#[test]
fn wrong_arguments_are_named() {
    let base = spec();
    let cases: [(Spec<'_>, &str); 9] = [
        (Spec { n_clusters: 1, ..base }, "n_clusters must be at least 2, got 1"),
        (Spec { cluster_size: 0, ..base }, "cluster_size must be at least 1, got 0"),
        (Spec { cluster_size: 1 << 30, ..base }, "cluster_size must be such that there are less than 2^32 states"),
        (Spec { epsilon: 0.0, ..base }, "epsilon must be from 1e-300 to 1, got 0"),
        (Spec { epsilon: f64::NAN, ..base }, "epsilon must be from 1e-300 to 1, got NaN"),
        (Spec { n_targets: 5, ..base }, "n_targets must be at most cluster_size - n_sources = 4 where entries"),
        (Spec { n_targets: 2, entries: Entries::Sources, ..base }, "n_targets must be at most n_sources = 1 where"),
        (
            Spec { entries: Entries::Given(&[1, 2, 5, 0]), ..base },
            "entries[2, 0] must be below cluster_size = 5, got 5",
        ),
        (Spec { within: Within::Regular { degree: 1 }, ..base }, "cluster_degree must be at least 2, got 1"),
    ];
    for (spec, text) in cases {
        let error = metastable_chain(&spec, &Seed::from_u64(1), &Control::default()).unwrap_err().to_string();
        assert!(error.starts_with(text), "{error}");
    }
}
