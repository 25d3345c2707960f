//! Scalar instructions: registers are in the wave, operations in the host's general registers.

use iced_x86::{Code, Register};
use vega_isa::micro::{Cond, Cross, HwReg, ScalarBin, ScalarUn};
use vega_isa::{Inst, Micro, Ty, sgpr};

use super::assembler::{Arg, Assembler, Condition};
use super::layout::{scalar, scc};
use super::scalar_fields::{any_of_four, combine, fetch};
use super::set::{SCC, ScalarSet, VectorSet};
use crate::interp::record::{Record, code};
use crate::interp::registers::id;
use crate::interp::scalar::{WIDE_0, WIDE_1, WIDE_DST};
use crate::interp::wave::extra;
use Code::*;

pub(super) const EAX: Register = Register::EAX;
pub(super) const ECX: Register = Register::ECX;
pub(super) const EDX: Register = Register::EDX;
pub(super) const RAX: Register = Register::RAX;
pub(super) const RCX: Register = Register::RCX;
pub(super) const RDX: Register = Register::RDX;

/// Scalar registers of a wave, without those that have names.
pub(super) const SGPRS: u16 = 102;

/// A scalar instruction that is compiled.
#[derive(Clone, Copy)]
pub(super) struct Scalar {
    micro: Micro,
    pub record: Record,
    /// What it reads.
    pub reads: ScalarSet,
    /// What it writes.
    pub writes: ScalarSet,
    /// What its result depends on, of `reads`.
    pub needs: ScalarSet,
    /// Vector registers of which it reads a lane.
    pub lanes: VectorSet,
}

