//! Wrappers of `slowthink::strategies`: a strategy is the names of its parts and their numbers.

use crate::problems::{Problem, with_reasoning};
use crate::run::{Options, run};
use crate::trees::config::{PolicyArgument, policy};
use numpy::{PyArray1, PyArray2, PyArray3, PyArray4, PyArrayMethods, PyReadwriteArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use slowthink::problems::Reasoning as _;
use slowthink::random::Seed;
use slowthink::strategies::{
    Generator, Learner, Outcome, Selector, Strategy, Values, Verifier, compare, exact, regret,
};

/// `(generator, selector, whether it stops at an accepted answer, the generator's numbers, policy of the tree)`.
type StrategyArgument = (String, String, bool, Vec<f64>, Option<PolicyArgument>);

/// False positives, false negatives, noise, bias, systematic, accuracy (NaN for none), process noise, process bias.
type VerifierArgument = (f64, f64, f64, f64, bool, f64, f64, f64);

fn learner(numbers: &[f64]) -> PyResult<Learner> {
    Ok(match *numbers {
        [0.0] => Learner::Hedge,
        [1.0, c] => Learner::Ucb { c },
        [2.0] => Learner::Thompson,
        [3.0, delta] => Learner::SuccessiveElimination { delta },
        _ => return Err(PyValueError::new_err(format!("learner {numbers:?} is unknown"))),
    })
}

fn strategy((generator, selector, stop, numbers, tree): &StrategyArgument) -> PyResult<Strategy> {
    let unknown = |what: &str| PyValueError::new_err(format!("{what} is unknown, with numbers {numbers:?}"));
    let generator = match (generator.as_str(), &numbers[..], tree) {
        ("walks", [], None) => Generator::Walks,
        ("beam", &[expand], None) => Generator::Beam { expand: expand as u32 },
        ("dvts", &[expand], None) => Generator::Dvts { expand: expand as u32 },
        ("stepwise", &[width], None) => Generator::Stepwise { width: width as u32 },
        ("tree", &[process, branching], Some(tree)) => {
            let values = if process == 0.0 { Values::Rollout } else { Values::Process };
            Generator::Tree { policy: policy(tree)?, values, branching: branching as u32 }
        }
        ("experts", numbers, None) => Generator::Experts { learner: learner(numbers)? },
        _ => return Err(unknown(&format!("generator {generator}"))),
    };
    let selector = match selector.as_str() {
        "first" => Selector::First,
        "best" => Selector::Best,
        "majority" => Selector::Majority,
        "weighted" => Selector::Weighted,
        _ => return Err(unknown(&format!("selector {selector}"))),
    };
    Ok(Strategy { generator, selector, stop: *stop })
}

const fn verifier(
    (false_positive, false_negative, noise, bias, systematic, accuracy, process_noise, process_bias): VerifierArgument,
) -> Verifier {
    let accuracy = if accuracy.is_nan() { None } else { Some(accuracy) };
    Verifier { false_positive, false_negative, noise, bias, systematic, accuracy, process_noise, process_bias }
}

/// Work of a comparison, roughly: that of its largest budgets.
fn work(strategies: &[Strategy], budgets: &[u64], n_items: usize) -> f64 {
    10.0 * strategies.len() as f64 * budgets.last().copied().unwrap_or(0) as f64 * n_items as f64
}

/// Whether each strategy is right at each budget in each trial, (S, B, T), and what it spent, (S, B, T, 4).
#[pyfunction]
#[allow(clippy::too_many_arguments, clippy::type_complexity)]
pub fn run_strategies<'py>(
    py: Python<'py>,
    problem: &Problem,
    strategies: Vec<StrategyArgument>,
    budgets: Vec<u64>,
    n_trials: usize,
    first: u64,
    seed: [u64; 4],
    judge: VerifierArgument,
    options: Options,
) -> PyResult<(Bound<'py, PyArray3<u8>>, Bound<'py, PyArray4<u64>>)> {
    let strategies = strategies.iter().map(strategy).collect::<PyResult<Vec<_>>>()?;
    let (judge, seed, work) = (verifier(judge), Seed::from_words(seed), work(&strategies, &budgets, n_trials));
    let found = with_reasoning!(&problem.0, |problem| {
        run(py, &options, work, |control| {
            let outcomes = compare(problem, &strategies, &budgets, n_trials, first, &judge, seed, control)?;
            Ok(columns(&outcomes, n_trials))
        })
    })?;
    let (correct, spent) = found;
    let shape = [strategies.len(), budgets.len(), n_trials];
    let correct = PyArray1::from_vec(py, correct).reshape(shape)?;
    let spent = PyArray1::from_vec(py, spent).reshape([shape[0], shape[1], shape[2], 4])?;
    Ok((correct, spent))
}

/// Outcomes by trial as columns in which the trial comes last, and the costs after it.
fn columns(outcomes: &[Outcome], n_trials: usize) -> (Vec<u8>, Vec<u64>) {
    let width = outcomes.len().checked_div(n_trials).unwrap_or(0);
    let by_place = || (0..width).flat_map(|place| outcomes.iter().skip(place).step_by(width));
    let correct = by_place().map(|outcome| outcome.is_correct.into()).collect();
    let spent = by_place().flat_map(|outcome| {
        let spent = outcome.spent;
        [spent.steps, spent.calls, spent.answers, spent.verdicts]
    });
    (correct, spent.collect())
}

/// What each strategy comes to at each budget where it is known exactly, (S, B); NaN elsewhere.
#[pyfunction]
pub fn exact_curves<'py>(
    py: Python<'py>,
    problem: &Problem,
    strategies: Vec<StrategyArgument>,
    budgets: Vec<u64>,
    judge: VerifierArgument,
    options: Options,
) -> PyResult<Bound<'py, PyArray2<f64>>> {
    let strategies = strategies.iter().map(strategy).collect::<PyResult<Vec<_>>>()?;
    let judge = verifier(judge);
    let curves = with_reasoning!(&problem.0, |problem| {
        run(py, &options, 1e9, |control| exact::curves(problem, &strategies, &budgets, &judge, control))
    })?;
    PyArray1::from_vec(py, curves).reshape([strategies.len(), budgets.len()])
}

/// `(instances, steps of a walk at most, experts, tokens of a step, whether all walks are equally long)`.
#[pyfunction]
pub fn reasoning_traits(problem: &Problem) -> PyResult<(u64, u32, u32, f64, bool)> {
    with_reasoning!(&problem.0, |problem| {
        let tokens = problem.tokens_per_step();
        Ok((problem.n_instances(), problem.max_steps(), problem.n_experts(), tokens, problem.has_fixed_length()))
    })
}

/// Whom a learner asks in each round, (R, T) row-major in `chosen`.
#[pyfunction]
#[allow(clippy::too_many_arguments)]
pub fn learner_choices(
    py: Python<'_>,
    means: Vec<f64>,
    numbers: Vec<f64>,
    n_rounds: usize,
    first: u64,
    seed: [u64; 4],
    mut chosen: PyReadwriteArray1<'_, u32>,
    options: Options,
) -> PyResult<()> {
    let learner = learner(&numbers)?;
    let (seed, chosen) = (Seed::from_words(seed), chosen.as_slice_mut()?);
    let work = 10.0 * means.len() as f64 * chosen.len() as f64;
    run(py, &options, work, |control| regret::choices(&means, learner, n_rounds, first, seed, control, chosen))
}
