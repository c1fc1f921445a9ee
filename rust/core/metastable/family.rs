//! Chains of dense clusters joined by sparse edges.
//!
//! State `k M + i` is state i of cluster k. The first `n_sources` states of a cluster are its sources: their rows are
//! (1 - epsilon) times the row within the cluster, and epsilon shared equally by the edges to the entry states of the
//! clusters that theirs leads to. No other row leaves its cluster.

use super::meta_graph::{MetaGraph, begins};
use crate::chains::MarkovChain;
use crate::error::{Result, invalid};
use crate::machine::huge_vec;
use crate::random::{Seed, Stream};
use crate::run::Control;

/// The least epsilon: its shares are still normal numbers.
const LEAST: f64 = 1e-300;

/// The transitions within a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Within {
    /// From each state to all states of the cluster, itself included, with equal probabilities.
    Uniform,
    /// From each state to itself, to the next on a random cycle through the cluster, and along `degree - 2` random
    /// permutations, 1 / `degree` each: the stationary law is uniform.
    Regular {
        /// Transitions of a row; equal ones are one, with a multiple of the probability.
        degree: usize,
    },
    /// From each state to all states of the cluster with weights drawn uniformly from (0, 1].
    Random,
}

/// Which states of a cluster are entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entries<'a> {
    /// The first that are no sources.
    Distinct,
    /// The first sources.
    Sources,
    /// States drawn uniformly, without replacement.
    Random,
    /// These, `n_targets` different numbers from 0 to M - 1 for each cluster.
    Given(&'a [u32]),
}

/// Which chain.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spec<'a> {
    /// K.
    pub n_clusters: usize,
    /// States of a cluster, M.
    pub cluster_size: usize,
    /// Probability with which a source leaves its cluster.
    pub epsilon: f64,
    /// Sources of a cluster.
    pub n_sources: usize,
    /// Entry states of a cluster, to each of which each source of a cluster before it has an edge.
    pub n_targets: usize,
    /// Which clusters lead to which.
    pub meta_graph: MetaGraph<'a>,
    /// Transitions within a cluster.
    pub within: Within,
    /// Entry states.
    pub entries: Entries<'a>,
    /// Each edge is labelled with one of so many actions; 0 for none.
    pub n_actions: u32,
}

/// A chain of the family, and how it was made.
#[derive(Debug)]
pub struct Family {
    /// The chain.
    pub chain: MarkovChain,
    /// The pairs of clusters of which one leads to the other, ascending.
    pub meta_edges: Vec<[u32; 2]>,
    /// The entry states, `n_targets` for each cluster.
    pub entries: Vec<u32>,
    /// Source and target of each transition between clusters, ascending.
    pub sparse_edges: Vec<[u32; 2]>,
    /// For each of them a number below `n_actions`; empty without.
    pub actions: Vec<u32>,
}

