//! Weighted maj@k: each of k samples votes for its answer with a weight, such as the score of a reward model, and the
//! answer with the largest sum wins; ties are shared.
//!
//! Weights with a small common unit (judge scores, equal weights) have an exact solution; for the others one random
//! permutation serves every k at once, and exact estimators on the same prefixes take out most of the noise at small k.

use crate::error::{Result, invalid};
use crate::random::Seed;
use crate::rows::Rows;
use crate::run::{Control, fill_rows, map_items};
use crate::samples::majority::{self, SILENT, Tally, Ties};

mod exact;
mod monte_carlo;
mod units;

use exact::Votes;
use units::Units;

/// An answer code: no sample.
const PADDING: i64 = -1;
/// How the expectation over k-subsets is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Exact where the weights of a row have a common unit and the estimated cost is within [`BUDGET`].
    Auto,
    /// Exact, or an error where the weights have no common unit.
    Exact,
    /// Monte Carlo for every row.
    MonteCarlo,
}

/// The multiply-adds a row may take for [`Method::Auto`] to solve it exactly: some 10 ms.
pub const BUDGET: f64 = 2e7;

/// What [`weighted_maj_at_k`] is to do.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// The method.
    pub method: Method,
    /// Random permutations for each problem.
    pub n_resamples: usize,
    /// Whether exact estimators on the same prefixes correct the Monte Carlo mean.
    pub control_variates: bool,
    /// Number of the first problem: problem i draws from `seed.child(first + i)`.
    pub first: u64,
    /// The seed.
    pub seed: Seed,
}

/// One row ready for either method. Class 0 is silent, class 1 the gold answer, the rivals follow.
struct Row {
    /// Class of each sample drawn.
    class: Vec<u32>,
    n_classes: usize,
    /// Weight of each sample drawn, 0 for the silent class alone.
    units: Units,
}

/// Fills `out`, row by row K estimates and K standard errors: the probability that the gold answer wins a weighted
/// vote of k of the row's samples, for each k. A row with fewer than k samples has NaN, one whose gold answer no
/// sample gave has 0.
///
/// Answers are codes from 0; -1 is padding, -2 a sample that is drawn and never votes, and so is a sample of weight 0:
/// a subset in which nobody votes scores 0. Time of Monte Carlo: about 2 ns for each sample up to the largest k and
/// each resample; half a random word each.
///
/// # Errors
/// A weight of a voting sample that is negative or not finite; an answer below -2; a k below 1; with
/// [`Method::Exact`] a row without a common unit of its weights, or with too many samples.
///
/// # Panics
/// If the shapes of the arguments differ.
pub fn weighted_maj_at_k(
    answers: &dyn Rows<i64>,
    weights: &dyn Rows<f64>,
    gold: &[i64],
    k: &[i64],
    settings: &Settings,
    control: &Control,
    out: &mut [f64],
) -> Result<()> {
    let (n_rows, n_columns) = (answers.n_rows(), answers.n_columns());
    assert_eq!((weights.n_rows(), weights.n_columns(), gold.len()), (n_rows, n_columns, n_rows), "equal shapes");
    assert_eq!(out.len(), n_rows * 2 * k.len(), "an estimate and a standard error for each row and k");
    if let Some((i, &bad)) = k.iter().enumerate().find(|(_, k)| **k < 1) {
        return Err(invalid("k", &[i], bad, "be at least 1"));
    }
    if settings.n_resamples < 2 || settings.n_resamples > 1 << 31 {
        return Err(invalid("n_resamples", &[], settings.n_resamples, "be from 2 to 2^31"));
    }
    let buffers = || (vec![0; n_columns], vec![0.0; n_columns]);
    // Errors first and in order: inside the long run there is only interruption.
    let checks = map_items(n_rows, 64, control, buffers, |(answer, weight), row| {
        answers.read(row, answer);
        weights.read(row, weight);
        Ok(check(row, answer, weight, gold[row], settings.method).err())
    })?;
    if let Some(error) = checks.into_iter().flatten().next() {
        return Err(error);
    }
    fill_rows(
        out,
        2 * k.len(),
        1,
        control,
        || (buffers(), monte_carlo::Scratch::default()),
        |((answer, weight), scratch), row, out| {
            answers.read(row, answer);
            weights.read(row, weight);
            let (estimate, standard_error) = out.split_at_mut(k.len());
            let n = answer.iter().filter(|a| **a != PADDING).count();
            let largest = k.iter().map(|k| *k as usize).filter(|k| *k <= n).max().unwrap_or(0);
            let curve = curve(answer, weight, gold[row], largest, row, settings, scratch, control)?;
            for ((estimate, standard_error), &k) in estimate.iter_mut().zip(standard_error).zip(k) {
                (*estimate, *standard_error) = match &curve {
                    _ if k as usize > n => (f64::NAN, f64::NAN),
                    Some(curve) => curve[k as usize - 1],
                    None => (0.0, 0.0),
                };
            }
            Ok(())
        },
    )
}

