//! Where a walk need not step: states and sets that it seldom leaves, from which it jumps straight to the next state.

use super::counts::geometric;
use super::exits::{Exit, Exits, Path};
use super::sets::{Components, StateSet};
use crate::chains::alias::{self, Slot};
use crate::chains::matrix::{MarkovChain, Row, sum};
use crate::error::{Error, Result, invalid};
use crate::random;
use crate::run::Control;

/// Stays from this mean on are jumped: the logarithms of a jump cost as much as about so many steps.
const LONG_STAY: f64 = 64.0;

/// Steps that take as long as one split of the transitions of a path, and as long as a jump without any.
const STEPS_A_SPLIT: f64 = 50.0;
const STEPS_A_JUMP: f64 = 200.0;

/// States of a set that is found, or given.
const LARGEST_FOUND: usize = 256;
const LARGEST_GIVEN: usize = 1024;

/// Bytes of factors of the sets that are found, together; the states that come later are stepped through.
const MOST_FOUND: usize = 256 << 20;

/// A transition that is more probable than this does not separate sets.
const STRONG: f64 = 0.05;

/// In chains of more transitions sets are not looked for: the search takes some 30 ns for each.
const SEARCHED: usize = 1 << 22;

/// Cubes of the sizes of the sets that are tried, together: some seconds.
const TRIED: usize = 10_000_000_000;

/// Walks of fewer steps than this do not pay for the search for sets.
const BRIEF: u64 = 1000;

const NONE: u32 = u32::MAX;

/// What is jumped.
#[derive(Debug, Clone, Copy)]
pub enum Jumping<'a> {
    /// Nothing: each step is taken.
    Never,
    /// States and sets where it pays, found in the chain.
    Auto,
    /// The sets of states with equal labels; -1 for none.
    Labels(&'a [i64]),
}

/// The states that are left by a jump, and how.
#[derive(Debug)]
pub(super) struct Jumps {
    /// By state: its number among `members`, or [`NONE`]; empty where nothing is jumped.
    member: Vec<u32>,
    members: Vec<Member>,
    sets: Vec<Set>,
    /// For each member the tables over what it leads to outside its set.
    slots: Vec<Slot>,
}

#[derive(Debug, Clone, Copy)]
struct Member {
    set: u32,
    place: u32,
    begin: usize,
    length: usize,
}

#[derive(Debug)]
enum Set {
    /// One state, with the probabilities of leaving it and of staying.
    State { leave: f64, stay: f64 },
    /// Several; the place of each within the factors is that of its member.
    States(Exits),
}

impl Jumps {
    /// Chooses what to jump over on the way to `targets`, which are part of no set. It depends on the chain, the
    /// targets and `max_steps`, and on nothing else.
    pub(super) fn new(
        chain: &MarkovChain,
        targets: &StateSet,
        jumping: Jumping<'_>,
        max_steps: u64,
        control: &Control,
    ) -> Result<Self> {
        let mut jumps = Self { member: Vec::new(), members: Vec::new(), sets: Vec::new(), slots: Vec::new() };
        match jumping {
            Jumping::Never => {}
            Jumping::Auto => jumps.find(chain, targets, max_steps, control)?,
            Jumping::Labels(labels) => jumps.take(chain, targets, labels, control)?,
        }
        Ok(jumps)
    }

    /// The states that are jumped, added to `set`.
    pub(super) fn mark(&self, set: &mut StateSet) {
        for (state, &member) in (0..).zip(&self.member) {
            if member != NONE {
                set.insert(state);
            }
        }
    }

