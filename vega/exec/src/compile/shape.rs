//! The host's instructions for each micro-operation: what is not in these tables is not compiled.

use iced_x86::Code;
use vega_isa::micro::{Bin, Cond, Cvt, Tri, Un};
use vega_isa::{Micro, Ty, sgpr};

use super::ir::{Lane, Source};
use super::set::ScalarSet;

/// How a micro-operation is done for sixteen lanes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Shape {
    /// Copies a register.
    Move,
    /// One instruction of one source.
    Unary(Code, Float),
    /// One instruction of one source and an immediate.
    UnaryImmediate(Code, u8, Float),
    /// One instruction of two sources.
    Binary(Code, Float),
    /// The same with an immediate.
    BinaryImmediate(Code, u8, Float),
    /// A shift: by a register's lanes, or by a constant; counts are taken modulo the width.
    Shift(Code, Code),
    /// 64-bit lanes: a shift by a register's lanes.
    WideShift(Code),
    /// 64-bit lanes: two sources.
    WideBinary(Code),
    /// 64-bit lanes: a fused multiply-add.
    WideFma,
    /// 64-bit lanes: one source and an immediate.
    WideUnary(Code, u8),
    /// Ternary logic of three sources.
    Logic(u8),
    /// src0 op src1, then op src2.
    Chain(Code, Code),
    /// (src0 shifted left by src1) op src2.
    ShiftThen(Code),
    /// (src0 + src1) shifted left by src2.
    AddShift,
    /// Fused multiply-add.
    Fma,
    /// Multiply and add, each flushing denormals.
    MadFlush,
    /// 24-bit factors, the low half of the product; signed; with an addend.
    Mul24 { signed: bool, add: bool },
    /// The high half of a 32-bit product.
    MulHi { signed: bool },
    /// Bit field of src0.
    Bfe { signed: bool },
    /// ((1 << src0) - 1) << src1
    Bfm,
    /// {src0, src1} >> src2, in bits or bytes.
    Align { bytes: bool },
    /// The position of the first or last bit.
    FindHigh { signed: bool },
    /// The lowest one bit.
    FindLow,
    /// Bits set in src0 (below this lane for `mbcnt`), plus src1.
    CountAdd(Option<bool>),
    /// Median of three integers.
    Median { signed: bool },
    /// Add or subtract with carry.
    Carry { subtract: bool, carry_in: bool },
    /// A choice by a lane mask.
    Select,
    /// 64-bit multiply-add of 32-bit factors.
    MadWide { signed: bool },
    /// A comparison by an instruction with a predicate.
    Compare(Code, u8),
    /// The same for 64-bit lanes.
    WideCompare(Code, u8),
    /// Float to a 32-bit integer that saturates.
    ToInt { signed: bool },
    /// An unsigned byte to f32.
    Byte(u8),
    /// f32 to f64 and integers to f64.
    Widen(Code),
    /// f64 to f32 and to integers.
    Narrow(Code),
    /// 1 / x, denormals flushed.
    Reciprocal,
    /// f16 arithmetic by way of f32.
    Half(Code),
    /// f16 to f32.
    HalfToFloat,
    /// f32 to f16.
    FloatToHalf,
    /// A load or store.
    Memory,
}

/// What has to be watched in a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Float {
    /// Nothing: not floating point, or NaNs come out right.
    No,
    /// Its NaNs may need another sign.
    Checked,
    /// NaNs come out right; the instruction must not raise flags.
    Quiet,
}