/// The estimate and standard error for k = 1 to `largest`, or None if the gold answer cannot win.
#[allow(clippy::too_many_arguments)]
fn curve(
    answer: &[i64],
    weight: &[f64],
    gold: i64,
    largest: usize,
    number: usize,
    settings: &Settings,
    scratch: &mut monte_carlo::Scratch,
    control: &Control,
) -> Result<Option<Vec<(f64, f64)>>> {
    let Some(row) = Row::new(answer, weight, gold).filter(|_| largest > 0) else { return Ok(None) };
    if settings.method != Method::MonteCarlo {
        let exact = if row.votes_are_equal() {
            let k: Vec<i64> = (1..=largest as i64).collect();
            let mut curve = vec![0.0; largest];
            majority::curve_of(&row.tally(), &k, Ties::Uniform, &mut scratch.majority, control, &mut curve)?;
            Some(curve)
        } else {
            let wanted = |votes: &Votes| settings.method == Method::Exact || votes.cost() <= BUDGET;
            Votes::of(&row).filter(wanted).map(|votes| votes.curve(largest, control)).transpose()?
        };
        if let Some(exact) = exact {
            return Ok(Some(exact.into_iter().map(|p| (p, 0.0)).collect()));
        }
    }
    let seed = settings.seed.child(settings.first.wrapping_add(number as u64));
    monte_carlo::curve(&row, largest, settings, &seed, scratch, control).map(Some)
}

/// What is wrong with a row.
fn check(row: usize, answer: &[i64], weight: &[f64], gold: i64, method: Method) -> Result<()> {
    for (i, (&answer, &weight)) in answer.iter().zip(weight).enumerate() {
        if answer < SILENT {
            return Err(invalid("answers", &[row, i], answer, "be a code from 0, -1 (padding) or -2 (no vote)"));
        }
        if answer >= 0 && !(weight >= 0.0 && weight.is_finite()) {
            return Err(invalid(
                "weights",
                &[row, i],
                weight,
                "be finite and at least 0 (turn raw reward logits into weights, by exp for example)",
            ));
        }
    }
    if method != Method::Exact {
        return Ok(());
    }
    let Some(found) = Row::new(answer, weight, gold).filter(|found| !found.votes_are_equal()) else { return Ok(()) };
    let rule = match (&found.units, Votes::of(&found)) {
        (_, Some(votes)) if votes.cost() <= exact::MOST => return Ok(()),
        (Units::Whole(_), None) => "have at most 1000 entries, or be equal, for method \"exact\"",
        (Units::Whole(_), Some(_)) => "have a coarser common unit for method \"exact\", which would take hours",
        _ => "be whole multiples of a common unit for method \"exact\"",
    };
    Err(invalid("weights", &[row], "", rule))
}

impl Row {
    /// None if no sample gives weight to the gold answer.
    fn new(answer: &[i64], weight: &[f64], gold: i64) -> Option<Self> {
        let drawn = || answer.iter().zip(weight).filter(|(a, _)| **a != PADDING);
        let votes = |answer: i64, weight: f64| answer >= 0 && weight > 0.0;
        let mut rivals: Vec<i64> = drawn().filter(|(a, w)| votes(**a, **w) && **a != gold).map(|(a, _)| *a).collect();
        rivals.sort_unstable();
        rivals.dedup();
        let class: Vec<u32> = drawn()
            .map(|(&a, &w)| match rivals.binary_search(&a) {
                _ if !votes(a, w) => 0,
                _ if a == gold => 1,
                Ok(i) | Err(i) => i as u32 + 2,
            })
            .collect();
        if !class.contains(&1) {
            return None;
        }
        let weights: Vec<f64> = drawn().zip(&class).map(|((_, &w), &class)| if class == 0 { 0.0 } else { w }).collect();
        Some(Self { class, n_classes: rivals.len() + 2, units: Units::of(&weights) })
    }

    /// Whether each vote counts the same.
    fn votes_are_equal(&self) -> bool {
        matches!(&self.units, Units::Whole(units) if units.iter().all(|unit| *unit <= 1))
    }

    /// The votes without their weights.
    fn tally(&self) -> Tally {
        let mut counts = vec![0; self.n_classes];
        for &class in &self.class {
            counts[class as usize] += 1;
        }
        Tally::new(counts[1], &counts[2..], counts[0])
    }
}

#[cfg(test)]
mod tests;
