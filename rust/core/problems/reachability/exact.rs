//! What is known exactly of a graph: distances, the number of paths, how walks end and how long they take.
//!
//! Walks end at either candidate and where no edge leads on. Where no cycle can be entered from the root everything
//! follows by one pass over its nodes, each after all that can be reached from it. Elsewhere walks are bounded by a number
//! of steps, and their law is carried forward step by step.

use super::graphs::{Graph, Graphs};
use crate::error::Result;
use crate::run::{Control, map_items};
use std::collections::VecDeque;

/// Graphs that are handed to a thread at once.
const BLOCK: usize = 64;

/// The probabilities of the ways in which a walk ends.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Ends {
    /// At the target.
    pub target: f64,
    /// At the other candidate.
    pub neg_target: f64,
    /// At neither: no edge leads on, or the walk is cut off.
    pub nowhere: f64,
}

impl Ends {
    const TARGET: Self = Self { target: 1.0, neg_target: 0.0, nowhere: 0.0 };
    const NEG_TARGET: Self = Self { target: 0.0, neg_target: 1.0, nowhere: 0.0 };
    const NOWHERE: Self = Self { target: 0.0, neg_target: 0.0, nowhere: 1.0 };

    /// `self` and `p` times `other`.
    fn plus(self, p: f64, other: Self) -> Self {
        Self {
            target: self.target + p * other.target,
            neg_target: self.neg_target + p * other.neg_target,
            nowhere: self.nowhere + p * other.nowhere,
        }
    }
}

/// A node that the depth-first search has not come to, is at work on, or has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    New,
    Open,
    Done,
}

/// The nodes that walks from the root can come to, each after all those that can be reached from it, and whether they are
/// free of cycles; with a cycle the order is that in which a depth-first search leaves them.
pub fn order(graph: &Graph<'_>) -> (Vec<u32>, bool) {
    let mut mark = vec![Mark::New; graph.n_nodes()];
    let (mut order, mut acyclic) = (Vec::new(), true);
    let root = graph.question.root;
    let mut open = vec![(root, 0)];
    mark[root as usize] = Mark::Open;
    while let Some((node, next)) = open.last_mut() {
        let heads = if is_candidate(graph, *node) { &[][..] } else { graph.heads(*node) };
        let Some(&head) = heads.get(*next) else {
            mark[*node as usize] = Mark::Done;
            order.push(*node);
            open.pop();
            continue;
        };
        *next += 1;
        match mark[head as usize] {
            Mark::New => {
                mark[head as usize] = Mark::Open;
                open.push((head, 0));
            }
            Mark::Open => acyclic = false,
            Mark::Done => {}
        }
    }
    (order, acyclic)
}

#[inline]
fn is_candidate(graph: &Graph<'_>, node: u32) -> bool {
    node == graph.question.target || node == graph.question.neg_target
}

/// How walks from each node end, for an [`order`] without cycles; zero for nodes that are not in it.
pub fn ends(graph: &Graph<'_>, order: &[u32]) -> Vec<Ends> {
    let mut ends = vec![Ends::default(); graph.n_nodes()];
    for &node in order {
        ends[node as usize] = if node == graph.question.target {
            Ends::TARGET
        } else if node == graph.question.neg_target {
            Ends::NEG_TARGET
        } else if graph.heads(node).is_empty() {
            Ends::NOWHERE
        } else {
            graph.steps(node).fold(Ends::default(), |sum, (head, p)| sum.plus(p, ends[head as usize]))
        };
    }
    ends
}

/// The steps of the longest walk from the root, and the mean of all, for an [`order`] without cycles. `guess` is the
/// number of steps that a walk takes where no edge leads on.
pub fn lengths(graph: &Graph<'_>, order: &[u32], guess: u32) -> (u32, f64) {
    let mut lengths = vec![(0, 0.0); graph.n_nodes()];
    for &node in order.iter().filter(|&&node| !is_candidate(graph, node)) {
        let (longest, mean) = graph.steps(node).fold((0, 0.0), |(longest, mean), (head, p)| {
            let (far, away): (u32, f64) = lengths[head as usize];
            (longest.max(far + 1), mean + p * (away + 1.0))
        });
        lengths[node as usize] = if longest == 0 { (guess, f64::from(guess)) } else { (longest, mean) };
    }
    lengths[graph.question.root as usize]
}

