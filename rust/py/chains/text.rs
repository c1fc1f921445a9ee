//! Wrappers of `slowthink::chains::text`.

use crate::chains::matrix::Chain;
use crate::chains::starts::WalksArgument;
use crate::run::{Options, run};
use numpy::{PyReadonlyArray1, PyReadwriteArray2};
use pyo3::prelude::*;
use slowthink::chains::text;

/// Symbols of the states, and the texts, of the same type.
#[derive(FromPyObject)]
pub enum Texts<'py> {
    Bytes(PyReadonlyArray1<'py, u8>, PyReadwriteArray2<'py, u8>),
    Words(PyReadonlyArray1<'py, u32>, PyReadwriteArray2<'py, u32>),
}

/// Fills the second of `texts` (W, `n_steps`) with the symbols, listed by the first, of the states of walks.
#[pyfunction]
pub fn generate_text(
    py: Python<'_>,
    chain: &Bound<'_, Chain>,
    walks: WalksArgument<'_>,
    texts: Texts<'_>,
    options: Options,
) -> PyResult<()> {
    let chain = &chain.get().0;
    let (walks, work) = (walks.walks(chain)?, walks.work(chain));
    macro_rules! generate {
        ($symbols:expr, $out:expr) => {{
            let (symbols, out) = ($symbols.as_slice()?, $out.as_slice_mut()?);
            run(py, &options, work, |control| text::generate(chain, &walks, symbols, out, control))
        }};
    }
    match texts {
        Texts::Bytes(symbols, mut out) => generate!(symbols, out),
        Texts::Words(symbols, mut out) => generate!(symbols, out),
    }
}
