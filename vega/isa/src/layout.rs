//! Where the fields of each encoding are (Vega ISA, chapter "Microcode Formats"). Decoder and encoder share this.

use crate::inst::{Flags, Modifiers};
use crate::operand::Field;
use crate::row::{Encoding, Form};

/// A bit field of an instruction's first 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) shift: u8,
    pub(crate) bits: u8,
    /// The field holds registers in groups of this many.
    pub(crate) scale: u8,
    /// The field can only name vector registers: it lacks the 256 of their source numbers.
    pub(crate) vgpr: bool,
}

const fn at(shift: u8, bits: u8) -> Place {
    Place { shift, bits, scale: 1, vgpr: false }
}

const fn vgpr(shift: u8) -> Place {
    Place { shift, bits: 8, scale: 1, vgpr: true }
}

const fn group(shift: u8, bits: u8, scale: u8) -> Place {
    Place { shift, bits, scale, vgpr: false }
}

impl Place {
    /// The field's value.
    pub(crate) const fn get(self, word: u64) -> u32 {
        ((word >> self.shift) as u32 & ((1 << self.bits) - 1)) * self.scale as u32
    }

    /// The field's bits for a value that fits.
    pub(crate) const fn put(self, value: u32) -> u64 {
        ((value / self.scale as u32) as u64 & ((1 << self.bits) - 1)) << self.shift
    }
}

/// Where an operand field is; `None` if the form has none (VCC is meant) or more than one (SMEM offsets).
pub(crate) const fn place(encoding: Encoding, form: Form, field: Field) -> Option<Place> {
    Some(match form {
        Form::E64 => match field {
            Field::Dst => at(0, 8),
            Field::SDst if matches!(encoding, Encoding::Vopc) => at(0, 8),
            Field::SDst => at(8, 7),
            Field::Src0 | Field::Attr => at(32, 9),
            Field::Src1 => at(41, 9),
            Field::Src2 => at(50, 9),
            _ => return None,
        },
        Form::Sdwa => match field {
            Field::Dst => at(17, 8),
            Field::SDst if matches!(encoding, Encoding::Vopc) => at(40, 7),
            Field::Src0 => at(32, 8),
            Field::Src1 => at(9, 8),
            _ => return None,
        },
        Form::Dpp => match field {
            Field::Dst => at(17, 8),
            Field::Src0 => vgpr(32),
            Field::Src1 => vgpr(9),
            _ => return None,
        },
        Form::Native => return native(encoding, field),
    })
}

const fn native(encoding: Encoding, field: Field) -> Option<Place> {
    Some(match (encoding, field) {
        (Encoding::Sop2 | Encoding::Sop1 | Encoding::Sopc, Field::Src0) => at(0, 8),
        (Encoding::Sop2 | Encoding::Sopc, Field::Src1) => at(8, 8),
        (Encoding::Sop2 | Encoding::Sop1 | Encoding::Sopk, Field::SDst) => at(16, 7),
        (Encoding::Sopk | Encoding::Sopp, Field::Imm16) => at(0, 16),
        (Encoding::Smem, Field::SBase) => group(0, 6, 2),
        (Encoding::Smem, Field::SData) => at(6, 7),
        (Encoding::Vop2 | Encoding::Vop1, Field::Dst) => at(17, 8),
        (Encoding::Vop2 | Encoding::Vop1 | Encoding::Vopc, Field::Src0) => at(0, 9),
        (Encoding::Vop2 | Encoding::Vopc, Field::Src1) => vgpr(9),
        (Encoding::Vop3p, Field::Dst) => at(0, 8),
        (Encoding::Vop3p, Field::Src0) => at(32, 9),
        (Encoding::Vop3p, Field::Src1) => at(41, 9),
        (Encoding::Vop3p, Field::Src2) => at(50, 9),
        (Encoding::Vintrp, Field::Dst) => at(18, 8),
        (Encoding::Vintrp, Field::Src1) => vgpr(0),
        (Encoding::Vintrp, Field::Attr) => at(8, 8),
        (Encoding::Exp, Field::Target) => at(4, 6),
        (Encoding::Exp, Field::Export(n)) => vgpr(32 + 8 * n),
        (Encoding::Mubuf | Encoding::Mtbuf | Encoding::Mimg, Field::Rsrc) => group(48, 5, 4),
        (Encoding::Mimg, Field::Sampler) => group(53, 5, 4),
        (Encoding::Mubuf | Encoding::Mtbuf, Field::SOffset) => at(56, 8),
        (Encoding::Flat | Encoding::Global | Encoding::Scratch, Field::SAddr) => at(48, 7),
        (_, Field::Addr) => vgpr(32),
        (_, Field::Data0) => vgpr(40),
        (_, Field::Data1) => vgpr(48),
        (Encoding::Ds | Encoding::Flat | Encoding::Global | Encoding::Scratch, Field::Dst) => vgpr(56),
        _ => return None,
    })
}