/// The shape of an instruction; `None` when it is not compiled.
pub(super) fn shape(lane: &Lane) -> Option<Shape> {
    let shape = by_micro(lane)?;
    // Later strips would read what earlier ones wrote.
    let (mut values, mut masks) = (ScalarSet::default(), ScalarSet::default());
    lane.scalar_reads(&mut values);
    lane.mask_writes(&mut masks);
    if values.meets(&masks) {
        return None;
    }
    // The interpreter sees another EXEC when it does a strip.
    let mut exec = ScalarSet::default();
    exec.add(sgpr::EXEC_LO.into(), 2);
    let named = [lane.mask_in, lane.mask_out].contains(&Some(sgpr::EXEC_LO.into()));
    if values.meets(&exec) || named {
        return None;
    }
    let signs = lane.src.iter().any(|operand| operand.abs || operand.neg);
    let float = matches!(
        shape,
        Shape::Move
            | Shape::Unary(..)
            | Shape::UnaryImmediate(..)
            | Shape::Binary(..)
            | Shape::BinaryImmediate(..)
            | Shape::Fma
            | Shape::MadFlush
            | Shape::Compare(..)
            | Shape::WideBinary(_)
            | Shape::WideFma
            | Shape::WideUnary(..)
            | Shape::WideCompare(..)
            | Shape::Select
            | Shape::ToInt { .. }
            | Shape::Reciprocal
            | Shape::Widen(_)
            | Shape::Narrow(_)
            | Shape::FloatToHalf
    );
    let clamps = matches!(
        shape,
        Shape::Unary(..)
            | Shape::UnaryImmediate(..)
            | Shape::Binary(..)
            | Shape::BinaryImmediate(..)
            | Shape::Fma
            | Shape::MadFlush
    ) && lane.src[0].ty == Ty::F32;
    ((!signs || float) && (!lane.clamp || clamps)).then_some(shape)
}

/// Whether results may be NaNs that need to be watched.
pub(super) fn is_watched(shape: Shape) -> bool {
    matches!(
        shape,
        Shape::Unary(_, Float::Checked)
            | Shape::UnaryImmediate(_, _, Float::Checked)
            | Shape::Binary(_, Float::Checked)
            | Shape::BinaryImmediate(_, _, Float::Checked)
            | Shape::Fma
            | Shape::MadFlush
            | Shape::Reciprocal
            | Shape::Half(_)
            | Shape::WideBinary(_)
            | Shape::WideFma
    )
}

fn by_micro(lane: &Lane) -> Option<Shape> {
    if lane.access.is_some() {
        return Some(Shape::Memory);
    }
    Some(match lane.micro {
        Micro::Lane1(un, ty) => unary(un, ty)?,
        Micro::Lane2(bin, ty) => binary(bin, ty)?,
        Micro::Lane3(tri, ty) => ternary(tri, ty)?,
        Micro::Carry { subtract, carry_in } => Shape::Carry { subtract, carry_in },
        Micro::Select => Shape::Select,
        Micro::MadWide(ty) => Shape::MadWide { signed: ty.is_signed() },
        Micro::Convert { from, to, how } => convert(from, to, how)?,
        Micro::Compare { cond, ty, .. } => compare(cond, ty)?,
        _ => return None,
    })
}

fn unary(un: Un, ty: Ty) -> Option<Shape> {
    use Code::*;
    let round = |mode: u8| match ty {
        Ty::F32 => {
            Some(Shape::UnaryImmediate(EVEX_Vrndscaleps_zmm_k1z_zmmm512b32_imm8_sae, mode, Float::Quiet))
        }
        Ty::F64 => Some(Shape::WideUnary(EVEX_Vrndscalepd_zmm_k1z_zmmm512b64_imm8_sae, mode)),
        _ => None,
    };
    Some(match (un, ty) {
        (Un::Mov, ty) if ty.dwords() == 1 && ty.bits() == 32 => Shape::Move,
        (Un::Not, _) => Shape::Logic(0x55),
        (Un::Ffbh, ty) if ty.bits() == 32 => Shape::FindHigh { signed: ty.is_signed() },
        (Un::Ffbl, _) => Shape::FindLow,
        // Immediates: 8 suppresses the inexact exception.
        (Un::Rndne, _) => round(8)?,
        (Un::Floor, _) => round(9)?,
        (Un::Ceil, _) => round(10)?,
        (Un::Trunc, _) => round(11)?,
        (Un::Sqrt, Ty::F32) => Shape::Unary(EVEX_Vsqrtps_zmm_k1z_zmmm512b32_er, Float::Checked),
        (Un::Rcp | Un::RcpIflag, Ty::F32) => Shape::Reciprocal,
        _ => return None,
    })
}

