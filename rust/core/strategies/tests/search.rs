//! Tree search.

use super::*;
use crate::trees::config::QTransform;

#[test]
fn a_tree_finds_the_needle_that_walks_miss() {
    // One of 2^8 leaves, where each step succeeds by a coin: 256 different answers come before any twice.
    let problem = steps(&[0.5; 8]);
    let tree = of(Generator::Tree { policy: puct(), values: Values::Rollout, branching: 0 }, Selector::Best);
    let best = of(Generator::Walks, Selector::Best);
    let budgets = [8 * 64, 8 * 256];
    let n = 500;
    let (of_tree, of_walks) = (
        run(&problem, &[tree], &budgets, n, &Verifier::default()),
        run(&problem, &[best], &budgets, n, &Verifier::default()),
    );
    let (of_tree, of_walks) = (accuracy(&of_tree, 2), accuracy(&of_walks, 2));
    assert!(of_tree[1] > 0.99 && of_tree[0] > of_walks[0] + 0.1 && of_walks[1] < 0.75, "{of_tree:?} {of_walks:?}");
}

const fn tree(policy: Policy, values: Values, branching: u32) -> Strategy {
    of(Generator::Tree { policy, values, branching }, Selector::Best)
}

/// A tree in which everything is looked at has `branching`^d nodes at depth d, each of which costs the step that leads to
/// it and a walk from there.
#[test]
fn every_node_is_charged_once() {
    for longest in 1..4u32 {
        let problem = Steps { is_lost: true, ..steps(&vec![0.5; longest as usize]) };
        for (branching, children) in [(0, 2u64), (1, 1), (3, 3)] {
            let nodes = |depth: u32| children.pow(depth);
            let all: u64 = (0..=longest).map(nodes).sum();
            let spent = |policy, values| {
                let outcome = run(&problem, &[tree(policy, values, branching)], &[10_000], 1, &Verifier::default())[0];
                assert!(!outcome.is_correct);
                outcome.spent
            };
            let steps: u64 = (1..=longest).map(|depth| nodes(depth) * u64::from(1 + longest - depth)).sum();
            let walks = Spent { steps: steps + u64::from(longest), calls: all, answers: all, verdicts: all };
            assert_eq!(spent(UCT, Values::Rollout), walks);
            assert_eq!(spent(puct(), Values::Rollout), walks);
            // An answer that is known is judged again, for a step.
            let answers = 10_000 + nodes(0) + nodes(longest) - all;
            let rewards = Spent { steps: 10_000, calls: 10_000, answers, verdicts: 10_001 };
            assert_eq!(spent(UCT, Values::Process), rewards);
        }
        // Where walks are cut off so is the tree, and there is nothing behind its leaves.
        let problem = Uneven::new(0.0, 0.0, longest);
        let found = run(&problem, &[tree(UCT, Values::Rollout, 2)], &[10_000], 1, &Verifier::default())[0].spent;
        let steps: u64 = (1..=longest).map(|depth| u64::from(1 + longest - depth) << depth).sum();
        let all = (2 << longest) - 1;
        assert_eq!(found, Spent { steps: steps + u64::from(longest), calls: all, answers: 0, verdicts: all });
    }
}

#[test]
fn children_are_drawn_apart_from_each_other() {
    let (p, n) = ([0.5, 0.6, 0.4], 10_000);
    for branching in [1, 2] {
        // The probability that no walk below a state that is right so far succeeds, from the leaves up.
        let mut fails = 0.0;
        for depth in (0..3).rev() {
            let walk: f64 = p[depth..].iter().product();
            fails = (1.0 - walk) * (1.0 - p[depth] + p[depth] * fails).powi(branching as i32);
        }
        let found = run(&steps(&p), &[tree(UCT, Values::Rollout, branching)], &[10_000], n, &Verifier::default());
        assert_near(accuracy(&found, 1)[0], 1.0 - fails, n);
    }
    // A walk that is cut off is worth as little as a wrong one, and no less.
    let (right, on) = (0.15, 0.7f64);
    let mut fails = 1.0;
    for left in 1..4 {
        let walk: f64 = (0..left).map(|n| right * on.powi(n)).sum();
        fails = (1.0 - walk) * (1.0 - right - on + on * fails).powi(2);
    }
    let found = run(&Uneven::new(right, 0.15, 3), &[tree(UCT, Values::Rollout, 2)], &[10_000], n, &Verifier::default());
    assert_near(accuracy(&found, 1)[0], 1.0 - fails, n);
}

