//! best-of-k: the expected value of the best-scored of k samples, exactly, for all k, with ties broken uniformly.
//!
//! Sort the n samples of a problem by score and give each member of a group of tied scores the mean value of the
//! group: by exchangeability the winner of a k-subset is uniform over the group of its top score. The sample of rank j
//! (ascending, from 1) is then the top of a k-subset with probability `w_k(j) = C(j-1, k-1) / C(n, k)`, so that
//! best-of-k is the sum of `w_k(j) v(j)`. The weights come without any binomial coefficient, from the top down:
//! `w_k(n) = k/n`, `w_k(j-1) = w_k(j) (j-k)/(j-1)`; those up to rank j add up to `w_k(j) j/k`.

// The loops over lanes keep the shape that the compiler turns into vectors.
#![allow(
    clippy::inline_always,
    clippy::needless_range_loop,
    clippy::needless_bitwise_bool,
    clippy::manual_range_contains
)]

use crate::error::{Error, Result, invalid};
use crate::machine::{Kernel, each, widest};
use crate::rows::Rows;
use crate::run::{Control, fill_rows};

mod jackknife;
mod load;
mod packed;
mod sums;
#[cfg(test)]
mod tests;

use jackknife::{groups, jackknife};
use load::Reader;
use sums::{Sum, Weights};

/// Problems worked on together, one in each vector lane.
const LANES: usize = 8;

/// Values of k worked on together, so that one load of a value serves them all.
const TILE: usize = 4;

/// Ranks between two looks at whether the rest still matters.
const CHUNK: usize = 32;

/// Up to so many samples a sorting network over all lanes beats sorting each problem by itself.
const NETWORK: usize = 4096;

/// What is left of a sum is dropped below this part of it: a hundredth of the rounding error.
const NEGLIGIBLE: f64 = 1e-18;

/// Score and value of padding: sorted behind every sample, since no value is infinite.
const PADDING: f64 = f64::NEG_INFINITY;

type Lane = [f64; LANES];

/// Fills `out`, a row of `k.len()` values for each problem, with the expected value of the sample with the highest
/// score (the lowest for `worst`) in a uniform k-subset; NaN where k exceeds the number of scores.
///
/// `scores` and `values` are (P, n); a NaN score pads a row, its value is not read. O(n log^2 n + K n) for a problem,
/// less for large n since the sums over ranks stop where the rest is below rounding.
///
/// # Errors
/// Where the shapes differ, where the value of a scored sample is not finite, where a k is below 1, and on
/// interruption.
pub fn best_of_k(
    scores: &dyn Rows<f64>,
    values: &dyn Rows<f64>,
    k: &[i64],
    worst: bool,
    out: &mut [f64],
    control: &Control,
) -> Result<()> {
    check(scores, values, k, out)?;
    let n_columns = scores.n_columns();
    let source = Source { scores, values, worst };
    let weights = Weights::shared(scores.n_rows(), n_columns, k);
    let kernel = |block: &mut Block, first: usize, rows: &mut [f64]| {
        widest(Work { block, source: &source, first, k, weights: weights.as_ref(), out: rows, control })
    };
    let whole = out.len() / (k.len() * LANES).max(1);
    let (main, rest) = out.split_at_mut(whole * k.len() * LANES);
    let scratch = || Block::new(n_columns);
    let len = rest.len();
    let result = fill_rows(main, k.len() * LANES, 1, control, scratch, |b, item, rows| kernel(b, item * LANES, rows))
        .and_then(|()| fill_rows(rest, len, 1, control, scratch, |b, _, rows| kernel(b, whole * LANES, rows)));
    first_error(result, &source)
}

