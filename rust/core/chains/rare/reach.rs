//! What reachability alone settles: which states can still reach the targets, and which cannot miss them.

use super::{MarkovChain, Result, Starts, filled, invalid};
use crate::chains::matrix::sum;
use crate::run::Control;

/// States between two looks at the stop flag.
const CHECKED: usize = 4096;

/// What a walk in a state has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Status {
    /// It will not reach the targets; or no walk comes here.
    Lost,
    /// Both ends are possible.
    Open,
    /// It has reached the targets, or will for certain.
    Won,
}

/// Where walks begin.
#[derive(Debug, Clone, Copy)]
pub enum Start<'a> {
    /// At a state.
    State(u32),
    /// At a state drawn with these probabilities.
    Law(&'a [f64]),
}

/// The probability that a walk reaches `targets`, before it comes to `avoid` and within so many steps.
#[derive(Debug)]
pub struct Problem<'a> {
    pub(super) chain: &'a MarkovChain,
    pub(super) starts: Starts<'a>,
    /// States with their probabilities at the start.
    pub(super) law: Vec<(u32, f64)>,
    pub(super) status: Vec<Status>,
    /// The open states that walks may come to, those nearest to the targets first.
    pub(super) open: Vec<u32>,
    pub(super) max_steps: u64,
}

impl<'a> Problem<'a> {
    /// The problem of walks that begin at `start`, with or without a limit to their steps. Cost: O(transitions) within
    /// reach, four times; 4 bytes for each of them and 11 a state, and 8 more a state within reach.
    ///
    /// # Errors
    /// No target, a state that the chain does not have, a state that is both target and to be avoided, a start that
    /// is no state or no law, [`Error::Memory`](crate::Error::Memory), [`Error::Interrupted`](crate::Error::Interrupted).
    pub fn new(
        chain: &'a MarkovChain,
        targets: &[u32],
        avoid: &[u32],
        start: Start<'_>,
        max_steps: Option<u64>,
        control: &Control,
    ) -> Result<Self> {
        let n_states = chain.n_states();
        let (starts, law) = match start {
            Start::State(state) => (Starts::one(state, n_states)?, vec![(state, 1.0)]),
            Start::Law(distribution) => {
                let starts = Starts::law(distribution, n_states)?;
                let whole = sum(distribution.iter().copied());
                let states = (0..n_states as u32).zip(distribution).filter(|&(_, &p)| p > 0.0);
                (starts, states.map(|(state, &p)| (state, p / whole)).collect())
            }
        };
        let mut marks = filled(n_states, Mark::Unseen)?;
        if targets.is_empty() {
            return Err(invalid("targets", &[], "", "not be empty"));
        }
        mark("targets", targets, Mark::Target, &mut marks)?;
        mark("avoid", avoid, Mark::Avoid, &mut marks)?;
        let reached = forward(chain, &law, &mut marks, control)?;
        let back = Back::new(chain, &reached, control)?;
        let within = max_steps.unwrap_or(u64::MAX);
        let mut status = filled(n_states, Status::Lost)?;
        let mut targets = targets.to_vec();
        targets.sort_unstable();
        targets.dedup();
        for &target in &targets {
            status[target as usize] = Status::Won;
        }
        let mut open = back.spread(&targets, within, control, |state| {
            let fresh = status[state as usize] == Status::Lost && marks[state as usize] == Mark::Seen;
            if fresh {
                status[state as usize] = Status::Open;
            }
            fresh
        })?;
        if max_steps.is_none() {
            // What cannot come to a lost state will reach the targets: the chain is finite.
            let mut lost: Vec<u32> = avoid.to_vec();
            lost.extend(reached.iter().filter(|&&state| status[state as usize] == Status::Lost));
            let mut doubtful = filled(n_states, false)?;
            back.spread(&lost, u64::MAX, control, |state| {
                let fresh = status[state as usize] == Status::Open && !doubtful[state as usize];
                doubtful[state as usize] |= fresh;
                fresh
            })?;
            open.retain(|&state| {
                if !doubtful[state as usize] {
                    status[state as usize] = Status::Won;
                }
                doubtful[state as usize]
            });
        }
        Ok(Self { chain, starts, law, status, open, max_steps: within })
    }

