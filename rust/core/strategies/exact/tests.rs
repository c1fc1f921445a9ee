//! Walks of different lengths: what is known of them against all sequences of all walks on small graphs.

use super::lengths::Lengths;
use super::renewal::Renewal;
use super::{best_of_n, curves, instance_curve};
use crate::problems::reasoning::Answer;
use crate::problems::{Problem, Reasoning};
use crate::random::Stream;
use crate::run::Control;
use crate::samples::majority::Ties;
use crate::samples::planning::plurality_probability;
use crate::strategies::{Generator, Selector, Strategy, Verifier};
use std::cell::OnceCell;

/// Where the edges of each node lead, how probable they are, and what the nodes without any answer: 0 is right.
struct Graph {
    edges: Vec<Vec<(u32, f64)>>,
    answers: Vec<Option<u64>>,
    max_steps: u32,
    has_keys: bool,
}

impl Problem for Graph {
    type State = u32;

    fn root(&self, _tree: u64) -> u32 {
        0
    }

    fn n_actions(&self, state: &u32) -> u32 {
        self.edges[*state as usize].len() as u32
    }

    fn step(&self, state: &mut u32, action: u32) -> f64 {
        *state = self.edges[*state as usize][action as usize].0;
        0.0
    }

    fn value(&self, _state: &u32, _stream: &mut Stream) -> f64 {
        0.0
    }

    fn key(&self, state: &u32) -> Option<u64> {
        self.has_keys.then_some((*state).into())
    }
}

impl Reasoning for Graph {
    fn max_steps(&self) -> u32 {
        self.max_steps
    }

    fn policy(&self, state: &u32, _expert: u32, probabilities: &mut Vec<f64>) {
        probabilities.extend(self.edges[*state as usize].iter().map(|edge| edge.1));
    }

    fn answer(&self, state: &u32) -> Option<u64> {
        self.answers[*state as usize]
    }

    fn is_correct(&self, state: &u32) -> bool {
        self.answer(state) == Some(0)
    }
}

/// 1 leads back to 0 or to itself, so that walks are cut off; 2 is reached at different times; the leaves 3, 4 and 5 answer
/// `answers`.
fn graph(answers: [Option<u64>; 3]) -> Graph {
    let edges = vec![
        vec![(1, 0.25), (2, 0.5), (3, 0.1), (4, 0.15)],
        vec![(1, 0.3), (2, 0.2), (0, 0.1), (5, 0.4)],
        vec![(3, 0.35), (4, 0.6), (5, 0.05), (1, 0.0)],
        vec![],
        vec![],
        vec![],
    ];
    let answers = [None; 3].into_iter().chain(answers).collect();
    Graph { edges, answers, max_steps: 3, has_keys: true }
}

/// The length, the probability and the answer of each walk from `node`, of those that end; and of those cut off.
fn all_walks(graph: &Graph, node: u32, taken: u32, p: f64, walks: &mut Vec<(u64, f64, Option<u64>)>) {
    if graph.is_terminal(&node) || taken == graph.max_steps {
        let answer = if graph.is_terminal(&node) { graph.answer(&node) } else { None };
        return walks.push((taken.max(1).into(), p, answer));
    }
    for &(next, q) in &graph.edges[node as usize] {
        all_walks(graph, next, taken + 1, p * q, walks);
    }
}

fn walks(graph: &Graph) -> Vec<(u64, f64, Option<u64>)> {
    let mut walks = vec![];
    all_walks(graph, 0, 0, 1.0, &mut walks);
    walks
}

