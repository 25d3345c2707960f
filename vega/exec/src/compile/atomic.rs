//! Atomic operations: a loop over the active lanes, in ascending order.
//!
//! LDS belongs to one workgroup, and that to one thread: its operations are plain. Global memory is shared with other
//! workers and the host, so its operations are `lock`ed. A lane out of range, or whatever else is unusual, ends the
//! loop: the interpreter does that lane and the rest.

use std::mem::offset_of;

use iced_x86::{Code, MemoryOperand, Register};
use vega_isa::memory::{Atomic, MemKind, MemOp, Space};
use vega_isa::{Flags, Inst, Micro, sgpr};

use super::address::cached;
use super::assembler::{Arg, Assembler, Condition, Label, at, at_index};
use super::context::Context;
use super::layout::{CONTEXT, EPOCH, LDS, WAVE, context, scalar};
use super::set::{ScalarSet, VectorSet};
use crate::interp::mem::AtomicShape;
use crate::interp::record::{Record, code};
use crate::interp::wave::Wave;
use crate::memory::RangeCache;
use Code::*;

/// The active lanes that are left.
const REST: Register = Register::RDI;
/// The lane.
const LANE: Register = Register::RCX;
/// The lane's address: of the host at last, or the offset in LDS.
const PLACE: Register = Register::RDX;
/// The largest offset in LDS or in the translation.
const LIMIT: Register = Register::R11;
/// What memory held.
const OLD: Register = Register::RSI;
/// What it will hold.
const NEW: Register = Register::R9;
/// The operand, and a second one.
const DATA: Register = Register::R10;
const SECOND: Register = Register::R8;
const RAX: Register = Register::RAX;

/// An atomic instruction that is compiled.
#[derive(Clone, Copy)]
pub(super) struct AtomicAccess {
    lds: bool,
    op: Atomic,
    /// The operation's size.
    wide: bool,
    returns: bool,
    /// The address register: 64 bits where there is no base, in global memory.
    address: u16,
    base: Option<u16>,
    offset: i32,
    /// The operand's register, and the second one's.
    data: u16,
    second: u16,
    dst: u16,
    cache: u16,
}

impl AtomicAccess {
    /// Adds the vector registers that it reads.
    pub fn vector_reads(&self, set: &mut VectorSet) {
        let dwords = if self.wide { 2 } else { 1 };
        set.add(self.address, if self.lds || self.base.is_some() { 1 } else { 2 });
        set.add(self.data, 2 * dwords);
        set.add(self.second, dwords);
        set.add(self.dst, dwords);
    }

    /// The instruction, if it is one and is compiled.
    pub fn new(inst: &Inst, record: &Record) -> Option<Self> {
        let Micro::Mem(MemOp { space, kind: MemKind::Atomic { .. } }) = inst.row.micro else { return None };
        let lds = match space {
            Space::Lds => true,
            Space::Global | Space::Flat => false,
            _ => return None,
        };
        if inst.modifiers.flags.has(Flags::GDS) {
            return None;
        }
        let AtomicShape { op, bytes, returns } = AtomicShape::unpack(record.consts[2]);
        let wide = bytes == 8;
        let integer = !matches!(
            op,
            Atomic::Wrap | Atomic::FMin | Atomic::FMax | Atomic::CmpSwapF | Atomic::FAdd | Atomic::MskOr
        );
        let float_sum = lds && op == Atomic::FAdd && !wide;
        if !(integer || float_sum) {
            return None;
        }
        let dwords = if wide { 2 } else { 1 };
        let (first, behind) = (record.sdst, record.sdst + dwords);
        // LDS compares with the first operand and stores the second, elsewhere it is the other way round.
        let (data, second) = match (op, lds) {
            (Atomic::CmpSwap, true) => (record.consts[0] as u16, first),
            _ => (first, behind),
        };
        let address = record.src[0].checked_sub(code::VGPR)?;
        let base = (record.src[1] != code::NONE && !lds).then_some(record.src[1]);
        let last = [address + 1, data + dwords - 1, second + dwords - 1, record.dst + dwords - 1];
        (last[0] <= 256 && last[1] < 256 && (op != Atomic::CmpSwap || last[2] < 256) && last[3] < 256)
            .then_some(Self {
                lds,
                op,
                wide,
                returns,
                address,
                base,
                offset: record.imm,
                data,
                second,
                dst: record.dst,
                cache: record.cache,
            })
    }

    /// Adds the scalar registers that it reads.
    pub fn scalar_reads(&self, set: &mut ScalarSet) {
        if let Some(base) = self.base {
            set.add(base, 2);
        }
    }

