//! Micro-operations: the semantics of every row, in shapes that are parameterised by operation and type.
//!
//! Sources are the row's slots with role `Src` in order, then a `Both` slot. With [`crate::Row::reversed`] the first
//! two sources change places (`v_subrev`, `v_lshlrev`), so a shape exists once. Modifiers (neg, abs, clamp,
//! omod, op_sel, SDWA, DPP) act outside the micro-operation. SCC, VCC and EXEC effects that belong to a
//! shape are told with it.

use crate::memory::{CacheOp, ImageOp, MemOp};
use crate::operand::Ty;

mod lane;
mod scalar;

pub use lane::{Bin, Cross, Cvt, Gws, Interp, MixDst, Tri, Un};
pub use scalar::{BranchIf, Clock, Control, HwReg, Logic, ScalarBin, ScalarUn};

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
