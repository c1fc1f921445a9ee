//! Wrappers of `slowthink::chains::transition_paths`.

use crate::chains::matrix::Chain;
use crate::run::{Options, run};
use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;
use slowthink::chains::transition_paths::{self as paths, pathways::Network};

/// The states that are known to be some, as a mask.
fn mask(states: &PyReadonlyArray1<'_, u32>, n_states: usize) -> PyResult<Vec<bool>> {
    let mut mask = vec![false; n_states];
    states.as_slice()?.iter().for_each(|&state| mask[state as usize] = true);
    Ok(mask)
}

type Floats<'py> = Bound<'py, PyArray1<f64>>;

/// Stationary law, forward and backward committor (S each), the transitions that carry flux as indptr and indices,
/// their gross and net fluxes, the total flux and the rate.
#[pyfunction]
#[allow(clippy::type_complexity)]
pub fn transition_paths<'py>(
    py: Python<'py>,
    chain: &Bound<'_, Chain>,
    source: PyReadonlyArray1<'_, u32>,
    target: PyReadonlyArray1<'_, u32>,
    options: Options,
) -> PyResult<(
    Floats<'py>,
    Floats<'py>,
    Floats<'py>,
    Bound<'py, PyArray1<i64>>,
    Bound<'py, PyArray1<u32>>,
    Floats<'py>,
    Floats<'py>,
    f64,
    f64,
)> {
    let chain = &chain.get().0;
    let (source, target) = (mask(&source, chain.n_states())?, mask(&target, chain.n_states())?);
    let work = (chain.n_states() as f64).powi(3);
    let found = run(py, &options, work, |control| paths::transition_paths(chain, &source, &target, control))?;
    Ok((
        found.stationary.into_pyarray(py),
        found.forward.into_pyarray(py),
        found.backward.into_pyarray(py),
        found.indptr.into_pyarray(py),
        found.indices.into_pyarray(py),
        found.gross.into_pyarray(py),
        found.net.into_pyarray(py),
        found.total,
        found.rate,
    ))
}

/// Pathways and their fluxes.
#[pyfunction]
#[allow(clippy::too_many_arguments)]
pub fn dominant_pathways<'py>(
    py: Python<'py>,
    indptr: PyReadonlyArray1<'_, i64>,
    indices: PyReadonlyArray1<'_, u32>,
    net: PyReadonlyArray1<'_, f64>,
    source: PyReadonlyArray1<'_, u32>,
    target: PyReadonlyArray1<'_, u32>,
    most: usize,
    fraction: f64,
    options: Options,
) -> PyResult<Vec<(Bound<'py, PyArray1<u32>>, f64)>> {
    let (indptr, indices, net) = (indptr.as_slice()?, indices.as_slice()?, net.as_slice()?.to_vec());
    let n_states = indptr.len() - 1;
    let (source, target) = (mask(&source, n_states)?, mask(&target, n_states)?);
    let network = Network { indptr, indices, source: &source, target: &target };
    let work = 100.0 * indices.len() as f64 * most.min(indices.len()) as f64;
    let found = run(py, &options, work, |control| network.pathways(net, most, fraction, control))?;
    Ok(found.into_iter().map(|(states, flux)| (states.into_pyarray(py), flux)).collect())
}
