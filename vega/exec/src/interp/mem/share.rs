//! DS instructions on the global data share, and the rare ones on both shares: exchanges, counters, operands in memory.
//!
//! One plain routine per lane serves them all; LDS accesses of the usual kinds have handlers of their own in `lds`.
//!
//! # Safety
//! The file uses safe indexing only; handlers are `unsafe` functions because all handlers share a type.

use vega_isa::memory::{Atomic, Half, MemKind, MemOp, Returns};
use vega_isa::{Flags, Inst, Micro};

use super::lanes::finish_load;
use super::{Shape, Word};
use crate::interp::gds::GDS_BYTES;
use crate::interp::level::{Handler, Vector};
use crate::interp::program::Details;
use crate::interp::record::{Record, code};
use crate::interp::wave::{SPARE, Wave};
use crate::interp::worker::Worker;

/// The memory that an instruction works on.
struct Memory<'a> {
    bytes: &'a mut [u8],
    /// Where the accessible part begins, and how much there is.
    base: u64,
    size: u64,
}

impl Memory<'_> {
    fn place(&self, at: u64) -> Option<usize> {
        (at < self.size).then(|| self.base + at).and_then(|at| usize::try_from(at).ok())
    }

    /// Up to 8 bytes; those out of range are zero.
    fn read(&self, at: u64, bytes: u8) -> u64 {
        (0..u64::from(bytes)).fold(0, |value, n| {
            let byte = self.place(at + n).and_then(|at| self.bytes.get(at)).copied().unwrap_or(0);
            value | u64::from(byte) << (8 * n)
        })
    }

    /// Up to 8 bytes; those out of range are dropped.
    fn write(&mut self, at: u64, bytes: u8, value: u64) {
        for n in 0..u64::from(bytes) {
            if let Some(cell) = self.place(at + n).and_then(|at| self.bytes.get_mut(at)) {
                *cell = (value >> (8 * n)) as u8;
            }
        }
    }

    fn atomic(&mut self, at: u64, op: Atomic, bytes: u8, d: u64, d2: u64) -> u64 {
        let old = self.read(at, bytes);
        let new = if bytes == 8 {
            u64::apply(op, old, d, d2)
        } else {
            u32::apply(op, old as u32, d as u32, d2 as u32).map(u64::from)
        };
        if let Some(new) = new {
            self.write(at, bytes, new);
        }
        old
    }
}

/// Registers of one DS instruction.
struct Registers {
    address: Option<usize>,
    data: usize,
    second: usize,
    dst: usize,
}

impl Registers {
    fn new(record: &Record) -> Self {
        Self {
            address: record.src[0].checked_sub(code::VGPR).map(usize::from).filter(|n| *n < 256 + 16),
            data: record.sdst as usize,
            second: record.consts[0] as usize,
            dst: record.dst as usize,
        }
    }
}

fn get(wave: &Wave, register: usize, lane: usize, bytes: u8) -> u64 {
    let low = u64::from(wave.v[register][lane]);
    if bytes == 8 { low | u64::from(wave.v[register + 1][lane]) << 32 } else { low }
}

fn put(wave: &mut Wave, register: usize, lane: usize, bytes: u8, value: u64) {
    wave.v[register][lane] = value as u32;
    if bytes == 8 {
        wave.v[register + 1][lane] = (value >> 32) as u32;
    }
}

/// The second address of the instructions with two operands in memory, and the first one without the bits that tell it.
fn source_address(address: u32, inst: &Inst) -> (u64, u64) {
    let offset = inst.modifiers.offset as u32;
    let (first, distance) = if offset >> 15 & 1 == 1 {
        (address & 0x1_ffff, address as i32 >> 17)
    } else {
        (address, (offset << 17) as i32 >> 17)
    };
    (first.into(), u64::from(first.wrapping_add_signed(distance.wrapping_mul(4))))
}

/// DS instructions without a handler of their own.
pub(crate) struct Other;

impl Handler for Other {
    #[inline(always)]
    unsafe fn exec<V: Vector>(wave: &mut Wave, worker: &mut Worker, record: &Record, ip: usize) -> usize {
        let Some(Details::Inst(inst)) = wave.program().and_then(|program| program.details(ip)) else {
            return ip + 1;
        };
        let Micro::Mem(MemOp { kind, .. }) = inst.row.micro else { return ip + 1 };
        let m0 = wave.m0();
        if inst.modifiers.flags.has(Flags::GDS) {
            let shares = std::sync::Arc::clone(&worker.shares);
            let size = u64::from(m0 & 0xffff).min(GDS_BYTES as u64);
            shares.with(&worker.space, |share| {
                let base = u64::from(m0 >> 16);
                execute(wave, record, inst, kind, &mut Memory { bytes: share, base, size });
            });
        } else {
            let size = worker.lds_bytes as u64;
            execute(wave, record, inst, kind, &mut Memory { bytes: &mut worker.lds, base: 0, size });
        }
        ip + 1
    }
}

