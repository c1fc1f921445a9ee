//! Beams, DVTS and stepwise selection.

use super::*;

#[test]
fn layers_come_to_their_closed_forms() {
    let p = [0.5, 0.3, 0.6, 0.4];
    let problem = steps(&p);
    let (n, budgets) = (20_000, [3, 4, 8, 20, 52]);
    let of_one = |width: i32| p.iter().map(|p: &f64| 1.0 - (1.0 - p).powi(width)).product::<f64>();
    for (generator, selector) in [
        (Generator::Beam { expand: 1 }, Selector::Best),
        (Generator::Beam { expand: 3 }, Selector::Best),
        (Generator::Beam { expand: 13 }, Selector::Best),
        (Generator::Dvts { expand: 4 }, Selector::Best),
        (Generator::Dvts { expand: 1 }, Selector::Best),
        (Generator::Stepwise { width: 0 }, Selector::First),
        (Generator::Stepwise { width: 3 }, Selector::Best),
        (Generator::Stepwise { width: 2 }, Selector::First),
    ] {
        for verifier in [Verifier::default(), Verifier { accuracy: Some(0.8), ..Verifier::default() }] {
            let strategy = [of(generator, selector)];
            let exact = exact::curves(&problem, &strategy, &budgets, &verifier, &Control::default()).unwrap();
            let stepwise = matches!(generator, Generator::Stepwise { .. });
            let unknown = verifier.accuracy.is_some() && !stepwise;
            assert!(exact[1..].iter().all(|value| value.is_nan() == unknown), "{generator:?} {exact:?}");
            let outcomes = run(&problem, &strategy, &budgets, n, &verifier);
            for (&simulated, &exact) in accuracy(&outcomes, 5).iter().zip(&exact) {
                if !exact.is_nan() {
                    assert_near(simulated, exact, n);
                }
            }
            // Keeping one of all candidates, a layer fails only if all its candidates do.
            if generator == (Generator::Beam { expand: 13 }) && verifier.accuracy.is_none() {
                for (b, width) in [(1, 1), (2, 2), (3, 5), (4, 13)] {
                    assert!((exact[b] - of_one(width)).abs() < 1e-14);
                }
            }
        }
    }
    // Gan et al. 2025: slow thinking gains where eps exceeds p / (1 - (1 - p)^k), which is more than 1 / k.
    let one = steps(&[0.5]);
    let stepwise = [of(Generator::Stepwise { width: 0 }, Selector::First)];
    let limit = 0.5 / (1.0 - 0.5f64.powi(4));
    for (accuracy, gains) in [(limit - 1e-3, false), (limit + 1e-3, true), (0.26, false)] {
        let verifier = Verifier { accuracy: Some(accuracy), ..Verifier::default() };
        let exact = exact::curves(&one, &stepwise, &[4], &verifier, &Control::default()).unwrap();
        assert_eq!(exact[0] > 0.5, gains);
    }
}

#[test]
fn what_is_not_known_is_guessed() {
    let known = steps(&[0.5, 0.3, 0.6]);
    let guessed = Steps { is_known: false, ..known.clone() };
    let (n, budgets) = (10_000, [12, 36]);
    for accuracy_of in [None, Some(0.8)] {
        let verifier = Verifier { accuracy: accuracy_of, ..Verifier::default() };
        for generator in [
            Generator::Beam { expand: 3 },
            Generator::Dvts { expand: 4 },
            Generator::Stepwise { width: 0 },
            Generator::Stepwise { width: 3 },
        ] {
            let strategy = [of(generator, Selector::Best)];
            let exact = exact::curves(&known, &strategy, &budgets, &verifier, &Control::default()).unwrap();
            let found = run(&guessed, &strategy, &budgets, n, &verifier);
            for (&simulated, &exact) in accuracy(&found, 2).iter().zip(&exact).filter(|(_, exact)| !exact.is_nan()) {
                assert_near(simulated, exact, n);
            }
        }
    }
}

