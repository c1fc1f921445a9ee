//! Wrappers of `slowthink::chains::structure`.

use crate::chains::matrix::Chain;
use crate::run::{Options, run};
use numpy::{IntoPyArray, PyArray1};
use pyo3::prelude::*;
use slowthink::chains::structure::Classes;

type Classified<'py> = (
    Bound<'py, PyArray1<u32>>,
    Bound<'py, PyArray1<u32>>,
    Bound<'py, PyArray1<i64>>,
    Bound<'py, PyArray1<bool>>,
    Bound<'py, PyArray1<i64>>,
);

/// The communicating classes: `(labels, states, begins, recurrent, periods)`.
#[pyfunction]
pub fn communicating_classes<'py>(
    py: Python<'py>,
    chain: &Bound<'_, Chain>,
    options: Options,
) -> PyResult<Classified<'py>> {
    let chain = &chain.get().0;
    let work = 20.0 * (chain.n_states() + chain.n_transitions()) as f64;
    let (classes, periods) = run(py, &options, work, |control| {
        let classes = Classes::new(chain, control)?;
        let periods = classes.periods(chain, control)?;
        Ok((classes, periods))
    })?;
    Ok((
        classes.labels.into_pyarray(py),
        classes.states.into_pyarray(py),
        classes.begins.into_pyarray(py),
        classes.recurrent.into_pyarray(py),
        periods.into_pyarray(py),
    ))
}
