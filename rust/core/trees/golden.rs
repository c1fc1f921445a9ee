//! Searches that mctx made, step by step; `tests/golden/mctx_trees.py` says how.

use super::config::{Config, Fpu, Gumbel, Policy, Puct, QTransform};
use super::forest::{Forest, Leaves};
use super::tell::{PerLeaf, Priors, Told};
use crate::random::Seed;
use serde_json::Value;
use std::collections::HashMap;

const MCTX: &str = include_str!("../../../tests/golden/mctx_trees.json");

fn mix(x: u32) -> u32 {
    let x = (x ^ (x >> 16)).wrapping_mul(0x7feb_352d);
    let x = (x ^ (x >> 15)).wrapping_mul(0x846c_a68b);
    x ^ (x >> 16)
}

fn unit(x: u32) -> f64 {
    f64::from(mix(x) >> 8) / f64::from(1 << 24)
}

/// Value, reward and priors of a node.
fn evaluate(node: u32, case: &Value) -> (f64, f64, Vec<f32>) {
    let weights: Vec<f64> = (0..number(case, "n_actions") as u32)
        .map(|action| {
            let illegal =
                case["zeros"] == true && action > 0 && mix(node.wrapping_add(4096 + action)).is_multiple_of(3);
            if illegal { 0.0 } else { unit(node.wrapping_add(16 + action)).powi(2) + 0.01 }
        })
        .collect();
    let total: f64 = weights.iter().sum();
    let reward = if case["rewards"] == true { unit(node.wrapping_add(2)) / 4.0 } else { 0.0 };
    let priors = weights.iter().map(|weight| (weight / total) as f32).collect();
    (2.0 * unit(node.wrapping_add(1)) - 1.0, reward, priors)
}

fn number(case: &Value, name: &str) -> f64 {
    case[name].as_f64().unwrap_or_else(|| panic!("no number {name} in {case}"))
}

fn config(case: &Value) -> Config {
    let policy = if case["policy"] == "gumbel" {
        Policy::Gumbel(Gumbel {
            max_num_considered_actions: number(case, "max_num_considered_actions") as u32,
            gumbel_scale: 0.0,
            value_scale: number(case, "value_scale"),
            maxvisit_init: number(case, "maxvisit_init"),
            rescale_values: case["rescale_values"] == true,
        })
    } else {
        let q_transform = if case["q_transform"] == "min_max" {
            QTransform::MinMax { min: number(case, "min_value"), max: number(case, "max_value") }
        } else {
            QTransform::ParentAndSiblings
        };
        Policy::Puct(Puct {
            pb_c_init: number(case, "pb_c_init"),
            pb_c_base: number(case, "pb_c_base"),
            q_transform,
            fpu: Fpu::Constant(0.0),
            dirichlet_fraction: 0.0,
            dirichlet_alpha: 0.3,
        })
    };
    let n_simulations = Some(number(case, "n_simulations") as u32);
    Config { policy, discount: number(case, "discount"), n_simulations, ..Config::default() }
}

/// Searches from `root`, one leaf at a time; the nodes in the order in which they were evaluated.
fn search(case: &Value, root: u32) -> (Forest, Vec<u32>, Vec<[i64; 2]>) {
    let mut forest = Forest::new(1, config(case), Seed::from_u64(1), 0).unwrap();
    let (mut states, mut order, mut asked) = (HashMap::new(), HashMap::new(), Vec::new());
    let (mut leaves, mut nodes) = (Leaves::default(), Vec::new());
    loop {
        leaves.clear();
        forest.ask(1, None, &mut leaves).unwrap();
        let Some(leaf) = leaves.leaves.first() else { break };
        let state = match states.get(&leaf.parent) {
            None => root,
            Some(parent) => mix(u32::wrapping_mul(*parent, 31).wrapping_add(leaf.action as u32 + 1)),
        };
        states.insert(i64::from(leaf.node), state);
        asked.push([order.get(&leaf.parent).copied().unwrap_or(-1), leaf.action]);
        order.insert(i64::from(leaf.node), nodes.len() as i64);
        nodes.push(leaf.node);
        let (value, reward, priors) = evaluate(state, case);
        let told = Told {
            values: PerLeaf::All(value),
            rewards: if case["rewards"] == true { PerLeaf::All(reward) } else { PerLeaf::None },
            n_children: PerLeaf::All(priors.len() as i64),
            priors: Priors::Flat(&priors),
            ..Told::default()
        };
        assert_eq!(forest.tell(&[leaf.ticket], &told), Ok(1));
    }
    (forest, nodes, asked)
}

#[test]
fn gumbel_and_puct_search_as_mctx_does() {
    let cases: Vec<Value> = serde_json::from_str(MCTX).unwrap();
    for case in &cases {
        for (root, expected) in case["roots"].as_array().unwrap().iter().zip(case["results"].as_array().unwrap()) {
            let (forest, nodes, asked) = search(case, root.as_u64().unwrap() as u32);
            let column = |name: &str| expected[name].as_array().unwrap().iter().map(|x| x.as_i64().unwrap());
            let steps: Vec<[i64; 2]> = column("parent").zip(column("action")).map(|(p, a)| [p, a]).collect();
            assert_eq!(&asked[1..], &steps, "{:?} from {root}", forest.config());
            let columns = forest.trees()[0].columns(forest.config());
            let near = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-5, "{found} {expected}");
            let found = nodes.iter().map(|&node| (columns.value[node as usize], columns.visits[node as usize]));
            let values = expected["value"].as_array().unwrap().iter().map(|x| x.as_f64().unwrap());
            for ((value, visits), (expected_value, expected_visits)) in found.zip(values.zip(column("visits"))) {
                near(value, expected_value);
                assert_eq!(visits, expected_visits);
            }
            let weights = forest.action_weights(0).unwrap();
            weights
                .iter()
                .zip(expected["weights"].as_array().unwrap())
                .for_each(|(&w, x)| near(w, x.as_f64().unwrap()));
            if let Policy::Gumbel(_) = forest.config().policy {
                assert_eq!(forest.gumbel_action(0).unwrap().map(u64::from), expected["chosen"].as_u64());
            }
        }
    }
}
