//! Detailed balance: weights under which the flows of each pair of states are equal.

use super::system::System;
use super::wide::Wide;
use crate::error::Result;
use crate::memory::{filled, room};
use crate::run::Control;

/// The weights w with `w_i a_ij = w_j a_ji` for all transitions, if there are such: products of ratios along a tree
/// that spans the system, confirmed on every edge to within `tolerance` (Kolmogorov 1936). Each part that is not
/// connected to the rest has a state of weight 1. Cost: O(states + transitions).
///
/// # Errors
/// [`Error::Memory`](crate::Error::Memory), [`Error::Interrupted`](crate::Error::Interrupted).
pub(super) fn balancing(system: &System, tolerance: f64, control: &Control) -> Result<Option<Vec<Wide>>> {
    let n = system.n_states();
    let mut weights = filled(n, Wide::ZERO)?;
    // Each state enters once.
    let mut queue: Vec<u32> = room(n)?;
    let mut head = 0;
    for root in 0..n as u32 {
        if !weights[root as usize].is_zero() {
            continue;
        }
        weights[root as usize] = Wide::ONE;
        queue.push(root);
        while let Some(&i) = queue.get(head) {
            head += 1;
            control.check()?;
            let (targets, values) = system.row(i as usize);
            for (&j, &there) in targets.iter().zip(values) {
                if weights[j as usize].is_zero() {
                    let (back_targets, back_values) = system.row(j as usize);
                    let Ok(back) = back_targets.binary_search(&i) else { return Ok(None) };
                    let weight = weights[i as usize] * Wide::new(there) / Wide::new(back_values[back]);
                    // Flows that were computed may have left the range of floats: there is no telling then.
                    if weight.is_zero() {
                        return Ok(None);
                    }
                    weights[j as usize] = weight;
                    queue.push(j);
                }
            }
        }
    }
    drop(queue);
    Ok(balances(system, &weights, tolerance, control)?.then_some(weights))
}

/// Whether each transition has one back, and both flows are the same. Rows are gone through in order, hence the
/// transitions back to them are met in order too: those of a row to lower states come first in it, and have all been met
/// when its turn comes.
fn balances(system: &System, weights: &[Wide], tolerance: f64, control: &Control) -> Result<bool> {
    let mut next: Vec<usize> = room(weights.len())?;
    next.extend_from_slice(&system.begins[..weights.len()]);
    for (i, &weight) in weights.iter().enumerate() {
        control.check()?;
        let upper = next[i]..system.begins[i + 1];
        for (&j, &there) in system.targets[upper.clone()].iter().zip(&system.values[upper]) {
            let at = next[j as usize];
            // Transitions to lower states that were not met lead back to states that do not lead here.
            if j < i as u32 || at >= system.begins[j as usize + 1] || system.targets[at] != i as u32 {
                return Ok(false);
            }
            next[j as usize] = at + 1;
            let (there, back) = (weight * Wide::new(there), weights[j as usize] * Wide::new(system.values[at]));
            if ((there / back).value() - 1.0).abs() > tolerance {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// All weights as floats, the greatest 1.
///
/// # Errors
/// [`Error::Memory`](crate::Error::Memory).
pub(super) fn floats(weights: &[Wide]) -> Result<Vec<f64>> {
    let most = weights.iter().fold(Wide::ONE, |most, &weight| if weight.exceeds(most) { weight } else { most });
    let mut out = room(weights.len())?;
    out.extend(weights.iter().map(|&weight| (weight / most).value()));
    Ok(out)
}

/// As [`balancing`], as floats, the greatest 1. Where the states of the system all reach each other, and none leads
/// outside, they are its stationary law but for a factor.
///
/// # Errors
/// [`Error::Memory`](crate::Error::Memory), [`Error::Interrupted`](crate::Error::Interrupted).
pub(super) fn weights(system: &System, tolerance: f64, control: &Control) -> Result<Option<Vec<f64>>> {
    balancing(system, tolerance, control)?.map(|weights| floats(&weights)).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A system of these transitions, one list for each state, without exits.
    fn system(rows: &[&[(u32, f64)]]) -> System {
        let mut out = System { begins: vec![0], exits: vec![0.0; rows.len()], ..System::default() };
        for (state, row) in (0..).zip(rows) {
            out.states.push(state);
            out.targets.extend(row.iter().map(|&(target, _)| target));
            out.values.extend(row.iter().map(|&(_, value)| value));
            out.begins.push(out.targets.len());
        }
        out
    }

    fn found(rows: &[&[(u32, f64)]]) -> Option<Vec<f64>> {
        weights(&system(rows), 1e-10, &Control::default()).unwrap()
    }

    #[test]
    fn weights_balance_the_flows_or_there_are_none() {
        assert_eq!(found(&[&[(1, 0.25)], &[(0, 0.5), (2, 0.5)], &[(1, 0.125)]]), Some(vec![0.5, 0.25, 1.0]));
        // A circuit that is gone round more often one way, and one with a transition that does not lead back.
        assert_eq!(found(&[&[(1, 0.5), (2, 0.25)], &[(0, 0.25), (2, 0.5)], &[(0, 0.5), (1, 0.25)]]), None);
        assert_eq!(found(&[&[(1, 0.5), (2, 0.5)], &[(0, 1.0)], &[(1, 1.0)]]), None);
        assert_eq!(found(&[&[(1, 1.0)], &[(2, 1.0)], &[(0, 0.5), (1, 0.5)]]), None);
    }

    #[test]
    fn parts_and_sizes_beyond_the_range_of_floats() {
        assert_eq!(found(&[]), Some(vec![]));
        assert_eq!(found(&[&[], &[(2, 0.5)], &[(1, 1.0)]]), Some(vec![1.0, 1.0, 0.5]));
        let (up, down) = (1e-200, 1e-20);
        let ladder: [&[(u32, f64)]; 4] = [&[(1, up)], &[(0, down), (2, up)], &[(1, down), (3, down)], &[(2, up)]];
        let weights = balancing(&system(&ladder), 1e-10, &Control::default()).unwrap().unwrap();
        assert!((weights[2] / weights[0]).value() == 0.0 && ((weights[3] / weights[1]).value() - 1.0).abs() < 1e-15);
    }

    #[test]
    fn what_was_computed_as_0_balances_nothing() {
        assert_eq!(found(&[&[(1, 0.0)], &[(0, 0.5), (2, 0.0)], &[(1, 0.0)]]), None);
        assert_eq!(found(&[&[(1, 0.5)], &[(0, 0.0)]]), None);
    }
}
