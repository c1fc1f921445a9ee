//! Wrappers of `slowthink::metastable::distill`.

use crate::chains::matrix::Chain;
use crate::run::{Options, run};
use pyo3::prelude::*;
use slowthink::metastable::distill;

/// The chain with `beta` added to the logits of transitions between different states.
#[pyfunction]
pub fn rescale_time(py: Python<'_>, chain: &Bound<'_, Chain>, beta: f64, options: Options) -> PyResult<Chain> {
    let chain = &chain.get().0;
    let work = 50.0 * chain.n_transitions() as f64;
    run(py, &options, work, |control| distill::rescale(chain, beta, control)).map(Chain)
}
