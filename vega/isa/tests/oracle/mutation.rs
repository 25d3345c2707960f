//! The comparison with LLVM must notice any wrong row: each row is corrupted in every way, one at a time.

use std::collections::HashMap;

use vega_isa::{Form, Forms, Legal, Role, Row, Slot, Table};

use crate::generator::{self, Case};
use crate::llvm::{self, Answer};
use crate::texts::our_text;

/// A changed copy of a row and what was changed.
fn mutants(row: &Row) -> Vec<(String, Row)> {
    let mut all = vec![
        ("opcode + 1".to_owned(), Row { opcode: row.opcode ^ 1, ..*row }),
        ("opcode + 64".to_owned(), Row { opcode: row.opcode ^ 64, ..*row }),
        (
            "mnemonic".to_owned(),
            Row { mnemonic: Box::leak(format!("{}_", row.mnemonic).into_boxed_str()), ..*row },
        ),
    ];
    if let Some(op) = row.vop3 {
        all.push(("VOP3 number".to_owned(), Row { vop3: Some(op ^ 1), ..*row }));
    }
    for form in row.forms.iter() {
        all.push((format!("without {form:?}"), Row { forms: Forms(row.forms.0 & !(form as u8)), ..*row }));
    }
    // SEXT repeats what the types of the sources say, nothing reads it here.
    for bit in (0..32).map(|n| Legal(1 << n)).filter(|&bit| row.legal.has(bit) && bit != Legal::SEXT) {
        all.push((format!("without modifier {bit:?}"), Row { legal: row.legal.without(bit), ..*row }));
    }
    for i in 0..row.operands.len() {
        let mut change = |what: &str, f: &dyn Fn(&mut Vec<Slot>)| {
            let mut operands = row.operands.to_vec();
            f(&mut operands);
            all.push((format!("operand {i}: {what}"), Row { operands: Vec::leak(operands), ..*row }));
        };
        change("removed", &|o| {
            o.remove(i);
        });
        if i > 0 {
            change("swapped with the one before", &|o| o.swap(i, i - 1));
            change("field of the one before", &|o| o[i].field = o[i - 1].field);
        }
        if has_register(&row.operands[i]) && row.operands[i].dwords != 0 {
            change("one register wider", &|o| o[i].dwords *= 2);
            change("narrower", &|o| o[i].dwords = if o[i].dwords == 1 { 4 } else { o[i].dwords / 2 });
        }
        if row.operands[i].role == Role::DstIfGlc {
            change("always there", &|o| o[i].role = Role::Dst);
        }
    }
    all
}

/// Whether the width of a slot's registers shows in the text.
fn has_register(slot: &Slot) -> bool {
    use vega_isa::Kind::*;
    matches!(slot.kind, Vgpr | Vector | Scalar | Sgpr)
}

/// A table with one row exchanged.
fn with(table: &Table, old: &'static Row, new: Row) -> Table {
    let new: &'static Row = Box::leak(Box::new(new));
    // The changed row goes first: where it takes another row's number, that one still counts.
    let others = table.rows().iter().copied().filter(|r| !std::ptr::eq(*r, old));
    Table::new(std::iter::once(new).chain(others))
}

#[test]
fn every_corrupted_row_is_noticed() {
    if !llvm::available() {
        return;
    }
    let table = Table::gfx900();
    // A few random combinations are enough here: the systematic cases reach every slot.
    let cases = generator::cases(table, 2, 0x0bad_0900);
    let answers = llvm::ask(&cases);
    let mut by_row: HashMap<*const Row, Vec<(&Case, &Answer)>> = HashMap::new();
    for (case, answer) in cases.iter().zip(&answers) {
        by_row.entry(std::ptr::from_ref(case.inst.row)).or_default().push((case, answer));
    }
    let mut count = 0;
    let mut unnoticed = Vec::new();
    for &row in table.rows() {
        let recorded = &by_row[&std::ptr::from_ref(row)];
        for (what, mutant) in mutants(row) {
            count += 1;
            let table = with(table, row, mutant);
            if !recorded.iter().any(|(case, answer)| differs(&table, case, answer)) {
                unnoticed.push(format!("{} {:?}: {what}", row.mnemonic, row.encoding));
            }
        }
    }
    eprintln!("{count} corrupted rows");
    assert!(unnoticed.is_empty(), "{} of {count} went unnoticed:\n{}", unnoticed.len(), unnoticed.join("\n"));
}

fn differs(table: &Table, case: &Case, answer: &Answer) -> bool {
    match answer {
        Answer::Text(theirs) => our_text(table, &case.words).as_ref() != Some(theirs),
        Answer::Rejected | Answer::Crashed => false,
    }
}

#[test]
fn forms_of_a_row_are_all_generated() {
    let table = Table::gfx900();
    let mut forms: HashMap<*const Row, u8> = HashMap::new();
    for case in generator::cases(table, 0, 0) {
        *forms.entry(std::ptr::from_ref(case.inst.row)).or_default() |= case.inst.form as u8;
    }
    for &row in table.rows() {
        assert_eq!(forms[&std::ptr::from_ref(row)], row.forms.0, "{}", row.mnemonic);
    }
    assert!(table.rows().iter().any(|r| r.forms.has(Form::Sdwa)));
}
