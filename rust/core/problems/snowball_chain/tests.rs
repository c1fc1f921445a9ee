//! Walks, laws and places, against what is known of them.

use super::*;
use crate::random::Seed;

fn walked(chain: &SnowballChain, expert: u32, stream: &mut Stream) -> Snowball {
    let mut state = chain.root(3);
    let mut scratch = vec![];
    while chain.n_actions(&state) > 0 {
        let before = state;
        let action = chain.walk(&mut state, expert, stream, &mut scratch);
        let mut stepped = before;
        chain.step(&mut stepped, action);
        assert_eq!(stepped, state, "a walk takes the step that it returns");
    }
    state
}

#[test]
fn walks_answer_by_the_law() {
    let success = [0.9, 0.5, 1.0, 0.8, 0.2, 0.0, 0.6, 0.4];
    let chain = SnowballChain::new(&success, 4, 3, 5).unwrap();
    assert_eq!((chain.n_experts(), chain.max_steps(), chain.n_instances()), (2, 4, 5));
    let seed = Seed::from_u64(1);
    let n = 40_000u32;
    let mut counts = [0u32; 4];
    for i in 0..u64::from(n) {
        let state = walked(&chain, 0, &mut seed.stream(i));
        counts[chain.answer(&state).unwrap() as usize] += 1;
        assert!(!chain.is_correct(&walked(&chain, 1, &mut seed.stream(i))));
    }
    let law = chain.answer_law(&chain.root(3)).unwrap();
    assert!((law[0].probability - 0.36).abs() < 1e-15 && law[0].is_correct);
    for (answer, count) in law.iter().zip(counts) {
        let mean = answer.probability * f64::from(n);
        assert!((f64::from(count) - mean).abs() < 5.0 * mean.sqrt(), "{counts:?}");
    }
    assert_eq!(counts, PINNED);
}
const PINNED: [u32; 4] = [14_386, 8593, 8538, 8483];

#[test]
fn certain_and_impossible_steps_are_just_that() {
    let always = SnowballChain::new(&[1.0; 3], 3, 1, 1).unwrap();
    let never = SnowballChain::new(&[0.0; 3], 3, 2, 1).unwrap();
    let mut stream = Seed::from_u64(2).stream(0);
    for _ in 0..1000 {
        assert!(always.is_correct(&walked(&always, 0, &mut stream)));
        assert!(!never.is_correct(&walked(&never, 0, &mut stream)));
    }
}

#[test]
fn policy_and_step_agree_on_where_the_right_action_is() {
    let chain = SnowballChain::new(&profile(2.0, 5), 5, 6, 7000).unwrap();
    let mut places = vec![0u32; 7];
    for tree in 0..7000 {
        let mut state = chain.root(tree);
        let mut policy = vec![9.0];
        chain.policy(&state, 0, &mut policy);
        assert!((policy[1..].iter().sum::<f64>() - 1.0).abs() < 1e-12);
        let place = policy.iter().skip(1).position(|&p| p == 2.0 * (-1.0f64).exp()).unwrap();
        let mut priors = vec![];
        chain.priors(&state, &mut priors);
        assert!(priors.iter().zip(&policy[1..]).all(|(&f, &p)| f == p as f32));
        places[place] += 1;
        assert_eq!(chain.describe_action(&state, place as u32), "right");
        chain.step(&mut state, place as u32);
        assert!(chain.is_correct(&state));
        let success = chain.success_probability(&state).unwrap();
        assert!((success - profile(2.0, 5)[1..].iter().product::<f64>()).abs() < 1e-15);
        chain.step(&mut state, 0);
        assert!(chain.describe(&state).starts_with("step 2 of 5, "));
    }
    assert!(places.iter().all(|&count| (840..1160).contains(&count)), "{places:?}");
}

#[test]
fn bad_input_is_named() {
    let error =
        |success: &[f64], length, n_wrong, n| SnowballChain::new(success, length, n_wrong, n).unwrap_err().to_string();
    assert_eq!(error(&[0.5, f64::NAN], 2, 1, 1), "success[1] must be from 0 to 1, got NaN");
    assert_eq!(error(&[0.5, 1.0, 1.5, 0.0], 2, 1, 1), "success[1, 0] must be from 0 to 1, got 1.5");
    assert_eq!(error(&[], 2, 1, 1), "success must have at least one step");
    assert_eq!(error(&[0.5; 3], 2, 1, 1), "success must have 2 numbers for each expert, got 3");
    assert_eq!(error(&[0.5; 2], 2, 0, 1), "n_wrong must be from 1 to 65536, got 0");
    assert_eq!(error(&[0.5; 2], 2, 1, 0), "n_instances must be at least 1, got 0");
}

