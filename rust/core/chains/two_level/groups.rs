//! Sets of sets, where some are joined far more strongly than others.

use super::sets::Sets;
use crate::chains::connected::strong_components;
use crate::chains::system::System;
use crate::error::Result;
use crate::run::Control;

/// A transition is strong if it is at least this part of the likeliest of its state.
const STRONG: f64 = 0.01;

/// Where the strong transitions of a component lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// Nowhere else, or to this group alone.
    Group(u32),
    /// Outside, to several groups, or to states for which that is so.
    Open,
}

/// Groups of states that strong transitions keep together: those that reach each other by them, and what leads to one
/// such group alone. States that lead outside, or to several groups, are their own groups, for their values are not much
/// larger than what differs between them.
pub(super) fn find(system: &System, control: &Control) -> Result<Sets> {
    let n = system.n_states();
    let (mut indptr, mut indices) = (vec![0i64], Vec::new());
    let mut leaves = vec![false; n];
    for (i, leaves) in leaves.iter_mut().enumerate() {
        let (targets, values) = system.row(i);
        let least = STRONG * values.iter().fold(system.exits[i], |most, &value| most.max(value));
        indices.extend(targets.iter().zip(values).filter(|&(_, &value)| value >= least).map(|(&target, _)| target));
        indptr.push(indices.len() as i64);
        *leaves = system.exits[i] >= least;
    }
    // No strong transition leads to a component with a higher number.
    let component = strong_components(&indptr, &indices, control)?;
    let mut order: Vec<u32> = (0..n as u32).collect();
    order.sort_by_key(|&state| component[state as usize]);
    let (mut of, mut n_groups) = (vec![0u32; n], 0u32);
    let mut fates: Vec<Fate> = Vec::new();
    for members in order.chunk_by(|&a, &b| component[a as usize] == component[b as usize]) {
        let mut reached: Vec<Fate> = Vec::new();
        for &state in members {
            if leaves[state as usize] {
                reached.push(Fate::Open);
            }
            for &target in &indices[indptr[state as usize] as usize..indptr[state as usize + 1] as usize] {
                if component[target as usize] != component[state as usize] {
                    reached.push(fates[component[target as usize] as usize]);
                }
            }
        }
        let fate = match reached.first() {
            None => Fate::Group(n_groups),
            Some(&first) if reached.iter().all(|&fate| fate == first) => first,
            _ => Fate::Open,
        };
        fates.push(fate);
        for &state in members {
            of[state as usize] = if let Fate::Group(group) = fate { group } else { n_groups };
            n_groups += u32::from(fate == Fate::Open);
        }
        n_groups += u32::from(reached.is_empty());
    }
    Ok(Sets { of, n: n_groups as usize })
}
