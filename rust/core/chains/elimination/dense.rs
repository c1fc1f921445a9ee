//! Elimination within a dense table: panels of pivots, then one product for all that they add to the rest.

use crate::error::Result;
use crate::machine::{self, Kernel, each};
use crate::run::{Control, fill_blocks};

/// Pivots of a panel. A strip of the panel, 4 KB, stays in the first level of cache.
const PANEL: usize = 32;

/// Tables of at most so many rows are eliminated one pivot after another.
const SMALL: usize = 48;

/// Columns and rows of the table that are kept in registers; two quartets of rows share their factors.
const STRIP: usize = 16;
const QUARTET: usize = 4;
const ROWS: usize = 2 * QUARTET;

/// Rows that a thread takes at a time, and the multiplications from which on threads are worth their start.
const BLOCK: usize = 32;
const THREADED: usize = 1 << 26;

/// A row is multiplied by a power of two before its entries come near the smallest numbers; never by more than `MOST`.
const LOW: f64 = f64::from_bits((1023 - 200) << 52);
const MOST: f64 = f64::from_bits((1023 + 1000) << 52);

/// A table of `size` rows and one more column, the exits. What stands on the diagonal does not matter.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub(super) size: usize,
    pub(super) values: Vec<f64>,
    /// By which power of two each row is multiplied.
    pub(super) scales: Vec<f64>,
}

impl Table {
    /// Columns, exits included.
    pub(super) fn width(&self) -> usize {
        self.size + 1
    }

    /// Eliminates the first states, one for each element of `leave`: their rows become, right of the diagonal, the
    /// probabilities of the next state among those that remain and of the exit; `leave` the `s_k`; their columns, below
    /// the diagonal, the `a_ik` at the time when k went. On threads of its own only where `threaded`.
    pub(super) fn eliminate(&mut self, leave: &mut [f64], threaded: bool, control: &Control) -> Result<()> {
        let panel = if self.size <= SMALL { 1 } else { PANEL };
        let mut first = 0;
        while first < leave.len() {
            control.check()?;
            let end = (first + panel).min(leave.len());
            self.rescale(first);
            self.panel(first, &mut leave[first..end]);
            self.update(first, end, threaded, control)?;
            first = end;
        }
        Ok(())
    }

    /// Adds the rows of a smaller table, whose states stand in `places` of this one.
    pub(super) fn add(&mut self, other: &Table, places: &[usize]) {
        let (width, other_width) = (self.width(), other.width());
        for (row, &place) in places.iter().enumerate() {
            let from = &other.values[row * other_width..(row + 1) * other_width];
            let to = &mut self.values[place * width..(place + 1) * width];
            let (scale, other_scale) = (self.scales[place], other.scales[row]);
            let mut lift = 1.0;
            if scale != other_scale {
                // The row of the larger entries sets the scale; one without any has none of its own.
                let empty = to.iter().all(|&value| value == 0.0);
                let common = if empty { other_scale } else { scale.min(other_scale) };
                for value in &mut *to {
                    *value *= common / scale;
                }
                (self.scales[place], lift) = (common, common / other_scale);
            }
            for (column, &value) in from[..other.size].iter().enumerate() {
                to[places[column]] += value * lift;
            }
            to[width - 1] += from[other.size] * lift;
        }
    }

    /// Lifts rows whose remaining entries have all become small. Most rows are seen not to be by their first entry.
    fn rescale(&mut self, first: usize) {
        let width = self.width();
        for (row, scale) in self.scales.iter_mut().enumerate().skip(first) {
            let values = &mut self.values[row * width..(row + 1) * width];
            let rest = (first..width).filter(|&column| column != row);
            if rest.clone().any(|column| values[column] >= LOW) {
                continue;
            }
            let largest = rest.map(|column| values[column]).fold(0.0, f64::max);
            if largest > 0.0 && *scale < MOST {
                // Twice, since the factor of a subnormal number is none itself.
                let lift = power_above(largest).recip().min(MOST / *scale);
                for value in values {
                    *value *= lift;
                }
                *scale *= lift;
            }
        }
    }

    /// Finishes the rows of the pivots `first..first + leave.len()`, over all columns.
    fn panel(&mut self, first: usize, leave: &mut [f64]) {
        let width = self.width();
        for (index, leave) in leave.iter_mut().enumerate() {
            let k = first + index;
            let (before, rest) = self.values.split_at_mut(k * width);
            let row = &mut rest[..width];
            for l in first..k {
                let (factor, pivot) = (row[l], &before[l * width..(l + 1) * width]);
                if factor > 0.0 {
                    add(factor, &pivot[l + 1..], &mut row[l + 1..]);
                }
            }
            *leave = row[k + 1..].iter().sum();
            if *leave > 0.0 {
                for value in &mut row[k + 1..] {
                    *value /= *leave;
                }
            }
        }
    }

