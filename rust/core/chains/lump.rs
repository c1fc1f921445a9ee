//! Coarse chains: blocks of states become states.

use super::matrix::{MarkovChain, Meaning, sum};
use crate::error::{Result, invalid};
use crate::memory::{room, zeros};
use crate::run::Control;

/// States between two looks at the stop flag.
const CHECKED: usize = 1 << 12;

/// How unequally the states of a block lead to another block.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Deviation {
    /// The probabilities of a transition to the block, from the state with the least and that with the greatest.
    pub low: f64,
    /// The greatest.
    pub high: f64,
    /// The state with the least probability.
    pub low_state: u32,
    /// The state with the greatest, in the same block.
    pub high_state: u32,
    /// The block that they lead to.
    pub block: u32,
}

impl Deviation {
    fn absolute(&self) -> f64 {
        self.high - self.low
    }

    /// The difference as a part of the greater probability.
    pub fn relative(&self) -> f64 {
        if self.high > 0.0 { self.absolute() / self.high } else { 0.0 }
    }
}

/// A chain of blocks.
#[derive(Debug)]
pub struct Lumped {
    /// Its states are the blocks.
    pub chain: MarkovChain,
    /// The largest difference in all.
    pub largest: Deviation,
    /// The largest as a part of the greater probability.
    pub largest_relative: Deviation,
}

/// What is known of the transitions from one block to another.
#[derive(Debug, Clone, Copy, Default)]
struct Cell {
    /// Number of the block they come from, plus 1.
    from: u32,
    flow: f64,
    deviation: Deviation,
    n_states: u32,
}

/// The chain of the `n_blocks` blocks that `labels` number: from A to B with the mean of `P(i, B)` over the states i of
/// A, weighted by `weights`, of any scale. Sums of the transitions between the two blocks alone: what is rare keeps its
/// digits. Cost: O(states + transitions); 60 bytes a block.
///
/// # Errors
/// [`Error::Invalid`](crate::Error::Invalid) for a label out of range, a block without states or without weight, and a
/// weight that is negative or not finite; [`Error::Memory`](crate::Error::Memory),
/// [`Error::Interrupted`](crate::Error::Interrupted).
pub fn lump(
    chain: &MarkovChain,
    labels: &[u32],
    n_blocks: usize,
    weights: &[f64],
    control: &Control,
) -> Result<Lumped> {
    let n_states = chain.n_states();
    let blocks = Blocks::new(labels, n_blocks, n_states)?;
    if weights.len() != n_states {
        return Err(invalid("weights", &[], weights.len(), format!("have an entry for each of the {n_states} states")));
    }
    if let Some(state) = weights.iter().position(|&weight| !(0.0..f64::INFINITY).contains(&weight)) {
        return Err(invalid("weights", &[state], weights[state], "be at least 0 and finite"));
    }
    let (mut indptr, mut indices, mut values) = (room(n_blocks + 1)?, Vec::new(), Vec::new());
    indptr.push(0);
    let mut cells: Vec<Cell> = zeros(n_blocks)?;
    let (mut parts, mut touched, mut mine) = (zeros::<f64>(n_blocks)?, Vec::new(), Vec::new());
    let (mut largest, mut largest_relative) = (Deviation::default(), Deviation::default());
    for block in 0..n_blocks {
        let states = blocks.states(block);
        let scale = states.iter().map(|&state| weights[state as usize]).fold(0.0, f64::max);
        if scale == 0.0 {
            let rule = format!("not all be 0 in block {block}: walks are never there, and no mean is defined");
            return Err(invalid("weights", &[], "", rule));
        }
        // Divided by the greatest, they neither vanish nor overflow.
        let whole = sum(states.iter().map(|&state| weights[state as usize] / scale));
        touched.clear();
        for (index, &state) in states.iter().enumerate() {
            if index % CHECKED == 0 {
                control.check()?;
            }
            let share = weights[state as usize] / scale / whole;
            mine.clear();
            for (target, probability) in chain.row(state).iter() {
                let to = labels[target as usize];
                if parts[to as usize] == 0.0 {
                    mine.push(to);
                }
                parts[to as usize] += probability;
            }
            for &to in &mine {
                let cell = &mut cells[to as usize];
                let part = std::mem::take(&mut parts[to as usize]);
                if cell.from != block as u32 + 1 {
                    let deviation = Deviation { low: part, high: part, low_state: state, high_state: state, block: to };
                    *cell = Cell { from: block as u32 + 1, flow: 0.0, deviation, n_states: 0 };
                    touched.push(to);
                }
                cell.flow += share * part;
                cell.n_states += 1;
                if part > cell.deviation.high {
                    (cell.deviation.high, cell.deviation.high_state) = (part, state);
                } else if part < cell.deviation.low {
                    (cell.deviation.low, cell.deviation.low_state) = (part, state);
                }
            }
        }
        touched.sort_unstable();
        for &to in &touched {
            let Cell { flow, mut deviation, n_states, .. } = cells[to as usize];
            indices.push(to);
            values.push(flow);
            if to as usize == block {
                continue;
            }
            if (n_states as usize) < states.len() {
                deviation.low = 0.0;
            }
            for (largest, size) in [
                (&mut largest, Deviation::absolute as fn(&Deviation) -> f64),
                (&mut largest_relative, Deviation::relative),
            ] {
                if size(&deviation) > size(largest) {
                    *largest = deviation;
                    if deviation.low == 0.0 {
                        largest.low_state = without(chain, labels, states, to);
                    }
                }
            }
        }
        indptr.push(values.len() as i64);
    }
    let chain = MarkovChain::from_csr(&indptr, &indices, Some(&values), Meaning::Probabilities, control)?;
    Ok(Lumped { chain, largest, largest_relative })
}

