//! Many small directed graphs side by side, each with a root and two candidates: the instances of a reachability task.

use crate::error::{Result, invalid};
use crate::memory::{room, zeros};

/// Nodes of a graph at most: larger numbers are mistakes more often than graphs.
pub const MOST_NODES: usize = 1 << 24;

/// Graphs at most.
const MOST_GRAPHS: usize = 1 << 31;

/// Directed graphs, whose out-edges are kept in the order in which they came.
#[derive(Debug, Clone, PartialEq)]
pub struct Graphs {
    /// Where the nodes of each graph begin, and end.
    nodes: Vec<usize>,
    /// Where the out-edges of each node begin, and end.
    edges: Vec<usize>,
    /// Where each edge leads, as a number within its graph.
    heads: Vec<u32>,
    /// The probability of each edge among those of its node; empty where all are alike.
    probabilities: Vec<f64>,
    questions: Vec<Question>,
}

/// What is asked about a graph: which of two nodes can be reached from the root?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question {
    /// Where a walk begins.
    pub root: u32,
    /// The candidate that is right.
    pub target: u32,
    /// The candidate that is wrong.
    pub neg_target: u32,
}

impl Question {
    /// The candidates in ascending order: their places say nothing about which is right.
    #[inline]
    pub fn candidates(&self) -> [u32; 2] {
        [self.target.min(self.neg_target), self.target.max(self.neg_target)]
    }
}

/// One of the graphs.
#[derive(Debug, Clone, Copy)]
pub struct Graph<'a> {
    /// Where the out-edges of each of its nodes begin, and end.
    edges: &'a [usize],
    heads: &'a [u32],
    probabilities: &'a [f64],
    /// What is asked about it.
    pub question: Question,
}

impl<'a> Graph<'a> {
    /// How many nodes it has.
    pub fn n_nodes(&self) -> usize {
        self.edges.len() - 1
    }

    /// How many edges it has.
    pub fn n_edges(&self) -> usize {
        self.edges[self.n_nodes()] - self.edges[0]
    }

    /// Where the out-edges of `node` lead.
    #[inline]
    pub fn heads(&self, node: u32) -> &'a [u32] {
        &self.heads[self.edges[node as usize]..self.edges[node as usize + 1]]
    }

    /// The probabilities of the out-edges of `node`; none where all are equally probable.
    #[inline]
    pub fn probabilities(&self, node: u32) -> &'a [f64] {
        if self.probabilities.is_empty() {
            return &[];
        }
        &self.probabilities[self.edges[node as usize]..self.edges[node as usize + 1]]
    }

    /// Where the out-edges of `node` lead, each with its probability.
    pub fn steps(&self, node: u32) -> impl Iterator<Item = (u32, f64)> + use<'a> {
        let (heads, probabilities) = (self.heads(node), self.probabilities(node));
        let alike = 1.0 / heads.len() as f64;
        heads.iter().enumerate().map(move |(i, &head)| (head, probabilities.get(i).copied().unwrap_or(alike)))
    }
}

impl Graphs {
    /// Graphs with the given `edges`: the number of the graph, and the nodes it leads from and to. Node numbers of each
    /// graph begin at 0. Without `n_nodes` a graph has the nodes that are named. `weights` are those of the edges.
    ///
    /// # Errors
    /// Numbers out of range, a root that is a candidate, candidates that are one, weights that are not positive.
    pub fn new(
        edges: &[[i64; 3]],
        weights: Option<&[f64]>,
        [root, target, neg_target]: [&[i64]; 3],
        n_nodes: Option<&[i64]>,
    ) -> Result<Self> {
        let n = root.len();
        if n == 0 {
            return Err(invalid("root", &[], "", "have at least one entry"));
        }
        if n > MOST_GRAPHS {
            return Err(invalid("root", &[], n, format!("have at most {MOST_GRAPHS} entries")));
        }
        for (name, length) in [
            ("target", Some(target.len())),
            ("neg_target", Some(neg_target.len())),
            ("n_nodes", n_nodes.map(<[_]>::len)),
        ] {
            if let Some(length) = length.filter(|&length| length != n) {
                return Err(invalid(
                    name,
                    &[],
                    format!("{length} entries"),
                    format!("have one entry for each root, {n}"),
                ));
            }
        }
        weights.map_or(Ok(()), |weights| check_weights(weights, edges.len()))?;
        let sizes = sizes(edges, [root, target, neg_target], n_nodes)?;
        let questions = questions([root, target, neg_target])?;
        let mut nodes = room(n + 1)?;
        nodes.push(0);
        for size in sizes {
            nodes.push(nodes[nodes.len() - 1] + size);
        }
        let tail = |edge: &[i64; 3]| nodes[edge[0] as usize] + edge[1] as usize;
        let mut first = zeros(nodes[n] + 1)?;
        for edge in edges {
            first[tail(edge) + 1] += 1;
        }
        for node in 0..nodes[n] {
            first[node + 1] += first[node];
        }
        let mut place: Vec<usize> = room(nodes[n])?;
        place.extend_from_slice(&first[..nodes[n]]);
        let mut heads = zeros(edges.len())?;
        let mut probabilities = zeros(if weights.is_some() { edges.len() } else { 0 })?;
        for (i, edge) in edges.iter().enumerate() {
            let at = &mut place[tail(edge)];
            heads[*at] = edge[2] as u32;
            if let Some(weights) = weights {
                probabilities[*at] = weights[i];
            }
            *at += 1;
        }
        if weights.is_some() {
            first.windows(2).for_each(|edges| normalise(&mut probabilities[edges[0]..edges[1]]));
        }
        Ok(Self { nodes, edges: first, heads, probabilities, questions })
    }

