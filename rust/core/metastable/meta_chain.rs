//! The chain of the clusters: how often a walk that has mixed within its cluster leaves it, and for which.

use crate::chains::connected::strong_components;
use crate::chains::elimination::Factors;
use crate::chains::system::System;
use crate::chains::{MarkovChain, Meaning};
use crate::error::{Error, Result, invalid};
use crate::run::{Control, map_items};

/// Roots that are tried for the stationary law of a cluster.
const ROOTS: usize = 4;

/// The meta-chain of `chain`, whose state s is in cluster `labels[s]`: entry (k, l) is
///
/// ```text
/// q(l | k) = sum over x in C_k of mu_k(x) sum over y in C_l of p(y | x),
/// ```
///
/// with `mu_k` the stationary law of the chain within cluster k, whose rows are those of `chain` without the transitions
/// out of the cluster, over their sum (Kim et al. 2025, section 2). All entries are sums of products of non-negative
/// numbers, and `mu_k` comes from elimination without subtractions: each is right to some 1e-15 relative.
///
/// Cost: O(transitions), and of a cluster of M states O(M^3) at most; clusters are shared out to threads.
///
/// # Errors
/// Labels that are not one for each state, a cluster without states, a state without transitions within its cluster, a
/// cluster that has more than one closed class by itself; [`Error::Memory`], [`Error::Interrupted`].
pub fn meta_chain(chain: &MarkovChain, labels: &[u32], n_clusters: usize, control: &Control) -> Result<MarkovChain> {
    let clusters = Clusters::new(chain, labels, n_clusters)?;
    // Of several clusters that are none the first is named, whichever is looked at first.
    let rows = map_items(
        n_clusters,
        1,
        control,
        || (),
        |(), k| match clusters.row(k, control) {
            Err(error @ Error::Invalid(_)) => Ok(Err(error)),
            row => row.map(Ok),
        },
    )?;
    let (mut indptr, mut targets, mut values) = (vec![0], Vec::new(), Vec::new());
    for row in rows {
        for (target, value) in row? {
            targets.push(target);
            values.push(value);
        }
        indptr.push(targets.len() as i64);
    }
    MarkovChain::from_csr(&indptr, &targets, Some(&values), Meaning::Probabilities, control)
}

/// The states of a chain by cluster.
struct Clusters<'a> {
    chain: &'a MarkovChain,
    labels: &'a [u32],
    /// Where each cluster begins among `states`.
    begins: Vec<usize>,
    states: Vec<u32>,
    /// The number of each state within its cluster.
    numbers: Vec<u32>,
}

impl<'a> Clusters<'a> {
    fn new(chain: &'a MarkovChain, labels: &'a [u32], n_clusters: usize) -> Result<Self> {
        if labels.len() != chain.n_states() {
            let rule = format!("have one label for each of the {} states", chain.n_states());
            return Err(invalid("labels", &[], labels.len(), rule));
        }
        let mut begins = vec![0; n_clusters + 1];
        for (state, &label) in labels.iter().enumerate() {
            if label as usize >= n_clusters {
                return Err(invalid(
                    "labels",
                    &[state],
                    label,
                    format!("be below the number of clusters, {n_clusters}"),
                ));
            }
            begins[label as usize + 1] += 1;
        }
        if let Some(k) = (0..n_clusters).find(|&k| begins[k + 1] == 0) {
            return Err(invalid("labels", &[], format!("none equal to {k}"), "name each cluster from 0 on"));
        }
        for k in 0..n_clusters {
            begins[k + 1] += begins[k];
        }
        let (mut places, mut states) = (begins.clone(), vec![0; labels.len()]);
        let mut numbers = vec![0; labels.len()];
        for (state, &label) in labels.iter().enumerate() {
            let place = &mut places[label as usize];
            states[*place] = state as u32;
            numbers[state] = (*place - begins[label as usize]) as u32;
            *place += 1;
        }
        Ok(Self { chain, labels, begins, states, numbers })
    }

