//! Wrappers of `slowthink::samples::majority`.

use crate::convert::MatrixArgument;
use crate::run::{Options, run};
use numpy::{PyReadonlyArray1, PyReadwriteArray2};
use pyo3::prelude::*;
use slowthink::samples::majority::{self, Ties};

/// A rough count of the inner steps of one curve of `n` samples.
fn work(n: usize) -> f64 {
    let n = n as f64;
    100.0 * n + n * n
}

#[pyfunction]
#[allow(clippy::too_many_arguments)]
pub fn maj_at_k(
    py: Python<'_>,
    answers: MatrixArgument<'_, i64>,
    gold: PyReadonlyArray1<'_, i64>,
    k: PyReadonlyArray1<'_, i64>,
    ties: &str,
    replace: bool,
    mut out: PyReadwriteArray2<'_, f64>,
    options: Options,
) -> PyResult<()> {
    let ties = Ties::parse(ties).map_err(crate::error::to_python)?;
    let (rows, gold, k, out) = (answers.rows(), gold.as_slice()?, k.as_slice()?, out.as_slice_mut()?);
    let work = rows.n_rows() as f64 * work(rows.n_columns());
    run(py, &options, work, |control| majority::maj_at_k(&*rows, gold, k, ties, replace, out, control))
}

#[pyfunction]
pub fn maj_variance(
    py: Python<'_>,
    answers: MatrixArgument<'_, i64>,
    gold: PyReadonlyArray1<'_, i64>,
    k: PyReadonlyArray1<'_, i64>,
    ties: &str,
    mut out: PyReadwriteArray2<'_, f64>,
    options: Options,
) -> PyResult<()> {
    let ties = Ties::parse(ties).map_err(crate::error::to_python)?;
    let (rows, gold, k, out) = (answers.rows(), gold.as_slice()?, k.as_slice()?, out.as_slice_mut()?);
    let work = 10.0 * rows.n_rows() as f64 * work(rows.n_columns());
    run(py, &options, work, |control| majority::maj_variance(&*rows, gold, k, ties, out, control))
}
