//! Mazes of rooms with locked doors: keys are carried one at a time, so that they must be fetched in the right order.

mod generator;
pub mod maze;
mod plan;
mod space;
#[cfg(test)]
mod tests;

use super::reasoning::Answer;
use super::synthetic::mix;
use super::{Problem, Reasoning};
use crate::error::{Result, invalid};
use crate::random::{Seed, Stream};
use crate::run::{Control, map_items};
use maze::{LONGEST, MOST_KEYS, Maze};
pub use plan::Failure;
use space::{Row, Scratch, Space};
use std::sync::OnceLock;

/// Worlds that a maze may have: the table of their numbers takes four bytes each.
const MOST_WORLDS: usize = 1 << 24;

/// Worlds of all mazes together; one takes about 50 bytes.
const MOST_IN_ALL: usize = 1 << 23;

/// Instances at most, and steps.
const MOST_INSTANCES: usize = 1 << 20;
const MOST_STEPS: u32 = (1 << 16) - 1;

/// Instances that are made between two looks at their size.
const TOGETHER: usize = 64;

/// Probabilities of success that are kept of one instance at most, 16 MB, and of all.
const MOST_EXACT: usize = 1 << 21;
const MOST_EXACT_IN_ALL: usize = 1 << 26;

/// What mazes there are, and how the agent walks in them.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameters<'a> {
    /// Rows of rooms, 1 to 10.
    pub rows: usize,
    /// Columns of rooms, 1 to 10; at least two rooms.
    pub columns: usize,
    /// Locked doors, each with a key of its own colour; 0 to 6, and fewer than rooms.
    pub n_keys: usize,
    /// Number of mazes.
    pub n_instances: usize,
    /// Of each policy, the problem's own first: see [`KeysMaze`].
    pub greed: &'a [f64],
    /// Steps after which a walk is cut off; twice the longest of the shortest plans by default.
    pub max_steps: Option<u32>,
}

/// Keys-finding mazes: the agent goes from room to room, opens locked doors with keys of their colour, and carries one
/// key at a time.
///
/// An action goes to a next room through an open door, opens the door of the room whose key is in hand (the key stays in
/// it), or takes a key of the room and puts down there the one in hand. A state is terminal at the goal, which is worth
/// 1, and when no steps are left, worth 0. The value of any other state is the outcome of a walk of policy 0.
///
/// The policy of greed g takes, with probability g, an action on a shortest way to the goal, else any action; each with
/// equal probability. Its walk takes one draw a step: below g it chooses among the best actions, in order, with what the
/// draw is of g; else among all, with what it is beyond g of 1 - g.
///
/// The only answer is that the goal was reached, and it is right: a vote on a maze is right as soon as one walk is.
#[derive(Debug)]
pub struct KeysMaze {
    instances: Vec<Instance>,
    greed: Vec<f64>,
    max_steps: u16,
    tokens_per_step: f64,
    exact: bool,
    /// A hash of all that the mazes follow from.
    mark: u32,
}

#[derive(Debug)]
struct Instance {
    maze: Maze,
    space: Space,
    /// The probability of success of policy 0, worlds side by side, from 0 steps left on; made when it is asked for.
    success: OnceLock<Vec<f64>>,
}

/// A world of an instance, and the steps that are left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Position {
    /// The problem it belongs to.
    mark: u32,
    instance: u32,
    world: u32,
    left: u16,
}

impl KeysMaze {
    /// Random mazes: number i is drawn from stream `first + i` of `seed`.
    ///
    /// Cost: the worlds of all mazes, a few hundred each for three rows, three columns and three keys; some 0.1
    /// microseconds and 50 bytes a world.
    ///
    /// # Errors
    /// Parameters out of range, or so many that the worlds would not fit; [`Error::Memory`](crate::Error::Memory),
    /// [`Error::Interrupted`](crate::Error::Interrupted).
    pub fn new(parameters: &Parameters<'_>, seed: &Seed, first: u64, control: &Control) -> Result<Self> {
        let &Parameters { rows, columns, n_keys, n_instances, greed, max_steps } = parameters;
        let bound = checked(parameters)?;
        let mut instances: Vec<Instance> = Vec::new();
        let mut n_worlds = 0;
        while instances.len() < n_instances {
            let begin = instances.len();
            let n = TOGETHER.min(n_instances - begin);
            let scratch = || Scratch::new(bound);
            instances.extend(map_items(n, 1, control, scratch, |scratch, i| {
                let scratch = scratch.as_mut().map_err(|error| error.clone())?;
                let mut stream = seed.stream(first.wrapping_add((begin + i) as u64));
                let maze = generator::generate(rows, columns, n_keys, &mut stream);
                let space = Space::new(&maze, scratch, control)?;
                Ok(Instance { maze, space, success: OnceLock::new() })
            })?);
            n_worlds += instances[begin..].iter().map(|instance| instance.space.rows.len()).sum::<usize>();
            if n_worlds > MOST_IN_ALL {
                let rule =
                    format!("have at most {MOST_IN_ALL} worlds in all; the first {} mazes have", instances.len());
                return Err(invalid("n_instances", &[], n_instances, format!("{rule} {n_worlds}")));
            }
        }
        let longest = instances.iter().map(|instance| u32::from(instance.space.rows[0].distance)).max();
        let max_steps = max_steps.unwrap_or((2 * longest.unwrap_or(1)).min(MOST_STEPS)) as u16;
        let largest = instances.iter().map(|instance| instance.space.rows.len()).max().unwrap_or(0);
        let table = usize::from(max_steps) + 1;
        let exact = largest * table <= MOST_EXACT && n_worlds.saturating_mul(table) <= MOST_EXACT_IN_ALL;
        let sizes = [rows, columns, n_keys, n_instances, usize::from(max_steps)].map(|size| size as u64);
        let traits = sizes.into_iter().chain(greed.iter().map(|greed| greed.to_bits()));
        let mark = traits.fold(seed.stream(first).next_u64(), |mark, number| mix(mark ^ number)) as u32;
        let mut maze = Self { instances, greed: greed.to_vec(), max_steps, tokens_per_step: 0.0, exact, mark };
        let (mut n_words, mut n_steps) = (0, 0);
        for i in 0..n_instances as u64 {
            let plan = maze.solve(&maze.root(i));
            n_words += plan.iter().map(|action| action.split(' ').count()).sum::<usize>();
            n_steps += plan.len();
        }
        maze.tokens_per_step = n_words as f64 / n_steps as f64;
        Ok(maze)
    }