#[test]
fn the_last_step_is_judged_by_its_answer() {
    // With a single step a beam of n is n walks, and so is any other choice of one in n.
    let (problem, n) = (steps(&[0.4]), 20_000);
    let verifier = Verifier { false_positive: 0.3, false_negative: 0.2, process_noise: 9.0, ..Verifier::default() };
    let walks = [of(Generator::Walks, Selector::Best)];
    let exact = exact::curves(&problem, &walks, &[1, 3, 5], &verifier, &Control::default()).unwrap();
    for (generator, selector) in [
        (Generator::Beam { expand: 2 }, Selector::Best),
        (Generator::Dvts { expand: 2 }, Selector::Best),
        (Generator::Stepwise { width: 0 }, Selector::First),
    ] {
        let found = run(&problem, &[of(generator, selector)], &[1, 3, 5], n, &verifier);
        for (&simulated, &exact) in accuracy(&found, 3).iter().zip(&exact) {
            assert_near(simulated, exact, n);
        }
    }
    // Of several chains too, whose verdicts are those that their candidates were chosen by.
    let exact = exact::curves(&problem, &walks, &[2, 4, 10], &verifier, &Control::default()).unwrap();
    let found = run(&problem, &[of(Generator::Stepwise { width: 2 }, Selector::Best)], &[2, 4, 10], n, &verifier);
    for (&simulated, &exact) in accuracy(&found, 3).iter().zip(&exact) {
        assert_near(simulated, exact, n);
    }
    // A right answer that is refused is still better than none.
    let problem = Uneven { is_silent: true, ..Uneven::new(0.4, 0.6, 1) };
    let verifier = Verifier { false_negative: 1.0, ..Verifier::default() };
    let found = run(&problem, &[of(Generator::Stepwise { width: 2 }, Selector::First)], &[2], n, &verifier);
    assert_near(accuracy(&found, 1)[0], 1.0 - 0.6 * 0.6, n);
    assert!(found.iter().all(|outcome| outcome.spent.answers == u64::from(outcome.is_correct)));
}

#[test]
fn a_chain_ends_with_its_answer() {
    let problem = Uneven::new(0.5, 0.5, 5);
    let found = run(&problem, &[of(Generator::Stepwise { width: 2 }, Selector::First)], &[10], 5, &Verifier::default());
    assert_eq!((problem.n_taken(0), problem.n_steps()), (10, 10));
    assert!(found.iter().all(|outcome| outcome.spent.steps == 2 && outcome.spent.answers == 1));
}

/// The first step ends with a wrong answer, or leads to a state from which half of all steps are right, or to one from
/// which none is.
struct Forked {
    ends: f64,
    good: f64,
}

impl Problem for Forked {
    type State = (u32, u32);

    fn root(&self, _tree: u64) -> (u32, u32) {
        (0, 0)
    }

    fn n_actions(&self, state: &(u32, u32)) -> u32 {
        match *state {
            (0, _) => 3,
            (1, 1 | 2) => 2,
            _ => 0,
        }
    }

    fn step(&self, state: &mut (u32, u32), action: u32) -> f64 {
        *state = if state.0 == 0 { (1, action) } else { (2, 2 * state.1 + action) };
        0.0
    }

    fn value(&self, state: &(u32, u32), _stream: &mut Stream) -> f64 {
        [0.0, 0.5, 0.0][state.1 as usize]
    }
}

impl Reasoning for Forked {
    fn max_steps(&self) -> u32 {
        2
    }

    fn policy(&self, state: &(u32, u32), _expert: u32, probabilities: &mut Vec<f64>) {
        if state.0 == 0 {
            probabilities.extend([self.ends, self.good, 1.0 - self.ends - self.good]);
        }
    }

    fn answer(&self, state: &(u32, u32)) -> Option<u64> {
        Some(state.1.into())
    }

    /// The second of what follows the second.
    fn is_correct(&self, state: &(u32, u32)) -> bool {
        *state == (2, 3)
    }
}

#[test]
fn a_beam_keeps_a_share_of_those_that_go_on() {
    let (problem, n) = (Forked { ends: 0.25, good: 0.25 }, 20_000);
    let choose = |n: u64, k: u64| (1..=k).map(|i| (n - k + i) as f64 / i as f64).product::<f64>();
    for (width, expand) in [(4, 2), (7, 2), (7, 3), (9, 4), (5, 1)] {
        let mut exact = 0.0;
        for ended in 0..width {
            let left = width - ended;
            let kept = (left / expand).max(1);
            for good in 0..=left {
                let weight = choose(width, ended) * 0.25f64.powi(ended as i32);
                let weight =
                    weight * choose(left, good) * 0.25f64.powi(good as i32) * 0.5f64.powi((left - good) as i32);
                // The good are kept first, and the first have a successor more than the others.
                let tries = good.min(kept) * (left / kept) + good.min(left % kept);
                exact += weight * (1.0 - 0.5f64.powi(tries as i32));
            }
        }
        let beam = of(Generator::Beam { expand: expand as u32 }, Selector::Best);
        let found = run(&problem, &[beam], &[2 * width], n, &Verifier::default());
        assert_near(accuracy(&found, 1)[0], exact, n);
    }
}
