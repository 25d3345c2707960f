//! Watching work on its way to the device: launch-blocking mode, timelines, `tracing` spans.
//!
//! When nothing watches, an operation pays for one relaxed load.

mod blocking;
#[cfg(feature = "tracing")]
mod spans;
mod timeline;

pub use timeline::{Span, Timeline, Trace, TraceSpan};

use crate::{Result, Stream};
use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU8, Ordering};
use timeline::Recorder;

/// Set in [`Observers::active`]: each operation is waited for.
const BLOCKING: u8 = 1;
/// Set in [`Observers::active`]: a timeline is recorded.
const RECORDING: u8 = 2;

/// Who watches the operations of a runtime.
#[derive(Default)]
pub(crate) struct Observers {
    active: AtomicU8,
    recorder: Mutex<Option<Recorder>>,
}

impl Observers {
    /// Those that the environment asks for.
    pub(crate) fn from_environment() -> Self {
        let observers = Self::default();
        if std::env::var_os("HIP_RS_LAUNCH_BLOCKING").is_some_and(|value| value != "0" && !value.is_empty()) {
            observers.set_blocking(true);
        }
        observers
    }

    pub(crate) fn set_blocking(&self, blocking: bool) {
        if blocking {
            blocking::announce_on_abort();
            self.active.fetch_or(BLOCKING, Ordering::Relaxed);
        } else {
            self.active.fetch_and(!BLOCKING, Ordering::Relaxed);
        }
    }
}

/// What an operation is: its kind, and what tells it from others of its kind. Made only when somebody watches.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    /// `kernel`, `copy`, `fill` or `graph`.
    pub(crate) kind: &'static str,
    /// The kernel's name, or the direction of a copy.
    pub(crate) name: String,
    /// Extents and sizes.
    pub(crate) details: Vec<(&'static str, String)>,
}

impl Operation {
    pub(crate) fn new(kind: &'static str, name: impl Into<String>) -> Self {
        Self { kind, name: name.into(), details: Vec::new() }
    }

    pub(crate) fn detail(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        self.details.push((name, value.to_string()));
        self
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the {} `{}`", self.kind, self.name)?;
        for (index, (name, value)) in self.details.iter().enumerate() {
            write!(f, "{}{name} {value}", if index == 0 { " with " } else { ", " })?;
        }
        Ok(())
    }
}

/// Runs `enqueue`, which gives `stream` an operation, under the eyes of whoever watches.
#[inline]
pub(crate) fn observe(
    stream: &Stream,
    operation: impl FnOnce() -> Operation,
    enqueue: impl FnOnce() -> Result<()>,
) -> Result<()> {
    let active = stream.runtime().shared().observers.active.load(Ordering::Relaxed);
    #[cfg(feature = "tracing")]
    if active == 0 && !spans::enabled() {
        return enqueue();
    }
    #[cfg(not(feature = "tracing"))]
    if active == 0 {
        return enqueue();
    }
    watched(stream, active, operation(), enqueue)
}

#[cold]
#[inline(never)]
fn watched(
    stream: &Stream,
    active: u8,
    operation: Operation,
    enqueue: impl FnOnce() -> Result<()>,
) -> Result<()> {
    #[cfg(feature = "tracing")]
    let _span = spans::enter(stream, &operation);
    // Work that is only captured into a graph does not run yet.
    if stream.is_capture() {
        return enqueue();
    }
    let observers = &stream.runtime().shared().observers;
    let started = match active & RECORDING {
        0 => None,
        _ => observers.lock().as_mut().and_then(|recorder| recorder.before(stream)),
    };
    let _announced = (active & BLOCKING != 0).then(|| blocking::Announced::new(stream, &operation));
    let mut outcome = enqueue();
    if active & BLOCKING != 0 {
        outcome = outcome.and_then(|()| blocking::wait(stream, &operation));
    }
    if let Some(started) = started
        && let Some(recorder) = observers.lock().as_mut()
    {
        recorder.after(stream, operation, started);
    }
    outcome
}

impl Observers {
    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Recorder>> {
        self.recorder.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}
