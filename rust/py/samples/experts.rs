//! Wrappers of `slowthink::samples::experts`.
