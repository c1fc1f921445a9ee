//! Walker's alias tables with 64-bit thresholds: a draw from a law on n values by one random number and one look-up.

use crate::random::Stream;

/// One of n equally likely slots: its own value or, from `threshold` on, the other one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slot {
    threshold: u64,
    value: u32,
    other: u32,
}

/// Appends the table of the law proportional to `weights` on `first`, `first + 1`, ... to `slots` (Vose's
/// construction). Some weight must be positive.
pub(super) fn build(weights: &[f64], first: u32, slots: &mut Vec<Slot>) {
    let n = weights.len();
    let scale = n as f64 / weights.iter().sum::<f64>();
    let mut share: Vec<f64> = weights.iter().map(|w| w * scale).collect();
    let start = slots.len();
    slots.extend((0..n as u32).map(|i| Slot { threshold: u64::MAX, value: first + i, other: first + i }));
    let (mut small, mut large): (Vec<usize>, Vec<usize>) = (0..n).partition(|&i| share[i] < 1.0);
    while let (Some(&low), Some(&high)) = (small.last(), large.last()) {
        small.pop();
        slots[start + low].threshold = (share[low] * 2.0f64.powi(64)) as u64;
        slots[start + low].other = first + high as u32;
        share[high] -= 1.0 - share[low];
        if share[high] < 1.0 {
            large.pop();
            small.push(high);
        }
    }
}

/// A value from the table `slots`: the whole part of a random number times n is the slot, its fraction decides.
#[inline(always)]
pub(super) fn draw(slots: &[Slot], stream: &mut Stream) -> u32 {
    let product = u128::from(stream.next_u64()) * slots.len() as u128;
    let slot = slots[(product >> 64) as usize];
    if (product as u64) < slot.threshold { slot.value } else { slot.other }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_table_holds_the_law(weights in prop::collection::vec(0.0f64..1.0, 1..40), rare in 1e-14f64..1.0) {
            let mut weights = weights;
            weights.push(rare);
            let mut slots = Vec::new();
            build(&weights, 7, &mut slots);
            let mut held = vec![0.0; weights.len()];
            for slot in &slots {
                let share = slot.threshold as f64 / 2.0f64.powi(64);
                held[slot.value as usize - 7] += share;
                held[slot.other as usize - 7] += 1.0 - share;
            }
            let scale = slots.len() as f64 / weights.iter().sum::<f64>();
            for (held, weight) in held.iter().zip(&weights) {
                prop_assert!((held - weight * scale).abs() < 1e-13);
            }
        }
    }
}
