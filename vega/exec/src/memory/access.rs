//! Typed accesses by the command processor, with the same translation and recovery as kernels have.

use bytemuck::{AnyBitPattern, NoUninit};

use super::fault::{Access, FaultReason, GuestFault};
use super::space::AddressSpace;

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

fn gone(va: u64, access: Access) -> GuestFault {
    AddressSpace::fault(va, access, FaultReason::NotMapped)
}

impl AddressSpace {
    /// Reads a value. Naturally aligned values of 1, 2, 4 and 8 bytes are read in one piece, and later
    /// accesses stay behind them (acquire).
    pub fn read<T: AnyBitPattern>(&self, va: u64) -> Result<T, GuestFault> {
        Err(gone(va, Access::Read))
    }

    /// Writes a value. Naturally aligned values of 1, 2, 4 and 8 bytes are written in one piece, and
    /// earlier accesses stay before them (release).
    pub fn write<T: NoUninit>(&self, va: u64, _value: T) -> Result<(), GuestFault> {
        Err(gone(va, Access::Write))
    }

    /// Reads bytes, in no particular order.
    pub fn read_bytes(&self, va: u64, _into: &mut [u8]) -> Result<(), GuestFault> {
        Err(gone(va, Access::Read))
    }

    /// Writes bytes, in no particular order.
    pub fn write_bytes(&self, va: u64, _from: &[u8]) -> Result<(), GuestFault> {
        Err(gone(va, Access::Write))
    }

    /// Copies `len` bytes between ranges that do not overlap.
    pub fn copy(&self, dst: u64, _src: u64, _len: u64) -> Result<(), GuestFault> {
        Err(gone(dst, Access::Write))
    }

    /// Stores `value` `dwords` times; `dst` must be a multiple of 4.
    pub fn fill(&self, dst: u64, _value: u32, _dwords: u64) -> Result<(), GuestFault> {
        Err(gone(dst, Access::Write))
    }

    /// An atomic operation on 32 bits, sequentially consistent; returns the old value.
    pub fn atomic_u32(&self, va: u64, _op: AtomicOp, _operand: u32) -> Result<u32, GuestFault> {
        Err(gone(va, Access::Atomic))
    }

    /// An atomic operation on 64 bits, sequentially consistent; returns the old value.
    pub fn atomic_u64(&self, va: u64, _op: AtomicOp, _operand: u64) -> Result<u64, GuestFault> {
        Err(gone(va, Access::Atomic))
    }

    /// Compare and exchange of 32 bits, sequentially consistent; returns the old value.
    pub fn compare_exchange_u32(&self, va: u64, _current: u32, _new: u32) -> Result<u32, GuestFault> {
        Err(gone(va, Access::Atomic))
    }

    /// Compare and exchange of 64 bits, sequentially consistent; returns the old value.
    pub fn compare_exchange_u64(&self, va: u64, _current: u64, _new: u64) -> Result<u64, GuestFault> {
        Err(gone(va, Access::Atomic))
    }
}
