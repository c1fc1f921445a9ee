//! How many steps a walk takes, and what it ends with: the joint law, by propagation from the root.

use crate::error::Result;
use crate::problems::Reasoning;
use crate::run::Control;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// Steps of a walk, at most: later on as many numbers are worked on between two looks at the stop flag.
const LONGEST: u32 = 1 << 16;

/// The probability that a walk is charged each number of steps and ends with a right answer, a wrong one, or none.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Lengths {
    /// Entry l is for l steps; the entries for 0 steps are 0, as no walk is free. All three are equally long.
    pub(super) right: Vec<f64>,
    pub(super) wrong: Vec<f64>,
    pub(super) silent: Vec<f64>,
    /// Whether there are at most two answers, a right one and a wrong one.
    pub(super) is_a_duel: bool,
}

impl Lengths {
    /// That of the walks from the root of `instance`; `None` where a state has no key, where a walk can be longer than
    /// [`LONGEST`], or where more than `most` transitions would have to be followed. A state that is met after different
    /// numbers of steps counts as often.
    pub(super) fn of<P: Reasoning>(problem: &P, instance: u64, most: u64, control: &Control) -> Result<Option<Self>> {
        let mut found = Self { is_a_duel: true, ..Self::default() };
        let mut answers = [None; 2];
        let root = problem.root(instance);
        if problem.key(&root).is_none() {
            return Ok(None);
        }
        let mut layer = vec![(root, 1.0)];
        let (mut after, mut policy) = (Vec::new(), vec![Vec::new()]);
        let (mut step, mut followed) = (0, 0);
        while !layer.is_empty() {
            if step > LONGEST {
                return Ok(None);
            }
            // By key, where in the next layer a state is: its order is that in which states are met.
            let mut numbers: HashMap<u64, usize> = HashMap::new();
            let mut next: Vec<(P::State, f64)> = Vec::new();
            for (state, reached) in layer {
                control.check()?;
                let is_terminal = problem.is_terminal(&state);
                if is_terminal || step == problem.max_steps() {
                    let answer = if is_terminal { problem.answer(&state) } else { None };
                    let is_right = is_terminal && problem.is_correct(&state);
                    if let Some(answer) = answer {
                        found.is_a_duel &= *answers[usize::from(is_right)].get_or_insert(answer) == answer;
                    }
                    found.add(step.max(1) as usize, reached, is_right, answer.is_some());
                    continue;
                }
                policy[0].clear();
                problem.expand(&state, &mut after, &mut policy);
                followed += after.len() as u64;
                if followed > most {
                    return Ok(None);
                }
                let uniform = 1.0 / after.len() as f64;
                for (action, state) in after.drain(..).enumerate() {
                    let probability = reached * policy[0].get(action).copied().unwrap_or(uniform);
                    if probability == 0.0 {
                        continue;
                    }
                    let Some(key) = problem.key(&state) else { return Ok(None) };
                    match numbers.entry(key) {
                        Entry::Occupied(place) => next[*place.get()].1 += probability,
                        Entry::Vacant(place) => {
                            place.insert(next.len());
                            next.push((state, probability));
                        }
                    }
                }
            }
            layer = next;
            step += 1;
        }
        Ok(Some(found))
    }

    fn add(&mut self, length: usize, probability: f64, is_right: bool, answers: bool) {
        if length >= self.right.len() {
            for law in [&mut self.right, &mut self.wrong, &mut self.silent] {
                law.resize(length + 1, 0.0);
            }
        }
        let law = match (is_right, answers) {
            (true, _) => &mut self.right,
            (false, true) => &mut self.wrong,
            (false, false) => &mut self.silent,
        };
        law[length] += probability;
    }

    /// Entry j is the probability that a walk is longer than j steps, from 0 to one below the longest.
    pub(super) fn longer(&self) -> Vec<f64> {
        let mut sum = 0.0;
        let at_least = (1..self.right.len()).rev().map(|l| {
            sum += self.right[l] + self.wrong[l] + self.silent[l];
            sum
        });
        let mut longer: Vec<f64> = at_least.collect();
        longer.reverse();
        longer
    }
}
