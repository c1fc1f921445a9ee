//! Strongly connected components: states that reach each other.

use super::fitting::counts::{room, zeros};
use crate::error::Result;
use crate::run::Control;

/// Steps between two looks at the stop flag.
const CHECKED: usize = 1 << 16;

/// The component of each state, numbered such that no transition leads to a component with a higher number. Row `i` of
/// the graph is `indices[indptr[i]..indptr[i + 1]]`. Tarjan's algorithm (SIAM J. Comput. 1, 1972) without recursion:
/// O(states + transitions).
///
/// # Errors
/// [`Error::Memory`](crate::Error::Memory), [`Error::Interrupted`](crate::Error::Interrupted).
///
/// # Panics
/// If `indptr` and `indices` do not describe rows of states.
pub fn strong_components(indptr: &[i64], indices: &[u32], control: &Control) -> Result<Vec<u32>> {
    const NONE: u32 = u32::MAX;
    let n_states = indptr.len() - 1;
    let mut component = room(n_states)?;
    component.resize(n_states, NONE);
    // The number at which a state was found, from 1, and the least such number that it is known to reach.
    let mut found: Vec<u32> = zeros(n_states)?;
    let mut least: Vec<u32> = zeros(n_states)?;
    let (mut n_found, mut n_components, mut n_steps) = (0, 0, 0usize);
    // States found whose component is not yet known; the search path, with the next transition of each of its states.
    let mut open: Vec<u32> = Vec::new();
    let mut path: Vec<(u32, usize)> = Vec::new();
    for root in 0..n_states as u32 {
        if found[root as usize] > 0 {
            continue;
        }
        path.push((root, indptr[root as usize] as usize));
        while let Some(&mut (state, ref mut next)) = path.last_mut() {
            n_steps += 1;
            if n_steps % CHECKED == 0 {
                control.check()?;
            }
            let s = state as usize;
            if found[s] == 0 {
                n_found += 1;
                (found[s], least[s]) = (n_found, n_found);
                open.push(state);
            }
            if *next < indptr[s + 1] as usize {
                let target = indices[*next];
                *next += 1;
                if found[target as usize] == 0 {
                    path.push((target, indptr[target as usize] as usize));
                } else if component[target as usize] == NONE {
                    least[s] = least[s].min(found[target as usize]);
                }
                continue;
            }
            path.pop();
            if let Some(&(before, _)) = path.last() {
                least[before as usize] = least[before as usize].min(least[s]);
            }
            if least[s] == found[s] {
                while let Some(member) = open.pop() {
                    component[member as usize] = n_components;
                    if member == state {
                        break;
                    }
                }
                n_components += 1;
            }
        }
    }
    Ok(component)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn states_share_a_component_if_they_reach_each_other(edges in prop::collection::vec((0u32..7, 0u32..7), 0..20)) {
            let mut sorted = edges.clone();
            sorted.sort_unstable();
            let indices: Vec<u32> = sorted.iter().map(|&(_, to)| to).collect();
            let indptr: Vec<i64> = (0..8).map(|s| sorted.iter().filter(|&&(from, _)| from < s).count() as i64).collect();
            let mut reaches = [[false; 7]; 7];
            (0..7).for_each(|s| reaches[s][s] = true);
            for &(from, to) in &sorted {
                reaches[from as usize][to as usize] = true;
            }
            for via in 0..7 {
                for from in 0..7 {
                    for to in 0..7 {
                        reaches[from][to] |= reaches[from][via] && reaches[via][to];
                    }
                }
            }
            let component = strong_components(&indptr, &indices, &Control::default()).unwrap();
            for from in 0..7 {
                for to in 0..7 {
                    prop_assert_eq!(component[from] == component[to], reaches[from][to] && reaches[to][from]);
                    prop_assert!(!reaches[from][to] || component[from] >= component[to]);
                }
            }
        }
    }

    #[test]
    fn a_path_of_a_million_states_needs_no_deep_stack() {
        let n = 1_000_000u32;
        let indptr: Vec<i64> = (0..=i64::from(n)).collect();
        let ring: Vec<u32> = (1..n).chain([0]).collect();
        let component = strong_components(&indptr, &ring, &Control::default()).unwrap();
        assert!(component.iter().all(|&c| c == 0));
        let line: Vec<u32> = (1..n).chain([n - 1]).collect();
        let component = strong_components(&indptr, &line, &Control::default()).unwrap();
        assert!((0..n).all(|s| component[s as usize] == n - 1 - s));
    }
}
