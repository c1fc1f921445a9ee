//! best-of-k: the expected value of the sample with the highest score among a k-subset.
