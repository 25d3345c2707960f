//! Typed accesses by the command processor, with the same translation and recovery as kernels have.
//!
//! # Safety
//! Every call of a leaf routine passes a host range that the page table translated, with the right checked,
//! while the thread's slot announces the access; so the mapping's contract (see `AddressSpace::map`) holds
//! until the routine returns.

use bytemuck::{AnyBitPattern, NoUninit};

use super::fault::{Access, FaultReason, GuestFault};
use super::leaf::{self, Done};
use super::quiesce::SlotGuard;
use super::space::{AddressSpace, RangeCache};

/// An atomic read-modify-write operation on 32 or 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AtomicOp {
    /// The operand replaces memory.
    Swap,
    /// Addition, wrapping.
    Add,
    /// Memory minus the operand, wrapping.
    Sub,
    /// The smaller one, signed.
    SMin,
    /// The smaller one, unsigned.
    UMin,
    /// The larger one, signed.
    SMax,
    /// The larger one, unsigned.
    UMax,
    /// Bitwise and.
    And,
    /// Bitwise or.
    Or,
    /// Bitwise exclusive or.
    Xor,
    /// `memory >= operand ? 0 : memory + 1`, unsigned.
    Inc,
    /// `memory == 0 || memory > operand ? operand : memory - 1`, unsigned.
    Dec,
}

macro_rules! apply {
    ($name:ident $unsigned:ty, $signed:ty) => {
        /// The value that replaces `memory`.
        pub(crate) fn $name(self, memory: $unsigned, operand: $unsigned) -> $unsigned {
            let signed_less = (memory as $signed) < operand as $signed;
            match self {
                Self::Swap => operand,
                Self::Add => memory.wrapping_add(operand),
                Self::Sub => memory.wrapping_sub(operand),
                Self::SMin if signed_less => memory,
                Self::SMax if !signed_less => memory,
                Self::SMin | Self::SMax => operand,
                Self::UMin => memory.min(operand),
                Self::UMax => memory.max(operand),
                Self::And => memory & operand,
                Self::Or => memory | operand,
                Self::Xor => memory ^ operand,
                Self::Inc if memory >= operand => 0,
                Self::Inc => memory + 1,
                Self::Dec if memory == 0 || memory > operand => operand,
                Self::Dec => memory - 1,
            }
        }
    };
}

impl AtomicOp {
    apply!(apply_u32 u32, i32);
    apply!(apply_u64 u64, i64);
}

thread_local! {
    /// This thread's announcement of accesses outside kernels.
    static SLOT: SlotGuard = SlotGuard::take();
}

impl AddressSpace {
    /// Runs `leaf` on the host address of `va` and the bytes of the mapping from there on.
    fn with_host(
        &self,
        va: u64,
        access: Access,
        leaf: impl FnOnce(u64, u64) -> Done,
    ) -> Result<u64, GuestFault> {
        SLOT.with(|slot| {
            slot.enter();
            let result = self.translate(va, access).map(|RangeCache { range, .. }| {
                let done = leaf(va.wrapping_add(range.delta), range.start + range.len - va);
                (done, range.delta)
            });
            slot.leave();
            match result {
                Err(reason) => Err(GuestFault { va, access, reason }),
                Ok((done, _)) if done.fault == 0 => Ok(done.value),
                Ok((done, delta)) => {
                    let va = done.fault.wrapping_sub(delta);
                    Err(GuestFault { va, access, reason: FaultReason::HostMemoryGone })
                }
            }
        })
    }

    /// Runs `leaf(host, offset, bytes)` on each piece of a range that may span mappings.
    fn pieces(
        &self,
        va: u64,
        len: u64,
        access: Access,
        mut leaf: impl FnMut(u64, u64, u64) -> Done,
    ) -> Result<(), GuestFault> {
        let mut done = 0;
        while done < len {
            let mut bytes = 0;
            self.with_host(va.wrapping_add(done), access, |host, available| {
                bytes = available.min(len - done);
                leaf(host, done, bytes)
            })?;
            done += bytes;
        }
        Ok(())
    }

