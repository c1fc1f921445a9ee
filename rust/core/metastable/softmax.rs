//! A policy with a logit for each transition of a chain: the softmax over the transitions out of each state.
//!
//! Everything is done in logarithms, so that a transition of probability 1e-30 is as good as any other; what lies
//! outside a chain's transitions has the logit minus infinity and is not stored.

use crate::chains::matrix::{MarkovChain, Meaning};
use crate::error::{Error, Result, invalid};
use crate::run::Control;
use libm::{exp, log};

/// States between two looks at the stop flag.
const CHECKED: usize = 1024;

/// ln(sum of exp(x)), minus infinity for no numbers. No term overflows, and the largest is exact.
pub(super) fn log_sum_exp(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let most = values.clone().fold(f64::NEG_INFINITY, f64::max);
    if most == f64::NEG_INFINITY {
        return most;
    }
    most + log(values.map(|value| exp(value - most)).sum())
}

/// Makes log probabilities of logits; NaN of a row without a finite one. The largest is taken off first: it may be so
/// large that the logarithm of the sum would be lost in it.
pub(super) fn normalise(logits: &mut [f64]) {
    let most = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    for logit in &mut *logits {
        *logit -= most;
    }
    let total = log_sum_exp(logits.iter().copied());
    for logit in logits {
        *logit -= total;
    }
}

/// Fills `out` with the logarithms of the probabilities that `logits` stand for, one for each transition of `chain`.
/// Cost: two exponentials and a logarithm at most for each transition.
///
/// # Errors
/// A logit that is NaN or plus infinity, a state none of whose logits is finite; [`Error::Interrupted`].
///
/// # Panics
/// If `logits` or `out` do not have one element for each transition.
pub fn log_probabilities(chain: &MarkovChain, logits: &[f64], out: &mut [f64], control: &Control) -> Result<()> {
    let n = chain.n_transitions();
    assert!(logits.len() == n && out.len() == n, "one logit for each transition");
    if let Some(index) = logits.iter().position(|logit| logit.is_nan() || *logit == f64::INFINITY) {
        return Err(invalid("logits", &[index], logits[index], "be a number below infinity"));
    }
    out.copy_from_slice(logits);
    for state in 0..chain.n_states() {
        if state % CHECKED == 0 {
            control.check()?;
        }
        let (begin, degree) = chain.span(state as u32);
        let row = &mut out[begin..begin + degree];
        normalise(row);
        if row[0].is_nan() {
            return Err(invalid("logits", &[begin], "-inf", format!("have a finite one in the row of state {state}")));
        }
    }
    Ok(())
}

/// The chain whose transitions are those of `chain` with the probabilities that `logits` stand for. A transition whose
/// probability is below 5e-324 is left out.
///
/// # Errors
/// As [`log_probabilities`]; [`Error::Memory`].
///
/// # Panics
/// If there is not one logit for each transition.
pub fn policy(chain: &MarkovChain, logits: &[f64], control: &Control) -> Result<MarkovChain> {
    let mut values = copied(logits)?;
    log_probabilities(chain, logits, &mut values, control)?;
    for value in &mut values {
        *value = exp(*value);
    }
    with_probabilities(chain, &values, control)
}

/// The transitions of `chain` with other probabilities.
pub(super) fn with_probabilities(chain: &MarkovChain, values: &[f64], control: &Control) -> Result<MarkovChain> {
    let mut indptr = vec![0i64; chain.n_states() + 1];
    chain.export(Some(&mut indptr), None, control)?;
    MarkovChain::from_csr(&indptr, chain.targets(), Some(values), Meaning::Probabilities, control)
}

/// A copy of `values`, or an error where there is no room for it.
fn copied(values: &[f64]) -> Result<Vec<f64>> {
    let mut out = Vec::new();
    out.try_reserve_exact(values.len()).map_err(|_| Error::Memory(size_of_val(values)))?;
    out.extend_from_slice(values);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain() -> MarkovChain {
        let rows = [0.5, 0.25, 0.25, 0.0, 1.0, 0.0, 0.0, 1e-30, 1.0];
        let matrix = crate::rows::Matrix::new(&rows, 3, 3);
        MarkovChain::from_dense(&matrix, Meaning::Probabilities, &Control::default()).unwrap()
    }

    #[test]
    fn logarithms_lead_back_whatever_is_added_to_a_row() {
        let (chain, control) = (chain(), Control::default());
        for shift in [0.0, 700.0, -1e9] {
            let logits: Vec<f64> = chain.probabilities().unwrap().iter().map(|p| p.ln() + shift).collect();
            let back = policy(&chain, &logits, &control).unwrap();
            for (found, expected) in back.probabilities().unwrap().iter().zip(chain.probabilities().unwrap()) {
                assert!((found / expected - 1.0).abs() < 1e-13 * shift.abs().max(1.0), "{found} {expected}");
            }
        }
    }

    #[test]
    fn what_is_no_logit_is_named() {
        let (chain, control) = (chain(), Control::default());
        let error = policy(&chain, &[0.0, f64::NAN, 0.0, 0.0, 0.0, 0.0], &control).unwrap_err();
        assert_eq!(error.to_string(), "logits[1] must be a number below infinity, got NaN");
        let error = policy(&chain, &[0.0, 0.0, 0.0, f64::NEG_INFINITY, 0.0, 0.0], &control).unwrap_err();
        assert_eq!(error.to_string(), "logits[3] must have a finite one in the row of state 1, got -inf");
    }
}
