//! All worlds that a maze can come to, numbered, with what follows each and how far it is from the goal.

use super::maze::{Maze, World};
use crate::error::{Error, Result};
use crate::run::Control;

/// Worlds between two looks at the stop flag.
const CHECKED: usize = 1024;

/// A world that was not found yet.
const NONE: u32 = u32::MAX;

/// What can be done in a world.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    /// Where its targets begin.
    begin: u32,
    /// Number of actions; none at the goal.
    pub(super) n_actions: u16,
    /// A bit for each action on a shortest way to the goal.
    pub(super) best: u16,
    /// Steps of a shortest way.
    pub(super) distance: u16,
}

/// The worlds that can be reached from the root, which is number 0, in the order in which breadth-first search finds
/// them.
#[derive(Debug, Clone)]
pub(super) struct Space {
    pub(super) worlds: Vec<World>,
    pub(super) rows: Vec<Row>,
    targets: Vec<u32>,
}

/// Memory of one thread: a number for each index of a world. All are `NONE` between two searches.
pub(super) struct Scratch(Vec<u32>);

impl Scratch {
    pub(super) fn new(bound: usize) -> Result<Self> {
        let mut numbers = Vec::new();
        numbers.try_reserve_exact(bound).map_err(|_| Error::Memory(bound.saturating_mul(size_of::<u32>())))?;
        numbers.resize(bound, NONE);
        Ok(Self(numbers))
    }
}

impl Space {
    /// Searches forward from the root, and backward from the goal. Cost: some 20 ns a world and action.
    pub(super) fn new(maze: &Maze, scratch: &mut Scratch, control: &Control) -> Result<Self> {
        let mut space = Self { worlds: vec![maze.root()], rows: Vec::new(), targets: Vec::new() };
        let found = space.explore(maze, &mut scratch.0, control);
        for world in &space.worlds {
            scratch.0[maze.index(*world)] = NONE;
        }
        found?;
        space.measure(control)?;
        Ok(space)
    }

    fn explore(&mut self, maze: &Maze, numbers: &mut [u32], control: &Control) -> Result<()> {
        numbers[maze.index(self.worlds[0])] = 0;
        while let Some(&world) = self.worlds.get(self.rows.len()) {
            if self.rows.len().is_multiple_of(CHECKED) {
                control.check()?;
            }
            let begin = self.targets.len();
            if !maze.is_solved(world) {
                for action in maze.actions(world) {
                    let next = maze.after(world, action);
                    let number = &mut numbers[maze.index(next)];
                    if *number == NONE {
                        *number = self.worlds.len() as u32;
                        self.worlds.push(next);
                    }
                    self.targets.push(*number);
                }
            }
            let n_actions = (self.targets.len() - begin) as u16;
            self.rows.push(Row { begin: begin as u32, n_actions, best: 0, distance: u16::MAX });
        }
        Ok(())
    }

    /// Distances to the goal, against the direction of the actions.
    fn measure(&mut self, control: &Control) -> Result<()> {
        let n = self.rows.len();
        let mut ends = vec![0u32; n + 1];
        for &target in &self.targets {
            ends[target as usize] += 1;
        }
        let mut sum = 0;
        for end in &mut ends {
            sum += *end;
            *end = sum;
        }
        let mut sources = vec![0u32; self.targets.len()];
        for source in 0..n {
            for &target in self.targets(source) {
                ends[target as usize] -= 1;
                sources[ends[target as usize] as usize] = source as u32;
            }
        }
        let mut queue: Vec<u32> = (0..n as u32).filter(|&number| self.rows[number as usize].n_actions == 0).collect();
        for &goal in &queue {
            self.rows[goal as usize].distance = 0;
        }
        let mut done = 0;
        while let Some(&number) = queue.get(done) {
            if done.is_multiple_of(CHECKED) {
                control.check()?;
            }
            done += 1;
            let (begin, end) = (ends[number as usize], ends[number as usize + 1]);
            let distance = self.rows[number as usize].distance + 1;
            for &source in &sources[begin as usize..end as usize] {
                let row = &mut self.rows[source as usize];
                if row.distance == u16::MAX {
                    row.distance = distance;
                    queue.push(source);
                }
            }
        }
        for number in 0..n {
            let near = self.rows[number].distance.wrapping_sub(1);
            let nearer = |&target: &u32| self.rows[target as usize].distance == near;
            let bits = self.targets(number).iter().map(nearer).rev();
            self.rows[number].best = bits.fold(0, |best, bit| best << 1 | u16::from(bit));
        }
        Ok(())
    }

    /// The worlds after each action.
    #[inline]
    pub(super) fn targets(&self, number: usize) -> &[u32] {
        let row = &self.rows[number];
        let begin = row.begin as usize;
        &self.targets[begin..begin + usize::from(row.n_actions)]
    }
}
