//! Immediate operands and other encoded numbers with names.

use std::fmt::{self, Formatter};

use crate::inst::Inst;
use crate::micro::{Control, HwReg, Micro};
use crate::operand::{Kind, Slot};
use crate::row::Encoding;

/// Writes an immediate operand.
pub(crate) fn write(inst: &Inst, f: &mut Formatter<'_>, slot: &Slot, n: i32) -> fmt::Result {
    match slot.kind {
        Kind::Simm16 | Kind::Uimm16 if inst.row.encoding == Encoding::Sopk => write!(f, "{:#x}", n as u16),
        Kind::Branch => write!(f, "{}", n as u16),
        Kind::Waitcnt => waitcnt(f, n as u16),
        Kind::Message => message(f, n as u16),
        Kind::HwReg => hwreg(f, n as u16),
        Kind::GprIdxMode => gpr_idx_mode(f, n as u16),
        Kind::Attribute => {
            let channel = match n & 3 {
                0 => 'x',
                1 => 'y',
                2 => 'z',
                _ => 'w',
            };
            write!(f, "attr{}.{channel}", n >> 2)
        }
        Kind::InterpSlot => match n {
            0 => f.write_str("p10"),
            1 => f.write_str("p20"),
            2 => f.write_str("p0"),
            other => write!(f, "invalid_param_{other}"),
        },
        Kind::ExportTarget => export_target(f, n),
        Kind::Uimm16 if inst.row.micro == Micro::Control(Control::EndProgram) => write!(f, "{n}"),
        _ if n <= 64 => write!(f, "{n}"),
        _ => write!(f, "{n:#x}"),
    }
}

/// Counters of `s_waitcnt`; those at their maximum are not waited for and stay out, unless all are.
fn waitcnt(f: &mut Formatter<'_>, imm: u16) -> fmt::Result {
    let vm = imm & 15 | imm >> 14 << 4;
    let counters = [("vmcnt", vm, 63), ("expcnt", imm >> 4 & 7, 7), ("lgkmcnt", imm >> 8 & 15, 15)];
    let all = counters.iter().all(|(_, n, most)| n == most);
    let mut space = "";
    for (name, n, most) in counters {
        if n != most || all {
            write!(f, "{space}{name}({n})")?;
            space = " ";
        }
    }
    Ok(())
}

fn message(f: &mut Formatter<'_>, imm: u16) -> fmt::Result {
    let (id, op, stream) = (imm & 15, imm >> 4 & 7, imm >> 8 & 3);
    const GS: [&str; 4] = ["GS_OP_NOP", "GS_OP_CUT", "GS_OP_EMIT", "GS_OP_EMIT_CUT"];
    const SYS: [&str; 5] = [
        "",
        "SYSMSG_OP_ECC_ERR_INTERRUPT",
        "SYSMSG_OP_REG_RD",
        "SYSMSG_OP_HOST_TRAP_ACK",
        "SYSMSG_OP_TTRACE_PC",
    ];
    let plain = match id {
        1 => "MSG_INTERRUPT",
        4 => "MSG_SAVEWAVE",
        5 => "MSG_STALL_WAVE_GEN",
        6 => "MSG_HALT_WAVES",
        7 => "MSG_ORDERED_PS_DONE",
        8 => "MSG_EARLY_PRIM_DEALLOC",
        9 => "MSG_GS_ALLOC_REQ",
        10 => "MSG_GET_DOORBELL",
        _ => "",
    };
    match (id, GS.get(usize::from(op)), SYS.get(usize::from(op))) {
        _ if !plain.is_empty() && op == 0 && stream == 0 => write!(f, "sendmsg({plain})"),
        (2 | 3, Some(name), _) if op != 0 || (id == 3 && stream == 0) => {
            let msg = if id == 2 { "MSG_GS" } else { "MSG_GS_DONE" };
            if op == 0 {
                write!(f, "sendmsg({msg}, {name})")
            } else {
                write!(f, "sendmsg({msg}, {name}, {stream})")
            }
        }
        (15, _, Some(name)) if op != 0 && stream == 0 => write!(f, "sendmsg(MSG_SYSMSG, {name})"),
        _ if imm & !0x37f == 0 => write!(f, "sendmsg({id}, {op}, {stream})"),
        _ => write!(f, "{imm}"),
    }
}

