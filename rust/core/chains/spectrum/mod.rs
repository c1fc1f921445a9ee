//! Eigenvalues of a chain, as the rates 1 - lambda at which their modes decay.
//!
//! Eigenvalues of a metastable chain crowd at 1, where 1 - 1e-17 is 1 in floating point: what tells them apart are the
//! rates, computed here without ever forming 1 - p. The transition matrix is block triangular over the classes of
//! states that reach each other ([`Classes`]), so each class is a problem of its own: I - P restricted to it is
//! eliminated without subtractions, the state that is left soonest first ([`graded`]). A class with detailed balance
//! has the squared singular values of its Cholesky factor as rates, all of them with their full relative accuracy
//! ([`jacobi`], Demmel and Veselic 1992); any other class is taken apart into its time scales ([`levels`]).

pub mod filtered;
pub mod graded;
pub mod jacobi;
pub mod levels;
pub mod pseudo;

use super::balance;
use super::matrix::MarkovChain;
use super::structure::Classes;
use super::system::System;
use crate::error::{Result, invalid};
use crate::run::Control;
use filtered::Wanted;
use graded::Graded;

/// The largest class that is taken as a square table; of larger ones the outermost modes are found by iteration
/// ([`filtered`]).
pub const MOST_STATES: usize = 3000;

/// The most modes of a larger class.
pub const MOST_MODES: usize = 500;

/// Relative difference of the flows between two states up to which they balance: what the rounding of the
/// probabilities can add up to, and no more.
pub const BALANCE: f64 = 1e-10;

/// A complex number: real and imaginary part.
pub type Complex = (f64, f64);

/// The rates of a chain.
#[derive(Debug, Clone, PartialEq)]
pub struct Rates {
    /// 1 - lambda for each eigenvalue lambda, class by class.
    pub values: Vec<Complex>,
    /// Whether they are real because every class has detailed balance.
    pub reversible: bool,
}

/// The rates of `chain`; of a class of more than [`MOST_STATES`] states, which must have detailed balance, only the `k`
/// `wanted` ones. Cost: some 10 n^3 operations for each class of n states, for larger ones that of
/// [`filtered::modes`].
///
/// A call of the dense eigenvalue solver cannot be interrupted: classes without detailed balance of more than a
/// thousand states hold up an interruption by seconds.
///
/// # Errors
/// A larger class without detailed balance, or more than [`MOST_MODES`] of its modes; modes that do not converge;
/// [`Error::Memory`](crate::Error::Memory), [`Error::Interrupted`](crate::Error::Interrupted).
pub fn rates(chain: &MarkovChain, k: usize, wanted: Wanted, control: &Control) -> Result<Rates> {
    let classes = Classes::new(chain, control)?;
    control.expect(chain.n_states() as u64);
    let mut out = Rates { values: Vec::with_capacity(chain.n_states()), reversible: true };
    for members in (0..classes.n_classes()).map(|number| classes.class(number)) {
        control.check()?;
        if let [state] = *members {
            out.values.push((chain.leaving(state), 0.0));
        } else {
            let system = System::among(chain, members, control)?;
            if members.len() > MOST_STATES {
                let weights = large(&system, k, control)?;
                let modes = filtered::modes(system, &weights, k, wanted, control)?;
                out.values.extend(modes.rates.into_iter().map(|rate| (rate, 0.0)));
            } else if balance::balancing(&system, BALANCE, control)?.is_some() {
                let graded = Graded::of(&system, control)?;
                out.values.extend(jacobi::rates(&graded, control)?.into_iter().map(|rate| (rate, 0.0)));
            } else {
                out.reversible = false;
                out.values.extend(levels::rates(&Graded::of(&system, control)?, control)?);
            }
        }
        control.advance(members.len() as u64);
    }
    Ok(out)
}

/// The weights of a class of more than [`MOST_STATES`] states, of which `k` modes can be found.
///
/// # Errors
/// A class without detailed balance, too large a `k`; [`Error::Memory`](crate::Error::Memory),
/// [`Error::Interrupted`](crate::Error::Interrupted).
pub fn large(system: &System, k: usize, control: &Control) -> Result<Vec<f64>> {
    let size = system.n_states();
    if k > MOST_MODES {
        let rule = format!("be at most {MOST_MODES} for a class of more than {MOST_STATES} states ({size} here)");
        return Err(invalid("k", &[], k, rule));
    }
    balance::weights(system, BALANCE, control)?.ok_or_else(|| {
        let rule = format!("have detailed balance in classes of more than {MOST_STATES} states");
        invalid("the chain", &[], format!("one of {size} without"), rule)
    })
}
