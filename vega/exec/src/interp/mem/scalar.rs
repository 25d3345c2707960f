//! SMEM instructions.
//!
//! # Safety
//! Leaf routines get host addresses of elements inside a range that was translated for the access while it
//! is announced.

use vega_isa::memory::Atomic;

use super::AtomicShape;
use crate::interp::level::{Handler, Vector};
use crate::interp::record::{Record, code};
use crate::interp::wave::Wave;
use crate::interp::worker::Worker;
use crate::memory::Access;
use crate::memory::leaf;
use crate::report::FaultKind;

/// Where an instruction's base comes from: a 64-bit base, a descriptor, or scratch memory.
pub(crate) const PLAIN: u8 = 0;
/// A buffer descriptor, with a range.
pub(crate) const BUFFER: u8 = 1;
/// A 64-bit base; scalar offsets count dwords of 64 lanes.
pub(crate) const SCRATCH: u8 = 2;

/// The address, and the bytes from there on that are in range.
#[inline(always)]
fn address<const FROM: u8>(wave: &Wave, record: &Record) -> (u64, u64) {
    let s = record.src[1] as usize;
    let scale = if FROM == SCRATCH { 64 } else { 1 };
    let offset = if record.src[2] == code::NONE {
        i64::from(record.imm)
    } else {
        i64::from(wave.scalar32(record, 2)) * scale + i64::from(record.imm)
    };
    if FROM == BUFFER {
        let base = wave.s64(s) & 0xffff_ffff_ffff;
        let stride = u64::from(wave.s[s + 1] >> 16 & 0x3fff);
        let size = u64::from(wave.s[s + 2]) * stride.max(1);
        let offset = offset as u64 & !3;
        return ((base & !3).wrapping_add(offset), size.saturating_sub(offset));
    }
    (wave.s64(s).wrapping_add_signed(offset) & !3, u64::MAX)
}

/// `s_load_dword*` and `s_buffer_load_dword*` of `consts[1]` dwords. Aligned pairs are read in one piece.
pub(crate) struct Load<const FROM: u8>;

impl<const FROM: u8> Handler for Load<FROM> {
    #[inline(always)]
    unsafe fn exec<V: Vector>(wave: &mut Wave, worker: &mut Worker, record: &Record, ip: usize) -> usize {
        let (va, available) = address::<FROM>(wave, record);
        let dwords = record.consts[1] as usize;
        let d = record.sdst as usize;
        let mut values = [0u32; 16];
        let mut k = 0;
        while k < dwords {
            let at = va.wrapping_add(4 * k as u64);
            if FROM == BUFFER && 4 * k as u64 + 4 > available {
                k += 1;
                continue;
            }
            let pair =
                at.is_multiple_of(8) && k + 1 < dwords && (FROM != BUFFER || 4 * k as u64 + 8 <= available);
            let read = worker.element(record.cache, at, if pair { 8 } else { 4 }, Access::Read, |host| {
                // SAFETY: see the file's head.
                unsafe { if pair { leaf::load8(host) } else { leaf::load4(host) } }
            });
            match read {
                Ok(value) if pair => {
                    values[k] = value as u32;
                    values[k + 1] = (value >> 32) as u32;
                    k += 2;
                }
                Ok(value) => {
                    values[k] = value as u32;
                    k += 1;
                }
                Err(fault) => return worker.fail(wave, ip, FaultKind::Memory(fault), None),
            }
        }
        wave.s[d..d + dwords].copy_from_slice(&values[..dwords]);
        ip + 1
    }
}

/// `s_store_dword*` and `s_buffer_store_dword*` of `consts[1]` dwords.
pub(crate) struct Store<const FROM: u8>;

impl<const FROM: u8> Handler for Store<FROM> {
    #[inline(always)]
    unsafe fn exec<V: Vector>(wave: &mut Wave, worker: &mut Worker, record: &Record, ip: usize) -> usize {
        let (va, available) = address::<FROM>(wave, record);
        wave.store_outstanding = true;
        for k in 0..record.consts[1] {
            if FROM == BUFFER && 4 * k + 4 > available {
                continue;
            }
            let value = u64::from(wave.s[record.sdst as usize + k as usize]);
            let done = worker.element(record.cache, va.wrapping_add(4 * k), 4, Access::Write, |host| {
                // SAFETY: see the file's head.
                unsafe { leaf::store4(host, value) }
            });
            if let Err(fault) = done {
                return worker.fail(wave, ip, FaultKind::Memory(fault), None);
            }
        }
        ip + 1
    }
}

/// `s_atomic_*` and `s_buffer_atomic_*`: the data's registers receive the old value with glc. `consts[1]` is the
/// [`AtomicShape`].
pub(crate) struct ScalarAtomic<const FROM: u8>;

impl<const FROM: u8> Handler for ScalarAtomic<FROM> {
    #[inline(always)]
    unsafe fn exec<V: Vector>(wave: &mut Wave, worker: &mut Worker, record: &Record, ip: usize) -> usize {
        let shape = AtomicShape::unpack(record.consts[1]);
        let (va, available) = address::<FROM>(wave, record);
        let d = record.sdst as usize;
        let wide = shape.bytes == 8;
        let read = |n: usize| if wide { wave.s64(d + 2 * n) } else { wave.s[d + n].into() };
        let data = read(0);
        let compare = if shape.op == Atomic::CmpSwap { read(1) } else { 0 };
        wave.store_outstanding = true;
        let old = if available < shape.bytes.into() {
            Ok(0)
        } else {
            worker.atomic_element(record.cache, va, shape, data, compare)
        };
        match old {
            Ok(old) if shape.returns && wide => wave.set_s64(d, old),
            Ok(old) if shape.returns => wave.s[d] = old as u32,
            Ok(_) => {}
            Err(fault) => return worker.fail(wave, ip, FaultKind::Memory(fault), None),
        }
        ip + 1
    }
}
