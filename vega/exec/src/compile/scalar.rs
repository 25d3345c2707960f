//! Scalar instructions: registers are in the wave, operations in the host's general registers.

use iced_x86::{Code, MemoryOperand, Register};
use vega_isa::micro::{Cond, Cross, Logic, ScalarBin, ScalarUn};
use vega_isa::{Inst, Micro, Ty, sgpr};

use super::assembler::{Arg, Assembler, Condition};
use super::layout::{WAVE, lane, scalar, scc};
use super::set::{SCC, ScalarSet, VectorSet};
use crate::interp::record::{Record, code};
use crate::interp::scalar::{WIDE_0, WIDE_1, WIDE_DST};
use crate::interp::wave::extra;
use Code::*;

const EAX: Register = Register::EAX;
const ECX: Register = Register::ECX;
const EDX: Register = Register::EDX;
const RAX: Register = Register::RAX;
const RCX: Register = Register::RCX;
const RDX: Register = Register::RDX;

/// A scalar instruction that is compiled.
#[derive(Clone, Copy)]
pub(super) struct Scalar {
    micro: Micro,
    record: Record,
    /// What it reads.
    pub reads: ScalarSet,
    /// What it writes.
    pub writes: ScalarSet,
    /// Vector registers of which it reads a lane.
    pub lanes: VectorSet,
}

/// A source that the emission can fetch.
fn fetchable(record: &Record, n: usize) -> bool {
    let number = record.src[n];
    number < extra::COMPUTED || number == code::CONST || number == extra::SCC
}

impl Scalar {
    /// The instruction, if it is one and is compiled.
    pub fn new(inst: &Inst, record: &Record) -> Option<Self> {
        let micro = inst.row.micro;
        let mut this = Self {
            micro,
            record: *record,
            reads: ScalarSet::default(),
            writes: ScalarSet::default(),
            lanes: VectorSet::default(),
        };
        let sources = match micro {
            Micro::Scalar1(un, ty) if supports_one(un, ty) => 1,
            Micro::Scalar2(bin, _) if supports_two(bin, record) => 2,
            Micro::ScalarCompare(..) | Micro::ScalarBitCompare { .. } => 2,
            Micro::SaveExec(_) | Micro::WriteExec(_) => 1,
            Micro::Cross(Cross::ReadFirstLane | Cross::ReadLane) => {
                let vector = record.src[0].checked_sub(code::VGPR)?;
                this.lanes.add(vector, 1);
                this.reads.add(sgpr::EXEC_LO.into(), 2);
                if matches!(micro, Micro::Cross(Cross::ReadLane)) {
                    if !fetchable(record, 1) {
                        return None;
                    }
                    this.read(1, 1);
                }
                this.writes.add(record.sdst, 1);
                return Some(this);
            }
            _ => return None,
        };
        if !(0..sources).all(|n| fetchable(record, n)) {
            return None;
        }
        let wide = |flag: i32| if record.imm & flag != 0 { 2 } else { 1 };
        let exec = matches!(micro, Micro::SaveExec(_) | Micro::WriteExec(_));
        this.read(0, if exec { 2 } else { wide(WIDE_0) });
        if sources == 2 {
            this.read(1, wide(WIDE_1));
        }
        if exec {
            this.reads.add(sgpr::EXEC_LO.into(), 2);
            this.writes.add(sgpr::EXEC_LO.into(), 2);
        }
        // Some read SCC or their destination, most write SCC: it is simplest to count both always.
        this.reads.add(SCC, 1);
        this.writes.add(SCC, 1);
        if record.sdst != code::NONE {
            let count = if exec { 2 } else { wide(WIDE_DST) };
            this.reads.add(record.sdst, count);
            this.writes.add(record.sdst, count);
        }
        Some(this)
    }

    fn read(&mut self, n: usize, count: u16) {
        if self.record.src[n] < extra::COMPUTED {
            self.reads.add(self.record.src[n], count);
        }
    }

