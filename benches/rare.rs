//! A hitting probability of 1e-6 (gambler's ruin) by plain walks, splitting and importance sampling.
//!
//! Beside the times stands the work-normalised variance of each method: relative variance of one estimate times the
//! seconds it takes. Its ratio to that of plain walks is how many times faster the method comes to any wanted error.

use criterion::{Criterion, criterion_group, criterion_main};
use slowthink::chains::MarkovChain;
use slowthink::chains::matrix::Meaning;
use slowthink::chains::rare::{Method, PARTICLES, Plan, Problem, Start, estimate};
use slowthink::random::Seed;
use slowthink::run::Control;
use std::hint::black_box;
use std::time::Instant;

/// The fortune that is wanted, and the chance to win a game.
const TOP: usize = 16;
const UP: f64 = 0.3;

fn ruin() -> MarkovChain {
    let (mut indptr, mut indices, mut values) = (vec![0, 1], vec![0u32], vec![1.0]);
    for state in 1..TOP as u32 {
        indices.extend([state - 1, state + 1]);
        values.extend([1.0 - UP, UP]);
        indptr.push(indices.len() as i64);
    }
    indices.push(TOP as u32);
    values.push(1.0);
    indptr.push(indices.len() as i64);
    MarkovChain::from_csr(&indptr, &indices, Some(&values), Meaning::Probabilities, &Control::default()).unwrap()
}

fn benches(criterion: &mut Criterion) {
    let (chain, control) = (ruin(), Control::default());
    let problem = Problem::new(&chain, &[TOP as u32], &[], Start::State(1), None, &control).unwrap();
    let ratio = (1.0 - UP) / UP;
    let exact = (ratio - 1.0) / (ratio.powi(TOP as i32) - 1.0);
    let mut group = criterion.benchmark_group("rare");
    group.sample_size(10);
    // Values that are off by up to a factor of ten, beside those that the kernel makes, which are as good as exact here.
    let off: Vec<f64> = (0..=TOP)
        .map(|i| 0.8 * ((ratio.powi(i as i32) - 1.0) / (ratio.powi(TOP as i32) - 1.0)).max(1e-9).ln())
        .collect();
    let methods = [
        ("plain", Method::Plain, 1 << 20, None),
        ("splitting", Method::Splitting, 1 << 14, None),
        ("importance", Method::Importance, 1 << 14, None),
        ("importance, values off", Method::Importance, 1 << 14, Some(&off[..])),
    ];
    let mut plain = f64::NAN;
    for (name, method, n_walks, levels) in methods {
        let plan = Plan { method: Some(method), n_walks: Some(n_walks), levels };
        let run = |first| estimate(&problem, plan, &Seed::from_u64(1), first, &control).unwrap();
        group.bench_function(name, |b| b.iter(|| black_box(run(0))));
        let start = Instant::now();
        let outcome = run(1 << 32);
        let seconds = start.elapsed().as_secs_f64();
        // Of plain walks the variance is known: at 1e-6 hardly any of them arrives.
        let variance = if method == Method::Plain {
            (1.0 - exact) / exact / n_walks as f64
        } else {
            let n = outcome.estimates.len() as f64;
            let squares = outcome.estimates.iter().map(|estimate| (estimate / exact - 1.0).powi(2));
            squares.sum::<f64>() / (n * n)
        };
        let work = variance * seconds;
        if method == Method::Plain {
            plain = work;
        }
        println!(
            "{name}: p = {exact:.2e}, {n_walks} walks, {} steps, {seconds:.4} s, relative variance {variance:.2e}, \
             times the seconds {work:.2e}: {:.3e} x plain",
            outcome.n_steps,
            plain / work
        );
    }
    println!("a replicate of splitting keeps {PARTICLES} walks");
    group.finish();
}

criterion_group!(all, benches);
criterion_main!(all);
