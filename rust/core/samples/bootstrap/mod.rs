//! Bootstrap of whole curves: problems (or clusters) are drawn with replacement, and one draw serves every column.
//!
//! A replicate needs sums of `P` drawn rows of `K` columns. Curves over k are smooth, so the rows lie within 1e-10 of a
//! space of few dimensions (some 30 for pass@k and best-of-k, 100 for maj@k, of 256): the sums are of coordinates in that space, and the columns are expanded at the
//! end, where their quantiles are selected. With rows that do not compress the sums are of the columns themselves.
//!
//! Replicate `b` draws from stream `b` of the seed, the same problems whatever the columns hold: two curves over the
//! same problems and the same seed are resampled in pairs.

use crate::error::{Error, Result, invalid};
use crate::random::{Seed, Stream};
use crate::run::{Control, fill_rows, map_items};
use crate::samples::intervals::{Clusters, Curves};
use crate::samples::smooth::{Compressed, compress};
use crate::simd::{Kernel, each, widest};

/// Coordinates summed at a time, and columns expanded at a time.
const LANES: usize = 16;

/// Replicates summed together, so that one reading of the rows, which are too many for the first cache, serves them all.
const GROUP: usize = 4;

/// Replicates whose means are turned from rows into columns at a time.
const TILE: usize = 32;

/// Columns worked on at a time where the rows do not compress.
const WIDE: usize = 128;

/// Up to this number of units two draws share a random word; no unit is off its probability by more than 2^-32.
const HALF_WORD: u64 = 1 << 16;

/// Quantiles and spread of resampled means.
#[derive(Debug, Clone, PartialEq)]
pub struct Resampled {
    /// One row of `K` values for each probability asked for.
    pub quantiles: Vec<Vec<f64>>,
    /// Standard deviation over the replicates.
    pub standard_deviation: Vec<f64>,
}

/// Quantiles (linear between order statistics) and standard deviation of the means of `n_resamples` resamples.
///
/// A column is NaN where some replicate has drawn no value. Costs `n_resamples` times `P` draws of half a word (a word
/// above 65,536 units) and as many times `R` rows times the number of coordinates in multiplications.
///
/// # Errors
/// If there is no problem or no resample, for clusters of another length or a probability outside [0, 1], and
/// [`Error::Interrupted`], [`Error::Memory`].
pub fn resample(
    curves: &Curves<'_>,
    clusters: Option<&[i64]>,
    n_resamples: usize,
    seed: &Seed,
    probabilities: &[f64],
    control: &Control,
) -> Result<Resampled> {
    if n_resamples == 0 {
        return Err(invalid("n_resamples", &[], 0, "be at least 1"));
    }
    if let Some(i) = probabilities.iter().position(|p| !(0.0..=1.0).contains(p)) {
        return Err(invalid("probabilities", &[i], probabilities[i], "be between 0 and 1"));
    }
    let units = Units::new(curves, clusters)?;
    let mut result = Resampled { quantiles: vec![Vec::new(); probabilities.len()], standard_deviation: Vec::new() };
    for part in Part::all(&units, control)? {
        let sums = part.sums(&units, 0, n_resamples, seed, control)?;
        let blocks = map_items(
            part.columns.len().div_ceil(LANES),
            1,
            control,
            || (vec![0.0; LANES * n_resamples], Vec::new()),
            |(columns, tail), block| {
                let first = block * LANES;
                let count = LANES.min(part.columns.len() - first);
                part.expand(&units, &sums, first, columns);
                let mut out = Vec::with_capacity(count * (probabilities.len() + 1));
                for column in columns.chunks(n_resamples).take(count) {
                    control.check()?;
                    out.push(standard_deviation(column));
                    out.extend(quantiles(column, probabilities, tail));
                }
                Ok(out)
            },
        )?;
        for column in blocks.iter().flat_map(|block| block.chunks(probabilities.len() + 1)) {
            result.standard_deviation.push(column[0]);
            for (to, &value) in result.quantiles.iter_mut().zip(&column[1..]) {
                to.push(value);
            }
        }
    }
    Ok(result)
}

