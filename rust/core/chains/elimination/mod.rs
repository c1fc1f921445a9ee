//! Subtraction-free elimination of the states of a system (Grassmann, Taksar and Heyman 1985): solutions with all their
//! digits, entry by entry, however seldom the states are left.
//!
//! State k is left with s_k, the sum of its transitions to states that remain and of its exit; eliminating it adds to
//! each transition the paths through k,
//!
//! ```text
//! a_ij += a_ik a_kj / s_k,    exit_i += a_ik exit_k / s_k,    c_i += a_ik c_k / s_k.
//! ```
//!
//! Only non-negative numbers are added, multiplied and divided, hence the relative error of each entry of a solution is
//! about n eps in the worst case (O'Cinneide 1993), whatever the condition number.

mod dense;

use super::system::{System, zeros};
use crate::error::Result;
use crate::run::Control;

/// The factors of a system whose states can all leave it.
#[derive(Debug)]
pub struct Factors {
    n: usize,
    /// n x n: right of the diagonal the probability that state k goes to j next among those that remain, left of it
    /// the transitions a_ik at the time when k went.
    table: Vec<f64>,
    /// s_k: the probability of leaving k for those that remain, or for good.
    leave: Vec<f64>,
}

impl Factors {
    /// Eliminates the states of `system`, each of which must be able to leave it (else solutions are infinite or NaN).
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory), [`Error::Interrupted`](crate::Error::Interrupted).
    pub fn new(system: &System, control: &Control) -> Result<Self> {
        let n = system.n_states();
        let mut table = zeros(n * (n + 1))?;
        for state in 0..n {
            let (targets, values) = system.row(state);
            for (&target, &value) in targets.iter().zip(values) {
                table[state * (n + 1) + target as usize] = value;
            }
            table[state * (n + 1) + n] = system.exits[state];
        }
        let leave = dense::eliminate(&mut table, n, control)?;
        Ok(Self { n, table, leave })
    }

    /// Number of states.
    pub fn n_states(&self) -> usize {
        self.n
    }

    /// Replaces each column c, `n` non-negative numbers one after another, by the solution x of
    /// `sum_j a_ij (x_i - x_j) + exit_i x_i = c_i`: with c = 1 the mean time until the system is left, with the probability
    /// of a transition to some states outside the probability that it is left for them.
    ///
    /// # Errors
    /// [`Error::Interrupted`](crate::Error::Interrupted).
    pub fn solve(&self, columns: &mut [f64], control: &Control) -> Result<()> {
        for column in columns.chunks_exact_mut(self.n.max(1)) {
            control.check()?;
            for k in 0..self.n {
                column[k] /= self.leave[k];
                for i in k + 1..self.n {
                    column[i] += self.table[i * (self.n + 1) + k] * column[k];
                }
            }
            for k in (0..self.n).rev() {
                for j in k + 1..self.n {
                    column[k] += self.table[k * (self.n + 1) + j] * column[j];
                }
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
        for row in rows.chunks_exact_mut(self.n.max(1)) {
            control.check()?;
            for k in 0..self.n {
                for j in k + 1..self.n {
                    row[j] += row[k] * self.table[k * (self.n + 1) + j];
                }
            }
            for k in (0..self.n).rev() {
                for i in k + 1..self.n {
                    row[k] += row[i] * self.table[i * (self.n + 1) + k];
                }
                row[k] /= self.leave[k];
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two states that lead to each other and leave with 1e-100 and 2e-100.
    fn pair() -> System {
        System {
            begins: vec![0, 1, 2],
            targets: vec![1, 0],
            values: vec![0.5, 0.25],
            exits: vec![1e-100, 2e-100],
            states: vec![0, 1],
        }
    }

    #[test]
    fn small_exits_keep_their_digits() {
        let control = Control::default();
        let factors = Factors::new(&pair(), &control).unwrap();
        let mut time = vec![1.0, 1.0];
        factors.solve(&mut time, &control).unwrap();
        // Weights 1/3 and 2/3: the exit rate is 5/3 e-100.
        assert!((time[0] / 0.6e100 - 1.0).abs() < 1e-15 && (time[1] / 0.6e100 - 1.0).abs() < 1e-15, "{time:?}");
        let mut visits = vec![1.0, 0.0];
        factors.visits(&mut visits, &control).unwrap();
        assert!((visits[0] / 0.2e100 - 1.0).abs() < 1e-15 && (visits[1] / 0.4e100 - 1.0).abs() < 1e-15, "{visits:?}");
    }
}
