//! Learners.

use super::*;
use crate::problems::Table;
use crate::strategies::experts::Bandit;
use crate::strategies::verifier::Verdict;
use crate::strategies::walks::Chooser;

#[test]
fn learners_come_to_ask_the_best_expert() {
    let means = [0.2, 0.5, 0.8];
    let (n_rounds, n_runs) = (2000, 40);
    for learner in
        [Learner::Hedge, Learner::Ucb { c: 2.0 }, Learner::Thompson, Learner::SuccessiveElimination { delta: 0.05 }]
    {
        let mut chosen = vec![9; n_rounds * n_runs];
        let seed = Seed::from_u64(1);
        regret::choices(&means, learner, n_rounds, 0, seed, &Control::new(2), &mut chosen).unwrap();
        let late: Vec<u32> = chosen.chunks(n_rounds).flat_map(|run| run[n_rounds / 2..].iter().copied()).collect();
        let best = late.iter().filter(|&&expert| expert == 2).count() as f64 / late.len() as f64;
        assert!(best > 0.85, "{learner:?} {best}");
        let mut shard = vec![9; n_rounds * 2];
        regret::choices(&means, learner, n_rounds, 5, seed, &Control::new(1), &mut shard).unwrap();
        assert_eq!(shard, chosen[5 * n_rounds..7 * n_rounds]);
    }
}

/// How probable each choice of an expert is in each of the first rounds, (rounds, experts), by going through all that may
/// happen; `law` is that of a choice, given in which round, how often each was asked, how often right, and, for each, the
/// sum of its losses divided by the probability of the choice.
fn all_that_may_happen(means: &[f64], n_rounds: usize, law: impl Fn(f64, &[[f64; 3]]) -> Vec<f64>) -> Vec<Vec<f64>> {
    let mut chosen = vec![vec![0.0; means.len()]; n_rounds];
    let mut open = vec![(0, 1.0, vec![[0.0; 3]; means.len()])];
    while let Some((round, weight, seen)) = open.pop() {
        if round == n_rounds {
            continue;
        }
        let law = law(round as f64 + 1.0, &seen);
        for (expert, &p) in law.iter().enumerate() {
            chosen[round][expert] += weight * p;
            for (reward, chance) in [(1.0, means[expert]), (0.0, 1.0 - means[expert])] {
                if p * chance > 0.0 {
                    let mut next = seen.clone();
                    let [asked, right, loss] = next[expert];
                    next[expert] = [asked + 1.0, right + reward, loss + (1.0 - reward) / p];
                    open.push((round + 1, weight * p * chance, next));
                }
            }
        }
    }
    chosen
}

fn assert_choices(means: &[f64], learner: Learner, exact: &[Vec<f64>]) {
    let (n_rounds, n_runs) = (exact.len(), 40_000);
    let mut chosen = vec![9; n_rounds * n_runs];
    regret::choices(means, learner, n_rounds, 0, Seed::from_u64(1), &Control::new(2), &mut chosen).unwrap();
    for (round, law) in exact.iter().enumerate() {
        for (expert, &p) in law.iter().enumerate() {
            let times =
                chosen.iter().skip(round).step_by(n_rounds).filter(|&&chosen| chosen as usize == expert).count();
            assert_near(times as f64 / n_runs as f64, p, n_runs);
        }
    }
}

#[test]
fn hedge_draws_by_exponential_weights() {
    let means = [0.9, 0.1, 0.5];
    let exact = all_that_may_happen(&means, 4, |t, seen| {
        let rate = (3f64.ln() / (3.0 * t)).sqrt();
        let weights = seen.iter().map(|[.., loss]| (-rate * loss).exp());
        let total: f64 = weights.clone().sum();
        weights.map(|weight| weight / total).collect()
    });
    assert_choices(&means, Learner::Hedge, &exact);
}