/// Fills `out`, a row of `k.len()` values for each problem, with the delete-one jackknife estimate of the variance of
/// [`best_of_k`] over repetitions of the samples of that problem; NaN where k exceeds the number of scores less one.
///
/// O(n log n + K n) for a problem: all members of a group of ties leave the same sums over the other groups behind.
///
/// # Errors
/// As [`best_of_k`].
pub fn variances(
    scores: &dyn Rows<f64>,
    values: &dyn Rows<f64>,
    k: &[i64],
    worst: bool,
    out: &mut [f64],
    control: &Control,
) -> Result<()> {
    check(scores, values, k, out)?;
    let source = Source { scores, values, worst };
    let scratch = || (Reader::new(scores.n_columns()), vec![]);
    let result = fill_rows(out, k.len(), 1, control, scratch, |(reader, weights), problem, row| {
        let samples = reader.read(&source, problem)?;
        sort(samples);
        let groups = groups(samples);
        for (out, &k) in row.iter_mut().zip(k) {
            control.check()?;
            *out = jackknife(&groups, samples.len(), k, weights);
        }
        Ok(())
    });
    first_error(result, &source)
}

fn check(scores: &dyn Rows<f64>, values: &dyn Rows<f64>, k: &[i64], out: &[f64]) -> Result<()> {
    let shape = (scores.n_rows(), scores.n_columns());
    if (values.n_rows(), values.n_columns()) != shape {
        let got = format!("({}, {})", values.n_rows(), values.n_columns());
        return Err(invalid("values", &[], got, format!("have the shape of scores, {shape:?}")));
    }
    if let Some(i) = k.iter().position(|&k| k < 1) {
        return Err(invalid("k", &[i], k[i], "be at least 1"));
    }
    if out.len() != shape.0 * k.len() {
        return Err(invalid("out", &[], out.len(), "have a value for each problem and k"));
    }
    Ok(())
}

/// Which of several bad values a thread meets first is chance: the one to report is the first of the matrix.
fn first_error(result: Result<()>, source: &Source) -> Result<()> {
    if matches!(result, Err(Error::Invalid(_))) {
        let mut reader = Reader::new(source.scores.n_columns());
        for problem in 0..source.scores.n_rows() {
            reader.read(source, problem)?;
        }
    }
    result
}

/// Where samples come from, and whether the lowest score is the best.
#[derive(Clone, Copy)]
struct Source<'a> {
    scores: &'a dyn Rows<f64>,
    values: &'a dyn Rows<f64>,
    worst: bool,
}

impl Source<'_> {
    fn sign(&self) -> f64 {
        if self.worst { -1.0 } else { 1.0 }
    }
}

/// A sample: `(score, value)`.
type Sample = (f64, f64);

/// Best score first, tied ones by value, so that the order of the samples leaves no trace in the result.
fn sort(samples: &mut [Sample]) {
    samples.sort_unstable_by(|a, b| b.partial_cmp(a).unwrap_or(std::cmp::Ordering::Equal));
}

/// What [`Block::load`] leaves in a block.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Sorted,
    Pairs,
    Packed,
}

/// Up to [`LANES`] problems side by side: sample t of lane l at `[t][l]`.
struct Block {
    reader: Reader,
    /// Number of samples of each lane, and the largest.
    n: Lane,
    longest: usize,
    form: Form,
    /// Score, or score and value in one.
    score: Vec<Lane>,
    value: Vec<Lane>,
    /// 1 / (n - t - 1).
    reciprocal: Vec<Lane>,
    /// Largest absolute value from the start of each chunk on.
    reach: Vec<Lane>,
}

impl Block {
    fn new(n_columns: usize) -> Self {
        let lanes = |len| vec![[0.0; LANES]; len];
        Self {
            reader: Reader::new(n_columns),
            n: [0.0; LANES],
            longest: 0,
            form: Form::Sorted,
            score: lanes(packed::padded(n_columns)),
            value: lanes(n_columns),
            reciprocal: lanes(n_columns),
            reach: lanes(n_columns.div_ceil(CHUNK) + 1),
        }
    }

    /// Sorts each lane as [`sort`] does, by Batcher's merge exchange (Knuth, The Art of Computer Programming 3,
    /// 5.2.2, algorithm M): its comparisons do not depend on the data, so all lanes make them together.
    #[inline(always)]
    fn sort(&mut self) {
        let n = self.longest;
        let (score, value) = (&mut self.score[..n], &mut self.value[..n]);
        let top = n.next_power_of_two() / 2;
        let mut p = top;
        while p > 0 {
            let (mut q, mut r, mut d) = (top, 0, p);
            loop {
                let end = n.saturating_sub(d);
                let mut start = r;
                while start < end {
                    let stop = (start + p).min(end);
                    for i in start..stop {
                        exchange(score, value, i, i + d);
                    }
                    start += 2 * p;
                }
                if q == p {
                    break;
                }
                (d, q, r) = (q - p, q / 2, p);
            }
            p /= 2;
        }
    }

