//! Bootstrap of whole curves: problems (or clusters) are drawn with replacement, and one draw serves every column.
//!
//! A replicate needs sums of `P` drawn rows of `K` columns. Curves over k are smooth, so the rows lie within 1e-10 of a
//! space of few dimensions (some 30 for pass@k and best-of-k, 100 for maj@k, of 256): the sums are of coordinates in
//! that space, and the columns are expanded at the end, where their quantiles are selected. With rows that do not
//! compress the sums are of the columns themselves.
//!
//! Replicate `b` draws from stream `b` of the seed, the same problems whatever the columns hold: two curves over the
//! same problems and the same seed are resampled in pairs.

mod parts;
mod quantiles;
#[cfg(test)]
mod tests;
mod units;

use crate::error::{Error, Result, invalid};
use crate::random::Seed;
use crate::run::{Control, map_items};
use crate::samples::intervals::Curves;
use parts::Part;
use quantiles::{quantiles, standard_deviation};
use units::Units;

/// Coordinates summed at a time, and columns expanded at a time.
const LANES: usize = 16;

/// Means that are smaller than this fraction of the largest value count as 0: the coordinates of smooth rows miss by
/// up to 1e-10 of it, and a tie counts on both sides.
const ZERO: f64 = 1e-9;

/// Quantiles, spread and signs of resampled means.
#[derive(Debug, Clone, PartialEq)]
pub struct Resampled {
    /// One row of `K` values for each probability asked for.
    pub quantiles: Vec<Vec<f64>>,
    /// Standard deviation over the replicates.
    pub standard_deviation: Vec<f64>,
    /// How many replicates are at most 0, or above it by rounding alone: for the p-value of a difference.
    pub not_above: Vec<f64>,
    /// How many replicates are at least 0, or below it by rounding alone.
    pub not_below: Vec<f64>,
}

/// Quantiles (linear between order statistics), standard deviation and signs of the means of `n_resamples` resamples.
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
    let zero = ZERO * (0..curves.n_rows()).flat_map(|row| curves.row(row)).fold(0.0, |top: f64, x| top.max(x.abs()));
    let mut result = Resampled {
        quantiles: vec![Vec::new(); probabilities.len()],
        standard_deviation: Vec::new(),
        not_above: Vec::new(),
        not_below: Vec::new(),
    };
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
                let mut out = Vec::with_capacity(count * (probabilities.len() + 3));
                for column in columns.chunks(n_resamples).take(count) {
                    control.check()?;
                    out.push(standard_deviation(column));
                    out.push(column.iter().filter(|&&mean| mean <= zero).count() as f64);
                    out.push(column.iter().filter(|&&mean| mean >= -zero).count() as f64);
                    out.extend(quantiles(column, probabilities, tail));
                }
                Ok(out)
            },
        )?;
        for column in blocks.iter().flat_map(|block| block.chunks(probabilities.len() + 3)) {
            result.standard_deviation.push(column[0]);
            result.not_above.push(column[1]);
            result.not_below.push(column[2]);
            for (to, &value) in result.quantiles.iter_mut().zip(&column[3..]) {
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

fn zeros(n: usize) -> Result<Vec<f64>> {
    let mut values = Vec::new();
    values.try_reserve_exact(n).map_err(|_| Error::Memory(n.saturating_mul(8)))?;
    values.resize(n, 0.0);
    Ok(values)
}
