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
//! levels, by elimination (`coarse.rs`): transitions within sets cancel in them where the weights are stationary for the
//! set. What remains is solved for the deviations by conjugate gradients or BiCGSTAB (`krylov.rs`), with the levels
//! projected out (`operator.rs`): it is as well conditioned as the sets mix fast.
//!
//! The residual is then taken anew, from differences, and the whole repeated until it is as small as rounding allows.
//! Since x is the cost times a matrix without negative entries, the largest ratio of residual to cost bounds the relative error
//! of every entry of x, whatever happened before.

mod coarse;
mod krylov;
mod operator;
mod sets;
mod weights;

#[cfg(test)]
mod tests;

use super::system::{System, zeros};
use crate::error::{Error, Result};
use crate::run::Control;
use krylov::Limits;
use operator::Operator;

/// Part to which the residual is brought in a round.
const REDUCTION: f64 = 1e-5;

/// Products in a round.
const ROUND_STEPS: u64 = 2000;

/// Rounds at most.
const ROUNDS: u64 = 40;

/// Spread of the weights up to which conjugate gradients are used: lighter states have no say in them.
const SPREAD: f64 = 1e-10;

/// A solution and how it was reached.
#[derive(Debug, Clone, PartialEq)]
pub struct Solved {
    /// The solution, one number for each state.
    pub values: Vec<f64>,
    /// The largest residual relative to the cost: no entry has a greater relative error.
    pub residual: f64,
    /// Products with the matrix.
    pub n_steps: u64,
    /// Sets that the states were divided into.
    pub n_sets: usize,
}

/// The solution of `sum_j a_ij (x_i - x_j) + exit_i x_i = c_i` for a positive cost c: with c = 1 the mean time until the
/// system is left. Each state must be able to leave the system.
///
/// Cost: about 50 products with the matrix where the sets mix fast, on one thread; memory for about ten vectors.
///
/// # Errors
/// [`Error::NotConverged`] if the residual stays above `tolerance`; [`Error::Memory`], [`Error::Interrupted`].
///
/// # Panics
/// If `cost` has not one number for each state.
pub fn solve(system: &System, cost: &[f64], tolerance: f64, control: &Control) -> Result<Solved> {
    assert_eq!(cost.len(), system.n_states(), "one cost for each state");
    if cost.is_empty() {
        return Ok(Solved { values: Vec::new(), residual: 0.0, n_steps: 0, n_sets: 0 });
    }
    let sets = sets::find(system, control)?;
    let balanced = weights::balancing(system, control)?;
    let (own, all) = match &balanced {
        Some(wide) => (weights::within(&sets, wide)?, weights::plain(wide, SPREAD)?),
        None => (weights::stationary(system, &sets, control)?, None),
    };
    drop(balanced);
    let operator = Operator::new(system, &sets, own, control)?;
    let mut solution = refine(&operator, all.as_deref(), cost, tolerance, control)?;
    for (value, &set) in solution.deviation.iter_mut().zip(&sets.of) {
        *value += solution.levels[set as usize];
    }
    Ok(Solved { values: solution.deviation, residual: solution.residual, n_steps: solution.n_steps, n_sets: sets.n })
}

/// A solution in two parts.
#[derive(Debug, Clone)]
struct Parts {
    levels: Vec<f64>,
    deviation: Vec<f64>,
    residual: f64,
    n_steps: u64,
}

/// Rounds of residual, levels and deviations until rounding is all that is left.
fn refine(
    operator: &Operator<'_>,
    symmetric: Option<&[f64]>,
    cost: &[f64],
    tolerance: f64,
    control: &Control,
) -> Result<Parts> {
    let (n, sets) = (cost.len(), operator.sets);
    let mut now = Parts { levels: vec![0.0; sets.n], deviation: zeros(n)?, residual: f64::INFINITY, n_steps: 0 };
    let mut best = now.clone();
    let mut r = zeros(n)?;
    for _ in 0..ROUNDS {
        operator.residual(&now.levels, &now.deviation, cost, &mut r, control)?;
        let sums = operator.sums(&r);
        let levels = operator.project(&mut r, &sums, control)?;
        now.levels.iter_mut().zip(&levels).for_each(|(to, level)| *to += level);
        now.residual = relative(&r, cost);
        let rounding = 8.0
            * f64::EPSILON
            * (0..n).map(|i| operator.leave[i] * now.deviation[i].abs() / cost[i]).fold(0.0, f64::max);
        let stalls = now.residual.is_nan() || now.residual >= best.residual / 3.0;
        if now.residual < best.residual {
            best.clone_from(&now);
        }
        if stalls || best.residual <= rounding {
            break;
        }
        operator.free(&mut r);
        let mut x = zeros(n)?;
        let limits = Limits { reduction: REDUCTION, n_steps: ROUND_STEPS };
        now.n_steps += match symmetric {
            Some(weights) => krylov::conjugate_gradients(operator, weights, &mut r, &mut x, limits, control)?,
            None => krylov::bicgstab(operator, &mut r, &mut x, limits, control)?,
        };
        let means: Vec<f64> = operator.sums(&x).iter().zip(&operator.masses).map(|(sum, mass)| sum / mass).collect();
        for ((deviation, x), &set) in now.deviation.iter_mut().zip(&x).zip(&sets.of) {
            *deviation += x - means[set as usize];
        }
        now.levels.iter_mut().zip(&means).for_each(|(to, mean)| *to += mean);
    }
    operator.residual(&best.levels, &best.deviation, cost, &mut r, control)?;
    best.residual = relative(&r, cost);
    best.n_steps = now.n_steps;
    if best.residual <= tolerance {
        return Ok(best);
    }
    Err(Error::NotConverged(format!(
        "the iterative method reached a relative residual of {:.1e}, not {tolerance:.1e}, after {} steps with {} sets; \
         use method=\"elimination\", which always is exact, or a larger tolerance",
        best.residual, best.n_steps, sets.n
    )))
}

/// The largest residual relative to the cost, NaN if any is.
fn relative(r: &[f64], cost: &[f64]) -> f64 {
    let ratios = r.iter().zip(cost).map(|(r, cost)| (r / cost).abs());
    ratios.fold(0.0, |most, ratio| if ratio <= most { most } else { ratio })
}
