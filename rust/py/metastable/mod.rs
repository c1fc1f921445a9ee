//! Wrappers of `slowthink::metastable`, one file for each of its modules.

pub mod family;
pub mod oracle;
