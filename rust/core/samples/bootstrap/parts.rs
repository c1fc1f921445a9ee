//! Sums of drawn rows, in few coordinates where the rows allow it, and the columns made of them.

use super::units::{Units, draw};
use super::{LANES, zeros};
use crate::error::Result;
use crate::machine::{Kernel, each, widest};
use crate::random::Seed;
use crate::run::{Control, fill_rows};
use crate::samples::smooth::{Compressed, compress};
use std::ops::Range;

/// Replicates summed together, so that one reading of the rows, which are too many for the first cache, serves them all.
const GROUP: usize = 4;

/// Replicates whose means are turned from rows into columns at a time.
const TILE: usize = 32;

/// Columns worked on at a time where the rows do not compress.
const WIDE: usize = 128;

/// A range of columns and the coordinates of every row that stand for it.
pub(super) struct Part {
    pub(super) columns: Range<usize>,
    /// Coordinates of value, then of counts, in panels of [`LANES`] coordinates of every row.
    panels: Vec<f64>,
    /// Number of coordinates, rounded up to whole panels.
    width: usize,
    values: Space,
    counts: Option<Space>,
}

/// Coordinates `start..start + basis.len() / K`, or the columns themselves where there is no basis.
struct Space {
    start: usize,
    basis: Option<Vec<f64>>,
}

impl Part {
    /// One part for all columns where the rows compress, several of [`WIDE`] columns where not.
    pub(super) fn all(units: &Units<'_>, control: &Control) -> Result<Vec<Self>> {
        let counts_row = |row: usize| units.counts.as_ref().map(|c| &c[row * units.width..(row + 1) * units.width]);
        let most = (units.width * 3 / 4).max(LANES);
        let values = compress(units.n_rows, units.width, most, |row| units.value_row(row), control)?;
        let counts = match (&values, &units.counts) {
            (Some(_), Some(_)) => {
                compress(units.n_rows, units.width, most, |row| counts_row(row).unwrap_or_default(), control)?
            }
            _ => None,
        };
        if let (Some(values), true) = (values, counts.is_some() == units.counts.is_some()) {
            return Ok(vec![Self::compressed(units, values, counts)?]);
        }
        (0..units.width.div_ceil(WIDE)).map(|i| Self::plain(units, i * WIDE..units.width.min((i + 1) * WIDE))).collect()
    }

    fn compressed(units: &Units<'_>, values: Compressed, counts: Option<Compressed>) -> Result<Self> {
        let rank = values.rank() + counts.as_ref().map_or(0, Compressed::rank);
        let width = rank.max(1).div_ceil(LANES) * LANES; // values that are all 0 have no direction
        let mut panels = zeros(units.n_rows * width)?;
        let mut start = 0;
        for space in [Some(&values), counts.as_ref()].into_iter().flatten() {
            for (row, coordinates) in space.coordinates.iter().enumerate() {
                for (j, &x) in coordinates.iter().enumerate() {
                    panels[panel_place(units.n_rows, row, start + j)] = x;
                }
            }
            start += space.rank();
        }
        let counts = counts.map(|c| Space { start: values.rank(), basis: Some(c.basis) });
        Ok(Self {
            columns: 0..units.width,
            panels,
            width,
            values: Space { start: 0, basis: Some(values.basis) },
            counts,
        })
    }

    fn plain(units: &Units<'_>, columns: Range<usize>) -> Result<Self> {
        let n = columns.len();
        let width = (n * if units.counts.is_some() { 2 } else { 1 }).div_ceil(LANES) * LANES;
        let mut panels = zeros(units.n_rows * width)?;
        for row in 0..units.n_rows {
            for (j, k) in columns.clone().enumerate() {
                panels[panel_place(units.n_rows, row, j)] = units.value_row(row)[k];
                if let Some(counts) = &units.counts {
                    panels[panel_place(units.n_rows, row, n + j)] = counts[row * units.width + k];
                }
            }
        }
        let counts = units.counts.as_ref().map(|_| Space { start: n, basis: None });
        Ok(Self { columns, panels, width, values: Space { start: 0, basis: None }, counts })
    }

    /// Coordinates of the sum of the rows drawn in each replicate: (`n_resamples`, width).
    pub(super) fn sums(
        &self,
        units: &Units<'_>,
        first: u64,
        n_resamples: usize,
        seed: &Seed,
        control: &Control,
    ) -> Result<Vec<f64>> {
        // The last group is filled up with replicates beyond those asked for.
        let mut sums = zeros(n_resamples.div_ceil(GROUP) * GROUP * self.width)?;
        let scratch = || (vec![0u32; units.n_rows], vec![[0.0; GROUP]; units.n_rows]);
        fill_rows(&mut sums, GROUP * self.width, 4, control, scratch, |(drawn, times), group, out| {
            for member in 0..GROUP {
                drawn.fill(0);
                draw(seed.stream(first + (group * GROUP + member) as u64), &units.row_of, drawn, control)?;
                for (times, &drawn) in times.iter_mut().zip(&*drawn) {
                    times[member] = f64::from(drawn);
                }
            }
            widest(SumRows { times, panels: &self.panels, width: self.width, out });
            Ok(())
        })?;
        sums.truncate(n_resamples * self.width);
        Ok(sums)
    }

