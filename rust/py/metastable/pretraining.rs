//! Wrappers of `slowthink::metastable::pretraining`.

use crate::chains::matrix::Chain;
use crate::run::{Options, run};
use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;
use slowthink::metastable::pretraining::{self, Settings};

type Floats<'py> = Bound<'py, PyArray1<f64>>;

/// A model and its figures at the steps `first` of the first stage, then `second` of the second: chain, excess loss,
/// largest relative error, spurious probability; entries kept by mistake, and transitions cut off.
#[pyfunction]
#[allow(clippy::too_many_arguments)]
pub fn pretrain_bigram<'py>(
    py: Python<'py>,
    chain: &Bound<'_, Chain>,
    law: PyReadonlyArray1<'_, f64>,
    learning_rate: f64,
    threshold: f64,
    first: PyReadonlyArray1<'_, u64>,
    second: PyReadonlyArray1<'_, u64>,
    options: Options,
) -> PyResult<(Chain, Floats<'py>, Floats<'py>, Floats<'py>, u64, u64)> {
    let (chain, law, noted) = (&chain.get().0, law.as_slice()?, [first.as_slice()?, second.as_slice()?]);
    let settings = Settings { learning_rate, threshold, noted };
    let steps: f64 = noted.iter().filter_map(|noted| noted.last()).map(|steps| *steps as f64).sum();
    let work = 10.0 * steps * chain.n_states() as f64 + chain.n_transitions() as f64;
    let found = run(py, &options, work, |control| pretraining::pretrain(chain, law, &settings, control))?;
    Ok((
        Chain(found.chain),
        found.excess.into_pyarray(py),
        found.error.into_pyarray(py),
        found.spurious.into_pyarray(py),
        found.n_spurious,
        found.n_missed,
    ))
}
