//! Columns that follow from the micro-operation and the operands.

use crate::memory::{MemKind, Space};
use crate::micro::{Bin, BranchIf, Control, Cross, Cvt, Micro, MixDst, ScalarBin, ScalarUn, Tri, Un};
use crate::operand::{Field, Kind, Role, Slot, Ty};
use crate::row::{
    Class, Denormals, Encoding, ExecRule, Faults, FpTraits, Implicit, Legal, NanRule, OtherHalf, Rounding,
};
use crate::table::build::{GRAPHICS, GRAPHICS_FAULTS, traps, writes_half};

/// The section of the Vega ISA manual that describes an encoding's opcodes.
pub(crate) const fn source(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Sop2 => "12.1",
        Encoding::Sopk => "12.2",
        Encoding::Sop1 => "12.3",
        Encoding::Sopc => "12.4",
        Encoding::Sopp => "12.5",
        Encoding::Smem => "12.6",
        Encoding::Vop2 => "12.7",
        Encoding::Vop1 => "12.8",
        Encoding::Vopc => "12.9",
        Encoding::Vop3p => "12.10",
        Encoding::Vintrp => "12.11",
        Encoding::Vop3 => "12.12",
        Encoding::Ds => "12.13",
        Encoding::Mubuf => "12.14",
        Encoding::Mtbuf => "12.15",
        Encoding::Mimg => "12.16",
        Encoding::Exp => "12.17",
        Encoding::Flat | Encoding::Global | Encoding::Scratch => "12.18",
    }
}

pub(crate) const fn class(micro: Micro) -> Class {
    match micro {
        Micro::Scalar1(..)
        | Micro::Scalar2(..)
        | Micro::ScalarCompare(..)
        | Micro::ScalarBitCompare { .. }
        | Micro::SaveExec(_)
        | Micro::WriteExec(_)
        | Micro::MoveRelSource(_)
        | Micro::MoveRelDest(_)
        | Micro::GetReg
        | Micro::SetReg
        | Micro::Time(_) => Class::Scalar,
        Micro::Control(_) | Micro::Cache(_) | Micro::Gws(_) => Class::Control,
        Micro::Cross(_) => Class::CrossLane,
        Micro::Mem(_) | Micro::Image(_) => Class::Memory,
        Micro::Interp(_) | Micro::Export => GRAPHICS,
        _ => Class::LaneLocal,
    }
}

pub(crate) const fn exec(micro: Micro) -> ExecRule {
    match micro {
        Micro::Cross(Cross::ReadFirstLane) | Micro::Gws(_) => ExecRule::FirstLane,
        Micro::Cross(Cross::ReadLane | Cross::WriteLane) => ExecRule::Ignores,
        Micro::Compare { .. }
        | Micro::CompareClass { .. }
        | Micro::Carry { .. }
        | Micro::DivScale(_)
        | Micro::MadWide(_) => ExecRule::ZeroesInactive,
        Micro::Lane1(Un::Nop | Un::ClearExceptions, _) => ExecRule::Ignores,
        Micro::Mem(op) => match op.space {
            Space::Scalar | Space::ScalarBuffer | Space::ScalarScratch => ExecRule::Ignores,
            _ => ExecRule::Obeys,
        },
        _ => match class(micro) {
            Class::Scalar | Class::Control => ExecRule::Ignores,
            _ => ExecRule::Obeys,
        },
    }
}

