//! The outermost eigenvalues of a large class with detailed balance: subspace iteration, sharpened by Chebyshev
//! polynomials, with Rayleigh and Ritz's procedure in the inner product of the stationary law (Zhou and Saad 2007).
//!
//! A block of functions a little wider than what is wanted starts from random signs, which P smooths until they are
//! nearly constant on each metastable set. A polynomial of P then damps whatever lies within the interval of the
//! unwanted eigenvalues. Eigenvalues that are equal, or crowd at 1, converge together as the block is wide enough to
//! hold them all, where a single Krylov sequence would miss some.
//!
//! Rates come from the energies, the sum of `w_i p_ij (x_i - x_j)^2` over the transitions: rounding of the functions
//! enters squared, so that rates of 1e-20 still have their digits.

use crate::chains::system::System;
use crate::error::{Error, Result};
use crate::memory::zeros;
use crate::random::Seed;
use crate::run::{Control, fill_rows, map_items};
use faer::{Mat, Side};

/// Degree of the polynomial: this many products with P in a round.
const DEGREE: usize = 16;

/// Products that smooth the random start.
const SMOOTHING: usize = 15;

/// Rounds before it is said that the iteration does not converge.
const ROUNDS: usize = 60;

/// Residual at which one round more takes it to what rounding allows.
const SMALL: f64 = 1e-12;

/// What a rate may err by, relative to itself.
const TOLERANCE: f64 = 1e-8;

/// Rows of a unit of work.
const BLOCK: usize = 512;

/// Which eigenvalues are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// Those of the largest modulus.
    Modulus,
    /// The largest.
    Slow,
}

/// Eigenvalues, as rates, and their functions.
#[derive(Debug, Clone)]
pub struct Modes {
    /// 1 - lambda, the wanted ones first.
    pub rates: Vec<f64>,
    /// n x k: the right eigenfunctions, orthonormal under the weights.
    pub functions: Mat<f64>,
}

/// The class as an operator on blocks of functions, which are stored row after row.
struct Operator {
    system: System,
    weights: Vec<f64>,
    /// Functions in a block.
    width: usize,
}

/// `k` modes of the class whose states are those of `system`, with the `weights` of its detailed balance. Cost: some 100
/// products of P with a block of k + k / 4 + 8 functions, and O(n k^2) in each of 5 to 60 rounds. The orthogonalisation
/// of a block takes O(n k^2) operations that cannot be interrupted.
///
/// # Errors
/// [`Error::NotConverged`], [`Error::Memory`], [`Error::Interrupted`].
pub fn modes(system: System, weights: &[f64], k: usize, wanted: Wanted, control: &Control) -> Result<Modes> {
    let n = system.n_states();
    let total: f64 = weights.iter().sum();
    let weights: Vec<f64> = weights.iter().map(|w| (w / total).max(f64::MIN_POSITIVE)).collect();
    let operator = Operator { system, weights, width: (k + k / 4 + 8).min(n) };
    let (ritz, functions) = operator.iterate(k, wanted, control)?;
    operator.refine(&ritz, &functions, k, control)
}

impl Operator {
    /// `to` = `factor` (P - `centre`) `from` - `less` `to`, block by block.
    fn apply(
        &self,
        from: &[f64],
        to: &mut [f64],
        (factor, centre, less): (f64, f64, f64),
        control: &Control,
    ) -> Result<()> {
        let width = self.width;
        fill_rows(
            to,
            width,
            BLOCK,
            control,
            || vec![0.0; width],
            |sum, i, row| {
                let own = &from[i * width..(i + 1) * width];
                let (targets, values) = self.system.row(i);
                let stay = 1.0 - self.system.exits[i] - centre;
                sum.iter_mut().zip(own).for_each(|(sum, x)| *sum = stay * x);
                for (&target, &p) in targets.iter().zip(values) {
                    let other = &from[target as usize * width..(target as usize + 1) * width];
                    // In differences: the constant stays what it is.
                    for ((sum, x), y) in sum.iter_mut().zip(own).zip(other) {
                        *sum -= p * (x - y);
                    }
                }
                row.iter_mut().zip(&*sum).for_each(|(to, sum)| *to = factor * sum - less * *to);
                Ok(())
            },
        )
    }

