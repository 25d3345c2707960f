//! Takes one AQL packet after the other from the ring.
//!
//! Packets of a queue are processed strictly in order, one at a time: every packet behaves as if its
//! barrier bit were set, which the HSA specification allows.

use std::sync::Arc;

use super::dispatch;
use super::packet::{Action, AqlFormat, BYTES, DEPENDENCIES, DWORDS, FORMATS, INVALID, Key};
use crate::format::Format;
use crate::layout::inactive;
use crate::pm4;
use crate::queue::Queue;
use crate::signal;
use crate::stop::Stop;
use crate::{clock, layout};

/// Processes the packet in front of the queue; its header is written.
pub(crate) fn process(queue: &Arc<Queue>) -> Result<(), Stop> {
    let space = &queue.card.space;
    let va = queue.packet_va();
    let began = clock::ticks();
    // The header first (acquire): what user space wrote before it is read after it.
    space.read::<u16>(va)?;
    let words: [u32; DWORDS] = space.read(va)?;
    let Some(format) = Format::of(&FORMATS, words[0]) else {
        let kind = words[0] & 0xff;
        return Err(refused(inactive::PACKET, format!("AQL packet type {kind} does not exist")));
    };
    match format.action {
        Action::Dispatch => dispatch::dispatch(queue, format, &words)?,
        Action::BarrierAnd | Action::BarrierOr => barrier(queue, format, &words)?,
        Action::BarrierValue => barrier_value(queue, format, &words)?,
        Action::IndirectBuffer => {
            let ib = format.get(&words, Key::IbAddress) & !3;
            pm4::processor::run(queue, ib, format.get(&words, Key::IbDwords))?;
        }
        Action::UnknownVendor => {
            let vendor = words[0] >> 16 & 0xff;
            let text = format!("vendor-specific AQL packet format {vendor} is not known");
            return Err(refused(inactive::VENDOR_PACKET, text));
        }
    }
    // The rest of the packet stays: kernels have read it through the dispatch pointer. The slot must be
    // invalid before user space learns that it is free.
    space.write::<u16>(va, INVALID)?;
    signal::complete(&queue.card, format.get(&words, Key::CompletionSignal), began)?;
    queue.advance(1)?;
    if format.action == Action::Dispatch {
        dispatch::give_back_scratch(queue)?;
    }
    Ok(())
}

pub(crate) fn refused(code: i64, text: String) -> Stop {
    Stop::Refused { code, text }
}

/// BARRIER_AND waits until all its dependencies are 0, BARRIER_OR until one is. Handle 0 is none.
fn barrier(queue: &Queue, format: &AqlFormat, words: &[u32]) -> Result<(), Stop> {
    let signals: Vec<u64> =
        DEPENDENCIES.iter().map(|&key| format.get(words, key)).filter(|&handle| handle != 0).collect();
    let wants_all = format.action == Action::BarrierAnd;
    wait(queue, || {
        let mut zeros = 0;
        for &handle in &signals {
            zeros += usize::from(signal::load(&queue.card.space, handle)? == 0);
        }
        Ok(zeros == signals.len() || (!wants_all && zeros > 0))
    })
}

/// Waits until `(value & mask)` of a signal compares as asked (`hsa_signal_condition_t`).
fn barrier_value(queue: &Queue, format: &AqlFormat, words: &[u32]) -> Result<(), Stop> {
    let handle = format.get(words, Key::Dependency0);
    let value = format.get(words, Key::Value) as i64;
    let mask = format.get(words, Key::Mask) as i64;
    let holds: fn(i64, i64) -> bool = match format.get(words, Key::Condition) {
        0 => |a, b| a == b,
        1 => |a, b| a != b,
        2 => |a, b| a < b,
        3 => |a, b| a >= b,
        other => {
            let text = format!("BARRIER_VALUE condition {other} does not exist");
            return Err(refused(inactive::VENDOR_PACKET, text));
        }
    };
    if handle == 0 {
        return Ok(());
    }
    wait(queue, || Ok(holds(signal::load(&queue.card.space, handle)? & mask, value)))
}

/// [`Queue::wait_until`], with the queue's end as an error.
pub(crate) fn wait(
    queue: &Queue,
    done: impl FnMut() -> Result<bool, vega_exec::GuestFault>,
) -> Result<(), Stop> {
    if queue.wait_until(done)? { Ok(()) } else { Err(Stop::Canceled) }
}

impl Queue {
    /// Address of the packet in front.
    pub(crate) fn packet_va(&self) -> u64 {
        let ring = self.ring();
        let offset = match self.kind {
            crate::QueueKind::Aql => self.position().wrapping_mul(BYTES),
            crate::QueueKind::Sdma => self.position(),
        };
        ring.va.wrapping_add(offset & ring.bytes.wrapping_sub(1))
    }

    /// Stores `code` to `queue_inactive_signal` and waits until the runtime has put it back to 0.
    pub(crate) fn stall(&self, code: i64) -> Result<(), Stop> {
        let space = &self.card.space;
        let handle: u64 = space.read(self.amd_queue_va().wrapping_add(layout::queue::INACTIVE_SIGNAL))?;
        signal::store(&self.card, handle, code)?;
        wait(self, || Ok(signal::load(space, handle)? == 0))
    }
}
