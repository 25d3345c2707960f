//! The columns that no disassembly shows, against what mnemonics say by AMD's naming rules.
//!
//! A mnemonic names operation, types, bytes, halves and conditions. Reading them from the name is independent of the
//! table, so a wrong micro-operation, type, exec rule or implicit register disagrees with it.

use vega_isa::memory::{Atomic, Half, ImageOp, Lod, MemKind, MemOp, Returns, Sample, Space};
use vega_isa::micro::{BranchIf, Cond, Control, Cross, Logic, Micro};
use vega_isa::{
    Class, Encoding, ExecRule, Faults, Field, Implicit, NanRule, OtherHalf, Role, Row, Table, Ty,
};

fn rows() -> impl Iterator<Item = &'static Row> {
    Table::gfx900().rows().iter().copied()
}

fn ty(name: &str) -> Option<Ty> {
    Some(match name {
        "b8" => Ty::B8,
        "b16" => Ty::B16,
        "b32" => Ty::B32,
        "b64" => Ty::B64,
        "u8" => Ty::U8,
        "i8" => Ty::I8,
        "u16" => Ty::U16,
        "i16" => Ty::I16,
        "u24" => Ty::U24,
        "i24" => Ty::I24,
        "u32" => Ty::U32,
        "i32" => Ty::I32,
        "u64" => Ty::U64,
        "i64" => Ty::I64,
        "f16" => Ty::F16,
        "f32" => Ty::F32,
        "f64" => Ty::F64,
        _ => return None,
    })
}

/// The types at the end of a mnemonic: destination first.
fn types(mnemonic: &str) -> Vec<Ty> {
    let mut types: Vec<Ty> = mnemonic.rsplit('_').map_while(ty).collect();
    types.reverse();
    types
}

/// The type that a micro-operation computes in.
fn computes_in(micro: Micro) -> Option<Ty> {
    match micro {
        Micro::Lane1(_, t)
        | Micro::Lane2(_, t)
        | Micro::Lane3(_, t)
        | Micro::Packed2(_, t)
        | Micro::Packed3(_, t)
        | Micro::Compare { ty: t, .. }
        | Micro::CompareClass { ty: t, .. }
        | Micro::ScalarCompare(_, t)
        | Micro::ScalarBitCompare { ty: t, .. }
        | Micro::DivFixup(t)
        | Micro::DivFmas(t)
        | Micro::DivScale(t)
        | Micro::Scalar1(_, t)
        | Micro::Scalar2(_, t) => Some(t),
        _ => None,
    }
}

#[test]
fn types_are_those_of_the_name() {
    let mut checked = 0;
    for row in rows() {
        let named = types(row.mnemonic);
        let Some(found) = computes_in(row.micro) else { continue };
        // The last type is the source's. Names that mix types in other ways are told by hand.
        let Some(&wanted) = named.last() else { continue };
        let wanted = match row.mnemonic {
            "s_bcnt0_i32_b32" | "s_bcnt1_i32_b32" | "s_ff0_i32_b32" | "s_ff1_i32_b32" => Ty::B32,
            "s_bcnt0_i32_b64" | "s_bcnt1_i32_b64" | "s_ff0_i32_b64" | "s_ff1_i32_b64" => Ty::B64,
            "s_flbit_i32_b32" => Ty::U32,
            "s_flbit_i32_b64" => Ty::U64,
            "s_pack_ll_b32_b16" | "s_pack_lh_b32_b16" | "s_pack_hh_b32_b16" => Ty::B32,
            "v_bcnt_u32_b32" | "v_mbcnt_lo_u32_b32" | "v_mbcnt_hi_u32_b32" => Ty::U32,
            "v_sad_u8" | "v_sad_hi_u8" | "v_sad_u16" | "v_msad_u8" => Ty::U32,
            "v_qsad_pk_u16_u8" | "v_mqsad_pk_u16_u8" => Ty::B64,
            "v_mqsad_u32_u8" => Ty::B128,
            "v_lerp_u8" | "v_sat_pk_u8_i16" | "v_cvt_pk_u8_f32" | "v_cvt_pkaccum_u8_f32" => Ty::B32,
            "v_pack_b32_f16" => Ty::B16,
            // Packed shifts are named by width alone.
            "v_pk_lshlrev_b16" | "v_pk_lshrrev_b16" => Ty::U16,
            "v_pk_ashrrev_i16" => Ty::I16,
            _ => wanted,
        };
        assert_eq!(found, wanted, "{}", row.mnemonic);
        checked += 1;
    }
    assert!(checked > 500, "{checked}");
}

