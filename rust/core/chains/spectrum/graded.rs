//! I - P of one class, taken apart without subtractions into L D U, the state that is left soonest first.
//!
//! As in [`elimination`](crate::chains::elimination), but with the order chosen on the way: eliminating the state of
//! the largest `s_k` among those that remain makes D = diag(s) descend, while L and U keep entries of at most 1. D
//! carries the time scales, and L and U are as well conditioned as they can be: a rank-revealing decomposition, whose
//! entries all have small relative errors, so that it determines each rate to full relative accuracy (Demmel et al.
//! 1999; Ye 2008).

use crate::chains::system::System;
use crate::error::Result;
use crate::memory::zeros;
use crate::run::Control;
use faer::Mat;
use std::cmp::Ordering;

/// The factors of the table of a class.
#[derive(Debug, Clone)]
pub struct Graded {
    n: usize,
    /// Rows of n + 1 numbers in the order of elimination: right of the diagonal `a_kj / s_k`, the last of which is the
    /// exit, left of it `a_ik` when k went.
    table: Vec<f64>,
    /// `s_k`, descending.
    pub scales: Vec<f64>,
    /// The number in the class of the state that was eliminated as the k-th.
    pub order: Vec<usize>,
}

impl Graded {
    /// As [`new`](Self::new), for the states of a system.
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory), [`Error::Interrupted`](crate::Error::Interrupted).
    pub fn of(system: &System, control: &Control) -> Result<Self> {
        let n = system.n_states();
        let mut table = zeros(n * (n + 1))?;
        for (number, row) in table.chunks_exact_mut(n + 1).enumerate() {
            let (targets, values) = system.row(number);
            targets.iter().zip(values).for_each(|(&target, &value)| row[target as usize] = value);
            row[n] = system.exits[number];
        }
        Self::new(table, n, control)
    }

    /// Eliminates the `n` states of `table`, rows of n + 1 numbers, the last of which is the exit. Cost: n^3 / 3
    /// multiplications.
    ///
    /// # Errors
    /// [`Error::Interrupted`](crate::Error::Interrupted).
    pub fn new(mut table: Vec<f64>, n: usize, control: &Control) -> Result<Self> {
        let width = n + 1;
        let mut order: Vec<usize> = (0..n).collect();
        let mut scales: Vec<f64> = table.chunks_exact(width).map(total).collect();
        for k in 0..n {
            control.check()?;
            let mut pivot = k;
            for i in k + 1..n {
                if scales[i] > scales[pivot] {
                    pivot = i;
                }
            }
            swap(&mut table, width, k, pivot);
            order.swap(k, pivot);
            scales.swap(k, pivot);
            let s = scales[k];
            if s == 0.0 {
                break; // nothing is left any more: one state of a closed class
            }
            let (before, after) = table.split_at_mut((k + 1) * width);
            let row = &mut before[k * width + k + 1..];
            for x in &mut *row {
                *x /= s;
            }
            for (i, other) in after.chunks_exact_mut(width).enumerate() {
                let factor = other[k];
                if factor > 0.0 {
                    let rest = &mut other[k + 1..];
                    rest.iter_mut().zip(&*row).for_each(|(to, &x)| *to += factor * x);
                    rest[i] = 0.0;
                    scales[k + 1 + i] = total(rest);
                }
            }
        }
        Ok(Self { n, table, scales, order })
    }

    /// Number of states.
    pub fn n_states(&self) -> usize {
        self.n
    }

    /// Number of states with a positive scale: all but the last of a closed class.
    pub fn rank(&self) -> usize {
        self.scales.partition_point(|&s| s > 0.0)
    }

    /// `a_kj / s_k` for j > k, in the order of elimination.
    pub fn right(&self, k: usize, j: usize) -> f64 {
        self.table[k * (self.n + 1) + j]
    }

    /// `a_ik` for i > k when k went.
    pub fn below(&self, i: usize, k: usize) -> f64 {
        self.table[i * (self.n + 1) + k]
    }

    /// The columns of the symmetric factor G with G G' = D^1/2 (I - P) D^-1/2, D the weights of detailed balance, each
    /// of n numbers: they need no weights, as the factors of a balanced pair are the root of its two.
    pub fn cholesky(&self) -> Vec<Vec<f64>> {
        let column = |k: usize| {
            let mut column = vec![0.0; self.n];
            column[k] = self.scales[k].sqrt();
            for (i, entry) in column.iter_mut().enumerate().skip(k + 1) {
                *entry = -self.below(i, k).sqrt() * self.right(k, i).sqrt();
            }
            column
        };
        (0..self.rank()).map(column).collect()
    }

    /// K = U L without the columns of zeros, n x rank: U (I - P) U^-1 = (K D, 0). Entries of K err by some eps times
    /// the largest.
    pub fn core(&self) -> Mat<f64> {
        let rank = self.rank();
        let upper = Mat::from_fn(self.n, self.n, |i, j| match i.cmp(&j) {
            Ordering::Less => -self.right(i, j),
            Ordering::Equal => 1.0,
            Ordering::Greater => 0.0,
        });
        let lower = Mat::from_fn(self.n, rank, |i, j| match i.cmp(&j) {
            Ordering::Greater => -self.below(i, j) / self.scales[j],
            Ordering::Equal => 1.0,
            Ordering::Less => 0.0,
        });
        upper * lower
    }

    /// The stationary law of each closed class, whose last state was eliminated as the `last`-th, by the order of
    /// elimination, its largest entry 1.
    pub fn stationary(&self, last: usize) -> Vec<f64> {
        let mut law = vec![0.0; self.n];
        law[last] = 1.0;
        for k in (0..self.rank()).rev() {
            law[k] = (k + 1..self.n).map(|i| law[i] * (self.below(i, k) / self.scales[k])).sum();
            if law[k] > 1e200 {
                for weight in &mut law {
                    *weight *= 1e-200;
                }
            }
        }
        let largest = law.iter().copied().fold(0.0, f64::max);
        for weight in &mut law {
            *weight /= largest;
        }
        law
    }

    /// Replaces each column y of n numbers by U^-1 y: what the last states have spreads to all that were eliminated
    /// before them as the mean over where walks go next.
    pub fn spread(&self, columns: &mut [Vec<f64>]) {
        for column in columns {
            for k in (0..self.rank()).rev() {
                column[k] += (k + 1..self.n).map(|j| self.right(k, j) * column[j]).sum::<f64>();
            }
        }
    }
}