/// The field that holds a slot: compressed exports have two halves in each of the first two registers.
pub(crate) const fn shared(field: Field, modifiers: &Modifiers) -> Field {
    match field {
        Field::Export(n) if modifiers.flags.has(Flags::COMPR) => Field::Export(n / 2),
        other => other,
    }
}

/// The fixed bits and the opcode's place of an encoding's native form.
pub(crate) const fn prefix(encoding: Encoding) -> (u32, Place) {
    match encoding {
        Encoding::Sop2 => (0x8000_0000, at(23, 7)),
        Encoding::Sopk => (0xb000_0000, at(23, 5)),
        Encoding::Sop1 => (0xbe80_0000, at(8, 8)),
        Encoding::Sopc => (0xbf00_0000, at(16, 7)),
        Encoding::Sopp => (0xbf80_0000, at(16, 7)),
        Encoding::Smem => (0xc000_0000, at(18, 8)),
        Encoding::Vop2 => (0, at(25, 6)),
        Encoding::Vop1 => (0x7e00_0000, at(9, 8)),
        Encoding::Vopc => (0x7c00_0000, at(17, 8)),
        Encoding::Vop3 => (0xd000_0000, at(16, 10)),
        Encoding::Vop3p => (0xd380_0000, at(16, 7)),
        Encoding::Vintrp => (0xd400_0000, at(16, 2)),
        Encoding::Ds => (0xd800_0000, at(17, 8)),
        Encoding::Flat => (0xdc00_0000, at(18, 7)),
        Encoding::Scratch => (0xdc00_4000, at(18, 7)),
        Encoding::Global => (0xdc00_8000, at(18, 7)),
        Encoding::Mubuf => (0xe000_0000, at(18, 7)),
        Encoding::Mtbuf => (0xe800_0000, at(15, 4)),
        Encoding::Mimg => (0xf000_0000, at(18, 7)),
        // The opcode of the only export is nowhere.
        Encoding::Exp => (0xc400_0000, at(63, 0)),
    }
}

/// The encoding that a first word belongs to; VOP3P before VOP3.
pub(crate) const fn encoding(word: u32) -> Option<Encoding> {
    Some(match word >> 26 {
        0..=0x1f => match word >> 25 {
            0x3f => Encoding::Vop1,
            0x3e => Encoding::Vopc,
            _ => Encoding::Vop2,
        },
        0x20..=0x2f => match word >> 23 {
            0x17d => Encoding::Sop1,
            0x17e => Encoding::Sopc,
            0x17f => Encoding::Sopp,
            0x160..=0x17c => Encoding::Sopk,
            _ => Encoding::Sop2,
        },
        0x30 => Encoding::Smem,
        0x31 => Encoding::Exp,
        0x34 if word >> 23 == 0x1a7 => Encoding::Vop3p,
        0x34 => Encoding::Vop3,
        0x35 => Encoding::Vintrp,
        0x36 => Encoding::Ds,
        0x37 => match word >> 14 & 3 {
            0 => Encoding::Flat,
            1 => Encoding::Scratch,
            2 => Encoding::Global,
            _ => return None,
        },
        0x38 => Encoding::Mubuf,
        0x3a => Encoding::Mtbuf,
        0x3c => Encoding::Mimg,
        _ => return None,
    })
}

/// Whether the native form takes 64 bits (a literal not counted).
pub(crate) const fn is_wide(encoding: Encoding) -> bool {
    !matches!(
        encoding,
        Encoding::Sop2
            | Encoding::Sopk
            | Encoding::Sop1
            | Encoding::Sopc
            | Encoding::Sopp
            | Encoding::Vop2
            | Encoding::Vop1
            | Encoding::Vopc
            | Encoding::Vintrp
    )
}
