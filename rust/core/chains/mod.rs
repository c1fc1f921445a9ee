//! Markov chains: storage, walks, observables, and fitting from data.
//!
//! [`matrix`] holds a validated chain, `alias` its tables for drawing, `ring` many walks in flight. The other modules
//! are what one does with them.

mod alias;
pub mod matrix;
mod ring;
pub mod starts;
pub mod walk;

pub use alias::Tables;
pub use matrix::{Dangling, MarkovChain};
pub use starts::Starts;
