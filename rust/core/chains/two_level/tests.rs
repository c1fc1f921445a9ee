use super::*;
use crate::chains::elimination::Factors;
use crate::random::Seed;
use std::collections::BTreeMap;

/// From, to, weight.
type Link = (usize, usize, f64);

/// Numbers between 0 and 1.
fn uniform(seed: u64) -> impl FnMut() -> f64 {
    let mut stream = Seed::from_u64(seed).stream(0);
    move || (stream.next_u64() >> 11) as f64 / (1u64 << 53) as f64
}

/// The system of states `outside..n` of the chain whose rows are in proportion to the weights of `links`.
fn system(n: usize, outside: usize, links: &[Link]) -> System {
    let mut rows = vec![BTreeMap::new(); n];
    for &(from, to, weight) in links {
        *rows[from].entry(to).or_insert(0.0) += weight;
    }
    let mut system = System { begins: vec![0], ..System::default() };
    for (i, row) in rows.iter().enumerate().skip(outside) {
        let total: f64 = row.values().sum();
        system.exits.push(row.iter().filter(|&(&j, _)| j < outside).map(|(_, weight)| weight / total).sum());
        for (&j, weight) in row.iter().filter(|&(&j, _)| j >= outside && j != i) {
            system.targets.push((j - outside) as u32);
            system.values.push(weight / total);
        }
        system.begins.push(system.targets.len());
        system.states.push(i as u32);
    }
    system
}

/// Both directions of each link, the second with another weight if `skew`.
fn both(links: &[Link], skew: bool) -> Vec<Link> {
    let mut uniform = uniform(9);
    let mut factor = || if skew { 0.5 + uniform() } else { 1.0 };
    links.iter().flat_map(|&(i, j, weight)| [(i, j, weight * factor()), (j, i, weight * factor())]).collect()
}

/// Random links within `n_blocks` blocks of `size` states.
fn within_blocks(n_blocks: usize, size: usize) -> Vec<Link> {
    let mut uniform = uniform(5);
    let mut links = Vec::new();
    for i in 0..n_blocks * size {
        let base = i / size * size;
        links.push((i, base + (i - base + 1) % size, 0.1 + uniform()));
        for _ in 0..4 {
            links.push((i, base + (uniform() * size as f64) as usize, 0.1 + uniform()));
        }
    }
    links
}

/// Three random links between two blocks.
fn between_blocks(a: usize, b: usize, size: usize, coupling: f64) -> Vec<Link> {
    let mut uniform = uniform((1000 * a + b) as u64);
    let mut pick = |block: usize| block * size + (uniform() * size as f64) as usize;
    (0..3).map(|link| (pick(a), pick(b), coupling * (0.5 + 0.1 * f64::from(link)))).collect()
}

fn ring(n_blocks: usize, size: usize, coupling: f64) -> Vec<Link> {
    let mut links = within_blocks(n_blocks, size);
    links.extend((0..n_blocks).flat_map(|a| between_blocks(a, (a + 1) % n_blocks, size, coupling)));
    links
}

/// The solution by elimination, unless a number became too small in it.
fn exact(system: &System, cost: &[f64]) -> Option<Vec<f64>> {
    let mut values = cost.to_vec();
    let factors = Factors::new(system, &Control::default()).unwrap();
    factors.solve(&mut values, &Control::default()).unwrap();
    (!factors.underflowed()).then_some(values)
}

fn error(values: &[f64], exact: &[f64]) -> f64 {
    largest(values.iter().zip(exact).map(|(a, b)| (a / b - 1.0).abs()))
}

#[test]
fn all_digits_at_any_coupling() {
    for skew in [false, true] {
        for coupling in [0.2, 1e-3, 1e-6, 1e-9, 1e-12, 1e-15, 1e-30, 1e-100] {
            let system = system(1000, 100, &both(&ring(10, 100, coupling), skew));
            let cost = vec![1.0; 900];
            let solved = solve(&system, &cost, 1e-10, &Control::default()).unwrap();
            let error = error(&solved.values, &exact(&system, &cost).unwrap());
            assert!(error < 1e-14 && solved.residual < 1e-11, "{skew} {coupling}: {error} {}", solved.residual);
            assert!(solved.n_sets == 9 && solved.n_steps < 100, "{} {}", solved.n_sets, solved.n_steps);
        }
    }
}

