//! Trees made of hashes: games of any size with known values, whose steps cost next to nothing, so that a benchmark on
//! them measures the search and not the game.

use super::Problem;
use crate::error::{Result, invalid};
use crate::random::Stream;
use crate::run::Control;

/// Paths that an exact search of an [`AdditiveTree`] goes through at most: less than a minute.
const MOST_PATHS: u64 = 1 << 32;

/// The output function of `SplitMix64`: a bijection of 64-bit words in which every bit depends on all.
#[inline(always)]
#[must_use]
pub const fn mix(z: u64) -> u64 {
    let z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The upper 24 bits of `hash` as a number in [0, 1).
#[inline(always)]
#[must_use]
pub fn unit(hash: u64) -> f32 {
    (hash >> 40) as f32 * (1.0 / (1u32 << 24) as f32)
}

/// A tree in which every state has as many actions, and a value that its hash decides.
///
/// A state is its hash: `mix(seed + t + 1)` at the root of tree t, and `mix(h ^ (a + 1))` after action a in state h. The
/// value of a state is `unit(mix(h))`, a number in [0, 1). Nothing is terminal and nothing random: a search ends by the
/// depth, which states do not know ([`max_depth`](Problem::max_depth)).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntheticTree {
    branching: u32,
    depth: u32,
    seed: u64,
}

impl SyntheticTree {
    /// The trees `seed`, `seed + 1`, ..., with `branching` actions in each state, to be searched down to `depth`.
    ///
    /// # Errors
    /// No actions.
    pub fn new(branching: u32, depth: u32, seed: u64) -> Result<Self> {
        at_least_one("branching", branching)?;
        Ok(Self { branching, depth, seed })
    }
}

fn at_least_one(argument: &str, value: u32) -> Result<()> {
    if value == 0 { Err(invalid(argument, &[], value, "be at least 1")) } else { Ok(()) }
}

impl Problem for SyntheticTree {
    type State = u64;

    #[inline]
    fn root(&self, tree: u64) -> u64 {
        mix(self.seed.wrapping_add(tree).wrapping_add(1))
    }

    #[inline(always)]
    fn n_actions(&self, _state: &u64) -> u32 {
        self.branching
    }

    #[inline(always)]
    fn step(&self, state: &mut u64, action: u32) -> f64 {
        *state = mix(*state ^ (u64::from(action) + 1));
        0.0
    }

    #[inline(always)]
    fn value(&self, state: &u64, _stream: &mut Stream) -> f64 {
        f64::from(unit(mix(*state)))
    }

    #[inline(always)]
    fn branching(&self) -> Option<u32> {
        Some(self.branching)
    }

    fn max_depth(&self) -> Option<u32> {
        Some(self.depth)
    }

    fn describe(&self, state: &u64) -> String {
        format!("{state:016x}")
    }
}

/// A tree whose edges are worth something, and whose best path is known: what a search loses is measured on it.
///
/// All paths have `depth` edges. The edge into the state with hash c is worth e(c) = (mix(c) >> 11) 2^-53, and a path
/// the mean of its edges. The root of tree t has the hash `mix(7919 (seed + t) + 5)`; action a leads from h to
/// `mix(h ^ (a + 1))`. The value of a state is a rollout: actions uniform at random down to the depth,
/// with one draw each.
///
/// Either the value of a state is that of the whole path, from the root on, and steps give no reward; or each step
/// gives its edge's share, and the value is what is still to come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdditiveTree {
    branching: u32,
    depth: u32,
    seed: u64,
    rewards: bool,
}

/// A state of an [`AdditiveTree`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Additive {
    /// What the state is.
    pub hash: u64,
    /// The edges from the root to here, added up.
    pub sum: f64,
    /// Their number.
    pub depth: u32,
}

impl Additive {
    #[inline(always)]
    fn child(&self, action: u32) -> Self {
        let hash = mix(self.hash ^ (u64::from(action) + 1));
        Self { hash, sum: self.sum + edge(hash), depth: self.depth + 1 }
    }
}

