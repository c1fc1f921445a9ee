//! Net fluxes: what one direction of a pair of states carries beyond the other.
//!
//! Within a metastable set between source and target nearly as much flux goes back as forth, and the difference of the
//! two gross fluxes would be rounding alone. With detailed balance the net flux is `pi_i p_ij (q_j - q_i)`, the current
//! in a network of resistors, and differences of the committor follow from one another without cancellation: a state
//! that is eliminated has the mean of those it leads to, hence
//!
//! ```text
//! q_k - q_j = sum over m of a_km / s_k (q_m - q_j),
//! ```
//!
//! from the two ends, where it is 1, backwards.

use super::TransitionPaths;
use crate::chains::matrix::MarkovChain;
use crate::chains::spectrum::graded::Graded;
use crate::error::Result;
use crate::memory::zeros;
use crate::run::Control;

/// States between the sets up to which all differences are worked out.
const MOST_STATES: usize = 1000;

/// The net flux of each transition of `paths`. `members` is the recurrent class, `balanced` whether that has
/// detailed balance.
pub(super) fn net(
    chain: &MarkovChain,
    members: &[u32],
    balanced: bool,
    source: &[bool],
    target: &[bool],
    paths: &TransitionPaths,
    control: &Control,
) -> Result<Vec<f64>> {
    let between: Vec<u32> =
        members.iter().copied().filter(|&state| !source[state as usize] && !target[state as usize]).collect();
    let differences = if balanced && between.len() <= MOST_STATES {
        Some(Differences::new(chain, &between, source, target, control)?)
    } else {
        None
    };
    let mut net = Vec::with_capacity(paths.gross.len());
    for state in 0..chain.n_states() {
        if state % 256 == 0 {
            control.check()?;
        }
        let (targets, gross) = paths.row(state);
        for (&next, &flux) in targets.iter().zip(gross) {
            let next = next as usize;
            let value = if balanced {
                let probability = chain.row(state as u32);
                let at = probability.targets.partition_point(|&t| (t as usize) < next);
                let rise = match &differences {
                    Some(differences) => differences.rise(state, next),
                    // Of the committor and its complement the one that is small there keeps more digits.
                    None if paths.forward[next] < 0.5 => paths.forward[next] - paths.forward[state],
                    None => paths.backward[state] - paths.backward[next],
                };
                paths.stationary[state] * probability.probability(at) * rise
            } else {
                let (targets, gross) = paths.row(next);
                let back = targets.binary_search(&(state as u32)).map_or(0.0, |at| gross[at]);
                flux - back
            };
            net.push(value.max(0.0));
        }
    }
    Ok(net)
}

/// The committor's differences between all pairs of states.
struct Differences {
    /// Where each state of the chain stands in the order of elimination.
    place: Vec<usize>,
    n: usize,
    /// n x n: q of the row less q of the column.
    table: Vec<f64>,
}

impl Differences {
    fn new(chain: &MarkovChain, between: &[u32], source: &[bool], target: &[bool], control: &Control) -> Result<Self> {
        // Two states more: the source and the target as a whole, which are not left.
        let (inner, n) = (between.len(), between.len() + 2);
        let mut transitions = zeros(n * (n + 1))?;
        for (row, &state) in transitions.chunks_exact_mut(n + 1).zip(between) {
            for (next, probability) in chain.row(state).iter().filter(|&(next, _)| next != state) {
                let column = match between.binary_search(&next) {
                    Ok(number) => number,
                    Err(_) if source[next as usize] => inner,
                    Err(_) => inner + 1,
                };
                row[column] += probability;
            }
        }
        let graded = Graded::new(transitions, n, control)?;
        let mut table = zeros(n * n)?;
        let place_of = |number: usize| graded.order.iter().position(|&other| other == number).unwrap_or(0);
        let (a, b) = (place_of(inner), place_of(inner + 1));
        (table[a * n + b], table[b * n + a]) = (-1.0, 1.0);
        let mut row = vec![0.0; n];
        for k in (0..graded.rank()).rev() {
            control.check()?;
            row.fill(0.0);
            for m in k + 1..n {
                let weight = graded.right(k, m);
                if weight > 0.0 {
                    let from = &table[m * n + k + 1..(m + 1) * n];
                    row[k + 1..].iter_mut().zip(from).for_each(|(to, x)| *to += weight * x);
                }
            }
            for j in k + 1..n {
                (table[k * n + j], table[j * n + k]) = (row[j], -row[j]);
            }
        }
        let mut number = vec![usize::MAX; chain.n_states()];
        between.iter().enumerate().for_each(|(i, &state)| number[state as usize] = i);
        let mut places = vec![0; n];
        graded.order.iter().enumerate().for_each(|(place, &number)| places[number] = place);
        let place = (0..chain.n_states())
            .map(|state| match number[state] {
                usize::MAX if target[state] => b,
                usize::MAX => a,
                number => places[number],
            })
            .collect();
        Ok(Self { place, n, table })
    }

    /// q of `next` less q of `state`.
    fn rise(&self, state: usize, next: usize) -> f64 {
        self.table[self.place[next] * self.n + self.place[state]]
    }
}
