//! What the transitions of a chain tell without their probabilities: which states reach each other, which are never
//! left, and at what multiples of a period they return.

use super::connected::chain_components;
use super::matrix::MarkovChain;
use crate::error::Result;
use crate::machine::huge_vec;
use crate::memory::{room, zeros};
use crate::run::Control;

/// States between two looks at the stop flag.
const CHECKED: usize = 1 << 14;

/// The communicating classes of a chain: states that reach each other. They are numbered by their least state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Classes {
    /// The class of each state.
    pub labels: Vec<u32>,
    /// The states, class after class, ascending within each.
    pub states: Vec<u32>,
    /// Where each class begins among `states`; one more than there are classes.
    pub begins: Vec<i64>,
    /// Whether no transition leaves the class.
    pub recurrent: Vec<bool>,
}

impl Classes {
    /// The classes of `chain`: O(states + transitions).
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory), [`Error::Interrupted`](crate::Error::Interrupted).
    pub fn new(chain: &MarkovChain, control: &Control) -> Result<Self> {
        const NONE: u32 = u32::MAX;
        let n_states = chain.n_states();
        let mut labels = chain_components(chain, control)?;
        let mut numbers: Vec<u32> = room(n_states)?;
        numbers.resize(n_states, NONE);
        let mut sizes: Vec<i64> = Vec::new();
        for label in &mut labels {
            let number = &mut numbers[*label as usize];
            if *number == NONE {
                *number = sizes.len() as u32;
                sizes.push(0);
            }
            *label = *number;
            sizes[*label as usize] += 1;
        }
        drop(numbers);
        let mut begins = sizes;
        begins.push(0);
        let mut total = 0;
        for begin in &mut begins {
            (*begin, total) = (total, total + *begin);
        }
        let mut recurrent = room(begins.len())?;
        recurrent.resize(begins.len() - 1, true);
        let mut states: Vec<u32> = zeros(n_states)?;
        for (state, &label) in labels.iter().enumerate() {
            if state % CHECKED == 0 {
                control.check()?;
            }
            // Until all are placed, a class begins where its next state goes.
            states[begins[label as usize] as usize] = state as u32;
            begins[label as usize] += 1;
            if recurrent[label as usize] {
                let targets = chain.row(state as u32).targets;
                recurrent[label as usize] = targets.iter().all(|&target| labels[target as usize] == label);
            }
        }
        begins.rotate_right(1);
        begins[0] = 0;
        Ok(Self { labels, states, begins, recurrent })
    }

    /// Number of classes.
    pub fn n_classes(&self) -> usize {
        self.recurrent.len()
    }

    /// The states of a class, ascending.
    ///
    /// # Panics
    /// If there is no such class.
    pub fn class(&self, number: usize) -> &[u32] {
        &self.states[self.begins[number] as usize..self.begins[number + 1] as usize]
    }

    /// The period of each class, the greatest common divisor of the lengths of all ways from a state back to itself; 0
    /// for a state to which no way leads back.
    ///
    /// It is that of the numbers `depth(i) + 1 - depth(j)` over the transitions i -> j within the class, where depth is the
    /// length of any way from its first state (Denardo, Math. Oper. Res. 2, 1977): O(states + transitions).
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory), [`Error::Interrupted`](crate::Error::Interrupted).
    ///
    /// # Panics
    /// If they are the classes of another chain.
    pub fn periods(&self, chain: &MarkovChain, control: &Control) -> Result<Vec<i64>> {
        const FAR: u32 = u32::MAX;
        let mut depths = huge_vec(chain.n_states())?;
        depths.resize(chain.n_states(), FAR);
        let mut queue: Vec<u32> = Vec::new();
        let mut periods = room(self.n_classes())?;
        for number in 0..self.n_classes() {
            let first = self.class(number)[0];
            let mut period = 0;
            depths[first as usize] = 0;
            queue.clear();
            queue.push(first);
            let mut head = 0;
            // Often a few states settle that it is 1.
            while let (Some(&state), true) = (queue.get(head), period != 1) {
                head += 1;
                control.check()?;
                let after = depths[state as usize] + 1;
                for &target in chain.row(state).targets {
                    if self.labels[target as usize] as usize != number {
                        continue;
                    }
                    let depth = &mut depths[target as usize];
                    if *depth == FAR {
                        *depth = after;
                        queue.push(target);
                    } else {
                        period = divisor(period, after.abs_diff(*depth));
                    }
                }
            }
            periods.push(i64::from(period));
        }
        Ok(periods)
    }
}

/// The greatest common divisor; that of 0 and `b` is `b`.
fn divisor(mut a: u32, mut b: u32) -> u32 {
    while b > 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chains::matrix::Dangling;
    use crate::chains::matrix::Edges;

    fn chain(edges: &[(u32, u32)]) -> MarkovChain {
        let (source, target): (Vec<u32>, Vec<u32>) = edges.iter().copied().unzip();
        let edges = Edges { source: &source, target: &target, weight: None, directed: true };
        MarkovChain::from_edges(edges, None, Dangling::Error, &Control::default()).unwrap()
    }

    #[test]
    fn classes_are_numbered_by_their_least_state() {
        // 0 leads to the pair 1, 3 and to 2, which stays; 4 and 5 to and fro, with a way out.
        let chain = chain(&[(0, 1), (0, 2), (1, 3), (3, 1), (2, 2), (4, 5), (5, 4), (5, 0)]);
        let control = Control::default();
        let classes = Classes::new(&chain, &control).unwrap();
        assert_eq!(classes.labels, [0, 1, 2, 1, 3, 3]);
        assert_eq!(classes.states, [0, 1, 3, 2, 4, 5]);
        assert_eq!(classes.begins, [0, 1, 3, 4, 6]);
        assert_eq!(classes.recurrent, [false, true, true, false]);
        assert_eq!(classes.periods(&chain, &control).unwrap(), [0, 2, 1, 2]);
    }

    #[test]
    fn two_circuits_have_the_period_that_divides_both() {
        // Circuits of 6 and 4 steps through state 0.
        let edges = [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (5, 0), (0, 6), (6, 7), (7, 8), (8, 0)];
        let control = Control::default();
        let classes = Classes::new(&chain(&edges), &control).unwrap();
        assert_eq!(classes.periods(&chain(&edges), &control).unwrap(), [2]);
    }
}