    /// Emits the instruction.
    pub fn emit(&self, asm: &mut Assembler) {
        match self.micro {
            Micro::Scalar1(un, ty) => self.one(asm, un, ty),
            Micro::Scalar2(bin, ty) => self.two(asm, bin, ty),
            Micro::ScalarCompare(cond, ty) => {
                self.fetch(asm, 0, WIDE_0);
                self.fetch(asm, 1, WIDE_1);
                if self.record.imm & (WIDE_0 | WIDE_1) != 0 {
                    asm.op(Cmp_r64_rm64, &[RAX.into(), RCX.into()]);
                } else {
                    asm.op(Cmp_r32_rm32, &[EAX.into(), ECX.into()]);
                }
                asm.op(set_condition(cond, ty.is_signed()), &[scc().into()]);
            }
            Micro::ScalarBitCompare { set, ty } => {
                self.fetch(asm, 0, WIDE_0);
                self.fetch(asm, 1, WIDE_1);
                if ty.dwords() == 2 {
                    asm.op(Bt_rm64_r64, &[RAX.into(), RCX.into()]);
                } else {
                    asm.op(Bt_rm32_r32, &[EAX.into(), ECX.into()]);
                }
                asm.op(if set { Setb_rm8 } else { Setae_rm8 }, &[scc().into()]);
            }
            Micro::SaveExec(logic) => self.exec(asm, logic, false),
            Micro::WriteExec(logic) => self.exec(asm, logic, true),
            Micro::Cross(cross) => self.lane(asm, cross),
            _ => {}
        }
    }

    /// Source `n` to RAX or RCX; 32-bit values are extended with zeroes.
    fn fetch(&self, asm: &mut Assembler, n: usize, wide: i32) {
        let (narrow, full) = if n == 0 { (EAX, RAX) } else { (ECX, RCX) };
        let wide = self.record.imm & wide != 0;
        fetch(asm, &self.record, n, wide, narrow, full);
    }

    /// RAX to the destination.
    fn store(&self, asm: &mut Assembler) {
        self.store_from(asm, EAX, RAX);
    }

    fn store_from(&self, asm: &mut Assembler, narrow: Register, full: Register) {
        let to = scalar(self.record.sdst).into();
        if self.record.imm & WIDE_DST != 0 {
            asm.op(Mov_rm64_r64, &[to, full.into()]);
        } else {
            asm.op(Mov_rm32_r32, &[to, narrow.into()]);
        }
    }

    /// The destination's old value to RCX.
    fn old(&self, asm: &mut Assembler) {
        let from = scalar(self.record.sdst).into();
        if self.record.imm & WIDE_DST != 0 {
            asm.op(Mov_r64_rm64, &[RCX.into(), from]);
        } else {
            asm.op(Mov_r32_rm32, &[ECX.into(), from]);
        }
    }

    /// SCC = RAX is not zero, and RAX goes to the destination.
    fn nonzero(&self, asm: &mut Assembler) {
        asm.op(Test_rm64_r64, &[RAX.into(), RAX.into()]);
        asm.op(Setne_rm8, &[scc().into()]);
        self.store(asm);
    }

    fn one(&self, asm: &mut Assembler, un: ScalarUn, ty: Ty) {
        let wide = ty.dwords() == 2;
        self.fetch(asm, 0, WIDE_0);
        match un {
            ScalarUn::CMov => {
                let skip = asm.label();
                test_scc(asm);
                asm.jcc(Condition::Equal, skip);
                self.store(asm);
                asm.bind(skip);
            }
            ScalarUn::Not => {
                if wide {
                    asm.op(Not_rm64, &[RAX.into()]);
                } else {
                    asm.op(Not_rm32, &[EAX.into()]);
                }
                self.nonzero(asm);
            }
            ScalarUn::Bcnt1 | ScalarUn::Bcnt0 => {
                if un == ScalarUn::Bcnt0 {
                    if wide {
                        asm.op(Not_rm64, &[RAX.into()]);
                    } else {
                        asm.op(Not_rm32, &[EAX.into()]);
                    }
                }
                asm.op(Popcnt_r64_rm64, &[RAX.into(), RAX.into()]);
                self.nonzero(asm);
            }
            ScalarUn::Ff1 | ScalarUn::Flbit => {
                let (count, test, full, other) = match (un, wide) {
                    (ScalarUn::Ff1, true) => (Tzcnt_r64_rm64, Test_rm64_r64, RAX, RDX),
                    (ScalarUn::Ff1, false) => (Tzcnt_r32_rm32, Test_rm32_r32, EAX, EDX),
                    (_, true) => (Lzcnt_r64_rm64, Test_rm64_r64, RAX, RDX),
                    _ => (Lzcnt_r32_rm32, Test_rm32_r32, EAX, EDX),
                };
                asm.op(count, &[other.into(), full.into()]);
                asm.op(Mov_r32_imm32, &[ECX.into(), Arg::Dword(!0)]);
                asm.op(test, &[full.into(), full.into()]);
                asm.op(Cmove_r32_rm32, &[EDX.into(), ECX.into()]);
                self.store_from(asm, EDX, RDX);
            }
            ScalarUn::Sext => {
                if ty.bits() == 8 {
                    asm.op(Movsx_r32_rm8, &[EAX.into(), Register::AL.into()]);
                } else {
                    asm.op(Movsx_r32_rm16, &[EAX.into(), Register::AX.into()]);
                }
                self.store(asm);
            }
            ScalarUn::BitSet0 | ScalarUn::BitSet1 => {
                self.old(asm);
                let code = match (un, wide) {
                    (ScalarUn::BitSet0, false) => Btr_rm32_r32,
                    (ScalarUn::BitSet0, true) => Btr_rm64_r64,
                    (_, false) => Bts_rm32_r32,
                    _ => Bts_rm64_r64,
                };
                if wide {
                    asm.op(code, &[RCX.into(), RAX.into()]);
                } else {
                    asm.op(code, &[ECX.into(), EAX.into()]);
                }
                self.store_from(asm, ECX, RCX);
            }
            ScalarUn::Abs => {
                asm.op(Mov_r32_rm32, &[ECX.into(), EAX.into()]);
                asm.op(Neg_rm32, &[EAX.into()]);
                asm.op(Cmovs_r32_rm32, &[EAX.into(), ECX.into()]);
                self.nonzero(asm);
            }
            _ => self.store(asm),
        }
    }

