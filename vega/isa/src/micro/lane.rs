//! Operations of the vector unit: arithmetic per lane, exchange between lanes.

/// Lane operations with one source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Un {
    /// Copy.
    Mov,
    /// Complement.
    Not,
    /// Bit reversal.
    Bfrev,
    /// Leading bits before the first 1 (U32) or before the first bit unlike the sign (I32), -1 if none.
    Ffbh,
    /// Lowest one bit, -1 if none.
    Ffbl,
    /// Toward zero.
    Trunc,
    /// Toward plus infinity.
    Ceil,
    /// To nearest, ties to even.
    Rndne,
    /// Toward minus infinity.
    Floor,
    /// x - floor(x), kept below 1.
    Fract,
    /// 2 to the x.
    Exp2,
    /// Base-2 logarithm.
    Log2,
    /// `Exp2` with the accuracy of older generations.
    Exp2Legacy,
    /// `Log2` with the accuracy of older generations.
    Log2Legacy,
    /// 1 / x.
    Rcp,
    /// 1 / x; raises only the integer division-by-zero exception.
    RcpIflag,
    /// 1 / sqrt(x).
    Rsq,
    /// Square root.
    Sqrt,
    /// Sine of x revolutions.
    Sin,
    /// Cosine of x revolutions.
    Cos,
    /// Exponent of frexp; 0 for zero, infinity and NaN.
    FrexpExp,
    /// Mantissa of frexp in \[0.5, 1).
    FrexpMant,
    /// Unsigned bytes of the two signed halves, saturated, in the low 16 bits.
    SatPkU8,
    /// Screen partition of the four-shader-engine layout (graphics).
    ScreenPartition,
    /// Both registers exchange their values: each slot is `Both`.
    Swap,
    /// Clears the wave's exception flags; no operands.
    ClearExceptions,
    /// Nothing; no operands.
    Nop,
}

/// Lane operations with two sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Bin {
    /// Sum. Integers saturate with clamp.
    Add,
    /// src0 - src1. Integers saturate with clamp.
    Sub,
    /// Product; integers: low half (I24, U24: low 32 bits of the 48-bit product).
    Mul,
    /// High half of the product (I24, U24: bits 47:32, extended).
    MulHi,
    /// Product where 0 times anything is 0.
    MulLegacy,
    /// Minimum; IEEE minNum for floats.
    Min,
    /// Maximum; IEEE maxNum for floats.
    Max,
    /// src0 << (src1 mod width). Rows are reversed.
    Lshl,
    /// src0 >> (src1 mod width), zero-filled. Rows are reversed.
    Lshr,
    /// src0 >> (src1 mod width), sign-filled. Rows are reversed.
    Ashr,
    /// a & b
    And,
    /// a | b
    Or,
    /// a ^ b
    Xor,
    /// src0 * 2^src1, src1 a signed integer (16 bits for F16, else 32).
    Ldexp,
    /// Bits set in src0, plus src1.
    BcntAdd,
    /// Bits set in src0 at lanes below this one (low half of the wave), plus src1.
    MbcntLo,
    /// Bits set in src0 at lanes below this one (high half of the wave), plus src1.
    MbcntHi,
    /// ((1 << src0\[4:0\]) - 1) << src1\[4:0\]
    Bfm,
    /// Segment src1\[4:0\] of 2/pi for the exponent of src0.
    TrigPreop,
    /// Two floats (the type) as signed normalised 16-bit integers in a dword.
    PkNormI16,
    /// Two floats (the type) as unsigned normalised 16-bit integers in a dword.
    PkNormU16,
    /// Two f32 as f16 in a dword, rounded toward zero.
    PkRtzF16,
    /// Two 32-bit integers (the type) as saturated 16-bit integers in a dword.
    PkInt16,
    /// Low half of src0, low half of src1 (op_sel chooses halves).
    PkB16,
    /// Byte src1\[1:0\] of dst replaced by src0 converted to u8 with rounding mode; dst is `Both`.
    PkAccumU8,
}

