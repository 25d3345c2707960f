//! The assembly text of an instruction: what LLVM 15's disassembler prints for gfx900.

use std::fmt::{self, Display, Formatter};

use crate::image;
use crate::inst::{Flags, Inst};
use crate::micro::{Control, Micro};
use crate::modifiers;
use crate::operand::{Field, InlineFloat, Kind, Operand, Slot, Special, Ty, sgpr};
use crate::row::{Encoding, Form, Legal};
use crate::text_immediate as immediate;
use crate::text_modifiers as suffix;

impl Display for Inst {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.row.mnemonic)?;
        if self.row.forms.iter().nth(1).is_some() && !self.row.operands.is_empty() {
            f.write_str(match self.form {
                Form::Native => "_e32",
                Form::E64 => "_e64",
                Form::Sdwa => "_sdwa",
                Form::Dpp => "_dpp",
            })?;
        }
        let mut separator = " ";
        for (i, (slot, operand)) in self.iter().enumerate() {
            if self.is_hidden(slot, operand) {
                continue;
            }
            f.write_str(separator)?;
            self.write_operand(f, i, slot, operand)?;
            separator = if slot.kind == Kind::ExportTarget { " " } else { ", " };
        }
        suffix::write(self, f)
    }
}

impl Inst {
    /// Operands that the text leaves out.
    fn is_hidden(&self, slot: &Slot, operand: Operand) -> bool {
        match operand {
            Operand::None => matches!(slot.field, Field::Data0 | Field::Dst),
            // `s_endpgm` shows its immediate only when there is one.
            Operand::Imm(0) => self.row.micro == Micro::Control(Control::EndProgram),
            _ => false,
        }
    }

    fn write_operand(&self, f: &mut Formatter<'_>, i: usize, slot: &Slot, operand: Operand) -> fmt::Result {
        if self.row.encoding == Encoding::Smem && slot.field == Field::SOffset {
            return self.write_smem_offset(f, slot, operand);
        }
        let bit = match slot.field {
            Field::Src0 => 1,
            Field::Src1 => 2,
            Field::Src2 => 4,
            _ => 0,
        };
        let m = &self.modifiers;
        if self.form == Form::Sdwa && m.sdwa.sext & bit != 0 {
            f.write_str("sext(")?;
            self.write_plain(f, i, slot, operand)?;
            return f.write_str(")");
        }
        let packed = self.row.legal.has(Legal::NEG_HI);
        let (neg, abs) = if packed { (false, false) } else { (m.neg & bit != 0, m.abs & bit != 0) };
        let constant = matches!(
            operand,
            Operand::InlineInt(_) | Operand::InlineFloat(_) | Operand::Literal(_) | Operand::Imm(_)
        );
        let (open, close) = match (neg, abs) {
            (false, false) => ("", ""),
            (true, false) if constant => ("neg(", ")"),
            (true, false) => ("-", ""),
            (false, true) => ("|", "|"),
            (true, true) => ("-|", "|"),
        };
        f.write_str(open)?;
        self.write_plain(f, i, slot, operand)?;
        f.write_str(close)
    }

    fn write_plain(&self, f: &mut Formatter<'_>, i: usize, slot: &Slot, operand: Operand) -> fmt::Result {
        match operand {
            Operand::None => f.write_str("off"),
            Operand::Vgpr(first) => match self.printed_dwords(i, slot, first) {
                0 | 1 => write!(f, "v{first}"),
                n => write!(f, "v[{first}:{}]", u16::from(first) + u16::from(n) - 1),
            },
            Operand::Sgpr(first) => write_sgpr(f, first, self.sgpr_dwords(slot)),
            Operand::InlineInt(n) => write!(f, "{n}"),
            Operand::InlineFloat(c) => write_float(f, c, slot.ty),
            Operand::Literal(bits) => write_literal(f, bits, slot, self.has_early_constant()),
            Operand::Special(s) => f.write_str(special_name(s)),
            Operand::Imm(n) => immediate::write(self, f, slot, n),
        }
    }

    fn printed_dwords(&self, i: usize, slot: &Slot, first: u8) -> u8 {
        match (self.row.encoding, slot.field) {
            (Encoding::Mimg, Field::Data0) => image::printed_data_dwords(self, first),
            _ if slot.dwords == 0 => self.dwords(i),
            _ => slot.dwords,
        }
    }

    /// Whether the opcode's own constant stands before another operand (`v_madmk`).
    fn has_early_constant(&self) -> bool {
        self.row.operands.iter().rev().skip(1).any(|s| s.kind == Kind::Literal)
    }

    fn sgpr_dwords(&self, slot: &Slot) -> u8 {
        if slot.kind == Kind::LaneMask { 2 } else { slot.dwords }
    }

