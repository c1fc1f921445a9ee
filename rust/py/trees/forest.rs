//! A forest as Python sees it. `ask` and `tell` are called for every simulation, so nothing of Python stands between
//! them and the caller: `slowthink.trees.Forest` inherits them.

// The documentation of methods is read in Python, where backticks mean something else.
#![allow(clippy::doc_markdown)]

use super::columns::{PriorsArgument, Tickets, column, payloads, whole};
use super::config::{PolicyArgument, RulesArgument, config};
use super::leaves::Leaves;
use crate::error::to_python;
use crate::problems::{Problem, with_problem};
use crate::run::Options;
use crate::shared::Shared;
use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use slowthink::random::Seed;
use slowthink::trees::{self, Journaled, Policy, Told, tree};
use std::sync::atomic::{AtomicU64, Ordering};

/// Leaves up to which a call runs with the interpreter held: some milliseconds.
const BRIEF: usize = 20_000;

/// Nanoseconds that a leaf takes, about.
const LEAF: f64 = 300.0;

/// Action weights, and the action and the noise of Gumbel.
type Root<'py> = (Bound<'py, PyArray1<f64>>, Option<u32>, Option<Bound<'py, PyArray1<f64>>>);

static N_FORESTS: AtomicU64 = AtomicU64::new(0);

#[pyclass(subclass, frozen, module = "slowthink._slowthink")]
pub struct Forest {
    pub(super) forest: Shared<Journaled>,
    pub(super) number: u64,
}

impl Forest {
    /// Runs `kernel` here if it handles few leaves, else with the interpreter released.
    pub(super) fn call<R: Send>(
        &self,
        py: Python<'_>,
        n: usize,
        kernel: impl FnOnce(&mut Journaled) -> slowthink::Result<R> + Send,
    ) -> PyResult<R> {
        if n <= BRIEF {
            self.forest.at_once(py, kernel)
        } else {
            self.forest.run(py, &Options::quiet(), n as f64 * LEAF, |forest, _| kernel(forest))
        }
    }

    fn tree<R: Send>(
        &self,
        py: Python<'_>,
        number: usize,
        read: impl FnOnce(&tree::Tree, &trees::Forest) -> R + Send,
    ) -> PyResult<R> {
        self.call(py, 0, |forest| {
            let n = forest.trees().len();
            let rule = || slowthink::error::invalid("i", &[], number, format!("be below the number of trees, {n}"));
            forest.trees().get(number).map(|tree| read(tree, forest)).ok_or_else(rule)
        })
    }
}

#[pymethods]
impl Forest {
    #[new]
    fn new(
        n_trees: usize,
        policy: PolicyArgument,
        rules: RulesArgument,
        seed: PyReadonlyArray1<'_, u64>,
        first: u64,
    ) -> PyResult<Self> {
        let words = seed.as_slice()?.try_into().map_err(|_| PyValueError::new_err("a seed has four words"))?;
        let forest = trees::Forest::new(n_trees, config(&policy, rules)?, Seed::from_words(words), first);
        let forest = Shared::new(Journaled::new(forest.map_err(to_python)?, String::new()));
        Ok(Self { forest, number: N_FORESTS.fetch_add(1, Ordering::Relaxed) })
    }

    /// Up to `n` leaves to evaluate; the trees take turns, and give one at a time.
    ///
    /// Parameters
    /// ----------
    /// n : int
    ///     Leaves at most. There are fewer where everything else is in flight, known or paid for.
    /// per_tree : int, optional
    ///     Leaves that a tree may have in flight, those of earlier calls included.
    ///
    /// Returns
    /// -------
    /// Leaves
    ///     No leaf of them is in flight already. The first leaf of a tree is its root.
    ///
    /// Notes
    /// -----
    /// About 0.2 microseconds a leaf. A call for more than 20,000 leaves releases the interpreter.
    #[pyo3(signature = (n, *, per_tree=None))]
    fn ask(&self, py: Python<'_>, n: &Bound<'_, PyAny>, per_tree: Option<&Bound<'_, PyAny>>) -> PyResult<Leaves> {
        let n = whole(n, "n", "an int of at least 0")?;
        let per_tree = per_tree.map(|n| whole(n, "per_tree", "an int from 0 to 2**32 - 1")).transpose()?;
        let leaves = self.call(py, n, |forest| {
            let mut leaves = trees::Leaves::default();
            forest.ask(n, per_tree, &mut leaves).map(|()| leaves)
        })?;
        Ok(Leaves::new(self.number, leaves))
    }

