//! Wrappers of `slowthink::samples::reward_models`.

use crate::convert::MatrixArgument;
use crate::run::{Options, run};
use numpy::{PyReadonlyArray1, PyReadwriteArray1};
use pyo3::prelude::*;
use slowthink::random::Seed;
use slowthink::samples::reward_models as core;

/// Fills `out` with the AUC of each prompt.
#[pyfunction]
pub fn roc_auc<'py>(
    py: Python<'py>,
    scores: MatrixArgument<'py, f64>,
    correct: MatrixArgument<'py, f64>,
    mut out: PyReadwriteArray1<'py, f64>,
    options: Options,
) -> PyResult<()> {
    let (scores, correct, out) = (scores.rows(), correct.rows(), out.as_slice_mut()?);
    let work = scores.n_rows() as f64 * scores.n_columns() as f64 * 15.0;
    run(py, &options, work, |control| core::roc_auc(&*scores, &*correct, out, control))
}

/// Fills `curve` and `oracle` for each k; `(accuracy, roc_auc, mean_prompt_auc, conflict pairs, samples)`.
#[pyfunction]
#[allow(clippy::too_many_arguments)]
pub fn reward_model_correctness<'py>(
    py: Python<'py>,
    scores: MatrixArgument<'py, f64>,
    correct: MatrixArgument<'py, f64>,
    k: PyReadonlyArray1<'py, i64>,
    mut curve: PyReadwriteArray1<'py, f64>,
    mut oracle: PyReadwriteArray1<'py, f64>,
    options: Options,
) -> PyResult<(f64, f64, f64, u64, u64)> {
    let (scores, correct, k) = (scores.rows(), correct.rows(), k.as_slice()?);
    let (curve, oracle) = (curve.as_slice_mut()?, oracle.as_slice_mut()?);
    let n = scores.n_columns() as f64;
    let work = scores.n_rows() as f64 * n * 60.0 + n * k.len() as f64;
    let found = run(py, &options, work, |control| core::correctness(&*scores, &*correct, k, curve, oracle, control))?;
    Ok((found.accuracy, found.roc_auc, found.mean_prompt_auc, found.n_conflict_pairs, found.n_samples))
}

/// Fills `out` with the maximum of the best-of-k curve in each of as many random orders.
#[pyfunction]
#[allow(clippy::too_many_arguments)]
pub fn reward_model_max_scores<'py>(
    py: Python<'py>,
    scores: MatrixArgument<'py, f64>,
    correct: MatrixArgument<'py, f64>,
    k: PyReadonlyArray1<'py, i64>,
    seed: [u64; 4],
    first: u64,
    mut out: PyReadwriteArray1<'py, f64>,
    options: Options,
) -> PyResult<()> {
    let (scores, correct, k, out) = (scores.rows(), correct.rows(), k.as_slice()?, out.as_slice_mut()?);
    let work = scores.n_rows() as f64 * scores.n_columns() as f64 * (20.0 + out.len() as f64);
    let seed = Seed::from_words(seed);
    run(py, &options, work, |control| core::max_scores(&*scores, &*correct, k, seed, first, out, control))
}

/// Spearman's rank correlation.
#[pyfunction]
pub fn spearman<'py>(
    py: Python<'py>,
    x: PyReadonlyArray1<'py, f64>,
    y: PyReadonlyArray1<'py, f64>,
    options: Options,
) -> PyResult<f64> {
    let (x, y) = (x.as_slice()?, y.as_slice()?);
    run(py, &options, x.len() as f64 * 100.0, |_| core::spearman(x, y))
}

/// Kendall's tau-b.
#[pyfunction]
pub fn kendall_tau<'py>(
    py: Python<'py>,
    x: PyReadonlyArray1<'py, f64>,
    y: PyReadonlyArray1<'py, f64>,
    options: Options,
) -> PyResult<f64> {
    let (x, y) = (x.as_slice()?, y.as_slice()?);
    run(py, &options, x.len() as f64 * 100.0, |_| core::kendall_tau(x, y))
}
