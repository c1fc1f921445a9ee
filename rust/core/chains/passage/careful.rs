//! Elimination in numbers of unlimited range: slower than [`Factors`](crate::chains::elimination::Factors), for the systems whose
//! products leave the range of f64 on the way to results that do not.

use crate::chains::system::System;
use crate::chains::wide::Wide;
use crate::error::Result;
use crate::memory::room;
use crate::run::Control;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// The factors of a system, state after state in the order of [`order`](Self::order).
#[derive(Debug)]
pub(super) struct Careful {
    /// The states as they were eliminated, those with few transitions first.
    order: Vec<u32>,
    /// For each state where it leads among those that remained when it went, with the probability of going there next.
    rows: Vec<Vec<(u32, Wide)>>,
    /// For each state the transitions to it from those that remained.
    columns: Vec<Vec<(u32, Wide)>>,
    /// The probability of leaving each for those that remained, or for good.
    leave: Vec<Wide>,
}

impl Careful {
    /// Eliminates the states of `system`, each of which must be able to leave it.
    pub(super) fn new(system: &System, control: &Control) -> Result<Self> {
        let n = system.n_states();
        let mut rows: Vec<Vec<(u32, Wide)>> = room(n)?;
        let mut sources: Vec<Vec<u32>> = room(n)?;
        sources.resize(n, Vec::new());
        for state in 0..n {
            let (targets, values) = system.row(state);
            rows.push(targets.iter().zip(values).map(|(&target, &value)| (target, Wide::new(value))).collect());
            for &target in targets {
                sources[target as usize].push(state as u32);
            }
        }
        let mut exits: Vec<Wide> = system.exits.iter().map(|&exit| Wide::new(exit)).collect();
        let (mut order, mut columns, mut leave): (Vec<u32>, _, Vec<Wide>) = (room(n)?, room(n)?, room(n)?);
        columns.resize(n, Vec::new());
        leave.resize(n, Wide::ZERO);
        let mut gone = vec![false; n];
        let degree = |rows: &[Vec<(u32, Wide)>], sources: &[Vec<u32>], k: usize| rows[k].len() * sources[k].len();
        let mut waiting: BinaryHeap<_> = (0..n).map(|k| Reverse((degree(&rows, &sources, k), k as u32))).collect();
        let mut merged = Vec::new();
        while let Some(Reverse((was, state))) = waiting.pop() {
            let k = state as usize;
            let now = degree(&rows, &sources, k);
            if gone[k] {
                continue;
            }
            if now > was {
                waiting.push(Reverse((now, state)));
                continue;
            }
            control.check()?;
            gone[k] = true;
            order.push(state);
            let mut s = exits[k];
            for &(_, value) in &rows[k] {
                s += value;
            }
            for (_, value) in &mut rows[k] {
                *value = *value / s;
            }
            let exit = exits[k] / s;
            leave[k] = s;
            let row = std::mem::take(&mut rows[k]);
            let mut column = Vec::new();
            for source in std::mem::take(&mut sources[k]) {
                let i = source as usize;
                if gone[i] {
                    continue;
                }
                control.check()?;
                let Ok(place) = rows[i].binary_search_by_key(&state, |&(target, _)| target) else { continue };
                let (_, factor) = rows[i].remove(place);
                column.push((source, factor));
                exits[i] += factor * exit;
                merge(&rows[i], &row, factor, source, &mut sources, &mut merged);
                std::mem::swap(&mut rows[i], &mut merged);
            }
            for &(target, _) in &row {
                sources[target as usize].retain(|&source| source != state);
            }
            for other in column.iter().map(|&(other, _)| other).chain(row.iter().map(|&(other, _)| other)) {
                waiting.push(Reverse((degree(&rows, &sources, other as usize), other)));
            }
            (rows[k], columns[k]) = (row, column);
        }
        Ok(Self { order, rows, columns, leave })
    }

    /// As [`Factors::solve`](crate::chains::elimination::Factors::solve), for one column.
    pub(super) fn solve(&self, column: &[f64], control: &Control) -> Result<Vec<Wide>> {
        let mut x: Vec<Wide> = column.iter().map(|&value| Wide::new(value)).collect();
        for &state in &self.order {
            control.check()?;
            let k = state as usize;
            x[k] = x[k] / self.leave[k];
            let known = x[k];
            for &(i, value) in &self.columns[k] {
                x[i as usize] += value * known;
            }
        }
        for &state in self.order.iter().rev() {
            control.check()?;
            let k = state as usize;
            let mut sum = x[k];
            for &(j, value) in &self.rows[k] {
                sum += value * x[j as usize];
            }
            x[k] = sum;
        }
        Ok(x)
    }

