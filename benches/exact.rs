//! Exact analysis: elimination in panels beside the plain triple loop, and sparse chains by elimination.
//!
//! `cargo bench --bench exact`

use criterion::{Criterion, criterion_group, criterion_main};
use slowthink::chains::elimination::{Factors, Plan};
use slowthink::chains::system::System;
use slowthink::random::{Seed, Stream};
use slowthink::run::Control;
use std::hint::black_box;

/// A system from rows of (target, weight) without loops; state 0 has an exit.
fn system(mut rows: Vec<Vec<(u32, f64)>>) -> System {
    let mut system = System { begins: vec![0], states: (0..rows.len() as u32).collect(), ..System::default() };
    for (state, row) in rows.iter_mut().enumerate() {
        row.retain(|&(target, _)| target != state as u32);
        row.sort_unstable_by_key(|&(target, _)| target);
        row.dedup_by_key(|&mut (target, _)| target);
        system.targets.extend(row.iter().map(|&(target, _)| target));
        system.values.extend(row.iter().map(|&(_, weight)| weight));
        system.begins.push(system.targets.len());
        system.exits.push(if state == 0 { 0.1 } else { 0.0 });
    }
    system
}

fn dense(n: u32) -> System {
    let mut stream = Seed::from_u64(1).stream(0);
    let rows = (0..n).map(|_| (0..n).map(|target| (target, 0.01 + stream.uniform())).collect());
    system(rows.collect())
}

/// Blocks in a ring, three weak links from each to the next and back; within a block a ring and `partners` random
/// partners a state, or all where there are none.
fn blocks(n_blocks: u32, size: u32, partners: u32) -> System {
    let mut stream = Seed::from_u64(2).stream(0);
    let mut rows: Vec<Vec<(u32, f64)>> = vec![Vec::new(); (n_blocks * size) as usize];
    let mut join = |a: u32, b: u32, scale: f64, stream: &mut Stream| {
        let weight = scale * (0.1 + stream.uniform());
        rows[a as usize].push((b, weight));
        rows[b as usize].push((a, weight));
    };
    for block in 0..n_blocks {
        for state in 0..size {
            let from = block * size + state;
            join(from, block * size + (state + 1) % size, 1.0, &mut stream);
            if partners == 0 {
                (state + 1..size).for_each(|other| join(from, block * size + other, 1.0, &mut stream));
            }
            for _ in 0..partners {
                join(from, block * size + stream.below(u64::from(size)) as u32, 1.0, &mut stream);
            }
        }
        for _ in 0..3 {
            let from = block * size + stream.below(u64::from(size)) as u32;
            let to = (block + 1) % n_blocks * size + stream.below(u64::from(size)) as u32;
            join(from, to, 0.2, &mut stream);
        }
    }
    system(rows)
}

/// Mean times by the plain loop on a full table.
fn plain(system: &System) -> Vec<f64> {
    let n = system.n_states();
    let mut table = vec![0.0; n * (n + 1)];
    for (state, row) in table.chunks_exact_mut(n + 1).enumerate() {
        let (targets, values) = system.row(state);
        targets.iter().zip(values).for_each(|(&target, &value)| row[target as usize] = value);
        row[n] = system.exits[state];
    }
    let mut times = vec![1.0; n];
    for k in 0..n {
        let (before, after) = table.split_at_mut((k + 1) * (n + 1));
        let row = &mut before[k * (n + 1)..];
        let leave: f64 = row[k + 1..].iter().sum();
        row[k + 1..].iter_mut().for_each(|value| *value /= leave);
        times[k] /= leave;
        for (index, other) in after.chunks_exact_mut(n + 1).enumerate() {
            let factor = other[k];
            other[k + 1..].iter_mut().zip(&row[k + 1..]).for_each(|(to, &from)| *to += factor * from);
            times[k + 1 + index] += factor * times[k];
        }
    }
    for k in (0..n).rev() {
        let later: f64 =
            table[k * (n + 1) + k + 1..(k + 1) * (n + 1) - 1].iter().zip(&times[k + 1..]).map(|(a, x)| a * x).sum();
        times[k] += later;
    }
    times
}

fn times(system: &System, threads: usize) -> Vec<f64> {
    let control = Control::new(threads);
    let mut column = vec![1.0; system.n_states()];
    Factors::new(system, &control).unwrap().solve(&mut column, &control).unwrap();
    column
}

fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("exact");
    group.sample_size(10);
    let full = dense(1000);
    let (ours, simple) = (times(&full, 1), plain(&full));
    assert!(ours.iter().zip(&simple).all(|(x, y)| (x / y - 1.0).abs() < 1e-11));
    group.bench_function("dense 1,000: plain loop", |bench| bench.iter(|| black_box(plain(&full))));
    let clusters = blocks(100, 100, 0);
    let sparse = blocks(20, 500, 4);
    for threads in [1, 2] {
        let name = |what: &str| format!("{what}: elimination, {threads} thread(s)");
        group.bench_function(name("dense 1,000"), |bench| bench.iter(|| black_box(times(&full, threads))));
        for (what, system) in [("100 dense blocks of 100", &clusters), ("20 sparse blocks of 500", &sparse)] {
            group.bench_function(name(what), |bench| bench.iter(|| black_box(times(system, threads))));
        }
    }
    group.bench_function("20 sparse blocks of 500: plan alone", |bench| {
        bench.iter(|| black_box(Plan::new(&sparse, &Control::default()).unwrap()));
    });
    let large = blocks(50, 2000, 4);
    let plan = Plan::new(&large, &Control::default()).unwrap();
    println!("50 sparse blocks of 2,000: {:.1e} multiplications, {} MB", plan.operations(), plan.bytes() >> 20);
    group.bench_function("50 sparse blocks of 2,000: plan alone", |bench| {
        bench.iter(|| black_box(Plan::new(&large, &Control::default()).unwrap()));
    });
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
