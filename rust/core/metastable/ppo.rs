//! Proximal policy optimisation of a tabular softmax policy, with the advantage 1 on given transitions and 0 elsewhere:
//! the probabilities of rare transitions rise to a wanted value, and the rest of the policy stays as it is.
//!
//! In each iteration the objective, clipped at the ratio 1 + clip to the policy at its beginning, is climbed by a few
//! steps (Schulman et al. 2017; Kim et al. 2025, Algorithm 3). States without a given transition have no gradient.

mod row;

use super::softmax;
use crate::chains::matrix::{MarkovChain, sum};
use crate::error::{Result, invalid};
use crate::memory::zeros;
use crate::random::{Seed, Stream};
use crate::run::{Control, map_items};
use row::{Goal, State, Wanted};
use std::collections::BTreeMap;

/// How the objective is climbed.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// A given transition is raised up to this probability.
    pub epsilon_max: f64,
    /// The ratio to the old policy beyond which a transition has no gradient is 1 + clip.
    pub clip: f64,
    /// Step of the logits.
    pub learning_rate: f64,
    /// Whether a logit moves by the rate in the direction of its derivative, or by the rate times the derivative.
    pub sign_gradient: bool,
    /// Steps in an iteration at most.
    pub n_epochs: usize,
    /// Iterations at most.
    pub n_iterations: usize,
}

/// Draws that take the place of exact expectations.
#[derive(Debug, Clone, Copy)]
pub struct Batch {
    /// Pairs of a state and a transition drawn anew in each iteration.
    pub size: usize,
    /// Draw `i` of iteration `t` uses stream `i` of child `t`: a word for the state, one for the transition, and another
    /// where that draw is below 2^-30.
    pub seed: Seed,
}

/// A policy and how it came about.
#[derive(Debug)]
pub struct Improved {
    /// The policy.
    pub chain: MarkovChain,
    /// Probability of each given transition at the beginning and after each iteration, iteration after iteration.
    pub edge_probabilities: Vec<f64>,
    /// Iterations until all were done, or the most allowed.
    pub n_iterations: usize,
    /// For each state the total-variation distance from the policy it had.
    pub total_variation: Vec<f64>,
    /// Whether each given transition has come to `epsilon_max`, or was above from the start.
    pub reached: Vec<bool>,
}

/// Raises the transitions `edges` of `chain`; `law` is how often expectations meet each state, equal without it.
///
/// Cost: for each state with a given transition, its transitions times the steps until it is done, two exponentials
/// each; for each draw of a batch a binary search. Exact expectations share the states out to threads.
///
/// # Errors
/// An edge that is no transition of the chain, or comes twice; settings out of their range, or with which transitions
/// out of one state would need more than all probability; a law that is none;
/// [`Error::Interrupted`](crate::Error::Interrupted).
pub fn ppo(
    chain: &MarkovChain,
    edges: &[[u32; 2]],
    law: Option<&[f64]>,
    settings: &Settings,
    batch: Option<Batch>,
    control: &Control,
) -> Result<Improved> {
    check(settings)?;
    let law = Law::new(law, chain.n_states())?;
    let states = states(chain, edges, &law, settings)?;
    let finished = match batch {
        None => exact(&states, settings, control)?,
        Some(batch) => sampled(states, &law, settings, batch, control)?,
    };
    finish(chain, edges.len(), finished, settings, control)
}

/// A state at the end, and the probabilities of its wanted transitions at the beginning and after each iteration.
type Finished = (State, Vec<Vec<f64>>);

fn check(settings: &Settings) -> Result<()> {
    let Settings { epsilon_max, clip, learning_rate, .. } = *settings;
    if !(epsilon_max > 0.0 && epsilon_max < 1.0) {
        return Err(invalid("epsilon_max", &[], epsilon_max, "be above 0 and below 1"));
    }
    if !(clip > 0.0 && clip.is_finite()) {
        return Err(invalid("clip", &[], clip, "be above 0 and finite"));
    }
    if !(learning_rate > 0.0 && learning_rate.is_finite()) {
        return Err(invalid("learning_rate", &[], learning_rate, "be above 0 and finite"));
    }
    Ok(())
}

