//! Scalar instructions of more than a few steps: bit fields, relative moves, EXEC, lanes.

use std::mem::offset_of;

use iced_x86::{Code, MemoryOperand, Register};
use vega_isa::micro::{Cross, HwReg, Logic};
use vega_isa::sgpr;

use super::assembler::{Arg, Assembler, Condition};
use super::context::Context;
use super::layout::{WAVE, context, lane, scalar, scc};
use super::scalar::{EAX, ECX, EDX, RAX, RCX, RDX, SGPRS, Scalar, wide_constant};
use crate::interp::record::{Record, code};
use crate::interp::wave::extra;
use Code::*;

/// RAX: RAX and a shifted copy of it, of which `mask` has the bits that count.
fn join_bits(asm: &mut Assembler, shift: Code, by: u8, mask: u64) {
    asm.op(Mov_r64_rm64, &[RCX.into(), RAX.into()]);
    asm.op(shift, &[RCX.into(), by.into()]);
    asm.op(Or_r64_rm64, &[RAX.into(), RCX.into()]);
    wide_constant(asm, mask);
    asm.op(And_r64_rm64, &[RAX.into(), RDX.into()]);
}

/// RAX: the lowest bit of every four in which there is any.
pub(super) fn any_of_four(asm: &mut Assembler) {
    join_bits(asm, Shr_rm64_imm8, 1, u64::MAX);
    join_bits(asm, Shr_rm64_imm8, 2, 0x1111_1111_1111_1111);
}

impl Scalar {
    /// A field at a constant place.
    pub fn bit_field(&self, asm: &mut Assembler, wide: bool, signed: bool) {
        if self.record.src[1] != code::CONST {
            return self.variable_field(asm, wide, signed);
        }
        let bits = if wide { 64u32 } else { 32 };
        let place = self.record.consts[1] as u32;
        let (offset, width) = (place & (bits - 1), (place >> 16 & 127).min(bits));
        if width == 0 {
            asm.op(Xor_r32_rm32, &[EAX.into(), EAX.into()]);
            return self.nonzero(asm);
        }
        // Up against the top of 64 bits, then down: bits above the source are its sign, or zero.
        if !wide && signed {
            asm.op(Movsxd_r64_rm32, &[RAX.into(), EAX.into()]);
        }
        let down = if signed { Sar_rm64_imm8 } else { Shr_rm64_imm8 };
        asm.op(down, &[RAX.into(), (offset as u8).into()]);
        let unused = (64 - width) as u8;
        asm.op(Shl_rm64_imm8, &[RAX.into(), unused.into()]);
        asm.op(down, &[RAX.into(), unused.into()]);
        if !wide {
            asm.op(Mov_r32_rm32, &[EAX.into(), EAX.into()]);
        }
        self.nonzero(asm);
    }

    /// RAX: one bit of every four that has any, side by side.
    pub fn quad_mask(&self, asm: &mut Assembler) {
        any_of_four(asm);
        let steps =
            [(3u8, 0x0303_0303_0303_0303u64), (6, 0x000f_000f_000f_000f), (12, 0xff_0000_00ff), (24, 0xffff)];
        for (shift, mask) in steps {
            join_bits(asm, Shr_rm64_imm8, shift, mask);
        }
        self.nonzero(asm);
    }

    /// RAX: bits in reverse order.
    pub fn reverse(&self, asm: &mut Assembler, wide: bool) {
        asm.op(Bswap_r64, &[RAX.into()]);
        let steps = [(4u8, 0x0f0f_0f0f_0f0f_0f0fu64), (2, 0x3333_3333_3333_3333), (1, 0x5555_5555_5555_5555)];
        for (shift, mask) in steps {
            wide_constant(asm, mask);
            asm.op(Mov_r64_rm64, &[RCX.into(), RAX.into()]);
            asm.op(Shr_rm64_imm8, &[RCX.into(), shift.into()]);
            asm.op(And_r64_rm64, &[RCX.into(), RDX.into()]);
            asm.op(And_r64_rm64, &[RAX.into(), RDX.into()]);
            asm.op(Shl_rm64_imm8, &[RAX.into(), shift.into()]);
            asm.op(Or_r64_rm64, &[RAX.into(), RCX.into()]);
        }
        if !wide {
            asm.op(Shr_rm64_imm8, &[RAX.into(), 32u8.into()]);
        }
        self.store(asm);
    }

    /// RAX: every bit of EAX twice.
    pub fn replicate(&self, asm: &mut Assembler) {
        let steps = [
            (16u8, 0x0000_ffff_0000_ffffu64),
            (8, 0x00ff_00ff_00ff_00ff),
            (4, 0x0f0f_0f0f_0f0f_0f0f),
            (2, 0x3333_3333_3333_3333),
            (1, 0x5555_5555_5555_5555),
        ];
        for (shift, mask) in steps {
            join_bits(asm, Shl_rm64_imm8, shift, mask);
        }
        let thrice = MemoryOperand::with_base_index_scale(RAX, RAX, 2);
        asm.op(Lea_r64_m, &[RAX.into(), thrice.into()]);
        self.store(asm);
    }

