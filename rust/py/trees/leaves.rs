//! Leaves that were asked for, as Python sees them.

// The documentation of methods is read in Python, where backticks mean something else.
#![allow(clippy::doc_markdown)]

use super::columns::whole;
use numpy::{Element, PyArray1};
use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use slowthink::trees::{self, Leaf};

const N_COLUMNS: usize = 7;

/// Leaves asked for in one call. Each column is an array of as many entries, made when it is first read.
///
/// Attributes
/// ----------
/// ticket : ndarray of uint64
///     The number under which to tell, or cancel, each leaf.
/// tree : ndarray of uint32
///     The tree.
/// node : ndarray of uint32
///     The node, a row of :class:`Tree`.
/// parent : ndarray of int64
///     Its parent; -1 for a root.
/// action : ndarray of int64
///     Its number among its siblings; -1 for a root.
/// depth : ndarray of uint32
///     Steps from the root.
/// kind : ndarray of uint8
///     0: evaluate the state behind this action; 1: generate a further child of the parent, and evaluate it.
#[pyclass(frozen, module = "slowthink.trees")]
pub struct Leaves {
    found: trees::Leaves,
    pub(super) tickets: Vec<u64>,
    /// The forest they are of.
    pub(super) forest: u64,
    columns: [PyOnceLock<Py<PyAny>>; N_COLUMNS],
}

impl Leaves {
    pub fn new(forest: u64, found: trees::Leaves) -> Self {
        let tickets = found.leaves.iter().map(|leaf| leaf.ticket).collect();
        Self { found, tickets, forest, columns: [const { PyOnceLock::new() }; N_COLUMNS] }
    }

    fn column<T: Element>(&self, py: Python<'_>, place: usize, of: impl Fn(&Leaf) -> T) -> Py<PyAny> {
        let column = self.columns[place]
            .get_or_init(py, || PyArray1::from_iter(py, self.found.leaves.iter().map(of)).into_any().unbind());
        column.clone_ref(py)
    }
}

#[pymethods]
impl Leaves {
    #[getter]
    fn ticket(&self, py: Python<'_>) -> Py<PyAny> {
        self.column(py, 0, |leaf| leaf.ticket)
    }

    #[getter]
    fn tree(&self, py: Python<'_>) -> Py<PyAny> {
        self.column(py, 1, |leaf| leaf.tree)
    }

    #[getter]
    fn node(&self, py: Python<'_>) -> Py<PyAny> {
        self.column(py, 2, |leaf| leaf.node)
    }

    #[getter]
    fn parent(&self, py: Python<'_>) -> Py<PyAny> {
        self.column(py, 3, |leaf| leaf.parent)
    }

    #[getter]
    fn action(&self, py: Python<'_>) -> Py<PyAny> {
        self.column(py, 4, |leaf| leaf.action)
    }

    #[getter]
    fn depth(&self, py: Python<'_>) -> Py<PyAny> {
        self.column(py, 5, |leaf| leaf.depth)
    }

    #[getter]
    fn kind(&self, py: Python<'_>) -> Py<PyAny> {
        self.column(py, 6, |leaf| leaf.kind as u8)
    }

    /// The actions from the root to leaf `i`.
    ///
    /// Parameters
    /// ----------
    /// i : int
    ///     Which of these leaves; negative numbers count from the end.
    ///
    /// Returns
    /// -------
    /// list of int
    ///     As many as the leaf is deep.
    fn path(&self, i: &Bound<'_, PyAny>) -> PyResult<Vec<u32>> {
        let i: isize = whole(i, "i", "an int of 64 bits")?;
        let n = self.tickets.len();
        let place = if i < 0 { i + n as isize } else { i };
        if place < 0 || place as usize >= n {
            return Err(PyIndexError::new_err(format!("i must be the number of one of {n} leaves, got {i}")));
        }
        Ok(self.found.path(place as usize).to_vec())
    }

    fn __len__(&self) -> usize {
        self.tickets.len()
    }

    fn __repr__(&self) -> String {
        const SHOWN: usize = 4;
        let leaves = &self.found.leaves;
        let one = |(i, leaf): (usize, &Leaf)| {
            let path: Vec<String> = self.found.path(i).iter().map(u32::to_string).collect();
            format!("tree {} node {} path [{}]", leaf.tree, leaf.node, path.join(", "))
        };
        let mut parts: Vec<String> = leaves.iter().enumerate().take(SHOWN).map(one).collect();
        if leaves.len() > SHOWN {
            parts.push("...".into());
        }
        let noun = if leaves.len() == 1 { "leaf" } else { "leaves" };
        if parts.is_empty() {
            return "Leaves(none)".into();
        }
        format!("Leaves({} {noun}: {})", leaves.len(), parts.join("; "))
    }
}
