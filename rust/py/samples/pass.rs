//! Wrappers of `slowthink::samples::pass`.

use crate::run::{Options, run};
use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1, PyReadwriteArray2};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use slowthink::samples::pass::{self, Metric};

/// The metric called `name` in Python; `tau` is that of G-Pass@k.
fn metric(name: &str, tau: f64) -> PyResult<Metric> {
    match name {
        "pass@k" => Ok(Metric::PassAtK),
        "pass^k" => Ok(Metric::PassHatK),
        "g-pass@k" => Ok(Metric::GPassAtK { tau }),
        "mg-pass@k" => Ok(Metric::MeanGPassAtK),
        _ => Err(PyValueError::new_err(format!(
            "metric must be 'pass@k', 'pass^k', 'g-pass@k' or 'mg-pass@k', got '{name}'"
        ))),
    }
}

/// Steps of work: a walk to the largest k for each problem; the sums of G-Pass@k are longer.
fn work(n: &[i64], k: &[i64], metric: Metric) -> f64 {
    let steps = match metric {
        Metric::PassAtK | Metric::PassHatK => k.iter().copied().max().unwrap_or(0) as f64,
        Metric::GPassAtK { .. } | Metric::MeanGPassAtK => 200.0 * k.len() as f64,
    };
    n.len() as f64 * steps
}

/// Fills `out` (P, K) with the metric of each problem at each k.
#[pyfunction]
#[pyo3(signature = (n, c, k, out, options, metric="pass@k", tau=0.0))]
#[allow(clippy::too_many_arguments)]
pub fn pass_at_k_rows(
    py: Python<'_>,
    n: PyReadonlyArray1<i64>,
    c: PyReadonlyArray1<i64>,
    k: PyReadonlyArray1<i64>,
    mut out: PyReadwriteArray2<f64>,
    options: Options,
    metric: &str,
    tau: f64,
) -> PyResult<()> {
    let metric = self::metric(metric, tau)?;
    let (n, c, k, out) = (n.as_slice()?, c.as_slice()?, k.as_slice()?, out.as_slice_mut()?);
    run(py, &options, work(n, k, metric), |control| pass::curves(n, c, k, metric, out, control))
}

/// The mean of the metric over the problems with n >= k, for each k.
#[pyfunction]
#[pyo3(signature = (n, c, k, options, metric="pass@k", tau=0.0))]
pub fn pass_at_k_mean<'py>(
    py: Python<'py>,
    n: PyReadonlyArray1<i64>,
    c: PyReadonlyArray1<i64>,
    k: PyReadonlyArray1<i64>,
    options: Options,
    metric: &str,
    tau: f64,
) -> PyResult<Bound<'py, PyArray1<f64>>> {
    let metric = self::metric(metric, tau)?;
    let (n, c, k) = (n.as_slice()?, c.as_slice()?, k.as_slice()?);
    Ok(run(py, &options, work(n, k, metric), |control| pass::mean_curve(n, c, k, metric, control))?.into_pyarray(py))
}

/// Fills `out` (P, K) with the variance of pass@k or pass^k over repetitions of the samples.
#[pyfunction]
#[pyo3(signature = (n, c, k, out, options, metric="pass@k"))]
pub fn pass_at_k_variance(
    py: Python<'_>,
    n: PyReadonlyArray1<i64>,
    c: PyReadonlyArray1<i64>,
    k: PyReadonlyArray1<i64>,
    mut out: PyReadwriteArray2<f64>,
    options: Options,
    metric: &str,
) -> PyResult<()> {
    let metric = self::metric(metric, 0.0)?;
    let (n, c, k, out) = (n.as_slice()?, c.as_slice()?, k.as_slice()?, out.as_slice_mut()?);
    run(py, &options, 2.0 * work(n, k, metric), |control| pass::variances(n, c, k, metric, out, control))
}

/// The distinct pairs (n, c), how many problems have each, and the pair of each problem.
#[pyfunction]
#[allow(clippy::type_complexity)]
pub fn distinct_counts<'py>(
    py: Python<'py>,
    n: PyReadonlyArray1<i64>,
    c: PyReadonlyArray1<i64>,
    options: Options,
) -> PyResult<(
    Bound<'py, PyArray1<i64>>,
    Bound<'py, PyArray1<i64>>,
    Bound<'py, PyArray1<i64>>,
    Bound<'py, PyArray1<i64>>,
)> {
    let (n, c) = (n.as_slice()?, c.as_slice()?);
    let (n, c, count, index) = run(py, &options, n.len() as f64, |_| pass::distinct(n, c))?;
    let index: Vec<i64> = index.into_iter().map(|i| i as i64).collect();
    Ok((n.into_pyarray(py), c.into_pyarray(py), count.into_pyarray(py), index.into_pyarray(py)))
}
