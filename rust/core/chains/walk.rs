//! Walks whose states are all written down.

use super::alias::Tables;
use super::matrix::MarkovChain;
use super::ring::{LANES, Ring};
use super::starts::Starts;
use crate::error::{Result, invalid};
use crate::machine::{self, TILE};
use crate::random::Seed;
use crate::run::{Control, fill_blocks};

/// Outputs of more bytes go past the caches.
const STREAMED: usize = 8 << 20;

/// Fills `out`, `n_steps + 1` states for each walk: the start, then a state for each step. Walk `i` of the call is walk
/// `first + i` of `seed`, one draw a step (and one for its start, if that follows a law). Cost: O(walks x steps).
///
/// # Errors
/// If `starts` are for another number of walks; [`Error::Memory`](crate::Error::Memory) for the tables;
/// [`Error::Interrupted`](crate::Error::Interrupted).
pub fn walk(
    chain: &MarkovChain,
    starts: &Starts<'_>,
    n_steps: usize,
    seed: &Seed,
    first: u64,
    out: &mut [u32],
    control: &Control,
) -> Result<()> {
    let width = n_steps + 1;
    check_starts(starts, out.len() / width)?;
    let tables = chain.tables(control)?;
    control.expect((out.len() / width) as u64);
    let call = Call { starts, seed, first, width, stream: size_of_val(out) > STREAMED };
    // Few lanes where the tables are near: their own words then leave the first level of cache to the tables.
    match (tables.near(), tables.slots()) {
        (Some(_), None) => call.fill::<64>(tables, out, control),
        (Some(_), Some(_)) => call.fill::<32>(tables, out, control),
        (None, _) => call.fill::<{ 2 * LANES }>(tables, out, control),
    }
}

/// The states of the last few steps, and what a thread does when it has written its last tile.
#[repr(align(64))]
struct Tile<const N: usize>([[u32; N]; TILE]);

impl<const N: usize> Drop for Tile<N> {
    fn drop(&mut self) {
        machine::streamed();
    }
}

/// What all rings of a call share.
struct Call<'a> {
    starts: &'a Starts<'a>,
    seed: &'a Seed,
    first: u64,
    width: usize,
    /// Whether whole lines of the output go past the caches.
    stream: bool,
}

impl Call<'_> {
    fn fill<const N: usize>(&self, tables: Tables<'_>, out: &mut [u32], control: &Control) -> Result<()> {
        // Tiles begin at whole cache lines where rows are whole lines: only such lines are worth streaming.
        let whole = self.width.is_multiple_of(TILE);
        let ahead = if whole { out.as_ptr().addr() / size_of::<u32>() % TILE } else { 0 };
        let scratch = || (Ring::<N>::new(tables), Tile([[0; N]; TILE]));
        fill_blocks(out, self.width, N, control, scratch, |(ring, Tile(tile)), item, rows| {
            let n_walks = rows.len() / self.width;
            ring.fill(self.starts, self.seed, self.first, item, n_walks);
            let mut column = 0;
            while column < self.width {
                // At every tile: where the output is a file, each of its pages may wait for the disk.
                control.check()?;
                let steps = (TILE - (column + ahead) % TILE).min(self.width - column);
                ring.record(&mut tile[..steps], column + steps == self.width);
                machine::store_tile(tile, steps, rows, self.width, column, self.stream);
                column += steps;
            }
            control.advance(n_walks as u64);
            Ok(())
        })
    }
}

/// Refuses starts that are not one for each of `n_walks` walks.
pub(super) fn check_starts(starts: &Starts<'_>, n_walks: usize) -> Result<()> {
    match starts.n_walks() {
        Some(n) if n != n_walks => {
            Err(invalid("start", &[], format!("{n} states"), format!("have one state for each of the {n_walks} walks")))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::matrix::{Dangling, Meaning};
    use super::*;
    use crate::random;

    /// A chain of `n` states with `degree` transitions each, of equal or unequal weights, and one absorbing state.
    fn chain(n: u32, degree: u32, weighted: bool) -> MarkovChain {
        let mut stream = Seed::from_u64(u64::from(n)).stream(0);
        let (mut indptr, mut indices, mut values) = (vec![0i64], Vec::new(), Vec::new());
        for state in 0..n {
            for _ in 0..if state == 1 { 0 } else { degree } {
                indices.push(stream.below(u64::from(n)) as u32);
                values.push(if weighted { stream.uniform() + 1e-9 } else { 1.0 });
            }
            indptr.push(indices.len() as i64);
        }
        let meaning = Meaning::Weights(Dangling::Absorb);
        MarkovChain::from_csr(&indptr, &indices, Some(&values), meaning, &Control::new(1)).unwrap()
    }

    /// One walk after another by the law of a step.
    fn one_by_one(chain: &MarkovChain, starts: &Starts<'_>, n_steps: usize, seed: &Seed, n_walks: usize) -> Vec<u32> {
        let tables = chain.tables(&Control::new(1)).unwrap();
        let mut out = Vec::new();
        for walk in 0..n_walks {
            let mut walker = starts.walker(seed, 5, walk);
            out.push(walker.state);
            for _ in 0..n_steps {
                walker.state = tables.next(walker.state, random::draw(&mut walker.random));
                out.push(walker.state);
            }
        }
        out
    }

    #[test]
    fn every_form_of_the_engine_follows_the_law_of_a_step() {
        // Near and far, uniform and weighted; rings that are full, begun, and hardly used; rows of whole lines and others.
        for (n, degree) in [(7, 3), (90, 40), (30_000, 12)] {
            for weighted in [false, true] {
                let chain = chain(n, degree, weighted);
                let tables = chain.tables(&Control::new(1)).unwrap();
                assert_eq!(tables.near().is_none(), n == 30_000);
                let (starts, seed) = (Starts::one(n - 1, n as usize).unwrap(), Seed::from_u64(9));
                for (n_walks, n_steps) in [(1, 40), (15, 0), (16, 79), (33, 15), (129, 31), (200, 80)] {
                    let expected = one_by_one(&chain, &starts, n_steps, &seed, n_walks);
                    for threads in [1, 3] {
                        let mut out = vec![0; expected.len()];
                        walk(&chain, &starts, n_steps, &seed, 5, &mut out, &Control::new(threads)).unwrap();
                        assert!(out == expected, "{n} states, weighted: {weighted}, {n_walks} walks of {n_steps}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_large_output_goes_past_the_caches_with_the_same_states() {
        let (chain, seed) = (chain(90, 4, false), Seed::from_u64(2));
        let starts = Starts::one(0, 90).unwrap();
        let n_walks = STREAMED / (4 * 80) + 7;
        let expected = one_by_one(&chain, &starts, 79, &seed, n_walks);
        // Where the output begins within a cache line decides how it is cut into tiles.
        let mut memory = vec![0; expected.len() + 16];
        for offset in [0, 1, 4, 15] {
            let out = &mut memory[offset..][..expected.len()];
            out.fill(u32::MAX);
            walk(&chain, &starts, 79, &seed, 5, out, &Control::new(2)).unwrap();
            assert!(out == expected, "{offset} numbers from the beginning");
        }
    }
}
