//! Bootstrap intervals of a whole pass@k curve, beside one sum for each problem, column and replicate.
//!
//! `cargo bench --bench bootstrap`

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use slowthink::random::Seed;
use slowthink::run::Control;
use slowthink::samples::bootstrap;
use slowthink::samples::intervals::{self, Curves};
use std::hint::black_box;

const N: usize = 256;

/// Curves 1 - C(n - c, k)/C(n, k) for c = 0..=n, and counts that crowd at the ends.
fn log(problems: usize) -> (Vec<f64>, Vec<i64>) {
    let rows = (0..=N).flat_map(|c| {
        let mut fail = 1.0;
        (0..N).map(move |k| {
            fail *= N.saturating_sub(c + k) as f64 / (N - k) as f64;
            1.0 - fail
        })
    });
    let mut stream = Seed::from_u64(0).stream(0);
    let index = (0..problems).map(|_| (stream.uniform().powi(3) * (N + 1) as f64) as i64).collect();
    (rows.collect(), index)
}

/// The plain way: adds up the drawn rows, and sorts every column.
fn naive(curves: &Curves<'_>, n_resamples: usize) -> Vec<[f64; 2]> {
    let n = curves.n_problems();
    let mut means = vec![vec![0.0; n_resamples]; curves.width()];
    for b in 0..n_resamples {
        let mut stream = Seed::from_u64(1).stream(b as u64);
        for _ in 0..n {
            let row = curves.problem(stream.below(n as u64) as usize);
            for (column, x) in means.iter_mut().zip(row) {
                column[b] += x / n as f64;
            }
        }
    }
    let ends = |mut column: Vec<f64>| {
        column.sort_by(f64::total_cmp);
        [column[n_resamples / 40], column[n_resamples - 1 - n_resamples / 40]]
    };
    means.into_iter().map(ends).collect()
}

fn curves(c: &mut Criterion) {
    let seed = Seed::from_u64(1);
    let mut group = c.benchmark_group("bootstrap of a curve");
    group.sample_size(10);
    for (problems, n_resamples) in [(1000, 10_000), (1000, 200), (17, 1000)] {
        let (rows, index) = log(problems);
        let curves = Curves::new(&rows, N, &index).expect("a valid log");
        group.throughput(Throughput::Elements((n_resamples * problems * N) as u64));
        let name = format!("{problems} x {n_resamples}");
        for threads in [1, 2] {
            let control = Control::new(threads);
            group.bench_function(BenchmarkId::new(format!("{threads} threads"), &name), |b| {
                b.iter(|| bootstrap::resample(black_box(&curves), None, n_resamples, &seed, &[0.025, 0.975], &control));
            });
        }
        if n_resamples <= 1000 {
            group.bench_function(BenchmarkId::new("naive", &name), |b| {
                b.iter(|| naive(black_box(&curves), n_resamples));
            });
        }
        group.bench_function(BenchmarkId::new("closed form", &name), |b| {
            b.iter(|| intervals::summarise(black_box(&curves), None, &Control::default()));
        });
    }
    group.finish();
}

criterion_group!(benches, curves);
criterion_main!(benches);
