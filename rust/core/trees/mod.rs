//! Tree search: forests of trees that are searched natively, or ask whoever can evaluate a node.
//!
//! Data flows one way. [`config`] says how to search. An [`arena`] holds one tree's nodes and what is known of them;
//! `select` picks a child, or `gumbel` does; [`tree`] walks down to a leaf and carries its value up; a [`forest`] shares
//! asks among trees, hands out `tickets` and takes answers in any order. `native` runs the same loop on a
//! [`Problem`](crate::problems::Problem).

pub mod arena;
mod backup;
pub mod budgets;
mod check;
pub mod config;
mod descent;
#[cfg(test)]
mod durable_tests;
pub mod forest;
mod frontier;
#[cfg(test)]
mod golden;
mod graph;
#[cfg(test)]
mod graph_tests;
#[cfg(test)]
mod growth;
mod gumbel;
pub mod journal;
mod log;
mod native;
mod noise;
mod outcome;
mod persist;
mod posterior;
mod reroot;
mod retold;
mod save;
mod scaled;
mod select;
mod siblings;
pub mod tell;
#[cfg(test)]
mod tests;
mod thompson;
mod tickets;
pub mod tree;

pub use budgets::Budget;
pub use config::{Backup, Config, Fpu, InFlight, Order, Policy, QTransform, Thompson};
pub use forest::{Forest, Kind, Leaf, Leaves};
pub use journal::Journaled;
pub use tell::{PerLeaf, Priors, Told};
