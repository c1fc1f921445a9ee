//! What is told of leaves, as a journal holds it.

use super::persist::{Input, Persist, variants};
use super::tell::{PerLeaf, Priors, Told};
use crate::error::Result;

/// Writes a column behind its length.
pub(super) fn put_column<T: Persist>(column: &[T], out: &mut Vec<u8>) {
    column.len().put(out);
    T::put_all(column, out);
}

/// What was told of leaves, as it is read.
enum Column<T> {
    None,
    All(T),
    Each(Vec<T>),
}
variants!(Column<f64> { 0 => None, 1 => All(value), 2 => Each(values) });
variants!(Column<i64> { 0 => None, 1 => All(value), 2 => Each(values) });
variants!(Column<bool> { 0 => None, 1 => All(value), 2 => Each(values) });
variants!(Column<u8> { 0 => None, 1 => All(value), 2 => Each(values) });

impl<T: Copy> Column<T> {
    fn lend(&self) -> PerLeaf<'_, T> {
        match self {
            Self::None => PerLeaf::None,
            Self::All(value) => PerLeaf::All(*value),
            Self::Each(values) => PerLeaf::Each(values),
        }
    }
}

fn put_each<T: Persist>(each: &PerLeaf<'_, T>, out: &mut Vec<u8>) {
    match each {
        PerLeaf::None => out.push(0),
        PerLeaf::All(value) => {
            out.push(1);
            value.put(out);
        }
        PerLeaf::Each(values) => {
            out.push(2);
            put_column(values, out);
        }
    }
}

/// Prior probabilities, as they are read.
enum KeptPriors {
    None,
    Rows(Vec<f32>, usize),
    Flat(Vec<f32>),
}
variants!(KeptPriors { 0 => None, 1 => Rows(priors, width), 2 => Flat(priors) });

impl Told<'_> {
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        let Self { values, rewards, n_children, terminal, players, costs, priors, payloads, keys: _ } = self; // no forest with keys keeps a journal
        put_each(values, out);
        put_each(rewards, out);
        put_each(n_children, out);
        put_each(terminal, out);
        put_each(players, out);
        put_each(costs, out);
        match priors {
            Priors::None => out.push(0),
            Priors::Rows(priors, width) => {
                out.push(1);
                put_column(priors, out);
                width.put(out);
            }
            Priors::Flat(priors) => {
                out.push(2);
                put_column(priors, out);
            }
        }
        payloads.len().put(out);
        for text in *payloads {
            text.map(str::to_owned).put(out);
        }
    }
}

/// Reads what [`Told::put`] wrote.
pub(super) fn with_told(input: &mut Input<'_>, tell: impl FnOnce(&Told<'_>) -> Result<usize>) -> Result<usize> {
    let (values, rewards): (Column<f64>, Column<f64>) = Persist::take(input)?;
    let (n_children, terminal): (Column<i64>, Column<bool>) = Persist::take(input)?;
    let (players, costs): (Column<u8>, Column<f64>) = Persist::take(input)?;
    let priors = KeptPriors::take(input)?;
    let payloads: Vec<Option<String>> = Persist::take(input)?;
    let payloads: Vec<Option<&str>> = payloads.iter().map(Option::as_deref).collect();
    tell(&Told {
        values: values.lend(),
        rewards: rewards.lend(),
        n_children: n_children.lend(),
        terminal: terminal.lend(),
        players: players.lend(),
        keys: PerLeaf::None,
        costs: costs.lend(),
        priors: match &priors {
            KeptPriors::None => Priors::None,
            KeptPriors::Rows(priors, width) => Priors::Rows(priors, *width),
            KeptPriors::Flat(priors) => Priors::Flat(priors),
        },
        payloads: &payloads,
    })
}
