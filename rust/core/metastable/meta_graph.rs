//! Which clusters lead to which.

use crate::error::{Result, invalid};
use crate::random::{Seed, Stream};
use crate::run::Control;
use std::collections::HashSet;

/// Graphs that are drawn until one is good.
const TRIALS: u64 = 1000;

/// Clusters between two looks at the stop flag.
const CHECKED: usize = 4096;

/// The graph of the clusters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetaGraph<'a> {
    /// Each cluster leads to the next, the last to the first.
    Ring,
    /// Each cluster leads to the next and to the one before.
    Cycle,
    /// Each cluster leads to all others.
    Complete,
    /// Each cluster leads to `degree` others, drawn uniformly; drawn anew until the last cluster can be reached from all.
    Random {
        /// Clusters that each leads to.
        degree: usize,
    },
    /// These pairs of clusters.
    Edges(&'a [[u32; 2]]),
}

impl MetaGraph<'_> {
    /// The edges among `n_clusters` clusters, ascending. A random graph draws trial t from stream t of `seed`.
    ///
    /// # Errors
    /// A `degree` that is not below the number of clusters, or with which no graph is good; an edge that leads from a
    /// cluster to itself, or to none, or is there twice; [`Error::Interrupted`](crate::Error::Interrupted).
    pub fn edges(&self, n_clusters: usize, seed: &Seed, control: &Control) -> Result<Vec<[u32; 2]>> {
        let n = n_clusters as u32;
        let mut edges = match *self {
            Self::Ring => (0..n).map(|k| [k, (k + 1) % n]).collect(),
            // With two clusters the next is the one before.
            Self::Cycle if n == 2 => vec![[0, 1], [1, 0]],
            Self::Cycle => (0..n).flat_map(|k| [[k, (k + 1) % n], [k, (k + n - 1) % n]]).collect(),
            Self::Complete => {
                let mut edges = Vec::new();
                for k in 0..n {
                    control.check()?;
                    edges.extend((0..n).filter(|&l| l != k).map(|l| [k, l]));
                }
                edges
            }
            Self::Random { degree } => random(n_clusters, degree, seed, control)?,
            Self::Edges(edges) => edges.to_vec(),
        };
        edges.sort_unstable();
        if let Self::Edges(given) = *self {
            check(given, &edges, n)?;
        }
        Ok(edges)
    }
}

/// Refuses edges that are no graph of `n` clusters.
fn check(given: &[[u32; 2]], sorted: &[[u32; 2]], n: u32) -> Result<()> {
    for (index, &[from, to]) in given.iter().enumerate() {
        if from >= n || to >= n {
            let (side, cluster) = if from >= n { (0, from) } else { (1, to) };
            return Err(invalid(
                "meta_graph",
                &[index, side],
                cluster,
                format!("be below the number of clusters, {n}"),
            ));
        }
        if from == to {
            return Err(invalid("meta_graph", &[index], format!("{from} to {to}"), "lead from one cluster to another"));
        }
    }
    if let Some(twice) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        let [from, to] = twice[0];
        return Err(invalid("meta_graph", &[], format!("{from} to {to} twice"), "hold each edge once"));
    }
    Ok(())
}

fn random(n_clusters: usize, degree: usize, seed: &Seed, control: &Control) -> Result<Vec<[u32; 2]>> {
    if degree == 0 || degree >= n_clusters {
        let rule = format!("be at least 1 and below the number of clusters, {n_clusters}");
        return Err(invalid("degree", &[], degree, rule));
    }
    for trial in 0..TRIALS {
        let edges = draw(n_clusters, degree, &mut seed.stream(trial), control)?;
        if distances(&edges, n_clusters, n_clusters as u32 - 1).iter().all(|&distance| distance != FAR) {
            return Ok(edges);
        }
    }
    let rule = format!("be large enough that the last cluster is reached from all in one graph of {TRIALS}");
    Err(invalid("degree", &[], degree, rule))
}

/// For each cluster `degree` others, a subset drawn uniformly by the method of Floyd (Bentley and Floyd 1987).
fn draw(n_clusters: usize, degree: usize, stream: &mut Stream, control: &Control) -> Result<Vec<[u32; 2]>> {
    let mut edges = Vec::with_capacity(n_clusters * degree);
    let mut chosen = HashSet::with_capacity(degree);
    for from in 0..n_clusters {
        if from % CHECKED == 0 || degree > CHECKED {
            control.check()?;
        }
        chosen.clear();
        // One of the others, of which there is one less than there are clusters.
        for last in n_clusters - 1 - degree..n_clusters - 1 {
            let drawn = stream.below(last as u64 + 1) as usize;
            let other = if chosen.insert(drawn) { drawn } else { last };
            chosen.insert(other);
            edges.push([from as u32, (other + usize::from(other >= from)) as u32]);
        }
    }
    Ok(edges)
}