    /// Whether it accesses global memory.
    pub fn is_global(&self) -> bool {
        !self.lds
    }

    fn bytes(&self) -> u32 {
        if self.wide { 8 } else { 4 }
    }

    /// `narrow`, or `wide` for operations of 64 bits.
    fn size<T>(&self, narrow: T, wide: T) -> T {
        if self.wide { wide } else { narrow }
    }

    /// Emits the loop. Falls through when all lanes are done; goes to `rest` with the lanes that are left in
    /// [`REST`]. Returns the range of code in which the host may fault.
    pub fn emit(&self, asm: &mut Assembler, rest: Label) -> (Label, Label) {
        let (top, done) = (asm.label(), asm.label());
        asm.op(Mov_r64_rm64, &[REST.into(), scalar(sgpr::EXEC_LO.into()).into()]);
        asm.op(Test_rm64_r64, &[REST.into(), REST.into()]);
        asm.jcc(Condition::Equal, done);
        self.limit(asm, rest);
        asm.bind(top);
        asm.op(Tzcnt_r64_rm64, &[LANE.into(), REST.into()]);
        self.place(asm, rest);
        self.read(asm, DATA, self.data);
        if self.op == Atomic::CmpSwap {
            self.read(asm, SECOND, self.second);
        }
        if self.lds {
            self.plain(asm)
        } else {
            self.locked(asm)
        }
        if self.returns {
            asm.op(Mov_rm32_r32, &[lane(self.dst).into(), narrow(OLD).into()]);
            if self.wide {
                asm.op(Shr_rm64_imm8, &[OLD.into(), 32u8.into()]);
                asm.op(Mov_rm32_r32, &[lane(self.dst + 1).into(), narrow(OLD).into()]);
            }
        }
        asm.op(VEX_Blsr_r64_rm64, &[REST.into(), REST.into()]);
        asm.jcc(Condition::NotEqual, top);
        asm.bind(done);
        (top, done)
    }

    /// Looks at what is the same for all lanes.
    fn limit(&self, asm: &mut Assembler, rest: Label) {
        if self.lds {
            asm.op(Mov_r64_rm64, &[LIMIT.into(), context(offset_of!(Context, lds_bytes)).into()]);
            asm.op(Sub_rm64_imm32, &[LIMIT.into(), Arg::Dword(self.offset as u32 + self.bytes())]);
            return asm.jcc(Condition::Below, rest);
        }
        let range = |field| cached(self.cache, RAX, field);
        asm.op(Mov_r64_rm64, &[RAX.into(), at(CONTEXT, offset_of!(Context, caches) as i32).into()]);
        asm.op(Cmp_r64_rm64, &[EPOCH.into(), range(offset_of!(RangeCache, epoch))]);
        asm.jcc(Condition::NotEqual, rest);
        // Both loads and stores.
        asm.op(Movzx_r32_rm8, &[narrow(NEW).into(), range(offset_of!(RangeCache, rights))]);
        asm.op(And_rm32_imm8, &[narrow(NEW).into(), 3u8.into()]);
        asm.op(Cmp_rm32_imm8, &[narrow(NEW).into(), 3u8.into()]);
        asm.jcc(Condition::NotEqual, rest);
        asm.op(Mov_r64_rm64, &[LIMIT.into(), range(offset_of!(RangeCache, range.len))]);
        asm.op(Sub_rm64_imm8, &[LIMIT.into(), (self.bytes() as u8).into()]);
    }

    /// The lane's place.
    fn place(&self, asm: &mut Assembler, rest: Label) {
        asm.op(Mov_r32_rm32, &[narrow(PLACE).into(), lane(self.address).into()]);
        if self.lds {
            asm.op(Cmp_r64_rm64, &[PLACE.into(), LIMIT.into()]);
            return asm.jcc(Condition::Above, rest);
        }
        match self.base {
            Some(base) => asm.op(Add_r64_rm64, &[PLACE.into(), scalar(base).into()]),
            None => {
                asm.op(Mov_r32_rm32, &[narrow(OLD).into(), lane(self.address + 1).into()]);
                asm.op(Shl_rm64_imm8, &[OLD.into(), 32u8.into()]);
                asm.op(Or_r64_rm64, &[PLACE.into(), OLD.into()]);
            }
        }
        if self.offset != 0 {
            asm.op(Add_rm64_imm32, &[PLACE.into(), Arg::Dword(self.offset as u32)]);
        }
        let range = |field| cached(self.cache, RAX, field);
        asm.op(Mov_r64_rm64, &[RAX.into(), at(CONTEXT, offset_of!(Context, caches) as i32).into()]);
        asm.op(Mov_r64_rm64, &[NEW.into(), PLACE.into()]);
        asm.op(Sub_r64_rm64, &[NEW.into(), range(offset_of!(RangeCache, range.start))]);
        asm.op(Cmp_r64_rm64, &[NEW.into(), LIMIT.into()]);
        asm.jcc(Condition::Above, rest);
        asm.op(Test_rm8_imm8, &[Register::DL.into(), (self.bytes() as u8 - 1).into()]);
        asm.jcc(Condition::NotEqual, rest);
        asm.op(Add_r64_rm64, &[PLACE.into(), range(offset_of!(RangeCache, range.delta))]);
    }

