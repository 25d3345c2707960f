//! The model must notice any wrong row: each is corrupted in every way that an engine could act on, one at a time, and
//! some test must see it.
//!
//! Opcodes, numbers of forms and places of operands are `vega-isa`'s matter, whose `tests/oracle` corrupts them against
//! LLVM; here what they mean is. `tests/columns` of `vega-isa` corrupts what no engine reads by naming rules, and
//! `columns` here against what happens.

use std::panic::{self, AssertUnwindSafe};

use vega_isa::memory::{MemKind, MemOp};
use vega_isa::micro::Un;
use vega_isa::{
    Class, Denormals, Encoding, FpTraits, Legal, Micro, OtherHalf, Role, Rounding, Row, Slot, Table,
};

use crate::common::{Random, watchdog};
use crate::coverage::elsewhere;
use crate::generate::is_plain;
use crate::harness::Bench;
use crate::rows::{Case, DEFAULT_MODE, OTHER_MODES, case};

/// Cases of each row in each form.
const CASES: usize = 12;

/// More cases, where those have not shown the change.
const MORE_CASES: usize = 4000;

/// Changed copies of a row and what was changed.
fn mutants(row: &Row, near: &[&Row]) -> Vec<(String, Row)> {
    let mut all = Vec::new();
    let mut add = |what: String, mutant: Row| all.push((what, mutant));
    // Its opcode's neighbours take its place, and it theirs.
    add("opcode".into(), Row { opcode: row.opcode ^ 1, ..*row });
    if let Some(op) = row.vop3 {
        add("VOP3 number".into(), Row { vop3: Some(op ^ 1), ..*row });
    }
    add("order of sources".into(), Row { reversed: !row.reversed, ..*row });
    for other in near.iter().filter(|other| has_shape_of(row, other) && !same_meaning(other.micro, row.micro))
    {
        add(format!("meaning of {}", other.mnemonic), Row { micro: other.micro, ..*row });
    }
    for i in 1..row.operands.len() {
        let mut operands = row.operands.to_vec();
        // Engines find the operands of memory instructions by field, wherever they stand.
        if row.class == Class::Memory
            || row.encoding == Encoding::Ds
            || !same_shape(&operands[i], &operands[i - 1])
        {
            continue;
        }
        (operands[i].field, operands[i - 1].field) = (operands[i - 1].field, operands[i].field);
        add(format!("fields of operands {} and {i}", i - 1), Row { operands: Vec::leak(operands), ..*row });
    }
    // The other modifiers' flags are the decoder's matter.
    for bit in [Legal::NEG, Legal::ABS] {
        if row.legal.has(bit) {
            add(
                format!("without modifier {}", if bit == Legal::NEG { "NEG" } else { "ABS" }),
                Row { legal: row.legal.without(bit), ..*row },
            );
        }
    }
    for other_half in [OtherHalf::Zeroed, OtherHalf::Kept] {
        if row.other_half != OtherHalf::NoHalf && row.other_half != other_half {
            add(format!("other half {other_half:?}"), Row { other_half, ..*row });
        }
    }
    if row.fp != FpTraits::NONE {
        let denormals = if row.fp.denormals == Denormals::Flush { Denormals::Keep } else { Denormals::Flush };
        add(format!("denormals {denormals:?}"), Row { fp: FpTraits { denormals, ..row.fp }, ..*row });
        let rounding = match row.fp.rounding {
            Rounding::Mode32 | Rounding::Mode16And64 => Rounding::NearestEven,
            Rounding::NearestEven | Rounding::TowardZero => Rounding::Mode32,
            Rounding::Exact => return all,
        };
        add(format!("rounding {rounding:?}"), Row { fp: FpTraits { rounding, ..row.fp }, ..*row });
    }
    all
}

/// Whether two operands could stand for each other.
fn same_shape(a: &Slot, b: &Slot) -> bool {
    (a.role, a.kind, a.dwords.max(a.ty.dwords())) == (b.role, b.kind, b.dwords.max(b.ty.dwords()))
}

/// Whether a row's meaning could be another one's: engines rely on the table that an operation has its operands.
fn has_shape_of(row: &Row, other: &Row) -> bool {
    let operands = || row.operands.iter().zip(other.operands);
    row.encoding == other.encoding
        && row.class == other.class
        && row.operands.len() == other.operands.len()
        && operands().all(|(a, b)| a.field == b.field && same_shape(a, b))
}

/// Different names of the same operation.
fn same_meaning(a: Micro, b: Micro) -> bool {
    let plain = |micro| match micro {
        Micro::Lane1(Un::Exp2Legacy, ty) => Micro::Lane1(Un::Exp2, ty),
        Micro::Lane1(Un::Log2Legacy, ty) => Micro::Lane1(Un::Log2, ty),
        Micro::Lane1(Un::RcpIflag, ty) => Micro::Lane1(Un::Rcp, ty),
        Micro::Lane1(Un::ClearExceptions, ty) => Micro::Lane1(Un::Nop, ty),
        // What a wave cannot see of each other.
        Micro::Control(_) | Micro::Cache(_) | Micro::Mem(MemOp { kind: MemKind::Probe, .. }) => {
            Micro::Control(vega_isa::micro::Control::Nop)
        }
        other => other,
    };
    plain(a) == plain(b)
}

