//! What the user reads on stderr when something went wrong.

use std::fmt::Write as _;

use vega_exec::{Access, AddressSpace, FaultKind, FaultReason, FaultReport, GuestFault};

use crate::aql::dispatch::Launch;
use crate::names;
use crate::queue::Queue;

/// Instructions shown in front of the one at fault, and after it.
const BEFORE: usize = 4;
const AFTER: usize = 3;
/// Code in front of the fault that is decoded to find where instructions begin.
const MAX_CODE: u64 = 1 << 20;
/// Dwords of the longest instruction.
const LONGEST: u64 = 5;

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

/// A kernel faulted.
pub(crate) fn kernel_fault(queue: &Queue, fault: &FaultReport, launch: &Launch) -> String {
    let space = &queue.card.space;
    let what = match &fault.kind {
        FaultKind::Memory(_) => "memory fault in a kernel".to_owned(),
        FaultKind::IllegalInstruction { reason } => format!("illegal instruction in a kernel: {reason}"),
        FaultKind::Trap(2) => "trap 2 in a kernel (abort, or a failed assertion)".to_owned(),
        FaultKind::Trap(n) => format!("trap {n} in a kernel"),
        FaultKind::Resources { reason } => format!("a kernel cannot be launched: {reason}"),
    };
    let mut out = title(queue, what);
    let name = names::kernel(space, launch.kernel_object);
    let name = name.as_deref().unwrap_or("without a name (the runtime's own)");
    line(&mut out, "kernel", name);
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
    }
    // A function that the kernel calls may lie in front of it.
    let (offset, side) = match fault.pc.checked_sub(launch.entry_va) {
        Some(after) => (after, "after"),
        None => (launch.entry_va - fault.pc, "before"),
    };
    line(&mut out, "pc", format_args!("{:#x}, {offset:#x} bytes {side} the kernel's entry", fault.pc));
    out.push_str(&window(space, fault, launch.entry_va));
    out
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

/// The instructions around the fault. Instructions have no fixed length, so the code is decoded from the
/// kernel's entry on; where that does not meet the fault (a function called elsewhere, data in between),
/// only what follows is shown.
fn window(space: &AddressSpace, fault: &FaultReport, entry: u64) -> String {
    let mut before = Vec::new();
    let mut pc = entry;
    let reachable = fault.pc.checked_sub(entry).is_some_and(|n| n <= MAX_CODE);
    while reachable && pc < fault.pc {
        let Some((text, bytes)) = instruction(space, pc) else { break };
        before.push((pc, text));
        pc += bytes;
    }
    if pc != fault.pc {
        before.clear();
    }
    let mut out = String::new();
    for (pc, text) in before.iter().skip(before.len().saturating_sub(BEFORE)) {
        let _ = writeln!(out, "       {pc:#x}: {text}");
    }
    let here = decode(&fault.words).map_or_else(|| words(&fault.words), |(text, _)| text);
    let _ = writeln!(out, "    => {:#x}: {here}", fault.pc);
    let mut pc = fault.pc;
    for _ in 0..=AFTER {
        let Some((text, bytes)) = instruction(space, pc) else { break };
        if pc != fault.pc {
            let _ = writeln!(out, "       {pc:#x}: {text}");
        }
        // Padding follows.
        if text == "s_endpgm" {
            break;
        }
        pc += bytes;
    }
    out
}

fn words(words: &[u32]) -> String {
    if words.is_empty() {
        return "(the code cannot be read)".to_owned();
    }
    let hex: Vec<String> = words.iter().take(2).map(|w| format!("{w:08x}")).collect();
    format!("{} (no instruction)", hex.join(" "))
}

/// The instruction at an address as text, and its length in bytes.
fn instruction(space: &AddressSpace, pc: u64) -> Option<(String, u64)> {
    let words: Vec<u32> =
        (0..LONGEST).map_while(|i| space.read::<u32>(pc.wrapping_add(i * 4)).ok()).collect();
    decode(&words)
}

/// The first instruction of some words.
fn decode(words: &[u32]) -> Option<(String, u64)> {
    let inst = vega_isa::decode(words).ok()?;
    let bytes = u64::from(inst.size_bytes.max(4));
    Some((inst.to_string().trim().to_owned(), bytes))
}