    /// The Ritz values, the wanted ones first, and their functions, once the residuals of the first `k` are small.
    fn iterate(&self, k: usize, wanted: Wanted, control: &Control) -> Result<(Vec<f64>, Vec<f64>)> {
        let (n, width) = (self.weights.len(), self.width);
        let (mut block, mut other) = (zeros(n * width)?, zeros(n * width)?);
        let mut stream = Seed::from_u64(0).stream(0);
        for row in block.chunks_exact_mut(width) {
            for x in row.iter_mut() {
                *x = if stream.next_u64() >> 63 == 0 { -1.0 } else { 1.0 };
            }
        }
        for _ in 0..SMOOTHING {
            self.apply(&block, &mut other, (1.0, 0.0, 0.0), control)?;
            std::mem::swap(&mut block, &mut other);
        }
        let (mut last, mut worst) = (false, f64::INFINITY);
        for round in 0..ROUNDS {
            let (ritz, residual) = self.project(&mut block, &mut other, k, wanted, control)?;
            worst = residual;
            if last {
                return Ok((ritz, block));
            }
            last = worst < SMALL || width == n;
            // The interval of what is not wanted; a margin, as the last values are not yet what they will be.
            let edge = ritz[width - 1];
            let (low, high) = match wanted {
                Wanted::Modulus => (-edge.abs().max(0.05), edge.abs().max(0.05)),
                Wanted::Slow => (-1.0, edge.clamp(-0.9, 1.0)),
            };
            let (centre, half) = (f64::midpoint(low, high), (high - low) / 2.0);
            // Early rounds with a lower degree: their interval is too wide.
            let degree = if round == 0 { DEGREE / 2 } else { DEGREE };
            self.apply(&block, &mut other, (1.0 / half, centre, 0.0), control)?;
            std::mem::swap(&mut block, &mut other);
            for _ in 1..degree {
                self.apply(&block, &mut other, (2.0 / half, centre, 1.0), control)?;
                std::mem::swap(&mut block, &mut other);
            }
        }
        let reached = format!("the eigenvalues did not converge in {ROUNDS} rounds: their residual is {worst:.1e}");
        Err(Error::NotConverged(format!("{reached}, not {SMALL:.0e}; try another k")))
    }

    /// Makes `block` orthonormal Ritz functions, the wanted ones first; the values and the largest residual of the
    /// first `k`. `other` is working memory.
    fn project(
        &self,
        block: &mut [f64],
        other: &mut [f64],
        k: usize,
        wanted: Wanted,
        control: &Control,
    ) -> Result<(Vec<f64>, f64)> {
        let (n, width) = (self.weights.len(), self.width);
        let roots: Vec<f64> = self.weights.iter().map(|w| w.sqrt()).collect();
        let scaled = Mat::from_fn(n, width, |i, j| roots[i] * block[i * width + j]);
        control.check()?;
        let basis = scaled.qr().compute_thin_Q();
        drop(scaled);
        control.check()?;
        for (i, row) in block.chunks_exact_mut(width).enumerate() {
            row.iter_mut().enumerate().for_each(|(j, x)| *x = basis[(i, j)] / roots[i]);
        }
        self.apply(block, other, (1.0, 0.0, 0.0), control)?;
        let image = Mat::from_fn(n, width, |i, j| roots[i] * other[i * width + j]);
        let product = basis.transpose() * &image;
        let eigen = product.self_adjoint_eigen(Side::Lower).map_err(|_| super::levels::not_converged())?;
        let values = eigen.S();
        let mut order: Vec<usize> = (0..width).collect();
        order.sort_by(|&a, &b| match wanted {
            Wanted::Modulus => values[b].abs().total_cmp(&values[a].abs()),
            Wanted::Slow => values[b].total_cmp(&values[a]),
        });
        let rotation = Mat::from_fn(width, width, |i, j| eigen.U()[(i, order[j])]);
        let (turned, image) = (&basis * &rotation, &image * &rotation);
        let ritz: Vec<f64> = order.iter().map(|&i| values[i]).collect();
        let residual =
            |j: usize| (0..n).map(|i| (image[(i, j)] - ritz[j] * turned[(i, j)]).powi(2)).sum::<f64>().sqrt();
        let worst = (0..k.min(width)).map(residual).fold(0.0, f64::max);
        for (i, row) in block.chunks_exact_mut(width).enumerate() {
            row.iter_mut().enumerate().for_each(|(j, x)| *x = turned[(i, j)] / roots[i]);
        }
        Ok((ritz, worst))
    }