    fn two(&self, asm: &mut Assembler, bin: ScalarBin, ty: Ty) {
        let (wide, signed) = (ty.dwords() == 2, ty.is_signed());
        self.fetch(asm, 0, WIDE_0);
        self.fetch(asm, 1, WIDE_1);
        let narrow = [Arg::from(EAX), ECX.into()];
        let full = [Arg::from(RAX), RCX.into()];
        match bin {
            ScalarBin::Add | ScalarBin::Sub => {
                asm.op(if bin == ScalarBin::Add { Add_r32_rm32 } else { Sub_r32_rm32 }, &narrow);
                asm.op(if signed { Seto_rm8 } else { Setb_rm8 }, &[scc().into()]);
                self.store(asm);
            }
            ScalarBin::AddC | ScalarBin::SubB => {
                // Carry = SCC.
                asm.op(Movzx_r32_rm8, &[EDX.into(), scc().into()]);
                asm.op(Add_rm8_imm8, &[Register::DL.into(), 0xffu8.into()]);
                asm.op(if bin == ScalarBin::AddC { Adc_r32_rm32 } else { Sbb_r32_rm32 }, &narrow);
                asm.op(Setb_rm8, &[scc().into()]);
                self.store(asm);
            }
            ScalarBin::Min | ScalarBin::Max => {
                let (set, choose) = match (bin, signed) {
                    (ScalarBin::Min, true) => (Setl_rm8, Cmovge_r32_rm32),
                    (ScalarBin::Min, false) => (Setb_rm8, Cmovae_r32_rm32),
                    (_, true) => (Setg_rm8, Cmovle_r32_rm32),
                    _ => (Seta_rm8, Cmovbe_r32_rm32),
                };
                asm.op(Cmp_r32_rm32, &narrow);
                asm.op(set, &[scc().into()]);
                asm.op(choose, &narrow);
                self.store(asm);
            }
            ScalarBin::CSelect => {
                test_scc(asm);
                asm.op(Cmove_r64_rm64, &full);
                self.store(asm);
            }
            ScalarBin::Logic(logic) => {
                combine(asm, logic);
                if !wide {
                    // The upper half of a complement is not part of the result.
                    asm.op(Mov_r32_rm32, &[EAX.into(), EAX.into()]);
                }
                self.nonzero(asm);
            }
            ScalarBin::Lshl | ScalarBin::Lshr | ScalarBin::Ashr => {
                let (code, register) = match (bin, wide) {
                    (ScalarBin::Lshl, false) => (Shl_rm32_CL, EAX),
                    (ScalarBin::Lshl, true) => (Shl_rm64_CL, RAX),
                    (ScalarBin::Lshr, false) => (Shr_rm32_CL, EAX),
                    (ScalarBin::Lshr, true) => (Shr_rm64_CL, RAX),
                    (_, false) => (Sar_rm32_CL, EAX),
                    _ => (Sar_rm64_CL, RAX),
                };
                asm.op(code, &[register.into(), Register::CL.into()]);
                self.nonzero(asm);
            }
            ScalarBin::Bfm => {
                let (shift, decrement, d) =
                    if wide { (Shl_rm64_CL, Dec_rm64, RDX) } else { (Shl_rm32_CL, Dec_rm32, EDX) };
                // The second source waits in R10 while CL counts the first.
                asm.op(Mov_r32_rm32, &[Register::R10D.into(), ECX.into()]);
                asm.op(Mov_r32_rm32, &[ECX.into(), EAX.into()]);
                asm.op(Mov_r32_imm32, &[EDX.into(), Arg::Dword(1)]);
                asm.op(shift, &[d.into(), Register::CL.into()]);
                asm.op(decrement, &[d.into()]);
                asm.op(Mov_r32_rm32, &[ECX.into(), Register::R10D.into()]);
                asm.op(shift, &[d.into(), Register::CL.into()]);
                self.store_from(asm, EDX, RDX);
            }
            ScalarBin::Mul => {
                asm.op(Imul_r32_rm32, &narrow);
                self.store(asm);
            }
            ScalarBin::MulHi => {
                if signed {
                    asm.op(Movsxd_r64_rm32, &[RAX.into(), EAX.into()]);
                    asm.op(Movsxd_r64_rm32, &[RCX.into(), ECX.into()]);
                }
                asm.op(Imul_r64_rm64, &full);
                asm.op(Shr_rm64_imm8, &[RAX.into(), 32u8.into()]);
                self.store(asm);
            }
            ScalarBin::Bfe => self.bit_field(asm, wide, signed),
            ScalarBin::LshlAdd(n) => {
                asm.op(Shl_rm64_imm8, &[RAX.into(), n.into()]);
                asm.op(Add_r64_rm64, &full);
                self.store(asm);
                asm.op(Shr_rm64_imm8, &[RAX.into(), 32u8.into()]);
                asm.op(Setne_rm8, &[scc().into()]);
            }
            ScalarBin::Pack(first, second) => {
                if first {
                    asm.op(Shr_rm32_imm8, &[EAX.into(), 16u8.into()]);
                } else {
                    asm.op(Movzx_r32_rm16, &[EAX.into(), Register::AX.into()]);
                }
                if second {
                    asm.op(Shr_rm32_imm8, &[ECX.into(), 16u8.into()]);
                }
                asm.op(Shl_rm32_imm8, &[ECX.into(), 16u8.into()]);
                asm.op(Or_r32_rm32, &narrow);
                self.store(asm);
            }
            ScalarBin::AbsDiff => {}
        }
    }

