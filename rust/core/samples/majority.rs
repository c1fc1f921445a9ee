//! maj@k: the exact probability that an answer wins the plurality of k samples.
