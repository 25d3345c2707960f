//! A `tracing` span around each operation.

use super::Operation;
use crate::Stream;

/// Whether somebody listens at all: without a subscriber, a comparison.
#[inline]
pub(super) fn enabled() -> bool {
    tracing::enabled!(target: "hip", tracing::Level::DEBUG)
}

/// A span named `operation`, of target `hip` and level DEBUG, until the guard is dropped: the time that the host needs to
/// give the operation to the device.
pub(super) fn enter(stream: &Stream, operation: &Operation) -> tracing::span::EnteredSpan {
    let details: String = operation.details.iter().map(|(name, value)| format!("{name}={value} ")).collect();
    tracing::debug_span!(
        target: "hip",
        "operation",
        kind = operation.kind,
        name = operation.name,
        details = details.trim_end(),
        device = stream.device().ordinal(),
        stream = ?stream.raw(),
    )
    .entered()
}
