//! Wrappers of `slowthink::samples::rating`.

use crate::run::{Options, run};
use numpy::{IntoPyArray, PyArray1, PyReadonlyArray2, PyReadwriteArray2};
use pyo3::prelude::*;
use slowthink::random::Seed;
use slowthink::samples::rating::{Battles, bootstrap, fit, sandwich};

/// `(rating, n_iterations, log_likelihood, failed rounds)`; fills `covariance` and `resamples` where they are given.
#[pyfunction]
#[allow(clippy::too_many_arguments, clippy::type_complexity)]
pub fn bradley_terry<'py>(
    py: Python<'py>,
    wins: PyReadonlyArray2<'py, f64>,
    ties: Option<PyReadonlyArray2<'py, f64>>,
    names: Vec<String>,
    ridge: f64,
    covariance: Option<PyReadwriteArray2<'py, f64>>,
    resamples: Option<PyReadwriteArray2<'py, f64>>,
    seed: [u64; 4],
    first: u64,
    options: Options,
) -> PyResult<(Bound<'py, PyArray1<f64>>, usize, f64, usize)> {
    let n = wins.as_array().nrows();
    let wins = wins.as_slice()?;
    let ties = ties.as_ref().map_or(Ok(&[][..]), |ties| ties.as_slice())?;
    let (mut covariance, mut resamples) = (covariance, resamples);
    let covariance = covariance.as_mut().map(|array| array.as_slice_mut()).transpose()?;
    let resamples = resamples.as_mut().map(|array| array.as_slice_mut()).transpose()?;
    let cells = (n * n) as f64;
    let rounds = resamples.as_ref().map_or(0.0, |out| out.len() as f64 / n.max(1) as f64);
    let work = cells * (n as f64 * 4.0 + 20.0 + rounds * 10.0);
    let (fit, failed) = run(py, &options, work, |control| {
        let battles = Battles::new(n, wins, ties, &names)?;
        let fit = fit(&battles, ridge, control)?;
        if let Some(out) = covariance {
            sandwich(&battles, &fit, out, control)?;
        }
        let failed = match resamples {
            Some(out) => bootstrap(&battles, &fit, ridge, Seed::from_words(seed), first, out, control)?,
            None => 0,
        };
        Ok((fit, failed))
    })?;
    Ok((fit.rating.into_pyarray(py), fit.n_iterations, fit.log_likelihood, failed))
}
