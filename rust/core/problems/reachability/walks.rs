//! Walks on graphs, many for each, with the way each of them ended: by the policy, without coming to a node twice, and
//! depth first with steps back.

use super::graphs::{Graph, Graphs};
use crate::error::{Result, invalid};
use crate::problems::reasoning::drawn;
use crate::random::{Seed, Stream};
use crate::run::{Control, fill_rows};

/// Walks that are handed to a thread at once.
const BLOCK: usize = 256;

/// Steps between two looks at the stop flag.
const CHECKED: u32 = 1 << 16;

/// The most steps a walk can be given: a [`Walk`] has 31 bits for them.
pub const MOST_STEPS: u32 = (1 << 31) - 1;

/// How the next node is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// By the probabilities of the edges.
    Policy,
    /// Uniformly among the edges to nodes where the walk has not been: it ends where there is none.
    NoRevisit,
    /// As [`NoRevisit`](Self::NoRevisit), but where there is none the walk goes back to where it came from, which is a
    /// step as well. It finds what can be found.
    DepthFirst,
}

/// How walks are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// How the next node is chosen.
    pub manner: Manner,
    /// Whether a walk that ends at no candidate begins anew at the root.
    pub restart: bool,
    /// Steps after which a walk is cut off, all restarts together.
    pub max_steps: u32,
}

/// Where a walk ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Where it could go no further.
    Stuck = 0,
    /// At the target.
    Target = 1,
    /// At the other candidate.
    NegTarget = 2,
    /// It was cut off after the largest number of steps.
    CutOff = 3,
}

/// One walk in 64 bits: its end in the two lowest, then 31 for its steps, and 31 for how often it began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(transparent)]
pub struct Walk(pub u64);

impl Walk {
    fn new(end: End, steps: u32, tries: u32) -> Self {
        Self(u64::from(tries) << 33 | u64::from(steps) << 2 | end as u64)
    }

    /// Where it ended.
    pub fn end(self) -> End {
        match self.0 & 3 {
            0 => End::Stuck,
            1 => End::Target,
            2 => End::NegTarget,
            _ => End::CutOff,
        }
    }

    /// Steps, forth and back, of all tries.
    pub fn steps(self) -> u32 {
        (self.0 >> 2) as u32 & MOST_STEPS
    }

    /// How often it began at the root.
    pub fn tries(self) -> u32 {
        (self.0 >> 33) as u32
    }
}

/// Fills `out` with `n_walks` walks from the root of each graph, graph after graph, as the bits of [`Walk`]. Walk `w` of
/// graph `g` draws from stream `first + w` of child `g` of `seed`, once for each step forward.
///
/// # Errors
/// A `max_steps` out of range; [`Error::Interrupted`](crate::Error::Interrupted).
///
/// # Panics
/// If `out` does not have `n_walks` elements for each graph.
pub fn walks(
    graphs: &Graphs,
    plan: Plan,
    n_walks: usize,
    seed: &Seed,
    first: u64,
    out: &mut [u64],
    control: &Control,
) -> Result<()> {
    assert_eq!(out.len(), n_walks * graphs.len(), "one element for each walk");
    if !(1..=MOST_STEPS).contains(&plan.max_steps) {
        return Err(invalid("max_steps", &[], plan.max_steps, format!("be from 1 to {MOST_STEPS}")));
    }
    let scratch = || (Trail::new(graphs.most_nodes()), None);
    fill_rows(out, 1, BLOCK, control, scratch, |(trail, child): &mut (Trail, Option<(usize, Seed)>), item, out| {
        let (graph, walk) = (item / n_walks, item % n_walks);
        let of_graph = match *child {
            Some((last, of_graph)) if last == graph => of_graph,
            _ => child.insert((graph, seed.child(graph as u64))).1,
        };
        let mut stream = of_graph.stream(first.wrapping_add(walk as u64));
        out[0] = one(&graphs.get(graph), plan, &mut stream, trail, control)?.0;
        Ok(())
    })
}

