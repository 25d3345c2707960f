//! Reading and writing the modifier fields of an instruction word.

use crate::inst::{Dpp, DppCtrl, Flags, Modifiers, Sdwa, Sel, Unused};
use crate::memory::{MemKind, MemOp};
use crate::micro::Micro;
use crate::operand::Field;
use crate::row::{Encoding, Form, Legal, Row};

/// One-bit modifiers of the memory and graphics encodings: flag and bit.
const fn flag_bits(encoding: Encoding) -> &'static [(Flags, u8)] {
    match encoding {
        Encoding::Smem => &[(Flags::GLC, 16)],
        Encoding::Ds => &[(Flags::GDS, 16)],
        Encoding::Flat => &[(Flags::GLC, 16), (Flags::SLC, 17)],
        Encoding::Global | Encoding::Scratch => &[(Flags::LDS, 13), (Flags::GLC, 16), (Flags::SLC, 17)],
        Encoding::Mubuf => &[
            (Flags::OFFEN, 12),
            (Flags::IDXEN, 13),
            (Flags::GLC, 14),
            (Flags::LDS, 16),
            (Flags::SLC, 17),
            (Flags::TFE, 55),
        ],
        Encoding::Mtbuf => {
            &[(Flags::OFFEN, 12), (Flags::IDXEN, 13), (Flags::GLC, 14), (Flags::SLC, 54), (Flags::TFE, 55)]
        }
        Encoding::Mimg => &[
            (Flags::UNORM, 12),
            (Flags::GLC, 13),
            (Flags::DA, 14),
            (Flags::A16, 15),
            (Flags::TFE, 16),
            (Flags::LWE, 17),
            (Flags::SLC, 25),
            (Flags::D16, 63),
        ],
        Encoding::Exp => &[(Flags::COMPR, 10), (Flags::DONE, 11), (Flags::VM, 12)],
        _ => &[],
    }
}

/// Flags that the opcode implies, whether or not their bits are set.
const fn implied(row: &Row) -> Flags {
    match row.micro {
        Micro::Gws(_) => Flags::GDS,
        Micro::Mem(MemOp { kind: MemKind::OrderedCount, .. }) => Flags::GDS,
        Micro::Mem(MemOp { kind: MemKind::StoreLds, .. }) => Flags::LDS,
        _ => Flags(0),
    }
}

/// The modifier that a flag needs.
pub(crate) const fn legal_for(flag: Flags) -> Legal {
    match flag {
        Flags::GLC => Legal::GLC,
        Flags::SLC => Legal::SLC,
        Flags::TFE => Legal::TFE,
        Flags::LDS => Legal::LDS,
        Flags::IDXEN | Flags::OFFEN => Legal::ADDRESSED,
        Flags::GDS => Legal::GDS,
        Flags::D16 => Legal::D16,
        Flags::A16 => Legal::A16,
        Flags::COMPR | Flags::DONE | Flags::VM => Legal::EXPORT,
        Flags::HIGH => Legal::HIGH,
        _ => Legal::IMAGE,
    }
}

/// Sources whose sign and magnitude a form can change, bit n for src n: floats; all sources of a row that
/// says so explicitly without having a float (`v_cndmask`).
pub(crate) fn float_sources(row: &Row) -> u8 {
    let explicit = row.legal.has(Legal::NEG) && !row.operands.iter().any(|s| s.ty.is_float());
    sources(row, |s| s.ty.is_float() || explicit && s.kind == crate::Kind::Vector)
}

/// Sources for which `f` holds, bit n for src n.
pub(crate) fn sources(row: &Row, f: impl Fn(&crate::Slot) -> bool) -> u8 {
    row.operands.iter().fold(0, |mask, s| {
        let bit = match s.field {
            Field::Src0 => 1,
            Field::Src1 => 2,
            Field::Src2 => 4,
            _ => 0,
        };
        if f(s) { mask | bit } else { mask }
    })
}

const fn bits(word: u64, shift: u32, count: u32) -> u32 {
    (word >> shift) as u32 & ((1 << count) - 1)
}

const fn sext(value: u32, bits: u32) -> i32 {
    (value << (32 - bits)) as i32 >> (32 - bits)
}

const fn sel(n: u32) -> Option<Sel> {
    Some(match n {
        0 => Sel::Byte0,
        1 => Sel::Byte1,
        2 => Sel::Byte2,
        3 => Sel::Byte3,
        4 => Sel::Word0,
        5 => Sel::Word1,
        6 => Sel::Dword,
        _ => return None,
    })
}

/// Reads the modifiers of an instruction; fields that the row does not use are ignored. `None`: a value that
/// no modifier has.
pub(crate) fn read(row: &Row, form: Form, word: u64) -> Option<Modifiers> {
    match form {
        Form::E64 => Some(read_vop3(row, word)),
        Form::Sdwa => read_sdwa(row, word),
        Form::Dpp => Some(read_dpp(row, word)),
        Form::Native => Some(read_native(row, word)),
    }
}