fn binary(bin: Bin, ty: Ty) -> Option<Shape> {
    use Code::*;
    let plain = |code| Shape::Binary(code, Float::No);
    let signed = ty.is_signed();
    Some(match (bin, ty) {
        (Bin::Add, Ty::F32) => Shape::Binary(EVEX_Vaddps_zmm_k1z_zmm_zmmm512b32_er, Float::Checked),
        (Bin::Sub, Ty::F32) => Shape::Binary(EVEX_Vsubps_zmm_k1z_zmm_zmmm512b32_er, Float::Checked),
        (Bin::Mul, Ty::F32) => Shape::Binary(EVEX_Vmulps_zmm_k1z_zmm_zmmm512b32_er, Float::Checked),
        // IEEE minNum and maxNum, signs of zeros included: the sign of the chosen value is kept (4).
        (Bin::Min, Ty::F32) => {
            Shape::BinaryImmediate(EVEX_Vrangeps_zmm_k1z_zmm_zmmm512b32_imm8_sae, 4, Float::Quiet)
        }
        (Bin::Max, Ty::F32) => {
            Shape::BinaryImmediate(EVEX_Vrangeps_zmm_k1z_zmm_zmmm512b32_imm8_sae, 5, Float::Quiet)
        }
        (Bin::Add, Ty::F64) => Shape::WideBinary(EVEX_Vaddpd_zmm_k1z_zmm_zmmm512b64_er),
        (Bin::Sub, Ty::F64) => Shape::WideBinary(EVEX_Vsubpd_zmm_k1z_zmm_zmmm512b64_er),
        (Bin::Mul, Ty::F64) => Shape::WideBinary(EVEX_Vmulpd_zmm_k1z_zmm_zmmm512b64_er),
        (Bin::Add, Ty::F16) => Shape::Half(EVEX_Vaddps_zmm_k1z_zmm_zmmm512b32_er),
        (Bin::Sub, Ty::F16) => Shape::Half(EVEX_Vsubps_zmm_k1z_zmm_zmmm512b32_er),
        (Bin::Mul, Ty::F16) => Shape::Half(EVEX_Vmulps_zmm_k1z_zmm_zmmm512b32_er),
        (Bin::Mul, Ty::U24 | Ty::I24) => Shape::Mul24 { signed, add: false },
        (Bin::BcntAdd, _) => Shape::CountAdd(None),
        (Bin::MbcntLo, _) => Shape::CountAdd(Some(false)),
        (Bin::MbcntHi, _) => Shape::CountAdd(Some(true)),
        (Bin::Bfm, _) => Shape::Bfm,
        (Bin::Lshl, ty) if ty.bits() == 64 => Shape::WideShift(EVEX_Vpsllvq_zmm_k1z_zmm_zmmm512b64),
        (Bin::Lshr, ty) if ty.bits() == 64 => Shape::WideShift(EVEX_Vpsrlvq_zmm_k1z_zmm_zmmm512b64),
        (Bin::Ashr, ty) if ty.bits() == 64 => Shape::WideShift(EVEX_Vpsravq_zmm_k1z_zmm_zmmm512b64),
        (_, ty) if ty.bits() != 32 || ty.is_float() => return None,
        (Bin::Add, _) => plain(EVEX_Vpaddd_zmm_k1z_zmm_zmmm512b32),
        (Bin::Sub, _) => plain(EVEX_Vpsubd_zmm_k1z_zmm_zmmm512b32),
        (Bin::Mul, _) => plain(EVEX_Vpmulld_zmm_k1z_zmm_zmmm512b32),
        (Bin::MulHi, _) => Shape::MulHi { signed },
        (Bin::Min, _) if signed => plain(EVEX_Vpminsd_zmm_k1z_zmm_zmmm512b32),
        (Bin::Max, _) if signed => plain(EVEX_Vpmaxsd_zmm_k1z_zmm_zmmm512b32),
        (Bin::Min, _) => plain(EVEX_Vpminud_zmm_k1z_zmm_zmmm512b32),
        (Bin::Max, _) => plain(EVEX_Vpmaxud_zmm_k1z_zmm_zmmm512b32),
        (Bin::And, _) => plain(EVEX_Vpandd_zmm_k1z_zmm_zmmm512b32),
        (Bin::Or, _) => plain(EVEX_Vpord_zmm_k1z_zmm_zmmm512b32),
        (Bin::Xor, _) => plain(EVEX_Vpxord_zmm_k1z_zmm_zmmm512b32),
        (Bin::Lshl, _) => {
            Shape::Shift(EVEX_Vpsllvd_zmm_k1z_zmm_zmmm512b32, EVEX_Vpslld_zmm_k1z_zmmm512b32_imm8)
        }
        (Bin::Lshr, _) => {
            Shape::Shift(EVEX_Vpsrlvd_zmm_k1z_zmm_zmmm512b32, EVEX_Vpsrld_zmm_k1z_zmmm512b32_imm8)
        }
        (Bin::Ashr, _) => {
            Shape::Shift(EVEX_Vpsravd_zmm_k1z_zmm_zmmm512b32, EVEX_Vpsrad_zmm_k1z_zmmm512b32_imm8)
        }
        _ => return None,
    })
}

