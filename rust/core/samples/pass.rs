//! pass@k, pass^k and G-Pass@k: exact expectations over all k-subsets of n samples with c correct.
//!
//! With `q_k = C(n-c, k) / C(n, k)`, the chance that a k-subset holds no correct sample, pass@k is `1 - q_k` (Chen et
//! al. 2021). No binomial coefficient is ever formed: `q_k = q_{k-1} (n-c-k+1)/(n-k+1)`, and where pass@k is small it
//! is the sum of the all-positive differences `q_{j-1} - q_j = q_{j-1} c/(n-j+1)`, which keeps its relative accuracy.
//! pass^k is `q_k` with correct and wrong samples exchanged. Not defined, and NaN, where k > n.

// The loops over lanes keep the shape that the compiler turns into vectors.
#![allow(clippy::inline_always, clippy::needless_range_loop)]

use crate::error::{Error, Result, invalid};
use crate::run::{Control, fill_rows, map_items};
use crate::simd::{Kernel, widest};

/// Problems worked on together, one in each vector lane.
const LANES: usize = 16;

type Lane = [f64; LANES];

/// Counts up to here are exact as floating-point numbers.
const LARGEST_COUNT: i64 = 1 << 53;

/// What a k-subset of the samples of a problem is worth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Metric {
    /// At least one of k is correct.
    PassAtK,
    /// All k of k are correct.
    PassHatK,
    /// At least `max(ceil(tau k), 1)` of k are correct.
    GPassAtK {
        /// The fraction that must be correct, in `[0, 1]`.
        tau: f64,
    },
    /// (2/k) E[(X - h)^+] with X correct of k and h = ceil(k/2): G-Pass@k averaged over tau in `[1/2, 1]`.
    MeanGPassAtK,
}

/// Fills `out`, a row of `k.len()` values for each problem, with `metric` at each `k`; NaN where `k > n`.
///
/// O(P K + U max k) for U distinct pairs of counts; G-Pass costs O(sqrt(k)) to O(k) for each pair and k.
///
/// # Errors
/// Where a count or a k is out of range, where the lengths of the arrays differ, and on interruption.
pub fn curves(
    num_samples: &[i64],
    num_correct: &[i64],
    k: &[i64],
    metric: Metric,
    out: &mut [f64],
    control: &Control,
) -> Result<()> {
    check(num_samples, num_correct, k, metric)?;
    if out.len() != num_samples.len() * k.len() {
        return Err(invalid("out", &[], out.len(), "have a value for each problem and k"));
    }
    if out.is_empty() {
        return control.check();
    }
    // Below this many steps a row costs less than finding its twin.
    let steps = longest(num_samples).min(k.iter().copied().max().unwrap_or(0));
    if steps >= 32 {
        let (pairs, index) = Pairs::indexed(num_samples, num_correct);
        if pairs.len() * 4 <= num_samples.len() {
            let mut table = zeros(pairs.len() * k.len())?;
            direct(&pairs.n, &pairs.c, k, metric, &mut table, control)?;
            return fill_rows(
                out,
                k.len(),
                32,
                control,
                || (),
                |(), problem, row| {
                    let twin = index[problem] * row.len();
                    row.copy_from_slice(&table[twin..twin + row.len()]);
                    Ok(())
                },
            );
        }
    }
    direct(num_samples, num_correct, k, metric, out, control)
}

/// The mean of [`curves`] over the problems with `n >= k`, for each `k`; NaN where there are none.
///
/// O(P + U max k) for U distinct pairs of counts.
///
/// # Errors
/// As [`curves`].
pub fn mean_curve(
    num_samples: &[i64],
    num_correct: &[i64],
    k: &[i64],
    metric: Metric,
    control: &Control,
) -> Result<Vec<f64>> {
    check(num_samples, num_correct, k, metric)?;
    let pairs = Pairs::counted(num_samples, num_correct);
    let order = sorted(k);
    // The borders of the partial sums depend on the data alone, so that the bits do not depend on the threads.
    let part = pairs.len().div_ceil(64).max(8 * LANES).next_multiple_of(LANES);
    let sums = map_items(
        pairs.len().div_ceil(part),
        1,
        control,
        || (),
        |(), item| {
            let range = item * part..pairs.len().min((item + 1) * part);
            pairs.weighted_sum(range, k, &order, metric, control)
        },
    )?;
    // n ascends, so the problems with n >= k are those of the pairs from the first such one on.
    let mut from = vec![0; pairs.len() + 1];
    for i in (0..pairs.len()).rev() {
        from[i] = from[i + 1] + pairs.count[i];
    }
    let mean = |i: usize| {
        let problems = from[pairs.n.partition_point(|&n| n < k[i])];
        if problems == 0 { f64::NAN } else { sums.iter().map(|sum| sum[i]).sum::<f64>() / problems as f64 }
    };
    Ok((0..k.len()).map(mean).collect())
}

