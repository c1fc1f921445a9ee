//! Random instances like those of ProsQA.
//!
//! Nodes 0 and 1 are the roots. Each further node draws a Poisson number of parents: from the nodes that descend from
//! root 0 alone, or from root 1 alone, or from all nodes there are; deep ones are the likelier parents. Nodes that are left
//! without any edge are dropped. The root of the question is the one whose deepest sink of its own lies deeper, the target
//! one of these sinks, and the other candidate a sink of the other root: it cannot be reached, for it descends from that
//! root alone. The numbers of [`Law::default`] were fitted to the published sets.

use super::graphs::{MOST_NODES, Question};
use crate::error::{Result, invalid};
use crate::random::{Seed, Stream};
use crate::run::{Control, map_items};

/// Instances that are handed to a thread at once.
const BLOCK: usize = 16;

/// Graphs drawn for one instance before the law counts as one that gives none.
const MOST_TRIES: u32 = 1000;

/// The law that graphs are drawn from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Law {
    /// Nodes before those without edges are dropped.
    pub n_nodes: usize,
    /// Mean number of parents of a node.
    pub n_parents: f64,
    /// The probability that a node draws its parents from the descendants of root 0 alone, and of root 1 alone.
    pub shares: [f64; 2],
    /// A node at depth d is drawn as a parent with weight 1 + `depth_weight` d.
    pub depth_weight: f64,
    /// The distance of the target from the root, at least.
    pub min_depth: u32,
}

impl Default for Law {
    fn default() -> Self {
        Self { n_nodes: 28, n_parents: 1.5, shares: [0.36, 0.46], depth_weight: 1.5, min_depth: 3 }
    }
}

impl Law {
    fn check(&self) -> Result<()> {
        if !(3..=MOST_NODES).contains(&self.n_nodes) {
            return Err(invalid("n_nodes", &[], self.n_nodes, format!("be from 3 to {MOST_NODES}")));
        }
        if !(self.n_parents > 0.0 && self.n_parents <= 100.0) {
            return Err(invalid("n_parents", &[], self.n_parents, "be above 0 and at most 100"));
        }
        for (i, &share) in self.shares.iter().enumerate() {
            if !(0.0..=1.0).contains(&share) {
                return Err(invalid("shares", &[i], share, "be from 0 to 1"));
            }
        }
        if self.shares[0] + self.shares[1] > 1.0 + 1e-12 {
            return Err(invalid("shares", &[], self.shares[0] + self.shares[1], "not add up to more than 1"));
        }
        if !(self.depth_weight >= 0.0 && self.depth_weight <= 1e6) {
            return Err(invalid("depth_weight", &[], self.depth_weight, "be from 0 to 1e6"));
        }
        if self.min_depth == 0 {
            return Err(invalid("min_depth", &[], 0, "be at least 1"));
        }
        Ok(())
    }
}

/// An instance that was drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drawn {
    /// Edges, each from a node to one of a larger number.
    pub edges: Vec<[u32; 2]>,
    /// What is asked.
    pub question: Question,
    /// For each node a number of its own below [`n_names`]: what it may be called.
    pub names: Vec<u32>,
}

/// How many names there are for the instances of a law.
pub fn n_names(n_nodes: usize) -> usize {
    n_nodes.max(64)
}

/// Instances `first..first + n`; instance i draws from stream i of `seed`. About 20 microseconds each.
///
/// # Errors
/// Numbers out of range; a law that gave none of the wanted depth in 1000 graphs;
/// [`Error::Interrupted`](crate::Error::Interrupted).
pub fn generate(law: &Law, n: usize, seed: &Seed, first: u64, control: &Control) -> Result<Vec<Drawn>> {
    law.check()?;
    let drawn = map_items(n, BLOCK, control, Vec::new, |names: &mut Vec<u32>, item| {
        let mut stream = seed.stream(first.wrapping_add(item as u64));
        for _ in 0..MOST_TRIES {
            control.check()?;
            if let Some(mut drawn) = Sketch::draw(law, &mut stream, control)?.instance(law, &mut stream) {
                drawn.names = distinct(drawn.names.len(), n_names(law.n_nodes), names, &mut stream);
                return Ok(Some(drawn));
            }
        }
        Ok(None)
    })?;
    let found = drawn.into_iter().collect::<Option<Vec<_>>>();
    let rule = format!("be a depth that graphs of this law have: none of {MOST_TRIES} did");
    found.ok_or_else(|| invalid("min_depth", &[], law.min_depth, rule))
}

/// A graph before its question is chosen.
struct Sketch {
    edges: Vec<[u32; 2]>,
    /// From which of the roots a node descends: 1 for root 0, 2 for root 1, 3 for both.
    origin: Vec<u8>,
    /// The distance from the nearest ancestor without parents.
    depth: Vec<u32>,
}

