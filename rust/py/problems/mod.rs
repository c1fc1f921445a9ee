//! Wrappers of `slowthink::problems`: all of them as one class, so that a search takes any, and their states as another.

pub mod answers;
pub mod generators;
pub mod keys_maze;
pub mod reachability;

use crate::chains::matrix::Chain;
use crate::error::to_python;
use crate::run::{Options, run};
use numpy::{PyReadonlyArray1, PyReadonlyArray2, PyUntypedArrayMethods as _};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use slowthink::error::invalid;
use slowthink::problems as core;
use slowthink::problems::Problem as _;
use slowthink::random::Seed;
use std::any::Any;

/// The problems of the core.
#[allow(clippy::large_enum_variant)] // there is one for a problem, none for a state
pub enum BuiltIn {
    SyntheticTree(core::SyntheticTree),
    AdditiveTree(core::AdditiveTree),
    TicTacToe(core::TicTacToe),
    ConnectFour(core::ConnectFour),
    GameOf24(core::GameOf24),
    FifteenPuzzle(core::FifteenPuzzle),
    SnowballChain(core::SnowballChain),
    KeysMaze(core::KeysMaze),
    Categorical(core::Categorical),
    MetastableReasoning(core::MetastableReasoning),
    Reachability(core::Reachability),
}

/// `with_problem!(built_in, |problem| body)`: the body once for each problem, compiled for its type.
macro_rules! with_problem {
    ($built_in:expr, |$problem:ident| $body:expr) => {
        match $built_in {
            $crate::problems::BuiltIn::SyntheticTree($problem) => $body,
            $crate::problems::BuiltIn::AdditiveTree($problem) => $body,
            $crate::problems::BuiltIn::TicTacToe($problem) => $body,
            $crate::problems::BuiltIn::ConnectFour($problem) => $body,
            $crate::problems::BuiltIn::GameOf24($problem) => $body,
            $crate::problems::BuiltIn::FifteenPuzzle($problem) => $body,
            $crate::problems::BuiltIn::KeysMaze($problem) => $body,
            $crate::problems::BuiltIn::SnowballChain($problem) => $body,
            $crate::problems::BuiltIn::Categorical($problem) => $body,
            $crate::problems::BuiltIn::MetastableReasoning($problem) => $body,
            $crate::problems::BuiltIn::Reachability($problem) => $body,
        }
    };
}
#[allow(unused_imports)] // for the search, which stands on this floor
pub(crate) use with_problem;

/// `with_reasoning!(built_in, |problem| body)`: the body once for each problem that has a policy and answers; a
/// `TypeError` for the others.
macro_rules! with_reasoning {
    ($built_in:expr, |$problem:ident| $body:expr) => {
        match $built_in {
            $crate::problems::BuiltIn::GameOf24($problem) => $body,
            $crate::problems::BuiltIn::KeysMaze($problem) => $body,
            $crate::problems::BuiltIn::SnowballChain($problem) => $body,
            $crate::problems::BuiltIn::Categorical($problem) => $body,
            $crate::problems::BuiltIn::MetastableReasoning($problem) => $body,
            $crate::problems::BuiltIn::Reachability($problem) => $body,
            _ => Err(pyo3::exceptions::PyTypeError::new_err(
                "problem must be one that is reasoned about, with a policy and answers: a game or a synthetic tree is not",
            )),
        }
    };
}
pub(crate) use with_reasoning;

/// A problem that runs without Python.
#[pyclass(frozen, module = "slowthink._slowthink")]
pub struct Problem(pub BuiltIn);

/// A state of one of the problems, to be handed back to it.
#[pyclass(frozen, module = "slowthink._slowthink")]
pub struct State(Box<dyn Any + Send + Sync>);

impl State {
    /// The state as one of type `S`.
    pub fn of<S: 'static>(&self) -> PyResult<&S> {
        self.0.downcast_ref().ok_or_else(another)
    }
}

fn another() -> PyErr {
    PyTypeError::new_err("state must be a state of this problem, got one of another")
}

