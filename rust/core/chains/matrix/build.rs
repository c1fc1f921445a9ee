//! Chains from rows of numbers: what they must be, how rows are sorted, summed and stored.

use super::{DEGREE_BITS, Dangling, LONG, MarkovChain, Meaning, sum};
use crate::error::{Error, Result, invalid};
use crate::machine::huge_vec;
use crate::rows::Rows;
use crate::run::Control;
use std::fmt::Display;
use std::sync::OnceLock;

/// How far from 1 the sum of a row of probabilities may be.
const TOLERANCE: f64 = 1e-9;

/// A weight this much below the sum of its row would become a probability with fewer digits than it has, or none.
const LEAST_SHARE: f64 = 1e-300;

/// Entries between two looks at the stop flag.
const CHECKED: usize = 1 << 20;

impl Meaning {
    /// The argument by which the caller knows the numbers.
    const fn argument(self) -> &'static str {
        match self {
            Self::Probabilities => "transition_matrix",
            Self::Weights(_) => "weights",
        }
    }
}

impl MarkovChain {
    /// A chain from compressed sparse rows: row `i` has the targets `indices[indptr[i]..indptr[i + 1]]` and the numbers
    /// at the same places of `values`. Where those are `None`, rows are uniform over their targets, whatever the
    /// `meaning`. Rows need not be sorted, duplicates add up, zeros are left out. Cost: O(transitions), one thread.
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
        let argument = meaning.argument();
        check_layout(indptr, indices.len(), values.map(<[f64]>::len), argument)?;
        let n_states = indptr.len() - 1;
        let capacity = indptr.windows(2).map(|pair| (pair[1] - pair[0]).max(1) as usize).sum();
        let meaning = match meaning {
            Meaning::Probabilities if values.is_none() => Meaning::Weights(Dangling::Error),
            meaning => meaning,
        };
        let mut builder = Builder::new(n_states, capacity, Place::Matrix(argument), meaning, control)?;
        for row in 0..n_states {
            let entries = indptr[row] as usize..indptr[row + 1] as usize;
            if values.is_none() && builder.add_equal_row(&indices[entries.clone()])? {
                continue;
            }
            builder.begin_row(entries.len())?;
            for entry in entries {
                let Some(target) = state(indices[entry], n_states) else {
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
        let mut values = vec![0.0; n_states];
        // A first reading counts, so that the arrays are made in their final size.
        let mut capacity = 0;
        for row in 0..n_states {
            control.check()?;
            matrix.read(row, &mut values);
            capacity += values.iter().filter(|&&value| value != 0.0).count().max(1);
        }
        let mut builder = Builder::new(n_states, capacity, Place::Matrix(meaning.argument()), meaning, control)?;
        for row in 0..n_states {
            matrix.read(row, &mut values);
            builder.begin_row(n_states)?;
            for (target, &value) in values.iter().enumerate() {
                builder.add(target as u32, value)?;
            }
            builder.end_row()?;
        }
        Ok(builder.finish())
    }
}

/// `index` as one of `n_states` states.
#[inline]
pub(super) fn state<I: Copy + TryInto<u32>>(index: I, n_states: usize) -> Option<u32> {
    index.try_into().ok().filter(|&index| (index as usize) < n_states)
}

/// Refuses row pointers that do not describe the other two arrays.
pub(super) fn check_layout(indptr: &[i64], n_indices: usize, n_values: Option<usize>, argument: &str) -> Result<()> {
    let Some(last) = indptr.len().checked_sub(1).filter(|&n_states| n_states > 0) else {
        let rule = "have one element more than there are states, of which at least one";
        return Err(invalid("indptr", &[], format!("{} elements", indptr.len()), rule));
    };
    if indptr[0] != 0 {
        return Err(invalid("indptr", &[0], indptr[0], "be 0"));
    }
    if let Some(row) = indptr.windows(2).position(|pair| pair[1] < pair[0]) {
        let rule = format!("be at least indptr[{row}] = {}", indptr[row]);
        return Err(invalid("indptr", &[row + 1], indptr[row + 1], rule));
    }
    if indptr[last] != n_indices as i64 {
        return Err(invalid("indptr", &[last], indptr[last], format!("be the number of indices, {n_indices}")));
    }
    match n_values {
        Some(n) if n != n_indices => Err(invalid(
            argument,
            &[],
            format!("{n} numbers"),
            format!("have one number for each of {n_indices} indices"),
        )),
        _ => Ok(()),
    }
}

/// How an error names a row or an entry.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place {
    /// By its indices in the argument of this name.
    Matrix(&'static str),
    /// As the edges from one state to another, whose weights the caller gave in `weight`.
    Edges,
}

/// Takes the numbers of one row after another.
pub(super) struct Builder<'a> {
    chain: MarkovChain,
    place: Place,
    meaning: Meaning,
    n_states: usize,
    /// The most transitions there can be.
    capacity: usize,
    /// Transitions of the rows that are stored.
    stored: usize,
    /// Whether all rows that are stored are uniform.
    uniform: bool,
    /// The row that is being read.
    row: Vec<(u32, f64)>,
    sorted: bool,
    /// Entries read since the last look at the stop flag.
    unchecked: usize,
    control: &'a Control,
}

impl<'a> Builder<'a> {
    pub(super) fn new(
        n_states: usize,
        capacity: usize,
        place: Place,
        meaning: Meaning,
        control: &'a Control,
    ) -> Result<Self> {
        Self::over(huge_vec(capacity)?, Vec::new(), n_states, place, meaning, control)
    }

