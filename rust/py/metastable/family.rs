//! Wrappers of `slowthink::metastable::family`.

use crate::chains::matrix::Chain;
use crate::run::{Options, run};
use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::prelude::*;
use slowthink::metastable::MetaGraph;
use slowthink::metastable::family::{self, Entries, Spec, Within};
use slowthink::random::Seed;

/// Which graph: its name and a degree, or its edges.
#[derive(FromPyObject)]
pub enum GraphArgument<'py> {
    Edges(PyReadonlyArray2<'py, u32>),
    Named(String, usize),
}

/// Which entry states: how they are chosen, or their numbers within each cluster.
#[derive(FromPyObject)]
pub enum EntriesArgument<'py> {
    Given(PyReadonlyArray1<'py, u32>),
    Named(String),
}

type States<'py> = Bound<'py, PyArray1<u32>>;

/// The chain, meta-edges and sparse edges (each pair after pair), entry states and actions.
type Made<'py> = (Chain, States<'py>, States<'py>, States<'py>, States<'py>);

/// Makes a chain of clusters; `sizes` are the clusters, their states, sources and entry states of each.
#[pyfunction]
#[allow(clippy::too_many_arguments)]
pub fn metastable_chain<'py>(
    py: Python<'py>,
    sizes: (usize, usize, usize, usize),
    epsilon: f64,
    meta_graph: GraphArgument<'_>,
    within: (String, usize),
    entries: EntriesArgument<'_>,
    n_actions: u32,
    seed: [u64; 4],
    options: Options,
) -> PyResult<Made<'py>> {
    let (n_clusters, cluster_size, n_sources, n_targets) = sizes;
    let edges;
    let meta_graph = match &meta_graph {
        GraphArgument::Edges(given) => {
            edges = given.as_slice()?.chunks_exact(2).map(|pair| [pair[0], pair[1]]).collect::<Vec<_>>();
            MetaGraph::Edges(&edges)
        }
        GraphArgument::Named(name, degree) => match name.as_str() {
            "complete" => MetaGraph::Complete,
            "cycle" => MetaGraph::Cycle,
            "random" => MetaGraph::Random { degree: *degree },
            _ => MetaGraph::Ring,
        },
    };
    let within = match within.0.as_str() {
        "regular" => Within::Regular { degree: within.1 },
        "random" => Within::Random,
        _ => Within::Uniform,
    };
    let entries = match &entries {
        EntriesArgument::Given(given) => Entries::Given(given.as_slice()?),
        EntriesArgument::Named(name) => match name.as_str() {
            "source" => Entries::Sources,
            "random" => Entries::Random,
            _ => Entries::Distinct,
        },
    };
    let spec = Spec { n_clusters, cluster_size, epsilon, n_sources, n_targets, meta_graph, within, entries, n_actions };
    let work = 20.0 * (n_clusters as f64) * (cluster_size as f64).powi(2);
    let made = run(py, &options, work, |control| family::metastable_chain(&spec, &Seed::from_words(seed), control))?;
    Ok((
        Chain(made.chain),
        made.meta_edges.concat().into_pyarray(py),
        made.sparse_edges.concat().into_pyarray(py),
        made.entries.into_pyarray(py),
        made.actions.into_pyarray(py),
    ))
}
