//! NumPy arrays as the kernels want them: matrices of any integer or float dtype and any strides, read row by row
//! without a copy.
//!
//! `slowthink._arrays` has already turned foreign objects into native-endian arrays and named what it could not.

use numpy::ndarray::ArrayView2;
use numpy::{Element, PyReadonlyArray2};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use slowthink::rows::Rows;

/// A borrowed NumPy matrix of one of the number types, read as `T`.
pub struct MatrixArgument<'py, T>(Box<dyn Source<T> + 'py>);

/// A borrowed array of some dtype that can be viewed as rows of `T`.
trait Source<T> {
    fn rows(&self) -> Box<dyn Rows<T> + '_>;
}

/// A value of one dtype as a value of the kernel's type, without loss (`slowthink._arrays` refuses the dtypes that
/// would lose).
trait Cast<T>: Copy {
    fn cast(self) -> T;
}

struct View<'a, S>(ArrayView2<'a, S>);

impl<S: Cast<T> + Sync, T> Rows<T> for View<'_, S> {
    fn n_rows(&self) -> usize {
        self.0.nrows()
    }

    fn n_columns(&self) -> usize {
        self.0.ncols()
    }

    fn read(&self, row: usize, out: &mut [T]) {
        let row = self.0.row(row);
        // A contiguous row is worth its own loop: over a slice the compiler vectorises the conversion.
        if let Some(row) = row.as_slice() {
            out.iter_mut().zip(row).for_each(|(to, from)| *to = from.cast());
        } else {
            out.iter_mut().zip(row).for_each(|(to, from)| *to = from.cast());
        }
    }
}

impl<S: Element + Cast<T> + Sync, T> Source<T> for PyReadonlyArray2<'_, S> {
    fn rows(&self) -> Box<dyn Rows<T> + '_> {
        Box::new(View(self.as_array()))
    }
}

impl<T> MatrixArgument<'_, T> {
    /// The rows of the matrix; may be sent to other threads.
    pub fn rows(&self) -> Box<dyn Rows<T> + '_> {
        self.0.rows()
    }
}

/// Implements the casts to `$target` and the extraction of a `MatrixArgument<$target>` from the listed dtypes.
macro_rules! matrix_argument {
    ($target:ty: $($source:ty => $cast:expr),+) => {
        $(impl Cast<$target> for $source {
            #[inline]
            #[allow(clippy::cast_lossless, clippy::redundant_closure_call)]
            fn cast(self) -> $target {
                ($cast)(self)
            }
        })+

        impl<'a, 'py> FromPyObject<'a, 'py> for MatrixArgument<'py, $target> {
            type Error = PyErr;

            fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
                $(if let Ok(array) = object.extract::<PyReadonlyArray2<'py, $source>>() {
                    return Ok(Self(Box::new(array)));
                })+
                Err(PyTypeError::new_err(concat!("expected a matrix that converts to ", stringify!($target))))
            }
        }
    };
}

// Floats reach an integer kernel only when `slowthink._arrays` has seen that they are whole and in range.
matrix_argument!(i64: i64 => |x| x, i32 => i64::from, i16 => i64::from, i8 => i64::from, u32 => i64::from,
    u16 => i64::from, u8 => i64::from, bool => i64::from, f64 => |x| x as i64, f32 => |x| x as i64);
matrix_argument!(f64: f64 => |x| x, f32 => f64::from, i64 => |x| x as f64, u64 => |x| x as f64, i32 => f64::from,
    i16 => f64::from, i8 => f64::from, u32 => f64::from, u16 => f64::from, u8 => f64::from,
    bool => |x| f64::from(u8::from(x)));