    /// The maze of instance `instance`, counted round.
    pub fn maze(&self, instance: u64) -> &Maze {
        &self.instances[(instance % self.instances.len() as u64) as usize].maze
    }

    /// Worlds that instance `instance`, counted round, can come to.
    pub fn n_worlds(&self, instance: u64) -> usize {
        self.instances[(instance % self.instances.len() as u64) as usize].space.rows.len()
    }

    fn row(&self, position: &Position) -> &Row {
        &self.instances[position.instance as usize].space.rows[position.world as usize]
    }

    /// Takes a step of the policy of greed `greed`, and returns the action.
    #[inline]
    fn wander(&self, position: &mut Position, greed: f64, stream: &mut Stream) -> u32 {
        let space = &self.instances[position.instance as usize].space;
        let row = &space.rows[position.world as usize];
        let uniform = stream.uniform();
        let action = if uniform < greed {
            let n_best = row.best.count_ones();
            let mut best = row.best;
            for _ in 0..((uniform / greed * f64::from(n_best)) as u32).min(n_best - 1) {
                best &= best - 1;
            }
            best.trailing_zeros()
        } else {
            let n_actions = u32::from(row.n_actions);
            (((uniform - greed) / (1.0 - greed) * f64::from(n_actions)) as u32).min(n_actions - 1)
        };
        position.world = space.targets(position.world as usize)[action as usize];
        position.left -= 1;
        action
    }

    fn probabilities(&self, position: &Position, greed: f64, mut push: impl FnMut(f64)) {
        let row = self.row(position);
        if position.left > 0 {
            let (any, best) = shares(row, greed);
            for action in 0..row.n_actions {
                push(if row.best >> action & 1 == 1 { any + best } else { any });
            }
        }
    }

    fn success(&self, instance: usize) -> &[f64] {
        let Instance { space, success, .. } = &self.instances[instance];
        success.get_or_init(|| {
            let n = space.rows.len();
            let mut table = Vec::with_capacity(n * (usize::from(self.max_steps) + 1));
            table.extend(space.rows.iter().map(|row| f64::from(u8::from(row.n_actions == 0))));
            for left in 1..=usize::from(self.max_steps) {
                for (number, row) in space.rows.iter().enumerate() {
                    if row.n_actions == 0 || usize::from(row.distance) > left {
                        table.push(f64::from(u8::from(row.n_actions == 0)));
                        continue;
                    }
                    let (any, best) = shares(row, self.greed[0]);
                    let before = &table[(left - 1) * n..left * n];
                    let (mut all, mut nearer) = (0.0, 0.0);
                    for (action, &target) in space.targets(number).iter().enumerate() {
                        let probability = before[target as usize];
                        all += probability;
                        nearer += if row.best >> action & 1 == 1 { probability } else { 0.0 };
                    }
                    table.push((any * all + best * nearer).min(1.0));
                }
            }
            table
        })
    }
}

/// The probability of any action, and what is added to it for one on a shortest way.
#[inline]
fn shares(row: &Row, greed: f64) -> (f64, f64) {
    ((1.0 - greed) / f64::from(row.n_actions), greed / f64::from(row.best.count_ones()))
}