    /// The probability, where no walk need be drawn for it.
    pub fn known(&self) -> Option<f64> {
        let share = |wanted| sum(self.law.iter().filter(|&&(state, _)| self.status(state) == wanted).map(|&(_, p)| p));
        if self.law.iter().any(|&(state, _)| self.status(state) == Status::Open) {
            return None;
        }
        Some(if self.law.iter().all(|&(state, _)| self.status(state) == Status::Won) {
            1.0
        } else {
            share(Status::Won)
        })
    }

    #[inline]
    pub(super) fn status(&self, state: u32) -> Status {
        self.status[state as usize]
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    Unseen,
    Seen,
    Target,
    Avoid,
}

fn mark(argument: &str, states: &[u32], with: Mark, marks: &mut [Mark]) -> Result<()> {
    let n_states = marks.len();
    for (index, &state) in states.iter().enumerate() {
        match marks.get_mut(state as usize) {
            None => {
                return Err(invalid(argument, &[index], state, format!("be below the number of states, {n_states}")));
            }
            Some(mark) if *mark == Mark::Unseen || *mark == with => *mark = with,
            Some(_) => return Err(invalid(argument, &[index], state, "not be one of the targets")),
        }
    }
    Ok(())
}

/// The states that walks may come to before they end, but for those in which they do.
fn forward(chain: &MarkovChain, law: &[(u32, f64)], marks: &mut [Mark], control: &Control) -> Result<Vec<u32>> {
    let mut reached = Vec::new();
    let mut see = |state: u32, reached: &mut Vec<u32>| {
        if marks[state as usize] == Mark::Unseen {
            marks[state as usize] = Mark::Seen;
            reached.push(state);
        }
    };
    for &(state, _) in law {
        see(state, &mut reached);
    }
    let mut next = 0;
    while next < reached.len() {
        if next.is_multiple_of(CHECKED) {
            control.check()?;
        }
        for &target in chain.row(reached[next]).targets {
            see(target, &mut reached);
        }
        next += 1;
    }
    Ok(reached)
}

/// From where each state is reached in a step, among the states that walks come to.
struct Back {
    begins: Vec<u64>,
    sources: Vec<u32>,
}

impl Back {
    fn new(chain: &MarkovChain, reached: &[u32], control: &Control) -> Result<Self> {
        let mut begins = filled(chain.n_states() + 1, 0u64)?;
        for (number, &state) in reached.iter().enumerate() {
            if number.is_multiple_of(CHECKED) {
                control.check()?;
            }
            for &target in chain.row(state).targets {
                begins[target as usize] += 1;
            }
        }
        let mut end = 0;
        for begin in &mut begins {
            end += *begin;
            *begin = end;
        }
        let mut sources = filled(end as usize, 0u32)?;
        for (number, &state) in reached.iter().enumerate() {
            if number.is_multiple_of(CHECKED) {
                control.check()?;
            }
            for &target in chain.row(state).targets {
                let place = &mut begins[target as usize];
                *place -= 1;
                sources[*place as usize] = state;
            }
        }
        Ok(Self { begins, sources })
    }

    /// The states for which `take` first says so, in order of their distance from `from`, up to the distance `within`.
    fn spread(
        &self,
        from: &[u32],
        within: u64,
        control: &Control,
        mut take: impl FnMut(u32) -> bool,
    ) -> Result<Vec<u32>> {
        let mut taken: Vec<u32> = Vec::new();
        let sources = |state: u32| {
            let (begin, end) = (self.begins[state as usize], self.begins[state as usize + 1]);
            &self.sources[begin as usize..end as usize]
        };
        if within > 0 {
            for &state in from {
                taken.extend(sources(state).iter().filter(|&&source| take(source)));
            }
        }
        let (mut distance, mut layer) = (1, 0..taken.len());
        while distance < within && !layer.is_empty() {
            for (number, index) in layer.clone().enumerate() {
                if number.is_multiple_of(CHECKED) {
                    control.check()?;
                }
                let state = taken[index];
                taken.extend(sources(state).iter().filter(|&&source| take(source)));
            }
            (distance, layer) = (distance + 1, layer.end..taken.len());
        }
        Ok(taken)
    }
}