impl Sketch {
    fn draw(law: &Law, stream: &mut Stream, control: &Control) -> Result<Self> {
        let mut sketch = Self { edges: Vec::new(), origin: vec![1, 2], depth: vec![0, 0] };
        let mut pool = Vec::new();
        for node in 2..law.n_nodes {
            if node % 64 == 0 {
                control.check()?;
            }
            let share = stream.uniform();
            let only = if share < law.shares[0] {
                Some(1)
            } else if share < law.shares[0] + law.shares[1] {
                Some(2)
            } else {
                None
            };
            let n_parents = poisson(law.n_parents, stream);
            pool.clear();
            pool.extend((0..node as u32).filter(|&v| only.is_none_or(|only| sketch.origin[v as usize] == only)));
            let (mut origin, mut depth) = (0, u32::MAX);
            for _ in 0..n_parents.min(pool.len()) {
                let weight = |&v: &u32| 1.0 + law.depth_weight * f64::from(sketch.depth[v as usize]);
                let parent = pool.swap_remove(weighted(&pool, weight, stream));
                sketch.edges.push([parent, node as u32]);
                origin |= sketch.origin[parent as usize];
                depth = depth.min(sketch.depth[parent as usize]);
            }
            sketch.origin.push(origin);
            sketch.depth.push(if depth == u32::MAX { 0 } else { depth + 1 });
        }
        Ok(sketch)
    }

    /// The question, if one can be asked that is deep enough, and the graph without the nodes that have no edge.
    fn instance(self, law: &Law, stream: &mut Stream) -> Option<Drawn> {
        let n = self.origin.len();
        let (mut is_sink, mut has_edge) = (vec![true; n], vec![false; n]);
        for edge in &self.edges {
            is_sink[edge[0] as usize] = false;
            for &node in edge {
                has_edge[node as usize] = true;
            }
        }
        let sinks = |root: u8| (2..n).filter(|&v| is_sink[v] && self.origin[v] == root + 1).collect::<Vec<_>>();
        let sinks = [sinks(0), sinks(1)];
        let from = [0, 1].map(|root| self.distances(root));
        let deepest = [0, 1].map(|root: usize| sinks[root].iter().map(|&v| from[root][v]).max());
        let root = match deepest[0].cmp(&deepest[1]) {
            std::cmp::Ordering::Greater => 0,
            std::cmp::Ordering::Less => 1,
            std::cmp::Ordering::Equal => stream.below(2) as usize,
        };
        let depth = deepest[root].filter(|&depth| depth >= law.min_depth)?;
        let deep: Vec<usize> = sinks[root].iter().copied().filter(|&v| from[root][v] == depth).collect();
        let target = deep[stream.below(deep.len() as u64) as usize];
        let others = &sinks[1 - root];
        let neg_target = *others.get(stream.below(others.len() as u64) as usize)?;
        let mut number = vec![0; n];
        let mut kept = 0;
        for v in (0..n).filter(|&v| has_edge[v]) {
            number[v] = kept;
            kept += 1;
        }
        let [root, target, neg_target] = [root, target, neg_target].map(|v| number[v]);
        Some(Drawn {
            edges: self.edges.iter().map(|edge| edge.map(|v| number[v as usize])).collect(),
            question: Question { root, target, neg_target },
            names: vec![0; kept as usize],
        })
    }

    /// The distances of all nodes from one of the roots; the largest number where they do not descend from it.
    fn distances(&self, root: u32) -> Vec<u32> {
        let mut distance = vec![u32::MAX; self.origin.len()];
        distance[root as usize] = 0;
        // Edges stand in the order of the nodes they lead to, all after those they come from.
        for &[tail, head] in &self.edges {
            let through = distance[tail as usize].saturating_add(1);
            distance[head as usize] = distance[head as usize].min(through);
        }
        distance
    }
}

/// A Poisson number, from one draw: the cumulative probabilities are added up.
fn poisson(mean: f64, stream: &mut Stream) -> usize {
    let u = stream.uniform();
    let mut p = libm::exp(-mean);
    let (mut sum, mut k) = (p, 0);
    // Beyond the mean plus 40 times its root nothing is left that a double could tell.
    let most = (mean + 40.0 * mean.sqrt() + 40.0) as usize;
    while u >= sum && k < most {
        k += 1;
        p *= mean / k as f64;
        sum += p;
    }
    k
}

/// A place of `pool`, drawn with these weights.
fn weighted(pool: &[u32], weight: impl Fn(&u32) -> f64, stream: &mut Stream) -> usize {
    let sum: f64 = pool.iter().map(&weight).sum();
    let mut left = stream.uniform() * sum;
    for (place, node) in pool.iter().enumerate() {
        left -= weight(node);
        if left < 0.0 {
            return place;
        }
    }
    pool.len() - 1
}

/// `n` different numbers below `below`, in random order.
fn distinct(n: usize, below: usize, scratch: &mut Vec<u32>, stream: &mut Stream) -> Vec<u32> {
    scratch.clear();
    scratch.extend(0..below as u32);
    for i in 0..n {
        let other = i + stream.below((below - i) as u64) as usize;
        scratch.swap(i, other);
    }
    scratch[..n].to_vec()
}