    /// Means of columns `first..first + LANES` of this part, each over all replicates; `out` has LANES columns.
    pub(super) fn expand(&self, units: &Units<'_>, sums: &[f64], first: usize, out: &mut [f64]) {
        let n = self.columns.len();
        let packed = |space: &Space| -> Vec<f64> {
            let mut block = Vec::new();
            if let Some(basis) = &space.basis {
                for direction in basis.chunks(n) {
                    block.extend((first..first + LANES).map(|k| if k < n { direction[k] } else { 0.0 }));
                }
            }
            block
        };
        let all = units.row_of.len() as f64;
        let (values, counts) = (packed(&self.values), self.counts.as_ref().map(packed));
        widest(Expand {
            sums,
            width: self.width,
            values: (self.place(&self.values, first), &values),
            counts: self
                .counts
                .as_ref()
                .zip(counts.as_ref())
                .map(|(c, block)| (self.place(c, first), block.as_slice())),
            all,
            out,
        });
    }

    /// Where the coordinates of a space begin; without a basis, where the wanted columns are.
    fn place(&self, space: &Space, first: usize) -> (usize, usize) {
        if space.basis.is_some() {
            (space.start, 0)
        } else {
            (space.start + first, LANES.min(self.columns.len() - first))
        }
    }
}

fn panel_place(n_rows: usize, row: usize, coordinate: usize) -> usize {
    (coordinate / LANES * n_rows + row) * LANES + coordinate % LANES
}

/// `out[member] = sum over rows of times[row][member] * coordinates[row]`, for a group of replicates.
struct SumRows<'a> {
    times: &'a [[f64; GROUP]],
    panels: &'a [f64],
    width: usize,
    out: &'a mut [f64],
}

impl Kernel for SumRows<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (number, panel) in self.panels.chunks_exact(self.times.len() * LANES).enumerate() {
            let (mut a, mut b, mut c, mut d) = ([0.0; LANES], [0.0; LANES], [0.0; LANES], [0.0; LANES]);
            for (row, times) in panel.chunks_exact(LANES).zip(self.times) {
                a = each(|j| a[j] + times[0] * row[j]);
                b = each(|j| b[j] + times[1] * row[j]);
                c = each(|j| c[j] + times[2] * row[j]);
                d = each(|j| d[j] + times[3] * row[j]);
            }
            let sums: [_; GROUP] = [a, b, c, d];
            for (out, sum) in self.out.chunks_exact_mut(self.width).zip(&sums) {
                out[number * LANES..(number + 1) * LANES].copy_from_slice(sum);
            }
        }
    }
}

/// Means of [`LANES`] columns from the coordinates of the sums.
struct Expand<'a> {
    sums: &'a [f64],
    width: usize,
    values: ((usize, usize), &'a [f64]),
    counts: Option<((usize, usize), &'a [f64])>,
    all: f64,
    out: &'a mut [f64],
}

impl Kernel for Expand<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let n = self.sums.len() / self.width;
        let mut tile = [[0.0; LANES]; TILE];
        for (first, sums) in self.sums.chunks(TILE * self.width).enumerate() {
            let first = first * TILE;
            for (means, sums) in tile.iter_mut().zip(sums.chunks_exact(self.width)) {
                *means = product(sums, self.values);
                match self.counts {
                    None => {
                        for mean in means.iter_mut() {
                            *mean /= self.all;
                        }
                    }
                    Some(space) => {
                        let counts = product(sums, space);
                        for (mean, count) in means.iter_mut().zip(counts) {
                            // Counts are whole numbers, which their coordinates give to within a rounding error.
                            let count = (count + 0.5).floor();
                            *mean = if count > 0.0 { *mean / count } else { f64::NAN };
                        }
                    }
                }
            }
            let rows = TILE.min(n - first);
            for (j, column) in self.out.chunks_exact_mut(n).enumerate() {
                for (to, means) in column[first..first + rows].iter_mut().zip(&tile) {
                    *to = means[j];
                }
            }
        }
    }
}

#[inline(always)]
fn product(sums: &[f64], ((start, plain), block): ((usize, usize), &[f64])) -> [f64; LANES] {
    if plain > 0 {
        let mut total = [0.0; LANES];
        total[..plain].copy_from_slice(&sums[start..start + plain]);
        return total;
    }
    // Even and odd directions apart, so that one addition need not wait for the other.
    let (mut even, mut odd) = ([0.0; LANES], [0.0; LANES]);
    let mut directions = block.chunks_exact(2 * LANES);
    let mut sums = sums[start..start + block.len() / LANES].chunks_exact(2);
    for (two, pair) in (&mut directions).zip(&mut sums) {
        for j in 0..LANES {
            even[j] += pair[0] * two[j];
            odd[j] += pair[1] * two[LANES + j];
        }
    }
    for (direction, &sum) in directions.remainder().chunks_exact(LANES).zip(sums.remainder()) {
        for j in 0..LANES {
            even[j] += sum * direction[j];
        }
    }
    for j in 0..LANES {
        even[j] += odd[j];
    }
    even
}