#[test]
fn conversions_are_those_of_the_name() {
    let mut checked = 0;
    for row in rows() {
        let Micro::Convert { from, to, .. } = row.micro else { continue };
        let named = types(row.mnemonic);
        match named[..] {
            [dst, src] if !row.mnemonic.contains("_i4") => {
                assert_eq!((to, from), (dst, src), "{}", row.mnemonic)
            }
            _ => assert!(row.mnemonic.contains("ubyte") || row.mnemonic.ends_with("i4"), "{}", row.mnemonic),
        }
        checked += 1;
    }
    assert_eq!(checked, 25);
}

#[test]
fn reversed_rows_say_so() {
    for row in rows() {
        // `brev` and `bfrev` reverse bits.
        let operation = row.mnemonic.split('_').find(|part| part.ends_with("rev"));
        let rev = operation.is_some_and(|o| o != "brev" && o != "bfrev");
        assert_eq!(row.reversed, rev, "{}", row.mnemonic);
    }
}

#[test]
fn comparisons_are_those_of_the_name() {
    use Cond::*;
    let names = [
        ("f", False),
        ("lt", Lt),
        ("eq", Eq),
        ("le", Le),
        ("gt", Gt),
        ("lg", Lg),
        ("ne", Lg),
        ("ge", Ge),
        ("o", Ordered),
        ("u", Unordered),
        ("nge", Nge),
        ("nlg", Nlg),
        ("ngt", Ngt),
        ("nle", Nle),
        ("neq", Neq),
        ("nlt", Nlt),
        ("tru", True),
        ("t", True),
    ];
    let mut checked = 0;
    for row in rows() {
        let (found, writes_exec) = match row.micro {
            Micro::Compare { cond, exec, .. } => (cond, exec),
            Micro::ScalarCompare(cond, _) => (cond, false),
            _ => continue,
        };
        let parts: Vec<_> = row.mnemonic.split('_').collect();
        let wanted = names.iter().find(|(n, _)| *n == parts[2]).expect("a condition").1;
        assert_eq!(found, wanted, "{}", row.mnemonic);
        assert_eq!(writes_exec, parts[1] == "cmpx", "{}", row.mnemonic);
        assert_eq!(row.writes.has(Implicit::EXEC), parts[1] == "cmpx", "{}", row.mnemonic);
        assert_eq!(row.writes.has(Implicit::SCC), parts[0] == "s", "{}", row.mnemonic);
        checked += 1;
    }
    assert_eq!(checked, 192 + 12 + 14);
}

#[test]
fn masks_are_written_whole() {
    for row in rows().filter(|r| r.class == Class::LaneLocal) {
        let mask = row.operands.iter().any(|s| s.field == Field::SDst && s.role == Role::Dst);
        assert_eq!(row.exec == ExecRule::ZeroesInactive, mask, "{}", row.mnemonic);
    }
    for (name, rule) in [
        ("v_readfirstlane_b32", ExecRule::FirstLane),
        ("v_readlane_b32", ExecRule::Ignores),
        ("v_writelane_b32", ExecRule::Ignores),
        ("s_load_dword", ExecRule::Ignores),
        ("ds_bpermute_b32", ExecRule::Obeys),
        ("global_load_dword", ExecRule::Obeys),
        ("v_mov_b32", ExecRule::Obeys),
        ("s_mov_b32", ExecRule::Ignores),
    ] {
        assert_eq!(rows().find(|r| r.mnemonic == name).expect("in the table").exec, rule, "{name}");
    }
}

