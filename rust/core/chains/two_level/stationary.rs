//! The stationary law of large chains: weights along a tree where flows balance, else aggregation and disaggregation.

use super::refine::largest;
use super::sets::{self, Sets};
use super::{CHECKED, Solved, solve, unreached, weights};
use crate::chains::balance;
use crate::chains::elimination::Factors;
use crate::chains::system::System;
use crate::error::{Error, Result};
use crate::memory::{room, zeros};
use crate::run::Control;

/// How far the two flows of an edge may differ in a chain whose law is taken from the ratios along a tree.
const BALANCED: f64 = 1e-12;

/// Sweeps, each there and back, between two eliminations of the sets.
const SWEEPS: usize = 4;

/// Eliminations of the sets at most.
const CYCLES: usize = 500;

/// Changes below this are rounding.
const ROUNDING: f64 = 8.0 * f64::EPSILON;

/// The stationary law of a system that is never left and whose states all reach each other.
///
/// Where `p_i a_ij = p_j a_ji` for some p (flows balance) the law is p, made of ratios of transitions along a tree. Else
/// the states fall into sets, whose weights are found by elimination (Takahashi 1975), and sweeps of Gauss and Seidel
/// settle the law within each of them. No transition to the state itself occurs, and nothing is subtracted.
///
/// The `residual` of the result is a bound of the relative error that the flows into and out of the states leave open
/// within the sets, found by solving for it: sets that mix slowly unnoticed show there.
///
/// # Errors
/// [`Error::NotConverged`](crate::Error::NotConverged) if the bound is above `tolerance`;
/// [`Error::Memory`](crate::Error::Memory), [`Error::Interrupted`](crate::Error::Interrupted).
pub fn stationary(system: &System, tolerance: f64, control: &Control) -> Result<Solved> {
    let n = system.n_states();
    if n <= 1 {
        return Ok(Solved { values: vec![1.0; n], residual: 0.0, n_steps: 0, n_sets: n });
    }
    if let Some(mut law) = balance::weights(system, BALANCED, control)? {
        normalise(&mut law);
        return Ok(Solved { values: law, residual: BALANCED, n_steps: 1, n_sets: 1 });
    }
    let backward = transpose(system, control)?;
    let sets = sets::find(system, control)?;
    let leave: Vec<f64> = (0..n).map(|i| system.row(i).1.iter().sum()).collect();
    let mut law = weights::stationary(system, &sets, control)?;
    let mut before = zeros(n)?;
    let (mut n_steps, mut least) = (0, f64::INFINITY);
    for cycle in 0..CYCLES {
        disaggregate(system, &sets, &mut law, control)?;
        before.copy_from_slice(&law);
        for _ in 0..SWEEPS {
            for i in (0..n).chain((0..n).rev()) {
                if i % CHECKED == 0 {
                    control.check()?;
                }
                settle(&backward, &leave, &mut law, i);
            }
            n_steps += 2;
        }
        let change =
            largest(law.iter().zip(&before).map(|(new, old)| if new == old { 0.0 } else { (new / old - 1.0).abs() }));
        let stalled = cycle > 2 && change > 0.9 * least && change < 1e-12;
        least = least.min(change);
        if change <= ROUNDING || stalled || change.is_nan() {
            break;
        }
    }
    disaggregate(system, &sets, &mut law, control)?;
    let (bound, more_steps) = bound(&backward, &sets, &leave, &law, control)?;
    normalise(&mut law);
    let residual = largest([bound, least].into_iter());
    let n_steps = n_steps + more_steps;
    if residual <= tolerance {
        return Ok(Solved { values: law, residual, n_steps, n_sets: sets.n });
    }
    Err(unreached(residual, tolerance, n_steps, sets.n))
}

/// Divides by the sum.
fn normalise(law: &mut [f64]) {
    let sum: f64 = law.iter().sum();
    for x in law {
        *x /= sum;
    }
}

/// Replaces the weight of a state by what flows into it divided by the probability of leaving it.
#[inline]
fn settle(backward: &System, leave: &[f64], law: &mut [f64], i: usize) {
    let (sources, values) = backward.row(i);
    let arriving: f64 = sources.iter().zip(values).map(|(&j, &value)| law[j as usize] * value).sum();
    law[i] = arriving / leave[i];
}

/// The system with its transitions turned round: row i holds what leads to state i.
fn transpose(system: &System, control: &Control) -> Result<System> {
    let (n, n_transitions) = (system.n_states(), system.n_transitions());
    let mut begins: Vec<usize> = zeros(n + 1)?;
    system.targets.iter().for_each(|&j| begins[j as usize + 1] += 1);
    (0..n).for_each(|i| begins[i + 1] += begins[i]);
    control.check()?;
    let (mut targets, mut values): (Vec<u32>, Vec<f64>) = (room(n_transitions)?, zeros(n_transitions)?);
    targets.resize(n_transitions, 0);
    let mut next: Vec<usize> = room(n)?;
    next.extend_from_slice(&begins[..n]);
    for i in 0..n {
        let (row_targets, row_values) = system.row(i);
        for (&j, &value) in row_targets.iter().zip(row_values) {
            let at = next[j as usize];
            (targets[at], values[at]) = (i as u32, value);
            next[j as usize] = at + 1;
        }
    }
    Ok(System { begins, targets, values, exits: zeros(n)?, states: system.states.clone() })
}

