//! How a kernel runs: fixed blocks of items shared out to threads, cancel, progress; the same bytes for any number
//! of threads.
//!
//! A kernel takes a [`Control`] and hands its items to [`fill_rows`] (each item owns a row of the output) or
//! [`map_items`] (each item yields a value, returned in item order). Blocks only share out the work: what an item
//! computes, and which random stream it draws from, depends on its number alone.

use crate::error::{Error, Result};
use std::panic::resume_unwind;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread;

/// Items after which a thread adds to the common count. Per item the count would cost more than a short item itself:
/// its cache line travels between the threads.
const COUNTED: usize = 32;

/// The line between a running kernel and its caller: how many threads it may use, a stop flag and a count of items.
#[derive(Debug)]
pub struct Control {
    threads: usize,
    stop: OwnLine<AtomicBool>,
    done: OwnLine<AtomicU64>,
    total: AtomicU64,
}

/// Keeps the flag that every item reads off the cache line of the counter that all threads write.
#[derive(Debug)]
#[repr(align(128))]
struct OwnLine<T>(T);

impl Default for Control {
    /// One thread.
    fn default() -> Self {
        Self::new(1)
    }
}

impl Control {
    /// A control for a job on at most `threads` threads (at least one is used).
    pub const fn new(threads: usize) -> Self {
        Self {
            threads: if threads == 0 { 1 } else { threads },
            stop: OwnLine(AtomicBool::new(false)),
            done: OwnLine(AtomicU64::new(0)),
            total: AtomicU64::new(0),
        }
    }

    /// The largest number of threads the job may use.
    pub const fn threads(&self) -> usize {
        self.threads
    }

    /// Asks the kernel to stop at its next [`check`](Self::check).
    pub fn cancel(&self) {
        self.stop.0.store(true, Relaxed);
    }

    /// Fails with [`Error::Interrupted`] after [`cancel`](Self::cancel). A kernel calls it at least every 10 ms of
    /// work, inside a long item too.
    ///
    /// # Errors
    /// [`Error::Interrupted`].
    #[inline]
    pub fn check(&self) -> Result<()> {
        if self.stop.0.load(Relaxed) { Err(Error::Interrupted) } else { Ok(()) }
    }

    /// Items done and items in all (0 until the kernel knows).
    pub fn progress(&self) -> (u64, u64) {
        (self.done.0.load(Relaxed), self.total.load(Relaxed))
    }

    /// Adds `items` to the size of the job.
    pub fn expect(&self, items: u64) {
        self.total.fetch_add(items, Relaxed);
    }

    /// Adds `items` to those done.
    pub fn advance(&self, items: u64) {
        self.done.0.fetch_add(items, Relaxed);
    }
}

/// Fills `out`, `width` elements an item, in blocks of `block` items: `kernel(scratch, item, row)` once for each item.
///
/// `scratch` makes the working memory of one thread; its content must not carry anything from item to item.
///
/// # Errors
/// What `kernel` returns for the first of the items, in their order, that fails; and [`Error::Interrupted`].
///
/// # Panics
/// If `out` is not a whole number of rows, or as `kernel` does.
pub fn fill_rows<T: Send, S>(
    out: &mut [T],
    width: usize,
    block: usize,
    control: &Control,
    scratch: impl Fn() -> S + Sync,
    kernel: impl Fn(&mut S, usize, &mut [T]) -> Result<()> + Sync,
) -> Result<()> {
    control.expect(out.len().checked_div(width).unwrap_or(0) as u64);
    fill_blocks(out, width, block, control, scratch, |scratch, first, rows| {
        for (part, rows) in rows.chunks_mut(width * COUNTED).enumerate() {
            for (i, row) in rows.chunks_mut(width).enumerate() {
                control.check()?;
                kernel(scratch, first + part * COUNTED + i, row)?;
            }
            control.advance((rows.len() / width) as u64);
        }
        Ok(())
    })
}