    /// As [`Factors::visits`](crate::chains::elimination::Factors::visits), for one row.
    pub(super) fn visits(&self, row: &[Wide], control: &Control) -> Result<Vec<Wide>> {
        let mut v = row.to_vec();
        for &state in &self.order {
            control.check()?;
            let known = v[state as usize];
            for &(j, value) in &self.rows[state as usize] {
                v[j as usize] += known * value;
            }
        }
        for &state in self.order.iter().rev() {
            control.check()?;
            let k = state as usize;
            let mut sum = v[k];
            for &(i, value) in &self.columns[k] {
                sum += v[i as usize] * value;
            }
            v[k] = sum / self.leave[k];
        }
        Ok(v)
    }
}

/// `to` is `old + factor row` without the transition of `source` to itself; where it leads anew is told to `sources`.
fn merge(
    old: &[(u32, Wide)],
    row: &[(u32, Wide)],
    factor: Wide,
    source: u32,
    sources: &mut [Vec<u32>],
    to: &mut Vec<(u32, Wide)>,
) {
    to.clear();
    let mut old = old.iter().copied().peekable();
    for &(target, value) in row.iter().filter(|&&(target, _)| target != source) {
        while let Some(entry) = old.next_if(|&(other, _)| other < target) {
            to.push(entry);
        }
        let mut sum = factor * value;
        if let Some((_, there)) = old.next_if(|&(other, _)| other == target) {
            sum += there;
        } else {
            sources[target as usize].push(source);
        }
        to.push((target, sum));
    }
    to.extend(old);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chains::elimination::Factors;
    use proptest::prelude::*;

    /// A system of `n` states; entries below 0.3 are none.
    fn system(n: usize, entries: &[f64]) -> System {
        let mut system = System { begins: vec![0], states: (0..n as u32).collect(), ..System::default() };
        for i in 0..n {
            for j in 0..n {
                let value = entries[i * (n + 1) + j];
                if i != j && value > 0.3 {
                    system.targets.push(j as u32);
                    system.values.push(value);
                }
            }
            system.begins.push(system.targets.len());
            system.exits.push(entries[i * (n + 1) + n]);
        }
        system
    }

    proptest! {
        #[test]
        fn where_f64_serves_both_say_the_same(n in 1usize..8, entries in prop::collection::vec(1e-3f64..1.0, 72)) {
            let (system, control) = (system(n, &entries), Control::default());
            let (plain, careful) = (Factors::new(&system, &control).unwrap(), Careful::new(&system, &control).unwrap());
            let right: Vec<f64> = entries[..n].to_vec();
            let (mut column, mut row) = (right.clone(), right.clone());
            plain.solve(&mut column, &control).unwrap();
            plain.visits(&mut row, &control).unwrap();
            for (x, y) in column.iter().zip(careful.solve(&right, &control).unwrap()) {
                prop_assert!((x / y.value() - 1.0).abs() < 1e-13);
            }
            for (x, y) in row.iter().zip(careful.visits(&right.iter().map(|&x| Wide::new(x)).collect::<Vec<_>>(), &control).unwrap()) {
                prop_assert!((x / y.value() - 1.0).abs() < 1e-13);
            }
        }
    }

    #[test]
    fn products_may_leave_the_range_of_f64() {
        // 0 -> 1 -> 2 -> 3 upwards with 1e-150, back to 0 with 1, out of 3 with 1e-300 to 0 or for good.
        let system = System {
            begins: vec![0, 1, 3, 5, 6],
            targets: vec![1, 0, 2, 0, 3, 0],
            values: vec![1e-150, 1.0, 1e-150, 1.0, 1e-150, 1e-300],
            exits: vec![0.0, 0.0, 0.0, 1e-300],
            states: vec![0, 1, 2, 3],
        };
        let control = Control::default();
        let careful = Careful::new(&system, &control).unwrap();
        let visits = careful.visits(&[1.0, 0.0, 0.0, 0.0].map(Wide::new), &control).unwrap();
        // Out of 3 each second time: two visits of 1e300 / 2 steps.
        assert!((visits[3].value() / 1e300 - 1.0).abs() < 1e-13, "{visits:?}");
        let sure = careful.solve(&[0.0, 0.0, 0.0, 1e-300], &control).unwrap();
        assert!(sure.iter().all(|x| (x.value() - 1.0).abs() < 1e-14));
    }
}
