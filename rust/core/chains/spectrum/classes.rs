//! The classes of states that reach each other, each as a problem of its own.

use crate::chains::connected::chain_components;
use crate::chains::matrix::{MarkovChain, sum};
use crate::error::Result;
use crate::memory::zeros;
use crate::run::Control;
use std::collections::VecDeque;

/// Relative difference of the flows between two states up to which they balance: what the rounding of the
/// probabilities can add up to, and no more.
pub const BALANCE: f64 = 1e-10;

/// The classes of a chain.
#[derive(Debug, Clone)]
pub struct Classes {
    /// The class of each state.
    pub of: Vec<u32>,
    /// The states of each class, ascending; no transition leads to a class with a higher number.
    pub members: Vec<Vec<u32>>,
}

impl Classes {
    /// Cost: O(states + transitions).
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory), [`Error::Interrupted`](crate::Error::Interrupted).
    pub fn new(chain: &MarkovChain, control: &Control) -> Result<Self> {
        let of = chain_components(chain, control)?;
        let n_classes = of.iter().max().map_or(0, |&last| last as usize + 1);
        let mut members = vec![Vec::new(); n_classes];
        for (state, &class) in of.iter().enumerate() {
            members[class as usize].push(state as u32);
        }
        Ok(Self { of, members })
    }

    /// Whether the states of `class` are never left for others.
    pub fn is_closed(&self, chain: &MarkovChain, class: usize) -> bool {
        let stays = |&target: &u32| self.of[target as usize] == class as u32;
        self.members[class].iter().all(|&state| chain.row(state).targets.iter().all(stays))
    }
}

/// The probability that `state` is left in a step.
pub fn leaving(chain: &MarkovChain, state: u32) -> f64 {
    sum(chain.row(state).iter().filter(|&(target, _)| target != state).map(|(_, probability)| probability))
}

/// The transitions among `members`, one class of `of`, as rows of n + 1 numbers: the diagonal is 0, and the last one is
/// the probability of leaving the class.
///
/// # Errors
/// [`Error::Memory`](crate::Error::Memory).
pub fn table(chain: &MarkovChain, members: &[u32], of: &[u32]) -> Result<Vec<f64>> {
    let n = members.len();
    let class = of[members[0] as usize];
    let mut table = zeros(n * (n + 1))?;
    for (row, &state) in table.chunks_exact_mut(n + 1).zip(members) {
        let outside = chain.row(state).iter().filter(|&(target, _)| of[target as usize] != class);
        row[n] = sum(outside.map(|(_, probability)| probability));
        let inside = chain.row(state).iter().filter(|&(target, _)| of[target as usize] == class && target != state);
        let mut number = 0;
        for (target, probability) in inside {
            // Both ascend, and every target inside is a member.
            while members[number] < target {
                number += 1;
            }
            row[number] = probability;
        }
    }
    Ok(table)
}

/// A positive number m 2^e with 1 <= m < 2, whose exponent does not overflow.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scaled {
    mantissa: f64,
    exponent: i64,
}

impl Scaled {
    /// `x`, which must be positive and finite.
    pub fn new(x: f64) -> Self {
        // A subnormal number gets a full mantissa first.
        let (x, shift) = if x < f64::MIN_POSITIVE { (x * 2f64.powi(64), 64) } else { (x, 0) };
        let bits = x.to_bits();
        let exponent = (bits >> 52 & 0x7ff) as i64 - 1023 - shift;
        Self { mantissa: f64::from_bits(bits & !(0x7ff << 52) | 1023 << 52), exponent }
    }

    /// The product.
    #[must_use]
    pub fn times(self, other: Self) -> Self {
        let product = Self::new(self.mantissa * other.mantissa);
        Self { exponent: product.exponent + self.exponent + other.exponent, ..product }
    }

    /// The quotient.
    #[must_use]
    pub fn over(self, other: Self) -> Self {
        let quotient = Self::new(self.mantissa / other.mantissa);
        Self { exponent: quotient.exponent + self.exponent - other.exponent, ..quotient }
    }

    /// The number as it is, 0 or infinite where it is beyond the range of a float.
    pub fn get(self) -> f64 {
        // In two steps, for a subnormal result.
        let half = (self.exponent / 2).clamp(-1000, 1000) as i32;
        let rest = (self.exponent - i64::from(half)).clamp(-1000, 1000) as i32;
        self.mantissa * 2f64.powi(half) * 2f64.powi(rest)
    }

    /// Whether this is less than `other`.
    pub fn is_below(self, other: Self) -> bool {
        (self.exponent, self.mantissa) < (other.exponent, other.mantissa)
    }
}

/// The weights, the largest of them 1, under which the flow `w_i p_ij` equals the flow `w_j p_ji` for each pair of
/// `members`, one class of `of`; `None` where there are none (Kolmogorov 1936). For a closed class they are its
/// stationary law.
///
/// # Errors
/// [`Error::Interrupted`](crate::Error::Interrupted).
pub fn weights(chain: &MarkovChain, members: &[u32], of: &[u32], control: &Control) -> Result<Option<Vec<f64>>> {
    let class = of[members[0] as usize];
    let number = |state: u32| members.partition_point(|&member| member < state);
    let mut found: Vec<Option<Scaled>> = vec![None; members.len()];
    found[0] = Some(Scaled::new(1.0));
    let mut queue = VecDeque::from([0]);
    while let Some(i) = queue.pop_front() {
        control.check()?;
        let (state, Some(weight)) = (members[i], found[i]) else { continue };
        for (target, there) in chain.row(state).iter() {
            if target == state || of[target as usize] != class {
                continue;
            }
            let back = chain.row(target);
            let Ok(at) = back.targets.binary_search(&state) else { return Ok(None) };
            let (there, back) = (weight.times(Scaled::new(there)), Scaled::new(back.probability(at)));
            let j = number(target);
            if let Some(other) = found[j] {
                let ratio = there.over(other.times(back)).get();
                if (ratio - 1.0).abs() > BALANCE {
                    return Ok(None);
                }
            } else {
                found[j] = Some(there.over(back));
                queue.push_back(j);
            }
        }
    }
    let found: Vec<Scaled> = found.into_iter().flatten().collect();
    let largest = found.iter().copied().reduce(|a, b| if a.is_below(b) { b } else { a });
    Ok(largest.map(|largest| found.iter().map(|weight| weight.over(largest).get()).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn scaled_numbers_multiply_and_divide(a in 5e-324f64..1e300, b in 5e-324f64..1e300) {
            prop_assert_eq!(Scaled::new(a).get(), a);
            let round_trip = Scaled::new(a).times(Scaled::new(b)).over(Scaled::new(b)).get();
            prop_assert!((round_trip / a - 1.0).abs() < 1e-15 || a < 1e-307);
        }
    }

    #[test]
    fn extreme_exponents_come_back() {
        let tiny = Scaled::new(5e-324);
        assert_eq!(tiny.get(), 5e-324);
        assert_eq!(tiny.times(tiny).get(), 0.0);
        assert_eq!(tiny.times(tiny).over(tiny).get(), 5e-324);
        assert_eq!(Scaled::new(1.0).over(tiny).get(), f64::INFINITY);
        assert!(tiny.is_below(Scaled::new(1e-300)));
    }
}