/// Lane operations with three sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tri {
    /// src0 * src1 + src2: floats unfused, f32 and f16 flush denormals; integers wrap (saturate with clamp).
    /// I24, U24: 24-bit factors, 32-bit addend and result.
    Mad,
    /// `Mad` where 0 times anything is 0.
    MadLegacy,
    /// 16-bit factors (the type) with a 32-bit addend and result.
    MadTo32,
    /// Fused src0 * src1 + src2.
    Fma,
    /// Cube map face id.
    CubeId,
    /// Cube map S coordinate.
    CubeSc,
    /// Cube map T coordinate.
    CubeTc,
    /// Cube map major axis, doubled.
    CubeMa,
    /// Field of src0: offset src1\[4:0\], width src2\[4:0\]; sign-extended for I32.
    Bfe,
    /// (src0 & src1) | (!src0 & src2)
    Bfi,
    /// Bytewise (src0 + src1 + (src2's bit 0 of the byte)) >> 1.
    LerpU8,
    /// ({src0, src1} >> src2\[4:0\]), low 32 bits.
    AlignBit,
    /// ({src0, src1} >> 8 * src2\[1:0\]), low 32 bits.
    AlignByte,
    /// Minimum of three.
    Min3,
    /// Maximum of three.
    Max3,
    /// Median of three.
    Med3,
    /// Sum of absolute differences of four bytes, plus src2.
    SadU8,
    /// Sum of absolute differences of four bytes << 16, plus src2.
    SadHiU8,
    /// Sum of absolute differences of two halves, plus src2.
    SadU16,
    /// Absolute difference, plus src2.
    SadU32,
    /// `SadU8` that skips the bytes where src1 is zero.
    MsadU8,
    /// Four `SadU8` of a sliding 64-bit src0, packed into 64 bits.
    QsadPkU16U8,
    /// Four `MsadU8` of a sliding 64-bit src0, packed into 64 bits.
    MqsadPkU16U8,
    /// Four `MsadU8` of a sliding 64-bit src0, as four dwords.
    MqsadU32U8,
    /// Byte src1\[1:0\] of src2 replaced by src0 converted to u8.
    PkU8,
    /// Four bytes chosen from {src0, src1} by the selector bytes of src2.
    Perm,
    /// (src0 ^ src1) + src2
    XorAdd,
    /// (src0 << src1\[4:0\]) + src2
    LshlAdd,
    /// (src0 + src1) << src2\[4:0\]
    AddLshl,
    /// src0 + src1 + src2
    Add3,
    /// (src0 << src1\[4:0\]) | src2
    LshlOr,
    /// (src0 & src1) | src2
    AndOr,
    /// src0 | src1 | src2
    Or3,
}

/// How a conversion rounds or scales. Float to integer saturates and turns NaN into 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cvt {
    /// The type pair's own: floats round by MODE, float to integer truncates.
    Plain,
    /// floor(x + 0.5) to integer.
    Rpi,
    /// floor(x) to integer.
    Floor,
    /// Byte n of the source as an unsigned integer to f32.
    Byte(u8),
    /// Signed 4-bit source divided by 16 to f32.
    OffsetI4,
    /// Normalised: round(x * (2^n - 1)) after clamping.
    Norm,
}

/// What `v_mad_mix` writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MixDst {
    /// The dword as f32.
    F32,
    /// The low half as f16; the high half stays.
    LowF16,
    /// The high half as f16; the low half stays.
    HighF16,
}

/// Exchange between lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cross {
    /// sdst = src0 of the first active lane (lane 0 when there is none).
    ReadFirstLane,
    /// sdst = src0 of lane src1 mod 64; ignores EXEC.
    ReadLane,
    /// Lane src1 mod 64 of dst = src0; ignores EXEC.
    WriteLane,
    /// Pattern in the offset field: quads, or and/or/xor masks within 32 lanes; no LDS access.
    Swizzle,
    /// Push: lane (addr + offset) / 4 receives data; the highest active lane wins.
    Permute,
    /// Pull: data of lane (addr + offset) / 4, 0 if that lane is inactive.
    Bpermute,
}

/// Global wave sync operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Gws {
    /// Frees every wave that waits on a semaphore.
    SemaReleaseAll,
    /// Initialises a resource with the first active lane's data.
    Init,
    /// Semaphore up by one.
    SemaV,
    /// Semaphore up by the first active lane's data.
    SemaBr,
    /// Semaphore down, waiting.
    SemaP,
    /// Waits for data + 1 waves.
    Barrier,
}

/// Parameter interpolation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Interp {
    /// P10 * i + P0.
    P1,
    /// P20 * j + dst.
    P2,
    /// One parameter.
    Mov,
    /// f16 first step from LDS data in 16-bit pairs.
    P1ll,
    /// f16 first step with P0 from a VGPR.
    P1lv,
    /// f16 second step, older rounding, high half zeroed.
    P2LegacyF16,
    /// f16 second step.
    P2F16,
}