/// The state as one of `problem`.
fn of<'a, P: core::Problem<State: 'static>>(problem: &P, state: &'a State) -> PyResult<&'a P::State> {
    state.of().and_then(|state| if problem.owns(state) { Ok(state) } else { Err(another()) })
}

fn following<P: core::Problem>(problem: &P, state: &P::State, action: u32) -> (P::State, f64) {
    let mut next = state.clone();
    let reward = problem.step(&mut next, action);
    (next, reward)
}

fn made<T>(problem: slowthink::Result<T>, wrap: impl FnOnce(T) -> BuiltIn) -> PyResult<Problem> {
    problem.map(|problem| Problem(wrap(problem))).map_err(to_python)
}

#[pymethods]
impl Problem {
    #[staticmethod]
    fn synthetic_tree(branching: u32, depth: u32, seed: u64) -> PyResult<Self> {
        made(core::SyntheticTree::new(branching, depth, seed), BuiltIn::SyntheticTree)
    }

    #[staticmethod]
    fn additive_tree(branching: u32, depth: u32, seed: u64, rewards: bool) -> PyResult<Self> {
        made(core::AdditiveTree::new(branching, depth, seed, rewards), BuiltIn::AdditiveTree)
    }

    #[staticmethod]
    fn tic_tac_toe(moves: &str) -> PyResult<Self> {
        made(core::TicTacToe::new(moves), BuiltIn::TicTacToe)
    }

    #[staticmethod]
    fn connect_four(moves: &str) -> PyResult<Self> {
        made(core::ConnectFour::new(moves), BuiltIn::ConnectFour)
    }

    /// On all puzzles that have a solution, or on the rows of `puzzles`.
    #[staticmethod]
    #[pyo3(signature = (puzzles, temperature, options))]
    fn game_of_24(
        py: Python<'_>,
        puzzles: Option<PyReadonlyArray2<'_, i64>>,
        temperature: f64,
        options: Options,
    ) -> PyResult<Self> {
        let game = match puzzles {
            None => Ok(run(py, &options, 1e8, |_| Ok(core::GameOf24::all()))?),
            Some(puzzles) => core::GameOf24::new(puzzles.as_slice()?.as_chunks().0),
        };
        made(game.and_then(|game| game.with_temperature(temperature)), BuiltIn::GameOf24)
    }

    #[staticmethod]
    fn fifteen_puzzle(states: PyReadonlyArray2<'_, i64>, rewards: bool) -> PyResult<Self> {
        made(core::FifteenPuzzle::new(states.as_slice()?.as_chunks().0, rewards), BuiltIn::FifteenPuzzle)
    }

    /// Mazes of `(rows, columns, keys)`; `greed` is that of each policy.
    #[staticmethod]
    #[allow(clippy::too_many_arguments)]
    fn keys_maze(
        py: Python<'_>,
        size: (usize, usize, usize),
        n_instances: usize,
        greed: PyReadonlyArray1<'_, f64>,
        max_steps: Option<u32>,
        seed: u64,
        first: u64,
        options: Options,
    ) -> PyResult<Self> {
        let ((rows, columns, n_keys), greed) = (size, greed.as_slice()?);
        let parameters = core::keys_maze::Parameters { rows, columns, n_keys, n_instances, greed, max_steps };
        let seed = Seed::from_u64(seed);
        let work = 1e6 * n_instances as f64;
        run(py, &options, work, |control| core::KeysMaze::new(&parameters, &seed, first, control))
            .map(|maze| Self(BuiltIn::KeysMaze(maze)))
    }

    /// `success` has a row for each expert.
    #[staticmethod]
    fn snowball_chain(success: PyReadonlyArray2<'_, f64>, n_wrong: u32, n_instances: u64) -> PyResult<Self> {
        let length = success.shape()[1] as u32;
        made(core::SnowballChain::new(success.as_slice()?, length, n_wrong, n_instances), BuiltIn::SnowballChain)
    }

    /// `probabilities` has the laws of all instances, a row for each expert and instance.
    #[staticmethod]
    fn categorical(probabilities: PyReadonlyArray2<'_, f64>, targets: Vec<u32>) -> PyResult<Self> {
        let n_answers = probabilities.shape()[1] as u32;
        let problem = core::Categorical::new(probabilities.as_slice()?.to_vec(), n_answers, targets);
        made(problem, BuiltIn::Categorical)
    }

    /// `answers` has one for each state, 2^32 - 1 for none; `experts` are how often further policies explore.
    #[staticmethod]
    fn metastable_reasoning(
        py: Python<'_>,
        chain: &Bound<'_, Chain>,
        start: u32,
        answers: Vec<u32>,
        max_steps: u32,
        experts: Vec<f64>,
        options: Options,
    ) -> PyResult<Self> {
        let chain = &chain.get().0;
        let work = (chain.n_transitions() as f64) * f64::from(max_steps);
        let new = |control: &_| {
            core::MetastableReasoning::new(chain, start, answers, max_steps, control)?.with_experts(&experts)
        };
        run(py, &options, work, new).map(|problem| Self(BuiltIn::MetastableReasoning(problem)))
    }

    /// `questions` are roots, targets and wrong candidates.
    #[staticmethod]
    #[allow(clippy::too_many_arguments)]
    fn reachability(
        py: Python<'_>,
        edges: PyReadonlyArray2<'_, i64>,
        weights: Option<PyReadonlyArray1<'_, f64>>,
        questions: [PyReadonlyArray1<'_, i64>; 3],
        n_nodes: Option<PyReadonlyArray1<'_, i64>>,
        guess: bool,
        max_steps: Option<u32>,
        symbols: Vec<String>,
        options: Options,
    ) -> PyResult<Self> {
        let edges = edges.as_slice()?.as_chunks().0;
        let weights = weights.as_ref().map(PyReadonlyArray1::as_slice).transpose()?;
        let [root, target, neg_target] = &questions;
        let questions = [root.as_slice()?, target.as_slice()?, neg_target.as_slice()?];
        let n_nodes = n_nodes.as_ref().map(PyReadonlyArray1::as_slice).transpose()?;
        let made = run(py, &options, edges.len() as f64 * 100.0, |control| {
            let graphs = core::reachability::Graphs::new(edges, weights, questions, n_nodes)?;
            core::Reachability::new(graphs, guess, max_steps, symbols, control)
        })?;
        Ok(Self(BuiltIn::Reachability(made)))
    }

    fn root(&self, tree: u64) -> State {
        with_problem!(&self.0, |problem| State(Box::new(problem.root(tree))))
    }

    fn n_actions(&self, state: &State) -> PyResult<u32> {
        with_problem!(&self.0, |problem| Ok(problem.n_actions(of(problem, state)?)))
    }

    fn step(&self, state: &State, action: u32) -> PyResult<(State, f64)> {
        with_problem!(&self.0, |problem| {
            let state = of(problem, state)?;
            let n_actions = problem.n_actions(state);
            if action >= n_actions {
                let ended = if n_actions == 0 { ": the state is terminal" } else { "" };
                let rule = format!("be below the number of actions, {n_actions}{ended}");
                return Err(to_python(invalid("action", &[], action, rule)));
            }
            let (next, reward) = following(problem, state, action);
            Ok((State(Box::new(next)), reward))
        })
    }

    /// The value that the first stream of `seed` gives.
    fn value(&self, state: &State, seed: [u64; 4]) -> PyResult<f64> {
        let mut stream = Seed::from_words(seed).stream(0);
        with_problem!(&self.0, |problem| Ok(problem.value(of(problem, state)?, &mut stream)))
    }

    fn player(&self, state: &State) -> PyResult<u8> {
        with_problem!(&self.0, |problem| Ok(problem.player(of(problem, state)?)))
    }

    fn key(&self, state: &State) -> PyResult<Option<u64>> {
        with_problem!(&self.0, |problem| Ok(problem.key(of(problem, state)?)))
    }

    fn describe(&self, state: &State) -> PyResult<String> {
        with_problem!(&self.0, |problem| Ok(problem.describe(of(problem, state)?)))
    }

    /// The actions of `state` as people write them.
    fn actions(&self, state: &State) -> PyResult<Vec<String>> {
        with_problem!(&self.0, |problem| {
            let state = of(problem, state)?;
            Ok((0..problem.n_actions(state)).map(|action| problem.describe_action(state, action)).collect())
        })
    }

    /// `(players, branching, depth, rewards, bounds of values)`.
    #[allow(clippy::type_complexity)]
    fn traits(&self) -> (u8, Option<u32>, Option<u32>, bool, (f64, f64)) {
        with_problem!(&self.0, |problem| {
            let (players, rewards) = (problem.n_players(), problem.has_rewards());
            (players, problem.branching(), problem.max_depth(), rewards, problem.value_bounds())
        })
    }
}
