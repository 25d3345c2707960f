//! Micro-operations: the semantics of every row, in shapes that are parameterised by operation and type.
//!
//! Sources are the row's slots with role `Src` in order, then a `Both` slot. With [`crate::Row::reversed`] the first
//! two sources change places (`v_subrev`, `v_lshlrev`), so a shape exists once. Modifiers (neg, abs, clamp,
//! omod, op_sel, SDWA, DPP) act outside the micro-operation. SCC, VCC and EXEC effects that belong to a
//! shape are told with it.

use crate::memory::{CacheOp, ImageOp, MemOp};
use crate::operand::Ty;

/// The meaning of one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Micro {
    /// One scalar source; see [`ScalarUn`] for SCC.
    Scalar1(ScalarUn, Ty),
    /// Two scalar sources; see [`ScalarBin`] for SCC.
    Scalar2(ScalarBin, Ty),
    /// SCC = condition of two scalar sources.
    ScalarCompare(Cond, Ty),
    /// SCC = (bit src1 of src0 equals `set`); the type tells src0's width.
    ScalarBitCompare {
        /// Compared with a set bit rather than a clear one.
        set: bool,
        /// Width of the tested value.
        ty: Ty,
    },
    /// dst = EXEC; EXEC = combination of src0 and EXEC; SCC = EXEC is not zero. `Andn2` is
    /// src0 & !EXEC and `Andn1` is !src0 & EXEC: the instruction's first input is src0.
    SaveExec(Logic),
    /// EXEC = dst = combination of src0 and EXEC; SCC = EXEC is not zero.
    WriteExec(Logic),
    /// dst = SGPR\[src0's number + M0\]: relative source. Type tells the width.
    MoveRelSource(Ty),
    /// SGPR\[dst's number + M0\] = src0: relative destination. Type tells the width.
    MoveRelDest(Ty),
    /// dst = bit field of a hardware register ([`HwReg`]).
    GetReg,
    /// Bit field of a hardware register = src.
    SetReg,
    /// Program flow and wave state.
    Control(Control),
    /// One source per lane.
    Lane1(Un, Ty),
    /// Two sources per lane.
    Lane2(Bin, Ty),
    /// Three sources per lane.
    Lane3(Tri, Ty),
    /// Two packed pairs of 16-bit sources per dword; the type is the element's.
    Packed2(Bin, Ty),
    /// Three packed pairs; the type is the element's.
    Packed3(Tri, Ty),
    /// src0 * src1 + src2 in f32, unfused and flushing, each source an f32 or (op_sel_hi) an f16 half chosen
    /// by op_sel. neg_hi is the absolute value here.
    MadMix(MixDst),
    /// Integer add or subtract that writes a carry mask to sdst; inactive lanes' bits become 0.
    Carry {
        /// src0 - src1 rather than src0 + src1.
        subtract: bool,
        /// Adds (or subtracts) the lane's bit of src2.
        carry_in: bool,
    },
    /// dst = lane's bit of src2 ? src1 : src0.
    Select,
    /// Value conversion per lane.
    Convert {
        /// Source type.
        from: Ty,
        /// Destination type.
        to: Ty,
        /// Rounding or scaling.
        how: Cvt,
    },
    /// A lane mask of comparisons of src0 and src1; inactive lanes' bits become 0.
    Compare {
        /// The condition.
        cond: Cond,
        /// The type of both sources.
        ty: Ty,
        /// EXEC takes the mask as well (`v_cmpx`).
        exec: bool,
    },
    /// A lane mask: is src0's floating-point class one of those whose bit is set in src1?
    CompareClass {
        /// The type of src0.
        ty: Ty,
        /// EXEC takes the mask as well.
        exec: bool,
    },
    /// Division's pre-scaling: dst = scaled src0, and a lane mask of "needs post-scaling".
    DivScale(Ty),
    /// Division's last fused multiply-add, scaled where the lane's VCC bit is set.
    DivFmas(Ty),
    /// Division's special cases: src0 quotient, src1 denominator, src2 numerator.
    DivFixup(Ty),
    /// 64-bit src0 * src1 + src2 with 32-bit factors of the type; the carry out goes to sdst.
    MadWide(Ty),
    /// Lanes exchange values.
    Cross(Cross),
    /// Memory access.
    Mem(MemOp),
    /// Image access.
    Image(ImageOp),
    /// Cache maintenance.
    Cache(CacheOp),
    /// dst = a 64-bit counter.
    Time(Clock),
    /// Global wave sync.
    Gws(Gws),
    /// Parameter interpolation (graphics).
    Interp(Interp),
    /// Export to a target (graphics).
    Export,
}

