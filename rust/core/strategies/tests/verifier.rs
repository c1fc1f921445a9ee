//! Errors, noise and bias, against closed forms.

use super::*;

/// The probability that a number greater by `lead` still is, when both have noise of this standard deviation; one half
/// for equals.
pub(super) fn stays_ahead(lead: f64, noise: f64) -> f64 {
    if noise > 0.0 {
        0.5 * libm::erfc(-lead / (2.0 * noise))
    } else if lead == 0.0 {
        0.5
    } else {
        f64::from(u8::from(lead > 0.0))
    }
}

/// The probability that the verdict on a right answer is better than that on a wrong one.
fn tells_right(verifier: &Verifier) -> f64 {
    let (refused, accepted) = (verifier.false_negative, verifier.false_positive);
    let lead = |right: f64, wrong: f64| stays_ahead(right - wrong - verifier.bias, verifier.noise);
    (1.0 - refused) * (accepted * lead(1.0, 1.0) + (1.0 - accepted) * lead(1.0, 0.0))
        + refused * (accepted * lead(0.0, 1.0) + (1.0 - accepted) * lead(0.0, 0.0))
}

#[test]
fn two_answers_are_told_apart_as_often_as_their_verdicts_say() {
    let (p, n) = (0.6, 20_000);
    let plain = Verifier::default();
    for verifier in [
        Verifier { noise: 0.7, ..plain },
        Verifier { noise: 0.7, bias: 0.4, ..plain },
        Verifier { bias: 1.5, ..plain },
        Verifier { bias: 1.0, ..plain },
        Verifier { bias: -0.5, ..plain },
        Verifier { false_positive: 0.4, ..plain },
        Verifier { false_negative: 0.4, ..plain },
        Verifier { false_positive: 0.3, false_negative: 0.1, noise: 0.5, bias: -0.3, ..plain },
    ] {
        for systematic in [false, true] {
            let verifier = Verifier { systematic, ..verifier };
            for selector in [Selector::Best, Selector::Weighted] {
                let found = run(&steps(&[p]), &[of(Generator::Walks, selector)], &[2], n, &verifier);
                assert_near(accuracy(&found, 1)[0], p * p + 2.0 * p * (1.0 - p) * tells_right(&verifier), n);
            }
        }
        // With one verdict for all equal answers it makes no difference how often one of them was given.
        let verifier = Verifier { systematic: true, ..verifier };
        if verifier.noise > 0.0 {
            let found = run(&steps(&[p]), &[of(Generator::Walks, Selector::Best)], &[3], n, &verifier);
            let (all, none) = (p * p * p, (1.0 - p).powi(3));
            assert_near(accuracy(&found, 1)[0], all + (1.0 - all - none) * tells_right(&verifier), n);
        }
    }
}

#[test]
fn every_wrong_answer_has_its_systematic_error() {
    // Of 400 answers most are the one wrong answer, and as many are right as are the other wrong one.
    let verifier = Verifier { false_positive: 0.5, systematic: true, ..Verifier::default() };
    let n = 2000;
    let found = run(&steps(&[0.2, 0.5]), &[of(Generator::Walks, Selector::Weighted)], &[2 * 400], n, &verifier);
    assert_near(accuracy(&found, 1)[0], 0.5 * (0.5 + 0.5 * 0.5), n);
}

#[test]
fn process_rewards_have_the_noise_and_the_bias_that_were_asked_for() {
    let (p, last, n) = (0.6, 0.4, 20_000);
    let problem = steps(&[p, last]);
    let two = 1.0 - (1.0 - last) * (1.0 - last);
    let plain = Verifier::default();
    for verifier in [
        Verifier { process_noise: 0.5, ..plain },
        Verifier { process_noise: 2.0, ..plain },
        Verifier { process_noise: 0.4, process_bias: 0.5, ..plain },
        Verifier { process_bias: 1.0, ..plain },
        Verifier { process_bias: -0.5, ..plain },
        // It is no matter of verdicts.
        Verifier { process_noise: 0.4, process_bias: -0.3, noise: 1e-3, bias: 1e-3, ..plain },
    ] {
        let stays = stays_ahead(last - verifier.process_bias, verifier.process_noise);
        let first = p * p + 2.0 * p * (1.0 - p) * stays;
        for (generator, budget) in [
            (Generator::Beam { expand: 2 }, 4),
            (Generator::Dvts { expand: 2 }, 4),
            (Generator::Stepwise { width: 2 }, 4),
            (Generator::Stepwise { width: 0 }, 4),
        ] {
            let found = run(&problem, &[of(generator, Selector::Best)], &[budget], n, &verifier);
            assert_near(accuracy(&found, 1)[0], first * two, n);
        }
    }
}

#[test]
fn rates_and_noises_out_of_range_are_named() {
    let plain = Verifier::default();
    for (verifier, text) in [
        (Verifier { false_positive: -0.1, ..plain }, "false_positive must be between 0 and 1, got -0.1"),
        (Verifier { false_negative: 1.1, ..plain }, "false_negative must be between 0 and 1, got 1.1"),
        (Verifier { noise: f64::INFINITY, ..plain }, "noise must be at least 0 and finite, got inf"),
        (Verifier { noise: -0.5, ..plain }, "noise must be at least 0 and finite, got -0.5"),
        (Verifier { process_noise: f64::NAN, ..plain }, "process_noise must be at least 0 and finite, got NaN"),
        (Verifier { bias: f64::NEG_INFINITY, ..plain }, "bias must be finite, got -inf"),
        (Verifier { process_bias: f64::NAN, ..plain }, "process_bias must be finite, got NaN"),
    ] {
        assert_eq!(verifier.check().unwrap_err().to_string(), text);
    }
    let limits = Verifier { false_positive: 1.0, false_negative: 1.0, accuracy: Some(0.0), bias: -9.0, ..plain };
    assert_eq!(limits.check(), Ok(()));
    assert_eq!(Verifier { accuracy: Some(1.0), ..plain }.check(), Ok(()));
}
