//! The strategies against what is known exactly, and against each other.

use super::*;
use crate::problems::reasoning::Answer;
use crate::problems::{GameOf24, Problem, Reasoning};
use crate::run::Control;
use crate::trees::config::{Fpu, Puct, Uct};

/// Steps that succeed with given probabilities, by expert; a wrong first step answers 1, a later one 2.
#[derive(Clone)]
struct Steps {
    success: Vec<Vec<f64>>,
}

impl Problem for Steps {
    type State = (u32, u64);

    fn root(&self, _tree: u64) -> (u32, u64) {
        (0, 0)
    }

    fn n_actions(&self, state: &(u32, u64)) -> u32 {
        if state.0 == self.max_steps() { 0 } else { 2 }
    }

    fn step(&self, state: &mut (u32, u64), action: u32) -> f64 {
        if action == 1 && state.1 == 0 {
            state.1 = if state.0 == 0 { 1 } else { 2 };
        }
        state.0 += 1;
        0.0
    }

    fn value(&self, state: &(u32, u64), _stream: &mut Stream) -> f64 {
        self.success_probability(state).unwrap()
    }
}

impl Reasoning for Steps {
    fn max_steps(&self) -> u32 {
        self.success[0].len() as u32
    }

    fn n_experts(&self) -> u32 {
        self.success.len() as u32
    }

    fn policy(&self, state: &(u32, u64), expert: u32, probabilities: &mut Vec<f64>) {
        let p = self.success[expert as usize][state.0 as usize];
        probabilities.extend([p, 1.0 - p]);
    }

    fn answer(&self, state: &(u32, u64)) -> Option<u64> {
        Some(state.1)
    }

    fn is_correct(&self, state: &(u32, u64)) -> bool {
        state.1 == 0
    }

    fn success_probability(&self, state: &(u32, u64)) -> Option<f64> {
        let left: f64 = self.success[0][state.0 as usize..].iter().product();
        Some(if state.1 == 0 { left } else { 0.0 })
    }

    fn answer_law(&self, _state: &(u32, u64)) -> Option<Vec<Answer>> {
        let right: f64 = self.success[0].iter().product();
        let first = 1.0 - self.success[0][0];
        let law = [(0, right), (1, first), (2, 1.0 - first - right)];
        let answer = |(answer, probability)| Answer { answer: Some(answer), probability, is_correct: answer == 0 };
        Some(law.map(answer).to_vec())
    }

    fn step_success(&self) -> Option<Vec<f64>> {
        Some(self.success[0].clone())
    }

    fn has_fixed_length(&self) -> bool {
        true
    }
}

fn steps(success: &[f64]) -> Steps {
    Steps { success: vec![success.to_vec()] }
}

const fn of(generator: Generator, selector: Selector) -> Strategy {
    Strategy { generator, selector, stop: false }
}

const UCT: Policy = Policy::Uct(Uct { c: 1.0, fpu: Fpu::Infinity });

fn puct() -> Policy {
    Policy::Puct(Puct::default())
}

/// One of everything.
fn all() -> Vec<Strategy> {
    let walks = [Selector::First, Selector::Best, Selector::Majority, Selector::Weighted];
    let learners =
        [Learner::Hedge, Learner::Ucb { c: 2.0 }, Learner::Thompson, Learner::SuccessiveElimination { delta: 0.05 }];
    let mut all: Vec<Strategy> = walks.map(|selector| of(Generator::Walks, selector)).to_vec();
    all.extend(learners.map(|learner| of(Generator::Experts { learner }, Selector::Best)));
    all.extend([
        of(Generator::Beam { expand: 4 }, Selector::Best),
        of(Generator::Dvts { expand: 4 }, Selector::Best),
        of(Generator::Stepwise { width: 0 }, Selector::First),
        of(Generator::Stepwise { width: 3 }, Selector::Best),
        of(Generator::Tree { policy: UCT, values: Values::Rollout, branching: 0 }, Selector::Best),
        of(Generator::Tree { policy: puct(), values: Values::Rollout, branching: 0 }, Selector::Majority),
        of(Generator::Tree { policy: puct(), values: Values::Process, branching: 0 }, Selector::Best),
        of(Generator::Tree { policy: UCT, values: Values::Rollout, branching: 3 }, Selector::Best),
    ]);
    let stopping = all.clone().into_iter().map(|strategy| Strategy { stop: true, ..strategy });
    all.clone().into_iter().chain(stopping).collect()
}

