//! Who judges answers and steps, and how often wrongly.

use super::{Purpose, Streams};
use crate::error::{Result, invalid};
use crate::problems::synthetic::mix;
use crate::random::laws::{Draws, Source};

/// A judge of answers (an outcome reward) and of steps (a process reward).
///
/// A verdict is 1 or 0, accepted or not, which may err, plus what noise and bias add. A process reward is the exact
/// probability of success from a state, plus what its noise and bias add.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Verifier {
    /// Probability that a wrong answer is accepted.
    pub false_positive: f64,
    /// Probability that a right answer is not.
    pub false_negative: f64,
    /// Standard deviation of what is added to each verdict.
    pub noise: f64,
    /// What is added to the verdict on a wrong answer.
    pub bias: f64,
    /// Whether equal answers of a trial get the same verdict, errors and noise included.
    pub systematic: bool,
    /// If given, no scores are made: a choice among several falls on a right one with this probability, if there is one.
    pub accuracy: Option<f64>,
    /// Standard deviation of what is added to each process reward.
    pub process_noise: f64,
    /// What is added to the process reward of a state from which no walk succeeds.
    pub process_bias: f64,
}

impl Default for Verifier {
    /// One that never errs.
    fn default() -> Self {
        Self {
            false_positive: 0.0,
            false_negative: 0.0,
            noise: 0.0,
            bias: 0.0,
            systematic: false,
            accuracy: None,
            process_noise: 0.0,
            process_bias: 0.0,
        }
    }
}

impl Verifier {
    /// Refuses parameters out of range.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid).
    pub fn check(&self) -> Result<()> {
        let rates = [
            ("false_positive", self.false_positive),
            ("false_negative", self.false_negative),
            ("accuracy", self.accuracy.unwrap_or(1.0)),
        ];
        for (name, rate) in rates {
            if !(0.0..=1.0).contains(&rate) {
                return Err(invalid(name, &[], rate, "be between 0 and 1"));
            }
        }
        for (name, noise) in [("noise", self.noise), ("process_noise", self.process_noise)] {
            if !(noise >= 0.0 && noise.is_finite()) {
                return Err(invalid(name, &[], noise, "be at least 0 and finite"));
            }
        }
        for (name, bias) in [("bias", self.bias), ("process_bias", self.process_bias)] {
            if !bias.is_finite() {
                return Err(invalid(name, &[], bias, "be finite"));
            }
        }
        Ok(())
    }

    /// Whether an accepted answer cannot be outdone by a later one.
    pub(super) const fn is_decided(&self) -> bool {
        self.noise == 0.0 && self.bias == 0.0 && self.accuracy.is_none()
    }

    /// Whether verdicts are those of a verifier that never errs.
    pub(super) const fn is_perfect(&self) -> bool {
        self.is_decided() && self.false_positive == 0.0 && self.false_negative == 0.0
    }
}

/// A verdict.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Verdict {
    pub(super) score: f64,
    pub(super) accepted: bool,
}

/// The verifier at work in one run of a generator.
pub(super) struct Judge<'a> {
    verifier: &'a Verifier,
    streams: Streams,
    draws: Draws,
}

impl<'a> Judge<'a> {
    /// One whose draws are those of `purpose` and `number`.
    pub(super) fn new(verifier: &'a Verifier, streams: Streams, purpose: Purpose, number: u64) -> Self {
        Self { verifier, streams, draws: Draws::new(streams.of(purpose, number)) }
    }

    /// What is said of an answer; `None` is never accepted and worse than any answer.
    pub(super) fn verdict(&mut self, answer: Option<u64>, is_correct: bool) -> Verdict {
        let Some(answer) = answer else { return Verdict { score: f64::NEG_INFINITY, accepted: false } };
        let verifier = self.verifier;
        if verifier.is_perfect() {
            return Verdict { score: f64::from(u8::from(is_correct)), accepted: is_correct };
        }
        if verifier.systematic {
            let number = mix(answer) >> 6;
            return judged(verifier, is_correct, &mut Draws::new(self.streams.of(Purpose::Systematic, number)));
        }
        judged(verifier, is_correct, &mut self.draws)
    }

    /// What is said of a state from which a walk succeeds with probability `success`.
    pub(super) fn process_reward(&mut self, success: f64) -> f64 {
        let Verifier { process_noise, process_bias, .. } = *self.verifier;
        let bias = if success == 0.0 { process_bias } else { 0.0 };
        let noise = if process_noise > 0.0 { process_noise * self.draws.normal() } else { 0.0 };
        success + bias + noise
    }

    /// Which of the candidates a choice of this accuracy falls on, given which are good; and whether it failed though
    /// all of them are good.
    pub(super) fn choose(&mut self, accuracy: f64, good: &[bool]) -> (usize, bool) {
        let n_good = good.iter().filter(|&&good| good).count();
        let right = self.draws.uniform() < accuracy;
        let wanted = if n_good == 0 || n_good == good.len() { n_good > 0 } else { right };
        let n = if wanted { n_good } else { good.len() - n_good };
        let place = ((self.draws.uniform() * n as f64) as usize).min(n.saturating_sub(1));
        let chosen = good.iter().enumerate().filter(|&(_, &good)| good == wanted).nth(place).map_or(0, |(i, _)| i);
        (chosen, n_good == good.len() && !right)
    }
}

fn judged(verifier: &Verifier, is_correct: bool, draws: &mut Draws) -> Verdict {
    let wrong = if is_correct { verifier.false_negative } else { verifier.false_positive };
    let errs = wrong > 0.0 && draws.uniform() < wrong;
    let accepted = is_correct != errs;
    let noise = if verifier.noise > 0.0 { verifier.noise * draws.normal() } else { 0.0 };
    let bias = if is_correct { 0.0 } else { verifier.bias };
    Verdict { score: f64::from(u8::from(accepted)) + bias + noise, accepted }
}
