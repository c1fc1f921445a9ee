//! Rare hitting probabilities: how likely a walk is to reach some states, before others and within some steps, down to
//! 1e-300.
//!
//! What is certain or impossible is found first, by reachability alone ([`Problem`]); what remains is estimated without
//! bias by one of three methods. [`Method::Plain`] counts the walks that arrive. [`Method::Splitting`] copies the walks
//! that have come nearest (`splitting.rs`). [`Method::Importance`] changes the chain so that all walks are drawn to the
//! targets, and weighs them (`importance.rs`). The latter two need to know what "near" is: the caller's function of the
//! state, or a lower bound of the probability itself (`value.rs`).

mod importance;
mod reach;
mod splitting;
mod value;
mod walks;

use super::matrix::MarkovChain;
use super::starts::Starts;
use crate::error::{Result, invalid};
use crate::random::Seed;
use crate::run::Control;
use importance::Changed;
use reach::Status;
pub use reach::{Problem, Start};

/// How the probability is estimated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Reachability settled it: nothing was drawn.
    Exact,
    /// Independent walks.
    Plain,
    /// Adaptive multilevel splitting, in independent replicates of [`PARTICLES`] walks.
    Splitting,
    /// Independent walks on a changed chain, with weights.
    Importance,
}

/// Walks that a replicate of splitting keeps.
pub const PARTICLES: usize = splitting::PARTICLES;

/// Walks of the trial by which a method is chosen.
const PILOT: usize = 1024;

/// Hits among them from which plain walks are taken: a probability of about a hundredth.
const PILOT_HITS: u64 = 10;

/// Weighted walks of the trial that decides between importance sampling and splitting, and how many plain hits they
/// must be worth.
const PILOT_WEIGHTED: usize = 256;
const PILOT_WORTH: f64 = 64.0;

/// Steps after which a walk of a trial is given up.
const PILOT_STEPS: u64 = 1 << 16;

/// What a run of [`estimate`] has found.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The method that was used.
    pub method: Method,
    /// Walks that arrived ([`Method::Plain`]).
    pub hits: u64,
    /// Walks that were begun at the start.
    pub n_walks: u64,
    /// Steps of all walks, those of trials included.
    pub n_steps: u64,
    /// The unbiased estimate of each walk ([`Method::Importance`]) or replicate ([`Method::Splitting`]), or the one
    /// number that is known ([`Method::Exact`]).
    pub estimates: Vec<f64>,
}

/// What to estimate with, and how much of it.
#[derive(Debug, Clone, Copy)]
pub struct Plan<'a> {
    /// The method ([`Method::Exact`] is taken as [`Method::Plain`]); `None` lets trials decide.
    pub method: Option<Method>,
    /// Walks; splitting rounds up to whole replicates, at least two. `None` is 100,000 plain walks, 10,000 weighted
    /// ones, or 64 replicates.
    pub n_walks: Option<u64>,
    /// A number for each state that is larger where the targets are nearer: about the logarithm of their probability.
    pub levels: Option<&'a [f64]>,
}

