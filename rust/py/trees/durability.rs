//! Wrappers of what makes a forest survive its process: files, journals, and roots that move.

use super::forest::Forest;
use super::leaves::Leaves;
use crate::run::Options;
use numpy::{IntoPyArray, PyArray1};
use pyo3::prelude::*;
use slowthink::trees::{self, Journaled};
use std::path::PathBuf;

/// Nanoseconds that a file takes, about: enough for other Python threads to go on meanwhile.
const FILE: f64 = 1e8;

impl Forest {
    fn with_file<R: Send>(
        &self,
        py: Python<'_>,
        kernel: impl FnOnce(&mut Journaled) -> slowthink::Result<R> + Send,
    ) -> PyResult<R> {
        self.forest.run(py, &Options::quiet(), FILE, |forest, _| kernel(forest))
    }
}

/// Writes the forest to a file, and `note` with it.
#[pyfunction]
pub fn forest_save(py: Python<'_>, forest: &Bound<'_, Forest>, path: PathBuf, note: &str, fsync: bool) -> PyResult<()> {
    forest.get().with_file(py, |forest| forest.save(&path, note, fsync))
}

/// Puts the forest of a file in the place of this one, and returns its note.
#[pyfunction]
pub fn forest_load(py: Python<'_>, forest: &Bound<'_, Forest>, path: PathBuf) -> PyResult<String> {
    forest.get().with_file(py, |forest| {
        let (loaded, note) = trees::Forest::load(&path)?;
        *forest = Journaled::new(loaded, note.clone());
        Ok(note)
    })
}

/// Begins a journal.
#[pyfunction]
pub fn forest_keep(py: Python<'_>, forest: &Bound<'_, Forest>, path: PathBuf, note: &str, fsync: bool) -> PyResult<()> {
    forest.get().with_file(py, |forest| forest.keep(&path, note, fsync))
}

/// Puts the forest of a journal in the place of this one, and returns its note. With `same_seed` the two must search alike,
/// from the same seed if it is true.
#[pyfunction]
#[pyo3(signature = (forest, path, fsync, same_seed=None))]
pub fn forest_resume(
    py: Python<'_>,
    forest: &Bound<'_, Forest>,
    path: PathBuf,
    fsync: bool,
    same_seed: Option<bool>,
) -> PyResult<String> {
    forest.get().with_file(py, |forest| {
        let resumed = Journaled::resume(&path, fsync)?;
        if let Some(same_seed) = same_seed {
            resumed.agrees(forest, same_seed)?;
        }
        *forest = resumed;
        Ok(forest.note().to_owned())
    })
}

/// Begins the journal anew.
#[pyfunction]
pub fn forest_compact(py: Python<'_>, forest: &Bound<'_, Forest>) -> PyResult<()> {
    forest.get().with_file(py, Journaled::compact)
}

/// All leaves in flight.
#[pyfunction]
pub fn forest_outstanding(py: Python<'_>, forest: &Bound<'_, Forest>) -> PyResult<Leaves> {
    let forest = forest.get();
    let leaves = forest.call(py, 0, |forest| {
        let mut leaves = trees::Leaves::default();
        forest.outstanding(&mut leaves);
        Ok(leaves)
    })?;
    Ok(Leaves::new(forest.number, leaves))
}

/// Makes `node` of tree `tree` its root; returns the new number of each old node, or -1.
#[pyfunction]
pub fn forest_reroot<'py>(
    py: Python<'py>,
    forest: &Bound<'py, Forest>,
    tree: u32,
    node: u32,
) -> PyResult<Bound<'py, PyArray1<i64>>> {
    Ok(forest.get().with_file(py, |forest| forest.reroot(tree, node))?.into_pyarray(py))
}

/// The child of the root of tree `tree` by `action`, if there is room for it.
#[pyfunction]
pub fn forest_child(py: Python<'_>, forest: &Bound<'_, Forest>, tree: usize, action: u32) -> PyResult<Option<u32>> {
    forest.get().call(py, 0, |forest| Ok(forest.trees().get(tree).and_then(|tree| tree.child(0, action))))
}
