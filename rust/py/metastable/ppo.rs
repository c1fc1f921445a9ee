//! Wrappers of `slowthink::metastable::ppo`.

use crate::chains::matrix::Chain;
use crate::run::{Options, run};
use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::prelude::*;
use slowthink::metastable::ppo::{self, Batch, Settings};
use slowthink::random::Seed;

/// `epsilon_max`, clip, learning rate, whether by signs, epochs, iterations.
#[derive(FromPyObject)]
pub struct SettingsArgument(f64, f64, f64, bool, usize, usize);

/// A policy, the probabilities of the edges iteration after iteration, the iterations, the total variation of each state,
/// and which edges were reached.
type Improved<'py> = (Chain, Bound<'py, PyArray1<f64>>, usize, Bound<'py, PyArray1<f64>>, Bound<'py, PyArray1<bool>>);

/// Raises the transitions `edges` (E, 2), by exact expectations or by a batch of `(size, seed)`.
#[pyfunction]
pub fn ppo_clip<'py>(
    py: Python<'py>,
    chain: &Bound<'_, Chain>,
    edges: PyReadonlyArray2<'_, u32>,
    law: Option<PyReadonlyArray1<'_, f64>>,
    settings: SettingsArgument,
    batch: Option<(usize, [u64; 4])>,
    options: Options,
) -> PyResult<Improved<'py>> {
    let chain = &chain.get().0;
    let (edges, _) = edges.as_slice()?.as_chunks::<2>();
    let law = law.as_ref().map(PyReadonlyArray1::as_slice).transpose()?;
    let SettingsArgument(epsilon_max, clip, learning_rate, sign_gradient, n_epochs, n_iterations) = settings;
    let settings = Settings { epsilon_max, clip, learning_rate, sign_gradient, n_epochs, n_iterations };
    let draws = batch.map_or(0, |(size, _)| size);
    let batch = batch.map(|(size, words)| Batch { size, seed: Seed::from_words(words) });
    let work = n_iterations as f64 * (1.0 + 1000.0 * edges.len() as f64 + 10.0 * draws as f64);
    let found = run(py, &options, work, |control| ppo::ppo(chain, edges, law, &settings, batch, control))?;
    Ok((
        Chain(found.chain),
        found.edge_probabilities.into_pyarray(py),
        found.n_iterations,
        found.total_variation.into_pyarray(py),
        found.reached.into_pyarray(py),
    ))
}
