//! Times to the states of a recurrent class, from its own states and from the transient ones that end nowhere else.

use super::certain::{Certain, NONE};
use super::number::Number;
use super::pairs::{Network, all_pairs, eliminate, substitute, table, work};
use super::product::Panel;
use crate::chains::matrix::MarkovChain;
use crate::error::Result;
use crate::memory::room;
use crate::run::Control;

/// A recurrent class and the transient states from which it is certain.
pub(super) struct Class<'a> {
    chain: &'a MarkovChain,
    /// The states of the class, and after them the transient ones.
    pub states: Vec<u32>,
    n_targets: usize,
    /// Where each state of the chain stands among `states`.
    place: Vec<u32>,
}

impl<'a> Class<'a> {
    /// The class with this number.
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory), [`Error::Interrupted`](crate::Error::Interrupted).
    pub(super) fn new(chain: &'a MarkovChain, certain: &Certain, number: usize, control: &Control) -> Result<Self> {
        let mut states = certain.classes[number].clone();
        let n_targets = states.len();
        let mut place = room(chain.n_states())?;
        place.resize(chain.n_states(), NONE);
        (0..).zip(&states).for_each(|(at, &state)| place[state as usize] = at);
        // A walk from a transient state ends in the class if its parent is in it, or one from there does.
        for &state in &certain.transient {
            if place.get(certain.parent[state as usize] as usize).is_some_and(|&at| at != NONE) {
                place[state as usize] = states.len() as u32;
                states.push(state);
            }
        }
        control.check()?;
        Ok(Self { chain, states, n_targets, place })
    }

    /// Leaves the transient states out.
    pub(super) fn alone(mut self) -> Self {
        self.states.truncate(self.n_targets);
        self
    }

    /// Number of states of the class.
    pub(super) const fn n_targets(&self) -> usize {
        self.n_targets
    }

    /// Fills `times`, a row for each of the states and a column for each of the class, with the mean first passage
    /// times; those of the first return on the diagonal with `returns`, else 0.
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory), [`Error::Interrupted`](crate::Error::Interrupted).
    pub(super) fn fill<T: Number>(&self, returns: bool, times: &mut [T], control: &Control) -> Result<()> {
        let (n_targets, n) = (self.n_targets, self.states.len());
        let n_before = n - n_targets;
        let table_work = if n_before > 0 { (n_before + n) as u64 * (n as u64).pow(2) } else { 0 };
        control.expect(work(n_targets) + table_work);
        let network = self.network(&self.states[..n_targets], 0, control)?;
        all_pairs(&network, times, control)?;
        if n_before > 0 {
            let before: Network<T> = self.network(&self.states[n_targets..], n_before, control)?;
            let (mut table, mut panel) = (table(&before, n, control)?, Panel::default());
            eliminate(&mut table, n, n_before, &mut panel, control)?;
            substitute(&table, n, n_targets..n, 0..n_targets, times, n_targets, &mut panel, control)?;
        }
        if returns {
            for state in 0..n_targets {
                control.check()?;
                let row = network.begins[state]..network.begins[state + 1];
                let steps = network.targets[row.clone()].iter().zip(&network.values[row]);
                let after = steps.map(|(&target, &p)| T::from(p) * times[target as usize * n_targets + state]);
                times[state * n_targets + state] = after.fold(T::from(1.0), |sum, time| sum + time);
            }
        }
        Ok(())
    }

    /// The transitions out of `rows`, some of the states, counted such that the states of the class come after
    /// `n_before` others.
    fn network<T: Number>(&self, rows: &[u32], n_before: usize, control: &Control) -> Result<Network<T>> {
        let n_transitions = rows.iter().map(|&state| self.chain.span(state).1).sum();
        let (mut begins, mut costs) = (room(rows.len() + 1)?, room(rows.len())?);
        let (mut targets, mut values) = (room(n_transitions)?, room(n_transitions)?);
        begins.push(0);
        for &state in rows {
            control.check()?;
            for (target, probability) in self.chain.row(state).iter().filter(|&(target, _)| target != state) {
                let place = self.place[target as usize] as usize;
                targets.push(if place < self.n_targets { place + n_before } else { place - self.n_targets } as u32);
                values.push(probability);
            }
            begins.push(targets.len());
            costs.push(T::from(1.0));
        }
        Ok(Network { begins, targets, values, costs })
    }
}