/// The chance of a right choice within `left` more steps, by all sequences of walks; an answer is heard with a verdict.
fn all_sequences(
    walks: &[(u64, f64, Option<u64>)],
    left: u64,
    strategy: &Strategy,
    verifier: &Verifier,
    heard: &mut Vec<(Option<u64>, bool)>,
) -> f64 {
    let ended = strategy.ends_early(verifier) && heard.last().is_some_and(|last| last.1);
    let under_way: f64 = walks.iter().filter(|walk| walk.0 > left).map(|walk| walk.1).sum();
    let here = choice(heard, strategy, verifier);
    if ended {
        return here;
    }
    let mut sum = under_way * here;
    for &(length, p, answer) in walks.iter().filter(|walk| walk.0 <= left) {
        let accepts = match answer {
            None => 0.0,
            Some(0) => 1.0 - verifier.false_negative,
            Some(_) => verifier.false_positive,
        };
        for (accepted, q) in [(true, accepts), (false, 1.0 - accepts)] {
            if p * q > 0.0 {
                heard.push((answer, accepted));
                sum += p * q * all_sequences(walks, left - length, strategy, verifier, heard);
                heard.pop();
            }
        }
    }
    sum
}

/// The chance that the choice among what was heard is right.
fn choice(heard: &[(Option<u64>, bool)], strategy: &Strategy, verifier: &Verifier) -> f64 {
    let answers: Vec<(u64, bool)> = heard.iter().filter_map(|&(answer, word)| Some((answer?, word))).collect();
    let any = answers.iter().any(|answer| answer.0 == 0);
    match (strategy.selector, verifier.accuracy) {
        (Selector::First, _) => f64::from(u8::from(heard.first().is_some_and(|first| first.0 == Some(0)))),
        (Selector::Best, Some(accuracy)) => accuracy * f64::from(u8::from(any)),
        (Selector::Best, None) => {
            let best = answers.iter().any(|answer| answer.1);
            let among: Vec<u64> = answers.iter().filter(|answer| answer.1 == best).map(|answer| answer.0).collect();
            among.iter().filter(|&&answer| answer == 0).count() as f64 / among.len().max(1) as f64
        }
        (Selector::Majority | Selector::Weighted, _) => {
            let is_vote = strategy.selector == Selector::Majority;
            let weight = |of| answers.iter().filter(|&&(a, word)| a == of && (is_vote || word)).count();
            let most = answers.iter().map(|&(answer, _)| weight(answer)).max();
            let mut top: Vec<u64> =
                answers.iter().map(|answer| answer.0).filter(|&answer| Some(weight(answer)) == most).collect();
            top.sort_unstable();
            top.dedup();
            if top.contains(&0) { 1.0 / top.len() as f64 } else { 0.0 }
        }
    }
}

const SELECTORS: [Selector; 4] = [Selector::First, Selector::Best, Selector::Majority, Selector::Weighted];
const BUDGETS: [u64; 7] = [1, 2, 3, 4, 5, 6, 7];

fn of(selector: Selector, stop: bool) -> Strategy {
    Strategy { generator: Generator::Walks, selector, stop }
}

/// Which curves are known, each of which is that of all sequences.
fn known(graph: &Graph, verifier: &Verifier) -> Vec<(Selector, bool)> {
    let (walks, mut known) = (walks(graph), vec![]);
    for selector in SELECTORS {
        for stop in [false, true] {
            let strategy = of(selector, stop);
            let found = curves(graph, &[strategy], &BUDGETS, verifier, &Control::default()).unwrap();
            if found.iter().all(|value| value.is_nan()) {
                continue;
            }
            known.push((selector, stop));
            for (value, budget) in found.iter().zip(BUDGETS) {
                let wanted = all_sequences(&walks, budget, &strategy, verifier, &mut vec![]);
                assert!((value - wanted).abs() < 1e-14, "{strategy:?} {verifier:?} {budget}: {value} {wanted}");
            }
        }
    }
    known
}

