//! Simulated hitting times: how long a walk takes to a set of states, and which of them it hits first.
//!
//! Walks step in a ring, many at once; one that is finished is replaced by the next. A walk that comes to a state or a
//! set which it seldom leaves jumps: [`jumps`](self) draw the time it stays, and where it goes then, from their exact
//! joint law (`exits`), so that staying costs nothing. The law of the results is that of stepping.

mod counts;
mod exits;
mod jumps;
mod sets;

pub use jumps::Jumping;
pub use sets::StateSet;

use super::alias::Tables;
use super::matrix::MarkovChain;
use super::ring::{LANES, Ring};
use super::starts::Walker;
use super::walk::check_starts;
use super::watch::Walks;
use crate::error::{Result, invalid};
use crate::run::{Control, fill_blocks};
use exits::Path;
use jumps::Jumps;
use std::sync::OnceLock;

/// The longest walk.
pub const MOST_STEPS: u64 = i64::MAX as u64;

/// The time and the state of a walk that came to no target.
pub const CENSORED: i64 = -1;

/// Steps of the ring between two looks at the stop flag.
const CHECKED: u64 = 1024;

/// Transitions of the chain for each step of the ring after which it is time to find out where the targets are out of
/// reach: the steps have then taken as long as the search.
const PATIENCE: u64 = 8;

/// What the walks of a call share.
struct Job<'a> {
    tables: Tables<'a>,
    walks: &'a Walks<'a>,
    targets: &'a StateSet,
    jumps: &'a Jumps,
    /// States at which a walk does something else than step.
    stops: &'a StateSet,
    hopeless: OnceLock<Hopeless>,
    max_steps: u64,
}

/// What is found out once walks have gone on for long.
struct Hopeless {
    /// States from which no target can be reached.
    lost: StateSet,
    /// These and the other states at which a walk does something else than step.
    stops: StateSet,
}

/// Fills `out`, two numbers for each walk: the steps to the first visit of a state of `targets` (0 if the walk begins
/// in one), and that state; [`CENSORED`] twice if there is none within the `n_steps` of `walks`.
///
/// With [`Jumping::Never`] each step takes one draw, as [`walk`](super::walk::walk) does: the paths are the same. A jump
/// takes one draw to three from a state, and a number that depends on the path from a set. A walk that can come to no
/// target any more is ended when the search for such states costs less than what was walked.
///
/// Cost: 2 ns to 10 ns a step; 50 ns a jump from a state; from a set of n states n^3 / 3 draws of 50 ns where each state
/// leads to each and it stays for long, less where fewer are joined or it leaves soon.
///
/// # Errors
/// If `targets` is a set of another chain, or starts are for another number of walks; if the steps are more than
/// [`MOST_STEPS`]; if labels are not one for each state, or too many are equal;
/// [`Error::Memory`](crate::Error::Memory); [`Error::Interrupted`](crate::Error::Interrupted).
///
/// # Panics
/// If `out` does not have two elements for each walk.
pub fn sample_hitting_times(
    chain: &MarkovChain,
    walks: &Walks<'_>,
    targets: &StateSet,
    jumping: Jumping<'_>,
    out: &mut [i64],
    control: &Control,
) -> Result<()> {
    let (n_walks, max_steps) = (walks.n_walks, walks.n_steps as u64);
    assert_eq!(out.len(), 2 * n_walks, "two numbers for each walk");
    check_starts(&walks.starts, n_walks)?;
    if targets.n_states() != chain.n_states() {
        let rule = format!("be a set of the chain's {} states", chain.n_states());
        return Err(invalid("targets", &[], format!("one of {}", targets.n_states()), rule));
    }
    if max_steps > MOST_STEPS {
        return Err(invalid("max_steps", &[], max_steps, format!("be at most {MOST_STEPS}")));
    }
    let jumps = Jumps::new(chain, targets, jumping, max_steps, control)?;
    let mut stops = targets.clone();
    jumps.mark(&mut stops);
    let tables = chain.tables(control)?;
    control.expect(n_walks as u64);
    let job = Job { tables, walks, targets, jumps: &jumps, stops: &stops, hopeless: OnceLock::new(), max_steps };
    // Large blocks, for at the end of each the ring runs empty; two a thread, for they take different times.
    let block = n_walks.div_ceil(2 * control.threads()).next_multiple_of(LANES).max(4 * LANES);
    fill_blocks(out, 2, block, control, || Flight::new(&job), |flight, item, rows| flight.run(item, rows, control))
}

