//! Wrappers of what is known of the problems: best values, exact scores, solutions.

use super::{BuiltIn, Problem, State};
use crate::run::{Options, run};
use numpy::{PyArray2, PyArrayMethods};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use slowthink::problems::connect_four::{Position, solver::Solver};
use slowthink::problems::fifteen_puzzle::{Tiles, solver::solve_optimally};
use slowthink::problems::game_of_24::solutions::solutions;

/// Solvers look for Ctrl-C from the start: how long they take is not known before.
const LONG: f64 = 1e9;

/// What the best play from `state` is worth.
#[pyfunction]
pub fn best_value(py: Python<'_>, problem: &Problem, state: &State, options: Options) -> PyResult<f64> {
    match &problem.0 {
        BuiltIn::AdditiveTree(tree) => {
            let state = state.of()?;
            run(py, &options, LONG, |control| tree.best_value(state, control))
        }
        BuiltIn::TicTacToe(game) => Ok(f64::from(game.best_value(state.of()?))),
        _ => Err(PyTypeError::new_err("problem must be one whose best values are known")),
    }
}

/// The exact score of a position of connect four, or those of its actions.
#[pyfunction]
pub fn connect_four_scores(
    py: Python<'_>,
    state: &State,
    of_actions: bool,
    max_nodes: Option<u64>,
    options: Options,
) -> PyResult<Vec<i32>> {
    let position = *state.of::<Position>()?;
    run(py, &options, LONG, |control| {
        let mut solver = Solver::new(max_nodes.unwrap_or(u64::MAX), control)?;
        if of_actions { solver.action_scores(position) } else { Ok(vec![solver.score(position)?]) }
    })
}

/// The directions of a shortest solution of a 15-puzzle.
#[pyfunction]
pub fn fifteen_puzzle_solution(
    py: Python<'_>,
    state: &State,
    max_nodes: Option<u64>,
    options: Options,
) -> PyResult<Vec<&'static str>> {
    let tiles = *state.of::<Tiles>()?;
    run(py, &options, LONG, |control| solve_optimally(&tiles, max_nodes.unwrap_or(u64::MAX), control))
}

/// The Manhattan distance of a 15-puzzle.
#[pyfunction]
pub fn fifteen_puzzle_distance(state: &State) -> PyResult<u32> {
    Ok(state.of::<Tiles>()?.distance())
}

/// All expressions that make 24 of four numbers.
#[pyfunction]
pub fn game_of_24_solutions(py: Python<'_>, numbers: [i64; 4], options: Options) -> PyResult<Vec<String>> {
    run(py, &options, 1e7, |_| solutions(&numbers))
}

/// The puzzles of a Game of 24, a row each.
#[pyfunction]
pub fn game_of_24_puzzles<'py>(py: Python<'py>, problem: &Problem) -> PyResult<Bound<'py, PyArray2<i64>>> {
    let BuiltIn::GameOf24(game) = &problem.0 else {
        return Err(PyTypeError::new_err("problem must be a Game of 24"));
    };
    let numbers = game.puzzles().iter().flatten().map(|&number| i64::from(number));
    numpy::PyArray1::from_iter(py, numbers).reshape([game.puzzles().len(), 4])
}