    /// Replaces each value by the mean of its group of tied scores, and padding by zero. `tied` tells whether two
    /// scores are, `own` gives the value of a sample.
    #[inline(always)]
    fn average_ties(&mut self, tied: impl Fn(f64, f64) -> bool, own: impl Fn(f64, f64) -> f64) {
        let n = self.longest;
        let (score, value) = (&self.score[..n], &mut self.value[..n]);
        let (mut before, mut sum, mut count) = ([f64::NAN; LANES], [0.0; LANES], [0.0; LANES]);
        for t in 0..n {
            let (now, v) = (score[t], value[t]);
            let v: Lane = each(|l| own(now[l], v[l]));
            sum = each(|l| if tied(now[l], before[l]) { sum[l] + v[l] } else { v[l] });
            count = each(|l| if tied(now[l], before[l]) { count[l] + 1.0 } else { 1.0 });
            before = now;
            value[t] = each(|l| sum[l] / count[l]);
        }
        let (mut behind, mut mean) = ([f64::NAN; LANES], [0.0; LANES]);
        for t in (0..n).rev() {
            // 1 at the last sample, less in the padding.
            let left: Lane = each(|l| self.n[l] - t as f64);
            let (now, of_group) = (score[t], value[t]);
            mean = each(|l| if tied(now[l], behind[l]) & (left[l] > 1.0) { mean[l] } else { of_group[l] });
            value[t] = each(|l| if left[l] > 0.0 { mean[l] } else { 0.0 });
            behind = now;
        }
    }

    /// The reciprocals of the ranks below, for sums without shared weights.
    #[inline(always)]
    fn prepare_reciprocals(&mut self) {
        for t in 0..self.longest {
            let below: Lane = each(|l| self.n[l] - t as f64 - 1.0);
            self.reciprocal[t] = each(|l| if below[l] > 0.0 { 1.0 / below[l] } else { 0.0 });
        }
    }

    /// How large the values are from each chunk on.
    #[inline(always)]
    fn prepare_reach(&mut self) {
        let n = self.longest;
        let mut largest = [0.0; LANES];
        self.reach[n.div_ceil(CHUNK)] = largest;
        for chunk in (0..n.div_ceil(CHUNK)).rev() {
            for value in &self.value[chunk * CHUNK..n.min((chunk + 1) * CHUNK)] {
                largest = each(|l| largest[l].max(value[l].abs()));
            }
            self.reach[chunk] = largest;
        }
    }

    /// best-of-k of each lane for a tile of k; no meaning where k > n.
    #[inline(always)]
    fn sums(&self, k: &[f64; TILE]) -> [Lane; TILE] {
        let (mut a, mut b) = (Sum::new(k[0], &self.n), Sum::new(k[1], &self.n));
        let (mut c, mut d) = (Sum::new(k[2], &self.n), Sum::new(k[3], &self.n));
        for chunk in 0..self.longest.div_ceil(CHUNK) {
            let range = chunk * CHUNK..self.longest.min((chunk + 1) * CHUNK);
            let start = range.start as f64;
            let mut rank: Lane = each(|l| self.n[l] - start);
            for (value, reciprocal) in self.value[range.clone()].iter().zip(&self.reciprocal[range]) {
                a.add(value, &rank, reciprocal);
                b.add(value, &rank, reciprocal);
                c.add(value, &rank, reciprocal);
                d.add(value, &rank, reciprocal);
                rank = each(|l| rank[l] - 1.0);
            }
            let reach = &self.reach[chunk + 1];
            a.close();
            b.close();
            c.close();
            d.close();
            // The first k, mostly the least, has the longest sum and answers for all.
            let goes_on = |sum: &Sum| sum.goes_on(&rank, reach);
            if !(goes_on(&a) || goes_on(&b) || goes_on(&c) || goes_on(&d)) {
                break;
            }
        }
        [a.total, b.total, c.total, d.total]
    }