impl Spec<'_> {
    fn check(&self) -> Result<()> {
        let Self { n_clusters, cluster_size, epsilon, n_sources, n_targets, .. } = *self;
        if n_clusters < 2 {
            return Err(invalid("n_clusters", &[], n_clusters, "be at least 2"));
        }
        if cluster_size < 1 {
            return Err(invalid("cluster_size", &[], cluster_size, "be at least 1"));
        }
        if n_clusters.checked_mul(cluster_size).is_none_or(|n_states| n_states > u32::MAX as usize) {
            let rule = format!("be such that there are less than 2^32 states in {n_clusters} clusters");
            return Err(invalid("cluster_size", &[], cluster_size, rule));
        }
        if !(LEAST..=1.0).contains(&epsilon) {
            return Err(invalid("epsilon", &[], epsilon, "be from 1e-300 to 1"));
        }
        for (name, value) in [("n_sources", n_sources), ("n_targets", n_targets)] {
            if value < 1 || value > cluster_size {
                let rule = format!("be at least 1 and at most cluster_size = {cluster_size}");
                return Err(invalid(name, &[], value, rule));
            }
        }
        if let Within::Regular { degree } = self.within
            && degree < 2
        {
            return Err(invalid("cluster_degree", &[], degree, "be at least 2"));
        }
        match self.entries {
            Entries::Distinct if n_sources + n_targets > cluster_size => {
                let rule = format!(
                    "be at most cluster_size - n_sources = {} where entries are distinct from sources",
                    cluster_size - n_sources
                );
                Err(invalid("n_targets", &[], n_targets, rule))
            }
            Entries::Sources if n_targets > n_sources => {
                let rule = format!("be at most n_sources = {n_sources} where entries are sources");
                Err(invalid("n_targets", &[], n_targets, rule))
            }
            Entries::Given(given) if given.len() != n_clusters * n_targets => {
                let rule = format!("have {n_targets} states for each of the {n_clusters} clusters");
                Err(invalid("entries", &[], given.len(), rule))
            }
            _ => Ok(()),
        }
    }

    /// Transitions of the rows within clusters, all together.
    fn n_within(&self) -> usize {
        let degree = if let Within::Regular { degree } = self.within { degree } else { self.cluster_size };
        (self.n_clusters * self.cluster_size).saturating_mul(degree)
    }
}

/// Makes a chain. Cost: O(transitions), on one thread.
///
/// The graph of the clusters, the transitions within them, the entries and the actions draw from children 0 to 3 of
/// `seed`, cluster k from stream k of the child: none depends on what the others draw.
///
/// # Errors
/// An argument out of range; [`Error::Memory`](crate::Error::Memory); [`Error::Interrupted`](crate::Error::Interrupted).
pub fn metastable_chain(spec: &Spec<'_>, seed: &Seed, control: &Control) -> Result<Family> {
    spec.check()?;
    let meta_edges = spec.meta_graph.edges(spec.n_clusters, &seed.child(0), control)?;
    let entries = entries(spec, &seed.child(2))?;
    // In the order in which they stand in the row of a source.
    let mut entered = entries.clone();
    entered.chunks_mut(spec.n_targets).for_each(<[u32]>::sort_unstable);
    let begins = begins(&meta_edges, spec.n_clusters);
    let n_sparse = meta_edges.len().saturating_mul(spec.n_sources * spec.n_targets);
    let capacity = spec.n_within().saturating_add(n_sparse);
    let mut rows = Rows {
        indptr: huge_vec(spec.n_clusters * spec.cluster_size + 1)?,
        targets: huge_vec(capacity)?,
        values: huge_vec(capacity)?,
    };
    rows.indptr.push(0);
    let mut sparse_edges = huge_vec(n_sparse)?;
    let mut actions = huge_vec(if spec.n_actions > 0 { n_sparse } else { 0 })?;
    let (within, action) = (seed.child(1), seed.child(3));
    for k in 0..spec.n_clusters {
        let others = &meta_edges[begins[k]..begins[k + 1]];
        let mut cluster = Cluster::new(spec, within.stream(k as u64));
        let mut action = action.stream(k as u64);
        for i in 0..spec.cluster_size {
            control.check()?;
            let state = (k * spec.cluster_size + i) as u32;
            let begin = rows.targets.len();
            cluster.row(spec, i, state - i as u32, &mut rows);
            if i < spec.n_sources && !others.is_empty() {
                rows.values[begin..].iter_mut().for_each(|value| *value *= 1.0 - spec.epsilon);
                let share = spec.epsilon / (others.len() * spec.n_targets) as f64;
                for &[_, to] in others {
                    let first = to as usize * spec.n_targets;
                    for &entry in &entered[first..first + spec.n_targets] {
                        rows.targets.push(entry);
                        rows.values.push(share);
                        sparse_edges.push([state, entry]);
                        if spec.n_actions > 0 {
                            actions.push(action.below(u64::from(spec.n_actions)) as u32);
                        }
                    }
                }
            }
            rows.indptr.push(rows.targets.len() as i64);
        }
    }
    let Rows { indptr, targets, values } = rows;
    let chain = MarkovChain::from_owned_csr(&indptr, targets, values, control)?;
    Ok(Family { chain, meta_edges, entries, sparse_edges, actions })
}

