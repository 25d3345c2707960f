//! Executes a PM4 indirect buffer.

use std::sync::Arc;

use super::packet::{Action, FORMATS, ICACHE, Key, Pm4Format};
use crate::aql::processor::{refused, wait};
use crate::atomic::Atomic;
use crate::format::Format;
use crate::layout::inactive;
use crate::queue::Queue;
use crate::stop::Stop;
use crate::{clock, compare, hub};

/// Indirect buffers may call others, but not for ever.
const MAX_DEPTH: u32 = 4;
/// Dwords of the largest packet whose fields are read, and more than any table row needs.
const HEAD: usize = 16;

/// WRITE_DATA and COPY_DATA destinations that are memory (soc15d.h): 1 sync, 2 through the cache, 5 direct.
const MEMORY_DESTINATIONS: [u64; 3] = [1, 2, 5];

/// Executes the `dwords` dwords at `va`.
pub(crate) fn run(queue: &Arc<Queue>, va: u64, dwords: u64) -> Result<(), Stop> {
    nested(queue, va, dwords, 0)
}

fn bad(text: String) -> Stop {
    refused(inactive::VENDOR_PACKET, text)
}

fn nested(queue: &Arc<Queue>, va: u64, dwords: u64, depth: u32) -> Result<(), Stop> {
    if depth > MAX_DEPTH {
        return Err(bad(format!("PM4 indirect buffers are nested more than {MAX_DEPTH} deep")));
    }
    let mut at = 0;
    while at < dwords {
        let packet_va = va.wrapping_add(at * 4);
        let words = head(queue, packet_va, dwords - at)?;
        let first = words.first().copied().unwrap_or(0);
        let Some(format) = Format::of(&FORMATS, first) else {
            return Err(bad(format!("PM4 packet {first:#010x} at {packet_va:#x} is not known")));
        };
        let length = u64::from(format.dwords(&words));
        if length > dwords - at || format.head() > length as u32 {
            let text = format!("PM4 {} at {packet_va:#x} has a bad length of {length} dwords", format.name);
            return Err(bad(text));
        }
        if format.action == Action::IndirectBuffer {
            let target = format.get(&words, Key::Src) & !3;
            nested(queue, target, format.get(&words, Key::Count), depth + 1)?;
        } else {
            execute(queue, format, &words, packet_va, length)?;
        }
        at += length;
    }
    Ok(())
}

/// The beginning of a packet.
fn head(queue: &Queue, va: u64, available: u64) -> Result<Vec<u32>, Stop> {
    let count = available.min(HEAD as u64);
    (0..count).map(|i| Ok(queue.card.space.read::<u32>(va.wrapping_add(i * 4))?)).collect()
}

fn execute(queue: &Queue, format: &Pm4Format, words: &[u32], va: u64, length: u64) -> Result<(), Stop> {
    let card = &queue.card;
    let space = &card.space;
    let get = |key| format.get(words, key);
    match format.action {
        Action::Nothing | Action::IndirectBuffer => {}
        Action::AcquireMem => {
            if get(Key::Caches) & ICACHE != 0 {
                let base = get(Key::Base) << 8;
                let bytes = u64::try_from(u128::from(get(Key::Size)) << 8).unwrap_or(u64::MAX);
                card.engine.invalidate_code(space, base, bytes.min(u64::MAX - base));
            }
        }
        Action::ReleaseMem => release(queue, format, words)?,
        Action::WriteData => {
            if MEMORY_DESTINATIONS.contains(&get(Key::DstSelect)) {
                let dst = get(Key::Dst) & !3;
                let step = if get(Key::OneAddress) == 1 { 0 } else { 4 };
                for i in 0..length - 4 {
                    let word: u32 = space.read(va.wrapping_add((4 + i) * 4))?;
                    space.write(dst.wrapping_add(i * step), word)?;
                }
                hub::changed();
            }
        }
        Action::CopyData => copy(queue, format, words)?,
        Action::WaitMem => {
            // Registers hold what the packet waits for: nothing but memory can keep a queue waiting.
            if get(Key::MemorySpace) == 1 && get(Key::Operation) != 1 {
                let (src, mask) = (get(Key::Src) & !3, get(Key::Mask) as u32);
                let (function, reference) = (get(Key::Function), get(Key::Compare) as u32);
                wait(queue, || Ok(compare::holds(function, space.read::<u32>(src)? & mask, reference)))?;
            }
        }
        Action::DmaData => {
            let (dst, count) = (get(Key::Dst), get(Key::Count));
            let memory = matches!(get(Key::DstSelect), 0 | 3) && get(Key::Command) == 0;
            match get(Key::SrcSelect) {
                0 | 3 if memory => space.copy(dst, get(Key::Src), count)?,
                2 if memory => space.fill(dst, get(Key::Src) as u32, count / 4)?,
                other => return Err(bad(format!("PM4 DMA_DATA from source {other} is not known"))),
            }
        }
        Action::Atomic => {
            let atomic = Atomic {
                number: get(Key::Operation) as u32,
                va: get(Key::Dst),
                data: get(Key::Data),
                compare: get(Key::Compare),
            };
            if !atomic.is_known() {
                return Err(bad(format!("PM4 ATOMIC_MEM operation {} is not known", atomic.number)));
            }
            if get(Key::Command) == 1 {
                wait(queue, || atomic.perform(space))?;
            } else {
                atomic.perform(space)?;
            }
            hub::changed();
        }
    }
    Ok(())
}

/// RELEASE_MEM: data selections 1 (32 bits), 2 (64 bits), 3 and 4 (clocks); interrupts 1 and 2.
fn release(queue: &Queue, format: &Pm4Format, words: &[u32]) -> Result<(), Stop> {
    let space = &queue.card.space;
    let get = |key| format.get(words, key);
    let dst = get(Key::Dst);
    match get(Key::DataSelect) {
        1 => space.write::<u32>(dst & !3, get(Key::Data) as u32)?,
        2 => space.write::<u64>(dst & !7, get(Key::Data))?,
        3 | 4 => space.write::<u64>(dst & !7, clock::ticks())?,
        _ => {}
    }
    hub::changed();
    if get(Key::InterruptSelect) != 0 {
        match get(Key::Context) {
            0 => queue.card.notify.raise_interrupt(),
            id => queue.card.notify.raise(id as u32),
        }
    }
    Ok(())
}

/// COPY_DATA: sources 1 and 2 (memory), 5 (immediate), 9 (clock); registers read as 0.
fn copy(queue: &Queue, format: &Pm4Format, words: &[u32]) -> Result<(), Stop> {
    let space = &queue.card.space;
    let get = |key| format.get(words, key);
    let wide = get(Key::Wide) == 1;
    let src = get(Key::Src);
    let value = match get(Key::SrcSelect) {
        1 | 2 if wide => space.read::<u64>(src & !7)?,
        1 | 2 => u64::from(space.read::<u32>(src & !3)?),
        5 => src,
        9 => clock::ticks(),
        _ => 0,
    };
    if MEMORY_DESTINATIONS.contains(&get(Key::DstSelect)) {
        let dst = get(Key::Dst);
        if wide {
            space.write::<u64>(dst & !7, value)?
        } else {
            space.write::<u32>(dst & !3, value as u32)?
        }
        hub::changed();
    }
    Ok(())
}
