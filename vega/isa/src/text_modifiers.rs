//! The modifiers behind the operands of an instruction's text.

use std::fmt::{self, Formatter};

use crate::inst::{DppCtrl, Flags, Inst, Sel, Unused};
use crate::micro::{Cross, Micro};
use crate::operand::Field;
use crate::row::{Encoding, Form, Legal};
use crate::text_immediate as immediate;

/// Writes all modifiers, each with a space before it.
pub(crate) fn write(inst: &Inst, f: &mut Formatter<'_>) -> fmt::Result {
    match inst.form {
        Form::E64 => write_vop3(inst, f),
        Form::Sdwa => write_sdwa(inst, f),
        Form::Dpp => write_dpp(inst, f),
        Form::Native => match inst.row.encoding {
            Encoding::Vop3p => write_vop3p(inst, f),
            Encoding::Smem => flags(inst, f, &[(Flags::GLC, "glc")]),
            Encoding::Ds => write_ds(inst, f),
            Encoding::Flat | Encoding::Global | Encoding::Scratch => {
                offset(inst, f)?;
                flags(inst, f, &[(Flags::GLC, "glc"), (Flags::SLC, "slc"), (Flags::LDS, "lds")])
            }
            Encoding::Mubuf | Encoding::Mtbuf => write_buffer(inst, f),
            Encoding::Mimg => write_image(inst, f),
            Encoding::Exp => {
                flags(inst, f, &[(Flags::DONE, "done"), (Flags::COMPR, "compr"), (Flags::VM, "vm")])
            }
            _ => Ok(()),
        },
    }
}

fn flags(inst: &Inst, f: &mut Formatter<'_>, names: &[(Flags, &str)]) -> fmt::Result {
    for &(flag, name) in names {
        if inst.flag(flag) {
            write!(f, " {name}")?;
        }
    }
    Ok(())
}

fn offset(inst: &Inst, f: &mut Formatter<'_>) -> fmt::Result {
    match inst.modifiers.offset {
        0 => Ok(()),
        n => write!(f, " offset:{n}"),
    }
}

/// ` name:[1,0]`: one digit for each of `count` bits.
fn bit_list(f: &mut Formatter<'_>, name: &str, mask: u8, count: u32, more: Option<bool>) -> fmt::Result {
    write!(f, " {name}:[")?;
    for i in 0..count {
        write!(f, "{}{}", if i == 0 { "" } else { "," }, mask >> i & 1)?;
    }
    if let Some(bit) = more {
        write!(f, ",{}", u8::from(bit))?;
    }
    f.write_str("]")
}

fn output(inst: &Inst, f: &mut Formatter<'_>) -> fmt::Result {
    if inst.modifiers.clamp {
        f.write_str(" clamp")?;
    }
    f.write_str(match inst.modifiers.omod {
        1 => " mul:2",
        2 => " mul:4",
        3 => " div:2",
        _ => "",
    })
}

fn write_vop3(inst: &Inst, f: &mut Formatter<'_>) -> fmt::Result {
    let m = &inst.modifiers;
    flags(inst, f, &[(Flags::HIGH, "high")])?;
    if inst.row.legal.has(Legal::OP_SEL) && m.op_sel != 0 {
        bit_list(f, "op_sel", m.op_sel, inst.source_count(), Some(m.op_sel & 8 != 0))?;
    }
    output(inst, f)
}

fn write_vop3p(inst: &Inst, f: &mut Formatter<'_>) -> fmt::Result {
    let m = &inst.modifiers;
    let count = inst.source_count();
    let all = (1u8 << count) - 1;
    let mix = matches!(inst.row.micro, Micro::MadMix(_));
    if m.op_sel != 0 {
        bit_list(f, "op_sel", m.op_sel, count, None)?;
    }
    // Packed opcodes take high halves for the high result unless told otherwise, mixed ones take f32.
    if m.op_sel_hi != if mix { 0 } else { all } {
        bit_list(f, "op_sel_hi", m.op_sel_hi, count, None)?;
    }
    if !mix {
        if m.neg != 0 {
            bit_list(f, "neg_lo", m.neg, count, None)?;
        }
        if m.abs != 0 {
            bit_list(f, "neg_hi", m.abs, count, None)?;
        }
    }
    output(inst, f)
}

const fn sel(s: Sel) -> &'static str {
    match s {
        Sel::Byte0 => "BYTE_0",
        Sel::Byte1 => "BYTE_1",
        Sel::Byte2 => "BYTE_2",
        Sel::Byte3 => "BYTE_3",
        Sel::Word0 => "WORD_0",
        Sel::Word1 => "WORD_1",
        Sel::Dword => "DWORD",
    }
}

