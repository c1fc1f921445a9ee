//! Wrappers of what is known of keys-finding mazes: their layout, plans, the search as text, the probability of success.

use super::{BuiltIn, Problem, State, of};
use crate::run::{Options, run};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use slowthink::problems::{KeysMaze, Reasoning as _};

/// Start, goal, the room of each key, and the doors with the colours of the locked ones.
type Layout = (u8, u8, Vec<u8>, Vec<(usize, usize, Option<u8>)>);

fn maze(problem: &Problem) -> PyResult<&KeysMaze> {
    match &problem.0 {
        BuiltIn::KeysMaze(maze) => Ok(maze),
        _ => Err(PyTypeError::new_err("problem must be keys-finding mazes")),
    }
}

/// Steps of a walk at most, and tokens of a step.
#[pyfunction]
pub fn keys_maze_size(problem: &Problem) -> PyResult<(u32, f64)> {
    let maze = maze(problem)?;
    Ok((maze.max_steps(), maze.tokens_per_step()))
}

/// What the maze of an instance looks like at first.
#[pyfunction]
pub fn keys_maze_layout(problem: &Problem, instance: u64) -> PyResult<Layout> {
    let maze = maze(problem)?.maze(instance);
    let (start, goal, keys) = maze.places();
    Ok((start, goal, keys.to_vec(), maze.doors()))
}

/// A shortest plan.
#[pyfunction]
pub fn keys_maze_plan(problem: &Problem, state: &State) -> PyResult<Vec<String>> {
    let maze = maze(problem)?;
    Ok(maze.solve(of(maze, state)?))
}

/// Where a plan fails and why; `None` if it does not.
#[pyfunction]
pub fn keys_maze_failure(problem: &Problem, state: &State, plan: Vec<String>) -> PyResult<Option<(usize, String)>> {
    let maze = maze(problem)?;
    let failure = maze.check(of(maze, state)?, plan.iter().map(String::as_str));
    Ok(failure.map(|failure| (failure.step, failure.reason)))
}

/// The breadth-first search as text.
#[pyfunction]
pub fn keys_maze_trace(py: Python<'_>, problem: &Problem, state: &State, options: Options) -> PyResult<String> {
    let maze = maze(problem)?;
    let state = of(maze, state)?;
    run(py, &options, 1e8, |control| maze.trace(state, control))
}

/// The probability that a walk of the problem's own policy reaches the goal, where it is known.
#[pyfunction]
pub fn keys_maze_success(py: Python<'_>, problem: &Problem, state: &State, options: Options) -> PyResult<Option<f64>> {
    let maze = maze(problem)?;
    let state = of(maze, state)?;
    run(py, &options, 1e8, |_| Ok(maze.success_probability(state)))
}
