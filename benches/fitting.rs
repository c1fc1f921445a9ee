//! Chains from data beside the plain way: counts in a hash map, reversible chains by the fixed point, texts one after
//! another.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use slowthink::chains::fitting::counts::count;
use slowthink::chains::fitting::effective::inefficiency;
use slowthink::chains::fitting::reversible::fit;
use slowthink::chains::fitting::reversible_posterior::{Turns, sample};
use slowthink::chains::fitting::table::CountTable;
use slowthink::chains::fitting::trajectories::Trajectories;
use slowthink::chains::matrix::Meaning;
use slowthink::chains::{MarkovChain, Starts, Walks, text};
use slowthink::random::Seed;
use slowthink::run::Control;
use std::collections::HashMap;
use std::hint::black_box;

fn counting(c: &mut Criterion) {
    let mut stream = Seed::from_u64(1).stream(0);
    let length = 2_000_000u64;
    for n_states in [100, 100_000] {
        // A walk of short steps on a ring: some 20 successors a state.
        let mut state = 0;
        let states: Vec<u32> = (0..length)
            .map(|_| {
                state = (state + n_states + stream.below(21) - 10) % n_states;
                state as u32
            })
            .collect();
        let offsets = [0, states.len() as i64];
        let trajectories = Trajectories::new(&states, &offsets, n_states as usize).expect("valid");
        let mut group = c.benchmark_group(format!("counts/{n_states} states"));
        group.sample_size(10).throughput(Throughput::Elements(length));
        for (name, lag) in [("lag 1", 1), ("lag 10", 10)] {
            group.bench_function(name, |b| {
                b.iter(|| count(&trajectories, lag, false, &Control::default()).expect("valid"));
            });
        }
        let counts = count(&trajectories, 10, false, &Control::default()).expect("valid");
        group.bench_function("what they are worth, lag 10", |b| {
            b.iter(|| inefficiency(&trajectories, 10, &counts, &Control::default()).expect("valid"));
        });
        group.bench_function("baseline: a hash map", |b| {
            b.iter(|| {
                let mut seen: HashMap<(u32, u32), i64> = HashMap::new();
                states.windows(2).for_each(|pair| *seen.entry((pair[0], pair[1])).or_insert(0) += 1);
                black_box(seen.len())
            });
        });
    }
}

/// Counts of `n` states in two sets that a few transitions join, dense within each.
fn metastable(n: usize) -> (Vec<i64>, Vec<u32>, Vec<f64>) {
    let mut stream = Seed::from_u64(2).stream(0);
    let (mut indptr, mut indices, mut values) = (vec![0], Vec::new(), Vec::new());
    for i in 0..n {
        for j in 0..n {
            let same = (i < n / 2) == (j < n / 2);
            if same || (i + j == n - 1 && i % 10 == 0) || (i + j == n - 1 && j % 10 == 0) {
                indices.push(j as u32);
                values.push(if same { 500.0 + stream.below(1000) as f64 } else { 1.0 + stream.below(5) as f64 });
            }
        }
        indptr.push(indices.len() as i64);
    }
    (indptr, indices, values)
}

/// One round of `x_i <- sum_j (c_ij + c_ji) / (c_i / x_i + c_j / x_j)`, of which metastable counts take as many as the
/// chain needs steps to relax.
fn round(n: usize, both: &[f64], out: &[f64], x: &mut [f64]) {
    let ratio: Vec<f64> = out.iter().zip(&*x).map(|(out, x)| out / x).collect();
    for i in 0..n {
        x[i] = (0..n).map(|j| both[i * n + j] / (ratio[i] + ratio[j])).sum();
    }
}

fn reversible(c: &mut Criterion) {
    let n = 100;
    let (indptr, indices, values) = metastable(n);
    let table = CountTable::new(&indptr, &indices, &values).expect("valid");
    let mut group = c.benchmark_group("reversible, 100 metastable states");
    group.sample_size(10);
    group.bench_function("fit", |b| b.iter(|| fit(&table, &Control::default()).expect("valid")));
    let (mut both, mut out) = (vec![0.0; n * n], vec![0.0; n]);
    for i in 0..n {
        for entry in indptr[i] as usize..indptr[i + 1] as usize {
            let j = indices[entry] as usize;
            both[i * n + j] += values[entry];
            both[j * n + i] += values[entry];
            out[i] += values[entry];
        }
    }
    let mut x = out.clone();
    group.bench_function("baseline: 1000 rounds of the fixed point", |b| {
        b.iter(|| (0..1000).for_each(|_| round(n, &both, &out, &mut x)));
    });
    group.bench_function("32 samples of the posterior", |b| {
        let turns = Turns { burn_in: 32, thinning: 4 };
        b.iter(|| sample(&table, 32, turns, &Seed::from_u64(1), 0, &Control::default()).expect("valid"));
    });
}

fn texts(c: &mut Criterion) {
    let n = 65;
    let mut stream = Seed::from_u64(3).stream(0);
    let weights: Vec<f64> = (0..n * n).map(|_| 1.0 + stream.below(1000) as f64).collect();
    let indptr: Vec<i64> = (0..=n).map(|i| (i * n) as i64).collect();
    let indices: Vec<u32> = (0..n * n).map(|place| (place % n) as u32).collect();
    let meaning = Meaning::Weights(slowthink::chains::Dangling::Error);
    let chain = MarkovChain::from_csr(&indptr, &indices, Some(&weights), meaning, &Control::default()).expect("valid");
    let symbols: Vec<u8> = (0..n as u8).map(|symbol| symbol + 32).collect();
    let mut group = c.benchmark_group("texts of 65 characters");
    group.sample_size(10);
    for (n_walks, n_steps) in [(1, 1_000_000), (128, 10_000)] {
        let mut out = vec![0; n_walks * n_steps];
        group.throughput(Throughput::Elements(out.len() as u64));
        group.bench_function(format!("{n_walks} at once"), |b| {
            b.iter(|| {
                let starts = Starts::one(0, n).expect("valid");
                let walks = Walks { starts, n_walks, n_steps, seed: Seed::from_u64(4), first: 0 };
                text::generate(&chain, &walks, &symbols, &mut out, &Control::default()).expect("valid");
            });
        });
    }
}

criterion_group!(benches, counting, reversible, texts);
criterion_main!(benches);
