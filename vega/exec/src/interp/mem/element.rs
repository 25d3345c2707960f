//! Single elements of guest memory: what scalar, formatted and image accesses are made of.
//!
//! # Safety
//! Leaf routines get host addresses of elements inside a range that was translated for the access while it
//! is announced.

use super::AtomicShape;
use super::lanes::atomic;
use crate::interp::worker::{CACHES, Worker};
use crate::memory::leaf::{self, Done};
use crate::memory::{Access, FaultReason, GuestFault};

impl Worker {
    /// Runs `leaf` on the host address of an element of `bytes` bytes, which does not cross a page.
    #[inline(always)]
    pub fn element(
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

    /// Loads up to 16 bytes, in the largest aligned pieces.
    pub fn load_element(&mut self, cache: u16, va: u64, bytes: u32) -> Result<u128, GuestFault> {
        let mut value = 0;
        for (at, size) in pieces(va, bytes) {
            let part =
                self.element(cache, va.wrapping_add(at.into()), size.into(), Access::Read, |host| {
                    // SAFETY: see the file's head.
                    unsafe {
                        match size {
                            1 => leaf::load1(host),
                            2 => leaf::load2(host),
                            4 => leaf::load4(host),
                            _ => leaf::load8(host),
                        }
                    }
                })?;
            value |= u128::from(part) << (8 * at);
        }
        Ok(value)
    }

    /// Stores up to 16 bytes, in the largest aligned pieces.
    pub fn store_element(&mut self, cache: u16, va: u64, bytes: u32, value: u128) -> Result<(), GuestFault> {
        for (at, size) in pieces(va, bytes) {
            let part = (value >> (8 * at)) as u64;
            self.element(cache, va.wrapping_add(at.into()), size.into(), Access::Write, |host| {
                // SAFETY: see the file's head.
                unsafe {
                    match size {
                        1 => leaf::store1(host, part),
                        2 => leaf::store2(host, part),
                        4 => leaf::store4(host, part),
                        _ => leaf::store8(host, part),
                    }
                }
            })?;
        }
        Ok(())
    }

    /// An atomic operation; returns the old value. `d` is the data, `d2` what is compared.
    pub fn atomic_element(
        &mut self,
        cache: u16,
        va: u64,
        shape: AtomicShape,
        d: u64,
        d2: u64,
    ) -> Result<u64, GuestFault> {
        let bytes = u64::from(shape.bytes);
        if !va.is_multiple_of(bytes) {
            return Err(GuestFault { va, access: Access::Atomic, reason: FaultReason::Misaligned });
        }
        self.element(cache, va, bytes, Access::Atomic, |host| {
            // SAFETY: see the file's head; the address is aligned.
            unsafe {
                if bytes == 8 {
                    atomic::<u64>(host, shape.op, d, d2)
                } else {
                    atomic::<u32>(host, shape.op, d, d2)
                }
            }
        })
    }
}

/// Offsets and sizes of the naturally aligned pieces of an element.
fn pieces(va: u64, bytes: u32) -> impl Iterator<Item = (u32, u32)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let left = bytes.checked_sub(at).filter(|left| *left > 0)?;
        let aligned = va.wrapping_add(at.into()).trailing_zeros().min(3);
        let size = 1 << aligned.min(left.ilog2());
        at += size;
        Some((at - size, size))
    })
}
