//! A Markov chain in compressed sparse rows: checked once when it is made, and trusted from then on.

use super::alias::{self, Slot, Tables};
use crate::error::{Error, Result, invalid};
use crate::machine::huge_vec;
use crate::rows::Rows;
use crate::run::Control;
use std::fmt::Display;
use std::sync::OnceLock;

/// Bits of a header that hold the number of transitions of a row; the other 40 hold where they begin.
const DEGREE_BITS: u32 = 24;

/// Degree in the header of a row whose true degree does not fit: it stands in a table of its own.
const LONG: u64 = 0;

/// How far from 1 the sum of a row of probabilities may be.
const TOLERANCE: f64 = 1e-9;

/// A weight this much below the sum of its row would become a probability with fewer digits than it has, or none.
const LEAST_SHARE: f64 = 1e-300;

/// A chain of `n_states` states. Every state has at least one transition, rows are sorted and without duplicates,
/// and no transition has probability zero.
///
/// Takes 8 bytes a state and 4 a transition; 12 a transition where some row has unequal probabilities, and 28 once
/// walks have asked for their [`Tables`].
#[derive(Debug)]
pub struct MarkovChain {
    /// Where the row begins, and its length: one 8-byte read tells a walk all it needs.
    headers: Vec<u64>,
    targets: Vec<u32>,
    /// One for each transition; empty where each row is uniform.
    probabilities: Vec<f64>,
    /// Length of the rows that are marked [`LONG`], by state.
    long: Vec<(u32, u64)>,
    slots: OnceLock<Vec<Slot>>,
}

/// What a row without any transition becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dangling {
    /// An error that names it.
    Error,
    /// A state that is never left.
    Absorb,
}

/// What the numbers of a row mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// Probabilities: each row sums to 1 within 1e-9, and they are kept as they are.
    Probabilities,
    /// Weights: divided by the sum of their row.
    Weights(Dangling),
}

impl Meaning {
    /// The argument by which the caller knows the numbers.
    const fn argument(self) -> &'static str {
        match self {
            Self::Probabilities => "transition_matrix",
            Self::Weights(_) => "weights",
        }
    }
}

/// The transitions out of one state.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    /// Where they lead, ascending.
    pub targets: &'a [u32],
    /// Their probabilities; empty where all are equal.
    pub probabilities: &'a [f64],
}

impl Row<'_> {
    /// The probability of the transition number `index` of this row.
    #[inline]
    pub fn probability(&self, index: usize) -> f64 {
        self.probabilities.get(index).copied().unwrap_or_else(|| 1.0 / self.targets.len() as f64)
    }

    /// The pairs of target and probability.
    pub fn iter(&self) -> impl Iterator<Item = (u32, f64)> + '_ {
        self.targets.iter().enumerate().map(|(index, &target)| (target, self.probability(index)))
    }
}

impl MarkovChain {
    /// A chain from compressed sparse rows: row `i` has the targets `indices[indptr[i]..indptr[i + 1]]` and the numbers
    /// at the same places of `values`, or equal ones where that is `None`. Rows need not be sorted, duplicates add up,
    /// zeros are left out. Cost: O(transitions), one thread.
    ///
    /// # Errors
    /// [`Error::Invalid`] with the row and column of a negative, infinite or NaN number, of a target that is no state,
    /// of a row with the wrong sum; [`Error::Memory`]; [`Error::Interrupted`].
    pub fn from_csr<I: Copy + TryInto<u32> + Display>(
        indptr: &[i64],
        indices: &[I],
        values: Option<&[f64]>,
        meaning: Meaning,
        control: &Control,
    ) -> Result<Self> {
        check_layout(indptr, indices.len(), values.map(<[f64]>::len))?;
        let n_states = indptr.len() - 1;
        let mut builder = Builder::new(n_states, indices.len(), meaning, control)?;
        for row in 0..n_states {
            for entry in indptr[row] as usize..indptr[row + 1] as usize {
                let target = indices[entry].try_into().ok().filter(|&target| (target as usize) < n_states);
                let Some(target) = target else {
                    let rule = format!("be at least 0 and below the number of states, {n_states}");
                    return Err(invalid("indices", &[entry], indices[entry], rule));
                };
                builder.add(target, values.map_or(1.0, |values| values[entry]))?;
            }
            builder.end_row()?;
        }
        Ok(builder.finish())
    }

