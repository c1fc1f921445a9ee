//! How much worse a search becomes when many of its leaves are evaluated at once.
//!
//! `cargo bench --bench regret -- [TREES]`: 512 simulations of UCT (c = .5) on `AdditiveTree`, whose best path is known,
//! asked for in batches of K. A leaf's children are told at once and its value, a random rollout, when the batch is
//! complete. Printed is the mean loss: the value of the best child of the root less that of the most visited one.

use slowthink::problems::{AdditiveTree, Problem};
use slowthink::random::Seed;
use slowthink::run::Control;
use slowthink::trees::config::{Fpu, Uct};
use slowthink::trees::tell::{PerLeaf, Told};
use slowthink::trees::{Config, Forest, InFlight, Leaves, Policy};

const SIMULATIONS: u32 = 512;

fn search(problem: &AdditiveTree, n_trees: usize, in_flight: InFlight, batch: u32) -> Forest {
    let policy = Policy::Uct(Uct { c: 0.5, fpu: Fpu::Infinity });
    let config = Config { policy, in_flight, n_simulations: Some(SIMULATIONS), ..Config::default() };
    let seed = Seed::from_u64(u64::from(batch));
    let mut forest = Forest::new(n_trees, config, seed, 0).expect("a forest");
    let rollouts = Seed::from_u64(99);
    let mut drawn = 0;
    loop {
        let (mut tickets, mut values) = (Vec::new(), Vec::new());
        for _ in 0..batch {
            let mut leaves = Leaves::default();
            forest.ask(n_trees, Some(batch), &mut leaves).expect("leaves");
            let mut counts = Vec::new();
            let first = tickets.len();
            for (i, leaf) in leaves.leaves.iter().enumerate() {
                let mut state = problem.root(u64::from(leaf.tree));
                for &action in leaves.path(i) {
                    problem.step(&mut state, action);
                }
                drawn += 1;
                values.push(problem.value(&state, &mut rollouts.stream(drawn)));
                counts.push(i64::from(problem.n_actions(&state)));
                tickets.push(leaf.ticket);
            }
            let told = Told { n_children: PerLeaf::Each(&counts), ..Told::default() };
            forest.tell(&tickets[first..], &told).expect("told");
        }
        if tickets.is_empty() {
            return forest;
        }
        forest.tell(&tickets, &Told { values: PerLeaf::Each(&values), ..Told::default() }).expect("told");
    }
}

/// The mean loss of the most visited child of the root, and its standard error.
fn regret(problem: &AdditiveTree, forest: &Forest) -> (f64, f64) {
    let control = Control::new(1);
    let losses: Vec<f64> = forest
        .trees()
        .iter()
        .enumerate()
        .map(|(number, tree)| {
            let root = problem.root(number as u64);
            let columns = tree.columns(forest.config());
            let values: Vec<f64> = (0..problem.n_actions(&root))
                .map(|action| {
                    let mut child = root;
                    problem.step(&mut child, action);
                    problem.best_value(&child, &control).expect("a value")
                })
                .collect();
            let visits = &columns.visits[1..=values.len()];
            let most = visits.iter().position(|n| Some(n) == visits.iter().max()).expect("a child");
            values.iter().copied().fold(0.0, f64::max) - values[most]
        })
        .collect();
    let n = losses.len() as f64;
    let mean = losses.iter().sum::<f64>() / n;
    let variance = losses.iter().map(|loss| (loss - mean).powi(2)).sum::<f64>() / (n - 1.0);
    (mean, (variance / n).sqrt())
}

fn main() {
    let n_trees = std::env::args().skip(1).find_map(|word| word.parse().ok()).unwrap_or(6000);
    println!("{n_trees} trees, {SIMULATIONS} simulations each; mean loss, and as a multiple of the serial search");
    for (branching, depth) in [(4, 6), (16, 4)] {
        let problem = AdditiveTree::new(branching, depth, 0, false).expect("a tree");
        let rules = [("count", InFlight::Count), ("virtual loss 0", InFlight::VirtualLoss(0.0))];
        for (name, in_flight) in rules {
            let mut serial = f64::NAN;
            for batch in [1, 4, 16, 64, 256] {
                let (mean, error) = regret(&problem, &search(&problem, n_trees, in_flight, batch));
                serial = if batch == 1 { mean } else { serial };
                println!(
                    "b = {branching:2}, D = {depth}, {name:14} K = {batch:3}: {mean:.4} +- {error:.4}, x {:.2}",
                    mean / serial
                );
            }
        }
    }
}
