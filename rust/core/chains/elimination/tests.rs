use super::*;
use crate::random::Seed;

/// `blocks` blocks of `size` states with `links` random partners each, strongly coupled within, weakly from one block to
/// the next and back; state 0 leaves.
fn blocks(n_blocks: usize, size: usize, links: usize, coupling: f64) -> System {
    let mut random = Seed::from_u64((n_blocks * size) as u64).stream(0);
    let mut uniform = move || random.uniform() + 1e-3;
    let n = n_blocks * size;
    let mut rows: Vec<std::collections::BTreeMap<u32, f64>> = vec![std::collections::BTreeMap::new(); n];
    for (state, row) in rows.iter_mut().enumerate() {
        let (block, within) = (state / size, state % size);
        row.insert((block * size + (within + 1) % size) as u32, uniform());
        for _ in 0..links {
            row.insert((block * size) as u32 + (uniform() * size as f64) as u32 % size as u32, uniform());
        }
        if within == 0 {
            row.insert(((block + 1) % n_blocks * size) as u32, coupling * uniform());
            row.insert(((block + n_blocks - 1) % n_blocks * size + size / 2) as u32, coupling * uniform());
        }
        row.remove(&(state as u32));
    }
    let mut system = System { begins: vec![0], states: (0..n as u32).collect(), ..System::default() };
    for (state, row) in rows.iter().enumerate() {
        system.targets.extend(row.keys());
        system.values.extend(row.values());
        system.begins.push(system.targets.len());
        system.exits.push(if state == 0 { 1e-3 } else { 0.0 });
    }
    system
}

/// The whole inverse by elimination in the order of the numbers, written as simply as can be.
fn inverse(system: &System) -> Vec<Vec<f64>> {
    let n = system.n_states();
    let mut a = vec![vec![0.0; n + 1]; n];
    for (state, row) in a.iter_mut().enumerate() {
        for (&target, &value) in system.row(state).0.iter().zip(system.row(state).1) {
            row[target as usize] = value;
        }
        row[n] = system.exits[state];
    }
    let mut c: Vec<Vec<f64>> = (0..n).map(|i| (0..n).map(|j| f64::from(u8::from(i == j))).collect()).collect();
    let add = |factor: f64, from: &[f64], to: &mut [f64]| {
        for (to, from) in to.iter_mut().zip(from) {
            *to += factor * from;
        }
    };
    let mut leave = vec![0.0; n];
    for k in 0..n {
        leave[k] = a[k][k + 1..].iter().sum();
        for i in k + 1..n {
            let factor = a[i][k] / leave[k];
            let (row, costs) = (a[k].clone(), c[k].clone());
            add(factor, &row[k + 1..], &mut a[i][k + 1..]);
            add(factor, &costs, &mut c[i]);
        }
    }
    for k in (0..n).rev() {
        for l in k + 1..n {
            let later = c[l].clone();
            add(a[k][l], &later, &mut c[k]);
        }
        for x in &mut c[k] {
            *x /= leave[k];
        }
    }
    c
}

fn close(value: f64, expected: f64) -> bool {
    value == expected || (value / expected - 1.0).abs() < 1e-12
}

#[test]
fn small_exits_keep_their_digits() {
    let control = Control::default();
    // Two states that lead to each other and leave with 1e-100 and 2e-100.
    let pair = System {
        begins: vec![0, 1, 2],
        targets: vec![1, 0],
        values: vec![0.5, 0.25],
        exits: vec![1e-100, 2e-100],
        states: vec![0, 1],
    };
    let factors = Factors::new(&pair, &control).unwrap();
    let mut time = vec![1.0, 1.0];
    factors.solve(&mut time, &control).unwrap();
    // Weights 1/3 and 2/3: the exit rate is 5/3 e-100.
    assert!(close(time[0], 0.6e100) && close(time[1], 0.6e100), "{time:?}");
    let mut visits = vec![1.0, 0.0];
    factors.visits(&mut visits, &control).unwrap();
    assert!(close(visits[0], 0.2e100) && close(visits[1], 0.4e100), "{visits:?}");
}

#[test]
fn many_fronts_one_front_and_the_plain_loop_agree_at_any_coupling() {
    for (n_blocks, size, links) in [(1, 1, 0), (3, 1, 0), (6, 30, 3), (2, 100, 80), (40, 6, 2)] {
        for coupling in [0.1, 1e-12, 1e-100] {
            let system = blocks(n_blocks, size, links, coupling);
            let n = system.n_states();
            let expected = inverse(&system);
            let results = [1, 2, 7].map(|threads| {
                let control = Control::new(threads);
                let factors = Factors::new(&system, &control).unwrap();
                let mut identity: Vec<f64> = (0..n * n).map(|i| f64::from(u8::from(i / n == i % n))).collect();
                let (mut columns, mut diagonal) = (identity.clone(), vec![0.0; n]);
                factors.solve(&mut columns, &control).unwrap();
                factors.visits(&mut identity, &control).unwrap();
                factors.diagonal(&mut diagonal, &control).unwrap();
                (columns, identity, diagonal)
            });
            assert!(results[0] == results[1] && results[0] == results[2], "threads");
            let (columns, rows, diagonal) = &results[0];
            for i in 0..n {
                assert!(close(diagonal[i], expected[i][i]), "{n_blocks} {size} {coupling}: {i}");
                for j in 0..n {
                    assert!(close(columns[j * n + i], expected[i][j]), "{n_blocks} {size} {coupling}: {i} {j}");
                    assert!(close(rows[i * n + j], expected[i][j]), "{n_blocks} {size} {coupling}: {i} {j}");
                }
            }
        }
    }
}

