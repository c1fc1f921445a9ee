//! Self-correction as online learning: a learner chooses, answer by answer, which expert to ask (Huang et al. 2025,
//! algorithm 1), and hears how good the answer was.

use super::verifier::Verdict;
use super::walks::Chooser;
use crate::error::{Result, invalid};
use crate::random::Stream;
use crate::random::laws::{Draws, Source};

/// Who chooses among experts of unknown quality, from rewards between 0 and 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Learner {
    /// Exponential weights on estimated losses: Exp3 (Auer et al. 2002) with the rate sqrt(ln K / (K t)) at round t.
    Hedge,
    /// The greatest mean + sqrt(c ln t / n): UCB1 (Auer et al. 2002) for c = 2.
    Ucb {
        /// Weight of the bonus.
        c: f64,
    },
    /// The greatest of draws from the beta posteriors of uniform priors (Thompson 1933).
    Thompson,
    /// All in turn, until one is surely worse than another (Even-Dar et al. 2006).
    SuccessiveElimination {
        /// Probability that the best is ever dropped, at most.
        delta: f64,
    },
}

impl Learner {
    /// Refuses parameters out of range, named as `strategies[index]`.
    pub(super) fn check(self, index: usize) -> Result<()> {
        match self {
            Self::Ucb { c } if !(c >= 0.0 && c.is_finite()) => {
                Err(invalid("strategies", &[index], format!("c = {c}"), "have a c of at least 0"))
            }
            Self::SuccessiveElimination { delta } if !(delta > 0.0 && delta < 1.0) => {
                Err(invalid("strategies", &[index], format!("delta = {delta}"), "have a delta between 0 and 1"))
            }
            _ => Ok(()),
        }
    }
}

/// A learner and what it has seen.
pub(super) struct Bandit {
    learner: Learner,
    draws: Draws,
    /// Of each expert: times chosen, sum of rewards, estimated loss, whether it is still in.
    experts: Vec<Expert>,
    round: u64,
    /// Who is next among those that are in, for those who take turns.
    turn: usize,
    /// The probability with which the last choice was made.
    chance: f64,
    /// Whom a run asked last.
    asked: usize,
}

#[derive(Debug, Clone, Copy)]
struct Expert {
    n: f64,
    rewards: f64,
    loss: f64,
    is_in: bool,
}

impl Expert {
    fn mean(&self) -> f64 {
        self.rewards / self.n
    }
}

impl Bandit {
    pub(super) fn new(learner: Learner, n_experts: u32, stream: Stream) -> Self {
        let expert = Expert { n: 0.0, rewards: 0.0, loss: 0.0, is_in: true };
        let experts = vec![expert; n_experts as usize];
        Self { learner, draws: Draws::new(stream), experts, round: 0, turn: 0, chance: 1.0, asked: 0 }
    }

    /// Whom to ask in the next round.
    pub(super) fn pick(&mut self) -> usize {
        self.round += 1;
        let t = self.round as f64;
        match self.learner {
            Learner::Hedge => self.exponential_weights(t),
            Learner::Ucb { c } => {
                let bonus = c * libm::log(t);
                self.greatest(
                    |expert, _| {
                        if expert.n == 0.0 { f64::INFINITY } else { expert.mean() + (bonus / expert.n).sqrt() }
                    },
                )
            }
            Learner::Thompson => self.greatest(|expert, draws| {
                // A beta number from two gamma numbers, by their logarithms.
                let for_it = draws.log_gamma(1.0 + expert.rewards);
                let against = draws.log_gamma(1.0 + (expert.n - expert.rewards).max(0.0));
                for_it - against
            }),
            Learner::SuccessiveElimination { .. } => {
                let n = self.experts.len();
                let ahead = (0..n).map(|i| (self.turn + i) % n).find(|&i| self.experts[i].is_in);
                let chosen = ahead.unwrap_or(0);
                self.turn = chosen + 1;
                chosen
            }
        }
    }

    fn greatest(&mut self, mut index: impl FnMut(&Expert, &mut Draws) -> f64) -> usize {
        let mut best = (0, f64::NEG_INFINITY);
        for (i, expert) in self.experts.iter().enumerate() {
            let value = index(expert, &mut self.draws);
            if value > best.1 {
                best = (i, value);
            }
        }
        best.0
    }

    fn exponential_weights(&mut self, t: f64) -> usize {
        let k = self.experts.len() as f64;
        let rate = (libm::log(k) / (k * t)).sqrt();
        let least = self.experts.iter().map(|expert| expert.loss).fold(f64::INFINITY, f64::min);
        let weight = |expert: &Expert| libm::exp(-rate * (expert.loss - least));
        let total: f64 = self.experts.iter().map(weight).sum();
        let mut left = self.draws.uniform() * total;
        let mut chosen = self.experts.len() - 1;
        for (i, expert) in self.experts.iter().enumerate() {
            left -= weight(expert);
            if left < 0.0 {
                chosen = i;
                break;
            }
        }
        self.chance = weight(&self.experts[chosen]) / total;
        chosen
    }

    /// Hears what the choice of the last round was worth, between 0 and 1.
    pub(super) fn learn(&mut self, chosen: usize, reward: f64) {
        let expert = &mut self.experts[chosen];
        expert.n += 1.0;
        expert.rewards += reward;
        match self.learner {
            Learner::Hedge => expert.loss += (1.0 - reward) / self.chance,
            Learner::SuccessiveElimination { delta } => self.eliminate(delta),
            Learner::Ucb { .. } | Learner::Thompson => {}
        }
    }

    /// Drops those whose interval lies below another's, whenever all that are in have been asked equally often.
    fn eliminate(&mut self, delta: f64) {
        let asked = |expert: &&Expert| expert.is_in;
        let n = self.experts.iter().filter(asked).map(|expert| expert.n).fold(f64::INFINITY, f64::min);
        if n == 0.0 || self.experts.iter().filter(asked).any(|expert| expert.n > n) {
            return;
        }
        // By Hoeffding and a sum over all rounds and experts no interval ever misses, but with probability delta.
        let k = self.experts.len() as f64;
        let radius = (libm::log(4.0 * k * n * n / delta) / (2.0 * n)).sqrt();
        let best = self.experts.iter().filter(asked).map(Expert::mean).fold(0.0, f64::max);
        for expert in &mut self.experts {
            expert.is_in &= expert.mean() + radius >= best - radius;
        }
    }
}

impl Chooser for Bandit {
    fn choose(&mut self) -> u32 {
        self.asked = self.pick();
        self.asked as u32
    }

    fn hear(&mut self, verdict: Verdict) {
        self.learn(self.asked, verdict.score.clamp(0.0, 1.0));
    }
}
