//! Wrappers of `slowthink::samples::log`.
