//! SMEM: atomic operations and scratch accesses.

use vega_isa::{Field, Flags, Operand, Table};

use crate::bench::{MEMORY, Setting, State, flags, inst, run, words};
use crate::common::{CODE, Card, KERNARG, on_each_engine};
use vega_exec::{FaultKind, FaultReason};

/// What an atomic operation leaves in memory.
fn model(op: &str, old: u64, data: u64, compare: u64, bits: u32) -> u64 {
    let signed = |x: u64| if bits == 32 { i64::from(x as i32) } else { x as i64 };
    let all = u64::MAX >> (64 - bits);
    let new = match op {
        "swap" => data,
        "cmpswap" => {
            if old == compare {
                data
            } else {
                old
            }
        }
        "add" => old.wrapping_add(data),
        "sub" => old.wrapping_sub(data),
        "smin" => {
            if signed(old) < signed(data) {
                old
            } else {
                data
            }
        }
        "smax" => {
            if signed(old) > signed(data) {
                old
            } else {
                data
            }
        }
        "umin" => old.min(data),
        "umax" => old.max(data),
        "and" => old & data,
        "or" => old | data,
        "xor" => old ^ data,
        "inc" => {
            if old >= data {
                0
            } else {
                old + 1
            }
        }
        "dec" => {
            if old == 0 || old > data {
                data
            } else {
                old - 1
            }
        }
        other => panic!("{other}"),
    };
    new & all
}

fn buffer(base: u64, records: u32) -> Setting {
    let mut descriptor = [0; 8];
    descriptor[..4].copy_from_slice(&[base as u32, (base >> 32) as u32, records, 0]);
    Setting { descriptor, ..Setting::default() }
}

#[test]
fn scalar_atomics_do_what_their_names_say() {
    on_each_engine(|| {
        let card = Card::new(1);
        let mut checked = 0;
        for row in Table::gfx900().rows() {
            let Some(name) = row.mnemonic.strip_prefix("s_").and_then(|name| name.split_once("atomic_"))
            else {
                continue;
            };
            let (op, bits) = match name.1.strip_suffix("_x2") {
                Some(op) => (op, 64),
                None => (name.1, 32),
            };
            let pairs = [(5u64, 9u64), (9, 5), (0, 7), (u64::MAX >> (64 - bits), 1), (7, 7)];
            for (old, data) in pairs {
                for glc in [false, true] {
                    card.write(MEMORY, &[old as u32, (old >> 32) as u32, 77]);
                    let mut before = State::new(|_, n| n as u32);
                    // The data, then what is compared: equal to memory in some of the cases.
                    let compare = if data == 9 { 5 } else { 6 };
                    before.scalars = if bits == 64 {
                        [data as u32, (data >> 32) as u32, compare as u32, 0, MEMORY as u32, 0, 8, 0]
                    } else {
                        [data as u32, compare as u32, 3, 4, MEMORY as u32, 0, 8, 0]
                    };
                    before.exec = 0;
                    let base = if name.0.is_empty() { 28 } else { 8 };
                    let operands = [(Field::SData, Operand::Sgpr(24)), (Field::SBase, Operand::Sgpr(base))];
                    let change = flags(if glc { Flags::GLC } else { Flags::default() });
                    let after =
                        run(&card, &inst(row.mnemonic, &operands, change), &buffer(MEMORY, 8), &before);
                    let expected = model(op, old, data, compare, bits);
                    let memory = card.read(MEMORY, 3);
                    let what = format!("{} of {old:#x} and {data:#x}", row.mnemonic);
                    if bits == 64 {
                        assert_eq!(memory, [expected as u32, (expected >> 32) as u32, 77], "{what}");
                    } else {
                        assert_eq!(memory, [expected as u32, (old >> 32) as u32, 77], "{what}");
                    }
                    let mut scalars = before.scalars;
                    if glc {
                        scalars[0] = old as u32;
                        if bits == 64 {
                            scalars[1] = (old >> 32) as u32;
                        }
                    }
                    assert_eq!((after.scalars, after.exec), (scalars, 0), "{what}, glc {glc}");
                    checked += 1;
                }
            }
        }
        assert_eq!(checked, 4 * 13 * 10);
    });
}

#[test]
fn buffer_atomics_out_of_range_do_nothing() {
    on_each_engine(|| {
        let card = Card::new(1);
        card.write(MEMORY, &[1, 2]);
        let before = State::new(|_, _| 0);
        let operands = [(Field::SData, Operand::Sgpr(24)), (Field::SBase, Operand::Sgpr(8))];
        let add = inst("s_buffer_atomic_add", &operands, |m| (m.flags, m.offset) = (Flags::GLC, 4));
        let after = run(&card, &add, &buffer(MEMORY, 4), &before);
        assert_eq!((card.read(MEMORY, 2), after.scalars[0]), (vec![1, 2], 0));
    });
}

#[test]
fn misaligned_scalar_atomics_fault() {
    on_each_engine(|| {
        let card = Card::new(1);
        let address = MEMORY + 4;
        card.write(KERNARG, &[address as u32, (address >> 32) as u32]);
        let operands = [(Field::SData, Operand::Sgpr(24)), (Field::SBase, Operand::Sgpr(2))];
        // s_load_dwordx2 s[2:3], s[0:1], 0; s_waitcnt lgkmcnt(0)
        let mut code = vec![0xc006_0080, 0, 0xbf8c_c07f];
        code.extend(words(&[inst("s_atomic_add_x2", &operands, |_| ())]));
        let report = card.fault(&code, &[address as u32, 0], [64, 1, 1], [64, 1, 1]);
        assert!(
            matches!(report.kind, FaultKind::Memory(fault) if fault.reason == FaultReason::Misaligned),
            "{report}"
        );
        assert_eq!(report.pc, CODE + 12);
    });
}

#[test]
fn scalar_scratch_offsets_count_dwords_of_all_lanes() {
    on_each_engine(|| {
        let card = Card::new(1);
        let mut before = State::new(|_, _| 0);
        before.scalars[4..].copy_from_slice(&[MEMORY as u32, 0, 3, 0]);
        let operands = [
            (Field::SData, Operand::Sgpr(24)),
            (Field::SBase, Operand::Sgpr(28)),
            (Field::SOffset, Operand::Sgpr(30)),
        ];
        run(&card, &inst("s_scratch_store_dwordx2", &operands, |_| ()), &Setting::default(), &before);
        assert_eq!(card.read(MEMORY + 3 * 64, 2), [0x5000, 0x5001]);
        card.write(MEMORY + 3 * 64 + 8, &[21, 22]);
        let mut load = inst("s_scratch_load_dwordx2", &operands, |_| ());
        load.modifiers.offset = 8;
        let after = run(&card, &load, &Setting::default(), &before);
        assert_eq!(after.scalars[..3], [21, 22, 0x5002]);
    });
}
