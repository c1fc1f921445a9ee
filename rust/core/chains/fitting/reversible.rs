//! The reversible chain of greatest likelihood under observed counts.

use super::bonds::{Bonds, Work, shares};
use super::table::CountTable;
use crate::error::{Result, invalid};
use crate::memory::zeros;
use crate::run::Control;

/// The fit has converged when a step changes no difference of w by more than this; its square is what remains.
const TOLERANCE: f64 = 1e-8;

/// Steps after which the fit is given up. A handful is usual.
const MOST_STEPS: usize = 200;

/// A chain in detailed balance with `stationary`.
#[derive(Debug, Clone, PartialEq)]
pub struct Reversible {
    /// Where each row begins, and the number of entries.
    pub indptr: Vec<i64>,
    /// The target of each entry, ascending within a row; each pair of states is there both ways or not at all.
    pub indices: Vec<u32>,
    /// Proportional to the transition probabilities within each row.
    pub weights: Vec<f64>,
    /// The stationary distribution.
    pub stationary: Vec<f64>,
}

/// The transition matrix that maximises the sum of `c_ij ln p_ij` among those with `pi_i p_ij = pi_j p_ji` for some
/// law pi, by the convex problem it comes down to (its form is that of Trendelkamp-Schroer et al., J. Chem. Phys. 143,
/// 2015): `p_ij` is proportional to `(c_ij + c_ji) / (1 + e^(w_j - w_i))`, where w minimises the sum of
/// `c_ij ln(1 + e^(w_j - w_i))`. Newton's method; a step whose largest change of a difference is m is shortened by
/// ln(1 + m) / m: since the third derivative along it is at most m times the second, the sum then falls at every step.
///
/// Detailed balance holds to rounding whatever the convergence: both ways of a pair come from one weight. Cost: about
/// ten solutions of a sparse symmetric system, one thread.
///
/// # Errors
/// If `counts` are not strongly connected (no maximum is attained then), or the steps do not converge;
/// [`Error::Memory`](crate::Error::Memory), [`Error::Interrupted`](crate::Error::Interrupted).
pub fn fit(counts: &CountTable<'_>, control: &Control) -> Result<Reversible> {
    let bonds = Bonds::new(counts, control)?;
    let w = multipliers(&bonds, control)?;
    let (indptr, indices) = bonds.layout()?;
    let mut weights = zeros(indices.len())?;
    bonds.fill_rows(
        &mut weights,
        |state| bonds.stay[state],
        |state, entry| (bonds.there[entry] + bonds.back[entry]) * shares(w[state], w[bonds.others[entry] as usize]).0,
    );
    // pi is proportional to x_i, the sum of row i over e^w_i.
    let mut stationary = zeros(bonds.n_states())?;
    for (state, ends) in indptr.windows(2).enumerate() {
        let total: f64 = weights[ends[0] as usize..ends[1] as usize].iter().sum();
        stationary[state] = libm::log(total) - w[state];
    }
    let most = stationary.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    for log in &mut stationary {
        *log = libm::exp(*log - most);
    }
    let total = crate::chains::matrix::sum(stationary.iter().copied());
    for probability in &mut stationary {
        *probability /= total;
    }
    Ok(Reversible { indptr, indices, weights, stationary })
}

/// The w that minimise F, up to a constant.
pub(super) fn multipliers(bonds: &Bonds, control: &Control) -> Result<Vec<f64>> {
    let n = bonds.n_states();
    let mut w: Vec<f64> = zeros(n)?;
    // Counts out over counts in: zero where the data are balanced already.
    for (state, w) in w.iter_mut().enumerate() {
        let (out, into) =
            bonds.row(state).fold((0.0, 0.0), |(out, into), e| (out + bonds.there[e], into + bonds.back[e]));
        *w = if out > 0.0 { libm::log(2.0 * out / (out + into)) } else { 0.0 };
    }
    let (mut slope, mut step, mut work) = (zeros(n)?, zeros(n)?, Work::new(n)?);
    let mut conductances = zeros(bonds.others.len())?;
    let mut change = f64::INFINITY;
    for _ in 0..MOST_STEPS {
        bonds.derivatives(&w, &mut slope, &mut conductances);
        bonds.solve(&conductances, &slope, &mut step, &mut work, control)?;
        change = (0..n)
            .flat_map(|state| bonds.row(state).map(move |entry| (state, entry)))
            .map(|(state, entry)| (step[state] - step[bonds.others[entry] as usize]).abs())
            .fold(0.0, f64::max);
        let length = if change > 0.0 { libm::log1p(change) / change } else { 1.0 };
        w.iter_mut().zip(&step).for_each(|(w, step)| *w -= length * step);
        if change <= TOLERANCE {
            return Ok(w);
        }
    }
    let rule = format!("let the reversible fit converge: a change by {TOLERANCE:e} in at most {MOST_STEPS} steps");
    Err(invalid("counts", &[], format!("a change by {change:e}"), rule))
}
