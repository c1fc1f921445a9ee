//! Metastable sets: states that walks stay among for long, as memberships between 0 and 1 (PCCA+: Deuflhard and Weber
//! 2005, Roeblitz and Weber 2013; without detailed balance GPCCA: Reuter et al. 2018, 2019).
//!
//! The functions that the slowest k modes span (`subspace`) are nearly constant on each metastable set; k of them are
//! sought that are non-negative and sum to 1. They begin as the coordinates in a simplex whose corners are k states far
//! apart (`simplex`), and are made as crisp as they can be (`crisp`). All of it works on the factors of an elimination
//! without subtractions, so that sets are found whatever the coupling between them.

mod crisp;
mod simplex;
mod subspace;

use super::matrix::MarkovChain;
use super::spectrum::MOST_STATES;
use super::spectrum::graded::Graded;
use super::system::System;
use crate::error::{Result, invalid};
use crate::run::Control;
use subspace::Slow;

/// The sets of a chain.
#[derive(Debug, Clone, PartialEq)]
pub struct MetastableSets {
    /// n x k, row after row: how much each state belongs to each set. Rows sum to 1.
    pub memberships: Vec<f64>,
    /// k x k, row after row: the transition matrix among the sets. Can have small negative entries where the sets
    /// overlap.
    pub coarse: Vec<f64>,
    /// The weight of each set under the stationary law (that is reached from a uniform start, where there are several).
    pub stationary: Vec<f64>,
    /// Mean over the sets of the mean membership of those who belong to it: 1 where no state belongs to two.
    pub crispness: f64,
    /// The rates of the slowest modes, ascending, where they were found on the way: for more than [`MOST_STATES`]
    /// states.
    pub rates: Option<Vec<f64>>,
}

/// The `k` metastable sets of `chain`. Cost: O(n^3) and a search in (k - 1)^2 dimensions.
///
/// # Errors
/// A `k` that is not from 1 to the number of states, less than the number of recurrent classes, or that splits a pair
/// of complex eigenvalues; sets of which one would be empty; a chain of more than [`MOST_STATES`] states that is not
/// irreducible or has no detailed balance; [`Error::Memory`](crate::Error::Memory),
/// [`Error::Interrupted`](crate::Error::Interrupted).
pub fn metastable_sets(chain: &MarkovChain, k: usize, control: &Control) -> Result<MetastableSets> {
    let n = chain.n_states();
    if !(1..=n).contains(&k) {
        return Err(invalid("k", &[], k, format!("be from 1 to the number of states, {n}")));
    }
    if n > MOST_STATES {
        let (slow, law) = subspace::of_large(chain, k, control)?;
        let order: Vec<usize> = (0..n).collect();
        return crispest(&slow, &law, &order, k, control);
    }
    let graded = Graded::of(&System::new(chain, |_| true, control)?, control)?;
    let n_closed = n - graded.rank();
    if k < n_closed {
        return Err(invalid("k", &[], k, format!("be at least the number of recurrent classes, {n_closed}")));
    }
    let slow = subspace::slowest(&graded, k, control)?;
    let law = stationary(&graded, &slow.functions);
    crispest(&slow, &law, &graded.order, k, control)
}

/// The crispest `k` sets from the slow functions. `order` has the number of each of their states.
fn crispest(slow: &Slow, law: &[f64], order: &[usize], k: usize, control: &Control) -> Result<MetastableSets> {
    let n = order.len();
    let corners = simplex::corners(&slow.functions, k);
    let Some(start) = simplex::coordinates(slow, &corners) else {
        return Err(invalid("k", &[], k, "be a number of sets that the slowest modes tell apart"));
    };
    let found = crisp::optimise(&start.memberships, law, n, k, control)?;
    let coarse = simplex::coarse(&start, &found.combination, k);
    let stationary = crisp::weights(&found.memberships, law, k);
    // Back to the numbers of the states.
    let mut memberships = vec![0.0; n * k];
    for (row, &state) in found.memberships.chunks_exact(k).zip(order) {
        memberships[state * k..(state + 1) * k].copy_from_slice(row);
    }
    let rates = slow.rates.clone();
    sorted(&MetastableSets { memberships, coarse, stationary, crispness: found.crispness, rates }, k)
}

/// The stationary law by the order of elimination; with several closed classes each with the probability that a walk
/// from a uniform start ends in it.
fn stationary(graded: &Graded, functions: &[Vec<f64>]) -> Vec<f64> {
    let (n, rank) = (graded.n_states(), graded.rank());
    let mut law = vec![0.0; n];
    for (last, ends) in (rank..n).zip(&functions[functions.len() - (n - rank)..]) {
        let share = ends.iter().sum::<f64>() / n as f64;
        let own = graded.stationary(last);
        let total: f64 = own.iter().sum();
        law.iter_mut().zip(&own).for_each(|(to, weight)| *to += share * (weight / total));
    }
    law
}

/// The sets in the order of their first state, each of which must have one.
fn sorted(sets: &MetastableSets, k: usize) -> Result<MetastableSets> {
    let mut order: Vec<usize> = Vec::new();
    for row in sets.memberships.chunks_exact(k) {
        let label = (1..k).fold(0, |best, j| if row[j] > row[best] { j } else { best });
        if !order.contains(&label) {
            order.push(label);
        }
    }
    if order.len() < k {
        let rule = format!("leave a state in each set, and only {} of them have one", order.len());
        return Err(invalid("k", &[], k, rule));
    }
    let columns = |row: &[f64]| order.iter().map(|&j| row[j]).collect::<Vec<f64>>();
    Ok(MetastableSets {
        memberships: sets.memberships.chunks_exact(k).flat_map(columns).collect(),
        coarse: order.iter().flat_map(|&i| columns(&sets.coarse[i * k..(i + 1) * k])).collect(),
        stationary: columns(&sets.stationary),
        crispness: sets.crispness,
        rates: sets.rates.clone(),
    })
}
