//! How many samples are enough: planning, stopping, and pass@k beyond the samples at hand.