    /// A chain from a square matrix. Cost: O(states squared), one thread.
    ///
    /// # Errors
    /// As [`from_csr`](Self::from_csr), and for a matrix that is not square.
    pub fn from_dense(matrix: &dyn Rows<f64>, meaning: Meaning, control: &Control) -> Result<Self> {
        let n_states = matrix.n_rows();
        if matrix.n_columns() != n_states || n_states == 0 {
            let shape = format!("{n_states} x {}", matrix.n_columns());
            return Err(invalid(meaning.argument(), &[], shape, "be a square matrix of at least one row"));
        }
        let mut builder = Builder::new(n_states, n_states, meaning, control)?;
        let mut values = vec![0.0; n_states];
        for row in 0..n_states {
            matrix.read(row, &mut values);
            for (target, &value) in values.iter().enumerate() {
                builder.add(target as u32, value)?;
            }
            builder.end_row()?;
        }
        Ok(builder.finish())
    }

    /// Number of states.
    pub fn n_states(&self) -> usize {
        self.headers.len()
    }

    /// Number of transitions of positive probability.
    pub fn n_transitions(&self) -> usize {
        self.targets.len()
    }

    /// Whether each row has equal probabilities: no others are stored then.
    pub fn is_uniform(&self) -> bool {
        self.probabilities.is_empty()
    }

    /// The transitions out of `state`.
    ///
    /// # Panics
    /// If there is no such state.
    #[inline]
    pub fn row(&self, state: u32) -> Row<'_> {
        let (begin, degree) = self.span(state);
        let range = begin..begin + degree;
        let probabilities = if self.is_uniform() { &[] } else { &self.probabilities[range.clone()] };
        Row { targets: &self.targets[range], probabilities }
    }

    /// All targets, row after row.
    pub fn targets(&self) -> &[u32] {
        &self.targets
    }

    /// All probabilities, in the order of [`targets`](Self::targets); `None` where each row is uniform.
    pub fn probabilities(&self) -> Option<&[f64]> {
        (!self.is_uniform()).then_some(&self.probabilities)
    }

    /// Where the row of `state` begins among the targets, and its length.
    #[inline]
    pub fn span(&self, state: u32) -> (usize, usize) {
        let header = self.headers[state as usize];
        let degree = header & ((1 << DEGREE_BITS) - 1);
        let degree = if degree == LONG { self.long_degree(state) } else { degree };
        ((header >> DEGREE_BITS) as usize, degree as usize)
    }

    #[cold]
    fn long_degree(&self, state: u32) -> u64 {
        let found = self.long.binary_search_by_key(&state, |&(state, _)| state);
        found.map_or(1, |index| self.long[index].1)
    }

    /// Fills `indptr`, one number for each state and one more, and `probabilities`, one for each transition.
    ///
    /// # Errors
    /// [`Error::Interrupted`].
    ///
    /// # Panics
    /// If one of them has another length.
    pub fn export(
        &self,
        indptr: Option<&mut [i64]>,
        probabilities: Option<&mut [f64]>,
        control: &Control,
    ) -> Result<()> {
        if let Some(indptr) = indptr {
            assert_eq!(indptr.len(), self.n_states() + 1, "indptr has one element more than there are states");
            for (state, to) in indptr.iter_mut().take(self.n_states()).enumerate() {
                *to = (self.headers[state] >> DEGREE_BITS) as i64;
            }
            indptr[self.n_states()] = self.n_transitions() as i64;
        }
        control.check()?;
        match probabilities {
            Some(probabilities) if self.is_uniform() => {
                assert_eq!(probabilities.len(), self.n_transitions(), "one probability for each transition");
                for state in 0..self.n_states() {
                    let (begin, degree) = self.span(state as u32);
                    probabilities[begin..begin + degree].fill(1.0 / degree as f64);
                }
            }
            Some(probabilities) => probabilities.copy_from_slice(&self.probabilities),
            None => {}
        }
        control.check()
    }

    /// Bytes that the chain takes, tables included where they were made.
    pub fn bytes(&self) -> usize {
        let slots = self.slots.get().map_or(0, Vec::len);
        8 * self.headers.len() + 4 * self.targets.len() + 8 * self.probabilities.len() + 16 * slots
    }

    /// The tables from which walks draw, made at the first call: O(transitions).
    ///
    /// # Errors
    /// [`Error::Memory`], [`Error::Interrupted`].
    pub fn tables(&self, control: &Control) -> Result<Tables<'_>> {
        let slots = if self.is_uniform() {
            None
        } else if let Some(slots) = self.slots.get() {
            Some(&slots[..])
        } else {
            let made = alias::slots(self, control)?;
            Some(&self.slots.get_or_init(|| made)[..])
        };
        Ok(Tables::new(self, slots))
    }

    pub(super) fn headers(&self) -> &[u64] {
        &self.headers
    }
}