    /// Tells what was found at leaves, in any order, any number of them.
    ///
    /// Parameters
    /// ----------
    /// tickets : Leaves, or array_like of int, shape (N,)
    ///     Which leaves. One that was told or cancelled already changes nothing.
    /// values : float or array_like, shape (N,), optional
    ///     How good the state of each leaf is, for the player to move there. Without values, children become known and
    ///     the tickets stay open.
    /// rewards : float or array_like, shape (N,), optional
    ///     Reward of the step into each leaf, for whoever took it; 0 by default.
    /// n_children : int or array_like of int, shape (N,), optional
    ///     How many actions each leaf has. Needed, now or in an earlier call, unless the leaf is terminal; where
    ///     children come one by one, the most there may be, without limit by default.
    /// priors : array_like, shape (N, A) or flat, optional
    ///     Prior probabilities of the children: a row for each leaf, of which the first ``n_children`` entries are read,
    ///     or those of all leaves one after another. At least 0; uniform by default.
    /// terminal : bool or array_like of bool, shape (N,), optional
    ///     Leaves that have no children.
    /// players : int or array_like of int, shape (N,), optional
    ///     The player to move at each leaf, 0 or 1. Between different players, values change their sign.
    /// cost : float or array_like, shape (N,), optional
    ///     What each evaluation cost, in a unit of yours; the trees sum it up.
    /// keys : array_like of int, shape (N,), optional
    ///     With ``transpositions``: a number from 0 to 2**64 - 1 for each leaf that equal states share and others do not.
    /// payload : sequence of (str or None), length N, optional
    ///     A text for each leaf, kept by node.
    ///
    /// Returns
    /// -------
    /// int
    ///     How many simulations this completed.
    ///
    /// Raises
    /// ------
    /// ValueError
    ///     An entry is out of range; nothing of the call took effect.
    ///
    /// Notes
    /// -----
    /// Fastest with `Leaves` as they came, and with numbers or arrays of float64, int64, bool and (priors) float32.
    #[allow(clippy::too_many_arguments)]
    #[pyo3(signature = (tickets, values=None, *, rewards=None, n_children=None, priors=None, terminal=None, players=None, cost=None, keys=None, payload=None))]
    fn tell(
        &self,
        py: Python<'_>,
        tickets: &Bound<'_, PyAny>,
        values: Option<&Bound<'_, PyAny>>,
        rewards: Option<&Bound<'_, PyAny>>,
        n_children: Option<&Bound<'_, PyAny>>,
        priors: Option<&Bound<'_, PyAny>>,
        terminal: Option<&Bound<'_, PyAny>>,
        players: Option<&Bound<'_, PyAny>>,
        cost: Option<&Bound<'_, PyAny>>,
        keys: Option<&Bound<'_, PyAny>>,
        payload: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<usize> {
        let tickets = Tickets::of(tickets, self.number)?;
        let values = column(values, "values")?;
        let rewards = column(rewards, "rewards")?;
        let n_children = column(n_children, "n_children")?;
        let priors = PriorsArgument::of(priors)?;
        let terminal = column(terminal, "terminal")?;
        let players = column(players, "players")?;
        let cost = column(cost, "cost")?;
        let keys = column(keys, "keys")?;
        let payload = payloads(payload)?;
        let texts: Vec<Option<&str>> = payload.iter().map(Option::as_deref).collect();
        let tickets = tickets.numbers()?;
        let told = Told {
            values: values.view()?,
            rewards: rewards.view()?,
            n_children: n_children.view()?,
            terminal: terminal.view()?,
            players: players.view()?,
            costs: cost.view()?,
            keys: keys.view()?,
            priors: priors.view()?,
            payloads: &texts,
        };
        self.call(py, tickets.len(), |forest| forest.tell(tickets, &told))
    }

    /// Takes leaves back that will not be told, with every count they left.
    ///
    /// Parameters
    /// ----------
    /// tickets : Leaves, or array_like of int, shape (N,)
    ///     Which leaves. One that was told or cancelled already changes nothing.
    ///
    /// Returns
    /// -------
    /// int
    ///     How many were in flight.
    fn cancel(&self, py: Python<'_>, tickets: &Bound<'_, PyAny>) -> PyResult<usize> {
        let tickets = Tickets::of(tickets, self.number)?;
        let tickets = tickets.numbers()?;
        self.call(py, tickets.len(), |forest| forest.cancel(tickets))
    }

    /// How many trees there are.
    #[getter]
    fn n_trees(&self, py: Python<'_>) -> PyResult<usize> {
        self.call(py, 0, |forest| Ok(forest.trees().len()))
    }

    /// What multiplies a value at each step up.
    #[getter]
    fn discount(&self, py: Python<'_>) -> PyResult<f64> {
        self.call(py, 0, |forest| Ok(forest.config().discount))
    }

    /// How many leaves were asked for and not told.
    #[getter]
    fn n_in_flight(&self, py: Python<'_>) -> PyResult<usize> {
        self.call(py, 0, |forest| Ok(forest.trees().iter().map(|tree| tree.n_in_flight() as usize).sum()))
    }

    /// How many simulations were completed, in each tree.
    #[getter]
    fn simulations<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray1<i64>>> {
        let counts: Vec<i64> =
            self.call(py, 0, |forest| Ok(forest.trees().iter().map(|tree| tree.n_simulations().into()).collect()))?;
        Ok(counts.into_pyarray(py))
    }

    /// What was told to have been spent, in each tree.
    #[getter]
    fn costs<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray1<f64>>> {
        let costs: Vec<f64> = self.call(py, 0, |forest| Ok(forest.trees().iter().map(tree::Tree::cost).collect()))?;
        Ok(costs.into_pyarray(py))
    }

    /// Which trees have nothing left to do: their budget is spent, everything in them is known, or they were stopped.
    #[getter]
    fn done<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray1<bool>>> {
        let done = self.call(py, 0, |forest| Ok(forest.done()))?;
        Ok(done.into_pyarray(py))
    }

    /// Asks nothing more of trees.
    fn _stop(&self, py: Python<'_>, trees: Vec<u32>) -> PyResult<()> {
        self.call(py, trees.len(), |forest| trees.iter().try_for_each(|&tree| forest.stop(tree)))
    }

    /// Sets the priority of trees.
    fn _set_priority(&self, py: Python<'_>, trees: Vec<u32>, priority: i64) -> PyResult<()> {
        self.call(py, trees.len(), |forest| forest.set_priority(&trees, priority))
    }

    /// Completes that many simulations in each tree, or as many as its budget leaves.
    fn _run(&self, py: Python<'_>, problem: &Bound<'_, Problem>, n_simulations: u32, options: Options) -> PyResult<()> {
        let problem = &problem.get().0;
        let work = f64::from(n_simulations) * self.n_trees(py)? as f64 * LEAF;
        self.forest.run(py, &options, work, |forest, control| {
            let forest = forest.unrecorded("run")?;
            with_problem!(problem, |problem| forest.run(problem, n_simulations, control))
        })
    }

    /// The columns of tree `i`, and its `(n_simulations, n_bytes, cost)`.
    fn _columns<'py>(&self, py: Python<'py>, i: usize) -> PyResult<(Bound<'py, PyDict>, (u32, usize, f64))> {
        let (columns, facts) = self.tree(py, i, |tree, forest| {
            (tree.columns(forest.config()), (tree.n_simulations(), tree.arena().n_bytes(), tree.cost()))
        })?;
        let tree::Columns { parent, action, depth, visits, in_flight, value, reward, .. } = columns;
        let tree::Columns { prior, n_children, terminal, player, same_as, .. } = columns;
        let dict = PyDict::new(py);
        dict.set_item("parent", parent.into_pyarray(py))?;
        dict.set_item("action", action.into_pyarray(py))?;
        dict.set_item("depth", depth.into_pyarray(py))?;
        dict.set_item("visits", visits.into_pyarray(py))?;
        dict.set_item("in_flight", in_flight.into_pyarray(py))?;
        dict.set_item("value", value.into_pyarray(py))?;
        dict.set_item("reward", reward.into_pyarray(py))?;
        dict.set_item("prior", prior.into_pyarray(py))?;
        dict.set_item("n_children", n_children.into_pyarray(py))?;
        dict.set_item("terminal", terminal.into_pyarray(py))?;
        if !same_as.is_empty() {
            dict.set_item("same_as", same_as.into_pyarray(py))?;
        }
        if !player.is_empty() {
            dict.set_item("player", player.into_pyarray(py))?;
        }
        Ok((dict, facts))
    }