/// How walks of at most `n_steps` steps from `node` end, and the mean number of their steps, where a walk that comes to
/// a node without edges takes `guess` more. Cost: edges times steps.
///
/// # Errors
/// [`Error::Interrupted`](crate::Error::Interrupted).
pub fn ends_within(graph: &Graph<'_>, node: u32, n_steps: u32, guess: u32, control: &Control) -> Result<(Ends, f64)> {
    let (mut now, mut next) = (vec![0.0; graph.n_nodes()], vec![0.0; graph.n_nodes()]);
    now[node as usize] = 1.0;
    let (mut live, mut reached) = (vec![node], Vec::new());
    let (mut ends, mut mean) = (Ends::default(), 0.0);
    for step in 0..=n_steps {
        control.check()?;
        for node in live.drain(..) {
            let p = std::mem::take(&mut now[node as usize]);
            if node == graph.question.target {
                ends.target += p;
            } else if node == graph.question.neg_target {
                ends.neg_target += p;
            } else if graph.heads(node).is_empty() || step == n_steps {
                ends.nowhere += p;
                mean += p * f64::from(guess);
            } else {
                mean += p;
                for (head, share) in graph.steps(node) {
                    if next[head as usize] == 0.0 {
                        reached.push(head);
                    }
                    next[head as usize] += p * share;
                }
            }
        }
        std::mem::swap(&mut now, &mut next);
        std::mem::swap(&mut live, &mut reached);
        // A head whose share is too small for a double, and two edges to it, would be listed twice.
        live.retain(|&node| now[node as usize] > 0.0);
        live.sort_unstable();
        live.dedup();
        if live.is_empty() {
            break;
        }
    }
    Ok((ends, mean))
}

/// [`n_paths`] of all graphs.
///
/// # Errors
/// [`Error::Interrupted`](crate::Error::Interrupted).
pub fn all_paths(graphs: &Graphs, control: &Control) -> Result<Vec<f64>> {
    map_items(
        graphs.len(),
        BLOCK,
        control,
        || (),
        |(), graph| {
            let graph = graphs.get(graph);
            Ok(n_paths(&graph, &order(&graph)))
        },
    )
}

/// How many paths lead from the root to the target without passing a candidate: infinite where one of them can go round
/// in a cycle. Exact up to 2^53.
pub fn n_paths(graph: &Graph<'_>, (order, acyclic): &(Vec<u32>, bool)) -> f64 {
    let mut paths = vec![0.0; graph.n_nodes()];
    paths[graph.question.target as usize] = 1.0;
    if *acyclic {
        for &node in order.iter().filter(|&&node| !is_candidate(graph, node)) {
            paths[node as usize] = graph.heads(node).iter().map(|&head| paths[head as usize]).sum();
        }
        return paths[graph.question.root as usize];
    }
    // Of the nodes on the way only those matter from which the target can be reached.
    let leads = leading(graph, order);
    let (mut open, mut edges_in) = (Vec::new(), vec![0u32; graph.n_nodes()]);
    let onward = |node: u32| graph.heads(node).iter().copied().filter(|&head| leads[head as usize]);
    let inner = || order.iter().copied().filter(|&node| leads[node as usize] && !is_candidate(graph, node));
    for node in inner() {
        onward(node).for_each(|head| edges_in[head as usize] += 1);
    }
    let root = graph.question.root;
    if !leads[root as usize] {
        return 0.0;
    }
    if edges_in[root as usize] > 0 {
        return f64::INFINITY;
    }
    // From the root forwards; what never becomes free of incoming edges is behind a cycle.
    let mut from_root = vec![0.0; graph.n_nodes()];
    from_root[root as usize] = 1.0;
    open.push(root);
    let mut left = 0;
    while let Some(node) = open.pop() {
        if node == graph.question.target {
            continue;
        }
        left += 1;
        for head in onward(node) {
            from_root[head as usize] += from_root[node as usize];
            edges_in[head as usize] -= 1;
            if edges_in[head as usize] == 0 {
                open.push(head);
            }
        }
    }
    if left < inner().count() { f64::INFINITY } else { from_root[graph.question.target as usize] }
}

/// Which nodes of `order` lead to the target.
fn leading(graph: &Graph<'_>, order: &[u32]) -> Vec<bool> {
    let mut into = vec![Vec::new(); graph.n_nodes()];
    for &node in order.iter().filter(|&&node| !is_candidate(graph, node)) {
        graph.heads(node).iter().for_each(|&head| into[head as usize].push(node));
    }
    let mut leads = vec![false; graph.n_nodes()];
    let mut open = vec![graph.question.target];
    leads[graph.question.target as usize] = true;
    while let Some(node) = open.pop() {
        for &before in &into[node as usize] {
            if !leads[before as usize] {
                leads[before as usize] = true;
                open.push(before);
            }
        }
    }
    leads
}

