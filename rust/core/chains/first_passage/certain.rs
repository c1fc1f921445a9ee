//! Which states are hit with certainty from which: recurrent classes, and the transient states that all walks pass.

use crate::chains::matrix::MarkovChain;
use crate::chains::structure::Classes;
use crate::error::Result;
use crate::memory::room;
use crate::run::Control;

/// The class of a transient state.
pub(super) const NONE: u32 = u32::MAX;

/// States between two looks at the stop flag.
const CHECKED: usize = 1024;

/// The recurrent classes of a chain, and what walks from its transient states are sure to pass.
///
/// A *node* is a transient state, by its own number, or a recurrent class, by the number of its first state. The nodes
/// that walks from a transient state are sure to come to are its ancestors in a tree, the tree of post-dominators, and
/// walks come to each of them before they come to the next.
#[derive(Debug)]
pub(super) struct Certain {
    /// The states of each recurrent class, ascending.
    pub classes: Vec<Vec<u32>>,
    /// The number of the recurrent class of each state, or [`NONE`].
    pub class: Vec<u32>,
    /// The transient states, each after its ancestors.
    pub transient: Vec<u32>,
    /// The parent of each transient state, a node, or the number of states where there is none.
    pub parent: Vec<u32>,
}

impl Certain {
    /// Cost: O(states + transitions), for the transient ones a few times.
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory), [`Error::Interrupted`](crate::Error::Interrupted).
    pub(super) fn new(chain: &MarkovChain, control: &Control) -> Result<Self> {
        let found = Classes::new(chain, control)?;
        let (mut number, mut classes) = (Vec::new(), Vec::new());
        for class in 0..found.n_classes() {
            number.push(if found.recurrent[class] { classes.len() as u32 } else { NONE });
            if found.recurrent[class] {
                classes.push(found.class(class).to_vec());
            }
        }
        let class = found.labels.iter().map(|&label| number[label as usize]).collect();
        let parent = vec![chain.n_states() as u32; chain.n_states()];
        let mut out = Self { classes, class, transient: Vec::new(), parent };
        if out.class.contains(&NONE) {
            out.find_parents(chain, control)?;
        }
        Ok(out)
    }

    pub(super) fn is_transient(&self, state: u32) -> bool {
        self.class.get(state as usize) == Some(&NONE)
    }

    fn node(&self, state: u32) -> u32 {
        if self.is_transient(state) { state } else { self.classes[self.class[state as usize] as usize][0] }
    }

    /// The tree by the algorithm of Cooper, Harvey and Kennedy ("A simple, fast dominance algorithm", 2001), for
    /// transitions taken backwards from an end behind the recurrent classes.
    fn find_parents(&mut self, chain: &MarkovChain, control: &Control) -> Result<()> {
        let order = self.order(chain, control)?;
        // Ancestors have lower places in the order; the end has 0.
        let mut place = vec![0u32; chain.n_states() + 1];
        (0..).zip(&order).for_each(|(at, &node)| place[node as usize] = at);
        let mut above = vec![NONE; order.len()];
        above[0] = 0;
        let mut changed = true;
        while changed {
            changed = false;
            for (at, &node) in order.iter().enumerate().skip(1) {
                if at % CHECKED == 0 {
                    control.check()?;
                }
                let mut found = if self.is_transient(node) { NONE } else { 0 };
                let targets = if found == 0 { &[] } else { chain.row(node).targets };
                for &target in targets {
                    let mut other = place[self.node(target) as usize];
                    if target == node || above[other as usize] == NONE {
                        continue;
                    }
                    found = if found == NONE { other } else { found };
                    while found != other {
                        if found > other {
                            found = above[found as usize];
                        } else {
                            other = above[other as usize];
                        }
                    }
                }
                changed |= found != above[at];
                above[at] = found;
            }
        }
        for (&node, &above) in order.iter().zip(&above) {
            if self.is_transient(node) {
                self.transient.push(node);
                self.parent[node as usize] = order[above as usize];
            }
        }
        Ok(())
    }

    /// The end and the nodes in reverse postorder of a depth-first search along transitions taken backwards.
    fn order(&self, chain: &MarkovChain, control: &Control) -> Result<Vec<u32>> {
        let n = chain.n_states();
        // Transient states that lead to each node, node after node.
        let mut begins = vec![0usize; n + 2];
        let mut sources: Vec<u32> = Vec::new();
        for counting in [true, false] {
            for state in (0..n as u32).filter(|&state| self.is_transient(state)) {
                if (state as usize).is_multiple_of(CHECKED) {
                    control.check()?;
                }
                for &target in chain.row(state).targets {
                    let node = self.node(target) as usize;
                    if counting {
                        begins[node + 2] += 1;
                    } else {
                        sources[begins[node + 1]] = state;
                        begins[node + 1] += 1;
                    }
                }
            }
            if counting {
                (2..n + 2).for_each(|node| begins[node] += begins[node - 1]);
                sources = room(begins[n + 1])?;
                sources.resize(begins[n + 1], 0);
            }
        }
        let roots: Vec<u32> = self.classes.iter().map(|class| class[0]).collect();
        let before = |node: u32| match node as usize {
            node if node == n => &roots[..],
            node => &sources[begins[node]..begins[node + 1]],
        };
        let mut seen = vec![false; n + 1];
        let mut order = Vec::new();
        let mut path = vec![(n as u32, 0)];
        let mut n_steps = 0usize;
        while let Some(&mut (node, ref mut next)) = path.last_mut() {
            n_steps += 1;
            if n_steps.is_multiple_of(CHECKED * CHECKED) {
                control.check()?;
            }
            if let Some(&source) = before(node).get(*next) {
                *next += 1;
                if !std::mem::replace(&mut seen[source as usize], true) {
                    path.push((source, 0));
                }
            } else {
                path.pop();
                order.push(node);
            }
        }
        order.reverse();
        Ok(order)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chains::matrix::{Dangling, Edges};
    use proptest::prelude::*;

    fn chain(n: usize, edges: &[(u32, u32)]) -> MarkovChain {
        let (source, target): (Vec<u32>, Vec<u32>) = edges.iter().copied().unzip();
        let edges = Edges { source: &source, target: &target, weight: None, directed: true };
        MarkovChain::from_edges(edges, Some(n), Dangling::Absorb, &Control::default()).unwrap()
    }

    /// Whether a walk from each state may miss `target` for ever: it may come to a recurrent class without it.
    fn may_miss(chain: &MarkovChain, certain: &Certain, target: u32) -> Vec<bool> {
        let n = chain.n_states() as u32;
        let mut miss: Vec<bool> = (0..n)
            .map(|s| !certain.is_transient(s) && certain.class[s as usize] != certain.class[target as usize])
            .collect();
        for _ in 0..n {
            for s in (0..n).filter(|&s| s != target) {
                miss[s as usize] |= chain.row(s).targets.iter().any(|&t| t != target && miss[t as usize]);
            }
        }
        miss
    }

    proptest! {
        #[test]
        fn ancestors_are_what_is_never_missed(edges in prop::collection::vec((0u32..9, 0u32..9), 0..24)) {
            let chain = chain(9, &edges);
            let certain = Certain::new(&chain, &Control::default()).unwrap();
            for target in 0..9 {
                let miss = may_miss(&chain, &certain, target);
                for &state in &certain.transient {
                    let mut above = certain.parent[state as usize];
                    while certain.is_transient(above) && above != target {
                        above = certain.parent[above as usize];
                    }
                    let hit = above == target || above < 9 && certain.class[above as usize] == certain.class[target as usize];
                    prop_assert_eq!(hit || state == target, !miss[state as usize], "{} from {}", target, state);
                }
            }
            for (at, &state) in certain.transient.iter().enumerate() {
                prop_assert!(!certain.transient[at..].contains(&certain.parent[state as usize]));
            }
        }
    }

    #[test]
    fn a_path_of_a_hundred_thousand_states_needs_no_deep_stack() {
        let edges: Vec<(u32, u32)> = (0..100_000).map(|s| (s, s + 1)).collect();
        let certain = Certain::new(&chain(100_001, &edges), &Control::default()).unwrap();
        assert_eq!(certain.classes, [[100_000]]);
        assert!((0..100_000).all(|s| certain.parent[s] == s as u32 + 1));
    }
}
