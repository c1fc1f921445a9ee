//! The one gate between the interpreter and the kernels: it releases the interpreter, hears Ctrl-C, reports progress
//! and turns errors and panics into exceptions. No other file detaches, attaches or polls signals.

use crate::error;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use slowthink::Result;
use slowthink::run::{Control, map_items};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

/// How often the waiting thread looks for signals and reports progress.
const POLL: Duration = Duration::from_millis(50);

/// Jobs of at most this much work run on the calling thread: a thread of their own would cost more than it gives.
const BRIEF: f64 = 1e6;

/// How a call is to be run: `(threads, progress)`, as `slowthink._run.options` makes it.
#[derive(FromPyObject)]
pub struct Options(usize, Option<Py<PyAny>>);

impl Options {
    /// One thread, and no reports.
    pub const fn quiet() -> Self {
        Self(1, None)
    }
}

/// Runs `kernel` with the interpreter released.
///
/// `work` is a rough count of the kernel's inner steps (about a nanosecond each): small jobs run right here on one
/// thread, larger ones on threads of their own while this one polls for Ctrl-C and calls `progress(done, total)`.
/// An exception from either stops the kernel, and is raised once its threads have ended.
pub fn run<T: Send>(
    py: Python<'_>,
    options: &Options,
    work: f64,
    kernel: impl FnOnce(&Control) -> Result<T> + Send,
) -> PyResult<T> {
    let Options(threads, progress) = options;
    if work <= BRIEF && progress.is_none() {
        return py.detach(|| guarded(&Control::new(1), kernel));
    }
    let control = &Control::new(*threads);
    let report = |py: Python<'_>| match progress {
        Some(callback) => callback.call1(py, control.progress()).map(drop),
        None => Ok(()),
    };
    let value = py.detach(|| {
        thread::scope(|scope| {
            let (sender, receiver) = sync_channel(1);
            thread::Builder::new().spawn_scoped(scope, move || {
                // The receiver is gone only when the wait below ended with an exception of its own.
                let _ = sender.send(guarded(control, kernel));
            })?;
            loop {
                match receiver.recv_timeout(POLL) {
                    Ok(finished) => return finished,
                    Err(RecvTimeoutError::Timeout) => {
                        let heard = Python::attach(|py| py.check_signals().and_then(|()| report(py)));
                        heard.inspect_err(|_| control.cancel())?; // the scope then joins the kernel
                    }
                    Err(RecvTimeoutError::Disconnected) => return Err(PyRuntimeError::new_err("the kernel vanished")),
                }
            }
        })
    })?;
    report(py)?;
    Ok(value)
}

/// Runs `kernel` right here with the interpreter held: for jobs so short that releasing it would cost more than they do.
pub fn at_once<T>(kernel: impl FnOnce() -> Result<T>) -> PyResult<T> {
    guarded(&Control::new(1), |_| kernel())
}

/// Lets other threads have the interpreter for a moment, and hears Ctrl-C.
pub fn pause(py: Python<'_>) -> PyResult<()> {
    py.detach(|| thread::sleep(Duration::from_millis(1)));
    py.check_signals()
}

/// Runs `kernel` and turns its error or panic into an exception.
fn guarded<T>(control: &Control, kernel: impl FnOnce(&Control) -> Result<T>) -> PyResult<T> {
    match catch_unwind(AssertUnwindSafe(|| kernel(control))) {
        Ok(result) => result.map_err(error::to_python),
        Err(panic) => Err(PyRuntimeError::new_err(format!("bug in slowthink: {}", message(&*panic)))),
    }
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("a panic without a message")
}

/// Burns about `milliseconds` of time in each of `n_items` items and returns their numbers; item `panic_at` panics.
/// Exists to prove the gate by test.
#[pyfunction]
#[pyo3(signature = (n_items, milliseconds, options, panic_at=None))]
pub fn spin(
    py: Python<'_>,
    n_items: usize,
    milliseconds: f64,
    options: Options,
    panic_at: Option<usize>,
) -> PyResult<Vec<usize>> {
    run(py, &options, n_items as f64 * milliseconds * 1e6, |control| {
        map_items(
            n_items,
            1,
            control,
            || (),
            |(), item| {
                assert!(Some(item) != panic_at, "item {item} panics");
                let start = std::time::Instant::now();
                while start.elapsed().as_secs_f64() * 1e3 < milliseconds {
                    std::hint::spin_loop();
                }
                Ok(item)
            },
        )
    })
}

/// How the compiled module was built and what it found: `(version, profile, target, instruction set)`.
#[pyfunction]
pub fn build_info() -> (&'static str, &'static str, String, &'static str) {
    let profile = if cfg!(debug_assertions) { "debug" } else { "release" };
    let target = format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS);
    (env!("CARGO_PKG_VERSION"), profile, target, slowthink::instruction_set())
}