/// The number of edges on a shortest path from the root to each node, through candidates as well; -1 where there is none.
pub fn distances(graph: &Graph<'_>, out: &mut [i64]) {
    out.fill(-1);
    out[graph.question.root as usize] = 0;
    let mut queue = VecDeque::from([graph.question.root]);
    while let Some(node) = queue.pop_front() {
        for &head in graph.heads(node) {
            if out[head as usize] < 0 {
                out[head as usize] = out[node as usize] + 1;
                queue.push_back(head);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::graphs::tests::graph;
    use super::*;

    #[test]
    fn a_graph_done_by_hand() {
        // 0 -> 1, 2, 3; 1 -> 4, 5; 2 -> 4; 3 is a sink; 4 -> 6; 5 -> 7. Target 6, other candidate 7.
        let graphs = graph(&[[0, 1], [0, 2], [0, 3], [1, 4], [1, 5], [2, 4], [4, 6], [5, 7]], 0, 6, 7);
        let graph = graphs.get(0);
        let ordered = order(&graph);
        assert!(ordered.1);
        assert_eq!(ordered.0.last(), Some(&0));
        let ends = ends(&graph, &ordered.0)[0];
        assert!((ends.target - 0.5).abs() < 1e-15 && (ends.neg_target - 1.0 / 6.0).abs() < 1e-15);
        assert!((ends.nowhere - 1.0 / 3.0).abs() < 1e-15);
        assert_eq!(n_paths(&graph, &ordered), 2.0);
        assert_eq!(lengths(&graph, &ordered.0, 0), (3, 7.0 / 3.0));
        let (longest, mean) = lengths(&graph, &ordered.0, 1);
        assert!(longest == 3 && (mean - 8.0 / 3.0).abs() < 1e-15);
        let (within, mean) = ends_within(&graph, 0, 3, 0, &Control::default()).unwrap();
        assert!((within.target - ends.target).abs() < 1e-15 && (mean - 7.0 / 3.0).abs() < 1e-15);
        assert_eq!(ends_within(&graph, 0, 2, 0, &Control::default()).unwrap().0.target, 0.0);
        let mut found = [0; 8];
        distances(&graph, &mut found);
        assert_eq!(found, [0, 1, 1, 1, 2, 2, 3, 3]);
    }

    #[test]
    fn cycles_are_seen_and_end() {
        // 0 -> 1 <-> 2, 1 -> 3 (target); 4 is a candidate that nobody reaches.
        let graphs = graph(&[[0, 1], [1, 2], [2, 1], [1, 3]], 0, 3, 4);
        let graph = graphs.get(0);
        let ordered = order(&graph);
        assert!(!ordered.1);
        assert_eq!(n_paths(&graph, &ordered), f64::INFINITY);
        for (n_steps, target) in [(1, 0.0), (2, 0.5), (3, 0.5), (4, 0.75), (6, 0.875)] {
            assert_eq!(ends_within(&graph, 0, n_steps, 0, &Control::default()).unwrap().0.target, target);
        }
    }

    #[test]
    fn a_cycle_that_leads_nowhere_adds_no_paths() {
        // 0 -> 1 -> 3, 0 -> 3, and 0 -> 2 with a loop at 2.
        let graphs = graph(&[[0, 1], [1, 3], [0, 3], [0, 2], [2, 2]], 0, 3, 4);
        let graph = graphs.get(0);
        assert_eq!(n_paths(&graph, &order(&graph)), 2.0);
        // A cycle through the target is never entered.
        let through = super::super::graphs::tests::graph(&[[0, 1], [1, 0]], 0, 1, 2);
        assert!(order(&through.get(0)).1);
        let around = super::super::graphs::tests::graph(&[[0, 0], [0, 1]], 0, 1, 2);
        assert_eq!(n_paths(&around.get(0), &order(&around.get(0))), f64::INFINITY);
        let nowhere = super::super::graphs::tests::graph(&[[0, 0], [3, 1]], 0, 1, 2);
        assert_eq!(n_paths(&nowhere.get(0), &order(&nowhere.get(0))), 0.0);
    }
}