/// One walk, begun again and again if it may be.
fn one(graph: &Graph<'_>, plan: Plan, stream: &mut Stream, trail: &mut Trail, control: &Control) -> Result<Walk> {
    let (mut steps, mut tries) = (0, 0);
    loop {
        tries += 1;
        let before = steps;
        let end = match plan.manner {
            Manner::Policy => by_policy(graph, plan.max_steps, stream, &mut steps, control),
            Manner::NoRevisit => trail.walk(graph, plan.max_steps, false, stream, &mut steps, control),
            Manner::DepthFirst => trail.walk(graph, plan.max_steps, true, stream, &mut steps, control),
        }?;
        // A try that could not take a step would be made for ever.
        let again = plan.restart && end == End::Stuck && steps > before;
        if !again {
            return Ok(Walk::new(end, steps, tries));
        }
        if steps == plan.max_steps {
            return Ok(Walk::new(End::CutOff, steps, tries));
        }
    }
}

#[inline]
fn answered(graph: &Graph<'_>, node: u32) -> Option<End> {
    if node == graph.question.target {
        Some(End::Target)
    } else if node == graph.question.neg_target {
        Some(End::NegTarget)
    } else {
        None
    }
}

fn by_policy(
    graph: &Graph<'_>,
    max_steps: u32,
    stream: &mut Stream,
    steps: &mut u32,
    control: &Control,
) -> Result<End> {
    let mut node = graph.question.root;
    loop {
        if let Some(end) = answered(graph, node) {
            return Ok(end);
        }
        let (heads, probabilities) = (graph.heads(node), graph.probabilities(node));
        if heads.is_empty() {
            return Ok(End::Stuck);
        }
        if *steps == max_steps {
            return Ok(End::CutOff);
        }
        let action = if probabilities.is_empty() {
            stream.below(heads.len() as u64) as u32
        } else {
            drawn(probabilities, stream)
        };
        node = heads[action as usize];
        *steps += 1;
        if steps.is_multiple_of(CHECKED) {
            control.check()?;
        }
    }
}

/// Where a walk has been, and how it came to where it is.
struct Trail {
    seen: Vec<bool>,
    visited: Vec<u32>,
    path: Vec<u32>,
}

impl Trail {
    fn new(n_nodes: usize) -> Self {
        Self { seen: vec![false; n_nodes], visited: Vec::new(), path: Vec::new() }
    }

    fn come_to(&mut self, node: u32) {
        self.seen[node as usize] = true;
        self.visited.push(node);
        self.path.push(node);
    }

