//! Is every opcode there? `opcodes.tsv` lists what LLVM decodes for gfx900, found by trying every opcode number of every
//! encoding and form, without the help of the table. To write the list anew:
//! `VEGA_WRITE_OPCODES=1 cargo test -p vega-isa --test oracle coverage`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use vega_isa::{Encoding, Form, Row, Table};

use crate::generator;
use crate::llvm::{self, Answer};

const LIST: &str = include_str!("opcodes.tsv");
const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oracle/opcodes.tsv");

/// Encoding or form, and opcode number, to mnemonic.
type List = BTreeMap<(String, u32), String>;

fn checked_in() -> List {
    LIST.lines()
        .filter(|l| !l.starts_with('#'))
        .map(|line| {
            let mut columns = line.split('\t');
            let mut next = || columns.next().expect("three columns").to_owned();
            ((next(), next().parse().expect("a number")), next())
        })
        .collect()
}

fn encoding_name(encoding: Encoding) -> String {
    format!("{encoding:?}").to_uppercase()
}

fn key(row: &Row, form: Form) -> (String, u32) {
    let name = encoding_name(row.encoding);
    let op = u32::from(row.opcode);
    match form {
        Form::Native => (name, op),
        Form::E64 => ("VOP3".to_owned(), u32::from(row.vop3.unwrap_or(row.opcode))),
        Form::Sdwa => (format!("SDWA_{name}"), op),
        Form::Dpp => (format!("DPP_{name}"), op),
    }
}

#[test]
fn the_table_has_exactly_the_listed_opcodes() {
    let mut table = List::new();
    for case in generator::cases(Table::gfx900(), 0, 0) {
        let text = case.inst.to_string();
        let mnemonic = text.split(' ').next().unwrap_or_default().to_owned();
        let old = table.insert(key(case.inst.row, case.inst.form), mnemonic.clone());
        assert!(old.is_none_or(|old| old == mnemonic), "two rows share the number of {mnemonic}");
    }
    let list = checked_in();
    let missing: Vec<_> = list.iter().filter(|(k, v)| table.get(k) != Some(v)).collect();
    let unknown: Vec<_> = table.iter().filter(|(k, v)| list.get(k) != Some(v)).collect();
    assert!(missing.is_empty() && unknown.is_empty(), "missing: {missing:?}\nnot in the list: {unknown:?}");
    assert_eq!(list.len(), 1850);
}

#[test]
fn the_list_is_what_llvm_knows() {
    if !llvm::available() {
        return;
    }
    let found = probe();
    if std::env::var_os("VEGA_WRITE_OPCODES").is_some() {
        let mut text =
            String::from("# encoding or form, opcode, mnemonic, as llvm-mc-15 -mcpu=gfx900 knows them\n");
        for ((encoding, op), mnemonic) in &found {
            writeln!(text, "{encoding}\t{op}\t{mnemonic}").expect("writing to a string");
        }
        std::fs::write(PATH, text).expect("the list can be written");
        return;
    }
    assert!(found == checked_in(), "LLVM knows other opcodes than opcodes.tsv lists");
}

/// One encoding to try: fixed bits, the opcode's lowest bit, opcode count, and operand bits that some opcode accepts.
struct Space {
    name: &'static str,
    prefix: u32,
    shift: u32,
    opcodes: std::ops::Range<u32>,
    operands: Vec<[u32; 2]>,
    words: usize,
}

fn probe() -> List {
    let mut keys = Vec::new();
    let mut items: Vec<Vec<u32>> = Vec::new();
    for space in spaces() {
        for op in space.opcodes.clone() {
            for [low, high] in &space.operands {
                keys.push((space.name.to_owned(), op));
                let words = [space.prefix | op << space.shift | low, *high];
                items.push(words[..space.words].to_vec());
                // Opcodes with a constant of their own.
                if space.words == 1 {
                    keys.push((space.name.to_owned(), op));
                    items.push(vec![words[0], 0x1234_5678]);
                }
            }
        }
    }
    let mut list = List::new();
    for (key, answer) in keys.into_iter().zip(llvm::ask(&items)) {
        if let Answer::Text(text) = answer {
            let mnemonic = text.split(' ').next().unwrap_or_default().to_owned();
            list.entry(key).or_insert(mnemonic);
        }
    }
    list
}

