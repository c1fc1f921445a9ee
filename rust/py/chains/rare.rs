//! Wrappers of `slowthink::chains::rare`.

use crate::chains::matrix::Chain;
use crate::chains::starts::StartsArgument;
use crate::run::{Options, run};
use numpy::{PyArray1, PyReadonlyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use slowthink::chains::rare::{self, Method, Plan, Problem, Start};
use slowthink::random::Seed;

/// Number of walks, hits, steps and the estimates, after the name of the method.
type Found<'py> = (&'static str, u64, u64, u64, Bound<'py, PyArray1<f64>>);

/// Estimates the probability that a walk reaches `targets` before `avoid`.
#[pyfunction]
#[allow(clippy::too_many_arguments)]
pub fn hitting_probability<'py>(
    py: Python<'py>,
    chain: &Bound<'py, Chain>,
    targets: PyReadonlyArray1<'_, u32>,
    avoid: PyReadonlyArray1<'_, u32>,
    start: StartsArgument<'_>,
    max_steps: Option<u64>,
    method: &str,
    n_walks: Option<u64>,
    levels: Option<PyReadonlyArray1<'_, f64>>,
    seed: [u64; 4],
    first: u64,
    options: Options,
) -> PyResult<Found<'py>> {
    let (chain, seed) = (&chain.get().0, Seed::from_words(seed));
    let (targets, avoid) = (targets.as_slice()?, avoid.as_slice()?);
    let start = match &start {
        StartsArgument::One(state) => Start::State(*state),
        StartsArgument::Law(law) => Start::Law(law.as_slice()?),
        StartsArgument::Each(_) => return Err(PyValueError::new_err("start must be one state")),
    };
    let levels = levels.as_ref().map(PyReadonlyArray1::as_slice).transpose()?;
    let method = match method {
        "plain" => Some(Method::Plain),
        "splitting" => Some(Method::Splitting),
        "importance" => Some(Method::Importance),
        _ => None,
    };
    // How long walks are nobody knows beforehand.
    let outcome = run(py, &options, f64::INFINITY, |control| {
        let problem = Problem::new(chain, targets, avoid, start, max_steps, control)?;
        rare::estimate(&problem, Plan { method, n_walks, levels }, &seed, first, control)
    })?;
    let name = match outcome.method {
        Method::Exact => "exact",
        Method::Plain => "plain",
        Method::Splitting => "splitting",
        Method::Importance => "importance",
    };
    let estimates = PyArray1::from_vec(py, outcome.estimates);
    Ok((name, outcome.n_walks, outcome.hits, outcome.n_steps, estimates))
}
