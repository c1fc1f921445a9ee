//! Walks one after another, by the problem's own policy or by that of an expert.

#![allow(clippy::inline_always)] // the choice of the only policy is no call

use super::log::Log;
use super::verifier::{Judge, Verdict};
use crate::error::Result;
use crate::problems::Reasoning;
use crate::random::Stream;
use crate::run::Control;

/// Steps between two looks at the stop flag.
const BETWEEN_CHECKS: u64 = 1 << 14;

/// Walks on from `state` for up to `max_steps` steps; the number of steps taken.
#[inline]
pub(super) fn walk_on<P: Reasoning>(
    problem: &P,
    state: &mut P::State,
    expert: u32,
    max_steps: u32,
    stream: &mut Stream,
    scratch: &mut Vec<f64>,
) -> u32 {
    let mut n = 0;
    while n < max_steps && !problem.is_terminal(state) {
        problem.walk(state, expert, stream, scratch);
        n += 1;
    }
    n
}

/// What a state answers, and whether rightly: nothing, where it is not terminal.
#[inline]
pub(super) fn answered<P: Reasoning>(problem: &P, state: &P::State) -> (Option<u64>, bool) {
    if problem.is_terminal(state) { (problem.answer(state), problem.is_correct(state)) } else { (None, false) }
}

/// Who says by which policy to walk next.
pub(super) trait Chooser {
    /// The expert to ask.
    fn choose(&mut self) -> u32;
    /// What is said of the answer of the expert that was asked last.
    fn hear(&mut self, verdict: Verdict);
}

/// Always the problem's own policy.
pub(super) struct Own;

impl Chooser for Own {
    #[inline(always)]
    fn choose(&mut self) -> u32 {
        0
    }

    #[inline(always)]
    fn hear(&mut self, _verdict: Verdict) {}
}

/// Walks until `budget` steps are spent, or an answer is accepted if `until_accepted`.
#[allow(clippy::too_many_arguments)]
pub(super) fn walks<P: Reasoning>(
    problem: &P,
    root: &P::State,
    mut chooser: impl Chooser,
    budget: u64,
    until_accepted: bool,
    judge: &mut Judge<'_>,
    stream: &mut Stream,
    scratch: &mut Vec<f64>,
    control: &Control,
    log: &mut Log<'_>,
) -> Result<()> {
    let mut checked = 0;
    while log.spent.steps < budget {
        let mut state = root.clone();
        let n = walk_on(problem, &mut state, chooser.choose(), problem.max_steps(), stream, scratch);
        // An answer that takes no steps is not free: nothing would end the run.
        log.spent.steps += u64::from(n.max(1));
        log.spent.calls += 1;
        log.spent.verdicts += 1;
        let (answer, is_correct) = answered(problem, &state);
        let verdict = judge.verdict(answer, is_correct);
        log.push(answer, is_correct, verdict);
        chooser.hear(verdict);
        if until_accepted && verdict.accepted && log.spent.steps <= budget {
            break;
        }
        if log.spent.steps - checked >= BETWEEN_CHECKS {
            control.check()?;
            checked = log.spent.steps;
        }
    }
    Ok(())
}
