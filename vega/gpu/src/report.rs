//! What the user reads on stderr when something went wrong.

use std::fmt::Write as _;

use vega_exec::{Access, AddressSpace, FaultKind, FaultReason, FaultReport, GuestFault};

use crate::aql::dispatch::Launch;
use crate::queue::Queue;
use crate::source::Place;
use crate::{listing, names, source};

/// Farther than any code object is long.
const FAR: u64 = 1 << 30;

/// Places of waves that the watchdog's report shows.
const MAX_POSITIONS: usize = 8;

/// One line of a report: a name and what it is.
fn line(out: &mut String, name: &str, value: impl std::fmt::Display) {
    let _ = writeln!(out, "  {name:<12}{value}");
}

fn title(queue: &Queue, what: impl std::fmt::Display) -> String {
    format!("vega: {what} (virtual card {:#x}, queue {})\n", queue.card.config.gpu_id, queue.id)
}

/// The packet processor itself faulted.
pub(crate) fn processor_fault(queue: &Queue, fault: &GuestFault) -> String {
    let mut out = title(queue, "memory fault of the packet processor");
    line(&mut out, "address", address(&queue.card.space, fault));
    line(&mut out, "packet", format_args!("{:#x}", queue.packet_va()));
    out
}

/// A packet asked for what cannot be.
pub(crate) fn refused(queue: &Queue, text: &str) -> String {
    let mut out = title(queue, format_args!("packet refused: {text}"));
    line(&mut out, "packet", format_args!("number {} at {:#x}", queue.position(), queue.packet_va()));
    out
}

/// A packet that the engine does not know.
pub(crate) fn unknown_packet(queue: &Queue, va: u64, text: &str) -> String {
    let mut out = title(queue, text);
    line(&mut out, "packet", format_args!("{va:#x}"));
    out
}

/// What went wrong in a kernel, in a few words.
fn what(kind: &FaultKind) -> String {
    match kind {
        FaultKind::Memory(GuestFault { reason: FaultReason::BeyondScratch, .. }) => {
            "stack overflow in a kernel".to_owned()
        }
        FaultKind::Memory(GuestFault { reason: FaultReason::Misaligned, .. }) => {
            "misaligned access in a kernel".to_owned()
        }
        FaultKind::Memory(_) => "memory fault in a kernel".to_owned(),
        FaultKind::IllegalInstruction { reason } => format!("illegal instruction in a kernel: {reason}"),
        FaultKind::Trap(2) => "trap 2 in a kernel (abort, or a failed assertion)".to_owned(),
        FaultKind::Trap(n) => format!("trap {n} in a kernel"),
        FaultKind::BeyondLds { .. } => {
            "access beyond LDS in a kernel (a card would let it pass; VEGA_CHECK=lds asks for this fault)"
                .to_owned()
        }
        FaultKind::Watchdog { limit } => {
            let seconds = limit.as_secs_f64();
            format!("no end in a kernel that has run for more than {seconds} s: the watchdog ends it")
        }
        FaultKind::Resources { reason } => format!("a kernel cannot be launched: {reason}"),
    }
}

/// A kernel faulted.
pub(crate) fn kernel_fault(queue: &Queue, fault: &FaultReport, launch: &Launch) -> String {
    let space = &queue.card.space;
    let mut out = title(queue, what(&fault.kind));
    let name = names::kernel(space, launch.kernel_object).map(|name| names::demangled(&name));
    line(&mut out, "kernel", name.as_deref().unwrap_or("without a name (the runtime's own)"));
    let [x, y, z] = launch.grid;
    let [wx, wy, wz] = launch.workgroup;
    let sizes =
        format!("number {}, grid ({x}, {y}, {z}), workgroups of ({wx}, {wy}, {wz})", launch.dispatch_id);
    line(&mut out, "dispatch", sizes);
    let [gx, gy, gz] = fault.workgroup;
    line(&mut out, "workgroup", format_args!("({gx}, {gy}, {gz})"));
    line(&mut out, "wave", format_args!("{}, exec {:#018x}", fault.wave, fault.exec));
    if let Some(lane) = fault.lane {
        line(&mut out, "lane", format_args!("{lane}{}", work_item(launch, fault.wave, lane)));
    }
    if let FaultKind::Memory(access) = &fault.kind {
        line(&mut out, "address", address(space, access));
        if access.reason == FaultReason::BeyondScratch {
            line(&mut out, "stack", format_args!("{} bytes for each lane", launch.lane_bytes));
        }
    }
    if let FaultKind::BeyondLds { offset, bytes } = fault.kind {
        line(&mut out, "lds", format_args!("byte {offset:#x}; the workgroup has {bytes:#x} bytes"));
    }
    if !fault.registers.is_empty() {
        line(&mut out, "registers", registers(fault));
    }
    // A function that the kernel calls may lie in front of it.
    let (offset, side) = match fault.pc.checked_sub(launch.entry_va) {
        Some(after) => (after, "after"),
        None => (launch.entry_va - fault.pc, "before"),
    };
    let distance = match offset {
        0..=FAR => format!("{offset:#x} bytes {side} the kernel's entry"),
        _ => "far from the kernel".to_owned(),
    };
    line(&mut out, "pc", format_args!("{:#x}, {distance}", fault.pc));
    match caller(fault) {
        Some(pc) => {
            line(&mut out, "caller", format_args!("{pc:#x}, if s[30:31] is the return address"));
            code(&mut out, queue, pc, &listing::code(space, pc), launch.entry_va);
        }
        None => code(&mut out, queue, fault.pc, &fault.words, launch.entry_va),
    }
    for (n, position) in fault.positions.iter().take(MAX_POSITIONS).enumerate() {
        let waves = format_args!("{} {} at {:#x}", position.waves, position.state, position.pc);
        line(&mut out, if n == 0 { "waves" } else { "" }, waves);
    }
    if let Some(schedule) = fault.schedule {
        line(&mut out, "schedule", format_args!("{schedule}: VEGA_SCHEDULE={schedule} repeats it"));
    }
    out
}

