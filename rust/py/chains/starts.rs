//! Wrappers of `slowthink::chains::starts`.

use crate::error::to_python;
use numpy::PyReadonlyArray1;
use pyo3::prelude::*;
use slowthink::chains::{MarkovChain, Starts, Walks};
use slowthink::random::Seed;

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

/// About the nanoseconds of so many steps on `chain`, its tables included where they are still to be made.
pub fn work(chain: &MarkovChain, n_steps: f64) -> f64 {
    10.0 * n_steps + chain.bytes_to_come() as f64
}

/// Which walks, as `slowthink.chains._starts.walks` makes it: starts, number of walks, steps, seed, number of the first.
#[derive(FromPyObject)]
pub struct WalksArgument<'py>(StartsArgument<'py>, usize, usize, [u64; 4], u64);

impl WalksArgument<'_> {
    /// These walks on `chain`.
    pub fn walks(&self, chain: &MarkovChain) -> PyResult<Walks<'_>> {
        let Self(starts, n_walks, n_steps, seed, first) = self;
        Ok(Walks {
            starts: starts.starts(chain)?,
            n_walks: *n_walks,
            n_steps: *n_steps,
            seed: Seed::from_words(*seed),
            first: *first,
        })
    }

    /// About the nanoseconds that they take on `chain`.
    pub fn work(&self, chain: &MarkovChain) -> f64 {
        work(chain, self.1 as f64 * (self.2 as f64 + 1.0))
    }
}
