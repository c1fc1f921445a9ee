//! Subtraction-free elimination of the states of a system (Grassmann, Taksar and Heyman 1985): solutions with all their
//! digits, entry by entry, however seldom the states are left.
//!
//! State k is left with `s_k`, the sum of its transitions to states that remain and of its exit; eliminating it adds to
//! each transition the paths through k,
//!
//! ```text
//! a_ij += a_ik a_kj / s_k,    exit_i += a_ik exit_k / s_k,    c_i += a_ik c_k / s_k.
//! ```
//!
//! Only non-negative numbers are added, multiplied and divided, hence the relative error of each entry of a solution is
//! about n eps in the worst case (O'Cinneide 1993), whatever the condition number.

//!
//! The states go in an order that keeps the fill small (`plan`), in dense pieces (`numeric`, `dense`).

mod dense;
mod diagonal;
mod numeric;
mod plan;

pub use plan::{Plan, core_size};

use super::system::System;
use crate::error::Result;
use crate::run::Control;
use numeric::Numbers;

/// Systems of up to so many states are eliminated once more, in one table, where a probability of leaving became too small
/// for a number in the order of least fill.
const MOST_IN_ONE: usize = 4096;

/// The factors of a system whose states can all leave it.
#[derive(Debug)]
pub struct Factors {
    plan: Plan,
    numbers: Numbers,
}