/// Makes the flows between the sets balance, leaving the law within each of them as it is.
fn disaggregate(system: &System, sets: &Sets, law: &mut [f64], control: &Control) -> Result<()> {
    weights::greatest_one(sets, law);
    if sets.n == 1 {
        return Ok(());
    }
    // Set 0 is the outside: the others are visited between two visits to it.
    let mut flows: Vec<(u32, u32, f64)> = Vec::new();
    for (i, (&set, &weight)) in sets.of.iter().zip(&*law).enumerate() {
        let (targets, values) = system.row(i);
        let ways = targets.iter().zip(values).map(|(&j, &value)| (sets.of[j as usize], value));
        flows.extend(ways.filter(|&(to, _)| to != set).map(|(to, value)| (set, to, weight * value)));
    }
    control.check()?;
    flows.sort_by_key(|&(from, to, _)| (from, to));
    let n = sets.n - 1;
    let mut others =
        System { begins: vec![0], exits: zeros(n)?, states: (1..sets.n as u32).collect(), ..System::default() };
    let mut visits = zeros(n)?;
    for of_pair in flows.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
        let (from, to) = (of_pair[0].0 as usize, of_pair[0].1 as usize);
        let flow: f64 = of_pair.iter().map(|flow| flow.2).sum();
        if from == 0 {
            visits[to - 1] = flow;
            continue;
        }
        while others.begins.len() < from {
            others.begins.push(others.targets.len());
        }
        if to == 0 {
            others.exits[from - 1] = flow;
        } else {
            others.targets.push(to as u32 - 1);
            others.values.push(flow);
        }
    }
    others.begins.resize(n + 1, others.targets.len());
    Factors::new(&others, control)?.visits(&mut visits, control)?;
    // The greatest of all becomes 1.
    let most = largest(visits.iter().copied()).max(1.0);
    for (x, &set) in law.iter_mut().zip(&sets.of) {
        *x *= if set == 0 { 1.0 / most } else { visits[set as usize - 1] / most };
    }
    Ok(())
}

/// A bound of the relative error within the sets. The chain run backward, each set with one state as an exit, makes of the
/// imbalance of each state an error that grows with the time until such a state is reached.
fn bound(backward: &System, sets: &Sets, leave: &[f64], law: &[f64], control: &Control) -> Result<(f64, u64)> {
    const NONE: u32 = u32::MAX;
    let n = law.len();
    let mut heaviest = vec![NONE; sets.n];
    for (i, &set) in sets.of.iter().enumerate() {
        let first = &mut heaviest[set as usize];
        if *first == NONE || law[i] > law[*first as usize] {
            *first = i as u32;
        }
    }
    let mut numbers: Vec<u32> = room(n)?;
    let mut open = System { begins: vec![0], ..System::default() };
    for i in 0..n as u32 {
        let exit = heaviest[sets.of[i as usize] as usize] == i;
        numbers.push(if exit { NONE } else { open.states.len() as u32 });
        if !exit {
            open.states.push(i);
        }
    }
    let (mut imbalance, mut cost) = (0f64, room(n)?);
    for i in 0..n {
        let (sources, values) = backward.row(i);
        let (mut exit, mut arriving) = (0.0, 0.0);
        for (&j, &value) in sources.iter().zip(values) {
            let flow = law[j as usize] * value / law[i];
            arriving += flow;
            if numbers[j as usize] == NONE {
                exit += flow;
            } else if numbers[i] != NONE {
                open.targets.push(numbers[j as usize]);
                open.values.push(flow);
            }
        }
        imbalance = largest([imbalance, (arriving / leave[i] - 1.0).abs()].into_iter());
        if numbers[i] != NONE {
            open.exits.push(exit);
            open.begins.push(open.targets.len());
            cost.push(leave[i]);
        }
    }
    if open.states.is_empty() || imbalance.is_nan() {
        return Ok((imbalance, 0));
    }
    // Moves until an exit. A bound of them is enough, hence the tolerance.
    match solve(&open, &cost, 0.5, control) {
        Ok(moves) => {
            let most = largest(moves.values.iter().map(|x| 2.0 * x));
            Ok((most * imbalance.max(f64::EPSILON), moves.n_steps))
        }
        Err(Error::NotConverged(_)) => Ok((f64::INFINITY, 0)),
        Err(other) => Err(other),
    }
}
