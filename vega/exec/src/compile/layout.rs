//! Where compiled code finds things: host registers, and offsets into the context and the wave.

use std::mem::offset_of;

use iced_x86::{MemoryOperand, Register};

use super::assembler::{at, at_index};
use super::context::Context;
use crate::interp::wave::Wave;

/// The wave.
pub(super) const WAVE: Register = Register::RBX;
/// The wave's scalar registers, a little inside so that short displacements reach more of them.
pub(super) const SCALARS: Register = Register::R13;
/// The workgroup's LDS.
pub(super) const LDS: Register = Register::R12;
/// The context.
pub(super) const CONTEXT: Register = Register::R14;
/// The announcement of accesses: a dword that is odd while one is under way.
pub(super) const SLOT: Register = Register::R15;
/// Bytes from a vector register to the strip at hand: four times its first lane.
pub(super) const STRIP: Register = Register::RBP;
/// Bytes from a lane mask to the strip's bits: an eighth of its first lane.
pub(super) const PIECE: Register = Register::R9;
/// The epoch for which translations must be valid, in regions that access global memory.
pub(super) const EPOCH: Register = Register::R8;

/// How far `SCALARS` points behind the first one.
pub(super) const SCALAR_BIAS: i32 = 128;

/// A scalar register.
pub(super) fn scalar(number: u16) -> MemoryOperand {
    at(SCALARS, i32::from(number) * 4 - SCALAR_BIAS)
}

/// The strip's part of a lane mask.
pub(super) fn mask(number: u16) -> MemoryOperand {
    at_index(SCALARS, PIECE, i32::from(number) * 4 - SCALAR_BIAS)
}

/// The strip's part of a vector register.
pub(super) fn vector(number: u16) -> MemoryOperand {
    at_index(WAVE, STRIP, offset_of!(Wave, v) as i32 + i32::from(number) * 256)
}

/// One lane of a vector register; the lane's number times four is in `index`.
pub(super) fn lane(number: u16, index: Register) -> MemoryOperand {
    at_index(WAVE, index, offset_of!(Wave, v) as i32 + i32::from(number) * 256)
}

/// The scalar condition code, a byte.
pub(super) fn scc() -> MemoryOperand {
    field(offset_of!(Wave, scc))
}

/// A field of the wave.
pub(super) fn field(offset: usize) -> MemoryOperand {
    at(WAVE, offset as i32)
}

/// A field of the context.
pub(super) fn context(offset: usize) -> MemoryOperand {
    at(CONTEXT, offset as i32)
}

/// The place of a value that does not fit the vector registers.
pub(super) fn spill(number: u16) -> MemoryOperand {
    context(offset_of!(Context, spilled) + 64 * usize::from(number))
}

/// The place of a mask that does not fit the mask registers.
pub(super) fn pending(number: u16) -> MemoryOperand {
    context(offset_of!(Context, pending) + 4 * usize::from(number))
}

/// A vector register of the host.
pub(super) fn zmm(number: u8) -> Register {
    Register::ZMM0 + u32::from(number)
}

/// Its low half.
pub(super) fn ymm(register: Register) -> Register {
    Register::YMM0 + (register as u32 - Register::ZMM0 as u32)
}

/// Its low quarter.
pub(super) fn xmm(register: Register) -> Register {
    Register::XMM0 + (register as u32 - Register::ZMM0 as u32)
}