    /// A builder that writes its rows over `targets` and `probabilities`, from which the caller reads them: row by row
    /// it reads at or behind the place where the row is written.
    pub(super) fn over(
        targets: Vec<u32>,
        probabilities: Vec<f64>,
        n_states: usize,
        place: Place,
        meaning: Meaning,
        control: &'a Control,
    ) -> Result<Self> {
        let capacity = targets.capacity();
        if n_states > u32::MAX as usize || capacity >= 1 << (64 - DEGREE_BITS) {
            return Err(Error::Memory(n_states.saturating_mul(8).saturating_add(capacity.saturating_mul(4))));
        }
        control.expect(n_states as u64);
        let headers = huge_vec(n_states)?;
        let chain = MarkovChain {
            headers,
            targets,
            probabilities,
            long: Vec::new(),
            slots: OnceLock::new(),
            near: OnceLock::new(),
            joined: OnceLock::new(),
        };
        Ok(Self {
            chain,
            place,
            meaning,
            n_states,
            capacity,
            stored: 0,
            uniform: true,
            row: Vec::new(),
            sorted: true,
            unchecked: 0,
            control,
        })
    }

    /// Target and number of the entry that the vectors hold at `index`.
    #[inline]
    pub(super) fn entry(&self, index: usize) -> (u32, f64) {
        (self.chain.targets[index], self.chain.probabilities.get(index).copied().unwrap_or(1.0))
    }

    /// Makes room for a row of at most `n` numbers.
    #[inline]
    pub(super) fn begin_row(&mut self, n: usize) -> Result<()> {
        self.look(n)?;
        if self.row.capacity() < n {
            self.row.try_reserve_exact(n).map_err(|_| Error::Memory(n.saturating_mul(size_of::<(u32, f64)>())))?;
        }
        Ok(())
    }

    #[inline]
    pub(super) fn add(&mut self, target: u32, value: f64) -> Result<()> {
        if value == 0.0 {
            return Ok(());
        }
        if !(value > 0.0 && value < f64::INFINITY) {
            return Err(self.refused(target, value, "be a finite number of at least 0"));
        }
        self.sorted &= self.row.last().is_none_or(|&(last, _)| last < target);
        self.row.push((target, value));
        Ok(())
    }

    #[inline]
    pub(super) fn end_row(&mut self) -> Result<()> {
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
            Meaning::Probabilities => self.check_sum()?,
            Meaning::Weights(dangling) => self.normalise(dangling)?,
        }
        self.store()?;
        self.row.clear();
        Ok(())
    }

    /// Takes a whole row of equal weights, or tells that it is not in order, and so one to add by its entries.
    #[inline]
    fn add_equal_row<I: Copy + TryInto<u32>>(&mut self, indices: &[I]) -> Result<bool> {
        let mut next = 0;
        let ordered = indices.iter().all(|&index| match state(index, self.n_states) {
            Some(target) if u64::from(target) >= next => {
                next = u64::from(target) + 1;
                true
            }
            _ => false,
        });
        if !ordered || indices.is_empty() {
            return Ok(false);
        }
        self.look(indices.len())?;
        let degree = indices.len();
        self.store_header(degree);
        put(&mut self.chain.targets, self.stored, indices.iter().filter_map(|&index| index.try_into().ok()));
        if self.writes_probabilities() {
            put(&mut self.chain.probabilities, self.stored, std::iter::repeat_n(1.0 / degree as f64, degree));
        }
        self.stored += degree;
        Ok(true)
    }

    pub(super) fn finish(mut self) -> MarkovChain {
        self.control.advance((self.n_states % 4096) as u64);
        let chain = &mut self.chain;
        chain.targets.truncate(self.stored);
        chain.probabilities.truncate(if self.uniform { 0 } else { self.stored });
        chain.targets.shrink_to_fit();
        chain.probabilities.shrink_to_fit();
        self.chain
    }

    fn refused(&self, target: u32, value: impl Display, rule: &str) -> Error {
        let state = self.chain.headers.len();
        match self.place {
            Place::Matrix(argument) => invalid(argument, &[state, target as usize], value, rule),
            Place::Edges => invalid("weight", &[], format!("{value} from state {state} to {target}"), rule),
        }
    }

    /// The first target of the row with this number.
    fn target_of(&self, value: f64) -> u32 {
        self.row.iter().find(|&&(_, other)| other == value).map_or(0, |&(target, _)| target)
    }

