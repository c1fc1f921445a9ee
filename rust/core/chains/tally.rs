//! Counting on many threads: each has counters of its own, as long as those take little memory together. Where they
//! would not, an event goes to the end of a list, one list for each part of the counters, and a list that is full is
//! counted by one thread at a time, while the part is in its cache.
//!
//! Counts are integers, so that their order does not matter.

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

/// Events and the counters they belong to. The high part of an event, above [`SHIFT`](Self::SHIFT) bits, is its group;
/// the counters of a group stand together, and groups in order of their number.
pub(super) trait Events: Sync {
    const SHIFT: u32;
    /// Number of groups.
    fn n_groups(&self) -> usize;
    /// Where the counters of a group begin, also for the group after the last.
    fn begin(&self, group: usize) -> usize;
    /// The counter of the event.
    fn counter(&self, event: u64) -> usize;
}

/// Events that are themselves the number of their counter, of so many counters.
pub(super) struct Direct(pub(super) usize);

impl Events for Direct {
    const SHIFT: u32 = 0;

    fn n_groups(&self) -> usize {
        self.0
    }

    fn begin(&self, group: usize) -> usize {
        group
    }

    #[inline]
    fn counter(&self, event: u64) -> usize {
        event as usize
    }
}

/// The counters of all threads, and the events that they count.
pub(super) struct Tally<'a, E> {
    events: E,
    parts: Vec<Mutex<Part<'a>>>,
    shift: u32,
    private: bool,
}

struct Part<'a> {
    /// Number of the first counter.
    begin: usize,
    counts: &'a mut [i64],
}

impl<'a, E: Events> Tally<'a, E> {
    /// For counting on `n_threads` threads; what they count is added to what `counts` holds.
    ///
    /// # Panics
    /// If there is not one counter for each that `events` knows.
    pub(super) fn new(events: E, counts: &'a mut [i64], n_threads: usize) -> Self {
        let n_groups = events.n_groups();
        assert_eq!(counts.len(), events.begin(n_groups), "one counter for each");
        let private = counts.len().saturating_mul(4 * n_threads) <= PRIVATE;
        let shift = n_groups.div_ceil(PARTS).max(1).next_power_of_two().ilog2();
        let (mut parts, mut rest, mut group) = (Vec::new(), counts, 0);
        while group < n_groups {
            let begin = events.begin(group);
            group = n_groups.min(group + (1 << shift));
            let (counts, others) = rest.split_at_mut(events.begin(group) - begin);
            parts.push(Mutex::new(Part { begin, counts }));
            rest = others;
        }
        Self { events, parts, shift: shift + E::SHIFT, private }
    }

    /// What one thread counts with. All has been counted once it is dropped.
    pub(super) fn counter(&self) -> Counter<'_, 'a, E> {
        let count = if self.private {
            let n_counters = self.parts.iter().map(|part| lock(part).counts.len()).sum();
            Count::Here(vec![0; n_counters], 0)
        } else {
            Count::Later(Waiting::new(self.parts.len(), self.shift))
        };
        Counter { tally: self, count }
    }

    fn count(&self, part: usize, events: &[u64]) {
        let mut part = lock(&self.parts[part]);
        let Part { begin, counts } = &mut *part;
        for &event in events {
            counts[self.events.counter(event) - *begin] += 1;
        }
    }
}

/// A poisoned lock means that another thread panicked: its panic is the one to report.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What one thread counts with.
pub(super) struct Counter<'t, 'a, E: Events> {
    tally: &'t Tally<'a, E>,
    count: Count,
}

enum Count {
    /// The counts of this thread, and a bound of the largest.
    Here(Vec<u32>, u32),
    Later(Waiting),
}

impl<E: Events> Counter<'_, '_, E> {
    /// Counts at most 1024 events.
    #[inline]
    pub(super) fn add(&mut self, events: impl Iterator<Item = u64>) {
        let tally = self.tally;
        match &mut self.count {
            Count::Here(counts, most) => {
                for event in events {
                    counts[tally.events.counter(event)] += 1;
                }
                *most += 1024;
                if *most > u32::MAX - 2048 {
                    self.flush();
                }
            }
            Count::Later(waiting) => waiting.add(events, |part, events| tally.count(part, events)),
        }
    }

    #[cold]
    fn flush(&mut self) {
        let tally = self.tally;
        match &mut self.count {
            Count::Here(counts, most) => {
                for part in &tally.parts {
                    let mut part = lock(part);
                    let Part { begin, counts: sums } = &mut *part;
                    for (sum, count) in sums.iter_mut().zip(&mut counts[*begin..]) {
                        *sum += i64::from(std::mem::take(count));
                    }
                }
                *most = 0;
            }
            Count::Later(waiting) => waiting.drain(|part, events| tally.count(part, events)),
        }
    }
}

impl<E: Events> Drop for Counter<'_, '_, E> {
    fn drop(&mut self) {
        self.flush();
    }
}