fn ternary(tri: Tri, ty: Ty) -> Option<Shape> {
    use Code::*;
    const ADD: Code = EVEX_Vpaddd_zmm_k1z_zmm_zmmm512b32;
    const OR: Code = EVEX_Vpord_zmm_k1z_zmm_zmmm512b32;
    const XOR: Code = EVEX_Vpxord_zmm_k1z_zmm_zmmm512b32;
    let signed = ty.is_signed();
    let chain = |signed_code, code| {
        if signed { Shape::Chain(signed_code, signed_code) } else { Shape::Chain(code, code) }
    };
    Some(match (tri, ty) {
        (Tri::Fma, Ty::F32) => Shape::Fma,
        (Tri::Fma, Ty::F64) => Shape::WideFma,
        (Tri::Mad, Ty::F32) => Shape::MadFlush,
        (Tri::Mad, Ty::U24 | Ty::I24) => Shape::Mul24 { signed, add: true },
        (_, ty) if ty.bits() != 32 || ty.is_float() => return None,
        (Tri::Bfe, _) => Shape::Bfe { signed },
        // Bit n of the immediate is the result for n = 4 * src0 + 2 * src1 + src2.
        (Tri::Bfi, _) => Shape::Logic(0xca),
        (Tri::AndOr, _) => Shape::Logic(0xea),
        (Tri::Or3, _) => Shape::Logic(0xfe),
        (Tri::Add3, _) => Shape::Chain(ADD, ADD),
        (Tri::XorAdd, _) => Shape::Chain(XOR, ADD),
        (Tri::LshlAdd, _) => Shape::ShiftThen(ADD),
        (Tri::LshlOr, _) => Shape::ShiftThen(OR),
        (Tri::AddLshl, _) => Shape::AddShift,
        (Tri::AlignBit, _) => Shape::Align { bytes: false },
        (Tri::AlignByte, _) => Shape::Align { bytes: true },
        (Tri::Min3, _) => chain(EVEX_Vpminsd_zmm_k1z_zmm_zmmm512b32, EVEX_Vpminud_zmm_k1z_zmm_zmmm512b32),
        (Tri::Max3, _) => chain(EVEX_Vpmaxsd_zmm_k1z_zmm_zmmm512b32, EVEX_Vpmaxud_zmm_k1z_zmm_zmmm512b32),
        (Tri::Med3, _) => Shape::Median { signed },
        _ => return None,
    })
}