/// Estimates the probability of `problem`. Item number `i` (a walk, or a replicate of splitting) draws from stream
/// `first + i` of `seed`; trials draw from a seed of their own, the same for every `first`.
///
/// # Errors
/// Levels that are not one finite number for each state on the way; [`Error::Memory`](crate::Error::Memory);
/// [`Error::Interrupted`](crate::Error::Interrupted).
pub fn estimate(problem: &Problem<'_>, plan: Plan<'_>, seed: &Seed, first: u64, control: &Control) -> Result<Outcome> {
    if let Some(known) = problem.known() {
        let estimates = vec![known];
        return Ok(Outcome { method: Method::Exact, hits: 0, n_walks: 0, n_steps: 0, estimates });
    }
    let mut n_steps = 0;
    let ready = match plan.method {
        Some(Method::Exact | Method::Plain) => Ready::Plain,
        Some(Method::Splitting) => Ready::Splitting(value::make(problem, plan.levels, control)?),
        Some(Method::Importance) => {
            Ready::Importance(Box::new(Changed::new(problem, value::make(problem, plan.levels, control)?, control)?))
        }
        None => choose(problem, plan.levels, &seed.child(u64::MAX), &mut n_steps, control)?,
    };
    match ready {
        Ready::Plain => {
            let n_walks = plan.n_walks.unwrap_or(100_000);
            let (hits, steps) = walks::plain(problem, n_walks, problem.max_steps, seed, first, control)?;
            n_steps += steps;
            Ok(Outcome { method: Method::Plain, hits, n_walks, n_steps, estimates: Vec::new() })
        }
        Ready::Splitting(value) => {
            let replicates = plan.n_walks.map_or(64, |n| n.div_ceil(PARTICLES as u64).max(2));
            let mut estimates = numbers(replicates)?;
            n_steps += splitting::replicates(problem, &value, plan.levels, seed, first, &mut estimates, control)?;
            let n_walks = replicates * PARTICLES as u64;
            Ok(Outcome { method: Method::Splitting, hits: 0, n_walks, n_steps, estimates })
        }
        Ready::Importance(changed) => {
            let n_walks = plan.n_walks.unwrap_or(10_000);
            let mut estimates = numbers(n_walks)?;
            n_steps += changed.walk(problem.max_steps, seed, first, &mut estimates, control)?;
            Ok(Outcome { method: Method::Importance, hits: 0, n_walks, n_steps, estimates })
        }
    }
}

/// A method with what it needs.
enum Ready<'a> {
    Plain,
    /// A value for each state.
    Splitting(Vec<f64>),
    Importance(Box<Changed<'a>>),
}

/// The method that trials speak for. Adds their steps to `n_steps`.
fn choose<'a>(
    problem: &'a Problem<'_>,
    levels: Option<&[f64]>,
    seed: &Seed,
    n_steps: &mut u64,
    control: &Control,
) -> Result<Ready<'a>> {
    let within = problem.max_steps.min(PILOT_STEPS);
    let (hits, steps) = walks::plain(problem, PILOT as u64, within, seed, 0, control)?;
    *n_steps += steps;
    if hits >= PILOT_HITS {
        return Ok(Ready::Plain);
    }
    let changed = Changed::new(problem, value::make(problem, levels, control)?, control)?;
    let mut estimates = vec![0.0; PILOT_WEIGHTED];
    *n_steps += changed.walk(within, seed, PILOT as u64, &mut estimates, control)?;
    let most = estimates.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    let shares = estimates.iter().map(|estimate| estimate / most);
    let (sum, squares) = shares.fold((0.0, 0.0), |(sum, squares), share| (sum + share, squares + share * share));
    let good = sum * sum >= PILOT_WORTH * squares && squares > 0.0;
    Ok(if good { Ready::Importance(Box::new(changed)) } else { Ready::Splitting(changed.into_value()) })
}

/// So many zeros, or the lack of memory for them.
fn numbers(n: u64) -> Result<Vec<f64>> {
    filled(usize::try_from(n).unwrap_or(usize::MAX), 0.0)
}