fn spaces() -> Vec<Space> {
    let mut all = Vec::new();
    let mut space = |name, prefix, shift, opcodes, words, operands: Vec<[u32; 2]>| {
        all.push(Space { name, prefix, shift, opcodes, operands, words });
    };
    space("SOP2", 0x8000_0000, 23, 0..96, 1, vec![[4 << 16 | 2 << 8 | 6, 0], [2 << 8 | 6, 0]]);
    space("SOPK", 0xb000_0000, 23, 0..28, 1, vec![[4 << 16 | 1, 0], [1, 0]]);
    space("SOP1", 0xbe80_0000, 8, 0..256, 1, vec![[4 << 16 | 2, 0], [4 << 16, 0], [2, 0]]);
    space("SOPC", 0xbf00_0000, 16, 0..128, 1, vec![[2 << 8 | 4, 0]]);
    space("SOPP", 0xbf80_0000, 16, 0..128, 1, vec![[0, 0]]);
    space(
        "SMEM",
        0xc000_0000,
        18,
        0..256,
        2,
        vec![[1 << 17 | 4 << 6 | 2, 0], [1 << 17 | 2, 0], [4 << 6, 0], [0, 0]],
    );
    space("VOP2", 0, 25, 0..62, 1, vec![[2 << 17 | 3 << 9 | 0x104, 0]]);
    space("VOP1", 0x7e00_0000, 9, 0..256, 1, vec![[2 << 17 | 0x104, 0], [0, 0]]);
    space("VOPC", 0x7c00_0000, 17, 0..256, 1, vec![[3 << 9 | 0x104, 0]]);
    let source = |s0: u32, s1: u32, s2: u32| s0 | s1 << 9 | s2 << 18;
    let vop3 = vec![
        [2, source(0x104, 0x106, 0)],
        [2, source(0x104, 0x106, 0x108)],
        [2, source(0x104, 0x106, 8)],
        [2, source(0x104, 0, 0)],
        [2, source(0, 0x106, 0)],
        [0, 0],
    ];
    space("VOP3", 0xd000_0000, 16, 0..0x380, 2, vop3.clone());
    space("VOP3P", 0xd380_0000, 16, 0..128, 2, vop3);
    space("VINTRP", 0xd400_0000, 16, 0..4, 1, vec![[2 << 18, 0]]);
    // The address, two data registers and a destination, each there or not; with and without gds.
    let ds = (0..32)
        .map(|n: u32| {
            let present = |bit: u32, value: u32| if n >> bit & 1 != 0 { value } else { 0 };
            [
                present(4, 1 << 16),
                present(0, 1) | present(1, 4 << 8) | present(2, 6 << 16) | present(3, 2 << 24),
            ]
        })
        .collect();
    space("DS", 0xd800_0000, 17, 0..256, 2, ds);
    let flat = |saddr: u32| vec![[0, 6 | saddr | 2 << 24], [0, 6 | 4 << 8 | saddr]];
    space("FLAT", 0xdc00_0000, 18, 0..128, 2, flat(0));
    space("SCRATCH", 0xdc00_4000, 18, 0..128, 2, flat(0x7f << 16));
    space("GLOBAL", 0xdc00_8000, 18, 0..128, 2, flat(0x7f << 16));
    space(
        "MUBUF",
        0xe000_0000,
        18,
        0..128,
        2,
        vec![[1 << 12, 1 | 8 << 8 | 2 << 16 | 4 << 24], [1 << 16, 2 << 16 | 4 << 24], [0, 0]],
    );
    space(
        "MTBUF",
        0xe800_0000 | 4 << 19 | 7 << 23,
        15,
        0..16,
        2,
        vec![[1 << 12, 1 | 8 << 8 | 2 << 16 | 4 << 24]],
    );
    space(
        "MIMG",
        0xf000_0000,
        18,
        0..128,
        2,
        vec![[1 << 8, 4 | 8 << 8 | 2 << 16], [1 << 8, 4 | 8 << 8 | 2 << 16 | 2 << 21]],
    );
    space("EXP", 0xc400_000f, 26, 0..1, 2, vec![[0, 0x0403_0201]]);
    // Selections: whole dwords; what is not a field must be zero.
    let sdwa = |low: u32| {
        vec![[low, 4 | 6 << 8 | 6 << 16 | 6 << 24], [low, 4 | 6 << 8 | 6 << 16], [low, 4 | 6 << 16 | 6 << 24]]
    };
    space("SDWA_VOP2", 0, 25, 0..62, 2, sdwa(2 << 17 | 3 << 9 | 0xf9));
    space("SDWA_VOP1", 0x7e00_0000, 9, 0..256, 2, sdwa(2 << 17 | 0xf9)[1..2].to_vec());
    space("SDWA_VOPC", 0x7c00_0000, 17, 0..256, 2, sdwa(3 << 9 | 0xf9));
    let dpp = |low: u32| vec![[low, 4 | 0xe4 << 8 | 0xff << 24]];
    space("DPP_VOP2", 0, 25, 0..62, 2, dpp(2 << 17 | 3 << 9 | 0xfa));
    space("DPP_VOP1", 0x7e00_0000, 9, 0..256, 2, dpp(2 << 17 | 0xfa));
    space("DPP_VOPC", 0x7c00_0000, 17, 0..256, 2, dpp(3 << 9 | 0xfa));
    all
}
