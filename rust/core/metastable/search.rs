//! Sparse-edge search: short walks learn a cluster, rollouts from there find the ways out of it (Kim et al. 2025,
//! Algorithm 2).
//!
//! A restart begins somewhere and takes some steps; the states it has visited are taken for its cluster. From the last
//! of them rollouts set out side by side. A rollout ends with the first step that leaves the cluster, and that step is
//! noted as a sparse edge; or after so many steps without one. A cluster of which too little was seen gives edges that
//! are none, and a walk that left it while learning takes parts of two for one: neither is hidden here.

use crate::chains::starts::Walker;
use crate::chains::{MarkovChain, Starts, Tables};
use crate::error::{Result, invalid};
use crate::random::{Seed, draw};
use crate::run::{Control, fill_blocks};
use std::collections::HashMap;

/// Steps between two looks at the stop flag.
const CHECKED: u64 = 1 << 16;

/// Rollouts in memory at a time, about, where all restarts are wanted.
const BATCH: usize = 1 << 20;

/// How much to search.
#[derive(Debug)]
pub struct Plan<'a> {
    /// Where restarts begin; at states drawn uniformly without.
    pub starts: Option<Starts<'a>>,
    /// R.
    pub n_restarts: usize,
    /// N, rollouts of a restart.
    pub n_rollouts: usize,
    /// T0, steps that learn the cluster.
    pub n_cluster_steps: u64,
    /// `T_max`, the most steps of a rollout.
    pub max_steps: u64,
    /// The search ends after the restart with which so many edges are found.
    pub n_edges: Option<usize>,
    /// The search ends after so many restarts in a row that found no new edge.
    pub patience: Option<usize>,
}

/// What a search found, edges in the order in which they were first found.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Source and target of each edge.
    pub edges: Vec<[u32; 2]>,
    /// Rollouts that ended with it.
    pub counts: Vec<i64>,
    /// Steps taken when it was first found, one restart and one rollout counted after the other.
    pub found_at: Vec<i64>,
    /// Restarts that were made.
    pub n_restarts: usize,
    /// Steps of all of them.
    pub n_steps: u64,
    /// Rollouts that ended after `max_steps` in their cluster.
    pub n_censored: u64,
}

/// Searches `chain`. Restart r draws from child `first + r` of `seed`: the walk that learns the cluster from its stream
/// 0 (after the draw of its start, unless that is given), rollout n from stream n + 1. Cost: O(1) a step and 1 bit a
/// state on each thread.
///
/// Restarts are shared out to threads, and judged one after another: where the search ends early, what others have done
/// beyond that restart is not counted, so that the result is that of one thread.
///
/// # Errors
/// No restarts or no rollouts; starts for another number of restarts; [`Error::Memory`](crate::Error::Memory);
/// [`Error::Interrupted`](crate::Error::Interrupted).
pub fn sparse_edge_search(
    chain: &MarkovChain,
    plan: &Plan<'_>,
    seed: &Seed,
    first: u64,
    control: &Control,
) -> Result<Found> {
    for (name, value) in [("n_restarts", plan.n_restarts), ("n_rollouts", plan.n_rollouts)] {
        if value == 0 {
            return Err(invalid(name, &[], value, "be at least 1"));
        }
    }
    if let Some(n) = plan.starts.as_ref().and_then(Starts::n_walks).filter(|&n| n != plan.n_restarts) {
        let rule = format!("have one state for each of the {} restarts", plan.n_restarts);
        return Err(invalid("start", &[], format!("{n} states"), rule));
    }
    let tables = chain.tables(control)?;
    control.expect(plan.n_restarts as u64);
    let (mut found, mut places, mut idle) = (Found::default(), HashMap::new(), 0);
    let early = plan.n_edges.is_some() || plan.patience.is_some();
    let least = 4 * control.threads();
    let batch = if early { least } else { (BATCH / plan.n_rollouts).max(least) };
    while found.n_restarts < plan.n_restarts {
        let begin = found.n_restarts;
        let mut restarts: Vec<Vec<Rollout>> = vec![Vec::new(); batch.min(plan.n_restarts - begin)];
        let scratch = || Search::new(tables, plan);
        fill_blocks(&mut restarts, 1, 1, control, scratch, |search, item, rollouts| {
            let child = seed.child(first.wrapping_add((begin + item) as u64));
            rollouts[0] = search.restart(&child, begin + item, control)?;
            control.advance(1);
            Ok(())
        })?;
        for rollouts in restarts {
            let known = found.edges.len();
            found.add(&rollouts, plan.n_cluster_steps, &mut places);
            idle = if found.edges.len() > known { 0 } else { idle + 1 };
            let enough = plan.n_edges.is_some_and(|n| found.edges.len() >= n);
            if enough || plan.patience.is_some_and(|patience| idle >= patience) {
                return Ok(found);
            }
        }
    }
    Ok(found)
}

