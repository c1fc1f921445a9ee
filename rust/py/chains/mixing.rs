//! Wrappers of `slowthink::chains::mixing`.

use crate::chains::matrix::Chain;
use crate::run::{Options, run};
use numpy::PyReadonlyArray1;
use pyo3::prelude::*;
use slowthink::chains::mixing;

/// The mixing time, from the worst state or from a law, by powers of the dense matrix.
#[pyfunction]
#[pyo3(signature = (chain, stationary, epsilon, start, options))]
pub fn mixing_time(
    py: Python<'_>,
    chain: &Bound<'_, Chain>,
    stationary: PyReadonlyArray1<'_, f64>,
    epsilon: f64,
    start: Option<PyReadonlyArray1<'_, f64>>,
    options: Options,
) -> PyResult<f64> {
    let (chain, stationary) = (&chain.get().0, stationary.as_slice()?);
    let start = start.as_ref().map(PyReadonlyArray1::as_slice).transpose()?;
    let work = 20.0 * (chain.n_states() as f64).powi(3);
    run(py, &options, work, |control| mixing::mixing_time(chain, stationary, epsilon, start, control))
}

/// The mixing time from a law, step by step; `None` where `max_steps` are not enough.
#[pyfunction]
pub fn steps_to_mix(
    py: Python<'_>,
    chain: &Bound<'_, Chain>,
    stationary: PyReadonlyArray1<'_, f64>,
    epsilon: f64,
    start: PyReadonlyArray1<'_, f64>,
    max_steps: u64,
    options: Options,
) -> PyResult<Option<u64>> {
    let chain = &chain.get().0;
    let (stationary, start) = (stationary.as_slice()?, start.as_slice()?);
    let work = (chain.n_states() + chain.n_transitions()) as f64 * (10.0 + max_steps as f64);
    run(py, &options, work, |control| mixing::steps_to_mix(chain, stationary, epsilon, start, max_steps, control))
}

/// Dense matrices that `mixing_time` holds at most.
#[pyfunction]
pub fn mixing_matrices(n_states: usize) -> usize {
    mixing::matrices(n_states)
}
