//! Wrappers of `slowthink::samples::pass`.
