//! How a forest searches, as `slowthink.trees` hands it over: a policy is its name and its numbers.

use crate::error::to_python;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use slowthink::trees::Budget;
use slowthink::trees::config::{
    Backup, Config, Fpu, Gumbel, InFlight, Order, Policy, Puct, QTransform, Thompson, Uct, Widening,
};

/// The name of a policy and its parameters in the order of their declaration.
pub type PolicyArgument = (String, Vec<f64>);

/// What holds for all policies: `(discount, backup, value of an evaluation in flight, max_depth, n_simulations,
/// widening, value bounds of the solver, deduplicate, transpositions, budget)`.
pub type RulesArgument = (
    f64,
    String,
    Option<f64>,
    Option<u32>,
    Option<u32>,
    Option<(f64, f64)>,
    Option<(f64, f64)>,
    bool,
    bool,
    BudgetArgument,
);

/// What ends a search: `(stop_at, stop_when_settled, total_simulations, max_cost_per_tree, max_cost)`.
pub type BudgetArgument = (Option<f64>, bool, Option<u64>, Option<f64>, Option<f64>);

const fn fpu(kind: f64, value: f64) -> Fpu {
    match kind as u8 {
        0 => Fpu::Infinity,
        1 => Fpu::Constant(value),
        2 => Fpu::ParentMinus(value),
        _ => Fpu::Prior,
    }
}

/// The policy of this name with these parameters.
pub fn policy((name, numbers): &PolicyArgument) -> PyResult<Policy> {
    let unknown = || PyValueError::new_err(format!("policy {name} with {} parameters is unknown", numbers.len()));
    Ok(match (name.as_str(), &numbers[..]) {
        ("uct", &[c, kind, value]) => Policy::Uct(Uct { c, fpu: fpu(kind, value) }),
        ("puct", &[pb_c_init, pb_c_base, transform, min, max, kind, value, dirichlet_fraction, dirichlet_alpha]) => {
            let q_transform = match transform as u8 {
                0 => QTransform::Raw,
                1 => QTransform::ParentAndSiblings,
                _ => QTransform::MinMax { min, max },
            };
            let fpu = fpu(kind, value);
            Policy::Puct(Puct { pb_c_init, pb_c_base, q_transform, fpu, dirichlet_fraction, dirichlet_alpha })
        }
        ("gumbel", &[considered, gumbel_scale, value_scale, maxvisit_init, rescale]) => Policy::Gumbel(Gumbel {
            max_num_considered_actions: considered as u32,
            gumbel_scale,
            value_scale,
            maxvisit_init,
            rescale_values: rescale != 0.0,
        }),
        ("thompson", &[model, a, b, c, d]) => {
            let normal = Thompson::Gaussian { m: a, kappa: b, nu: c, tau_square: d };
            Policy::Thompson(if model == 0.0 { normal } else { Thompson::Beta { alpha: a, beta: b } })
        }
        ("best-first", []) => Policy::Frontier(Order::BestFirst),
        ("beam", &[width]) => Policy::Frontier(Order::Beam { width: width as u32 }),
        ("dvts", &[width]) => Policy::Frontier(Order::Dvts { width: width as u32 }),
        ("breadth-first", []) => Policy::Frontier(Order::BreadthFirst),
        ("depth-first", []) => Policy::Frontier(Order::DepthFirst),
        ("best-of-n", &[n]) => Policy::Frontier(Order::BestOfN { n: n as u32 }),
        _ => return Err(unknown()),
    })
}

fn backup(name: &str) -> PyResult<Backup> {
    Ok(match name {
        "mean" => Backup::Mean,
        "max" => Backup::Max,
        "min" => Backup::Min,
        "product" => Backup::Product,
        "last" => Backup::Last,
        _ => return Err(PyValueError::new_err(format!("backup {name} is unknown"))),
    })
}

/// The configuration; its values are checked by the core.
pub fn config(named: &PolicyArgument, rules: RulesArgument) -> PyResult<Config> {
    let (discount, backed_up, loss, max_depth, n_simulations, widening, solver, deduplicate, transpositions, budget) =
        rules;
    let (stop_at, stop_when_settled, total_simulations, max_cost_per_tree, max_cost) = budget;
    Ok(Config {
        policy: policy(named)?,
        discount,
        backup: backup(&backed_up)?,
        in_flight: loss.map_or(InFlight::Count, InFlight::VirtualLoss),
        max_depth: max_depth.unwrap_or(u32::MAX),
        n_simulations,
        widening: widening.map(|(k, alpha)| Widening { k, alpha }),
        solver,
        deduplicate,
        transpositions,
        budget: Budget { stop_at, stop_when_settled, total_simulations, max_cost_per_tree, max_cost },
    })
}

/// Refuses parameters out of range.
#[pyfunction]
pub fn check_policy(policy: PolicyArgument) -> PyResult<()> {
    // A number of simulations that every policy accepts: whether one must be given is the forest's affair.
    let rules = (1.0, "mean".into(), None, None, Some(1), None, None, false, false, (None, false, None, None, None));
    config(&policy, rules)?.check().map_err(to_python)
}
