//! Repeated sampling: what many attempts at each problem say about pass@k, maj@k, best-of-k and their uncertainty.

pub mod best_of;
pub mod bootstrap;
pub mod experts;
pub mod extrapolation;
pub mod intervals;
pub mod laws;
pub mod log;
pub mod majority;
pub mod pass;
pub mod planning;
pub mod rating;
pub mod reward_models;
mod smooth;
mod special;
pub mod stopping;
pub mod weighted;
