//! Wrappers of `slowthink::samples::reward_models`.
