//! How good a reward model is at ranking the samples of a problem.
//!
//! The measures of Frick et al., How to Evaluate Reward Models for RLHF (2024, arXiv 2410.14872), that need samples with
//! a score and a verdict: AUC within each prompt and pooled, the best-of-k curve beside the oracle's, and the curve's
//! maximum over random orders. NaN scores mark samples that are not there. All is exact but [`max_scores`], whose
//! definition is random.

mod correlation;

pub use correlation::{kendall_tau, spearman};

use crate::error::{Error, Result, invalid};
use crate::random::Seed;
use crate::rows::Rows;
use crate::run::{Control, fill_rows, map_items};
use crate::simd::{Kernel, widest};
use std::collections::BTreeMap;

/// Prompts read at a time by one thread.
const BLOCK: usize = 64;

/// A prompt's samples: scores as integers in the order of the scores, with the verdicts.
#[derive(Debug, Default)]
struct Prompt {
    scores: Vec<f64>,
    correct: Vec<f64>,
    samples: Vec<(u64, bool)>,
}

/// Maps scores to integers of the same order; both zeros are one.
fn key(score: f64) -> u64 {
    let bits = (score + 0.0).to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

impl Prompt {
    fn new(n: usize) -> Self {
        Self { scores: vec![0.0; n], correct: vec![0.0; n], samples: Vec::with_capacity(n) }
    }

    /// Reads a row, in its own order.
    fn read(&mut self, scores: &dyn Rows<f64>, correct: &dyn Rows<f64>, row: usize) -> Result<()> {
        scores.read(row, &mut self.scores);
        correct.read(row, &mut self.correct);
        self.samples.clear();
        for (i, (&score, &correct)) in self.scores.iter().zip(&self.correct).enumerate() {
            if score.is_nan() {
                continue;
            }
            if score.is_infinite() {
                return Err(invalid("scores", &[row, i], score, "be finite, or NaN where there is no sample"));
            }
            if correct != 0.0 && correct != 1.0 {
                return Err(invalid("correct", &[row, i], correct, "be 0 or 1 wherever there is a score"));
            }
            self.samples.push((key(score), correct == 1.0));
        }
        Ok(())
    }

    /// Sorted by score, calls `group(below, correct, incorrect)` for each run of equal scores, `below` counting the
    /// samples of lower score.
    fn groups(&mut self, mut group: impl FnMut(usize, usize, usize)) {
        self.samples.sort_unstable_by_key(|sample| sample.0);
        let mut below = 0;
        for run in self.samples.chunk_by(|a, b| a.0 == b.0) {
            let correct = run.iter().filter(|sample| sample.1).count();
            group(below, correct, run.len() - correct);
            below += run.len();
        }
    }
}

/// Ordered pairs (correct above incorrect), a tie counting one of two halves, and conflict pairs in all.
#[derive(Debug, Default, Clone, Copy)]
struct Pairs {
    halves: u64,
    pairs: u64,
}

impl Pairs {
    fn share(self) -> f64 {
        if self.pairs == 0 { f64::NAN } else { self.halves as f64 / (2.0 * self.pairs as f64) }
    }
}

fn conflict(prompt: &mut Prompt) -> Pairs {
    let (mut halves, mut n_correct, mut incorrect_below) = (0u64, 0u64, 0u64);
    prompt.groups(|_, correct, incorrect| {
        let (correct, incorrect) = (correct as u64, incorrect as u64);
        halves += correct * (2 * incorrect_below + incorrect);
        incorrect_below += incorrect;
        n_correct += correct;
    });
    Pairs { halves, pairs: n_correct * incorrect_below }
}

/// Up to this many samples comparing all pairs, a vector at a time, is faster than sorting.
const MOST_COMPARED: usize = 128;

/// The same as [`conflict`]; `incorrect` is working memory.
fn compared(prompt: &Prompt, incorrect: &mut Vec<u64>) -> Pairs {
    struct Compare<'a> {
        samples: &'a [(u64, bool)],
        incorrect: &'a [u64],
    }
    impl Kernel for Compare<'_> {
        type Output = u64;
        #[inline(always)]
        fn run(self) -> u64 {
            let mut halves = 0;
            for &(own, _) in self.samples.iter().filter(|sample| sample.1) {
                for &other in self.incorrect {
                    halves += u64::from(other < own) + u64::from(other <= own);
                }
            }
            halves
        }
    }
    incorrect.clear();
    incorrect.extend(prompt.samples.iter().filter(|sample| !sample.1).map(|sample| sample.0));
    let halves = widest(Compare { samples: &prompt.samples, incorrect });
    Pairs { halves, pairs: ((prompt.samples.len() - incorrect.len()) * incorrect.len()) as u64 }
}

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
/// Other shapes, an infinite score, a verdict other than 0 and 1; [`Error::Interrupted`].
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

