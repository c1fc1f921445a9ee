//! Sample logs: the columns of JSON lines, read in parallel.