fn read_vop3(row: &Row, word: u64) -> Modifiers {
    let legal = row.legal;
    let floats = float_sources(row);
    let has = |l: Legal| legal.has(l);
    let interp = legal.has(Legal::HIGH);
    Modifiers {
        neg: if has(Legal::NEG) { bits(word, 61, 3) as u8 & floats } else { 0 },
        abs: if has(Legal::ABS) { bits(word, 8, 3) as u8 & floats } else { 0 },
        clamp: has(Legal::CLAMP) && bits(word, 15, 1) != 0,
        omod: if has(Legal::OMOD) { bits(word, 59, 2) as u8 } else { 0 },
        op_sel: if has(Legal::OP_SEL) { bits(word, 11, 4) as u8 & (8 | sources(row, |_| true)) } else { 0 },
        flags: if interp && bits(word, 40, 1) != 0 { Flags::HIGH } else { Flags::default() },
        ..Modifiers::default()
    }
}

fn read_sdwa(row: &Row, word: u64) -> Option<Modifiers> {
    let floats = float_sources_sdwa(row);
    let all = sources(row, |_| true);
    let compare = row.encoding == Encoding::Vopc;
    let neg = (bits(word, 52, 1) | bits(word, 60, 1) << 1) as u8;
    let abs = (bits(word, 53, 1) | bits(word, 61, 1) << 1) as u8;
    let sext = (bits(word, 51, 1) | bits(word, 59, 1) << 1) as u8;
    let part = |shift, used: bool| if used { sel(bits(word, shift, 3)) } else { Some(Sel::Dword) };
    Some(Modifiers {
        neg: neg & floats,
        abs: abs & floats,
        clamp: !compare && bits(word, 45, 1) != 0,
        omod: if sdwa_omod(row) { bits(word, 46, 2) as u8 } else { 0 },
        sdwa: Sdwa {
            dst: part(40, !compare)?,
            unused: match bits(word, 43, 2) {
                _ if compare => Unused::Pad,
                0 => Unused::Pad,
                1 => Unused::Sext,
                2 => Unused::Preserve,
                _ => return None,
            },
            src0: part(48, true)?,
            src1: part(56, all & 2 != 0)?,
            sext: sext & all & !floats & 3,
        },
        ..Modifiers::default()
    })
}

/// SDWA's float sources: by type alone, `v_cndmask` sees integers here.
pub(crate) fn float_sources_sdwa(row: &Row) -> u8 {
    sources(row, |s| s.ty.is_float())
}

/// SDWA has an output modifier where the destination is a float.
pub(crate) fn sdwa_omod(row: &Row) -> bool {
    row.operands.first().is_some_and(|s| s.field == Field::Dst && s.ty.is_float())
}

fn read_dpp(row: &Row, word: u64) -> Modifiers {
    let floats = float_sources_sdwa(row);
    Modifiers {
        neg: (bits(word, 52, 1) | bits(word, 54, 1) << 1) as u8 & floats,
        abs: (bits(word, 53, 1) | bits(word, 55, 1) << 1) as u8 & floats,
        dpp: Dpp {
            ctrl: DppCtrl::from_bits(bits(word, 40, 9) as u16),
            bound_ctrl: bits(word, 51, 1) != 0,
            bank_mask: bits(word, 56, 4) as u8,
            row_mask: bits(word, 60, 4) as u8,
        },
        ..Modifiers::default()
    }
}

fn read_native(row: &Row, word: u64) -> Modifiers {
    let mut m = Modifiers::default();
    for &(flag, bit) in flag_bits(row.encoding) {
        if bits(word, u32::from(bit), 1) != 0 && row.legal.has(legal_for(flag)) {
            m.flags = m.flags.with(flag);
        }
    }
    m.flags = m.flags.with(implied(row));
    if m.flags.has(Flags::LDS) {
        // There is no data register that a failed access could follow.
        m.flags = m.flags.without(Flags::TFE);
    }
    match row.encoding {
        Encoding::Vop3p => {
            let all = sources(row, |_| true);
            let when = |legal: Legal| if row.legal.has(legal) { all } else { 0 };
            m.neg = bits(word, 61, 3) as u8 & when(Legal::NEG);
            m.abs = bits(word, 8, 3) as u8 & (when(Legal::NEG_HI) | when(Legal::ABS));
            m.clamp = bits(word, 15, 1) != 0 && row.legal.has(Legal::CLAMP);
            m.op_sel = bits(word, 11, 3) as u8 & when(Legal::OP_SEL);
            m.op_sel_hi = (bits(word, 59, 2) | bits(word, 14, 1) << 2) as u8 & when(Legal::OP_SEL);
        }
        Encoding::Smem if bits(word, 17, 1) != 0 => {
            m.offset = sext(bits(word, 32, 21), 21);
        }
        Encoding::Ds if row.legal.has(Legal::OFFSET2) => {
            m.offset0 = bits(word, 0, 8) as u8;
            m.offset1 = bits(word, 8, 8) as u8;
            m.offset = bits(word, 0, 16) as i32;
        }
        Encoding::Ds => m.offset = bits(word, 0, 16) as i32,
        Encoding::Flat => m.offset = bits(word, 0, 12) as i32,
        Encoding::Global | Encoding::Scratch => m.offset = sext(bits(word, 0, 13), 13),
        Encoding::Mubuf => m.offset = bits(word, 0, 12) as i32,
        Encoding::Mtbuf => {
            m.offset = bits(word, 0, 12) as i32;
            if row.legal.has(Legal::FORMAT) {
                m.dfmt = bits(word, 19, 4) as u8;
                m.nfmt = bits(word, 23, 3) as u8;
            }
        }
        Encoding::Mimg if row.legal.has(Legal::IMAGE) => m.dmask = bits(word, 8, 4) as u8,
        Encoding::Exp if row.legal.has(Legal::EXPORT) => m.dmask = bits(word, 0, 4) as u8,
        _ => {}
    }
    if !row.legal.has(Legal::OFFSET) && !row.legal.has(Legal::OFFSET2) {
        m.offset = 0;
    }
    m
}

