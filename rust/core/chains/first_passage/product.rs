//! Matrix products of non-negative numbers, added to where they belong: the inner loops of the elimination.
//!
//! Each sum is taken in an order that depends neither on the width of a register nor on the number of threads.

// Loops go over numbers: what iterators call is not inlined into the forms for wider registers.
#![allow(clippy::needless_range_loop)]

use super::number::Number;
use crate::error::Result;
use crate::machine::{Kernel, each, widest};
use crate::run::{Control, fill_blocks};
use std::ops::Range;

/// Terms of a sum that are taken together.
pub(super) const DEPTH: usize = 32;

/// Rows and columns whose sums are held in registers at once.
const ROWS: usize = 4;
const COLUMNS: usize = 8;

/// Rows that a thread takes at a time, and the multiplications below which one thread takes all.
const BLOCK: usize = 32;
const BRIEF: usize = 1 << 19;

/// Up to [`DEPTH`] rows of a matrix, in strips of [`COLUMNS`] columns: strip after strip, row after row within each.
#[derive(Default)]
pub(super) struct Panel<T> {
    numbers: Vec<T>,
    depth: usize,
    columns: Range<usize>,
}

impl<T: Number> Panel<T> {
    /// Takes the given columns of `rows`, each of `width` numbers.
    pub(super) fn take(&mut self, rows: &[T], width: usize, columns: Range<usize>) {
        self.depth = rows.len() / width;
        self.numbers.clear();
        for first in columns.clone().step_by(COLUMNS) {
            let n = COLUMNS.min(columns.end - first);
            for row in rows.chunks_exact(width) {
                self.numbers.extend_from_slice(&row[first..first + n]);
                self.numbers.extend([T::default(); COLUMNS].iter().skip(n));
            }
        }
        self.columns = columns;
    }
}

/// Adds to each row of `rows` (each of `width` numbers), at the columns of `panel`, the rows of the panel times factors.
/// `factors(number, row, to)` writes down those of a row, one for each row of the panel.
///
/// With `triangle`, the rows of the panel are pivots, and `triangle[k * DEPTH + j]` is where pivot k leads to pivot j: what
/// leads to k then leads to j as well.
///
/// # Errors
/// [`Error::Interrupted`](crate::Error::Interrupted).
pub(super) fn add_product<T: Number>(
    rows: &mut [T],
    width: usize,
    panel: &Panel<T>,
    factors: impl Fn(usize, &[T], &mut [T; DEPTH]) + Sync,
    triangle: Option<&[T]>,
    control: &Control,
) -> Result<()> {
    let n_rows = rows.len() / width;
    let brief = n_rows * panel.depth * panel.columns.len() < BRIEF;
    let block = if brief { n_rows } else { BLOCK };
    let scratch = || Vec::with_capacity(block.next_multiple_of(ROWS) * panel.depth);
    fill_blocks(rows, width, block, control, scratch, |left, first, rows| {
        left.clear();
        let mut own = [T::default(); DEPTH];
        for group in 0..(rows.len() / width).div_ceil(ROWS) {
            let begin = left.len();
            left.resize(begin + ROWS * panel.depth, T::default());
            for (lane, row) in rows.chunks_exact(width).enumerate().skip(group * ROWS).take(ROWS) {
                factors(first + lane, row, &mut own);
                for (k, &factor) in own[..panel.depth].iter().enumerate() {
                    left[begin + k * ROWS + lane % ROWS] = factor;
                }
            }
        }
        widest(Update { rows, width, panel, left, triangle });
        Ok(())
    })
}

/// The work of one block: `left` holds the factors of four rows after another, term after term.
struct Update<'a, T> {
    rows: &'a mut [T],
    width: usize,
    panel: &'a Panel<T>,
    left: &'a mut [T],
    triangle: Option<&'a [T]>,
}

