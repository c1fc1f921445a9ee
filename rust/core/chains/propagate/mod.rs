//! Where walks are after so many steps, and what they will see: laws carried forwards, observables backwards.

pub(super) mod step;

use super::matrix::MarkovChain;
use super::powers::{Power, multiply};
use crate::error::Result;
use crate::memory::zeros;
use crate::run::{Control, fill_blocks};
use step::Step;

/// Vectors that take their steps together: each transition is then read once for all of them.
const LANES: usize = 8;

/// Steps of all groups below which the transposed matrix is not worth making: it takes the time of ten to twenty, and a
/// step of a single vector is not much faster with it.
const TRANSPOSED: u64 = 32;

/// States up to which powers of the whole matrix may take the place of steps: 32 MB each.
const DENSE: usize = 2048;

/// Multiplications that are not worth a thought: about a millisecond.
const CHEAP: f64 = 1e6;

/// Multiplications of a dense product that take the time of one in a step.
const TILED: f64 = 4.0;

/// Steps between two reports of progress.
const REPORTED: u64 = 64;

/// Which way a vector is carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// A law, to that of the state so many steps later.
    Forward,
    /// An observable, to its mean so many steps later.
    Backward,
}

/// Fills `out` with the vectors that `values`, one of a number for each state after another, become in `n_steps` steps.
/// With `every` each is followed by all that it becomes on the way: `n_steps + 1` vectors, itself first.
///
/// The numbers may have any sign. Rows of the matrix are divided by their sums, and each entry is summed in the order
/// of the states: a vector becomes the same whatever others there are. Cost: O(transitions) a step; where that is more,
/// the binary powers of the dense matrix, whose rows are divided by their sums after each squaring: its cube for each
/// binary digit of `n_steps`. Memory: 16 times the bytes of a vector for each thread, and 12 bytes a transition.
///
/// # Errors
/// [`Error::Memory`](crate::Error::Memory), [`Error::Interrupted`](crate::Error::Interrupted).
///
/// # Panics
/// If `values` or `out` have another length.
pub fn propagate(
    chain: &MarkovChain,
    values: &[f64],
    n_steps: u64,
    direction: Direction,
    every: bool,
    out: &mut [f64],
    control: &Control,
) -> Result<()> {
    let n = chain.n_states();
    assert!(values.len().is_multiple_of(n), "a number for each state");
    let width = if every { n * (n_steps as usize + 1) } else { n };
    assert_eq!(out.len(), values.len() / n * width, "room for the result");
    if n_steps == 0 {
        out.copy_from_slice(values);
        return Ok(());
    }
    if !every && is_worth_powers(chain, n_steps) {
        return by_powers(chain, values, n_steps, direction, out, control);
    }
    let n_groups = (values.len() / n).div_ceil(LANES);
    let all_steps = n_steps.saturating_mul(n_groups as u64);
    control.expect(all_steps);
    let step = match direction {
        Direction::Forward => Step::forward(chain, all_steps >= TRANSPOSED, control)?,
        Direction::Backward => Step::backward(chain, control)?,
    };
    let job = Job { step, n, n_steps, every };
    // Few groups share each step among the threads, many take a thread each.
    let alone = Control::new(1);
    if n_groups < control.threads() && job.step.can_be_shared((values.len() / n).min(LANES)) {
        for (values, out) in values.chunks(LANES * n).zip(out.chunks_mut(LANES * width)) {
            job.group(values, out, control, control)?;
        }
        return Ok(());
    }
    fill_blocks(
        out,
        width,
        LANES,
        control,
        || (),
        |(), first, out| {
            let values = &values[first * n..][..out.len() / width * n];
            job.group(values, out, &alone, control)
        },
    )
}

/// Steps to be taken by groups of vectors.
struct Job<'a> {
    step: Step<'a>,
    n: usize,
    n_steps: u64,
    every: bool,
}

impl Job<'_> {
    /// All steps of up to [`LANES`] vectors, on the threads that `shared` allows.
    fn group(&self, values: &[f64], out: &mut [f64], shared: &Control, control: &Control) -> Result<()> {
        match values.len() / self.n {
            1 => self.lanes::<1>(values, out, shared, control),
            2 => self.lanes::<2>(values, out, shared, control),
            3 | 4 => self.lanes::<4>(values, out, shared, control),
            _ => self.lanes::<LANES>(values, out, shared, control),
        }
    }

    /// [`group`](Self::group) of up to L vectors; those that are not there are zeros.
    fn lanes<const L: usize>(
        &self,
        values: &[f64],
        out: &mut [f64],
        shared: &Control,
        control: &Control,
    ) -> Result<()> {
        let (mut x, mut y): (Vec<f64>, Vec<f64>) = (zeros(self.n * L)?, zeros(self.n * L)?);
        for (lane, vector) in values.chunks_exact(self.n).enumerate() {
            x.iter_mut().skip(lane).step_by(L).zip(vector).for_each(|(to, &value)| *to = value);
        }
        let width = out.len() / (values.len() / self.n);
        let n = self.n;
        let mut store = |x: &[f64], place: usize| {
            for (lane, out) in out.chunks_exact_mut(width).enumerate() {
                let to = &mut out[place * n..][..n];
                to.iter_mut().zip(x.iter().skip(lane).step_by(L)).for_each(|(to, &value)| *to = value);
            }
        };
        for taken in 0..self.n_steps {
            control.check()?;
            if self.every {
                store(&x, taken as usize);
            }
            self.step.take::<L>(&mut x, &mut y, shared)?;
            std::mem::swap(&mut x, &mut y);
            if taken % REPORTED == REPORTED - 1 {
                control.advance(REPORTED);
            }
        }
        control.advance(self.n_steps % REPORTED);
        store(&x, if self.every { self.n_steps as usize } else { 0 });
        Ok(())
    }
}

