//! Wrappers of `slowthink::samples::intervals`.
