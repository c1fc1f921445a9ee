//! The samples of one prompt, as read from a row of scores and one of verdicts.

use crate::error::{Result, invalid};
use crate::rows::Rows;

/// A prompt's samples: scores as integers in the order of the scores, with the verdicts.
#[derive(Debug, Default)]
pub(super) struct Prompt {
    pub(super) scores: Vec<f64>,
    correct: Vec<f64>,
    pub(super) samples: Vec<(u64, bool)>,
}

/// Maps scores to integers of the same order; both zeros are one.
pub(super) fn key(score: f64) -> u64 {
    let bits = (score + 0.0).to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

impl Prompt {
    pub(super) fn new(n: usize) -> Self {
        Self { scores: vec![0.0; n], correct: vec![0.0; n], samples: Vec::with_capacity(n) }
    }

    /// Reads a row, in its own order.
    pub(super) fn read(&mut self, scores: &dyn Rows<f64>, correct: &dyn Rows<f64>, row: usize) -> Result<()> {
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
    pub(super) fn groups(&mut self, mut group: impl FnMut(usize, usize, usize)) {
        self.samples.sort_unstable_by_key(|sample| sample.0);
        let mut below = 0;
        for run in self.samples.chunk_by(|a, b| a.0 == b.0) {
            let correct = run.iter().filter(|sample| sample.1).count();
            group(below, correct, run.len() - correct);
            below += run.len();
        }
    }
}
