//! Walks whose states are all written down.

use super::matrix::MarkovChain;
use super::ring::{LANES, Ring};
use super::starts::Starts;
use crate::error::{Result, invalid};
use crate::random::Seed;
use crate::run::{Control, fill_blocks};

/// Steps between two looks at the stop flag.
const CHECKED: usize = 4096;

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
    fill_blocks(
        out,
        width,
        LANES,
        control,
        || Ring::new(tables),
        |ring, item, rows| {
            let n_walks = rows.len() / width;
            for lane in 0..n_walks {
                let walker = starts.walker(seed, first, item + lane);
                rows[lane * width] = walker.state;
                ring.place(lane, walker);
            }
            for step in 1..width {
                if step % CHECKED == 0 {
                    control.check()?;
                }
                ring.step();
                for (row, &state) in rows.chunks_mut(width).zip(ring.states()) {
                    row[step] = state;
                }
            }
            control.advance(n_walks as u64);
            Ok(())
        },
    )
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
