//! Wrappers of `slowthink::chains::lump`.

use crate::chains::matrix::Chain;
use crate::run::{Options, run};
use numpy::PyReadonlyArray1;
use pyo3::prelude::*;
use slowthink::chains::lump::{self, Deviation};

/// A difference: `(low, high, state of the low, state of the high, block)`.
type Difference = (f64, f64, u32, u32, u32);

const fn difference(deviation: Deviation) -> Difference {
    (deviation.low, deviation.high, deviation.low_state, deviation.high_state, deviation.block)
}

/// The chain of the blocks, with the largest difference within one and the largest relative to the greater number.
#[pyfunction]
pub fn lump_states(
    py: Python<'_>,
    chain: &Bound<'_, Chain>,
    labels: PyReadonlyArray1<'_, u32>,
    n_blocks: usize,
    weights: PyReadonlyArray1<'_, f64>,
    options: Options,
) -> PyResult<(Chain, Difference, Difference)> {
    let chain = &chain.get().0;
    let (labels, weights) = (labels.as_slice()?, weights.as_slice()?);
    let work = 10.0 * (chain.n_states() + chain.n_transitions()) as f64;
    let lumped = run(py, &options, work, |control| lump::lump(chain, labels, n_blocks, weights, control))?;
    Ok((Chain(lumped.chain), difference(lumped.largest), difference(lumped.largest_relative)))
}
