//! Walks that are watched and not written down: what each step shows is handed on at once, 128 walks together.

use super::matrix::MarkovChain;
use super::ring::{LANES, Ring};
use super::starts::{Starts, Walker};
use super::walk::check_starts;
use crate::error::Result;
use crate::random::Seed;
use crate::run::{Control, fill_blocks};

/// Steps between two looks at the stop flag.
const CHECKED: usize = 1024;

/// Which walks: walk `i` of them is walk `first + i` of `seed` (2^64 comes back to 0), one draw a step, and one for its
/// start if that follows a law.
#[derive(Debug)]
pub struct Walks<'a> {
    /// Where they begin.
    pub starts: Starts<'a>,
    /// How many there are.
    pub n_walks: usize,
    /// Transitions of each.
    pub n_steps: usize,
    /// What they draw from.
    pub seed: Seed,
    /// Number of the first.
    pub first: u64,
}

impl Walks<'_> {
    /// Takes the walks and calls `see(scratch, results, item, step, states)` for each step from 0 to `n_steps`, up to 128
    /// walks at once: `item` is the first of them, `states` are theirs, `results` their part of `out`, which has an element
    /// for each walk. `scratch` makes what one thread needs for itself.
    pub(super) fn watch<T: Send, S>(
        &self,
        chain: &MarkovChain,
        out: &mut [T],
        control: &Control,
        scratch: impl Fn() -> S + Sync,
        see: impl Fn(&mut S, &mut [T], usize, usize, &[u32]) + Sync,
    ) -> Result<()> {
        check_starts(&self.starts, self.n_walks)?;
        let tables = chain.tables(control)?;
        self.expect(control);
        let rings = || (Ring::new(tables), scratch());
        fill_blocks(out, 1, LANES, control, rings, |(ring, scratch), item, results| {
            let n = results.len();
            self.place(ring, item, n);
            see(scratch, results, item, 0, &ring.states()[..n]);
            for step in 1..=self.n_steps {
                ring.step();
                see(scratch, results, item, step, &ring.states()[..n]);
                report(step, n, control)?;
            }
            control.advance((self.n_steps % CHECKED * n) as u64);
            Ok(())
        })
    }

    /// As [`watch`](Self::watch), for pairs of states `lag` steps apart: `see(scratch, states at t, states at t + lag)`
    /// for each t from `from_step` to `n_steps - lag`.
    ///
    /// Beyond a lag of 1 each walk is taken twice, the second time `lag` steps behind: no memory grows with the lag.
    pub(super) fn watch_pairs<S>(
        &self,
        chain: &MarkovChain,
        from_step: usize,
        lag: usize,
        control: &Control,
        scratch: impl Fn() -> S + Sync,
        see: impl Fn(&mut S, &[u32], &[u32]) + Sync,
    ) -> Result<()> {
        check_starts(&self.starts, self.n_walks)?;
        let tables = chain.tables(control)?;
        self.expect(control);
        let rings = || (Ring::new(tables), Ring::new(tables), scratch());
        fill_blocks(&mut vec![(); self.n_walks], 1, LANES, control, rings, |(behind, ahead, scratch), item, walks| {
            let n = walks.len();
            self.place(ahead, item, n);
            if lag > 1 {
                self.place(behind, item, n);
            }
            let mut before = *ahead.states();
            for step in 1..=self.n_steps {
                ahead.step();
                if step >= lag {
                    if step - lag >= from_step {
                        see(scratch, &before[..n], &ahead.states()[..n]);
                    }
                    if lag == 1 {
                        before = *ahead.states();
                    } else {
                        behind.step();
                        before = *behind.states();
                    }
                }
                report(step, n, control)?;
            }
            control.advance((self.n_steps % CHECKED * n) as u64);
            Ok(())
        })
    }

    fn expect(&self, control: &Control) {
        control.expect((self.n_walks as u64).saturating_mul(self.n_steps as u64));
    }

    /// Walk number `item` of these before its first step.
    pub(super) fn walker(&self, item: usize) -> Walker {
        self.starts.walker(&self.seed, self.first, item)
    }

    fn place(&self, ring: &mut Ring<'_>, item: usize, n: usize) {
        for lane in 0..n {
            ring.place(lane, self.walker(item + lane));
        }
    }
}

/// Now and then looks at the stop flag and counts the steps.
#[inline]
fn report(step: usize, n_walks: usize, control: &Control) -> Result<()> {
    if step.is_multiple_of(CHECKED) {
        control.check()?;
        control.advance((CHECKED * n_walks) as u64);
    }
    Ok(())
}