    fn find(&mut self, chain: &MarkovChain, targets: &StateSet, max_steps: u64, control: &Control) -> Result<()> {
        // Equal probabilities leave no state or set that is seldom left, but those that are never left.
        let others = || (0..chain.n_states() as u32).filter(|&state| !targets.contains(state));
        if !chain.is_uniform() && chain.n_transitions() <= SEARCHED && max_steps >= BRIEF {
            let (mut room, mut tries) = (MOST_FOUND, TRIED);
            let mut components = Components::new(chain);
            let mut rest = vec![(others().collect::<Vec<u32>>(), 0.0)];
            while let Some((states, threshold)) = rest.pop() {
                for part in components.of(&states, threshold, control)? {
                    let n = part.states.len();
                    let fits = n > 1 && n <= LARGEST_FOUND && Exits::bytes(n) <= room && n.pow(3) <= tries;
                    let exits = if fits {
                        tries -= n.pow(3);
                        Some(eliminate(chain, &part.states, control)?)
                    } else {
                        None
                    };
                    let finer = 10.0 * part.least;
                    match exits {
                        Some((order, exits)) if pays(&exits) => {
                            room -= Exits::bytes(n);
                            self.add(chain, &order, Set::States(exits))?;
                        }
                        _ if n > 1 && finer <= STRONG => rest.push((part.states, finer)),
                        _ => {}
                    }
                }
            }
        }
        for state in others() {
            let row = chain.row(state);
            let stays = (row.targets.len() == 1 || !chain.is_uniform())
                && row.targets.binary_search(&state).is_ok_and(|index| row.probability(index) > 0.5);
            if stays && self.member.get(state as usize).is_none_or(|&member| member == NONE) {
                let (leave, stay) = leaving(chain, state);
                if leave * LONG_STAY < 1.0 {
                    self.add(chain, &[state], Set::State { leave, stay })?;
                }
            }
        }
        Ok(())
    }

    fn take(&mut self, chain: &MarkovChain, targets: &StateSet, labels: &[i64], control: &Control) -> Result<()> {
        let n_states = chain.n_states();
        if labels.len() != n_states {
            let rule = format!("have one label for each of the {n_states} states");
            return Err(invalid("jumps", &[], format!("{} labels", labels.len()), rule));
        }
        if let Some(state) = labels.iter().position(|&label| label < -1) {
            return Err(invalid("jumps", &[state], labels[state], "be a label of at least 0, or -1 for none"));
        }
        let labelled = |&state: &u32| labels[state as usize] >= 0 && !targets.contains(state);
        let mut states: Vec<u32> = (0..n_states as u32).filter(labelled).collect();
        states.sort_by_key(|&state| labels[state as usize]);
        for set in states.chunk_by(|&a, &b| labels[a as usize] == labels[b as usize]) {
            if let &[state] = set {
                let (leave, stay) = leaving(chain, state);
                self.add(chain, set, Set::State { leave, stay })?;
                continue;
            }
            if set.len() > LARGEST_GIVEN {
                let rule = format!("have at most {LARGEST_GIVEN} states of one label");
                let found = format!("{} states of label {}", set.len(), labels[set[0] as usize]);
                return Err(invalid("jumps", &[], found, rule));
            }
            let (order, exits) = eliminate(chain, set, control)?;
            self.add(chain, &order, Set::States(exits))?;
        }
        Ok(())
    }

    /// Adds a set whose states are in the order of their places.
    fn add(&mut self, chain: &MarkovChain, states: &[u32], set: Set) -> Result<()> {
        if self.member.is_empty() {
            let n_states = chain.n_states();
            self.member.try_reserve_exact(n_states).map_err(|_| Error::Memory(4 * n_states))?;
            self.member.resize(n_states, NONE);
        }
        for &state in states {
            self.member[state as usize] = self.members.len() as u32;
            self.members.push(Member { set: self.sets.len() as u32, place: 0, begin: 0, length: 0 });
        }
        let from = self.members.len() - states.len();
        let (mut targets, mut probabilities) = (Vec::new(), Vec::new());
        for (place, &state) in states.iter().enumerate() {
            targets.clear();
            probabilities.clear();
            for (target, probability) in chain.row(state).iter() {
                if !(from..from + states.len()).contains(&(self.member[target as usize] as usize)) {
                    targets.push(target);
                    probabilities.push(probability);
                }
            }
            let begin = self.slots.len();
            self.slots.resize(begin + targets.len(), Slot::default());
            let row = Row { targets: &targets, probabilities: &probabilities };
            alias::fill(row, &mut self.slots[begin..], &mut alias::Work::default());
            self.members[from + place] =
                Member { set: self.sets.len() as u32, place: place as u32, begin, length: targets.len() };
        }
        self.sets.push(set);
        Ok(())
    }

