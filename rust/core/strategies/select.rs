//! Which answer a strategy takes, at each of its budgets.

use super::log::{Event, Spent};
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

/// Who follows a run for one strategy, and says at each budget what it comes to.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    choice: Choice<'a>,
    /// Whether the first accepted answer ends the strategy.
    ends_early: bool,
    /// Whether this is a single walk, whatever the budget.
    is_one_walk: bool,
    /// Whether verdicts that were made for others are not its own.
    asks_nobody: bool,
    /// The budgets that are not settled yet, in ascending order, and where to write what they come to.
    budgets: &'a [u64],
    out: std::slice::IterMut<'a, Outcome>,
    /// What had been spent by the first and by the last answer, and the one that ended it.
    first: Option<Spent>,
    last: Spent,
    ended: Option<Event>,
}

impl<'a> Reader<'a> {
    /// One that fills `out`, an outcome for each of the ascending `budgets`.
    pub(super) fn new(
        strategy: &Strategy,
        verifier: &'a Verifier,
        streams: Streams,
        budgets: &'a [u64],
        out: &'a mut [Outcome],
    ) -> Self {
        let walks = matches!(strategy.generator, Generator::Walks);
        Self {
            choice: Choice::new(strategy, verifier, streams),
            ends_early: strategy.ends_early(verifier),
            is_one_walk: walks && strategy.selector == Selector::First,
            asks_nobody: walks && !strategy.asks(),
            budgets,
            out: out.iter_mut(),
            first: None,
            last: Spent::default(),
            ended: None,
        }
    }

    /// A walk came to its end.
    #[inline]
    pub(super) fn hear(&mut self, event: &Event) {
        while self.budgets.first().is_some_and(|&budget| budget < event.spent.steps) {
            self.settle(event.spent);
        }
        if self.ended.is_none() {
            self.choice.hear(event);
            self.first.get_or_insert(event.spent);
            self.last = event.spent;
            self.ended = (self.ends_early && event.verdict.accepted).then_some(*event);
        }
    }

    /// The run is over, after `total` was spent.
    pub(super) fn end(mut self, total: Spent) {
        while !self.budgets.is_empty() {
            self.settle(total);
        }
    }

    /// Writes what the next budget comes to, of a run that by now has spent `total`.
    #[inline(never)]
    fn settle(&mut self, total: Spent) {
        let Some((&budget, budgets)) = self.budgets.split_first() else { return };
        self.budgets = budgets;
        let last = self.last;
        let (is_correct, mut spent) = match (self.ended, self.first) {
            (Some(event), _) => (event.is_correct, event.spent),
            (None, Some(first)) if self.is_one_walk => (self.choice.is_correct(budget), first),
            (None, _) if total.steps <= budget => (self.choice.is_correct(budget), total),
            // A walk under way when the budget ran out has spent what was left.
            _ => {
                let calls = last.calls + u64::from(budget > last.steps);
                (self.choice.is_correct(budget), Spent { steps: budget, calls, ..last })
            }
        };
        if self.asks_nobody {
            spent.verdicts = 0;
        }
        if let Some(out) = self.out.next() {
            *out = Outcome { is_correct, spent };
        }
    }
}

/// What a selector keeps of the answers it has heard.
#[derive(Debug)]
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