    /// The same as [`sums`](Self::sums) with weights made before.
    #[inline(always)]
    fn sums_shared(&self, k: &[f64; TILE], weights: &[[f64; TILE]]) -> [Lane; TILE] {
        let (mut a, mut b) = (Sum::new(k[0], &self.n), Sum::new(k[1], &self.n));
        let (mut c, mut d) = (Sum::new(k[2], &self.n), Sum::new(k[3], &self.n));
        for chunk in 0..self.longest.div_ceil(CHUNK) {
            let range = chunk * CHUNK..self.longest.min((chunk + 1) * CHUNK);
            let end = range.end;
            for (value, weight) in self.value[range.clone()].iter().zip(&weights[range]) {
                a.add_shared(value, weight[0]);
                b.add_shared(value, weight[1]);
                c.add_shared(value, weight[2]);
                d.add_shared(value, weight[3]);
            }
            let next = weights.get(end).copied().unwrap_or_default();
            (a.weight, b.weight) = ([next[0]; LANES], [next[1]; LANES]);
            (c.weight, d.weight) = ([next[2]; LANES], [next[3]; LANES]);
            let rank: Lane = each(|l| self.n[l] - end as f64);
            let reach = &self.reach[chunk + 1];
            a.close();
            b.close();
            c.close();
            d.close();
            // The first k, mostly the least, has the longest sum and answers for all.
            let goes_on = |sum: &Sum| sum.goes_on(&rank, reach);
            if !(goes_on(&a) || goes_on(&b) || goes_on(&c) || goes_on(&d)) {
                break;
            }
        }
        [a.total, b.total, c.total, d.total]
    }
}

/// Puts samples `i` and `j > i` of each lane in order.
#[inline(always)]
fn exchange(score: &mut [Lane], value: &mut [Lane], i: usize, j: usize) {
    let (a, b, x, y) = (score[i], score[j], value[i], value[j]);
    let swap: [bool; LANES] = each(|l| (a[l] < b[l]) | ((a[l] == b[l]) & (x[l] < y[l])));
    score[i] = each(|l| if swap[l] { b[l] } else { a[l] });
    score[j] = each(|l| if swap[l] { a[l] } else { b[l] });
    value[i] = each(|l| if swap[l] { y[l] } else { x[l] });
    value[j] = each(|l| if swap[l] { x[l] } else { y[l] });
}

/// The work on one block of problems.
struct Work<'a> {
    block: &'a mut Block,
    source: &'a Source<'a>,
    first: usize,
    k: &'a [i64],
    weights: Option<&'a Weights>,
    out: &'a mut [f64],
    control: &'a Control,
}

impl Kernel for Work<'_> {
    type Output = Result<()>;

    #[inline(always)]
    fn run(self) -> Result<()> {
        let Self { block, source, first, k, weights, out, control } = self;
        block.load(source, first, out.len() / k.len())?;
        match block.form {
            Form::Sorted => {}
            Form::Pairs => block.sort(),
            Form::Packed => packed::sort(&mut block.score[..packed::padded(block.longest)]),
        }
        // The padding is at the end now.
        block.longest = block.n.iter().fold(0.0, |longest: f64, &n| longest.max(n)) as usize;
        if block.form == Form::Packed {
            block.average_ties(packed::tied, |key, _| packed::value(key));
        } else {
            block.average_ties(|a, b| a == b, |_, value| value);
        }
        block.prepare_reach();
        let shared = weights.filter(|weights| block.n == [weights.n as f64; LANES]);
        if shared.is_none() {
            block.prepare_reciprocals();
        }
        for (tile, ks) in k.chunks(TILE).enumerate() {
            control.check()?;
            let mut wanted = [1.0; TILE];
            for (wanted, &k) in wanted.iter_mut().zip(ks) {
                *wanted = k as f64;
            }
            let sums = match shared {
                Some(weights) => block.sums_shared(&wanted, weights.tile(tile)),
                None => block.sums(&wanted),
            };
            for (lane, row) in out.chunks_mut(k.len()).enumerate() {
                for (i, out) in row[tile * TILE..].iter_mut().take(TILE).enumerate() {
                    *out = if wanted[i] <= block.n[lane] { sums[i][lane] } else { f64::NAN };
                }
            }
        }
        Ok(())
    }
}
