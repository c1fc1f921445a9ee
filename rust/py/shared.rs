//! A value of the core that a Python object holds and changes: one call at a time, whichever threads call.

use crate::run::{Options, at_once, pause, run};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use slowthink::Result;
use slowthink::run::Control;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, TryLockError};
use std::thread::{self, ThreadId};

/// A value behind a lock that cannot deadlock with the interpreter.
pub struct Shared<T> {
    value: Mutex<T>,
    /// The thread whose call released the interpreter and holds the value.
    holder: Mutex<Option<ThreadId>>,
    /// Whether a panic left the value as it must not be.
    broken: AtomicBool,
}

impl<T: Send> Shared<T> {
    pub const fn new(value: T) -> Self {
        Self { value: Mutex::new(value), holder: Mutex::new(None), broken: AtomicBool::new(false) }
    }

    /// Runs a short `kernel` on the value with the interpreter held.
    pub fn at_once<R>(&self, py: Python<'_>, kernel: impl FnOnce(&mut T) -> Result<R>) -> PyResult<R> {
        let mut value = self.lock(py)?;
        let mut ended = false;
        let result = at_once(|| {
            let result = kernel(&mut value);
            ended = true;
            result
        });
        self.broken.fetch_or(!ended, Ordering::Relaxed);
        result
    }

    /// Runs a long `kernel` on the value through the gate, which releases the interpreter.
    pub fn run<R: Send>(
        &self,
        py: Python<'_>,
        options: &Options,
        work: f64,
        kernel: impl FnOnce(&mut T, &Control) -> Result<R> + Send,
    ) -> PyResult<R> {
        let mut value = self.lock(py)?;
        let held = &mut *value;
        let mut ended = false;
        self.hold(Some(thread::current().id()));
        let result = run(py, options, work, |control| {
            let result = kernel(held, control);
            ended = true;
            result
        });
        self.hold(None);
        self.broken.fetch_or(!ended, Ordering::Relaxed);
        result
    }

    fn hold(&self, holder: Option<ThreadId>) {
        // Nothing panics while this lock is held.
        if let Ok(mut place) = self.holder.lock() {
            *place = holder;
        }
    }

    /// Waits with the interpreter released: whoever holds the value may need it to finish.
    fn lock(&self, py: Python<'_>) -> PyResult<MutexGuard<'_, T>> {
        loop {
            let tried = self.value.try_lock();
            if self.broken.load(Ordering::Relaxed) {
                return Err(PyRuntimeError::new_err("an earlier bug left this object in an unknown state"));
            }
            match tried {
                Ok(value) => return Ok(value),
                Err(TryLockError::Poisoned(poisoned)) => return Ok(poisoned.into_inner()),
                Err(TryLockError::WouldBlock) => {}
            }
            if self.holder.lock().is_ok_and(|holder| *holder == Some(thread::current().id())) {
                return Err(PyRuntimeError::new_err("the object is at work: its progress callback cannot use it"));
            }
            pause(py)?;
        }
    }
}
