//! Wrappers of `slowthink::samples::best_of`.

use crate::convert::MatrixArgument;
use crate::run::{Options, run};
use numpy::{PyReadonlyArray1, PyReadwriteArray2};
use pyo3::prelude::*;
use slowthink::samples::best_of;

/// Fills `out` (P, K) with best-of-k of each problem at each k.
#[pyfunction]
#[pyo3(signature = (scores, values, k, out, options, worst=false))]
pub fn best_of_k(
    py: Python<'_>,
    scores: MatrixArgument<f64>,
    values: MatrixArgument<f64>,
    k: PyReadonlyArray1<i64>,
    mut out: PyReadwriteArray2<f64>,
    options: Options,
    worst: bool,
) -> PyResult<()> {
    let (scores, values, k, out) = (scores.rows(), values.rows(), k.as_slice()?, out.as_slice_mut()?);
    let work = (scores.n_rows() * scores.n_columns()) as f64 * (5.0 + k.len() as f64 / 5.0);
    run(py, &options, work, |control| best_of::best_of_k(&*scores, &*values, k, worst, out, control))
}

/// Fills `out` (P, K) with the jackknife variance of best-of-k over repetitions of the samples.
#[pyfunction]
#[pyo3(signature = (scores, values, k, out, options, worst=false))]
pub fn best_of_k_variance(
    py: Python<'_>,
    scores: MatrixArgument<f64>,
    values: MatrixArgument<f64>,
    k: PyReadonlyArray1<i64>,
    mut out: PyReadwriteArray2<f64>,
    options: Options,
    worst: bool,
) -> PyResult<()> {
    let (scores, values, k, out) = (scores.rows(), values.rows(), k.as_slice()?, out.as_slice_mut()?);
    let work = (scores.n_rows() * scores.n_columns()) as f64 * (20.0 + 3.0 * k.len() as f64);
    run(py, &options, work, |control| best_of::variances(&*scores, &*values, k, worst, out, control))
}
