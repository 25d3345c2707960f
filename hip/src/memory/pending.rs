//! Values that the device is using.
//!
//! A value in a [`Pending`] is out of reach of safe code: it comes back when the device is done with it. However a
//! `Pending` ends (waited for, dropped, forgotten), its memory is not freed before that.

use crate::callback::Alarm;
use crate::event::Marker;
use crate::stream::StreamShared;
use crate::{Result, Stream};
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// A value that work on a stream uses, and that comes back when the work is done.
///
/// Dropping it does not wait: the value is kept until the work is done, and dropped then. Forgetting it leaks the value.
///
/// It is a future, too: awaiting it gives the value back. No executor of any kind is needed, as the stream itself wakes the
/// task; a future that is dropped half-way is a dropped `Pending`.
///
/// ```no_run
/// # async fn f() -> hip::Result<()> {
/// # let stream = hip::Device::first()?.stream()?;
/// # let buffer = hip::DeviceBuffer::<f32>::zeroed(&stream, 1000)?;
/// let numbers = stream.download_async(&buffer, vec![0.0; 1000])?.await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "the value comes back from `wait`"]
pub struct Pending<T: Send + 'static> {
    stream: Arc<StreamShared>,
    /// `None` once taken.
    inner: Option<(Marker, T)>,
    /// Set when a task polls.
    alarm: Option<Alarm>,
}

/// The value is never pinned: it is handed out as a whole.
impl<T: Send + 'static> Unpin for Pending<T> {}

impl<T: Send + 'static> Pending<T> {
    /// Marks the end of what the stream has been given: `value` is used by that.
    pub(super) fn new(stream: &Stream, value: T) -> Result<Self> {
        match Marker::record(stream.shared()) {
            Ok(marker) => {
                Ok(Self { stream: stream.shared().clone(), inner: Some((marker, value)), alarm: None })
            }
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

impl<T: Send + 'static> Future for Pending<T> {
    type Output = Result<T>;

    /// # Panics
    /// When it is polled after it was ready.
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<T>> {
        let this = &mut *self;
        let Some((marker, _)) = &this.inner else { panic!("a Pending is polled after it was ready") };
        let mut done = marker.passed()?;
        if !done && this.alarm.is_none() {
            // A stream that is gone has finished its work.
            match this.stream.hold() {
                Some(_held) => this.alarm = Some(Alarm::set(&this.stream)?),
                None => done = true,
            }
        }
        if let Some(alarm) = &this.alarm
            && !done
        {
            if alarm.poll(context).is_pending() {
                return Poll::Pending;
            }
            // It rings behind the marked work.
            marker.wait()?;
        }
        match this.inner.take() {
            Some((_, value)) => Poll::Ready(Ok(value)),
            None => unreachable!("it was there at the beginning"),
        }
    }
}

impl<T: Send + 'static> Drop for Pending<T> {
    fn drop(&mut self) {
        if let Some((marker, value)) = self.inner.take() {
            self.stream.device().runtime().shared().deferred.push(marker, Box::new(value));
        }
    }
}

impl<T: Send + 'static> fmt::Debug for Pending<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pending").field("device", &self.stream.device()).finish_non_exhaustive()
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