pub(crate) const fn reads(micro: Micro, fp: FpTraits) -> Implicit {
    let mut r = match exec(micro) {
        ExecRule::Ignores => Implicit::NONE,
        _ => Implicit::EXEC,
    };
    r = match micro {
        Micro::Scalar1(ScalarUn::CMov, _) | Micro::Scalar2(ScalarBin::AddC | ScalarBin::SubB, _) => {
            r.with(Implicit::SCC)
        }
        Micro::Scalar2(ScalarBin::CSelect, _) => r.with(Implicit::SCC),
        Micro::SaveExec(_) | Micro::WriteExec(_) => r.with(Implicit::EXEC),
        Micro::MoveRelSource(_) | Micro::MoveRelDest(_) => r.with(Implicit::M0).with(Implicit::INDEXED),
        Micro::GetReg => r.with(Implicit::MODE),
        Micro::DivFmas(_) => r.with(Implicit::VCC),
        Micro::Interp(_) => r.with(Implicit::M0),
        Micro::Gws(_) => r.with(Implicit::M0),
        Micro::Control(c) => match c {
            Control::Branch(BranchIf::Scc0 | BranchIf::Scc1) => r.with(Implicit::SCC),
            Control::Branch(BranchIf::Vccz | BranchIf::Vccnz) => r.with(Implicit::VCC),
            Control::Branch(BranchIf::Execz | BranchIf::Execnz) | Control::Fork | Control::Join => {
                r.with(Implicit::EXEC)
            }
            Control::Call | Control::GetPc | Control::SwapPc => r.with(Implicit::PC),
            Control::SendMessage
            | Control::SendMessageHalt
            | Control::TraceData
            | Control::GprIdxOn
            | Control::GprIdxMode
            | Control::GprIdxIdx => r.with(Implicit::M0),
            _ => r,
        },
        Micro::Mem(op) => {
            let r = match op.kind {
                MemKind::LoadAddTid
                | MemKind::StoreAddTid
                | MemKind::Append
                | MemKind::Consume
                | MemKind::OrderedCount
                | MemKind::StoreLds => r.with(Implicit::M0),
                _ => r,
            };
            match op.space {
                Space::Flat | Space::Scratch | Space::ScalarScratch => r.with(Implicit::FLAT_SCR),
                _ => r,
            }
        }
        _ => r,
    };
    if uses_mode(fp) { r.with(Implicit::MODE) } else { r }
}

/// Rounding and denormals may come from MODE, and its ieee bit decides about signaling NaNs.
const fn uses_mode(fp: FpTraits) -> bool {
    matches!(fp.denormals, Denormals::Mode32 | Denormals::Mode16And64 | Denormals::ModeMixed)
        || matches!(fp.rounding, Rounding::Mode32 | Rounding::Mode16And64)
        || !matches!(fp.nan, NanRule::None)
}

pub(crate) const fn writes(micro: Micro) -> Implicit {
    match micro {
        Micro::Scalar1(
            ScalarUn::Not
            | ScalarUn::Wqm
            | ScalarUn::Bcnt0
            | ScalarUn::Bcnt1
            | ScalarUn::QuadMask
            | ScalarUn::Abs,
            _,
        ) => Implicit::SCC,
        Micro::Scalar2(
            ScalarBin::CSelect | ScalarBin::Bfm | ScalarBin::Mul | ScalarBin::MulHi | ScalarBin::Pack(..),
            _,
        ) => Implicit::NONE,
        Micro::Scalar2(..) => Implicit::SCC,
        Micro::ScalarCompare(..) | Micro::ScalarBitCompare { .. } => Implicit::SCC,
        Micro::SaveExec(_) | Micro::WriteExec(_) => Implicit::SCC.with(Implicit::EXEC),
        Micro::MoveRelDest(_) => Implicit::INDEXED,
        Micro::SetReg => Implicit::MODE,
        Micro::Compare { exec: true, .. } | Micro::CompareClass { exec: true, .. } => Implicit::EXEC,
        Micro::Control(c) => match c {
            Control::Branch(_)
            | Control::Call
            | Control::SetPc
            | Control::SwapPc
            | Control::ReturnFromException
            | Control::ReturnFromExceptionRestore => Implicit::PC,
            Control::Fork | Control::Join => Implicit::PC.with(Implicit::EXEC),
            Control::GprIdxOn | Control::GprIdxMode => Implicit::M0.with(Implicit::MODE),
            Control::GprIdxIdx => Implicit::M0,
            Control::GprIdxOff | Control::SetVskip => Implicit::MODE,
            _ => Implicit::NONE,
        },
        _ => Implicit::NONE,
    }
}