impl<T: Number> Kernel for Update<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { rows, width, panel, left, triangle } = self;
        let (depth, n_rows) = (panel.depth, rows.len() / width);
        let (left, _) = left.as_chunks_mut::<ROWS>();
        let (right, _) = panel.numbers.as_chunks::<COLUMNS>();
        let n_groups = n_rows.div_ceil(ROWS);
        if let Some(triangle) = triangle {
            for group in 0..n_groups {
                forward(&mut left[group * depth..(group + 1) * depth], triangle);
            }
        }
        for strip in 0..right.len() / depth {
            let right = &right[strip * depth..(strip + 1) * depth];
            let column = panel.columns.start + strip * COLUMNS;
            let live = COLUMNS.min(panel.columns.end - column);
            for group in 0..n_groups {
                let sums = tile(&left[group * depth..(group + 1) * depth], right);
                for lane in 0..ROWS.min(n_rows - group * ROWS) {
                    let at = (group * ROWS + lane) * width + column;
                    let to = &mut rows[at..at + live];
                    if let Some(to) = to.first_chunk_mut::<COLUMNS>() {
                        *to = each(|l| to[l] + sums[lane][l]);
                    } else {
                        for l in 0..live {
                            to[l] = to[l] + sums[lane][l];
                        }
                    }
                }
            }
        }
    }
}

/// The factors of four rows once the pivots of the panel before each have been eliminated.
#[inline(always)]
fn forward<T: Number>(group: &mut [[T; ROWS]], triangle: &[T]) {
    for k in 0..group.len() {
        let factor = group[k];
        let shares = &triangle[k * DEPTH..(k + 1) * DEPTH];
        for j in k + 1..group.len().min(DEPTH) {
            group[j] = each(|lane| group[j][lane] + factor[lane] * shares[j]);
        }
    }
}

/// The sums of products for four rows and eight columns.
#[inline(always)]
fn tile<T: Number>(left: &[[T; ROWS]], right: &[[T; COLUMNS]]) -> [[T; COLUMNS]; ROWS] {
    let mut sums = [[T::default(); COLUMNS]; ROWS];
    for k in 0..left.len().min(right.len()) {
        let (left, right) = (&left[k], &right[k]);
        for row in 0..ROWS {
            sums[row] = each(|l| sums[row][l] + left[row] * right[l]);
        }
    }
    sums
}

/// `to += factors[0] rows[0] + factors[1] rows[1] + ...`, where the rows begin `width` numbers after another.
pub(super) struct Combine<'a, T> {
    pub to: &'a mut [T],
    pub factors: &'a [T],
    pub rows: &'a [T],
    pub width: usize,
}

impl<T: Number> Kernel for Combine<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { to, factors, rows, width } = self;
        let n = to.len();
        let row = |k: usize| &rows[k * width..k * width + n];
        let mut k = 0;
        while k + 4 <= factors.len() {
            let (a, b, c, d) = (row(k), row(k + 1), row(k + 2), row(k + 3));
            let f = &factors[k..k + 4];
            for j in 0..n {
                to[j] = to[j] + ((f[0] * a[j] + f[1] * b[j]) + (f[2] * c[j] + f[3] * d[j]));
            }
            k += 4;
        }
        while k < factors.len() {
            let (factor, row) = (factors[k], row(k));
            for j in 0..n {
                to[j] = to[j] + factor * row[j];
            }
            k += 1;
        }
    }
}

/// The sum of `values`, of which eight are added at a time.
#[inline(always)]
pub(super) fn sum<T: Number>(values: &[T]) -> T {
    let (chunks, rest) = values.as_chunks::<COLUMNS>();
    let (mut lanes, mut total) = ([T::default(); COLUMNS], T::default());
    for chunk in 0..chunks.len() {
        lanes = each(|l| lanes[l] + chunks[chunk][l]);
    }
    for l in 0..rest.len() {
        total = total + rest[l];
    }
    for l in 0..COLUMNS {
        total = total + lanes[l];
    }
    total
}