    /// Reads a value. Naturally aligned values of 1, 2, 4 and 8 bytes are read in one piece, and later
    /// accesses stay behind them (acquire).
    ///
    /// # Errors
    /// When a byte is not readable.
    pub fn read<T: AnyBitPattern>(&self, va: u64) -> Result<T, GuestFault> {
        let size = size_of::<T>();
        if matches!(size, 1 | 2 | 4 | 8) && va.is_multiple_of(size as u64) {
            let value = self.with_host(va, Access::Read, |host, _| {
                // SAFETY: translated and announced; an aligned element lies within a page.
                unsafe {
                    match size {
                        1 => leaf::load1(host),
                        2 => leaf::load2(host),
                        4 => leaf::load4(host),
                        _ => leaf::load8(host),
                    }
                }
            })?;
            let bytes = value.to_le_bytes();
            return Ok(bytemuck::pod_read_unaligned(bytes.get(..size).unwrap_or(&bytes)));
        }
        let mut value = T::zeroed();
        let into = (&raw mut value).cast::<u8>();
        self.pieces(va, size as u64, Access::Read, |host, offset, bytes| {
            // SAFETY: translated and announced; `offset + bytes` stays within the value, any bit pattern of
            // which is valid.
            unsafe { leaf::copy(into.add(offset as usize) as u64, host, bytes) }
        })?;
        Ok(value)
    }

    /// Writes a value. Naturally aligned values of 1, 2, 4 and 8 bytes are written in one piece, and
    /// earlier accesses stay before them (release).
    ///
    /// # Errors
    /// When a byte is not writable; a larger value may have been written in part.
    pub fn write<T: NoUninit>(&self, va: u64, value: T) -> Result<(), GuestFault> {
        let bytes = bytemuck::bytes_of(&value);
        if matches!(bytes.len(), 1 | 2 | 4 | 8) && va.is_multiple_of(bytes.len() as u64) {
            let mut word = [0; 8];
            word.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
            let word = u64::from_le_bytes(word);
            return self
                .with_host(va, Access::Write, |host, _| {
                    // SAFETY: translated and announced; an aligned element lies within a page.
                    unsafe {
                        match bytes.len() {
                            1 => leaf::store1(host, word),
                            2 => leaf::store2(host, word),
                            4 => leaf::store4(host, word),
                            _ => leaf::store8(host, word),
                        }
                    }
                })
                .map(|_| ());
        }
        self.write_bytes(va, bytes)
    }

    /// Reads bytes, in no particular order.
    ///
    /// # Errors
    /// When a byte is not readable; part of `into` may have been filled.
    pub fn read_bytes(&self, va: u64, into: &mut [u8]) -> Result<(), GuestFault> {
        self.read_range(va, into, Access::Read)
    }

    /// Reads bytes of code: the mapping must be executable.
    pub(crate) fn fetch_bytes(&self, va: u64, into: &mut [u8]) -> Result<(), GuestFault> {
        self.read_range(va, into, Access::Execute)
    }

    fn read_range(&self, va: u64, into: &mut [u8], access: Access) -> Result<(), GuestFault> {
        let (to, len) = (into.as_mut_ptr(), into.len() as u64);
        self.pieces(va, len, access, |host, offset, bytes| {
            // SAFETY: translated and announced; `offset + bytes` stays within the slice.
            unsafe { leaf::copy(to.add(offset as usize) as u64, host, bytes) }
        })
    }

    /// Writes bytes, in no particular order.
    ///
    /// # Errors
    /// When a byte is not writable; part of the bytes may have been written.
    pub fn write_bytes(&self, va: u64, from: &[u8]) -> Result<(), GuestFault> {
        let from_ptr = from.as_ptr();
        self.pieces(va, from.len() as u64, Access::Write, |host, offset, bytes| {
            // SAFETY: translated and announced; `offset + bytes` stays within the slice.
            unsafe { leaf::copy(host, from_ptr.add(offset as usize) as u64, bytes) }
        })
    }

    /// Copies `len` bytes between ranges that do not overlap.
    ///
    /// # Errors
    /// When a byte is not accessible; part of the bytes may have been written.
    pub fn copy(&self, dst: u64, src: u64, len: u64) -> Result<(), GuestFault> {
        let mut done = 0;
        while done < len {
            let (from, to) = (src.wrapping_add(done), dst.wrapping_add(done));
            let step = SLOT.with(|slot| {
                slot.enter();
                let step = self.copy_piece(to, from, len - done);
                slot.leave();
                step
            });
            done += step?;
        }
        Ok(())
    }

