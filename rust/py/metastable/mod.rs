//! Wrappers of `slowthink::metastable`, one file for each of its modules.

pub mod distill;
pub mod family;
pub mod local;
pub mod meta_chain;
pub mod oracle;
pub mod ppo;
pub mod pretraining;
pub mod search;
pub mod softmax;
