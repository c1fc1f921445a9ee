//! Wrappers of `slowthink::samples::weighted`.

use crate::convert::MatrixArgument;
use crate::run::{Options, run};
use numpy::{PyReadonlyArray1, PyReadwriteArray2};
use pyo3::prelude::*;
use slowthink::random::Seed;
use slowthink::samples::weighted::{self, Method, Settings};

/// Fills the rows of `out` with K estimates and K standard errors; `method` is 0 (auto), 1 (exact) or 2 (Monte Carlo).
#[pyfunction]
#[allow(clippy::too_many_arguments)]
pub fn weighted_maj_at_k(
    py: Python<'_>,
    answers: MatrixArgument<'_, i64>,
    weights: MatrixArgument<'_, f64>,
    gold: PyReadonlyArray1<'_, i64>,
    k: PyReadonlyArray1<'_, i64>,
    method: u8,
    n_resamples: usize,
    control_variates: bool,
    seed: [u64; 4],
    first: u64,
    mut out: PyReadwriteArray2<'_, f64>,
    options: Options,
) -> PyResult<()> {
    let (answers, weights) = (answers.rows(), weights.rows());
    let (gold, k, out) = (gold.as_slice()?, k.as_slice()?, out.as_slice_mut()?);
    let method = [Method::Auto, Method::Exact, Method::MonteCarlo][usize::from(method.min(2))];
    let settings = Settings { method, n_resamples, control_variates, first, seed: Seed::from_words(seed) };
    let work = 2.0 * answers.n_rows() as f64 * answers.n_columns() as f64 * n_resamples as f64;
    run(py, &options, work, |control| {
        weighted::weighted_maj_at_k(&*answers, &*weights, gold, k, &settings, control, out)
    })
}
