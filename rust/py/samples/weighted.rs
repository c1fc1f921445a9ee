//! Wrappers of `slowthink::samples::weighted`.