/// The walks of a block, on one thread.
struct Flight<'a> {
    job: &'a Job<'a>,
    stops: &'a StateSet,
    lost: Option<&'a StateSet>,
    ring: Ring<'a>,
    path: Path,
    /// For each lane the number of its walk within the block.
    walk: [usize; LANES],
    /// The time of the walk less that of the ring, modulo 2^64.
    ahead: [u64; LANES],
    /// The time of the ring at which the walk is censored.
    end: [u64; LANES],
}

impl<'a> Flight<'a> {
    fn new(job: &'a Job<'a>) -> Self {
        let [walk, ahead, end] = [[0; LANES], [0; LANES], [0; LANES]];
        Self {
            job,
            stops: job.stops,
            lost: None,
            ring: Ring::new(job.tables),
            path: Path::default(),
            walk: walk.map(|x| x as usize),
            ahead,
            end,
        }
    }

    /// Walks until all of `rows` are filled; the first of them is that of walk number `item` of the call.
    fn run(&mut self, item: usize, rows: &mut [i64], control: &Control) -> Result<()> {
        let n_walks = rows.len() / 2;
        let (mut now, mut next, mut done, mut counted) = (0, 0, 0, 0);
        let mut width = 0;
        while width < LANES && self.launch(width, now, item, &mut next, rows, &mut done, control)? {
            width += 1;
        }
        let mut earliest = self.earliest(width);
        while width > 0 {
            self.ring.step();
            now += 1;
            if now % CHECKED == 0 {
                control.check()?;
                control.advance((done - counted) as u64);
                counted = done;
                if self.lost.is_none() && now >= self.job.tables.chain().n_transitions() as u64 / PATIENCE {
                    self.despair(control)?;
                    earliest = now;
                }
            }
            if now < earliest && !self.any_stops(width) {
                continue;
            }
            let mut lane = 0;
            while lane < width {
                if now < self.end[lane] && !self.stops.contains(self.ring.states()[lane]) {
                    lane += 1;
                    continue;
                }
                let walker = self.ring.walker(lane);
                let time = now.wrapping_add(self.ahead[lane]);
                if self.settle(lane, now, time, walker, rows, control)? {
                    lane += 1;
                    continue;
                }
                done += 1;
                if self.launch(lane, now, item, &mut next, rows, &mut done, control)? {
                    lane += 1;
                    continue;
                }
                // No walk is left for this lane: the last one moves here, and is looked at next.
                width -= 1;
                if lane < width {
                    self.ring.place(lane, self.ring.walker(width));
                    self.walk[lane] = self.walk[width];
                    self.ahead[lane] = self.ahead[width];
                    self.end[lane] = self.end[width];
                }
                self.ring.narrow(width);
            }
            earliest = self.earliest(width);
        }
        debug_assert_eq!(done, n_walks);
        control.advance((done - counted) as u64);
        Ok(())
    }

    /// Puts the next walk that is not finished where it begins into `lane`; false if there is none left.
    #[allow(clippy::too_many_arguments)]
    fn launch(
        &mut self,
        lane: usize,
        now: u64,
        item: usize,
        next: &mut usize,
        rows: &mut [i64],
        done: &mut usize,
        control: &Control,
    ) -> Result<bool> {
        let walks = self.job.walks;
        while *next < rows.len() / 2 {
            let walker = walks.walker(item + *next);
            self.walk[lane] = *next;
            *next += 1;
            if self.settle(lane, now, 0, walker, rows, control)? {
                return Ok(true);
            }
            *done += 1;
        }
        Ok(false)
    }

    /// Takes a walk that is at `time` through its jumps until it must step, and places it in `lane`; or finishes it and
    /// writes what came of it: false.
    fn settle(
        &mut self,
        lane: usize,
        now: u64,
        mut time: u64,
        mut walker: Walker,
        rows: &mut [i64],
        control: &Control,
    ) -> Result<bool> {
        let job = self.job;
        let row = &mut rows[2 * self.walk[lane]..][..2];
        loop {
            if !self.stops.contains(walker.state) && time < job.max_steps {
                break;
            }
            if job.targets.contains(walker.state) {
                row.copy_from_slice(&[time as i64, i64::from(walker.state)]);
                return Ok(false);
            }
            if time == job.max_steps || self.lost.is_some_and(|lost| lost.contains(walker.state)) {
                row.fill(CENSORED);
                return Ok(false);
            }
            let jump =
                job.jumps.jump(walker.state, job.max_steps - time, &mut walker.random, &mut self.path, control)?;
            let Some((steps, state)) = jump else {
                row.fill(CENSORED);
                return Ok(false);
            };
            (time, walker.state) = (time + steps, state);
            control.check()?;
        }
        self.ahead[lane] = time.wrapping_sub(now);
        self.end[lane] = now + (job.max_steps - time);
        self.ring.place(lane, walker);
        Ok(true)
    }

