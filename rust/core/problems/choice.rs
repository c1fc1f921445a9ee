//! Several random choices from one draw, for rollouts.

/// A number below `n`: the high half of `draw` times n. The low half stays in `draw`, for the next choice.
///
/// After choices among a, b, ... one among n is off its probability by at most a b ... n / 2^64 of it.
#[inline(always)]
pub(super) fn choose(draw: &mut u64, n: usize) -> usize {
    let product = u128::from(*draw) * n as u128;
    *draw = product as u64;
    (product >> 64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;

    #[test]
    fn choices_follow_their_law_alone_and_in_a_row() {
        let mut stream = Seed::from_u64(4).stream(0);
        let mut counts = [[0u32; 7]; 9];
        for _ in 0..63 * 1000 {
            let mut draw = stream.next_u64();
            for _ in 0..4 {
                let (first, second) = (choose(&mut draw, 9), choose(&mut draw, 7));
                counts[first][second] += 1;
            }
        }
        // chi-squared(62): 99.9999 % below 130
        let chi2: f64 = counts.iter().flatten().map(|&c| (f64::from(c) - 4000.0).powi(2) / 4000.0).sum();
        assert!(chi2 < 130.0, "{chi2}");
    }
}