fn convert(from: Ty, to: Ty, how: Cvt) -> Option<Shape> {
    use Code::*;
    Some(match (from, to, how) {
        (_, _, Cvt::Byte(n)) => Shape::Byte(n),
        (Ty::I32, Ty::F32, Cvt::Plain) => Shape::Unary(EVEX_Vcvtdq2ps_zmm_k1z_zmmm512b32_er, Float::Quiet),
        (Ty::U32, Ty::F32, Cvt::Plain) => Shape::Unary(EVEX_Vcvtudq2ps_zmm_k1z_zmmm512b32_er, Float::Quiet),
        (Ty::F32, Ty::I32, Cvt::Plain) => Shape::ToInt { signed: true },
        (Ty::F32, Ty::U32, Cvt::Plain) => Shape::ToInt { signed: false },
        (Ty::F32, Ty::F64, Cvt::Plain) => Shape::Widen(EVEX_Vcvtps2pd_zmm_k1z_ymmm256b32_sae),
        (Ty::I32, Ty::F64, Cvt::Plain) => Shape::Widen(EVEX_Vcvtdq2pd_zmm_k1z_ymmm256b32_er),
        (Ty::U32, Ty::F64, Cvt::Plain) => Shape::Widen(EVEX_Vcvtudq2pd_zmm_k1z_ymmm256b32_er),
        (Ty::F64, Ty::F32, Cvt::Plain) => Shape::Narrow(EVEX_Vcvtpd2ps_ymm_k1z_zmmm512b64_er),
        (Ty::F16, Ty::F32, Cvt::Plain) => Shape::HalfToFloat,
        (Ty::F32, Ty::F16, Cvt::Plain) => Shape::FloatToHalf,
        _ => return None,
    })
}

/// The predicate of integer comparisons, and of floating-point ones (quiet).
fn predicate(cond: Cond, float: bool) -> u8 {
    if float {
        match cond {
            Cond::False => 11,
            Cond::Lt => 17,
            Cond::Eq => 0,
            Cond::Le => 18,
            Cond::Gt => 30,
            Cond::Lg => 12,
            Cond::Ge => 29,
            Cond::Ordered => 7,
            Cond::Unordered => 3,
            Cond::Nge => 25,
            Cond::Nlg => 8,
            Cond::Ngt => 26,
            Cond::Nle => 22,
            Cond::Neq => 4,
            Cond::Nlt => 21,
            Cond::True => 15,
        }
    } else {
        match cond {
            Cond::Eq => 0,
            Cond::Lt => 1,
            Cond::Le => 2,
            Cond::False => 3,
            Cond::Lg => 4,
            Cond::Ge => 5,
            Cond::Gt => 6,
            _ => 7,
        }
    }
}

fn compare(cond: Cond, ty: Ty) -> Option<Shape> {
    use Code::*;
    let p = predicate(cond, ty.is_float());
    Some(match ty {
        Ty::F32 => Shape::Compare(EVEX_Vcmpps_kr_k1_zmm_zmmm512b32_imm8_sae, p),
        Ty::U32 => Shape::Compare(EVEX_Vpcmpud_kr_k1_zmm_zmmm512b32_imm8, p),
        Ty::I32 => Shape::Compare(EVEX_Vpcmpd_kr_k1_zmm_zmmm512b32_imm8, p),
        Ty::F64 => Shape::WideCompare(EVEX_Vcmppd_kr_k1_zmm_zmmm512b64_imm8_sae, p),
        Ty::U64 => Shape::WideCompare(EVEX_Vpcmpuq_kr_k1_zmm_zmmm512b64_imm8, p),
        Ty::I64 => Shape::WideCompare(EVEX_Vpcmpq_kr_k1_zmm_zmmm512b64_imm8, p),
        _ => return None,
    })
}

/// A constant source of 32 bits.
pub(super) fn constant(source: Source) -> Option<u32> {
    match source {
        Source::Constant(value) => Some(value as u32),
        _ => None,
    }
}
