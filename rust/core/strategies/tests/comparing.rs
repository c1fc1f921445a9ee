//! Which instance a trial works on, what its strategies share, and what they do not.

use super::*;
use crate::problems::Categorical;

#[test]
fn trials_take_the_instances_in_turn() {
    let control = Control::new(2);
    // Instances whose only answer is right, right, wrong.
    let laws = [1.0, 0.0, 0.0, 1.0, 1.0, 0.0];
    let problem = Categorical::new(laws.to_vec(), 2, vec![0, 1, 1]).unwrap();
    let walk = [of(Generator::Walks, Selector::First)];
    let plain = Verifier::default();
    let found = compare(&problem, &walk, &[1], 7, 5, &plain, Seed::from_u64(0), &control).unwrap();
    let right: Vec<bool> = found.iter().map(|outcome| outcome.is_correct).collect();
    assert_eq!(right, (5..12).map(|trial| trial % 3 < 2).collect::<Vec<_>>());
    assert_eq!(control.progress(), (7, 7));
    // And written out.
    let game = GameOf24::new(&[[1, 1, 4, 6], [1, 1, 1, 1], [2, 2, 3, 13]]).unwrap();
    let search = [of(Generator::Tree { policy: UCT, values: Values::Rollout, branching: 0 }, Selector::Best)];
    let found = compare(&game, &search, &[1 << 14], 7, 5, &plain, Seed::from_u64(0), &control).unwrap();
    let right: Vec<bool> = found.iter().map(|outcome| outcome.is_correct).collect();
    assert_eq!(right, (5..12).map(|trial| trial % 3 != 1).collect::<Vec<_>>());
    assert_eq!(control.progress(), (14, 14));
}

#[test]
fn nothing_is_drawn_that_nobody_is_charged_for() {
    let walks = |selector, stop| Strategy { generator: Generator::Walks, selector, stop };
    let (first, stops, goes_on) =
        (walks(Selector::First, false), walks(Selector::Best, true), walks(Selector::Majority, true));
    let asks = Generator::Experts { learner: Learner::Hedge };
    let learns = Strategy { generator: asks, ..stops };
    for strategies in [&[first][..], &[stops], &[first, stops], &[stops, first, goes_on], &[goes_on], &[learns]] {
        let problem = Uneven::new(0.2, 0.3, 3);
        let found = run(&problem, strategies, &[3 * 40], 20, &Verifier::default());
        let most = |trial: &[Outcome]| trial.iter().map(|outcome| outcome.spent.steps).max().unwrap();
        let charged: u64 = found.chunks(strategies.len()).map(most).sum();
        // The last walk of a trial may be cut off.
        assert!((charged..=charged + 2 * 20).contains(&problem.n_steps()), "{strategies:?}");
        // None is begun where nothing is left.
        let problem = Uneven::new(0.0, 0.0, 3);
        let found = run(&problem, strategies, &[3 * 40], 20, &Verifier::default());
        let charged: u64 = found.chunks(strategies.len()).map(most).sum();
        assert_eq!(problem.n_steps(), charged, "{strategies:?}");
    }
}

#[test]
fn every_purpose_has_streams_of_its_own() {
    let purposes = [
        Purpose::Walks,
        Purpose::Verdicts,
        Purpose::Select,
        Purpose::Beam,
        Purpose::Dvts,
        Purpose::Stepwise,
        Purpose::Tree,
        Purpose::Experts,
        Purpose::Systematic,
    ];
    let streams = Streams(Seed::from_u64(4));
    let numbers = [0, 1, 2, 3, 4, 5, 6, 7, 8, 1 << 57, (1 << 58) - 1];
    let mut seen = std::collections::HashSet::new();
    for purpose in purposes {
        for number in numbers {
            assert!(seen.insert(streams.of(purpose, number).next_u64()), "{purpose:?} {number}");
            assert!(seen.insert(streams.seed(purpose, number).stream(0).next_u64()), "{purpose:?} {number}");
        }
    }
}

#[test]
fn a_width_has_the_same_first_chain_at_every_budget() {
    let chain = [of(Generator::Stepwise { width: 2 }, Selector::First)];
    let found = run(&steps(&[0.5, 0.5]), &chain, &[4, 5, 8, 40], 50, &Verifier::default());
    assert!(found.chunks(4).all(|trial| trial.iter().all(|outcome| outcome.is_correct == trial[0].is_correct)));
    assert!(found.iter().any(|outcome| outcome.is_correct) && found.iter().any(|outcome| !outcome.is_correct));
}

#[test]
fn layers_draw_apart_from_each_other() {
    // Keeping one of all candidates they all do the same.
    let strategies = [
        of(Generator::Beam { expand: 9 }, Selector::Best),
        of(Generator::Dvts { expand: 9 }, Selector::Best),
        of(Generator::Stepwise { width: 0 }, Selector::Best),
    ];
    let (budgets, n) = ([4, 6], 10_000);
    let found = run(&steps(&[0.3, 0.4]), &strategies, &budgets, n, &Verifier::default());
    let share = |place: usize, other: usize| {
        let both = found.chunks(6).filter(|trial| trial[place].is_correct && trial[other].is_correct).count();
        both as f64 / n as f64
    };
    for place in 0..6 {
        let width = [2, 3][place % 2];
        assert_near(share(place, place), (1.0 - 0.7f64.powi(width)) * (1.0 - 0.6f64.powi(width)), n);
        for other in 0..place {
            assert_near(share(place, other), share(place, place) * share(other, other), n);
        }
    }
}

#[test]
fn budgets_end_below_the_largest_number_of_steps() {
    let check = |budget| super::compare::check(&[], &[budget], &Verifier::default()).map_err(|error| error.to_string());
    assert_eq!(check((1 << 48) - 1), Ok(()));
    let text = "budgets[0] must be at least one step and below 2^48, got 281474976710656";
    assert_eq!(check(1 << 48), Err(text.into()));
}