    /// The rates of the first `k` functions from their energies, and the error that their residuals bound.
    fn refine(&self, ritz: &[f64], block: &[f64], k: usize, control: &Control) -> Result<Modes> {
        let (n, width) = (self.weights.len(), self.width);
        let mut rates: Vec<f64> = ritz[..k].iter().map(|value| 1.0 - value).collect();
        let mut functions = Mat::from_fn(n, k, |i, j| block[i * width + j]);
        // Fast modes have their digits already.
        let slow: Vec<usize> = (0..k).filter(|&j| rates[j] < 0.5).collect();
        let parts = map_items(
            n.div_ceil(BLOCK),
            1,
            control,
            || vec![0.0; slow.len()],
            |step, part| Ok(self.energies(block, &slow, part * BLOCK..n.min((part + 1) * BLOCK), step)),
        )?;
        let mut energy = Mat::<f64>::zeros(slow.len(), slow.len());
        for part in parts {
            energy += part;
        }
        let eigen = energy.self_adjoint_eigen(Side::Lower).map_err(|_| super::levels::not_converged())?;
        let chosen = Mat::from_fn(n, slow.len(), |i, j| functions[(i, slow[j])]);
        let turned = chosen * eigen.U();
        for (j, &mode) in slow.iter().enumerate() {
            rates[mode] = eigen.S()[j].max(0.0);
            (0..n).for_each(|i| functions[(i, mode)] = turned[(i, j)]);
        }
        if self.system.exits.iter().all(|&exit| exit == 0.0) {
            // The constant, of a closed class.
            if let Some(&first) = slow.first() {
                rates[first] = 0.0;
                (0..n).for_each(|i| functions[(i, first)] = 1.0);
            }
        }
        // |error| <= residual^2 / distance of the rest of the spectrum.
        let beyond = (ritz[k - 1].abs() - ritz[width - 1].abs()).abs().max(1e-3);
        for &mode in &slow {
            control.check()?;
            let square = self.squared_residual(&functions, mode, rates[mode]);
            if rates[mode] > 0.0 && square / beyond > TOLERANCE * rates[mode] {
                let text = format!(
                    "a rate of {:.1e} is too small to be told from rounding in a class of {n} states",
                    rates[mode]
                );
                return Err(Error::NotConverged(text));
            }
        }
        Ok(Modes { rates, functions })
    }

    /// The energies between the functions numbered in `slow` of the transitions out of some states.
    fn energies(&self, block: &[f64], slow: &[usize], states: std::ops::Range<usize>, step: &mut [f64]) -> Mat<f64> {
        let mut out = Mat::<f64>::zeros(slow.len(), slow.len());
        let mut add = |flow: f64, step: &[f64]| {
            for (a, x) in step.iter().enumerate() {
                out.col_mut(a).iter_mut().zip(step).for_each(|(to, y)| *to += flow * x * y);
            }
        };
        for i in states {
            let (targets, values) = self.system.row(i);
            for (&target, &p) in targets.iter().zip(values) {
                // Each pair once: its two flows are equal.
                if target as usize > i {
                    for (step, &j) in step.iter_mut().zip(slow) {
                        *step = block[i * self.width + j] - block[target as usize * self.width + j];
                    }
                    add(self.weights[i] * p, step);
                }
            }
            if self.system.exits[i] > 0.0 {
                step.iter_mut().zip(slow).for_each(|(step, &j)| *step = block[i * self.width + j]);
                add(self.weights[i] * self.system.exits[i], step);
            }
        }
        out
    }

    /// |(I - P) x - rate x|^2 under the weights, in differences.
    fn squared_residual(&self, functions: &Mat<f64>, mode: usize, rate: f64) -> f64 {
        let x = functions.col(mode);
        (0..self.weights.len())
            .map(|i| {
                let (targets, values) = self.system.row(i);
                let pulls = targets.iter().zip(values).map(|(&j, p)| p * (x[i] - x[j as usize])).sum::<f64>();
                self.weights[i] * (pulls + self.system.exits[i] * x[i] - rate * x[i]).powi(2)
            })
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chains::matrix::{MarkovChain, Meaning};

    #[test]
    fn a_walk_on_a_ring_has_its_cosines() {
        let n = 60usize;
        let indptr: Vec<i64> = (0..=n as i64).map(|i| 2 * i).collect();
        let indices: Vec<u32> = (0..n).flat_map(|i| [((i + n - 1) % n) as u32, ((i + 1) % n) as u32]).collect();
        let chain =
            MarkovChain::from_csr(&indptr, &indices, None, Meaning::Probabilities, &Control::default()).unwrap();
        for (wanted, expected) in
            [(Wanted::Slow, vec![0, 1, 1, 2, 2, 3, 3]), (Wanted::Modulus, vec![0, 30, 1, 1, 29, 29])]
        {
            let system = System::new(&chain, |_| true, &Control::default()).unwrap();
            let found = modes(system, &vec![1.0; n], expected.len(), wanted, &Control::default()).unwrap();
            let mut rates = found.rates.clone();
            rates.sort_by(f64::total_cmp);
            let of = |j: i32| 2.0 * (std::f64::consts::PI * f64::from(j) / n as f64).sin().powi(2);
            let mut expected: Vec<f64> = expected.into_iter().map(of).collect();
            expected.sort_by(f64::total_cmp);
            for (rate, expected) in rates.iter().zip(expected) {
                assert!((rate - expected).abs() <= 1e-8 * expected, "{rates:?} {expected:?}");
            }
        }
    }
}
