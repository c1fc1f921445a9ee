//! Detailed balance, and the chain that runs backwards.

use super::matrix::{MarkovChain, Meaning, sum};
use super::structure::Classes;
use super::transposed::Transposed;
use super::wide::Wide;
use crate::error::{Result, invalid};
use crate::memory::{filled, room, zeros};
use crate::run::{Control, fill_blocks};

/// States between two looks at the stop flag.
const CHECKED: usize = 1 << 12;

/// The probability of the transition from `from` to `to`, if there is one.
fn probability(chain: &MarkovChain, from: u32, to: u32) -> Option<f64> {
    let row = chain.row(from);
    row.targets.binary_search(&to).ok().map(|index| row.probability(index))
}

/// Whether two positive numbers differ by at most `tolerance` times the larger one.
fn are_near(a: Wide, b: Wide, tolerance: f64) -> bool {
    let (small, large) = if a.exceeds(b) { (b, a) } else { (a, b) };
    1.0 - (small / large).value() <= tolerance
}

/// Whether the flows of each pair of recurrent states are equal, `w_i p_ij = w_j p_ji`, up to `tolerance` times the
/// larger one.
///
/// The weights w follow from the transitions of a tree that is searched by breadth, one step after another, in numbers
/// that cannot overflow; all others are then tested (Kolmogorov's criterion). Transient states have no weight. Cost:
/// O(transitions), each looked up in a sorted row; 20 bytes a state.
///
/// # Errors
/// [`Error::Memory`](crate::Error::Memory), [`Error::Interrupted`](crate::Error::Interrupted).
pub fn is_reversible(chain: &MarkovChain, tolerance: f64, control: &Control) -> Result<bool> {
    let n_states = chain.n_states();
    let classes = Classes::new(chain, control)?;
    let recurrent = |state: usize| classes.recurrent[classes.labels[state] as usize];
    let mut weights = filled(n_states, Wide::ZERO)?;
    let mut queue: Vec<u32> = Vec::new();
    for number in (0..classes.n_classes()).filter(|&number| classes.recurrent[number]) {
        let first = classes.class(number)[0];
        weights[first as usize] = Wide::ONE;
        queue.clear();
        queue.push(first);
        let mut head = 0;
        while let Some(&state) = queue.get(head) {
            if head % CHECKED == 0 {
                control.check()?;
            }
            head += 1;
            let weight = weights[state as usize];
            for (target, there) in chain.row(state).iter() {
                if weights[target as usize].is_zero() {
                    let Some(back) = probability(chain, target, state) else { return Ok(false) };
                    weights[target as usize] = weight * Wide::new(there) / Wide::new(back);
                    queue.push(target);
                }
            }
        }
    }
    drop(queue);
    let mut balanced: Vec<bool> = zeros(n_states)?;
    fill_blocks(
        &mut balanced,
        1,
        1 << 14,
        control,
        || (),
        |(), begin, out| {
            for (index, to) in out.iter_mut().enumerate() {
                if index % CHECKED == 0 {
                    control.check()?;
                }
                let state = (begin + index) as u32;
                *to = !recurrent(state as usize)
                    || chain.row(state).iter().all(|(target, there)| {
                        let Some(back) = probability(chain, target, state) else { return false };
                        let flow = weights[state as usize] * Wide::new(there);
                        are_near(flow, weights[target as usize] * Wide::new(back), tolerance)
                    });
            }
            Ok(())
        },
    )?;
    Ok(balanced.into_iter().all(|balanced| balanced))
}

