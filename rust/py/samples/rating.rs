//! Wrappers of `slowthink::samples::rating`.