    /// Looks at the stop flag now and then, before `n` more entries.
    #[inline]
    fn look(&mut self, n: usize) -> Result<()> {
        self.unchecked += n;
        let rows = self.chain.headers.len();
        if rows % 4096 == 4095 {
            self.control.advance(4096);
        } else if self.unchecked < CHECKED {
            return Ok(());
        }
        self.unchecked = 0;
        self.control.check()
    }

    fn check_sum(&self) -> Result<()> {
        let sum = sum(self.row.iter().map(|&(_, value)| value));
        if (sum - 1.0).abs() <= TOLERANCE {
            return Ok(());
        }
        let (argument, state) = (self.meaning.argument(), self.chain.headers.len());
        Err(invalid(argument, &[state], sum, "have a sum of 1 within 1e-9 (from_weights normalises rows)"))
    }

    fn normalise(&mut self, dangling: Dangling) -> Result<()> {
        let (least, most) = self
            .row
            .iter()
            .fold((f64::INFINITY, 0.0f64), |(least, most), &(_, value)| (least.min(value), most.max(value)));
        if most == 0.0 {
            return self.dangle(dangling);
        }
        if most == f64::INFINITY {
            return Err(self.refused(self.target_of(most), "infinity", "have duplicates with a finite sum"));
        }
        if least == most {
            // The sum may be rounded; equal weights are equal probabilities, of which nothing need be stored.
            let share = 1.0 / self.row.len() as f64;
            self.row.iter_mut().for_each(|(_, value)| *value = share);
            return Ok(());
        }
        // By a power of two, which changes no digit: the sum of huge weights stays finite, subnormal ones keep theirs.
        let scale = libm::scalbn(1.0, (-libm::ilogb(most)).clamp(-1022, 1022));
        let sum = sum(self.row.iter().map(|&(_, value)| value * scale));
        if least * scale / sum < LEAST_SHARE {
            return Err(self.refused(self.target_of(least), least, "be zero or at least 1e-300 of the sum of its row"));
        }
        self.row.iter_mut().for_each(|(_, value)| *value = *value * scale / sum);
        Ok(())
    }

    /// What becomes of a row without any positive number.
    fn dangle(&mut self, dangling: Dangling) -> Result<()> {
        let state = self.chain.headers.len();
        let hint = "dangling=\"absorb\" makes a state without one absorbing";
        match (dangling, self.place) {
            (Dangling::Absorb, _) => {
                self.row.push((state as u32, 1.0));
                Ok(())
            }
            (Dangling::Error, Place::Matrix(argument)) => {
                Err(invalid(argument, &[state], "zeros", format!("have a positive entry (in from_weights, {hint})")))
            }
            (Dangling::Error, Place::Edges) => {
                let rule = format!("have an edge of positive weight out of every state ({hint})");
                Err(invalid("source", &[], format!("none out of state {state}"), rule))
            }
        }
    }

    /// Appends the row to the chain.
    fn store(&mut self) -> Result<()> {
        let degree = self.row.len();
        let equal = 1.0 / degree as f64;
        if self.uniform && self.row.iter().any(|&(_, value)| value != equal) {
            self.uniform = false;
            if self.chain.probabilities.is_empty() {
                self.store_uniform()?;
            }
        }
        self.store_header(degree);
        put(&mut self.chain.targets, self.stored, self.row.iter().map(|&(target, _)| target));
        if self.writes_probabilities() {
            put(&mut self.chain.probabilities, self.stored, self.row.iter().map(|&(_, value)| value));
        }
        self.stored += degree;
        Ok(())
    }

    fn writes_probabilities(&self) -> bool {
        !self.uniform || !self.chain.probabilities.is_empty()
    }

    fn store_header(&mut self, degree: usize) {
        let chain = &mut self.chain;
        let fits = degree < 1 << DEGREE_BITS;
        if !fits {
            chain.long.push((chain.headers.len() as u32, degree as u64));
        }
        chain.headers.push((self.stored as u64) << DEGREE_BITS | if fits { degree as u64 } else { LONG });
    }

    /// Writes down the probabilities of the rows so far, which were uniform and had none.
    fn store_uniform(&mut self) -> Result<()> {
        let mut probabilities = huge_vec(self.capacity)?;
        for earlier in 0..self.chain.headers.len() as u32 {
            let degree = self.chain.span(earlier).1;
            probabilities.extend(std::iter::repeat_n(1.0 / degree as f64, degree));
        }
        self.chain.probabilities = probabilities;
        Ok(())
    }
}

/// Writes `values` to the places of `vec` from `begin` on, and behind its end.
fn put<T>(vec: &mut Vec<T>, begin: usize, mut values: impl Iterator<Item = T>) {
    for (to, value) in vec[begin..].iter_mut().zip(values.by_ref()) {
        *to = value;
    }
    vec.extend(values);
}