/// The distance of a cluster from which the target cannot be reached.
pub(super) const FAR: u32 = u32::MAX;

/// The number of edges from each cluster to `target`, or [`FAR`].
pub(super) fn distances(edges: &[[u32; 2]], n_clusters: usize, target: u32) -> Vec<u32> {
    let (begins, sources) = incoming(edges, n_clusters);
    let mut distance = vec![FAR; n_clusters];
    distance[target as usize] = 0;
    let mut queue = vec![target];
    let mut next = 0;
    while let Some(&cluster) = queue.get(next) {
        next += 1;
        for &source in &sources[begins[cluster as usize]..begins[cluster as usize + 1]] {
            if distance[source as usize] == FAR {
                distance[source as usize] = distance[cluster as usize] + 1;
                queue.push(source);
            }
        }
    }
    distance
}

/// For each cluster those that lead to it: where they begin, and their numbers.
pub(super) fn incoming(edges: &[[u32; 2]], n_clusters: usize) -> (Vec<usize>, Vec<u32>) {
    let mut begins = vec![0; n_clusters + 1];
    for &[_, to] in edges {
        begins[to as usize + 1] += 1;
    }
    for cluster in 0..n_clusters {
        begins[cluster + 1] += begins[cluster];
    }
    let (mut places, mut sources) = (begins.clone(), vec![0; edges.len()]);
    for &[from, to] in edges {
        sources[places[to as usize]] = from;
        places[to as usize] += 1;
    }
    (begins, sources)
}

/// Where the edges of each cluster begin among `edges`, which ascend; one more than there are clusters.
pub(super) fn begins(edges: &[[u32; 2]], n_clusters: usize) -> Vec<usize> {
    (0..=n_clusters as u32).map(|cluster| edges.partition_point(|&[from, _]| from < cluster)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edges(graph: MetaGraph<'_>, n: usize) -> Result<Vec<[u32; 2]>> {
        graph.edges(n, &Seed::from_u64(1), &Control::default())
    }

    #[test]
    fn named_graphs() {
        assert_eq!(edges(MetaGraph::Ring, 3).unwrap(), [[0, 1], [1, 2], [2, 0]]);
        assert_eq!(edges(MetaGraph::Cycle, 2).unwrap(), [[0, 1], [1, 0]]);
        assert_eq!(edges(MetaGraph::Cycle, 4).unwrap().len(), 8);
        assert_eq!(edges(MetaGraph::Complete, 3).unwrap(), edges(MetaGraph::Cycle, 3).unwrap());
    }

    #[test]
    fn random_graphs_have_distinct_uniform_neighbours_and_reach_the_last() {
        let mut counts = [0u32; 6];
        for seed in 0..2000 {
            let found = MetaGraph::Random { degree: 2 }.edges(6, &Seed::from_u64(seed), &Control::default()).unwrap();
            assert_eq!(found.len(), 12);
            assert!(found.windows(2).all(|pair| pair[0] < pair[1]) && found.iter().all(|&[from, to]| from != to));
            assert!(distances(&found, 6, 5).iter().all(|&distance| distance < 6));
            // Edges of the last cluster do not matter to whether it is reached.
            found.iter().filter(|edge| edge[0] == 5).for_each(|edge| counts[edge[1] as usize] += 1);
        }
        // 800 are expected, with a standard deviation of 22: five of them.
        assert!(counts[5] == 0 && counts[..5].iter().all(|count| count.abs_diff(800) < 110), "{counts:?}");
    }

    #[test]
    fn what_is_no_graph_is_named() {
        let message = |graph: MetaGraph<'_>| edges(graph, 4).unwrap_err().to_string();
        assert_eq!(
            message(MetaGraph::Random { degree: 4 }),
            "degree must be at least 1 and below the number of clusters, 4, got 4"
        );
        assert_eq!(
            message(MetaGraph::Edges(&[[0, 1], [1, 4]])),
            "meta_graph[1, 1] must be below the number of clusters, 4, got 4"
        );
        assert_eq!(
            message(MetaGraph::Edges(&[[2, 2]])),
            "meta_graph[0] must lead from one cluster to another, got 2 to 2"
        );
        assert_eq!(
            message(MetaGraph::Edges(&[[0, 1], [1, 2], [0, 1]])),
            "meta_graph must hold each edge once, got 0 to 1 twice"
        );
        assert!(edges(MetaGraph::Edges(&[]), 4).unwrap().is_empty());
    }
}
