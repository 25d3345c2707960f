//! Many pending values, one after the other.

use super::Pending;
use crate::Result;
use futures_core::Stream;
use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Pending values that come back in the order in which they were pushed: a [`futures_core::Stream`].
///
/// ```no_run
/// # async fn f() -> hip::Result<()> {
/// # use std::pin::Pin;
/// # let stream = hip::Device::first()?.stream()?;
/// # let buffers: Vec<hip::DeviceBuffer<f32>> = Vec::new();
/// let mut results = hip::InOrder::new();
/// for buffer in &buffers {
///     results.push(stream.download_async(buffer, vec![0.0; buffer.len()])?);
/// }
/// while let Some(numbers) = std::future::poll_fn(|cx| futures_core::Stream::poll_next(Pin::new(&mut results), cx)).await {
///     println!("{}", numbers?[0]);
/// }
/// # Ok(())
/// # }
/// ```
pub struct InOrder<T: Send + 'static>(VecDeque<Pending<T>>);

impl<T: Send + 'static> InOrder<T> {
    /// No values.
    pub fn new() -> Self {
        Self(VecDeque::new())
    }

    /// Adds a value behind the others.
    pub fn push(&mut self, pending: Pending<T>) {
        self.0.push_back(pending);
    }
}

impl<T: Send + 'static> Default for InOrder<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Send + 'static> FromIterator<Pending<T>> for InOrder<T> {
    fn from_iter<I: IntoIterator<Item = Pending<T>>>(pending: I) -> Self {
        Self(pending.into_iter().collect())
    }
}

impl<T: Send + 'static> Stream for InOrder<T> {
    type Item = Result<T>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<T>>> {
        let Some(first) = self.0.front_mut() else { return Poll::Ready(None) };
        let outcome = match Pin::new(first).poll(context) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(outcome) => outcome,
        };
        self.0.pop_front();
        Poll::Ready(Some(outcome))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.0.len(), Some(self.0.len()))
    }
}

impl<T: Send + 'static> fmt::Debug for InOrder<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.0).finish()
    }
}