    /// How many graphs there are.
    pub fn len(&self) -> usize {
        self.questions.len()
    }

    /// Never: there is at least one.
    pub fn is_empty(&self) -> bool {
        self.questions.is_empty()
    }

    /// Graph number `graph`.
    #[inline]
    pub fn get(&self, graph: usize) -> Graph<'_> {
        Graph {
            edges: &self.edges[self.nodes[graph]..=self.nodes[graph + 1]],
            heads: &self.heads,
            probabilities: &self.probabilities,
            question: self.questions[graph],
        }
    }

    /// All graphs, one after the other.
    pub fn iter(&self) -> impl Iterator<Item = Graph<'_>> {
        (0..self.len()).map(|graph| self.get(graph))
    }

    /// Where the nodes of each graph begin in a list of the nodes of all, and where the last end.
    pub fn first_nodes(&self) -> &[usize] {
        &self.nodes
    }

    /// The nodes of the largest graph.
    pub fn most_nodes(&self) -> usize {
        self.nodes.windows(2).map(|ends| ends[1] - ends[0]).max().unwrap_or(0)
    }

    /// Whether edges have weights.
    pub fn is_weighted(&self) -> bool {
        !self.probabilities.is_empty()
    }
}

/// How many nodes each graph has.
fn sizes(edges: &[[i64; 3]], questions: [&[i64]; 3], n_nodes: Option<&[i64]>) -> Result<Vec<usize>> {
    let n = questions[0].len();
    let mut sizes: Vec<usize> = zeros(n)?;
    if let Some(n_nodes) = n_nodes {
        for (graph, &size) in n_nodes.iter().enumerate() {
            if !(1..=MOST_NODES as i64).contains(&size) {
                return Err(invalid("n_nodes", &[graph], size, format!("be from 1 to {MOST_NODES}")));
            }
            sizes[graph] = size as usize;
        }
    }
    let mut seen = |graph: usize, node: i64, name: &str, index: &[usize]| {
        let most = if n_nodes.is_some() { sizes[graph] } else { MOST_NODES };
        if !(0..most as i64).contains(&node) {
            let whose = if n_nodes.is_some() { format!(": graph {graph} has {most} nodes") } else { String::new() };
            return Err(invalid(name, index, node, format!("be from 0 to {}{whose}", most as i64 - 1)));
        }
        sizes[graph] = sizes[graph].max(node as usize + 1);
        Ok(())
    };
    for (i, edge) in edges.iter().enumerate() {
        if !(0..n as i64).contains(&edge[0]) {
            return Err(invalid("edges", &[i, 0], edge[0], format!("be from 0 to {}, a number of a graph", n - 1)));
        }
        for column in [1, 2] {
            seen(edge[0] as usize, edge[column], "edges", &[i, column])?;
        }
    }
    for (name, nodes) in ["root", "target", "neg_target"].into_iter().zip(questions) {
        for (graph, &node) in nodes.iter().enumerate() {
            seen(graph, node, name, &[graph])?;
        }
    }
    Ok(sizes)
}

/// The questions, which ask for three nodes each.
fn questions([root, target, neg_target]: [&[i64]; 3]) -> Result<Vec<Question>> {
    let mut questions = room(root.len())?;
    for i in 0..root.len() {
        for (name, node) in [("target", target[i]), ("neg_target", neg_target[i])] {
            if node == root[i] {
                return Err(invalid(name, &[i], node, "be another node than the root"));
            }
        }
        if target[i] == neg_target[i] {
            return Err(invalid("neg_target", &[i], neg_target[i], "be another node than the target"));
        }
        questions.push(Question { root: root[i] as u32, target: target[i] as u32, neg_target: neg_target[i] as u32 });
    }
    Ok(questions)
}

