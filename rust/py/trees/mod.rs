//! Wrappers of `slowthink::trees`, and of what a tell takes.

mod columns;
pub mod config;
pub mod durability;
pub mod forest;
pub mod leaves;
