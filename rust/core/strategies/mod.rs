//! The ways to spend compute on reasoning, side by side at equal cost.
//!
//! A strategy generates answers and selects one of them. Generators tell of each completed answer and of what had been
//! spent by then (`log`): plain walks (`walks`), beam search, diverse verifier trees and stepwise selection (`layers`), tree
//! search through a forest (`search`), experts that a learner chooses among ([`experts`]). Selectors (`select`) hear
//! them, and take one at each budget. A [`Verifier`] judges answers and steps, with errors.
//! [`compare`](compare::compare) runs them all on the instances of a [`Reasoning`](crate::problems::Reasoning) problem;
//! [`exact`] says what comes out where that is known; [`regret`] plays the learners by themselves.

pub mod compare;
pub mod exact;
pub mod experts;
mod layers;
mod log;
pub mod regret;
mod search;
mod select;
#[cfg(test)]
mod tests;
mod verifier;
mod walks;

pub use compare::{Outcome, compare};
pub use experts::Learner;
pub use log::Spent;
pub use verifier::Verifier;

use crate::error::{Result, invalid};
use crate::random::{Seed, Stream};
use crate::trees::Policy;

/// Where answers come from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Generator {
    /// Independent walks of the problem's own policy.
    Walks,
    /// Beam search: of all candidates of a layer one in `expand` is kept, and has `expand` successors. Its width is the
    /// number of walks that the budget would pay for.
    Beam {
        /// Successors of a kept candidate.
        expand: u32,
    },
    /// Diverse verifier tree search (Beeching et al. 2024): subtrees by themselves, each of which keeps the best of
    /// `expand` candidates a layer.
    Dvts {
        /// Successors of a kept candidate.
        expand: u32,
    },
    /// Of `width` candidates for each step the verifier selects one (Gan et al. 2025, theorem 4.6), one chain after
    /// another. With a width of 0, one chain as wide as the budget pays for.
    Stepwise {
        /// Candidates of a step.
        width: u32,
    },
    /// Tree search.
    Tree {
        /// Which node is visited next.
        policy: Policy,
        /// What a node is worth.
        values: Values,
        /// Children of a node, drawn from the policy as a language model would; with 0 all actions are its children, and
        /// the search knows their probabilities.
        branching: u32,
    },
    /// Walks of experts among whom a learner chooses: self-correction as online learning (Huang et al. 2025).
    Experts {
        /// Who chooses.
        learner: Learner,
    },
}

/// What a node of a tree search is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Values {
    /// The verdict on the answer of one walk on from there, which costs its steps and may be the answer sought.
    Rollout,
    /// The process reward.
    Process,
}

/// Which answer is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selector {
    /// The first.
    First,
    /// The one with the best verdict; ties are drawn.
    Best,
    /// The most frequent; ties are drawn.
    Majority,
    /// The one whose verdicts add up to most; ties are drawn.
    Weighted,
}

/// A way to spend compute.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Strategy {
    /// Where answers come from.
    pub generator: Generator,
    /// Which is taken.
    pub selector: Selector,
    /// Whether it ends with the first answer that is accepted, where the verdict has no noise and the best is sought.
    pub stop: bool,
}

impl Strategy {
    /// Refuses parameters out of range, named as `strategies[index]`.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid).
    pub fn check(&self, index: usize) -> Result<()> {
        let bad = |value: String, rule: &str| Err(invalid("strategies", &[index], value, rule));
        match self.generator {
            Generator::Beam { expand: 0 } | Generator::Dvts { expand: 0 } => {
                bad("expand = 0".into(), "expand at least 1")
            }
            Generator::Tree { policy: Policy::Thompson(_), .. } => {
                bad("a Thompson tree".into(), "have a policy for children that are numbered, such as Uct or Puct")
            }
            Generator::Tree { policy: Policy::Gumbel(_) | Policy::Frontier(_), .. } => {
                bad("a tree whose shape its budget decides".into(), "have a policy that goes on, such as Uct or Puct")
            }
            Generator::Experts { learner } => learner.check(index),
            _ => Ok(()),
        }
    }

    /// Whether it ends at an answer that `verifier` accepts.
    const fn ends_early(&self, verifier: &Verifier) -> bool {
        self.stop && matches!(self.selector, Selector::Best) && verifier.is_decided()
    }

    /// Whether it asks the verifier for verdicts on answers.
    const fn asks(&self) -> bool {
        matches!(self.selector, Selector::Best | Selector::Weighted)
    }
}

/// The random streams of one trial, each for a purpose and a number, so that no draw depends on what else is compared.
#[derive(Debug, Clone, Copy)]
struct Streams(Seed);

/// What a stream is drawn for.
#[derive(Debug, Clone, Copy)]
enum Purpose {
    Walks,
    Verdicts,
    Select,
    Beam,
    Dvts,
    Stepwise,
    Tree,
    Experts,
    /// Verdicts that are the same for equal answers.
    Systematic,
}

impl Streams {
    /// `number` is below 2^58.
    fn of(&self, purpose: Purpose, number: u64) -> Stream {
        self.0.stream((purpose as u64) << 58 | number)
    }

    /// As [`of`](Self::of): a seed instead of a stream.
    fn seed(&self, purpose: Purpose, number: u64) -> Seed {
        self.0.child((purpose as u64) << 58 | number)
    }
}
