//! The policy of one state, and a step of gradient ascent on it.

use super::Settings;
use crate::chains::matrix::Row;
use crate::error::{Result, invalid};
use crate::metastable::softmax::{log_sum_exp, normalise};
use libm::{exp, log, log1p};

/// About the logarithm of the smallest probability that a chain can hold.
const LEAST: f64 = -744.0;

/// The transitions out of a state that has wanted ones.
#[derive(Debug, Clone)]
pub(super) struct State {
    pub(super) source: u32,
    /// The probability with which an expectation meets the state.
    pub(super) weight: f64,
    /// Logarithms of the probabilities.
    pub(super) logits: Vec<f64>,
    /// Those at the beginning of the iteration, whose ratio to the present ones is clipped.
    old: Vec<f64>,
    pub(super) wanted: Vec<Wanted>,
    /// Scratch: the gradient, and the probabilities.
    gradient: Vec<f64>,
    present: Vec<f64>,
}

/// A transition that is to become likelier.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    /// Which of the transitions of the state.
    pub(super) place: usize,
    /// Which of the caller's edges.
    pub(super) edge: usize,
    pub(super) goal: Goal,
}

/// How far a wanted transition is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Goal {
    /// Below the largest probability wanted.
    Ahead,
    /// At it, where it is kept.
    Reached,
    /// It was above from the start, and is let alone.
    Beyond,
}

/// Logarithms of the probabilities of a row, whose sum is 1 to the last digit.
pub(super) fn log_probabilities(row: Row<'_>) -> Vec<f64> {
    let mut logits: Vec<f64> = row.iter().map(|(_, probability)| log(probability)).collect();
    normalise(&mut logits);
    logits
}

impl State {
    pub(super) fn new(source: u32, weight: f64, row: Row<'_>, wanted: Vec<Wanted>) -> Self {
        let logits = log_probabilities(row);
        let (old, scratch) = (logits.clone(), vec![0.0; logits.len()]);
        Self { source, weight, logits, old, wanted, gradient: scratch.clone(), present: scratch }
    }

    /// Marks the wanted transitions that begin at or above `epsilon_max`.
    pub(super) fn mark(&mut self, epsilon_max: f64) {
        for wanted in &mut self.wanted {
            if exp(self.logits[wanted.place]) >= epsilon_max {
                wanted.goal = Goal::Beyond;
            }
        }
    }

    pub(super) fn is_done(&self) -> bool {
        self.wanted.iter().all(|wanted| wanted.goal != Goal::Ahead)
    }

    /// The policy whose ratio to later ones is clipped from now on is the present one.
    pub(super) fn begin_iteration(&mut self) {
        self.old.copy_from_slice(&self.logits);
    }

    /// One step of ascent on the clipped objective; false where it is flat. `hits` are the shares of a batch that drew
    /// each of the wanted transitions; without them expectations are exact.
    ///
    /// With the advantage 1 on wanted transitions and 0 elsewhere the objective is the sum of `v_y` = weight x (share
    /// drawn of y) x ratio of y over the active y: those that are ahead of their goal, and whose ratio to the old
    /// policy is below 1 + clip. Its derivative by the logit of z is `v_z [z active] - p_z (sum of v)`, here without a
    /// subtraction of near equals: `1 - p_z` is the sum of the other probabilities.
    ///
    /// # Errors
    /// A learning rate so large that a logit overflows, or a transition vanishes.
    pub(super) fn ascend(&mut self, hits: Option<&[f64]>, settings: &Settings) -> Result<bool> {
        let clipped = log1p(settings.clip);
        self.present.iter_mut().zip(&self.logits).for_each(|(p, logit)| *p = exp(*logit));
        self.gradient.fill(0.0);
        // First the v in place of the gradient, which is zero but there.
        let mut total = 0.0;
        for (number, wanted) in self.wanted.iter().enumerate() {
            let (place, ratio) = (wanted.place, self.logits[wanted.place] - self.old[wanted.place]);
            if wanted.goal == Goal::Ahead && ratio < clipped {
                let value = match hits {
                    None => self.weight * self.present[place],
                    Some(hits) => hits[number] * exp(ratio),
                };
                self.gradient[place] = value;
                total += value;
            }
        }
        if total == 0.0 {
            return Ok(false);
        }
        let passive: f64 = self.present.iter().zip(&self.gradient).filter(|(_, v)| **v == 0.0).map(|(p, _)| p).sum();
        let active: Vec<(f64, f64)> =
            self.gradient.iter().zip(&self.present).filter(|(v, _)| **v > 0.0).map(|(v, p)| (*v, *p)).collect();
        for (value, p) in self.gradient.iter_mut().zip(&self.present) {
            *value = if *value > 0.0 {
                let traded: f64 = active.iter().map(|(other, q)| *value * q - p * other).sum();
                *value * passive + traded
            } else {
                -p * total
            };
        }
        let rate = settings.learning_rate;
        for (logit, slope) in self.logits.iter_mut().zip(&self.gradient) {
            *logit += if settings.sign_gradient { rate.copysign(*slope) } else { rate * slope };
        }
        normalise(&mut self.logits);
        if self.logits.iter().any(|logit| logit.is_nan() || *logit < LEAST) {
            let rule = format!("be so small that no transition out of state {} vanishes", self.source);
            return Err(invalid("learning_rate", &[], rate, rule));
        }
        self.arrive(settings.epsilon_max);
        Ok(true)
    }

    /// Ends a step that would carry transitions past `epsilon_max` there, and keeps those that arrived.
    fn arrive(&mut self, epsilon_max: f64) {
        let goal = log(epsilon_max);
        let mut n_reached = 0;
        for wanted in &mut self.wanted {
            if wanted.goal == Goal::Ahead && self.logits[wanted.place] >= goal {
                wanted.goal = Goal::Reached;
            }
            n_reached += usize::from(wanted.goal == Goal::Reached);
        }
        if n_reached == 0 {
            return;
        }
        self.present.fill(0.0);
        for wanted in self.wanted.iter().filter(|wanted| wanted.goal == Goal::Reached) {
            self.present[wanted.place] = 1.0;
        }
        let others = self.logits.iter().zip(&self.present).filter(|(_, mark)| **mark == 0.0).map(|(logit, _)| *logit);
        let shift = log1p(-(n_reached as f64 * epsilon_max)) - log_sum_exp(others);
        for (logit, mark) in self.logits.iter_mut().zip(&self.present) {
            *logit = if *mark == 0.0 { *logit + shift } else { goal };
        }
    }
}
