//! Eigenvalues of a chain, as the rates 1 - lambda at which their modes decay.
//!
//! Eigenvalues of a metastable chain crowd at 1, where 1 - 1e-17 is 1 in floating point: what tells them apart are the
//! rates, computed here without ever forming 1 - p. The transition matrix is block triangular over the classes of
//! states that reach each other ([`classes`]), so each class is a problem of its own: I - P restricted to it is
//! eliminated without subtractions, the state that is left soonest first ([`graded`]). A class with detailed balance has
//! the squared singular values of its Cholesky factor as rates, all of them with their full relative accuracy
//! ([`jacobi`], Demmel and Veselic 1992); any other class is taken apart into its time scales ([`levels`]).

pub mod classes;
pub mod graded;
pub mod jacobi;
pub mod levels;
pub mod pseudo;

use super::matrix::MarkovChain;
use crate::error::{Result, invalid};
use crate::run::Control;
use classes::Classes;
use graded::Graded;

/// The largest class that is taken as a square table.
pub const MOST_STATES: usize = 3000;

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

/// All rates of `chain`. Cost: O(n^3) for each class of n states, some 10 n^3 operations.
///
/// A call of the dense eigenvalue solver cannot be interrupted: classes without detailed balance of more than a thousand
/// states hold up an interruption by seconds.
///
/// # Errors
/// A class of more than [`MOST_STATES`] states; [`Error::Memory`](crate::Error::Memory),
/// [`Error::Interrupted`](crate::Error::Interrupted).
pub fn rates(chain: &MarkovChain, control: &Control) -> Result<Rates> {
    let classes = Classes::new(chain, control)?;
    if let Some(members) = classes.members.iter().find(|members| members.len() > MOST_STATES) {
        let rule = format!("have classes of at most {MOST_STATES} states for all eigenvalues");
        return Err(invalid("the chain", &[], format!("one of {}", members.len()), rule));
    }
    control.expect(chain.n_states() as u64);
    let mut out = Rates { values: Vec::with_capacity(chain.n_states()), reversible: true };
    for members in &classes.members {
        control.check()?;
        if let [state] = members[..] {
            out.values.push((classes::leaving(chain, state), 0.0));
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