/// The chain of the same walks seen backwards: from i to j with probability `pi_j p_ji / pi_i`, where `pi` is the
/// stationary law, on any scale. Loops are kept as they are. Cost: O(states + transitions).
///
/// # Errors
/// [`Error::Invalid`](crate::Error::Invalid) where `pi` is not stationary, or not positive, with the state;
/// [`Error::Memory`](crate::Error::Memory), [`Error::Interrupted`](crate::Error::Interrupted).
pub fn time_reversal(chain: &MarkovChain, pi: &[f64], control: &Control) -> Result<MarkovChain> {
    const ARGUMENT: &str = "stationary_distribution";
    let n_states = chain.n_states();
    if pi.len() != n_states {
        return Err(invalid(ARGUMENT, &[], pi.len(), format!("have an entry for each of the {n_states} states")));
    }
    if let Some(state) = pi.iter().position(|&weight| !(f64::MIN_POSITIVE..f64::INFINITY).contains(&weight)) {
        let rule = "be positive and at least 2.3e-308: a state without weight has no walks to be seen backwards";
        return Err(invalid(ARGUMENT, &[state], pi[state], rule));
    }
    let transposed = Transposed::new(chain, control)?;
    let (mut indptr, mut indices) = (room(n_states + 1)?, room(chain.n_transitions())?);
    let mut values: Vec<f64> = room(chain.n_transitions())?;
    indptr.push(0);
    for (state, &here) in pi.iter().enumerate() {
        if state % CHECKED == 0 {
            control.check()?;
        }
        let begin = values.len();
        let here = Wide::new(here);
        let (sources, probabilities) = transposed.column(state);
        for (index, &source) in sources.iter().enumerate() {
            let probability = probabilities.get(index).copied().unwrap_or_else(|| chain.row(source).probability(0));
            let flow = Wide::new(pi[source as usize]) * Wide::new(probability);
            indices.push(source);
            values.push(if source as usize == state { probability } else { (flow / here).value() });
        }
        let whole = sum(values[begin..].iter().copied());
        if (whole - 1.0).abs() > 1e-9 {
            let rule = format!("be stationary: {whole} times its weight flows into this state");
            return Err(invalid(ARGUMENT, &[state], pi[state], rule));
        }
        indptr.push(values.len() as i64);
    }
    drop(transposed);
    MarkovChain::from_csr(&indptr, &indices, Some(&values), Meaning::Probabilities, control)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn near_is_a_share_of_the_larger_one(a in 1e-300f64..1e300) {
            let near = |b: f64| are_near(Wide::new(a), Wide::new(b), 1e-9) && are_near(Wide::new(b), Wide::new(a), 1e-9);
            prop_assert!(near(a * (1.0 + 1e-10)));
            prop_assert!(!near(a * (1.0 + 1e-8)));
            prop_assert!(!are_near(Wide::new(a) * Wide::new(1e-300), Wide::new(a) * Wide::new(1e300), 0.999));
            prop_assert!(are_near(Wide::new(a), Wide::new(a), 0.0));
            prop_assert!(!are_near(Wide::new(a), Wide::new(a.next_up()), 0.0));
        }
    }

    fn chain(rows: &[f64]) -> MarkovChain {
        let n = rows.len().isqrt();
        MarkovChain::from_dense(&crate::rows::Matrix::new(rows, n, n), Meaning::Probabilities, &Control::default())
            .unwrap()
    }

    #[test]
    fn a_one_way_circuit_is_not_reversible_and_its_reversal_turns() {
        let control = Control::default();
        let circuit = chain(&[0.0, 0.75, 0.25, 0.25, 0.0, 0.75, 0.75, 0.25, 0.0]);
        assert!(!is_reversible(&circuit, 1e-9, &control).unwrap());
        let back = time_reversal(&circuit, &[2.0; 3], &control).unwrap();
        assert_eq!(back.row(0).targets, [1, 2]);
        assert_eq!(back.row(0).probabilities, [0.25, 0.75]);
        let error = time_reversal(&circuit, &[1.0, 2.0, 1.0], &control).unwrap_err();
        assert!(error.to_string().contains("stationary_distribution[0] must be stationary"), "{error}");
        let path = chain(&[0.5, 0.5, 0.0, 0.25, 0.5, 0.25, 0.0, 0.5, 0.5]);
        assert!(is_reversible(&path, 1e-9, &control).unwrap());
    }
}
