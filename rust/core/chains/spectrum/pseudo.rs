//! The pseudo-spectral gap of chains without detailed balance (Paulin 2015, Electron. J. Probab. 20(79), equation 3.3):
//! the largest of gap((P*)^k P^k) / k over the powers k, with P* the time reversal.
//!
//! (P*)^k P^k is a chain with detailed balance, whose entries are sums of products of probabilities: they keep their
//! relative accuracy, and with them its gap does.

use super::MOST_STATES;
use super::graded::Graded;
use super::jacobi;
use crate::chains::matrix::MarkovChain;
use crate::chains::structure::Classes;
use crate::chains::system::System;
use crate::error::{Result, invalid};
use crate::run::Control;
use faer::Mat;

/// The largest gap((P*)^k P^k) / k over k from 1 to `max_power`, and the k where it is. Ends as soon as 1 / k is no
/// more than what was found, which no higher power can surpass. Cost: O(n^3) for each power.
///
/// # Errors
/// A chain of several classes, of a single state, of more than [`MOST_STATES`] states, or whose stationary law exceeds
/// the range of floats; [`Error::Memory`](crate::Error::Memory), [`Error::Interrupted`](crate::Error::Interrupted).
pub fn pseudo_spectral_gap(chain: &MarkovChain, max_power: usize, control: &Control) -> Result<(f64, usize)> {
    let n_classes = Classes::new(chain, control)?.n_classes();
    let n = chain.n_states();
    if n_classes != 1 {
        return Err(invalid("the chain", &[], format!("{n_classes} classes"), "be irreducible"));
    }
    if !(2..=MOST_STATES).contains(&n) {
        return Err(invalid("the chain", &[], n, format!("have from 2 to {MOST_STATES} states")));
    }
    let graded = Graded::of(&System::new(chain, |_| true, control)?, control)?;
    let mut law = vec![0.0; n];
    graded.order.iter().zip(graded.stationary(n - 1)).for_each(|(&state, weight)| law[state] = weight);
    if let Some(state) = law.iter().position(|&p| p < f64::MIN_POSITIVE) {
        let rule = format!("have stationary probabilities within 300 decades, and that of state {state} is below");
        return Err(invalid("the chain", &[], "", rule));
    }
    let mut forward = Mat::zeros(n, n);
    for state in 0..n {
        for (target, probability) in chain.row(state as u32).iter() {
            forward[(state, target as usize)] = probability;
        }
    }
    let backward = Mat::from_fn(n, n, |i, j| forward[(j, i)] * (law[j] / law[i]));
    let mut both = &backward * &forward;
    let (mut best, mut at) = (0.0, 1);
    control.expect(max_power as u64);
    for power in 1..=max_power {
        control.check()?;
        let width = n + 1;
        let mut table = vec![0.0; n * width];
        for (i, row) in table.chunks_exact_mut(width).enumerate() {
            (0..n).filter(|&j| j != i).for_each(|j| row[j] = both[(i, j)]);
        }
        let rates = jacobi::rates(&Graded::new(table, n, control)?, control)?;
        // Descending, the last one is 0.
        let gap = rates[n - 2].min(1.0) / power as f64;
        if gap > best {
            (best, at) = (gap, power);
        }
        control.advance(1);
        if best * (power + 1) as f64 >= 1.0 {
            break;
        }
        if power < max_power {
            both = &backward * &both * &forward;
        }
    }
    Ok((best, at))
}
