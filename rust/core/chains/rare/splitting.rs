//! Adaptive multilevel splitting: the walks that have come least near the targets are replaced by copies of the others,
//! which go on from where they first came nearer.
//!
//! A replicate keeps N = [`PARTICLES`] walks with their highest level so far. Each round takes as Z the level that at
//! least half of them do not exceed; *all* K walks at Z or below are replaced, ties included, each by a copy of one of
//! the N - K others (drawn uniformly) up to its first state above Z, walked on from there. With no other left the
//! estimate is 0. It ends when Z is the targets' level; the estimate is the product of the (1 - K/N) times the
//! share of walks in the targets. This treatment of ties and of extinction is what makes it unbiased for chains in
//! discrete time, for any function that orders the states (Brehier, Gazeau, Goudenege, Lelievre and Rousset, Annals of
//! Applied Probability 26, 2016; the adaptive levels are those of Cerou and Guyader, Stoch. Anal. Appl. 25, 2007; for
//! splitting in general see Garvels' thesis, Twente 2000, and L'Ecuyer, Demers and Tuffin, ACM TOMACS 17, 2007).
//! The function decides over the variance alone: best is the probability itself.

use super::value::LEAST;
use super::walks::{Errand, drive_few};
use super::{Problem, Result, Status, filled};
use crate::chains::alias::Tables;
use crate::chains::ring::LANES;
use crate::chains::starts::Walker;
use crate::random::{Seed, Stream};
use crate::run::{Control, map_items};
use libm::{floor, log};

/// Walks of a replicate.
pub(super) const PARTICLES: usize = 256;

/// Walks that a round replaces, at least.
const REPLACED: usize = PARTICLES / 2;

/// Levels that are told apart within a factor of e, where they come from an approximate probability; and at most,
/// where they are the caller's.
const LEVELS_PER_E: f64 = 4.0;
const MOST_LEVELS: usize = 1 << 12;

/// Levels of lost and of won states; open ones are between.
const LOST: u32 = 0;
const WON: u32 = u32::MAX;

/// Fills `out` with the estimates of independent replicates; the steps of all. Replicate `i` draws from the streams of
/// child `first + i` of `seed`: its walks in the order in which they begin, and the copies from one more.
pub(super) fn replicates(
    problem: &Problem<'_>,
    value: &[f64],
    levels: Option<&[f64]>,
    seed: &Seed,
    first: u64,
    out: &mut [f64],
    control: &Control,
) -> Result<u64> {
    let levels = ladder(problem, value, levels)?;
    let tables = problem.chain.tables(&Control::new(control.threads()))?;
    let results = map_items(
        out.len(),
        1,
        control,
        || Vec::with_capacity(LANES),
        |live, item| {
            let seed = seed.child(first.wrapping_add(item as u64));
            Replicate::new(problem, &levels, seed).run(tables, live, control)
        },
    )?;
    let mut n_steps = 0;
    for (out, (estimate, steps)) in out.iter_mut().zip(results) {
        *out = estimate;
        n_steps += steps;
    }
    Ok(n_steps)
}

/// A level for each state: ranks of the caller's numbers, or the approximate probability on a scale of logarithms.
fn ladder(problem: &Problem<'_>, value: &[f64], levels: Option<&[f64]>) -> Result<Vec<u32>> {
    let mut out = filled(problem.status.len(), LOST)?;
    for (out, &status) in out.iter_mut().zip(&problem.status) {
        if status == Status::Won {
            *out = WON;
        }
    }
    if let Some(levels) = levels {
        let mut distinct: Vec<f64> = problem.open.iter().map(|&state| levels[state as usize]).collect();
        distinct.sort_by(f64::total_cmp);
        distinct.dedup();
        let step = distinct.len().div_ceil(MOST_LEVELS).max(1);
        for &state in &problem.open {
            let rank = distinct.partition_point(|&level| level < levels[state as usize]);
            out[state as usize] = 1 + (rank / step) as u32;
        }
    } else {
        for &state in &problem.open {
            let height = log(value[state as usize].max(LEAST)) - log(LEAST);
            out[state as usize] = 1 + floor(height * LEVELS_PER_E) as u32;
        }
    }
    Ok(out)
}

/// Where a walk first came to a level.
#[derive(Debug, Clone, Copy)]
struct Ascent {
    level: u32,
    state: u32,
    time: u64,
}

