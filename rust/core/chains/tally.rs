//! Counting on many threads at the speed of the cache: few counters are private to each thread; of many, the events are
//! first sorted by the part of the array where they count.
//!
//! A count far away in memory costs as much as a step of a walk. Here an event goes to the end of a short list, one list
//! for each part of the array, and a list that is full is counted while its part is in the cache, by one thread at a time.
//! Counts are integers, so that their order does not matter.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Counters that a part has at least: 256 KiB.
const PART: usize = 1 << 15;

/// Parts at most; beyond this they become longer.
const MOST_PARTS: usize = 512;

/// Events that wait for a part before they are counted.
const WAITING: usize = 256;

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
}

struct Part<'a> {
    /// Number of the first counter.
    begin: usize,
    counts: &'a mut [i64],
}

impl<'a, E: Events> Tally<'a, E> {
    /// Counts are added to what `counts` holds.
    ///
    /// # Panics
    /// If there is not one counter for each that `events` knows.
    pub(super) fn new(events: E, counts: &'a mut [i64]) -> Self {
        let n_groups = events.n_groups();
        assert_eq!(counts.len(), events.begin(n_groups), "one counter for each");
        let n_parts = counts.len().div_ceil(PART).clamp(1, MOST_PARTS);
        let shift = n_groups.div_ceil(n_parts).max(1).next_power_of_two().ilog2();
        let (mut parts, mut rest, mut group) = (Vec::new(), counts, 0);
        while group < n_groups {
            let begin = events.begin(group);
            group = n_groups.min(group + (1 << shift));
            let (counts, others) = rest.split_at_mut(events.begin(group) - begin);
            parts.push(Mutex::new(Part { begin, counts }));
            rest = others;
        }
        Self { events, parts, shift: shift + E::SHIFT }
    }

    /// What one thread counts with. All has been counted once it is dropped.
    pub(super) fn counter(&self) -> Counter<'_, 'a, E> {
        let count = match &self.parts[..] {
            [part] => Count::Here(vec![0; lock(part).counts.len()]),
            parts => Count::Later(Waiting::new(parts.len(), self.shift)),
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
    /// The counts of this thread, where there is a single part.
    Here(Vec<i64>),
    Later(Waiting),
}

impl<E: Events> Counter<'_, '_, E> {
    /// Counts events.
    #[inline]
    pub(super) fn add(&mut self, events: impl Iterator<Item = u64>) {
        let tally = self.tally;
        match &mut self.count {
            Count::Here(counts) => {
                for event in events {
                    counts[tally.events.counter(event)] += 1;
                }
            }
            Count::Later(waiting) => waiting.add(events, |part, events| tally.count(part, events)),
        }
    }
}

impl<E: Events> Drop for Counter<'_, '_, E> {
    fn drop(&mut self) {
        let tally = self.tally;
        match &mut self.count {
            Count::Here(counts) => {
                let mut part = lock(&tally.parts[0]);
                for (count, &more) in part.counts.iter_mut().zip(&*counts) {
                    *count += more;
                }
            }
            Count::Later(waiting) => waiting.drain(|part, events| tally.count(part, events)),
        }
    }
}