pub(crate) const fn faults(micro: Micro) -> Faults {
    match micro {
        Micro::Interp(_) | Micro::Export => GRAPHICS_FAULTS,
        Micro::Lane1(Un::ScreenPartition, _) => GRAPHICS_FAULTS,
        Micro::Control(Control::EndProgramOrderedPsDone) => GRAPHICS_FAULTS,
        Micro::Control(c) if traps(c) => Faults::TRAP,
        Micro::MoveRelSource(_) | Micro::MoveRelDest(_) => Faults::REGISTER,
        Micro::Image(_) => Faults::MEMORY,
        Micro::Mem(op) => match (op.space, op.kind) {
            (Space::Lds, _) => Faults::ALIGNMENT,
            (_, MemKind::Probe) => Faults::NONE,
            (_, MemKind::Atomic { .. }) => Faults::MEMORY.with(Faults::ALIGNMENT),
            _ => Faults::MEMORY,
        },
        _ => Faults::NONE,
    }
}

/// 16-bit destinations: most opcodes clear the high half, those with op_sel keep the other one
/// ([`crate::Row::halves`] says so); 16-bit halves inside packed or mixed results are the micro-operation's matter.
pub(crate) const fn other_half(ops: &[Slot]) -> OtherHalf {
    if writes_half(ops) { OtherHalf::Zeroed } else { OtherHalf::NoHalf }
}

const fn is_float_dst(slot: Slot) -> bool {
    matches!(slot.field, Field::Dst) && matches!(slot.kind, Kind::Vgpr) && slot.ty.is_float()
}

/// Modifiers of a VOP1, VOP2, VOPC or VOP3 row: float sources can be negated, rows with a float anywhere can
/// clamp, rows with a float destination have an output modifier.
pub(crate) const fn vector_legal(ops: &[Slot]) -> Legal {
    let mut legal = Legal::NONE;
    let mut mask = false;
    let mut i = 0;
    while i < ops.len() {
        let s = ops[i];
        if matches!(s.field, Field::SDst) {
            mask = true;
        }
        if is_float_dst(s) {
            legal = legal.with(Legal::CLAMP).with(Legal::OMOD);
        }
        if s.ty.is_float() && matches!(s.role, Role::Src) {
            legal = legal.with(Legal::NEG).with(Legal::ABS).with(Legal::CLAMP);
        }
        if !s.ty.is_float() && matches!(s.role, Role::Src) && matches!(s.kind, Kind::Vector) {
            legal = legal.with(Legal::SEXT);
        }
        i += 1;
    }
    // VOP3B has the scalar destination where VOP3A has abs; comparisons keep VOP3A.
    if mask && matches!(ops[0].field, Field::Dst) {
        legal = legal.without(Legal::ABS);
    }
    legal
}

const fn mode(ty: Ty) -> (Denormals, Rounding) {
    match ty {
        Ty::F32 => (Denormals::Mode32, Rounding::Mode32),
        _ => (Denormals::Mode16And64, Rounding::Mode16And64),
    }
}

const fn arithmetic(ty: Ty) -> FpTraits {
    if !ty.is_float() {
        return FpTraits::NONE;
    }
    let (denormals, rounding) = mode(ty);
    FpTraits { denormals, rounding, nan: NanRule::FirstQuieted, fused: false }
}

const fn exact(ty: Ty, nan: NanRule) -> FpTraits {
    if !ty.is_float() {
        return FpTraits::NONE;
    }
    FpTraits { denormals: mode(ty).0, rounding: Rounding::Exact, nan, fused: false }
}

const fn flushed(ty: Ty) -> FpTraits {
    if !ty.is_float() {
        return FpTraits::NONE;
    }
    FpTraits { denormals: Denormals::Flush, rounding: mode(ty).1, nan: NanRule::FirstQuieted, fused: false }
}

const fn fused(ty: Ty) -> FpTraits {
    FpTraits { fused: true, ..arithmetic(ty) }
}

/// Transcendental functions: f32 ones treat denormals as zero, except the square root.
const fn transcendental(un: Un, ty: Ty) -> FpTraits {
    let denormals = match (ty, un) {
        (Ty::F32, Un::Sqrt) => Denormals::Mode32,
        (Ty::F32, _) => Denormals::Flush,
        _ => Denormals::Mode16And64,
    };
    FpTraits { denormals, rounding: Rounding::NearestEven, nan: NanRule::FirstQuieted, fused: false }
}

