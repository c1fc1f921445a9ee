//! Laws to draw an index from, with one draw each: alias tables, one after the other.

use crate::chains::matrix::Row;
use crate::chains::{Slot, Work, fill};
use crate::random::Stream;

/// Alias tables. What is drawn is the place in its row, exact down to probabilities of 2^-64.
#[derive(Debug, Default)]
pub(super) struct Laws {
    slots: Vec<Slot>,
    /// The numbers from 0 on: what the columns of a row are called.
    names: Vec<u32>,
    work: Work,
}

impl Laws {
    /// Adds a row of `degree` probabilities, all equal where none are given.
    pub fn add(&mut self, degree: usize, probabilities: &[f64]) {
        self.names.extend(self.names.len() as u32..degree.max(self.names.len()) as u32);
        let begin = self.slots.len();
        self.slots.resize(begin + degree, Slot::default());
        let row = Row { targets: &self.names[..degree], probabilities };
        fill(row, &mut self.slots[begin..], &mut self.work);
    }

    /// An index into the row of `degree` probabilities that begins at the `begin`-th of all.
    #[inline(always)]
    pub fn draw(&self, begin: usize, degree: usize, stream: &mut Stream) -> u32 {
        let product = u128::from(stream.next_u64()) * degree as u128;
        self.slots[begin + (product >> 64) as usize].target(product as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;

    #[test]
    fn rows_are_drawn_by_their_laws() {
        let rows: [&[f64]; 3] = [&[0.5, 0.0, 0.25, 0.25], &[1.0], &[1e-3, 0.999]];
        let mut laws = Laws::default();
        laws.add(3, &[]);
        for row in rows {
            laws.add(row.len(), row);
        }
        let mut stream = Seed::from_u64(5).stream(0);
        let n = 100_000;
        let mut begin = 0;
        for row in [&[1.0 / 3.0; 3][..]].into_iter().chain(rows) {
            let mut counts = vec![0; row.len()];
            for _ in 0..n {
                counts[laws.draw(begin, row.len(), &mut stream) as usize] += 1;
            }
            for (&p, count) in row.iter().zip(counts) {
                let mean = p * f64::from(n);
                assert!((f64::from(count) - mean).abs() <= 5.0 * (mean * (1.0 - p)).sqrt(), "{count} for {mean}");
            }
            begin += row.len();
        }
    }
}
