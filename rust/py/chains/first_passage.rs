//! Wrappers of `slowthink::chains::first_passage`.

use crate::chains::matrix::Chain;
use crate::error::to_python;
use crate::run::{Options, run};
use numpy::{PyReadonlyArray1, PyReadwriteArray1, PyReadwriteArray2};
use pyo3::prelude::*;
use slowthink::chains::first_passage;
use slowthink::error::{Result, invalid};

/// Fills `out` (S, S) with the mean first passage times.
#[pyfunction]
pub fn mean_first_passage_times(
    py: Python<'_>,
    chain: &Bound<'_, Chain>,
    returns: bool,
    mut out: PyReadwriteArray2<'_, f64>,
    options: Options,
) -> PyResult<()> {
    let (chain, out) = (&chain.get().0, out.as_slice_mut()?);
    let work = (chain.n_states() as f64).powi(3);
    run(py, &options, work, |control| first_passage::mean_first_passage_times(chain, returns, out, control))
}

/// Kemeny's constant, found within `room` bytes if that is known.
#[pyfunction]
pub fn kemeny_constant(
    py: Python<'_>,
    chain: &Bound<'_, Chain>,
    room: Option<usize>,
    options: Options,
) -> PyResult<f64> {
    let room = room.unwrap_or(usize::MAX);
    let chain = &chain.get().0;
    let work = (chain.n_states() as f64).powi(3);
    run(py, &options, work, |control| first_passage::kemeny_constant(chain, room, control))
}

/// Fills `out` (`n_steps + 1`) with the law of the first visit of `targets` by a walk that begins by `law`, and returns what
/// is left after it.
#[pyfunction]
pub fn first_passage_from(
    py: Python<'_>,
    chain: &Bound<'_, Chain>,
    targets: PyReadonlyArray1<'_, u32>,
    law: PyReadonlyArray1<'_, f64>,
    mut out: PyReadwriteArray1<'_, f64>,
    options: Options,
) -> PyResult<f64> {
    let (chain, law, out) = (&chain.get().0, law.as_slice()?, out.as_slice_mut()?);
    let is_target = mask(targets.as_slice()?, chain.n_states()).map_err(to_python)?;
    let work = out.len() as f64 * (chain.n_states() + chain.n_transitions()) as f64;
    run(py, &options, work, |control| first_passage::law_from(chain, &is_target, law, out, control))
}

/// Fills `out` (`W, n_steps + 1`) and `left` (W) likewise for a walk from each of `starts`.
#[pyfunction]
pub fn first_passage_of_each(
    py: Python<'_>,
    chain: &Bound<'_, Chain>,
    targets: PyReadonlyArray1<'_, u32>,
    starts: PyReadonlyArray1<'_, u32>,
    mut out: PyReadwriteArray2<'_, f64>,
    mut left: PyReadwriteArray1<'_, f64>,
    options: Options,
) -> PyResult<()> {
    let (chain, starts) = (&chain.get().0, starts.as_slice()?);
    let (out, left) = (out.as_slice_mut()?, left.as_slice_mut()?);
    let is_target = mask(targets.as_slice()?, chain.n_states()).map_err(to_python)?;
    let n_steps = out.len() as f64 / starts.len().max(1) as f64;
    let work = n_steps * (starts.len() + 2 * chain.n_states() + 2 * chain.n_transitions()) as f64;
    run(py, &options, work, |control| first_passage::law_of_each(chain, &is_target, starts, out, left, control))
}

/// Which states are among `targets`.
fn mask(targets: &[u32], n_states: usize) -> Result<Vec<bool>> {
    let mut out = vec![false; n_states];
    for (index, &state) in targets.iter().enumerate() {
        let rule = || invalid("targets", &[index], state, format!("be below the number of states, {n_states}"));
        *out.get_mut(state as usize).ok_or_else(rule)? = true;
    }
    Ok(out)
}