/// As [`fill_rows`], for kernels that work on many items together: `kernel(scratch, first, rows)` fills the rows of a
/// whole block, whose first item is `first`; the last block may be shorter. The kernel itself looks at the stop flag,
/// and counts the items: [`Control::expect`], [`Control::advance`].
///
/// # Errors
/// What `kernel` returns for the first of the blocks, in their order, that fails; and [`Error::Interrupted`].
///
/// # Panics
/// If `out` is not a whole number of rows, or as `kernel` does.
pub fn fill_blocks<T: Send, S>(
    out: &mut [T],
    width: usize,
    block: usize,
    control: &Control,
    scratch: impl Fn() -> S + Sync,
    kernel: impl Fn(&mut S, usize, &mut [T]) -> Result<()> + Sync,
) -> Result<()> {
    if width == 0 || out.is_empty() {
        return control.check();
    }
    assert_eq!(out.len() % width, 0, "the output is not a whole number of rows");
    let block = block.max(1);
    let n_threads = control.threads().min((out.len() / width).div_ceil(block));
    // The blocks not yet begun, and the first block that failed.
    let queue = Mutex::new((out.chunks_mut(width * block).enumerate(), None::<(usize, Error)>));
    let result = on_threads(n_threads, control, || {
        let mut scratch = scratch();
        loop {
            control.check()?;
            // A poisoned queue means that another thread panicked: its panic is the one to report.
            let next = queue.lock().map(|mut queue| if queue.1.is_none() { queue.0.next() } else { None });
            let Ok(Some((number, rows))) = next else { return Ok(()) };
            let Err(error) = kernel(&mut scratch, number * block, rows) else { continue };
            // Whichever thread is quicker, the caller hears of the same error: blocks are begun in their order, so all
            // before this one are done or under way, and one of those may still fail.
            if let Ok(mut queue) = queue.lock()
                && queue.1.as_ref().is_none_or(|(first, _)| number < *first)
            {
                queue.1 = Some((number, error));
            }
        }
    });
    match queue.into_inner() {
        Ok((_, Some((_, error)))) => Err(error),
        _ => result,
    }
}

/// The values of `kernel(scratch, item)` for items `0..n_items`, in that order; see [`fill_rows`].
///
/// # Errors
/// What `kernel` returns for the first of the items, in their order, that fails; and [`Error::Interrupted`].
///
/// # Panics
/// As `kernel` does.
pub fn map_items<T: Send, S>(
    n_items: usize,
    block: usize,
    control: &Control,
    scratch: impl Fn() -> S + Sync,
    kernel: impl Fn(&mut S, usize) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    let mut out: Vec<Option<T>> = Vec::new();
    out.try_reserve_exact(n_items).map_err(|_| Error::Memory(n_items.saturating_mul(size_of::<Option<T>>())))?;
    out.resize_with(n_items, || None);
    fill_rows(&mut out, 1, block, control, scratch, |scratch, item, slot| {
        slot[0] = Some(kernel(scratch, item)?);
        Ok(())
    })?;
    Ok(out.into_iter().flatten().collect())
}

