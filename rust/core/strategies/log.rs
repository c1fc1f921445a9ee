//! What a generator does: its answers in the order in which they are completed, and what had been spent by then.
//!
//! Nothing of it is kept: a budget may pay for any number of answers.

use super::select::Reader;
use super::verifier::Verdict;

/// What was spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Spent {
    /// Steps drawn from the policy.
    pub steps: u64,
    /// Times the policy was called: once for a walk, or once for a step where each step is followed by a decision.
    pub calls: u64,
    /// Answers completed.
    pub answers: u64,
    /// Verdicts and process rewards asked for.
    pub verdicts: u64,
}

/// A walk that came to its end, or was cut off.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Event {
    /// All that had been spent when it was completed.
    pub(super) spent: Spent,
    /// `None` where the walk had no answer.
    pub(super) answer: Option<u64>,
    pub(super) is_correct: bool,
    pub(super) verdict: Verdict,
}

/// The run of one generator: what was spent, and who reads of each answer as it is completed.
#[derive(Debug)]
pub(super) struct Log<'a> {
    pub(super) spent: Spent,
    /// Walks that came to their end or were cut off.
    pub(super) n_events: u64,
    /// Whether any answer was accepted.
    pub(super) accepted: bool,
    readers: Vec<Reader<'a>>,
}

impl<'a> Log<'a> {
    pub(super) fn new(readers: Vec<Reader<'a>>) -> Self {
        Self { spent: Spent::default(), n_events: 0, accepted: false, readers }
    }

    /// Writes down an answer, after what it cost was added to `spent`.
    #[inline]
    pub(super) fn push(&mut self, answer: Option<u64>, is_correct: bool, verdict: Verdict) {
        self.spent.answers += u64::from(answer.is_some());
        self.n_events += 1;
        self.accepted |= verdict.accepted;
        let event = Event { spent: self.spent, answer, is_correct, verdict };
        for reader in &mut self.readers {
            reader.hear(&event);
        }
    }

    /// Nothing more is to come.
    pub(super) fn end(self) {
        for reader in self.readers {
            reader.end(self.spent);
        }
    }
}