    /// A field at a place that a register tells, in ECX.
    pub fn variable_field(&self, asm: &mut Assembler, wide: bool, signed: bool) {
        let bits = if wide { 64u32 } else { 32 };
        let (width, zero) = (EDX, Register::R10);
        if !wide && signed {
            asm.op(Movsxd_r64_rm32, &[RAX.into(), EAX.into()]);
        }
        asm.op(Mov_r32_rm32, &[width.into(), ECX.into()]);
        asm.op(And_rm32_imm8, &[ECX.into(), ((bits - 1) as u8).into()]);
        let down = if signed { Sar_rm64_CL } else { Shr_rm64_CL };
        asm.op(down, &[RAX.into(), Register::CL.into()]);
        asm.op(Shr_rm32_imm8, &[width.into(), 16u8.into()]);
        asm.op(And_rm32_imm8, &[width.into(), 127u8.into()]);
        asm.op(Mov_r32_imm32, &[Register::R10D.into(), Arg::Dword(bits)]);
        asm.op(Cmp_r32_rm32, &[width.into(), Register::R10D.into()]);
        asm.op(Cmova_r32_rm32, &[width.into(), Register::R10D.into()]);
        asm.op(Xor_r32_rm32, &[Register::R10D.into(), Register::R10D.into()]);
        asm.op(Test_rm32_r32, &[width.into(), width.into()]);
        asm.op(Cmove_r64_rm64, &[RAX.into(), zero.into()]);
        // Up against the top, then down.
        asm.op(Mov_r32_imm32, &[ECX.into(), Arg::Dword(64)]);
        asm.op(Sub_r32_rm32, &[ECX.into(), width.into()]);
        asm.op(Shl_rm64_CL, &[RAX.into(), Register::CL.into()]);
        asm.op(down, &[RAX.into(), Register::CL.into()]);
        if !wide {
            asm.op(Mov_r32_rm32, &[EAX.into(), EAX.into()]);
        }
        self.nonzero(asm);
    }

    /// A move whose source or destination is told by M0 as well.
    pub fn move_relative(&self, asm: &mut Assembler, wide: bool, to: bool) {
        let record = &self.record;
        let base = if to { record.sdst } else { record.src[0] };
        if to {
            fetch(asm, record, 0, wide, EAX, RAX);
        }
        asm.op(Mov_r32_rm32, &[ECX.into(), scalar(sgpr::M0.into()).into()]);
        asm.op(Add_rm64_imm32, &[RCX.into(), Arg::Dword(base.into())]);
        let last = SGPRS - if wide { 2 } else { 1 };
        asm.op(Cmp_rm64_imm32, &[RCX.into(), Arg::Dword(last.into())]);
        let first = scalar(0);
        let place =
            MemoryOperand::with_base_index_scale_displ_size(first.base, RCX, 4, first.displacement, 1);
        if to {
            // A destination out of range is not written.
            let skip = asm.label();
            asm.jcc(Condition::Above, skip);
            if wide {
                asm.op(Mov_rm64_r64, &[place.into(), RAX.into()]);
            } else {
                asm.op(Mov_rm32_r32, &[place.into(), EAX.into()]);
            }
            asm.bind(skip);
            return;
        }
        // A source out of range is s0.
        asm.op(Mov_r32_imm32, &[EDX.into(), Arg::Dword(0)]);
        asm.op(Cmova_r64_rm64, &[RCX.into(), RDX.into()]);
        if wide {
            asm.op(Mov_r64_rm64, &[RAX.into(), place.into()]);
            asm.op(Mov_rm64_r64, &[scalar(record.sdst).into(), RAX.into()]);
        } else {
            asm.op(Mov_r32_rm32, &[EAX.into(), place.into()]);
            asm.op(Mov_rm32_r32, &[scalar(record.sdst).into(), EAX.into()]);
        }
    }

    /// A field of the hardware register that tells where apertures are.
    pub fn memory_bases(&self, asm: &mut Assembler) {
        let field = HwReg::from_imm(self.record.imm as u16);
        let bases = context(offset_of!(Context, memory_bases));
        asm.op(Mov_r32_rm32, &[EAX.into(), bases.into()]);
        asm.op(Shr_rm32_imm8, &[EAX.into(), field.offset.into()]);
        let mask = ((1u64 << field.bits) - 1) as u32;
        asm.op(And_rm32_imm32, &[EAX.into(), Arg::Dword(mask)]);
        asm.op(Mov_rm32_r32, &[scalar(self.record.sdst).into(), EAX.into()]);
    }

