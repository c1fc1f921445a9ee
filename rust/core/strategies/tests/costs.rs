//! What is charged.

use super::uneven::Uneven;
use super::*;

const STOP: Strategy = Strategy { generator: Generator::Walks, selector: Selector::Best, stop: true };

#[test]
fn an_accepted_answer_ends_a_strategy_that_may_stop() {
    let problem = steps(&[0.5, 0.5]);
    let stop = STOP;
    let outcomes = run(&problem, &[stop], &[2, 2000], 4000, &Verifier::default());
    // The number of walks until the first success is geometric.
    let mean = outcomes.iter().skip(1).step_by(2).map(|outcome| outcome.spent.steps as f64).sum::<f64>() / 4000.0;
    assert!((mean / 2.0 - 4.0).abs() < 5.0 * (12.0f64 / 4000.0).sqrt(), "{mean}");
    assert!(outcomes.iter().all(|outcome| !outcome.is_correct || outcome.spent.answers * 2 == outcome.spent.steps));
    // With noise a later answer may look better.
    let noisy = run(&problem, &[stop], &[2000], 3, &noisy());
    assert!(noisy.iter().all(|outcome| outcome.spent.steps == 2000));
}

#[test]
fn only_a_yes_or_no_to_the_best_answer_ends_a_strategy() {
    let problem = steps(&[0.9]);
    let learner = Learner::SuccessiveElimination { delta: 0.05 };
    let plain = Verifier::default();
    let verifiers = [
        (plain, true),
        (Verifier { false_positive: 0.1, false_negative: 0.1, ..plain }, true),
        (Verifier { noise: 0.1, ..plain }, false),
        (Verifier { bias: -0.1, ..plain }, false),
        (Verifier { accuracy: Some(0.9), ..plain }, false),
    ];
    for generator in [Generator::Walks, Generator::Experts { learner }] {
        for (verifier, is_decided) in &verifiers {
            for selector in [Selector::Best, Selector::Majority, Selector::Weighted] {
                for stop in [false, true] {
                    let strategy = Strategy { generator, selector, stop };
                    let spent = run(&problem, &[strategy], &[1, 3], 40, verifier);
                    let early = spent.iter().skip(1).step_by(2).any(|outcome| outcome.spent.steps < 3);
                    assert_eq!(early, stop && *is_decided && selector == Selector::Best, "{strategy:?} {verifier:?}");
                }
            }
        }
    }
    // What ends at once is charged for no more, whoever else goes on.
    let others = [STOP, of(Generator::Walks, Selector::First), of(Generator::Walks, Selector::Majority)];
    let outcomes = run(&steps(&[1.0, 1.0]), &others, &[2, 7], 1, &plain);
    let steps: Vec<u64> = outcomes.iter().map(|outcome| outcome.spent.steps).collect();
    assert_eq!(steps, [2, 2, 2, 2, 2, 7]);
}

/// What has been spent on `walks`, of which each has a length and an answer, when `budget` steps are.
fn account(walks: &[(u64, Option<u64>, bool)], budget: u64) -> (Spent, usize) {
    let mut spent = Spent::default();
    for (completed, &(steps, answer, _)) in walks.iter().enumerate() {
        if spent.steps == budget {
            return (spent, completed);
        }
        spent.calls += 1;
        if spent.steps + steps > budget {
            spent.steps = budget;
            return (spent, completed);
        }
        spent.steps += steps;
        spent.verdicts += 1;
        spent.answers += u64::from(answer.is_some());
    }
    (spent, walks.len())
}

#[test]
fn walks_are_charged_as_they_are_drawn() {
    let problem = Uneven::new(0.2, 0.3, 3);
    let budgets: Vec<u64> = (1..=40).collect();
    let learner = Learner::Ucb { c: 2.0 };
    let of_experts = Generator::Experts { learner };
    let strategies = [
        of(Generator::Walks, Selector::First),
        of(Generator::Walks, Selector::Best),
        of(Generator::Walks, Selector::Majority),
        of(Generator::Walks, Selector::Weighted),
        STOP,
        of(of_experts, Selector::Best),
        of(of_experts, Selector::Majority),
        of(of_experts, Selector::First),
        Strategy { generator: of_experts, ..STOP },
    ];
    let n = 30;
    let outcomes = run(&problem, &strategies, &budgets, n, &Verifier::default());
    for trial in 0..n {
        let streams = Streams(Seed::from_u64(7).child(trial as u64));
        for (s, strategy) in strategies.iter().enumerate() {
            let purpose = if strategy.generator == Generator::Walks { Purpose::Walks } else { Purpose::Experts };
            let stream = &mut streams.of(purpose, 0);
            let all: Vec<_> = (0..41).map(|_| problem.walked(stream)).collect();
            let accepted = all.iter().position(|walk| walk.2).map_or(all.len(), |place| place + 1);
            let is_one = strategy.generator == Generator::Walks && strategy.selector == Selector::First;
            let walks = if is_one { &all[..1] } else { &all[..if strategy.stop { accepted } else { all.len() }] };
            for (b, &budget) in budgets.iter().enumerate() {
                let (mut spent, completed) = account(walks, budget);
                if matches!((purpose, strategy.selector), (Purpose::Walks, Selector::First | Selector::Majority)) {
                    spent.verdicts = 0;
                }
                let outcome = outcomes[(trial * strategies.len() + s) * budgets.len() + b];
                assert_eq!(outcome.spent, spent, "{strategy:?} at {budget}: {all:?}");
                let right = walks[..completed].iter().filter(|walk| walk.2).count();
                let wrong = walks[..completed].iter().filter(|walk| walk.1.is_some() && !walk.2).count();
                let expected = match strategy.selector {
                    Selector::First => completed > 0 && all[0].2,
                    Selector::Majority if right == wrong => outcome.is_correct && right > 0,
                    Selector::Majority => right > wrong,
                    Selector::Best | Selector::Weighted => right > 0,
                };
                assert_eq!(outcome.is_correct, expected, "{strategy:?} at {budget}: {all:?}");
            }
        }
    }
}