fn write_sdwa(inst: &Inst, f: &mut Formatter<'_>) -> fmt::Result {
    output(inst, f)?;
    let s = &inst.modifiers.sdwa;
    if inst.row.encoding != Encoding::Vopc {
        let unused = match s.unused {
            Unused::Pad => "UNUSED_PAD",
            Unused::Sext => "UNUSED_SEXT",
            Unused::Preserve => "UNUSED_PRESERVE",
        };
        write!(f, " dst_sel:{} dst_unused:{unused}", sel(s.dst))?;
    }
    write!(f, " src0_sel:{}", sel(s.src0))?;
    if inst.row.operands.iter().any(|slot| slot.field == Field::Src1) {
        write!(f, " src1_sel:{}", sel(s.src1))?;
    }
    Ok(())
}

fn write_dpp(inst: &Inst, f: &mut Formatter<'_>) -> fmt::Result {
    let d = &inst.modifiers.dpp;
    match d.ctrl {
        DppCtrl::QuadPerm(p) => {
            write!(f, " quad_perm:[{},{},{},{}]", p & 3, p >> 2 & 3, p >> 4 & 3, p >> 6)?;
        }
        DppCtrl::RowShl(n) => write!(f, " row_shl:{n}")?,
        DppCtrl::RowShr(n) => write!(f, " row_shr:{n}")?,
        DppCtrl::RowRor(n) => write!(f, " row_ror:{n}")?,
        DppCtrl::WaveShl => f.write_str(" wave_shl:1")?,
        DppCtrl::WaveRol => f.write_str(" wave_rol:1")?,
        DppCtrl::WaveShr => f.write_str(" wave_shr:1")?,
        DppCtrl::WaveRor => f.write_str(" wave_ror:1")?,
        DppCtrl::RowMirror => f.write_str(" row_mirror")?,
        DppCtrl::RowHalfMirror => f.write_str(" row_half_mirror")?,
        DppCtrl::RowBcast15 => f.write_str(" row_bcast:15")?,
        DppCtrl::RowBcast31 => f.write_str(" row_bcast:31")?,
        DppCtrl::Reserved(n) => f.write_str(reserved_dpp(n))?,
    }
    write!(f, " row_mask:{:#x} bank_mask:{:#x}", d.row_mask, d.bank_mask)?;
    f.write_str(if d.bound_ctrl { " bound_ctrl:1" } else { "" })
}

/// LLVM knows some of the reserved numbers from later cards.
const fn reserved_dpp(n: u16) -> &'static str {
    match n {
        0x150..=0x15f => "  /* row_newbcast/row_share is not supported on ASICs earlier than GFX90A/GFX10 */",
        0x160..=0x16f => " /* row_xmask is not supported on ASICs earlier than GFX10 */",
        _ => " /* Invalid dpp_ctrl value */",
    }
}

fn write_ds(inst: &Inst, f: &mut Formatter<'_>) -> fmt::Result {
    let m = &inst.modifiers;
    if inst.row.micro == Micro::Cross(Cross::Swizzle) {
        immediate::swizzle(f, m.offset as u16)?;
    } else if inst.row.legal.has(Legal::OFFSET2) {
        if m.offset0 != 0 {
            write!(f, " offset0:{}", m.offset0)?;
        }
        if m.offset1 != 0 {
            write!(f, " offset1:{}", m.offset1)?;
        }
    } else {
        offset(inst, f)?;
    }
    flags(inst, f, &[(Flags::GDS, "gds")])
}

fn write_buffer(inst: &Inst, f: &mut Formatter<'_>) -> fmt::Result {
    let m = &inst.modifiers;
    if inst.row.encoding == Encoding::Mtbuf {
        immediate::buffer_format(f, m.dfmt, m.nfmt)?;
    }
    flags(inst, f, &[(Flags::IDXEN, "idxen"), (Flags::OFFEN, "offen")])?;
    offset(inst, f)?;
    // Where `lds` is part of the opcode it comes first.
    let always = !inst.row.legal.has(Legal::ADDRESSED);
    if always {
        flags(inst, f, &[(Flags::LDS, "lds")])?;
    }
    flags(inst, f, &[(Flags::GLC, "glc"), (Flags::SLC, "slc"), (Flags::TFE, "tfe")])?;
    if always { Ok(()) } else { flags(inst, f, &[(Flags::LDS, "lds")]) }
}

fn write_image(inst: &Inst, f: &mut Formatter<'_>) -> fmt::Result {
    if inst.modifiers.dmask != 0 {
        write!(f, " dmask:{:#x}", inst.modifiers.dmask)?;
    }
    flags(
        inst,
        f,
        &[
            (Flags::UNORM, "unorm"),
            (Flags::GLC, "glc"),
            (Flags::SLC, "slc"),
            (Flags::A16, "a16"),
            (Flags::TFE, "tfe"),
            (Flags::LWE, "lwe"),
            (Flags::DA, "da"),
            (Flags::D16, "d16"),
        ],
    )
}
