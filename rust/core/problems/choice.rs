//! Random choices by the dozen, for rollouts: eight from one draw.

use crate::random::Stream;

/// Choices that one draw serves. Of up to nine things each they take 2^26 of its 2^64 values, so that none is off its
/// probability by more than 2^-38 of it.
const FROM_ONE_DRAW: u32 = 8;

/// Draws that are used up from the top: to choose among n takes the high half of draw times n, and leaves the low half
/// for the next choice.
#[derive(Debug)]
pub(super) struct Choices<'a> {
    stream: &'a mut Stream,
    bits: u64,
    used: u32,
}

impl<'a> Choices<'a> {
    pub(super) fn new(stream: &'a mut Stream) -> Self {
        Self { stream, bits: 0, used: FROM_ONE_DRAW }
    }

    /// A number below `n`, which is at most 9.
    #[inline(always)]
    pub(super) fn below(&mut self, n: u32) -> u32 {
        if self.used == FROM_ONE_DRAW {
            self.bits = self.stream.next_u64();
            self.used = 0;
        }
        self.used += 1;
        let product = u128::from(self.bits) * u128::from(n);
        self.bits = product as u64;
        (product >> 64) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;

    #[test]
    fn choices_follow_their_law_alone_and_in_a_row() {
        let mut stream = Seed::from_u64(4).stream(0);
        let mut choices = Choices::new(&mut stream);
        let mut counts = [[0u32; 7]; 9];
        for _ in 0..63 * 2000 {
            let (first, second) = (choices.below(9), choices.below(7));
            counts[first as usize][second as usize] += 1;
        }
        // chi-squared(62): 99.9999 % below 130
        let chi2: f64 = counts.iter().flatten().map(|&c| (f64::from(c) - 2000.0).powi(2) / 2000.0).sum();
        assert!(chi2 < 130.0, "{chi2}");
    }
}
