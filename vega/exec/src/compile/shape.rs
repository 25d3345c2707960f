//! The host's instructions for each micro-operation: what is not in these tables is not compiled.

use iced_x86::Code;
use vega_isa::micro::{MixDst, Tri};
use vega_isa::{Micro, Ty, sgpr};

use super::divide::Division;
use super::ir::Lane;
use super::math::Function;
use super::operand::Source;
use super::set::ScalarSet;
use super::tables::{binary, compare, convert, packed2, ternary, unary};

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
    /// The same with one source, and an immediate if there is one; a division is that of 1.
    HalfUnary(Code, Option<u8>),
    /// f16: a fused multiply-add.
    HalfFma,
    /// f16: multiply and add, each flushing denormals.
    HalfMad,
    /// f16: the lesser or greater one.
    HalfMinMax { max: bool },
    /// f16: the least or greatest of three.
    HalfChain { max: bool },
    /// f16: a comparison.
    HalfCompare(u8),
    /// f16 to a 16-bit integer that saturates.
    HalfToInt { signed: bool },
    /// A 16-bit integer to f16.
    IntToHalf { signed: bool },
    /// f16 to a 16-bit integer that stands for numbers up to 1.
    Norm { signed: bool },
    /// Two f16 (or f32) to a pair of those.
    PackNorm { half: bool, signed: bool },
    /// Two f32 to a pair of f16, toward zero.
    PackTowardZero,
    /// 16-bit integers, extended: two sources.
    Word(Code, bool),
    /// 16-bit integers: a shift.
    WordShift(Code, bool),
    /// 16-bit integers: multiply-add.
    WordMad,
    /// 16-bit factors, an addend and a result of 32 bits.
    MadTo32 { signed: bool },
    /// 16-bit integers: src0 op src1 op src2.
    WordChain(Code, bool),
    /// 16-bit integers: the median.
    WordMedian { signed: bool },
    /// 16-bit integers: a comparison.
    WordCompare(u8, bool),
    /// Two low halves in a dword.
    PackWords,
    /// Two integers, saturated to 16 bits, in a dword.
    PackInt { signed: bool },
    /// Pairs of 16-bit elements.
    Packed(Packed),
    /// Multiply and add in f32 of sources of either precision.
    Mix(MixDst),
    /// A function of f32.
    Math(Function),
    /// A function of f64.
    WideMath(Function),
    /// A helper of division, in f64 if so.
    Division(Division, bool),
    /// A test of a float's class.
    Class(Ty),
    /// src0 op src1 op src2 with an immediate: f32 minimum or maximum.
    FloatChain(u8),
    /// f32: the median.
    FloatMedian,
    /// f64: minimum or maximum.
    WideRange(u8),
    /// f64 to a 32-bit integer that saturates.
    WideToInt { signed: bool },
    /// f32: a product where zero times anything is zero.
    MulLegacy,
    /// The same, unfused, with an addend; denormals are flushed.
    MadLegacy,
    /// A byte of src2 replaced by src0 as an unsigned byte.
    PackByte,
    /// Bits in reverse order.
    Reverse,
    /// Bytes chosen by a selector.
    Perm,
    /// Sums of absolute differences.
    Sad(Sad),
    /// Averages of bytes.
    Lerp,
    /// Signed halves as unsigned bytes.
    SaturateBytes,
    /// The high part of a product of 24-bit factors.
    MulHigh24 { signed: bool },
    /// f32 to i32: floor(x), or floor(x + 1/2).
    RoundToInt { half_up: bool },
    /// Signed 4-bit integer divided by 16 to f32.
    OffsetI4,
    /// f16 to f32.
    HalfToFloat,
    /// f32 to f16.
    FloatToHalf,
    /// A load or store.
    Memory,
}

/// Which part of a target's emission does a shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    /// Dwords and f32.
    Dword,
    /// 64-bit lanes.
    Wide,
    /// f16.
    Half,
    /// Bits and bytes, and conversions that saturate.
    Bits,
}