/// Links of systems of many shapes, with the number of states; the first 20 are outside.
fn shapes() -> Vec<(String, usize, Vec<Link>)> {
    let mut all = Vec::new();
    for coupling in [1e-2, 1e-7, 1e-50] {
        let mut tree = within_blocks(15, 40);
        tree.extend((1..15).flat_map(|b| between_blocks((b - 1) / 2, b, 40, coupling * f64::from(b as u32))));
        all.push((format!("tree {coupling:e}"), 600, tree));
        let mut nested = within_blocks(16, 40);
        for a in 0..16 {
            nested.extend(between_blocks(a, a / 4 * 4 + (a + 1) % 4, 40, coupling));
        }
        for a in 0..4 {
            nested.extend(between_blocks(4 * a, (4 * a + 4) % 16, 40, coupling * coupling * coupling));
        }
        all.push((format!("nested {coupling:e}"), 640, nested));
        let mut weak = ring(4, 100, 1e-3);
        weak.extend([(400, 250, coupling), (401, 402, 1.0), (402, 300, coupling), (402, 403, 0.5)]);
        all.push((format!("weak states {coupling:e}"), 404, weak));
        let mut deep = within_blocks(27, 20);
        for (power, step) in [(1, 1), (2, 3), (3, 9)] {
            for a in (0..27).step_by(step) {
                let b = a / (3 * step) * 3 * step + (a + step) % (3 * step);
                deep.extend(between_blocks(a, b, 20, f64::powi(coupling, power).max(1e-140)));
            }
        }
        all.push((format!("three levels {coupling:e}"), 540, deep));
        let star: Vec<_> = (1..400).map(|leaf| (0, leaf, if leaf % 2 == 0 { 1.0 } else { coupling })).collect();
        all.push((format!("star {coupling:e}"), 400, star));
        // The weights of blocks differ as much as they are coupled.
        let mut uphill = ring(6, 80, coupling);
        for link in &mut uphill {
            link.2 *= f64::powi(coupling, (link.0 / 80 % 3) as i32);
        }
        if coupling > 1e-10 {
            all.push((format!("uphill {coupling:e}"), 480, uphill));
        }
    }
    let mut small = within_blocks(100, 5);
    small.extend((0..100).flat_map(|a| between_blocks(a, (a * 7 + 1) % 100, 5, 1e-9)));
    small.extend((0..100).flat_map(|a| between_blocks(a, (a + 1) % 100, 5, 1e-9)));
    all.push(("many small sets".into(), 500, small));
    let turns = (0..300).flat_map(|i| [(i, (i + 1) % 300, 1.0), (i, (i + 3) % 300, 0.5)]).collect();
    all.push(("turning ring".into(), 300, turns));
    all.push(("no sets".into(), 500, within_blocks(1, 500)));
    let grid = (0..900).flat_map(|i| [(i, (i + 1) % 900, 1.0), (i, (i + 30) % 900, 1.0)]).collect();
    all.push(("grid".into(), 900, grid));
    all.push(("path".into(), 300, (1..300).map(|i| (i - 1, i, 1.0)).collect()));
    let mut uniform = uniform(3);
    let mut spread = within_blocks(1, 300);
    for link in &mut spread {
        link.2 = 10f64.powf(-30.0 * uniform());
    }
    all.push(("spread".into(), 300, spread));
    all
}

/// What may end in an error: rates within one set that spread over thirty decades, sets that are light by as much, and
/// states that only lead on; and probabilities that are the same in all sets but for parts of 1e-50.
fn is_hard(name: &str) -> bool {
    ["spread", "turning ring", "uphill 1e-7", "three levels 1e-50", "tree 1e-50"].contains(&name)
}