    fn walk(
        &mut self,
        graph: &Graph<'_>,
        max_steps: u32,
        back: bool,
        stream: &mut Stream,
        steps: &mut u32,
        control: &Control,
    ) -> Result<End> {
        for node in self.visited.drain(..) {
            self.seen[node as usize] = false;
        }
        self.path.clear();
        let mut node = graph.question.root;
        self.come_to(node);
        loop {
            if let Some(end) = answered(graph, node) {
                return Ok(end);
            }
            let heads = graph.heads(node);
            let open = heads.iter().filter(|&&head| !self.seen[head as usize]).count();
            if open == 0 && (!back || self.path.len() == 1) {
                return Ok(End::Stuck);
            }
            if *steps == max_steps {
                return Ok(End::CutOff);
            }
            if open == 0 {
                self.path.pop();
                node = self.path[self.path.len() - 1];
            } else {
                let chosen = stream.below(open as u64) as usize;
                let unseen = heads.iter().filter(|&&head| !self.seen[head as usize]).nth(chosen);
                node = unseen.copied().unwrap_or(node);
                self.come_to(node);
            }
            *steps += 1;
            if steps.is_multiple_of(CHECKED) {
                control.check()?;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::graphs::tests::graph;
    use super::*;

    /// 0 -> 1, 2, 3; 1 -> 4, 5; 2 -> 4; 3 is a sink; 4 -> 6; 5 -> 7. Target 6, other candidate 7.
    const EDGES: [[i64; 2]; 8] = [[0, 1], [0, 2], [0, 3], [1, 4], [1, 5], [2, 4], [4, 6], [5, 7]];

    fn walked(graphs: &Graphs, plan: Plan, n_walks: usize) -> Vec<Walk> {
        let mut out = vec![0; n_walks * graphs.len()];
        walks(graphs, plan, n_walks, &Seed::from_u64(5), 0, &mut out, &Control::new(2)).unwrap();
        out.into_iter().map(Walk).collect()
    }

    fn plan(manner: Manner, restart: bool) -> Plan {
        Plan { manner, restart, max_steps: 1000 }
    }

    #[test]
    fn walks_end_as_often_as_they_should() {
        let graphs = graph(&EDGES, 0, 6, 7);
        let n = 20_000;
        for (manner, restart, shares) in [
            (Manner::Policy, false, [2.0 / 6.0, 0.5, 1.0 / 6.0]),
            (Manner::NoRevisit, false, [2.0 / 6.0, 0.5, 1.0 / 6.0]),
            (Manner::Policy, true, [0.0, 0.75, 0.25]),
            // Depth first 3 costs a step forth and one back, and then the odds are those of 1 and 2.
            (Manner::DepthFirst, false, [0.0, 0.75, 0.25]),
        ] {
            let found = walked(&graphs, plan(manner, restart), n);
            for (end, share) in [End::Stuck, End::Target, End::NegTarget].into_iter().zip(shares) {
                let count = found.iter().filter(|walk| walk.end() == end).count() as f64;
                let sd = (share * (1.0 - share) * n as f64).sqrt();
                assert!((count - share * n as f64).abs() <= 5.0 * sd, "{manner:?} {end:?} {count}");
            }
            for walk in found {
                let failed = if restart { walk.tries() - 1 } else { 0 };
                let steps = walk.steps() - failed;
                match (walk.end(), manner) {
                    (End::Stuck, _) => assert_eq!(steps, 1),
                    (_, Manner::DepthFirst) => assert!(steps == 3 || steps == 5),
                    _ => assert_eq!(steps, 3),
                }
            }
        }
    }

    #[test]
    fn walks_are_cut_off_and_never_go_on_for_ever() {
        let cycle = graph(&[[0, 1], [1, 2], [2, 0]], 0, 3, 4);
        let end = |graphs: &Graphs, manner, restart| {
            let walk = walked(graphs, plan(manner, restart), 1)[0];
            (walk.end(), walk.steps(), walk.tries())
        };
        assert_eq!(end(&cycle, Manner::Policy, false), (End::CutOff, 1000, 1));
        assert_eq!(end(&cycle, Manner::NoRevisit, false), (End::Stuck, 2, 1));
        assert_eq!(end(&cycle, Manner::NoRevisit, true), (End::CutOff, 1000, 500));
        assert_eq!(end(&cycle, Manner::DepthFirst, false), (End::Stuck, 4, 1));
        let alone = graph(&[], 0, 1, 2);
        for manner in [Manner::Policy, Manner::NoRevisit, Manner::DepthFirst] {
            assert_eq!(end(&alone, manner, true), (End::Stuck, 0, 1));
        }
    }

    #[test]
    fn value_stability() {
        let found = walked(&graph(&EDGES, 0, 6, 7), plan(Manner::DepthFirst, false), 6);
        assert_eq!(found.iter().map(|walk| (walk.end() as u8, walk.steps())).collect::<Vec<_>>(), PINNED);
    }
    const PINNED: [(u8, u32); 6] = [(1, 3), (1, 3), (1, 5), (2, 3), (2, 3), (1, 3)];

    #[test]
    fn too_many_steps_are_refused() {
        let plan = Plan { max_steps: 0, ..plan(Manner::Policy, false) };
        let error = walks(&graph(&EDGES, 0, 6, 7), plan, 0, &Seed::from_u64(5), 0, &mut [], &Control::default());
        assert_eq!(error.unwrap_err().to_string(), "max_steps must be from 1 to 2147483647, got 0");
    }
}
