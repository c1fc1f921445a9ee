//! Kemeny's constant: from the times between all pairs, or for sparse chains from one elimination.

use super::certain::Certain;
use super::class::Class;
use super::number::{Number, Wide, trusted};
use super::pairs::{workspace, zeros};
use crate::chains::elimination::{Factors, Plan};
use crate::chains::matrix::MarkovChain;
use crate::chains::system::System;
use crate::error::{Error, Result, invalid};
use crate::memory::zeros as floats;
use crate::run::Control;

/// Classes of so few states are left to the times between all pairs, which take a millisecond.
const FEW: usize = 200;

/// How many times the multiplications of an elimination the times between all pairs may take: it is done twice, the
/// diagonal costs twice as much again, and its loops are not as fast.
const DEARER: f64 = 12.0;

/// Ends that are tried before all pairs are.
const TRIES: usize = 6;

/// How large a share of what it is subtracted from may be: at most one digit is lost.
const SHARE: f64 = 0.9;

/// The mean number of steps from any state of the recurrent class to one drawn from the stationary law,
/// `sum over j of pi_j m_ij` with `m_ii = 0`, which is the same for each i: the sum of `1 / (1 - lambda)` over the eigenvalues
/// other than one.
///
/// By elimination where that is cheaper: with n the end of all walks and `N_kk` the mean visits of k from itself, it is `sum
/// over k of N_kk - pi_k m_kn`. The mean over n, by its stationary probability, of what is subtracted is the
/// constant itself; an end is chosen for which it is not much more, so that no digits are lost.
/// Otherwise at the cost of [`mean_first_passage_times`](super::mean_first_passage_times), with 7/3 n^2 numbers of memory for
/// the n states of the class.
///
/// # Errors
/// If there are several recurrent classes, naming states of two; [`Error::Memory`] if it takes more than `room` bytes,
/// [`Error::Interrupted`].
pub fn kemeny_constant(chain: &MarkovChain, room: usize, control: &Control) -> Result<f64> {
    let certain = Certain::new(chain, control)?;
    if let [first, second, ..] = &certain.classes[..] {
        let found =
            format!("{} (states {} and {} do not reach each other)", certain.classes.len(), first[0], second[0]);
        return Err(invalid("chain", &[], found, "have one recurrent class"));
    }
    if let Some(value) = by_elimination(chain, &certain.classes[0], room, control)? {
        return Ok(value);
    }
    let class = Class::new(chain, &certain, 0, control)?.alone();
    let n = class.n_targets();
    let bytes = (workspace(n) + n * n).saturating_mul(size_of::<f64>());
    if bytes > room {
        return Err(Error::Memory(bytes));
    }
    match constant::<f64>(&class, control)? {
        Some(value) => Ok(value),
        None => Ok(constant::<Wide>(&class, control)?.unwrap_or(f64::INFINITY)),
    }
}

/// The constant of a class, unless times are not to be trusted.
fn constant<T: Number>(class: &Class, control: &Control) -> Result<Option<f64>> {
    let n = class.n_targets();
    let mut times: Vec<T> = zeros(n * n, control)?;
    class.fill(true, &mut times, control)?;
    if !trusted(&times) {
        return Ok(None);
    }
    // From the first state: every other is weighted by its stationary probability, one over its return time.
    let terms = (1..n).map(|state| times[state] / times[state * n + state]);
    Ok(Some(terms.fold(T::default(), |sum, term| sum + term).value()))
}

/// The constant of the class of these states, ascending; `None` where all pairs are cheaper or safer.
fn by_elimination(chain: &MarkovChain, class: &[u32], room: usize, control: &Control) -> Result<Option<f64>> {
    let n = class.len();
    if n < FEW {
        return Ok(None);
    }
    let all_pairs = 23.0 / 18.0 * (n as f64).powi(3);
    // Places in the class.
    let mut tried = vec![n - 1];
    for _ in 0..TRIES {
        let place = tried[tried.len() - 1];
        let end = class[place];
        let system = System::new(chain, |state| state != end && class.binary_search(&state).is_ok(), control)?;
        let plan = Plan::new(&system, control)?;
        if DEARER * plan.operations() > all_pairs || plan.bytes() > room {
            return Ok(None);
        }
        let factors = Factors::with(plan, &system, control)?;
        if factors.underflowed() {
            return Ok(None);
        }
        // Of each state for one of the end: the stationary law, but for a factor.
        let mut visits = floats(n - 1)?;
        for (target, probability) in chain.row(end).iter().filter(|&(target, _)| target != end) {
            // The states of the system are those of the class, without the end.
            if let Ok(at) = class.binary_search(&target) {
                visits[at - usize::from(at > place)] = probability;
            }
        }
        factors.visits(&mut visits, control)?;
        visits.insert(place, 1.0);
        let next = most_visited(&visits, &tried);
        if tried.len() == 1 && next.is_some_and(|next| visits[next] > 2.0) {
            tried.extend(next);
            continue;
        }
        let (mut times, mut diagonal) = (floats(n - 1)?, floats(n - 1)?);
        times.fill(1.0);
        factors.solve(&mut times, control)?;
        times.insert(place, 0.0);
        factors.diagonal(&mut diagonal, control)?;
        let all: f64 = diagonal.iter().sum();
        let weighted: f64 = visits.iter().zip(&times).map(|(visits, time)| visits * time).sum();
        let less = weighted / visits.iter().sum::<f64>();
        if less <= SHARE * all && all <= f64::LIMIT {
            return Ok(Some(all - less));
        }
        let Some(next) = next else { return Ok(None) };
        tried.push(next);
    }
    Ok(None)
}

/// The state with the most visits that has not been `tried`.
fn most_visited(visits: &[f64], tried: &[usize]) -> Option<usize> {
    let left = (0..visits.len()).filter(|place| !tried.contains(place));
    left.max_by(|&a, &b| visits[a].total_cmp(&visits[b]).then(b.cmp(&a)))
}
