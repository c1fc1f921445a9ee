//! Corners of the simplex that the states form in the coordinates of the slow functions, and coordinates within it.

use super::subspace::Slow;
use faer::Mat;
use faer::linalg::solvers::Solve;

/// What rounding may leave of a function that is the same everywhere.
const ROUNDING: f64 = 1e-12;

/// Memberships to start from.
#[derive(Debug, Clone)]
pub(super) struct Start {
    /// n x k, row after row; 1 at the corners.
    pub(super) memberships: Vec<f64>,
    /// k x k: what I - P does to the memberships.
    pub(super) action: Mat<f64>,
}

/// `k` states whose rows span the largest simplex, one after another (Weber and Galliat 2002): the first is the
/// farthest from the mean, each next one the farthest from the plane of those found.
pub(super) fn corners(functions: &[Vec<f64>], k: usize) -> Vec<usize> {
    let n = functions[0].len();
    // Each function on a scale of its own, so that none hides the others.
    let mut rows: Vec<Vec<f64>> = vec![Vec::with_capacity(k); n];
    for function in functions {
        let mean = function.iter().sum::<f64>() / n as f64;
        let width = function.iter().map(|x| (x - mean).abs()).fold(0.0, f64::max);
        // One that is the same everywhere but for rounding tells no states apart.
        let same = width <= ROUNDING * function.iter().map(|x| x.abs()).fold(0.0, f64::max);
        rows.iter_mut().zip(function).for_each(|(row, x)| row.push(if same { 0.0 } else { (x - mean) / width }));
    }
    let farthest = |rows: &[Vec<f64>]| {
        let squares: Vec<f64> = rows.iter().map(|row| row.iter().map(|x| x * x).sum()).collect();
        (1..n).fold(0, |best, i| if squares[i] > squares[best] { i } else { best })
    };
    let mut found = vec![farthest(&rows)];
    let origin = rows[found[0]].clone();
    for row in &mut rows {
        row.iter_mut().zip(&origin).for_each(|(x, o)| *x -= o);
    }
    while found.len() < k {
        let next = farthest(&rows);
        let length = rows[next].iter().map(|x| x * x).sum::<f64>().sqrt();
        let direction: Vec<f64> = rows[next].iter().map(|x| x / length).collect();
        for row in &mut rows {
            let along: f64 = row.iter().zip(&direction).map(|(x, d)| x * d).sum();
            row.iter_mut().zip(&direction).for_each(|(x, d)| *x -= along * d);
        }
        found.push(next);
    }
    found
}

/// The combinations of the functions that are 1 at one corner and 0 at the others; `None` where the corners lie in a
/// plane.
pub(super) fn coordinates(slow: &Slow, corners: &[usize]) -> Option<Start> {
    let k = corners.len();
    let at_corners = Mat::from_fn(k, k, |i, j| slow.functions[j][corners[i]]);
    let solver = at_corners.full_piv_lu();
    let combination = solver.solve(Mat::<f64>::identity(k, k));
    let n = slow.functions[0].len();
    let mut memberships = Vec::with_capacity(n * k);
    for state in 0..n {
        memberships.extend((0..k).map(|j| (0..k).map(|i| slow.functions[i][state] * combination[(i, j)]).sum::<f64>()));
    }
    let action = at_corners * (&slow.action * combination);
    memberships.iter().all(|x| x.is_finite() && x.abs() < 1e8).then_some(Start { memberships, action })
}

/// The transition matrix among the memberships `start` B, row after row: B^-1 (I - M) B, with a diagonal that makes
/// rows sum to 1.
pub(super) fn coarse(start: &Start, combination: &Mat<f64>, k: usize) -> Vec<f64> {
    let rates = combination.full_piv_lu().solve(&start.action * combination);
    let mut out = vec![0.0; k * k];
    for i in 0..k {
        (0..k).filter(|&j| j != i).for_each(|j| out[i * k + j] = 0.0 - rates[(i, j)]);
        out[i * k + i] = 1.0 - (0..k).filter(|&j| j != i).map(|j| out[i * k + j]).sum::<f64>();
    }
    out
}
