//! SMEM instructions.
//!
//! # Safety
//! Leaf routines get host addresses of elements inside a range that was translated for the access while it
//! is announced.

use crate::interp::level::{Handler, Vector};
use crate::interp::record::{Record, code};
use crate::interp::wave::Wave;
use crate::interp::worker::{CACHES, Worker};
use crate::memory::leaf::{self, Done};
use crate::memory::{Access, FaultReason, GuestFault};
use crate::report::FaultKind;

impl Worker {
    /// Runs `leaf` on the host address of an element of `bytes` bytes.
    #[inline(always)]
    fn scalar_access(
        &mut self,
        cache: u16,
        va: u64,
        bytes: u64,
        access: Access,
        leaf: impl FnOnce(u64) -> Done,
    ) -> Result<u64, GuestFault> {
        self.slot.enter();
        let mut range = self.cached(cache, access).unwrap_or_default();
        if va.wrapping_sub(range.start) > range.len.wrapping_sub(bytes) || range.len < bytes {
            match self.space.translate(va, access) {
                Ok(found) => {
                    range = found.range;
                    self.caches[cache as usize % CACHES] = found;
                }
                Err(reason) => {
                    self.slot.leave();
                    return Err(GuestFault { va, access, reason });
                }
            }
        }
        let done = leaf(va.wrapping_add(range.delta));
        self.slot.leave();
        if done.fault == 0 {
            return Ok(done.value);
        }
        Err(GuestFault { va, access, reason: FaultReason::HostMemoryGone })
    }
}

/// The address and whether it is in range, for `s_load` (64-bit base) and `s_buffer_load` (descriptor).
#[inline(always)]
fn address<const BUFFER: bool>(wave: &Wave, record: &Record) -> (u64, u64) {
    let s = record.src[1] as usize;
    let offset = if record.src[2] == code::NONE {
        i64::from(record.imm)
    } else {
        i64::from(wave.scalar32(record, 2)) + i64::from(record.imm)
    };
    if BUFFER {
        let base = wave.s64(s) & 0xffff_ffff_ffff;
        let stride = u64::from(wave.s[s + 1] >> 16 & 0x3fff);
        let size = u64::from(wave.s[s + 2]) * stride.max(1);
        let offset = offset as u64 & !3;
        return ((base & !3).wrapping_add(offset), size.saturating_sub(offset));
    }
    (wave.s64(s).wrapping_add_signed(offset) & !3, u64::MAX)
}

/// `s_load_dword*` and `s_buffer_load_dword*` of `consts[1]` dwords. Aligned pairs are read in one piece.
pub(crate) struct Load<const BUFFER: bool>;

impl<const BUFFER: bool> Handler for Load<BUFFER> {
    #[inline(always)]
    unsafe fn exec<V: Vector>(wave: &mut Wave, worker: &mut Worker, record: &Record, ip: usize) -> usize {
        let (va, available) = address::<BUFFER>(wave, record);
        let dwords = record.consts[1] as usize;
        let d = record.sdst as usize;
        let mut values = [0u32; 16];
        let mut k = 0;
        while k < dwords {
            let at = va.wrapping_add(4 * k as u64);
            if BUFFER && 4 * k as u64 + 4 > available {
                k += 1;
                continue;
            }
            let pair = at.is_multiple_of(8) && k + 1 < dwords && (!BUFFER || 4 * k as u64 + 8 <= available);
            let read =
                worker.scalar_access(record.cache, at, if pair { 8 } else { 4 }, Access::Read, |host| {
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
pub(crate) struct Store<const BUFFER: bool>;

impl<const BUFFER: bool> Handler for Store<BUFFER> {
    #[inline(always)]
    unsafe fn exec<V: Vector>(wave: &mut Wave, worker: &mut Worker, record: &Record, ip: usize) -> usize {
        let (va, available) = address::<BUFFER>(wave, record);
        wave.store_outstanding = true;
        for k in 0..record.consts[1] {
            if BUFFER && 4 * k + 4 > available {
                continue;
            }
            let value = u64::from(wave.s[record.sdst as usize + k as usize]);
            let done = worker.scalar_access(record.cache, va.wrapping_add(4 * k), 4, Access::Write, |host| {
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
