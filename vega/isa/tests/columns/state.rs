//! Roles of operands, EXEC rules, and the registers that an opcode touches without naming them.

use vega_isa::micro::Micro;
use vega_isa::{Class, Encoding, ExecRule, Faults, Field, Implicit, NanRule, Role, Row};

use crate::names::OPERATIONS;

const TYPES: [&str; 17] = [
    "b8", "b16", "b32", "b64", "u8", "i8", "u16", "i16", "u24", "i24", "u32", "i32", "u64", "i64", "f16",
    "f32", "f64",
];

/// The mnemonic without its types.
fn without_types(mnemonic: &str) -> String {
    let mut parts: Vec<_> = mnemonic.split('_').collect();
    while parts.len() > 2 && parts.last().is_some_and(|last| TYPES.contains(last)) {
        parts.pop();
    }
    parts.join("_")
}

/// The operation, for all rows that are not checked by family.
pub fn operation(row: &Row) -> bool {
    let (whole, short) = (row.mnemonic, without_types(row.mnemonic));
    let find = |name: &str| OPERATIONS.iter().find(|(n, _)| *n == name).map(|(_, meaning)| *meaning);
    let Some(meaning) = find(whole).or_else(|| find(&short)) else { return false };
    let found = format!("{:?}", row.micro);
    assert!(found.starts_with(meaning), "{whole}: {found} instead of {meaning}");
    true
}

/// Opcodes whose destination is also a source.
fn reads_destination(name: &str) -> bool {
    const NAMES: [&str; 13] = [
        "s_cmov_b32",
        "s_cmov_b64",
        "s_cmovk_i32",
        "s_addk_i32",
        "s_mulk_i32",
        "v_mac_f32",
        "v_mac_f16",
        "v_swap_b32",
        "v_writelane_b32",
        "v_cvt_pkaccum_u8_f32",
        "v_mad_mixlo_f16",
        "v_mad_mixhi_f16",
        "v_interp_p2_f32",
    ];
    NAMES.contains(&name)
        || name.starts_with("s_bitset")
        || (name.contains("_d16") && !name.contains("format_d16_x") && loads(name))
            && (!name.contains("format") || name.contains("d16_hi"))
}

fn loads(name: &str) -> bool {
    name.contains("load") || name.starts_with("ds_read")
}

/// Roles: what is written, what is read.
pub fn roles(row: &Row) -> bool {
    let name = row.mnemonic;
    for slot in row.operands {
        let wanted = match slot.field {
            Field::SDst
                if name.starts_with("s_cmpk") || name == "s_setreg_b32" || name == "s_cbranch_i_fork" =>
            {
                Role::Src
            }
            Field::Dst | Field::SDst if name.contains("_atomic_") => Role::DstIfGlc,
            Field::Dst | Field::SDst if reads_destination(name) && slot.field == row.operands[0].field => {
                Role::Both
            }
            Field::Dst | Field::SDst => Role::Dst,
            Field::Src0 if name == "v_swap_b32" => Role::Both,
            Field::SData | Field::Data0 => match row.encoding {
                Encoding::Smem | Encoding::Mubuf | Encoding::Mtbuf | Encoding::Mimg => data_role(name),
                _ => Role::Src,
            },
            Field::Imm16 if name.starts_with("s_setreg") => Role::Dst,
            _ => Role::Src,
        };
        assert_eq!(slot.role, wanted, "{name}: {:?}", slot.field);
    }
    true
}

fn data_role(name: &str) -> Role {
    match name {
        n if n.contains("_atomic_") => Role::BothIfGlc,
        n if reads_destination(n) => Role::Both,
        n if n.contains("store") || n.contains("probe") => Role::Src,
        _ => Role::Dst,
    }
}

/// How EXEC governs a row.
pub fn exec_rule(row: &Row) -> bool {
    let name = row.mnemonic;
    let wanted = match name {
        "v_readfirstlane_b32" => ExecRule::FirstLane,
        "v_readlane_b32" | "v_writelane_b32" | "v_nop" | "v_clrexcp" | "ds_nop" => ExecRule::Ignores,
        n if n.contains("_gws_") => ExecRule::FirstLane,
        n if n.starts_with("s_") || n.starts_with("buffer_wbinvl1") => ExecRule::Ignores,
        n if n.starts_with("v_cmp") || n.contains("_co_u32") || n.starts_with("v_div_scale") => {
            ExecRule::ZeroesInactive
        }
        "v_mad_u64_u32" | "v_mad_i64_i32" => ExecRule::ZeroesInactive,
        _ => ExecRule::Obeys,
    };
    assert_eq!(row.exec, wanted, "{name}");
    true
}