fn check_weights(weights: &[f64], n_edges: usize) -> Result<()> {
    if weights.len() != n_edges {
        let got = format!("{} entries", weights.len());
        return Err(invalid("weights", &[], got, format!("have one entry for each edge, {n_edges}")));
    }
    match weights.iter().position(|&weight| !(weight > 0.0 && weight.is_finite())) {
        Some(i) => Err(invalid("weights", &[i], weights[i], "be positive and finite")),
        None => Ok(()),
    }
}

/// Weights as probabilities; those of any finite size, whose sum may not be.
fn normalise(weights: &mut [f64]) {
    let largest = weights.iter().copied().fold(0.0, f64::max);
    let sum: f64 = weights.iter().map(|weight| weight / largest).sum();
    for weight in weights {
        *weight = *weight / largest / sum;
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// One graph of unweighted edges.
    pub fn graph(edges: &[[i64; 2]], root: i64, target: i64, neg_target: i64) -> Graphs {
        let edges: Vec<[i64; 3]> = edges.iter().map(|&[from, to]| [0, from, to]).collect();
        Graphs::new(&edges, None, [&[root], &[target], &[neg_target]], None).unwrap()
    }

    #[test]
    fn edges_keep_their_order_and_their_graph() {
        let edges = [[1, 0, 2], [0, 1, 0], [1, 0, 1], [0, 1, 3], [1, 3, 0]];
        let weights = [1.0, 2.0, 3.0, 6.0, 1e308];
        let graphs = Graphs::new(&edges, Some(&weights), [&[1, 0], &[0, 1], &[3, 2]], Some(&[4, 5])).unwrap();
        let (first, second) = (graphs.get(0), graphs.get(1));
        assert_eq!((first.n_nodes(), first.n_edges(), second.n_nodes(), second.n_edges()), (4, 2, 5, 3));
        assert_eq!((first.heads(1), first.heads(0), second.heads(0)), (&[0, 3][..], &[][..], &[2, 1][..]));
        assert_eq!((first.probabilities(1), second.probabilities(0)), (&[0.25, 0.75][..], &[0.25, 0.75][..]));
        assert_eq!(second.probabilities(3), [1.0]);
        assert_eq!((graphs.most_nodes(), graphs.first_nodes()), (5, &[0, 4, 9][..]));
        assert_eq!(second.question.candidates(), [1, 2]);
    }

    #[test]
    fn huge_weights_are_as_good_as_others() {
        let mut weights = [1e308, 1e308, 1e-308];
        normalise(&mut weights);
        assert_eq!(&weights[..2], &[0.5, 0.5]);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let error = |edges: &[[i64; 3]], root: i64, target: i64, neg_target: i64, n_nodes: Option<&[i64]>| {
            Graphs::new(edges, None, [&[root], &[target], &[neg_target]], n_nodes).unwrap_err().to_string()
        };
        assert_eq!(error(&[[1, 0, 1]], 0, 1, 2, None), "edges[0, 0] must be from 0 to 0, a number of a graph, got 1");
        assert_eq!(error(&[[0, 0, -1]], 0, 1, 2, None), "edges[0, 2] must be from 0 to 16777215, got -1");
        assert_eq!(
            error(&[[0, 0, 3]], 0, 1, 2, Some(&[3])),
            "edges[0, 2] must be from 0 to 2: graph 0 has 3 nodes, got 3"
        );
        assert_eq!(error(&[], 0, 1, 2, Some(&[2])), "neg_target[0] must be from 0 to 1: graph 0 has 2 nodes, got 2");
        assert_eq!(error(&[], 0, 1, 2, Some(&[0])), "n_nodes[0] must be from 1 to 16777216, got 0");
        assert_eq!(error(&[], 1, 1, 2, None), "target[0] must be another node than the root, got 1");
        assert_eq!(error(&[], 0, 1, 1, None), "neg_target[0] must be another node than the target, got 1");
        let weights = |weights: &[f64]| {
            Graphs::new(&[[0, 0, 1], [0, 0, 2]], Some(weights), [&[0], &[1], &[2]], None).unwrap_err().to_string()
        };
        assert_eq!(weights(&[1.0, 0.0]), "weights[1] must be positive and finite, got 0");
        assert_eq!(weights(&[1.0]), "weights must have one entry for each edge, 2, got 1 entries");
    }
}
