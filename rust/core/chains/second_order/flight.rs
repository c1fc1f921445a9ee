//! Many second-order walks in flight on one thread, each at its own step.
//!
//! A round throws a dart for each walk, looks at where it fell, and if need be asks a Bloom word whether two states are
//! joined. All walks go through each stage together: what is arithmetic is one vector instruction for several of
//! them, what is read next is asked for ahead, and no outcome of a dart is a branch. Only rare events are seen to one by one:
//! the search that follows a Bloom word's maybe, the end of a walk, a step drawn from its whole law.

use super::exact;
use super::joined::Joined;
use super::lanes::{Flight, LANES, ahead, all, product, select};
use super::law::Law;
use super::search::Search;
use crate::chains::alias::Tables;
use crate::chains::matrix::{self, MarkovChain};
use crate::chains::starts::Starts;
use crate::error::Result;
use crate::machine::{Kernel, prefetch};
use crate::random::{Seed, draw};
use crate::run::Control;

/// The previous state of a walk that has made no step.
const NONE: u64 = u64::MAX;

/// Trials after which a step is drawn from its whole law, and as many more as a quarter of what that has to read.
const TRIALS: u64 = 16;

/// Rounds between two looks at the stop flag.
const CHECKED: u32 = 64;

/// 2^63, the height of a cell.
const HEIGHT: f64 = 9_223_372_036_854_775_808.0;

/// Bytes of a chain up to which it is in the nearest caches, and asking for it ahead is in vain.
const NEAR: usize = 1 << 20;

/// What all walks of a call share.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    pub(super) tables: Tables<'a>,
    pub(super) joined: &'a Joined,
    pub(super) law: Law,
    pub(super) starts: &'a Starts<'a>,
    pub(super) seed: &'a Seed,
    pub(super) first: u64,
    /// States of a walk.
    pub(super) width: usize,
}

/// What may have happened to a lane in a round.
const ENDED: u64 = 1;
const MAYBE: u64 = 2;
const SPENT: u64 = 4;

/// The walks `item..` of the call, whose rows are `rows`. `WEIGHTED`: the chain is not uniform. `KNOWN`: it is uniform, and
/// there is a way back for each transition.
pub(super) struct Block<'a, const WEIGHTED: bool, const KNOWN: bool> {
    pub(super) plan: &'a Plan<'a>,
    pub(super) flight: &'a mut Flight,
    pub(super) item: usize,
    pub(super) rows: &'a mut [u32],
    pub(super) control: &'a Control,
}

impl<const WEIGHTED: bool, const KNOWN: bool> Kernel for Block<'_, WEIGHTED, KNOWN> {
    type Output = Result<()>;

    #[inline(always)]
    fn run(self) -> Result<()> {
        let Self { plan, flight, item, rows, control } = self;
        let n_walks = rows.len() / plan.width;
        let chain = plan.tables.chain();
        let mut work = Work::<WEIGHTED, KNOWN> {
            plan,
            chain,
            flight,
            item,
            rows,
            begun: 0,
            n_walks,
            flying: 0,
            far: chain.bytes() > NEAR,
        };
        work.start();
        let mut counted = 0;
        for round in 0u32.. {
            if round % CHECKED == 0 {
                control.check()?;
                let done = work.begun - work.flying;
                control.advance((done - counted) as u64);
                counted = done;
            }
            if work.flying == 0 {
                break;
            }
            work.round(control)?;
        }
        control.advance((n_walks - counted) as u64);
        Ok(())
    }
}

struct Work<'a, const WEIGHTED: bool, const KNOWN: bool> {
    plan: &'a Plan<'a>,
    chain: &'a MarkovChain,
    flight: &'a mut Flight,
    item: usize,
    rows: &'a mut [u32],
    /// Walks of the block that have begun, and that have begun and not ended.
    begun: usize,
    flying: usize,
    n_walks: usize,
    /// Whether to ask for memory ahead.
    far: bool,
}

