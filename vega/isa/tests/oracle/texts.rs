//! Every row, form, operand class and modifier: the same text as LLVM, and back to the same words.

use std::collections::BTreeMap;

use vega_isa::{Table, encode};

use crate::generator::{self, Case};
use crate::llvm::{self, Answer};

/// Random combinations for each row and form, beside the systematic ones.
const RANDOM: usize = 24;
const SEED: u64 = 0x5eed_0900;

/// What our decoder makes of words.
pub fn our_text(table: &Table, words: &[u32]) -> Option<String> {
    let inst = table.decode(words).ok()?;
    (usize::from(inst.size_bytes) == words.len() * 4).then(|| inst.to_string())
}

#[test]
fn generated_instructions_survive_encoding_and_decoding() {
    let table = Table::gfx900();
    for case in generator::cases(table, RANDOM, SEED) {
        let decoded = table.decode(&case.words).unwrap_or_else(|e| panic!("{:x?}: {e}", case.words));
        assert_eq!(decoded.row, case.inst.row, "{:x?}", case.words);
        assert_eq!(decoded.form, case.inst.form, "{:x?} {}", case.words, case.inst.row.mnemonic);
        assert_eq!(decoded.operands(), case.inst.operands(), "{:x?} {}", case.words, case.inst.row.mnemonic);
        assert_eq!(decoded.modifiers, case.inst.modifiers, "{:x?} {}", case.words, case.inst.row.mnemonic);
        assert_eq!(usize::from(decoded.size_bytes), case.words.len() * 4, "{decoded}");
        let again = encode(&decoded).expect("a decoded instruction can be encoded");
        assert_eq!(again.as_slice(), case.words, "{decoded}");
    }
}

#[test]
fn texts_equal_llvms() {
    if !llvm::available() {
        return;
    }
    let table = Table::gfx900();
    let cases = generator::cases(table, RANDOM, SEED);
    let answers = llvm::ask(&cases);
    let mut wrong: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (case, answer) in cases.iter().zip(&answers) {
        if let Some(problem) = compare(table, case, answer) {
            wrong.entry(case.inst.row.mnemonic).or_default().push(problem);
        }
    }
    eprintln!("{} instructions compared with LLVM", cases.len());
    let count: usize = wrong.values().map(Vec::len).sum();
    let sample: Vec<_> = wrong.values().flat_map(|v| v.iter().take(1)).take(400).cloned().collect();
    assert!(
        wrong.is_empty(),
        "{count} of {} differ, in {} rows:\n{}",
        cases.len(),
        wrong.len(),
        sample.join("\n")
    );
}

/// The difference between LLVM's answer and ours, if there is one.
fn compare(table: &Table, case: &Case, answer: &Answer) -> Option<String> {
    let ours = our_text(table, &case.words);
    match (answer, &ours) {
        (Answer::Text(theirs), Some(ours)) if theirs == ours => None,
        _ => Some(format!("{:08x?}\n  LLVM {answer:?}\n  ours {ours:?}", case.words)),
    }
}