/// The resampled means themselves: row `i` of `out` is replicate `first + i`, so that shards of one job concatenate.
///
/// # Errors
/// As [`resample`].
///
/// # Panics
/// If `out` is not a whole number of rows of `K` values.
pub fn means(
    curves: &Curves<'_>,
    clusters: Option<&[i64]>,
    first: u64,
    seed: &Seed,
    control: &Control,
    out: &mut [f64],
) -> Result<()> {
    let units = Units::new(curves, clusters)?;
    let width = curves.width();
    assert_eq!(out.len() % width, 0, "the output is not a whole number of rows");
    let n_resamples = out.len() / width;
    for part in Part::all(&units, control)? {
        let sums = part.sums(&units, first, n_resamples, seed, control)?;
        let mut columns = vec![0.0; LANES * n_resamples];
        for offset in (0..part.columns.len()).step_by(LANES) {
            control.check()?;
            part.expand(&units, &sums, offset, &mut columns);
            let count = LANES.min(part.columns.len() - offset);
            for (i, column) in columns.chunks(n_resamples.max(1)).take(count).enumerate() {
                for (row, &value) in out.chunks_mut(width).zip(column) {
                    row[part.columns.start + offset + i] = value;
                }
            }
        }
    }
    Ok(())
}

/// What is drawn: units, each with a stored row of sums, and how many values each column of it sums.
struct Units<'a> {
    /// Row of each unit.
    row_of: Vec<u32>,
    n_rows: usize,
    width: usize,
    values: Rows<'a>,
    /// None where each row counts one value in every column.
    counts: Option<Vec<f64>>,
}

enum Rows<'a> {
    Borrowed(Curves<'a>),
    Owned(Vec<f64>),
}

impl<'a> Units<'a> {
    fn new(curves: &Curves<'a>, clusters: Option<&[i64]>) -> Result<Self> {
        let width = curves.width();
        if curves.n_problems() == 0 {
            return Err(invalid("index", &[], "", "not be empty"));
        }
        if let Some(labels) = clusters {
            if labels.len() != curves.n_problems() {
                let rule = format!("have one entry a problem, {}", curves.n_problems());
                return Err(invalid("cluster", &[], labels.len(), rule));
            }
            let clusters = Clusters::new(labels);
            let n_rows = clusters.iter().len();
            let (mut values, mut counts) = (zeros(n_rows * width)?, zeros(n_rows * width)?);
            for (c, members) in clusters.iter().enumerate() {
                let place = c * width..(c + 1) * width;
                for &i in members {
                    let (to, counts) = (&mut values[place.clone()], &mut counts[place.clone()]);
                    for ((sum, count), &x) in to.iter_mut().zip(counts).zip(curves.problem(i)) {
                        if !x.is_nan() {
                            *sum += x;
                            *count += 1.0;
                        }
                    }
                }
            }
            let row_of = (0..n_rows as u32).collect();
            return Ok(Self { row_of, n_rows, width, values: Rows::Owned(values), counts: Some(counts) });
        }
        let n_rows = curves.n_rows();
        let row_of = curves.index().iter().map(|&row| row as u32).collect();
        let missing = (0..n_rows).any(|row| curves.row(row).iter().any(|x| x.is_nan()));
        if !missing {
            return Ok(Self { row_of, n_rows, width, values: Rows::Borrowed(*curves), counts: None });
        }
        let (mut values, mut counts) = (zeros(n_rows * width)?, zeros(n_rows * width)?);
        for row in 0..n_rows {
            for (j, &x) in curves.row(row).iter().enumerate().filter(|(_, x)| !x.is_nan()) {
                values[row * width + j] = x;
                counts[row * width + j] = 1.0;
            }
        }
        Ok(Self { row_of, n_rows, width, values: Rows::Owned(values), counts: Some(counts) })
    }

