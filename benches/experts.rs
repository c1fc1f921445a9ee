//! Hedge beside the definition with the library's exponential, and stopping probabilities from the table and the sum.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use slowthink::random::Seed;
use slowthink::rows::Matrix;
use slowthink::run::Control;
use slowthink::samples::experts::{HedgeOutput, hedge};
use slowthink::samples::stopping::{Rule, stopping_probability};
use std::hint::black_box;

/// One run by the definition.
fn baseline(losses: &[f64], n_experts: usize, rate: f64) -> f64 {
    let mut total = vec![0.0; n_experts];
    let mut expected = 0.0;
    for row in losses.chunks(n_experts) {
        let least = total.iter().copied().fold(f64::INFINITY, f64::min);
        let weights: Vec<f64> = total.iter().map(|t| (-rate * (t - least)).exp()).collect();
        let sum: f64 = weights.iter().sum();
        expected += weights.iter().zip(row).map(|(w, l)| w / sum * l).sum::<f64>();
        total.iter_mut().zip(row).for_each(|(t, l)| *t += l);
    }
    expected
}

fn bench(c: &mut Criterion) {
    let mut stream = Seed::from_u64(1).stream(0);
    let n_rounds = 10_000;
    for n_experts in [16, 17] {
        let losses: Vec<f64> = (0..n_rounds * n_experts).map(|_| stream.uniform()).collect();
        let (mut expected_loss, mut regret) = (vec![0.0; n_rounds], vec![0.0; n_rounds]);
        let mut group = c.benchmark_group(format!("hedge/{n_experts}"));
        group.throughput(Throughput::Elements(losses.len() as u64));
        group.bench_function("kernel", |b| {
            b.iter(|| {
                let out = HedgeOutput { weights: None, expected_loss: &mut expected_loss, regret: &mut regret };
                let matrix = Matrix::new(&losses, n_rounds, n_experts);
                hedge(&matrix, 1, false, 0.05, &Control::default(), out).expect("valid");
            });
        });
        group.bench_function("baseline", |b| b.iter(|| black_box(baseline(&losses, n_experts, 0.05))));
    }
    for votes in [40, 300, 5000] {
        let counts: Vec<i64> = (0..20_000).map(|_| stream.below(votes) as i64).collect();
        let mut out = vec![0.0; 10_000];
        let mut group = c.benchmark_group("stopping");
        group.throughput(Throughput::Elements(10_000));
        group.bench_function(format!("below {votes} votes"), |b| {
            b.iter(|| {
                let counts = Matrix::new(&counts, 10_000, 2);
                stopping_probability(&counts, Rule::Beta, &Control::default(), &mut out).expect("valid");
            });
        });
    }
}

criterion_group!(benches, bench);
criterion_main!(benches);
