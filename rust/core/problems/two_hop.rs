//! Contexts for reasoning in several hops: chains of nodes told edge by edge, all mixed up, and a question.

use crate::error::{Result, invalid};
use crate::random::{Seed, Stream};
use crate::run::{Control, fill_rows};

/// The numbers of the special tokens; nodes are numbered from [`FIRST_NODE`] on.
pub const BEGIN: u32 = 0;
/// Between the ends of an edge, in variants that write it.
pub const EDGE: u32 = 1;
/// Before an answer, in variants that write it.
pub const ANSWER: u32 = 2;
/// The end of a context, and what it is padded with.
pub const END: u32 = 3;
/// The token of node 0.
pub const FIRST_NODE: u32 = 4;

/// Nodes at most.
const MOST_NODES: usize = 1 << 20;

/// Contexts a thread makes between two looks at the queue.
const BLOCK: usize = 256;

/// What contexts look like.
///
/// Of `n_nodes` node tokens, `n_chains (hops + 1)` distinct ones are laid out in disjoint chains of `hops` edges. The
/// edges, two tokens each, are told in an order that keeps that of each chain: the next edge is of a chain with
/// probability proportional to the edges that it has left, so that all such orders are equally probable. Then come the
/// first node of a uniform chain, which is the question, and its last node, which is the answer. [`END`] fills the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TwoHop {
    n_nodes: usize,
    hops: usize,
    n_chains: usize,
    length: usize,
}

/// Working memory of a thread.
struct Scratch {
    /// All nodes, in order between two contexts.
    nodes: Vec<u32>,
    /// What each of the first nodes was exchanged with.
    swaps: Vec<usize>,
    /// Edges that each chain has left.
    left: Vec<usize>,
}

impl TwoHop {
    /// Contexts of `length` tokens.
    ///
    /// # Errors
    /// No hops or chains, fewer nodes than the chains need, a length too short.
    pub fn new(n_nodes: usize, hops: usize, n_chains: usize, length: usize) -> Result<Self> {
        for (argument, value) in [("hops", hops), ("n_chains", n_chains)] {
            if value == 0 {
                return Err(invalid(argument, &[], value, "be at least 1"));
            }
        }
        let needed = hops.checked_add(1).and_then(|nodes| nodes.checked_mul(n_chains)).unwrap_or(usize::MAX);
        if !(needed..=MOST_NODES).contains(&n_nodes) {
            let rule = format!("be from n_chains (hops + 1) = {needed} to {MOST_NODES}");
            return Err(invalid("n_nodes", &[], n_nodes, rule));
        }
        let told = 2 * (needed - n_chains) + 2;
        if length < told {
            return Err(invalid("length", &[], length, format!("be at least 2 hops n_chains + 2 = {told}")));
        }
        Ok(Self { n_nodes, hops, n_chains, length })
    }

    /// Tokens of a context.
    pub fn length(&self) -> usize {
        self.length
    }

    /// Fills `out`, [`length`](Self::length) tokens a context. Context `i` draws from stream `first + i` of `seed`: a
    /// word for each node of the chains, one for each edge, one for the question.
    ///
    /// # Errors
    /// [`Error::Interrupted`](crate::Error::Interrupted).
    ///
    /// # Panics
    /// If `out` is not a whole number of contexts.
    pub fn sample(&self, seed: &Seed, first: u64, out: &mut [u32], control: &Control) -> Result<()> {
        let nodes = (FIRST_NODE..).take(self.n_nodes);
        let n_used = (self.hops + 1) * self.n_chains;
        let scratch =
            || Scratch { nodes: nodes.clone().collect(), swaps: vec![0; n_used], left: vec![0; self.n_chains] };
        fill_rows(out, self.length, BLOCK, control, scratch, |scratch, item, row| {
            self.tell(scratch, &mut seed.stream(first.wrapping_add(item as u64)), row);
            Ok(())
        })
    }

