//! Wrappers of `slowthink::chains::observe` and `slowthink::chains::transitions`.

use crate::chains::matrix::Chain;
use crate::chains::starts::WalksArgument;
use crate::run::{Options, run};
use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1, PyReadwriteArray1, PyReadwriteArray2};
use pyo3::prelude::*;
use slowthink::chains::{observe, transitions};

/// Adds the visits of walks to `out`, one counter for each state.
#[pyfunction]
pub fn count_visits(
    py: Python<'_>,
    chain: &Bound<'_, Chain>,
    walks: WalksArgument<'_>,
    from_step: usize,
    mut out: PyReadwriteArray1<i64>,
    options: Options,
) -> PyResult<()> {
    let chain = &chain.get().0;
    let (walks, work) = (walks.walks(chain)?, walks.work(chain));
    let out = out.as_slice_mut()?;
    run(py, &options, work, |control| observe::count_visits(chain, &walks, from_step, out, control))
}

/// Adds the transitions of walks to `out`, one counter for each transition of the chain.
#[pyfunction]
pub fn count_transitions(
    py: Python<'_>,
    chain: &Bound<'_, Chain>,
    walks: WalksArgument<'_>,
    from_step: usize,
    mut out: PyReadwriteArray1<i64>,
    options: Options,
) -> PyResult<()> {
    let chain = &chain.get().0;
    let (walks, work) = (walks.walks(chain)?, walks.work(chain) + 4.0 * chain.n_transitions() as f64);
    let out = out.as_slice_mut()?;
    run(py, &options, work, |control| transitions::count_transitions(chain, &walks, from_step, out, control))
}

type PairArrays<'py> = (Bound<'py, PyArray1<i64>>, Bound<'py, PyArray1<u32>>, Bound<'py, PyArray1<i64>>);

/// The pairs of states `lag` steps apart, in compressed sparse rows: `(indptr, indices, counts)`.
#[pyfunction]
pub fn count_pairs<'py>(
    py: Python<'py>,
    chain: &Bound<'py, Chain>,
    walks: WalksArgument<'_>,
    from_step: usize,
    lag: usize,
    options: Options,
) -> PyResult<PairArrays<'py>> {
    let chain = &chain.get().0;
    let (walks, work) = (walks.walks(chain)?, 3.0 * walks.work(chain));
    let pairs = run(py, &options, work, |control| transitions::count_pairs(chain, &walks, from_step, lag, control))?;
    Ok((pairs.indptr.into_pyarray(py), pairs.indices.into_pyarray(py), pairs.counts.into_pyarray(py)))
}

/// Fills `out` with the state of each walk after its last step.
#[pyfunction]
pub fn endpoints(
    py: Python<'_>,
    chain: &Bound<'_, Chain>,
    walks: WalksArgument<'_>,
    mut out: PyReadwriteArray1<u32>,
    options: Options,
) -> PyResult<()> {
    let chain = &chain.get().0;
    let (walks, work) = (walks.walks(chain)?, walks.work(chain));
    let out = out.as_slice_mut()?;
    run(py, &options, work, |control| observe::endpoints(chain, &walks, out, control))
}

/// Adds to `out` (`n_steps` + 1, labels) how many walks are at a state of each label after each step.
#[pyfunction]
pub fn occupancy(
    py: Python<'_>,
    chain: &Bound<'_, Chain>,
    walks: WalksArgument<'_>,
    labels: Option<PyReadonlyArray1<u32>>,
    mut out: PyReadwriteArray2<i64>,
    options: Options,
) -> PyResult<()> {
    let chain = &chain.get().0;
    let (walks, work) = (walks.walks(chain)?, walks.work(chain));
    let labels = labels.as_ref().map(PyReadonlyArray1::as_slice).transpose()?;
    let n_labels = out.as_array().ncols();
    let out = out.as_slice_mut()?;
    run(py, &options, work, |control| observe::occupancy(chain, &walks, labels, n_labels, out, control))
}
