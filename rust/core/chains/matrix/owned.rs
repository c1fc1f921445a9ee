//! Chains from rows that are handed over: their arrays become those of the chain.

use super::build::{Builder, Place, check_layout};
use super::{MarkovChain, Meaning};
use crate::error::{Result, invalid};
use crate::run::Control;

impl MarkovChain {
    /// As [`from_csr`](Self::from_csr) of probabilities, from arrays that the chain keeps: no second copy is in memory.
    ///
    /// # Errors
    /// As [`from_csr`](Self::from_csr).
    pub fn from_owned_csr(
        indptr: &[i64],
        indices: Vec<u32>,
        probabilities: Vec<f64>,
        control: &Control,
    ) -> Result<Self> {
        let argument = "transition_matrix";
        check_layout(indptr, indices.len(), Some(probabilities.len()), argument)?;
        let n_states = indptr.len() - 1;
        let (place, meaning) = (Place::Matrix(argument), Meaning::Probabilities);
        let mut builder = Builder::over(indices, probabilities, n_states, place, meaning, control)?;
        for row in indptr.windows(2) {
            builder.begin_row((row[1] - row[0]) as usize)?;
            for index in row[0] as usize..row[1] as usize {
                let (target, probability) = builder.entry(index);
                if target as usize >= n_states {
                    let rule = format!("be at least 0 and below the number of states, {n_states}");
                    return Err(invalid("indices", &[index], target, rule));
                }
                builder.add(target, probability)?;
            }
            builder.end_row()?;
        }
        Ok(builder.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The rows of a chain, or why there is none.
    fn rows(chain: Result<MarkovChain>) -> std::result::Result<Vec<Vec<(u32, f64)>>, String> {
        let chain = chain.map_err(|error| error.to_string())?;
        Ok((0..chain.n_states() as u32).map(|state| chain.row(state).iter().collect()).collect())
    }

    proptest! {
        #[test]
        fn the_chain_is_that_of_a_copy(
            entries in prop::collection::vec(prop::collection::vec((0u32..5, 0u32..3), 1..8), 4..5), bad in 0u32..20,
        ) {
            let (mut indptr, mut indices, mut values) = (vec![0], Vec::new(), Vec::new());
            for row in &entries {
                // Duplicates, zeros, rows in any order; now and then a sum that is none, or a target that is no state.
                let sum: u32 = row.iter().map(|&(_, weight)| weight).sum();
                for &(target, weight) in row {
                    indices.push(if bad > 0 { target.min(3) } else { target });
                    values.push(f64::from(weight) / f64::from(sum.max(1)));
                }
                indptr.push(indices.len() as i64);
            }
            let control = Control::default();
            let copied = MarkovChain::from_csr(&indptr, &indices, Some(&values), Meaning::Probabilities, &control);
            let owned = MarkovChain::from_owned_csr(&indptr, indices, values, &control);
            prop_assert_eq!(rows(owned), rows(copied));
        }
    }
}