    /// From `state`, to the steps until the walk is outside its set, and the state it comes to; `None` if that takes
    /// more than `allowed` steps. From a state that is not jumped: 0 steps.
    pub(super) fn jump(
        &self,
        state: u32,
        allowed: u64,
        random: &mut [u64; 2],
        path: &mut Path,
        control: &Control,
    ) -> Result<Option<(u64, u32)>> {
        let Some(&member) = self.member.get(state as usize).and_then(|&member| self.members.get(member as usize))
        else {
            return Ok(Some((0, state)));
        };
        let exit = match &self.sets[member.set as usize] {
            Set::State { leave, stay } => match geometric(random, *leave, *stay) {
                stays if stays < allowed => Exit::After(stays + 1, 0),
                _ => Exit::Never,
            },
            Set::States(exits) => exits.draw(member.place as usize, allowed, random, path, control)?,
        };
        let Exit::After(steps, place) = exit else { return Ok(None) };
        // The members of a set stand together, in the order of their places.
        let first = self.member[state as usize] as usize - member.place as usize;
        let last = self.members[first + place];
        let product = u128::from(random::draw(random)) * last.length as u128;
        let slot = self.slots[last.begin + (product >> 64) as usize];
        Ok(Some((steps, slot.target(product as u64))))
    }
}

/// Whether a jump costs less than the steps it saves where the walk stays longest. Where it leaves sooner, the jump is
/// as short.
fn pays(exits: &Exits) -> bool {
    exits.longest() > STEPS_A_SPLIT * exits.splits() + STEPS_A_JUMP
}

/// The probabilities of leaving `state` and of staying there.
fn leaving(chain: &MarkovChain, state: u32) -> (f64, f64) {
    let leave = chain.leaving(state);
    let stay = chain.row(state).iter().find(|&(target, _)| target == state).map_or(0.0, |(_, probability)| probability);
    (leave / (leave + stay), stay / (leave + stay))
}

/// The factors of a set, and its states in the order of elimination: at each point one through which the fewest paths
/// lead, so that few transitions arise.
fn eliminate(chain: &MarkovChain, states: &[u32], control: &Control) -> Result<(Vec<u32>, Exits)> {
    let n = states.len();
    let order = order(chain, states, control)?;
    let mut place: Vec<(u32, usize)> = order.iter().copied().zip(0..).collect();
    place.sort_unstable();
    let mut direct = Vec::new();
    direct.try_reserve_exact(n * (n + 1)).map_err(|_| Error::Memory(8 * n * (n + 1)))?;
    direct.resize(n * (n + 1), 0.0);
    for (i, &state) in order.iter().enumerate() {
        let row = chain.row(state);
        let total = sum(row.iter().map(|(_, probability)| probability));
        for (target, probability) in row.iter() {
            let j = place.binary_search_by_key(&target, |&(state, _)| state).map_or(n, |index| place[index].1);
            direct[i * (n + 1) + j] += probability / total;
        }
    }
    Ok((order, Exits::new(direct, n, control)?))
}

/// An order of elimination, by least product of the numbers of transitions in and out.
fn order(chain: &MarkovChain, states: &[u32], control: &Control) -> Result<Vec<u32>> {
    let n = states.len();
    let mut joined = vec![false; n * n];
    for (i, &state) in states.iter().enumerate() {
        for &target in chain.row(state).targets {
            if let Ok(j) = states.binary_search(&target) {
                joined[i * n + j] = i != j;
            }
        }
    }
    let (mut rest, mut order): (Vec<usize>, Vec<u32>) = ((0..n).collect(), Vec::new());
    let mut out: Vec<usize> = joined.chunks(n).map(|row| row.iter().filter(|&&joined| joined).count()).collect();
    let mut into: Vec<usize> = (0..n).map(|j| (0..n).filter(|&i| joined[i * n + j]).count()).collect();
    while !rest.is_empty() {
        control.check()?;
        let best = (0..rest.len()).min_by_key(|&index| into[rest[index]] * out[rest[index]]).unwrap_or(0);
        let k = rest.remove(best);
        order.push(states[k]);
        let after: Vec<usize> = rest.iter().copied().filter(|&j| joined[k * n + j]).collect();
        for &i in &rest {
            if !joined[i * n + k] {
                continue;
            }
            out[i] -= 1;
            for &j in &after {
                if i != j && !joined[i * n + j] {
                    joined[i * n + j] = true;
                    out[i] += 1;
                    into[j] += 1;
                }
            }
        }
        for &j in &after {
            into[j] -= 1;
        }
    }
    Ok(order)
}