fn execute(wave: &mut Wave, record: &Record, inst: &Inst, kind: MemKind, memory: &mut Memory) {
    let exec = wave.exec();
    let registers = Registers::new(record);
    let offset = inst.modifiers.offset as u64;
    let m0 = wave.m0();
    // Counters belong to the wave: one operation, whose result all lanes get.
    if let Some(old) = counter(wave, inst, kind, memory) {
        for lane in (0..64).filter(|lane| exec >> lane & 1 == 1) {
            wave.v[registers.dst][lane] = old;
        }
        return;
    }
    let pair = |stride: u16| {
        [inst.modifiers.offset0, inst.modifiers.offset1].map(|n| u64::from(n) * u64::from(stride))
    };
    for lane in (0..64).filter(|lane| exec >> lane & 1 == 1) {
        let address = registers.address.map_or(0, |register| wave.v[register][lane]);
        let at = u64::from(address) + offset;
        match kind {
            MemKind::Load { bytes, signed, half } => {
                let to = if half == Half::Whole { registers.dst } else { SPARE + 8 };
                for k in 0..usize::from(bytes).div_ceil(4) {
                    wave.v[to + k][lane] = memory.read(at + 4 * k as u64, bytes.min(4)) as u32;
                }
                if bytes < 4 {
                    finish_load(wave, 1 << lane, Shape { bytes, signed, half }, registers.dst);
                }
            }
            MemKind::Store { bytes, half } => {
                let shift = if half == Half::High { 16 } else { 0 };
                for k in 0..usize::from(bytes).div_ceil(4) {
                    let value = u64::from(wave.v[registers.data + k][lane] >> shift);
                    memory.write(at + 4 * k as u64, bytes.min(4), value);
                }
            }
            MemKind::Load2 { bytes, stride } => {
                let values = pair(stride).map(|offset| memory.read(u64::from(address) + offset, bytes));
                for (n, value) in values.into_iter().enumerate() {
                    put(wave, registers.dst + n * usize::from(bytes / 4), lane, bytes, value);
                }
            }
            MemKind::Store2 { bytes, stride } => {
                for (register, offset) in [registers.data, registers.second].into_iter().zip(pair(stride)) {
                    memory.write(u64::from(address) + offset, bytes, get(wave, register, lane, bytes));
                }
            }
            MemKind::Exchange2 { bytes, stride } => {
                let data =
                    [registers.data, registers.second].map(|register| get(wave, register, lane, bytes));
                let places = pair(stride).map(|offset| u64::from(address) + offset);
                for (n, (place, value)) in places.into_iter().zip(data).enumerate() {
                    let old = memory.atomic(place, Atomic::Swap, bytes, value, 0);
                    put(wave, registers.dst + n * usize::from(bytes / 4), lane, bytes, old);
                }
            }
            MemKind::Atomic { op, bytes, returns } => {
                let mut data = [registers.data, registers.second].map(|r| get(wave, r, lane, bytes));
                // Here the compare value comes first (DS_CMPST).
                if matches!(op, Atomic::CmpSwap | Atomic::CmpSwapF) {
                    data.swap(0, 1);
                }
                let old = memory.atomic(at, op, bytes, data[0], data[1]);
                if returns != Returns::No {
                    put(wave, registers.dst, lane, bytes, old);
                }
            }
            MemKind::AtomicSrc2 { op, bytes } => {
                let (to, from) = source_address(address, inst);
                let data = memory.read(from, bytes);
                memory.atomic(to, op, bytes, data, 0);
            }
            MemKind::StoreSrc2 { bytes } => {
                let (to, from) = source_address(address, inst);
                let data = memory.read(from, bytes);
                memory.write(to, bytes, data);
            }
            MemKind::LoadAddTid | MemKind::StoreAddTid => {
                let at = u64::from(m0 & 0xffff) + offset + 4 * lane as u64;
                if kind == MemKind::LoadAddTid {
                    wave.v[registers.dst][lane] = memory.read(at, 4) as u32;
                } else {
                    memory.write(at, 4, wave.v[registers.data][lane].into());
                }
            }
            MemKind::CondExchange32 => {
                let data = get(wave, registers.data, lane, 8);
                for half in 0..2u8 {
                    let word = (data >> (32 * half)) as u32;
                    let at = (at & !7) + 4 * u64::from(half);
                    wave.v[registers.dst + usize::from(half)][lane] = memory.read(at, 4) as u32;
                    if word >> 31 == 1 {
                        memory.write(at, 4, u64::from(word & 0x7fff_ffff));
                    }
                }
            }
            _ => {}
        }
    }
}

/// `ds_append`, `ds_consume` and `ds_ordered_count`: the counter's old value.
fn counter(wave: &Wave, inst: &Inst, kind: MemKind, memory: &mut Memory) -> Option<u32> {
    if !matches!(kind, MemKind::Append | MemKind::Consume | MemKind::OrderedCount) {
        return None;
    }
    let lanes = wave.exec().count_ones();
    let gds = inst.modifiers.flags.has(Flags::GDS);
    let offset = inst.modifiers.offset as u64;
    let at = offset + if gds { 0 } else { u64::from(wave.m0() & 0xffff) };
    if gds {
        // The base in M0 is all there is: its low half is no size here.
        memory.size = GDS_BYTES as u64;
    }
    Some(match kind {
        _ if lanes == 0 => 0,
        MemKind::Append => memory.atomic(at, Atomic::Add, 4, lanes.into(), 0),
        MemKind::Consume => memory.atomic(at, Atomic::Sub, 4, lanes.into(), 0),
        _ => {
            // Waves come in the order in which this engine starts them.
            let register = inst.operands().iter().skip(1).find_map(|operand| match operand {
                vega_isa::Operand::Vgpr(n) => Some(usize::from(*n)),
                _ => None,
            });
            let lane = wave.exec().trailing_zeros() as usize;
            let data = register.map_or(0, |register| wave.v[register][lane % 64]);
            // Byte 0 of the offset names the counter, bits 5:4 of byte 1 the operation.
            let op = match offset >> 12 & 3 {
                0 => Atomic::Add,
                3 => Atomic::Wrap,
                _ => Atomic::Swap,
            };
            memory.atomic(offset & 0xfc, op, 4, data.into(), 0)
        }
    } as u32)
}
