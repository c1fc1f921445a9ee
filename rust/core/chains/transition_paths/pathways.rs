//! Dominant pathways: the net flux taken apart into walks from source to target, the one with the widest bottleneck
//! first (Metzner, Schuette and Vanden-Eijnden 2009, section 3).

use crate::error::Result;
use crate::run::Control;
use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// What is left of the flux, relative to what was there, that is rounding and no pathway.
const ROUNDING: f64 = 1e-13;

/// A network of fluxes.
#[derive(Debug)]
pub struct Network<'a> {
    /// Where rows begin, and where they lead.
    pub indptr: &'a [i64],
    /// Targets, row after row.
    pub indices: &'a [u32],
    /// Whether a state is one of the source.
    pub source: &'a [bool],
    /// Whether a state is one of the target.
    pub target: &'a [bool],
}

/// A pathway and the flux that it carries.
pub type Pathway = (Vec<u32>, f64);

/// A state on the front of a search, by the width of the way to it.
#[derive(PartialEq)]
struct Front(f64, u32);

impl Eq for Front {}

impl PartialOrd for Front {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Front {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0).then(other.1.cmp(&self.1))
    }
}

impl Network<'_> {
    /// At most `most` pathways of the net flux `net`, one number for each transition, until `fraction` of the total is
    /// explained. Cost: O(transitions) for each state of a pathway.
    ///
    /// # Errors
    /// [`Error::Interrupted`](crate::Error::Interrupted).
    pub fn pathways(&self, mut net: Vec<f64>, most: usize, fraction: f64, control: &Control) -> Result<Vec<Pathway>> {
        let out_of_source = |net: &[f64]| -> f64 {
            (0..self.source.len()).filter(|&s| self.source[s]).map(|s| net[self.span(s)].iter().sum::<f64>()).sum()
        };
        let total = out_of_source(&net);
        let (mut found, mut explained) = (Vec::new(), 0.0);
        while found.len() < most && explained < fraction * total {
            let Some(edges) = self.dominant(&net, control)? else { break };
            let capacity = edges.iter().map(|&(_, edge)| net[edge]).fold(f64::INFINITY, f64::min);
            if capacity <= ROUNDING * total {
                break;
            }
            let mut states: Vec<u32> = edges.iter().map(|&(from, _)| from).collect();
            states.extend(edges.last().map(|&(_, edge)| self.indices[edge]));
            for &(_, edge) in &edges {
                net[edge] = (net[edge] - capacity).max(0.0);
            }
            explained += capacity;
            found.push((states, capacity));
        }
        Ok(found)
    }

    fn span(&self, state: usize) -> std::ops::Range<usize> {
        self.indptr[state] as usize..self.indptr[state + 1] as usize
    }

    /// The edges, each with the state it leaves, of the way with the widest bottleneck, whose parts before and after
    /// the bottleneck are such ways too.
    fn dominant(&self, net: &[f64], control: &Control) -> Result<Option<Vec<(u32, usize)>>> {
        let n = self.source.len();
        let (starts, ends) = (self.source.to_vec(), self.target.to_vec());
        let Some(whole) = self.widest(net, &starts, &ends, control)? else { return Ok(None) };
        let mut edges: Vec<(u32, usize)> = Vec::new();
        // Stretches still to be refined, the first on top: the widest way between two sets of states.
        let mut open = vec![(starts, ends, whole)];
        while let Some((starts, ends, way)) = open.pop() {
            let Some(at) = (0..way.len()).min_by(|&a, &b| net[way[a].1].total_cmp(&net[way[b].1])) else { continue };
            let (from, edge) = way[at];
            let single = |state: u32| {
                let mut set = vec![false; n];
                set[state as usize] = true;
                set
            };
            let to = self.indices[edge];
            if way.len() == 1 {
                edges.push((from, edge));
                continue;
            }
            // On the stack in reverse: what comes after, the bottleneck, what comes before.
            let before = if starts[from as usize] { None } else { self.widest(net, &starts, &single(from), control)? };
            let after = if ends[to as usize] { None } else { self.widest(net, &single(to), &ends, control)? };
            if let Some(after) = after {
                open.push((single(to), ends, after));
            }
            open.push((single(from), single(to), vec![(from, edge)]));
            if let Some(before) = before {
                open.push((starts, single(from), before));
            }
        }
        Ok(Some(without_loops(edges)))
    }

    /// The way from `starts` to `ends` whose narrowest edge is widest.
    fn widest(
        &self,
        net: &[f64],
        starts: &[bool],
        ends: &[bool],
        control: &Control,
    ) -> Result<Option<Vec<(u32, usize)>>> {
        control.check()?;
        let n = starts.len();
        let mut width = vec![0.0; n];
        let mut by: Vec<Option<(u32, usize)>> = vec![None; n];
        let mut front = BinaryHeap::new();
        for state in (0..n).filter(|&state| starts[state]) {
            width[state] = f64::INFINITY;
            front.push(Front(f64::INFINITY, state as u32));
        }
        let mut n_steps = 0usize;
        while let Some(Front(w, state)) = front.pop() {
            let s = state as usize;
            if ends[s] {
                let (mut edges, mut at) = (Vec::new(), state);
                while let Some((from, edge)) = by[at as usize] {
                    edges.push((from, edge));
                    at = from;
                }
                edges.reverse();
                return Ok(Some(edges));
            }
            if w < width[s] {
                continue;
            }
            n_steps += 1;
            if n_steps.is_multiple_of(4096) {
                control.check()?;
            }
            for edge in self.span(s) {
                let (next, reached) = (self.indices[edge], w.min(net[edge]));
                if reached > width[next as usize] {
                    width[next as usize] = reached;
                    by[next as usize] = Some((state, edge));
                    front.push(Front(reached, next));
                }
            }
        }
        Ok(None)
    }
}

/// The way without what leads back to a state it was in before.
fn without_loops(edges: Vec<(u32, usize)>) -> Vec<(u32, usize)> {
    let mut kept: Vec<(u32, usize)> = Vec::new();
    for (from, edge) in edges {
        if let Some(at) = kept.iter().position(|&(state, _)| state == from) {
            kept.truncate(at);
        }
        kept.push((from, edge));
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_ways_the_wider_one_first() {
        // 0 -> 1 -> 3 carries 2, 0 -> 2 -> 3 carries 3, and 1 -> 2 carries 1 besides.
        let (indptr, indices) = ([0, 2, 4, 5, 5], [1u32, 2, 2, 3, 3]);
        let (source, target) = ([true, false, false, false], [false, false, false, true]);
        let network = Network { indptr: &indptr, indices: &indices, source: &source, target: &target };
        let found = network.pathways(vec![3.0, 3.0, 1.0, 2.0, 4.0], 9, 1.0, &Control::default()).unwrap();
        assert_eq!(found, [(vec![0, 2, 3], 3.0), (vec![0, 1, 3], 2.0), (vec![0, 1, 2, 3], 1.0)]);
    }
}