const fn conversion(from: Ty, to: Ty, how: Cvt) -> FpTraits {
    match (from.is_float(), to.is_float()) {
        (true, false) => {
            let rounding = match how {
                Cvt::Plain => Rounding::TowardZero,
                Cvt::Norm => Rounding::NearestEven,
                _ => Rounding::Exact,
            };
            FpTraits { denormals: mode(from).0, rounding, nan: NanRule::ToZero, fused: false }
        }
        (false, true) => FpTraits {
            denormals: Denormals::Untouched,
            rounding: mode(to).1,
            nan: NanRule::None,
            fused: false,
        },
        (true, true) => FpTraits {
            denormals: Denormals::ModeMixed,
            rounding: mode(to).1,
            nan: NanRule::FirstQuieted,
            fused: false,
        },
        (false, false) => FpTraits::NONE,
    }
}

/// The floating-point behaviour of a micro-operation.
pub(crate) const fn fp(micro: Micro) -> FpTraits {
    match micro {
        Micro::Lane1(un, ty) => match un {
            Un::Trunc | Un::Ceil | Un::Floor | Un::Rndne | Un::FrexpMant => exact(ty, NanRule::FirstQuieted),
            Un::FrexpExp => exact(ty, NanRule::ToZero),
            Un::Fract => arithmetic(ty),
            Un::Exp2
            | Un::Log2
            | Un::Exp2Legacy
            | Un::Log2Legacy
            | Un::Rcp
            | Un::RcpIflag
            | Un::Rsq
            | Un::Sqrt
            | Un::Sin
            | Un::Cos => transcendental(un, ty),
            _ => FpTraits::NONE,
        },
        Micro::Lane2(bin, ty) | Micro::Packed2(bin, ty) => match bin {
            Bin::Min | Bin::Max => exact(ty, NanRule::MinMax),
            Bin::PkNormI16 | Bin::PkNormU16 => conversion(ty, Ty::I16, Cvt::Norm),
            Bin::PkRtzF16 => FpTraits {
                denormals: Denormals::ModeMixed,
                rounding: Rounding::TowardZero,
                nan: NanRule::FirstQuieted,
                fused: false,
            },
            Bin::PkAccumU8 => conversion(Ty::F32, Ty::U8, Cvt::Norm),
            Bin::TrigPreop => FpTraits {
                denormals: Denormals::Keep,
                rounding: Rounding::NearestEven,
                nan: NanRule::FirstQuieted,
                fused: false,
            },
            Bin::Add | Bin::Sub | Bin::Mul | Bin::MulLegacy | Bin::Ldexp => arithmetic(ty),
            _ => FpTraits::NONE,
        },
        Micro::Lane3(tri, ty) | Micro::Packed3(tri, ty) => match tri {
            Tri::Mad | Tri::MadLegacy => flushed(ty),
            Tri::Fma => fused(ty),
            Tri::Min3 | Tri::Max3 | Tri::Med3 => exact(ty, NanRule::MinMax),
            Tri::CubeId | Tri::CubeSc | Tri::CubeTc | Tri::CubeMa => arithmetic(ty),
            Tri::PkU8 => conversion(Ty::F32, Ty::U8, Cvt::Norm),
            _ => FpTraits::NONE,
        },
        Micro::MadMix(MixDst::F32 | MixDst::LowF16 | MixDst::HighF16) => flushed(Ty::F32),
        Micro::Convert { from, to, how } => conversion(from, to, how),
        Micro::Compare { ty, .. } => exact(ty, NanRule::Unordered),
        Micro::CompareClass { .. } => FpTraits {
            denormals: Denormals::Keep,
            rounding: Rounding::Exact,
            nan: NanRule::None,
            fused: false,
        },
        Micro::DivScale(ty) => exact(ty, NanRule::FirstQuieted),
        Micro::DivFmas(ty) => fused(ty),
        Micro::DivFixup(ty) => arithmetic(ty),
        _ => FpTraits::NONE,
    }
}