    /// The lane's value of one register, or of two.
    fn read(&self, asm: &mut Assembler, to: Register, from: u16) {
        asm.op(Mov_r32_rm32, &[narrow(to).into(), lane(from).into()]);
        if self.wide {
            asm.op(Mov_r32_rm32, &[narrow(RAX).into(), lane(from + 1).into()]);
            asm.op(Shl_rm64_imm8, &[RAX.into(), 32u8.into()]);
            asm.op(Or_r64_rm64, &[to.into(), RAX.into()]);
        }
    }

    /// A register of the operation's size.
    fn sized(&self, register: Register) -> Register {
        if self.wide { register } else { narrow(register) }
    }

    fn plain(&self, asm: &mut Assembler) {
        let place: Arg = at_index(LDS, PLACE, self.offset).into();
        let load = self.size(Mov_r32_rm32, Mov_r64_rm64);
        asm.op(load, &[self.sized(OLD).into(), place]);
        self.compute(asm);
        let store = self.size(Mov_rm32_r32, Mov_rm64_r64);
        asm.op(store, &[place, self.sized(NEW).into()]);
    }

    fn locked(&self, asm: &mut Assembler) {
        let place: Arg = at(PLACE, 0).into();
        let [old, new, data, rax] = [OLD, NEW, DATA, RAX].map(|register| self.sized(register));
        let load = self.size(Mov_r32_rm32, Mov_r64_rm64);
        match self.op {
            Atomic::Add => {
                asm.locked(self.size(Xadd_rm32_r32, Xadd_rm64_r64), &[place, data.into()]);
                asm.op(load, &[old.into(), data.into()]);
            }
            Atomic::Swap => {
                // Always locked.
                asm.op(self.size(Xchg_rm32_r32, Xchg_rm64_r64), &[place, data.into()]);
                asm.op(load, &[old.into(), data.into()]);
            }
            Atomic::CmpSwap => {
                asm.op(load, &[rax.into(), self.sized(SECOND).into()]);
                asm.locked(self.size(Cmpxchg_rm32_r32, Cmpxchg_rm64_r64), &[place, data.into()]);
                asm.op(load, &[old.into(), rax.into()]);
            }
            _ => {
                let again = asm.label();
                asm.op(load, &[rax.into(), place]);
                asm.bind(again);
                asm.op(load, &[old.into(), rax.into()]);
                self.compute(asm);
                asm.locked(self.size(Cmpxchg_rm32_r32, Cmpxchg_rm64_r64), &[place, new.into()]);
                asm.jcc(Condition::NotEqual, again);
            }
        }
    }

