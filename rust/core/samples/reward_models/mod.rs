//! How good a reward model is at ranking the samples of a problem.
//!
//! The measures of Frick et al., How to Evaluate Reward Models for RLHF (2024, arXiv 2410.14872), that need samples with
//! a score and a verdict: AUC within each prompt and pooled, the best-of-k curve beside the oracle's, and the curve's
//! maximum over random orders. NaN scores mark samples that are not there. All is exact but [`max_scores`], whose
//! definition is random.

mod auc;
mod correlation;
mod orders;
mod prompt;
mod ranked;
#[cfg(test)]
mod tests;

pub use correlation::{kendall_tau, spearman};
pub use orders::max_scores;

use crate::error::{Result, invalid};
use crate::rows::Rows;
use crate::run::{Control, fill_rows, map_items};
use auc::{MOST_COMPARED, Pairs, compared, conflict, pooled_auc};
use prompt::Prompt;
use ranked::{Ranked, expected, rank};
use std::collections::BTreeMap;

/// Prompts read at a time by one thread.
const BLOCK: usize = 64;

fn same_shape(scores: &dyn Rows<f64>, correct: &dyn Rows<f64>) -> Result<(usize, usize)> {
    let shape = (scores.n_rows(), scores.n_columns());
    let other = (correct.n_rows(), correct.n_columns());
    if other != shape {
        return Err(invalid("correct", &[], format!("{other:?}"), format!("have the shape of scores, {shape:?}")));
    }
    Ok(shape)
}

/// Fills `out` with the AUC of each prompt: the probability that a correct sample scores above an incorrect one, ties
/// counting half (ranks with ties at their middle). NaN where one of the kinds is missing.
///
/// # Errors
/// Other shapes, an infinite score, a verdict other than 0 and 1; [`Error::Interrupted`](crate::Error::Interrupted).
///
/// # Panics
/// If `out` has another length than `scores` has rows.
pub fn roc_auc(scores: &dyn Rows<f64>, correct: &dyn Rows<f64>, out: &mut [f64], control: &Control) -> Result<()> {
    let (n_prompts, n) = same_shape(scores, correct)?;
    assert_eq!(out.len(), n_prompts, "one AUC for each prompt");
    fill_rows(
        out,
        1,
        BLOCK,
        control,
        || (Prompt::new(n), Vec::new()),
        |(prompt, chosen), row, out| {
            prompt.read(scores, correct, row)?;
            out[0] = if n <= MOST_COMPARED { compared(prompt, chosen) } else { conflict(prompt) }.share();
            Ok(())
        },
    )
}

/// What [`correctness`] finds beside the curves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Correctness {
    /// Conflict pairs (a correct and an incorrect sample of one prompt) ranked right, ties counting half.
    pub accuracy: f64,
    /// AUC of all samples together, the scores of each prompt first stretched to [0, 1] (0.5 where all are equal).
    pub roc_auc: f64,
    /// Mean of the AUC of the prompts that have conflict pairs.
    pub mean_prompt_auc: f64,
    /// Conflict pairs in all.
    pub n_conflict_pairs: u64,
    /// Samples with a score.
    pub n_samples: u64,
}

/// Fills `curve` with the expected correctness of the highest-scoring of k random samples (ties at random), `oracle`
/// with the probability that one of the k is correct, both averaged over the prompts with at least k samples, for each
/// of `k`; NaN where no prompt has as many.
///
/// With all prompts of n samples, a value of rank j (from 1, lowest) weighs C(j-1, k-1) / C(n, k): linear, so the
/// values are summed over the prompts first. Costs a sort of each prompt and of all samples, and about 37 n ln n for
/// each distinct n.
///
/// # Errors
/// Other shapes, an infinite score, a verdict other than 0 and 1, k below 1; [`Error::Interrupted`](crate::Error::Interrupted), [`Error::Memory`](crate::Error::Memory).
///
/// # Panics
/// If `curve` or `oracle` has another length than `k`.
pub fn correctness(
    scores: &dyn Rows<f64>,
    correct: &dyn Rows<f64>,
    k: &[i64],
    curve: &mut [f64],
    oracle: &mut [f64],
    control: &Control,
) -> Result<Correctness> {
    let (n_prompts, n) = same_shape(scores, correct)?;
    assert!(curve.len() == k.len() && oracle.len() == k.len(), "one value for each k");
    if let Some(at) = k.iter().position(|&k| k < 1) {
        return Err(invalid("k", &[at], k[at], "be at least 1"));
    }
    let mut ranked: BTreeMap<usize, Ranked> = BTreeMap::new();
    let (mut all, mut auc_sum, mut auc_count) = (Pairs::default(), 0.0, 0u64);
    let mut n_samples = 0u64;
    // Sums of blocks of prompts, added in order: the same for any number of threads.
    let n_blocks = n_prompts.div_ceil(BLOCK);
    for batch in (0..n_blocks).step_by(64) {
        let blocks = map_items(
            (n_blocks - batch).min(64),
            1,
            control,
            || Prompt::new(n),
            |prompt, block| {
                let mut sums: BTreeMap<usize, Ranked> = BTreeMap::new();
                let mut pairs = Vec::with_capacity(BLOCK);
                let start = (batch + block) * BLOCK;
                for row in start..(start + BLOCK).min(n_prompts) {
                    control.check()?;
                    prompt.read(scores, correct, row)?;
                    pairs.push(conflict(prompt));
                    rank(prompt, &mut sums);
                }
                Ok((pairs, sums))
            },
        )?;
        for (pairs, sums) in blocks {
            for one in pairs {
                all.halves += one.halves;
                all.pairs += one.pairs;
                if one.pairs > 0 {
                    auc_sum += one.share();
                    auc_count += 1;
                }
            }
            for (n, sums) in sums {
                n_samples += n as u64 * sums.prompts;
                let to = ranked.entry(n).or_insert_with(|| Ranked::new(n));
                to.prompts += sums.prompts;
                to.with_correct.iter_mut().zip(&sums.with_correct).for_each(|(to, x)| *to += x);
                to.by_rank.iter_mut().zip(&sums.by_rank).for_each(|(to, x)| *to += x);
            }
        }
    }
    for (at, &k) in k.iter().enumerate() {
        control.check()?;
        (curve[at], oracle[at]) = expected(&ranked, usize::try_from(k).unwrap_or(usize::MAX));
    }
    Ok(Correctness {
        accuracy: all.share(),
        roc_auc: pooled_auc(scores, correct, control)?,
        mean_prompt_auc: auc_sum / auc_count as f64,
        n_conflict_pairs: all.pairs,
        n_samples,
    })
}
