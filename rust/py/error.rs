//! The one place where a core error becomes a Python exception.

use pyo3::PyErr;
use pyo3::exceptions::{PyKeyboardInterrupt, PyMemoryError, PyRuntimeError, PyValueError};
use slowthink::Error;

/// The exception for `error`.
pub fn to_python(error: Error) -> PyErr {
    match error {
        Error::Invalid(invalid) => PyValueError::new_err(invalid.to_string()),
        // Reached only if a kernel stops without the gate having asked for it; the gate raises its own reason.
        Error::Interrupted => PyKeyboardInterrupt::new_err("interrupted"),
        Error::Memory(_) => PyMemoryError::new_err(error.to_string()),
        Error::File { kind, .. } => std::io::Error::new(kind, error.to_string()).into(),
        Error::Damaged(what) => PyValueError::new_err(what),
        Error::NotConverged(what) => PyRuntimeError::new_err(what),
        other => PyRuntimeError::new_err(other.to_string()),
    }
}