/// Refuses row pointers that do not describe the other two arrays.
fn check_layout(indptr: &[i64], n_indices: usize, n_values: Option<usize>) -> Result<()> {
    if indptr.len() < 2 {
        return Err(invalid(
            "indptr",
            &[],
            indptr.len(),
            "have one element more than there are states, of which at least one",
        ));
    }
    if indptr.len() - 1 > u32::MAX as usize {
        return Err(invalid("indptr", &[], indptr.len(), "describe at most 4,294,967,295 states"));
    }
    if indptr[0] != 0 {
        return Err(invalid("indptr", &[0], indptr[0], "be 0"));
    }
    if let Some(row) = indptr.windows(2).position(|pair| pair[1] < pair[0]) {
        return Err(invalid(
            "indptr",
            &[row + 1],
            indptr[row + 1],
            format!("be at least indptr[{row}] = {}", indptr[row]),
        ));
    }
    let last = indptr.len() - 1;
    if indptr[last] != n_indices as i64 {
        return Err(invalid("indptr", &[last], indptr[last], format!("be the number of indices, {n_indices}")));
    }
    match n_values {
        Some(n) if n != n_indices => {
            Err(invalid("values", &[], format!("{n} values"), format!("be as many as the indices, {n_indices}")))
        }
        _ => Ok(()),
    }
}

/// Takes the numbers of one row after another.
struct Builder<'a> {
    chain: MarkovChain,
    meaning: Meaning,
    n_states: usize,
    /// The row that is being read.
    row: Vec<(u32, f64)>,
    sorted: bool,
    control: &'a Control,
    capacity: usize,
}

impl<'a> Builder<'a> {
    fn new(n_states: usize, n_values: usize, meaning: Meaning, control: &'a Control) -> Result<Self> {
        if n_states > u32::MAX as usize {
            return Err(invalid(meaning.argument(), &[], n_states, "have at most 4,294,967,295 rows"));
        }
        control.expect(n_states as u64);
        // Each dangling state may become a transition to itself, of which there is none yet.
        let capacity = n_values;
        let chain = MarkovChain {
            headers: huge_vec(n_states)?,
            targets: huge_vec(capacity)?,
            probabilities: Vec::new(),
            long: Vec::new(),
            slots: OnceLock::new(),
        };
        Ok(Self { chain, meaning, n_states, row: Vec::new(), sorted: true, control, capacity })
    }

    #[inline]
    fn add(&mut self, target: u32, value: f64) -> Result<()> {
        if value == 0.0 {
            return Ok(());
        }
        if !(value > 0.0 && value < f64::INFINITY) {
            let rule = "be a finite number of at least 0";
            return Err(invalid(self.meaning.argument(), &[self.chain.headers.len(), target as usize], value, rule));
        }
        self.sorted &= self.row.last().is_none_or(|&(last, _)| last < target);
        self.row.push((target, value));
        Ok(())
    }

    fn end_row(&mut self) -> Result<()> {
        let state = self.chain.headers.len();
        if state % 4096 == 4095 {
            self.control.check()?;
            self.control.advance(4096);
        }
        if !self.sorted {
            self.row.sort_by_key(|&(target, _)| target);
            self.row.dedup_by(|next, kept| {
                let same = next.0 == kept.0;
                kept.1 += if same { next.1 } else { 0.0 };
                same
            });
            self.sorted = true;
        }
        match self.meaning {
            Meaning::Probabilities => self.check_sum(state)?,
            Meaning::Weights(dangling) => self.normalise(state, dangling)?,
        }
        self.store(state as u32)?;
        self.row.clear();
        Ok(())
    }