#[test]
fn probabilities_out_of_traps_within_traps_do_not_underflow() {
    // State 0 of each of six levels leads almost surely back, and with 1e-90 on: in all 1e-540. The outside is reached
    // at the end alone, on two ways of 3 to 1, one of them counted.
    let control = Control::default();
    let n = 6;
    for reverse in [false, true] {
        let name = |level: usize| if reverse { n - 1 - level } else { level };
        let mut rows = vec![Vec::new(); n];
        for level in 0..n {
            if level > 0 {
                rows[name(level)].push((name(level - 1) as u32, 1.0));
            }
            if level + 1 < n {
                rows[name(level)].push((name(level + 1) as u32, 1e-90));
            }
            rows[name(level)].sort_unstable_by_key(|&(to, _)| to);
        }
        let mut system = System { begins: vec![0], states: (0..n as u32).collect(), ..System::default() };
        for (state, row) in rows.iter().enumerate() {
            system.targets.extend(row.iter().map(|&(to, _)| to));
            system.values.extend(row.iter().map(|&(_, value)| value));
            system.begins.push(system.targets.len());
            system.exits.push(if state == name(n - 1) { 1e-90 } else { 0.0 });
        }
        let mut column = vec![0.0; n];
        column[name(n - 1)] = 0.75e-90;
        let factors = Factors::new(&system, &control).unwrap();
        factors.solve(&mut column, &control).unwrap();
        assert!(!factors.underflowed());
        assert!(column.iter().all(|&x| close(x, 0.75)), "{reverse}: {column:?}");
    }
}

#[test]
fn a_plan_tells_what_an_elimination_takes() {
    let control = Control::default();
    let ring = Plan::new(&blocks(2000, 5, 1, 0.1), &control).unwrap();
    assert_eq!(ring.n_states(), 10_000);
    assert!(ring.operations() < 1e7 && ring.bytes() < 8 << 20, "{} {}", ring.operations(), ring.bytes());
    let dense = Plan::new(&blocks(1, 300, 3000, 0.1), &control).unwrap();
    assert_eq!(dense.operations(), 9e6);
}

#[test]
fn trees_and_paths_have_no_core() {
    assert_eq!(core_size(&blocks(50, 1, 0, 0.1)).unwrap(), 0, "a ring");
    assert_eq!(core_size(&blocks(1, 300, 5, 0.1)).unwrap(), 300, "random partners");
    assert_eq!(core_size(&System { begins: vec![0], ..System::default() }).unwrap(), 0);
}

#[test]
fn weights_that_rise_and_fall_by_hundreds_of_decades() {
    let control = Control::default();
    for seed in 0..20 {
        let mut random = Seed::from_u64(seed).stream(0);
        let (n_blocks, size) = (6usize, 80usize);
        let n = n_blocks * size;
        let mut weights = std::collections::BTreeMap::new();
        let mut join = |a: usize, b: usize, weight: f64, random: &mut crate::random::Stream| {
            *weights.entry((a, b)).or_insert(0.0) += weight * (0.5 + random.uniform());
            *weights.entry((b, a)).or_insert(0.0) += weight * (0.5 + random.uniform());
        };
        for i in 0..n {
            let base = i / size * size;
            let height = 1e-50f64.powi((i / size % 3) as i32);
            join(i, base + (i - base + 1) % size, height, &mut random);
            for _ in 0..4 {
                join(i, base + random.below(size as u64) as usize, height, &mut random);
            }
            if i % size < 3 {
                let from = base + random.below(size as u64) as usize;
                join(from, (base + size) % n + random.below(size as u64) as usize, 1e-50 * height, &mut random);
            }
        }
        let mut rows = vec![Vec::new(); n];
        for (&(from, to), &weight) in weights.iter().filter(|((from, to), _)| from != to) {
            rows[from].push((to, weight));
        }
        let mut system = System { begins: vec![0], states: (1..n as u32).collect(), ..System::default() };
        for row in &rows[1..] {
            let sum: f64 = row.iter().map(|&(_, weight)| weight).sum();
            let inside = row.iter().filter(|&&(to, _)| to > 0);
            system.targets.extend(inside.clone().map(|&(to, _)| to as u32 - 1));
            system.values.extend(inside.map(|&(_, weight)| weight / sum));
            system.begins.push(system.targets.len());
            system.exits.push(row.iter().filter(|&&(to, _)| to == 0).map(|&(_, weight)| weight / sum).sum());
        }
        let plain = Factors::with(Plan::one_front(&system).unwrap(), &system, &control).unwrap();
        let sparse = Factors::new(&system, &control).unwrap();
        let (mut a, mut b) = (vec![1.0; n - 1], vec![1.0; n - 1]);
        plain.solve(&mut a, &control).unwrap();
        sparse.solve(&mut b, &control).unwrap();
        assert!(a.iter().zip(&b).all(|(&a, &b)| close(a, b)), "times, {seed}");
        let (mut a, mut b) = (vec![0.0; n - 1], vec![0.0; n - 1]);
        (a[3], b[3]) = (1.0, 1.0);
        plain.visits(&mut a, &control).unwrap();
        sparse.visits(&mut b, &control).unwrap();
        assert!(a.iter().zip(&b).all(|(&a, &b)| close(a, b)), "visits, {seed}");
    }
}

#[test]
fn no_states_are_no_work() {
    let control = Control::default();
    let factors = Factors::new(&System { begins: vec![0], ..System::default() }, &control).unwrap();
    factors.solve(&mut [], &control).unwrap();
    factors.visits(&mut [], &control).unwrap();
    factors.diagonal(&mut [], &control).unwrap();
}
