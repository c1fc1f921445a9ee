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
        self.begin(seed.state(first.wrapping_add(item as u64)), item)
    }

    /// Walk number `item` of the call, whose stream begins with `random`.
    #[inline]
    pub(super) fn begin(&self, mut random: [u64; 2], item: usize) -> Walker {
        let state = match &self.0 {
            Kind::One(state) => *state,
            Kind::Each(states) => states[item],
            Kind::Law(slots) => {
                let product = u128::from(crate::random::draw(&mut random)) * slots.len() as u128;
                slots[(product >> 64) as usize].target(product as u64)
            }
        };
        Walker { random, state }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn walks_draw_from_the_stream_of_their_number() {
        let seed = Seed::from_u64(4);
        let (one, states) = (Starts::one(3, 4).unwrap(), [2, 0, 3]);
        let each = Starts::each(&states, 4).unwrap();
        for (item, &state) in states.iter().enumerate() {
            let random = seed.state(10 + item as u64);
            assert_eq!(one.walker(&seed, 10, item), Walker { random, state: 3 });
            assert_eq!(each.walker(&seed, 10, item), Walker { random, state });
        }
        assert_eq!((one.n_walks(), each.n_walks()), (None, Some(3)));
        assert_eq!(one.walker(&seed, u64::MAX, 1).random, seed.state(0), "numbers of walks go round");
    }

    #[test]
    fn a_start_by_a_law_takes_the_first_draw() {
        let seed = Seed::from_u64(4);
        let starts = Starts::law(&[0.0, 0.25, 0.0, 0.75], 4).unwrap();
        let mut counts = [0u32; 4];
        for item in 0..40_000 {
            let walker = starts.walker(&seed, 7, item);
            let mut stream = seed.state(7 + item as u64);
            crate::random::draw(&mut stream);
            assert_eq!(walker.random, stream);
            counts[walker.state as usize] += 1;
        }
        // 30,000 are expected, with a standard deviation of 86.6: five of them.
        assert!(counts[0] == 0 && counts[2] == 0 && counts[3].abs_diff(30_000) < 433, "{counts:?}");
        let certain = Starts::law(&[0.0, 1.0], 2).unwrap();
        assert!((0..100).all(|item| certain.walker(&seed, 0, item).state == 1));
    }

    #[test]
    fn what_is_no_start_is_named() {
        let message = |result: Result<Starts<'_>>| result.unwrap_err().to_string();
        assert_eq!(message(Starts::one(4, 4)), "start must be below the number of states, 4, got 4");
        assert_eq!(message(Starts::each(&[0, 9], 4)), "start[1] must be below the number of states, 4, got 9");
        let cases: [(&[f64], &str); 6] = [
            (&[1.0], "start_distribution must have one number for each of the 2 states, got 1"),
            (&[0.5, 0.4], "start_distribution must have a sum of 1 within 1e-9, got 0.9"),
            (&[-0.5, 1.5], "start_distribution[0] must be a probability, got -0.5"),
            (&[f64::NAN, 1.0], "start_distribution[0] must be a probability, got NaN"),
            (&[0.0, f64::INFINITY], "start_distribution[1] must be a probability, got inf"),
            (&[0.0, 0.0], "start_distribution must have a sum of 1 within 1e-9, got 0"),
        ];
        for (law, text) in cases {
            assert_eq!(message(Starts::law(law, 2)), text);
        }
        assert!(Starts::law(&[0.5, 0.5 + 9e-10], 2).is_ok());
    }
}