const fn dpp_bits(ctrl: DppCtrl) -> u16 {
    match ctrl {
        DppCtrl::QuadPerm(p) => p as u16,
        DppCtrl::RowShl(n) => 0x100 | n as u16,
        DppCtrl::RowShr(n) => 0x110 | n as u16,
        DppCtrl::RowRor(n) => 0x120 | n as u16,
        DppCtrl::WaveShl => 0x130,
        DppCtrl::WaveRol => 0x134,
        DppCtrl::WaveShr => 0x138,
        DppCtrl::WaveRor => 0x13c,
        DppCtrl::RowMirror => 0x140,
        DppCtrl::RowHalfMirror => 0x141,
        DppCtrl::RowBcast15 => 0x142,
        DppCtrl::RowBcast31 => 0x143,
        DppCtrl::Reserved(n) => n,
    }
}

/// The bits of an instruction's modifiers: the inverse of [`read`].
pub(crate) fn write(row: &Row, form: Form, m: &Modifiers) -> u64 {
    let put = |value: u32, shift: u32| u64::from(value) << shift;
    let two =
        |mask: u8, low: u32, high: u32| put(u32::from(mask & 1), low) | put(u32::from(mask >> 1 & 1), high);
    match form {
        Form::E64 => {
            put(m.neg.into(), 61)
                | put(m.abs.into(), 8)
                | put(m.clamp.into(), 15)
                | put(m.omod.into(), 59)
                | put(m.op_sel.into(), 11)
                | put(m.flags.has(Flags::HIGH).into(), 40)
        }
        Form::Sdwa => {
            let mut word = two(m.neg, 52, 60)
                | two(m.abs, 53, 61)
                | two(m.sdwa.sext, 51, 59)
                | put(m.sdwa.src0 as u32, 48);
            if sources(row, |_| true) & 2 != 0 {
                word |= put(m.sdwa.src1 as u32, 56);
            }
            if row.encoding != Encoding::Vopc {
                word |= put(m.sdwa.dst as u32, 40)
                    | put(m.sdwa.unused as u32, 43)
                    | put(m.clamp.into(), 45)
                    | put(m.omod.into(), 46);
            }
            word
        }
        Form::Dpp => {
            two(m.neg, 52, 54)
                | two(m.abs, 53, 55)
                | put(dpp_bits(m.dpp.ctrl).into(), 40)
                | put(m.dpp.bound_ctrl.into(), 51)
                | put(m.dpp.bank_mask.into(), 56)
                | put(m.dpp.row_mask.into(), 60)
        }
        Form::Native => write_native(row, m),
    }
}

fn write_native(row: &Row, m: &Modifiers) -> u64 {
    let put = |value: u32, shift: u32| u64::from(value) << shift;
    let mut word = 0;
    for &(flag, bit) in flag_bits(row.encoding) {
        word |= put(m.flags.has(flag).into(), bit.into());
    }
    let offset = m.offset as u32;
    word | match row.encoding {
        Encoding::Vop3p => {
            put(m.neg.into(), 61)
                | put(m.abs.into(), 8)
                | put(m.clamp.into(), 15)
                | put(m.op_sel.into(), 11)
                | put(u32::from(m.op_sel_hi & 3), 59)
                | put(u32::from(m.op_sel_hi >> 2), 14)
        }
        Encoding::Smem => put(offset & 0x1f_ffff, 32),
        Encoding::Ds if row.legal.has(Legal::OFFSET2) => put(m.offset0.into(), 0) | put(m.offset1.into(), 8),
        Encoding::Ds => put(offset & 0xffff, 0),
        Encoding::Flat | Encoding::Mubuf => put(offset & 0xfff, 0),
        Encoding::Global | Encoding::Scratch => put(offset & 0x1fff, 0),
        Encoding::Mtbuf => put(offset & 0xfff, 0) | put(m.dfmt.into(), 19) | put(m.nfmt.into(), 23),
        Encoding::Mimg => put(m.dmask.into(), 8),
        Encoding::Exp => put(m.dmask.into(), 0),
        _ => 0,
    }
}
