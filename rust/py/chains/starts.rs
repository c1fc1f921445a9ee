//! Wrappers of `slowthink::chains::starts`.

use crate::error::to_python;
use numpy::PyReadonlyArray1;
use pyo3::prelude::*;
use slowthink::chains::{MarkovChain, Starts};

/// Where walks begin, as `slowthink.chains._starts` makes it: a state, an array of states, or a law.
#[derive(FromPyObject)]
pub enum StartsArgument<'py> {
    One(u32),
    Each(PyReadonlyArray1<'py, u32>),
    Law(PyReadonlyArray1<'py, f64>),
}

impl StartsArgument<'_> {
    /// The starts of walks on `chain`.
    pub fn starts(&self, chain: &MarkovChain) -> PyResult<Starts<'_>> {
        let starts = match self {
            Self::One(state) => Starts::one(*state, chain.n_states()),
            Self::Each(states) => Starts::each(states.as_slice()?, chain.n_states()),
            Self::Law(distribution) => Starts::law(distribution.as_slice()?, chain.n_states()),
        };
        starts.map_err(to_python)
    }
}
