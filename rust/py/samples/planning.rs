//! Wrappers of `slowthink::samples::planning`.
