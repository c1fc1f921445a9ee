//! Wrappers of `slowthink::chains::metastable_sets`.

use crate::chains::matrix::Chain;
use crate::run::{Options, run};
use numpy::{IntoPyArray, PyArray1};
use pyo3::prelude::*;
use slowthink::chains::metastable_sets as sets;

type Floats<'py> = Bound<'py, PyArray1<f64>>;

/// Memberships (S k), the transition matrix among the sets (k k), their weights (k), the crispness, and for a large
/// chain the rates of its slowest modes.
#[pyfunction]
#[allow(clippy::type_complexity)]
pub fn metastable_sets<'py>(
    py: Python<'py>,
    chain: &Bound<'_, Chain>,
    k: usize,
    options: Options,
) -> PyResult<(Floats<'py>, Floats<'py>, Floats<'py>, f64, Option<Floats<'py>>)> {
    let chain = &chain.get().0;
    let work = 10.0 * (chain.n_states() as f64).powi(3) + 1e3 * (chain.n_states() * k * k) as f64;
    let found = run(py, &options, work, |control| sets::metastable_sets(chain, k, control))?;
    let arrays = [found.memberships, found.coarse, found.stationary].map(|values| values.into_pyarray(py));
    let [memberships, coarse, stationary] = arrays;
    Ok((memberships, coarse, stationary, found.crispness, found.rates.map(|rates| rates.into_pyarray(py))))
}
