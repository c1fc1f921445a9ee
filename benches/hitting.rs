//! Hitting times: jumps beside plain stepping, and many walks at once beside one walk after another.
//!
//! `cargo bench --bench hitting`

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use slowthink::chains::hitting::{Jumping, StateSet, sample_hitting_times};
use slowthink::chains::matrix::Meaning;
use slowthink::chains::{Dangling, MarkovChain, Starts, Walks};
use slowthink::random::{Seed, Stream};
use slowthink::run::Control;
use std::hint::black_box;

/// A chain from rows of (target, weight).
fn chain(rows: &[Vec<(u32, f64)>]) -> MarkovChain {
    let mut indptr = vec![0];
    indptr.extend(rows.iter().scan(0, |sum, row| {
        *sum += row.len() as i64;
        Some(*sum)
    }));
    let (indices, weights): (Vec<u32>, Vec<f64>) = rows.iter().flatten().copied().unzip();
    let meaning = Meaning::Weights(Dangling::Error);
    MarkovChain::from_csr(&indptr, &indices, Some(&weights), meaning, &Control::default()).unwrap()
}

/// `n` states, each joined to each, left for the target with probability `leave` a step.
fn set(n: u32, leave: f64) -> MarkovChain {
    let row =
        |i: u32| (0..n).map(move |j| (j, f64::from(1 + (i * 7 + j * 3) % 5))).chain([(n, 3.0 * leave * f64::from(n))]);
    let mut rows: Vec<Vec<_>> = (0..n).map(|i| row(i).collect()).collect();
    rows.push(vec![(n, 1.0)]);
    chain(&rows)
}

/// `n` states with ten random transitions each.
fn graph(n: u32) -> MarkovChain {
    let seed = Seed::from_u64(1);
    let row = |i: u64| {
        let mut stream = seed.stream(i);
        (0..10).map(|_| (stream.below(u64::from(n)) as u32, 0.1 + stream.uniform())).collect()
    };
    chain(&(0..u64::from(n)).map(row).collect::<Vec<_>>())
}

fn targets(chain: &MarkovChain, states: impl Iterator<Item = u32>) -> StateSet {
    let mut set = StateSet::new(chain.n_states());
    states.for_each(|state| set.insert(state));
    set
}

fn sample(chain: &MarkovChain, targets: &StateSet, jumping: Jumping<'_>, n_steps: usize, out: &mut [i64]) {
    let starts = Starts::one(0, chain.n_states()).unwrap();
    let walks = Walks { starts, n_walks: out.len() / 2, n_steps, seed: Seed::from_u64(3), first: 0 };
    sample_hitting_times(chain, &walks, targets, jumping, out, &Control::default()).unwrap();
}

fn mean(out: &[i64]) -> f64 {
    out.chunks(2).map(|pair| pair[0] as f64).sum::<f64>() / (out.len() / 2) as f64
}

/// The baseline: one walk after another, from the same tables.
fn one_by_one(chain: &MarkovChain, targets: &StateSet, out: &mut [i64]) {
    let tables = chain.tables(&Control::default()).unwrap();
    for (walk, pair) in out.chunks_mut(2).enumerate() {
        let mut stream: Stream = Seed::from_u64(3).stream(walk as u64);
        let (mut state, mut time) = (0, 0);
        while !targets.contains(state) {
            state = tables.next(state, stream.next_u64());
            time += 1;
        }
        pair.copy_from_slice(&[time, i64::from(state)]);
    }
}

fn bench(c: &mut Criterion) {
    // A mean time of a million steps, from sets of 1 to 40 states: what a walk costs by steps and by jumps.
    let mut group = c.benchmark_group("leaving");
    group.sample_size(10);
    for n in [1, 2, 10, 40] {
        let chain = set(n, 1e-6);
        let target = targets(&chain, n..=n);
        let labels: Vec<i64> = (0..=n).map(|state| if state < n { 0 } else { -1 }).collect();
        let mut times = vec![0; 2 * 256];
        sample(&chain, &target, Jumping::Never, 1 << 40, &mut times);
        let stepped = mean(&times);
        sample(&chain, &target, Jumping::Labels(&labels), 1 << 40, &mut times);
        assert!((mean(&times) / stepped - 1.0).abs() < 0.5, "{stepped} {}", mean(&times));
        group.throughput(Throughput::Elements(256));
        group.bench_function(BenchmarkId::new("steps", n), |b| {
            b.iter(|| sample(&chain, &target, Jumping::Never, 1 << 40, black_box(&mut times)));
        });
        group.bench_function(BenchmarkId::new("jumps", n), |b| {
            b.iter(|| sample(&chain, &target, Jumping::Labels(&labels), 1 << 40, black_box(&mut times)));
        });
        let slow = set(n, 1e-15);
        group.bench_function(BenchmarkId::new("jumps, a billion times as long", n), |b| {
            b.iter(|| sample(&slow, &target, Jumping::Labels(&labels), 1 << 62, black_box(&mut times)));
        });
    }
    group.finish();

    // A thousand steps to one of the targets, in a chain in the cache and in one that is not.
    let mut group = c.benchmark_group("hitting");
    group.sample_size(10);
    for (name, n) in [("ten thousand states", 10_000), ("two million states", 2_000_000)] {
        let chain = graph(n);
        let target = targets(&chain, (0..n).filter(|state| state % 1000 == 999));
        let (mut times, mut plain) = (vec![0; 2 * 4096], vec![0; 2 * 4096]);
        sample(&chain, &target, Jumping::Never, 1 << 40, &mut times);
        one_by_one(&chain, &target, &mut plain);
        assert_eq!(times, plain);
        group.throughput(Throughput::Elements(mean(&plain) as u64 * 4096));
        group.bench_function(BenchmarkId::new("one walk after another", name), |b| {
            b.iter(|| one_by_one(&chain, &target, black_box(&mut plain)));
        });
        group.bench_function(BenchmarkId::new("kernel", name), |b| {
            b.iter(|| sample(&chain, &target, Jumping::Never, 1_000_000, black_box(&mut times)));
        });
    }
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
