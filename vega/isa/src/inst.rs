//! One decoded instruction.

use crate::operand::{Operand, Slot};
use crate::row::{Form, Row};

/// The most operands that an opcode has.
pub const MAX_OPERANDS: usize = 5;

/// One decoded instruction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Inst {
    /// Its opcode.
    pub row: &'static Row,
    /// Its form.
    pub form: Form,
    /// Its size: 4, 8 or (never on gfx900) more.
    pub size_bytes: u8,
    /// Operands, parallel to `row.operands`; the rest is [`Operand::None`]. Prefer [`Inst::operands`].
    pub slots: [Operand; MAX_OPERANDS],
    /// Everything that is not an operand.
    pub modifiers: Modifiers,
}

impl Inst {
    /// The operands, parallel to `row.operands`.
    pub fn operands(&self) -> &[Operand] {
        self.slots.get(..self.row.operands.len()).unwrap_or(&self.slots)
    }

    /// Slots and operands together.
    pub fn iter(&self) -> impl Iterator<Item = (&'static Slot, Operand)> + '_ {
        self.row.operands.iter().zip(self.slots)
    }
}

/// Modifiers of one instruction; those that its encoding lacks have their neutral value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Modifiers {
    /// Negated sources, bit n for src n (low halves for VOP3P).
    pub neg: u8,
    /// Absolute sources, bit n for src n; applied before neg. For `v_mad_mix` and VOP3P: negated high halves.
    pub abs: u8,
    /// Result clamp: floats to \[0, 1\], integers saturate.
    pub clamp: bool,
    /// Output modifier: 0 none, 1 times 2, 2 times 4, 3 times 1/2.
    pub omod: u8,
    /// VOP3: bit n selects src n's high half, bit 3 the destination's. VOP3P: the half for the low result.
    pub op_sel: u8,
    /// VOP3P: bit n selects src n's half for the high result. `v_mad_mix`: src n is f16.
    pub op_sel_hi: u8,
    /// SDWA selections, in the SDWA form.
    pub sdwa: Sdwa,
    /// DPP controls, in the DPP form.
    pub dpp: Dpp,
    /// Immediate byte offset: DS 16 bits, FLAT and MUBUF 12, GLOBAL and SCRATCH 13 signed, SMEM 21 signed.
    pub offset: i32,
    /// DS with two offsets: the first one, in units of the element (`offset` holds both, as encoded).
    pub offset0: u8,
    /// DS with two offsets: the second one.
    pub offset1: u8,
    /// One-bit modifiers.
    pub flags: Flags,
    /// MTBUF data format.
    pub dfmt: u8,
    /// MTBUF number format.
    pub nfmt: u8,
    /// MIMG component mask; EXP enable mask.
    pub dmask: u8,
}

/// One-bit modifiers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Flags(pub u32);

impl Flags {
    /// Globally coherent; for atomics: return the old value.
    pub const GLC: Self = Self(1);
    /// System-level coherent.
    pub const SLC: Self = Self(1 << 1);
    /// Texture fail enable.
    pub const TFE: Self = Self(1 << 2);
    /// Level-of-detail warning enable.
    pub const LWE: Self = Self(1 << 3);
    /// Transfer to or from LDS.
    pub const LDS: Self = Self(1 << 4);
    /// VGPR holds an index.
    pub const IDXEN: Self = Self(1 << 5);
    /// VGPR holds an offset.
    pub const OFFEN: Self = Self(1 << 6);
    /// Global data share.
    pub const GDS: Self = Self(1 << 7);
    /// Declare array.
    pub const DA: Self = Self(1 << 9);
    /// Unnormalised coordinates.
    pub const UNORM: Self = Self(1 << 10);
    /// 16-bit addresses.
    pub const A16: Self = Self(1 << 12);
    /// 16-bit data.
    pub const D16: Self = Self(1 << 13);
    /// Export: compressed data.
    pub const COMPR: Self = Self(1 << 14);
    /// Export: the last one.
    pub const DONE: Self = Self(1 << 15);
    /// Export: valid mask.
    pub const VM: Self = Self(1 << 16);
    /// Interpolation: high half.
    pub const HIGH: Self = Self(1 << 17);

    /// Both sets.
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The set without `other`.
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether all of `other` is set.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// Part of a dword that SDWA reads or writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Sel {
    /// Bits 7:0.
    Byte0,
    /// Bits 15:8.
    Byte1,
    /// Bits 23:16.
    Byte2,
    /// Bits 31:24.
    Byte3,
    /// Bits 15:0.
    Word0,
    /// Bits 31:16.
    Word1,
    /// All bits.
    #[default]
    Dword,
}

/// What SDWA does with the rest of the destination.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Unused {
    /// Zero.
    #[default]
    Pad,
    /// Copies of the result's sign bit above it, zero below it.
    Sext,
    /// Stays.
    Preserve,
}

/// SDWA selections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Sdwa {
    /// Part of the destination that is written.
    pub dst: Sel,
    /// The rest of it.
    pub unused: Unused,
    /// Part of src0.
    pub src0: Sel,
    /// Part of src1.
    pub src1: Sel,
    /// Sources that are sign-extended, bit n for src n.
    pub sext: u8,
}

/// DPP controls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Dpp {
    /// Where each lane's src0 comes from.
    pub ctrl: DppCtrl,
    /// Rows (16 lanes) that write, bit n for row n.
    pub row_mask: u8,
    /// Banks (4 lanes of each row) that write, bit n for bank n.
    pub bank_mask: u8,
    /// A lane without source reads 0 instead of not writing.
    pub bound_ctrl: bool,
}

/// Where each lane's src0 comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DppCtrl {
    /// Within each quad: lane n reads the lane in bits 2n+1:2n.
    QuadPerm(u8),
    /// From n lanes below... shifted left by 1..=15 within a row: lane i reads i + n.
    RowShl(u8),
    /// Shifted right within a row: lane i reads i - n.
    RowShr(u8),
    /// Rotated right within a row.
    RowRor(u8),
    /// The wave shifted left by one: lane i reads i + 1.
    WaveShl,
    /// The wave rotated left by one.
    WaveRol,
    /// The wave shifted right by one: lane i reads i - 1.
    WaveShr,
    /// The wave rotated right by one.
    WaveRor,
    /// Each row reversed.
    RowMirror,
    /// Each half row reversed.
    RowHalfMirror,
    /// Lane 15 of each row to the next row.
    RowBcast15,
    /// Lane 31 to rows 2 and 3.
    RowBcast31,
    /// Any other number: the card does not define it.
    Reserved(u16),
}

impl Default for DppCtrl {
    /// The identity permutation of quads.
    fn default() -> Self {
        Self::QuadPerm(0xe4)
    }
}

impl DppCtrl {
    /// Reads the 9-bit field.
    pub const fn from_bits(bits: u16) -> Self {
        match bits & 0x1ff {
            quad @ 0..=0xff => Self::QuadPerm(quad as u8),
            n @ 0x101..=0x10f => Self::RowShl(n as u8 & 15),
            n @ 0x111..=0x11f => Self::RowShr(n as u8 & 15),
            n @ 0x121..=0x12f => Self::RowRor(n as u8 & 15),
            0x130 => Self::WaveShl,
            0x134 => Self::WaveRol,
            0x138 => Self::WaveShr,
            0x13c => Self::WaveRor,
            0x140 => Self::RowMirror,
            0x141 => Self::RowHalfMirror,
            0x142 => Self::RowBcast15,
            0x143 => Self::RowBcast31,
            other => Self::Reserved(other),
        }
    }
}
