//! Problems that a search can work on without asking Python: a state, its actions, what a step does and how good a
//! state is. What implements [`Problem`] here comes with known answers, so that every search can be checked.

pub mod backcopy;
pub mod categorical;
mod choice;
pub mod connect_four;
pub mod fifteen_puzzle;
mod fraction;
pub mod game_of_24;
pub mod keys_maze;
mod laws;
pub mod metastable_reasoning;
pub mod reachability;
pub mod reasoning;
pub mod snowball_chain;
pub mod synthetic;
pub mod table;
pub mod tic_tac_toe;
pub mod two_hop;

pub use backcopy::Backcopy;
pub use categorical::Categorical;
pub use connect_four::ConnectFour;
pub use fifteen_puzzle::FifteenPuzzle;
pub use game_of_24::GameOf24;
pub use keys_maze::KeysMaze;
pub use metastable_reasoning::MetastableReasoning;
pub use reachability::Reachability;
pub use reasoning::Reasoning;
pub use snowball_chain::SnowballChain;
pub use synthetic::{AdditiveTree, SyntheticTree};
pub use table::Table;
pub use tic_tac_toe::TicTacToe;
pub use two_hop::TwoHop;

use crate::random::Stream;

/// A problem whose states a tree search can make and judge by itself.
///
/// A tree holds no states: they are made again along each path, so `step` should be cheap, and must be deterministic.
/// Only `value` may draw random numbers.
pub trait Problem: Sync {
    /// What a node of the tree stands for.
    type State: Clone + Send;

    /// The root of tree number `tree`: forests search many instances at once.
    fn root(&self, tree: u64) -> Self::State;

    /// The number of actions in `state`, numbered from 0; none means that the state is terminal.
    fn n_actions(&self, state: &Self::State) -> u32;

    /// Takes `action`, and returns the reward of the step for the player who took it.
    fn step(&self, state: &mut Self::State, action: u32) -> f64;

    /// How good `state` is for the player to move (for the only player, if there is one): exact where the state is
    /// terminal, elsewhere an estimate, such as the outcome of a random rollout.
    fn value(&self, state: &Self::State, stream: &mut Stream) -> f64;

    /// The player to move, 0 or 1; for problems without an opponent always 0. A terminal state belongs to the player
    /// who would move next.
    fn player(&self, _state: &Self::State) -> u8 {
        0
    }

    /// How many players there are: 1, or 2 whose gains sum to zero.
    fn n_players(&self) -> u8 {
        1
    }

    /// Whether the player changes with every step; where not, or where a player moves twice, each state says who moves.
    fn alternates(&self) -> bool {
        true
    }

    /// The number of actions, where every state has as many and none is terminal.
    fn branching(&self) -> Option<u32> {
        None
    }

    /// The depth below which nothing is to be searched, where states themselves do not end there.
    fn max_depth(&self) -> Option<u32> {
        None
    }

    /// Probabilities of the actions under the problem's own policy, pushed to `priors`; none are pushed where it has no
    /// opinion.
    fn priors(&self, _state: &Self::State, _priors: &mut Vec<f32>) {}

    /// Whether [`step`](Self::step) ever returns anything but 0.
    fn has_rewards(&self) -> bool {
        false
    }

    /// The least and the greatest total a state can be worth: a proven `1` in a game between -1 and 1 needs no search.
    fn value_bounds(&self) -> (f64, f64) {
        (0.0, 1.0)
    }

    /// A number that equal states share and others do not (128 random bits a state would collide as seldom); `None`
    /// where states never coincide.
    fn key(&self, _state: &Self::State) -> Option<u64> {
        None
    }

    /// Whether `state` is of this very problem: states that stand for a place in its tables mean nothing to another.
    fn owns(&self, _state: &Self::State) -> bool {
        true
    }

    /// `state` as people write it.
    fn describe(&self, _state: &Self::State) -> String {
        String::new()
    }

    /// `action` in `state` as people write it.
    fn describe_action(&self, _state: &Self::State, action: u32) -> String {
        action.to_string()
    }
}
