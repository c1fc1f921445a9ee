//! Wrappers of `slowthink::chains::walk`.

use crate::chains::matrix::Chain;
use crate::chains::starts::{StartsArgument, work};
use crate::run::{Options, run};
use numpy::PyReadwriteArray2;
use pyo3::prelude::*;
use slowthink::chains::walk;
use slowthink::random::Seed;

/// Fills `out` (W, `n_steps` + 1) with walks.
#[pyfunction]
#[pyo3(signature = (chain, start, seed, first, out, options))]
pub fn walk_chain(
    py: Python<'_>,
    chain: &Bound<'_, Chain>,
    start: StartsArgument<'_>,
    seed: [u64; 4],
    first: u64,
    mut out: PyReadwriteArray2<u32>,
    options: Options,
) -> PyResult<()> {
    let (chain, seed) = (&chain.get().0, Seed::from_words(seed));
    let starts = start.starts(chain)?;
    let n_steps = out.as_array().ncols() - 1;
    let out = out.as_slice_mut()?;
    let work = work(chain, out.len() as f64);
    run(py, &options, work, |control| walk::walk(chain, &starts, n_steps, &seed, first, out, control))
}
