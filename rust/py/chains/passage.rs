//! Wrappers of `slowthink::chains::passage`.

use crate::chains::matrix::Chain;
use crate::run::{Options, run};
use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1, PyReadwriteArray1, PyReadwriteArray2};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use slowthink::chains::MarkovChain;
use slowthink::chains::passage::{self, Method, Report, Request, Taken};

/// The method that was taken, the residual and the steps.
type Found = (&'static str, f64, u64);

/// `(method, tolerance, memory)`.
#[derive(FromPyObject)]
pub struct RequestArgument(String, f64, Option<usize>);

impl RequestArgument {
    fn request(&self) -> PyResult<Request> {
        let method = match &self.0[..] {
            "auto" => Method::Auto,
            "elimination" => Method::Elimination,
            "iterative" => Method::Iterative,
            other => return Err(PyValueError::new_err(format!("method must be one of the known, got {other:?}"))),
        };
        Ok(Request { method, tolerance: self.1, memory: self.2 })
    }
}

fn found(report: &Report) -> Found {
    let name = match report.taken {
        Taken::Reachability => "reachability",
        Taken::Elimination => "elimination",
        Taken::Iterative => "iterative",
    };
    (name, report.residual, report.n_steps)
}

/// A rough count of the steps of an elimination: small chains are dense ones.
fn work(chain: &MarkovChain) -> f64 {
    let (n_states, n_transitions) = (chain.n_states() as f64, chain.n_transitions() as f64);
    100.0 * n_transitions + n_states.powi(3) / 3.0
}

/// Fills `out` (S,) with mean hitting times, or mean costs until then.
#[pyfunction]
pub fn mean_hitting_times(
    py: Python<'_>,
    chain: &Bound<'_, Chain>,
    targets: PyReadonlyArray1<'_, u32>,
    costs: Option<PyReadonlyArray1<'_, f64>>,
    request: RequestArgument,
    mut out: PyReadwriteArray1<'_, f64>,
    options: Options,
) -> PyResult<Found> {
    let (chain, request) = (&chain.get().0, request.request()?);
    let (targets, out) = (targets.as_slice()?, out.as_slice_mut()?);
    let costs = costs.as_ref().map(PyReadonlyArray1::as_slice).transpose()?;
    let report = run(py, &options, work(chain), |control| {
        passage::mean_hitting_times(chain, targets, costs, request, out, control)
    })?;
    Ok(found(&report))
}

/// Fills `out` (S,) with the probabilities of coming to `targets` before `avoid`.
#[pyfunction]
pub fn hitting_probabilities(
    py: Python<'_>,
    chain: &Bound<'_, Chain>,
    targets: PyReadonlyArray1<'_, u32>,
    avoid: PyReadonlyArray1<'_, u32>,
    request: RequestArgument,
    mut out: PyReadwriteArray1<'_, f64>,
    options: Options,
) -> PyResult<Found> {
    let (chain, request) = (&chain.get().0, request.request()?);
    let (targets, avoid, out) = (targets.as_slice()?, avoid.as_slice()?, out.as_slice_mut()?);
    let report = run(py, &options, work(chain), |control| {
        passage::hitting_probabilities(chain, targets, avoid, request, out, control)
    })?;
    Ok(found(&report))
}

/// Fills `out` (S, C) with the probabilities of coming first to each of the C sets that `labels` tell apart.
#[pyfunction]
pub fn absorption_probabilities(
    py: Python<'_>,
    chain: &Bound<'_, Chain>,
    labels: PyReadonlyArray1<'_, u32>,
    n_sets: usize,
    request: RequestArgument,
    mut out: PyReadwriteArray2<'_, f64>,
    options: Options,
) -> PyResult<Found> {
    let (chain, request) = (&chain.get().0, request.request()?);
    let (labels, out) = (labels.as_slice()?, out.as_slice_mut()?);
    let report = run(py, &options, work(chain) + out.len() as f64, |control| {
        passage::absorption_probabilities(chain, labels, n_sets, request, out, control)
    })?;
    Ok(found(&report))
}

/// Fills `out` (S,) with the backward committor of an irreducible chain.
#[pyfunction]
pub fn backward_committor(
    py: Python<'_>,
    chain: &Bound<'_, Chain>,
    source: PyReadonlyArray1<'_, u32>,
    target: PyReadonlyArray1<'_, u32>,
    request: RequestArgument,
    mut out: PyReadwriteArray1<'_, f64>,
    options: Options,
) -> PyResult<Found> {
    let (chain, request) = (&chain.get().0, request.request()?);
    let (source, target, out) = (source.as_slice()?, target.as_slice()?, out.as_slice_mut()?);
    let report = run(py, &options, work(chain), |control| {
        passage::backward_committor(chain, source, target, request, out, control)
    })?;
    Ok(found(&report))
}

/// The recurrent class of each state; 2**32 - 1 for a transient one.
#[pyfunction]
pub fn recurrent_classes<'py>(
    py: Python<'py>,
    chain: &Bound<'_, Chain>,
    options: Options,
) -> PyResult<Bound<'py, PyArray1<u32>>> {
    let chain = &chain.get().0;
    let work = 20.0 * (chain.n_states() + chain.n_transitions()) as f64;
    Ok(run(py, &options, work, |control| passage::recurrent_classes(chain, control))?.into_pyarray(py))
}

/// Fills `out` (S,) with the stationary distribution of one of the recurrent classes.
#[pyfunction]
pub fn stationary_distribution(
    py: Python<'_>,
    chain: &Bound<'_, Chain>,
    classes: PyReadonlyArray1<'_, u32>,
    number: u32,
    request: RequestArgument,
    mut out: PyReadwriteArray1<'_, f64>,
    options: Options,
) -> PyResult<Found> {
    let (chain, request) = (&chain.get().0, request.request()?);
    let (classes, out) = (classes.as_slice()?, out.as_slice_mut()?);
    let report = run(py, &options, work(chain), |control| {
        passage::stationary_distribution(chain, classes, number, request, out, control)
    })?;
    Ok(found(&report))
}