    /// The row of cluster k, its targets ascending.
    fn row(&self, k: usize, control: &Control) -> Result<Vec<(u32, f64)>> {
        let law = self.law(k, control)?;
        let states = &self.states[self.begins[k]..self.begins[k + 1]];
        let mut flows: Vec<(u32, f64)> = Vec::new();
        for (&state, &weight) in states.iter().zip(&law) {
            if weight > 0.0 {
                let row = self.chain.row(state);
                flows.extend(row.iter().map(|(target, p)| (self.labels[target as usize], weight * p)));
            }
        }
        flows.sort_by_key(|&(label, _)| label);
        flows.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            kept.1 += if same { next.1 } else { 0.0 };
            same
        });
        Ok(flows)
    }

    /// The stationary law of cluster k by itself, in the order of its states.
    fn law(&self, k: usize, control: &Control) -> Result<Vec<f64>> {
        let rows = self.rows(k, control)?;
        let class = strong_components(&rows.indptr, &rows.targets, control)?;
        let mut root = rows.closed_class(&class).ok_or_else(|| {
            invalid("labels", &[], format!("several closed classes in {k}"), "name clusters that have one each")
        })?;
        let members: Vec<u32> =
            (0..class.len() as u32).filter(|&s| class[s as usize] == class[root as usize]).collect();
        for _ in 0..ROOTS {
            let mut law = rows.visits(&members, root, control)?;
            let sum: f64 = law.iter().sum();
            if sum.is_finite() {
                for weight in &mut law {
                    *weight /= sum;
                }
                return Ok(law);
            }
            // A state that is visited too often for a number between two visits of the root is a better root.
            root = law.iter().position(|weight| !weight.is_finite()).map_or(root, |often| often as u32);
        }
        Err(invalid("labels", &[], format!("parts of {k} 1e300 times as seldom as others"), "name clusters that mix"))
    }

    /// The transitions within cluster k, each over the sum of its row.
    fn rows(&self, k: usize, control: &Control) -> Result<Rows> {
        let mut rows = Rows { indptr: vec![0], targets: Vec::new(), values: Vec::new() };
        for &state in &self.states[self.begins[k]..self.begins[k + 1]] {
            control.check()?;
            let begin = rows.targets.len();
            for (target, p) in self.chain.row(state).iter() {
                if self.labels[target as usize] == k as u32 {
                    rows.targets.push(self.numbers[target as usize]);
                    rows.values.push(p);
                }
            }
            if rows.targets.len() == begin {
                let rule = format!("be such that each state has transitions within its cluster, and {state} has none");
                return Err(invalid("labels", &[state as usize], k, rule));
            }
            let sum: f64 = rows.values[begin..].iter().sum();
            rows.values[begin..].iter_mut().for_each(|value| *value /= sum);
            rows.indptr.push(rows.targets.len() as i64);
        }
        Ok(rows)
    }
}

/// The transitions within one cluster, whose states are numbered from 0.
struct Rows {
    indptr: Vec<i64>,
    targets: Vec<u32>,
    values: Vec<f64>,
}

impl Rows {
    fn row(&self, state: u32) -> impl Iterator<Item = (u32, f64)> {
        let range = self.indptr[state as usize] as usize..self.indptr[state as usize + 1] as usize;
        range.map(|entry| (self.targets[entry], self.values[entry]))
    }

    /// How often each state is visited between two visits of `root`, on average: proportional to the stationary law of
    /// the closed class `members`.
    fn visits(&self, members: &[u32], root: u32, control: &Control) -> Result<Vec<f64>> {
        let mut numbers = vec![u32::MAX; self.indptr.len() - 1];
        let mut system = System { begins: vec![0], ..System::default() };
        for &state in members.iter().filter(|&&state| state != root) {
            numbers[state as usize] = system.states.len() as u32;
            system.states.push(state);
        }
        for &state in &system.states {
            let mut exit = 0.0;
            for (target, p) in self.row(state).filter(|&(target, _)| target != state) {
                if target == root {
                    exit = p;
                } else {
                    system.targets.push(numbers[target as usize]);
                    system.values.push(p);
                }
            }
            system.exits.push(exit);
            system.begins.push(system.targets.len());
        }
        let mut visits = vec![0.0; system.n_states()];
        for (target, p) in self.row(root).filter(|&(target, _)| target != root) {
            visits[numbers[target as usize] as usize] = p;
        }
        if !visits.is_empty() {
            Factors::new(&system, control)?.visits(&mut visits, control)?;
        }
        let mut out = vec![0.0; self.indptr.len() - 1];
        out[root as usize] = 1.0;
        for (&state, value) in system.states.iter().zip(visits) {
            out[state as usize] = value;
        }
        Ok(out)
    }

