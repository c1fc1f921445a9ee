//! Transition-path theory: how a stationary chain gets from one set of states to another (E and Vanden-Eijnden 2006;
//! Metzner, Schuette and Vanden-Eijnden 2009, whose equations are cited below).
//!
//! A step is reactive if its walk was last in the source, rather than the target, before it, and will be in the target
//! next. Both committors come from one elimination without subtractions, so that fluxes keep their digits however
//! seldom the target is reached.

mod net;
pub mod pathways;

use super::balance;
use super::elimination::Factors;
use super::matrix::{MarkovChain, sum};
use super::spectrum::BALANCE;
use super::structure::Classes;
use super::system::System;
use crate::error::{Result, invalid};
use crate::memory::zeros;
use crate::run::Control;

/// The reactive part of a chain.
#[derive(Debug, Clone, PartialEq)]
pub struct TransitionPaths {
    /// The stationary law.
    pub stationary: Vec<f64>,
    /// The probability that the target is visited next, rather than the source.
    pub forward: Vec<f64>,
    /// The probability that the source was visited last, rather than the target.
    pub backward: Vec<f64>,
    /// The transitions that carry flux, row after row: where rows begin, and where they lead.
    pub indptr: Vec<i64>,
    /// Their targets, ascending in each row.
    pub indices: Vec<u32>,
    /// Reactive steps a step of the stationary chain, for each of them (equation 2.30).
    pub gross: Vec<f64>,
    /// What exceeds the flux of the way back, or 0 (equation 2.32).
    pub net: Vec<f64>,
    /// Reactive walks a step of the chain (equation 2.33).
    pub total: f64,
    /// Reactive walks a step spent on the way or after the source (equation 2.35).
    pub rate: f64,
}

/// The reactive flux of `chain` from the states for which `source` is true to those of `target`, which are disjoint and
/// not empty. Cost: two eliminations; with detailed balance and at most 1,000 states O(n^3) besides.
///
/// # Errors
/// A chain with several recurrent classes; sets that share a state; [`Error::Memory`](crate::Error::Memory),
/// [`Error::Interrupted`](crate::Error::Interrupted).
pub fn transition_paths(
    chain: &MarkovChain,
    source: &[bool],
    target: &[bool],
    control: &Control,
) -> Result<TransitionPaths> {
    if let Some(state) = source.iter().zip(target).position(|(a, b)| *a && *b) {
        return Err(invalid("target", &[], state, "share no state with source"));
    }
    let classes = Classes::new(chain, control)?;
    let mut closed = (0..classes.n_classes()).filter(|&class| classes.recurrent[class]);
    let (recurrent, others) = (closed.next().unwrap_or(0), closed.count());
    if others > 0 {
        return Err(invalid("the chain", &[], 1 + others, "have a single recurrent class, for one stationary law"));
    }
    let inside = |state: usize| classes.labels[state] as usize == recurrent;
    for (name, set) in [("source", source), ("target", target)] {
        if !(0..set.len()).any(|state| set[state] && inside(state)) {
            return Err(invalid(name, &[], "", "hold a recurrent state: no stationary walk visits any other"));
        }
    }
    let (stationary, balanced) = stationary(chain, classes.class(recurrent), control)?;
    let n = chain.n_states();
    // Transient states are never visited again: on no path, though they have a forward committor.
    let between = System::new(chain, |state| !source[state as usize] && !target[state as usize], control)?;
    let factors = Factors::new(&between, control)?;
    let mut hits = between.states.iter().map(|&state| into(chain, state, target)).collect::<Vec<f64>>();
    factors.solve(&mut hits, control)?;
    let mut arrivals = zeros(between.n_states())?;
    for state in (0..n).filter(|&state| source[state] && inside(state)) {
        for (next, probability) in chain.row(state as u32).iter() {
            if let Ok(number) = between.states.binary_search(&next) {
                arrivals[number] += stationary[state] * probability;
            }
        }
    }
    // What arrives from the source and goes on gives pi_i q-_i directly: no time reversal, and no division yet.
    factors.visits(&mut arrivals, control)?;
    let as_number = |yes: &bool| f64::from(u8::from(*yes));
    let mut forward: Vec<f64> = target.iter().map(as_number).collect();
    let mut reactive: Vec<f64> = source.iter().zip(&stationary).map(|(yes, p)| as_number(yes) * p).collect();
    let mut backward: Vec<f64> = source.iter().map(as_number).collect();
    for ((&state, hit), arrival) in between.states.iter().zip(hits).zip(arrivals) {
        let state = state as usize;
        forward[state] = hit.min(1.0);
        reactive[state] = arrival.min(stationary[state]);
        backward[state] = if inside(state) { (arrival / stationary[state]).min(1.0) } else { f64::NAN };
    }
    let mut out = TransitionPaths {
        stationary,
        forward,
        backward,
        indptr: vec![0],
        indices: Vec::new(),
        gross: Vec::new(),
        net: Vec::new(),
        total: 0.0,
        rate: 0.0,
    };
    for state in 0..n {
        if !target[state] && reactive[state] > 0.0 {
            for (next, probability) in chain.row(state as u32).iter() {
                let flux = reactive[state] * probability * out.forward[next as usize];
                if next as usize != state && !source[next as usize] && flux > 0.0 {
                    out.indices.push(next);
                    out.gross.push(flux);
                }
            }
        }
        out.indptr.push(out.indices.len() as i64);
    }
    control.check()?;
    let from_source = (0..n).filter(|&state| source[state]).flat_map(|state| out.row(state).1.iter().copied());
    out.total = sum(from_source);
    out.rate = out.total / sum(reactive.iter().copied());
    out.net = net::net(chain, classes.class(recurrent), balanced, source, target, &out, control)?;
    Ok(out)
}

impl TransitionPaths {
    /// Targets and gross fluxes of the row of `state`.
    pub fn row(&self, state: usize) -> (&[u32], &[f64]) {
        let range = self.indptr[state] as usize..self.indptr[state + 1] as usize;
        (&self.indices[range.clone()], &self.gross[range])
    }
}

/// The probability of a transition from `state` into `set`.
fn into(chain: &MarkovChain, state: u32, set: &[bool]) -> f64 {
    sum(chain.row(state).iter().filter(|&(next, _)| set[next as usize]).map(|(_, probability)| probability))
}

/// The stationary law, 0 outside the recurrent class `members`, and whether that has detailed balance.
fn stationary(chain: &MarkovChain, members: &[u32], control: &Control) -> Result<(Vec<f64>, bool)> {
    let mut law = zeros(chain.n_states())?;
    let weights = balance::weights(&System::among(chain, members, control)?, BALANCE, control)?;
    let balanced = weights.is_some();
    if let Some(weights) = weights {
        members.iter().zip(weights).for_each(|(&state, weight)| law[state as usize] = weight);
    } else {
        // Visits between two visits of the first member.
        let first = members[0];
        let rest = System::among(chain, &members[1..], control)?;
        let mut visits = zeros(rest.n_states())?;
        for (next, probability) in chain.row(first).iter() {
            if let Ok(number) = rest.states.binary_search(&next) {
                visits[number] = probability;
            }
        }
        Factors::new(&rest, control)?.visits(&mut visits, control)?;
        law[first as usize] = 1.0;
        rest.states.iter().zip(visits).for_each(|(&state, visits)| law[state as usize] = visits);
    }
    let total = sum(law.iter().copied());
    for p in &mut law {
        *p /= total;
    }
    Ok((law, balanced))
}