#[cfg(test)]
mod tests {
    use super::super::exact::{distances, order};
    use super::super::graphs::Graphs;
    use super::*;

    fn graphs(drawn: &[Drawn]) -> Graphs {
        let edges: Vec<[i64; 3]> = drawn
            .iter()
            .enumerate()
            .flat_map(|(i, drawn)| drawn.edges.iter().map(move |edge| [i as i64, edge[0].into(), edge[1].into()]))
            .collect();
        let column = |of: fn(&Question) -> u32| drawn.iter().map(|one| of(&one.question).into()).collect::<Vec<i64>>();
        let questions = [column(|q| q.root), column(|q| q.target), column(|q| q.neg_target)];
        Graphs::new(&edges, None, questions.each_ref().map(Vec::as_slice), None).unwrap()
    }

    #[test]
    fn instances_are_what_they_should_be() {
        let law = Law::default();
        let drawn = generate(&law, 300, &Seed::from_u64(1), 0, &Control::new(2)).unwrap();
        let graphs = graphs(&drawn);
        for (graph, drawn) in graphs.iter().zip(&drawn) {
            assert!(drawn.edges.iter().all(|edge| edge[0] < edge[1]));
            let mut named = drawn.names.clone();
            named.sort_unstable();
            named.dedup();
            assert_eq!((named.len(), drawn.names.len()), (graph.n_nodes(), graph.n_nodes()));
            assert!(named.iter().all(|&name| (name as usize) < n_names(law.n_nodes)));
            let mut distance = vec![0; graph.n_nodes()];
            distances(&graph, &mut distance);
            assert!(distance[drawn.question.target as usize] >= law.min_depth.into());
            assert_eq!(distance[drawn.question.neg_target as usize], -1);
            assert!(graph.heads(drawn.question.target).is_empty() && graph.heads(drawn.question.neg_target).is_empty());
            assert!(order(&graph).1);
            let mut edges = drawn.edges.clone();
            edges.sort_unstable();
            edges.dedup();
            assert_eq!(edges.len(), drawn.edges.len());
        }
        let n = graphs.len() as f64;
        let (n_nodes, n_edges) =
            (graphs.iter().map(|graph| graph.n_nodes()), graphs.iter().map(|graph| graph.n_edges()));
        // Of the published sets: 22.8 nodes, standard deviation 2.0, and 36.0 edges, standard deviation 5.8.
        assert!((n_nodes.sum::<usize>() as f64 / n - 22.8).abs() < 0.5);
        assert!((n_edges.sum::<usize>() as f64 / n - 36.0).abs() < 1.3);
    }

    #[test]
    fn shards_are_parts_of_the_whole() {
        let law = Law { n_nodes: 12, min_depth: 2, ..Law::default() };
        let seed = Seed::from_u64(2);
        let whole = generate(&law, 40, &seed, 7, &Control::new(3)).unwrap();
        assert_eq!(whole[10..20], generate(&law, 10, &seed, 17, &Control::new(1)).unwrap());
        let sum: u64 =
            whole.iter().flat_map(|one| one.names.iter().chain(one.edges.as_flattened())).map(|&x| u64::from(x)).sum();
        assert_eq!(sum, PINNED);
    }
    const PINNED: u64 = 16_574;

    #[test]
    fn poisson_numbers_have_their_mean_and_variance() {
        let seed = Seed::from_u64(3);
        for mean in [0.3, 1.5, 20.0] {
            let n = 20_000;
            let drawn: Vec<f64> = (0..n).map(|i| poisson(mean, &mut seed.stream(i)) as f64).collect();
            let found = drawn.iter().sum::<f64>() / n as f64;
            let variance = drawn.iter().map(|x| (x - found) * (x - found)).sum::<f64>() / n as f64;
            assert!((found - mean).abs() < 5.0 * (mean / n as f64).sqrt());
            assert!((variance / mean - 1.0).abs() < 0.08);
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let error = |law: Law| generate(&law, 1, &Seed::from_u64(1), 0, &Control::default()).unwrap_err().to_string();
        let law = Law::default();
        assert_eq!(error(Law { n_nodes: 2, ..law }), "n_nodes must be from 3 to 16777216, got 2");
        assert_eq!(error(Law { n_parents: f64::NAN, ..law }), "n_parents must be above 0 and at most 100, got NaN");
        assert_eq!(error(Law { shares: [0.5, 1.5], ..law }), "shares[1] must be from 0 to 1, got 1.5");
        assert_eq!(error(Law { shares: [0.75, 0.5], ..law }), "shares must not add up to more than 1, got 1.25");
        assert_eq!(error(Law { depth_weight: -1.0, ..law }), "depth_weight must be from 0 to 1e6, got -1");
        assert_eq!(error(Law { min_depth: 0, ..law }), "min_depth must be at least 1, got 0");
        assert!(
            error(Law { min_depth: 27, ..law }).starts_with("min_depth must be a depth that graphs of this law have")
        );
    }
}
