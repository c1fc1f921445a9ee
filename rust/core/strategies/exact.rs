//! What the strategies come to, where it is known exactly: walks of fixed length, selected by a verifier whose errors
//! are independent, or by vote; walks of different lengths, by the law of these (`lengths`), as a recursion over the steps
//! that are left (`renewal`); and choices after each step, where steps are right independently (`layers`).

mod layers;
mod lengths;
mod renewal;
#[cfg(test)]
mod tests;

use super::{Generator, Selector, Strategy, Verifier};
use crate::error::Result;
use crate::problems::reasoning::Answer;
use crate::problems::{Reasoning, Table};
use crate::run::{Control, map_items};
use crate::samples::majority::Ties;
use crate::samples::planning::plurality_probability;
use lengths::Lengths;
use renewal::Renewal;
use std::cell::OnceCell;

/// Instances times answers times the largest number of votes, up to which plurality is worked out.
const MOST_VOTING: f64 = 3e6;

/// Transitions up to which the lengths of walks are worked out, over all instances: about half a second.
const MOST_TRANSITIONS: u64 = 1 << 22;

/// Multiplications up to which a strategy is followed on walks of different lengths, over all instances: some seconds.
const MOST_WORK: f64 = 4e9;

/// The probability of a right answer for each strategy and budget, the mean over all instances; NaN where no closed form
/// is known, or it would take too long.
///
/// Time: an instance is solved once, by recursion over its states; a vote takes a plurality at each budget. Where walks
/// differ in length it is the largest budget in steps times the longest walk, and for what is divided among several
/// answers up to some hundred times as much.
///
/// # Errors
/// As [`compare`](super::compare::compare).
pub fn curves<P: Reasoning>(
    problem: &P,
    strategies: &[Strategy],
    budgets: &[u64],
    verifier: &Verifier,
    control: &Control,
) -> Result<Vec<f64>> {
    super::compare::check(strategies, budgets, verifier)?;
    let width = strategies.len() * budgets.len();
    if !problem.has_fixed_length() {
        return of_different_lengths(problem, strategies, budgets, verifier, control);
    }
    let numbers: Vec<u64> = budgets.iter().map(|budget| budget / u64::from(problem.max_steps())).collect();
    let n_instances = problem.n_instances() as usize;
    let of_instances = map_items(
        n_instances,
        1,
        control,
        || (),
        |(), instance| {
            let root = problem.root(instance as u64);
            let law = match problem.answer_law(&root) {
                Some(law) => Some(law),
                None if problem.is_small() => {
                    Table::of(problem, instance as u64, 1, 1 << 20).and_then(|table| table.answer_law(&0))
                }
                None => None,
            };
            let mut row = vec![f64::NAN; width];
            if let Some(success) = problem.step_success() {
                for (strategy, out) in strategies.iter().zip(row.chunks_mut(budgets.len().max(1))) {
                    for (&n, out) in numbers.iter().zip(out) {
                        control.check()?;
                        *out = layers::success(&success, strategy, verifier, n);
                    }
                }
            }
            if let Some(law) = law {
                for (strategy, out) in strategies.iter().zip(row.chunks_mut(budgets.len().max(1))) {
                    instance_curve(&law, strategy, verifier, &numbers, n_instances, control, out)?;
                }
            }
            Ok(row)
        },
    )?;
    Ok(means(&of_instances, width))
}

/// As [`curves`], for walks that need not be equally long.
fn of_different_lengths<P: Reasoning>(
    problem: &P,
    strategies: &[Strategy],
    budgets: &[u64],
    verifier: &Verifier,
    control: &Control,
) -> Result<Vec<f64>> {
    let width = strategies.len() * budgets.len();
    if strategies.iter().all(|strategy| strategy.generator != Generator::Walks) {
        return Ok(vec![f64::NAN; width]);
    }
    let n_instances = problem.n_instances();
    let rows = map_items(
        n_instances as usize,
        1,
        control,
        || (),
        |(), instance| {
            let most = MOST_TRANSITIONS / n_instances;
            let Some(lengths) = Lengths::of(problem, instance as u64, most, control)? else { return Ok(vec![]) };
            let most = MOST_WORK / n_instances as f64;
            let renewal = Renewal { lengths: &lengths, budgets, most, control, any_right: OnceCell::new() };
            let mut row = vec![f64::NAN; width];
            for (strategy, out) in strategies.iter().zip(row.chunks_mut(budgets.len().max(1))) {
                if strategy.generator == Generator::Walks {
                    // By rounding alone a sum of probabilities is above 1.
                    let known = renewal.curve(strategy, verifier)?.into_iter().map(|value| value.min(1.0));
                    out.iter_mut().zip(known).for_each(|(out, value)| *out = value);
                }
            }
            Ok(row)
        },
    )?;
    Ok(if rows.iter().any(Vec::is_empty) { vec![f64::NAN; width] } else { means(&rows, width) })
}