    fn value_row(&self, row: usize) -> &[f64] {
        match &self.values {
            Rows::Borrowed(curves) => curves.row(row),
            Rows::Owned(values) => &values[row * self.width..(row + 1) * self.width],
        }
    }
}

/// A range of columns and the coordinates of every row that stand for it.
struct Part {
    columns: std::ops::Range<usize>,
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
    fn all(units: &Units<'_>, control: &Control) -> Result<Vec<Self>> {
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

    fn plain(units: &Units<'_>, columns: std::ops::Range<usize>) -> Result<Self> {
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
    fn sums(
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
    fn expand(&self, units: &Units<'_>, sums: &[f64], first: usize, out: &mut [f64]) {
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

/// Adds up how often each row is drawn.
fn draw(mut stream: Stream, row_of: &[u32], times: &mut [u32], control: &Control) -> Result<()> {
    let n = row_of.len() as u64;
    if n <= HALF_WORD {
        let below = |word: u64| ((word * n) >> 32) as usize;
        for _ in 0..n / 2 {
            let word = stream.next_u64();
            times[row_of[below(word >> 32)] as usize] += 1;
            times[row_of[below(word & 0xffff_ffff)] as usize] += 1;
        }
        if n % 2 == 1 {
            times[row_of[below(stream.next_u64() >> 32)] as usize] += 1;
        }
        return Ok(());
    }
    for chunk in 0..n.div_ceil(HALF_WORD) {
        control.check()?;
        for _ in 0..HALF_WORD.min(n - chunk * HALF_WORD) {
            times[row_of[stream.below(n) as usize] as usize] += 1;
        }
    }
    Ok(())
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

fn standard_deviation(column: &[f64]) -> f64 {
    let (origin, n) = (column[0], column.len() as f64);
    let mean = widest(Sum { column, term: |x| x - origin }) / n;
    let squares = widest(Sum {
        column,
        term: |x| {
            let deviation = (x - origin) - mean;
            deviation * deviation
        },
    });
    if column.len() < 2 { f64::NAN } else { (squares / (n - 1.0)).sqrt() }
}

/// The sum of `term` over a column, in [`LANES`] sums side by side.
struct Sum<'a, F> {
    column: &'a [f64],
    term: F,
}

impl<F: Fn(f64) -> f64> Kernel for Sum<'_, F> {
    type Output = f64;

    #[inline(always)]
    fn run(self) -> f64 {
        let mut lanes = [0.0; LANES];
        let mut chunks = self.column.chunks_exact(LANES);
        for chunk in &mut chunks {
            for j in 0..LANES {
                lanes[j] += (self.term)(chunk[j]);
            }
        }
        let tail: f64 = chunks.remainder().iter().map(|&x| (self.term)(x)).sum();
        lanes.iter().sum::<f64>() + tail
    }
}

/// Quantiles of `column`, linear between the order statistics around `(n - 1) p`. `tail` is working memory.
fn quantiles(column: &[f64], probabilities: &[f64], tail: &mut Vec<f64>) -> Vec<f64> {
    if column.iter().any(|x| x.is_nan()) {
        return vec![f64::NAN; probabilities.len()];
    }
    let quantile = |&p: &f64| {
        let last = column.len() - 1;
        let place = last as f64 * p;
        let below = (place.floor() as usize).min(last);
        let fraction = place - below as f64;
        // Counted from the nearer end, whose tail alone is searched.
        let (first, second) = if p <= 0.5 {
            order_statistics(column, below, |x| x, tail)
        } else {
            let (high, low) = order_statistics(column, last - (below + 1).min(last), |x| -x, tail);
            if below == last { (-high, -high) } else { (-low, -high) }
        };
        if fraction > 0.0 { first + fraction * (second - first) } else { first }
    };
    probabilities.iter().map(quantile).collect()
}

/// The values of rank `rank` and `rank + 1` (the last one twice at the end) of `key(x)` over the column.
fn order_statistics(column: &[f64], rank: usize, key: impl Fn(f64) -> f64, tail: &mut Vec<f64>) -> (f64, f64) {
    const SAMPLE: usize = 512;
    tail.clear();
    let mut whole = true;
    if column.len() > 4 * SAMPLE {
        // A bound that the wanted rank is below with near certainty, from every so many values; it only saves work.
        tail.extend(column.iter().step_by(column.len() / SAMPLE).map(|&x| key(x)));
        let share = (rank + 1) as f64 / column.len() as f64 * tail.len() as f64;
        let place = (share + 4.0 * share.sqrt() + 4.0) as usize;
        if place < tail.len() {
            let bound = *tail.select_nth_unstable_by(place, f64::total_cmp).1;
            tail.resize(column.len(), 0.0);
            let mut kept = 0;
            for &x in column {
                // Written over unless kept: without a branch to mispredict.
                tail[kept] = key(x);
                kept += usize::from(key(x) <= bound);
            }
            tail.truncate(kept);
            whole = kept < (rank + 2).min(column.len());
        }
    }
    if whole {
        tail.clear();
        tail.extend(column.iter().map(|&x| key(x)));
    }
    let (_, &mut first, above) = tail.select_nth_unstable_by(rank, f64::total_cmp);
    (first, above.iter().copied().min_by(f64::total_cmp).unwrap_or(first))
}

fn zeros(n: usize) -> Result<Vec<f64>> {
    let mut values = Vec::new();
    values.try_reserve_exact(n).map_err(|_| Error::Memory(n.saturating_mul(8)))?;
    values.resize(n, 0.0);
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// One sum a column and replicate, with the same draws.
    fn naive(curves: &Curves<'_>, clusters: Option<&[i64]>, n_resamples: usize, seed: &Seed) -> Vec<f64> {
        let groups: Vec<Vec<usize>> = match clusters {
            Some(labels) => Clusters::new(labels).iter().map(<[usize]>::to_vec).collect(),
            None => (0..curves.n_problems()).map(|i| vec![i]).collect(),
        };
        let n = groups.len() as u64;
        let mut out = Vec::new();
        for replicate in 0..n_resamples {
            let mut stream = seed.stream(replicate as u64);
            let mut drawn = Vec::new();
            while drawn.len() < groups.len() {
                let word = stream.next_u64();
                drawn.push((((word >> 32) * n) >> 32) as usize);
                drawn.push((((word & 0xffff_ffff) * n) >> 32) as usize);
            }
            drawn.truncate(groups.len());
            for k in 0..curves.width() {
                let members = drawn.iter().flat_map(|&g| &groups[g]);
                let used: Vec<f64> = members.map(|&i| curves.problem(i)[k]).filter(|x| !x.is_nan()).collect();
                out.push(used.iter().sum::<f64>() / used.len() as f64);
            }
        }
        out
    }

    fn same(a: &[f64], b: &[f64], tolerance: f64) {
        assert_eq!(a.len(), b.len());
        for (x, y) in a.iter().zip(b) {
            assert!((x.is_nan() && y.is_nan()) || (x - y).abs() <= tolerance, "{x} {y}");
        }
    }

    /// Rows 1 - (1 - p)^k, the first ones of which end early.
    fn smooth(n_rows: usize, width: usize, missing: bool) -> Vec<f64> {
        let value = |row: usize, k: usize| {
            let p = (row as f64 + 0.5) / n_rows as f64;
            if missing && row.is_multiple_of(5) && k >= width / 2 {
                f64::NAN
            } else {
                1.0 - (1.0 - p).powi(k as i32 + 1)
            }
        };
        (0..n_rows).flat_map(|row| (0..width).map(move |k| value(row, k))).collect()
    }

    #[test]
    fn smooth_rows_compress_and_agree_with_plain_sums() {
        let seed = Seed::from_u64(3);
        for (n_rows, width, missing) in [(60, 200, false), (60, 200, true), (7, 3, true), (1, 1, false)] {
            let rows = smooth(n_rows, width, missing);
            let index: Vec<i64> = (0..n_rows as i64).chain(0..(n_rows as i64 / 2)).collect();
            let labels: Vec<i64> = index.iter().map(|i| i / 3).collect();
            let curves = Curves::new(&rows, width, &index).unwrap();
            for clusters in [None, Some(&labels[..])] {
                let mut out = vec![0.0; 20 * width];
                means(&curves, clusters, 0, &seed, &Control::default(), &mut out).unwrap();
                same(&out, &naive(&curves, clusters, 20, &seed), 1e-11);
            }
        }
        let zeros = [0.0; 3];
        let none = Curves::new(&zeros, 3, &[0, 0]).unwrap();
        let result = resample(&none, None, 5, &seed, &[0.5], &Control::default()).unwrap();
        assert_eq!((result.quantiles[0][2], result.standard_deviation[0]), (0.0, 0.0));
        let rows = smooth(60, 200, false);
        let space = compress(60, 200, 100, |i| &rows[i * 200..(i + 1) * 200], &Control::default()).unwrap().unwrap();
        assert!(space.rank() < 40, "{}", space.rank());
    }

    #[test]
    fn value_stability() {
        let rows = smooth(11, 4, false);
        let index: Vec<i64> = (0..11).collect();
        let curves = Curves::new(&rows, 4, &index).unwrap();
        let result = resample(&curves, None, 200, &Seed::from_u64(1), &[0.025, 0.975], &Control::default()).unwrap();
        let got = [result.quantiles[0][0], result.quantiles[1][3], result.standard_deviation[1]];
        same(&got, &PINNED, 1e-12);
    }
    const PINNED: [f64; 3] = [0.309_090_909_090_909_14, 0.929_941_214_273_738_5, 0.091_577_315_548_754_66];

    proptest! {
        #[test]
        fn any_rows_any_threads_any_shards(
            values in prop::collection::vec(prop_oneof![9 => 0.0f64..1.0, 1 => Just(f64::NAN)], 6 * 40),
            index in prop::collection::vec(0i64..6, 1..20),
            clustered: bool,
        ) {
            let curves = Curves::new(&values, 40, &index).unwrap();
            let labels: Vec<i64> = (0..index.len() as i64).map(|i| i % 4).collect();
            let clusters = clustered.then_some(&labels[..]);
            let seed = Seed::from_u64(9);
            let mut whole = vec![0.0; 12 * 40];
            means(&curves, clusters, 0, &seed, &Control::new(7), &mut whole).unwrap();
            same(&whole, &naive(&curves, clusters, 12, &seed), 1e-11);
            let mut parts = vec![0.0; 12 * 40];
            let (a, b) = parts.split_at_mut(5 * 40);
            means(&curves, clusters, 0, &seed, &Control::default(), a).unwrap();
            means(&curves, clusters, 5, &seed, &Control::new(2), b).unwrap();
            prop_assert_eq!(format!("{whole:?}"), format!("{parts:?}"));
            let result = resample(&curves, clusters, 12, &seed, &[0.0, 0.3, 1.0], &Control::new(2)).unwrap();
            for k in 0..40 {
                let mut column: Vec<f64> = (0..12).map(|b| whole[b * 40 + k]).collect();
                column.sort_by(f64::total_cmp);
                let expected = if column.iter().any(|x| x.is_nan()) { [f64::NAN; 3] }
                    else { [column[0], column[3] + 0.3 * (column[4] - column[3]), column[11]] };
                same(&[result.quantiles[0][k], result.quantiles[1][k], result.quantiles[2][k]], &expected, 1e-12);
            }
        }
    }
}