/// What the edge into the state with this hash is worth.
#[inline(always)]
fn edge(hash: u64) -> f64 {
    (mix(hash) >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
}

impl AdditiveTree {
    /// The trees `seed`, `seed + 1`, ..., with `branching` actions in each state above `depth`; `rewards` says whether
    /// edges are rewards of the steps.
    ///
    /// # Errors
    /// No actions, or no depth.
    pub fn new(branching: u32, depth: u32, seed: u64, rewards: bool) -> Result<Self> {
        at_least_one("branching", branching)?;
        at_least_one("depth", depth)?;
        Ok(Self { branching, depth, seed, rewards })
    }

    /// The value of the best path through `state`, or of what is left of it where edges are rewards: all paths are
    /// looked at.
    ///
    /// # Errors
    /// More than 2^32 paths below `state`; [`Error::Interrupted`](crate::Error::Interrupted).
    pub fn best_value(&self, state: &Additive, control: &Control) -> Result<f64> {
        let below = self.depth.saturating_sub(state.depth);
        if u64::from(self.branching).checked_pow(below).is_none_or(|paths| paths > MOST_PATHS) {
            let paths = format!("{} ** {below}", self.branching);
            return Err(invalid("branching", &[], paths, "leave at most 2**32 paths below the state"));
        }
        let best = self.greatest_sum(state, control)?;
        Ok(self.worth(best, state))
    }

    fn greatest_sum(&self, state: &Additive, control: &Control) -> Result<f64> {
        if state.depth >= self.depth {
            return Ok(state.sum);
        }
        control.check()?;
        let mut best = 0.0f64;
        for action in 0..self.branching {
            best = best.max(self.greatest_sum(&state.child(action), control)?);
        }
        Ok(best)
    }

    /// What a path with this sum is worth, seen from `state`.
    #[inline(always)]
    fn worth(&self, sum: f64, state: &Additive) -> f64 {
        let behind = if self.rewards { state.sum } else { 0.0 };
        (sum - behind) / f64::from(self.depth)
    }
}

impl Problem for AdditiveTree {
    type State = Additive;

    fn root(&self, tree: u64) -> Additive {
        let number = self.seed.wrapping_add(tree);
        Additive { hash: mix(number.wrapping_mul(7919).wrapping_add(5)), sum: 0.0, depth: 0 }
    }

    fn n_actions(&self, state: &Additive) -> u32 {
        if state.depth < self.depth { self.branching } else { 0 }
    }

    fn step(&self, state: &mut Additive, action: u32) -> f64 {
        *state = state.child(action);
        if self.rewards { edge(state.hash) / f64::from(self.depth) } else { 0.0 }
    }

    fn value(&self, state: &Additive, stream: &mut Stream) -> f64 {
        let mut end = *state;
        while end.depth < self.depth {
            end = end.child(stream.below(u64::from(self.branching)) as u32);
        }
        self.worth(end.sum, state)
    }

    fn has_rewards(&self) -> bool {
        self.rewards
    }

    fn max_depth(&self) -> Option<u32> {
        Some(self.depth)
    }

    fn describe(&self, state: &Additive) -> String {
        format!("{:016x}, {} edges of sum {:.6}", state.hash, state.depth, state.sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;

    #[test]
    fn hashes_are_those_of_splitmix64() {
        // The first outputs of the published generator from the states 0 and 1234567.
        assert_eq!(mix(0), 0xe220_a839_7b1d_cdaf);
        assert_eq!(mix(1_234_567), 6_457_827_717_110_365_317);
        assert_eq!(unit(u64::MAX), 1.0 - 1.0 / 16_777_216.0);
        assert_eq!(unit(0), 0.0);
    }

    #[test]
    fn a_synthetic_tree_follows_its_formula() {
        let problem = SyntheticTree::new(4, 20, 0).unwrap();
        let mut stream = Seed::from_u64(1).stream(0);
        let mut state = problem.root(0);
        assert_eq!(state, mix(1));
        assert_eq!(problem.step(&mut state, 3), 0.0);
        assert_eq!(state, mix(mix(1) ^ 4));
        assert_eq!(problem.value(&state, &mut stream), f64::from(unit(mix(state))));
        assert_eq!(problem.branching(), Some(problem.n_actions(&state)));
        assert_eq!(SyntheticTree::new(4, 20, 5).unwrap().root(2), problem.root(7));
        assert_eq!(stream, Seed::from_u64(1).stream(0), "a value draws nothing");
        let error = SyntheticTree::new(0, 1, 0).unwrap_err();
        assert_eq!(error.to_string(), "branching must be at least 1, got 0");
    }

    #[test]
    fn the_best_path_of_an_additive_tree_is_the_best_of_all_rollouts() {
        let control = Control::default();
        for rewards in [false, true] {
            let problem = AdditiveTree::new(3, 4, 9, rewards).unwrap();
            let mut stream = Seed::from_u64(2).stream(0);
            let mut state = problem.root(5);
            let mut reward = 0.0;
            for action in [2, 0] {
                // Many times more rollouts than there are paths find the best.
                let found = (0..3000).map(|_| problem.value(&state, &mut stream)).fold(0.0, f64::max);
                let best = problem.best_value(&state, &control).unwrap();
                assert!((found - best).abs() < 1e-12, "{found} {best}");
                let children = (0..3).map(|a| {
                    let mut child = state;
                    let reward = problem.step(&mut child, a);
                    reward + problem.best_value(&child, &control).unwrap()
                });
                assert!((children.fold(0.0, f64::max) - best).abs() < 1e-12);
                reward += problem.step(&mut state, action);
            }
            assert_eq!(reward > 0.0, rewards);
            assert_eq!((problem.n_actions(&state), state.depth), (3, 2));
            problem.step(&mut state, 1);
            problem.step(&mut state, 1);
            assert_eq!(problem.n_actions(&state), 0);
            let end = problem.value(&state, &mut stream);
            assert!(if rewards { end == 0.0 } else { (end - state.sum / 4.0).abs() < 1e-12 });
        }
    }

    #[test]
    fn trees_too_large_for_an_exact_search_are_refused() {
        let problem = AdditiveTree::new(32, 20, 0, false).unwrap();
        let error = problem.best_value(&problem.root(0), &Control::default()).unwrap_err();
        assert_eq!(error.to_string(), "branching must leave at most 2**32 paths below the state, got 32 ** 20");
        assert!(AdditiveTree::new(2, 0, 0, false).is_err());
        let stopped = Control::default();
        stopped.cancel();
        let problem = AdditiveTree::new(4, 3, 0, false).unwrap();
        assert_eq!(problem.best_value(&problem.root(0), &stopped), Err(crate::Error::Interrupted));
    }
}