/// Refuses parameters that are out of range; what [`Maze::index`] is below for the others.
fn checked(parameters: &Parameters<'_>) -> Result<usize> {
    let &Parameters { rows, columns, n_keys, n_instances, greed, max_steps } = parameters;
    for (argument, value) in [("rows", rows), ("columns", columns)] {
        if !(1..=LONGEST).contains(&value) {
            return Err(invalid(argument, &[], value, format!("be from 1 to {LONGEST}")));
        }
    }
    let rooms = rows * columns;
    if rooms < 2 {
        return Err(invalid("columns", &[], columns, "make at least two rooms"));
    }
    let most = MOST_KEYS.min(rooms - 1);
    if n_keys > most {
        return Err(invalid("n_keys", &[], n_keys, format!("be at most {most}, for {rooms} rooms")));
    }
    if !(1..=MOST_INSTANCES).contains(&n_instances) {
        return Err(invalid("n_instances", &[], n_instances, format!("be from 1 to {MOST_INSTANCES}")));
    }
    if greed.is_empty() {
        return Err(invalid("greed", &[], "", "have at least one number"));
    }
    if let Some(i) = greed.iter().position(|g| !(0.0..=1.0).contains(g)) {
        return Err(invalid("greed", &[i], greed[i], "be from 0 to 1"));
    }
    if let Some(steps) = max_steps.filter(|steps| !(1..=MOST_STEPS).contains(steps)) {
        return Err(invalid("max_steps", &[], steps, format!("be from 1 to {MOST_STEPS}")));
    }
    maze::index_bound(rooms, n_keys, MOST_WORLDS)
}

impl Problem for KeysMaze {
    type State = Position;

    fn root(&self, tree: u64) -> Position {
        let instance = (tree % self.instances.len() as u64) as u32;
        Position { mark: self.mark, instance, world: 0, left: self.max_steps }
    }

    #[inline]
    fn n_actions(&self, state: &Position) -> u32 {
        if state.left == 0 { 0 } else { self.row(state).n_actions.into() }
    }

    #[inline]
    fn step(&self, state: &mut Position, action: u32) -> f64 {
        let space = &self.instances[state.instance as usize].space;
        state.world = space.targets(state.world as usize)[action as usize];
        state.left -= 1;
        0.0
    }

    fn value(&self, state: &Position, stream: &mut Stream) -> f64 {
        let mut state = *state;
        while self.n_actions(&state) > 0 {
            self.wander(&mut state, self.greed[0], stream);
        }
        f64::from(u8::from(self.is_correct(&state)))
    }

    fn max_depth(&self) -> Option<u32> {
        Some(self.max_steps.into())
    }

    fn priors(&self, state: &Position, priors: &mut Vec<f32>) {
        self.probabilities(state, self.greed[0], |probability| priors.push(probability as f32));
    }

    fn key(&self, state: &Position) -> Option<u64> {
        Some(u64::from(state.instance) << 40 | u64::from(state.world) << 16 | u64::from(state.left))
    }

    fn owns(&self, state: &Position) -> bool {
        state.mark == self.mark
    }

    fn describe(&self, state: &Position) -> String {
        let instance = &self.instances[state.instance as usize];
        let steps = if state.left == 1 { "step" } else { "steps" };
        let world = instance.space.worlds[state.world as usize];
        format!("{}, {} {steps} left", instance.maze.draw(world), state.left)
    }

    fn describe_action(&self, state: &Position, action: u32) -> String {
        let instance = &self.instances[state.instance as usize];
        let world = instance.space.worlds[state.world as usize];
        let chosen = instance.maze.actions(world).nth(action as usize);
        chosen.map_or_else(|| action.to_string(), |chosen| chosen.to_string())
    }
}

impl Reasoning for KeysMaze {
    fn n_instances(&self) -> u64 {
        self.instances.len() as u64
    }

    fn max_steps(&self) -> u32 {
        self.max_steps.into()
    }

    fn n_experts(&self) -> u32 {
        self.greed.len() as u32
    }

    fn policy(&self, state: &Position, expert: u32, probabilities: &mut Vec<f64>) {
        self.probabilities(state, self.greed[expert as usize], |probability| probabilities.push(probability));
    }

    #[inline]
    fn walk(&self, state: &mut Position, expert: u32, stream: &mut Stream, _scratch: &mut Vec<f64>) -> u32 {
        self.wander(state, self.greed[expert as usize], stream)
    }

    fn answer(&self, state: &Position) -> Option<u64> {
        self.is_correct(state).then_some(0)
    }

    fn is_correct(&self, state: &Position) -> bool {
        self.row(state).n_actions == 0
    }

    /// By dynamic programming over the worlds and the steps left, where that table is small enough.
    fn success_probability(&self, state: &Position) -> Option<f64> {
        let instance = state.instance as usize;
        let place = usize::from(state.left) * self.instances[instance].space.rows.len() + state.world as usize;
        self.exact.then(|| self.success(instance)[place])
    }

    fn answer_law(&self, state: &Position) -> Option<Vec<Answer>> {
        let probability = self.success_probability(state)?;
        let reached = Answer { answer: Some(0), probability, is_correct: true };
        let cut_off = Answer { answer: None, probability: 1.0 - probability, is_correct: false };
        Some(vec![reached, cut_off])
    }

    /// Words of a step of the shortest plans, on average.
    fn tokens_per_step(&self) -> f64 {
        self.tokens_per_step
    }
}
