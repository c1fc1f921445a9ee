//! Which answers are taken, against what is known exactly.

use super::*;
use crate::strategies::log::Log;
use crate::strategies::select::Reader;
use crate::strategies::verifier::Verdict;

#[test]
fn selection_among_walks_comes_to_what_is_exact() {
    let problem = steps(&[0.8, 0.6, 0.9]);
    let verifiers = [
        Verifier::default(),
        Verifier { false_positive: 0.3, false_negative: 0.2, ..Verifier::default() },
        Verifier { accuracy: Some(0.7), ..Verifier::default() },
    ];
    let budgets = [2, 3, 7, 12, 30];
    let n = 20_000;
    for verifier in &verifiers {
        for stop in [false, true] {
            for selector in [Selector::First, Selector::Best, Selector::Majority, Selector::Weighted] {
                let strategy = [Strategy { generator: Generator::Walks, selector, stop }];
                let exact = exact::curves(&problem, &strategy, &budgets, verifier, &Control::default()).unwrap();
                let outcomes = run(&problem, &strategy, &budgets, n, verifier);
                let known = exact.iter().filter(|value| !value.is_nan()).count();
                let is_known = selector != Selector::Weighted || verifier.is_perfect();
                assert_eq!(known, 5 * usize::from(is_known), "{selector:?}");
                for (&simulated, &exact) in accuracy(&outcomes, 5).iter().zip(&exact) {
                    if !exact.is_nan() {
                        assert_near(simulated, exact, n);
                    }
                }
            }
        }
    }
}

#[test]
fn systematic_errors_are_those_of_the_answer() {
    // Every wrong answer is accepted or refused for good: more samples do not help where the wrong ones are accepted.
    let problem = steps(&[0.9, 0.9]);
    let verifier = Verifier { false_negative: 0.5, systematic: true, ..Verifier::default() };
    let best = of(Generator::Walks, Selector::Weighted);
    let (n, budgets) = (4000, [2 * 400]);
    let right = accuracy(&run(&problem, &[best], &budgets, n, &verifier), 1)[0];
    // Accepted, it wins; refused, as are all others, three answers tie.
    assert_near(right, 0.5 + 0.5 / 3.0, n);
}

/// Whether an answer taken at each of `budgets` is right, having heard of answers (steps, answer, is right, score).
fn heard(
    selector: Selector,
    verifier: &Verifier,
    answers: &[(u64, Option<u64>, bool, f64)],
    budgets: &[u64],
    trial: u64,
) -> Vec<bool> {
    let mut out = vec![Outcome::default(); budgets.len()];
    let streams = Streams(Seed::from_u64(11).child(trial));
    let strategy = of(Generator::Walks, selector);
    let mut log = Log::new(vec![Reader::new(&strategy, verifier, streams, budgets, &mut out)]);
    for &(steps, answer, is_correct, score) in answers {
        log.spent.steps += steps;
        log.push(answer, is_correct, Verdict { score, accepted: score > 0.5 });
    }
    log.end();
    out.iter().map(|outcome| outcome.is_correct).collect()
}