#[test]
fn curves_are_those_of_all_sequences() {
    let perfect = Verifier::default();
    let errs = Verifier { false_positive: 0.3, false_negative: 0.2, ..perfect };
    let verifiers = [
        (perfect, 8),
        (errs, 6),
        (Verifier { false_positive: 0.3, ..perfect }, 6),
        (Verifier { false_negative: 0.4, ..perfect }, 6),
        (Verifier { false_positive: 1.0, false_negative: 1.0, ..perfect }, 6),
        (Verifier { accuracy: Some(0.7), ..errs }, 6),
        (Verifier { noise: 0.5, ..perfect }, 4),
        (Verifier { systematic: true, ..errs }, 4),
    ];
    for (verifier, n_known) in verifiers {
        // A third answer leaves the vote unknown; one that is right, or none, leaves nobody to err.
        assert_eq!(known(&graph([Some(0), Some(1), None]), &verifier).len(), n_known, "{verifier:?}");
        assert_eq!(known(&graph([Some(0), Some(1), Some(2)]), &verifier).len(), n_known - 2);
    }
    for verifier in [perfect, errs, Verifier { accuracy: Some(0.7), ..errs }] {
        assert_eq!(known(&graph([Some(0), None, Some(0)]), &verifier).len(), 8);
        assert_eq!(known(&graph([Some(1), None, Some(2)]), &verifier).len(), 8);
        assert_eq!(known(&graph([None; 3]), &verifier).len(), 8);
    }
}

#[test]
fn an_answer_at_the_root_costs_a_step() {
    let root = |answer| Graph { edges: vec![vec![]], answers: vec![answer], max_steps: 2, has_keys: true };
    assert_eq!(known(&root(Some(0)), &Verifier::default()).len(), 8);
    assert_eq!(known(&root(Some(1)), &Verifier::default()).len(), 8);
    let lengths = Lengths::of(&root(Some(0)), 0, 10, &Control::default()).unwrap().unwrap();
    assert_eq!((lengths.right, lengths.silent), (vec![0.0, 1.0], vec![0.0, 0.0]));
}

#[test]
fn lengths_are_those_of_all_walks() {
    let graph = graph([Some(0), Some(1), None]);
    let lengths = Lengths::of(&graph, 0, 100, &Control::default()).unwrap().unwrap();
    let laws = [(&lengths.right, Some(0)), (&lengths.wrong, Some(1)), (&lengths.silent, None)];
    for (law, answer) in laws {
        assert_eq!(law.len(), 4);
        for (length, p) in law.iter().enumerate() {
            let of_walks = walks(&graph).into_iter().filter(|walk| (walk.0, walk.2) == (length as u64, answer));
            assert!((p - of_walks.map(|walk| walk.1).sum::<f64>()).abs() < 1e-15);
        }
    }
    let longer = lengths.longer();
    assert!((longer[0] - 1.0).abs() < 1e-15 && longer[1] == 0.75 && longer.len() == 3);
}

#[test]
fn what_takes_too_long_is_not_known() {
    let control = Control::default();
    let graph = graph([Some(0), Some(1), None]);
    assert!(Lengths::of(&graph, 0, 23, &control).unwrap().is_none());
    let lengths = Lengths::of(&graph, 0, 24, &control).unwrap().unwrap();
    let errs = Verifier { false_positive: 0.3, false_negative: 0.2, ..Verifier::default() };
    let budgets = [2, 100, 1000];
    for (selector, verifier, most) in
        [(Selector::Best, Verifier::default(), 1e3), (Selector::Best, errs, 1e5), (Selector::Majority, errs, 2e5)]
    {
        let renewal = |most| Renewal {
            lengths: &lengths,
            budgets: &budgets,
            most,
            control: &control,
            any_right: OnceCell::new(),
        };
        let some = renewal(most).curve(&of(selector, true), &verifier).unwrap();
        let all = renewal(1e9).curve(&of(selector, true), &verifier).unwrap();
        assert_eq!((some.len(), all.len()), (2, 3), "{selector:?}");
        assert!(some.iter().zip(&all).all(|(x, y)| (x - y).abs() < 1e-13), "{some:?} {all:?}");
    }
    let nameless = Graph { has_keys: false, ..graph };
    let strategies = SELECTORS.map(|selector| of(selector, true));
    assert!(curves(&nameless, &strategies, &[3], &errs, &control).unwrap().iter().all(|value| value.is_nan()));
    control.cancel();
    let nameless = curves(&nameless, &strategies, &[3], &errs, &control);
    assert!(matches!(nameless, Err(crate::Error::Interrupted)));
}