    /// Copies as much as lies within one mapping on both sides; the caller announces the access.
    fn copy_piece(&self, dst: u64, src: u64, len: u64) -> Result<u64, GuestFault> {
        let refuse = |va, access| move |reason| GuestFault { va, access, reason };
        let from = self.translate(src, Access::Read).map_err(refuse(src, Access::Read))?.range;
        let to = self.translate(dst, Access::Write).map_err(refuse(dst, Access::Write))?.range;
        let bytes = len.min(from.start + from.len - src).min(to.start + to.len - dst);
        let (host_src, host_dst) = (src.wrapping_add(from.delta), dst.wrapping_add(to.delta));
        // SAFETY: both sides are translated for `bytes` bytes, and announced.
        let fault = unsafe { leaf::copy(host_dst, host_src, bytes) }.fault;
        let reason = FaultReason::HostMemoryGone;
        match fault {
            0 => Ok(bytes),
            at if at.wrapping_sub(host_src) < bytes => {
                Err(GuestFault { va: at.wrapping_sub(from.delta), access: Access::Read, reason })
            }
            at => Err(GuestFault { va: at.wrapping_sub(to.delta), access: Access::Write, reason }),
        }
    }

    /// Stores `value` `dwords` times; `dst` should be a multiple of 4.
    ///
    /// # Errors
    /// When a byte is not writable; part of the dwords may have been written.
    pub fn fill(&self, dst: u64, value: u32, dwords: u64) -> Result<(), GuestFault> {
        if !dst.is_multiple_of(4) {
            return (0..dwords).try_for_each(|i| self.write(dst.wrapping_add(4 * i), value));
        }
        self.pieces(dst, dwords.saturating_mul(4), Access::Write, |host, _, bytes| {
            // SAFETY: translated and announced for `bytes` bytes.
            unsafe { leaf::fill4(host, u64::from(value), bytes / 4) }
        })
    }

    /// An atomic operation on 32 bits, sequentially consistent; returns the old value.
    ///
    /// # Errors
    /// When `va` is no multiple of 4 or the dword is not both readable and writable.
    pub fn atomic_u32(&self, va: u64, op: AtomicOp, operand: u32) -> Result<u32, GuestFault> {
        loop {
            let old = self.compare_exchange_u32(va, operand, op.apply_u32(operand, operand))?;
            if old == operand {
                return Ok(old);
            }
            if self.compare_exchange_u32(va, old, op.apply_u32(old, operand))? == old {
                return Ok(old);
            }
        }
    }

    /// An atomic operation on 64 bits, sequentially consistent; returns the old value.
    ///
    /// # Errors
    /// When `va` is no multiple of 8 or the value is not both readable and writable.
    pub fn atomic_u64(&self, va: u64, op: AtomicOp, operand: u64) -> Result<u64, GuestFault> {
        loop {
            let old = self.compare_exchange_u64(va, operand, op.apply_u64(operand, operand))?;
            if old == operand {
                return Ok(old);
            }
            if self.compare_exchange_u64(va, old, op.apply_u64(old, operand))? == old {
                return Ok(old);
            }
        }
    }

    /// Compare and exchange of 32 bits, sequentially consistent; returns the old value.
    ///
    /// # Errors
    /// When `va` is no multiple of 4 or the dword is not both readable and writable.
    pub fn compare_exchange_u32(&self, va: u64, current: u32, new: u32) -> Result<u32, GuestFault> {
        check_alignment(va, 4)?;
        let old = self.with_host(va, Access::Atomic, |host, _| {
            // SAFETY: translated and announced; an aligned element lies within a page.
            unsafe { leaf::cas4(host, u64::from(current), u64::from(new)) }
        })?;
        Ok(old as u32)
    }

    /// Compare and exchange of 64 bits, sequentially consistent; returns the old value.
    ///
    /// # Errors
    /// When `va` is no multiple of 8 or the value is not both readable and writable.
    pub fn compare_exchange_u64(&self, va: u64, current: u64, new: u64) -> Result<u64, GuestFault> {
        check_alignment(va, 8)?;
        // SAFETY: translated and announced; an aligned element lies within a page.
        self.with_host(va, Access::Atomic, |host, _| unsafe { leaf::cas8(host, current, new) })
    }
}

fn check_alignment(va: u64, size: u64) -> Result<(), GuestFault> {
    if va.is_multiple_of(size) {
        return Ok(());
    }
    Err(GuestFault { va, access: Access::Atomic, reason: FaultReason::Misaligned })
}