/// The sum of non-negative numbers, in eight strands.
fn total(values: &[f64]) -> f64 {
    let mut strands = [0.0; 8];
    let chunks = values.chunks_exact(8);
    let rest: f64 = chunks.remainder().iter().sum();
    for chunk in chunks {
        strands.iter_mut().zip(chunk).for_each(|(strand, &x)| *strand += x);
    }
    strands.iter().sum::<f64>() + rest
}

/// Exchanges the rows and the columns `a` and `b` of a table with a column more than rows.
fn swap(table: &mut [f64], width: usize, a: usize, b: usize) {
    if a == b {
        return;
    }
    let (low, high) = (a.min(b), a.max(b));
    let (first, second) = table.split_at_mut(high * width);
    first[low * width..(low + 1) * width].swap_with_slice(&mut second[..width]);
    for row in table.chunks_exact_mut(width) {
        row.swap(a, b);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_descend_and_the_slowest_is_last() {
        let table = vec![0.0, 1e-100, 0.25, 0.0, 2e-100, 0.0, 0.0, 0.0, 0.5, 0.0, 0.0, 0.0];
        let graded = Graded::new(table, 3, &Control::default()).unwrap();
        assert_eq!(graded.rank(), 2);
        assert_eq!(graded.order[0], 2);
        assert_eq!(graded.scales[..2], [0.5, 2e-100]);
    }
}
