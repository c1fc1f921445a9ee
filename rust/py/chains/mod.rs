//! Wrappers of `slowthink::chains`, one file for each of its modules.

pub mod first_passage;
pub mod fitting;
pub mod hitting;
pub mod lump;
pub mod matrix;
pub mod metastable_sets;
pub mod mixing;
pub mod observe;
pub mod passage;
pub mod propagate;
pub mod rare;
pub mod reversal;
pub mod second_order;
pub mod spectrum;
pub mod starts;
pub mod structure;
pub mod text;
pub mod transition_paths;
pub mod walk;
