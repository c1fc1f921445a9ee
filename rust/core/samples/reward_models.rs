//! How good a reward model is at ranking the samples of a problem.