/// How often an expectation meets each state: the sums of the probabilities up to it, or None where all are equal.
struct Law<'a>(Option<(&'a [f64], Vec<f64>)>, usize);

impl<'a> Law<'a> {
    fn new(law: Option<&'a [f64]>, n_states: usize) -> Result<Self> {
        let Some(law) = law else { return Ok(Self(None, n_states)) };
        let name = "state_distribution";
        if law.len() != n_states {
            return Err(invalid(name, &[], law.len(), format!("have one number for each of the {n_states} states")));
        }
        if let Some(index) = law.iter().position(|p| !(*p >= 0.0 && *p <= 1.0 + 1e-9)) {
            return Err(invalid(name, &[index], law[index], "be a probability"));
        }
        let total = sum(law.iter().copied());
        if (total - 1.0).abs() > 1e-9 {
            return Err(invalid(name, &[], total, "have a sum of 1 within 1e-9"));
        }
        let mut sums = law.to_vec();
        (1..n_states).for_each(|state| sums[state] += sums[state - 1]);
        Ok(Self(Some((law, sums)), n_states))
    }

    fn weight(&self, state: u32) -> f64 {
        self.0.as_ref().map_or(1.0 / self.1 as f64, |(law, _)| law[state as usize])
    }

    fn draw(&self, stream: &mut Stream) -> u32 {
        match &self.0 {
            None => stream.below(self.1 as u64) as u32,
            Some((_, sums)) => {
                let place = stream.uniform() * sums[self.1 - 1];
                sums.partition_point(|sum| *sum <= place).min(self.1 - 1) as u32
            }
        }
    }
}

/// The states that have wanted transitions, ascending.
fn states(chain: &MarkovChain, edges: &[[u32; 2]], law: &Law<'_>, settings: &Settings) -> Result<Vec<State>> {
    let mut sources: BTreeMap<u32, Vec<Wanted>> = BTreeMap::new();
    for (edge, &[source, target]) in edges.iter().enumerate() {
        for (end, state) in [source, target].into_iter().enumerate() {
            if state as usize >= chain.n_states() {
                let rule = format!("be below the number of states, {}", chain.n_states());
                return Err(invalid("edges", &[edge, end], state, rule));
            }
        }
        let Ok(place) = chain.row(source).targets.binary_search(&target) else {
            return Err(invalid("edges", &[edge], format!("({source}, {target})"), "be a transition of the chain"));
        };
        let wanted = sources.entry(source).or_default();
        if wanted.iter().any(|other| other.place == place) {
            return Err(invalid("edges", &[edge], format!("({source}, {target})"), "not come twice"));
        }
        wanted.push(Wanted { place, edge, goal: Goal::Ahead });
    }
    let mut states = Vec::with_capacity(sources.len());
    for (source, wanted) in sources {
        let mut state = State::new(source, law.weight(source), chain.row(source), wanted);
        state.mark(settings.epsilon_max);
        let n_ahead = state.wanted.iter().filter(|wanted| wanted.goal == Goal::Ahead).count();
        if n_ahead as f64 * settings.epsilon_max >= 1.0 {
            let rule = format!("be below 1/{n_ahead}: edges holds as many transitions out of state {source}");
            return Err(invalid("epsilon_max", &[], settings.epsilon_max, rule));
        }
        states.push(state);
    }
    Ok(states)
}

fn probabilities(state: &State) -> Vec<f64> {
    state.wanted.iter().map(|wanted| libm::exp(state.logits[wanted.place])).collect()
}

/// Each state on its own: no expectation joins them.
fn exact(states: &[State], settings: &Settings, control: &Control) -> Result<Vec<Finished>> {
    map_items(
        states.len(),
        1,
        control,
        || (),
        |(), item| {
            let mut state = states[item].clone();
            let mut history = vec![probabilities(&state)];
            while !state.is_done() && history.len() <= settings.n_iterations {
                state.begin_iteration();
                for epoch in 0..settings.n_epochs {
                    control.check()?;
                    if !state.ascend(None, settings)? {
                        if epoch == 0 {
                            return Ok((state, history)); // it never moves
                        }
                        break;
                    }
                }
                history.push(probabilities(&state));
            }
            Ok((state, history))
        },
    )
}

