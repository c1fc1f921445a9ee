//! pass@k, pass^k and G-Pass@k: exact expectations over all k-subsets of n samples with c correct.
//!
//! With `q_k = C(n-c, k) / C(n, k)`, the chance that a k-subset holds no correct sample, pass@k is `1 - q_k` (Chen et
//! al. 2021). No binomial coefficient is ever formed: `q_k = q_{k-1} (n-c-k+1)/(n-k+1)`, and where pass@k is small it
//! is the sum of the all-positive differences `q_{j-1} - q_j = q_{j-1} c/(n-j+1)`, which keeps its relative accuracy.
//! pass^k is `q_k` with correct and wrong samples exchanged. Not defined, and NaN, where k > n.

use crate::error::{Error, Result, invalid};
use crate::run::{Control, fill_rows, map_items};
use pairs::Pairs;
use walk::{Lanes, Sink, States, Table, walk};

mod pairs;
mod tail;
#[cfg(test)]
mod tests;
mod walk;

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
        let range = first..first + rows.len() / k.len();
        let lanes = Lanes::new(&num_samples[range.clone()], &num_correct[range], metric == Metric::PassHatK);
        let mut states = States(vec![([0.0; LANES], [0.0; LANES]); twice.len()]);
        walk(lanes, &order, control, &mut states)?;
        let (at_k, at_2k) = states.0.split_at(k.len());
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
        let mut sink = Table { out: rows, width: k.len(), hat: metric == Metric::PassHatK };
        group(&n[first..first + used], &c[first..first + used], k, &order, metric, control, &mut sink)
    })
}

/// Puts `metric` at each k of up to [`LANES`] problems into `sink`.
fn group(
    n: &[i64],
    c: &[i64],
    k: &[i64],
    order: &[(i64, usize)],
    metric: Metric,
    control: &Control,
    sink: &mut impl Sink,
) -> Result<()> {
    if matches!(metric, Metric::PassAtK | Metric::PassHatK) {
        return walk(Lanes::new(n, c, metric == Metric::PassHatK), order, control, sink);
    }
    for (i, &k) in k.iter().enumerate() {
        control.check()?;
        let mut values = [f64::NAN; LANES];
        for (value, (&n, &c)) in values.iter_mut().zip(n.iter().zip(c)) {
            *value = tail::g_pass(n, c, k, metric);
        }
        sink.put(i, &values, &values);
    }
    Ok(())
}
