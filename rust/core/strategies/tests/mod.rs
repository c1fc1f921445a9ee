//! The strategies against what is known exactly, and against each other.

mod comparing;
mod costs;
mod experts;
mod known;
mod layers;
mod search;
mod selection;
mod uneven;
mod verifier;

use super::*;
use crate::problems::reasoning::Answer;
use crate::problems::{GameOf24, Problem, Reasoning};
use crate::run::Control;
use crate::trees::config::{Fpu, Puct, Uct};
use std::sync::Arc;
use uneven::Uneven;

/// Steps that succeed with given probabilities, by expert; a wrong first step answers 1, a later one 2.
#[derive(Clone)]
struct Steps {
    success: Vec<Vec<f64>>,
    /// Whether the probability of success of a state is told, or has to be guessed from its value.
    is_known: bool,
    /// Whether no answer is right, whatever the steps were.
    is_lost: bool,
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
        let left: f64 = self.success[0][state.0 as usize..].iter().product();
        if state.1 == 0 && !self.is_lost { left } else { 0.0 }
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
        state.1 == 0 && !self.is_lost
    }

    fn success_probability(&self, state: &(u32, u64)) -> Option<f64> {
        self.is_known.then(|| self.value(state, &mut Seed::from_u64(0).stream(0)))
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
    experts(&[success])
}

fn experts(success: &[&[f64]]) -> Steps {
    Steps { success: success.iter().map(|p| p.to_vec()).collect(), is_known: true, is_lost: false }
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
fn outcomes_depend_on_nothing_else() {
    let game = GameOf24::new(&[[1, 2, 3, 4], [4, 9, 10, 13], [3, 3, 8, 8]]).unwrap();
    let chain = experts(&[&[0.5, 0.5, 0.2, 0.7], &[0.9, 0.9, 0.9, 0.9]]);
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
fn value_stability() {
    let game = GameOf24::new(&[[1, 2, 3, 4], [4, 9, 10, 13], [3, 3, 8, 8]]).unwrap();
    let outcomes = run(&game, &all(), &[3, 30, 300], 30, &noisy());
    let sum = |f: fn(&Outcome) -> u64| outcomes.iter().map(f).sum::<u64>();
    let digest = outcomes.iter().enumerate().fold(0u64, |digest, (i, outcome)| {
        digest.rotate_left(1) ^ (u64::from(outcome.is_correct) + outcome.spent.answers).wrapping_mul(i as u64 + 1)
    });
    assert_eq!((sum(|o| o.is_correct.into()), sum(|o| o.spent.steps), digest), PINNED);
}
const PINNED: (u64, u64, u64) = (682, 299_700, 14_042_916_160_677_953_271);

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
    let error = regret::choices(&[-0.5], Learner::Hedge, 1, 0, seed, &Control::default(), &mut chosen);
    assert_eq!(error.unwrap_err().to_string(), "means[0] must be between 0 and 1, got -0.5");
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

#[test]
fn every_strategy_looks_at_the_stop_flag() {
    let wide =
        [Generator::Beam { expand: 1 }, Generator::Dvts { expand: 1 << 20 }, Generator::Stepwise { width: 1 << 20 }];
    let wide = wide.map(|generator| of(generator, Selector::Best));
    // Neither a single walk nor a search that lists its actions draws so many steps.
    let draws = |strategy: &Strategy| match strategy.generator {
        Generator::Walks => strategy.selector != Selector::First,
        Generator::Tree { branching, .. } => branching > 0,
        _ => true,
    };
    for strategy in all().into_iter().filter(draws).chain(wide) {
        let control = Arc::new(Control::new(1));
        let problem = Uneven { stop: Some((Arc::clone(&control), 1000)), ..Uneven::new(0.0, 0.0, 7) };
        let seed = Seed::from_u64(0);
        let found = compare(&problem, &[strategy], &[1 << 24], 1, 0, &noisy(), seed, &control);
        assert_eq!(found, Err(crate::Error::Interrupted), "{strategy:?}");
        assert!(problem.n_steps() < 1 << 16, "{strategy:?} {}", problem.n_steps());
    }
}

#[test]
fn there_may_be_no_memory_for_so_many_candidates() {
    for generator in [Generator::Beam { expand: 1 }, Generator::Stepwise { width: 0 }] {
        let strategy = [of(generator, Selector::Best)];
        let verifier = Verifier { accuracy: Some(0.5), ..Verifier::default() };
        let problem = steps(&[0.5]);
        let found = compare(&problem, &strategy, &[1 << 47], 1, 0, &verifier, Seed::from_u64(0), &Control::new(1));
        assert!(matches!(found, Err(crate::Error::Memory(_))), "{found:?}");
    }
}
