//! Decoding machine code.

use std::fmt;

use crate::image;
use crate::inst::{Flags, Inst, MAX_OPERANDS, Modifiers};
use crate::layout;
use crate::modifiers;
use crate::operand::{Field, InlineFloat, Kind, Operand, Slot, Special, sgpr};
use crate::row::{Encoding, Form, Legal, Row};
use crate::table::Table;

/// Why words are not an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// The words end before the instruction does.
    Truncated,
    /// No gfx900 instruction is encoded so.
    Illegal(u32),
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DecodeError::Truncated => f.write_str("the code ends in the middle of an instruction"),
            DecodeError::Illegal(word) => write!(f, "no gfx900 instruction starts with {word:#010x}"),
        }
    }
}

impl std::error::Error for DecodeError {}

/// Decodes the first instruction in `words` as the hardware does: fields that an instruction does not use are
/// ignored.
///
/// # Errors
/// [`DecodeError::Truncated`] if more words are needed, [`DecodeError::Illegal`] if the card has no such
/// instruction.
pub fn decode(words: &[u32]) -> Result<Inst, DecodeError> {
    Table::gfx900().decode(words)
}

/// Source number of a literal.
const LITERAL: u32 = 255;
/// src0 numbers that select another form.
const SDWA: u32 = 249;
const DPP: u32 = 250;
/// The scalar address field's "none".
const NO_SADDR: u32 = 0x7f;

impl Table {
    /// [`decode()`] by this table.
    ///
    /// # Errors
    /// As [`decode()`].
    pub fn decode(&self, words: &[u32]) -> Result<Inst, DecodeError> {
        let &low = words.first().ok_or(DecodeError::Truncated)?;
        let illegal = DecodeError::Illegal(low);
        let encoding = layout::encoding(low).ok_or(illegal)?;
        let opcode = layout::prefix(encoding).1.get(u64::from(low));
        let row = self.row(encoding, opcode).ok_or(illegal)?;
        let form = form(encoding, row, low).ok_or(illegal)?;
        let base = if form == Form::Native && !layout::is_wide(encoding) { 1 } else { 2 };
        let high = match words.get(1) {
            Some(&word) => word,
            None if base == 2 => return Err(DecodeError::Truncated),
            None => 0,
        };
        let word = u64::from(low) | u64::from(high) << 32;
        let literal = form == Form::Native && base == 1 && takes_literal(row, low);
        if literal && words.len() < 2 {
            return Err(DecodeError::Truncated);
        }
        let modifiers = modifiers::read(row, form, word).ok_or(illegal)?;
        let mut inst = Inst {
            row,
            form,
            size_bytes: if literal { 8 } else { base * 4 },
            slots: [Operand::None; MAX_OPERANDS],
            modifiers,
        };
        let literal = literal.then_some(high);
        for (slot, out) in row.operands.iter().zip(&mut inst.slots) {
            *out = operand(row, form, &modifiers, slot, word, literal).ok_or(illegal)?;
        }
        inst.check_registers().ok_or(illegal)?;
        Ok(inst)
    }
}

fn form(encoding: Encoding, row: &Row, low: u32) -> Option<Form> {
    let form = match encoding {
        Encoding::Vop3 => Form::E64,
        Encoding::Vop1 | Encoding::Vop2 | Encoding::Vopc => match low & 0x1ff {
            SDWA => Form::Sdwa,
            DPP => Form::Dpp,
            _ => Form::Native,
        },
        _ => Form::Native,
    };
    // A row without operands ignores what its operand fields say.
    if row.operands.is_empty() && matches!(form, Form::Sdwa | Form::Dpp) && !row.forms.has(form) {
        return row.forms.has(Form::Native).then_some(Form::Native);
    }
    row.forms.has(form).then_some(form)
}

/// Whether a 32-bit form is followed by a literal.
fn takes_literal(row: &Row, low: u32) -> bool {
    row.operands.iter().any(|slot| match (slot.field, slot.kind) {
        (Field::Imm32, _) => true,
        (Field::Src0 | Field::Src1, Kind::Vector | Kind::Scalar) => {
            layout::place(row.encoding, Form::Native, slot.field)
                .is_some_and(|p| !p.vgpr && p.get(u64::from(low)) == LITERAL)
        }
        _ => false,
    })
}

fn operand(
    row: &Row,
    form: Form,
    m: &Modifiers,
    slot: &Slot,
    word: u64,
    literal: Option<u32>,
) -> Option<Operand> {
    if slot.field == Field::Imm32 {
        return literal.map(Operand::Literal);
    }
    if row.encoding == Encoding::Smem && slot.field == Field::SOffset {
        return smem_offset(word);
    }
    let Some(place) = layout::place(row.encoding, form, layout::shared(slot.field, m)) else {
        return Some(Operand::Sgpr(sgpr::VCC_LO));
    };
    let mut raw = place.get(word);
    match (form, slot.field) {
        (Form::Sdwa, Field::SDst) if word >> 47 & 1 == 0 => return Some(Operand::Sgpr(sgpr::VCC_LO)),
        (Form::Sdwa, Field::Src0) if word >> 55 & 1 == 0 => raw += 256,
        (Form::Sdwa, Field::Src1) if word >> 63 & 1 == 0 => raw += 256,
        // VOP3 keeps the attribute in src0: number, channel, high half.
        (Form::E64, Field::Attr) => return Some(Operand::Imm(((raw & 63) << 2 | raw >> 6 & 3) as i32)),
        _ => {}
    }
    if place.vgpr {
        raw += 256;
    }
    match slot.kind {
        Kind::Vgpr => vgpr(row, m, slot, word, raw),
        Kind::Vector | Kind::VectorOnly | Kind::LaneSelect if raw >= 256 => Some(Operand::Vgpr(raw as u8)),
        Kind::VectorOnly => match source(raw, slot.dwords, None)? {
            Operand::InlineInt(_) | Operand::InlineFloat(_) => None,
            register => Some(register),
        },
        Kind::Vector | Kind::Scalar | Kind::LaneSelect => source(raw, slot.dwords, literal),
        Kind::Sgpr if slot.field == Field::SAddr => saddr(row, slot, raw),
        Kind::Sgpr | Kind::LaneMask => match source(raw, slot.dwords, None) {
            Some(Operand::Sgpr(n)) => Some(Operand::Sgpr(n)),
            _ => None,
        },
        Kind::Simm16 | Kind::Branch => Some(Operand::Imm(raw as u16 as i16 as i32)),
        Kind::InterpSlot => Some(Operand::Imm((raw & 0xff) as i32)),
        _ => Some(Operand::Imm(raw as i32)),
    }
}

