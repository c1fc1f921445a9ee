//! Second-order walks: the next state depends on the previous one as well (Grover and Leskovec 2016, `node2vec`).
//!
//! A walk that came from `previous` to `state` goes on to `candidate` with a probability proportional to that of the
//! transition `state -> candidate` times
//!
//! * `1/p` if `candidate` is `previous`,
//! * `1` if there is a transition `previous -> candidate`,
//! * `1/q` otherwise.
//!
//! The first step has no previous state and follows the chain. Steps are drawn by rejection with a folded envelope (Yang
//! and others 2019, `KnightKing`), or from the whole law of the step where that has failed for long; memory is 2 bytes a
//! transition beside the chain.

mod exact;
mod flight;
mod joined;
mod lanes;
mod law;
mod search;

pub(in crate::chains) use joined::Joined;

use super::matrix::MarkovChain;
use super::starts::Starts;
use super::walk::check_starts;
use crate::error::Result;
use crate::machine::widest;
use crate::random::Seed;
use crate::run::{Control, fill_blocks};
use flight::{Block, Plan};
use lanes::{Flight, LANES};

/// Walks that a thread takes on at once, at most; their number changes no walk.
const BLOCK: usize = 4096;

/// Fills `out`, `n_steps + 1` states for each walk, as [`walk`](super::walk::walk()) does, with walks of the second
/// order. With `p` and `q` of 1 they are the same walks.
///
/// Each walk draws from its own stream: for each trial one number, or two if the chain is not uniform, of which there are
/// about `1 + 1/q` a step for `q` above 1 and `1 + q` below. Cost: O(walks x steps), with a trial that reads at most five
/// cache lines on average, and never more than a multiple of the two rows' lengths a step.
///
/// # Errors
/// [`Error::Invalid`](crate::Error::Invalid) if `p` or `q` is not from 1e-300 to 1e300, or `starts` are for another number
/// of walks; [`Error::Memory`](crate::Error::Memory) for the tables; [`Error::Interrupted`](crate::Error::Interrupted).
#[allow(clippy::too_many_arguments)]
pub fn walk(
    chain: &MarkovChain,
    starts: &Starts<'_>,
    n_steps: usize,
    p: f64,
    q: f64,
    seed: &Seed,
    first: u64,
    out: &mut [u32],
    control: &Control,
) -> Result<()> {
    let law = law::Law::new(p, q, chain.is_uniform())?;
    if p == 1.0 && q == 1.0 {
        return super::walk::walk(chain, starts, n_steps, seed, first, out, control);
    }
    let width = n_steps + 1;
    let n_walks = out.len() / width;
    check_starts(starts, n_walks)?;
    let plan = Plan { tables: chain.tables(control)?, joined: chain.joined(control)?, law, starts, seed, first, width };
    control.expect(n_walks as u64);
    // Several blocks for each thread, so that none is left with a long last one.
    let block = (n_walks / (8 * control.threads())).clamp(LANES, BLOCK);
    fill_blocks(out, width, block, control, Flight::new, |flight, item, rows| {
        let plan = &plan;
        match (chain.is_uniform(), plan.joined.symmetric()) {
            (true, true) => widest(Block::<false, true> { plan, flight, item, rows, control }),
            (true, false) => widest(Block::<false, false> { plan, flight, item, rows, control }),
            (false, _) => widest(Block::<true, false> { plan, flight, item, rows, control }),
        }
    })
}
