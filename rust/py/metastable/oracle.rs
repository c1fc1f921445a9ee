//! Wrappers of `slowthink::metastable::oracle`.

use crate::run::{Options, run};
use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::prelude::*;
use slowthink::metastable::oracle;

/// What a walk over clusters pays until it comes to `target`, from each of them.
#[pyfunction]
pub fn mean_costs<'py>(
    py: Python<'py>,
    meta_edges: PyReadonlyArray2<'_, u32>,
    costs: PyReadonlyArray1<'_, f64>,
    target: usize,
    options: Options,
) -> PyResult<Bound<'py, PyArray1<f64>>> {
    let edges: Vec<[u32; 2]> = meta_edges.as_slice()?.chunks_exact(2).map(|pair| [pair[0], pair[1]]).collect();
    let costs = costs.as_slice()?;
    let work = (costs.len() as f64).powi(3);
    Ok(run(py, &options, work, |control| oracle::mean_costs(&edges, costs, target, control))?.into_pyarray(py))
}
