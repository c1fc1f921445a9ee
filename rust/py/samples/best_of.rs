//! Wrappers of `slowthink::samples::best_of`.