impl Factors {
    /// Eliminates the states of `system`, each of which must be able to leave it (else solutions are infinite or NaN).
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory), [`Error::Interrupted`](crate::Error::Interrupted).
    pub fn new(system: &System, control: &Control) -> Result<Self> {
        Self::with(Plan::new(system, control)?, system, control)
    }

    /// As [`new`](Self::new), by a plan that was made for this system.
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory), [`Error::Interrupted`](crate::Error::Interrupted).
    ///
    /// # Panics
    /// If the plan was made for a system of another pattern.
    pub fn with(plan: Plan, system: &System, control: &Control) -> Result<Self> {
        let numbers = numeric::eliminate(system, &plan, control)?;
        if numbers.underflowed() && plan.fronts.len() > 1 && plan.n_states() <= MOST_IN_ONE {
            let plan = Plan::one_front(system)?;
            let numbers = numeric::eliminate(system, &plan, control)?;
            return Ok(Self { plan, numbers });
        }
        Ok(Self { plan, numbers })
    }

    /// Whether a probability of leaving became too small for a number: times are then infinite as far as numbers go, and
    /// probabilities and visits are not to be trusted.
    pub fn underflowed(&self) -> bool {
        self.numbers.underflowed()
    }

    /// Number of states.
    pub fn n_states(&self) -> usize {
        self.plan.n_states()
    }

    /// Replaces each column c, `n` non-negative numbers one after another, by the solution x of
    /// `sum_j a_ij (x_i - x_j) + exit_i x_i = c_i`: with c = 1 the mean time until the system is left, with the probability
    /// of a transition to some states outside the probability that it is left for them.
    ///
    /// # Errors
    /// [`Error::Interrupted`](crate::Error::Interrupted).
    pub fn solve(&self, columns: &mut [f64], control: &Control) -> Result<()> {
        let Numbers { leave, scales, .. } = &self.numbers;
        let (mut by_place, mut border) = (vec![0.0; self.n_states()], Vec::new());
        for column in columns.chunks_exact_mut(self.n_states().max(1)) {
            for (&place, &value) in self.plan.places.iter().zip(&*column) {
                by_place[place as usize] = value * scales[place as usize];
            }
            for (front, piece) in self.plan.fronts.iter().zip(&self.numbers.pieces) {
                control.check()?;
                let (size, first) = (front.size(), front.first);
                let own = &mut by_place[first..first + front.n_pivots];
                for (k, row) in piece.pivots.chunks_exact(size).enumerate() {
                    let cost = own[k] + product(&row[..k], &own[..k]);
                    own[k] = if cost > 0.0 { cost / leave[first + k] } else { 0.0 };
                }
                let own = &by_place[first..first + front.n_pivots];
                border.clear();
                border.extend(piece.below.chunks_exact(front.n_pivots.max(1)).map(|row| product(row, own)));
                for (&place, &more) in front.border.iter().zip(&border) {
                    by_place[place as usize] += more;
                }
            }
            for (front, piece) in self.plan.fronts.iter().zip(&self.numbers.pieces).rev() {
                control.check()?;
                let (size, first, n_pivots) = (front.size(), front.first, front.n_pivots);
                border.clear();
                border.extend(front.border.iter().map(|&place| by_place[place as usize]));
                let own = &mut by_place[first..first + n_pivots];
                for (k, row) in piece.pivots.chunks_exact(size).enumerate().rev() {
                    own[k] += product(&row[k + 1..n_pivots], &own[k + 1..]) + product(&row[n_pivots..], &border);
                }
            }
            for (&place, value) in self.plan.places.iter().zip(column) {
                *value = by_place[place as usize];
            }
        }
        Ok(())
    }

    /// Replaces each row b, `n` non-negative numbers one after another, by the solution v of
    /// `v_j (sum_i a_ji + exit_j) - sum_i v_i a_ij = b_j`: with the law of the start, the mean number of steps that begin in
    /// each state.
    ///
    /// # Errors
    /// [`Error::Interrupted`](crate::Error::Interrupted).
    pub fn visits(&self, rows: &mut [f64], control: &Control) -> Result<()> {
        let Numbers { leave, scales, .. } = &self.numbers;
        let mut by_place = vec![0.0; self.n_states()];
        let mut border = Vec::new();
        for values in rows.chunks_exact_mut(self.n_states().max(1)) {
            for (&place, &value) in self.plan.places.iter().zip(&*values) {
                by_place[place as usize] = value;
            }
            for (front, piece) in self.plan.fronts.iter().zip(&self.numbers.pieces) {
                control.check()?;
                let (size, first, n_pivots) = (front.size(), front.first, front.n_pivots);
                border.clear();
                border.resize(front.border.len(), 0.0);
                let own = &mut by_place[first..first + n_pivots];
                for (k, row) in piece.pivots.chunks_exact(size).enumerate() {
                    let now = own[k];
                    add(now, &row[k + 1..n_pivots], &mut own[k + 1..]);
                    add(now, &row[n_pivots..], &mut border);
                }
                for (&place, &more) in front.border.iter().zip(&border) {
                    by_place[place as usize] += more;
                }
            }
            for (front, piece) in self.plan.fronts.iter().zip(&self.numbers.pieces).rev() {
                control.check()?;
                let (size, first, n_pivots) = (front.size(), front.first, front.n_pivots);
                let (own, later) = by_place[first..].split_at_mut(n_pivots);
                for (&place, row) in front.border.iter().zip(piece.below.chunks_exact(n_pivots.max(1))) {
                    add(later[place as usize - first - n_pivots], row, own);
                }
                for (k, row) in piece.pivots.chunks_exact(size).enumerate().rev() {
                    own[k] = if own[k] > 0.0 { own[k] / leave[first + k] } else { 0.0 };
                    let now = own[k];
                    add(now, &row[..k], &mut own[..k]);
                }
            }
            for (&place, value) in self.plan.places.iter().zip(values) {
                *value = by_place[place as usize] * scales[place as usize];
            }
        }
        Ok(())
    }
}

/// The sum of the probabilities times the values. Nothing times an infinite time is nothing.
fn product(probabilities: &[f64], values: &[f64]) -> f64 {
    probabilities.iter().zip(values).map(|(&p, &x)| if p > 0.0 { p * x } else { 0.0 }).sum()
}

/// `to += factor * probabilities`.
fn add(factor: f64, probabilities: &[f64], to: &mut [f64]) {
    for (to, &p) in to.iter_mut().zip(probabilities) {
        *to += if p > 0.0 { factor * p } else { 0.0 };
    }
}

#[cfg(test)]
mod tests;
