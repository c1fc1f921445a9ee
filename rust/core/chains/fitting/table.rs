//! Counts of transitions as real numbers (with pseudo-counts, or effective), checked once.

use crate::error::{Result, invalid};
use std::ops::{Range, RangeInclusive};

/// What a count may be: sums of these, and products of two shares, stay far from the ends of the floats.
const RANGE: RangeInclusive<f64> = 1e-300..=1e300;

/// Compressed sparse rows of positive numbers, ascending within each row.
#[derive(Debug, Clone, Copy)]
pub struct CountTable<'a> {
    indptr: &'a [i64],
    indices: &'a [u32],
    values: &'a [f64],
}

impl<'a> CountTable<'a> {
    /// Row `i` has the targets `indices[indptr[i]..indptr[i + 1]]` and the counts at the same places of `values`.
    ///
    /// # Errors
    /// If the arrays do not describe such rows, a row is empty, or a count is not a number from 1e-300 to 1e300.
    pub fn new(indptr: &'a [i64], indices: &'a [u32], values: &'a [f64]) -> Result<Self> {
        let n_entries = indices.len() as i64;
        if indptr.len() < 2 || indptr[0] != 0 || indptr[indptr.len() - 1] != n_entries || values.len() != indices.len()
        {
            let rule = format!("rise from 0 to the number of entries, {n_entries}, over at least one row");
            return Err(invalid("indptr", &[], "", rule));
        }
        let n_states = indptr.len() - 1;
        for (state, ends) in indptr.windows(2).enumerate() {
            if ends[1] <= ends[0] || ends[1] > n_entries {
                return Err(invalid("counts", &[state], "a row without any", "have a transition out of every state"));
            }
            let row = ends[0] as usize..ends[1] as usize;
            if let Some(bad) = row.clone().find(|&entry| !RANGE.contains(&values[entry])) {
                let place = [state, indices[bad] as usize];
                return Err(invalid("counts", &place, values[bad], "be from 1e-300 to 1e300"));
            }
            let row = &indices[row];
            if row.windows(2).any(|pair| pair[0] >= pair[1])
                || row.last().is_some_and(|&last| last as usize >= n_states)
            {
                return Err(invalid("indices", &[state], "", "be states, ascending within each row"));
            }
        }
        Ok(Self { indptr, indices, values })
    }

    /// Number of states.
    pub fn n_states(&self) -> usize {
        self.indptr.len() - 1
    }

    /// Where each row begins, and the number of entries.
    pub fn indptr(&self) -> &'a [i64] {
        self.indptr
    }

    /// The targets of all rows.
    pub fn indices(&self) -> &'a [u32] {
        self.indices
    }

    /// The counts of all rows.
    pub fn values(&self) -> &'a [f64] {
        self.values
    }

    /// The places of row `state` among the entries.
    #[inline]
    pub(super) fn row(&self, state: usize) -> Range<usize> {
        self.indptr[state] as usize..self.indptr[state + 1] as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_tables_are_named() {
        let error = |indptr: &[i64], indices: &[u32], values: &[f64]| {
            CountTable::new(indptr, indices, values).map(drop).unwrap_err().to_string()
        };
        assert!(error(&[0, 1], &[0, 0], &[1.0, 1.0]).starts_with("indptr must rise from 0"));
        assert!(error(&[], &[], &[]).starts_with("indptr must rise from 0"));
        assert!(error(&[0, 3, 2], &[0, 0], &[1.0, 1.0]).contains("counts[0] must have a transition"));
        assert!(error(&[0, 2, 2], &[0, 1], &[1.0, 1.0]).contains("counts[1] must have a transition"));
        assert!(error(&[0, 1, 2], &[0, 1], &[1.0, -1.0]).contains("counts[1, 1] must be from 1e-300 to 1e300, got -1"));
        assert!(error(&[0, 1, 2], &[0, 1], &[f64::NAN, 1.0]).contains("counts[0, 0]"));
        assert!(error(&[0, 2, 3], &[1, 1, 0], &[1.0; 3]).contains("indices[0] must be states"));
        assert!(error(&[0, 1, 2], &[1, 2], &[1.0; 2]).contains("indices[1] must be states"));
    }
}