/// Fills `out`, a row of `k.len()` values for each problem, with an estimate of the variance of pass@k or pass^k
/// over repetitions of the n samples of that problem.
///
/// Where 2k <= n it is the unbiased `q_k^2 - q_2k` (`q_2k` is unbiased for the square of the expectation of `q_k`),
/// which is never negative; above that the delete-one jackknife, which errs on the safe side and here has the closed
/// form `(n-1) c k^2 q_k^2 / ((n-c) (n-k)^2)`. NaN where k > n - 1.
///
/// # Errors
/// As [`curves`], and where `metric` is neither pass@k nor pass^k.
pub fn variances(
    num_samples: &[i64],
    num_correct: &[i64],
    k: &[i64],
    metric: Metric,
    out: &mut [f64],
    control: &Control,
) -> Result<()> {
    check(num_samples, num_correct, k, metric)?;
    if !matches!(metric, Metric::PassAtK | Metric::PassHatK) {
        return Err(invalid("metric", &[], format!("{metric:?}"), "be pass@k or pass^k"));
    }
    if out.len() != num_samples.len() * k.len() {
        return Err(invalid("out", &[], out.len(), "have a value for each problem and k"));
    }
    let twice: Vec<i64> = k.iter().copied().chain(k.iter().map(|k| k.saturating_mul(2))).collect();
    let order = sorted(&twice);
    by_lanes(out, k.len(), control, |first, rows| {
        let lanes = Lanes::new(num_samples, num_correct, first, rows.len() / k.len(), metric == Metric::PassHatK);
        let mut states = vec![([0.0; LANES], [0.0; LANES]); twice.len()];
        walk(lanes, &order, control, |i, _, q, pass| states[i] = (*q, *pass))?;
        let (at_k, at_2k) = states.split_at(k.len());
        for (lane, row) in rows.chunks_mut(k.len()).enumerate() {
            for (i, out) in row.iter_mut().enumerate() {
                let (q, pass) = (at_k[i].0[lane], at_k[i].1[lane]);
                let (q2, pass2) = (at_2k[i].0[lane], at_2k[i].1[lane]);
                let (n, c, k) = (lanes.n[lane], lanes.c[lane], k[i] as f64);
                *out = if k > n - 1.0 {
                    f64::NAN
                } else if 2.0 * k <= n {
                    // The two forms are equal; each keeps what the other cancels.
                    let value: f64 = if pass < 0.5 { (pass2 - 2.0 * pass) + pass * pass } else { q * q - q2 };
                    value.max(0.0)
                } else if q > 0.0 {
                    let slope = k * q / (n - k);
                    (n - 1.0) * c / (n - c) * slope * slope
                } else {
                    0.0
                };
            }
        }
        Ok(())
    })
}

/// The distinct pairs of counts, sorted: `(n, c, number of problems)` and the pair of each problem.
///
/// # Errors
/// As [`curves`].
#[allow(clippy::type_complexity)]
pub fn distinct(num_samples: &[i64], num_correct: &[i64]) -> Result<(Vec<i64>, Vec<i64>, Vec<i64>, Vec<usize>)> {
    check(num_samples, num_correct, &[], Metric::PassAtK)?;
    let (pairs, index) = Pairs::indexed(num_samples, num_correct);
    Ok((pairs.n, pairs.c, pairs.count, index))
}

/// The smallest number of correct samples out of `k` that is at least the fraction `tau`, and at least one.
///
/// 0.28 * 25 is 7.000000000000001 in floating point: a product within rounding of a whole number counts as that.
fn threshold(tau: f64, k: i64) -> i64 {
    let product = tau * k as f64;
    let whole = product.round();
    let least = if (product - whole).abs() <= 8.0 * f64::EPSILON * product { whole } else { product.ceil() };
    (least as i64).max(1)
}