struct Replicate<'a> {
    problem: &'a Problem<'a>,
    levels: &'a [u32],
    seed: Seed,
    copies: Stream,
    /// Of each walk, its ascents: levels rise from one to the next. Empty for a walk that is lost from the start.
    particles: Vec<Vec<Ascent>>,
    /// Walks to be taken up, last first, and their streams.
    waiting: Vec<usize>,
    begun: u64,
    lanes: [(usize, u64); LANES],
}

impl<'a> Replicate<'a> {
    fn new(problem: &'a Problem<'a>, levels: &'a [u32], seed: Seed) -> Self {
        let copies = seed.stream(u64::MAX);
        let (particles, waiting) = (Vec::with_capacity(PARTICLES), Vec::with_capacity(PARTICLES));
        Self { problem, levels, seed, copies, particles, waiting, begun: 0, lanes: [(0, 0); LANES] }
    }

    fn top(&self, particle: usize) -> u32 {
        self.particles[particle].last().map_or(LOST, |ascent| ascent.level)
    }

    /// Lets a walk go on from its last ascent, unless it has ended there.
    fn wait(&mut self, particle: usize) {
        if let Some(&Ascent { level, time, .. }) = self.particles[particle].last()
            && level != WON
            && time < self.problem.max_steps
        {
            self.waiting.push(particle);
        }
    }

    /// The estimate and the number of steps.
    fn run(mut self, tables: Tables<'_>, live: &mut Vec<(usize, Walker)>, control: &Control) -> Result<(f64, u64)> {
        for _ in 0..PARTICLES {
            // With a law, the start is drawn from the walk's stream; its steps have another.
            let state = self.problem.starts.walker(&self.seed, self.begun, 0).state;
            self.begun += 1;
            let level = self.levels[state as usize];
            let ascent = Ascent { level, state, time: 0 };
            self.particles.push(if level == LOST { Vec::new() } else { vec![ascent] });
        }
        (0..PARTICLES).rev().for_each(|particle| self.wait(particle));
        let (mut estimate, mut steps) = (1.0, drive_few(tables, live, &mut self, control)?);
        loop {
            let tops: Vec<u32> = (0..PARTICLES).map(|particle| self.top(particle)).collect();
            let mut sorted = tops.clone();
            let (_, &mut level, _) = sorted.select_nth_unstable(REPLACED - 1);
            if level == WON {
                let won = tops.iter().filter(|&&top| top == WON).count();
                return Ok((estimate * won as f64 / PARTICLES as f64, steps));
            }
            let others: Vec<usize> = (0..PARTICLES).filter(|&particle| tops[particle] > level).collect();
            if others.is_empty() {
                return Ok((0.0, steps));
            }
            estimate *= others.len() as f64 / PARTICLES as f64;
            for particle in (0..PARTICLES).filter(|&particle| tops[particle] <= level) {
                let parent = &self.particles[others[self.copies.below(others.len() as u64) as usize]];
                // Levels rise from round to round: what lies below is not asked for again.
                let above = parent[parent.partition_point(|ascent| ascent.level <= level)];
                self.particles[particle].clear();
                self.particles[particle].push(above);
            }
            (0..PARTICLES).rev().filter(|&particle| tops[particle] <= level).for_each(|particle| self.wait(particle));
            steps += drive_few(tables, live, &mut self, control)?;
            control.check()?;
        }
    }
}

impl Errand for Replicate<'_> {
    fn begin(&mut self, lane: usize) -> Option<Walker> {
        let particle = self.waiting.pop()?;
        let random = self.seed.state(self.begun);
        self.begun += 1;
        let &Ascent { state, time, .. } = self.particles[particle].last()?;
        self.lanes[lane] = (particle, time);
        Some(Walker { random, state })
    }

    #[inline]
    fn visit(&mut self, lane: usize, state: u32) -> bool {
        let (particle, time) = &mut self.lanes[lane];
        *time += 1;
        let level = self.levels[state as usize];
        if level == LOST {
            return true;
        }
        let path = &mut self.particles[*particle];
        if path.last().is_none_or(|ascent| ascent.level < level) {
            path.push(Ascent { level, state, time: *time });
        }
        level == WON || *time >= self.problem.max_steps
    }
}
