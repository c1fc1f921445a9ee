//! **slowthink**: fast kernels for slow thinking.
//!
//! A language model that thinks before it answers spends compute by sampling many answers, by walking a chain of
//! thought and by searching a tree. This crate holds the kernels for studying and evaluating that; it knows nothing
//! of Python. See `ARCHITECTURE.md` for the map; modules stand on floors, each using only those above it here:
//! [`error`], `memory`, [`rows`], [`random`], [`run`], `machine`, then
//! [`samples`] and [`chains`], which do not know each other, [`metastable`], which stands on chains, [`problems`], [`trees`],
//! which search them, and [`strategies`], which spend compute on them.

pub mod chains;
pub mod error;
mod machine;
mod memory;
pub mod metastable;
pub mod problems;
pub mod random;
pub mod rows;
pub mod run;
pub mod samples;
pub mod strategies;
pub mod trees;

pub use error::{Error, Result};
#[doc(hidden)] // for the benchmarks, whose baselines deserve the same memory
pub use machine::{huge_vec, prefetch};

/// The instruction set the vectorised kernels use on this machine: `"avx512"`, `"avx2"` or `"baseline"`.
pub fn instruction_set() -> &'static str {
    machine::level().name()
}