/// For a jump to where no code is: the call that led there, 4 bytes in front of the return address.
fn caller(fault: &FaultReport) -> Option<u64> {
    let FaultKind::Memory(GuestFault { access: Access::Execute, .. }) = fault.kind else { return None };
    match fault.registers.first()?.values.as_slice() {
        [low, high] => (u64::from(*high) << 32 | u64::from(*low)).checked_sub(4),
        _ => None,
    }
}

/// The instruction at `pc` in the source and in the code.
fn code(out: &mut String, queue: &Queue, pc: u64, words: &[u32], entry: u64) {
    let place = queue.card.notify.code_object(pc).and_then(|code| source::place(&code, pc));
    source(out, place.as_ref());
    let start = place.and_then(|place| place.function).unwrap_or(entry);
    out.push_str(&listing::window(&queue.card.space, pc, words, start));
}

/// What the instruction reads: `v[2:3] = 0x…` for each operand, vector registers in the lane at fault.
fn registers(fault: &FaultReport) -> String {
    let value = |values: &[u32]| match values {
        // Two are most often an address.
        [low, high] => format!("{:#x}", u64::from(*high) << 32 | u64::from(*low)),
        values => values.iter().map(|value| format!("{value:#x}")).collect::<Vec<_>>().join(" "),
    };
    let each = fault.registers.iter().map(|r| format!("{} = {}", r.registers, value(&r.values)));
    let mut text = each.collect::<Vec<_>>().join(", ");
    if fault.lane.is_none() && fault.exec != 0 && fault.registers.iter().any(|r| r.registers.vector) {
        let _ = write!(text, " (lane {})", fault.exec.trailing_zeros());
    }
    text
}

/// Where the instruction comes from, if the program was compiled with `-g`.
fn source(out: &mut String, place: Option<&Place>) {
    let Some(Place { frames, .. }) = place else { return };
    for (depth, frame) in frames.iter().enumerate() {
        match depth {
            0 => line(out, "source", frame.text()),
            _ => line(out, "", format_args!("inlined at {}", frame.text())),
        }
        if let (0, Some(text)) = (depth, frame.line_of_source()) {
            line(out, "", format_args!("    {text}"));
        }
    }
    if frames.is_empty() {
        line(out, "source", "unknown: the code has no debug information (hipcc -g adds it)");
    }
}

/// The work-item's position in its workgroup.
fn work_item(launch: &Launch, wave: u32, lane: u32) -> String {
    let [x, y, _] = launch.workgroup.map(|n| u32::from(n.max(1)));
    let flat = wave.wrapping_mul(64).wrapping_add(lane);
    format!(", work-item ({}, {}, {})", flat % x, flat / x % y, flat / x / y)
}

/// What was accessed, why that is wrong, and what is mapped around it.
fn address(space: &AddressSpace, fault: &GuestFault) -> String {
    let va = fault.va;
    let access = match fault.access {
        Access::Read => "read",
        Access::Write => "write",
        Access::Atomic => "atomic",
        Access::Execute => "instruction fetch",
    };
    let why = match fault.reason {
        FaultReason::NotMapped if va < 0x1000 => "null pointer: nothing is mapped there",
        FaultReason::NotMapped => "nothing is mapped there",
        FaultReason::NoRight => "the memory there does not allow it",
        FaultReason::HostMemoryGone => "the program has taken the memory there away",
        FaultReason::BeyondScratch => "beyond the wave's part of scratch memory",
        FaultReason::Misaligned => "not a multiple of the operation's size",
    };
    let mut text = format!("{va:#x}, {access}: {why}");
    if fault.reason == FaultReason::NotMapped {
        if let Some((end, distance)) = end_in_front(space, va) {
            let _ = write!(text, "; {distance:#x} bytes after the end of a mapping ({end:#x})");
        }
    } else if let Some(mapping) = space.lookup(va) {
        let offset = va - mapping.va;
        let _ = write!(text, "; byte {offset:#x} of a mapping of {:#x} bytes", mapping.len);
    }
    text
}

/// Farthest end of a mapping that is worth mentioning.
const NEAR: u64 = 1 << 20;

/// The end of the mapping in front of an address, and how far the address is behind it.
fn end_in_front(space: &AddressSpace, va: u64) -> Option<(u64, u64)> {
    let pages = (1..=NEAR / 4096).map(|i| (va & !4095).wrapping_sub(i * 4096));
    let mapping = pages.into_iter().find_map(|page| space.lookup(page))?;
    let end = mapping.va + mapping.len;
    Some((end, va.checked_sub(end)?))
}
