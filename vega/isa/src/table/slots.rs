//! Operand slots under short names, so that a row of the table stays one line.

use crate::operand::{Field, Kind, Role, Slot, Ty};

/// The operand list of a row: `ops!(vdst F32, src0 F32, src1 F32)`.
macro_rules! ops {
    ($($slot:ident $ty:ident),* $(,)?) => {{
        const SLOTS: &[$crate::operand::Slot] =
            &[$($crate::table::slots::$slot($crate::operand::Ty::$ty)),*];
        SLOTS
    }};
}
pub(crate) use ops;

const fn slot(field: Field, role: Role, kind: Kind, ty: Ty) -> Slot {
    Slot { field, role, kind, ty, dwords: ty.dwords() }
}

const fn sized_by_modifiers(slot: Slot) -> Slot {
    Slot { dwords: 0, ..slot }
}

macro_rules! slots {
    ($($name:ident = $field:expr, $role:ident, $kind:ident;)*) => {
        $(pub(crate) const fn $name(ty: Ty) -> Slot {
            slot($field, Role::$role, Kind::$kind, ty)
        })*
    };
}

slots! {
    // Vector arithmetic.
    vdst = Field::Dst, Dst, Vgpr;
    vboth = Field::Dst, Both, Vgpr;
    mdst = Field::SDst, Dst, LaneMask;
    src0 = Field::Src0, Src, Vector;
    src1 = Field::Src1, Src, Vector;
    src2 = Field::Src2, Src, Vector;
    vsrc0 = Field::Src0, Src, VectorOnly;
    vsrc2 = Field::Src2, Src, VectorOnly;
    vsrc0_both = Field::Src0, Both, Vgpr;
    msrc2 = Field::Src2, Src, LaneMask;
    lane1 = Field::Src1, Src, LaneSelect;
    k32 = Field::Imm32, Src, Literal;
    readdst = Field::Dst, Dst, Sgpr;
    // Scalar arithmetic.
    sdst = Field::SDst, Dst, Sgpr;
    sboth = Field::SDst, Both, Sgpr;
    sfirst = Field::SDst, Src, Sgpr;
    ssrc0 = Field::Src0, Src, Scalar;
    ssrc1 = Field::Src1, Src, Scalar;
    sreg0 = Field::Src0, Src, Sgpr;
    simm = Field::Imm16, Src, Simm16;
    uimm = Field::Imm16, Src, Uimm16;
    branch = Field::Imm16, Src, Branch;
    hwreg_src = Field::Imm16, Src, HwReg;
    hwreg_dst = Field::Imm16, Dst, HwReg;
    waitcnt = Field::Imm16, Src, Waitcnt;
    message = Field::Imm16, Src, Message;
    gpr_idx = Field::Imm16, Src, GprIdxMode;
    gpr_idx1 = Field::Src1, Src, GprIdxMode;
    // Scalar memory.
    sdata_dst = Field::SData, Dst, Sgpr;
    sdata_src = Field::SData, Src, Sgpr;
    sdata_both = Field::SData, BothIfGlc, Sgpr;
    probe = Field::SData, Src, ProbeBits;
    sbase = Field::SBase, Src, Sgpr;
    soffset = Field::SOffset, Src, Scalar;
    // Vector memory.
    addr = Field::Addr, Src, Vgpr;
    data0 = Field::Data0, Src, Vgpr;
    data1 = Field::Data1, Src, Vgpr;
    data0_both = Field::Data0, BothIfGlc, Vgpr;
    data0_dst = Field::Data0, Dst, Vgpr;
    data0_keep = Field::Data0, Both, Vgpr;
    vdst_glc = Field::Dst, DstIfGlc, Vgpr;
    saddr = Field::SAddr, Src, Sgpr;
    rsrc = Field::Rsrc, Src, Sgpr;
    sampler = Field::Sampler, Src, Sgpr;
    // Graphics.
    interp_src = Field::Src1, Src, VectorOnly;
    interp_param = Field::Src1, Src, InterpSlot;
    attr = Field::Attr, Src, Attribute;
    target = Field::Target, Src, ExportTarget;
    export0 = Field::Export(0), Src, Vgpr;
    export1 = Field::Export(1), Src, Vgpr;
    export2 = Field::Export(2), Src, Vgpr;
    export3 = Field::Export(3), Src, Vgpr;
}

/// A buffer's address registers: none, one or two.
pub(crate) const fn baddr(ty: Ty) -> Slot {
    sized_by_modifiers(addr(ty))
}

/// An image's address registers.
pub(crate) const fn iaddr(ty: Ty) -> Slot {
    sized_by_modifiers(addr(ty))
}

/// Image data that is read from registers.
pub(crate) const fn idata_src(ty: Ty) -> Slot {
    sized_by_modifiers(data0(ty))
}

/// Image data that is written to registers.
pub(crate) const fn idata_dst(ty: Ty) -> Slot {
    sized_by_modifiers(data0_dst(ty))
}

/// Image data of an atomic operation.
pub(crate) const fn idata_both(ty: Ty) -> Slot {
    sized_by_modifiers(data0_both(ty))
}

/// A GLOBAL address: 64 bits, or 32 bits with a scalar base.
pub(crate) const fn gaddr(ty: Ty) -> Slot {
    sized_by_modifiers(addr(ty))
}
