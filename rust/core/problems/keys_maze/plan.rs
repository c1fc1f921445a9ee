//! Plans: shortest ones, whether one can be carried out, and the search for one as text.

use super::{KeysMaze, Position};
use crate::error::Result;
use crate::run::Control;
use std::collections::VecDeque;
use std::fmt::Write as _;

/// Where a plan fails, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Number of the step, from 0; the length of the plan where it ends too early.
    pub step: usize,
    /// What is wrong.
    pub reason: String,
}

impl KeysMaze {
    /// The actions of a shortest way from `position` to the goal, the first in order of those there are; the steps that
    /// are left do not bind it.
    pub fn solve(&self, position: &Position) -> Vec<String> {
        let instance = &self.instances[position.instance as usize];
        let mut plan = Vec::new();
        let mut number = position.world as usize;
        while instance.space.rows[number].n_actions > 0 {
            let action = instance.space.rows[number].best.trailing_zeros() as usize;
            plan.extend(instance.maze.actions(instance.space.worlds[number]).nth(action).map(|a| a.to_string()));
            number = instance.space.targets(number)[action] as usize;
        }
        plan
    }

    /// Steps of a shortest way from `position` to the goal.
    pub fn distance(&self, position: &Position) -> u32 {
        self.instances[position.instance as usize].space.rows[position.world as usize].distance.into()
    }

    /// Carries out `plan` from `position` on; what fails first, if it does not lead to the goal with its last step.
    pub fn check<'a>(&self, position: &Position, plan: impl IntoIterator<Item = &'a str>) -> Option<Failure> {
        let instance = &self.instances[position.instance as usize];
        let maze = &instance.maze;
        let mut world = instance.space.worlds[position.world as usize];
        let mut n_steps = 0;
        for (step, text) in plan.into_iter().enumerate() {
            n_steps = step + 1;
            let fails = |reason| Some(Failure { step, reason });
            if maze.is_solved(world) {
                return fails("the goal was reached before".to_owned());
            }
            if step >= usize::from(position.left) {
                return fails("no steps are left".to_owned());
            }
            let Some(action) = maze.parse(text) else {
                return fails("this is no action: it must be a side, or take or unlock with a colour".to_owned());
            };
            if let Some(obstacle) = maze.obstacle(world, action) {
                return fails(obstacle.to_string());
            }
            world = maze.after(world, action);
        }
        let early = || Failure { step: n_steps, reason: format!("the plan ends at {}", maze.name(world.room)) };
        (!maze.is_solved(world)).then(early)
    }

    /// The breadth-first search from `position` until it finds the goal, as text: a line for each world in the order in
    /// which it is found, with the number of the world it follows, the action and what has become of the world. The
    /// last line is the plan.
    ///
    /// # Errors
    /// [`Error::Interrupted`](crate::Error::Interrupted).
    pub fn trace(&self, position: &Position, control: &Control) -> Result<String> {
        let instance = &self.instances[position.instance as usize];
        let (maze, space) = (&instance.maze, &instance.space);
        let line = |number: usize| maze.line(space.worlds[number]);
        let mut text = format!("0: {}\n", line(position.world as usize));
        let mut found = vec![None; space.rows.len()];
        found[position.world as usize] = Some(0);
        let mut n_found = 1;
        let mut queue = VecDeque::from([(0, position.world as usize)]);
        'search: while let Some((from, number)) = queue.pop_front() {
            control.check()?;
            for (action, &target) in maze.actions(space.worlds[number]).zip(space.targets(number)) {
                let target = target as usize;
                if found[target].is_none() {
                    found[target] = Some(n_found);
                    // Writing to a String never fails.
                    let _ = writeln!(text, "{n_found}: from {from} {action}: {}", line(target));
                    queue.push_back((n_found, target));
                    n_found += 1;
                    if maze.is_solved(space.worlds[target]) {
                        break 'search;
                    }
                }
            }
        }
        Ok(text + "plan: " + &self.solve(position).join(", "))
    }
}
