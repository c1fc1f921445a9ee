//! The mean times between all pairs of states of a set that is never left: divide and conquer.
//!
//! The states are divided into two halves A and B. With A eliminated, B is a system of its own, whose states take longer:
//! the time spent in A is part of theirs. Its times between all pairs follow in the same way, and from them those from A
//! to B, by substitution into the rows of A. The same with A and B exchanged gives the rest: two thirds of the
//! multiplications of one half are spent at the first division, and 23/18 n^3 in all.
//!
//! No number is ever subtracted, hence each time has all its digits.

use super::number::Number;
use super::product::{Combine, DEPTH, Panel, add_product, sum};
use crate::error::{Error, Result};
use crate::machine::{Kernel, huge_vec, widest};
use crate::run::Control;
use std::ops::Range;

/// Rows between two looks at the stop flag.
const CHECKED: usize = 64;

/// The transitions out of some states, and the mean time that each takes until its next transition to another state.
pub(super) struct Network<T> {
    /// Where the row of each state begins; one more than there are rows.
    pub begins: Vec<usize>,
    /// States that transitions lead to, never that of the row. Those after the last row have none of their own.
    pub targets: Vec<u32>,
    /// Probabilities of the transitions.
    pub values: Vec<f64>,
    /// What a step from each state costs: 1 where time is counted in steps.
    pub costs: Vec<T>,
}

impl<T: Number> Network<T> {
    pub(super) fn n_rows(&self) -> usize {
        self.costs.len()
    }

    /// Fills a table of `n` columns and the costs, in which state s is at `place(s)`.
    fn load(&self, n: usize, place: impl Fn(usize) -> usize, table: &mut [T], control: &Control) -> Result<()> {
        for state in 0..self.n_rows() {
            if state % CHECKED == 0 {
                control.check()?;
            }
            let at = place(state) * (n + 1);
            let row = &mut table[at..=at + n];
            row.fill(T::default());
            for at in self.begins[state]..self.begins[state + 1] {
                row[place(self.targets[at] as usize)] = self.values[at].into();
            }
            row[n] = self.costs[state];
        }
        Ok(())
    }
}

/// Multiplications that [`all_pairs`] reports as done, about: three m^3 for each division of m states.
pub(super) fn work(n: usize) -> u64 {
    if n < 2 { 0 } else { 3 * (n as u64).pow(3) + work(n / 2) + work(n - n / 2) }
}

/// Numbers that [`all_pairs`] works with.
pub(super) fn workspace(n: usize) -> usize {
    if n < 2 { 0 } else { n * (n + 1) + workspace(n - n / 2) }
}

/// Fills the first n rows of `times`, of n columns, with the mean times between the n states of `network`, which lead to
/// each other and nowhere else.
///
/// # Errors
/// [`Error::Memory`], [`Error::Interrupted`].
pub(super) fn all_pairs<T: Number>(network: &Network<T>, times: &mut [T], control: &Control) -> Result<()> {
    let n = network.n_rows();
    let mut tables = zeros(workspace(n), control)?;
    divide(&Source::Network(network), 0..n, times, n, &mut tables, &mut Panel::default(), control)
}

/// Where the transitions among some states are read.
enum Source<'a, T> {
    Network(&'a Network<T>),
    /// A table of the first `.1` columns and the costs, of which the states are the last.
    Table(&'a [T], usize),
}

impl<T: Number> Source<'_, T> {
    /// Fills `table` with the transitions among `n` states, the first `shift` of them moved to the end.
    fn load(&self, n: usize, shift: usize, table: &mut [T], control: &Control) -> Result<()> {
        let place = |state: usize| if state < shift { n - shift + state } else { state - shift };
        let (from, columns) = match *self {
            Self::Network(network) => return network.load(n, place, table, control),
            Self::Table(from, columns) => (from, columns),
        };
        let first = columns - n;
        for (state, row) in from.chunks_exact(columns + 1).skip(first).enumerate() {
            if state % CHECKED == 0 {
                control.check()?;
            }
            let to = &mut table[place(state) * (n + 1)..][..=n];
            to[..n - shift].copy_from_slice(&row[first + shift..columns]);
            to[n - shift..n].copy_from_slice(&row[first..first + shift]);
            to[n] = row[columns];
        }
        Ok(())
    }
}

/// The times between all pairs of `states`, rows and columns of `times`.
fn divide<T: Number>(
    source: &Source<T>,
    states: Range<usize>,
    times: &mut [T],
    width: usize,
    tables: &mut [T],
    panel: &mut Panel<T>,
    control: &Control,
) -> Result<()> {
    let n = states.len();
    if n < 2 {
        states.for_each(|state| times[state * width + state] = T::default());
        return Ok(());
    }
    let (table, deeper) = tables.split_at_mut(n * (n + 1));
    let middle = states.start + n / 2;
    for exchanged in [false, true] {
        let (first, second) = (states.start..middle, middle..states.end);
        let (gone, rest) = if exchanged { (second, first) } else { (first, second) };
        source.load(n, if exchanged { n / 2 } else { 0 }, table, control)?;
        eliminate(table, n, gone.len(), panel, control)?;
        divide(&Source::Table(table, n), rest.clone(), times, width, deeper, panel, control)?;
        substitute(table, n, gone, rest, times, width, panel, control)?;
    }
    Ok(())
}