#[test]
fn ties_fall_on_each_of_the_equals_alike() {
    let (none, low) = ((1, None, false, f64::NEG_INFINITY), (1, Some(9), false, 0.2));
    let right = |answer, score| (1, Some(answer), true, score);
    let wrong = |answer, score| (1, Some(answer), false, score);
    let third = 1.0 / 3.0;
    let n = 4000;
    let plain = Verifier::default();
    let best: [(&[_], f64); 8] = [
        (&[right(0, 1.0), wrong(1, 1.0), wrong(2, 1.0)], third),
        (&[low, wrong(1, 1.0), right(0, 1.0), none, wrong(2, 1.0)], third),
        (&[wrong(1, 1.0), right(3, 1.0), none, low, right(0, 1.0)], 2.0 * third),
        (&[wrong(1, 1.0), wrong(2, 1.0), low, right(0, 1.0)], third),
        (&[wrong(1, 1.0), right(0, 1.01)], 1.0),
        (&[right(0, -3.0), none, wrong(1, -3.01)], 1.0),
        (&[right(0, 1.0), wrong(1, 1.5), wrong(2, 0.3), low], 0.0),
        (&[none, none], 0.0),
    ];
    let majority: [(&[_], f64); 7] = [
        (&[right(0, 1.0), wrong(1, 1.0), wrong(2, 1.0)], third),
        (&[right(0, 0.1), wrong(1, 9.0), right(0, 0.1), wrong(2, 5.0), wrong(1, 3.0)], 0.5),
        (&[right(0, 0.0), wrong(1, 1.0), right(3, 0.0)], 2.0 * third),
        (&[right(0, 0.0), right(3, 0.0)], 1.0),
        (&[none, none, none, right(0, 0.0), right(0, 0.0), wrong(1, 0.0)], 1.0),
        (&[right(0, 9.0), wrong(1, 0.0), wrong(1, 0.0)], 0.0),
        (&[none], 0.0),
    ];
    let weighted: [(&[_], f64); 7] = [
        (&[right(0, 0.5), wrong(1, 1.0), right(0, 0.5)], 0.5),
        (&[right(0, 0.4), wrong(1, 0.7), right(0, 0.4)], 1.0),
        (&[wrong(1, 0.4), right(0, 0.7), wrong(1, 0.4)], 0.0),
        (&[right(0, -1.0), wrong(1, -3.0), none], 1.0),
        (&[right(0, -1.0), wrong(1, -0.5), right(0, 0.25)], 0.0),
        (&[right(0, 0.0), right(3, 0.0), wrong(1, 0.0)], 2.0 * third),
        (&[none], 0.0),
    ];
    let first: [(&[_], f64); 4] = [
        (&[right(0, 0.0), wrong(1, 1.0)], 1.0),
        (&[wrong(1, 0.0), right(0, 1.0)], 0.0),
        (&[none, right(0, 1.0)], 0.0),
        (&[], 0.0),
    ];
    for (selector, cases) in [
        (Selector::Best, &best[..]),
        (Selector::Majority, &majority[..]),
        (Selector::Weighted, &weighted[..]),
        (Selector::First, &first[..]),
    ] {
        for (answers, exact) in cases {
            let right = (0..n).filter(|&trial| heard(selector, &plain, answers, &[9], trial)[0]).count();
            assert_near(right as f64 / n as f64, *exact, n as usize);
        }
    }
    // A choice of a given accuracy asks for one right answer, whatever its score.
    let fair = Verifier { accuracy: Some(0.3), ..plain };
    for (answers, exact) in [
        (&[right(0, 0.0), wrong(1, 1.0), low], 0.3),
        (&[wrong(1, 0.0), right(0, 1.0), right(3, 1.0)], 0.3),
        (&[wrong(1, 0.0), none, low], 0.0),
    ] {
        let right = (0..n).filter(|&trial| heard(Selector::Best, &fair, answers, &[9], trial)[0]).count();
        assert_near(right as f64 / n as f64, exact, n as usize);
    }
}

#[test]
fn each_budget_knows_what_was_completed_within_it() {
    let answers =
        [(2, Some(1), false, 0.2), (3, Some(0), true, 0.6), (4, Some(1), false, 0.9), (1, Some(1), false, 0.1)];
    let budgets: Vec<u64> = (1..=12).collect();
    let at = |selector, verifier: &Verifier| heard(selector, verifier, &answers, &budgets, 0);
    let within = |low, high| budgets.iter().map(|budget| (low..high).contains(budget)).collect::<Vec<_>>();
    let plain = Verifier::default();
    assert_eq!(at(Selector::First, &plain), within(99, 99));
    assert_eq!(at(Selector::Best, &plain), within(5, 9));
    assert_eq!(at(Selector::Weighted, &plain), within(5, 9));
    // Between one and one the draw is that of the budget.
    let majority = at(Selector::Majority, &plain);
    assert_eq!(majority[..4], [false; 4]);
    assert_eq!(majority[8..], [false; 4]);
    assert_eq!(at(Selector::Best, &Verifier { accuracy: Some(1.0), ..plain }), within(5, 99));
    // Each budget draws by itself.
    let tie = [(1, Some(1), false, 1.0), (1, Some(0), true, 1.0)];
    let (n, budgets) = (2000, [2, 3]);
    let draws = (0..n).map(|trial| heard(Selector::Weighted, &plain, &tie, &budgets, trial));
    let both = draws.filter(|right| right[0] && right[1]).count();
    assert_near(both as f64 / n as f64, 0.25, n as usize);
}