#[test]
fn thompson_draws_by_the_probability_to_be_best() {
    // One is always right and one never: x of Beta(a, 1) is above y of Beta(1, b) but for a! b! / (a + b)!.
    let exact = all_that_may_happen(&[1.0, 0.0], 6, |_, seen| {
        let (a, b) = (1 + seen[0][0] as u64, 1 + seen[1][0] as u64);
        let below = (1..=a).map(|i| i as f64 / (b + i) as f64).product::<f64>();
        vec![1.0 - below, below]
    });
    assert_choices(&[1.0, 0.0], Learner::Thompson, &exact);
}

#[test]
fn ucb_is_its_formula() {
    let means = [0.4, 0.7, 0.6];
    let (n_rounds, seed) = (400, Seed::from_u64(3));
    for c in [2.0, 0.5, 0.0] {
        let mut chosen = vec![9; n_rounds * 3];
        regret::choices(&means, Learner::Ucb { c }, n_rounds, 0, seed, &Control::new(1), &mut chosen).unwrap();
        for (run, chosen) in chosen.chunks(n_rounds).enumerate() {
            let mut rewards = seed.child(run as u64).stream(1);
            let mut seen = [[0.0; 2]; 3];
            for (round, &chosen) in chosen.iter().enumerate() {
                let t = round as f64 + 1.0;
                let bound = |[n, right]: [f64; 2]| {
                    if n == 0.0 { f64::INFINITY } else { right / n + (c * libm::log(t) / n).sqrt() }
                };
                let best = seen.map(bound).into_iter().fold(f64::NEG_INFINITY, f64::max);
                assert_eq!(seen.iter().position(|&seen| bound(seen) == best), Some(chosen as usize));
                seen[chosen as usize][0] += 1.0;
                seen[chosen as usize][1] += f64::from(u8::from(rewards.uniform() < means[chosen as usize]));
            }
        }
    }
}

#[test]
fn experts_are_dropped_when_they_are_surely_worse() {
    // Each always earns the same: those whose gap to the best is above two radii are out.
    let earned = [0.2, 0.9, 0.9, 0.5];
    for delta in [0.05, 0.5] {
        let learner = Learner::SuccessiveElimination { delta };
        let mut bandit = Bandit::new(learner, 4, Seed::from_u64(0).stream(0));
        let mut asked = [0u32; 4];
        for _ in 0..1000 {
            let chosen = bandit.pick();
            // In turn, those that are in.
            assert!(asked[chosen] <= asked[1] && asked[1] - asked[chosen] <= u32::from(chosen != 1));
            asked[chosen] += 1;
            bandit.learn(chosen, earned[chosen]);
        }
        for (expert, gap) in [(0, 0.7), (3, 0.4)] {
            let two_radii = |n: u32| 2.0 * ((16.0 * f64::from(n * n) / delta).ln() / f64::from(2 * n)).sqrt();
            let least = (1..1000).find(|&n| two_radii(n) < gap).unwrap();
            assert_eq!(asked[expert], least, "{asked:?}");
        }
        assert!(asked[1].abs_diff(asked[2]) <= 1 && asked.iter().sum::<u32>() == 1000, "{asked:?}");
    }
}

#[test]
fn nobody_is_dropped_amid_a_round() {
    // The gap of the two reaches two radii when the first is asked for the 31st time, and falls below them when the
    // second is.
    let two_radii = |n: f64| 2.0 * ((8.0 * n * n / 0.5f64).ln() / (2.0 * n)).sqrt();
    let mean = (30.0 * 0.798 + 1.0) / 31.0;
    assert!(0.798 < two_radii(30.0) && mean > two_radii(30.0) && mean - 1.0 / 31.0 < two_radii(31.0));
    let learner = Learner::SuccessiveElimination { delta: 0.5 };
    let mut bandit = Bandit::new(learner, 2, Seed::from_u64(0).stream(0));
    for round in 0..32 {
        for expert in 0..2 {
            assert_eq!(bandit.pick(), expert, "in round {round}");
            bandit.learn(expert, if round == 30 { 1.0 } else { [0.798, 0.0][expert] });
        }
    }
}