/// Runs `work` on `n_threads` threads at once and joins them all. A panic on one stops the others and is passed on with
/// its own message.
///
/// Where there is more than one, this thread only waits. Did it work too, Linux would often leave the thread that it
/// starts last on its own processor for several milliseconds: on two processors jobs of 3 ms took 5.7 ms, not 3.0.
fn on_threads(n_threads: usize, control: &Control, work: impl Fn() -> Result<()> + Sync) -> Result<()> {
    struct CancelOnPanic<'a>(&'a Control);
    impl Drop for CancelOnPanic<'_> {
        fn drop(&mut self) {
            if thread::panicking() {
                self.0.cancel();
            }
        }
    }
    let guarded = || {
        let _guard = CancelOnPanic(control);
        work()
    };
    if n_threads <= 1 {
        return guarded();
    }
    thread::scope(|scope| {
        // If the system refuses a thread, those that started do the work, or this one if there is none.
        let helpers: Vec<_> =
            (0..n_threads).map_while(|_| thread::Builder::new().spawn_scoped(scope, guarded).ok()).collect();
        let mut result = if helpers.is_empty() { guarded() } else { Ok(()) };
        for helper in helpers {
            match helper.join() {
                Ok(other) => result = result.and(other),
                Err(panic) => resume_unwind(panic),
            }
        }
        result
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::invalid;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::time::Instant;

    fn squares(threads: usize, block: usize) -> Vec<u64> {
        map_items(1000, block, &Control::new(threads), || (), |(), i| Ok((i * i) as u64)).unwrap()
    }

    #[test]
    fn results_come_in_item_order_for_any_threads_and_blocks() {
        let expected: Vec<u64> = (0..1000).map(|i| i * i).collect();
        for (threads, block) in [(1, 1), (2, 7), (7, 64), (64, 10_000)] {
            assert_eq!(squares(threads, block), expected);
        }
    }

    #[test]
    fn every_row_is_filled_once_and_counted() {
        for block in [1, 4, 70, 1000] {
            fill_and_count(block);
        }
    }

    fn fill_and_count(block: usize) {
        let control = Control::new(3);
        let mut out = vec![0u32; 5 * 101];
        fill_rows(
            &mut out,
            5,
            block,
            &control,
            || 1,
            |one, item, row| {
                for x in row {
                    *x += *one + item as u32;
                }
                Ok(())
            },
        )
        .unwrap();
        assert!(out.iter().enumerate().all(|(i, &x)| x == 1 + (i / 5) as u32));
        assert_eq!(control.progress(), (101, 101));
    }

    #[test]
    fn cancel_stops_all_threads() {
        let control = Control::new(2);
        let result = map_items(
            1 << 20,
            1,
            &control,
            || (),
            |(), i| {
                if i == 100 {
                    control.cancel();
                }
                Ok(())
            },
        );
        assert_eq!(result, Err(Error::Interrupted));
        assert!(control.progress().0 < 1 << 19);
    }

    #[test]
    fn the_first_item_that_fails_is_named_however_long_it_takes() {
        let wrong = |item: usize| invalid("item", &[item], "", "not fail");
        for (threads, block) in [(1, 1), (2, 1), (7, 1), (7, 3)] {
            let (control, failed) = (Control::new(threads), AtomicU64::new(0));
            let kernel = |(): &mut (), item: usize| match item {
                // The other one is quicker wherever there is a second thread to come to it.
                20 => {
                    let start = Instant::now();
                    while threads > 1 && failed.load(Relaxed) == 0 {
                        assert!(start.elapsed().as_secs() < 60, "nobody else failed");
                        thread::yield_now();
                    }
                    Err(wrong(item))
                }
                23.. => {
                    failed.fetch_add(1, Relaxed);
                    Err(wrong(item))
                }
                _ => Ok(()),
            };
            let result = map_items(1 << 20, block, &control, || (), kernel);
            assert_eq!(result, Err(wrong(20)), "{threads} threads");
            assert!(failed.load(Relaxed) < 7, "nothing is begun after an error");
        }
    }

    #[test]
    fn a_panic_keeps_its_message_and_stops_the_others() {
        for threads in [1, 2, 7] {
            let control = Control::new(threads);
            let panic = catch_unwind(AssertUnwindSafe(|| {
                map_items(
                    1 << 20,
                    1,
                    &control,
                    || (),
                    |(), i| {
                        assert!(i != 50, "item {i}");
                        // However long the panic takes to be told of, the others find that they are to stop.
                        let start = Instant::now();
                        while i > 1000 && control.check().is_ok() {
                            assert!(start.elapsed().as_secs() < 60, "nobody was stopped");
                            thread::yield_now();
                        }
                        Ok(())
                    },
                )
            }))
            .unwrap_err();
            assert_eq!(panic.downcast_ref::<String>().map(String::as_str), Some("item 50"));
            assert!(control.progress().0 < 1 << 19);
        }
    }

    #[test]
    fn nothing_to_do_is_done() {
        assert_eq!(map_items(0, 8, &Control::default(), || (), |(), i| Ok(i)), Ok(vec![]));
    }
}
