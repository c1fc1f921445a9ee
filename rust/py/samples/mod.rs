//! Wrappers of `slowthink::samples`, one file for each of its modules.

pub mod best_of;
pub mod experts;
pub mod extrapolation;
pub mod intervals;
pub mod log;
pub mod majority;
pub mod pass;
pub mod planning;
pub mod rating;
pub mod reward_models;
pub mod stopping;
pub mod weighted;
