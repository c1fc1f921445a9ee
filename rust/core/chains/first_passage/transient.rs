//! Times from transient states to transient states that all their walks pass.

use super::certain::{Certain, NONE};
use super::number::{Number, trusted};
use super::pairs::{Network, eliminate, substitute, table};
use super::product::Panel;
use crate::chains::matrix::MarkovChain;
use crate::error::Result;
use crate::run::Control;

/// Writes into `out`, a number for each pair of states, the time from each transient state to its transient ancestors in
/// the tree of `certain`. False, and only some of them, where they are not to be trusted.
///
/// Walks from the children of a state go among the states below it until they come to it. Where one of them steps to a state
/// further down, it comes back to a child after a time that is known, so that the children alone are a system. Cost:
/// the cubes of the numbers of children, the transitions, and the times written.
pub(super) fn fill<T: Number>(
    chain: &MarkovChain,
    certain: &Certain,
    out: &mut [f64],
    control: &Control,
) -> Result<bool> {
    let n = chain.n_states();
    let mut children: Vec<Vec<u32>> = vec![Vec::new(); n];
    for &state in &certain.transient {
        if certain.is_transient(certain.parent[state as usize]) {
            children[certain.parent[state as usize] as usize].push(state);
        }
    }
    // For the part of the tree that is done: its highest state above each, the time to it, and the states below it.
    let mut top: Vec<u32> = (0..n as u32).collect();
    let mut time = vec![T::default(); n];
    let mut below: Vec<Vec<u32>> = (0..n as u32).map(|state| vec![state]).collect();
    let mut number = vec![NONE; n];
    for &parent in certain.transient.iter().rev() {
        let children = &children[parent as usize];
        if children.is_empty() {
            continue;
        }
        (0..).zip(children).for_each(|(at, &child)| number[child as usize] = at);
        number[parent as usize] = children.len() as u32;
        let network = network(chain, children, &top, &time, &number, control)?;
        let solved = solve(&network, control)?;
        if !trusted(&solved) {
            return Ok(false);
        }
        for (&child, &step) in children.iter().zip(&solved) {
            control.check()?;
            let mut states = std::mem::take(&mut below[child as usize]);
            for &state in &states {
                top[state as usize] = parent;
                time[state as usize] = time[state as usize] + step;
                out[state as usize * n + parent as usize] = time[state as usize].value();
            }
            below[parent as usize].append(&mut states);
        }
    }
    Ok(true)
}

/// The system of the children of a state, which itself comes after them.
fn network<T: Number>(
    chain: &MarkovChain,
    children: &[u32],
    top: &[u32],
    time: &[T],
    number: &[u32],
    control: &Control,
) -> Result<Network<T>> {
    let mut out = Network { begins: vec![0], targets: Vec::new(), values: Vec::new(), costs: Vec::new() };
    let mut row = vec![0.0; children.len() + 1];
    for (at, &child) in children.iter().enumerate() {
        control.check()?;
        row.fill(0.0);
        let mut cost = T::from(1.0);
        for (target, probability) in chain.row(child).iter().filter(|&(target, _)| target != child) {
            cost = cost + T::from(probability) * time[target as usize];
            row[number[top[target as usize] as usize] as usize] += probability;
        }
        row[at] = 0.0; // it came back to where it was, and only took its time
        for (target, &probability) in row.iter().enumerate().filter(|&(_, &probability)| probability > 0.0) {
            out.targets.push(target as u32);
            out.values.push(probability);
        }
        out.begins.push(out.targets.len());
        out.costs.push(cost);
    }
    Ok(out)
}

/// The mean times from the states of `network` to the one state that has no row.
fn solve<T: Number>(network: &Network<T>, control: &Control) -> Result<Vec<T>> {
    let n = network.n_rows();
    control.expect((2 * n + 1) as u64 * ((n + 1) as u64).pow(2));
    let (mut table, mut panel) = (table(network, n + 1, control)?, Panel::default());
    eliminate(&mut table, n + 1, n, &mut panel, control)?;
    let mut times = vec![T::default(); n + 1];
    substitute(&table, n + 1, 1..n + 1, 0..1, &mut times, 1, &mut panel, control)?;
    times.remove(0);
    Ok(times)
}
