//! best-of-k at every k with tied scores, beside a sort and a sum for each k.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use slowthink::rows::Matrix;
use slowthink::run::Control;
use slowthink::samples::best_of::best_of_k;
use std::hint::black_box;

/// One problem after the other: sort, average ties, and walk all ranks for each k.
fn scalar(scores: &[f64], values: &[f64], n: usize, out: &mut [f64]) {
    for ((scores, values), row) in scores.chunks(n).zip(values.chunks(n)).zip(out.chunks_mut(n)) {
        let mut samples: Vec<(f64, f64)> = scores.iter().copied().zip(values.iter().copied()).collect();
        samples.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
        let mut means = Vec::with_capacity(n);
        for tied in samples.chunk_by(|a, b| a.0 == b.0) {
            let mean = tied.iter().map(|sample| sample.1).sum::<f64>() / tied.len() as f64;
            means.extend(tied.iter().map(|_| mean));
        }
        for (k, out) in (1..=n).zip(row) {
            let (mut weight, mut sum) = (k as f64 / n as f64, 0.0);
            for (rank, mean) in (k..=n).rev().zip(&means) {
                sum += weight * mean;
                weight *= (rank - k) as f64 / (rank - 1).max(1) as f64;
            }
            *out = sum;
        }
    }
}

fn benches(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("best_of");
    group.sample_size(10);
    for (problems, n) in [(1000, 16), (1000, 17), (1000, 256), (16, 2000)] {
        let k: Vec<i64> = (1..=n as i64).collect();
        let scores: Vec<f64> = (0..problems * n).map(|i| ((i * 7919) % 1009 % 24) as f64).collect();
        let values: Vec<f64> = (0..problems * n).map(|i| f64::from(u8::from((i * 104_729) % 3 == 0))).collect();
        let mut out = vec![0.0; scores.len()];
        group.throughput(Throughput::Elements(out.len() as u64));
        let size = format!("{problems}x{n}");
        group.bench_function(BenchmarkId::new("scalar", &size), |b| {
            b.iter(|| scalar(&scores, &values, n, black_box(&mut out)));
        });
        let (scores, values) = (Matrix::new(&scores, problems, n), Matrix::new(&values, problems, n));
        for threads in [1, 2] {
            let control = Control::new(threads);
            group.bench_function(BenchmarkId::new(format!("{threads} threads"), &size), |b| {
                b.iter(|| best_of_k(&scores, &values, &k, false, black_box(&mut out), &control));
            });
        }
    }
    group.finish();
}

criterion_group!(all, benches);
criterion_main!(all);