/// Per number of samples n: prompts, how many have c correct ones, and the sums over prompts of the values by rank.
#[derive(Debug, Clone, Default)]
struct Ranked {
    prompts: u64,
    with_correct: Vec<u64>,
    by_rank: Vec<f64>,
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
/// Other shapes, an infinite score, a verdict other than 0 and 1, k below 1; [`Error::Interrupted`], [`Error::Memory`].
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

impl Ranked {
    fn new(n: usize) -> Self {
        Self { prompts: 0, with_correct: vec![0; n + 1], by_rank: vec![0.0; n] }
    }
}

fn rank(prompt: &mut Prompt, sums: &mut BTreeMap<usize, Ranked>) {
    let n = prompt.samples.len();
    let to = sums.entry(n).or_insert_with(|| Ranked::new(n));
    let mut total = 0;
    prompt.groups(|below, correct, incorrect| {
        let size = correct + incorrect;
        total += correct;
        if correct > 0 {
            // Of tied samples each is chosen as often as any other.
            let mean = correct as f64 / size as f64;
            to.by_rank[below..below + size].iter_mut().for_each(|x| *x += mean);
        }
    });
    to.prompts += 1;
    to.with_correct[total] += 1;
}

/// The means over prompts with at least `k` samples of the chosen sample's value and of the best value.
fn expected(ranked: &BTreeMap<usize, Ranked>, k: usize) -> (f64, f64) {
    let (mut chosen, mut best, mut prompts) = (0.0, 0.0, 0u64);
    for (&n, sums) in ranked.range(k..) {
        prompts += sums.prompts;
        let mut weight = k as f64 / n as f64;
        for j in (k..=n).rev() {
            chosen += weight * sums.by_rank[j - 1];
            // What is left below weighs less than this bound times the number of prompts.
            if weight < 1e-18 {
                break;
            }
            weight *= (j - k) as f64 / (j.max(2) - 1) as f64;
        }
        // P(none of k is correct) for c = 0, 1, ... correct ones: each more multiplies by 1 - k / (n - c).
        let mut none = 1.0;
        for (c, &count) in sums.with_correct.iter().enumerate() {
            best += count as f64 * (1.0 - none);
            if c < n {
                none *= 1.0 - (k as f64 / (n - c) as f64).min(1.0);
            }
        }
    }
    if prompts == 0 { (f64::NAN, f64::NAN) } else { (chosen / prompts as f64, best / prompts as f64) }
}

/// See [`Correctness::roc_auc`].
fn pooled_auc(scores: &dyn Rows<f64>, correct: &dyn Rows<f64>, control: &Control) -> Result<f64> {
    let (n_prompts, n) = (scores.n_rows(), scores.n_columns());
    let memory = |_| Error::Memory(n_prompts.saturating_mul(n).saturating_mul(8));
    let (mut right, mut wrong) = (Vec::<u64>::new(), Vec::<u64>::new());
    let mut prompt = Prompt::new(n);
    for row in 0..n_prompts {
        if row % 64 == 0 {
            control.check()?;
        }
        prompt.read(scores, correct, row)?;
        let present = || prompt.scores.iter().copied().filter(|score| !score.is_nan());
        let low = present().fold(f64::INFINITY, f64::min);
        let high = present().fold(f64::NEG_INFINITY, f64::max);
        right.try_reserve(n).map_err(memory)?;
        wrong.try_reserve(n).map_err(memory)?;
        for (score, sample) in present().zip(&prompt.samples) {
            // Halves, whose difference is finite.
            let (place, range) = (0.5 * score - 0.5 * low, 0.5 * high - 0.5 * low);
            let place = if range > 0.0 { place / range } else { 0.5 };
            if sample.1 { right.push(key(place)) } else { wrong.push(key(place)) }
        }
    }
    right.sort_unstable();
    control.check()?;
    wrong.sort_unstable();
    control.check()?;
    let (mut below, mut upto, mut halves) = (0, 0, 0u128);
    for &own in &right {
        while below < wrong.len() && wrong[below] < own {
            below += 1;
        }
        upto = upto.max(below);
        while upto < wrong.len() && wrong[upto] == own {
            upto += 1;
        }
        halves += (below + upto) as u128;
    }
    let pairs = right.len() as f64 * wrong.len() as f64;
    Ok(if pairs == 0.0 { f64::NAN } else { halves as f64 / (2.0 * pairs) })
}

/// Fills `out` with the maximum over `k` of the best-of-k curve in one random order of the samples for each element,
/// the same order for all prompts: the curve of an order chooses among its first k samples, the first of equal scores.
/// Order i draws its permutation from stream `first + i`. A prompt with fewer samples uses the order of its own, and
/// counts for its own k only. NaN where no prompt has enough samples for any k. Costs P n for each order.
///
/// # Errors
/// As [`correctness`].
pub fn max_scores(
    scores: &dyn Rows<f64>,
    correct: &dyn Rows<f64>,
    k: &[i64],
    seed: Seed,
    first: u64,
    out: &mut [f64],
    control: &Control,
) -> Result<()> {
    let (n_prompts, n) = same_shape(scores, correct)?;
    // A sample as one number: 0 where absent, else twice its rank among the prompt's scores (from 1) plus its verdict.
    let mut codes = Vec::<u32>::new();
    let size = n_prompts.saturating_mul(n);
    codes.try_reserve_exact(size).map_err(|_| Error::Memory(size.saturating_mul(4)))?;
    codes.resize(size, 0);
    let mut prompts_with = vec![0u64; n + 1];
    let mut prompt = Prompt::new(n);
    let mut sorted = Vec::with_capacity(n);
    for row in 0..n_prompts {
        control.check()?;
        prompt.read(scores, correct, row)?;
        prompts_with[prompt.samples.len()] += 1;
        sorted.clear();
        sorted.extend(prompt.samples.iter().map(|sample| sample.0));
        sorted.sort_unstable();
        let present = codes[row * n..].iter_mut().zip(&prompt.scores).filter(|(_, score)| !score.is_nan());
        for ((code, _), sample) in present.zip(&prompt.samples) {
            let rank = sorted.partition_point(|&other| other < sample.0) as u32;
            *code = 2 * (rank + 1) + u32::from(sample.1);
        }
    }
    for i in (0..n).rev() {
        prompts_with[i] += prompts_with[i + 1];
    }
    fill_rows(
        out,
        1,
        1,
        control,
        || (vec![0usize; n], vec![0u64; n]),
        |(order, counts), item, out| {
            let mut stream = seed.stream(first.wrapping_add(item as u64));
            for (i, place) in order.iter_mut().enumerate() {
                *place = i;
            }
            for i in (1..n).rev() {
                order.swap(i, stream.below(i as u64 + 1) as usize);
            }
            counts.fill(0);
            for (row, codes) in codes.chunks_exact(n.max(1)).enumerate() {
                if row % 256 == 0 {
                    control.check()?;
                }
                let (mut best, mut taken) = (0, 0);
                for &place in &*order {
                    let code = codes[place];
                    if code >> 1 > best >> 1 {
                        best = code;
                    }
                    // An absent sample adds nothing and is overwritten by the next one.
                    let present = usize::from(code != 0);
                    counts[taken] += u64::from(best & 1) * present as u64;
                    taken += present;
                    if taken == n {
                        break;
                    }
                }
            }
            out[0] = f64::NAN;
            for &k in k {
                let k = usize::try_from(k).unwrap_or(0);
                if (1..=n).contains(&k) && prompts_with[k] > 0 {
                    out[0] = out[0].max(counts[k - 1] as f64 / prompts_with[k] as f64);
                }
            }
            Ok(())
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::Matrix;
    use proptest::prelude::*;

    fn close(a: f64, b: f64) -> bool {
        (a.is_nan() && b.is_nan()) || (a - b).abs() < 1e-12
    }

    proptest! {
        #[test]
        fn auc_and_curve_equal_brute_force(rows in prop::collection::vec((0u8..4, any::<bool>()), 1..9)) {
            let n = rows.len();
            let scores: Vec<f64> = rows.iter().map(|r| f64::from(r.0)).collect();
            let correct: Vec<f64> = rows.iter().map(|r| f64::from(u8::from(r.1))).collect();
            let (s, c) = (Matrix::new(&scores, 1, n), Matrix::new(&correct, 1, n));
            let k: Vec<i64> = (1..=n as i64).collect();
            let (mut curve, mut oracle) = (vec![0.0; n], vec![0.0; n]);
            let found = correctness(&s, &c, &k, &mut curve, &mut oracle, &Control::default()).unwrap();
            let (mut won, mut pairs) = (0.0, 0.0);
            for (i, j) in (0..n).flat_map(|i| (0..n).map(move |j| (i, j))) {
                if correct[i] > correct[j] {
                    pairs += 1.0;
                    won += if scores[i] > scores[j] { 1.0 } else if scores[i] == scores[j] { 0.5 } else { 0.0 };
                }
            }
            let mut auc = [0.0];
            roc_auc(&s, &c, &mut auc, &Control::default()).unwrap();
            prop_assert!(close(auc[0], won / pairs));
            prop_assert!(close(found.accuracy, won / pairs));
            prop_assert!(close(found.roc_auc, won / pairs)); // stretching one prompt changes no order
            prop_assert!(close(found.mean_prompt_auc, won / pairs));
            for k in 1..=n {
                let (mut chosen, mut best, mut subsets) = (0.0, 0.0, 0.0);
                for subset in (0u32..1 << n).filter(|s| s.count_ones() as usize == k) {
                    let members: Vec<usize> = (0..n).filter(|i| subset >> i & 1 == 1).collect();
                    let top = members.iter().map(|&i| scores[i]).fold(f64::MIN, f64::max);
                    let tied: Vec<f64> =
                        members.iter().filter(|&&i| scores[i] == top).map(|&i| correct[i]).collect();
                    chosen += tied.iter().sum::<f64>() / tied.len() as f64;
                    best += members.iter().map(|&i| correct[i]).fold(0.0, f64::max);
                    subsets += 1.0;
                }
                prop_assert!(close(curve[k - 1], chosen / subsets), "{k}: {} {}", curve[k - 1], chosen / subsets);
                prop_assert!(close(oracle[k - 1], best / subsets));
            }
        }
    }

    #[test]
    fn value_stability_of_max_scores() {
        let scores = [0.3, 0.1, 0.9, f64::NAN, 2.0, 2.0, 1.0, 3.0];
        let correct = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0];
        let (s, c) = (Matrix::new(&scores, 2, 4), Matrix::new(&correct, 2, 4));
        let run = |first, n, threads| {
            let mut out = vec![0.0; n];
            max_scores(&s, &c, &[1, 2, 3, 4], Seed::from_u64(1), first, &mut out, &Control::new(threads)).unwrap();
            out
        };
        let whole = run(3, 8, 1);
        assert_eq!(whole, [run(3, 5, 2), run(8, 3, 7)].concat());
        // A changed value here changes every max score: it needs a line in CHANGELOG.md.
        assert_eq!(whole, [0.5, 0.5, 0.0, 0.5, 0.0, 1.0, 0.0, 0.5]);
    }

    #[test]
    fn bad_input_is_named() {
        let text = |scores: &[f64], correct: &[f64]| {
            let (s, c) = (Matrix::new(scores, 1, scores.len()), Matrix::new(correct, 1, correct.len()));
            roc_auc(&s, &c, &mut [0.0], &Control::default()).unwrap_err().to_string()
        };
        assert!(text(&[1.0, f64::INFINITY], &[0.0, 1.0]).contains("scores[0, 1] must be finite"));
        assert!(text(&[1.0, 2.0], &[0.0, 0.5]).contains("correct[0, 1] must be 0 or 1"));
        assert!(text(&[1.0, 2.0], &[0.0]).contains("correct must have the shape of scores"));
    }
}
