//! Wrappers of `slowthink::samples::experts`.

use crate::convert::MatrixArgument;
use crate::run::{Options, run};
use numpy::PyReadwriteArray1;
use pyo3::prelude::*;
use slowthink::samples::experts::{self, HedgeOutput};

/// Plays Hedge on `n_runs` runs whose rounds are the rows of `losses`, and fills the flat outputs.
#[pyfunction]
#[allow(clippy::too_many_arguments)]
pub fn hedge(
    py: Python<'_>,
    losses: MatrixArgument<'_, f64>,
    n_runs: usize,
    runs_named: bool,
    learning_rate: f64,
    mut weights: Option<PyReadwriteArray1<'_, f64>>,
    mut expected_loss: PyReadwriteArray1<'_, f64>,
    mut regret: PyReadwriteArray1<'_, f64>,
    options: Options,
) -> PyResult<()> {
    let losses = losses.rows();
    let weights = weights.as_mut().map(|weights| weights.as_slice_mut()).transpose()?;
    let out = HedgeOutput { weights, expected_loss: expected_loss.as_slice_mut()?, regret: regret.as_slice_mut()? };
    let work = 5.0 * losses.n_rows() as f64 * losses.n_columns() as f64;
    run(py, &options, work, |control| experts::hedge(&*losses, n_runs, runs_named, learning_rate, control, out))
}
