//! The functions that the slowest modes of a chain span.
//!
//! With U (I - P) U^-1 = (K D, 0) of [`Graded`], a subspace of K D that is invariant gives one of I - P through U^-1,
//! which averages over where walks go next and subtracts nothing: the values of the slowest states spread over all
//! others.

use crate::chains::matrix::MarkovChain;
use crate::chains::spectrum::filtered::{self, Wanted};
use crate::chains::spectrum::graded::Graded;
use crate::chains::spectrum::levels::{APART, not_converged, pull, slow_subspace};
use crate::chains::spectrum::{MOST_STATES, large};
use crate::chains::structure::Classes;
use crate::chains::system::System;
use crate::error::{Result, invalid};
use crate::run::Control;
use faer::Mat;

/// A basis of the slow functions and what I - P does to it.
#[derive(Debug, Clone)]
pub(super) struct Slow {
    /// k functions of the states, by the order of elimination. The last ones are, for each closed class, the
    /// probability of ending there: they sum to 1.
    pub(super) functions: Vec<Vec<f64>>,
    /// k x k: I - P maps the functions F to F M.
    pub(super) action: Mat<f64>,
    /// The rates of the modes, where they are known.
    pub(super) rates: Option<Vec<f64>>,
}

/// The slowest `k` modes of a large chain, which must be irreducible and have detailed balance, and its stationary law.
///
/// # Errors
/// Another chain, modes that do not converge; [`Error::Memory`](crate::Error::Memory),
/// [`Error::Interrupted`](crate::Error::Interrupted).
pub(super) fn of_large(chain: &MarkovChain, k: usize, control: &Control) -> Result<(Slow, Vec<f64>)> {
    let n_classes = Classes::new(chain, control)?.n_classes();
    if n_classes != 1 {
        let rule = format!("be irreducible where it has more than {MOST_STATES} states");
        return Err(invalid("the chain", &[], format!("{n_classes} classes"), rule));
    }
    let system = System::new(chain, |_| true, control)?;
    let weights = large(&system, k, control)?;
    let modes = filtered::modes(system, &weights, k, Wanted::Slow, control)?;
    let functions = modes.functions.col_iter().map(|column| column.iter().copied().collect()).collect();
    let action = Mat::from_fn(k, k, |i, j| if i == j { modes.rates[i] } else { 0.0 });
    Ok((Slow { functions, action, rates: Some(modes.rates) }, weights))
}

/// The slowest `k` modes, at least as many as there are closed classes.
///
/// # Errors
/// A `k` that splits a pair of complex eigenvalues; [`Error::Interrupted`](crate::Error::Interrupted).
pub(super) fn slowest(graded: &Graded, k: usize, control: &Control) -> Result<Slow> {
    let (n, rank) = (graded.n_states(), graded.rank());
    let n_closed = n - rank;
    let wanted = k - n_closed;
    let mut functions = vec![vec![0.0; n]; k];
    (0..n_closed).for_each(|class| functions[wanted + class][rank + class] = 1.0);
    let mut action = Mat::zeros(k, k);
    if wanted > 0 {
        let part = Part::new(graded, wanted, control)?;
        let basis = part.basis(wanted, n_closed, control)?;
        for j in 0..wanted {
            for (i, value) in functions[j][..part.at].iter_mut().enumerate() {
                *value = (0..part.size).map(|l| part.lift[(i, l)] * basis.vectors[(l, j)]).sum();
            }
            (0..part.size).for_each(|i| functions[j][part.at + i] = basis.vectors[(i, j)]);
            (0..wanted).for_each(|i| action[(i, j)] = basis.action[(i, j)]);
            for class in 0..n_closed {
                action[(wanted + class, j)] =
                    (0..part.size).map(|l| part.action[(part.size + class, l)] * basis.vectors[(l, j)]).sum();
            }
        }
    }
    graded.spread(&mut functions);
    Ok(Slow { functions, action, rates: None })
}

/// The slow part of K D that is separated from the rest by a gap in its scales: the smallest that is large enough.
struct Part {
    /// Where it begins, and its size.
    at: usize,
    size: usize,
    /// at x size: the values of the faster coordinates on each slow one.
    lift: Mat<f64>,
    /// (size + closed classes) x size: K D on it, and what flows into the closed classes.
    action: Mat<f64>,
}

impl Part {
    fn new(graded: &Graded, wanted: usize, control: &Control) -> Result<Self> {
        let (n, rank) = (graded.n_states(), graded.rank());
        let scales = &graded.scales[..rank];
        let core = graded.core();
        let square = core.submatrix(0, 0, rank, rank).to_owned();
        for at in (1..=rank - wanted).rev().filter(|&at| scales[at - 1] > APART * scales[at]) {
            if let Some(slow) = slow_subspace(&square, scales, at, control)? {
                let rest = core.submatrix(at, at, n - at, rank - at) + core.submatrix(at, 0, n - at, at) * &slow;
                let action = Mat::from_fn(n - at, rank - at, |i, j| rest[(i, j)] * scales[at + j]);
                return Ok(Self { at, size: rank - at, lift: pull(&slow, scales, at), action });
            }
        }
        let action = Mat::from_fn(n, rank, |i, j| core[(i, j)] * scales[j]);
        Ok(Self { at: 0, size: rank, lift: Mat::zeros(0, rank), action })
    }

    /// The slowest `wanted` directions within it: all of it, or from its eigenvectors.
    fn basis(&self, wanted: usize, n_closed: usize, control: &Control) -> Result<Basis> {
        let action = self.action.submatrix(0, 0, self.size, self.size);
        if wanted == self.size {
            return Ok(Basis { vectors: Mat::identity(wanted, wanted), action: action.to_owned() });
        }
        control.check()?;
        let largest = action.norm_max();
        let unit = Mat::from_fn(self.size, self.size, |i, j| action[(i, j)] / largest);
        let eigen = unit.eigen().map_err(|_| not_converged())?;
        let (values, columns) = (eigen.S(), eigen.U());
        let mut order: Vec<usize> = (0..self.size).collect();
        order.sort_by(|&a, &b| {
            let key = |i: usize| (values[i].re, values[i].im.abs(), values[i].im);
            let (a, b) = (key(a), key(b));
            a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.total_cmp(&b.2))
        });
        let (last, next) = (values[order[wanted - 1]], values[order[wanted]]);
        if last.im != 0.0 && last.re == next.re && last.im == -next.im {
            let k = wanted + n_closed;
            let rule = format!("not split a pair of complex eigenvalues: {} and {} do not", k - 1, k + 1);
            return Err(invalid("k", &[], k, rule));
        }
        let mut vectors = Mat::zeros(self.size, wanted);
        for (j, &number) in order[..wanted].iter().enumerate() {
            // A pair spans the plane of the real and the imaginary part of one of its vectors.
            let imaginary = values[number].im > 0.0;
            (0..self.size).for_each(|i| {
                let entry = columns[(i, number)];
                vectors[(i, j)] = if imaginary { entry.im } else { entry.re };
            });
        }
        // Orthonormal columns: vectors of nearly defective eigenvalues lie close together.
        let vectors = vectors.qr().compute_thin_Q();
        let action = vectors.transpose() * (action * &vectors);
        Ok(Basis { vectors, action })
    }
}

/// Directions in a [`Part`], and what it does to them.
struct Basis {
    vectors: Mat<f64>,
    action: Mat<f64>,
}
