//! Second-order walks (p = 0.5, q = 2) beside the plain loop of first-order ones: one walk after another, each step two
//! reads that wait for each other.
//!
//! Read the figures as time for one step; the ratio that docs/benchmarks.md gives is plain over second order. The graphs
//! are random ones of mean degree 10: one for the nearest caches, and one beyond them.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use slowthink::chains::matrix::Meaning;
use slowthink::chains::{Dangling, MarkovChain, Starts, second_order};
use slowthink::random::Seed;
use slowthink::run::Control;
use std::hint::black_box;

/// States of a walk: a row of them is five cache lines.
const WIDTH: usize = 80;

/// Row pointers and targets of `n_states * 5` random pairs, both ways, and a ring so that no state is alone.
fn graph(n_states: usize) -> (Vec<i64>, Vec<u32>) {
    let mut stream = Seed::from_u64(1).stream(0);
    let mut state = || stream.below(n_states as u64) as u32;
    let mut pairs: Vec<(u32, u32)> = (0..n_states * 4).map(|_| (state(), state())).collect();
    pairs.extend((0..n_states as u32).map(|state| (state, (state + 1) % n_states as u32)));
    pairs.retain(|&(a, b)| a != b);
    pairs.extend(pairs.clone().iter().map(|&(a, b)| (b, a)));
    pairs.sort_unstable();
    pairs.dedup();
    let mut indptr = vec![0i64; n_states + 1];
    for &(from, _) in &pairs {
        indptr[from as usize + 1] += 1;
    }
    for state in 0..n_states {
        indptr[state + 1] += indptr[state];
    }
    (indptr, pairs.into_iter().map(|(_, to)| to).collect())
}

/// First-order walks on a uniform chain, one after another.
fn plain(indptr: &[i64], targets: &[u32], starts: &[u32], out: &mut [u32]) {
    let mut random = 0x9e37_79b9_7f4a_7c15u64;
    for (row, &start) in out.chunks_mut(WIDTH).zip(starts) {
        let mut state = start;
        row[0] = state;
        for next in &mut row[1..] {
            let begin = indptr[state as usize];
            let degree = (indptr[state as usize + 1] - begin) as u64;
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            state = targets[begin as usize + (((random >> 32) * degree) >> 32) as usize];
            *next = state;
        }
    }
}

fn walks(criterion: &mut Criterion) {
    for (name, n_states, n_walks) in [("10 thousand states", 10_000, 20_000), ("1 million states", 1_000_000, 20_000)] {
        let mut group = criterion.benchmark_group(format!("second-order walks, {name}"));
        group.throughput(Throughput::Elements((n_walks * (WIDTH - 1)) as u64));
        let (indptr, targets) = graph(n_states);
        let mut stream = Seed::from_u64(2).stream(0);
        let weights: Vec<f64> = targets.iter().map(|_| 0.1 + stream.uniform()).collect();
        let states: Vec<u32> = (0..n_walks).map(|_| stream.below(n_states as u64) as u32).collect();
        let mut out = vec![0; n_walks * WIDTH];
        group.bench_function("plain loop, first order", |b| {
            b.iter(|| plain(black_box(&indptr), &targets, &states, &mut out));
        });
        for (kind, values) in [("uniform", None), ("weighted", Some(&weights[..]))] {
            let (control, meaning) = (Control::default(), Meaning::Weights(Dangling::Error));
            let chain = MarkovChain::from_csr(&indptr, &targets, values, meaning, &control).expect("a valid chain");
            let starts = Starts::each(&states, n_states).expect("states of the chain");
            for (p, q) in [(0.5, 2.0), (4.0, 0.25)] {
                group.bench_function(format!("{kind}, p = {p}, q = {q}"), |b| {
                    b.iter(|| {
                        let (seed, control) = (Seed::from_u64(3), Control::default());
                        second_order::walk(&chain, &starts, WIDTH - 1, p, q, &seed, 0, &mut out, &control)
                    });
                });
            }
        }
        group.finish();
    }
}

criterion_group! { name = benches; config = Criterion::default().sample_size(10); targets = walks }
criterion_main!(benches);
