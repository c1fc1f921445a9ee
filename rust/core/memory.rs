//! Memory that is asked for: where there is none the kernel returns an error, and the process lives on.

use crate::error::{Error, Result};

/// An empty vector with room for `n` elements.
pub(crate) fn room<T>(n: usize) -> Result<Vec<T>> {
    let mut out = Vec::new();
    out.try_reserve_exact(n).map_err(|_| Error::Memory(n.saturating_mul(size_of::<T>())))?;
    Ok(out)
}

/// A vector of `n` times `value`.
pub(crate) fn filled<T: Clone>(n: usize, value: T) -> Result<Vec<T>> {
    let mut out = room(n)?;
    out.resize(n, value);
    Ok(out)
}

/// A vector of `n` zeros.
pub(crate) fn zeros<T: Clone + Default>(n: usize) -> Result<Vec<T>> {
    filled(n, T::default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_much_is_an_error() {
        assert_eq!(zeros::<u64>(usize::MAX), Err(Error::Memory(usize::MAX)));
        assert_eq!(filled(2, 'x'), Ok(vec!['x', 'x']));
    }
}
