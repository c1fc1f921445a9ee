//! Bradley-Terry and the metrics of reward models: `cargo bench --bench rating`.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use slowthink::random::Seed;
use slowthink::rows::Matrix;
use slowthink::run::Control;
use slowthink::samples::rating::{Battles, bootstrap, fit, sandwich};
use slowthink::samples::reward_models::{correctness, max_scores, roc_auc};
use std::hint::black_box;

/// Wins and ties of about 200 battles of each pair.
fn battles(n: usize) -> (Vec<f64>, Vec<f64>) {
    let mut stream = Seed::from_u64(1).stream(0);
    let (mut wins, mut ties) = (vec![0.0; n * n], vec![0.0; n * n]);
    for i in 0..n {
        for j in 0..i {
            wins[i * n + j] = (60 + stream.below(50)) as f64;
            wins[j * n + i] = (60 + stream.below(50)) as f64;
            ties[i * n + j] = (20 + stream.below(20)) as f64;
            ties[j * n + i] = ties[i * n + j];
        }
    }
    (wins, ties)
}

/// The usual iteration of Zermelo, to a change of 1e-8: what Newton's method replaces.
fn minorise_maximise(n: usize, points: &[f64]) -> Vec<f64> {
    let mut worth = vec![1.0; n];
    for _ in 0..10_000 {
        let mut change = 0.0f64;
        for i in 0..n {
            let (mut won, mut met) = (0.0, 0.0);
            for j in (0..n).filter(|&j| j != i) {
                won += points[i * n + j];
                met += (points[i * n + j] + points[j * n + i]) / (worth[i] + worth[j]);
            }
            let new: f64 = won / met;
            change = change.max((new / worth[i]).ln().abs());
            worth[i] = new;
        }
        if change < 1e-8 {
            break;
        }
    }
    worth
}

fn ratings(criterion: &mut Criterion) {
    let control = Control::new(1);
    let mut group = criterion.benchmark_group("bradley_terry");
    group.sample_size(20);
    for n in [16, 17, 100] {
        let (wins, ties) = battles(n);
        let points: Vec<f64> = wins.iter().zip(&ties).map(|(w, t)| w + t / 2.0).collect();
        let battles = Battles::new(n, &wins, &ties, &[]).unwrap();
        let found = fit(&battles, 0.0, &control).unwrap();
        group.bench_function(format!("fit, {n} players"), |b| b.iter(|| fit(black_box(&battles), 0.0, &control)));
        group.bench_function(format!("baseline: minorise-maximise, {n} players"), |b| {
            b.iter(|| minorise_maximise(n, black_box(&points)));
        });
        let mut covariance = vec![0.0; n * n];
        group.bench_function(format!("sandwich, {n} players"), |b| {
            b.iter(|| sandwich(&battles, black_box(&found), &mut covariance, &control));
        });
        let rounds = 20;
        let mut out = vec![0.0; rounds * n];
        group.throughput(Throughput::Elements(rounds as u64));
        group.bench_function(format!("bootstrap rounds, {n} players"), |b| {
            b.iter(|| bootstrap(&battles, &found, 0.0, Seed::from_u64(2), 0, black_box(&mut out), &control));
        });
    }
    group.finish();
}

/// AUC by comparing all pairs of a row.
fn quadratic_auc(n: usize, scores: &[f64], correct: &[f64], out: &mut [f64]) {
    for ((out, scores), correct) in out.iter_mut().zip(scores.chunks_exact(n)).zip(correct.chunks_exact(n)) {
        let (mut won, mut pairs) = (0.0, 0.0);
        for i in (0..n).filter(|&i| correct[i] == 1.0) {
            for j in (0..n).filter(|&j| correct[j] == 0.0) {
                pairs += 1.0;
                won += f64::from(u8::from(scores[i] > scores[j])) + 0.5 * f64::from(u8::from(scores[i] == scores[j]));
            }
        }
        *out = won / pairs;
    }
}

fn reward_models(criterion: &mut Criterion) {
    let control = Control::new(1);
    let (n_prompts, n) = (2555, 32);
    let mut stream = Seed::from_u64(3).stream(0);
    let scores: Vec<f64> = (0..n_prompts * n).map(|_| stream.uniform()).collect();
    let correct: Vec<f64> = scores.iter().map(|s| f64::from(u8::from(stream.uniform() < *s))).collect();
    let (s, c) = (Matrix::new(&scores, n_prompts, n), Matrix::new(&correct, n_prompts, n));
    let k: Vec<i64> = (1..=n as i64).collect();
    let (mut curve, mut oracle, mut auc) = (vec![0.0; n], vec![0.0; n], vec![0.0; n_prompts]);
    let mut group = criterion.benchmark_group("reward models, 2555 x 32");
    group.sample_size(20).throughput(Throughput::Elements((n_prompts * n) as u64));
    group.bench_function("AUC of each prompt", |b| b.iter(|| roc_auc(&s, &c, black_box(&mut auc), &control)));
    group.bench_function("baseline: AUC by all pairs", |b| {
        b.iter(|| quadratic_auc(n, &scores, &correct, black_box(&mut auc)));
    });
    group.bench_function("accuracy, pooled AUC, curves", |b| {
        b.iter(|| correctness(&s, &c, &k, black_box(&mut curve), &mut oracle, &control));
    });
    let mut peaks = vec![0.0; 10];
    group.bench_function("max score, 10 orders", |b| {
        b.iter(|| max_scores(&s, &c, &k, Seed::from_u64(4), 0, black_box(&mut peaks), &control));
    });
    group.finish();
}

criterion_group!(benches, ratings, reward_models);
criterion_main!(benches);
