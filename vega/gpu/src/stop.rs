//! Why a queue stops, and what the program is told then.

use vega_exec::{FaultKind, FaultReason, FaultReport, GuestFault};

use crate::aql::dispatch::Launch;
use crate::card::Shared;
use crate::layout::{inactive, queue::INACTIVE_SIGNAL};
use crate::notify::MemoryFault;
use crate::pending::{self, Pending};
use crate::queue::Queue;
use crate::{report, signal};

/// Why a queue stops.
#[derive(Debug)]
pub(crate) enum Stop {
    /// It is being destroyed.
    Canceled,
    /// The packet processor itself touched memory that it may not touch.
    Memory(GuestFault),
    /// A packet asks for what cannot be; the code goes to `queue_inactive_signal`.
    Refused { code: i64, text: String },
    /// A kernel faulted.
    Kernel { fault: Box<FaultReport>, launch: Box<Launch> },
    /// A packet that the engine does not know, in a queue that has no `queue_inactive_signal`.
    Packet { va: u64, text: String },
}

impl From<GuestFault> for Stop {
    fn from(fault: GuestFault) -> Self {
        Stop::Memory(fault)
    }
}

/// The kernel driver's view of a fault.
fn memory_fault(fault: &GuestFault) -> MemoryFault {
    let wants = |access| fault.reason == FaultReason::NoRight && fault.access == access;
    MemoryFault {
        va: fault.va,
        not_present: matches!(
            fault.reason,
            FaultReason::NotMapped | FaultReason::HostMemoryGone | FaultReason::BeyondScratch
        ),
        read_only: wants(vega_exec::Access::Write) || wants(vega_exec::Access::Atomic),
        no_execute: wants(vega_exec::Access::Execute),
    }
}

/// Whether the address hardware refuses an access before the page table is asked: that is a queue error,
/// not a page fault.
fn is_violation(fault: &GuestFault) -> bool {
    fault.reason == FaultReason::Misaligned || fault.va >> 48 != 0
}

/// The code for `queue_inactive_signal`; none for page faults, which the driver reports.
fn code_of(kind: &FaultKind) -> Option<i64> {
    match kind {
        FaultKind::Memory(fault) => is_violation(fault).then_some(inactive::APERTURE),
        FaultKind::IllegalInstruction { .. } => Some(inactive::ILLEGAL_INSTRUCTION),
        FaultKind::Trap(_) => Some(inactive::TRAP),
        FaultKind::Resources { .. } => Some(inactive::WORKGROUP),
        FaultKind::BeyondLds { .. } => Some(inactive::APERTURE),
        FaultKind::Watchdog { .. } => None,
    }
}

/// Tells user space with `queue_inactive_signal`. If that is not possible, as a hardware exception, and
/// if nobody listens for those, as a memory fault: a program must never wait for ever.
fn raise(queue: &Queue, code: Option<i64>, va: u64) {
    let card: &Shared = &queue.card;
    if let Some(code) = code {
        let handle = card.space.read::<u64>(queue.amd_queue_va().wrapping_add(INACTIVE_SIGNAL));
        if let Ok(handle) = handle
            && handle != 0
            && signal::store(card, handle, code).is_ok()
        {
            return;
        }
    }
    if !card.notify.hardware_exception() {
        card.notify.memory_fault(MemoryFault { va, not_present: true, read_only: false, no_execute: false });
    }
}

/// Prints the report, ends the queue, tells the program.
pub(crate) fn announce(queue: &Queue, stop: &Stop) {
    let card = &queue.card;
    let packet_va = queue.packet_va();
    let pending = Pending::new();
    let text = match stop {
        Stop::Canceled => return,
        Stop::Memory(fault) => report::processor_fault(queue, fault),
        Stop::Refused { text, .. } => report::refused(queue, text),
        Stop::Kernel { fault, launch } => report::kernel_fault(queue, fault, launch),
        Stop::Packet { va, text } => report::unknown_packet(queue, *va, text),
    };
    queue.fail();
    card.notify.report(&text);
    drop(pending);
    pending::wait();
    match stop {
        Stop::Canceled => {}
        Stop::Memory(fault) => card.notify.memory_fault(memory_fault(fault)),
        Stop::Refused { code, .. } => raise(queue, Some(*code), packet_va),
        Stop::Kernel { fault, .. } => match (&fault.kind, code_of(&fault.kind)) {
            (FaultKind::Memory(fault), None) => card.notify.memory_fault(memory_fault(fault)),
            (_, code) => raise(queue, code, fault.pc),
        },
        Stop::Packet { va, .. } => raise(queue, None, *va),
    }
}
