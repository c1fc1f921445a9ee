//! Wrappers of `slowthink::problems::reachability`.

use super::{BuiltIn, Problem};
use crate::run::{Options, run};
use numpy::{PyArray1, PyArray2, PyArrayMethods, PyReadwriteArray1, PyReadwriteArray2};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use slowthink::problems::Reachability;
use slowthink::problems::reachability::generate::{Law, generate, n_names};
use slowthink::problems::reachability::superposition::{Noise, all_distances, depths, thoughts};
use slowthink::problems::reachability::walks::{Manner, Plan, walks};
use slowthink::problems::reachability::{Graphs, exact};
use slowthink::random::Seed;

impl Problem {
    fn reachable(&self) -> PyResult<&Reachability> {
        match &self.0 {
            BuiltIn::Reachability(problem) => Ok(problem),
            _ => Err(PyTypeError::new_err("problem must be a Reachability")),
        }
    }
}

/// Nanoseconds that a pass over all graphs takes.
fn one_pass(graphs: &Graphs) -> f64 {
    graphs.first_nodes()[graphs.len()] as f64 * 20.0
}

/// How many nodes each graph has.
#[pyfunction]
pub fn graph_sizes<'py>(py: Python<'py>, problem: &Problem) -> PyResult<Bound<'py, PyArray1<i64>>> {
    let nodes = problem.reachable()?.graphs().first_nodes();
    Ok(PyArray1::from_iter(py, nodes.windows(2).map(|ends| (ends[1] - ends[0]) as i64)))
}

/// `(max_steps, bounded)`: the most steps of a walk, and whether there are walks that this cuts off.
#[pyfunction]
pub fn graph_horizon(problem: &Problem) -> PyResult<(u32, bool)> {
    use slowthink::problems::Reasoning as _;
    let problem = problem.reachable()?;
    Ok((problem.max_steps(), problem.is_bounded()))
}

/// A row for each graph: probabilities to end at the target, at the other candidate, and at neither, before any guess.
#[pyfunction]
pub fn graph_ends<'py>(py: Python<'py>, problem: &Problem, options: Options) -> PyResult<Bound<'py, PyArray2<f64>>> {
    let problem = problem.reachable()?;
    // A graph with a cycle takes as many passes as there are steps; how many of them there are is not known here.
    let ends = run(py, &options, 1e9, |control| problem.root_ends(control))?;
    let flat: Vec<f64> = ends.iter().flat_map(|ends| [ends.target, ends.neg_target, ends.nowhere]).collect();
    PyArray1::from_vec(py, flat).reshape([ends.len(), 3])
}

/// The mean number of steps of a walk on each graph.
#[pyfunction]
pub fn graph_mean_steps<'py>(
    py: Python<'py>,
    problem: &Problem,
    options: Options,
) -> PyResult<Bound<'py, PyArray1<f64>>> {
    let problem = problem.reachable()?;
    Ok(PyArray1::from_vec(py, run(py, &options, 1e9, |control| problem.mean_steps(control))?))
}

/// How many paths lead to the target of each graph.
#[pyfunction]
pub fn graph_paths<'py>(py: Python<'py>, problem: &Problem, options: Options) -> PyResult<Bound<'py, PyArray1<f64>>> {
    let graphs = problem.reachable()?.graphs();
    let paths = run(py, &options, one_pass(graphs), |control| exact::all_paths(graphs, control))?;
    Ok(PyArray1::from_vec(py, paths))
}

/// The distance of the target of each graph.
#[pyfunction]
pub fn graph_depths<'py>(py: Python<'py>, problem: &Problem, options: Options) -> PyResult<Bound<'py, PyArray1<i64>>> {
    let graphs = problem.reachable()?.graphs();
    Ok(PyArray1::from_vec(py, run(py, &options, one_pass(graphs), |control| depths(graphs, control))?))
}

/// Fills `out`, a row for each graph, with the distances of its nodes.
#[pyfunction]
pub fn graph_distances(
    py: Python<'_>,
    problem: &Problem,
    mut out: PyReadwriteArray2<'_, i64>,
    options: Options,
) -> PyResult<()> {
    let (graphs, width) = (problem.reachable()?.graphs(), out.as_array().ncols());
    let out = out.as_slice_mut()?;
    run(py, &options, one_pass(graphs), |control| all_distances(graphs, width, out, control))
}

