//! Arithmetic against its names.

use vega_isa::micro::{Cond, Logic, Micro, ScalarBin};
use vega_isa::{Encoding, Field, Implicit, Legal, OtherHalf, Row, Ty};

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
        | Micro::Scalar2(_, t)
        | Micro::MoveRelSource(t)
        | Micro::MoveRelDest(t)
        | Micro::MadWide(t) => Some(t),
        _ => None,
    }
}

/// The type that the operation computes in.
pub fn types_of_name(row: &Row) -> bool {
    let named = types(row.mnemonic);
    let Some(found) = computes_in(row.micro) else { return false };
    // The last type is the source's. Names that mix types in other ways are told by hand.
    let Some(&wanted) = named.last() else { return false };
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
    true
}

/// Source and destination type of a conversion.
pub fn conversion(row: &Row) -> bool {
    let Micro::Convert { from, to, .. } = row.micro else { return false };
    let named = types(row.mnemonic);
    match named[..] {
        [dst, src] if !row.mnemonic.contains("_i4") => {
            assert_eq!((to, from), (dst, src), "{}", row.mnemonic)
        }
        _ => assert!(row.mnemonic.contains("ubyte") || row.mnemonic.ends_with("i4"), "{}", row.mnemonic),
    }
    true
}

/// The order of the first two sources.
pub fn reversal(row: &Row) -> bool {
    // `brev` and `bfrev` reverse bits.
    let operation = row.mnemonic.split('_').find(|part| part.ends_with("rev"));
    let rev = operation.is_some_and(|o| o != "brev" && o != "bfrev");
    assert_eq!(row.reversed, rev, "{}", row.mnemonic);
    true
}

/// The condition, and what it writes.
pub fn comparison(row: &Row) -> bool {
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
    let (found, writes_exec) = match row.micro {
        Micro::Compare { cond, exec, .. } => (cond, exec),
        Micro::ScalarCompare(cond, _) => (cond, false),
        _ => return false,
    };
    let parts: Vec<_> = row.mnemonic.split('_').collect();
    let wanted = names.iter().find(|(n, _)| *n == parts[2]).expect("a condition").1;
    assert_eq!(found, wanted, "{}", row.mnemonic);
    assert_eq!(writes_exec, parts[1] == "cmpx", "{}", row.mnemonic);
    assert_eq!(row.writes.has(Implicit::EXEC), parts[1] == "cmpx", "{}", row.mnemonic);
    assert_eq!(row.writes.has(Implicit::SCC), parts[0] == "s", "{}", row.mnemonic);
    true
}

/// The bitwise operation, and whether EXEC is written.
pub fn scalar_logic(row: &Row) -> bool {
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
    let (found, exec) = match row.micro {
        Micro::SaveExec(l) | Micro::WriteExec(l) => (l, true),
        Micro::Scalar2(ScalarBin::Logic(l), _) => (l, false),
        _ => return false,
    };
    let name = row.mnemonic.split('_').nth(1).expect("s_NAME_type");
    assert_eq!(Some(found), names.iter().find(|(n, _)| *n == name).map(|n| n.1), "{}", row.mnemonic);
    assert_eq!(row.mnemonic.contains("exec"), exec, "{}", row.mnemonic);
    assert_eq!(row.writes.has(Implicit::EXEC), exec, "{}", row.mnemonic);
    true
}

/// The other half of 16-bit results.
pub fn halves(row: &Row) -> bool {
    let writes_half = row
        .operands
        .first()
        .is_some_and(|s| s.field == Field::Dst && matches!(s.ty, Ty::F16 | Ty::I16 | Ty::U16 | Ty::B16));
    assert_eq!(row.other_half != OtherHalf::NoHalf, writes_half, "{}", row.mnemonic);
    // Opcodes with op_sel keep the half that they do not write; all others clear it.
    if row.encoding == Encoding::Vop3 && writes_half {
        let op_sel = row.legal.has(Legal::OP_SEL);
        assert_eq!(row.other_half == OtherHalf::Kept, op_sel, "{}", row.mnemonic);
    }
    true
}
