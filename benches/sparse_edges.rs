//! The search for sparse edges, beside walks of the same steps that look for nothing.
//!
//! `cargo bench --bench sparse_edges`

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use slowthink::chains::observe::count_visits;
use slowthink::chains::{MarkovChain, Starts, Walks};
use slowthink::metastable::MetaGraph;
use slowthink::metastable::family::{Entries, Spec, Within, metastable_chain};
use slowthink::metastable::search::{Plan, sparse_edge_search};
use slowthink::random::Seed;
use slowthink::run::Control;
use std::hint::black_box;

fn ring(n_clusters: usize, cluster_size: usize) -> MarkovChain {
    let spec = Spec {
        n_clusters,
        cluster_size,
        epsilon: 1e-3,
        n_sources: 1,
        n_targets: 1,
        meta_graph: MetaGraph::Ring,
        within: Within::Uniform,
        entries: Entries::Distinct,
        n_actions: 0,
    };
    metastable_chain(&spec, &Seed::from_u64(1), &Control::default()).unwrap().chain
}

fn search(chain: &MarkovChain, n_rollouts: usize) -> u64 {
    let plan = Plan {
        starts: None,
        n_restarts: 60 / n_rollouts,
        n_rollouts,
        n_cluster_steps: 200,
        max_steps: 20_000,
        n_edges: None,
        patience: None,
    };
    sparse_edge_search(chain, &plan, &Seed::from_u64(2), 0, &Control::default()).unwrap().n_steps
}

/// The baseline: as many steps of 128 walks at once, whose visits are counted.
fn walk(chain: &MarkovChain, n_steps: u64) {
    let starts = Starts::one(1, chain.n_states()).unwrap();
    let walks = Walks { starts, n_walks: 128, n_steps: n_steps as usize / 128, seed: Seed::from_u64(2), first: 0 };
    let mut out = vec![0; chain.n_states()];
    count_visits(chain, &walks, 0, black_box(&mut out), &Control::default()).unwrap();
}

fn bench(c: &mut Criterion) {
    for (n_clusters, cluster_size) in [(8, 16), (100, 100)] {
        let chain = ring(n_clusters, cluster_size);
        let mut group = c.benchmark_group(format!("sparse_edges/{n_clusters} x {cluster_size}"));
        for n_rollouts in [1, 3, 10] {
            let n_steps = search(&chain, n_rollouts);
            group.throughput(Throughput::Elements(n_steps));
            group.bench_function(format!("search, {n_rollouts} rollouts"), |b| b.iter(|| search(&chain, n_rollouts)));
            group.bench_function(format!("walks, as of {n_rollouts}"), |b| b.iter(|| walk(&chain, n_steps)));
        }
        group.finish();
    }
}

criterion_group!(benches, bench);
criterion_main!(benches);
