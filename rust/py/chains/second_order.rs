//! Wrappers of `slowthink::chains::second_order`.

use crate::chains::matrix::Chain;
use crate::chains::starts::StartsArgument;
use crate::run::{Options, run};
use numpy::PyReadwriteArray2;
use pyo3::prelude::*;
use slowthink::chains::second_order;
use slowthink::random::Seed;

/// Fills `out` (W, `n_steps` + 1) with walks of the second order.
#[pyfunction]
#[allow(clippy::too_many_arguments)]
pub fn walk_second_order(
    py: Python<'_>,
    chain: &Bound<'_, Chain>,
    start: StartsArgument<'_>,
    p: f64,
    q: f64,
    seed: [u64; 4],
    first: u64,
    mut out: PyReadwriteArray2<u32>,
    options: Options,
) -> PyResult<()> {
    let (chain, seed) = (&chain.get().0, Seed::from_words(seed));
    let starts = start.starts(chain)?;
    let n_steps = out.as_array().ncols() - 1;
    let out = out.as_slice_mut()?;
    let work = 50.0 * out.len() as f64 + 10.0 * chain.n_transitions() as f64;
    run(py, &options, work, |control| second_order::walk(chain, &starts, n_steps, p, q, &seed, first, out, control))
}
