//! What a generator did: its answers in the order in which they were completed, and what had been spent by then.

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

/// The run of one generator.
#[derive(Debug, Default)]
pub(super) struct Log {
    pub(super) events: Vec<Event>,
    pub(super) spent: Spent,
}

impl Log {
    pub(super) fn clear(&mut self) {
        self.events.clear();
        self.spent = Spent::default();
    }

    /// Writes down an answer, after what it cost was added to `spent`.
    pub(super) fn push(&mut self, answer: Option<u64>, is_correct: bool, verdict: Verdict) {
        self.spent.answers += u64::from(answer.is_some());
        self.events.push(Event { spent: self.spent, answer, is_correct, verdict });
    }

    /// What had been spent within `budget` steps: a walk under way when it ran out has spent what was left.
    pub(super) fn spent_within(&self, budget: u64) -> Spent {
        if self.spent.steps <= budget {
            return self.spent;
        }
        let done = self.events.partition_point(|event| event.spent.steps <= budget);
        let last = done.checked_sub(1).map_or(Spent::default(), |last| self.events[last].spent);
        Spent { steps: budget, calls: last.calls + u64::from(budget > last.steps), ..last }
    }
}
