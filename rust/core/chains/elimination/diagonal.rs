//! The diagonal of the inverse: how often each state is visited from itself.

use super::Factors;
use crate::error::Result;
use crate::memory::zeros;
use crate::run::Control;

impl Factors {
    /// Fills `out` with the mean number of steps that begin in each state, for walks that start there: the diagonal of
    /// (I - Q)^-1. By the equations of Takahashi, Fagan and Chin (1973), from the last front to the first, on the
    /// pattern of the factors alone. Cost: about twice the elimination.
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory), [`Error::Interrupted`](crate::Error::Interrupted).
    ///
    /// # Panics
    /// If `out` is not of the length of the system.
    pub fn diagonal(&self, out: &mut [f64], control: &Control) -> Result<()> {
        assert_eq!(out.len(), self.n_states(), "a number for each state");
        let mut by_place = zeros(self.n_states())?;
        // The inverse over pivots and border of a front, kept until the last of its children is done. Columns are those
        // of the equations with the rows of the system lifted.
        let n_fronts = self.plan.fronts.len();
        let mut inverses: Vec<Vec<f64>> = vec![Vec::new(); n_fronts];
        let mut first_child: Vec<usize> = (0..n_fronts).collect();
        for front in (0..n_fronts).rev() {
            if let Some(parent) = self.plan.parent(front) {
                first_child[parent] = front;
            }
        }
        for number in (0..n_fronts).rev() {
            let front = &self.plan.fronts[number];
            let (size, n_pivots) = (front.size(), front.n_pivots);
            let mut inverse = zeros(size * size)?;
            if let Some(parent) = self.plan.parent(number) {
                let above = &self.plan.fronts[parent];
                let places: Vec<usize> = front
                    .border
                    .iter()
                    .map(|&place| {
                        let inside = place as usize - above.first;
                        if inside < above.n_pivots {
                            inside
                        } else {
                            above.n_pivots + above.border.partition_point(|&other| other < place)
                        }
                    })
                    .collect();
                for (i, &from) in places.iter().enumerate() {
                    for (j, &to) in places.iter().enumerate() {
                        inverse[(n_pivots + i) * size + n_pivots + j] = inverses[parent][from * above.size() + to];
                    }
                }
                if first_child[parent] == number {
                    inverses[parent] = Vec::new();
                }
            }
            let piece = &self.numbers.pieces[number];
            for k in (0..n_pivots).rev() {
                control.check()?;
                // Row k: the sum over next states; column k: the sum over the states before.
                let (own, later) = inverse[k * size..].split_at_mut(size);
                for (l, row) in (k + 1..size).zip(later.chunks_exact(size)) {
                    let next = piece.pivots[k * size + l];
                    if next > 0.0 {
                        super::add(next, &row[k + 1..], &mut own[k + 1..]);
                    }
                }
                let into = |l: usize| {
                    if l < n_pivots { piece.pivots[l * size + k] } else { piece.below[(l - n_pivots) * n_pivots + k] }
                };
                let into: Vec<f64> = (k + 1..size).map(into).collect();
                let leave = self.numbers.leave[front.first + k];
                for row in later.chunks_exact_mut(size) {
                    row[k] = super::product(&row[k + 1..], &into) / leave;
                }
                own[k] = 1.0 / leave + super::product(&own[k + 1..], &into) / leave;
                by_place[front.first + k] = own[k] * self.numbers.scales[front.first + k];
            }
            inverses[number] = inverse;
            if first_child[number] == number {
                inverses[number] = Vec::new();
            }
        }
        for (value, &place) in out.iter_mut().zip(&self.plan.places) {
            *value = by_place[place as usize];
        }
        Ok(())
    }
}