fn hwreg(f: &mut Formatter<'_>, imm: u16) -> fmt::Result {
    let HwReg { id, offset, bits } = HwReg::from_imm(imm);
    f.write_str("hwreg(")?;
    let name = match id {
        1 => "HW_REG_MODE",
        2 => "HW_REG_STATUS",
        3 => "HW_REG_TRAPSTS",
        4 => "HW_REG_HW_ID",
        5 => "HW_REG_GPR_ALLOC",
        6 => "HW_REG_LDS_ALLOC",
        7 => "HW_REG_IB_STS",
        15 => "HW_REG_SH_MEM_BASES",
        16 => "HW_REG_TBA_LO",
        17 => "HW_REG_TBA_HI",
        18 => "HW_REG_TMA_LO",
        19 => "HW_REG_TMA_HI",
        _ => "",
    };
    if name.is_empty() {
        write!(f, "{id}")?
    } else {
        f.write_str(name)?
    }
    if (offset, bits) != (0, 32) {
        write!(f, ", {offset}, {bits}")?;
    }
    f.write_str(")")
}

fn gpr_idx_mode(f: &mut Formatter<'_>, mode: u16) -> fmt::Result {
    if mode > 15 {
        return write!(f, "{mode:#x}");
    }
    f.write_str("gpr_idx(")?;
    let mut comma = "";
    for (bit, name) in ["SRC0", "SRC1", "SRC2", "DST"].into_iter().enumerate() {
        if mode >> bit & 1 != 0 {
            write!(f, "{comma}{name}")?;
            comma = ",";
        }
    }
    f.write_str(")")
}

fn export_target(f: &mut Formatter<'_>, n: i32) -> fmt::Result {
    match n {
        0..=7 => write!(f, "mrt{n}"),
        8 => f.write_str("mrtz"),
        9 => f.write_str("null"),
        12..=15 => write!(f, "pos{}", n - 12),
        32..=63 => write!(f, "param{}", n - 32),
        _ => write!(f, "invalid_target_{n}"),
    }
}

/// The pattern of `ds_swizzle_b32`.
pub(crate) fn swizzle(f: &mut Formatter<'_>, imm: u16) -> fmt::Result {
    if imm == 0 {
        return Ok(());
    }
    f.write_str(" offset:")?;
    if imm & 0xff00 == 0x8000 {
        let lane = |i: u16| imm >> (2 * i) & 3;
        return write!(f, "swizzle(QUAD_PERM,{},{},{},{})", lane(0), lane(1), lane(2), lane(3));
    }
    if imm & 0x8000 != 0 {
        return write!(f, "{imm}");
    }
    let (and, or, xor) = (imm & 31, imm >> 5 & 31, imm >> 10 & 31);
    let group = 32 - and;
    if and == 31 && or == 0 && xor.count_ones() == 1 {
        write!(f, "swizzle(SWAP,{xor})")
    } else if and == 31 && or == 0 && xor > 0 && (xor + 1).is_power_of_two() {
        write!(f, "swizzle(REVERSE,{})", xor + 1)
    } else if group > 1 && group.is_power_of_two() && or < group && xor == 0 {
        write!(f, "swizzle(BROADCAST,{group},{or})")
    } else {
        f.write_str("swizzle(BITMASK_PERM,\"")?;
        let (from0, from1) = (or ^ xor, (and | or) ^ xor);
        for bit in (0..5).rev() {
            f.write_str(match (from0 >> bit & 1, from1 >> bit & 1) {
                (0, 0) => "0",
                (1, 1) => "1",
                (0, _) => "p",
                _ => "i",
            })?;
        }
        f.write_str("\")")
    }
}

/// Data and number format of MTBUF; the default is not printed.
pub(crate) fn buffer_format(f: &mut Formatter<'_>, dfmt: u8, nfmt: u8) -> fmt::Result {
    const DATA: [&str; 16] = [
        "INVALID",
        "8",
        "16",
        "8_8",
        "32",
        "16_16",
        "10_11_11",
        "11_11_10",
        "10_10_10_2",
        "2_10_10_10",
        "8_8_8_8",
        "32_32",
        "16_16_16_16",
        "32_32_32",
        "32_32_32_32",
        "RESERVED_15",
    ];
    const NUMBER: [&str; 8] = ["UNORM", "SNORM", "USCALED", "SSCALED", "UINT", "SINT", "RESERVED_6", "FLOAT"];
    let data = DATA.get(usize::from(dfmt)).copied().unwrap_or_default();
    let number = NUMBER.get(usize::from(nfmt)).copied().unwrap_or_default();
    match (dfmt, nfmt) {
        (1, 0) => Ok(()),
        (1, _) => write!(f, " format:[BUF_NUM_FORMAT_{number}]"),
        (_, 0) => write!(f, " format:[BUF_DATA_FORMAT_{data}]"),
        _ => write!(f, " format:[BUF_DATA_FORMAT_{data},BUF_NUM_FORMAT_{number}]"),
    }
}
