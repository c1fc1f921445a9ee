//! Reachability in directed graphs: which of two nodes can be reached from the root? The task of ProsQA (Hao et al. 2024,
//! "Training Large Language Models to Reason in a Continuous Latent Space"), on which Zhu et al. 2025, "Reasoning by
//! Superposition" (arXiv 2505.12514), compare discrete and continuous chains of thought.

pub mod exact;
pub mod generate;
pub mod graphs;
pub mod superposition;
pub mod walks;

pub use graphs::{Graph, Graphs, Question};

use super::Problem;
use super::reasoning::{Answer, Reasoning, drawn};
use super::synthetic::mix;
use crate::error::{Result, invalid};
use crate::random::Stream;
use crate::run::{Control, map_items};
use exact::Ends;

/// An instance with more states than this is not worth writing out.
const SMALL: u64 = 1 << 12;

/// Graphs that are handed to a thread at once.
const BLOCK: usize = 64;

/// One instance for each graph: a walk begins at the root and follows edges until it comes to one of the two candidates,
/// which it answers, or to a sink, from which no edge leads on.
///
/// With `guess` a walk at a sink takes one step more and answers either candidate, each with probability 1/2; without it
/// it has no answer. Walks that could be longer than `max_steps`, as in graphs with cycles, count their steps: they are cut
/// off without an answer, or, with `guess`, guess by their last step.
#[derive(Debug, Clone, PartialEq)]
pub struct Reachability {
    graphs: Graphs,
    guess: bool,
    max_steps: u32,
    /// Whether walks on a graph can be longer than `max_steps`.
    bounded: Vec<bool>,
    /// How walks from each node of each graph end that is not bounded.
    ends: Vec<Ends>,
    /// What the nodes of all graphs are called; empty where they have numbers alone.
    symbols: Vec<String>,
}

/// Where a walk is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Place {
    graph: u32,
    node: u32,
    /// Steps taken, where they are bounded; else 0.
    steps: u32,
}

impl Place {
    /// The number of the graph.
    pub fn graph(&self) -> u32 {
        self.graph
    }

    /// The node of the graph.
    pub fn node(&self) -> u32 {
        self.node
    }
}

/// What can be done at a place.
enum Choice<'a> {
    /// The walk is at one of the candidates.
    Answered,
    /// No edge leads on, or no steps are left.
    Stuck,
    /// No edge leads on, or no steps are left but one: either candidate is answered.
    Guess,
    /// One of these nodes is next.
    Edges(&'a [u32]),
}

impl Reachability {
    /// One instance for each of `graphs`. By default `max_steps` is the length of the longest walk there can be, or the
    /// number of nodes for a graph with a cycle.
    ///
    /// # Errors
    /// A `max_steps` of 0; symbols that are not one for each node; [`Error::Interrupted`](crate::Error::Interrupted).
    pub fn new(
        graphs: Graphs,
        guess: bool,
        max_steps: Option<u32>,
        symbols: Vec<String>,
        control: &Control,
    ) -> Result<Self> {
        let n_nodes = graphs.first_nodes()[graphs.len()];
        if !symbols.is_empty() && symbols.len() != n_nodes {
            let got = format!("{} in all", symbols.len());
            return Err(invalid("symbols", &[], got, format!("be one for each node, {n_nodes} in all")));
        }
        if max_steps == Some(0) {
            return Err(invalid("max_steps", &[], 0, "be at least 1"));
        }
        let known = map_items(
            graphs.len(),
            BLOCK,
            control,
            || (),
            |(), graph| {
                let graph = graphs.get(graph);
                let (order, acyclic) = exact::order(&graph);
                let longest = acyclic.then(|| exact::lengths(&graph, &order, guess.into()).0);
                Ok((
                    longest,
                    if acyclic { exact::ends(&graph, &order) } else { vec![Ends::default(); graph.n_nodes()] },
                ))
            },
        )?;
        let longest =
            known.iter().enumerate().map(|(i, (longest, _))| longest.unwrap_or(graphs.get(i).n_nodes() as u32));
        let max_steps = max_steps.unwrap_or(longest.max().unwrap_or(1).max(1));
        let bounded = known.iter().map(|(longest, _)| longest.is_none_or(|longest| longest > max_steps)).collect();
        let ends = known.into_iter().flat_map(|(_, ends)| ends).collect();
        Ok(Self { graphs, guess, max_steps, bounded, ends, symbols })
    }

    /// The graphs.
    pub fn graphs(&self) -> &Graphs {
        &self.graphs
    }

