//! Wrappers of `slowthink::chains::fitting` and `slowthink::chains::connected`.

use crate::error::to_python;
use crate::run::{Options, run};
use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1, PyReadwriteArray2};
use pyo3::prelude::*;
use slowthink::chains::connected;
use slowthink::chains::fitting::reversible_posterior::Turns;
use slowthink::chains::fitting::table::CountTable;
use slowthink::chains::fitting::trajectories::Trajectories;
use slowthink::chains::fitting::{counts, effective, posterior, reversible, reversible_posterior};
use slowthink::random::Seed;

type Ints<'py> = Bound<'py, PyArray1<i64>>;
type States<'py> = Bound<'py, PyArray1<u32>>;
type Floats<'py> = Bound<'py, PyArray1<f64>>;

/// Trajectories, as `slowthink.chains._trajectories` makes them: states, offsets, number of states.
#[derive(FromPyObject)]
pub struct TrajectoriesArgument<'py>(PyReadonlyArray1<'py, u32>, PyReadonlyArray1<'py, i64>, usize);

impl TrajectoriesArgument<'_> {
    fn trajectories(&self) -> PyResult<Trajectories<'_>> {
        Trajectories::new(self.0.as_slice()?, self.1.as_slice()?, self.2).map_err(to_python)
    }
}

/// Counts in compressed sparse rows: indptr, indices, counts.
#[derive(FromPyObject)]
pub struct TableArgument<'py>(PyReadonlyArray1<'py, i64>, PyReadonlyArray1<'py, u32>, PyReadonlyArray1<'py, f64>);

impl TableArgument<'_> {
    fn table(&self) -> PyResult<CountTable<'_>> {
        CountTable::new(self.0.as_slice()?, self.1.as_slice()?, self.2.as_slice()?).map_err(to_python)
    }
}

/// Transitions over `lag` steps, in compressed sparse rows: `(indptr, indices, counts)`, and, if `effective`, how many
/// of those out of each state are worth one.
#[pyfunction]
pub fn count_trajectories<'py>(
    py: Python<'py>,
    trajectories: TrajectoriesArgument<'_>,
    lag: usize,
    strided: bool,
    effective: bool,
    options: Options,
) -> PyResult<(Ints<'py>, States<'py>, Ints<'py>, Option<Floats<'py>>)> {
    let trajectories = trajectories.trajectories()?;
    let work = (trajectories.states().len() + trajectories.n_states()) as f64 * if effective { 20.0 } else { 5.0 };
    let (counts, inefficiency) = run(py, &options, work, |control| {
        let counts = counts::count(&trajectories, lag, strided, control)?;
        let inefficiency =
            effective.then(|| effective::inefficiency(&trajectories, lag, &counts, control)).transpose()?;
        Ok((counts, inefficiency))
    })?;
    Ok((
        counts.indptr.into_pyarray(py),
        counts.indices.into_pyarray(py),
        counts.counts.into_pyarray(py),
        inefficiency.map(|inefficiency| inefficiency.into_pyarray(py)),
    ))
}

/// The strongly connected component of each state.
#[pyfunction]
pub fn strong_components<'py>(
    py: Python<'py>,
    indptr: PyReadonlyArray1<i64>,
    indices: PyReadonlyArray1<u32>,
    options: Options,
) -> PyResult<States<'py>> {
    let (indptr, indices) = (indptr.as_slice()?, indices.as_slice()?);
    let work = 10.0 * (indptr.len() + indices.len()) as f64;
    let components = run(py, &options, work, |control| connected::strong_components(indptr, indices, control))?;
    Ok(components.into_pyarray(py))
}

/// The reversible chain of greatest likelihood: `(indptr, indices, weights, stationary)`.
#[pyfunction]
pub fn fit_reversible<'py>(
    py: Python<'py>,
    counts: TableArgument<'_>,
    options: Options,
) -> PyResult<(Ints<'py>, States<'py>, Floats<'py>, Floats<'py>)> {
    let counts = counts.table()?;
    let work = 10_000.0 * counts.indices().len() as f64;
    let fit = run(py, &options, work, |control| reversible::fit(&counts, control))?;
    Ok((
        fit.indptr.into_pyarray(py),
        fit.indices.into_pyarray(py),
        fit.weights.into_pyarray(py),
        fit.stationary.into_pyarray(py),
    ))
}

/// Fills `out` (samples, entries) with random matrices whose rows are independent.
#[pyfunction]
pub fn sample_rows(
    py: Python<'_>,
    counts: TableArgument<'_>,
    seed: [u64; 4],
    first: u64,
    mut out: PyReadwriteArray2<f64>,
    options: Options,
) -> PyResult<()> {
    let (counts, seed) = (counts.table()?, Seed::from_words(seed));
    let out = out.as_slice_mut()?;
    let work = 50.0 * out.len() as f64;
    run(py, &options, work, |control| posterior::sample_rows(&counts, &seed, first, out, control))
}

/// Random reversible matrices: `(indptr, indices, probabilities)`, sample after sample.
#[pyfunction]
#[allow(clippy::too_many_arguments)]
pub fn sample_reversible<'py>(
    py: Python<'py>,
    counts: TableArgument<'_>,
    n_samples: usize,
    burn_in: usize,
    thinning: usize,
    seed: [u64; 4],
    first: u64,
    options: Options,
) -> PyResult<(Ints<'py>, States<'py>, Floats<'py>)> {
    let (counts, seed, turns) = (counts.table()?, Seed::from_words(seed), Turns { burn_in, thinning });
    let work = 1e4 * counts.indices().len() as f64 * (burn_in + thinning * n_samples) as f64;
    let samples = run(py, &options, work, |control| {
        reversible_posterior::sample(&counts, n_samples, turns, &seed, first, control)
    })?;
    Ok((samples.indptr.into_pyarray(py), samples.indices.into_pyarray(py), samples.probabilities.into_pyarray(py)))
}
