//! Wrappers of `slowthink::metastable::meta_chain`.

use crate::chains::matrix::Chain;
use crate::run::{Options, run};
use numpy::PyReadonlyArray1;
use pyo3::prelude::*;
use slowthink::metastable::meta_chain as core;

/// The chain of the clusters that `labels` name.
#[pyfunction]
pub fn meta_chain(
    py: Python<'_>,
    chain: &Bound<'_, Chain>,
    labels: PyReadonlyArray1<'_, u32>,
    n_clusters: usize,
    options: Options,
) -> PyResult<Chain> {
    let (chain, labels) = (&chain.get().0, labels.as_slice()?);
    let size = labels.len() as f64 / n_clusters.max(1) as f64;
    let work = 10.0 * chain.n_transitions() as f64 + n_clusters as f64 * size.powi(3);
    run(py, &options, work, |control| core::meta_chain(chain, labels, n_clusters, control)).map(Chain)
}
