//! Rates of a class without detailed balance: time scale by time scale.
//!
//! The class is similar to K D with D descending ([`Graded`]). Where two neighbours of D lie apart, the fast part and
//! the slow part are separated by the invariant subspace of the slow one, the solution of
//!
//! ```text
//! K11 Y = -K12 + D1^-1 Y D2 (K22 + K21 Y),
//! ```
//!
//! a fixed point that contracts by about the ratio of the two scales. The slow part is then (K22 + K21 Y) D2, the fast
//! one (K11 - D1^-1 Y D2 K21) D1: again of the form K D, each relative to its own scale. What cannot be taken apart any
//! further goes to a dense eigenvalue solver, which errs by eps times the spread of its scales.

use super::Complex;
use super::graded::Graded;
use crate::error::{Error, Result};
use crate::run::Control;
use faer::Mat;
use faer::linalg::solvers::Solve;

/// Neighbouring scales whose ratio is below this stay together.
pub const APART: f64 = 4.0;

/// Steps of the fixed point: at the least ratio that converges it takes some 60.
const STEPS: usize = 100;

/// Change at which the fixed point is reached, relative to the largest entry.
const STILL: f64 = 1e-15;

/// Change that is good enough where rounding keeps it from falling further.
const GOOD: f64 = 1e-13;

/// The rates of the class, in no order, and 0 for each of its scales that is 0.
///
/// # Errors
/// [`Error::Interrupted`], [`Error::NotConverged`].
pub fn rates(graded: &Graded, control: &Control) -> Result<Vec<Complex>> {
    let rank = graded.rank();
    let mut rates = Vec::with_capacity(graded.n_states());
    let core = graded.core().submatrix(0, 0, rank, rank).to_owned();
    // An explicit stack: a chain of many scales would nest deeply.
    let mut parts = vec![(core, graded.scales[..rank].to_vec())];
    while let Some((core, scales)) = parts.pop() {
        control.check()?;
        match scales[..] {
            [] => {}
            [scale] => rates.push((core[(0, 0)] * scale, 0.0)),
            _ => match split(&core, &scales, control)? {
                Some((fast, slow, at)) => {
                    parts.push((fast, scales[..at].to_vec()));
                    parts.push((slow, scales[at..].to_vec()));
                }
                None => rates.extend(together(&core, &scales)?),
            },
        }
    }
    rates.resize(graded.n_states(), (0.0, 0.0));
    Ok(rates)
}

/// The cores of the fast and the slow part, and where the second begins.
type Split = (Mat<f64>, Mat<f64>, usize);

/// Takes K D apart; `None` where nothing can be separated.
fn split(core: &Mat<f64>, scales: &[f64], control: &Control) -> Result<Option<Split>> {
    let mut places: Vec<usize> = (1..scales.len()).filter(|&at| scales[at - 1] > APART * scales[at]).collect();
    places.sort_by(|&a, &b| (scales[a] / scales[a - 1]).total_cmp(&(scales[b] / scales[b - 1])));
    // Where the widest gaps do not serve, narrower ones seldom do, and each costs a factorisation.
    for at in places.into_iter().take(3) {
        if let Some(slow) = slow_subspace(core, scales, at, control)? {
            let n = scales.len();
            let (below, last) = (core.submatrix(at, 0, n - at, at), core.submatrix(at, at, n - at, n - at));
            let pulled = pull(&slow, scales, at);
            let fast = core.submatrix(0, 0, at, at) - pulled * below;
            return Ok(Some((fast, last + below * &slow, at)));
        }
    }
    Ok(None)
}

/// D1^-1 Y D2.
pub fn pull(slow: &Mat<f64>, scales: &[f64], at: usize) -> Mat<f64> {
    Mat::from_fn(slow.nrows(), slow.ncols(), |i, j| slow[(i, j)] * (scales[at + j] / scales[i]))
}

/// Y, by which the slow subspace of K D is spanned by the columns of (D1^-1 Y D2, I); `None` where the fixed point is
/// not reached.
///
/// # Errors
/// [`Error::Interrupted`], [`Error::NotConverged`].
pub fn slow_subspace(core: &Mat<f64>, scales: &[f64], at: usize, control: &Control) -> Result<Option<Mat<f64>>> {
    let n = scales.len();
    let solver = core.submatrix(0, 0, at, at).partial_piv_lu();
    control.check()?;
    let (right, below) = (core.submatrix(0, at, at, n - at), core.submatrix(at, 0, n - at, at));
    let last = core.submatrix(at, at, n - at, n - at);
    let mut slow = solver.solve(-right);
    let mut before = f64::INFINITY;
    for _ in 0..STEPS {
        control.check()?;
        let next = solver.solve(pull(&slow, scales, at) * (last + below * &slow) - right);
        let change = (&next - &slow).norm_max() / next.norm_max().max(1.0);
        slow = next;
        if change <= STILL || (change <= GOOD && change >= before / 2.0) {
            return Ok(Some(slow));
        }
        if change.is_nan() || change > 1e3 {
            break;
        }
        before = change;
    }
    Ok(None)
}

/// Not known to occur: the dense solver has shifts for the cases in which it would stand still.
pub fn not_converged() -> Error {
    Error::NotConverged("the dense eigenvalue solver did not converge".to_owned())
}

/// The rates of a part whose scales are alike, from a dense solver.
fn together(core: &Mat<f64>, scales: &[f64]) -> Result<Vec<Complex>> {
    let roots: Vec<f64> = scales.iter().map(|s| (s / scales[0]).sqrt()).collect();
    let balanced = Mat::from_fn(roots.len(), roots.len(), |i, j| roots[i] * core[(i, j)] * roots[j]);
    let values = balanced.eigenvalues().map_err(|_| not_converged())?;
    Ok(values.iter().map(|value| (value.re * scales[0], value.im * scales[0])).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directed_cycle_of_slow_states_has_its_complex_pair() {
        // Three states, each left for the next with probability e: rates e (1 - root of unity).
        for e in [0.5, 1e-8, 1e-100] {
            let table = vec![0.0, e, 0.0, 0.0, 0.0, 0.0, e, 0.0, e, 0.0, 0.0, 0.0];
            let graded = Graded::new(table, 3, &Control::default()).unwrap();
            let mut found = rates(&graded, &Control::default()).unwrap();
            found.sort_by(|a, b| a.1.total_cmp(&b.1));
            let root = 3f64.sqrt() / 2.0;
            for (found, expected) in found.iter().zip([(1.5, -root), (0.0, 0.0), (1.5, root)]) {
                assert!(
                    (found.0 / e - expected.0).abs() < 1e-14 && (found.1 / e - expected.1).abs() < 1e-14,
                    "{found:?}"
                );
            }
        }
    }
}
