//! Counting on many threads: each has counters of its own, as long as those take little memory together. Where they
//! would not, an event goes to the end of a list, one list for each part of the counters, and a list that is full is
//! counted by one thread at a time, while the part is in its cache.
//!
//! Counts are integers, so that their order does not matter.

use super::ring::LANES;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Bytes that the counters of all threads together may take beside those of the result.
const PRIVATE: usize = 1 << 26;

/// Parts of the counters.
const PARTS: usize = 256;

/// Events that wait for a part before they are counted.
const WAITING: usize = 2048;

/// Events sorted by the part of the counters where they belong, a short list for each.
pub(super) struct Waiting {
    events: Vec<u64>,
    lengths: Vec<usize>,
    /// The part of an event is the event divided by 2^shift.
    shift: u32,
}

impl Waiting {
    pub(super) fn new(n_parts: usize, shift: u32) -> Self {
        Self { events: vec![0; n_parts * WAITING], lengths: vec![0; n_parts], shift }
    }

    /// Takes events; `count(part, events)` when a list is full.
    #[inline]
    pub(super) fn add(&mut self, events: impl Iterator<Item = u64>, count: impl Fn(usize, &[u64])) {
        for event in events {
            let part = (event >> self.shift) as usize;
            let n = self.lengths[part];
            self.events[part * WAITING + n] = event;
            self.lengths[part] = n + 1;
            if n + 1 == WAITING {
                count(part, &self.events[part * WAITING..][..WAITING]);
                self.lengths[part] = 0;
            }
        }
    }

    /// Empties all lists.
    pub(super) fn drain(&mut self, count: impl Fn(usize, &[u64])) {
        for (part, (events, n)) in self.events.chunks(WAITING).zip(&mut self.lengths).enumerate() {
            count(part, &events[..std::mem::take(n)]);
        }
    }
}

/// Counters that all threads add to; an event is the number of its counter.
pub(super) struct Tally<'a> {
    parts: Vec<Mutex<&'a mut [i64]>>,
    /// A part has 2^shift counters, but for the last.
    shift: u32,
    n_counters: usize,
    private: bool,
}

impl<'a> Tally<'a> {
    /// For counting on `n_threads` threads; what they count is added to what `counts` holds.
    pub(super) fn new(counts: &'a mut [i64], n_threads: usize) -> Self {
        let n_counters = counts.len();
        let private = n_counters.saturating_mul(4 * n_threads) <= PRIVATE;
        let shift = n_counters.div_ceil(PARTS).max(1).next_power_of_two().ilog2();
        Self { parts: counts.chunks_mut(1 << shift).map(Mutex::new).collect(), shift, n_counters, private }
    }

    /// What one thread counts with. All has been counted once it is dropped.
    pub(super) fn counter(&self) -> Counter<'_, 'a> {
        let count = if self.private {
            Count::Here { counts: vec![0; self.n_counters], most: 0 }
        } else {
            Count::Later(Waiting::new(self.parts.len(), self.shift))
        };
        Counter { tally: self, count }
    }

    fn count(&self, part: usize, events: &[u64]) {
        let mut counts = lock(&self.parts[part]);
        let first = (part as u64) << self.shift;
        for &event in events {
            counts[(event - first) as usize] += 1;
        }
    }
}

/// A poisoned lock means that another thread panicked: its panic is the one to report.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What one thread counts with.
pub(super) struct Counter<'t, 'a> {
    tally: &'t Tally<'a>,
    count: Count,
}

enum Count {
    /// The counts of this thread, of which none is above `most`.
    Here {
        counts: Vec<u32>,
        most: u32,
    },
    Later(Waiting),
}

impl Counter<'_, '_> {
    /// Counts events, at most [`LANES`] of them.
    #[inline]
    pub(super) fn add(&mut self, events: impl Iterator<Item = u64>) {
        let tally = self.tally;
        match &mut self.count {
            Count::Here { counts, most } => {
                for event in events {
                    counts[event as usize] += 1;
                }
                *most += LANES as u32;
                if *most > u32::MAX - LANES as u32 {
                    self.flush();
                }
            }
            Count::Later(waiting) => waiting.add(events, |part, events| tally.count(part, events)),
        }
    }

    /// Adds what this thread has counted to what all have.
    #[cold]
    fn flush(&mut self) {
        let tally = self.tally;
        match &mut self.count {
            Count::Here { counts, most } => {
                for (part, counts) in tally.parts.iter().zip(counts.chunks_mut(1 << tally.shift)) {
                    for (sum, count) in lock(part).iter_mut().zip(counts) {
                        *sum += i64::from(std::mem::take(count));
                    }
                }
                *most = 0;
            }
            Count::Later(waiting) => waiting.drain(|part, events| tally.count(part, events)),
        }
    }
}

impl Drop for Counter<'_, '_> {
    fn drop(&mut self) {
        self.flush();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;
    use std::thread;

    /// Counts `n_events` events on each of `n_threads` threads, and compares with counting one after another.
    fn count(n_counters: usize, n_threads: usize, n_events: usize) -> bool {
        let events = |thread: usize| {
            let mut stream = Seed::from_u64(1).stream(thread as u64);
            // Half of them at one counter, as at the hub of a graph.
            (0..n_events).map(move |_| stream.below(2) * stream.below(n_counters as u64)).collect::<Vec<u64>>()
        };
        let mut expected = vec![3; n_counters];
        for event in (0..n_threads).flat_map(events) {
            expected[event as usize] += 1;
        }
        let mut counts = vec![3; n_counters];
        let tally = Tally::new(&mut counts, n_threads);
        let private = tally.private;
        thread::scope(|scope| {
            for thread in 0..n_threads {
                let (tally, events) = (&tally, events(thread));
                scope.spawn(move || {
                    let mut counter = tally.counter();
                    for events in events.chunks(LANES) {
                        counter.add(events.iter().copied());
                    }
                });
            }
        });
        drop(tally);
        assert_eq!(counts, expected);
        private
    }

    #[test]
    fn every_event_is_counted_once() {
        for n_threads in [1, 3] {
            for n_counters in [1, 2, 255, 256, 257, 70_001] {
                assert!(count(n_counters, n_threads, 5000));
            }
        }
        let many = PRIVATE / 4 / 3 + 1;
        assert!(!count(many, 3, 1_000_000), "these are counted part by part");
        assert!(count(many - 1, 3, 1000), "and these by each thread");
    }

    #[test]
    fn counts_are_handed_on_before_they_overflow() {
        let mut counts = vec![0; 2];
        let tally = Tally::new(&mut counts, 1);
        let mut counter = tally.counter();
        if let Count::Here { counts, most } = &mut counter.count {
            (counts[1], *most) = (u32::MAX - 2 * LANES as u32, u32::MAX - 2 * LANES as u32);
        }
        for _ in 0..4 {
            counter.add(std::iter::repeat_n(1, LANES));
        }
        drop(counter);
        drop(tally);
        assert_eq!(counts, [0, i64::from(u32::MAX) + 2 * LANES as i64]);
    }

    #[test]
    fn no_counters_count_nothing() {
        let tally = Tally::new(&mut [], 2);
        tally.counter().add(std::iter::empty());
    }
}
