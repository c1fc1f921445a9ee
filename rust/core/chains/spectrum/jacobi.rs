//! Rates of a class with detailed balance: the squared singular values of its Cholesky factor, by rotations of its
//! columns (one-sided Jacobi), which keep the relative accuracy of each of them however far they lie apart (Demmel and
//! Veselic 1992).

use super::graded::Graded;
use crate::error::Result;
use crate::run::Control;
use faer::{Mat, Side};

/// What a rate may err by, relative to itself, for the sake of one other column: a cosine c costs at most c, and
/// c^2 / gap where the two rates lie a relative gap apart.
const TOLERANCE: f64 = 1e-15;

/// Scales of columns that a dense solver rotates together differ at most by this: it errs by eps times its root.
const SPREAD: f64 = 1e4;

/// Fewer columns are left to the rotations.
const WORTH: usize = 24;

/// A matrix converges in 6 to 10 sweeps; more are a bug.
const SWEEPS: usize = 60;

/// The rates of the class, descending, and 0 for each of its scales that is 0.
///
/// # Errors
/// [`Error::Interrupted`](crate::Error::Interrupted).
pub fn rates(graded: &Graded, control: &Control) -> Result<Vec<f64>> {
    let mut columns = graded.cholesky();
    rotate_together(&mut columns, &graded.scales, control)?;
    orthogonalise(&mut columns, control)?;
    let mut rates: Vec<f64> = columns.iter().map(|column| dot(column, column)).collect();
    rates.resize(graded.n_states(), 0.0);
    rates.sort_by(|a, b| b.total_cmp(a));
    Ok(rates)
}

/// Makes the columns of about one scale orthogonal with one dense eigenvalue problem: what is left to the rotations is
/// little, and this is several times faster.
fn rotate_together(columns: &mut [Vec<f64>], scales: &[f64], control: &Control) -> Result<()> {
    let mut first = 0;
    while first < columns.len() {
        let last = first + scales[first..columns.len()].partition_point(|&s| s > scales[first] / SPREAD);
        let n = columns[first].len();
        if last - first >= WORTH {
            control.check()?;
            let part = Mat::from_fn(n, last - first, |i, j| columns[first + j][i] / scales[first].sqrt());
            let gram = part.transpose() * &part;
            // A solver that fails leaves the whole work to the rotations.
            if let Ok(eigen) = gram.self_adjoint_eigen(Side::Lower) {
                control.check()?;
                let rotated = &part * eigen.U();
                for (j, column) in columns[first..last].iter_mut().rev().enumerate() {
                    column.iter_mut().enumerate().for_each(|(i, x)| *x = rotated[(i, j)] * scales[first].sqrt());
                }
            }
        }
        first = last;
    }
    Ok(())
}

/// Rotates pairs of columns until all are orthogonal.
fn orthogonalise(columns: &mut [Vec<f64>], control: &Control) -> Result<()> {
    let mut squares: Vec<f64> = columns.iter().map(|column| dot(column, column)).collect();
    for _ in 0..SWEEPS {
        // All cosines at once are many times faster than one by one, and mostly all there is to do.
        let unit =
            Mat::from_fn(columns.first().map_or(0, Vec::len), columns.len(), |i, j| columns[j][i] / squares[j].sqrt());
        control.check()?;
        let cosines = unit.transpose() * &unit;
        drop(unit);
        let mut rotated = false;
        for p in 0..columns.len() {
            control.check()?;
            for q in p + 1..columns.len() {
                if harmless(cosines[(p, q)], squares[p], squares[q]) {
                    continue;
                }
                let (before, after) = columns.split_at_mut(q);
                let (left, right) = (&mut before[p], &mut after[0]);
                // Those rotated before have changed it.
                let product = dot(left, right);
                if harmless(product / (squares[p].sqrt() * squares[q].sqrt()), squares[p], squares[q]) {
                    continue;
                }
                rotated = true;
                let zeta = (squares[q] - squares[p]) / (2.0 * product);
                let tangent = 1f64.copysign(zeta) / (zeta.abs() + zeta.hypot(1.0));
                let cosine = 1.0 / tangent.hypot(1.0);
                let sine = cosine * tangent;
                for (x, y) in left.iter_mut().zip(right.iter_mut()) {
                    (*x, *y) = (cosine * *x - sine * *y, sine * *x + cosine * *y);
                }
                squares[p] = dot(left, left);
                squares[q] = dot(right, right);
            }
        }
        if !rotated {
            break;
        }
    }
    Ok(())
}

/// Whether two columns of these squared lengths may keep the angle between them.
fn harmless(cosine: f64, a: f64, b: f64) -> bool {
    let gap = (a - b).abs() / a.max(b);
    cosine.abs() <= TOLERANCE || cosine * cosine <= TOLERANCE * gap
}

/// The inner product, in eight strands.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut strands = [0.0; 8];
    let (left, right) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f64 = left.remainder().iter().zip(right.remainder()).map(|(x, y)| x * y).sum();
    for (x, y) in left.zip(right) {
        (0..8).for_each(|l| strands[l] += x[l] * y[l]);
    }
    strands.iter().sum::<f64>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_states_at_any_distance() {
        for (there, back) in [(0.5, 0.25), (1e-100, 3e-100), (1e-300, 1e-10), (0.25, 1e-200)] {
            let graded = Graded::new(vec![0.0, there, 0.0, back, 0.0, 0.0], 2, &Control::default()).unwrap();
            let rates = rates(&graded, &Control::default()).unwrap();
            assert!((rates[0] / (there + back) - 1.0).abs() < 1e-15, "{rates:?}");
            assert_eq!(rates[1], 0.0);
        }
    }
}
