//! Wrappers of `slowthink::chains::propagate`.

use crate::chains::matrix::Chain;
use crate::run::{Options, run};
use numpy::{PyReadonlyArray2, PyReadwriteArray1};
use pyo3::prelude::*;
use slowthink::chains::propagate::{self, Direction};

/// Fills `out` with what the rows of `values` become in `n_steps` steps: (rows, states), or with `every` (rows,
/// `n_steps` + 1, states), flat.
#[allow(clippy::too_many_arguments)]
#[pyfunction]
pub fn propagate_vectors(
    py: Python<'_>,
    chain: &Bound<'_, Chain>,
    values: PyReadonlyArray2<'_, f64>,
    n_steps: u64,
    backward: bool,
    every: bool,
    mut out: PyReadwriteArray1<'_, f64>,
    options: Options,
) -> PyResult<()> {
    let chain = &chain.get().0;
    let (values, out) = (values.as_slice()?, out.as_slice_mut()?);
    let direction = if backward { Direction::Backward } else { Direction::Forward };
    let n_vectors = values.len() / chain.n_states();
    let work =
        2.0 * (chain.n_states() + chain.n_transitions()) as f64 * (1.0 + n_steps as f64) * (1 + n_vectors) as f64;
    run(py, &options, work, |control| propagate::propagate(chain, values, n_steps, direction, every, out, control))
}
