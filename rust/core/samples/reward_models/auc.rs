//! Pairs of a correct and an incorrect sample that their scores order rightly.

use super::prompt::{Prompt, key};
use crate::error::{Error, Result};
use crate::machine::{Kernel, widest};
use crate::rows::Rows;
use crate::run::Control;

/// Ordered pairs (correct above incorrect), a tie counting one of two halves, and conflict pairs in all.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Pairs {
    pub(super) halves: u64,
    pub(super) pairs: u64,
}

impl Pairs {
    pub(super) fn share(self) -> f64 {
        if self.pairs == 0 { f64::NAN } else { self.halves as f64 / (2.0 * self.pairs as f64) }
    }
}

pub(super) fn conflict(prompt: &mut Prompt) -> Pairs {
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
pub(super) const MOST_COMPARED: usize = 128;

/// The same as [`conflict`]; `incorrect` is working memory.
pub(super) fn compared(prompt: &Prompt, incorrect: &mut Vec<u64>) -> Pairs {
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

/// See [`Correctness::roc_auc`].
pub(super) fn pooled_auc(scores: &dyn Rows<f64>, correct: &dyn Rows<f64>, control: &Control) -> Result<f64> {
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
