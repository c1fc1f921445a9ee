//! pass@k at every k: rows and mean curve, beside the scalar recurrence.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use slowthink::run::Control;
use slowthink::samples::pass::{Metric, curves, mean_curve};
use std::hint::black_box;

/// One problem after the other, one division a step.
fn scalar(n: &[i64], c: &[i64], longest: usize, out: &mut [f64]) {
    for ((&n, &c), row) in n.iter().zip(c).zip(out.chunks_mut(longest)) {
        let mut q = 1.0;
        for (taken, out) in row.iter_mut().enumerate() {
            q *= (n - c - taken as i64).max(0) as f64 / (n - taken as i64) as f64;
            *out = if taken as i64 >= n { f64::NAN } else { 1.0 - q };
        }
    }
}

fn benches(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("pass");
    group.sample_size(10);
    for (problems, longest) in [(1000, 17_i64), (1000, 256), (2000, 1000)] {
        let k: Vec<i64> = (1..=longest).collect();
        let mut out = vec![0.0; problems * k.len()];
        let equal = vec![longest; problems];
        let ragged: Vec<i64> = (0..problems as i64).map(|i| longest - i % (longest / 2)).collect();
        let correct =
            |n: &[i64]| -> Vec<i64> { n.iter().enumerate().map(|(i, n)| (i as i64 * 7919) % (n + 1)).collect() };
        group.throughput(Throughput::Elements(out.len() as u64));
        let size = format!("{problems}x{longest}");
        for (name, n) in [("equal", &equal), ("ragged", &ragged)] {
            let c = correct(n);
            group.bench_function(BenchmarkId::new(format!("scalar {name}"), &size), |b| {
                b.iter(|| scalar(n, &c, k.len(), black_box(&mut out)));
            });
            for threads in [1, 2] {
                let control = Control::new(threads);
                group.bench_function(BenchmarkId::new(format!("rows {name}, {threads} threads"), &size), |b| {
                    b.iter(|| curves(n, &c, &k, Metric::PassAtK, black_box(&mut out), &control));
                });
                group.bench_function(BenchmarkId::new(format!("mean {name}, {threads} threads"), &size), |b| {
                    b.iter(|| mean_curve(n, &c, &k, Metric::PassAtK, &control));
                });
            }
        }
    }
    group.finish();
}

criterion_group!(all, benches);
criterion_main!(all);
