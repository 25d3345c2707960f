//! The columns that no disassembly shows, against what mnemonics say by AMD's naming rules.
//!
//! A mnemonic names operation, types, bytes, halves and conditions. Reading them from the name is independent of the
//! table, so a wrong micro-operation, type, EXEC rule or implicit register disagrees with it: the last test corrupts each
//! row in each column and wants one of the checks to fail.

use std::panic;

use vega_isa::{Class, ExecRule, Faults, Implicit, OtherHalf, Role, Row, Table};

mod arithmetic;
mod family;
mod memory;
mod names;
mod state;

/// Checks one row by panicking; false if it says nothing of the row.
type Check = fn(&Row) -> bool;

/// All checks, and of how many rows each one says something.
const CHECKS: &[(&str, Check, usize)] = &[
    ("operation", state::operation, 387),
    ("family", family::family, 787),
    ("type", arithmetic::types_of_name, 537),
    ("conversion", arithmetic::conversion, 25),
    ("reversal", arithmetic::reversal, ROWS),
    ("comparison", arithmetic::comparison, 192 + 12 + 14),
    ("scalar logic", arithmetic::scalar_logic, 16 + 10 + 2),
    ("halves", arithmetic::halves, ROWS),
    // SMEM, the three address segments, MUBUF, formats, DS.
    ("transfers", memory::transfers, 22 + 3 * 22 + 22 + 34 + 34),
    // DS, its two-address forms, SMEM twice, FLAT, GLOBAL, MUBUF, images.
    ("atomics", memory::atomics, 73 + 29 + 52 + 26 + 26 + 26 + 13),
    ("samples", memory::samples, 32 + 24 + 8),
    ("roles", state::roles, ROWS),
    ("EXEC rule", state::exec_rule, ROWS),
    ("implicit writes", state::implicit_writes, ROWS),
    ("implicit reads", state::implicit_reads, ROWS),
    ("class and faults", state::class_and_faults, ROWS),
    ("floating point", state::floating_point, ROWS),
];

/// Opcodes of gfx900, each counted once for all its forms: 1,173 mnemonics, and `buffer_wbinvl1` has two numbers.
const ROWS: usize = 1174;

fn rows() -> &'static [&'static Row] {
    Table::gfx900().rows()
}

#[test]
fn columns_are_those_of_the_name() {
    assert_eq!(rows().len(), ROWS);
    for (name, check, wanted) in CHECKS {
        let found = rows().iter().filter(|row| check(row)).count();
        assert_eq!(found, *wanted, "rows that the check of {name} says something of");
    }
}

/// Copies of a row with one column changed.
fn mutants(row: &Row, others: &[&Row]) -> Vec<(&'static str, Row)> {
    let mut all = vec![("reversed", Row { reversed: !row.reversed, ..*row })];
    // Another opcode's meaning.
    for other in others.iter().filter(|o| o.encoding == row.encoding && o.micro != row.micro) {
        all.push(("micro", Row { micro: other.micro, ..*row }));
    }
    for exec in [ExecRule::Obeys, ExecRule::Ignores, ExecRule::ZeroesInactive, ExecRule::FirstLane] {
        if exec != row.exec {
            all.push(("exec", Row { exec, ..*row }));
        }
    }
    for bit in 0..8 {
        all.push(("reads", Row { reads: Implicit(row.reads.0 ^ 1 << bit), ..*row }));
        all.push(("writes", Row { writes: Implicit(row.writes.0 ^ 1 << bit), ..*row }));
    }
    for bit in 0..5 {
        all.push(("faults", Row { faults: Faults(row.faults.0 ^ 1 << bit), ..*row }));
    }
    let classes =
        [Class::Scalar, Class::LaneLocal, Class::CrossLane, Class::Memory, Class::Control, Class::Graphics];
    for class in classes.into_iter().filter(|&c| c != row.class) {
        all.push(("class", Row { class, ..*row }));
    }
    for other_half in [OtherHalf::NoHalf, OtherHalf::Zeroed, OtherHalf::Kept] {
        // Whether a 32-bit form clears or keeps is not in its name.
        if (other_half == OtherHalf::NoHalf) != (row.other_half == OtherHalf::NoHalf) {
            all.push(("other half", Row { other_half, ..*row }));
        }
    }
    for i in 0..row.operands.len() {
        for role in [Role::Dst, Role::Src, Role::Both, Role::DstIfGlc, Role::BothIfGlc] {
            let mut operands = row.operands.to_vec();
            if operands[i].role != role {
                operands[i].role = role;
                all.push(("role", Row { operands: Vec::leak(operands), ..*row }));
            }
        }
    }
    let mut fp = row.fp;
    fp.fused = !fp.fused;
    all.push(("fused", Row { fp, ..*row }));
    all
}

#[test]
fn every_corrupted_column_is_noticed() {
    // The checks of this thread panic by the thousand; other tests' panics are still told.
    let quiet = std::thread::current().id();
    let told = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if std::thread::current().id() != quiet {
            told(info);
        }
    }));
    let mut count = 0;
    let mut unnoticed = Vec::new();
    for (i, row) in rows().iter().enumerate() {
        // The meanings of a few neighbours, which differ least.
        let near = &rows()[i.saturating_sub(4)..(i + 5).min(ROWS)];
        for (column, mutant) in mutants(row, near) {
            count += 1;
            let noticed = CHECKS.iter().any(|(_, check, _)| panic::catch_unwind(|| check(&mutant)).is_err());
            if !noticed {
                unnoticed.push(format!("{} {column}: {:?}", row.mnemonic, mutant.micro));
            }
        }
    }
    let _ = panic::take_hook();
    eprintln!("{count} corrupted columns");
    assert!(unnoticed.is_empty(), "{} of {count} went unnoticed:\n{}", unnoticed.len(), unnoticed.join("\n"));
}
