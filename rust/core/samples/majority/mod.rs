//! maj@k: the exact probability that an answer wins the plurality of k samples.
//!
//! [`maj_at_k`] works on logged answers (all k-subsets of n samples, or k draws with replacement from them),
//! [`plurality`] on given probabilities. Both hand one row of vote probabilities a class to `dp`, which needs no
//! random numbers and only adds and multiplies non-negative ones, so results keep their relative accuracy.

mod convolve;
mod dp;
pub(crate) mod laws;
pub(crate) mod quadrature;
mod tally;

pub use tally::{SILENT, Tally};

use crate::error::{Result, invalid};
use crate::rows::Rows;
use crate::run::{Control, fill_rows};
use laws::{Laws, Replacement};

/// Votes drawn from a law at most: the sums need memory in proportion, and time in proportion to its square.
const MOST_DRAWN: i64 = 1 << 20;

/// What a tie for the most votes is worth to each answer in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ties {
    /// One over the number of answers tied: the winner is drawn at random.
    Uniform,
    /// Nothing.
    Strict,
    /// A win.
    Any,
}

impl Ties {
    /// The option named `name`.
    ///
    /// # Errors
    /// If there is none of that name.
    pub fn parse(name: &str) -> Result<Self> {
        match name {
            "uniform" => Ok(Self::Uniform),
            "strict" => Ok(Self::Strict),
            "any" => Ok(Self::Any),
            other => Err(invalid("ties", &[], format!("{other:?}"), r#"be "uniform", "strict" or "any""#)),
        }
    }
}

/// Working memory of one thread.
#[derive(Debug, Default)]
pub struct Scratch {
    codes: Vec<i64>,
    tally: Tally,
    laws: Laws,
    dp: dp::Scratch,
    curve: Vec<f64>,
}

/// The exact plurality curve of each problem: the probability that the gold answer wins the vote of `k` samples.
///
/// `answers` (P, n) holds answer codes: equal codes are equal answers, [`SILENT`] is a sample without an answer (it
/// may be drawn, and never votes) and -1 no sample at all. `gold` (P,) are codes, `out` (P, K) is row-major. With
/// `replace` the k samples are drawn with replacement. NaN where k exceeds the number of samples (with `replace`:
/// where there is none).
///
/// The plurality of a k-subset with counts X is won by a with probability `W_a(k) = sum_m sum_t 1/(t+1)
/// P(X_a = m, t rivals have m votes, the others fewer)`; see `dp` for the algorithm. Per problem, with `c_a` gold
/// samples and A answers, at most O(A^2 m^2) multiply-adds for each m up to `c_a`; typically 10-50 us at n = 256.
///
/// # Errors
/// Codes below -2, negative gold codes, k below 1, shapes that do not fit; [`Error::Interrupted`](crate::Error).
pub fn maj_at_k(
    answers: &dyn Rows<i64>,
    gold: &[i64],
    k: &[i64],
    ties: Ties,
    replace: bool,
    out: &mut [f64],
    control: &Control,
) -> Result<()> {
    validate(answers, gold, k, replace)?;
    let replacement = if replace { Replacement::With } else { Replacement::Without };
    per_problem(answers, k.len(), out, control, |scratch, problem, row| {
        scratch.tally.count(&scratch.codes, gold[problem]);
        curve(&scratch.tally, k, ties, replacement, &mut scratch.laws, &mut scratch.dp, control, row)
    })
}

/// The delete-one jackknife variance of [`maj_at_k`] over the samples of each problem: the sampling variance of a
/// fixed benchmark. NaN where k > n - 1. Costs one curve for each distinct count among the answers.
///
/// `Var_J = (n-1)/n sum_i (U_{-i} - mean U_{-i})^2`, which exceeds the true variance a little in expectation (Efron
/// and Stein 1981).
///
/// # Errors
/// As [`maj_at_k`].
pub fn maj_variance(
    answers: &dyn Rows<i64>,
    gold: &[i64],
    k: &[i64],
    ties: Ties,
    out: &mut [f64],
    control: &Control,
) -> Result<()> {
    validate(answers, gold, k, false)?;
    per_problem(answers, k.len(), out, control, |scratch, problem, row| {
        let Scratch { codes, tally, laws, dp, curve: buffer } = scratch;
        tally.count(codes, gold[problem]);
        let n = tally.n() as f64;
        let (mut mean, mut square) = (vec![0.0; k.len()], vec![0.0; k.len()]);
        for (multiplicity, smaller) in tally.each_removed() {
            buffer.resize(k.len(), 0.0);
            curve(&smaller, k, ties, Replacement::Without, laws, dp, control, buffer)?;
            // Welford's update with weights: the spread is small beside the mean at large k.
            for ((mean, square), &value) in mean.iter_mut().zip(&mut square).zip(&*buffer) {
                let (before, share) = (value - *mean, multiplicity.weight / multiplicity.total);
                *mean += before * share;
                *square += multiplicity.weight * before * (value - *mean);
            }
        }
        for ((slot, square), &k) in row.iter_mut().zip(square).zip(k) {
            *slot = if k as f64 > n - 1.0 { f64::NAN } else { square * (n - 1.0) / n };
        }
        Ok(())
    })
}

/// The plurality curve of one problem from its tally; `out` has one element for each of `k`.
///
/// # Errors
/// [`Error::Interrupted`](crate::Error).
pub fn curve_of(
    tally: &Tally,
    k: &[i64],
    ties: Ties,
    scratch: &mut Scratch,
    control: &Control,
    out: &mut [f64],
) -> Result<()> {
    curve(tally, k, ties, Replacement::Without, &mut scratch.laws, &mut scratch.dp, control, out)
}

/// The probability, for each of `n`, that answer `target` wins the plurality of n independent answers with law `p`.
///
/// What `p` lacks to 1 is the probability of no answer. All n up to the largest cost about as much as that alone.
/// Relative accuracy about 1e-13.
///
/// # Errors
/// If `p` is no law, `target` is not in it, or an n is below 1; [`Error::Interrupted`](crate::Error).
pub fn plurality(p: &[f64], n: &[i64], target: usize, ties: Ties, out: &mut [f64], control: &Control) -> Result<()> {
    validate_law(p, target)?;
    for (i, &n) in n.iter().enumerate() {
        if !(1..=MOST_DRAWN).contains(&n) {
            return Err(invalid("n", &[i], n, format!("be at least 1 and at most {MOST_DRAWN}")));
        }
    }
    let total: f64 = p.iter().sum();
    let rivals: Vec<f64> = p.iter().enumerate().filter(|&(b, &p)| b != target && p > 0.0).map(|(_, &p)| p).collect();
    let silent = (1.0 - total).max(0.0);
    let silent = if silent < 1e-12 { 0.0 } else { silent };
    let mut scratch = Scratch::default();
    scratch.laws.set_probabilities(p[target], &rivals, silent);
    from_laws(n, ties, &mut scratch.laws, &mut scratch.dp, control, out)
}

/// Refuses what is not a law on answers (entries in [0, 1], sum at most 1 + 1e-9) with `target` among them.
pub(crate) fn validate_law(p: &[f64], target: usize) -> Result<()> {
    if let Some((i, p)) = p.iter().enumerate().find(|(_, p)| !(0.0..=1.0).contains(*p)) {
        return Err(invalid("p", &[i], p, "be a probability"));
    }
    let total: f64 = p.iter().sum();
    if total > 1.0 + 1e-9 {
        return Err(invalid("p", &[], format!("a sum of {total}"), "sum to at most 1"));
    }
    if target >= p.len() {
        return Err(invalid("target", &[], target, format!("be below the number of answers, {}", p.len())));
    }
    Ok(())
}

fn validate(answers: &dyn Rows<i64>, gold: &[i64], k: &[i64], replace: bool) -> Result<()> {
    if gold.len() != answers.n_rows() {
        return Err(invalid("gold", &[], gold.len(), format!("have one code a problem, {}", answers.n_rows())));
    }
    if let Some(i) = gold.iter().position(|&code| code < 0) {
        return Err(invalid("gold", &[i], gold[i], "be at least 0"));
    }
    if let Some(i) = k.iter().position(|&k| k < 1) {
        return Err(invalid("k", &[i], k[i], "be at least 1"));
    }
    if replace && let Some(i) = k.iter().position(|&k| k > MOST_DRAWN) {
        return Err(invalid("k", &[i], k[i], format!("be at most {MOST_DRAWN} with replacement")));
    }
    let mut codes = vec![0; answers.n_columns()];
    for problem in 0..answers.n_rows() {
        answers.read(problem, &mut codes);
        if let Some(i) = codes.iter().position(|&code| code < SILENT) {
            return Err(invalid("answers", &[problem, i], codes[i], "be at least -2"));
        }
    }
    Ok(())
}

/// Runs `kernel(scratch, problem, row)` for each problem, its codes read into the scratch.
fn per_problem(
    answers: &dyn Rows<i64>,
    width: usize,
    out: &mut [f64],
    control: &Control,
    kernel: impl Fn(&mut Scratch, usize, &mut [f64]) -> Result<()> + Sync,
) -> Result<()> {
    fill_rows(out, width, 4, control, Scratch::default, |scratch, problem, row| {
        scratch.codes.resize(answers.n_columns(), 0);
        answers.read(problem, &mut scratch.codes);
        kernel(scratch, problem, row)
    })
}

#[allow(clippy::too_many_arguments)] // all of them pieces of one scratch, borrowed apart
fn curve(
    tally: &Tally,
    k: &[i64],
    ties: Ties,
    replacement: Replacement,
    laws: &mut Laws,
    dp: &mut dp::Scratch,
    control: &Control,
    out: &mut [f64],
) -> Result<()> {
    laws.set_counts(tally, replacement);
    from_laws(k, ties, laws, dp, control, out)
}

fn from_laws(
    k: &[i64],
    ties: Ties,
    laws: &mut Laws,
    dp: &mut dp::Scratch,
    control: &Control,
    out: &mut [f64],
) -> Result<()> {
    for (slot, &k) in out.iter_mut().zip(k) {
        *slot = if laws.allows(k as u64) { 0.0 } else { f64::NAN };
    }
    if laws.gold_is_impossible() {
        return Ok(());
    }
    let wanted = |k: i64| laws.allows(k as u64);
    let mut sorted: Vec<u64> = k.iter().filter(|&&k| wanted(k)).map(|&k| k as u64).collect();
    sorted.sort_unstable();
    let mut from = 0;
    while let Some(&least) = sorted.get(from) {
        // One pass serves the k near its tilt; the next takes those left over.
        let rows = laws.rows(least, *sorted.last().unwrap_or(&least));
        let upto = from + sorted[from..].partition_point(|&k| k <= rows.k_max as u64);
        let wins = dp::plurality(&rows, ties, dp, control)?;
        for (slot, &k) in out.iter_mut().zip(k) {
            if least as i64 <= k && k <= rows.k_max as i64 {
                let k = k as usize;
                *slot = wins.get(k).map_or(0.0, |win| (win / rows.total[k]).min(1.0));
            }
        }
        from = upto;
    }
    Ok(())
}
