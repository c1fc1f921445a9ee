//! Wrappers of `slowthink::samples::log`.

use crate::run::{Options, run};
use numpy::{IntoPyArray, PyReadonlyArray1};
use pyo3::exceptions::{PyRuntimeError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyTuple};
use slowthink::samples::log::{Column, Field, Flaw, Label, Reader, Role};

/// Gathers the columns of JSON lines fed piece by piece. `fields` are tuples (name, path, role, required) with a role
/// of "label", "verdict", "number" or "raw".
#[pyclass]
pub struct LogReader(Option<Reader>);

fn role(name: &str) -> PyResult<Role> {
    Ok(match name {
        "label" => Role::Label,
        "verdict" => Role::Verdict,
        "number" => Role::Number,
        "raw" => Role::Raw,
        _ => return Err(PyValueError::new_err(format!("a role must be label, verdict, number or raw, got {name:?}"))),
    })
}

fn located(flaw: Option<&Flaw>) -> Option<(u64, String)> {
    flaw.map(|flaw| (flaw.line, flaw.reason.clone()))
}

impl LogReader {
    fn reader(&mut self) -> PyResult<&mut Reader> {
        self.0.as_mut().ok_or_else(|| PyRuntimeError::new_err("the columns have been taken out"))
    }
}

#[pymethods]
impl LogReader {
    #[new]
    fn new(fields: Vec<(String, Vec<String>, String, bool)>, skip: bool) -> PyResult<Self> {
        let fields: PyResult<Vec<Field>> = fields
            .into_iter()
            .map(|(name, path, kind, required)| Ok(Field::new(&name, &path, role(&kind)?, required)))
            .collect();
        Ok(Self(Some(Reader::new(fields?, skip))))
    }

    /// Reads whole lines, given as an array of bytes; returns the first flawed row as (line from 0, reason).
    fn feed(
        &mut self,
        py: Python<'_>,
        lines: PyReadonlyArray1<'_, u8>,
        options: Options,
    ) -> PyResult<Option<(u64, String)>> {
        let (reader, lines) = (self.reader()?, lines.as_slice()?);
        let flaw = run(py, &options, lines.len() as f64, |control| reader.feed(lines, control))?;
        Ok(located(flaw.as_ref()))
    }

    /// Reads documents, each one object; returns the first flawed one.
    fn feed_documents(
        &mut self,
        py: Python<'_>,
        documents: &Bound<'_, PyList>,
        options: Options,
    ) -> PyResult<Option<(u64, String)>> {
        let reader = self.reader()?;
        let documents: Vec<Bound<'_, PyBytes>> = documents
            .iter()
            .map(|document| document.cast_into().map_err(|_| PyTypeError::new_err("documents must be bytes")))
            .collect::<PyResult<_>>()?;
        let bytes: Vec<&[u8]> = documents.iter().map(PyBytesMethods::as_bytes).collect();
        let work = bytes.iter().map(|document| document.len() as f64).sum();
        let flaw = run(py, &options, work, |control| reader.feed_documents(&bytes, control))?;
        Ok(located(flaw.as_ref()))
    }

    /// Counts so far: (rows, samples, skipped rows, the first skipped row).
    #[allow(clippy::type_complexity)]
    fn counts(&mut self) -> PyResult<(u64, u64, u64, Option<(u64, String)>)> {
        let reader = self.reader()?;
        let (n_skipped, first) = reader.skipped();
        Ok((reader.n_rows(), reader.n_samples(), n_skipped, located(first)))
    }

    /// Takes the columns out: for labels (codes, values), a value being (is it a string, its bytes); else an array.
    fn finish<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        self.reader()?;
        let list = PyList::empty(py);
        for column in self.0.take().map(Reader::finish).unwrap_or_default() {
            match column {
                Column::Numbers(numbers) => list.append(numbers.into_pyarray(py))?,
                Column::Labels { codes, values } => {
                    let values = PyList::new(
                        py,
                        values.iter().map(|value| match value {
                            Label::Text(bytes) => (true, PyBytes::new(py, bytes)),
                            Label::Json(bytes) => (false, PyBytes::new(py, bytes)),
                        }),
                    )?;
                    let pair: Bound<'_, PyTuple> = (codes.into_pyarray(py), values).into_pyobject(py)?;
                    list.append(pair)?;
                }
            }
        }
        Ok(list)
    }
}