    /// Whether there are walks that `max_steps` cuts short.
    pub fn is_bounded(&self) -> bool {
        self.bounded.contains(&true)
    }

    /// Whether walks guess where they can go no further.
    pub fn guesses(&self) -> bool {
        self.guess
    }

    /// How walks from `state` end before any guess.
    fn ends(&self, state: &Place, control: &Control) -> Result<Ends> {
        let graph = state.graph as usize;
        if !self.bounded[graph] {
            return Ok(self.ends[self.graphs.first_nodes()[graph] + state.node as usize]);
        }
        let left = self.max_steps - state.steps;
        let moves = left.saturating_sub(u32::from(self.guess));
        Ok(exact::ends_within(&self.graphs.get(graph), state.node, moves, 0, control)?.0)
    }

    /// For each instance how walks from the root end before any guess.
    ///
    /// # Errors
    /// [`Error::Interrupted`](crate::Error::Interrupted).
    pub fn root_ends(&self, control: &Control) -> Result<Vec<Ends>> {
        map_items(self.graphs.len(), BLOCK, control, || (), |(), graph| self.ends(&self.root(graph as u64), control))
    }

    /// The mean number of steps of a walk, guesses included, for each instance.
    ///
    /// # Errors
    /// [`Error::Interrupted`](crate::Error::Interrupted).
    pub fn mean_steps(&self, control: &Control) -> Result<Vec<f64>> {
        map_items(
            self.graphs.len(),
            BLOCK,
            control,
            || (),
            |(), i| {
                let (graph, guess) = (self.graphs.get(i), u32::from(self.guess));
                if self.bounded[i] {
                    let root = graph.question.root;
                    return Ok(exact::ends_within(&graph, root, self.max_steps - guess, guess, control)?.1);
                }
                Ok(exact::lengths(&graph, &exact::order(&graph).0, guess).1)
            },
        )
    }

    #[inline]
    fn choice(&self, state: &Place) -> Choice<'_> {
        let graph = self.graphs.get(state.graph as usize);
        if state.node == graph.question.target || state.node == graph.question.neg_target {
            return Choice::Answered;
        }
        let left = if self.bounded[state.graph as usize] { self.max_steps - state.steps } else { u32::MAX };
        let heads = graph.heads(state.node);
        if left > u32::from(self.guess) && !heads.is_empty() {
            Choice::Edges(heads)
        } else if self.guess {
            Choice::Guess
        } else {
            Choice::Stuck
        }
    }

    /// How a node is called.
    fn symbol(&self, graph: u32, node: u32) -> String {
        let at = self.graphs.first_nodes()[graph as usize] + node as usize;
        self.symbols.get(at).cloned().unwrap_or_else(|| node.to_string())
    }
}

impl Problem for Reachability {
    type State = Place;

    fn root(&self, tree: u64) -> Place {
        let graph = (tree % self.graphs.len() as u64) as u32;
        Place { graph, node: self.graphs.get(graph as usize).question.root, steps: 0 }
    }

    fn owns(&self, state: &Place) -> bool {
        let graph = state.graph as usize;
        let most = if self.bounded.get(graph) == Some(&true) { self.max_steps } else { 0 };
        graph < self.graphs.len() && (state.node as usize) < self.graphs.get(graph).n_nodes() && state.steps <= most
    }

    fn n_actions(&self, state: &Place) -> u32 {
        match self.choice(state) {
            Choice::Answered | Choice::Stuck => 0,
            Choice::Guess => 2,
            Choice::Edges(heads) => heads.len() as u32,
        }
    }

    #[inline]
    fn step(&self, state: &mut Place, action: u32) -> f64 {
        state.node = match self.choice(state) {
            Choice::Edges(heads) => heads[action as usize],
            Choice::Guess => self.graphs.get(state.graph as usize).question.candidates()[action as usize],
            Choice::Answered | Choice::Stuck => state.node,
        };
        if self.bounded[state.graph as usize] {
            state.steps += 1;
        }
        0.0
    }

    /// Whether a walk by the policy ends at the target, one draw a step.
    fn value(&self, state: &Place, stream: &mut Stream) -> f64 {
        let (mut state, mut scratch) = (*state, Vec::new());
        while !matches!(self.choice(&state), Choice::Answered | Choice::Stuck) {
            self.walk(&mut state, 0, stream, &mut scratch);
        }
        f64::from(u8::from(self.is_correct(&state)))
    }

