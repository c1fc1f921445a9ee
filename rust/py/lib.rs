//! `slowthink._slowthink`: the kernels of the crate `slowthink` as Python functions over NumPy arrays.
//!
//! A wrapper converts its arguments, calls the gate in [`run`] and moves the result out. The public functions, their
//! documentation and the checks that need no loop live in `python/slowthink`.

// PyO3 hands arguments over by value.
#![allow(clippy::needless_pass_by_value)]

use pyo3::prelude::*;

mod chains;
mod convert;
mod error;
mod metastable;
mod problems;
mod run;
mod samples;
mod shared;
mod strategies;
mod trees;

/// Compiled kernels; the public interface is the package `slowthink`.
#[pymodule]
mod _slowthink {
    #[pymodule_export]
    use super::run::{build_info, spin};

    // chains: one `#[pymodule_export]` for each module, in the order of `chains/mod.rs`
    #[pymodule_export]
    use super::chains::first_passage::{
        first_passage_from, first_passage_of_each, kemeny_constant, mean_first_passage_times,
    };
    #[pymodule_export]
    use super::chains::fitting::{
        count_trajectories, fit_reversible, sample_reversible, sample_rows, strong_components,
    };
    #[pymodule_export]
    use super::chains::hitting::sample_hitting_times;
    #[pymodule_export]
    use super::chains::lump::lump_states;
    #[pymodule_export]
    use super::chains::matrix::Chain;
    #[pymodule_export]
    use super::chains::metastable_sets::metastable_sets;
    #[pymodule_export]
    use super::chains::mixing::{mixing_matrices, mixing_time, steps_to_mix};
    #[pymodule_export]
    use super::chains::observe::{count_pairs, count_transitions, count_visits, endpoints, occupancy};
    #[pymodule_export]
    use super::chains::passage::{
        absorption_probabilities, backward_committor, hitting_probabilities, mean_hitting_times, recurrent_classes,
        stationary_distribution,
    };
    #[pymodule_export]
    use super::chains::propagate::propagate_vectors;
    #[pymodule_export]
    use super::chains::rare::hitting_probability;
    #[pymodule_export]
    use super::chains::reversal::{is_reversible, time_reversal};
    #[pymodule_export]
    use super::chains::second_order::walk_second_order;
    #[pymodule_export]
    use super::chains::spectrum::{chain_rates, pseudo_spectral_gap};
    #[pymodule_export]
    use super::chains::structure::communicating_classes;
    #[pymodule_export]
    use super::chains::text::generate_text;
    #[pymodule_export]
    use super::chains::transition_paths::{dominant_pathways, transition_paths};
    #[pymodule_export]
    use super::chains::walk::walk_chain;

    // metastable: one `#[pymodule_export]` for each module, in the order of `metastable/mod.rs`
    #[pymodule_export]
    use super::metastable::distill::rescale_time;
    #[pymodule_export]
    use super::metastable::family::metastable_chain;
    #[pymodule_export]
    use super::metastable::local::guess_actions;
    #[pymodule_export]
    use super::metastable::meta_chain::meta_chain;
    #[pymodule_export]
    use super::metastable::oracle::mean_costs;
    #[pymodule_export]
    use super::metastable::ppo::ppo_clip;
    #[pymodule_export]
    use super::metastable::pretraining::pretrain_bigram;
    #[pymodule_export]
    use super::metastable::search::sparse_edge_search;
    #[pymodule_export]
    use super::metastable::softmax::{softmax_log_probabilities, softmax_policy};

    // problems
    #[pymodule_export]
    use super::problems::answers::{
        best_value, connect_four_scores, fifteen_puzzle_distance, fifteen_puzzle_solution, game_of_24_puzzles,
        game_of_24_solutions,
    };
    #[pymodule_export]
    use super::problems::generators::{backcopy_sequences, two_hop_contexts};
    #[pymodule_export]
    use super::problems::keys_maze::{
        keys_maze_failure, keys_maze_layout, keys_maze_plan, keys_maze_size, keys_maze_success, keys_maze_trace,
    };
    #[pymodule_export]
    use super::problems::reachability::{
        generate_graphs, graph_depths, graph_distances, graph_ends, graph_horizon, graph_mean_steps, graph_paths,
        graph_sizes, graph_thoughts, walk_graphs,
    };
    #[pymodule_export]
    use super::problems::{Problem, State};

    // samples: one `#[pymodule_export]` for each module, in the order of `samples/mod.rs`
    #[pymodule_export]
    use super::samples::best_of::{best_of_k, best_of_k_variance};
    #[pymodule_export]
    use super::samples::experts::hedge;
    #[pymodule_export]
    use super::samples::extrapolation::extrapolate_pass;
    #[pymodule_export]
    use super::samples::intervals::{
        binomial_interval, bootstrap_curves, bootstrap_means, compare_curves, sign_test, student_quantile,
        student_two_sided, summarise_curves,
    };
    #[pymodule_export]
    use super::samples::log::LogReader;
    #[pymodule_export]
    use super::samples::majority::{maj_at_k, maj_variance};
    #[pymodule_export]
    use super::samples::pass::{distinct_counts, pass_at_k_mean, pass_at_k_rows, pass_at_k_variance};
    #[pymodule_export]
    use super::samples::planning::{plurality_probability, samples_for_majority};
    #[pymodule_export]
    use super::samples::rating::bradley_terry;
    #[pymodule_export]
    use super::samples::reward_models::{
        kendall_tau, reward_model_correctness, reward_model_max_scores, roc_auc, spearman,
    };
    #[pymodule_export]
    use super::samples::stopping::stopping_probability;
    #[pymodule_export]
    use super::samples::weighted::weighted_maj_at_k;

    #[pymodule_export]
    use super::strategies::{exact_curves, learner_choices, reasoning_traits, run_strategies};

    // trees: one `#[pymodule_export]` for each module, in the order of `trees/mod.rs`
    #[pymodule_export]
    use super::trees::config::check_policy;
    #[pymodule_export]
    use super::trees::durability::forest_child;
    #[pymodule_export]
    use super::trees::durability::forest_compact;
    #[pymodule_export]
    use super::trees::durability::forest_keep;
    #[pymodule_export]
    use super::trees::durability::forest_load;
    #[pymodule_export]
    use super::trees::durability::forest_outstanding;
    #[pymodule_export]
    use super::trees::durability::forest_reroot;
    #[pymodule_export]
    use super::trees::durability::forest_resume;
    #[pymodule_export]
    use super::trees::durability::forest_save;
    #[pymodule_export]
    use super::trees::forest::Forest;
    #[pymodule_export]
    use super::trees::leaves::Leaves;
}
