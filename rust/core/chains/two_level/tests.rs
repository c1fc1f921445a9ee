use super::*;
use crate::chains::elimination::Factors;
use crate::random::Seed;

/// Blocks of states with random links inside, joined in a ring by links of `coupling`; the first block is outside.
/// `skew` turns conductances into transitions that are not reversible.
fn blocks(n: usize, n_blocks: usize, coupling: f64, skew: bool) -> System {
    let mut stream = Seed::from_u64(5).stream(0);
    let mut uniform = move || (stream.next_u64() >> 11) as f64 / (1u64 << 53) as f64;
    let size = n / n_blocks;
    let mut links: Vec<(usize, usize, f64)> = Vec::new();
    for i in 0..n {
        let base = i / size * size;
        links.push((i, base + (i - base + 1) % size, 0.1 + uniform()));
        for _ in 0..4 {
            links.push((i, base + (uniform() * size as f64) as usize, 0.1 + uniform()));
        }
    }
    for block in 0..n_blocks {
        for _ in 0..3 {
            let pick = |block: usize, x: f64| block % n_blocks * size + (x * size as f64) as usize;
            links.push((pick(block, uniform()), pick(block + 1, uniform()), coupling * (0.1 + uniform())));
        }
    }
    let mut rows = vec![std::collections::BTreeMap::new(); n];
    for (i, j, weight) in links {
        for (from, to) in [(i, j), (j, i)] {
            if from != to {
                let factor = if skew { 0.5 + uniform() } else { 1.0 };
                *rows[from].entry(to).or_insert(0.0) += weight * factor;
            }
        }
    }
    let mut system = System { begins: vec![0], ..System::default() };
    for (i, row) in rows.iter().enumerate().skip(size) {
        let total: f64 = row.values().sum();
        system.exits.push(row.iter().filter(|&(&j, _)| j < size).map(|(_, weight)| weight / total).sum());
        for (&j, weight) in row.iter().filter(|&(&j, _)| j >= size) {
            system.targets.push((j - size) as u32);
            system.values.push(weight / total);
        }
        system.begins.push(system.targets.len());
        system.states.push(i as u32);
    }
    system
}

fn exact(system: &System) -> Vec<f64> {
    let mut times = vec![1.0; system.n_states()];
    Factors::new(system, &Control::default()).unwrap().solve(&mut times, &Control::default()).unwrap();
    times
}

fn error(values: &[f64], exact: &[f64]) -> f64 {
    values.iter().zip(exact).map(|(a, b)| (a / b - 1.0).abs()).fold(0.0, f64::max)
}

#[test]
fn all_digits_at_any_coupling() {
    for skew in [false, true] {
        for coupling in [0.2, 1e-3, 1e-6, 1e-9, 1e-12, 1e-15, 1e-30, 1e-100] {
            let system = blocks(1000, 10, coupling, skew);
            let solved = solve(&system, &vec![1.0; 900], 1e-10, &Control::default()).unwrap();
            let error = error(&solved.values, &exact(&system));
            println!("{skew} {coupling:e}: {error:.1e} {:.1e} {} {}", solved.residual, solved.n_steps, solved.n_sets);
            assert!(error < 1e-14 && solved.residual < 1e-11, "{skew} {coupling}: {error} {}", solved.residual);
            assert!(solved.n_sets >= 9 && solved.n_steps < 150, "{} {}", solved.n_sets, solved.n_steps);
        }
    }
}

#[test]
fn what_is_not_reached_is_an_error_that_says_so() {
    let system = blocks(1000, 10, 1e-3, false);
    let Err(Error::NotConverged(what)) = solve(&system, &vec![1.0; 900], 1e-17, &Control::default()) else {
        panic!("no residual is 1e-17");
    };
    assert!(what.contains("not 1.0e-17, after") && what.contains("elimination"), "{what}");
}

#[test]
fn nothing_and_one_state() {
    let control = Control::default();
    let none = System { begins: vec![0], ..System::default() };
    assert!(solve(&none, &[], 1e-10, &control).unwrap().values.is_empty());
    let one = System { begins: vec![0, 0], exits: vec![0.25], states: vec![0], ..System::default() };
    assert_eq!(solve(&one, &[1.0], 1e-10, &control).unwrap().values, [4.0]);
}