/// Whether powers of the dense matrix take less time than the steps of one vector. How many vectors there are does not
/// count, so that it changes nothing in any of them.
fn is_worth_powers(chain: &MarkovChain, n_steps: u64) -> bool {
    let n = chain.n_states();
    let steps = n_steps as f64 * (n + chain.n_transitions()) as f64;
    let digits = f64::from(u64::BITS - n_steps.leading_zeros());
    n <= DENSE && steps > CHEAP.max(digits * (n as f64).powi(3) / TILED)
}

fn by_powers(
    chain: &MarkovChain,
    values: &[f64],
    n_steps: u64,
    direction: Direction,
    out: &mut [f64],
    control: &Control,
) -> Result<()> {
    let (n, n_digits) = (chain.n_states(), u64::BITS - n_steps.leading_zeros());
    let n_vectors = values.len() / n;
    control.expect(u64::from(n_digits));
    // Observables stand in columns: matrix times columns is then the product that is wanted.
    let columns = direction == Direction::Backward;
    let mut x = zeros(values.len())?;
    let mut y = zeros(values.len())?;
    if columns {
        transpose(values, n, &mut x);
    } else {
        x.copy_from_slice(values);
    }
    let mut power = Power::first(chain, control)?;
    for digit in 0..n_digits {
        if digit > 0 {
            power = power.times(&power, control)?;
        }
        if n_steps >> digit & 1 == 1 && n_vectors > 0 {
            if columns {
                multiply(power.entries(), &x, n, &mut y, control)?;
            } else {
                multiply(&x, power.entries(), n, &mut y, control)?;
            }
            std::mem::swap(&mut x, &mut y);
        }
        control.advance(1);
    }
    if columns {
        transpose(&x, n_vectors.max(1), out);
    } else {
        out.copy_from_slice(&x);
    }
    Ok(())
}

/// Writes the rows of `width` numbers as columns.
fn transpose(rows: &[f64], width: usize, out: &mut [f64]) {
    let height = rows.len() / width;
    for (i, row) in rows.chunks_exact(width).enumerate() {
        for (j, &value) in row.iter().enumerate() {
            out[j * height + i] = value;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chains::matrix::{Dangling, Meaning};
    use crate::random::Seed;

    /// A chain of 300 states with rows of 1 to 12 entries, uniform or not.
    fn chain(uniform: bool) -> MarkovChain {
        let mut stream = Seed::from_u64(1).stream(0);
        let (mut indptr, mut indices, mut values) = (vec![0i64], Vec::new(), Vec::new());
        for _ in 0..300 {
            for _ in 0..=stream.below(12) {
                indices.push(stream.below(300) as u32);
                values.push(stream.uniform() + 0.01);
            }
            indptr.push(indices.len() as i64);
        }
        let values = (!uniform).then_some(&values[..]);
        MarkovChain::from_csr(&indptr, &indices, values, Meaning::Weights(Dangling::Error), &Control::default())
            .unwrap()
    }

    fn run(chain: &MarkovChain, values: &[f64], n_steps: u64, direction: Direction, threads: usize) -> Vec<f64> {
        let mut out = vec![f64::NAN; values.len()];
        propagate(chain, values, n_steps, direction, false, &mut out, &Control::new(threads)).unwrap();
        out
    }

    #[test]
    fn a_vector_becomes_the_same_in_any_company() {
        let mut stream = Seed::from_u64(2).stream(0);
        let values: Vec<f64> = (0..300 * 13).map(|_| stream.uniform() - 0.2).collect();
        for uniform in [false, true] {
            let chain = chain(uniform);
            for direction in [Direction::Forward, Direction::Backward] {
                for n_steps in [1, 3, 20, 1_000_000] {
                    let all = run(&chain, &values, n_steps, direction, 3);
                    for begin in [0, 3, 12] {
                        for end in [begin + 1, 13] {
                            let range = begin * 300..end * 300;
                            assert_eq!(all[range.clone()], run(&chain, &values[range], n_steps, direction, 1));
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn gathered_and_scattered_sums_are_the_same_bytes() {
        let mut stream = Seed::from_u64(3).stream(0);
        let values: Vec<f64> = (0..300).map(|_| (stream.uniform() - 0.5).max(0.0)).collect();
        for uniform in [false, true] {
            let chain = chain(uniform);
            let control = Control::default();
            let mut found = [vec![0.0; 300], vec![0.0; 300]];
            for (transposed, out) in [false, true].into_iter().zip(&mut found) {
                let step = Step::forward(&chain, transposed, &control).unwrap();
                step.take::<1>(&mut values.clone(), out, &control).unwrap();
            }
            assert_eq!(found[0], found[1]);
            let mass: [f64; 2] = [values.iter().sum(), found[0].iter().sum()];
            assert!((mass[0] / mass[1] - 1.0).abs() < 1e-14);
        }
    }

    #[test]
    fn powers_and_steps_agree() {
        let chain = chain(false);
        let mut law = vec![0.0; 300];
        law[7] = 1.0;
        for direction in [Direction::Forward, Direction::Backward] {
            let n_steps = 40;
            let mut powers = vec![0.0; 300];
            by_powers(&chain, &law, n_steps, direction, &mut powers, &Control::default()).unwrap();
            for (power, step) in powers.iter().zip(run(&chain, &law, n_steps, direction, 1)) {
                assert!((power - step).abs() <= 1e-13 * step, "{power} {step}");
            }
        }
    }
}
