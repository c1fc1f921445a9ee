//! Wrappers of `slowthink::samples::stopping`.

use crate::convert::MatrixArgument;
use crate::run::{Options, run};
use numpy::PyReadwriteArray1;
use pyo3::prelude::*;
use slowthink::samples::stopping::{self, Rule};

/// Fills `out` with the confidence that the leading answer of each row is the one that would win.
#[pyfunction]
pub fn stopping_probability(
    py: Python<'_>,
    counts: MatrixArgument<'_, i64>,
    e_value: bool,
    mut out: PyReadwriteArray1<'_, f64>,
    options: Options,
) -> PyResult<()> {
    let (counts, out) = (counts.rows(), out.as_slice_mut()?);
    let rule = if e_value { Rule::EValue } else { Rule::Beta };
    let work = out.len() as f64 * (10.0 + counts.n_columns() as f64);
    run(py, &options, work, |control| stopping::stopping_probability(&*counts, rule, control, out))
}