/// The first of `states` that does not lead to a block.
fn without(chain: &MarkovChain, labels: &[u32], states: &[u32], block: u32) -> u32 {
    let leads = |state: u32| chain.row(state).targets.iter().any(|&target| labels[target as usize] == block);
    states.iter().copied().find(|&state| !leads(state)).unwrap_or(states[0])
}

/// The states of each block.
struct Blocks {
    begins: Vec<usize>,
    states: Vec<u32>,
}

impl Blocks {
    fn new(labels: &[u32], n_blocks: usize, n_states: usize) -> Result<Self> {
        if labels.len() != n_states {
            return Err(invalid(
                "labels",
                &[],
                labels.len(),
                format!("have an entry for each of the {n_states} states"),
            ));
        }
        let mut begins: Vec<usize> = zeros(n_blocks + 2)?;
        for (state, &label) in labels.iter().enumerate() {
            if label as usize >= n_blocks {
                return Err(invalid("labels", &[state], label, format!("be below the number of blocks, {n_blocks}")));
            }
            begins[label as usize + 2] += 1;
        }
        if let Some(missing) = begins.iter().skip(2).position(|&n| n == 0) {
            let rule = format!("number the blocks from 0 without a gap: no state has the label {missing}");
            return Err(invalid("labels", &[], "", rule));
        }
        for block in 2..begins.len() {
            begins[block] += begins[block - 1];
        }
        let mut states: Vec<u32> = zeros(n_states)?;
        for (state, &label) in labels.iter().enumerate() {
            states[begins[label as usize + 1]] = state as u32;
            begins[label as usize + 1] += 1;
        }
        Ok(Self { begins, states })
    }

    fn states(&self, block: usize) -> &[u32] {
        &self.states[self.begins[block]..self.begins[block + 1]]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rare_transitions_between_blocks_keep_their_digits() {
        let (indptr, indices) = ([0, 3, 5, 8], [0u32, 1, 2, 0, 1, 0, 1, 2]);
        let values = [0.5, 0.5, 2e-100, 0.5, 0.5, 1e-50, 1e-50, 1.0];
        let control = Control::default();
        let chain = MarkovChain::from_csr(&indptr, &indices, Some(&values), Meaning::Probabilities, &control).unwrap();
        let lumped = lump(&chain, &[0, 0, 1], 2, &[1e-310, 3e-310, 0.5], &control).unwrap();
        let out = lumped.chain.row(0);
        assert!((out.probabilities[1] / 0.5e-100 - 1.0).abs() < 1e-12, "{out:?}");
        assert_eq!(lumped.chain.row(1).probabilities, [2e-50, 1.0]);
        let expected = Deviation { low: 0.0, high: 2e-100, low_state: 1, high_state: 0, block: 1 };
        assert_eq!((lumped.largest, lumped.largest_relative), (expected, expected));
    }

    #[test]
    fn blocks_must_be_numbered_and_weighted() {
        let control = Control::default();
        let chain = MarkovChain::from_csr(&[0, 1, 2], &[1u32, 0], None, Meaning::Probabilities, &control).unwrap();
        let text =
            |labels: &[u32], n, weights: &[f64]| lump(&chain, labels, n, weights, &control).unwrap_err().to_string();
        assert!(text(&[0, 2], 3, &[1.0, 1.0]).contains("no state has the label 1"));
        assert!(text(&[0, 1], 2, &[1.0, 0.0]).contains("weights must not all be 0 in block 1"));
        assert!(text(&[0, 1], 2, &[1.0, -1.0]).contains("weights[1] must be at least 0"));
    }
}
