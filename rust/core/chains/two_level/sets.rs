//! Sets of states that a walk goes round in long before it leaves them.

use super::CHECKED;
use crate::chains::system::System;
use crate::error::Result;
use crate::memory::room;
use crate::random::Seed;
use crate::run::Control;

/// Vectors that are smoothed together: two sets are taken for one only if they agree in all of them.
const VECTORS: usize = 4;

/// Sweeps of smoothing: what mixes within about so many steps is flat afterwards.
const SWEEPS: usize = 15;

/// Share of the new value in a sweep. Below one, or a bipartite system would keep its two sides apart for ever.
const DAMPING: f32 = 0.8;

/// Neighbours belong together if their values differ by less than this many medians of such differences.
const MEDIANS: f32 = 4.0;

/// States whose differences from their neighbours give the median.
const SAMPLED: usize = 1 << 13;

/// Nor does a difference matter below this part of the size of the values: all of them may have died away.
const FLAT: f32 = 1e-3;

/// A component with more states than this is a set; a smaller one only if it is seldom left.
const LARGE: u32 = 50;

/// Steps of which one may leave a small set.
const SELDOM: f64 = 0.02;

/// More sets than this are none: the problem of going from set to set would be as hard as the whole.
const MOST_SETS: usize = 5000;

/// A partition of the states of a system.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sets {
    /// The set of each state.
    pub(super) of: Vec<u32>,
    /// Number of sets.
    pub(super) n: usize,
}

/// States whose values under a few sweeps of averaging over their successors become alike. Random signs are smoothed
/// to one value for each set, different from set to set, by steps within the sets; transitions between them come too
/// seldom to level those out. What leads outside counts as a step to the value zero.
///
/// Nothing is wrong if the sets are not the best, but the solver takes more steps then.
pub(super) fn find(system: &System, control: &Control) -> Result<Sets> {
    let n = system.n_states();
    let values = smooth(system, control)?;
    let between = |i: usize, j: u32| {
        let (a, b) = (&values[i], &values[j as usize]);
        a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f32>()
    };
    let mut some: Vec<f32> = Vec::new();
    for i in (0..n).step_by((n / SAMPLED).max(1)) {
        some.extend(system.row(i).0.iter().map(|&j| between(i, j)));
    }
    let middle = some.len() / 2;
    let median = if some.is_empty() { 0.0 } else { *some.select_nth_unstable_by(middle, f32::total_cmp).1 };
    let most = (MEDIANS * MEDIANS * median).max(FLAT * FLAT);
    let mut groups = Groups::new(n)?;
    for i in 0..n {
        if i % CHECKED == 0 {
            control.check()?;
        }
        for &j in system.row(i).0 {
            if between(i, j) <= most {
                groups.join(i as u32, j);
            }
        }
    }
    control.check()?;
    adopt(system, &mut groups, control)?;
    let sets = groups.sets()?;
    Ok(if sets.n <= MOST_SETS { sets } else { Sets { of: vec![0; n], n: 1 } })
}

