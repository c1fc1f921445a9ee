//! Products of dense matrices, in tiles that stay in the registers and the nearest cache.

use crate::error::Result;
use crate::machine::{self, Kernel};
use crate::memory::zeros;
use crate::run::{Control, fill_blocks};

/// Columns of a panel of the right factor.
const COLUMNS: usize = 8;
/// Rows of a tile: so many sums of [`COLUMNS`] numbers fit the registers of AVX2.
const ROWS: usize = 6;
/// Terms of a sum that are added before the next tile: 16 kB of a panel.
const DEPTH: usize = 256;
/// Rows that a thread takes at once.
const BLOCK: usize = 16 * ROWS;

/// Fills `out` (m x n) with the product of `left` (m x k) and `right` (k x n). Each entry is summed from its first term
/// to its last, whatever the tiles, threads and vector instructions: the bytes are those of three plain loops. Takes a
/// copy of `right` besides.
///
/// # Errors
/// [`Error::Memory`](crate::Error::Memory), [`Error::Interrupted`](crate::Error::Interrupted).
///
/// # Panics
/// If the matrices are not of these sizes.
pub(in crate::chains) fn multiply(
    left: &[f64],
    right: &[f64],
    k: usize,
    out: &mut [f64],
    control: &Control,
) -> Result<()> {
    if out.is_empty() {
        return Ok(());
    }
    if k == 0 {
        out.fill(0.0);
        return Ok(());
    }
    let n = right.len() / k;
    assert!(right.len() == k * n && left.len() * n == out.len() * k, "matrices that fit each other");
    let panels = packed(right, n)?;
    fill_blocks(
        out,
        n,
        BLOCK,
        control,
        || (),
        |(), first, rows| {
            rows.fill(0.0);
            let left = &left[first * k..][..rows.len() / n * k];
            for begin in (0..k).step_by(DEPTH) {
                let depth = begin..k.min(begin + DEPTH);
                for (number, panel) in panels.chunks_exact(k * COLUMNS).enumerate() {
                    control.check()?;
                    let panel = &panel[depth.start * COLUMNS..depth.end * COLUMNS];
                    machine::widest(Strip { left, k, begin, panel, out: rows, n, column: number * COLUMNS });
                }
            }
            Ok(())
        },
    )
}

/// The columns of a matrix of rows of `n` numbers, [`COLUMNS`] at a time, row after row; zeros where there are no more.
fn packed(matrix: &[f64], n: usize) -> Result<Vec<f64>> {
    let k = matrix.len() / n;
    let mut panels: Vec<f64> = zeros(n.div_ceil(COLUMNS) * COLUMNS * k)?;
    for (number, panel) in panels.chunks_exact_mut(k * COLUMNS).enumerate() {
        let columns = number * COLUMNS..n.min((number + 1) * COLUMNS);
        for (to, row) in panel.chunks_exact_mut(COLUMNS).zip(matrix.chunks_exact(n)) {
            to[..columns.len()].copy_from_slice(&row[columns.clone()]);
        }
    }
    Ok(panels)
}

/// Adds the product of some columns of `left` with a panel to some columns of `out`.
struct Strip<'a> {
    /// Rows of `k` numbers, of which those from `begin` on are taken.
    left: &'a [f64],
    k: usize,
    begin: usize,
    panel: &'a [f64],
    /// Rows of `n` numbers, of which those from `column` on are added to.
    out: &'a mut [f64],
    n: usize,
    column: usize,
}

impl Kernel for Strip<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let width = COLUMNS.min(self.n - self.column);
        let depth = self.panel.len() / COLUMNS;
        for (left, out) in self.left.chunks(ROWS * self.k).zip(self.out.chunks_mut(ROWS * self.n)) {
            let n_rows = out.len() / self.n;
            // Rows that are not there are the last one once more, and not stored.
            let rows: [&[f64]; ROWS] =
                std::array::from_fn(|row| &left[row.min(n_rows - 1) * self.k + self.begin..][..depth]);
            let mut sums = [[0.0; COLUMNS]; ROWS];
            for (sums, out) in sums.iter_mut().zip(out.chunks_exact(self.n)) {
                sums[..width].copy_from_slice(&out[self.column..self.column + width]);
            }
            let sums = tile(&rows, self.panel, sums);
            for (sums, out) in sums.iter().zip(out.chunks_exact_mut(self.n)) {
                out[self.column..self.column + width].copy_from_slice(&sums[..width]);
            }
        }
    }
}

/// `sums` with the products of `rows` and a panel added.
#[inline(always)]
fn tile(rows: &[&[f64]; ROWS], panel: &[f64], mut sums: [[f64; COLUMNS]; ROWS]) -> [[f64; COLUMNS]; ROWS] {
    let depth = panel.len() / COLUMNS;
    let [a, b, c, d, e, f] = rows.map(|row| &row[..depth]);
    for (term, factors) in panel.chunks_exact(COLUMNS).enumerate() {
        let values = [a[term], b[term], c[term], d[term], e[term], f[term]];
        for row in 0..ROWS {
            for column in 0..COLUMNS {
                sums[row][column] += values[row] * factors[column];
            }
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_bytes_are_those_of_plain_loops(
            (m, k, n) in (1usize..40, 1usize..600, 1usize..40), seed in 0u64..1000, threads in 1usize..4
        ) {
            let stream = crate::random::Seed::from_u64(seed);
            let mut stream = stream.stream(0);
            let mut numbers = |n: usize| (0..n).map(|_| stream.uniform() - 0.5).collect::<Vec<f64>>();
            let (left, right) = (numbers(m * k), numbers(k * n));
            let mut out = vec![f64::NAN; m * n];
            multiply(&left, &right, k, &mut out, &Control::new(threads)).unwrap();
            for i in 0..m {
                for j in 0..n {
                    let plain = (0..k).fold(0.0, |sum, term| sum + left[i * k + term] * right[term * n + j]);
                    prop_assert_eq!(out[i * n + j].to_bits(), plain.to_bits());
                }
            }
        }
    }
}
