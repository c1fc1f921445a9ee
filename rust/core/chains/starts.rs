//! Where walks begin: one state for all, a state for each, or a law from which each draws with its first number.

use super::alias::{self, Slot};
use super::matrix::Row;
use crate::error::{Result, invalid};
use crate::random::Seed;

/// The first states of `n` walks, made once and checked then.
#[derive(Debug)]
pub struct Starts<'a>(Kind<'a>);

#[derive(Debug)]
enum Kind<'a> {
    One(u32),
    Each(&'a [u32]),
    Law(Vec<Slot>),
}

/// Where a walk is and what its stream has come to: the state of a `Stream`, and a state of the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Walker {
    /// Words of the generator.
    pub random: [u64; 2],
    /// State of the chain.
    pub state: u32,
}

impl<'a> Starts<'a> {
    /// All walks begin at `state`.
    ///
    /// # Errors
    /// If the chain has no such state.
    pub fn one(state: u32, n_states: usize) -> Result<Self> {
        if state as usize >= n_states {
            return Err(invalid("start", &[], state, format!("be below the number of states, {n_states}")));
        }
        Ok(Self(Kind::One(state)))
    }

    /// Walk number `i` of the call begins at `states[i]`.
    ///
    /// # Errors
    /// If the chain has no such state.
    pub fn each(states: &'a [u32], n_states: usize) -> Result<Self> {
        if let Some(index) = states.iter().position(|&state| state as usize >= n_states) {
            return Err(invalid(
                "start",
                &[index],
                states[index],
                format!("be below the number of states, {n_states}"),
            ));
        }
        Ok(Self(Kind::Each(states)))
    }

    /// Each walk begins at a state drawn with `distribution`, of which there is one number for each state.
    ///
    /// # Errors
    /// If a number is negative or not finite, or they do not sum to 1 within 1e-9.
    pub fn law(distribution: &[f64], n_states: usize) -> Result<Self> {
        let argument = "start_distribution";
        if distribution.len() != n_states {
            let rule = format!("have one number for each of the {n_states} states");
            return Err(invalid(argument, &[], distribution.len(), rule));
        }
        if let Some(index) = distribution.iter().position(|p| !(0.0..=1.0 + 1e-9).contains(p)) {
            return Err(invalid(argument, &[index], distribution[index], "be a probability"));
        }
        let sum = super::matrix::sum(distribution.iter().copied());
        if (sum - 1.0).abs() > 1e-9 {
            return Err(invalid(argument, &[], sum, "have a sum of 1 within 1e-9"));
        }
        let targets: Vec<u32> = (0..n_states as u32).filter(|&state| distribution[state as usize] > 0.0).collect();
        let probabilities: Vec<f64> = targets.iter().map(|&state| distribution[state as usize]).collect();
        let mut slots = vec![Slot::default(); targets.len()];
        let row = Row { targets: &targets, probabilities: &probabilities };
        alias::fill(row, &mut slots, &mut alias::Work::default());
        Ok(Self(Kind::Law(slots)))
    }

    /// The number of walks there are starts for; `None` if any number.
    pub fn n_walks(&self) -> Option<usize> {
        if let Kind::Each(states) = self.0 { Some(states.len()) } else { None }
    }

    /// Walk number `item` of the call, which is walk `first + item` of its seed.
    ///
    /// # Panics
    /// If there is no start for it.
    #[inline]
    pub fn walker(&self, seed: &Seed, first: u64, item: usize) -> Walker {
        let mut random = seed.state(first.wrapping_add(item as u64));
        let state = match &self.0 {
            Kind::One(state) => *state,
            Kind::Each(states) => states[item],
            Kind::Law(slots) => {
                let product = u128::from(crate::random::draw(&mut random)) * slots.len() as u128;
                let slot = slots[(product >> 64) as usize];
                if (product as u64) < slot.threshold { slot.below } else { slot.above }
            }
        };
        Walker { random, state }
    }
}
