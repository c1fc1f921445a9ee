//! UCT inside the engine against the straightforward loop over arrays, one thread, in the same process.
//!
//! `cargo bench --bench trees -- [BRANCHING ...] [--short]`: the game is `SyntheticTree` of depth 20. Ratio = time of the plain loop
//! divided by that of the forest, both making all their trees from nothing, the median over interleaved repeats. Both
//! build the same number of nodes, which is printed beside the bytes of a child in the forest.

use slowthink::problems::SyntheticTree;
use slowthink::problems::synthetic::{mix, unit};
use slowthink::random::Seed;
use slowthink::run::Control;
use slowthink::trees::{Config, Forest};
use std::hint::black_box;
use std::time::Instant;

const DEPTH: u32 = 20;
const REPEATS: usize = 9;

/// Visits, summed values and first children of all nodes, and the loop that one writes first.
#[derive(Default)]
struct Plain {
    visits: Vec<u32>,
    sums: Vec<f32>,
    first: Vec<u32>,
    path: Vec<u32>,
}

impl Plain {
    fn push(&mut self, n: usize) {
        let len = self.visits.len() + n;
        self.visits.resize(len, 0);
        self.sums.resize(len, 0.0);
        self.first.resize(len, 0);
    }

    #[inline(never)]
    fn search(&mut self, key: u64, b: usize, n_simulations: usize) -> usize {
        self.visits.clear();
        self.sums.clear();
        self.first.clear();
        self.push(1);
        for _ in 0..n_simulations {
            let (mut node, mut depth, mut hash) = (0, 0, mix(key));
            self.path.clear();
            loop {
                self.path.push(node as u32);
                if depth >= DEPTH || self.visits[node] == 0 {
                    break;
                }
                if self.first[node] == 0 {
                    self.first[node] = self.visits.len() as u32;
                    self.push(b);
                }
                let first = self.first[node] as usize;
                let log = (self.visits[node] as f32).ln();
                let (visits, sums) = (&self.visits[first..first + b], &self.sums[first..first + b]);
                let (mut best, mut action) = (-1.0f32, 0);
                for i in 0..b {
                    let n = visits[i] as f32;
                    let score = if visits[i] == 0 { 1e20 } else { sums[i] / n + (log / n).sqrt() };
                    if score > best {
                        (best, action) = (score, i);
                    }
                }
                hash = mix(hash ^ (action as u64 + 1));
                node = first + action;
                depth += 1;
            }
            let value = unit(mix(hash));
            for &node in &self.path {
                self.visits[node as usize] += 1;
                self.sums[node as usize] += value;
            }
        }
        self.visits.len()
    }
}

fn compare(b: u32, n_simulations: u32) {
    let n_trees = (100_000 / n_simulations).max(1) as usize;
    let problem = SyntheticTree::new(b, DEPTH, 0).expect("a tree");
    let (mut ratios, mut best) = (Vec::new(), [f64::INFINITY; 2]);
    let (mut nodes, mut bytes) = ([0, 0], 0);
    for _ in 0..REPEATS {
        let start = Instant::now();
        let mut plain = Plain::default();
        nodes[0] = (1..=n_trees as u64).map(|key| plain.search(key, b as usize, n_simulations as usize)).sum();
        let by_hand = start.elapsed().as_secs_f64();
        let start = Instant::now();
        let mut forest = Forest::new(n_trees, Config::default(), Seed::from_u64(0), 0).expect("a forest");
        forest.run(&problem, n_simulations, &Control::new(1)).expect("a search");
        let ours = start.elapsed().as_secs_f64();
        nodes[1] = forest.trees().iter().map(|tree| tree.arena().len()).sum();
        bytes = forest.trees().iter().map(|tree| tree.arena().n_bytes()).sum();
        black_box((&plain.visits, &forest));
        ratios.push(by_hand / ours);
        best = [best[0].min(by_hand), best[1].min(ours)];
    }
    ratios.sort_by(f64::total_cmp);
    let rate = |seconds: f64| n_trees as f64 * f64::from(n_simulations) / seconds / 1e6;
    println!(
        "b = {b:2}, {n_simulations:7} simulations: plain {:5.2} M/s, forest {:5.2} M/s, ratio {:.2}; nodes {} and {}, {:.1} bytes each",
        rate(best[0]),
        rate(best[1]),
        ratios[REPEATS / 2],
        nodes[0],
        nodes[1],
        bytes as f64 / nodes[1] as f64
    );
}

fn main() {
    let asked: Vec<u32> = std::env::args().skip(1).filter_map(|word| word.parse().ok()).collect();
    let branchings = if asked.is_empty() { vec![4, 32] } else { asked };
    let sizes: &[u32] =
        if std::env::args().any(|word| word == "--short") { &[1000] } else { &[1000, 100_000, 1_000_000] };
    for b in branchings {
        for &n_simulations in sizes {
            compare(b, n_simulations);
        }
    }
}