/// All states below `state` and itself.
fn below(chain: &SnowballChain, state: Snowball) -> Vec<Snowball> {
    let mut found = vec![state];
    let mut done = 0;
    while let Some(&state) = found.get(done) {
        for action in 0..chain.n_actions(&state) {
            let mut next = state;
            chain.step(&mut next, action);
            if !found.contains(&next) {
                found.push(next);
            }
        }
        done += 1;
    }
    found
}

#[test]
fn what_is_known_of_a_state_follows_from_its_children() {
    let success = [0.9, 0.5, 0.7, 0.2, 0.3, 0.4];
    let chain = SnowballChain::new(&success, 3, 2, 4).unwrap();
    assert_eq!(chain.step_success(), Some(success[..3].to_vec()));
    assert_eq!(chain.root(1), chain.root(5));
    let seed = Seed::from_u64(8);
    for state in below(&chain, chain.root(1)) {
        let law = chain.answer_law(&state).unwrap();
        assert!((law.iter().map(|answer| answer.probability).sum::<f64>() - 1.0).abs() < 1e-15);
        assert!(law.iter().all(|answer| answer.is_correct == (answer.answer == Some(0))));
        let right: f64 = law.iter().filter(|answer| answer.is_correct).map(|answer| answer.probability).sum();
        assert_eq!(chain.success_probability(&state), Some(right));
        let mean = (0..4000).map(|i| chain.value(&state, &mut seed.stream(i))).sum::<f64>() / 4000.0;
        assert!((mean - right).abs() <= 5.0 * (right * (1.0 - right) / 4000.0).sqrt(), "{mean} {right}");
        if chain.is_terminal(&state) {
            assert_eq!((law.len(), law[0].answer), (1, chain.answer(&state)));
            let text = match state.answer {
                0 => "step 3 of 3, right".to_owned(),
                wrong => format!("step 3 of 3, wrong answer {wrong}"),
            };
            assert_eq!(chain.describe(&state), text);
            continue;
        }
        let mut policy = vec![];
        chain.policy(&state, 0, &mut policy);
        let mut expected = [0.0; 3];
        for (action, p) in (0..).zip(policy) {
            let mut next = state;
            chain.step(&mut next, action);
            // A wrong action is called after the answer that it leads to.
            let called = chain.describe_action(&state, action);
            assert!(state.answer > 0 || called == "right" || called == format!("wrong {}", next.answer));
            for answer in chain.answer_law(&next).unwrap() {
                expected[answer.answer.unwrap() as usize] += p * answer.probability;
            }
        }
        for answer in law {
            assert!((answer.probability - expected[answer.answer.unwrap() as usize]).abs() < 1e-15);
        }
    }
}

#[test]
fn places_and_keys_tell_nothing_of_each_other() {
    let chain = SnowballChain::new(&[0.5; 8], 8, 6, 1000).unwrap();
    let at = |tree, step| Snowball { step, ..chain.root(tree) };
    let equal = |pairs: &[(Snowball, Snowball)]| {
        let equal = pairs.iter().filter(|(a, b)| chain.place(a) == chain.place(b)).count() as f64;
        let n = pairs.len() as f64;
        assert!((equal - n / 7.0).abs() < 5.0 * (n * 6.0 / 49.0).sqrt(), "{equal} of {n}");
    };
    equal(&(0..1000).map(|tree| (at(tree, 0), at(tree, 1))).collect::<Vec<_>>());
    equal(&(0..1000).map(|tree| (at(tree, 2), at(tree ^ 1, 3))).collect::<Vec<_>>());
    let mut keys = std::collections::HashSet::new();
    for tree in 0..50 {
        for step in 0..8 {
            assert!((0..7).all(|answer| keys.insert(chain.key(&Snowball { answer, ..at(tree, step) }))));
        }
    }
}

#[test]
fn limits_are_allowed() {
    let wrong = |n_wrong| SnowballChain::new(&[0.0, 1.0], 2, n_wrong, 1).map(|_| ()).map_err(|error| error.to_string());
    assert_eq!(wrong(1 << 16), Ok(()));
    assert_eq!(wrong((1 << 16) + 1), Err("n_wrong must be from 1 to 65536, got 65537".into()));
    let error = SnowballChain::new(&[0.5], 0, 1, 1).unwrap_err().to_string();
    assert_eq!(error, "success must have at least one step");
    assert_eq!(profile(4.0, 3), [1.0, 4.0 * (-2.0f64).exp(), 4.0 * (-3.0f64).exp()]);
}