/// With walks that are all equally long the closed form for these must come out, however large the budget.
#[test]
fn equal_lengths_have_a_closed_form() {
    let right = [0.0, 0.0, 0.3];
    let lengths =
        Lengths { right: right.to_vec(), wrong: vec![0.0, 0.0, 0.5], silent: vec![0.0, 0.0, 0.2], is_a_duel: true };
    let control = Control::default();
    let budgets = [1, 2, 10, 999, 4000];
    let any_right = OnceCell::new();
    let renewal = Renewal { lengths: &lengths, budgets: &budgets, most: 1e10, control: &control, any_right };
    let errs = Verifier { false_positive: 0.001, false_negative: 0.998, ..Verifier::default() };
    for verifier in [Verifier::default(), errs, Verifier { false_positive: 0.0, ..errs }] {
        for stop in [false, true] {
            let found = renewal.curve(&of(Selector::Best, stop), &verifier).unwrap();
            for (value, budget) in found.iter().zip(budgets) {
                let wanted = best_of_n(0.3, 0.5, &verifier, (budget / 2) as f64);
                assert!((value - wanted).abs() < 1e-13, "{verifier:?} {budget}: {value} {wanted}");
            }
        }
    }
    let [right, wrong, silent] = [vec![0.0, 0.0, 0.45], vec![0.0, 0.0, 0.55], vec![0.0; 3]];
    let lengths = Lengths { right, wrong, silent, is_a_duel: true };
    let renewal = Renewal { lengths: &lengths, any_right: OnceCell::new(), ..renewal };
    let vote = renewal.curve(&of(Selector::Majority, true), &errs).unwrap();
    let n: Vec<i64> = budgets[1..].iter().map(|&budget| budget as i64 / 2).collect();
    let mut wanted = vec![0.0; n.len()];
    plurality_probability(&[0.45, 0.55], &n, 0, Ties::Uniform, &mut wanted, &control).unwrap();
    assert_eq!(vote[0], 0.0);
    assert!(vote[1..].iter().zip(&wanted).all(|(x, y)| (x - y).abs() < 1e-13), "{vote:?} {wanted:?}");
}

/// Of three answers two are right: the vote goes wrong where the third has most, or a share of the ties.
#[test]
fn several_answers_may_be_right() {
    let p = [0.2, 0.5, 0.25];
    let answer = |(i, probability)| Answer { answer: Some(i), probability, is_correct: i != 1 };
    let mut law: Vec<Answer> = (0..).zip(p).map(answer).collect();
    law.push(Answer { answer: None, probability: 0.05, is_correct: false });
    let mut found = [f64::NAN; 4];
    let (numbers, control) = ([0, 1, 2, 3], Control::default());
    let vote = of(Selector::Majority, false);
    instance_curve(&law, &vote, &Verifier::default(), &numbers, 1, &control, &mut found).unwrap();
    let mut wanted = [0.0; 4];
    for number in 0..4usize.pow(3) {
        let answers = [number % 4, number / 4 % 4, number / 16];
        let chance: f64 = answers.iter().map(|&answer| law[answer].probability).product();
        for (n, wanted) in wanted.iter_mut().enumerate().skip(1) {
            let votes = [0, 1, 2].map(|answer| answers[..n].iter().filter(|&&other| other == answer).count());
            let most = votes.into_iter().max().unwrap();
            let right = [0, 2].iter().filter(|&&answer| votes[answer] == most).count();
            if most > 0 {
                *wanted += chance * right as f64 / votes.iter().filter(|&&votes| votes == most).count() as f64;
            }
        }
    }
    assert!(found.iter().zip(wanted).all(|(x, y)| (x - y).abs() < 1e-14), "{found:?} {wanted:?}");
}
