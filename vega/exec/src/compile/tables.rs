//! Which shape each micro-operation has.

use iced_x86::Code;
use vega_isa::Ty;
use vega_isa::micro::{Bin, Cond, Cvt, Tri, Un};

use super::math::Function;
use super::shape::{Float, Packed, Sad, Shape};

pub(super) fn unary(un: Un, ty: Ty) -> Option<Shape> {
    use Code::*;
    let round = |mode: u8| match ty {
        Ty::F32 => {
            Some(Shape::UnaryImmediate(EVEX_Vrndscaleps_zmm_k1z_zmmm512b32_imm8_sae, mode, Float::Quiet))
        }
        Ty::F64 => Some(Shape::WideUnary(EVEX_Vrndscalepd_zmm_k1z_zmmm512b64_imm8_sae, mode)),
        _ => None,
    };
    let half_round = |mode: u8| Shape::HalfUnary(EVEX_Vrndscaleps_zmm_k1z_zmmm512b32_imm8_sae, Some(mode));
    Some(match (un, ty) {
        (Un::Mov, ty) if ty.dwords() == 1 && ty.bits() == 32 => Shape::Move,
        (Un::Not, _) => Shape::Logic(0x55),
        (Un::Ffbh, ty) if ty.bits() == 32 => Shape::FindHigh { signed: ty.is_signed() },
        (Un::Ffbl, _) => Shape::FindLow,
        // Immediates: 8 suppresses the inexact exception.
        (Un::Rndne, Ty::F16) => half_round(8),
        (Un::Floor, Ty::F16) => half_round(9),
        (Un::Ceil, Ty::F16) => half_round(10),
        (Un::Trunc, Ty::F16) => half_round(11),
        (Un::Sqrt, Ty::F16) => Shape::HalfUnary(EVEX_Vsqrtps_zmm_k1z_zmmm512b32_er, None),
        (Un::Rcp, Ty::F16) => Shape::HalfUnary(EVEX_Vdivps_zmm_k1z_zmm_zmmm512b32_er, None),
        (Un::Rndne, _) => round(8)?,
        (Un::Floor, _) => round(9)?,
        (Un::Ceil, _) => round(10)?,
        (Un::Trunc, _) => round(11)?,
        (Un::Sqrt, Ty::F32) => Shape::Unary(EVEX_Vsqrtps_zmm_k1z_zmmm512b32_er, Float::Checked),
        (Un::Rcp | Un::RcpIflag, Ty::F32) => Shape::Reciprocal,
        (Un::Bfrev, _) => Shape::Reverse,
        (Un::SatPkU8, _) => Shape::SaturateBytes,
        (un, Ty::F32) => Shape::Math(function(un)?),
        (un, Ty::F64) => Shape::WideMath(function(un)?),
        _ => return None,
    })
}

