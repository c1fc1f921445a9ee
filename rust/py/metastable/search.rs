//! Wrappers of `slowthink::metastable::search`.

use crate::chains::matrix::Chain;
use crate::chains::starts::{StartsArgument, work};
use crate::run::{Options, run};
use numpy::{IntoPyArray, PyArray1};
use pyo3::prelude::*;
use slowthink::metastable::search::{self, Plan};
use slowthink::random::Seed;

/// Edges (pair after pair), counts and the steps at which each was found; restarts, steps and censored rollouts.
type Found<'py> = (Bound<'py, PyArray1<u32>>, Bound<'py, PyArray1<i64>>, Bound<'py, PyArray1<i64>>, usize, u64, u64);

/// Searches for sparse edges; `plan` are restarts, rollouts, steps that learn the cluster and the most steps of a
/// rollout, `stop` the edges that are enough and the restarts without a new one.
#[pyfunction]
#[allow(clippy::too_many_arguments)]
pub fn sparse_edge_search<'py>(
    py: Python<'py>,
    chain: &Bound<'py, Chain>,
    starts: Option<StartsArgument<'_>>,
    plan: (usize, usize, u64, u64),
    stop: (Option<usize>, Option<usize>),
    seed: [u64; 4],
    first: u64,
    options: Options,
) -> PyResult<Found<'py>> {
    let chain = &chain.get().0;
    let starts = starts.as_ref().map(|starts| starts.starts(chain)).transpose()?;
    let (n_restarts, n_rollouts, n_cluster_steps, max_steps) = plan;
    let steps = n_restarts as f64 * (n_cluster_steps as f64 + n_rollouts as f64 * max_steps as f64);
    let (n_edges, patience) = stop;
    let plan = Plan { starts, n_restarts, n_rollouts, n_cluster_steps, max_steps, n_edges, patience };
    let found = run(py, &options, work(chain, steps), |control| {
        search::sparse_edge_search(chain, &plan, &Seed::from_words(seed), first, control)
    })?;
    Ok((
        found.edges.concat().into_pyarray(py),
        found.counts.into_pyarray(py),
        found.found_at.into_pyarray(py),
        found.n_restarts,
        found.n_steps,
        found.n_censored,
    ))
}
