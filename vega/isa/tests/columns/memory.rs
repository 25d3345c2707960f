//! Loads, stores, atomic operations and samples against their names.

use vega_isa::memory::{Atomic, Half, ImageOp, Lod, MemKind, MemOp, Returns, Sample, Space};
use vega_isa::{Class, Encoding, Faults, Micro, Row};

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

/// Bytes, sign, half and space of loads and stores.
pub fn transfers(row: &Row) -> bool {
    let Micro::Mem(MemOp { space, kind }) = row.micro else { return false };
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
        _ => return false,
    }
    true
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

/// The atomic operation, its width, and whether it returns.
pub fn atomics(row: &Row) -> bool {
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
        _ => return false,
    }
    assert!(row.faults.has(Faults::ALIGNMENT) || row.encoding == Encoding::Mimg, "{name}");
    true
}

/// What a sample asks for.
pub fn samples(row: &Row) -> bool {
    let Micro::Image(ImageOp::Sample(found)) = row.micro else { return false };
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
    true
}