fn run<P: Reasoning>(
    problem: &P,
    strategies: &[Strategy],
    budgets: &[u64],
    n: usize,
    verifier: &Verifier,
) -> Vec<Outcome> {
    compare(problem, strategies, budgets, n, 0, verifier, Seed::from_u64(7), &Control::new(2)).unwrap()
}

/// The share of right trials at each budget of the only strategy.
fn accuracy(outcomes: &[Outcome], n_budgets: usize) -> Vec<f64> {
    let n = outcomes.len() / n_budgets;
    let right = |b: usize| outcomes.iter().skip(b).step_by(n_budgets).filter(|outcome| outcome.is_correct).count();
    (0..n_budgets).map(|b| right(b) as f64 / n as f64).collect()
}

fn assert_near(simulated: f64, exact: f64, n: usize) {
    let sd = (exact * (1.0 - exact) / n as f64).sqrt();
    assert!((simulated - exact).abs() <= 5.0 * sd + 1e-12, "{simulated} {exact} +- {sd}");
}

fn noisy() -> Verifier {
    Verifier { noise: 0.3, process_noise: 0.2, bias: 0.1, process_bias: 0.1, ..Verifier::default() }
}

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
                let expected = match selector {
                    Selector::First | Selector::Best => 5,
                    // Without a single answer no plurality is defined.
                    Selector::Majority => 0,
                    Selector::Weighted => 5 * usize::from(verifier.is_perfect()),
                };
                assert_eq!(known, expected, "{selector:?}");
                for (&simulated, &exact) in accuracy(&outcomes, 5).iter().zip(&exact) {
                    if !exact.is_nan() {
                        assert_near(simulated, exact, n);
                    }
                }
            }
        }
    }
    let vote = [of(Generator::Walks, Selector::Majority)];
    let exact = exact::curves(&problem, &vote, &budgets[1..], &verifiers[0], &Control::default()).unwrap();
    let outcomes = run(&problem, &vote, &budgets[1..], n, &verifiers[0]);
    for (&simulated, &exact) in accuracy(&outcomes, 4).iter().zip(&exact) {
        assert_near(simulated, exact, n);
    }
    assert!(exact[3] > exact[0]);
}

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
fn outcomes_depend_on_nothing_else() {
    let game = GameOf24::new(&[[1, 2, 3, 4], [4, 9, 10, 13], [3, 3, 8, 8]]).unwrap();
    let chain = Steps { success: vec![vec![0.5, 0.5, 0.2, 0.7], vec![0.9, 0.9, 0.9, 0.9]] };
    for verifier in
        [Verifier::default(), noisy(), Verifier { false_positive: 0.2, systematic: true, ..Verifier::default() }]
    {
        independent(&game, &verifier);
        independent(&chain, &verifier);
    }
}

fn independent<P: Reasoning>(problem: &P, verifier: &Verifier) {
    let (strategies, budgets, n) = (all(), [3, 10, 40, 100], 10);
    let seed = Seed::from_u64(3);
    let width = strategies.len() * budgets.len();
    let on = |threads| compare(problem, &strategies, &budgets, n, 0, verifier, seed, &Control::new(threads)).unwrap();
    let whole = on(1);
    assert_eq!(whole, on(2));
    assert_eq!(whole, on(7));
    for (first, n) in [(0, 4), (4, 6)] {
        let part = compare(problem, &strategies, &budgets, n, first, verifier, seed, &Control::new(2)).unwrap();
        assert_eq!(part, whole[first as usize * width..][..n * width]);
    }
    for (s, strategy) in strategies.iter().enumerate() {
        for b in 0..budgets.len() {
            let alone =
                compare(problem, &[*strategy], &budgets[b..=b], n, 0, verifier, seed, &Control::new(1)).unwrap();
            for (trial, outcome) in alone.iter().enumerate() {
                let together = &whole[trial * width + s * budgets.len() + b];
                assert_eq!(outcome, together, "{strategy:?} at {}", budgets[b]);
            }
        }
    }
}

