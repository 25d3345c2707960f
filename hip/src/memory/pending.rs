//! Values that the device is using.
//!
//! A value in a [`Pending`] is out of reach of safe code: it comes back when the device is done with it. However a
//! `Pending` ends (waited for, dropped, forgotten), its memory is not freed before that.

use crate::event::Marker;
use crate::stream::StreamShared;
use crate::{Device, Result, Stream};
use std::fmt;

/// A value that work on a stream uses, and that comes back when the work is done.
///
/// Dropping it does not wait: the value is kept until the work is done, and dropped then. Forgetting it leaks the value.
#[must_use = "the value comes back from `wait`"]
pub struct Pending<T: Send + 'static> {
    device: Device,
    /// `None` once taken.
    inner: Option<(Marker, T)>,
}

impl<T: Send + 'static> Pending<T> {
    /// Marks the end of what the stream has been given: `value` is used by that.
    pub(super) fn new(stream: &Stream, value: T) -> Result<Self> {
        match Marker::record(stream.shared()) {
            Ok(marker) => Ok(Self { device: stream.device(), inner: Some((marker, value)) }),
            Err(error) => {
                give_up(stream.shared(), value);
                Err(error)
            }
        }
    }

    /// Waits in this thread until the device is done with the value, and gives it back.
    ///
    /// # Errors
    /// The failure of `hipEventSynchronize`, or of the work. The value does not come back then.
    #[doc(alias = "hipEventSynchronize")]
    pub fn wait(mut self) -> Result<T> {
        if let Some((marker, _)) = &self.inner {
            marker.wait()?;
        }
        match self.inner.take() {
            Some((_, value)) => Ok(value),
            None => unreachable!("the value is taken by `wait` or `drop` only, and both end the Pending"),
        }
    }

    /// Whether the device is done with the value, so that [`wait`](Self::wait) returns at once.
    ///
    /// # Errors
    /// The failure of `hipEventQuery`, or of the work.
    #[doc(alias = "hipEventQuery")]
    pub fn is_done(&self) -> Result<bool> {
        self.inner.as_ref().map_or(Ok(true), |(marker, _)| marker.passed())
    }
}

impl<T: Send + 'static> Drop for Pending<T> {
    fn drop(&mut self) {
        if let Some((marker, value)) = self.inner.take() {
            self.device.runtime().shared().deferred.push(marker, Box::new(value));
        }
    }
}

impl<T: Send + 'static> fmt::Debug for Pending<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pending").field("device", &self.device).finish_non_exhaustive()
    }
}

/// Ends the life of a value that a failed call may have left in use: by waiting for the stream, else by leaking it.
#[cold]
pub(super) fn give_up<T>(stream: &StreamShared, value: T) {
    match stream.synchronize() {
        Ok(()) => drop(value),
        Err(error) => {
            stream.device().runtime().report(&error);
            std::mem::forget(value);
        }
    }
}