    pub fn exec(&self, asm: &mut Assembler, logic: Logic, write: bool) {
        let exec = || -> Arg { scalar(sgpr::EXEC_LO.into()).into() };
        let saved: Arg = scalar(self.record.sdst).into();
        fetch(asm, &self.record, 0, true, EAX, RAX);
        asm.op(Mov_r64_rm64, &[RCX.into(), exec()]);
        if !write {
            asm.op(Mov_rm64_r64, &[saved, RCX.into()]);
        }
        combine(asm, logic);
        if write {
            asm.op(Mov_rm64_r64, &[saved, RAX.into()]);
        }
        asm.op(Mov_rm64_r64, &[exec(), RAX.into()]);
        asm.op(Test_rm64_r64, &[RAX.into(), RAX.into()]);
        asm.op(Setne_rm8, &[scc().into()]);
    }

    pub fn lane(&self, asm: &mut Assembler, cross: Cross) {
        if cross == Cross::ReadFirstLane {
            // 64, and so lane 0, if no lane is active.
            asm.op(Tzcnt_r64_rm64, &[RCX.into(), scalar(sgpr::EXEC_LO.into()).into()]);
        } else {
            fetch(asm, &self.record, 1, false, ECX, RCX);
        }
        asm.op(And_rm32_imm8, &[ECX.into(), 63u8.into()]);
        let v = self.record.src[0] - code::VGPR;
        let place: MemoryOperand = lane(v, RCX);
        let place = MemoryOperand::with_base_index_scale_displ_size(WAVE, RCX, 4, place.displacement, 1);
        asm.op(Mov_r32_rm32, &[EAX.into(), place.into()]);
        asm.op(Mov_rm32_r32, &[scalar(self.record.sdst).into(), EAX.into()]);
    }
}

/// RAX = RAX op RCX
pub(super) fn combine(asm: &mut Assembler, logic: Logic) {
    let (negate_a, negate_b, code, negate) = match logic {
        Logic::And => (false, false, And_r64_rm64, false),
        Logic::Or => (false, false, Or_r64_rm64, false),
        Logic::Xor => (false, false, Xor_r64_rm64, false),
        Logic::Andn2 => (false, true, And_r64_rm64, false),
        Logic::Orn2 => (false, true, Or_r64_rm64, false),
        Logic::Andn1 => (true, false, And_r64_rm64, false),
        Logic::Orn1 => (true, false, Or_r64_rm64, false),
        Logic::Nand => (false, false, And_r64_rm64, true),
        Logic::Nor => (false, false, Or_r64_rm64, true),
        Logic::Xnor => (false, false, Xor_r64_rm64, true),
    };
    if negate_a {
        asm.op(Not_rm64, &[RAX.into()]);
    }
    if negate_b {
        asm.op(Not_rm64, &[RCX.into()]);
    }
    asm.op(code, &[RAX.into(), RCX.into()]);
    if negate {
        asm.op(Not_rm64, &[RAX.into()]);
    }
}

/// A source to a register; 32-bit values are extended with zeroes.
pub(super) fn fetch(
    asm: &mut Assembler,
    record: &Record,
    n: usize,
    wide: bool,
    narrow: Register,
    full: Register,
) {
    match record.src[n] {
        code::CONST => {
            let value = record.consts[n];
            if !wide || value >> 32 == 0 {
                asm.op(Mov_r32_imm32, &[narrow.into(), Arg::Dword(value as u32)]);
            } else {
                asm.op(Mov_rm64_imm32, &[full.into(), Arg::Dword((value >> 32) as u32)]);
                asm.op(Shl_rm64_imm8, &[full.into(), 32u8.into()]);
                asm.op(Mov_r32_imm32, &[EDX.into(), Arg::Dword(value as u32)]);
                asm.op(Or_r64_rm64, &[full.into(), RDX.into()]);
            }
        }
        extra::SCC => asm.op(Movzx_r32_rm8, &[narrow.into(), scc().into()]),
        zero @ (extra::VCCZ | extra::EXECZ) => {
            let mask = if zero == extra::VCCZ { sgpr::VCC_LO } else { sgpr::EXEC_LO };
            let low = if narrow == EAX { Register::AL } else { Register::CL };
            asm.op(Cmp_rm64_imm8, &[scalar(mask.into()).into(), 0u8.into()]);
            asm.op(Sete_rm8, &[low.into()]);
            asm.op(Movzx_r32_rm8, &[narrow.into(), low.into()]);
        }
        number if wide => asm.op(Mov_r64_rm64, &[full.into(), scalar(number).into()]),
        number => asm.op(Mov_r32_rm32, &[narrow.into(), scalar(number).into()]),
    }
}
