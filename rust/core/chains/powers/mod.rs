//! Powers of a dense transition matrix, by squaring.
//!
//! All entries are sums of products of non-negative numbers, hence right to a few units in the last place relative to
//! themselves. After each product the rows are divided by their sums. This takes away the part of the error that
//! squaring would double, that of the eigenvalue 1; what remains perturbs the probabilities of the power by about
//! n eps, and a perturbed chain relaxes at a rate that is perturbed as little (O'Cinneide 1993). So the error of
//! P^t grows with the number of squarings, log2 t, and not with t, however metastable the chain is.

mod product;

pub(in crate::chains) use product::multiply;

use super::matrix::{MarkovChain, sum};
use crate::error::Result;
use crate::memory::zeros;
use crate::run::Control;

/// A power of the transition matrix, row after row.
#[derive(Debug, Clone)]
pub(in crate::chains) struct Power {
    n: usize,
    entries: Vec<f64>,
}

impl Power {
    /// The first power.
    pub(in crate::chains) fn first(chain: &MarkovChain, control: &Control) -> Result<Self> {
        let n = chain.n_states();
        let mut entries = zeros(n * n)?;
        chain.fill_dense(&mut entries, control)?;
        Ok(Self { n, entries }.normalised())
    }

    pub(in crate::chains) fn n_states(&self) -> usize {
        self.n
    }

    /// The entries, row after row.
    pub(in crate::chains) fn entries(&self) -> &[f64] {
        &self.entries
    }

    /// The power whose exponent is the sum of the two.
    pub(in crate::chains) fn times(&self, other: &Self, control: &Control) -> Result<Self> {
        let mut entries = zeros(self.n * self.n)?;
        multiply(&self.entries, &other.entries, self.n, &mut entries, control)?;
        Ok(Self { n: self.n, entries }.normalised())
    }

    fn normalised(mut self) -> Self {
        for row in self.entries.chunks_exact_mut(self.n.max(1)) {
            normalise(row);
        }
        self
    }
}

/// Divides non-negative numbers by their sum.
pub(in crate::chains) fn normalise(law: &mut [f64]) {
    let whole = sum(law.iter().copied());
    for value in law {
        *value /= whole;
    }
}