fn vgpr(row: &Row, m: &Modifiers, slot: &Slot, word: u64, raw: u32) -> Option<Operand> {
    let absent = match (row.encoding, slot.field) {
        (Encoding::Mubuf | Encoding::Mtbuf, Field::Addr) => {
            !m.flags.has(Flags::IDXEN) && !m.flags.has(Flags::OFFEN)
        }
        (Encoding::Mubuf, Field::Data0) => m.flags.has(Flags::LDS),
        (Encoding::Global | Encoding::Scratch, Field::Dst) if m.flags.has(Flags::LDS) => true,
        (Encoding::Flat | Encoding::Global, Field::Dst) if row.legal.has(Legal::GLC) => {
            slot.role == crate::Role::DstIfGlc && !m.flags.has(Flags::GLC)
        }
        (Encoding::Scratch, Field::Addr) => word >> 48 & 0x7f != u64::from(NO_SADDR),
        (Encoding::Exp, Field::Export(n)) => m.dmask >> n & 1 == 0,
        _ => false,
    };
    Some(if absent { Operand::None } else { Operand::Vgpr(raw as u8) })
}

fn saddr(row: &Row, slot: &Slot, raw: u32) -> Option<Operand> {
    if raw == NO_SADDR {
        return Some(Operand::None);
    }
    let dwords = if row.encoding == Encoding::Scratch { 1 } else { slot.dwords };
    source(raw, dwords, None)
}

fn smem_offset(word: u64) -> Option<Operand> {
    let (imm, soffset_en) = (word >> 17 & 1 != 0, word >> 14 & 1 != 0);
    match (imm, soffset_en) {
        (true, false) => Some(Operand::None),
        (false, false) => source((word >> 32) as u32 & 0x7f, 1, None),
        (_, true) => source((word >> 57) as u32 & 0x7f, 1, None),
    }
}

/// A source number below 256; `dwords` is the operand's width.
fn source(raw: u32, dwords: u8, literal: Option<u32>) -> Option<Operand> {
    Some(match raw {
        0..=101 => scalar_group(raw, 0, 104, dwords)?,
        // Named registers: pairs where the operand is wider than one.
        102..=107 | 125..=127 if dwords > 4 => return None,
        102..=107 | 126 | 127 if dwords == 1 || raw & 1 == 0 => Operand::Sgpr(raw as u8),
        108..=123 => scalar_group(raw, 108, 124, dwords)?,
        124 if dwords == 1 => Operand::Sgpr(raw as u8),
        125 => Operand::Sgpr(raw as u8),
        128..=192 => Operand::InlineInt((raw - 128) as i8),
        193..=208 => Operand::InlineInt(-((raw - 192) as i8)),
        235..=239 | 251..=253 => Operand::Special(special(raw)?),
        254 if dwords == 1 => Operand::Special(Special::LdsDirect),
        240..=248 => Operand::InlineFloat(*InlineFloat::ALL.get(raw as usize - 240)?),
        LITERAL => Operand::Literal(literal?),
        _ => return None,
    })
}

/// Registers of one file from `first` to `end`; groups are aligned to two or four, the hardware ignores the
/// low bits.
fn scalar_group(raw: u32, first: u32, end: u32, dwords: u8) -> Option<Operand> {
    let align = match dwords {
        0 | 1 => 1,
        2 => 2,
        _ => 4,
    };
    let start = (raw - first) / align * align + first;
    (start + u32::from(dwords) <= end).then_some(Operand::Sgpr(start as u8))
}

const fn special(raw: u32) -> Option<Special> {
    Some(match raw {
        235 => Special::SharedBase,
        236 => Special::SharedLimit,
        237 => Special::PrivateBase,
        238 => Special::PrivateLimit,
        239 => Special::PopsExitingWaveId,
        251 => Special::Vccz,
        252 => Special::Execz,
        253 => Special::Scc,
        _ => return None,
    })
}

impl Inst {
    /// Every register group must end inside the register file.
    fn check_registers(&self) -> Option<()> {
        for (i, (slot, operand)) in self.iter().enumerate() {
            if let Operand::Vgpr(first) = operand {
                // Image data beyond v255 is printed and transferred as far as it goes.
                let dwords = match (self.row.encoding, slot.field) {
                    (Encoding::Mimg, Field::Data0) => image::printed_data_dwords(self, first),
                    _ if slot.dwords == 0 => self.dwords(i),
                    _ => slot.dwords,
                };
                if u32::from(first) + u32::from(dwords) > 256 {
                    return None;
                }
            }
        }
        Some(())
    }
}