    fn tell(&self, Scratch { nodes, swaps, left }: &mut Scratch, stream: &mut Stream, row: &mut [u32]) {
        for (i, swap) in swaps.iter_mut().enumerate() {
            *swap = i + stream.below((self.n_nodes - i) as u64) as usize;
            nodes.swap(i, *swap);
        }
        left.fill(self.hops);
        let per_chain = self.hops + 1;
        let n_edges = self.hops * self.n_chains;
        for edge in 0..n_edges {
            let mut ticket = stream.below((n_edges - edge) as u64) as usize;
            let mut chain = 0;
            while ticket >= left[chain] {
                ticket -= left[chain];
                chain += 1;
            }
            let node = chain * per_chain + self.hops - left[chain];
            left[chain] -= 1;
            row[2 * edge..2 * edge + 2].copy_from_slice(&nodes[node..node + 2]);
        }
        let asked = per_chain * stream.below(self.n_chains as u64) as usize;
        row[2 * n_edges] = nodes[asked];
        row[2 * n_edges + 1] = nodes[asked + self.hops];
        row[2 * n_edges + 2..].fill(END);
        for (i, &swap) in swaps.iter().enumerate().rev() {
            nodes.swap(i, swap);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    fn sampled(task: &TwoHop, n: usize, first: u64, threads: usize) -> Vec<u32> {
        let mut out = vec![0; n * task.length()];
        task.sample(&Seed::from_u64(3), first, &mut out, &Control::new(threads)).unwrap();
        out
    }

    #[test]
    fn value_stability() {
        let task = TwoHop::new(30, 2, 5, 24).unwrap();
        assert_eq!(sampled(&task, 1, 0, 1), PINNED);
        let all = sampled(&task, 1000, 0, 1);
        assert_eq!(sampled(&task, 1000, 0, 7), all);
        assert_eq!(sampled(&task, 300, 700, 2), all[700 * 24..]);
    }
    const PINNED: [u32; 24] = [13, 16, 28, 30, 23, 9, 27, 7, 7, 10, 16, 20, 30, 25, 9, 14, 32, 4, 4, 15, 32, 15, 3, 3];

    #[test]
    fn all_orders_are_equally_probable() {
        // Two chains of two edges: six orders.
        let task = TwoHop::new(6, 2, 2, 10).unwrap();
        let n = 60_000;
        let mut orders: HashMap<Vec<bool>, u32> = HashMap::new();
        for row in sampled(&task, n, 0, 1).chunks(10) {
            let edges: Vec<[u32; 2]> = row[..8].as_chunks().0.to_vec();
            let bridge = edges.iter().find(|edge| edge[0] == row[8]).unwrap()[1];
            let asked: Vec<bool> = edges.iter().map(|edge| edge[0] == row[8] || edge[0] == bridge).collect();
            assert!(edges.contains(&[bridge, row[9]]) && asked.iter().filter(|&&asked| asked).count() == 2);
            *orders.entry(asked).or_default() += 1;
        }
        assert_eq!(orders.len(), 6);
        // chi-squared(5): 99.9999 % below 36
        let chi2: f64 = orders.values().map(|&count| (f64::from(count) - 1e4).powi(2) / 1e4).sum();
        assert!(chi2 < 36.0, "{orders:?}");
    }

    #[test]
    fn what_is_out_of_range_is_named() {
        let error =
            |n_nodes, hops, n_chains, length| TwoHop::new(n_nodes, hops, n_chains, length).unwrap_err().to_string();
        assert_eq!(error(30, 0, 5, 24), "hops must be at least 1, got 0");
        assert!(error(14, 2, 5, 24).starts_with("n_nodes must be from n_chains (hops + 1) = 15 to"));
        assert_eq!(error(30, 2, 5, 21), "length must be at least 2 hops n_chains + 2 = 22, got 21");
        assert!(error(30, usize::MAX, 5, 21).starts_with("n_nodes must be"));
    }
}
