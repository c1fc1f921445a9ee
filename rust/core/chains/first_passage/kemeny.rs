//! Kemeny's constant.

use super::certain::Certain;
use super::class::Class;
use super::number::{Number, Wide, trusted};
use super::pairs::zeros;
use crate::chains::matrix::MarkovChain;
use crate::error::{Result, invalid};
use crate::run::Control;

/// The mean number of steps from any state of the recurrent class to one drawn from the stationary law,
/// `sum over j of pi_j m_ij` with `m_ii = 0`, which is the same for each i: the sum of `1 / (1 - lambda)` over the eigenvalues
/// other than one. Only positive numbers are added.
///
/// Cost: that of [`mean_first_passage_times`](super::mean_first_passage_times), with 7/3 n^2 numbers of memory for the n
/// states of the class.
///
/// # Errors
/// If there are several recurrent classes, naming two of them; [`Error::Memory`](crate::Error::Memory),
/// [`Error::Interrupted`](crate::Error::Interrupted).
pub fn kemeny_constant(chain: &MarkovChain, control: &Control) -> Result<f64> {
    let certain = Certain::new(chain, control)?;
    if let [first, second, ..] = &certain.classes[..] {
        let found =
            format!("{} (states {} and {} do not reach each other)", certain.classes.len(), first[0], second[0]);
        return Err(invalid("chain", &[], found, "have one recurrent class"));
    }
    let class = Class::new(chain, &certain, 0, control)?.alone();
    match constant::<f64>(&class, control)? {
        Some(value) => Ok(value),
        None => Ok(constant::<Wide>(&class, control)?.unwrap_or(f64::INFINITY)),
    }
}

/// The constant of a class, unless times are not to be trusted.
fn constant<T: Number>(class: &Class, control: &Control) -> Result<Option<f64>> {
    let n = class.n_targets();
    let mut times: Vec<T> = zeros(n * n, control)?;
    class.fill(true, &mut times, control)?;
    if !trusted(&times) {
        return Ok(None);
    }
    // From the first state: every other is weighted by its stationary probability, one over its return time.
    let terms = (1..n).map(|state| times[state] / times[state * n + state]);
    Ok(Some(terms.fold(T::default(), |sum, term| sum + term).value()))
}
