//! What a tell takes of each leaf: one value for all of them, or an array. Arrays of the engine's own type are read in
//! place; everything else goes through `slowthink.trees._columns`, which makes them such arrays or names what is wrong.

use super::leaves::Leaves;
use numpy::{
    Element, PyArray, PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray, PyReadonlyArray1, PyReadonlyArray2,
    PyUntypedArray, PyUntypedArrayMethods,
};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyFloat, PyInt};
use slowthink::trees::{PerLeaf, Priors};

type Argument<'a, 'py> = &'a Bound<'py, PyAny>;

/// A property of the leaves.
pub enum Column<'py, T: Element> {
    None,
    One(T),
    Each(PyReadonlyArray1<'py, T>),
}

impl<T: Element + Copy> Column<'_, T> {
    pub fn view(&self) -> PyResult<PerLeaf<'_, T>> {
        Ok(match self {
            Self::None => PerLeaf::None,
            Self::One(value) => PerLeaf::All(*value),
            Self::Each(values) => PerLeaf::Each(values.as_slice()?),
        })
    }
}

/// A type of column: what Python calls it, and how one value of it is read.
pub trait Kind: Element + Copy + for<'a, 'py> FromPyObject<'a, 'py> {
    /// The function of `slowthink.trees._columns` that makes arrays of it.
    const CONVERTER: &'static str;

    /// Whether `object` is one value, of exactly the type that Python has for it.
    fn is_one(object: Argument<'_, '_>) -> bool;
}

impl Kind for f64 {
    const CONVERTER: &'static str = "floats";

    fn is_one(object: Argument<'_, '_>) -> bool {
        object.is_exact_instance_of::<PyFloat>() || object.is_exact_instance_of::<PyInt>()
    }
}

impl Kind for i64 {
    const CONVERTER: &'static str = "integers";

    fn is_one(object: Argument<'_, '_>) -> bool {
        object.is_exact_instance_of::<PyInt>()
    }
}

impl Kind for bool {
    const CONVERTER: &'static str = "flags";

    fn is_one(object: Argument<'_, '_>) -> bool {
        object.is_exact_instance_of::<PyBool>()
    }
}

impl Kind for u8 {
    const CONVERTER: &'static str = "players";

    fn is_one(object: Argument<'_, '_>) -> bool {
        object.is_exact_instance_of::<PyInt>()
    }
}

impl Kind for u64 {
    const CONVERTER: &'static str = "tickets";

    fn is_one(_: Argument<'_, '_>) -> bool {
        false
    }
}

/// `object` itself if it is a plain array that can be read as a slice.
fn plain<'py, T: Element, D: numpy::ndarray::Dimension>(
    object: Argument<'_, 'py>,
) -> Option<PyReadonlyArray<'py, T, D>> {
    object.cast_exact::<PyUntypedArray>().ok()?;
    let array = object.cast::<PyArray<T, D>>().ok()?;
    let readable = array.is_c_contiguous() && (array.data() as usize).is_multiple_of(align_of::<T>());
    if readable { array.try_readonly().ok() } else { None }
}

fn convert<'py>(object: Argument<'_, 'py>, converter: &str, name: &str) -> PyResult<Bound<'py, PyAny>> {
    static MODULE: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    let py = object.py();
    let module =
        MODULE.get_or_try_init(py, || PyModule::import(py, "slowthink.trees._columns").map(Bound::unbind))?.bind(py);
    module.getattr(converter)?.call1((object, name))
}

/// The argument `name`.
#[inline]
pub fn column<'py, T: Kind>(object: Option<Argument<'_, 'py>>, name: &str) -> PyResult<Column<'py, T>> {
    let Some(object) = object else { return Ok(Column::None) };
    if T::is_one(object)
        && let Ok(value) = object.extract()
    {
        return Ok(Column::One(value));
    }
    if let Some(array) = plain(object) {
        return Ok(Column::Each(array));
    }
    let converted = convert(object, T::CONVERTER, name)?;
    if let Ok(array) = converted.cast::<PyArray1<T>>() {
        return Ok(Column::Each(array.readonly()));
    }
    converted.extract().map(Column::One).map_err(Into::into)
}

/// Which leaves are told.
pub enum Tickets<'py> {
    Leaves(Bound<'py, Leaves>),
    Numbers(Column<'py, u64>),
}

impl<'py> Tickets<'py> {
    /// The argument `tickets`: leaves of forest `forest`, or their numbers.
    #[inline]
    pub fn of(object: Argument<'_, 'py>, forest: u64) -> PyResult<Self> {
        if let Ok(leaves) = object.cast_exact::<Leaves>() {
            if leaves.get().forest != forest {
                return Err(PyValueError::new_err("tickets must be leaves of this forest, got those of another"));
            }
            return Ok(Self::Leaves(leaves.clone()));
        }
        column(Some(object), "tickets").map(Self::Numbers)
    }

    pub fn numbers(&self) -> PyResult<&[u64]> {
        match self {
            Self::Leaves(leaves) => Ok(&leaves.get().tickets),
            Self::Numbers(Column::Each(numbers)) => Ok(numbers.as_slice()?),
            Self::Numbers(_) => Ok(&[]),
        }
    }
}

/// The argument `priors`: a row for each leaf, or all numbers one after another.
pub enum PriorsArgument<'py> {
    None,
    Rows(PyReadonlyArray2<'py, f32>),
    Flat(PyReadonlyArray1<'py, f32>),
}

impl<'py> PriorsArgument<'py> {
    #[inline]
    pub fn of(object: Option<Argument<'_, 'py>>) -> PyResult<Self> {
        let Some(object) = object else { return Ok(Self::None) };
        if let Some(rows) = plain(object) {
            return Ok(Self::Rows(rows));
        }
        if let Some(flat) = plain(object) {
            return Ok(Self::Flat(flat));
        }
        let converted = convert(object, "priors", "priors")?;
        if let Ok(rows) = converted.cast::<PyArray2<f32>>() {
            return Ok(Self::Rows(rows.readonly()));
        }
        Ok(Self::Flat(converted.cast::<PyArray1<f32>>()?.readonly()))
    }

    pub fn view(&self) -> PyResult<Priors<'_>> {
        Ok(match self {
            Self::None => Priors::None,
            Self::Rows(rows) => Priors::Rows(rows.as_slice()?, rows.shape()[1]),
            Self::Flat(flat) => Priors::Flat(flat.as_slice()?),
        })
    }
}

/// The argument `payload`: a text or None for each leaf.
pub fn payloads(object: Option<Argument<'_, '_>>) -> PyResult<Vec<Option<String>>> {
    let Some(object) = object else { return Ok(Vec::new()) };
    convert(object, "texts", "payload")?.extract()
}

/// The whole number `name`, which must be `rule`.
pub fn whole<'py, T: FromPyObject<'py, 'py>>(object: &'py Bound<'py, PyAny>, name: &str, rule: &str) -> PyResult<T> {
    object.extract().map_err(|_| {
        let message = format!("{name} must be {rule}, got {object}");
        if object.hasattr("__index__").unwrap_or(false) {
            PyValueError::new_err(message)
        } else {
            PyTypeError::new_err(message)
        }
    })
}