    /// A state of the one class that is never left; none if there are several. Equal numbers of `class` are one class.
    fn closed_class(&self, class: &[u32]) -> Option<u32> {
        let mut closed = vec![true; class.len()];
        for state in 0..class.len() as u32 {
            if self.row(state).any(|(target, _)| class[target as usize] != class[state as usize]) {
                closed[class[state as usize] as usize] = false;
            }
        }
        let mut found = (0..class.len() as u32).filter(|&state| closed[class[state as usize] as usize]);
        let root = found.next()?;
        found.all(|state| class[state as usize] == class[root as usize]).then_some(root)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metastable::MetaGraph;
    use crate::metastable::family::{Entries, Spec, Within, metastable_chain};
    use crate::random::Seed;

    fn control() -> Control {
        Control::new(2)
    }

    fn chain(matrix: &[&[f64]]) -> MarkovChain {
        let n = matrix.len();
        let indptr: Vec<i64> = (0..=n).map(|i| (i * n) as i64).collect();
        let indices: Vec<u32> = (0..n * n).map(|i| (i % n) as u32).collect();
        MarkovChain::from_csr(&indptr, &indices, Some(&matrix.concat()), Meaning::Probabilities, &control()).unwrap()
    }

    #[test]
    fn uniform_clusters_are_left_with_epsilon_over_their_size() {
        let spec = Spec {
            n_clusters: 6,
            cluster_size: 4,
            epsilon: 1e-100,
            n_sources: 3,
            n_targets: 1,
            meta_graph: MetaGraph::Complete,
            within: Within::Uniform,
            entries: Entries::Distinct,
            n_actions: 0,
        };
        let made = metastable_chain(&spec, &Seed::from_u64(1), &control()).unwrap();
        let labels: Vec<u32> = (0..24).map(|state| state / 4).collect();
        let meta = meta_chain(&made.chain, &labels, 6, &control()).unwrap();
        for k in 0..6 {
            for (l, q) in meta.row(k).iter() {
                let expected = if k == l { 1.0 } else { 3.0 * 1e-100 / 5.0 / 4.0 };
                assert!((q / expected - 1.0).abs() < 1e-14, "{k} {l} {q}");
            }
        }
    }

    #[test]
    fn the_law_within_a_cluster_is_its_own() {
        // Within {0, 1}: rows (1/2, 1/2) and (1, 0), once what leaves is left out: law 2/3, 1/3.
        let matrix: [&[f64]; 3] = [&[0.5, 0.5, 0.0], &[0.25, 0.0, 0.75], &[0.0, 1e-30, 1.0]];
        let meta = meta_chain(&chain(&matrix), &[0, 0, 1], 2, &control()).unwrap();
        let found: Vec<f64> = meta.probabilities().unwrap().to_vec();
        for (found, expected) in found.iter().zip([0.75, 0.25, 1e-30, 1.0]) {
            assert!((found / expected - 1.0).abs() < 1e-15, "{found} {expected}");
        }
    }

    #[test]
    fn transient_states_weigh_nothing_and_rare_ones_make_no_root() {
        // State 0 is never entered; state 1 is left for 2 at once, which is left with 1e-300 alone.
        let matrix: [&[f64]; 4] =
            [&[0.0, 1.0, 0.0, 0.0], &[0.0, 0.0, 1.0, 0.0], &[0.0, 1e-300, 0.5, 0.5], &[0.0, 0.0, 0.0, 1.0]];
        let meta = meta_chain(&chain(&matrix), &[0, 0, 0, 1], 2, &control()).unwrap();
        assert!(meta.row(0).iter().eq([(0, 0.5), (1, 0.5)]) && meta.row(1).iter().eq([(1, 1.0)]));
        let rare: [&[f64]; 3] = [&[0.0, 1.0, 0.0], &[1e-200, 1.0, 1e-200], &[0.0, 1e-200, 1.0]];
        assert_eq!(meta_chain(&chain(&rare), &[0, 0, 0], 1, &control()).unwrap().row(0).probability(0), 1.0);
    }

    #[test]
    fn what_is_no_cluster_is_named() {
        let matrix: [&[f64]; 4] =
            [&[1.0, 0.0, 0.0, 0.0], &[0.0, 1.0, 0.0, 0.0], &[0.5, 0.25, 0.0, 0.25], &[0.0, 0.0, 0.0, 1.0]];
        let message = |labels: &[u32], n| meta_chain(&chain(&matrix), labels, n, &control()).unwrap_err().to_string();
        assert_eq!(message(&[0, 0], 1), "labels must have one label for each of the 4 states, got 2");
        assert_eq!(message(&[0, 0, 2, 0], 2), "labels[2] must be below the number of clusters, 2, got 2");
        assert_eq!(message(&[0, 0, 2, 2], 3), "labels must name each cluster from 0 on, got none equal to 1");
        assert_eq!(
            message(&[0, 1, 2, 3], 4),
            "labels[2] must be such that each state has transitions within its cluster, and 2 has none, got 2"
        );
        assert_eq!(
            message(&[0, 0, 1, 2], 3),
            "labels must name clusters that have one each, got several closed classes in 0"
        );
    }
}