impl Found {
    /// Counts one more restart.
    fn add(&mut self, rollouts: &[Rollout], n_cluster_steps: u64, places: &mut HashMap<[u32; 2], usize>) {
        self.n_restarts += 1;
        self.n_steps += n_cluster_steps;
        for rollout in rollouts {
            self.n_steps += rollout.n_steps;
            let Some(edge) = rollout.edge else {
                self.n_censored += 1;
                continue;
            };
            let place = *places.entry(edge).or_insert(self.edges.len());
            if place == self.edges.len() {
                self.edges.push(edge);
                self.counts.push(0);
                self.found_at.push(self.n_steps as i64);
            }
            self.counts[place] += 1;
        }
    }
}

/// A rollout that has ended: its steps, and the last of them if that left the cluster.
#[derive(Debug, Clone, Copy, Default)]
struct Rollout {
    n_steps: u64,
    edge: Option<[u32; 2]>,
}

/// A rollout under way.
struct Lane {
    random: [u64; 2],
    state: u32,
    number: usize,
}

/// What one thread needs.
struct Search<'a> {
    tables: Tables<'a>,
    plan: &'a Plan<'a>,
    /// The states of the cluster, one bit each, and their list.
    inside: Vec<u64>,
    cluster: Vec<u32>,
}

impl<'a> Search<'a> {
    fn new(tables: Tables<'a>, plan: &'a Plan<'a>) -> Self {
        let n_words = tables.chain().n_states().div_ceil(64);
        Self { tables, plan, inside: vec![0; n_words], cluster: Vec::new() }
    }

    fn restart(&mut self, seed: &Seed, item: usize, control: &Control) -> Result<Vec<Rollout>> {
        for &state in &self.cluster {
            self.inside[state as usize / 64] = 0;
        }
        self.cluster.clear();
        let state = self.learn(seed, item, control)?;
        let mut rollouts = vec![Rollout { n_steps: self.plan.max_steps, edge: None }; self.plan.n_rollouts];
        let mut lanes: Vec<Lane> = (0..self.plan.n_rollouts)
            .map(|number| Lane { random: seed.state(number as u64 + 1), state, number })
            .collect();
        let mut unchecked = 0;
        for step in 1..=self.plan.max_steps {
            unchecked += lanes.len() as u64;
            if unchecked >= CHECKED {
                control.check()?;
                unchecked = 0;
            }
            let mut left = false;
            for lane in &mut lanes {
                let next = self.tables.next(lane.state, draw(&mut lane.random));
                if is_in(&self.inside, next) {
                    lane.state = next;
                } else {
                    rollouts[lane.number] = Rollout { n_steps: step, edge: Some([lane.state, next]) };
                    lane.number = usize::MAX;
                    left = true;
                }
            }
            if left {
                lanes.retain(|lane| lane.number != usize::MAX);
                if lanes.is_empty() {
                    break;
                }
            }
        }
        Ok(rollouts)
    }

    /// Takes the steps that learn the cluster, and returns the last state.
    fn learn(&mut self, seed: &Seed, item: usize, control: &Control) -> Result<u32> {
        let n_states = self.tables.chain().n_states() as u64;
        // Counted back from the item, for its seed is its own and the stream is that of number 0.
        let given = self.plan.starts.as_ref().map(|starts| starts.walker(seed, 0u64.wrapping_sub(item as u64), item));
        let Walker { mut random, mut state } = given.unwrap_or_else(|| {
            let mut random = seed.state(0);
            let state = ((u128::from(draw(&mut random)) * u128::from(n_states)) >> 64) as u32;
            Walker { random, state }
        });
        self.visit(state);
        for step in 1..=self.plan.n_cluster_steps {
            if step % CHECKED == 0 {
                control.check()?;
            }
            state = self.tables.next(state, draw(&mut random));
            self.visit(state);
        }
        Ok(state)
    }

    fn visit(&mut self, state: u32) {
        if !is_in(&self.inside, state) {
            self.inside[state as usize / 64] |= 1 << (state % 64);
            self.cluster.push(state);
        }
    }
}

#[inline(always)]
fn is_in(bits: &[u64], state: u32) -> bool {
    bits[state as usize / 64] >> (state % 64) & 1 == 1
}

#[cfg(test)]
mod tests;
