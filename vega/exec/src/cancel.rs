//! Stops dispatches from another thread, or holds them for a while.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

#[derive(Debug, Default)]
struct State {
    canceled: AtomicBool,
    held: AtomicBool,
    /// Threads that execute waves.
    running: Mutex<u32>,
    changed: Condvar,
}

/// Stops the dispatches that run with it, when their queue is destroyed, and holds them, when it is suspended.
#[derive(Clone, Debug, Default)]
pub struct CancelToken(Arc<State>);

impl CancelToken {
    /// A token that is not set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks the dispatches that hold this token to end, held or not. [`Engine::run`](crate::Engine::run)
    /// returns soon after.
    pub fn cancel(&self) {
        self.0.canceled.store(true, Ordering::Release);
        self.change(&self.0.held, false);
    }

    /// Whether [`cancel`](Self::cancel) was called.
    pub fn is_canceled(&self) -> bool {
        self.0.canceled.load(Ordering::Acquire)
    }

    /// Holds the dispatches: returns when none of their waves runs any more. They keep their registers and
    /// LDS, and go on after [`resume`](Self::resume).
    pub fn hold(&self) {
        self.change(&self.0.held, !self.is_canceled());
        let mut running = self.lock();
        while *running != 0 && self.is_held() {
            running = self.0.changed.wait(running).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Lets held dispatches go on.
    pub fn resume(&self) {
        self.change(&self.0.held, false);
    }

    /// Whether waves must not run now.
    pub(crate) fn is_held(&self) -> bool {
        self.0.held.load(Ordering::Relaxed)
    }

    /// The calling thread executes waves until the guard is dropped.
    pub(crate) fn run(&self) -> Running<'_> {
        *self.lock() += 1;
        Running(self)
    }

    /// Waits, without executing waves, until they may run again or the dispatch is to end.
    pub(crate) fn wait(&self) {
        let mut running = self.lock();
        *running -= 1;
        self.0.changed.notify_all();
        while self.is_held() {
            running = self.0.changed.wait(running).unwrap_or_else(PoisonError::into_inner);
        }
        *running += 1;
    }

    fn lock(&self) -> MutexGuard<'_, u32> {
        self.0.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets a flag that those who wait look at with the lock held.
    fn change(&self, flag: &AtomicBool, value: bool) {
        let running = self.lock();
        flag.store(value, Ordering::Release);
        drop(running);
        self.0.changed.notify_all();
    }
}

/// A thread that executes waves.
pub(crate) struct Running<'a>(&'a CancelToken);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        *self.0.lock() -= 1;
        self.0.0.changed.notify_all();
    }
}
