//! Eigenvalues of a chain, as the rates 1 - lambda at which their modes decay.
//!
//! Eigenvalues of a metastable chain crowd at 1, where 1 - 1e-17 is 1 in floating point: what tells them apart are the
//! rates, computed here without ever forming 1 - p. The transition matrix is block triangular over the classes of
//! states that reach each other ([`classes`]), so each class is a problem of its own: I - P restricted to it is
//! eliminated without subtractions, the state that is left soonest first ([`graded`]). A class with detailed balance
//! has the squared singular values of its Cholesky factor as rates, all of them with their full relative accuracy
//! ([`jacobi`], Demmel and Veselic 1992); any other class is taken apart into its time scales ([`levels`]).

pub mod classes;
pub mod filtered;
pub mod graded;
pub mod jacobi;
pub mod levels;
pub mod pseudo;

use super::matrix::MarkovChain;
use crate::error::{Result, invalid};
use crate::run::Control;
use classes::Classes;
use filtered::Wanted;
use graded::Graded;

/// The largest class that is taken as a square table; of larger ones the outermost modes are found by iteration
/// ([`filtered`]).
pub const MOST_STATES: usize = 3000;

/// The most modes of a larger class.
pub const MOST_MODES: usize = 500;

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
    for members in &classes.members {
        control.check()?;
        if let [state] = members[..] {
            out.values.push((classes::leaving(chain, state), 0.0));
        } else if members.len() > MOST_STATES {
            let weights = large(chain, members, &classes.of, k, control)?;
            let class = classes.of[members[0] as usize];
            let inside = |state: u32| classes.of[state as usize] == class;
            let modes = filtered::modes(chain, inside, &weights, k, wanted, control)?;
            out.values.extend(modes.rates.into_iter().map(|rate| (rate, 0.0)));
        } else {
            let balanced = classes::weights(chain, members, &classes.of, control)?.is_some();
            let graded = Graded::new(classes::table(chain, members, &classes.of)?, members.len(), control)?;
            if balanced {
                out.values.extend(jacobi::rates(&graded, control)?.into_iter().map(|rate| (rate, 0.0)));
            } else {
                out.reversible = false;
                out.values.extend(levels::rates(&graded, control)?);
            }
        }
        control.advance(members.len() as u64);
    }
    Ok(out)
}

/// The weights of a class of more than [`MOST_STATES`] states, of which `k` modes can be found.
///
/// # Errors
/// A class without detailed balance, too large a `k`; [`Error::Interrupted`](crate::Error::Interrupted).
pub fn large(chain: &MarkovChain, members: &[u32], of: &[u32], k: usize, control: &Control) -> Result<Vec<f64>> {
    let size = members.len();
    if k > MOST_MODES {
        let rule = format!("be at most {MOST_MODES} for a class of more than {MOST_STATES} states ({size} here)");
        return Err(invalid("k", &[], k, rule));
    }
    classes::weights(chain, members, of, control)?.ok_or_else(|| {
        let rule = format!("have detailed balance in classes of more than {MOST_STATES} states");
        invalid("the chain", &[], format!("one of {size} without"), rule)
    })
}