fn check(num_samples: &[i64], num_correct: &[i64], k: &[i64], metric: Metric) -> Result<()> {
    if num_samples.len() != num_correct.len() {
        let rule = format!("have the length of num_samples, {}", num_samples.len());
        return Err(invalid("num_correct", &[], num_correct.len(), rule));
    }
    for (i, (&n, &c)) in num_samples.iter().zip(num_correct).enumerate() {
        if !(0..=LARGEST_COUNT).contains(&n) {
            return Err(invalid("num_samples", &[i], n, "be between 0 and 2**53"));
        }
        if c < 0 {
            return Err(invalid("num_correct", &[i], c, "be at least 0"));
        }
        if c > n {
            return Err(invalid("num_correct", &[i], c, format!("be at most num_samples[{i}] = {n}")));
        }
    }
    if let Some(i) = k.iter().position(|&k| k < 1) {
        return Err(invalid("k", &[i], k[i], "be at least 1"));
    }
    match metric {
        Metric::GPassAtK { tau } if !(0.0..=1.0).contains(&tau) => Err(invalid("tau", &[], tau, "be between 0 and 1")),
        _ => Ok(()),
    }
}

fn longest(num_samples: &[i64]) -> i64 {
    num_samples.iter().copied().max().unwrap_or(0)
}

/// The values of `k` in ascending order, each with its place.
fn sorted(k: &[i64]) -> Vec<(i64, usize)> {
    let mut order: Vec<_> = k.iter().copied().zip(0..).collect();
    order.sort_unstable();
    order
}

fn zeros(len: usize) -> Result<Vec<f64>> {
    let mut out = Vec::new();
    out.try_reserve_exact(len).map_err(|_| Error::Memory(len.saturating_mul(8)))?;
    out.resize(len, 0.0);
    Ok(out)
}

/// Hands `kernel` the rows of `out`, [`LANES`] at a time with the number of the first.
fn by_lanes(
    out: &mut [f64],
    width: usize,
    control: &Control,
    kernel: impl Fn(usize, &mut [f64]) -> Result<()> + Sync,
) -> Result<()> {
    if width == 0 {
        return control.check();
    }
    let whole = out.len() / (width * LANES);
    let (main, rest) = out.split_at_mut(whole * width * LANES);
    fill_rows(main, width * LANES, 1, control, || (), |(), item, rows| kernel(item * LANES, rows))?;
    let len = rest.len();
    fill_rows(rest, len, 1, control, || (), |(), _, rows| kernel(whole * LANES, rows))
}

/// The rows of all problems, each computed.
fn direct(n: &[i64], c: &[i64], k: &[i64], metric: Metric, out: &mut [f64], control: &Control) -> Result<()> {
    let order = sorted(k);
    by_lanes(out, k.len(), control, |first, rows| {
        let used = rows.len() / k.len();
        group(&n[first..first + used], &c[first..first + used], k, &order, metric, control, |i, values| {
            for (lane, value) in values[..used].iter().enumerate() {
                rows[lane * k.len() + i] = *value;
            }
        })
    })
}

/// Calls `emit(i, values)` with `metric` at `k[i]` for up to [`LANES`] problems; NaN where `k > n`.
#[inline(always)]
fn group(
    n: &[i64],
    c: &[i64],
    k: &[i64],
    order: &[(i64, usize)],
    metric: Metric,
    control: &Control,
    mut emit: impl FnMut(usize, &Lane),
) -> Result<()> {
    let defined = |k: f64, n: &Lane, values: &Lane| {
        let mut out = [f64::NAN; LANES];
        for l in 0..LANES {
            out[l] = if k <= n[l] { values[l] } else { f64::NAN };
        }
        out
    };
    let lanes = Lanes::new(n, c, 0, n.len(), metric == Metric::PassHatK);
    match metric {
        Metric::PassAtK => walk(lanes, order, control, |i, k, _, pass| emit(i, &defined(k, &lanes.n, pass))),
        Metric::PassHatK => walk(lanes, order, control, |i, k, q, _| emit(i, &defined(k, &lanes.n, q))),
        Metric::GPassAtK { .. } | Metric::MeanGPassAtK => {
            for (i, &k) in k.iter().enumerate() {
                control.check()?;
                let mut values = [f64::NAN; LANES];
                for (value, (&n, &c)) in values.iter_mut().zip(n.iter().zip(c)) {
                    *value = g_pass(n, c, k, metric);
                }
                emit(i, &values);
            }
            Ok(())
        }
    }
}

