//! Which answer a strategy takes, at each of its budgets.

use super::log::{Event, Log, Spent};
use super::verifier::Verifier;
use super::{Generator, Purpose, Selector, Strategy, Streams};
use crate::random::Stream;
use std::collections::HashMap;

/// What a strategy comes to at a budget.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Outcome {
    /// Whether it takes a right answer.
    pub is_correct: bool,
    /// What it spent.
    pub spent: Spent,
}

/// Reads `log` up to each of the ascending `budgets`.
pub(super) fn select(
    strategy: &Strategy,
    verifier: &Verifier,
    log: &Log,
    budgets: &[u64],
    streams: Streams,
    out: &mut [Outcome],
) {
    let ends_early = strategy.ends_early(verifier);
    let accepted = log.events.iter().find(|event| ends_early && event.verdict.accepted);
    let mut choice = Choice::new(strategy, verifier, streams);
    let mut events = log.events.iter().peekable();
    for (&budget, out) in budgets.iter().zip(out) {
        while let Some(event) = events.next_if(|event| event.spent.steps <= budget) {
            choice.hear(event);
        }
        let ended = accepted.filter(|event| event.spent.steps <= budget);
        let (is_correct, mut spent) = match ended {
            Some(event) => (event.is_correct, event.spent),
            None => (choice.is_correct(budget), log.spent_within(budget)),
        };
        if matches!(strategy.generator, Generator::Walks) && !strategy.asks() {
            spent.verdicts = 0;
        }
        if matches!(strategy.selector, Selector::First) && matches!(strategy.generator, Generator::Walks) {
            spent =
                log.events.first().map_or(spent, |first| if first.spent.steps <= budget { first.spent } else { spent });
            spent.verdicts = 0;
        }
        *out = Outcome { is_correct, spent };
    }
}

/// What a selector keeps of the answers it has heard.
struct Choice<'a> {
    selector: Selector,
    verifier: &'a Verifier,
    streams: Streams,
    ties: Stream,
    first: Option<bool>,
    /// The best score, how many have it, whether the one taken is right.
    best: (f64, u64, bool),
    /// Whether any answer was right.
    any: bool,
    /// Of each answer its votes or the sum of its verdicts, and whether it is right.
    votes: HashMap<u64, (f64, bool)>,
}

impl<'a> Choice<'a> {
    fn new(strategy: &Strategy, verifier: &'a Verifier, streams: Streams) -> Self {
        Self {
            selector: strategy.selector,
            verifier,
            streams,
            ties: streams.of(Purpose::Select, strategy.selector as u64),
            first: None,
            best: (f64::NEG_INFINITY, 0, false),
            any: false,
            votes: HashMap::new(),
        }
    }

    #[inline]
    fn hear(&mut self, event: &Event) {
        match self.selector {
            Selector::First => {
                self.first.get_or_insert(event.is_correct);
            }
            Selector::Best => {
                self.any |= event.is_correct;
                let (best, n, _) = &mut self.best;
                if event.answer.is_none() || event.verdict.score < *best {
                    return;
                }
                if event.verdict.score > *best {
                    self.best = (event.verdict.score, 1, event.is_correct);
                } else {
                    // The n-th of n equals is taken with probability 1 / n.
                    *n += 1;
                    if self.ties.below(*n) == 0 {
                        self.best.2 = event.is_correct;
                    }
                }
            }
            Selector::Majority | Selector::Weighted => {
                if let Some(answer) = event.answer {
                    let vote = if self.selector == Selector::Majority { 1.0 } else { event.verdict.score };
                    self.votes.entry(answer).or_insert((0.0, event.is_correct)).0 += vote;
                }
            }
        }
    }

    /// Whether the answer taken after what was heard is right.
    fn is_correct(&self, budget: u64) -> bool {
        match self.selector {
            Selector::First => self.first.unwrap_or(false),
            Selector::Best => match self.verifier.accuracy {
                None => self.best.2,
                Some(accuracy) => self.any && self.tie(budget).uniform() < accuracy,
            },
            Selector::Majority | Selector::Weighted => {
                let most = self.votes.values().fold(f64::NEG_INFINITY, |most, &(votes, _)| most.max(votes));
                let tied = || self.votes.values().filter(|&&(votes, _)| votes == most);
                let (n, right) = (tied().count(), tied().filter(|&&(_, is_correct)| is_correct).count());
                // The answers are in no order, so that it is their number that is drawn from.
                right == n && n > 0 || right > 0 && self.tie(budget).below(n as u64) < right as u64
            }
        }
    }

    fn tie(&self, budget: u64) -> Stream {
        self.streams.of(Purpose::Select, (budget << 3 | self.selector as u64) + 8)
    }
}