/// Fills `out` with walks, `n_walks` for each graph, as 64 bits each; `manner` is policy, no-revisit or depth-first.
#[pyfunction]
#[allow(clippy::too_many_arguments)]
pub fn walk_graphs(
    py: Python<'_>,
    problem: &Problem,
    plan: (&str, bool, u32),
    n_walks: usize,
    seed: [u64; 4],
    first: u64,
    mut out: PyReadwriteArray1<'_, u64>,
    options: Options,
) -> PyResult<()> {
    let graphs = problem.reachable()?.graphs();
    let (manner, restart, max_steps) = plan;
    let manner = match manner {
        "policy" => Manner::Policy,
        "no-revisit" => Manner::NoRevisit,
        _ => Manner::DepthFirst,
    };
    let (plan, seed, out) = (Plan { manner, restart, max_steps }, Seed::from_words(seed), out.as_slice_mut()?);
    // Without restarts a walk seldom takes more than some ten steps.
    let work = out.len() as f64 * if restart { 1000.0 } else { 60.0 };
    run(py, &options, work, |control| walks(graphs, plan, n_walks, &seed, first, out, control))
}

/// Fills `out` with the weights of the nodes in each thought; `noise` is `(sigma, threshold)`.
#[pyfunction]
#[allow(clippy::too_many_arguments)]
pub fn graph_thoughts(
    py: Python<'_>,
    problem: &Problem,
    n_steps: usize,
    width: usize,
    noise: Option<(f64, f64)>,
    seed: [u64; 4],
    first: u64,
    mut out: PyReadwriteArray1<'_, f64>,
    options: Options,
) -> PyResult<()> {
    let (graphs, seed, out) = (problem.reachable()?.graphs(), Seed::from_words(seed), out.as_slice_mut()?);
    let noise = noise.map(|(sigma, threshold)| Noise { sigma, threshold });
    let work = out.len() as f64 * if noise.is_some() { 10.0 } else { 2.0 };
    run(py, &options, work, |control| thoughts(graphs, (n_steps, width), noise, &seed, first, out, control))
}

type Generated<'py> =
    (Bound<'py, PyArray2<i64>>, Bound<'py, PyArray2<i64>>, Bound<'py, PyArray1<i64>>, Bound<'py, PyArray1<i64>>, usize);

/// Random instances: edges with the numbers of their graphs, questions, sizes, a number for the name of each node, and
/// how many names there are.
#[pyfunction]
pub fn generate_graphs(
    py: Python<'_>,
    n: usize,
    law: (usize, f64, [f64; 2], f64, u32),
    seed: [u64; 4],
    first: u64,
    options: Options,
) -> PyResult<Generated<'_>> {
    let (n_nodes, n_parents, shares, depth_weight, min_depth) = law;
    let law = Law { n_nodes, n_parents, shares, depth_weight, min_depth };
    let seed = Seed::from_words(seed);
    let work = n as f64 * n_nodes as f64 * n_nodes as f64 * 20.0;
    let drawn = run(py, &options, work, |control| generate(&law, n, &seed, first, control))?;
    let edges: Vec<i64> = drawn
        .iter()
        .enumerate()
        .flat_map(|(i, one)| one.edges.iter().flat_map(move |edge| [i as i64, edge[0].into(), edge[1].into()]))
        .collect();
    let questions: Vec<i64> = drawn
        .iter()
        .flat_map(|one| [one.question.root, one.question.target, one.question.neg_target].map(i64::from))
        .collect();
    let n_edges = edges.len() / 3;
    Ok((
        PyArray1::from_vec(py, edges).reshape([n_edges, 3])?,
        PyArray1::from_vec(py, questions).reshape([n, 3])?,
        PyArray1::from_iter(py, drawn.iter().map(|one| one.names.len() as i64)),
        PyArray1::from_iter(py, drawn.iter().flat_map(|one| one.names.iter().map(|&name| i64::from(name)))),
        n_names(n_nodes),
    ))
}
