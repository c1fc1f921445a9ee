//! The weighted vote: Monte Carlo with and without controls beside a plain loop over prefixes, and the exact form.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use slowthink::random::Seed;
use slowthink::rows::Matrix;
use slowthink::run::Control;
use slowthink::samples::weighted::{Method, Settings, weighted_maj_at_k};
use std::hint::black_box;

const ANSWERS: u64 = 20;
const RESAMPLES: usize = 1000;

/// Each step of a permutation scans all sums for the leader.
fn scan(answers: &[i64], weights: &[f64], seed: Seed) -> Vec<f64> {
    let n = answers.len();
    let mut order: Vec<usize> = (0..n).collect();
    let mut won = vec![0.0; n];
    let mut stream = seed.stream(0);
    for _ in 0..RESAMPLES {
        let mut sums = [0.0; ANSWERS as usize];
        for k in 0..n {
            order.swap(k, k + stream.below((n - k) as u64) as usize);
            sums[answers[order[k]] as usize] += weights[order[k]];
            let most = sums.iter().copied().fold(0.0, f64::max);
            if sums[0] == most {
                won[k] += 1.0 / sums.iter().filter(|sum| **sum == most).count() as f64;
            }
        }
    }
    won
}

fn bench(c: &mut Criterion) {
    for n in [16, 17, 256] {
        let mut stream = Seed::from_u64(1).stream(0);
        let answers: Vec<i64> = (0..n).map(|_| stream.below(ANSWERS) as i64).chain([0]).take(n).collect();
        let real: Vec<f64> = (0..n).map(|_| (2.0 * stream.uniform()).exp()).collect();
        let whole: Vec<f64> = (0..n).map(|_| 1.0 + stream.below(5) as f64).collect();
        let k: Vec<i64> = (1..=n as i64).collect();
        let mut out = vec![0.0; 2 * n];
        let mut group = c.benchmark_group(format!("weighted/{n}"));
        group.throughput(Throughput::Elements((n * RESAMPLES) as u64));
        let mut run = |weights: &[f64], method, control_variates| {
            let seed = Seed::from_u64(2);
            let settings = Settings { method, n_resamples: RESAMPLES, control_variates, first: 0, seed };
            let (answers, weights) = (Matrix::new(&answers, 1, n), Matrix::new(weights, 1, n));
            weighted_maj_at_k(&answers, &weights, &[0], &k, &settings, &Control::default(), &mut out).expect("valid");
            black_box(out[0]);
        };
        group.bench_function("monte carlo", |b| b.iter(|| run(&real, Method::MonteCarlo, false)));
        group.bench_function("monte carlo with controls", |b| b.iter(|| run(&real, Method::MonteCarlo, true)));
        group.bench_function("exact, weights 1 to 5", |b| b.iter(|| run(&whole, Method::Exact, true)));
        group.bench_function("scan baseline", |b| b.iter(|| black_box(scan(&answers, &real, Seed::from_u64(2)))));
    }
}

criterion_group!(benches, bench);
criterion_main!(benches);
