//! Wrappers of `slowthink::samples::intervals` and `slowthink::samples::bootstrap`.

use crate::error::to_python;
use crate::run::{Options, run};
use numpy::{PyReadonlyArray1, PyReadonlyArray2, PyReadwriteArray2, PyUntypedArrayMethods};
use pyo3::prelude::*;
use slowthink::random::Seed;
use slowthink::samples::bootstrap;
use slowthink::samples::intervals::{self, Curves, Moments};
use slowthink::samples::laws;

/// Rows of equal curves and the row of each problem, as the core takes them.
fn curves<'a>(rows: &'a PyReadonlyArray2<'_, f64>, index: &'a PyReadonlyArray1<'_, i64>) -> PyResult<Curves<'a>> {
    Curves::new(rows.as_slice()?, rows.shape()[1], index.as_slice()?).map_err(to_python)
}

/// Per column: problems used, independent units, mean, standard error.
#[pyfunction]
pub fn summarise_curves(
    py: Python<'_>,
    rows: PyReadonlyArray2<'_, f64>,
    index: PyReadonlyArray1<'_, i64>,
    cluster: Option<PyReadonlyArray1<'_, i64>>,
    mut out: PyReadwriteArray2<'_, f64>,
    options: Options,
) -> PyResult<()> {
    let curves = curves(&rows, &index)?;
    let cluster = cluster.as_ref().map(PyReadonlyArray1::as_slice).transpose()?;
    let items = if cluster.is_some() { curves.n_problems() } else { curves.n_rows() };
    let work = items as f64 * curves.width() as f64 * 2.0;
    let moments = run(py, &options, work, |control| intervals::summarise(&curves, cluster, control))?;
    for (to, from) in out.as_slice_mut()?.chunks_mut(4).zip(moments) {
        to.copy_from_slice(&fields(from));
    }
    Ok(())
}

/// Per column: pairs used, independent units, mean difference, its standard error, correlation.
#[pyfunction]
#[allow(clippy::too_many_arguments)]
pub fn compare_curves(
    py: Python<'_>,
    rows_a: PyReadonlyArray2<'_, f64>,
    index_a: PyReadonlyArray1<'_, i64>,
    rows_b: PyReadonlyArray2<'_, f64>,
    index_b: PyReadonlyArray1<'_, i64>,
    cluster: Option<PyReadonlyArray1<'_, i64>>,
    mut out: PyReadwriteArray2<'_, f64>,
    options: Options,
) -> PyResult<()> {
    let (a, b) = (curves(&rows_a, &index_a)?, curves(&rows_b, &index_b)?);
    let cluster = cluster.as_ref().map(PyReadonlyArray1::as_slice).transpose()?;
    let work = a.n_problems() as f64 * a.width() as f64 * 10.0;
    let pairs = run(py, &options, work, |control| intervals::compare(&a, &b, cluster, control))?;
    for (to, from) in out.as_slice_mut()?.chunks_mut(5).zip(pairs) {
        to[..4].copy_from_slice(&fields(from.difference));
        to[4] = from.correlation;
    }
    Ok(())
}

fn fields(moments: Moments) -> [f64; 4] {
    [moments.n_used as f64, moments.n_units as f64, moments.mean, moments.standard_error]
}

/// Fills `out` (quantiles, standard deviation, counts of means at most 0 and at least 0, one row each) from
/// resampled means.
#[pyfunction]
#[allow(clippy::too_many_arguments)]
pub fn bootstrap_curves(
    py: Python<'_>,
    rows: PyReadonlyArray2<'_, f64>,
    index: PyReadonlyArray1<'_, i64>,
    cluster: Option<PyReadonlyArray1<'_, i64>>,
    n_resamples: usize,
    seed: [u64; 4],
    probabilities: Vec<f64>,
    mut out: PyReadwriteArray2<'_, f64>,
    options: Options,
) -> PyResult<()> {
    let curves = curves(&rows, &index)?;
    let cluster = cluster.as_ref().map(PyReadonlyArray1::as_slice).transpose()?;
    let seed = Seed::from_words(seed);
    let work = n_resamples as f64 * (curves.n_problems() + 30 * curves.width()) as f64;
    let resampled = run(py, &options, work, |control| {
        bootstrap::resample(&curves, cluster, n_resamples, &seed, &probabilities, control)
    })?;
    let summaries = [&resampled.standard_deviation, &resampled.not_above, &resampled.not_below];
    let rows = resampled.quantiles.iter().chain(summaries);
    for (to, from) in out.as_slice_mut()?.chunks_exact_mut(curves.width()).zip(rows) {
        to.copy_from_slice(from);
    }
    Ok(())
}

/// Fills `out` (resamples, K) with resampled means.
#[pyfunction]
#[allow(clippy::too_many_arguments)]
pub fn bootstrap_means(
    py: Python<'_>,
    rows: PyReadonlyArray2<'_, f64>,
    index: PyReadonlyArray1<'_, i64>,
    cluster: Option<PyReadonlyArray1<'_, i64>>,
    first: u64,
    seed: [u64; 4],
    mut out: PyReadwriteArray2<'_, f64>,
    options: Options,
) -> PyResult<()> {
    let curves = curves(&rows, &index)?;
    let cluster = cluster.as_ref().map(PyReadonlyArray1::as_slice).transpose()?;
    let seed = Seed::from_words(seed);
    let out = out.as_slice_mut()?;
    let work = out.len() as f64 * 30.0;
    run(py, &options, work, |control| bootstrap::means(&curves, cluster, first, &seed, control, out))
}

/// P(|T| >= |t|) of Student's law.
#[pyfunction]
pub fn student_two_sided(t: f64, df: f64) -> f64 {
    laws::student_two_sided(t, df)
}

/// The t with P(|T| <= t) = confidence.
#[pyfunction]
pub fn student_quantile(confidence: f64, df: f64) -> f64 {
    laws::student_quantile(confidence, df)
}

/// The exact two-sided sign test.
#[pyfunction]
pub fn sign_test(k: u64, n: u64) -> f64 {
    laws::sign_test(k, n)
}

/// The interval of Clopper and Pearson for a probability of which `k` successes in `n` trials were seen.
#[pyfunction]
pub fn binomial_interval(k: u64, n: u64, confidence: f64) -> (f64, f64) {
    laws::binomial_interval(k, n, confidence)
}