/// Scalar opcodes that leave SCC alone, by the manual's descriptions of SOP1, SOP2, SOPK.
const KEEP_SCC: [&str; 22] = [
    "s_mov",
    "s_cmov",
    "s_brev",
    "s_ff",
    "s_flbit",
    "s_sext",
    "s_bitset",
    "s_getpc",
    "s_setpc",
    "s_swappc",
    "s_rfe",
    "s_movrel",
    "s_cbranch",
    "s_set_gpr",
    "s_bitreplicate",
    "s_cselect",
    "s_bfm",
    "s_mul",
    "s_pack",
    "s_getreg",
    "s_setreg",
    "s_call",
];

/// Registers written without a slot.
pub fn implicit_writes(row: &Row) -> bool {
    let name = row.mnemonic;
    let mut wanted = Implicit::NONE;
    let mut add = |when: bool, set: Implicit| {
        if when {
            wanted = wanted.with(set);
        }
    };
    let arithmetic = matches!(row.encoding, Encoding::Sop1 | Encoding::Sop2 | Encoding::Sopk);
    let compare =
        row.encoding == Encoding::Sopc && (name.starts_with("s_cmp") || name.starts_with("s_bitcmp"));
    add(arithmetic && !KEEP_SCC.iter().any(|p| name.starts_with(p)) || compare, Implicit::SCC);
    add(name.contains("saveexec") || name.contains("wrexec") || name.starts_with("v_cmpx"), Implicit::EXEC);
    add(name.ends_with("_fork") || name == "s_cbranch_join", Implicit::EXEC);
    let jumps = ["s_branch", "s_cbranch", "s_call", "s_setpc", "s_swappc", "s_rfe"];
    add(jumps.iter().any(|p| name.starts_with(p)), Implicit::PC);
    add(name.starts_with("s_movreld"), Implicit::INDEXED);
    let modes = ["s_setreg", "s_setvskip", "s_set_gpr_idx_on", "s_set_gpr_idx_off", "s_set_gpr_idx_mode"];
    add(modes.iter().any(|p| name.starts_with(p)), Implicit::MODE);
    add(name.starts_with("s_set_gpr_idx") && !name.ends_with("_off"), Implicit::M0);
    assert_eq!(row.writes, wanted, "{name}");
    true
}

/// Registers read without a slot.
pub fn implicit_reads(row: &Row) -> bool {
    let name = row.mnemonic;
    let mut wanted = Implicit::NONE;
    let mut add = |when: bool, set: Implicit| {
        if when {
            wanted = wanted.with(set);
        }
    };
    let exec = name.contains("saveexec") || name.contains("wrexec") || name.contains("_cbranch_exec");
    add(exec || row.exec != ExecRule::Ignores, Implicit::EXEC);
    add(name.ends_with("_fork") || name == "s_cbranch_join", Implicit::EXEC);
    let carries = ["s_addc", "s_subb", "s_cselect", "s_cmov", "s_cbranch_scc"];
    add(carries.iter().any(|p| name.starts_with(p)), Implicit::SCC);
    add(name.starts_with("s_cbranch_vcc") || name.starts_with("v_div_fmas"), Implicit::VCC);
    add(["s_call", "s_getpc", "s_swappc"].iter().any(|p| name.starts_with(p)), Implicit::PC);
    add(name.starts_with("s_movrel"), Implicit::M0.with(Implicit::INDEXED));
    let m0 = [
        "s_sendmsg",
        "s_ttracedata",
        "v_interp",
        "ds_gws",
        "ds_append",
        "ds_consume",
        "ds_ordered_count",
        "buffer_store_lds_dword",
    ];
    add(m0.iter().any(|p| name.starts_with(p)) || name.contains("addtid"), Implicit::M0);
    add(name.starts_with("s_set_gpr_idx") && !name.ends_with("_off"), Implicit::M0);
    add(row.legal.has(vega_isa::Legal::LDS), Implicit::M0);
    let flat = name.starts_with("flat_") || name.starts_with("scratch_") || name.starts_with("s_scratch");
    add(flat, Implicit::FLAT_SCR);
    // Arithmetic that has a float anywhere; testing a class and packing move bits.
    let float = row.class == Class::LaneLocal && row.operands.iter().any(|s| s.ty.is_float());
    add(float && !name.contains("_class_") && name != "v_pack_b32_f16", Implicit::MODE);
    add(name == "s_getreg_b32", Implicit::MODE);
    assert_eq!(row.reads, wanted, "{name}");
    true
}