    /// Finds out from where no target can be reached; walks there are finished.
    fn despair(&mut self, control: &Control) -> Result<()> {
        let job = self.job;
        let known = if let Some(known) = job.hopeless.get() {
            known
        } else {
            let lost = sets::lost(job.tables.chain(), job.targets, control)?;
            let mut stops = job.stops.clone();
            stops.extend(&lost);
            job.hopeless.get_or_init(|| Hopeless { lost, stops })
        };
        (self.stops, self.lost) = (&known.stops, Some(&known.lost));
        Ok(())
    }

    /// Whether one of the first `width` walks is at a state where it does not just step.
    #[inline]
    fn any_stops(&self, width: usize) -> bool {
        self.ring.states()[..width].iter().fold(0, |any, &state| any | self.stops.bit(state)) != 0
    }

    fn earliest(&self, width: usize) -> u64 {
        self.end[..width].iter().copied().min().unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chains::Starts;
    use crate::chains::matrix::Meaning;
    use crate::random::{Seed, draw};

    /// A random chain of `n` states with three transitions each.
    fn chain(n: u32, seed: u64) -> MarkovChain {
        let mut state = Seed::from_u64(seed).state(0);
        let indices: Vec<u32> = (0..3 * n).map(|_| (draw(&mut state) % u64::from(n)) as u32).collect();
        let values: Vec<f64> = (0..3 * n).map(|_| (draw(&mut state) >> 40) as f64 + 1.0).collect();
        let indptr: Vec<i64> = (0..=i64::from(n)).map(|i| 3 * i).collect();
        let meaning = Meaning::Weights(crate::chains::Dangling::Error);
        MarkovChain::from_csr(&indptr, &indices, Some(&values), meaning, &Control::default()).unwrap()
    }

    #[test]
    fn the_ring_gives_what_one_walk_after_another_gives() {
        let (chain, control) = (chain(50, 1), Control::new(3));
        let mut targets = StateSet::new(50);
        targets.insert(3);
        targets.insert(41);
        for (n_walks, n_steps) in [(0, 5), (1, 100), (127, 0), (128, 30), (2000, 60)] {
            let starts: Vec<u32> = (0..n_walks as u32).map(|i| i % 50).collect();
            let seed = Seed::from_u64(9);
            let walks = Walks { starts: Starts::each(&starts, 50).unwrap(), n_walks, n_steps, seed, first: 7 };
            let mut out = vec![0; 2 * n_walks];
            sample_hitting_times(&chain, &walks, &targets, Jumping::Never, &mut out, &control).unwrap();
            let tables = chain.tables(&control).unwrap();
            for (item, pair) in out.chunks(2).enumerate() {
                let Walker { mut random, mut state } = walks.starts.walker(&seed, 7, item);
                let mut time = 0;
                while !targets.contains(state) && time < n_steps {
                    state = tables.next(state, draw(&mut random));
                    time += 1;
                }
                let hit = targets.contains(state);
                let expected = if hit { [time as i64, i64::from(state)] } else { [CENSORED; 2] };
                assert_eq!(pair, expected, "walk {item} of {n_walks}");
            }
        }
    }

    #[test]
    fn wrong_arguments_are_named() {
        let (chain, control) = (chain(5, 2), Control::default());
        let starts = || Starts::one(0, 5).unwrap();
        let walks = |n_steps| Walks { starts: starts(), n_walks: 1, n_steps, seed: Seed::from_u64(1), first: 0 };
        let sample = |n_steps, n_states, jumping: Jumping<'_>| {
            sample_hitting_times(&chain, &walks(n_steps), &StateSet::new(n_states), jumping, &mut [0; 2], &control)
                .unwrap_err()
                .to_string()
        };
        assert_eq!(sample(1, 4, Jumping::Auto), "targets must be a set of the chain's 5 states, got one of 4");
        let found = sample(usize::MAX, 5, Jumping::Auto);
        assert!(found.starts_with("max_steps must be at most 9223372036854775807, got"), "{found}");
        let found = sample(1, 5, Jumping::Labels(&[0; 4]));
        assert_eq!(found, "jumps must have one label for each of the 5 states, got 4 labels");
        let found = sample(1, 5, Jumping::Labels(&[0, 0, -2, 0, 0]));
        assert_eq!(found, "jumps[2] must be a label of at least 0, or -1 for none, got -2");
    }
}