    fn write_smem_offset(&self, f: &mut Formatter<'_>, slot: &Slot, operand: Operand) -> fmt::Result {
        let offset = self.modifiers.offset;
        match operand {
            Operand::None => write_signed_hex(f, offset),
            Operand::Sgpr(n) => {
                write_sgpr(f, n, slot.dwords)?;
                if offset != 0 {
                    f.write_str(" offset:")?;
                    write_signed_hex(f, offset)?;
                }
                Ok(())
            }
            _ => Err(fmt::Error),
        }
    }

    /// Whether a flag is set.
    pub(crate) fn flag(&self, flag: Flags) -> bool {
        self.modifiers.flags.has(flag)
    }

    /// The number of source operands that modifiers can name: highest source + 1.
    pub(crate) fn source_count(&self) -> u32 {
        8 - modifiers::sources(self.row, |_| true).leading_zeros()
    }
}

fn write_signed_hex(f: &mut Formatter<'_>, n: i32) -> fmt::Result {
    write!(f, "{}{:#x}", if n < 0 { "-" } else { "" }, n.unsigned_abs())
}

/// A scalar register or group by its hardware number.
pub(crate) fn write_sgpr(f: &mut Formatter<'_>, n: u8, dwords: u8) -> fmt::Result {
    let group = |f: &mut Formatter<'_>, name: &str, first: u8| match dwords {
        0 | 1 => write!(f, "{name}{first}"),
        _ => write!(f, "{name}[{first}:{}]", first + dwords - 1),
    };
    let named = |f: &mut Formatter<'_>, name: &str| match (dwords, n % 2) {
        (0 | 1, 0) => write!(f, "{name}_lo"),
        (0 | 1, _) => write!(f, "{name}_hi"),
        _ => f.write_str(name),
    };
    match n {
        0..=101 => group(f, "s", n),
        102 | 103 => named(f, "flat_scratch"),
        104 | 105 => named(f, "xnack_mask"),
        sgpr::VCC_LO | sgpr::VCC_HI => named(f, "vcc"),
        sgpr::TTMP0..=123 => group(f, "ttmp", n - sgpr::TTMP0),
        sgpr::M0 => f.write_str("m0"),
        125 => f.write_str("null"),
        _ => named(f, "exec"),
    }
}

fn write_float(f: &mut Formatter<'_>, c: InlineFloat, ty: Ty) -> fmt::Result {
    // 16-bit integers see the half's bits, which LLVM prints as a number.
    if matches!(ty, Ty::I16 | Ty::U16 | Ty::B16 | Ty::PkI16 | Ty::PkU16) {
        return write!(f, "{:#x}", c.f16());
    }
    f.write_str(match c {
        InlineFloat::Half => "0.5",
        InlineFloat::MinusHalf => "-0.5",
        InlineFloat::One => "1.0",
        InlineFloat::MinusOne => "-1.0",
        InlineFloat::Two => "2.0",
        InlineFloat::MinusTwo => "-2.0",
        InlineFloat::Four => "4.0",
        InlineFloat::MinusFour => "-4.0",
        InlineFloat::InvTwoPi if ty.dwords() == 2 => "0.15915494309189532",
        InlineFloat::InvTwoPi => "0.15915494",
    })
}

/// A literal whose value is also an inline constant is printed like it. 16-bit operands show their 16 bits, unless LLVM
/// meets the literal as the opcode's own constant first (`shared`).
fn write_literal(f: &mut Formatter<'_>, bits: u32, slot: &Slot, shared: bool) -> fmt::Result {
    let wide = slot.ty.dwords() > 1;
    let half = slot.ty.bits() == 16 && !shared;
    // LLVM keeps literals as unsigned 64-bit numbers.
    let value = if wide {
        i64::from(bits)
    } else if half {
        i64::from(bits as u16 as i16)
    } else {
        i64::from(bits as i32)
    };
    // The constants of `v_madmk` and `v_madak` are printed as they are.
    if slot.kind == Kind::Literal && slot.ty.is_float() {
        return write!(f, "{bits:#x}");
    }
    if (-16..=64).contains(&value) {
        return write!(f, "{value}");
    }
    let ty = if shared { Ty::F32 } else { slot.ty };
    let known = InlineFloat::ALL.into_iter().find(|c| match ty {
        Ty::F16 | Ty::PkF16 => u32::from(c.f16()) == bits,
        _ => ty.dwords() == 1 && ty.bits() != 16 && c.f32() == bits,
    });
    match known {
        Some(c) => write_float(f, c, ty),
        None if half => write!(f, "{:#x}", bits & 0xffff),
        None => write!(f, "{bits:#x}"),
    }
}

fn special_name(s: Special) -> &'static str {
    match s {
        Special::SharedBase => "src_shared_base",
        Special::SharedLimit => "src_shared_limit",
        Special::PrivateBase => "src_private_base",
        Special::PrivateLimit => "src_private_limit",
        Special::PopsExitingWaveId => "src_pops_exiting_wave_id",
        Special::Vccz => "src_vccz",
        Special::Execz => "src_execz",
        Special::Scc => "src_scc",
        Special::LdsDirect => "src_lds_direct",
    }
}
