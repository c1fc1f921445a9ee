//! A second-order step drawn from its whole law, for the rows where rejection would take too long.

use super::law::Law;
use crate::chains::matrix::MarkovChain;

/// The place in the row of `state` of the transition that follows `previous -> state`, by a 64-bit draw. Reads both
/// rows side by side, twice. Cost: O(their lengths).
pub(super) fn next(chain: &MarkovChain, law: &Law, previous: u32, state: u32, draw: u64) -> usize {
    let total: f64 = weights(chain, law, previous, state).sum();
    let aim = (draw >> 11) as f64 * (1.0 / (1u64 << 53) as f64) * total;
    let (mut below, mut last) = (0.0, 0);
    for (index, weight) in weights(chain, law, previous, state).enumerate() {
        below += weight;
        // The largest aims may be rounded up to the total: a weight of 0, rounded too, is no answer to them.
        if weight > 0.0 {
            last = index;
        }
        if aim < below {
            break;
        }
    }
    last
}

/// The weight of each candidate in the row of `state`.
fn weights<'a>(chain: &'a MarkovChain, law: &'a Law, previous: u32, state: u32) -> impl Iterator<Item = f64> + 'a {
    let mut neighbours = chain.row(previous).targets.iter().peekable();
    chain.row(state).targets.iter().enumerate().map(move |(index, &candidate)| {
        while neighbours.next_if(|&&neighbour| neighbour < candidate).is_some() {}
        let common = neighbours.peek().is_some_and(|&&neighbour| neighbour == candidate);
        let probability = chain.probabilities().map_or(1.0, |_| chain.row(state).probability(index));
        probability * law.weight(candidate == previous, common)
    })
}
