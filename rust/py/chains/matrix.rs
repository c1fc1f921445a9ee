//! Wrappers of `slowthink::chains::matrix`.

use crate::convert::MatrixArgument;
use crate::run::{Options, run};
use numpy::{PyArray1, PyReadonlyArray1, PyReadwriteArray1, PyReadwriteArray2};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use slowthink::chains::matrix::{Dangling, Edges, MarkovChain, Meaning};

/// A chain in the memory of the kernels.
#[pyclass(frozen, module = "slowthink._slowthink")]
pub struct Chain(pub MarkovChain);

/// Column indices of any of the types that sparse matrices have.
#[derive(FromPyObject)]
pub enum Indices<'py> {
    I32(PyReadonlyArray1<'py, i32>),
    I64(PyReadonlyArray1<'py, i64>),
    U32(PyReadonlyArray1<'py, u32>),
}

/// What the numbers mean: probabilities unless `weights`; a row of zeros is then an error, or absorbs.
fn meaning(weights: bool, absorb: bool) -> Meaning {
    match (weights, absorb) {
        (false, _) => Meaning::Probabilities,
        (true, false) => Meaning::Weights(Dangling::Error),
        (true, true) => Meaning::Weights(Dangling::Absorb),
    }
}

#[pymethods]
impl Chain {
    #[staticmethod]
    #[pyo3(signature = (indptr, indices, values, weights, absorb, options))]
    fn from_csr(
        py: Python<'_>,
        indptr: PyReadonlyArray1<i64>,
        indices: Indices<'_>,
        values: Option<PyReadonlyArray1<f64>>,
        weights: bool,
        absorb: bool,
        options: Options,
    ) -> PyResult<Self> {
        let (indptr, meaning) = (indptr.as_slice()?, meaning(weights, absorb));
        let values = values.as_ref().map(PyReadonlyArray1::as_slice).transpose()?;
        macro_rules! build {
            ($indices:expr) => {{
                let indices = $indices.as_slice()?;
                let work = 4.0 * (indptr.len() + indices.len()) as f64;
                run(py, &options, work, |control| MarkovChain::from_csr(indptr, indices, values, meaning, control))
            }};
        }
        let chain = match &indices {
            Indices::I32(indices) => build!(indices),
            Indices::I64(indices) => build!(indices),
            Indices::U32(indices) => build!(indices),
        };
        chain.map(Self)
    }

    /// From edges whose two ends have the same dtype.
    #[allow(clippy::too_many_arguments)]
    #[staticmethod]
    #[pyo3(signature = (source, target, weight, n_states, directed, absorb, options))]
    fn from_edges(
        py: Python<'_>,
        source: Indices<'_>,
        target: Indices<'_>,
        weight: Option<PyReadonlyArray1<f64>>,
        n_states: Option<usize>,
        directed: bool,
        absorb: bool,
        options: Options,
    ) -> PyResult<Self> {
        let weight = weight.as_ref().map(PyReadonlyArray1::as_slice).transpose()?;
        let dangling = if absorb { Dangling::Absorb } else { Dangling::Error };
        macro_rules! build {
            ($source:expr, $target:expr) => {{
                let edges = Edges { source: $source.as_slice()?, target: $target.as_slice()?, weight, directed };
                let work = 20.0 * edges.source.len() as f64 + n_states.unwrap_or(0) as f64;
                run(py, &options, work, |control| MarkovChain::from_edges(edges, n_states, dangling, control))
            }};
        }
        let chain = match (&source, &target) {
            (Indices::I32(source), Indices::I32(target)) => build!(source, target),
            (Indices::I64(source), Indices::I64(target)) => build!(source, target),
            (Indices::U32(source), Indices::U32(target)) => build!(source, target),
            _ => return Err(PyTypeError::new_err("source and target must have the same dtype")),
        };
        chain.map(Self)
    }

    #[staticmethod]
    fn from_dense(
        py: Python<'_>,
        matrix: MatrixArgument<f64>,
        weights: bool,
        absorb: bool,
        options: Options,
    ) -> PyResult<Self> {
        let (rows, meaning) = (matrix.rows(), meaning(weights, absorb));
        let work = 2.0 * (rows.n_rows() * rows.n_columns()) as f64;
        run(py, &options, work, |control| MarkovChain::from_dense(&*rows, meaning, control)).map(Self)
    }

    #[getter]
    fn n_states(&self) -> usize {
        self.0.n_states()
    }

    #[getter]
    fn n_transitions(&self) -> usize {
        self.0.n_transitions()
    }

    #[getter]
    fn is_uniform(&self) -> bool {
        self.0.is_uniform()
    }

    #[getter]
    fn bytes(&self) -> usize {
        self.0.bytes()
    }

    #[getter]
    fn bytes_to_come(&self) -> usize {
        self.0.bytes_to_come()
    }

    /// Fills `indptr` (S + 1) and `probabilities` (transitions).
    fn export(
        &self,
        py: Python<'_>,
        mut indptr: Option<PyReadwriteArray1<i64>>,
        mut probabilities: Option<PyReadwriteArray1<f64>>,
        options: Options,
    ) -> PyResult<()> {
        let indptr = indptr.as_mut().map(PyReadwriteArray1::as_slice_mut).transpose()?;
        let probabilities = probabilities.as_mut().map(PyReadwriteArray1::as_slice_mut).transpose()?;
        let work = 2.0 * (self.0.n_states() + self.0.n_transitions()) as f64;
        run(py, &options, work, |control| self.0.export(indptr, probabilities, control))
    }

    /// Fills `out` (S, S).
    fn fill_dense(&self, py: Python<'_>, mut out: PyReadwriteArray2<f64>, options: Options) -> PyResult<()> {
        let out = out.as_slice_mut()?;
        run(py, &options, out.len() as f64, |control| self.0.fill_dense(out, control))
    }

    /// Targets and probabilities of a state that is known to be one.
    fn row<'py>(&self, py: Python<'py>, state: u32) -> (Bound<'py, PyArray1<u32>>, Bound<'py, PyArray1<f64>>) {
        let row = self.0.row(state);
        let probabilities = PyArray1::from_iter(py, row.iter().map(|(_, probability)| probability));
        (PyArray1::from_slice(py, row.targets), probabilities)
    }

    /// All targets, row after row.
    fn indices<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<u32>> {
        PyArray1::from_slice(py, self.0.targets())
    }
}