/// Rows as they grow.
struct Rows {
    indptr: Vec<i64>,
    targets: Vec<u32>,
    values: Vec<f64>,
}

/// What is drawn for the rows within one cluster, which are asked for one after another.
#[derive(Debug)]
struct Cluster {
    stream: Stream,
    /// For each permutation where it takes each state.
    permutations: Vec<u32>,
}

impl Cluster {
    fn new(spec: &Spec<'_>, mut stream: Stream) -> Self {
        let size = spec.cluster_size;
        let mut permutations = Vec::new();
        if let Within::Regular { degree } = spec.within {
            let order = shuffled(size, &mut stream);
            permutations.resize(size, 0);
            for (place, &state) in order.iter().enumerate() {
                permutations[state as usize] = order[(place + 1) % size];
            }
            for _ in 2..degree {
                permutations.extend(shuffled(size, &mut stream));
            }
        }
        Self { stream, permutations }
    }

    /// Adds the row of state i of the cluster that begins with state `first`.
    fn row(&mut self, spec: &Spec<'_>, i: usize, first: u32, rows: &mut Rows) {
        let size = spec.cluster_size;
        match spec.within {
            Within::Uniform => {
                rows.targets.extend(first..first + size as u32);
                rows.values.resize(rows.targets.len(), 1.0 / size as f64);
            }
            Within::Random => {
                let begin = rows.values.len();
                rows.targets.extend(first..first + size as u32);
                rows.values.extend((0..size).map(|_| 1.0 - self.stream.uniform()));
                let sum: f64 = rows.values[begin..].iter().sum();
                rows.values[begin..].iter_mut().for_each(|weight| *weight /= sum);
            }
            Within::Regular { degree } => {
                rows.targets.push(first + i as u32);
                rows.targets.extend(self.permutations.chunks(size).map(|permutation| first + permutation[i]));
                rows.values.resize(rows.targets.len(), 1.0 / degree as f64);
            }
        }
    }
}

/// The numbers below `n` in random order (Fisher and Yates).
fn shuffled(n: usize, stream: &mut Stream) -> Vec<u32> {
    let mut order: Vec<u32> = (0..n as u32).collect();
    for last in (1..n).rev() {
        order.swap(last, stream.below(last as u64 + 1) as usize);
    }
    order
}

/// The entry states of all clusters.
fn entries(spec: &Spec<'_>, seed: &Seed) -> Result<Vec<u32>> {
    let (size, n_targets) = (spec.cluster_size, spec.n_targets);
    let mut out: Vec<u32> = huge_vec(spec.n_clusters * n_targets)?;
    for k in 0..spec.n_clusters {
        let first = (k * size) as u32;
        match spec.entries {
            Entries::Distinct => out.extend((0..n_targets).map(|i| first + (spec.n_sources + i) as u32)),
            Entries::Sources => out.extend(first..first + n_targets as u32),
            Entries::Random => {
                let order = shuffled(size, &mut seed.stream(k as u64));
                out.extend(order[..n_targets].iter().map(|i| first + i));
            }
            Entries::Given(given) => {
                let given = &given[k * n_targets..(k + 1) * n_targets];
                for (index, &i) in given.iter().enumerate() {
                    if i as usize >= size {
                        return Err(invalid("entries", &[k, index], i, format!("be below cluster_size = {size}")));
                    }
                    if given[..index].contains(&i) {
                        return Err(invalid("entries", &[k, index], i, "differ from the other entries of its cluster"));
                    }
                    out.push(first + i);
                }
            }
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests;