/// Scalar operations with one source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ScalarUn {
    /// Copy; SCC unchanged.
    Mov,
    /// Copy when SCC; SCC unchanged.
    CMov,
    /// Complement; SCC = result is not zero.
    Not,
    /// Whole quad mode: each group of four bits becomes all ones if any is set; SCC = result is not zero.
    Wqm,
    /// Bit reversal; SCC unchanged.
    Brev,
    /// Number of zero bits; SCC = result is not zero.
    Bcnt0,
    /// Number of one bits; SCC = result is not zero.
    Bcnt1,
    /// Lowest zero bit, -1 if none; SCC unchanged.
    Ff0,
    /// Lowest one bit, -1 if none; SCC unchanged.
    Ff1,
    /// Leading bits before the first 1 (unsigned types) or before the first bit unlike the sign (signed
    /// types), -1 if none; SCC unchanged.
    Flbit,
    /// Sign extension from the type (I8, I16) to 32 bits; SCC unchanged.
    Sext,
    /// dst with bit src0 cleared; SCC unchanged.
    BitSet0,
    /// dst with bit src0 set; SCC unchanged.
    BitSet1,
    /// One bit for each group of four: is any set; SCC = result is not zero.
    QuadMask,
    /// Absolute value; SCC = result is not zero.
    Abs,
    /// Each of 32 bits twice, giving 64; SCC unchanged.
    BitReplicate,
}

/// Scalar operations with two sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ScalarBin {
    /// Sum; SCC = carry (U32) or signed overflow (I32).
    Add,
    /// Difference; SCC = borrow (U32) or signed overflow (I32).
    Sub,
    /// Sum with SCC; SCC = carry.
    AddC,
    /// Difference minus SCC; SCC = borrow.
    SubB,
    /// Minimum; SCC = src0 was chosen (src0 < src1).
    Min,
    /// Maximum; SCC = src0 was chosen (src0 > src1).
    Max,
    /// SCC ? src0 : src1; SCC unchanged.
    CSelect,
    /// Bitwise; SCC = result is not zero.
    Logic(Logic),
    /// src0 << (src1 mod width); SCC = result is not zero.
    Lshl,
    /// src0 >> (src1 mod width), zero-filled; SCC = result is not zero.
    Lshr,
    /// src0 >> (src1 mod width), sign-filled; SCC = result is not zero.
    Ashr,
    /// ((1 << src0) - 1) << src1, both mod width; SCC unchanged.
    Bfm,
    /// Low 32 bits of the product; SCC unchanged.
    Mul,
    /// High 32 bits of the product; SCC unchanged.
    MulHi,
    /// Field of src0: offset src1\[4:0\] (\[5:0\] for 64 bits), width src1\[22:16\]; SCC = result is not zero.
    Bfe,
    /// |src0 - src1|; SCC = result is not zero.
    AbsDiff,
    /// (src0 << n) + src1; SCC = carry out.
    LshlAdd(u8),
    /// A half of src0 in the low half, a half of src1 in the high half (true: the high one); SCC unchanged.
    Pack(bool, bool),
}

/// Bitwise combinations of a first and second input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Logic {
    /// a & b
    And,
    /// a | b
    Or,
    /// a ^ b
    Xor,
    /// a & !b
    Andn2,
    /// a | !b
    Orn2,
    /// !a & b
    Andn1,
    /// !a | b
    Orn1,
    /// !(a & b)
    Nand,
    /// !(a | b)
    Nor,
    /// !(a ^ b)
    Xnor,
}