#[test]
fn rewards_are_verdicts_from_0_to_1() {
    let after = |scores: [f64; 2]| {
        let mut bandit = Bandit::new(Learner::Ucb { c: 0.0 }, 2, Seed::from_u64(0).stream(0));
        for (expert, score) in (0..).zip(scores) {
            assert_eq!(bandit.choose(), expert);
            bandit.hear(Verdict { score, accepted: score < 0.5 });
        }
        bandit.choose()
    };
    for (scores, chosen) in [([0.3, 0.4], 1), ([0.4, 0.3], 0), ([1.0, 7.0], 0), ([-7.0, 0.0], 0), ([-7.0, 0.1], 1)] {
        assert_eq!(after(scores), chosen, "{scores:?}");
    }
}

#[test]
fn a_run_asks_whom_the_learner_trusts() {
    let greedy = Generator::Experts { learner: Learner::Ucb { c: 0.0 } };
    let in_turn = Generator::Experts { learner: Learner::SuccessiveElimination { delta: 0.5 } };
    let hedge = Generator::Experts { learner: Learner::Hedge };
    let plain = Verifier::default();
    let liar = Verifier { false_positive: 1.0, false_negative: 1.0, ..plain };
    // Both are asked once, and then the one that was accepted.
    let vote = [of(greedy, Selector::Majority)];
    let problem = experts(&[&[0.0], &[1.0]]);
    assert_eq!(accuracy(&run(&problem, &vote, &[9], 3, &plain), 1), [1.0]);
    assert_eq!(accuracy(&run(&problem, &vote, &[9], 3, &liar), 1), [0.0]);
    // Who is asked first has nothing to do with the answer.
    let n = 20_000;
    let found = run(&experts(&[&[0.5], &[0.0]]), &[of(hedge, Selector::Best)], &[1], n, &plain);
    assert_near(accuracy(&found, 1)[0], 0.25, n);
    // All experts of a problem are asked, on its table too.
    let game = |times: f64| GameOf24::new(&[[1, 1, 4, 6]]).unwrap().with_temperature(times).unwrap();
    let fails = |times| 1.0 - Table::of(&game(times), 0, 1, 10_000).unwrap().success_probability(&0).unwrap();
    let found = run(&game(1.0), &[of(in_turn, Selector::Best)], &[3 * 4], n, &plain);
    assert_near(accuracy(&found, 1)[0], 1.0 - fails(1.0) * fails(0.5) * fails(2.0) * fails(4.0), n);
}

#[test]
fn hedge_goes_on_when_its_losses_are_large() {
    // None is ever right: all go on to be asked, also when exp(-rate loss) is 0.
    let mut bandit = Bandit::new(Learner::Hedge, 3, Seed::from_u64(0).stream(0));
    let mut late = [0; 3];
    for round in 0..1_800_000 {
        let chosen = bandit.pick();
        bandit.learn(chosen, 0.0);
        late[chosen] += u32::from(round >= 1_790_000);
    }
    assert!(late.iter().all(|&times| (1..9000).contains(&times)), "{late:?}");
}

#[test]
fn parameters_out_of_range_are_named() {
    let error = |learner| {
        let strategy = of(Generator::Experts { learner }, Selector::Best);
        strategy.check(1).map_err(|error| error.to_string())
    };
    for (c, text) in [(-1.0, "-1"), (f64::NAN, "NaN"), (f64::INFINITY, "inf")] {
        let text = format!("strategies[1] must have a c of at least 0, got c = {text}");
        assert_eq!(error(Learner::Ucb { c }), Err(text));
    }
    for delta in [-0.5, 0.0, 1.0, f64::NAN] {
        let text = format!("strategies[1] must have a delta between 0 and 1, got delta = {delta}");
        assert_eq!(error(Learner::SuccessiveElimination { delta }), Err(text));
    }
    assert_eq!(error(Learner::Ucb { c: 0.0 }), Ok(()));
    assert_eq!(error(Learner::SuccessiveElimination { delta: 0.999 }), Ok(()));
}
