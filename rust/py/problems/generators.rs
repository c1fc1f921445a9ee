//! Wrappers of the problems that are made as sequences of tokens: contexts for several hops, and Bigram-Backcopy.

use crate::error::to_python;
use crate::run::{Options, run};
use numpy::{PyReadonlyArray1, PyReadonlyArray2, PyReadwriteArray2, PyReadwriteArray3, PyUntypedArrayMethods as _};
use pyo3::prelude::*;
use slowthink::problems::{Backcopy, TwoHop};
use slowthink::random::Seed;

/// Fills `out` (n, length) with contexts on `(nodes, hops, chains)`.
#[pyfunction]
pub fn two_hop_contexts(
    py: Python<'_>,
    size: (usize, usize, usize),
    seed: [u64; 4],
    first: u64,
    mut out: PyReadwriteArray2<'_, u32>,
    options: Options,
) -> PyResult<()> {
    let (n_nodes, hops, n_chains) = size;
    let task = TwoHop::new(n_nodes, hops, n_chains, out.shape()[1]).map_err(to_python)?;
    let (seed, out) = (Seed::from_words(seed), out.as_slice_mut()?);
    let work = 10.0 * out.len() as f64;
    run(py, &options, work, |control| task.sample(&seed, first, out, control))
}

/// Fills `out` (n, 2, length) with sequences and how each of their tokens came about.
#[pyfunction]
#[allow(clippy::too_many_arguments)]
pub fn backcopy_sequences(
    py: Python<'_>,
    bigram: PyReadonlyArray2<'_, f64>,
    first_law: PyReadonlyArray1<'_, f64>,
    triggers: PyReadonlyArray1<'_, bool>,
    copy_probability: f64,
    seed: [u64; 4],
    first: u64,
    mut out: PyReadwriteArray3<'_, u8>,
    options: Options,
) -> PyResult<()> {
    let (bigram, first_law, triggers) = (bigram.as_slice()?, first_law.as_slice()?, triggers.as_slice()?);
    let (seed, length, out) = (Seed::from_words(seed), out.shape()[2], out.as_slice_mut()?);
    let work = 5.0 * out.len() as f64;
    run(py, &options, work, |control| {
        let task = Backcopy::new(bigram, first_law, triggers, copy_probability, control)?;
        task.sample(&seed, first, length, out, control)
    })
}