/// Conditions, in the order of the low four opcode bits. Integers use `False` to `Ge` and `True`
/// (`Lg` is spelt ne there).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Cond {
    /// Never.
    False,
    /// a < b
    Lt,
    /// a == b
    Eq,
    /// a <= b
    Le,
    /// a > b
    Gt,
    /// a < b or a > b (integers: a != b)
    Lg,
    /// a >= b
    Ge,
    /// Neither is NaN.
    Ordered,
    /// One is NaN.
    Unordered,
    /// !(a >= b)
    Nge,
    /// !(a < b or a > b)
    Nlg,
    /// !(a > b)
    Ngt,
    /// !(a <= b)
    Nle,
    /// !(a == b)
    Neq,
    /// !(a < b)
    Nlt,
    /// Always.
    True,
}

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

/// Program flow and wave state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Control {
    /// Does nothing for imm + 1 cycles.
    Nop,
    /// Ends the wave.
    EndProgram,
    /// Ends the wave that a trap handler saved.
    EndProgramSaved,
    /// Ends the wave and signals ordered pixel shading.
    EndProgramOrderedPsDone,
    /// PC += 4 * imm, when the condition holds.
    Branch(BranchIf),
    /// dst = PC of the next instruction; PC += 4 * imm.
    Call,
    /// dst = PC of the next instruction.
    GetPc,
    /// PC = src0.
    SetPc,
    /// dst = PC of the next instruction; PC = src0.
    SwapPc,
    /// Returns from a trap handler.
    ReturnFromException,
    /// Returns from a trap handler and restores its state.
    ReturnFromExceptionRestore,
    /// Structured divergence: fork on src0 to the address in src1 (or the immediate, for SOPK).
    Fork,
    /// Structured divergence: joins.
    Join,
    /// Wakes the sleeping waves of the workgroup.
    Wakeup,
    /// Waits for all waves of the workgroup.
    Barrier,
    /// Sets or clears the wave's kill bit.
    SetKill,
    /// Waits until the counters are at most those of the immediate.
    Waitcnt,
    /// Sets or clears the wave's halt bit.
    SetHalt,
    /// Sleeps for about 64 * imm\[6:0\] cycles.
    Sleep,
    /// Sets the wave's priority.
    SetPriority,
    /// Sends a message; M0 is its payload.
    SendMessage,
    /// Sends a message and halts.
    SendMessageHalt,
    /// Enters the trap handler with an id.
    Trap,
    /// Forgets cached instructions.
    InstructionCacheInvalidate,
    /// Performance counting up.
    IncPerfLevel,
    /// Performance counting down.
    DecPerfLevel,
    /// Thread trace gets M0.
    TraceData,
    /// Vector skipping from src0's bit src1.
    SetVskip,
    /// GPR indexing on: M0\[7:0\] = src0, M0\[15:12\] = imm.
    GprIdxOn,
    /// GPR indexing off.
    GprIdxOff,
    /// M0\[15:12\] = imm.
    GprIdxMode,
    /// M0\[7:0\] = src0.
    GprIdxIdx,
}

/// When a branch is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BranchIf {
    /// Always.
    Always,
    /// SCC is 0.
    Scc0,
    /// SCC is 1.
    Scc1,
    /// VCC is zero.
    Vccz,
    /// VCC is not zero.
    Vccnz,
    /// EXEC is zero.
    Execz,
    /// EXEC is not zero.
    Execnz,
    /// The system debugger's flag is set.
    DebugSystem,
    /// The user debugger's flag is set.
    DebugUser,
    /// One of both is set.
    DebugSystemOrUser,
    /// Both are set.
    DebugSystemAndUser,
}

/// Counters that SMEM reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Clock {
    /// Core clock cycles.
    Core,
    /// The constant reference clock.
    Real,
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

/// The operand of `s_getreg` and `s_setreg`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct HwReg {
    /// Register id, 0..=63; 1 is MODE, 2 STATUS, 3 TRAPSTS, 4 HW_ID, 5 GPR_ALLOC, 6 LDS_ALLOC, 7 IB_STS,
    /// 15 SH_MEM_BASES.
    pub id: u8,
    /// First bit of the field, 0..=31.
    pub offset: u8,
    /// Bits of the field, 1..=32.
    pub bits: u8,
}

impl HwReg {
    /// Takes the instruction's 16-bit immediate apart.
    pub const fn from_imm(imm: u16) -> Self {
        Self { id: (imm & 63) as u8, offset: (imm >> 6 & 31) as u8, bits: (imm >> 11) as u8 + 1 }
    }
}