    /// [`NEW`] from [`OLD`] and [`DATA`].
    fn compute(&self, asm: &mut Assembler) {
        let [old, new, data] = [OLD, NEW, DATA].map(|register| self.sized(register));
        let load = self.size(Mov_r32_rm32, Mov_r64_rm64);
        let compare = self.size(Cmp_r32_rm32, Cmp_r64_rm64);
        let from_old = |asm: &mut Assembler, code: Code| {
            asm.op(load, &[new.into(), old.into()]);
            asm.op(code, &[new.into(), data.into()]);
        };
        // The operand, or what memory held where that is so in comparison with it.
        let choose = |asm: &mut Assembler, code: Code| {
            asm.op(load, &[new.into(), data.into()]);
            asm.op(compare, &[old.into(), data.into()]);
            asm.op(code, &[new.into(), old.into()]);
        };
        match self.op {
            Atomic::Swap => asm.op(load, &[new.into(), data.into()]),
            Atomic::CmpSwap => {
                asm.op(load, &[new.into(), old.into()]);
                asm.op(compare, &[old.into(), self.sized(SECOND).into()]);
                asm.op(self.size(Cmove_r32_rm32, Cmove_r64_rm64), &[new.into(), data.into()]);
            }
            Atomic::Add => from_old(asm, self.size(Add_r32_rm32, Add_r64_rm64)),
            Atomic::Sub => from_old(asm, self.size(Sub_r32_rm32, Sub_r64_rm64)),
            Atomic::And => from_old(asm, self.size(And_r32_rm32, And_r64_rm64)),
            Atomic::Or => from_old(asm, self.size(Or_r32_rm32, Or_r64_rm64)),
            Atomic::Xor => from_old(asm, self.size(Xor_r32_rm32, Xor_r64_rm64)),
            Atomic::RSub => {
                asm.op(load, &[new.into(), data.into()]);
                asm.op(self.size(Sub_r32_rm32, Sub_r64_rm64), &[new.into(), old.into()]);
            }
            Atomic::SMin => choose(asm, self.size(Cmovl_r32_rm32, Cmovl_r64_rm64)),
            Atomic::SMax => choose(asm, self.size(Cmovge_r32_rm32, Cmovge_r64_rm64)),
            Atomic::UMin => choose(asm, self.size(Cmovb_r32_rm32, Cmovb_r64_rm64)),
            Atomic::UMax => choose(asm, self.size(Cmova_r32_rm32, Cmova_r64_rm64)),
            Atomic::Inc => {
                // One more, or zero.
                asm.op(load, &[new.into(), old.into()]);
                asm.op(self.size(Add_rm32_imm8, Add_rm64_imm8), &[new.into(), 1u8.into()]);
                asm.op(Mov_r32_imm32, &[narrow(SECOND).into(), Arg::Dword(0)]);
                asm.op(compare, &[old.into(), data.into()]);
                let code = self.size(Cmovae_r32_rm32, Cmovae_r64_rm64);
                asm.op(code, &[new.into(), self.sized(SECOND).into()]);
            }
            Atomic::Dec => {
                // One less, or the operand.
                asm.op(load, &[new.into(), old.into()]);
                asm.op(self.size(Sub_rm32_imm8, Sub_rm64_imm8), &[new.into(), 1u8.into()]);
                asm.op(compare, &[old.into(), data.into()]);
                asm.op(self.size(Cmova_r32_rm32, Cmova_r64_rm64), &[new.into(), data.into()]);
                asm.op(self.size(Test_rm32_r32, Test_rm64_r64), &[old.into(), old.into()]);
                asm.op(self.size(Cmove_r32_rm32, Cmove_r64_rm64), &[new.into(), data.into()]);
            }
            _ => float_sum(asm),
        }
    }
}

/// [`NEW`] = [`OLD`] + [`DATA`] as f32. The host's sum of infinities of both signs is a NaN of the other sign.
fn float_sum(asm: &mut Assembler) {
    let (done, invalid) = (asm.label(), asm.label());
    let [x, y] = [Register::XMM0, Register::XMM1];
    asm.op(VEX_Vmovd_xmm_rm32, &[x.into(), narrow(OLD).into()]);
    asm.op(VEX_Vmovd_xmm_rm32, &[y.into(), narrow(DATA).into()]);
    asm.op(VEX_Vaddss_xmm_xmm_xmmm32, &[x.into(), x.into(), y.into()]);
    asm.op(VEX_Vmovd_rm32_xmm, &[narrow(NEW).into(), x.into()]);
    asm.op(Cmp_rm32_imm32, &[narrow(NEW).into(), Arg::Dword(0xffc0_0000)]);
    asm.jcc(Condition::NotEqual, done);
    // Unless it came in.
    for source in [OLD, DATA] {
        asm.op(Mov_r32_rm32, &[narrow(RAX).into(), narrow(source).into()]);
        asm.op(And_rm32_imm32, &[narrow(RAX).into(), Arg::Dword(0x7fff_ffff)]);
        asm.op(Cmp_rm32_imm32, &[narrow(RAX).into(), Arg::Dword(0x7f80_0000)]);
        asm.jcc(Condition::Above, done);
    }
    asm.bind(invalid);
    asm.op(Mov_r32_imm32, &[narrow(NEW).into(), Arg::Dword(0x7fc0_0000)]);
    asm.bind(done);
}

/// The low half of a register.
fn narrow(register: Register) -> Register {
    Register::EAX + (register as u32 - Register::RAX as u32)
}

/// The lane's part of a vector register.
fn lane(number: u16) -> MemoryOperand {
    let displacement = offset_of!(Wave, v) as i64 + i64::from(number) * 256;
    MemoryOperand::with_base_index_scale_displ_size(WAVE, LANE, 4, displacement, 1)
}
