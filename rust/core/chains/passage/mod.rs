//! Exact quantities of chains of any structure: how long it takes to a set of states, which of several sets comes first,
//! where a chain is in the long run.
//!
//! `reach` settles what the transitions alone settle (0, 1, never), so that every state of the systems that are left
//! can leave them. `solver` eliminates their states, or iterates; `careful` does it again in numbers of unlimited range
//! where products have left that of f64.

mod careful;
mod probabilities;
mod reach;
mod solver;
mod stationary;
mod times;

pub use probabilities::{absorption_probabilities, backward_committor, hitting_probabilities};
pub use reach::{NONE, label, recurrent_classes};
pub use solver::{Method, Report, Request, Taken};
pub use stationary::stationary_distribution;
pub use times::mean_hitting_times;
