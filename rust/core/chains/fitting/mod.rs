//! Chains from data: trajectories are counted, counts become a chain, or samples of the chains that may have made them.
//!
//! [`trajectories`] holds checked data, [`counts`] counts it, [`effective`] says what overlapping counts are worth. A
//! [`table`] of counts becomes the [`reversible`] chain of greatest likelihood, or samples of its [`posterior`] and
//! [`reversible_posterior`]; `bonds` is the network on which the last three work.
//! (Without detailed balance the chain of greatest likelihood is that of the weights, [`super::matrix`].)

mod bonds;
pub mod counts;
pub mod effective;
pub mod posterior;
pub mod reversible;
pub mod reversible_posterior;
pub mod table;
pub mod trajectories;