impl<const WEIGHTED: bool, const KNOWN: bool> Work<'_, WEIGHTED, KNOWN> {
    fn start(&mut self) {
        (self.flight.opening.len, self.flight.searching.len) = (0, 0);
        for lane in 0..LANES {
            self.take(lane);
            // A lane without a walk writes the first state of the first walk over itself.
            if self.flight.tries[lane] == 0 {
                (self.flight.at[lane], self.flight.last[lane]) = (0, 0);
                self.flight.state[lane] = u64::from(self.rows[0]);
            }
        }
    }

    /// Gives `lane` the next walk, if there is one.
    fn take(&mut self, lane: usize) {
        self.flight.tries[lane] = 0;
        self.flight.arrives[lane] = 0;
        while self.begun < self.n_walks {
            let walker = self.plan.starts.walker(self.plan.seed, self.plan.first, self.item + self.begun);
            let at = self.begun * self.plan.width;
            self.rows[at] = walker.state;
            self.begun += 1;
            if self.plan.width == 1 {
                continue;
            }
            let flight = &mut *self.flight;
            [flight.random[0][lane], flight.random[1][lane]] = walker.random;
            (flight.previous[lane], flight.state[lane]) = (NONE, u64::from(walker.state));
            (flight.at[lane], flight.last[lane]) = (at as u64, (at + self.plan.width - 1) as u64);
            (flight.tries[lane], flight.trials[lane], flight.former[lane]) = (u64::MAX, 0, 0);
            (flight.cells[lane], flight.weight[lane], flight.known[lane]) = (0, 0.0, 0);
            prefetch(self.chain.headers(), walker.state as usize);
            self.flying += 1;
            return;
        }
    }

    /// A dart for each lane, and what follows from it.
    #[inline(always)]
    fn round(&mut self, control: &Control) -> Result<()> {
        self.read_rows();
        self.throw();
        self.read_targets();
        self.look();
        self.read_words();
        self.move_on();
        self.write();
        if self.flight.searching.len + self.flight.opening.len > 0 {
            self.search();
        }
        self.see_to_events(control)
    }

    /// Where the rows of the states are.
    #[inline(always)]
    fn read_rows(&mut self) {
        let Flight { state, begin, degree, .. } = &mut *self.flight;
        let headers = self.chain.headers();
        for lane in 0..LANES {
            begin[lane] = headers[state[lane] as usize];
        }
        let mut shortest = u64::MAX;
        for lane in 0..LANES {
            (begin[lane], degree[lane]) = matrix::split(begin[lane]);
            shortest = shortest.min(degree[lane]);
        }
        if shortest == matrix::LONG {
            for lane in 0..LANES {
                degree[lane] = self.chain.span(state[lane] as u32).1 as u64;
            }
        }
    }

    /// Draws, and where they fall.
    #[inline(always)]
    fn throw(&mut self) {
        let Flight {
            random: [random0, random1],
            tries,
            trials,
            begin,
            degree,
            cells,
            place,
            height,
            excess,
            rest,
            weight,
            depth,
            ..
        } = &mut *self.flight;
        for lane in 0..LANES {
            let tries = tries[lane];
            let mut random = [random0[lane], random1[lane]];
            let (cell, low) = product(draw(&mut random), degree[lane] + cells[lane]);
            let (outside, fraction) = if WEIGHTED {
                let unit = (draw(&mut random) >> 11) as f64 * (1.0 / (1u64 << 53) as f64);
                let dart = unit * (1.0 + weight[lane]);
                rest[lane] = low;
                depth[lane] = f64::from_bits(select(tries, (dart - 1.0).to_bits(), depth[lane].to_bits()));
                (all(dart >= 1.0), (dart.min(1.0) * HEIGHT) as u64)
            } else {
                (all(cell >= degree[lane]), low >> 1)
            };
            random0[lane] = select(tries, random[0], random0[lane]);
            random1[lane] = select(tries, random[1], random1[lane]);
            trials[lane] -= tries;
            let inside = if WEIGHTED { tries } else { tries & !outside };
            place[lane] = (begin[lane] + (cell & inside)) & tries;
            height[lane] = fraction;
            excess[lane] = select(tries, outside, excess[lane]);
        }
    }

    /// The targets at the places.
    #[inline(always)]
    fn read_targets(&mut self) {
        let Flight { place, target, rest, .. } = &mut *self.flight;
        if let (true, Some(slots)) = (WEIGHTED, self.plan.tables.slots()) {
            if self.far {
                ahead(slots, place);
            }
            for lane in 0..LANES {
                target[lane] = u64::from(slots[place[lane] as usize].target(rest[lane]));
            }
        } else {
            let targets = self.chain.targets();
            if self.far {
                ahead(targets, place);
            }
            for lane in 0..LANES {
                target[lane] = u64::from(targets[place[lane] as usize]);
            }
        }
    }

    /// Whether the candidates are taken, refused, or asked about, and where.
    #[inline(always)]
    fn look(&mut self) {
        let (law, places) = (self.plan.law, self.plan.joined.places());
        let Flight { previous, tries, degree, height, excess, target, candidate, arrives, asks, word, bits, .. } =
            &mut *self.flight;
        for lane in 0..LANES {
            let (outside, tries) = (excess[lane], tries[lane]);
            let previous = previous[lane];
            let target = select(outside, previous, target[lane]);
            let returns = all(target == previous);
            let below = select(returns, law.back_below, law.least_below);
            let below = if WEIGHTED { below } else { select(outside, law.extra_below, below) };
            let sure = all(degree[lane] == 1) | all(previous == NONE);
            let sure = if WEIGHTED { (sure & !outside) | outside } else { sure & !outside };
            let hit = sure | all(height[lane] < below);
            let ask = !hit & !returns & all(height[lane] < law.most_below) & tries;
            candidate[lane] = select(tries, target, candidate[lane]);
            arrives[lane] = hit & tries;
            asks[lane] = ask;
            let (index, pattern) = places.of(previous, target);
            word[lane] = index & ask;
            bits[lane] = pattern;
        }
    }

    /// The Bloom words that are asked.
    #[inline(always)]
    fn read_words(&mut self) {
        let Flight { word, .. } = &mut *self.flight;
        let words = self.plan.joined.words();
        if self.far {
            ahead(words, word);
        }
        for word in word {
            *word = words[*word as usize];
        }
    }

    /// The candidates that are taken become the states.
    #[inline(always)]
    fn move_on(&mut self) {
        let law = self.plan.law;
        let common_wins = all(law.common_wins());
        let Flight {
            previous,
            state,
            at,
            last,
            tries,
            trials,
            former,
            degree,
            cells,
            excess,
            candidate,
            arrives,
            asks,
            word,
            bits,
            events,
            weight,
            known,
            ..
        } = &mut *self.flight;
        for lane in 0..LANES {
            let maybe = all(word[lane] & bits[lane] == bits[lane]) & asks[lane];
            let arrive = arrives[lane] | (asks[lane] & !maybe & !common_wins);
            let unsure = if KNOWN { 0 } else { arrive & excess[lane] & !known[lane] };
            let arrive = arrive & !unsure;
            previous[lane] = select(arrive, state[lane], previous[lane]);
            state[lane] = select(arrive, candidate[lane], state[lane]);
            at[lane] = at[lane].wrapping_sub(arrive);
            trials[lane] &= !arrive;
            if WEIGHTED {
                weight[lane] = f64::from_bits(select(arrive, law.excess.to_bits(), weight[lane].to_bits()));
            } else {
                cells[lane] = select(arrive, law.cells, cells[lane]);
            }
            if !KNOWN {
                known[lane] &= !arrive;
            }
            arrives[lane] = arrive;
            let ended = arrive & all(at[lane] == last[lane]);
            let spent = tries[lane] & all(trials[lane] >= TRIALS + ((former[lane] + degree[lane]) >> 2));
            former[lane] = select(arrive, degree[lane], former[lane]);
            events[lane] = ((ended & ENDED) | ((maybe | unsure) & MAYBE) | (spent & SPENT)) as u8;
        }
    }

    /// Writes the states down, also those that were written before.
    #[inline(always)]
    fn write(&mut self) {
        let Flight { state, at, .. } = &mut *self.flight;
        let (headers, rows) = (self.chain.headers(), &mut *self.rows);
        for lane in 0..LANES {
            rows[at[lane] as usize] = state[lane] as u32;
        }
        if self.far {
            ahead(headers, state);
        }
    }

    #[inline(always)]
    fn see_to_events(&mut self, control: &Control) -> Result<()> {
        for group in 0..LANES / 8 {
            let mut events = [0; 8];
            events.copy_from_slice(&self.flight.events[group * 8..group * 8 + 8]);
            if u64::from_le_bytes(events) == 0 {
                continue;
            }
            for (index, event) in events.into_iter().enumerate() {
                if event != 0 {
                    self.see_to(group * 8 + index, u64::from(event), control)?;
                }
            }
        }
        Ok(())
    }

    fn see_to(&mut self, lane: usize, event: u64, control: &Control) -> Result<()> {
        let flight = &mut *self.flight;
        if event & ENDED != 0 {
            self.flying -= 1;
            self.take(lane);
        } else if event & MAYBE != 0 {
            flight.tries[lane] = 0;
            flight.opening.push(lane);
            if flight.excess[lane] == 0 {
                prefetch(self.chain.headers(), flight.candidate[lane] as usize);
            }
        } else if flight.trials[lane] >= TRIALS {
            // It has not arrived by a search since.
            control.check()?;
            let mut random = [flight.random[0][lane], flight.random[1][lane]];
            let (previous, state) = (flight.previous[lane] as u32, flight.state[lane] as u32);
            let index = exact::next(self.chain, &self.plan.law, previous, state, draw(&mut random));
            [flight.random[0][lane], flight.random[1][lane]] = random;
            flight.candidate[lane] = u64::from(self.chain.row(state).targets[index]);
            self.arrive(lane);
        }
        Ok(())
    }

    /// The lane takes its candidate for its next state.
    fn arrive(&mut self, lane: usize) {
        let flight = &mut *self.flight;
        flight.previous[lane] = flight.state[lane];
        flight.state[lane] = flight.candidate[lane];
        flight.at[lane] += 1;
        flight.trials[lane] = 0;
        flight.former[lane] = flight.degree[lane];
        flight.cells[lane] = if WEIGHTED { 0 } else { self.plan.law.cells };
        flight.weight[lane] = self.plan.law.excess;
        flight.known[lane] = 0;
        self.rows[flight.at[lane] as usize] = flight.state[lane] as u32;
        prefetch(self.chain.headers(), flight.state[lane] as usize);
        if flight.at[lane] == flight.last[lane] {
            self.flying -= 1;
            self.take(lane);
        }
    }

    /// One read for each lane that searches.
    fn search(&mut self) {
        let targets = self.chain.targets();
        let n_searching = std::mem::take(&mut self.flight.searching.len);
        for index in 0..n_searching {
            let lane = self.flight.searching.get(index);
            if !self.flight.searches[lane].narrow(targets) {
                self.flight.searching.push(lane);
                continue;
            }
            let found = self.flight.searches[lane].find(targets);
            self.flight.tries[lane] = u64::MAX;
            if self.decide(lane, found) {
                self.arrive(lane);
            }
        }
        for index in 0..std::mem::take(&mut self.flight.opening.len) {
            let lane = self.flight.opening.get(index);
            let flight = &mut *self.flight;
            let (previous, candidate) = (flight.previous[lane] as u32, flight.candidate[lane] as u32);
            let (row, key) = if flight.excess[lane] != 0 {
                (self.chain.span(flight.state[lane] as u32), previous)
            } else {
                let (from, to) = (self.chain.span(previous), self.chain.span(candidate));
                let turned = self.plan.joined.symmetric() && to.1 < from.1;
                if turned { (to, previous) } else { (from, candidate) }
            };
            flight.searches[lane] = Search::new(targets, row, key);
            flight.searching.push(lane);
        }
    }

    /// Whether the lane takes its candidate, now that it is clear where the transition in question stands.
    fn decide(&mut self, lane: usize, found: Option<usize>) -> bool {
        let (law, flight) = (&self.plan.law, &mut *self.flight);
        if flight.excess[lane] == 0 {
            return found.is_some() == law.common_wins();
        }
        flight.known[lane] = u64::MAX;
        if !WEIGHTED {
            flight.cells[lane] = if found.is_some() { flight.cells[lane] } else { 0 };
            return found.is_some();
        }
        let probabilities = self.chain.probabilities().unwrap_or_default();
        flight.weight[lane] = found.map_or(0.0, |place| law.excess * probabilities[place]);
        flight.depth[lane] < flight.weight[lane]
    }
}
