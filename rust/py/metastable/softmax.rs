//! Wrappers of `slowthink::metastable::softmax`.

use crate::chains::matrix::Chain;
use crate::run::{Options, run};
use numpy::{PyReadonlyArray1, PyReadwriteArray1};
use pyo3::prelude::*;
use slowthink::metastable::softmax;

/// Fills `out` with log probabilities, one for each transition.
#[pyfunction]
pub fn softmax_log_probabilities(
    py: Python<'_>,
    chain: &Bound<'_, Chain>,
    logits: PyReadonlyArray1<'_, f64>,
    mut out: PyReadwriteArray1<'_, f64>,
    options: Options,
) -> PyResult<()> {
    let (chain, logits, out) = (&chain.get().0, logits.as_slice()?, out.as_slice_mut()?);
    run(py, &options, 20.0 * out.len() as f64, |control| softmax::log_probabilities(chain, logits, out, control))
}

/// The chain of the policy with these logits, one for each transition.
#[pyfunction]
pub fn softmax_policy(
    py: Python<'_>,
    chain: &Bound<'_, Chain>,
    logits: PyReadonlyArray1<'_, f64>,
    options: Options,
) -> PyResult<Chain> {
    let (chain, logits) = (&chain.get().0, logits.as_slice()?);
    run(py, &options, 50.0 * logits.len() as f64, |control| softmax::policy(chain, logits, control)).map(Chain)
}
