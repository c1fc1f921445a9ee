//! Where something is known exactly, and of what.

use super::*;
use crate::problems::{Categorical, Table};

fn curve<P: Reasoning>(problem: &P, strategy: Strategy, budgets: &[u64], verifier: &Verifier) -> Vec<f64> {
    exact::curves(problem, &[strategy], budgets, verifier, &Control::new(1)).unwrap()
}

fn assert_close(found: &[f64], exact: &[f64]) {
    assert!(found.len() == exact.len() && found.iter().zip(exact).all(|(a, b)| (a - b).abs() < 1e-14), "{found:?}");
}

#[test]
fn curves_are_means_over_the_instances() {
    let plain = Verifier::default();
    let walks = |selector| of(Generator::Walks, selector);
    let laws = [0.5, 0.25, 0.25, 0.1, 0.2, 0.7];
    let problem = Categorical::new(laws.to_vec(), 3, vec![0, 2]).unwrap();
    assert_close(&curve(&problem, walks(Selector::First), &[1, 3], &plain), &[0.6, 0.6]);
    let best = f64::midpoint(1.0 - 0.5f64.powi(3), 1.0 - 0.3f64.powi(3));
    assert_close(&curve(&problem, walks(Selector::Best), &[1, 3], &plain), &[0.6, best]);
    // Two of three agree on p^2 (3 - 2 p), and else all three differ.
    let vote = |p: f64| p * p * (3.0 - 2.0 * p);
    let three = vote(0.5) + 2.0 * 0.5 * 0.25 * 0.25 + vote(0.7) + 2.0 * 0.1 * 0.2 * 0.7;
    assert_close(&curve(&problem, walks(Selector::Majority), &[1, 3], &plain), &[0.6, three / 2.0]);
    let game = GameOf24::new(&[[1, 1, 4, 6], [2, 2, 3, 13]]).unwrap();
    let success = [0, 1].map(|tree| Table::of(&game, tree, 1, 10_000).unwrap().success_probability(&0).unwrap());
    let mean = f64::midpoint(success[0], success[1]);
    assert_close(&curve(&game, walks(Selector::First), &[2, 3, 8], &plain), &[0.0, mean, mean]);
}

#[test]
fn nothing_is_said_to_be_known_of_noise() {
    let plain = Verifier::default();
    let problem = steps(&[0.5, 0.7]);
    for verifier in [
        Verifier { noise: 0.1, ..plain },
        Verifier { bias: 0.1, ..plain },
        Verifier { false_positive: 0.1, systematic: true, ..plain },
    ] {
        let best = of(Generator::Walks, Selector::Best);
        assert!(curve(&problem, best, &[2, 8], &verifier).iter().all(|value| value.is_nan()), "{verifier:?}");
    }
    for verifier in [Verifier { process_noise: 0.1, ..plain }, Verifier { process_bias: 0.1, ..plain }] {
        for generator in [
            Generator::Beam { expand: 2 },
            Generator::Dvts { expand: 2 },
            Generator::Stepwise { width: 0 },
            Generator::Stepwise { width: 2 },
        ] {
            let value = curve(&problem, of(generator, Selector::Best), &[8], &verifier);
            assert!(value[0].is_nan(), "{generator:?} {verifier:?}");
        }
    }
}

#[test]
fn a_walk_without_an_answer_is_no_vote_and_no_choice() {
    let (problem, n, budgets) = (Uneven::new(0.35, 0.4, 1), 20_000, [1, 2, 3, 6]);
    let verifier = Verifier { false_positive: 0.3, false_negative: 0.4, ..Verifier::default() };
    for selector in [Selector::First, Selector::Best, Selector::Majority] {
        let strategy = of(Generator::Walks, selector);
        let exact = curve(&problem, strategy, &budgets, &verifier);
        let found = run(&problem, &[strategy], &budgets, n, &verifier);
        for (&simulated, &exact) in accuracy(&found, 4).iter().zip(&exact) {
            assert_near(simulated, exact, n);
        }
    }
}