    /// Adds to the rows below what the pivots `first..end` bring.
    fn update(&mut self, first: usize, end: usize, threaded: bool, control: &Control) -> Result<()> {
        let width = self.width();
        let (before, below) = self.values.split_at_mut(end * width);
        let pivots = &before[first * width..];
        if end - first == 1 {
            let row = &pivots[end..];
            for other in below.chunks_exact_mut(width) {
                let factor = other[first];
                if factor > 0.0 {
                    add(factor, row, &mut other[end..]);
                }
            }
            return Ok(());
        }
        let n_strips = (width - end).div_ceil(STRIP);
        let mut strips = vec![[[0.0; STRIP]; PANEL]; n_strips];
        for (l, row) in pivots.chunks_exact(width).enumerate() {
            for (strip, values) in strips.iter_mut().zip(row[end..].chunks(STRIP)) {
                strip[l][..values.len()].copy_from_slice(values);
            }
        }
        let work = below.len() * (end - first);
        let block = if !threaded || work < THREADED { usize::MAX / width } else { BLOCK };
        fill_blocks(
            below,
            width,
            block,
            control,
            || (),
            |(), _, rows| {
                control.check()?;
                machine::widest(Update { rows, width, first, end, pivots, strips: &strips });
                Ok(())
            },
        )
    }
}

/// The power of two next to a positive number, above or below.
fn power_above(value: f64) -> f64 {
    let exponent = (value.to_bits() >> 52).max(1);
    f64::from_bits(exponent << 52)
}

/// `to += factor * from`. Short rows are not worth the choice of instructions.
fn add(factor: f64, from: &[f64], to: &mut [f64]) {
    let add = Add { factor, from, to };
    if from.len() < STRIP { add.run() } else { machine::widest(add) }
}

struct Add<'a> {
    factor: f64,
    from: &'a [f64],
    to: &'a mut [f64],
}

impl Kernel for Add<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (to, &from) in self.to.iter_mut().zip(self.from) {
            *to += self.factor * from;
        }
    }
}

/// What the pivots of a panel add to some rows below them.
struct Update<'a> {
    rows: &'a mut [f64],
    width: usize,
    first: usize,
    end: usize,
    /// Rows of the pivots.
    pivots: &'a [f64],
    /// The same right of the panel, in strips.
    strips: &'a [[[f64; STRIP]; PANEL]],
}

impl Kernel for Update<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { rows, width, first, end, pivots, strips } = self;
        for group in rows.chunks_mut(ROWS * width) {
            // The entries in the columns of the panel, each row a lane; those of an incomplete group are zeros.
            let mut factors = [[0.0; ROWS]; PANEL];
            for (lane, row) in group.chunks_exact(width).enumerate() {
                for (factor, &value) in factors.iter_mut().zip(&row[first..end]) {
                    factor[lane] = value;
                }
            }
            for (l, pivot) in pivots.chunks_exact(width).enumerate() {
                let (before, later) = factors.split_at_mut(l + 1);
                let factor = before[l];
                for (to, &p) in later.iter_mut().zip(&pivot[first + l + 1..end]) {
                    *to = each(|lane| to[lane] + factor[lane] * p);
                }
            }
            for (lane, row) in group.chunks_exact_mut(width).enumerate() {
                for (factor, value) in factors.iter().zip(&mut row[first..end]) {
                    *value = factor[lane];
                }
            }
            let factors = &factors[..end - first];
            if group.len() == ROWS * width {
                let (upper, lower) = group.split_at_mut(QUARTET * width);
                product::<0>(upper, width, end, factors, strips);
                product::<QUARTET>(lower, width, end, factors, strips);
            } else {
                for (lane, row) in group.chunks_exact_mut(width).enumerate() {
                    for (number, strip) in strips.iter().enumerate() {
                        rest(&mut row[end + number * STRIP..], factors.iter().map(|factor| factor[lane]), strip);
                    }
                }
            }
        }
    }
}

/// Adds to four rows the products of their factors, lanes `LANE..LANE + 4`, with the strips.
#[inline(always)]
fn product<const LANE: usize>(
    rows: &mut [f64],
    width: usize,
    end: usize,
    factors: &[[f64; ROWS]],
    strips: &[[[f64; STRIP]; PANEL]],
) {
    let (row_a, others) = rows.split_at_mut(width);
    let (row_b, others) = others.split_at_mut(width);
    let (row_c, row_d) = others.split_at_mut(width);
    let (row_a, rest_a) = row_a[end..].as_chunks_mut::<STRIP>();
    let (row_b, rest_b) = row_b[end..].as_chunks_mut::<STRIP>();
    let (row_c, rest_c) = row_c[end..].as_chunks_mut::<STRIP>();
    let (row_d, rest_d) = row_d[end..].as_chunks_mut::<STRIP>();
    for ((((a, b), c), d), strip) in row_a.iter_mut().zip(row_b).zip(row_c).zip(row_d).zip(strips) {
        let mut sums = (*a, *b, *c, *d);
        for (factor, values) in factors.iter().zip(strip) {
            sums.0 = each(|x| sums.0[x] + factor[LANE] * values[x]);
            sums.1 = each(|x| sums.1[x] + factor[LANE + 1] * values[x]);
            sums.2 = each(|x| sums.2[x] + factor[LANE + 2] * values[x]);
            sums.3 = each(|x| sums.3[x] + factor[LANE + 3] * values[x]);
        }
        (*a, *b, *c, *d) = sums;
    }
    if let Some(strip) = strips.get((width - end) / STRIP) {
        for (lane, to) in [rest_a, rest_b, rest_c, rest_d].into_iter().enumerate() {
            rest(to, factors.iter().map(|factor| factor[LANE + lane]), strip);
        }
    }
}

/// As [`product`], for one row and at most as many columns as a strip has.
#[inline(always)]
fn rest(to: &mut [f64], factors: impl Iterator<Item = f64>, strip: &[[f64; STRIP]; PANEL]) {
    for (factor, values) in factors.zip(strip) {
        for (to, &value) in to.iter_mut().zip(values) {
            *to += factor * value;
        }
    }
}
