//! Wrappers of `slowthink::samples::majority`.