/// Draws of a block of a batch.
const BLOCK: usize = 4096;

/// All states together: each iteration draws a batch with the policy as it then is.
fn sampled(
    mut states: Vec<State>,
    law: &Law<'_>,
    settings: &Settings,
    batch: Batch,
    control: &Control,
) -> Result<Vec<Finished>> {
    let mut history: Vec<Vec<Vec<f64>>> = states.iter().map(|state| vec![probabilities(state)]).collect();
    for iteration in 0..settings.n_iterations {
        if states.iter().all(State::is_done) {
            break;
        }
        let seed = batch.seed.child(iteration as u64);
        let blocks = map_items(
            batch.size.div_ceil(BLOCK),
            1,
            control,
            || (),
            |(), block| {
                let draws = block * BLOCK..batch.size.min((block + 1) * BLOCK);
                Ok(draws.filter_map(|draw| hit(&states, law, seed.stream(draw as u64))).collect::<Vec<_>>())
            },
        )?;
        let mut hits: Vec<Vec<f64>> = states.iter().map(|state| vec![0.0; state.wanted.len()]).collect();
        for (item, number) in blocks.into_iter().flatten() {
            hits[item][number] += 1.0 / batch.size as f64;
        }
        for ((state, hits), history) in states.iter_mut().zip(&hits).zip(&mut history) {
            state.begin_iteration();
            for _ in 0..settings.n_epochs {
                control.check()?;
                if !state.ascend(Some(hits), settings)? {
                    break;
                }
            }
            history.push(probabilities(state));
        }
    }
    Ok(states.into_iter().zip(history).collect())
}

/// The state and the wanted transition that a draw comes to, if it does.
fn hit(states: &[State], law: &Law<'_>, mut stream: Stream) -> Option<(usize, usize)> {
    let drawn = law.draw(&mut stream);
    let item = states.binary_search_by_key(&drawn, |state| state.source).ok()?;
    // The wanted transitions come first on the line that is drawn from, where a second word can tell tiny ones apart.
    let mut place = stream.uniform();
    if place < 1.0 / f64::from(1 << 30) {
        place += stream.uniform() * (1.0 / (1u64 << 53) as f64);
    }
    let mut end = 0.0;
    states[item].wanted.iter().enumerate().find_map(|(number, wanted)| {
        end += libm::exp(states[item].logits[wanted.place]);
        (place < end).then_some((item, number))
    })
}

fn finish(
    chain: &MarkovChain,
    n_edges: usize,
    finished: Vec<Finished>,
    settings: &Settings,
    control: &Control,
) -> Result<Improved> {
    let rows = finished.iter().map(|(_, history)| history.len()).max().unwrap_or(1);
    let mut edge_probabilities = zeros(rows.saturating_mul(n_edges))?;
    let mut total_variation = vec![0.0; chain.n_states()];
    let mut reached = vec![false; n_edges];
    let mut values = vec![0.0; chain.n_transitions()];
    chain.export(None, Some(&mut values), control)?;
    for (state, history) in finished {
        let begin = chain.span(state.source).0;
        let moved = history[0] != history[history.len() - 1];
        for (number, wanted) in state.wanted.iter().enumerate() {
            for row in 0..rows {
                edge_probabilities[row * n_edges + wanted.edge] = history[row.min(history.len() - 1)][number];
            }
            reached[wanted.edge] = wanted.goal != Goal::Ahead;
        }
        if moved {
            let before = row::log_probabilities(chain.row(state.source));
            for (place, (logit, before)) in state.logits.iter().zip(before).enumerate() {
                // Half the sum of the differences is the sum of the rises. By signs only wanted transitions rise; what
                // others seem to is rounding.
                if !settings.sign_gradient || state.wanted.iter().any(|wanted| wanted.place == place) {
                    let rise = libm::exp(before) * libm::expm1(logit - before);
                    total_variation[state.source as usize] += rise.max(0.0);
                }
                values[begin + place] = libm::exp(*logit);
            }
        }
    }
    let chain = softmax::with_probabilities(chain, &values, control)?;
    Ok(Improved { chain, edge_probabilities, n_iterations: rows - 1, total_variation, reached })
}

#[cfg(test)]
mod tests;