    /// Of the root of tree `i`: the action weights, and for Gumbel its action and its noise.
    fn _root<'py>(&self, py: Python<'py>, i: usize) -> PyResult<Root<'py>> {
        let (weights, action, noise) = self.call(py, 0, |forest| {
            let is_gumbel = matches!(forest.config().policy, Policy::Gumbel(_));
            let action = if is_gumbel { forest.gumbel_action(i)? } else { None };
            let noise = if is_gumbel { Some(forest.root_noise(i)?) } else { None };
            Ok((forest.action_weights(i)?, action, noise))
        })?;
        Ok((weights.into_pyarray(py), action, noise.map(|noise| noise.into_pyarray(py))))
    }

    /// The texts told of the nodes of tree `i`.
    fn _payload<'py>(&self, py: Python<'py>, i: usize) -> PyResult<Bound<'py, PyDict>> {
        let texts: Vec<(u32, String)> =
            self.tree(py, i, |tree, _| tree.payloads().iter().map(|(&node, text)| (node, text.to_string())).collect())?;
        let dict = PyDict::new(py);
        for (node, text) in texts {
            dict.set_item(node, PyString::new(py, &text))?;
        }
        Ok(dict)
    }

    /// The simulations that each tree may have in all.
    fn _limits(&self, py: Python<'_>) -> PyResult<Vec<u32>> {
        self.call(py, 0, |forest| Ok(forest.trees().iter().map(tree::Tree::limit).collect()))
    }

    /// Sets them.
    fn _set_limits(&self, py: Python<'_>, limits: Vec<u32>) -> PyResult<()> {
        self.call(py, 0, |forest| {
            for (tree, &limit) in limits.iter().enumerate().take(forest.trees().len()) {
                forest.set_limit(tree as u32, limit)?;
            }
            Ok(())
        })
    }

    /// Sets that of one tree, and returns what it was.
    fn _set_limit(&self, py: Python<'_>, i: u32, limit: u32) -> PyResult<u32> {
        let before = self.tree(py, i as usize, |tree, _| tree.limit())?;
        self.call(py, 0, |forest| {
            forest.set_limit(i, limit)?;
            Ok(before)
        })
    }

    /// The texts of the nodes from the root to the parent of the leaf of an open ticket; None for a closed one.
    fn _texts(&self, py: Python<'_>, ticket: u64) -> PyResult<Option<Vec<Option<String>>>> {
        self.call(py, 0, |forest| {
            let Some((tree, nodes)) = forest.path(ticket) else { return Ok(None) };
            let payloads = forest.trees()[tree as usize].payloads();
            let above = &nodes[..nodes.len().saturating_sub(1)];
            Ok(Some(above.iter().map(|node| payloads.get(node).map(ToString::to_string)).collect()))
        })
    }
}