/// A table with one row exchanged.
fn with(old: &'static Row, new: Row) -> &'static Table {
    let new: &'static Row = Box::leak(Box::new(new));
    // The changed row goes first: where it takes another row's number, that one still counts.
    let others = Table::gfx900().rows().iter().copied().filter(|row| !std::ptr::eq(*row, old));
    Box::leak(Box::new(Table::new(std::iter::once(new).chain(others))))
}

/// Whether the change is none: the operation does not care for it.
fn is_equivalent(row: &Row, what: &str) -> bool {
    let name = row.mnemonic;
    let any = |parts: &[&str]| parts.iter().any(|part| name.contains(part));
    let sources = row.operands.iter().filter(|slot| slot.role != Role::Dst).count();
    // The first two sources of these commute; so do the last two of some.
    let first = [
        "_add_", "_mul_", "_and_", "_or_", "_xor_", "_nand_", "_nor_", "_xnor_", "addc", "absdiff", "_lg_",
        "_eq_", "_ne_", "_neq_", "_nlg_", "_f_", "_t_", "_tru_", "_o_", "_u_", "mad_", "sad_", "lerp", "xad",
        "swap", "add3", "or3", "med3",
    ];
    let integers = row.fp == FpTraits::NONE;
    let least = integers && any(&["min", "max"]);
    // Conversions whose results are exact, and operations that treat all denormals like zero anyway.
    let exact = any(&["ubyte", "off_f32", "f64_f32", "f64_i32", "f64_u32", "f32_f16", "f16_i16", "f16_u16"]);
    let insensitive =
        ["trunc", "rndne", "class", "_f_f", "_o_f", "_u_f", "_tru_f", "cos", "cube", "trig_preop", "pk_u8"];
    let to_integer =
        any(&["cvt_i32_f", "cvt_u32_f", "cvt_i16_f", "cvt_u16_f", "rpi", "pknorm", "pkaccum", "cvt_norm"]);
    let from_integer =
        any(&["f32_i32", "f32_u32", "f64_i32", "f64_u32", "f16_i16", "f16_u16", "ubyte", "off_f32"]);
    match what {
        // Only lanes' operations have an order of their own, and no mixed one.
        "order of sources" if row.class != Class::LaneLocal || sources < 2 || any(&["mad_mix"]) => true,
        "order of sources" => any(&first) && (integers || any(&["cmp"])) || least,
        "fields of operands 0 and 1" => any(&["_cmp_", "swap"]) && any(&first),
        "fields of operands 1 and 2" => any(&first) && (integers || any(&["cmp"])) || least,
        "fields of operands 2 and 3" => {
            any(&["add3", "or3", "mad_u64", "mad_i64"]) || integers && any(&["min3", "max3", "med3"])
        }
        // Signs are nothing to these.
        "without modifier NEG" => any(&["_f_f", "_o_f", "_u_f", "_tru_f", "frexp_exp", "trig_preop"]),
        "without modifier ABS" => any(&["_f_f", "_o_f", "_u_f", "_tru_f", "frexp_exp", "trig_preop"]),
        // The engines have one implementation of these, whatever the columns say.
        _ if what.starts_with("denormals") => {
            any(&insensitive) || to_integer || from_integer || any(&["mad_mix"])
        }
        _ if what.starts_with("rounding") => {
            let fixed = [
                "exp_",
                "log_",
                "rcp",
                "rsq",
                "sqrt",
                "sin",
                "cos",
                "pkrtz",
                "trig_preop",
                "cube",
                "mad_mix",
                "fixup_f16",
                "fixup_legacy",
            ];
            exact || to_integer || any(&fixed)
        }
        _ => false,
    }
}

#[test]
fn every_corrupted_row_is_noticed() {
    watchdog(std::time::Duration::from_secs(3000));
    // Panics of this thread are findings; other tests' are still told.
    let quiet = std::thread::current().id();
    let told = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if std::thread::current().id() != quiet {
            told(info);
        }
    }));
    let mut random = Random(31);
    let rows = Table::gfx900().rows();
    let mut unnoticed = Vec::new();
    let mut count = 0;
    for (n, row) in rows.iter().enumerate().filter(|(_, row)| is_plain(row) && elsewhere(row).is_none()) {
        let mut cases: Vec<Case> = Vec::new();
        for form in row.forms.iter() {
            for k in 0..CASES {
                let mode = if k % 3 == 2 { OTHER_MODES[k / 3 % 4] } else { DEFAULT_MODE };
                cases.push(case(row, form, mode, &mut random).expect("the model knows it"));
            }
        }
        let near = &rows[n.saturating_sub(3)..(n + 4).min(rows.len())];
        for (what, mutant) in mutants(row, near) {
            if is_equivalent(row, &what) {
                continue;
            }
            count += 1;
            let bench = Bench::with_table(with(row, mutant));
            // A panic of the engine is noticed as well.
            let differs = |case: &Case| {
                let run = AssertUnwindSafe(|| case.difference(&bench).is_some());
                panic::catch_unwind(run).unwrap_or(true)
            };
            // What shows rarely gets more cases.
            let noticed = cases.iter().any(differs)
                || (0..MORE_CASES).any(|k| {
                    let forms: Vec<_> = row.forms.iter().collect();
                    let mode = if k % 3 == 2 { OTHER_MODES[k / 3 % 4] } else { DEFAULT_MODE };
                    let more =
                        case(row, forms[k % forms.len()], mode, &mut random).expect("the model knows it");
                    differs(&more)
                });
            if !noticed {
                unnoticed.push(format!("{} {:?}: {what}", row.mnemonic, row.encoding));
            }
        }
    }
    let _ = panic::take_hook();
    eprintln!("{count} corrupted rows");
    assert!(unnoticed.is_empty(), "{} of {count} went unnoticed:\n{}", unnoticed.len(), unnoticed.join("\n"));
}
