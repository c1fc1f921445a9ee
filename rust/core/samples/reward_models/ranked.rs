//! Values of samples by the rank of their scores, summed over prompts, and the best-of-k curve they give.

use super::prompt::Prompt;
use std::collections::BTreeMap;

/// Per number of samples n: prompts, how many have c correct ones, and the sums over prompts of the values by rank.
#[derive(Debug, Clone, Default)]
pub(super) struct Ranked {
    pub(super) prompts: u64,
    pub(super) with_correct: Vec<u64>,
    pub(super) by_rank: Vec<f64>,
}

impl Ranked {
    pub(super) fn new(n: usize) -> Self {
        Self { prompts: 0, with_correct: vec![0; n + 1], by_rank: vec![0.0; n] }
    }
}

pub(super) fn rank(prompt: &mut Prompt, sums: &mut BTreeMap<usize, Ranked>) {
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
pub(super) fn expected(ranked: &BTreeMap<usize, Ranked>, k: usize) -> (f64, f64) {
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