/// A source that the emission can fetch.
pub(super) fn fetchable(record: &Record, n: usize) -> bool {
    let number = record.src[n];
    number < extra::COMPUTED || matches!(number, code::CONST | extra::SCC | extra::VCCZ | extra::EXECZ)
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
            needs: ScalarSet::default(),
            lanes: VectorSet::default(),
        };
        let sources = match micro {
            Micro::Scalar1(..) => 1,
            Micro::Scalar2(..) => 2,
            Micro::ScalarCompare(..) | Micro::ScalarBitCompare { .. } => 2,
            Micro::SaveExec(_) | Micro::WriteExec(_) => 1,
            Micro::MoveRelSource(_) | Micro::MoveRelDest(_) => return this.relative(),
            Micro::GetReg if HwReg::from_imm(record.imm as u16).id == id::SH_MEM_BASES => {
                this.writes.add(record.sdst, 1);
                return Some(this);
            }
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
                this.needs = this.reads;
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
        this.needs = this.reads;
        let (scc, old) = this.depends();
        if scc || record.src.iter().take(sources).any(|source| *source == extra::SCC) {
            this.needs.add(SCC, 1);
        }
        if old && record.sdst != code::NONE {
            this.needs.add(record.sdst, wide(WIDE_DST));
        }
        // Some read SCC or their destination, most write SCC: for the order it is simplest to count both always.
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
        match self.record.src[n] {
            extra::VCCZ => self.reads.add(sgpr::VCC_LO.into(), 2),
            extra::EXECZ => self.reads.add(sgpr::EXEC_LO.into(), 2),
            number if number < extra::COMPUTED => self.reads.add(number, count),
            _ => {}
        }
    }

    /// A relative move: any register may be meant.
    fn relative(mut self) -> Option<Self> {
        if matches!(self.micro, Micro::MoveRelDest(_)) && !fetchable(&self.record, 0) {
            return None;
        }
        self.reads.add(0, 128);
        self.needs = self.reads;
        match self.micro {
            Micro::MoveRelDest(_) => self.writes.add(0, SGPRS),
            _ => self.writes.add(self.record.sdst, 2),
        }
        Some(self)
    }

    /// Whether it looks at SCC, and at its destination's old value, besides its sources.
    fn depends(&self) -> (bool, bool) {
        match self.micro {
            Micro::Scalar1(ScalarUn::CMov, _) => (true, true),
            Micro::Scalar1(ScalarUn::BitSet0 | ScalarUn::BitSet1, _) => (false, true),
            Micro::Scalar2(ScalarBin::AddC | ScalarBin::SubB | ScalarBin::CSelect, _) => (true, false),
            _ => (false, false),
        }
    }

    /// Whether it reads lanes of vector registers.
    pub fn reads_lanes(&self) -> bool {
        matches!(self.micro, Micro::Cross(_))
    }

    /// What has a new value afterwards.
    pub fn sets(&self) -> ScalarSet {
        let keeps_scc = match self.micro {
            Micro::Scalar1(un, _) => !matches!(
                un,
                ScalarUn::Not
                    | ScalarUn::Bcnt0
                    | ScalarUn::Bcnt1
                    | ScalarUn::Wqm
                    | ScalarUn::QuadMask
                    | ScalarUn::Abs
            ),
            Micro::Scalar2(bin, _) => matches!(
                bin,
                ScalarBin::CSelect | ScalarBin::Bfm | ScalarBin::Mul | ScalarBin::MulHi | ScalarBin::Pack(..)
            ),
            _ => false,
        };
        let mut sets = self.writes;
        if keeps_scc {
            let mut scc = ScalarSet::default();
            scc.add(SCC, 1);
            sets.remove(&scc);
        }
        sets
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
            Micro::GetReg => self.memory_bases(asm),
            Micro::SaveExec(logic) => self.exec(asm, logic, false),
            Micro::WriteExec(logic) => self.exec(asm, logic, true),
            Micro::Cross(cross) => self.lane(asm, cross),
            Micro::MoveRelSource(ty) => self.move_relative(asm, ty.dwords() == 2, false),
            Micro::MoveRelDest(ty) => self.move_relative(asm, ty.dwords() == 2, true),
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
    pub fn store(&self, asm: &mut Assembler) {
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
    pub fn nonzero(&self, asm: &mut Assembler) {
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
            ScalarUn::Wqm => {
                any_of_four(asm);
                asm.op(Mov_r64_rm64, &[RCX.into(), RAX.into()]);
                asm.op(Shl_rm64_imm8, &[RAX.into(), 4u8.into()]);
                asm.op(Sub_r64_rm64, &[RAX.into(), RCX.into()]);
                self.nonzero(asm);
            }
            ScalarUn::QuadMask => self.quad_mask(asm),
            ScalarUn::BitReplicate => self.replicate(asm),
            ScalarUn::Brev => self.reverse(asm, wide),
            ScalarUn::Ff0 | ScalarUn::Ff1 | ScalarUn::Flbit => {
                if un == ScalarUn::Ff0 {
                    asm.op(if wide { Not_rm64 } else { Not_rm32 }, &[if wide { RAX } else { EAX }.into()]);
                } else if un == ScalarUn::Flbit && ty.is_signed() {
                    // Bits unlike the sign.
                    let (full, other, copy, shift, xor) = if wide {
                        (RAX, RDX, Mov_r64_rm64, Sar_rm64_imm8, Xor_r64_rm64)
                    } else {
                        (EAX, EDX, Mov_r32_rm32, Sar_rm32_imm8, Xor_r32_rm32)
                    };
                    asm.op(copy, &[other.into(), full.into()]);
                    asm.op(shift, &[other.into(), 63u8.into()]);
                    asm.op(xor, &[full.into(), other.into()]);
                }
                let (count, test, full, other) = match (un, wide) {
                    (ScalarUn::Ff0 | ScalarUn::Ff1, true) => (Tzcnt_r64_rm64, Test_rm64_r64, RAX, RDX),
                    (ScalarUn::Ff0 | ScalarUn::Ff1, false) => (Tzcnt_r32_rm32, Test_rm32_r32, EAX, EDX),
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
            ScalarBin::AbsDiff => {
                asm.op(Sub_r32_rm32, &narrow);
                asm.op(Mov_r32_rm32, &[ECX.into(), EAX.into()]);
                asm.op(Neg_rm32, &[EAX.into()]);
                asm.op(Cmovs_r32_rm32, &[EAX.into(), ECX.into()]);
                self.nonzero(asm);
            }
        }
    }
}

/// A constant of 64 bits to RDX.
pub(super) fn wide_constant(asm: &mut Assembler, value: u64) {
    asm.raw(&[0x48, 0xba]);
    asm.raw(&value.to_le_bytes());
}

/// Sets the zero flag if SCC is clear.
pub(super) fn test_scc(asm: &mut Assembler) {
    asm.op(Cmp_rm8_imm8, &[scc().into(), 0u8.into()]);
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
