//! Weighted maj@k: each sample votes with a weight; Monte Carlo over prefixes of permutations, exact for small integer weights.
