//! Wrappers of `slowthink::samples::planning`.

use crate::error::to_python;
use crate::run::{Options, run};
use numpy::{PyReadonlyArray1, PyReadwriteArray1};
use pyo3::prelude::*;
use slowthink::samples::majority::Ties;
use slowthink::samples::planning;

#[pyfunction]
#[allow(clippy::too_many_arguments)]
pub fn plurality_probability(
    py: Python<'_>,
    p: PyReadonlyArray1<'_, f64>,
    n: PyReadonlyArray1<'_, i64>,
    target: usize,
    ties: &str,
    mut out: PyReadwriteArray1<'_, f64>,
    options: Options,
) -> PyResult<()> {
    let ties = Ties::parse(ties).map_err(to_python)?;
    let (p, n, out) = (p.as_slice()?, n.as_slice()?, out.as_slice_mut()?);
    let work = n.iter().fold(1.0, |work, &n| work + 1e3 * n as f64) * p.len() as f64;
    run(py, &options, work, |control| planning::plurality_probability(p, n, target, ties, out, control))
}

#[pyfunction]
pub fn samples_for_majority(
    py: Python<'_>,
    p: PyReadonlyArray1<'_, f64>,
    target: usize,
    confidence: f64,
    options: Options,
) -> PyResult<u64> {
    let p = p.as_slice()?;
    run(py, &options, f64::INFINITY, |control| planning::samples_for_majority(p, target, confidence, control))
}
