//! Takes one SDMA packet after the other from the ring and executes it.

use std::sync::Arc;

use super::copy;
use super::packet::{Action, FORMATS, Key, SdmaFormat};
use super::source::Source;
use crate::aql::processor::wait;
use crate::atomic::Atomic;
use crate::format::Format;
use crate::queue::Queue;
use crate::stop::Stop;
use crate::{clock, compare, hub};

/// Dwords of the largest packet head.
const HEAD: u64 = 16;
/// Indirect buffers hold no indirect buffers.
const MAX_DEPTH: u32 = 1;

/// Processes the packet in front of the ring.
pub(crate) fn process(queue: &Arc<Queue>) -> Result<(), Stop> {
    let read = queue.position();
    let write: u64 = queue.card.space.read(queue.write_ptr_va)?;
    let source = Source::ring(queue.ring());
    let dwords = step(queue, source, read, write.wrapping_sub(read) / 4, 0)?;
    Ok(queue.advance(dwords * 4)?)
}

/// Executes the packet at `offset`, of which `available` dwords are written. Returns how many dwords it
/// has, together with those that it skips.
fn step(queue: &Arc<Queue>, source: Source, offset: u64, available: u64, depth: u32) -> Result<u64, Stop> {
    let va = source.address(offset);
    let bad = |text| Stop::Packet { va, text };
    let words = source.read(&queue.card.space, offset, available.min(HEAD))?;
    let first = words.first().copied().unwrap_or(0);
    let Some(format) = Format::of(&FORMATS, first) else {
        return Err(bad(format!("SDMA packet {first:#010x} does not exist")));
    };
    let dwords = u64::from(format.dwords(&words));
    if u64::from(format.head()) > available || dwords > available {
        let text = format!("SDMA {} has {dwords} dwords, only {available} are written", format.name);
        return Err(bad(text));
    }
    let get = |key| format.get(&words, key);
    match format.action {
        Action::Indirect => {
            if depth >= MAX_DEPTH {
                return Err(bad("an SDMA indirect buffer inside an indirect buffer".into()));
            }
            let inner = Source::buffer(get(Key::Src) & !0x1f);
            let count = get(Key::Count);
            let mut at = 0;
            while at < count {
                at += step(queue, inner, at * 4, count - at, depth + 1)?;
            }
        }
        Action::WriteLinear => {
            let dst = get(Key::Dst);
            for i in 0..=get(Key::Count) {
                let word: u32 = queue.card.space.read(source.address(offset.wrapping_add((4 + i) * 4)))?;
                queue.card.space.write(dst.wrapping_add(i * 4), word)?;
            }
            hub::changed();
        }
        Action::ConditionalExecute => {
            let value: u32 = queue.card.space.read(get(Key::Src))?;
            let skipped = if u64::from(value) == get(Key::Compare) { 0 } else { get(Key::Count) };
            if dwords + skipped > available {
                return Err(bad(format!("SDMA COND_EXE skips {skipped} dwords that are not written")));
            }
            return Ok(dwords + skipped);
        }
        _ => execute(queue, format, &words).map_err(|stop| match stop {
            Stop::Packet { text, .. } => bad(text),
            other => other,
        })?,
    }
    Ok(dwords)
}

/// Executes a packet that only its fields tell about.
fn execute(queue: &Queue, format: &SdmaFormat, words: &[u32]) -> Result<(), Stop> {
    let card = &queue.card;
    let space = &card.space;
    let get = |key| format.get(words, key);
    let bad = |text| Err(Stop::Packet { va: 0, text });
    match format.action {
        // These four are the caller's.
        Action::Nothing | Action::Indirect | Action::WriteLinear | Action::ConditionalExecute => {}
        Action::CopyLinear => {
            // The count is one less than the bytes.
            let bytes = get(Key::Count) + 1;
            space.copy(get(Key::Dst), get(Key::Src), bytes)?;
            if format.fields.iter().any(|f| f.key == Key::Dst2) {
                space.copy(get(Key::Dst2), get(Key::Src), bytes)?;
            }
        }
        Action::CopyRect => copy::rect(space, format, words)?,
        Action::Fence => {
            space.write::<u32>(get(Key::Dst), get(Key::Data) as u32)?;
            hub::changed();
        }
        Action::Trap => card.notify.raise(get(Key::Context) as u32),
        Action::Poll => {
            // Without the memory flag it polls a register, or flushes the host data path: both are ready.
            if get(Key::MemoryPoll) == 1 {
                let (src, mask) = (get(Key::Src), get(Key::Mask) as u32);
                let (function, reference) = (get(Key::Function), get(Key::Compare) as u32);
                wait(queue, || Ok(compare::holds(function, space.read::<u32>(src)? & mask, reference)))?;
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
                return bad(format!("SDMA ATOMIC operation {} does not exist", atomic.number));
            }
            if get(Key::Loop) == 1 {
                wait(queue, || atomic.perform(space))?;
            } else {
                atomic.perform(space)?;
            }
            hub::changed();
        }
        Action::Fill => match get(Key::Element) {
            element @ 0..=2 => {
                copy::fill(space, get(Key::Dst), get(Key::Data) as u32, element as u32, get(Key::Count))?;
            }
            other => return bad(format!("SDMA CONSTANT_FILL element size {other} does not exist")),
        },
        Action::Timestamp => space.write::<u64>(get(Key::Dst), clock::ticks())?,
        Action::Unsupported => return bad(format!("SDMA {} is not supported", format.name)),
    }
    Ok(())
}