    fn priors(&self, state: &Place, priors: &mut Vec<f32>) {
        if let Choice::Edges(_) = self.choice(state) {
            let probabilities = self.graphs.get(state.graph as usize).probabilities(state.node);
            priors.extend(probabilities.iter().map(|&p| p as f32));
        }
    }

    fn key(&self, state: &Place) -> Option<u64> {
        Some(mix(mix(u64::from(state.graph) << 32 | u64::from(state.node)) ^ u64::from(state.steps)))
    }

    fn describe(&self, state: &Place) -> String {
        self.symbol(state.graph, state.node)
    }

    /// Where it leads.
    fn describe_action(&self, state: &Place, action: u32) -> String {
        let mut next = *state;
        self.step(&mut next, action);
        self.describe(&next)
    }
}

impl Reasoning for Reachability {
    fn n_instances(&self) -> u64 {
        self.graphs.len() as u64
    }

    fn max_steps(&self) -> u32 {
        self.max_steps
    }

    fn policy(&self, state: &Place, _expert: u32, probabilities: &mut Vec<f64>) {
        if let Choice::Edges(_) = self.choice(state) {
            probabilities.extend_from_slice(self.graphs.get(state.graph as usize).probabilities(state.node));
        }
    }

    #[inline]
    fn walk(&self, state: &mut Place, _expert: u32, stream: &mut Stream, _scratch: &mut Vec<f64>) -> u32 {
        let graph = self.graphs.get(state.graph as usize);
        let action = match self.choice(state) {
            Choice::Edges(_) if self.graphs.is_weighted() => drawn(graph.probabilities(state.node), stream),
            Choice::Edges(heads) => stream.below(heads.len() as u64) as u32,
            _ => stream.below(2) as u32,
        };
        self.step(state, action);
        action
    }

    /// The candidate's node.
    fn answer(&self, state: &Place) -> Option<u64> {
        matches!(self.choice(state), Choice::Answered).then_some(state.node.into())
    }

    fn is_correct(&self, state: &Place) -> bool {
        state.node == self.graphs.get(state.graph as usize).question.target
    }

    fn success_probability(&self, state: &Place) -> Option<f64> {
        let ends = self.ends(state, &Control::default()).ok()?;
        Some(if self.guess { ends.target + 0.5 * ends.nowhere } else { ends.target })
    }

    fn answer_law(&self, state: &Place) -> Option<Vec<Answer>> {
        let ends = self.ends(state, &Control::default()).ok()?;
        let question = self.graphs.get(state.graph as usize).question;
        let guessed = if self.guess { 0.5 * ends.nowhere } else { 0.0 };
        let law = [
            (Some(question.target), ends.target + guessed),
            (Some(question.neg_target), ends.neg_target + guessed),
            (None, if self.guess { 0.0 } else { ends.nowhere }),
        ];
        let answers = law.into_iter().filter(|&(_, probability)| probability > 0.0);
        Some(
            answers
                .map(|(answer, probability)| Answer {
                    answer: answer.map(u64::from),
                    probability,
                    is_correct: answer == Some(question.target),
                })
                .collect(),
        )
    }

    fn is_small(&self) -> bool {
        let layers = if self.is_bounded() { u64::from(self.max_steps) + 1 } else { 1 };
        self.graphs.most_nodes() as u64 * layers <= SMALL
    }
}

#[cfg(test)]
mod tests {
    use super::graphs::tests::graph;
    use super::*;
    use crate::random::Seed;

    /// 0 -> 1, 2, 3; 1 -> 4, 5; 2 -> 4; 3 is a sink; 4 -> 6; 5 -> 7. Target 6, other candidate 7.
    const EDGES: [[i64; 2]; 8] = [[0, 1], [0, 2], [0, 3], [1, 4], [1, 5], [2, 4], [4, 6], [5, 7]];

    fn problem(guess: bool, max_steps: Option<u32>) -> Reachability {
        Reachability::new(graph(&EDGES, 0, 6, 7), guess, max_steps, Vec::new(), &Control::default()).unwrap()
    }

    /// The law of the answers from `state`, by all walks.
    fn all_walks(problem: &Reachability, state: &Place) -> [f64; 3] {
        let n = problem.n_actions(state);
        if n == 0 {
            return match problem.answer(state) {
                Some(6) => [1.0, 0.0, 0.0],
                Some(7) => [0.0, 1.0, 0.0],
                _ => [0.0, 0.0, 1.0],
            };
        }
        let mut sum = [0.0; 3];
        for action in 0..n {
            let mut next = *state;
            problem.step(&mut next, action);
            for (sum, p) in sum.iter_mut().zip(all_walks(problem, &next)) {
                *sum += p / f64::from(n);
            }
        }
        sum
    }

