//! Encoding: from an instruction to words, the inverse of decoding. Generators and tools use it.

use crate::inst::{Flags, Inst};
use crate::layout;
use crate::modifiers;
use crate::operand::{Field, Kind, Operand, sgpr};
use crate::row::{Encoding, Form};

/// The words of one instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Words {
    words: [u32; 2],
    len: usize,
}

impl Words {
    /// One or two words.
    pub fn as_slice(&self) -> &[u32] {
        self.words.get(..self.len).unwrap_or(&self.words)
    }
}

/// Encodes an instruction; fields that it does not use are zero. `None` if an operand cannot stand where it is.
pub fn encode(inst: &Inst) -> Option<Words> {
    let row = inst.row;
    let (prefix, opcode, place) = match inst.form {
        Form::E64 => {
            let opcode = if row.encoding == Encoding::Vop3 { row.opcode } else { row.vop3? };
            let (prefix, place) = layout::prefix(Encoding::Vop3);
            (prefix, opcode, place)
        }
        _ => {
            let (prefix, place) = layout::prefix(row.encoding);
            (prefix, row.opcode, place)
        }
    };
    let mut word =
        u64::from(prefix) | place.put(opcode.into()) | modifiers::write(row, inst.form, &inst.modifiers);
    match inst.form {
        Form::Sdwa => word |= 0xf9,
        Form::Dpp => word |= 0xfa,
        _ => {}
    }
    let mut literal = None;
    for (slot, operand) in inst.iter() {
        if let Operand::Literal(value) = operand {
            if literal.is_some_and(|l| l != value) || inst.form != Form::Native {
                return None;
            }
            literal = Some(value);
        }
        if slot.field == Field::Imm32 {
            continue;
        }
        if row.encoding == Encoding::Smem && slot.field == Field::SOffset {
            word |= smem_offset(inst, operand)?;
            continue;
        }
        let Some(place) = layout::place(row.encoding, inst.form, layout::shared(slot.field, &inst.modifiers))
        else {
            if operand == Operand::Sgpr(sgpr::VCC_LO) {
                continue;
            }
            return None;
        };
        let mut raw = number(operand, slot.kind, slot.field)?;
        match (inst.form, slot.field) {
            (Form::Sdwa, Field::SDst) if raw == u32::from(sgpr::VCC_LO) => continue,
            (Form::Sdwa, Field::SDst) => word |= 1 << 47,
            (Form::Sdwa, Field::Src0) if raw < 256 => word |= 1 << 55,
            (Form::Sdwa, Field::Src1) if raw < 256 => word |= 1 << 63,
            (Form::E64, Field::Attr) => raw = raw >> 2 | (raw & 3) << 6,
            _ => {}
        }
        word |= place.put(raw);
    }
    let wide = inst.form != Form::Native || layout::is_wide(row.encoding);
    if let Some(value) = literal {
        if wide {
            return None;
        }
        word |= u64::from(value) << 32;
    }
    let len = if wide || literal.is_some() { 2 } else { 1 };
    Some(Words { words: [word as u32, (word >> 32) as u32], len })
}

/// The field value of an operand.
fn number(operand: Operand, kind: Kind, field: Field) -> Option<u32> {
    Some(match operand {
        Operand::None if field == Field::SAddr => 0x7f,
        Operand::None => 0,
        Operand::Vgpr(n) if kind == Kind::Vgpr => n.into(),
        Operand::Vgpr(n) => 256 + u32::from(n),
        Operand::Sgpr(n) => n.into(),
        Operand::InlineInt(n @ 0..=64) => 128 + n as u32,
        Operand::InlineInt(n @ -16..=-1) => 192 + u32::from(n.unsigned_abs()),
        Operand::InlineInt(_) => return None,
        Operand::InlineFloat(f) => f as u32,
        Operand::Literal(_) => 255,
        Operand::Special(s) => s as u32,
        Operand::Imm(n) => n as u32 & 0xffff,
    })
}

/// SMEM: an immediate, an SGPR, or both.
fn smem_offset(inst: &Inst, operand: Operand) -> Option<u64> {
    Some(match operand {
        Operand::None => 1 << 17,
        Operand::Sgpr(n) if inst.modifiers.offset == 0 => u64::from(n) << 32,
        Operand::Sgpr(n) => 1 << 17 | 1 << 14 | u64::from(n) << 57,
        _ => return None,
    })
}

impl Inst {
    /// Registers that the operand at index `i` takes (0: it is absent).
    pub fn dwords(&self, i: usize) -> u8 {
        let Some(slot) = self.row.operands.get(i) else { return 0 };
        let flags = self.modifiers.flags;
        let tfe = u8::from(flags.has(Flags::TFE));
        match (self.row.encoding, slot.field) {
            _ if self.slots.get(i) == Some(&Operand::None) => 0,
            (Encoding::Mubuf | Encoding::Mtbuf, Field::Addr) => {
                u8::from(flags.has(Flags::IDXEN)) + u8::from(flags.has(Flags::OFFEN))
            }
            (Encoding::Mubuf | Encoding::Mtbuf, Field::Data0) if slot.role == crate::Role::Dst => {
                slot.dwords + tfe
            }
            (Encoding::Global, Field::Addr) => {
                let scalar_base = self.iter().any(|(s, o)| s.field == Field::SAddr && o != Operand::None);
                if scalar_base { 1 } else { 2 }
            }
            (Encoding::Mimg, Field::Data0) => crate::image::data_dwords(self),
            (Encoding::Mimg, Field::Addr) => crate::image::least_address_dwords(self.row),
            _ => slot.dwords,
        }
    }
}