/// Scalar opcodes that leave SCC alone, by the manual's descriptions of SOP1, SOP2, SOPK.
const KEEP_SCC: &[&str] = &[
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

#[test]
fn scalar_arithmetic_writes_scc_where_the_manual_says() {
    for row in rows().filter(|r| matches!(r.encoding, Encoding::Sop1 | Encoding::Sop2 | Encoding::Sopk)) {
        let keeps = KEEP_SCC.iter().any(|prefix| row.mnemonic.starts_with(prefix));
        assert_eq!(row.writes.has(Implicit::SCC), !keeps, "{}", row.mnemonic);
    }
    for name in ["s_addc_u32", "s_subb_u32", "s_cselect_b32", "s_cselect_b64", "s_cmov_b32", "s_cmovk_i32"] {
        assert!(
            rows().find(|r| r.mnemonic == name).expect("in the table").reads.has(Implicit::SCC),
            "{name}"
        );
    }
}

#[test]
fn scalar_logic_is_that_of_the_name() {
    use Logic::*;
    let names = [
        ("and", And),
        ("or", Or),
        ("xor", Xor),
        ("andn2", Andn2),
        ("orn2", Orn2),
        ("andn1", Andn1),
        ("orn1", Orn1),
        ("nand", Nand),
        ("nor", Nor),
        ("xnor", Xnor),
    ];
    let mut checked = 0;
    for row in rows() {
        let (found, exec) = match row.micro {
            Micro::SaveExec(l) | Micro::WriteExec(l) => (l, true),
            Micro::Scalar2(vega_isa::micro::ScalarBin::Logic(l), _) => (l, false),
            _ => continue,
        };
        let name = row.mnemonic.split('_').nth(1).expect("s_NAME_type");
        assert_eq!(Some(found), names.iter().find(|(n, _)| *n == name).map(|n| n.1), "{}", row.mnemonic);
        assert_eq!(row.mnemonic.contains("exec"), exec, "{}", row.mnemonic);
        assert_eq!(row.writes.has(Implicit::EXEC), exec, "{}", row.mnemonic);
        checked += 1;
    }
    assert_eq!(checked, 16 + 10 + 2);
}

#[test]
fn branches_test_what_they_say() {
    let found = |name: &str| rows().find(|r| r.mnemonic == name).expect("in the table").micro;
    for (name, condition) in [
        ("s_branch", BranchIf::Always),
        ("s_cbranch_scc0", BranchIf::Scc0),
        ("s_cbranch_scc1", BranchIf::Scc1),
        ("s_cbranch_vccz", BranchIf::Vccz),
        ("s_cbranch_vccnz", BranchIf::Vccnz),
        ("s_cbranch_execz", BranchIf::Execz),
        ("s_cbranch_execnz", BranchIf::Execnz),
    ] {
        assert_eq!(found(name), Micro::Control(Control::Branch(condition)), "{name}");
    }
}

/// Bytes, sign and half of a load or store by its name.
fn transfer(name: &str) -> (u8, bool, Half) {
    let half = match name {
        n if n.ends_with("_d16_hi") => Half::High,
        n if n.ends_with("_d16") => Half::Low,
        _ => Half::Whole,
    };
    let unit = name.trim_end_matches("_hi").trim_end_matches("_d16").rsplit('_').next().unwrap_or_default();
    let (bytes, signed) = match unit {
        "ubyte" | "byte" | "u8" | "b8" => (1, false),
        "sbyte" | "i8" => (1, true),
        "ushort" | "short" | "u16" | "b16" => (2, false),
        "sshort" | "i16" => (2, true),
        "dword" | "b32" => (4, false),
        "dwordx2" | "b64" => (8, false),
        "dwordx3" | "b96" => (12, false),
        "dwordx4" | "b128" => (16, false),
        "dwordx8" => (32, false),
        "dwordx16" => (64, false),
        _ => panic!("{name}: no size"),
    };
    (bytes, signed, half)
}

#[test]
fn transfers_are_those_of_the_name() {
    let mut checked = 0;
    for row in rows() {
        let Micro::Mem(MemOp { space, kind }) = row.micro else { continue };
        let name = row.mnemonic;
        let prefix = name.split('_').next().unwrap_or_default();
        let wanted_space = match (row.encoding, name) {
            (Encoding::Smem, n) if n.starts_with("s_buffer") || n.ends_with("_buffer") => Space::ScalarBuffer,
            (Encoding::Smem, n) if n.starts_with("s_scratch") => Space::ScalarScratch,
            (Encoding::Smem, _) => Space::Scalar,
            _ => match prefix {
                "ds" => Space::Lds,
                "flat" => Space::Flat,
                "global" => Space::Global,
                "scratch" => Space::Scratch,
                _ => Space::Buffer,
            },
        };
        assert_eq!(space, wanted_space, "{name}");
        assert_eq!(row.class, Class::Memory, "{name}");
        match kind {
            MemKind::Load { bytes, signed, half } => {
                assert!(name.contains("load") || name.contains("read"), "{name}");
                assert_eq!((bytes, signed, half), transfer(name), "{name}");
            }
            MemKind::Store { bytes, half } => {
                assert!(name.contains("store") || name.contains("write"), "{name}");
                assert_eq!((bytes, false, half), transfer(name), "{name}");
            }
            MemKind::Load2 { bytes, stride }
            | MemKind::Store2 { bytes, stride }
            | MemKind::Exchange2 { bytes, stride } => {
                assert!(name.contains('2'), "{name}");
                assert_eq!(bytes, transfer(name).0, "{name}");
                assert_eq!(stride, u16::from(bytes) * if name.contains("st64") { 64 } else { 1 }, "{name}");
            }
            MemKind::LoadFormat(f) | MemKind::StoreFormat(f) => {
                let components = name.rsplit('_').next().unwrap_or_default();
                assert_eq!(usize::from(f.components), components.len(), "{name}");
                assert_eq!(matches!(kind, MemKind::StoreFormat(_)), name.contains("store"), "{name}");
            }
            _ => continue,
        }
        checked += 1;
    }
    // SMEM, the three address segments, MUBUF, formats, DS.
    assert_eq!(checked, 22 + 3 * 22 + 22 + 34 + 34);
}

fn atomic(name: &str) -> Atomic {
    match name {
        "swap" | "wrxchg" => Atomic::Swap,
        "cmpswap" | "cmpst" => Atomic::CmpSwap,
        "add" => Atomic::Add,
        "sub" => Atomic::Sub,
        "rsub" => Atomic::RSub,
        "smin" => Atomic::SMin,
        "umin" => Atomic::UMin,
        "smax" => Atomic::SMax,
        "umax" => Atomic::UMax,
        "and" => Atomic::And,
        "or" => Atomic::Or,
        "xor" => Atomic::Xor,
        "inc" => Atomic::Inc,
        "dec" => Atomic::Dec,
        "mskor" => Atomic::MskOr,
        "wrap" => Atomic::Wrap,
        other => panic!("{other} is no atomic operation"),
    }
}

/// DS names tell the comparison's type at the end.
fn ds_atomic(op: &str, ty: &str) -> Atomic {
    match (op, &ty[..1]) {
        ("min", "i") => Atomic::SMin,
        ("max", "i") => Atomic::SMax,
        ("min", "u") => Atomic::UMin,
        ("max", "u") => Atomic::UMax,
        ("min", "f") => Atomic::FMin,
        ("max", "f") => Atomic::FMax,
        ("add", "f") => Atomic::FAdd,
        ("cmpst", "f") => Atomic::CmpSwapF,
        _ => atomic(op),
    }
}

#[test]
fn atomics_are_those_of_the_name() {
    let mut checked = 0;
    for row in rows() {
        let name = row.mnemonic;
        let parts: Vec<_> = name.split('_').collect();
        match row.micro {
            Micro::Mem(MemOp { kind: MemKind::Atomic { op, bytes, returns }, space: Space::Lds }) => {
                let last = parts[parts.len() - 1];
                assert_eq!(op, ds_atomic(parts[1], last), "{name}");
                assert_eq!(bytes, if last.ends_with("64") { 8 } else { 4 }, "{name}");
                assert_eq!(returns == Returns::Always, name.contains("_rtn_"), "{name}");
            }
            Micro::Mem(MemOp { kind: MemKind::AtomicSrc2 { op, bytes }, .. }) => {
                let last = parts[parts.len() - 1];
                assert!(name.contains("_src2_"), "{name}");
                assert_eq!(
                    (op, bytes),
                    (ds_atomic(parts[1], last), if last.ends_with("64") { 8 } else { 4 }),
                    "{name}"
                );
            }
            Micro::Mem(MemOp { kind: MemKind::Atomic { op, bytes, returns }, .. }) => {
                let word = name.trim_end_matches("_x2").rsplit('_').next().unwrap_or_default();
                assert_eq!(op, atomic(word), "{name}");
                assert_eq!(bytes, if name.ends_with("_x2") { 8 } else { 4 }, "{name}");
                assert_eq!(returns, Returns::IfGlc, "{name}");
            }
            Micro::Image(ImageOp::Atomic(op)) => assert_eq!(op, atomic(parts[2]), "{name}"),
            _ => continue,
        }
        assert!(row.faults.has(Faults::ALIGNMENT) || row.encoding == Encoding::Mimg, "{name}");
        checked += 1;
    }
    // DS, its two-address forms, SMEM twice, FLAT, GLOBAL, MUBUF, images.
    assert_eq!(checked, 73 + 29 + 52 + 26 + 26 + 26 + 13);
}

#[test]
fn samples_are_those_of_the_name() {
    let mut checked = 0;
    for row in rows() {
        let Micro::Image(ImageOp::Sample(found)) = row.micro else { continue };
        let words: Vec<_> = row.mnemonic.split('_').skip(2).collect();
        let has = |w: &str| words.contains(&w);
        let lod = match () {
            () if has("d") => Lod::Derivatives,
            () if has("cd") => Lod::CoarseDerivatives,
            () if has("l") => Lod::Level,
            () if has("b") => Lod::Bias,
            () if has("lz") => Lod::Zero,
            () => Lod::Implicit,
        };
        let gather = row.mnemonic.contains("gather");
        assert_eq!(
            found,
            Sample { gather, compare: has("c"), lod, clamp: has("cl"), offset: has("o") },
            "{}",
            row.mnemonic
        );
        checked += 1;
    }
    assert_eq!(checked, 32 + 24 + 8);
}

#[test]
fn halves_of_16_bit_results() {
    for row in rows() {
        let writes_half = row
            .operands
            .first()
            .is_some_and(|s| s.field == Field::Dst && matches!(s.ty, Ty::F16 | Ty::I16 | Ty::U16 | Ty::B16));
        assert_eq!(row.other_half != OtherHalf::NoHalf, writes_half, "{}", row.mnemonic);
        // Opcodes with op_sel keep the half that they do not write; all others clear it.
        if row.encoding == Encoding::Vop3 && writes_half {
            let op_sel = row.legal.has(vega_isa::Legal::OP_SEL);
            assert_eq!(row.other_half == OtherHalf::Kept, op_sel, "{}", row.mnemonic);
        }
    }
}

#[test]
fn floating_point_rows_have_traits() {
    let get = |name: &str| rows().find(|r| r.mnemonic == name).expect("in the table").fp;
    assert!(
        get("v_fma_f32").fused
            && get("v_fma_f16").fused
            && get("v_fma_f64").fused
            && get("v_pk_fma_f16").fused
    );
    for name in ["v_mac_f32", "v_mad_f32", "v_madmk_f32", "v_madak_f32", "v_mad_mix_f32", "v_mad_mixlo_f16"] {
        assert!(!get(name).fused, "{name}");
        assert_eq!(get(name).denormals, vega_isa::Denormals::Flush, "{name}");
    }
    for row in rows().filter(|r| r.class == Class::LaneLocal) {
        let float = row.operands.iter().any(|s| s.ty.is_float() && s.role == Role::Src);
        let moves =
            matches!(row.micro, Micro::CompareClass { .. } | Micro::Lane2(vega_isa::micro::Bin::PkB16, _));
        assert_eq!(row.fp.nan != NanRule::None, float && !moves, "{}", row.mnemonic);
    }
}

#[test]
fn graphics_is_illegal_in_kernels() {
    for row in rows() {
        let graphics =
            matches!(row.encoding, Encoding::Exp | Encoding::Vintrp) || row.mnemonic.contains("interp");
        assert_eq!(row.class == Class::Graphics, graphics, "{}", row.mnemonic);
        if graphics {
            assert!(row.faults.has(Faults::ILLEGAL), "{}", row.mnemonic);
        }
    }
}

#[test]
fn cross_lane_rows_are_these() {
    let names: Vec<_> =
        rows().filter(|r| matches!(r.micro, Micro::Cross(_))).map(|r| (r.mnemonic, r.micro)).collect();
    assert_eq!(
        names,
        [
            ("v_readfirstlane_b32", Micro::Cross(Cross::ReadFirstLane)),
            ("v_readlane_b32", Micro::Cross(Cross::ReadLane)),
            ("v_writelane_b32", Micro::Cross(Cross::WriteLane)),
            ("ds_swizzle_b32", Micro::Cross(Cross::Swizzle)),
            ("ds_permute_b32", Micro::Cross(Cross::Permute)),
            ("ds_bpermute_b32", Micro::Cross(Cross::Bpermute)),
        ]
    );
}