/// A vector of `n` times `value`.
fn filled<T: Copy>(n: usize, value: T) -> Result<Vec<T>> {
    let mut out = crate::machine::huge_vec(n)?;
    out.resize(n, value);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chains::matrix::Meaning;
    use proptest::prelude::*;

    /// A walk on 0..=top that moves up with probability `up` and ends at both ends.
    fn ruin(top: u32, up: f64) -> MarkovChain {
        let rows = |state: u32| match state {
            0 => vec![(0, 1.0)],
            state if state == top => vec![(top, 1.0)],
            state => vec![(state - 1, 1.0 - up), (state + 1, up)],
        };
        let entries: Vec<Vec<(u32, f64)>> = (0..=top).map(rows).collect();
        let mut indptr = vec![0];
        for row in &entries {
            indptr.push(indptr[indptr.len() - 1] + row.len() as i64);
        }
        let (indices, values): (Vec<u32>, Vec<f64>) = entries.concat().into_iter().unzip();
        MarkovChain::from_csr(&indptr, &indices, Some(&values), Meaning::Probabilities, &Control::default()).unwrap()
    }

    fn wins(top: u32, up: f64, start: u32) -> f64 {
        let ratio = (1.0 - up) / up;
        (ratio.powi(start as i32) - 1.0) / (ratio.powi(top as i32) - 1.0)
    }

    #[test]
    fn statuses_follow_from_reachability() {
        // 0 <-> 1 -> 2 -> 3 (absorbing), 4 -> 3 or 5 (absorbing).
        let indptr = [0, 1, 3, 4, 5, 7, 8];
        let indices = [1u32, 0, 2, 3, 3, 3, 5, 5];
        let meaning = Meaning::Weights(super::super::matrix::Dangling::Error);
        let chain = MarkovChain::from_csr(&indptr, &indices, None, meaning, &Control::default()).unwrap();
        let known = |targets: &[u32], avoid: &[u32], start, max_steps| {
            Problem::new(&chain, targets, avoid, Start::State(start), max_steps, &Control::default()).unwrap().known()
        };
        assert_eq!(known(&[3], &[], 0, None), Some(1.0));
        assert_eq!(known(&[3], &[2], 0, None), Some(0.0));
        assert_eq!(known(&[3], &[], 0, Some(2)), Some(0.0));
        assert_eq!(known(&[3], &[], 0, Some(3)), None);
        assert_eq!(known(&[3], &[], 4, None), None);
        assert_eq!(known(&[3, 5], &[], 4, None), Some(1.0));
        assert_eq!(known(&[0], &[], 1, None), None);
        assert_eq!(known(&[0], &[], 5, None), Some(0.0));
        let law = [0.25, 0.0, 0.0, 0.25, 0.0, 0.5];
        let problem = Problem::new(&chain, &[3], &[], Start::Law(&law), None, &Control::default()).unwrap();
        assert_eq!(problem.known(), Some(0.5));
        assert!(Problem::new(&chain, &[], &[], Start::State(0), None, &Control::default()).is_err());
        assert!(Problem::new(&chain, &[3], &[3], Start::State(0), None, &Control::default()).is_err());
    }

    #[test]
    fn the_value_rises_to_the_probability() {
        let chain = ruin(40, 0.25);
        let problem = Problem::new(&chain, &[40], &[], Start::State(1), None, &Control::default()).unwrap();
        let value = value::make(&problem, None, &Control::default()).unwrap();
        for state in 1..40 {
            let exact = wins(40, 0.25, state);
            assert!((value[state as usize] / exact - 1.0).abs() < 1e-4, "{state}: {} {exact}", value[state as usize]);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]

        #[test]
        fn estimates_are_near_the_closed_form(top in 4u32..24, up in 0.2f64..0.45, number in 0u64..1000) {
            let chain = ruin(top, up);
            let problem = Problem::new(&chain, &[top], &[], Start::State(1), None, &Control::default()).unwrap();
            let exact = wins(top, up, 1);
            for method in [Method::Splitting, Method::Importance] {
                let plan = Plan { method: Some(method), n_walks: Some(16 * 256), levels: None };
                let found = estimate(&problem, plan, &Seed::from_u64(number), 0, &Control::new(2)).unwrap();
                let n = found.estimates.len() as f64;
                let mean = found.estimates.iter().sum::<f64>() / n;
                let variance = found.estimates.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n * (n - 1.0));
                prop_assert!((mean - exact).abs() < 8.0 * variance.sqrt() + 1e-9 * exact, "{method:?} {mean} {exact}");
            }
        }
    }
}
