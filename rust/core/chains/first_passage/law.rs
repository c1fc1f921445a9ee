//! The law of the first passage: how likely the first visit of some states is at each step.

use crate::chains::matrix::{MarkovChain, sum};
use crate::chains::starts::Starts;
use crate::error::Result;
use crate::memory::zeros;
use crate::run::{Control, fill_blocks};

/// States that a thread takes at a time, and between two looks at the stop flag.
const BLOCK: usize = 2048;

/// Transitions below which one thread takes all states of a step.
const BRIEF: usize = 1 << 17;

/// Fills `out[t]` with the probability that a walk whose first state follows `law` is in a target at step t for the first
/// time, for each t below the length of `out`, and returns the probability that it is in none so far.
///
/// Mass moves along the transitions, also of states to themselves, and what is left is added up: nothing is found by
/// subtraction. Cost: a multiplication for each transition and step.
///
/// # Errors
/// If `law` is no law on the states; [`Error::Memory`](crate::Error::Memory),
/// [`Error::Interrupted`](crate::Error::Interrupted).
///
/// # Panics
/// If `is_target` does not have a mark for each state.
pub fn law_from(
    chain: &MarkovChain,
    is_target: &[bool],
    law: &[f64],
    out: &mut [f64],
    control: &Control,
) -> Result<f64> {
    let n = chain.n_states();
    assert_eq!(is_target.len(), n, "a mark for each state");
    Starts::law(law, n)?;
    control.expect(out.len() as u64);
    let (mut here, mut next) = (zeros(n)?, zeros(n)?);
    next.copy_from_slice(law);
    for (step, hit) in out.iter_mut().enumerate() {
        if step > 0 {
            next.fill(0.0);
            for (state, &mass) in here.iter().enumerate() {
                if state % BLOCK == 0 {
                    control.check()?;
                }
                if mass > 0.0 {
                    chain.row(state as u32).iter().for_each(|(target, p)| next[target as usize] += mass * p);
                }
            }
        }
        std::mem::swap(&mut here, &mut next);
        *hit = sum(here.iter().zip(is_target).filter(|&(_, &target)| target).map(|(&mass, _)| mass));
        here.iter_mut().zip(is_target).filter(|&(_, &target)| target).for_each(|(mass, _)| *mass = 0.0);
        control.advance(1);
    }
    Ok(sum(here.into_iter()))
}

/// As [`law_from`] for a walk from each of `starts`: a row of `out` for each, and what is left in `left`.
///
/// Cost: two multiplications for each transition and step, however many starts; the threads share the states.
///
/// # Errors
/// If a start is no state; [`Error::Memory`](crate::Error::Memory), [`Error::Interrupted`](crate::Error::Interrupted).
///
/// # Panics
/// If `is_target` does not have a mark for each state, `out` not a whole row for each start, or `left` not one number.
pub fn law_of_each(
    chain: &MarkovChain,
    is_target: &[bool],
    starts: &[u32],
    out: &mut [f64],
    left: &mut [f64],
    control: &Control,
) -> Result<()> {
    let n = chain.n_states();
    assert!(is_target.len() == n && left.len() == starts.len(), "a mark for each state, a number for each start");
    Starts::each(starts, n)?;
    let length = out.len().checked_div(starts.len()).unwrap_or(0);
    assert_eq!(out.len(), length * starts.len(), "a row for each start");
    control.expect(length as u64);
    let one = |wanted: bool| is_target.iter().map(move |&target| f64::from(u8::from(target == wanted)));
    let (mut hit, mut open, mut next) = (zeros(n)?, zeros(n)?, zeros(n)?);
    hit.iter_mut().zip(one(true)).for_each(|(to, one)| *to = one);
    open.iter_mut().zip(one(false)).for_each(|(to, one)| *to = one);
    for step in 0..length {
        if step > 0 {
            for column in [&mut hit, &mut open] {
                average(chain, is_target, column, &mut next, control)?;
                std::mem::swap(column, &mut next);
            }
        }
        control.check()?;
        starts.iter().enumerate().for_each(|(row, &start)| out[row * length + step] = hit[start as usize]);
        control.advance(1);
    }
    left.iter_mut().zip(starts).for_each(|(to, &start)| *to = open[start as usize]);
    Ok(())
}

/// Fills `to` with the mean of `from` after one step from each state, and 0 at the targets.
fn average(chain: &MarkovChain, is_target: &[bool], from: &[f64], to: &mut [f64], control: &Control) -> Result<()> {
    let block = if chain.n_transitions() < BRIEF { to.len() } else { BLOCK };
    fill_blocks(
        to,
        1,
        block,
        control,
        || (),
        |(), first, to| {
            control.check()?;
            for (state, to) in (first..).zip(to) {
                let terms = chain.row(state as u32).iter().map(|(target, p)| p * from[target as usize]);
                *to = if is_target[state] { 0.0 } else { terms.sum() };
            }
            Ok(())
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chains::matrix::Meaning;

    #[test]
    fn both_ways_agree_and_nothing_is_lost() {
        let rows = [0.5, 0.25, 0.25, 1e-30, 0.5, 0.5, 0.0, 0.5, 0.5];
        let (indptr, indices) = ([0, 3, 6, 9], [0u32, 1, 2, 0, 1, 2, 0, 1, 2]);
        let control = Control::default();
        let chain = MarkovChain::from_csr(&indptr, &indices, Some(&rows), Meaning::Probabilities, &control).unwrap();
        let is_target = [false, true, false];
        let (mut each, mut left) = ([0.0; 18], [0.0; 3]);
        law_of_each(&chain, &is_target, &[0, 1, 2], &mut each, &mut left, &control).unwrap();
        for start in 0..3 {
            let (mut law, mut one) = ([0.0; 3], [0.0; 6]);
            law[start] = 1.0;
            let beyond = law_from(&chain, &is_target, &law, &mut one, &control).unwrap();
            assert!((beyond - left[start]).abs() < 1e-16 && one.iter().sum::<f64>() + beyond == 1.0);
            one.iter().zip(&each[start * 6..]).for_each(|(a, b)| assert!((a - b).abs() < 1e-16));
        }
        // One step from 0 to 1, or to 2 and on: 1/4, then 1/2 1/4 + 1/4 1/2.
        assert_eq!(each[..3], [0.0, 0.25, 0.25]);
        assert_eq!(each[6..12], [1.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    }
}