/// Random signs after [`SWEEPS`] sweeps, each vector divided by its mean size.
fn smooth(system: &System, control: &Control) -> Result<Vec<[f32; VECTORS]>> {
    let n = system.n_states();
    let mut shares: Vec<f32> = room(system.n_transitions())?;
    for i in 0..n {
        if i % CHECKED == 0 {
            control.check()?;
        }
        let (_, row) = system.row(i);
        let factor = 1.0 / (row.iter().sum::<f64>() + system.exits[i]);
        shares.extend(row.iter().map(|&value| (value * factor) as f32));
    }
    let mut now = room(n)?;
    let mut stream = Seed::from_u64(0).stream(0);
    while now.len() < n {
        let bits = stream.next_u64();
        for state in 0..(64 / VECTORS).min(n - now.len()) {
            let sign = |vector: usize| if bits >> (state * VECTORS + vector) & 1 == 0 { 1.0 } else { -1.0 };
            now.push(std::array::from_fn(sign));
        }
    }
    let mut next = now.clone();
    for _ in 0..SWEEPS {
        for (i, to) in next.iter_mut().enumerate() {
            if i % CHECKED == 0 {
                control.check()?;
            }
            let range = system.begins[i]..system.begins[i + 1];
            if range.is_empty() {
                continue;
            }
            let mut mean = [0f32; VECTORS];
            for (&j, &share) in system.targets[range.clone()].iter().zip(&shares[range]) {
                let from = now[j as usize];
                for v in 0..VECTORS {
                    mean[v] += share * from[v];
                }
            }
            for v in 0..VECTORS {
                to[v] = DAMPING * mean[v] + (1.0 - DAMPING) * now[i][v];
            }
        }
        std::mem::swap(&mut now, &mut next);
    }
    for v in 0..VECTORS {
        let size = now.iter().map(|x| f64::from(x[v].abs())).sum::<f64>() / n as f64;
        let factor = (1.0 / size.max(1e-30)) as f32;
        for x in &mut now {
            x[v] *= factor;
        }
    }
    Ok(now)
}

/// Small components that are left soon become part of the one that they lead to most.
fn adopt(system: &System, groups: &mut Groups, control: &Control) -> Result<()> {
    let before = groups.sets()?;
    let mut sizes = vec![0u32; before.n];
    before.of.iter().for_each(|&set| sizes[set as usize] += 1);
    // From which small component to which other, with the share of its steps.
    let mut ways: Vec<(u32, u32, u32, f64)> = Vec::new();
    for i in 0..system.n_states() {
        let from = before.of[i];
        if sizes[from as usize] > LARGE {
            continue;
        }
        let (targets, values) = system.row(i);
        let leave = values.iter().sum::<f64>() * f64::from(sizes[from as usize]);
        for (&j, &value) in targets.iter().zip(values) {
            let to = before.of[j as usize];
            if to != from {
                ways.push((from, to, j, value / leave));
            }
        }
    }
    control.check()?;
    ways.sort_by_key(|&(from, to, ..)| (from, to));
    for of_one in ways.chunk_by(|a, b| a.0 == b.0) {
        let out: f64 = of_one.iter().map(|way| way.3).sum();
        if out < SELDOM {
            continue;
        }
        let mut best = (0.0, of_one[0].2);
        for of_pair in of_one.chunk_by(|a, b| a.1 == b.1) {
            let share: f64 = of_pair.iter().map(|way| way.3).sum();
            if share > best.0 {
                best = (share, of_pair[0].2);
            }
        }
        let Some(member) = before.of.iter().position(|&set| set == of_one[0].0) else { continue };
        groups.join(member as u32, best.1);
    }
    Ok(())
}

/// Groups of states that were joined (union by index, paths halved).
struct Groups(Vec<u32>);

impl Groups {
    fn new(n: usize) -> Result<Self> {
        let mut parents = room(n)?;
        parents.extend(0..n as u32);
        Ok(Self(parents))
    }

    fn root(&mut self, mut state: u32) -> u32 {
        while self.0[state as usize] != state {
            self.0[state as usize] = self.0[self.0[state as usize] as usize];
            state = self.0[state as usize];
        }
        state
    }

    fn join(&mut self, a: u32, b: u32) {
        let (a, b) = (self.root(a), self.root(b));
        self.0[a.max(b) as usize] = a.min(b);
    }

    /// The groups, numbered in the order of their first states.
    fn sets(&mut self) -> Result<Sets> {
        let mut of: Vec<u32> = room(self.0.len())?;
        let mut n = 0;
        for state in 0..self.0.len() as u32 {
            // The root is the least state of a group, hence numbered already.
            let root = self.root(state);
            of.push(if root == state { n } else { of[root as usize] });
            n += u32::from(root == state);
        }
        Ok(Sets { of, n: n as usize })
    }
}