/// Eliminates the first `n_gone` states of a table of `n` columns and costs. The rows of those that are gone then hold,
/// right of the diagonal, the probabilities of the next state among those that remained, and the mean time until then;
/// the rows after them, if the table has any, the system without the states that are gone. What stands on the diagonal or left
/// of it means nothing.
pub(super) fn eliminate<T: Number>(
    table: &mut [T],
    n: usize,
    n_gone: usize,
    panel: &mut Panel<T>,
    control: &Control,
) -> Result<()> {
    let width = n + 1;
    let mut triangle = vec![T::default(); DEPTH * DEPTH];
    for first in (0..n_gone).step_by(DEPTH) {
        control.check()?;
        let depth = DEPTH.min(n_gone - first);
        let (before, after) = table.split_at_mut((first + depth) * width);
        let pivots = &mut before[first * width..];
        widest(Pivots { rows: pivots, first, n });
        for (to, row) in triangle.chunks_exact_mut(DEPTH).zip(pivots.chunks_exact(width)) {
            to[..depth].copy_from_slice(&row[first..first + depth]);
        }
        panel.take(pivots, width, first + depth..width);
        let factors = |_, row: &[T], to: &mut [T; DEPTH]| to[..depth].copy_from_slice(&row[first..first + depth]);
        add_product(after, width, panel, factors, Some(&triangle), control)?;
        control.advance((depth * n * n) as u64);
    }
    Ok(())
}

/// Fills the rows `gone` of `times` (`width` columns), at the columns `rest`, from the rows `rest` and the table in which
/// [`eliminate`] has gone through the first states.
#[allow(clippy::too_many_arguments)] // what is read, what is written, and where
pub(super) fn substitute<T: Number>(
    table: &[T],
    n: usize,
    gone: Range<usize>,
    rest: Range<usize>,
    times: &mut [T],
    width: usize,
    panel: &mut Panel<T>,
    control: &Control,
) -> Result<()> {
    let from = |row: usize| &table[row * (n + 1)..(row + 1) * (n + 1)];
    let n_gone = gone.len();
    for (row, to) in times.chunks_exact_mut(width).skip(gone.start).take(n_gone).enumerate() {
        to[rest.clone()].fill(from(row)[n]);
    }
    for first in (0..rest.len()).step_by(DEPTH) {
        let depth = DEPTH.min(rest.len() - first);
        let known = rest.start + first;
        panel.take(&times[known * width..(known + depth) * width], width, rest.clone());
        let at = n_gone + first;
        let factors = |row, _: &[T], to: &mut [T; DEPTH]| to[..depth].copy_from_slice(&from(row)[at..at + depth]);
        add_product(&mut times[gone.start * width..gone.end * width], width, panel, factors, None, control)?;
        control.advance((depth * n * n) as u64);
    }
    for first in (0..n_gone).step_by(DEPTH).rev() {
        let depth = DEPTH.min(n_gone - first);
        let (above, rows) = times[gone.start * width..(gone.start + first + depth) * width].split_at_mut(first * width);
        for k in (0..depth.saturating_sub(1)).rev() {
            let (row, below) = rows[k * width..].split_at_mut(width);
            let factors = &from(first + k)[first + k + 1..first + depth];
            widest(Combine { to: &mut row[rest.clone()], factors, rows: &below[rest.start..], width });
        }
        panel.take(rows, width, rest.clone());
        let factors = |row, _: &[T], to: &mut [T; DEPTH]| to[..depth].copy_from_slice(&from(row)[first..first + depth]);
        add_product(above, width, panel, factors, None, control)?;
        control.advance((depth * n * n) as u64);
    }
    Ok(())
}

/// The elimination of a few states among themselves: the first of `rows` is the state `first` of `n`.
struct Pivots<'a, T> {
    rows: &'a mut [T],
    first: usize,
    n: usize,
}

impl<T: Number> Kernel for Pivots<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { rows, first, n } = self;
        let width = n + 1;
        let end = first + rows.len() / width;
        let mut factors = [T::default(); DEPTH];
        for k in 0..end - first {
            let (before, row) = rows[..(k + 1) * width].split_at_mut(k * width);
            for i in 0..k {
                let factor = row[first + i];
                factors[i] = factor;
                let (to, pivot) = (&mut row[first + i + 1..end], &before[i * width + first + i + 1..i * width + end]);
                for j in 0..to.len() {
                    to[j] = to[j] + factor * pivot[j];
                }
            }
            if k > 0 {
                Combine { to: &mut row[end..], factors: &factors[..k], rows: &before[end..], width }.run();
            }
            let leave = sum(&row[first + k + 1..n]);
            let row = &mut row[first + k + 1..];
            // Not an iterator: what those call is not inlined into the forms for wider registers.
            #[allow(clippy::needless_range_loop)]
            for j in 0..row.len() {
                row[j] = row[j] / leave;
            }
        }
    }
}

/// The table of `network` with `n` columns and costs.
pub(super) fn table<T: Number>(network: &Network<T>, n: usize, control: &Control) -> Result<Vec<T>> {
    let size = network.n_rows().checked_mul(n + 1).ok_or(Error::Memory(usize::MAX))?;
    let mut table = zeros(size, control)?;
    network.load(n, |state| state, &mut table, control)?;
    Ok(table)
}

/// `n` zeros.
pub(super) fn zeros<T: Number>(n: usize, control: &Control) -> Result<Vec<T>> {
    let mut out: Vec<T> = huge_vec(n)?;
    while out.len() < n {
        control.check()?;
        out.resize(n.min(out.len() + (1 << 20)), T::default());
    }
    Ok(out)
}
