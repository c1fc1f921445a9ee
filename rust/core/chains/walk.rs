//! Walks whose states are all written down.

use super::alias::Tables;
use super::matrix::MarkovChain;
use super::ring::{LANES, Ring};
use super::starts::Starts;
use crate::error::{Result, invalid};
use crate::machine::{self, TILE};
use crate::random::Seed;
use crate::run::{Control, fill_blocks};

/// Steps between two looks at the stop flag.
const CHECKED: usize = 4096;

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
    match (tables.near(), tables.slots()) {
        (Some(_), None) => call.fill::<64>(tables, out, control),
        (Some(_), Some(_)) => call.fill::<32>(tables, out, control),
        (None, _) => call.fill::<LANES>(tables, out, control),
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
                if column % CHECKED < TILE {
                    control.check()?;
                }
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
