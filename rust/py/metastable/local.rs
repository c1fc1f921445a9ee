//! Wrappers of `slowthink::metastable::local`.

use crate::chains::matrix::Chain;
use crate::error::to_python;
use crate::run::{Options, run};
use numpy::{PyReadonlyArray2, PyReadwriteArray2};
use pyo3::prelude::*;
use slowthink::metastable::local::{self, Group, Task};
use slowthink::random::Seed;

/// Where paths begin, their steps, and the radius of their neighbourhood.
#[derive(FromPyObject)]
pub struct PathsArgument(u32, usize, usize);

/// Fills `out` (W, 8) with the unread actions and the success of the four learners; `hidden` (n, 2) are the transitions of
/// the hidden path, `found` (W, n) tells which of them the searches found.
#[pyfunction]
#[allow(clippy::too_many_arguments)]
pub fn guess_actions(
    py: Python<'_>,
    chain: &Bound<'_, Chain>,
    hidden: PyReadonlyArray2<'_, u32>,
    paths: PathsArgument,
    table: PyReadonlyArray2<'_, u32>,
    found: PyReadonlyArray2<'_, bool>,
    seed: [u64; 4],
    first: u64,
    mut out: PyReadwriteArray2<'_, i64>,
    options: Options,
) -> PyResult<()> {
    let chain = &chain.get().0;
    let (hidden, _) = hidden.as_slice()?.as_chunks::<2>();
    let table = table.as_slice()?;
    let group = Group::new(table.to_vec(), table.len().isqrt()).map_err(to_python)?;
    let PathsArgument(start, n_steps, radius) = paths;
    let task = Task { chain, hidden, start, n_steps, radius, group: &group };
    let (found, seed, out) = (found.as_slice()?, Seed::from_words(seed), out.as_slice_mut()?);
    let work = out.len() as f64 * (n_steps as f64 + chain.n_transitions() as f64);
    run(py, &options, work, |control| local::guess(&task, found, &seed, first, out, control))
}