/// Counts of up to [`LANES`] problems; the lanes left over hold a problem without samples.
#[derive(Debug, Clone, Copy)]
struct Lanes {
    n: Lane,
    c: Lane,
}

impl Lanes {
    fn new(n: &[i64], c: &[i64], first: usize, used: usize, count_wrong: bool) -> Self {
        let mut lanes = Self { n: [0.0; LANES], c: [0.0; LANES] };
        for l in 0..used {
            let (n, c) = (n[first + l], c[first + l]);
            lanes.n[l] = n as f64;
            lanes.c[l] = if count_wrong { n - c } else { c } as f64;
        }
        lanes
    }
}

/// Walks k upwards for all lanes and calls `emit(place, k, q_k, pass@k)` at each k of `order`; where k > n what it
/// hands out has no meaning.
#[inline(always)]
fn walk(
    lanes: Lanes,
    order: &[(i64, usize)],
    control: &Control,
    emit: impl FnMut(usize, f64, &Lane, &Lane),
) -> Result<()> {
    widest(Walk { lanes, order, control, emit })
}

struct Walk<'a, F> {
    lanes: Lanes,
    order: &'a [(i64, usize)],
    control: &'a Control,
    emit: F,
}

impl<F: FnMut(usize, f64, &Lane, &Lane)> Kernel for Walk<'_, F> {
    type Output = Result<()>;

    #[inline(always)]
    fn run(mut self) -> Result<()> {
        let Lanes { n, c } = self.lanes;
        let end = n.iter().fold(0.0, |end: f64, &n| end.max(n));
        let mut q = [1.0; LANES];
        let (mut sum, mut error) = ([0.0; LANES], [0.0; LANES]);
        let mut at = 0.0;
        let mut until_check = 1 << 14;
        for &(k, place) in self.order {
            let k = k as f64;
            while at < k.min(end) {
                at += 1.0;
                for l in 0..LANES {
                    // At least 1, so that a lane that has run out of samples stays finite.
                    let left = (n[l] - at + 1.0).max(1.0);
                    let term = q[l] * c[l] / left;
                    // The terms never increase, so this recovers what the sum rounds off.
                    let next = sum[l] + term;
                    error[l] += term - (next - sum[l]);
                    sum[l] = next;
                    q[l] *= (n[l] - c[l] - at + 1.0).max(0.0) / left;
                }
                until_check -= 1;
                if until_check == 0 {
                    self.control.check()?;
                    until_check = 1 << 14;
                }
            }
            let mut pass = [0.0; LANES];
            for l in 0..LANES {
                pass[l] = if sum[l] < 0.5 { sum[l] + error[l] } else { 1.0 - q[l] };
            }
            (self.emit)(place, k, &q, &pass);
        }
        Ok(())
    }
}

/// G-Pass@k of one problem, or its mean over tau: sums of the hypergeometric law of X, the number correct of k, from
/// its mode outwards; only ratios of neighbouring terms enter, and all terms are positive.
fn g_pass(n: i64, c: i64, k: i64, metric: Metric) -> f64 {
    if k > n {
        return f64::NAN;
    }
    let (least, credit): (i64, fn(i64) -> f64) = match metric {
        Metric::GPassAtK { tau } => (threshold(tau, k), |_| 1.0),
        // ceil(k/2) + 1 is the least count that earns anything.
        _ => (k / 2 + k % 2 + 1, |above| 2.0 * (above + 1) as f64),
    };
    let (low, high) = ((k - (n - c)).max(0), c.min(k));
    if high < least {
        return 0.0;
    }
    let scale = if metric == Metric::MeanGPassAtK { k as f64 } else { 1.0 };
    let mode = ((k as f64 + 1.0) * (c as f64 + 1.0) / (n as f64 + 2.0)) as i64;
    let mode = mode.clamp(low, high);
    let (nf, cf, kf) = (n as f64, c as f64, k as f64);
    let up = |j: f64| (cf - j) * (kf - j) / ((j + 1.0) * (nf - cf - kf + j + 1.0)); // P(j + 1) / P(j)
    let (mut earned, mut all) = (0.0, 0.0);
    let mut take = |j: i64, weight: f64| {
        all += weight;
        if j >= least {
            earned += weight * credit(j - least);
        }
        // Past the threshold, whether what is left still counts; before it, whether the walk can get there.
        if j >= least { weight > earned * 1e-24 } else { weight > 0.0 }
    };
    let mut weight = 1.0;
    for j in mode..=high {
        if !take(j, weight) {
            break;
        }
        weight *= up(j as f64);
    }
    let mut weight = 1.0;
    for j in (low..mode).rev() {
        weight /= up(j as f64);
        // Below the mode everything is measured against a total of more than 1.
        if !take(j, weight) || weight < 1e-24 {
            break;
        }
    }
    earned / all / scale
}