fn means(rows: &[Vec<f64>], width: usize) -> Vec<f64> {
    let mut means = vec![0.0; width];
    for row in rows {
        for (mean, value) in means.iter_mut().zip(row) {
            *mean += value / rows.len() as f64;
        }
    }
    means
}

/// Fills `out` with what `strategy` comes to with each of `numbers` answers of law `law`.
fn instance_curve(
    law: &[Answer],
    strategy: &Strategy,
    verifier: &Verifier,
    numbers: &[u64],
    n_instances: usize,
    control: &Control,
    out: &mut [f64],
) -> Result<()> {
    if strategy.generator != Generator::Walks {
        return Ok(());
    }
    let right: f64 = law.iter().filter(|answer| answer.is_correct).map(|answer| answer.probability).sum();
    let silent: f64 = law.iter().filter(|answer| answer.answer.is_none()).map(|answer| answer.probability).sum();
    let wrong = (1.0 - right - silent).max(0.0);
    match strategy.selector {
        Selector::First => {
            for (out, &n) in out.iter_mut().zip(numbers) {
                *out = if n == 0 { 0.0 } else { right };
            }
        }
        Selector::Best if verifier.noise == 0.0 && verifier.bias == 0.0 && !verifier.systematic => {
            for (out, &n) in out.iter_mut().zip(numbers) {
                *out = best_of_n(right, wrong, verifier, n as f64);
            }
        }
        Selector::Weighted if verifier.is_perfect() => {
            for (out, &n) in out.iter_mut().zip(numbers) {
                *out = at_least_one(right, n as f64);
            }
        }
        Selector::Majority => {
            let votes: Vec<&Answer> = law.iter().filter(|answer| answer.answer.is_some()).collect();
            let rights: Vec<usize> = (0..votes.len()).filter(|&i| votes[i].is_correct).collect();
            let most = numbers.iter().copied().max().unwrap_or(0) as f64;
            if most * votes.len() as f64 * rights.len() as f64 * n_instances as f64 > MOST_VOTING {
                return Ok(());
            }
            let p: Vec<f64> = votes.iter().map(|answer| answer.probability).collect();
            let n: Vec<i64> = numbers.iter().filter(|&&n| n > 0).map(|&n| n as i64).collect();
            out.fill(0.0);
            let voted = numbers.len() - n.len();
            let mut won = vec![0.0; n.len()];
            for target in rights {
                plurality_probability(&p, &n, target, Ties::Uniform, &mut won, control)?;
                out[voted..].iter_mut().zip(&won).for_each(|(out, won)| *out += won);
            }
        }
        Selector::Best | Selector::Weighted => {}
    }
    Ok(())
}

/// 1 - (1 - p)^n.
fn at_least_one(p: f64, n: f64) -> f64 {
    if n == 0.0 { 0.0 } else { -libm::expm1(n * libm::log1p(-p)) }
}

/// The probability that the verifier's choice among n independent walks is right, which are so with probability `right`
/// and give a wrong answer with probability `wrong`.
///
/// All accepted answers are equals, and so are all others, among which it falls if none is accepted.
fn best_of_n(right: f64, wrong: f64, verifier: &Verifier, n: f64) -> f64 {
    if let Some(accuracy) = verifier.accuracy {
        return accuracy * at_least_one(right, n);
    }
    let accepted = (right * (1.0 - verifier.false_negative), wrong * verifier.false_positive);
    let refused = (right * verifier.false_negative, wrong * (1.0 - verifier.false_positive));
    let share = |(right, wrong): (f64, f64)| if right > 0.0 { right / (right + wrong) } else { 0.0 };
    let any_accepted = at_least_one(accepted.0 + accepted.1, n);
    let none = (1.0 - right - wrong).max(0.0);
    // None accepted, less no answer at all.
    let only_refused = (1.0 - any_accepted) - none.powf(n);
    share(accepted) * any_accepted + share(refused) * only_refused.max(0.0)
}
