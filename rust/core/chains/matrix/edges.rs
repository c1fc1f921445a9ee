//! Chains from lists of edges, by a counting sort.

use super::build::{Builder, Place, state};
use super::{Dangling, MarkovChain, Meaning};
use crate::error::{Result, invalid};
use crate::machine::huge_vec;
use crate::run::Control;
use std::fmt::Display;

/// Edges between two looks at the stop flag.
const CHECKED: usize = 1 << 18;

/// A graph as a list of edges, in any order.
#[derive(Debug, Clone, Copy)]
pub struct Edges<'a, I> {
    /// The state each edge comes from.
    pub source: &'a [I],
    /// The state it leads to.
    pub target: &'a [I],
    /// Its weight; `None` where all have the same.
    pub weight: Option<&'a [f64]>,
    /// Whether an edge leads one way only. If not, each stands for two, but for one from a state to itself.
    pub directed: bool,
}

impl MarkovChain {
    /// A chain that leaves each state by its edges, with probabilities proportional to their weights. Parallel edges
    /// add up. `n_states` is one more than the largest state if not given. Cost: O(states + edges), one thread; besides
    /// the result 8 bytes a state.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) that names the edge of a bad state or weight, or the state without an edge;
    /// [`Error::Memory`](crate::Error::Memory); [`Error::Interrupted`](crate::Error::Interrupted).
    pub fn from_edges<I: Copy + TryInto<u32> + Display>(
        edges: Edges<'_, I>,
        n_states: Option<usize>,
        dangling: Dangling,
        control: &Control,
    ) -> Result<Self> {
        let n_states = check(edges, n_states, control)?;
        let (mut places, n_entries) = rooms(edges, n_states, dangling, control)?;
        let (mut targets, mut weights) = (huge_vec(n_entries)?, Vec::new());
        targets.resize(n_entries, 0u32);
        if edges.weight.is_some() {
            weights = huge_vec(n_entries)?;
            weights.resize(n_entries, 0.0);
        }
        each_entry(edges, control, |from, to, edge| {
            let place = &mut places[from as usize];
            targets[*place as usize] = to;
            if let Some(given) = edges.weight {
                weights[*place as usize] = given[edge];
            }
            *place += 1;
        })?;
        let ends = places;
        let meaning = Meaning::Weights(dangling);
        let mut builder = Builder::over(targets, weights, n_states, Place::Edges, meaning, control)?;
        let mut room = 0;
        for end in ends {
            builder.begin_row((end - room) as usize)?;
            for index in room..end {
                let (target, weight) = builder.entry(index as usize);
                builder.add(target, weight)?;
            }
            builder.end_row()?;
            room = if end == room { end + unused_room(dangling) } else { end };
        }
        Ok(builder.finish())
    }
}

/// Refuses lists that do not fit together and what is no state or weight; the number of states.
fn check<I: Copy + TryInto<u32> + Display>(
    edges: Edges<'_, I>,
    n_states: Option<usize>,
    control: &Control,
) -> Result<usize> {
    let n_edges = edges.source.len();
    let rule = format!("have the length of source, {n_edges}");
    if edges.target.len() != n_edges {
        return Err(invalid("target", &[], format!("{} states", edges.target.len()), rule));
    }
    if let Some(weight) = edges.weight.filter(|weight| weight.len() != n_edges) {
        return Err(invalid("weight", &[], format!("{} weights", weight.len()), rule));
    }
    let (most, rule) = match n_states {
        Some(n) => (n.min(u32::MAX as usize), format!("be at least 0 and below n_states = {n}")),
        None => (u32::MAX as usize, "be at least 0 and below 4,294,967,295".to_owned()),
    };
    let mut largest = None;
    for (name, states) in [("source", edges.source), ("target", edges.target)] {
        for (number, part) in states.chunks(CHECKED).enumerate() {
            control.check()?;
            for (offset, &index) in part.iter().enumerate() {
                let Some(found) = state(index, most) else {
                    return Err(invalid(name, &[number * CHECKED + offset], index, rule));
                };
                largest = largest.max(Some(found));
            }
        }
    }
    if let Some(edge) = edges.weight.and_then(|weight| weight.iter().position(|&w| !(0.0..f64::INFINITY).contains(&w)))
    {
        let value = edges.weight.map_or(0.0, |weight| weight[edge]);
        return Err(invalid("weight", &[edge], value, "be a finite number of at least 0"));
    }
    match (n_states, largest) {
        (Some(n), _) if n > 0 => Ok(n),
        (None, Some(largest)) => Ok(largest as usize + 1),
        (Some(_), _) => Err(invalid("n_states", &[], 0, "be at least 1")),
        (None, None) => Err(invalid("source", &[], "", "not be empty where n_states is not given")),
    }
}

/// Where the room of each state begins in an array with room for all edges, and how long that is.
fn rooms<I: Copy + TryInto<u32>>(
    edges: Edges<'_, I>,
    n_states: usize,
    dangling: Dangling,
    control: &Control,
) -> Result<(Vec<u64>, usize)> {
    let mut places: Vec<u64> = huge_vec(n_states)?;
    places.resize(n_states, 0);
    each_entry(edges, control, |from, _, _| places[from as usize] += 1)?;
    let mut end = 0;
    for place in &mut places {
        let room = if *place == 0 { unused_room(dangling) } else { *place };
        *place = end;
        end += room;
    }
    Ok((places, end as usize))
}

/// The room of a state without edges: it may need one, to itself.
fn unused_room(dangling: Dangling) -> u64 {
    u64::from(dangling == Dangling::Absorb)
}

/// Calls `take(from, to, edge)` for each entry of the matrix that the edges stand for.
#[inline]
fn each_entry<I: Copy + TryInto<u32>>(
    edges: Edges<'_, I>,
    control: &Control,
    mut take: impl FnMut(u32, u32, usize),
) -> Result<()> {
    let pairs = edges.source.chunks(CHECKED).zip(edges.target.chunks(CHECKED)).enumerate();
    for (number, (sources, targets)) in pairs {
        control.check()?;
        for (offset, (&source, &target)) in sources.iter().zip(targets).enumerate() {
            let (Ok(source), Ok(target)) = (source.try_into(), target.try_into()) else { continue };
            let edge = number * CHECKED + offset;
            take(source, target, edge);
            if !edges.directed && source != target {
                take(target, source, edge);
            }
        }
    }
    Ok(())
}