#[test]
fn no_budget_is_exceeded() {
    let game = GameOf24::new(&[[1, 2, 3, 4], [1, 1, 1, 1]]).unwrap();
    let (strategies, budgets) = (all(), [1, 2, 3, 5, 17, 100]);
    let outcomes = run(&game, &strategies, &budgets, 20, &noisy());
    for (i, outcome) in outcomes.iter().enumerate() {
        let Spent { steps, calls, answers, .. } = outcome.spent;
        assert!(steps <= budgets[i % budgets.len()]);
        assert!(answers <= calls && calls <= steps);
        assert!(!outcome.is_correct || answers > 0);
    }
    // Nobody finds what is not there, and by then the search has seen all.
    let impossible = GameOf24::new(&[[1, 1, 1, 1]]).unwrap();
    let outcomes = run(&impossible, &strategies, &[1 << 14], 1, &Verifier::default());
    assert!(outcomes.iter().all(|outcome| !outcome.is_correct));
    let tree = of(Generator::Tree { policy: UCT, values: Values::Rollout, branching: 0 }, Selector::Best);
    let spent = run(&impossible, &[tree], &[1 << 20], 1, &Verifier::default())[0].spent;
    assert!(spent.steps < 1 << 14, "{spent:?}");
}

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

#[test]
fn an_accepted_answer_ends_a_strategy_that_may_stop() {
    let problem = steps(&[0.5, 0.5]);
    let stop = Strategy { generator: Generator::Walks, selector: Selector::Best, stop: true };
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

#[test]
fn value_stability() {
    let game = GameOf24::new(&[[1, 2, 3, 4], [4, 9, 10, 13], [3, 3, 8, 8]]).unwrap();
    let outcomes = run(&game, &all(), &[3, 30, 300], 30, &noisy());
    let sum = |f: fn(&Outcome) -> u64| outcomes.iter().map(f).sum::<u64>();
    let digest = outcomes.iter().enumerate().fold(0u64, |digest, (i, outcome)| {
        digest.rotate_left(1) ^ (u64::from(outcome.is_correct) + outcome.spent.answers).wrapping_mul(i as u64 + 1)
    });
    assert_eq!((sum(|o| o.is_correct.into()), sum(|o| o.spent.steps), digest), PINNED);
}
const PINNED: (u64, u64, u64) = (682, 299_700, 486_620_863_325_076_151);

#[test]
fn what_is_wrong_is_named() {
    let problem = steps(&[0.5]);
    let error = |strategies: &[Strategy], budgets: &[u64], verifier: Verifier| {
        compare(&problem, strategies, budgets, 1, 0, &verifier, Seed::from_u64(0), &Control::default())
            .unwrap_err()
            .to_string()
    };
    let walk = of(Generator::Walks, Selector::First);
    let fine = Verifier::default();
    assert_eq!(error(&[walk], &[1, 0], fine), "budgets[1] must be at least one step and below 2^48, got 0");
    assert_eq!(error(&[walk], &[2, 2], fine), "budgets[1] must ascend, got 2");
    let beam = of(Generator::Beam { expand: 0 }, Selector::Best);
    assert_eq!(error(&[walk, beam], &[1], fine), "strategies[1] must expand at least 1, got expand = 0");
    let verifier = Verifier { false_positive: f64::NAN, ..fine };
    assert_eq!(error(&[walk], &[1], verifier), "false_positive must be between 0 and 1, got NaN");
    let verifier = Verifier { accuracy: Some(1.5), ..fine };
    assert_eq!(error(&[walk], &[1], verifier), "accuracy must be between 0 and 1, got 1.5");
    let verifier = Verifier { process_noise: -1.0, ..fine };
    assert_eq!(error(&[walk], &[1], verifier), "process_noise must be at least 0 and finite, got -1");
    let mut chosen = [0];
    let seed = Seed::from_u64(0);
    let error = regret::choices(&[0.5, 2.0], Learner::Hedge, 1, 0, seed, &Control::default(), &mut chosen);
    assert_eq!(error.unwrap_err().to_string(), "means[1] must be between 0 and 1, got 2");
    assert!(run(&problem, &[], &[1], 3, &fine).is_empty());
    assert!(run(&problem, &[walk], &[1], 0, &fine).is_empty());
}

#[test]
fn a_comparison_can_be_stopped() {
    let control = Control::new(2);
    control.cancel();
    let problem = steps(&[0.5]);
    let found = compare(&problem, &all(), &[1 << 40], 4, 0, &noisy(), Seed::from_u64(0), &control);
    assert_eq!(found, Err(crate::Error::Interrupted));
}
