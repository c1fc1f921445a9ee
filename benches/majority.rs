//! Exact maj@k for all k beside a plain product of polynomials: problems of different shape, tails of the vector length, one and two threads.

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

/// P(Binomial(n, 1/2) = j) for j = 0..=n.
fn binomial(n: usize) -> Vec<f64> {
    let mut row = vec![0.5f64.powi(n as i32)];
    for j in 0..n {
        row.push(row[j] * (n - j) as f64 / (j + 1) as f64);
    }
    row
}

/// The baseline: the chance of a strict plurality for all k, by one plain product of polynomials a number of votes.
fn plain_strict(codes: &[i64], n_answers: usize) -> Vec<f64> {
    let mut counts = vec![0; n_answers];
    for &code in codes {
        counts[code as usize] += 1;
    }
    let rows: Vec<Vec<f64>> = counts.iter().map(|&count| binomial(count)).collect();
    let mut won = vec![0.0; codes.len() + 1];
    for m in 1..=counts[0] {
        let mut product = vec![rows[0][m]];
        for row in &rows[1..] {
            let taps = &row[..row.len().min(m)];
            let mut next = vec![0.0; product.len() + taps.len() - 1];
            for (i, x) in product.iter().enumerate() {
                for (j, y) in taps.iter().enumerate() {
                    next[i + j] += x * y;
                }
            }
            product = next;
        }
        for (k, x) in product.iter().enumerate() {
            won[m + k] += x;
        }
    }
    won.iter().zip(binomial(codes.len())).map(|(won, total)| won / total).collect()
}

fn bench(c: &mut Criterion) {
    let mut group = c.benchmark_group("strict plurality");
    group.sample_size(10);
    for (name, skew) in [("skewed", 6.0), ("uniform", 0.0)] {
        let codes = answers(20, 256, 20, skew);
        let k: Vec<i64> = (1..=256).collect();
        let mut out = vec![0.0; 20 * 256];
        let kernel = |out: &mut [f64]| {
            let rows = Matrix::new(&codes, 20, 256);
            maj_at_k(&rows, &[0; 20], &k, Ties::Strict, false, out, &Control::default())
        };
        kernel(&mut out).unwrap();
        let gap = |a: &f64, b: &f64| (a - b).abs() <= 1e-10 * b.abs();
        assert!(
            codes
                .chunks(256)
                .zip(out.chunks(256))
                .all(|(codes, got)| { plain_strict(codes, 20)[1..].iter().zip(got).all(|(a, b)| gap(a, b)) })
        );
        group.bench_function(BenchmarkId::new("plain product", name), |b| {
            b.iter(|| codes.chunks(256).map(|codes| plain_strict(codes, 20)).collect::<Vec<_>>());
        });
        group.bench_function(BenchmarkId::new("kernel", name), |b| b.iter(|| kernel(black_box(&mut out))));
    }
    group.finish();
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