/// The distinct pairs of counts in ascending order of n, then c, and how many problems have each.
struct Pairs {
    n: Vec<i64>,
    c: Vec<i64>,
    count: Vec<i64>,
}

impl Pairs {
    fn len(&self) -> usize {
        self.n.len()
    }

    fn push(&mut self, n: i64, c: i64, count: i64) {
        self.n.push(n);
        self.c.push(c);
        self.count.push(count);
    }

    fn empty() -> Self {
        Self { n: vec![], c: vec![], count: vec![] }
    }

    /// The pairs without the place of each problem.
    fn counted(n: &[i64], c: &[i64]) -> Self {
        let mut pairs = Self::empty();
        if let Some(of_c) = histogram(n, c) {
            for (c, &count) in of_c.iter().enumerate().filter(|(_, count)| **count > 0) {
                pairs.push(n[0], c as i64, count as i64);
            }
            return pairs;
        }
        Self::indexed(n, c).0
    }

    /// The pairs, and the pair of each problem.
    fn indexed(n: &[i64], c: &[i64]) -> (Self, Vec<usize>) {
        let mut pairs = Self::empty();
        if let Some(mut of_c) = histogram(n, c) {
            for (c, count) in of_c.iter_mut().enumerate().filter(|(_, count)| **count > 0) {
                let place = pairs.len();
                pairs.push(n[0], c as i64, *count as i64);
                *count = place;
            }
            return (pairs, c.iter().map(|&c| of_c[c as usize]).collect());
        }
        let mut order: Vec<usize> = (0..n.len()).collect();
        order.sort_unstable_by_key(|&i| (n[i], c[i]));
        let mut index = vec![0; n.len()];
        for i in order {
            match pairs.len().checked_sub(1) {
                Some(last) if (pairs.n[last], pairs.c[last]) == (n[i], c[i]) => pairs.count[last] += 1,
                _ => pairs.push(n[i], c[i], 1),
            }
            index[i] = pairs.len() - 1;
        }
        (pairs, index)
    }

    /// The sum over the pairs in `range` of count times metric, for each k; a pair with n < k adds nothing.
    fn weighted_sum(
        &self,
        range: std::ops::Range<usize>,
        k: &[i64],
        order: &[(i64, usize)],
        metric: Metric,
        control: &Control,
    ) -> Result<Vec<f64>> {
        let mut sums = vec![[0.0; LANES]; k.len()];
        for first in range.clone().step_by(LANES) {
            let end = range.end.min(first + LANES);
            let mut weight = [0.0; LANES];
            for (weight, &count) in weight.iter_mut().zip(&self.count[first..end]) {
                *weight = count as f64;
            }
            group(&self.n[first..end], &self.c[first..end], k, order, metric, control, |i, values| {
                for l in 0..LANES {
                    let value = if values[l].is_nan() { 0.0 } else { values[l] };
                    sums[i][l] += weight[l] * value;
                }
            })?;
        }
        Ok(sums.iter().map(|lanes| lanes.iter().sum()).collect())
    }
}

/// How many problems have each c, where all have the same n and a table of it is worth its memory.
fn histogram(n: &[i64], c: &[i64]) -> Option<Vec<usize>> {
    let &all = n.first()?;
    if all as usize > 4 * n.len() + 4096 || n.iter().any(|&n| n != all) {
        return None;
    }
    let mut counts = vec![0; all as usize + 1];
    for &c in c {
        counts[c as usize] += 1;
    }
    Some(counts)
}