#[test]
fn layers_are_charged_for_every_candidate() {
    let verifier = Verifier::default();
    for trial in 0..20 {
        let spent = |problem: &Uneven, generator, budget| {
            let strategy = [of(generator, Selector::Best)];
            let seed = Seed::from_u64(trial);
            let outcomes = compare(problem, &strategy, &[budget], 1, 0, &verifier, seed, &Control::new(1)).unwrap();
            let spent = outcomes[0].spent;
            assert_eq!((spent.steps, spent.calls, spent.verdicts), (problem.n_steps(), spent.steps, spent.steps));
            spent
        };
        // A place is there for another candidate until one has ended, with an answer or without.
        for (expand, is_silent) in [(1, false), (2, false), (3, true), (20, false), (20, true)] {
            let problem = Uneven { is_silent, ..Uneven::new(0.2, 0.3, 5) };
            let answers = spent(&problem, Generator::Beam { expand }, 5 * 12 + 4).answers;
            assert_eq!((problem.n_taken(0), problem.n_taken(5)), (12, 0));
            for depth in 1..5 {
                assert_eq!(problem.n_taken(depth), problem.n_taken(depth - 1) - problem.n_ended(depth - 1));
            }
            let ended = (0..5).map(|depth| problem.n_ended(depth)).sum::<u64>();
            assert!(if is_silent { answers <= ended } else { answers == ended });
        }
        // As wide as before, until all have answered.
        let problem = Uneven::new(0.2, 0.3, 5);
        let answers = spent(&problem, Generator::Dvts { expand: 2 }, 5 * 3).answers;
        for depth in 0..6 {
            let goes_on = depth < 5 && (depth == 0 || problem.n_taken(depth - 1) > problem.n_ended(depth - 1));
            assert_eq!(problem.n_taken(depth), if goes_on { 3 } else { 0 });
        }
        assert_eq!(answers, (0..5).map(|depth| problem.n_ended(depth)).sum::<u64>());
        // Chains, as long as there is enough for the longest.
        let problem = Uneven::new(0.2, 0.3, 5);
        let all = spent(&problem, Generator::Stepwise { width: 3 }, 100);
        assert!(all.steps % 3 == 0 && (86..=100).contains(&all.steps), "{all:?}");
        let n_chains = problem.n_taken(0) / 3;
        assert!(all.answers <= n_chains && problem.n_taken(5) == 0);
        let problem = Uneven::new(0.0, 0.0, 5);
        assert_eq!(spent(&problem, Generator::Stepwise { width: 3 }, 90).steps, 90);
        assert_eq!((0..6).map(|depth| problem.n_taken(depth)).collect::<Vec<_>>(), [18, 18, 18, 18, 18, 0]);
    }
}

#[test]
fn an_answer_without_steps_is_not_free() {
    let problem = Uneven { is_done: true, ..Uneven::new(0.2, 0.3, 4) };
    let spent = |generator, selector| run(&problem, &[of(generator, selector)], &[10], 1, &Verifier::default())[0];
    let ten = Spent { steps: 10, calls: 10, answers: 10, verdicts: 10 };
    assert_eq!(spent(Generator::Walks, Selector::Best), Outcome { is_correct: true, spent: ten });
    let learner = Learner::Thompson;
    assert_eq!(spent(Generator::Experts { learner }, Selector::First), Outcome { is_correct: true, spent: ten });
    // Nothing is left to choose among.
    for generator in [Generator::Beam { expand: 2 }, Generator::Dvts { expand: 2 }] {
        assert_eq!(spent(generator, Selector::Best), Outcome::default());
    }
    // A chain begins where the longest could still end.
    let three = Spent { steps: 3, calls: 0, answers: 3, verdicts: 0 };
    let found = spent(Generator::Stepwise { width: 2 }, Selector::Best);
    assert_eq!(found, Outcome { is_correct: true, spent: three });
}