/// Checks a result, which must not err by more than it says, and be there where the shape is not hard.
fn check(name: &str, result: Result<Solved>, exact: Option<Vec<f64>>) {
    match result {
        Ok(solved) => {
            let error = exact.map_or(0.0, |exact| error(&solved.values, &exact));
            assert!(error <= solved.residual + 2e-14, "{name}: {error} {}", solved.residual);
        }
        Err(Error::NotConverged(what)) => assert!(is_hard(name), "{name}: {what}"),
        Err(other) => panic!("{name}: {other}"),
    }
}

#[test]
fn a_solution_is_right_or_an_error() {
    for (name, n, links) in shapes() {
        for skew in [false, true] {
            let system = system(n, 20, &both(&links, skew));
            // The probability of leaving by every other exit.
            let mut n_exits = 0;
            let every_other = |&exit: &f64| {
                n_exits += usize::from(exit > 0.0);
                if n_exits % 2 == 1 { exit } else { 0.0 }
            };
            let half: Vec<f64> = system.exits.iter().map(every_other).collect();
            let ones = vec![1.0; n - 20];
            check(&name, solve(&system, &ones, 1e-8, &Control::default()), exact(&system, &ones));
            // Where only the middle leads outside, leaves of a star cannot avoid it and have no cost of their own.
            if !name.starts_with("star") {
                check(&name, solve(&system, &half, 1e-8, &Control::default()), exact(&system, &half));
            }
        }
    }
}

/// The stationary law by elimination.
fn exact_law(system: &System) -> Option<Vec<f64>> {
    let n = system.n_states();
    let mut open = System { begins: vec![0], ..System::default() };
    for i in 1..n {
        let (targets, values) = system.row(i);
        open.exits.push(targets.iter().zip(values).filter(|&(&j, _)| j == 0).map(|(_, value)| value).sum());
        open.targets.extend(targets.iter().filter(|&&j| j > 0).map(|j| j - 1));
        open.values.extend(targets.iter().zip(values).filter(|&(&j, _)| j > 0).map(|(_, value)| value));
        open.begins.push(open.targets.len());
        open.states.push(i as u32);
    }
    let mut visits = vec![0.0; n - 1];
    let (targets, values) = system.row(0);
    targets.iter().zip(values).for_each(|(&j, &value)| visits[j as usize - 1] = value);
    let factors = Factors::new(&open, &Control::default()).unwrap();
    factors.visits(&mut visits, &Control::default()).unwrap();
    let sum = 1.0 + visits.iter().sum::<f64>();
    (!factors.underflowed()).then(|| std::iter::once(1.0).chain(visits).map(|x| x / sum).collect())
}

#[test]
fn a_law_is_right_or_an_error() {
    for (name, n, links) in shapes() {
        for skew in [false, true] {
            let system = system(n, 0, &both(&links, skew));
            check(&name, stationary(&system, 1e-8, &Control::default()), exact_law(&system));
        }
    }
}

#[test]
fn threads_do_not_matter_and_a_stop_is_heard() {
    let system = system(1000, 100, &both(&ring(10, 100, 1e-6), true));
    let solved = |threads| solve(&system, &vec![1.0; 900], 1e-10, &Control::new(threads)).unwrap();
    assert!(solved(1) == solved(2) && solved(1) == solved(7));
    let control = Control::default();
    solve(&system, &vec![1.0; 900], 1e-10, &control).unwrap();
    assert_eq!(control.progress(), (16, 16));
    control.cancel();
    assert_eq!(solve(&system, &vec![1.0; 900], 1e-10, &control), Err(Error::Interrupted));
    assert_eq!(stationary(&system, 1e-10, &control), Err(Error::Interrupted));
}

#[test]
fn what_is_not_reached_is_an_error_that_says_so() {
    let system = system(1000, 100, &both(&ring(10, 100, 1e-3), false));
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
