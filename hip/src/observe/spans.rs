//! A `tracing` span around each operation.

use super::Operation;
use crate::Stream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use tracing::span::EnteredSpan;

/// Whether somebody listens at all: without a subscriber, a comparison.
#[inline]
pub(super) fn enabled() -> bool {
    tracing::enabled!(target: "hip", tracing::Level::DEBUG)
}

/// A span named `operation`, of target `hip` and level DEBUG, until the guard is dropped: the time that the host needs to
/// give the operation to the device.
pub(super) fn enter(stream: &Stream, operation: &Operation) -> Entered {
    let details: String = operation.details.iter().map(|(name, value)| format!("{name}={value} ")).collect();
    let span = tracing::debug_span!(
        target: "hip",
        "operation",
        kind = operation.kind,
        name = operation.name,
        details = details.trim_end(),
        device = stream.device().ordinal(),
        stream = ?stream.raw(),
    );
    Entered(Some(span.entered()))
}

/// A span that ends without a panic, whatever the subscriber does: the operation is on its way by then, and what it uses has
/// yet to be entered as used. The panic hook has told of the panic.
pub(super) struct Entered(Option<EnteredSpan>);

impl Drop for Entered {
    fn drop(&mut self) {
        let span = self.0.take();
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(span))) {
            // What it carries might panic when it is dropped.
            std::mem::forget(panic);
        }
    }
}
