//! Products of polynomials with non-negative coefficients, vectorised.

use std::ops::{Deref, DerefMut};

/// Outputs computed at once: as many accumulators as the vector registers hold.
const TILE: usize = 32;

/// Coefficients with a tile of zeros on either side, so that a filter may read past both ends.
#[derive(Debug, Clone)]
pub(super) struct Polynomial {
    padded: Vec<f64>,
}

impl Default for Polynomial {
    fn default() -> Self {
        Self { padded: vec![0.0; 2 * TILE] }
    }
}

impl Deref for Polynomial {
    type Target = [f64];

    #[inline(always)]
    fn deref(&self) -> &[f64] {
        &self.padded[TILE..self.padded.len() - TILE]
    }
}

impl DerefMut for Polynomial {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut [f64] {
        let end = self.padded.len() - TILE;
        &mut self.padded[TILE..end]
    }
}

impl Polynomial {
    /// Gives it `len` coefficients: the first of the old ones, and zeros.
    #[inline(always)]
    pub fn resize(&mut self, len: usize) {
        let before = self.len();
        self.padded.resize(len + 2 * TILE, 0.0);
        let tail = len.min(before);
        self.padded[TILE + tail..].iter_mut().take(2 * TILE).for_each(|x| *x = 0.0);
    }

    /// Makes it equal to `values`.
    #[inline(always)]
    pub fn set(&mut self, values: &[f64]) {
        self.resize(values.len());
        self.copy_from_slice(values);
    }

    /// `self[f] = sum_t taps[t] * signal[f - t * stride]`, summed in the order of t, for f below `len`.
    #[inline(always)]
    pub fn set_filtered(&mut self, signal: &Self, taps: &[f64], stride: usize, len: usize) {
        self.resize(len);
        for (tile, chunk) in self.chunks_mut(TILE).enumerate() {
            let start = tile * TILE;
            // Taps outside this range meet only zeros.
            let least = (start + 1).saturating_sub(signal.len()).div_ceil(stride);
            let most = taps.len().min((start + TILE - 1) / stride + 1);
            let mut sums = [0.0; TILE];
            for (t, &tap) in taps.iter().enumerate().take(most).skip(least) {
                let at = TILE + start - t * stride;
                let window = &signal.padded[at..at + TILE];
                for (sum, &value) in sums.iter_mut().zip(window) {
                    *sum += tap * value;
                }
            }
            match <&mut [f64; TILE]>::try_from(&mut *chunk) {
                Ok(whole) => *whole = sums,
                Err(_) => chunk.copy_from_slice(&sums[..chunk.len()]),
            }
        }
    }

    /// `self[at + i] += factor * values[i]`, as far as it reaches.
    #[inline(always)]
    pub fn add_scaled(&mut self, at: usize, factor: f64, values: &[f64]) {
        if let Some(out) = self.get_mut(at..) {
            for (out, &value) in out.iter_mut().zip(values) {
                *out += factor * value;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn filter_is_the_plain_sum(
            values in prop::collection::vec(0.0..1.0, 1..90),
            taps in prop::collection::vec(0.0..1.0, 1..70),
            stride in 1usize..5,
            cut in 0usize..40,
        ) {
            let mut signal = Polynomial::default();
            signal.set(&[9.0; 100]);
            signal.set(&values);
            let n_out = (values.len() + (taps.len() - 1) * stride).min(values.len() + cut);
            let mut out = Polynomial::default();
            out.set(&[7.0; 50]);
            out.set_filtered(&signal, &taps, stride, n_out);
            prop_assert_eq!(out.len(), n_out);
            prop_assert!(out.padded[..TILE].iter().chain(&out.padded[TILE + n_out..]).all(|&x| x == 0.0));
            for (f, &got) in out.iter().enumerate() {
                let terms = taps.iter().enumerate().filter(|(t, _)| t * stride <= f);
                let expected: f64 = terms.map(|(t, tap)| tap * values.get(f - t * stride).unwrap_or(&0.0)).sum();
                prop_assert!((got - expected).abs() <= 1e-13 * expected, "{}: {} {}", f, got, expected);
            }
        }
    }
}
