//! Exact maj@k for all k: problems of different shape, tails of the vector length, one and two threads.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use slowthink::random::Seed;
use slowthink::rows::Matrix;
use slowthink::run::Control;
use slowthink::samples::majority::{Ties, maj_at_k, plurality};
use std::hint::black_box;

/// `n_problems` x `n` answers drawn from laws that are a power of uniforms: a few common answers, many rare ones.
fn answers(n_problems: usize, n: usize, n_answers: u64, skew: f64) -> Vec<i64> {
    let seed = Seed::from_u64(0);
    let problem = |problem| {
        let mut stream = seed.stream(problem);
        let weights: Vec<f64> = (0..n_answers).map(|_| stream.uniform().powf(skew)).collect();
        let total: f64 = weights.iter().sum();
        let mut answer = || {
            let mut left = stream.uniform() * total;
            let chosen = weights.iter().position(|weight| {
                left -= weight;
                left < 0.0
            });
            chosen.unwrap_or(0) as i64
        };
        (0..n).map(|_| answer()).collect::<Vec<_>>()
    };
    (0..n_problems as u64).flat_map(problem).collect()
}

fn bench(c: &mut Criterion) {
    let mut group = c.benchmark_group("maj_at_k");
    group.sample_size(10);
    let cases =
        [("skewed", 250, 256, 6.0), ("uniform", 60, 256, 0.0), ("tail", 250, 257, 6.0), ("small", 500, 17, 6.0)];
    for (name, n_problems, n, skew) in cases {
        let codes = answers(n_problems, n, 20, skew);
        let k: Vec<i64> = (1..=n as i64).collect();
        let gold = vec![0; n_problems];
        let mut out = vec![0.0; n_problems * n];
        group.throughput(Throughput::Elements(n_problems as u64));
        for threads in [1, 2] {
            group.bench_with_input(BenchmarkId::new(name, threads), &threads, |b, &threads| {
                b.iter(|| {
                    let rows = Matrix::new(&codes, n_problems, n);
                    let control = Control::new(threads);
                    maj_at_k(&rows, &gold, &k, Ties::Uniform, false, black_box(&mut out), &control)
                });
            });
        }
    }
    group.finish();
    let mut group = c.benchmark_group("plurality");
    let n: Vec<i64> = (1..=200).collect();
    let mut out = vec![0.0; n.len()];
    group.bench_function("three answers, n to 200", |b| {
        b.iter(|| plurality(&[0.5, 0.3, 0.2], &n, 0, Ties::Uniform, black_box(&mut out), &Control::default()));
    });
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
