//! Addresses of loads and stores in general registers: translations and bounds, the same for every target.
//!
//! RAX and RCX take what is computed, R10 points to the worker's translations, R11 is at hand.

use std::mem::offset_of;

use iced_x86::{Code, Register};
use vega_isa::memory::Space;

use super::assembler::{Arg, Assembler, Condition, Label, at, at_index};
use super::context::Context;
use super::ir::Access;
use super::layout::{EPOCH, LDS, context, scalar};
use crate::interp::worker::CACHES;
use crate::memory::RangeCache;
use Code::*;

const RAX: Register = Register::RAX;
const RCX: Register = Register::RCX;
const R10: Register = Register::R10;
const R11: Register = Register::R11;

/// EAX: the largest address in LDS behind which there are `reach` bytes.
pub(super) fn lds_limit(asm: &mut Assembler, reach: i32, careful: Label) {
    let size = context(offset_of!(Context, lds_bytes));
    asm.op(Mov_r64_rm64, &[RAX.into(), size.into()]);
    asm.op(Sub_rm64_imm32, &[RAX.into(), Arg::Dword(reach as u32)]);
    asm.jcc(Condition::Below, careful);
}

/// R10: the instruction's translation, if it is of this epoch and has the right.
pub(super) fn translation(asm: &mut Assembler, access: &Access, careful: Label) {
    asm.op(Mov_r64_rm64, &[R10.into(), context(offset_of!(Context, caches)).into()]);
    asm.op(Cmp_r64_rm64, &[EPOCH.into(), range(offset_of!(RangeCache, epoch), access)]);
    asm.jcc(Condition::NotEqual, careful);
    let right = access.right();
    asm.op(Test_rm8_imm8, &[range(offset_of!(RangeCache, rights), access), right.into()]);
    asm.jcc(Condition::Equal, careful);
}

/// For `compile::code::translate`: R8 is the address of an access without the instruction's offset; ECX tells of its
/// translation.
pub(super) fn missing(asm: &mut Assembler, access: &Access) {
    let offset = access.offsets[0];
    if offset != 0 {
        asm.op(Add_rm64_imm32, &[Register::R8.into(), Arg::Dword(offset as u32)]);
    }
    let wanted = u32::from(access.cache) | u32::from(access.right()) << 16;
    asm.op(Mov_r32_imm32, &[Register::ECX.into(), Arg::Dword(wanted)]);
}

/// RAX: the first lane's host address, if everything between `from` and `to` (and RDX more) is in LDS, or in the
/// translation. EAX holds the low half, ECX the high one.
pub(super) fn first_host(asm: &mut Assembler, access: &Access, from: i32, to: i32, otherwise: Label) {
    if access.space == Space::Lds {
        // Offsets are added in 32 bits: what is negative may be folded into the address.
        if from != 0 {
            asm.op(Add_rm32_imm32, &[Register::EAX.into(), Arg::Dword(from as u32)]);
        }
        asm.op(Lea_r64_m, &[RCX.into(), at_index(RAX, Register::RDX, to - from).into()]);
        asm.op(Cmp_r64_rm64, &[RCX.into(), context(offset_of!(Context, lds_bytes)).into()]);
        asm.jcc(Condition::Above, otherwise);
        asm.op(Lea_r64_m, &[RAX.into(), at_index(RAX, LDS, -from).into()]);
        return;
    }
    let field = |field| range(field, access);
    // The low halves must not wrap around on the way to the last lane.
    asm.op(Mov_r32_rm32, &[Register::R11D.into(), Register::EAX.into()]);
    asm.op(Add_r32_rm32, &[Register::R11D.into(), Register::EDX.into()]);
    asm.jcc(Condition::Below, otherwise);
    match access.base {
        Some(base) => asm.op(Add_r64_rm64, &[RAX.into(), scalar(base).into()]),
        None => {
            asm.op(Shl_rm64_imm8, &[RCX.into(), 32u8.into()]);
            asm.op(Or_r64_rm64, &[RAX.into(), RCX.into()]);
        }
    }
    asm.op(Mov_r64_rm64, &[RCX.into(), RAX.into()]);
    asm.op(Sub_r64_rm64, &[RCX.into(), field(offset_of!(RangeCache, range.start))]);
    if from != 0 {
        asm.op(Add_rm64_imm32, &[RCX.into(), Arg::Dword(from as u32)]);
    }
    asm.op(Mov_r64_rm64, &[R11.into(), field(offset_of!(RangeCache, range.len))]);
    asm.op(Sub_r64_rm64, &[R11.into(), Register::RDX.into()]);
    asm.jcc(Condition::Below, otherwise);
    asm.op(Sub_rm64_imm32, &[R11.into(), Arg::Dword((to - from) as u32)]);
    asm.jcc(Condition::Below, otherwise);
    asm.op(Cmp_r64_rm64, &[RCX.into(), R11.into()]);
    asm.jcc(Condition::Above, otherwise);
    asm.op(Add_r64_rm64, &[RAX.into(), field(offset_of!(RangeCache, range.delta))]);
}

/// RAX: a scalar base's offset in the translation; ECX: the largest offset of a lane, below 2^31, behind which
/// there are `reach` bytes.
pub(super) fn lane_limit(asm: &mut Assembler, access: &Access, base: u16, reach: i32, careful: Label) {
    asm.op(Mov_r64_rm64, &[RAX.into(), scalar(base).into()]);
    asm.op(Add_rm64_imm32, &[RAX.into(), Arg::Dword(access.offsets[0] as u32)]);
    asm.op(Sub_r64_rm64, &[RAX.into(), range(offset_of!(RangeCache, range.start), access)]);
    asm.jcc(Condition::Below, careful);
    asm.op(Mov_r64_rm64, &[RCX.into(), range(offset_of!(RangeCache, range.len), access)]);
    asm.op(Sub_rm64_imm32, &[RCX.into(), Arg::Dword(reach as u32)]);
    asm.op(Sub_r64_rm64, &[RCX.into(), RAX.into()]);
    asm.jcc(Condition::Below, careful);
    asm.op(Mov_r32_imm32, &[Register::R11D.into(), Arg::Dword(0x7fff_ffff)]);
    asm.op(Cmp_r64_rm64, &[RCX.into(), R11.into()]);
    asm.op(Cmova_r64_rm64, &[RCX.into(), R11.into()]);
}

/// RAX: the host address of an offset in the translation that it held.
pub(super) fn lane_base(asm: &mut Assembler, access: &Access) {
    asm.op(Add_r64_rm64, &[RAX.into(), range(offset_of!(RangeCache, range.start), access)]);
    asm.op(Add_r64_rm64, &[RAX.into(), range(offset_of!(RangeCache, range.delta), access)]);
}

/// A field of the instruction's translation, whose table R10 points to.
pub(super) fn range(field: usize, access: &Access) -> Arg {
    cached(access.cache, R10, field)
}

/// A field of the translation in a slot of the table that a register points to.
pub(super) fn cached(slot: u16, table: Register, field: usize) -> Arg {
    let entry = usize::from(slot) % CACHES;
    at(table, (entry * size_of::<RangeCache>() + field) as i32).into()
}
