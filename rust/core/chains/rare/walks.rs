//! Many walks in flight, each replaced by another when it ends; and plain walks, which are counted.

use super::{Problem, Result, Status};
use crate::chains::alias::Tables;
use crate::chains::ring::{LANES, Ring};
use crate::chains::starts::Walker;
use crate::random::{self, Seed};
use crate::run::{Control, map_items};

/// Rounds of the ring between two looks at the stop flag.
const CHECKED: u64 = 1024;

/// Walks of a unit of work, and the largest number of units.
const BLOCK: u64 = 4096;
const MOST_BLOCKS: u64 = 1 << 16;

/// Which walks are to be taken, and what becomes of them.
pub(super) trait Errand {
    /// The next walk, to go on in `lane`; `None` when there is none left. A walk that has already ended is no walk.
    fn begin(&mut self, lane: usize) -> Option<Walker>;
    /// Whether the walk in `lane`, which has just come to `state`, ends here.
    fn visit(&mut self, lane: usize, state: u32) -> bool;
}

/// Walks until there is nothing left to begin; the number of steps. For many walks: at the end lanes stand idle.
pub(super) fn drive(ring: &mut Ring<'_>, walks: &mut impl Errand, control: &Control) -> Result<u64> {
    let mut live = Vec::with_capacity(LANES);
    for lane in 0..LANES {
        let Some(walker) = walks.begin(lane) else { break };
        ring.place(lane, walker);
        live.push(lane);
    }
    let (mut steps, mut rounds) = (0, 0u64);
    while !live.is_empty() {
        rounds += 1;
        if rounds.is_multiple_of(CHECKED) {
            control.check()?;
        }
        ring.step();
        steps += live.len() as u64;
        let mut index = 0;
        while index < live.len() {
            let lane = live[index];
            if walks.visit(lane, ring.states()[lane]) {
                let Some(next) = walks.begin(lane) else {
                    live.swap_remove(index);
                    continue;
                };
                ring.place(lane, next);
            }
            index += 1;
        }
    }
    Ok(steps)
}

/// As [`drive`], for batches of few walks: only those that still go on take steps.
pub(super) fn drive_few(
    tables: Tables<'_>,
    live: &mut Vec<(usize, Walker)>,
    walks: &mut impl Errand,
    control: &Control,
) -> Result<u64> {
    live.clear();
    for lane in 0..LANES {
        let Some(walker) = walks.begin(lane) else { break };
        live.push((lane, walker));
    }
    let (mut steps, mut rounds) = (0, 0u64);
    while !live.is_empty() {
        rounds += 1;
        if rounds.is_multiple_of(CHECKED) {
            control.check()?;
        }
        for (_, walker) in live.iter_mut() {
            walker.state = tables.next(walker.state, random::draw(&mut walker.random));
        }
        steps += live.len() as u64;
        let mut index = 0;
        while index < live.len() {
            let (lane, walker) = &mut live[index];
            if walks.visit(*lane, walker.state) {
                let Some(next) = walks.begin(*lane) else {
                    live.swap_remove(index);
                    continue;
                };
                *walker = next;
            }
            index += 1;
        }
    }
    Ok(steps)
}

/// Plain walks of one block.
struct Plain<'a> {
    problem: &'a Problem<'a>,
    seed: &'a Seed,
    first: u64,
    items: std::ops::Range<u64>,
    max_steps: u64,
    time: [u64; LANES],
    hits: u64,
}

impl Errand for Plain<'_> {
    fn begin(&mut self, lane: usize) -> Option<Walker> {
        loop {
            let item = self.items.next()?;
            let walker = self.problem.starts.walker(self.seed, self.first.wrapping_add(item), 0);
            match self.problem.status(walker.state) {
                Status::Open => {
                    self.time[lane] = 0;
                    return Some(walker);
                }
                status => self.hits += u64::from(status == Status::Won),
            }
        }
    }

    #[inline]
    fn visit(&mut self, lane: usize, state: u32) -> bool {
        self.time[lane] += 1;
        match self.problem.status(state) {
            Status::Open => self.time[lane] >= self.max_steps,
            status => {
                self.hits += u64::from(status == Status::Won);
                true
            }
        }
    }
}

/// Of `n_walks` independent walks, how many arrive within `max_steps`, and the steps of all. Walk `i` is walk `first + i`
/// of `seed`.
pub(super) fn plain(
    problem: &Problem<'_>,
    n_walks: u64,
    max_steps: u64,
    seed: &Seed,
    first: u64,
    control: &Control,
) -> Result<(u64, u64)> {
    let tables = problem.chain.tables(control)?;
    let block = BLOCK.max(n_walks.div_ceil(MOST_BLOCKS));
    let counts = map_items(
        n_walks.div_ceil(block) as usize,
        1,
        control,
        || Ring::new(tables),
        |ring, number| {
            let begin = number as u64 * block;
            let items = begin..n_walks.min(begin + block);
            let mut walks = Plain { problem, seed, first, items, max_steps, time: [0; LANES], hits: 0 };
            let steps = drive(ring, &mut walks, control)?;
            Ok((walks.hits, steps))
        },
    )?;
    Ok(counts.into_iter().fold((0, 0), |sum, counts| (sum.0 + counts.0, sum.1 + counts.1)))
}
