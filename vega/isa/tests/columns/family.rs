//! Families of opcodes: which shape of micro-operation a name asks for. Details of each shape are checked elsewhere.

use vega_isa::{Encoding, Row};

/// The shape, for all rows that are not in the list of operations.
pub fn family(row: &Row) -> bool {
    let Some(fragments) = shape(row) else { return false };
    let found = format!("{:?}", row.micro);
    for fragment in fragments {
        assert!(found.contains(&fragment), "{}: {found} without {fragment}", row.mnemonic);
    }
    true
}

/// Parts of the debug text that the name asks for.
fn shape(row: &Row) -> Option<Vec<String>> {
    let name = row.mnemonic;
    let text = match row.encoding {
        Encoding::Vopc if name.contains("_class_") => {
            let ty = name.rsplit('_').next().unwrap_or_default().to_uppercase();
            format!("CompareClass {{ ty: {ty}, exec: {} }}", name.starts_with("v_cmpx"))
        }
        Encoding::Vopc => "Compare {".to_owned(),
        Encoding::Sopc | Encoding::Sopk if name.starts_with("s_cmp") => "ScalarCompare(".to_owned(),
        Encoding::Sop1 if name.contains("saveexec") => "SaveExec(".to_owned(),
        Encoding::Sop1 if name.contains("wrexec") => "WriteExec(".to_owned(),
        Encoding::Sop2 if is_logic(name) => "Scalar2(Logic(".to_owned(),
        Encoding::Vop1 if name.starts_with("v_cvt_") => return Some(conversion(name)),
        Encoding::Mimg => image(name),
        Encoding::Smem | Encoding::Ds | Encoding::Mubuf | Encoding::Mtbuf => return memory(name),
        Encoding::Flat | Encoding::Global | Encoding::Scratch => return memory(name),
        _ => return None,
    };
    Some(vec![text])
}

fn is_logic(name: &str) -> bool {
    let operation = name.split('_').nth(1).unwrap_or_default();
    ["and", "or", "xor", "andn2", "orn2", "nand", "nor", "xnor"].contains(&operation)
}

fn conversion(name: &str) -> Vec<String> {
    let how = match name {
        n if n.contains("ubyte") => format!("Byte({})", &n[n.len() - 1..]),
        n if n.ends_with("_i4") => "OffsetI4".to_owned(),
        n if n.contains("_rpi_") => "Rpi".to_owned(),
        n if n.contains("_flr_") => "Floor".to_owned(),
        n if n.contains("_norm_") => "Norm".to_owned(),
        _ => "Plain".to_owned(),
    };
    let mut parts = vec!["Convert {".to_owned(), format!("how: {how} }}")];
    match name {
        n if n.contains("ubyte") => parts.push("from: U32, to: F32".to_owned()),
        n if n.ends_with("_i4") => parts.push("from: B8, to: F32".to_owned()),
        _ => {}
    }
    parts
}

fn image(name: &str) -> String {
    let (mip, raw, signed) = (name.contains("_mip"), name.contains("_pck"), name.contains("_sgn"));
    match name {
        "image_get_resinfo" => "Image(ResInfo)".to_owned(),
        "image_get_lod" => "Image(Lod)".to_owned(),
        n if n.starts_with("image_load") => {
            format!("Image(Load {{ mip: {mip}, raw: {raw}, signed: {signed} }})")
        }
        n if n.starts_with("image_store") => format!("Image(Store {{ mip: {mip}, raw: {raw} }})"),
        n if n.starts_with("image_atomic") => "Image(Atomic(".to_owned(),
        _ => "Image(Sample(".to_owned(),
    }
}

fn memory(name: &str) -> Option<Vec<String>> {
    let skip = ["ds_gws", "ds_nop", "ds_swizzle", "ds_permute", "ds_bpermute", "buffer_wb", "s_dcache"];
    if skip.iter().any(|p| name.starts_with(p)) || name.ends_with("time") {
        return None;
    }
    let has = |part: &str| name.contains(part);
    let kind = match () {
        () if has("format") => {
            let d16 = match () {
                () if has("d16_hi") => "High",
                () if has("d16") => "Packed",
                () => "No",
            };
            let verb = if has("load") { "LoadFormat" } else { "StoreFormat" };
            return Some(vec![format!("kind: {verb}("), format!("d16: {d16} }}")]);
        }
        () if has("probe") => "Probe",
        () if has("store_lds") => "StoreLds",
        () if has("write_src2") => "StoreSrc2 {",
        () if has("src2") => "AtomicSrc2 {",
        () if has("write_addtid") => "StoreAddTid",
        () if has("read_addtid") => "LoadAddTid",
        () if has("ds_append") => "Append",
        () if has("ds_consume") => "Consume",
        () if has("ordered_count") => "OrderedCount",
        () if has("condxchg32") => "CondExchange32",
        () if has("write2") => "Store2 {",
        () if has("read2") => "Load2 {",
        () if has("wrxchg2") => "Exchange2 {",
        () if has("load") || has("ds_read") => "Load {",
        () if has("store") || has("ds_write") => "Store {",
        () => "Atomic {",
    };
    let mut parts = vec![format!("kind: {kind}")];
    if has("write_src2") {
        parts.push(format!("bytes: {} }}", if has("b64") { 8 } else { 4 }));
    }
    Some(parts)
}