/// Class and faults.
pub fn class_and_faults(row: &Row) -> bool {
    let name = row.mnemonic;
    let graphics = matches!(row.encoding, Encoding::Exp | Encoding::Vintrp) || name.contains("interp");
    let illegal = graphics || name == "s_endpgm_ordered_ps_done" || name.starts_with("v_screen_partition");
    assert_eq!(row.class == Class::Graphics, graphics, "{name}");
    assert_eq!(row.faults.has(Faults::ILLEGAL), illegal, "{name}");
    assert_eq!(row.faults.has(Faults::TRAP), name == "s_trap" || name.starts_with("s_rfe"), "{name}");
    assert_eq!(row.faults.has(Faults::REGISTER), name.starts_with("s_movrel"), "{name}");
    let class = match row.encoding {
        _ if graphics => Class::Graphics,
        _ if matches!(row.micro, Micro::Cross(_)) => Class::CrossLane,
        Encoding::Flat | Encoding::Global | Encoding::Scratch | Encoding::Mtbuf | Encoding::Mimg => {
            Class::Memory
        }
        Encoding::Mubuf if name.starts_with("buffer_wb") => Class::Control,
        Encoding::Ds if name.contains("_gws_") || name == "ds_nop" => Class::Control,
        Encoding::Smem if name.starts_with("s_dcache") => Class::Control,
        Encoding::Smem if name.ends_with("time") => Class::Scalar,
        Encoding::Mubuf | Encoding::Ds | Encoding::Smem => Class::Memory,
        Encoding::Sopp => Class::Control,
        Encoding::Sop1 | Encoding::Sop2 | Encoding::Sopk | Encoding::Sopc => {
            let control =
                ["s_cbranch", "s_call", "s_getpc", "s_setpc", "s_swappc", "s_rfe", "s_setvskip", "s_set_gpr"];
            if control.iter().any(|p| name.starts_with(p)) { Class::Control } else { Class::Scalar }
        }
        _ => Class::LaneLocal,
    };
    assert_eq!(row.class, class, "{name}");
    let memory = row.class == Class::Memory && row.encoding != Encoding::Ds && !name.contains("probe");
    assert_eq!(row.faults.has(Faults::MEMORY), memory, "{name}");
    let atomic = name.contains("_atomic_") && row.encoding != Encoding::Mimg;
    let lds = row.encoding == Encoding::Ds && row.class == Class::Memory;
    assert_eq!(row.faults.has(Faults::ALIGNMENT), atomic || lds, "{name}");
    true
}

/// Fused, flushing and NaN behaviour.
pub fn floating_point(row: &Row) -> bool {
    let name = row.mnemonic;
    assert_eq!(row.fp.fused, name.contains("fma_") || name.starts_with("v_div_fmas"), "{name}");
    let float = name.contains("_f16") || name.contains("_f32");
    let unfused = ["v_mac_", "v_mad_", "v_madmk_", "v_madak_"].iter().any(|p| name.starts_with(p)) && float;
    let reciprocal =
        ["exp", "log", "rcp", "rsq", "sin", "cos"].iter().any(|f| name.starts_with(&format!("v_{f}_")));
    let flush = unfused || reciprocal && name.ends_with("_f32");
    assert_eq!(row.fp.denormals == vega_isa::Denormals::Flush, flush, "{name}");
    if row.class == Class::LaneLocal {
        let float = row.operands.iter().any(|s| s.ty.is_float() && s.role == Role::Src);
        let bits = name.contains("_class_") || name == "v_pack_b32_f16";
        assert_eq!(row.fp.nan != NanRule::None, float && !bits, "{name}");
    }
    true
}
