//! Wrappers of `slowthink::chains::reversal`.

use crate::chains::matrix::Chain;
use crate::run::{Options, run};
use numpy::PyReadonlyArray1;
use pyo3::prelude::*;
use slowthink::chains::reversal;

/// Whether detailed balance holds within each recurrent class.
#[pyfunction]
pub fn is_reversible(py: Python<'_>, chain: &Bound<'_, Chain>, rtol: f64, options: Options) -> PyResult<bool> {
    let chain = &chain.get().0;
    let work = 40.0 * (chain.n_states() + chain.n_transitions()) as f64;
    run(py, &options, work, |control| reversal::is_reversible(chain, rtol, control))
}

/// The chain of the walks seen backwards.
#[pyfunction]
pub fn time_reversal(
    py: Python<'_>,
    chain: &Bound<'_, Chain>,
    stationary: PyReadonlyArray1<'_, f64>,
    options: Options,
) -> PyResult<Chain> {
    let (chain, stationary) = (&chain.get().0, stationary.as_slice()?);
    let work = 30.0 * (chain.n_states() + chain.n_transitions()) as f64;
    run(py, &options, work, |control| reversal::time_reversal(chain, stationary, control)).map(Chain)
}
