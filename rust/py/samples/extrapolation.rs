//! Wrappers of `slowthink::samples::extrapolation`.

use crate::run::{Options, run};
use numpy::{PyReadonlyArray1, PyReadwriteArray2};
use pyo3::prelude::*;
use slowthink::samples::extrapolation;

/// Fits the law of rates; fills `out` (K, 2) with pass@k and the standard error of its ln(-ln(1 - x)), and returns
/// (alpha, beta, inflation, rate, log likelihood).
#[pyfunction]
pub fn extrapolate_pass(
    py: Python<'_>,
    n: PyReadonlyArray1<'_, i64>,
    c: PyReadonlyArray1<'_, i64>,
    k: PyReadonlyArray1<'_, i64>,
    inflated: bool,
    mut out: PyReadwriteArray2<'_, f64>,
    options: Options,
) -> PyResult<(f64, f64, f64, f64, f64)> {
    let (n, c) = (n.as_slice()?, c.as_slice()?);
    // A Newton step takes some 20 evaluations, and a fit some 20 steps.
    let fit = run(py, &options, n.len() as f64 * 1e3, |control| extrapolation::fit(n, c, inflated, control))?;
    for (to, &k) in out.as_slice_mut()?.chunks_exact_mut(2).zip(k.as_slice()?) {
        (to[0], to[1]) = fit.pass_at_k(k);
    }
    Ok((fit.alpha, fit.beta, fit.inflation, fit.rate, fit.log_likelihood))
}