    fn check_sum(&self, state: usize) -> Result<()> {
        let sum = sum(self.row.iter().map(|&(_, value)| value));
        if (sum - 1.0).abs() <= TOLERANCE {
            return Ok(());
        }
        Err(invalid(
            self.meaning.argument(),
            &[state],
            sum,
            "have a sum of 1 within 1e-9 (from_weights normalises rows)",
        ))
    }

    fn normalise(&mut self, state: usize, dangling: Dangling) -> Result<()> {
        let argument = self.meaning.argument();
        let most = self.row.iter().map(|&(_, value)| value).fold(0.0, f64::max);
        if most == f64::INFINITY {
            return Err(invalid(argument, &[state], "duplicates that add up to infinity", "have finite entries"));
        }
        if most == 0.0 {
            return match dangling {
                Dangling::Absorb => {
                    self.row.push((state as u32, 1.0));
                    Ok(())
                }
                Dangling::Error => Err(invalid(
                    argument,
                    &[state],
                    "a row of zeros",
                    "have a positive entry (dangling=\"absorb\" makes such a state absorbing)",
                )),
            };
        }
        // By a power of two, which changes no digit: the sum of huge weights stays finite, subnormal ones keep theirs.
        let scale = libm::scalbn(1.0, (-libm::ilogb(most)).clamp(-1022, 1022));
        let sum = sum(self.row.iter().map(|&(_, value)| value * scale));
        for &mut (target, ref mut value) in &mut self.row {
            let share = *value * scale / sum;
            if share < LEAST_SHARE {
                let rule = "be zero or at least 1e-300 of the sum of its row";
                return Err(invalid(argument, &[state, target as usize], *value, rule));
            }
            *value = share;
        }
        Ok(())
    }

    /// Appends the row to the chain.
    fn store(&mut self, state: u32) -> Result<()> {
        let chain = &mut self.chain;
        let (begin, degree) = (chain.targets.len() as u64, self.row.len() as u64);
        if begin + degree > 1 << (64 - DEGREE_BITS) {
            return Err(Error::Memory((begin as usize + self.row.len()).saturating_mul(4)));
        }
        if degree < 1 << DEGREE_BITS {
            chain.headers.push(begin << DEGREE_BITS | degree);
        } else {
            chain.headers.push(begin << DEGREE_BITS | LONG);
            chain.long.push((state, degree));
        }
        grow(&mut chain.targets, self.row.len())?;
        let equal = 1.0 / degree as f64;
        if chain.probabilities.is_empty() && self.row.iter().any(|&(_, value)| value != equal) {
            let mut probabilities = huge_vec(self.capacity.max(chain.targets.len() + self.row.len()))?;
            for earlier in 0..state {
                let degree = chain.span(earlier).1;
                probabilities.extend(std::iter::repeat_n(1.0 / degree as f64, degree));
            }
            chain.probabilities = probabilities;
            chain.probabilities.extend(self.row.iter().map(|&(_, value)| value));
        } else if !chain.probabilities.is_empty() {
            grow(&mut chain.probabilities, self.row.len())?;
            chain.probabilities.extend(self.row.iter().map(|&(_, value)| value));
        }
        chain.targets.extend(self.row.iter().map(|&(target, _)| target));
        Ok(())
    }

    fn finish(mut self) -> MarkovChain {
        self.control.advance((self.n_states % 4096) as u64);
        self.chain.targets.shrink_to_fit();
        self.chain.probabilities.shrink_to_fit();
        self.chain
    }
}

/// Makes room for `more` elements, or reports that there is none.
fn grow<T>(vec: &mut Vec<T>, more: usize) -> Result<()> {
    vec.try_reserve(more).map_err(|_| Error::Memory(vec.len().saturating_add(more).saturating_mul(size_of::<T>())))
}

/// The sum of `values`, with the rounding of each addition carried along (Neumaier): a row of a million entries is as
/// exact as a short one.
pub(super) fn sum(values: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut lost) = (0.0f64, 0.0);
    for value in values {
        let next = sum + value;
        lost += if sum >= value { (sum - next) + value } else { (value - next) + sum };
        sum = next;
    }
    sum + lost
}
