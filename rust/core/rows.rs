//! Row-wise reading of a matrix of any layout and number type, so that large inputs cross into a kernel uncopied.

/// A matrix that hands out its rows one at a time, converted to `T`.
///
/// Kernels read row `i` into a buffer of their own; a caller with another dtype or memory layout implements this
/// instead of converting the whole matrix.
pub trait Rows<T>: Sync {
    /// Number of rows.
    fn n_rows(&self) -> usize;
    /// Number of columns.
    fn n_columns(&self) -> usize;
    /// Writes row `row` into `out`, which has [`n_columns`](Self::n_columns) elements.
    fn read(&self, row: usize, out: &mut [T]);
}

/// A row-major matrix over a slice.
#[derive(Debug, Clone, Copy)]
pub struct Matrix<'a, T> {
    data: &'a [T],
    n_rows: usize,
    n_columns: usize,
}

impl<'a, T> Matrix<'a, T> {
    /// Views `data` as `n_rows` rows of equal length.
    ///
    /// # Panics
    /// If `data` does not hold exactly `n_rows * n_columns` elements.
    pub fn new(data: &'a [T], n_rows: usize, n_columns: usize) -> Self {
        assert_eq!(data.len(), n_rows * n_columns, "a matrix of {n_rows} x {n_columns}");
        Self { data, n_rows, n_columns }
    }
}

impl<T: Copy + Sync> Rows<T> for Matrix<'_, T> {
    fn n_rows(&self) -> usize {
        self.n_rows
    }

    fn n_columns(&self) -> usize {
        self.n_columns
    }

    fn read(&self, row: usize, out: &mut [T]) {
        out.copy_from_slice(&self.data[row * self.n_columns..(row + 1) * self.n_columns]);
    }
}
