//! One step of many laws, or of many observables, at once.

use crate::chains::matrix::{MarkovChain, sum};
use crate::chains::transposed::Transposed;
use crate::error::Result;
use crate::machine::{self, Kernel};
use crate::memory::room;
use crate::run::{Control, fill_blocks};

/// States of a block: the stop flag is looked at between two.
const BLOCK: usize = 1 << 12;

/// Multiplications that are worth threads of their own.
const SHARED: usize = 1 << 20;

/// A step forwards takes a law to that of the next state, `y_j = sum_i x_i p_ij`; backwards it takes an observable to
/// its mean at the next state, `y_i = sum_j p_ij x_j`. Rows are divided by their sums, so that the mass of a law is
/// kept up to rounding.
///
/// Vectors are handled L at a time: number l of state i stands at `i * L + l`. Each entry is the sum of its terms in
/// the order of the states, for any L, any number of threads, and with or without the transposed matrix.
pub(in crate::chains) struct Step<'a> {
    chain: &'a MarkovChain,
    /// Sums of the rows; empty where each row is uniform, and divided by its length instead.
    sums: Vec<f64>,
    form: Form,
}

/// How a step is taken.
enum Form {
    Backward,
    /// Forwards, each state giving to its targets.
    Scatter,
    /// Forwards, each state taking from its sources.
    Gather(Transposed),
}

impl<'a> Step<'a> {
    pub(in crate::chains) fn backward(chain: &'a MarkovChain, control: &Control) -> Result<Self> {
        Ok(Self { chain, sums: sums(chain, control)?, form: Form::Backward })
    }

    /// With `transposed` each entry is gathered, which takes a copy of the matrix first and is then faster, and several
    /// threads may share a step.
    pub(in crate::chains) fn forward(chain: &'a MarkovChain, transposed: bool, control: &Control) -> Result<Self> {
        let form = if transposed { Form::Gather(Transposed::new(chain, control)?) } else { Form::Scatter };
        Ok(Self { chain, sums: sums(chain, control)?, form })
    }

    /// Whether a step of so many vectors is better shared by threads than taken by one.
    pub(in crate::chains) fn can_be_shared(&self, lanes: usize) -> bool {
        !matches!(self.form, Form::Scatter) && lanes * self.chain.n_transitions() >= SHARED
    }

    /// Fills `y` with a step from `x`, which is spoiled. `control` says how many threads share the work.
    pub(in crate::chains) fn take<const L: usize>(
        &self,
        x: &mut [f64],
        y: &mut [f64],
        control: &Control,
    ) -> Result<()> {
        if !matches!(self.form, Form::Backward) {
            self.divide::<L>(x);
        }
        if matches!(self.form, Form::Scatter) {
            return self.scatter::<L>(x, y, control);
        }
        let x = &*x;
        fill_blocks(
            y,
            L,
            BLOCK,
            control,
            || (),
            |(), first, out| {
                control.check()?;
                let gather = Gather::<L> { step: self, first, x, out };
                // A single number at a time is slower in wide registers.
                if L == 1 {
                    gather.run();
                } else {
                    machine::widest(gather);
                }
                Ok(())
            },
        )
    }

    fn scatter<const L: usize>(&self, x: &[f64], y: &mut [f64], control: &Control) -> Result<()> {
        y.fill(0.0);
        for (block, values) in x.chunks(BLOCK * L).enumerate() {
            control.check()?;
            for (state, values) in values.chunks_exact(L).enumerate() {
                if values.iter().all(|&value| value == 0.0) {
                    continue;
                }
                let row = self.chain.row((block * BLOCK + state) as u32);
                let mut give = |target: u32, probability: f64| {
                    let to = &mut y[target as usize * L..][..L];
                    for lane in 0..L {
                        to[lane] += values[lane] * probability;
                    }
                };
                if row.probabilities.is_empty() {
                    row.targets.iter().for_each(|&target| give(target, 1.0));
                } else {
                    row.targets.iter().zip(row.probabilities).for_each(|(&target, &p)| give(target, p));
                }
            }
        }
        Ok(())
    }

    /// Divides each number by the sum of the row of its state.
    fn divide<const L: usize>(&self, x: &mut [f64]) {
        if self.sums.is_empty() {
            for (state, values) in x.chunks_exact_mut(L).enumerate() {
                let divisor = self.divisor(state);
                for value in values {
                    *value /= divisor;
                }
            }
        } else {
            for (values, &divisor) in x.chunks_exact_mut(L).zip(&self.sums) {
                for value in values {
                    *value /= divisor;
                }
            }
        }
    }

    /// What the row of a state is divided by.
    #[inline(always)]
    fn divisor(&self, state: usize) -> f64 {
        match self.sums.get(state) {
            Some(&sum) => sum,
            None => self.chain.span(state as u32).1 as f64,
        }
    }
}

/// The sums of the rows of a chain; none where each row is uniform.
fn sums(chain: &MarkovChain, control: &Control) -> Result<Vec<f64>> {
    if chain.is_uniform() {
        return room(0);
    }
    let mut sums = room(chain.n_states())?;
    for state in 0..chain.n_states() {
        if state % BLOCK == 0 {
            control.check()?;
        }
        sums.push(sum(chain.row(state as u32).probabilities.iter().copied()));
    }
    Ok(sums)
}

/// Fills the entries of `out`, whose first state is `first`.
struct Gather<'a, const L: usize> {
    step: &'a Step<'a>,
    first: usize,
    x: &'a [f64],
    out: &'a mut [f64],
}

impl<const L: usize> Kernel for Gather<'_, L> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { step, first, x, out } = self;
        for (index, to) in out.chunks_exact_mut(L).enumerate() {
            let state = first + index;
            if let Form::Gather(transposed) = &step.form {
                let (sources, probabilities) = transposed.column(state);
                to.copy_from_slice(&weighted::<L>(sources, probabilities, x));
            } else {
                let row = step.chain.row(state as u32);
                let (sums, divisor) = (weighted::<L>(row.targets, row.probabilities, x), step.divisor(state));
                for lane in 0..L {
                    to[lane] = sums[lane] / divisor;
                }
            }
        }
    }
}

/// The sums over `states` of their numbers in `x`, times the weights where there are any.
#[inline(always)]
fn weighted<const L: usize>(states: &[u32], weights: &[f64], x: &[f64]) -> [f64; L] {
    let mut sums = [0.0; L];
    if L == 1 {
        sums[0] = if weights.is_empty() {
            states.iter().fold(0.0, |sum, &state| sum + x[state as usize])
        } else {
            states.iter().zip(weights).fold(0.0, |sum, (&state, &weight)| sum + x[state as usize] * weight)
        };
    } else if weights.is_empty() {
        for &state in states {
            let values = &x[state as usize * L..][..L];
            for lane in 0..L {
                sums[lane] += values[lane];
            }
        }
    } else {
        for (&state, &weight) in states.iter().zip(weights) {
            let values = &x[state as usize * L..][..L];
            for lane in 0..L {
                sums[lane] += values[lane] * weight;
            }
        }
    }
    sums
}