pub(super) fn binary(bin: Bin, ty: Ty) -> Option<Shape> {
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
        (Bin::Min, Ty::F16) => Shape::HalfMinMax { max: false },
        (Bin::Max, Ty::F16) => Shape::HalfMinMax { max: true },
        (Bin::Min, Ty::F64) => Shape::WideRange(4),
        (Bin::Max, Ty::F64) => Shape::WideRange(5),
        (Bin::Ldexp, Ty::F32) => Shape::Math(Function::Ldexp),
        (Bin::Ldexp, Ty::F64) => Shape::WideMath(Function::Ldexp),
        (Bin::MulLegacy, Ty::F32) => Shape::MulLegacy,
        (Bin::PkAccumU8, _) => Shape::PackByte,
        (Bin::PkRtzF16, _) => Shape::PackTowardZero,
        (Bin::PkNormI16, _) => Shape::PackNorm { half: ty == Ty::F16, signed: true },
        (Bin::PkNormU16, _) => Shape::PackNorm { half: ty == Ty::F16, signed: false },
        (Bin::PkB16, _) => Shape::PackWords,
        (Bin::PkInt16, _) => Shape::PackInt { signed },
        (Bin::MulHi, Ty::U24 | Ty::I24) => Shape::MulHigh24 { signed },
        (bin, ty) if ty.bits() == 16 && !ty.is_float() => word(bin, signed)?,
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

pub(super) fn ternary(tri: Tri, ty: Ty) -> Option<Shape> {
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
        (Tri::Fma, Ty::F16) => Shape::HalfFma,
        (Tri::Mad, Ty::F16) => Shape::HalfMad,
        (Tri::Min3, Ty::F16) => Shape::HalfChain { max: false },
        (Tri::Max3, Ty::F16) => Shape::HalfChain { max: true },
        (Tri::MadLegacy, Ty::F32) => Shape::MadLegacy,
        (Tri::PkU8, _) => Shape::PackByte,
        (Tri::MadTo32, _) => Shape::MadTo32 { signed },
        (Tri::Min3, Ty::F32) => Shape::FloatChain(4),
        (Tri::Max3, Ty::F32) => Shape::FloatChain(5),
        (Tri::Med3, Ty::F32) => Shape::FloatMedian,
        (Tri::Mad, ty) if ty.bits() == 16 && !ty.is_float() => Shape::WordMad,
        (Tri::Med3, ty) if ty.bits() == 16 && !ty.is_float() => Shape::WordMedian { signed },
        (Tri::Min3, ty) if ty.bits() == 16 && !ty.is_float() => Shape::WordChain(
            if signed { EVEX_Vpminsd_zmm_k1z_zmm_zmmm512b32 } else { EVEX_Vpminud_zmm_k1z_zmm_zmmm512b32 },
            signed,
        ),
        (Tri::Max3, ty) if ty.bits() == 16 && !ty.is_float() => Shape::WordChain(
            if signed { EVEX_Vpmaxsd_zmm_k1z_zmm_zmmm512b32 } else { EVEX_Vpmaxud_zmm_k1z_zmm_zmmm512b32 },
            signed,
        ),
        (Tri::LerpU8, _) => Shape::Lerp,
        (Tri::SadU8, _) => Shape::Sad(Sad::Bytes),
        (Tri::SadHiU8, _) => Shape::Sad(Sad::BytesHigh),
        (Tri::MsadU8, _) => Shape::Sad(Sad::MaskedBytes),
        (Tri::SadU16, _) => Shape::Sad(Sad::Words),
        (Tri::SadU32, _) => Shape::Sad(Sad::Dwords),
        (Tri::Perm, _) => Shape::Perm,
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

pub(super) fn convert(from: Ty, to: Ty, how: Cvt) -> Option<Shape> {
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
        (Ty::F64, Ty::I32, Cvt::Plain) => Shape::WideToInt { signed: true },
        (Ty::F64, Ty::U32, Cvt::Plain) => Shape::WideToInt { signed: false },
        (Ty::F16, Ty::I16, Cvt::Plain) => Shape::HalfToInt { signed: true },
        (Ty::F16, Ty::U16, Cvt::Plain) => Shape::HalfToInt { signed: false },
        (Ty::I16, Ty::F16, Cvt::Plain) => Shape::IntToHalf { signed: true },
        (Ty::U16, Ty::F16, Cvt::Plain) => Shape::IntToHalf { signed: false },
        (Ty::F32, Ty::I32, Cvt::Floor) => Shape::RoundToInt { half_up: false },
        (Ty::F32, Ty::I32, Cvt::Rpi) => Shape::RoundToInt { half_up: true },
        (Ty::F16, to, Cvt::Norm) => Shape::Norm { signed: to.is_signed() },
        (_, _, Cvt::OffsetI4) => Shape::OffsetI4,
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

pub(super) fn compare(cond: Cond, ty: Ty) -> Option<Shape> {
    use Code::*;
    let p = predicate(cond, ty.is_float());
    Some(match ty {
        Ty::F32 => Shape::Compare(EVEX_Vcmpps_kr_k1_zmm_zmmm512b32_imm8_sae, p),
        Ty::U32 => Shape::Compare(EVEX_Vpcmpud_kr_k1_zmm_zmmm512b32_imm8, p),
        Ty::I32 => Shape::Compare(EVEX_Vpcmpd_kr_k1_zmm_zmmm512b32_imm8, p),
        Ty::F64 => Shape::WideCompare(EVEX_Vcmppd_kr_k1_zmm_zmmm512b64_imm8_sae, p),
        Ty::U64 => Shape::WideCompare(EVEX_Vpcmpuq_kr_k1_zmm_zmmm512b64_imm8, p),
        Ty::I64 => Shape::WideCompare(EVEX_Vpcmpq_kr_k1_zmm_zmmm512b64_imm8, p),
        Ty::F16 => Shape::HalfCompare(p),
        Ty::U16 => Shape::WordCompare(p, false),
        Ty::I16 => Shape::WordCompare(p, true),
        _ => return None,
    })
}

fn function(un: Un) -> Option<Function> {
    Some(match un {
        Un::Exp2 | Un::Exp2Legacy => Function::Exp2,
        Un::Log2 | Un::Log2Legacy => Function::Log2,
        Un::Sin => Function::Turn(0),
        Un::Cos => Function::Turn(1),
        Un::Rcp => Function::Rcp,
        Un::Rsq => Function::Rsq,
        Un::Sqrt => Function::Sqrt,
        Un::Fract => Function::Fract,
        Un::FrexpExp => Function::FrexpExp,
        Un::FrexpMant => Function::FrexpMant,
        _ => return None,
    })
}

/// Operations on 16-bit integers, which are extended to 32 bits.
fn word(bin: Bin, signed: bool) -> Option<Shape> {
    use Code::*;
    let plain = |code| Shape::Word(code, signed);
    Some(match bin {
        Bin::Add => plain(EVEX_Vpaddd_zmm_k1z_zmm_zmmm512b32),
        Bin::Sub => plain(EVEX_Vpsubd_zmm_k1z_zmm_zmmm512b32),
        Bin::Mul => plain(EVEX_Vpmulld_zmm_k1z_zmm_zmmm512b32),
        Bin::Min if signed => plain(EVEX_Vpminsd_zmm_k1z_zmm_zmmm512b32),
        Bin::Max if signed => plain(EVEX_Vpmaxsd_zmm_k1z_zmm_zmmm512b32),
        Bin::Min => plain(EVEX_Vpminud_zmm_k1z_zmm_zmmm512b32),
        Bin::Max => plain(EVEX_Vpmaxud_zmm_k1z_zmm_zmmm512b32),
        Bin::Lshl => Shape::WordShift(EVEX_Vpsllvd_zmm_k1z_zmm_zmmm512b32, false),
        Bin::Lshr => Shape::WordShift(EVEX_Vpsrlvd_zmm_k1z_zmm_zmmm512b32, false),
        Bin::Ashr => Shape::WordShift(EVEX_Vpsravd_zmm_k1z_zmm_zmmm512b32, true),
        _ => return None,
    })
}

pub(super) fn packed2(bin: Bin, ty: Ty) -> Option<Packed> {
    use Code::*;
    if ty.is_float() {
        return Some(match bin {
            Bin::Add => Packed::Half(EVEX_Vaddps_zmm_k1z_zmm_zmmm512b32_er),
            Bin::Mul => Packed::Half(EVEX_Vmulps_zmm_k1z_zmm_zmmm512b32_er),
            Bin::Min => Packed::MinMax { max: false },
            Bin::Max => Packed::MinMax { max: true },
            _ => return None,
        });
    }
    let signed = ty.is_signed();
    Some(match bin {
        Bin::Add => Packed::Int(EVEX_Vpaddw_zmm_k1z_zmm_zmmm512),
        Bin::Sub => Packed::Int(EVEX_Vpsubw_zmm_k1z_zmm_zmmm512),
        Bin::Mul => Packed::Int(EVEX_Vpmullw_zmm_k1z_zmm_zmmm512),
        Bin::Min if signed => Packed::Int(EVEX_Vpminsw_zmm_k1z_zmm_zmmm512),
        Bin::Max if signed => Packed::Int(EVEX_Vpmaxsw_zmm_k1z_zmm_zmmm512),
        Bin::Min => Packed::Int(EVEX_Vpminuw_zmm_k1z_zmm_zmmm512),
        Bin::Max => Packed::Int(EVEX_Vpmaxuw_zmm_k1z_zmm_zmmm512),
        Bin::Lshl => Packed::Shift(EVEX_Vpsllvw_zmm_k1z_zmm_zmmm512),
        Bin::Lshr => Packed::Shift(EVEX_Vpsrlvw_zmm_k1z_zmm_zmmm512),
        Bin::Ashr => Packed::Shift(EVEX_Vpsravw_zmm_k1z_zmm_zmmm512),
        _ => return None,
    })
}
