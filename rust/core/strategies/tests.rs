//! The strategies against what is known exactly, and against each other.
