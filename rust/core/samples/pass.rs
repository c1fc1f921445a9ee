//! pass@k, pass^k and G-Pass@k: exact expectations over all k-subsets of n samples with c correct.