#[test]
fn the_likeliest_action_is_tried_first() {
    let n = 4000;
    // The walk from the root succeeds with probability p; else the first action is right, and is tried first or second.
    for (p, policy, tries) in [(0.8, UCT, 1.0), (0.2, UCT, 1.0), (0.8, puct(), 1.0), (0.2, puct(), 2.0)] {
        let strategy = Strategy { stop: true, ..tree(policy, Values::Rollout, 0) };
        let found = run(&steps(&[p]), &[strategy], &[100], n, &Verifier::default());
        assert!(found.iter().all(|outcome| outcome.is_correct));
        let mean = found.iter().map(|outcome| outcome.spent.steps as f64 - 1.0).sum::<f64>() / n as f64;
        assert_near(mean / tries, 1.0 - p, n);
    }
    // Probabilities that are all equal are the same as none.
    let game = |temperature| GameOf24::new(&[[1, 1, 4, 6]]).unwrap().with_temperature(temperature).unwrap();
    let strategy = [tree(puct(), Values::Process, 0)];
    let found = |temperature| run(&game(temperature), &strategy, &[30, 300], 10, &noisy());
    assert_eq!(found(f64::INFINITY), found(1e300));
}

#[test]
fn a_search_follows_its_process_rewards() {
    let (p, n) = (0.7, 20_000);
    let plain = Verifier::default();
    // Greedy: a step to each child, then one to the first child of the better one.
    let greedy = Policy::Uct(Uct { c: 0.0, fpu: Fpu::Infinity });
    for verifier in [
        plain,
        Verifier { process_noise: 0.5, ..plain },
        Verifier { process_noise: 0.3, process_bias: 0.5, ..plain },
        Verifier { process_bias: 1.0, ..plain },
    ] {
        for is_known in [true, false] {
            let problem = Steps { is_known, ..steps(&[0.9, p]) };
            let found = run(&problem, &[tree(greedy, Values::Process, 0)], &[3], n, &verifier);
            let exact = verifier::stays_ahead(p - verifier.process_bias, verifier.process_noise);
            assert_near(accuracy(&found, 1)[0], exact, n);
        }
    }
}

#[test]
fn a_walk_is_worth_its_verdict() {
    let n = 20_000;
    // As above, with sure walks from both children; the first is right, unless the verifier says the opposite.
    let greedy = Policy::Uct(Uct { c: 0.0, fpu: Fpu::Infinity });
    for verifier in [
        Verifier { noise: 0.4, ..Verifier::default() },
        Verifier { noise: 0.4, bias: 0.7, ..Verifier::default() },
        Verifier { noise: 0.4, bias: -0.7, ..Verifier::default() },
        Verifier { noise: 2.0, ..Verifier::default() },
    ] {
        let problem = steps(&[0.0, 1.0]);
        let strategy = Strategy { selector: Selector::Majority, ..tree(greedy, Values::Rollout, 0) };
        // The root 2 steps, each child 2, and then a leaf: whose answers of 0 or 1 and 0 are most?
        let found = run(&problem, &[strategy], &[2 + 2 + 2 + 1], n, &verifier);
        let ahead = verifier::stays_ahead(1.0 - verifier.bias, verifier.noise);
        assert_near(accuracy(&found, 1)[0], ahead * 0.5, n);
    }
}