    #[test]
    fn the_exact_law_is_that_of_all_walks() {
        for guess in [false, true] {
            for max_steps in [None, Some(1), Some(2), Some(3), Some(9)] {
                let problem = problem(guess, max_steps);
                let mut open = vec![problem.root(0)];
                while let Some(state) = open.pop() {
                    let exact = all_walks(&problem, &state);
                    let mut law = [0.0; 3];
                    for answer in problem.answer_law(&state).unwrap() {
                        law[match answer.answer {
                            Some(6) => 0,
                            Some(_) => 1,
                            None => 2,
                        }] = answer.probability;
                        assert_eq!(answer.is_correct, answer.answer == Some(6));
                    }
                    assert!(law.iter().zip(exact).all(|(x, y)| (x - y).abs() < 1e-15), "{law:?} {exact:?}");
                    assert_eq!(problem.success_probability(&state), Some(law[0]));
                    for action in 0..problem.n_actions(&state) {
                        let mut next = state;
                        problem.step(&mut next, action);
                        open.push(next);
                    }
                }
            }
        }
    }

    #[test]
    fn steps_are_counted_where_they_are_bounded() {
        assert_eq!((problem(false, None).max_steps(), problem(false, Some(2)).max_steps()), (3, 2));
        let (free, bounded) = (problem(true, None), problem(true, Some(2)));
        for (problem, meet) in [(&free, true), (&bounded, false)] {
            // By 1 and by 2 to node 4, against 3 by one step.
            let [mut one, mut other] = [problem.root(0), problem.root(5)];
            for (state, action) in [(&mut one, 0), (&mut other, 1)] {
                problem.step(state, action);
                problem.step(state, 0);
            }
            assert_eq!(problem.describe(&one), if meet { "4" } else { "6" });
            assert_eq!(one, other);
            assert_eq!(problem.key(&one), problem.key(&other));
            assert_ne!(problem.key(&one), problem.key(&problem.root(0)));
            assert!(problem.is_small());
        }
        let cycle = graph(&[[0, 1], [1, 0]], 0, 2, 3);
        let cycle = Reachability::new(cycle, true, None, Vec::new(), &Control::default()).unwrap();
        assert_eq!(cycle.max_steps(), 4);
        assert_eq!(cycle.success_probability(&cycle.root(0)), Some(0.5));
        assert_eq!(cycle.value(&cycle.root(0), &mut Seed::from_u64(1).stream(0)) % 1.0, 0.0);
    }

    #[test]
    fn walks_follow_the_weights() {
        let edges = [[0, 0, 1], [0, 0, 2], [0, 2, 3]];
        let graphs = Graphs::new(&edges, Some(&[3.0, 1.0, 5.0]), [&[0], &[1], &[3]], None).unwrap();
        let names = ["a", "b", "c", "d"].map(str::to_owned).to_vec();
        let problem = Reachability::new(graphs, false, None, names, &Control::default()).unwrap();
        assert_eq!(problem.success_probability(&problem.root(0)), Some(0.75));
        let (mut priors, mut policy) = (Vec::new(), Vec::new());
        problem.priors(&problem.root(0), &mut priors);
        problem.policy(&problem.root(0), 0, &mut policy);
        assert_eq!((priors, policy), (vec![0.75f32, 0.25], vec![0.75, 0.25]));
        assert_eq!([0, 1].map(|action| problem.describe_action(&problem.root(0), action)), ["b", "c"]);
        let seed = Seed::from_u64(3);
        let n = 4000u32;
        let sum: f64 = (0..n).map(|i| problem.value(&problem.root(0), &mut seed.stream(i.into()))).sum();
        assert!((sum / f64::from(n) - 0.75).abs() < 5.0 * (0.75 * 0.25 / f64::from(n)).sqrt(), "{sum}");
    }

    #[test]
    fn what_is_wrong_is_named() {
        let error = |max_steps, symbols: &[&str]| {
            let symbols = symbols.iter().map(|&symbol| symbol.to_owned()).collect();
            Reachability::new(graph(&EDGES, 0, 6, 7), true, max_steps, symbols, &Control::default())
                .unwrap_err()
                .to_string()
        };
        assert_eq!(error(Some(0), &[]), "max_steps must be at least 1, got 0");
        assert_eq!(error(None, &["a"]), "symbols must be one for each node, 8 in all, got 1 in all");
    }
}
