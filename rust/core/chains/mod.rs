//! Markov chains: storage, walks, observables, and fitting from data.
//!
//! [`matrix`] holds a validated chain, `alias` its tables for drawing, `ring` many walks in flight. The other modules
//! are what one does with them.

mod alias;
mod balance;
pub mod connected;
pub mod elimination;
pub mod first_passage;
pub mod fitting;
pub mod hitting;
pub mod lump;
pub mod matrix;
pub mod metastable_sets;
pub mod mixing;
mod near;
pub mod observe;
pub mod passage;
mod powers;
pub mod propagate;
pub mod rare;
pub mod reversal;
mod ring;
pub mod second_order;
pub mod spectrum;
pub mod starts;
pub mod structure;
pub mod system;
mod tally;
pub mod text;
pub mod transition_paths;
pub mod transitions;
mod transposed;
pub mod two_level;
pub mod walk;
mod watch;
mod wide;

pub use alias::Tables;
pub(crate) use alias::{Slot, Work, fill};
pub use matrix::{Dangling, Edges, MarkovChain, Meaning};
pub use starts::Starts;
pub use watch::Walks;