impl Shape {
    /// The part that does it.
    pub fn family(self) -> Family {
        match self {
            Self::WideShift(_)
            | Self::WideBinary(_)
            | Self::WideFma
            | Self::WideUnary(..)
            | Self::WideCompare(..)
            | Self::WideRange(_)
            | Self::MadWide { .. }
            | Self::Widen(_)
            | Self::Narrow(_) => Family::Wide,
            Self::Half(_)
            | Self::HalfUnary(..)
            | Self::HalfFma
            | Self::HalfMad
            | Self::HalfMinMax { .. }
            | Self::HalfChain { .. }
            | Self::HalfCompare(_)
            | Self::HalfToInt { .. }
            | Self::IntToHalf { .. }
            | Self::Norm { .. }
            | Self::PackNorm { .. }
            | Self::HalfToFloat
            | Self::PackTowardZero
            | Self::FloatToHalf => Family::Half,
            Self::Reverse
            | Self::Perm
            | Self::Sad(_)
            | Self::RoundToInt { .. }
            | Self::PackByte
            | Self::OffsetI4 => Family::Bits,
            _ => Family::Dword,
        }
    }
}

/// How f16 denormals are told: the bits of the magnitude, the least normal number, the sign.
#[derive(Clone, Copy)]
pub(super) struct Denormals {
    pub magnitude: u32,
    pub least: u32,
    pub sign: u32,
}

impl Denormals {
    /// As they are.
    pub const HALF: Self = Self { magnitude: 0x7fff, least: 0x400, sign: 0x8000 };
    /// As f32.
    pub const WIDENED: Self = Self { magnitude: 0x7fff_ffff, least: 0x3880_0000, sign: 0x8000_0000 };
}

/// An operation on pairs of 16-bit elements.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Packed {
    /// Integers: two sources.
    Int(Code),
    /// Integers: a shift.
    Shift(Code),
    /// Integers: multiply-add.
    Mad,
    /// f16 by way of f32.
    Half(Code),
    /// f16: a fused multiply-add.
    Fma,
    /// f16: the lesser or greater one.
    MinMax { max: bool },
}

/// What a sum of absolute differences is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sad {
    Bytes,
    /// The sum goes to the high half.
    BytesHigh,
    /// Bytes that are zero in src1 do not count.
    MaskedBytes,
    Words,
    Dwords,
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
    // Floats of 32 bits are clamped; integers would have to saturate.
    let clamps = matches!(
        shape,
        Shape::Unary(..)
            | Shape::UnaryImmediate(..)
            | Shape::Binary(..)
            | Shape::BinaryImmediate(..)
            | Shape::Fma
            | Shape::MadFlush
            | Shape::MulLegacy
            | Shape::MadLegacy
            | Shape::Math(
                Function::Exp2
                    | Function::Log2
                    | Function::Turn(_)
                    | Function::Rsq
                    | Function::Fract
                    | Function::FrexpMant
                    | Function::Ldexp
            )
            | Shape::FloatChain(_)
            | Shape::FloatMedian
            | Shape::HalfToFloat
            | Shape::Mix(MixDst::F32)
    ) && lane.src[0].ty.is_float();
    (!lane.clamp || clamps).then_some(shape)
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
            | Shape::MulLegacy
            | Shape::MadLegacy
            | Shape::Half(_)
            | Shape::HalfUnary(..)
            | Shape::HalfFma
            | Shape::HalfMad
            | Shape::Packed(Packed::Half(_) | Packed::Fma)
            | Shape::Mix(_)
            | Shape::WideBinary(_)
            | Shape::WideFma
            | Shape::Math(Function::Fract | Function::Rsq)
            | Shape::WideMath(Function::Fract | Function::Rsq | Function::Rcp | Function::Sqrt)
            | Shape::Division(Division::Fmas, _)
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
        Micro::CompareClass { ty, .. } => Shape::Class(ty),
        Micro::DivScale(ty) if ty.is_float() => Shape::Division(Division::Scale, ty == Ty::F64),
        Micro::DivFmas(ty) if ty.is_float() => Shape::Division(Division::Fmas, ty == Ty::F64),
        Micro::DivFixup(ty @ (Ty::F32 | Ty::F64)) => Shape::Division(Division::Fixup, ty == Ty::F64),
        Micro::Packed2(bin, ty) => Shape::Packed(packed2(bin, ty)?),
        Micro::Packed3(Tri::Fma, ty) if ty.is_float() => Shape::Packed(Packed::Fma),
        Micro::Packed3(Tri::Mad, ty) if !ty.is_float() => Shape::Packed(Packed::Mad),
        Micro::MadMix(dst) => Shape::Mix(dst),
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