#[test]
fn a_search_believes_means_and_judges_again_where_verdicts_vary() {
    let plain = Verifier::default();
    // The wrong child promises 0.9 and holds nothing: after its first leaf, 0.45 is less than the 0.5 of the right one.
    let greedy = Policy::Uct(Uct { c: 0.0, fpu: Fpu::Infinity });
    let verifier = Verifier { process_bias: 0.9, ..plain };
    let found = run(&steps(&[0.9, 0.5]), &[tree(greedy, Values::Process, 0)], &[3, 4], 5, &verifier);
    assert_eq!(accuracy(&found, 2), [0.0, 1.0]);
    // One that promises 1.2 is left after its second leaf alone.
    let verifier = Verifier { process_bias: 1.2, ..plain };
    let found = run(&steps(&[0.9, 0.5]), &[tree(greedy, Values::Process, 0)], &[4, 5], 5, &verifier);
    assert_eq!(accuracy(&found, 2), [0.0, 1.0]);
    // Where another verdict may be another, all goes on being visited.
    for verifier in [Verifier { noise: 0.3, ..plain }, Verifier { bias: -0.5, ..plain }] {
        let found = run(&steps(&[0.5]), &[tree(UCT, Values::Rollout, 0)], &[200], 5, &verifier);
        assert!(found.iter().all(|outcome| outcome.spent.steps == 200), "{verifier:?}");
    }
    // What is accepted is taken, right or wrong, and the search is over.
    let verifier = Verifier { false_positive: 1.0, ..plain };
    let n = 4000;
    let strategy = Strategy { stop: true, ..tree(UCT, Values::Rollout, 0) };
    let found = run(&steps(&[0.3, 0.9]), &[strategy], &[2, 100], n, &verifier);
    assert_near(accuracy(&found, 2)[1], 0.27, n);
    assert!(found.iter().all(|outcome| outcome.spent == Spent { steps: 2, calls: 1, answers: 1, verdicts: 1 }));
    // A walk that ends early costs what it took.
    let problem = Uneven::new(0.0, 1.0, 5);
    let found = run(&problem, &[tree(UCT, Values::Rollout, 2)], &[100], 1, &plain)[0].spent;
    assert_eq!(found, Spent { steps: 3, calls: 3, answers: 3, verdicts: 3 });
}

#[test]
fn a_larger_budget_does_not_change_what_a_smaller_one_comes_to() {
    // Answers lie at every depth, and to come back to one that is not the deepest costs nothing.
    let problem = Uneven::new(0.3, 0.3, 4);
    let verifier = Verifier { noise: 0.3, ..Verifier::default() };
    let budgets = [3, 5, 8, 13, 21, 34, 55, 2000];
    let n = 50;
    for strategy in [tree(UCT, Values::Rollout, 3), tree(puct(), Values::Process, 3)] {
        let together = run(&problem, &[strategy], &budgets, n, &verifier);
        for (b, budget) in budgets.iter().enumerate() {
            let alone = run(&problem, &[strategy], &[*budget], n, &verifier);
            for (trial, outcome) in alone.iter().enumerate() {
                assert_eq!(*outcome, together[trial * budgets.len() + b], "{strategy:?} at {budget}");
            }
        }
    }
}

#[test]
fn a_walk_that_is_cut_off_is_worth_as_much_as_a_wrong_one() {
    let cut_off = Uneven::new(0.1, 0.1, 4);
    let wrong = Uneven { is_closed: true, ..Uneven::new(0.1, 0.1, 4) };
    let budgets = [4, 8, 12, 16, 24, 32, 64];
    for verifier in [Verifier::default(), Verifier { process_noise: 0.3, ..Verifier::default() }] {
        for strategy in [tree(UCT, Values::Rollout, 2), tree(puct(), Values::Rollout, 3)] {
            let right = |problem: &Uneven| -> Vec<bool> {
                run(problem, &[strategy], &budgets, 200, &verifier).iter().map(|outcome| outcome.is_correct).collect()
            };
            assert_eq!(right(&cut_off), right(&wrong), "{strategy:?}");
        }
    }
}

#[test]
fn children_that_are_drawn_are_equally_probable() {
    // Q is 1 where somebody was, else 0: of n children the first keeps ahead where 1 > 2 / n (sqrt 2 - sqrt 2 / 2), and
    // two steps lead to an answer; with a probability of 1 for each of them they would not.
    let raw = Puct { pb_c_init: 2.0, q_transform: QTransform::Raw, fpu: Fpu::Constant(0.0), ..Puct::default() };
    for branching in 1..4 {
        let strategy = tree(Policy::Puct(raw), Values::Process, branching);
        let found = run(&steps(&[1.0; 2]), &[strategy], &[2], 3, &Verifier::default());
        assert!(found.iter().all(|outcome| outcome.is_correct), "{branching}");
    }
}
