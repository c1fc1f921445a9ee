//! Mean costs of walks over clusters: with the mean time spent in a cluster as its cost, the exact hitting times of the
//! family.

use super::meta_graph::{FAR, begins, distances, incoming};
use crate::chains::elimination::Factors;
use crate::chains::system::System;
use crate::error::{Result, invalid};
use crate::run::Control;

/// What a walk that goes from each cluster to one of those it leads to, all alike, pays on average until it comes to
/// `target`, from each cluster: `costs[k]` for each visit of cluster k; infinite where `target` may be missed. `edges`
/// ascend. By elimination, without subtractions: right to about 1e-15 relative for each cluster.
///
/// # Errors
/// A target that is no cluster, a cost that is negative or NaN; [`Error::Memory`](crate::Error::Memory);
/// [`Error::Interrupted`](crate::Error::Interrupted).
///
/// # Panics
/// If an edge joins clusters that are none.
pub fn mean_costs(edges: &[[u32; 2]], costs: &[f64], target: usize, control: &Control) -> Result<Vec<f64>> {
    let n_clusters = costs.len();
    if target >= n_clusters {
        return Err(invalid("target", &[], target, format!("be below the number of clusters, {n_clusters}")));
    }
    if let Some(bad) = costs.iter().position(|cost| cost.is_nan() || *cost < 0.0) {
        return Err(invalid("costs", &[bad], costs[bad], "be at least 0"));
    }
    let certain = certain(edges, n_clusters, target as u32);
    let begins = begins(edges, n_clusters);
    let mut system = System { begins: vec![0], ..System::default() };
    let mut numbers = vec![u32::MAX; n_clusters];
    for cluster in (0..n_clusters).filter(|&cluster| certain[cluster] && cluster != target) {
        numbers[cluster] = system.states.len() as u32;
        system.states.push(cluster as u32);
    }
    for &cluster in &system.states {
        control.check()?;
        let others = &edges[begins[cluster as usize]..begins[cluster as usize + 1]];
        let share = 1.0 / others.len() as f64;
        let mut exit = 0.0;
        for &[_, to] in others {
            if to as usize == target {
                exit = share;
            } else {
                system.targets.push(numbers[to as usize]);
                system.values.push(share);
            }
        }
        system.exits.push(exit);
        system.begins.push(system.targets.len());
    }
    let mut solution: Vec<f64> = system.states.iter().map(|&cluster| costs[cluster as usize]).collect();
    if !solution.is_empty() {
        Factors::new(&system, control)?.solve(&mut solution, control)?;
    }
    let mut out = vec![f64::INFINITY; n_clusters];
    out[target] = 0.0;
    for (&cluster, value) in system.states.iter().zip(solution) {
        out[cluster as usize] = value;
    }
    Ok(out)
}

/// The clusters from which a walk comes to `target` with probability 1.
fn certain(edges: &[[u32; 2]], n_clusters: usize, target: u32) -> Vec<bool> {
    let mut certain: Vec<bool> = distances(edges, n_clusters, target).iter().map(|&d| d != FAR).collect();
    let (begins, sources) = incoming(edges, n_clusters);
    let mut lost: Vec<u32> = (0..n_clusters as u32).filter(|&cluster| !certain[cluster as usize]).collect();
    while let Some(cluster) = lost.pop() {
        for &source in &sources[begins[cluster as usize]..begins[cluster as usize + 1]] {
            // A walk that has come to the target ends there, wherever that leads.
            if source != target && certain[source as usize] {
                certain[source as usize] = false;
                lost.push(source);
            }
        }
    }
    certain
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metastable::MetaGraph;
    use crate::random::Seed;

    #[test]
    fn jumps_of_named_graphs() {
        let control = Control::default();
        for n in [2, 3, 8, 31] {
            let jumps = |graph: MetaGraph<'_>, target| {
                let edges = graph.edges(n, &Seed::from_u64(1), &control).unwrap();
                mean_costs(&edges, &vec![1.0; n], target, &control).unwrap()
            };
            for target in [0, n - 1] {
                for k in 0..n {
                    let close = |found: f64, expected: usize| {
                        assert!((found - expected as f64).abs() < 1e-12 * expected as f64 + 1e-300, "{found}");
                    };
                    let ahead = (target + n - k) % n;
                    close(jumps(MetaGraph::Ring, target)[k], ahead);
                    close(jumps(MetaGraph::Cycle, target)[k], ahead * (n - ahead));
                    close(jumps(MetaGraph::Complete, target)[k], if k == target { 0 } else { n - 1 });
                }
            }
        }
    }

    #[test]
    fn where_the_target_may_be_missed_the_cost_is_infinite() {
        // 0 leads to 1 and 2, 1 to the target 3, 2 nowhere, 3 back to 2.
        let edges = [[0, 1], [0, 2], [1, 3], [3, 2]];
        let found = mean_costs(&edges, &[1.0, 2.0, 4.0, 8.0], 3, &Control::default()).unwrap();
        assert_eq!(found, [f64::INFINITY, 2.0, f64::INFINITY, 0.0]);
    }

    #[test]
    fn wrong_arguments_are_named() {
        let message =
            |costs: &[f64], target| mean_costs(&[[0, 1]], costs, target, &Control::default()).unwrap_err().to_string();
        assert_eq!(message(&[1.0, 1.0], 2), "target must be below the number of clusters, 2, got 2");
        assert_eq!(message(&[1.0, f64::NAN], 1), "costs[1] must be at least 0, got NaN");
    }
}