    /// A field at a constant place.
    fn bit_field(&self, asm: &mut Assembler, wide: bool, signed: bool) {
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

    fn exec(&self, asm: &mut Assembler, logic: Logic, write: bool) {
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

    fn lane(&self, asm: &mut Assembler, cross: Cross) {
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

/// A source to a register; 32-bit values are extended with zeroes.
fn fetch(asm: &mut Assembler, record: &Record, n: usize, wide: bool, narrow: Register, full: Register) {
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
        number if wide => asm.op(Mov_r64_rm64, &[full.into(), scalar(number).into()]),
        number => asm.op(Mov_r32_rm32, &[narrow.into(), scalar(number).into()]),
    }
}

/// Sets the zero flag if SCC is clear.
pub(super) fn test_scc(asm: &mut Assembler) {
    asm.op(Cmp_rm8_imm8, &[scc().into(), 0u8.into()]);
}

/// RAX = RAX op RCX
fn combine(asm: &mut Assembler, logic: Logic) {
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

fn set_condition(cond: Cond, signed: bool) -> Code {
    match (cond, signed) {
        (Cond::Eq, _) => Sete_rm8,
        (Cond::Lg, _) => Setne_rm8,
        (Cond::Lt, true) => Setl_rm8,
        (Cond::Le, true) => Setle_rm8,
        (Cond::Gt, true) => Setg_rm8,
        (Cond::Ge, true) => Setge_rm8,
        (Cond::Lt, false) => Setb_rm8,
        (Cond::Le, false) => Setbe_rm8,
        (Cond::Gt, false) => Seta_rm8,
        _ => Setae_rm8,
    }
}

fn supports_one(un: ScalarUn, ty: Ty) -> bool {
    match un {
        ScalarUn::Flbit => !ty.is_signed(),
        ScalarUn::Mov
        | ScalarUn::CMov
        | ScalarUn::Not
        | ScalarUn::Bcnt0
        | ScalarUn::Bcnt1
        | ScalarUn::Ff1
        | ScalarUn::Sext
        | ScalarUn::BitSet0
        | ScalarUn::BitSet1
        | ScalarUn::Abs => true,
        _ => false,
    }
}

fn supports_two(bin: ScalarBin, record: &Record) -> bool {
    match bin {
        ScalarBin::AbsDiff => false,
        ScalarBin::Bfe => record.src[1] == code::CONST,
        _ => true,
    }
}
