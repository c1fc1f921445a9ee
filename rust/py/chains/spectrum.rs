//! Wrappers of `slowthink::chains::spectrum`.

use crate::chains::matrix::Chain;
use crate::run::{Options, run};
use numpy::PyArray1;
use pyo3::prelude::*;
use slowthink::chains::spectrum::filtered::Wanted;
use slowthink::chains::spectrum::{self, pseudo};

type Floats<'py> = Bound<'py, PyArray1<f64>>;

/// Real and imaginary parts of 1 - lambda for all eigenvalues (of large classes `k`, the slowest or those of the
/// largest modulus), class by class, and whether all classes have detailed balance.
#[pyfunction]
pub fn chain_rates<'py>(
    py: Python<'py>,
    chain: &Bound<'_, Chain>,
    k: usize,
    slow: bool,
    options: Options,
) -> PyResult<(Floats<'py>, Floats<'py>, bool)> {
    let chain = &chain.get().0;
    let work = 20.0 * (chain.n_states() as f64).powi(3);
    let wanted = if slow { Wanted::Slow } else { Wanted::Modulus };
    let rates = run(py, &options, work, |control| spectrum::rates(chain, k, wanted, control))?;
    let real = PyArray1::from_iter(py, rates.values.iter().map(|&(real, _)| real));
    let imaginary = PyArray1::from_iter(py, rates.values.iter().map(|&(_, imaginary)| imaginary));
    Ok((real, imaginary, rates.reversible))
}

/// The pseudo-spectral gap, and the power at which it is reached.
#[pyfunction]
pub fn pseudo_spectral_gap(
    py: Python<'_>,
    chain: &Bound<'_, Chain>,
    max_power: usize,
    options: Options,
) -> PyResult<(f64, usize)> {
    let chain = &chain.get().0;
    let work = 20.0 * (chain.n_states() as f64).powi(3);
    run(py, &options, work, |control| pseudo::pseudo_spectral_gap(chain, max_power, control))
}
