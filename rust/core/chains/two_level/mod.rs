//! Equations of large systems that are nearly decomposable, solved by steps whose number does not depend on how seldom
//! a walk goes from set to set, nor do the digits of the solution.
//!
//! The states fall into sets (`sets.rs`). A solution of
//!
//! ```text
//! sum over j of a_ij (x_i - x_j) + exit_i x_i = c_i
//! ```
//!
//! is held as a level for each set and a deviation for each state, **never added before the end**: where transitions
//! between the sets have probability 1e-100 the levels are of order 1e100, and the deviations, which decide what flows
//! within the sets, would be lost in them. The weighted sums of the equations over the sets (`weights.rs`) determine the
//! levels, by elimination (`coarse.rs`, in layers where sets fall into groups of sets): transitions within sets cancel in them where the weights are stationary for the
//! set. What remains is solved for the deviations by conjugate gradients or BiCGSTAB (`krylov.rs`), with the levels
//! projected out (`operator.rs`): it is as well conditioned as the sets mix fast.
//!
//! The residual is then taken anew, from differences, and the whole repeated until it is as small as rounding allows
//! (`refine.rs`). Whatever happened before, it bounds the error: x is the cost times a matrix without negative entries,
//! hence the error at most the solution for a cost that no residual exceeds.

mod coarse;
mod groups;
mod krylov;
mod operator;
mod refine;
mod sets;
mod stationary;
mod weights;

#[cfg(test)]
mod tests;

pub use stationary::stationary;

use super::system::System;
use crate::error::{Error, Result};
use crate::run::Control;
use operator::Operator;
use refine::{Parts, largest, refine};

/// States between two looks at the stop flag.
const CHECKED: usize = 1 << 16;

/// A solution and how it was reached.
#[derive(Debug, Clone, PartialEq)]
pub struct Solved {
    /// The solution, one number for each state.
    pub values: Vec<f64>,
    /// No entry has a greater relative error, but for the rounding in the evaluation of the residuals that tell so and of
    /// the last additions. Where it suffices this is the largest residual relative to the cost; else a solution for the
    /// residuals gives a closer bound.
    pub residual: f64,
    /// Products with the matrix.
    pub n_steps: u64,
    /// Sets that the states were divided into.
    pub n_sets: usize,
}

/// The solution of `sum_j a_ij (x_i - x_j) + exit_i x_i = c_i` for a cost c that is not negative: with c = 1 the mean time
/// until the system is left, with the probability of a transition to some states outside the probability that it is left
/// for them. Each state must be able to leave the system, and to reach a positive cost.
///
/// Cost: about 50 products with the matrix where the sets mix fast, and as much again for the sets; memory for about
/// twelve vectors, or 70 where flows do not balance. All on the calling thread: a product with a million transitions takes
/// a millisecond, of which starting threads anew would cost what two of them gain.
///
/// # Errors
/// [`Error::NotConverged`] if the relative error of an entry may be above `tolerance`; [`Error::Memory`],
/// [`Error::Interrupted`].
///
/// # Panics
/// If `cost` has not one number for each state.
pub fn solve(system: &System, cost: &[f64], tolerance: f64, control: &Control) -> Result<Solved> {
    assert_eq!(cost.len(), system.n_states(), "one cost for each state");
    if cost.is_empty() {
        return Ok(Solved { values: Vec::new(), residual: 0.0, n_steps: 0, n_sets: 0 });
    }
    let sets = sets::find(system, control)?;
    let operator = Operator::new(system, &sets, control)?;
    let mut parts = refine(&operator, cost, tolerance / 2.0, control)?;
    let ratio = |(r, cost): (&f64, &f64)| if *r == 0.0 { 0.0 } else { r.abs() / cost };
    let mut residual = largest(parts.residual.iter().zip(cost).map(ratio));
    if residual > tolerance || residual.is_nan() {
        residual = bound(&operator, &mut parts, control)?;
    }
    if residual <= tolerance {
        return Ok(Solved { values: whole(&operator, &parts), residual, n_steps: parts.n_steps, n_sets: sets.n });
    }
    Err(unreached(residual, tolerance, parts.n_steps, sets.n))
}

/// The error of a bound that stayed above the tolerance.
fn unreached(bound: f64, tolerance: f64, n_steps: u64, n_sets: usize) -> Error {
    Error::NotConverged(format!(
        "the iterative method reached a relative error of at most {bound:.1e}, not {tolerance:.1e}, after {n_steps} \
         steps with {n_sets} sets; use method=\"elimination\", which always is exact, or a larger tolerance"
    ))
}

/// The levels of the sets plus the deviations.
fn whole(operator: &Operator<'_>, parts: &Parts) -> Vec<f64> {
    let states = operator.sets.of.iter().zip(&parts.deviation);
    states.map(|(&set, deviation)| operator.coarse.level(&parts.levels, set) + deviation).collect()
}

/// A bound of the relative error of each entry: the solution z for a cost that exceeds the residuals. If the residuals of
/// z are at most half its cost then the error is at most 2 z.
fn bound(operator: &Operator<'_>, parts: &mut Parts, control: &Control) -> Result<f64> {
    // In each state as much again as the mean of its set, for costs that differ too much ask for many steps. It also
    // stands for what rounding does to the residuals.
    let sizes: Vec<f64> = parts.residual.iter().map(|r| r.abs()).collect();
    let means = operator.means(&sizes);
    let cost: Vec<f64> = sizes
        .iter()
        .zip(&operator.sets.of)
        .map(|(size, &set)| (size + means[set as usize]).max(f64::MIN_POSITIVE))
        .collect();
    let error = refine(operator, &cost, 0.25, control)?;
    parts.n_steps += error.n_steps;
    let sound = largest(error.residual.iter().zip(&cost).map(|(r, cost)| r.abs() / cost)) <= 0.5;
    let values = whole(operator, parts);
    let errors = whole(operator, &error);
    Ok(if sound {
        largest(values.iter().zip(&errors).map(|(x, error)| 2.0 * error / x.max(0.0)))
    } else {
        f64::INFINITY
    })
}
