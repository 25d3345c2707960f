//! The engines agree on loads, stores and atomics: every row of memory instructions, on addresses that lie in blocks,
//! in one place, far apart, on top of each other, unaligned and out of range.

mod common;

use std::time::Duration;

use common::instructions::{ENGINES_EPILOGUE, LANE_PROLOGUE};
use common::{CODE, Card, DATA, KERNARG, Random, watchdog};
use vega_exec::{EngineKind, Outcome};
use vega_isa::memory::{MemKind, MemOp, Space};
use vega_isa::{Field, Flags, Form, Inst, Micro, Operand, Row, Table, encode};

/// Work-items: two waves.
const ITEMS: u32 = 128;

/// Instructions of one program.
const LENGTH: usize = 4;

/// Global memory that the programs access, in the middle of what is compared.
const WINDOW: u64 = DATA + 0x4_0000;
const WINDOW_BYTES: usize = 0x1_0000;
const MIDDLE: u64 = WINDOW + 0x6000;

/// Bytes of LDS.
const LDS_BYTES: u32 = 64 * ITEMS;

/// How the items' addresses lie, from 0 on.
fn pattern(random: &mut Random, aligned: bool) -> Vec<u32> {
    let step = 1 << (random.next() % 7);
    let from = random.word() % 0x200 * if random.next().is_multiple_of(4) { 1 } else { 16 };
    let kind = random.next() % 8;
    let mut addresses: Vec<u32> = (0..ITEMS)
        .map(|item| match kind {
            // Blocks, and the same place for all, or for each sixteen.
            0..=2 => from + item * step,
            3 => from,
            4 => from + item / 16 * step,
            5 => from + (ITEMS - item) * step,
            6 => random.word() % 0x800 * 4,
            _ => random.word() % 0x1000,
        })
        .collect();
    if random.next().is_multiple_of(8) {
        addresses[random.next() as usize % ITEMS as usize] = random.word() % 0x1800;
    }
    let keep = if aligned { !7 } else { !0 };
    addresses.iter().map(|address| (address % 0x2000) & keep).collect()
}

fn instruction(random: &mut Random, row: &'static Row, aligned: bool, last: bool) -> Option<Vec<u32>> {
    let Micro::Mem(MemOp { space, kind }) = row.micro else { return None };
    let atomic = matches!(kind, MemKind::Atomic { .. });
    if atomic && space != Space::Lds && !aligned {
        return None;
    }
    let mut inst = Inst {
        row,
        form: Form::Native,
        size_bytes: 0,
        slots: [Operand::None; 5],
        modifiers: Default::default(),
    };
    let scalar_base = space == Space::Global && random.next().is_multiple_of(2);
    let offen = random.next().is_multiple_of(2);
    for (place, slot) in inst.slots.iter_mut().zip(row.operands) {
        let dwords = u64::from(slot.dwords.max(slot.ty.dwords()).max(1));
        *place = match slot.field {
            Field::Addr => match space {
                Space::Lds => Operand::Vgpr(2),
                Space::Buffer if !offen => Operand::None,
                Space::Buffer => Operand::Vgpr(3),
                Space::Flat => Operand::Vgpr(16),
                _ if scalar_base => Operand::Vgpr(3),
                _ => Operand::Vgpr(4),
            },
            Field::SAddr if scalar_base => Operand::Sgpr(30),
            Field::SAddr => Operand::None,
            Field::Rsrc => Operand::Sgpr(32),
            Field::SOffset => Operand::InlineInt(8 * (random.next() % 5) as i8),
            // The last destination may be an address.
            Field::Dst if last => Operand::Vgpr(2 + (random.next() % (15 - dwords)) as u8),
            _ => Operand::Vgpr(6 + (random.next() % (11 - dwords)) as u8),
        };
    }
    let m = &mut inst.modifiers;
    let align = if aligned { 8 } else { 1 };
    match space {
        Space::Lds => {
            m.offset = (random.next() % 0x400 * align) as i32 & 0xffff;
            (m.offset0, m.offset1) = ((random.next() % 32) as u8, (random.next() % 32) as u8);
            if random.next().is_multiple_of(2) {
                m.offset1 = m.offset0 + 1;
            }
        }
        Space::Buffer => m.offset = (random.next() % 0x200 * align) as i32 & 0xfff,
        Space::Flat => m.offset = (random.next() % 0x200 * align) as i32 & 0xfff,
        _ => m.offset = ((random.next() % 0x400 * align) as i32 & 0xfff) - 0x800,
    }
    if offen && space == Space::Buffer {
        m.flags = Flags(m.flags.0 | Flags::OFFEN.0);
    }
    if atomic && random.next().is_multiple_of(2) {
        m.flags = Flags(m.flags.0 | Flags::GLC.0);
    }
    let words = encode(&inst)?;
    vega_isa::decode(words.as_slice()).ok()?;
    Some(words.as_slice().to_vec())
}

/// What the program leaves behind: registers, then the window; `None` if it faulted.
fn run(card: &Card, code: &[u32], data: &[u32], window: &[u32], args: &[u32]) -> Option<Vec<u32>> {
    card.write(CODE, code);
    card.write(KERNARG, args);
    card.write(DATA, data);
    card.write(DATA + 0x8000, &vec![0; data.len()]);
    card.write(DATA + 0x1_0000, &vec![0; data.len()]);
    card.write(WINDOW, window);
    let mut dispatch = card.dispatch([ITEMS, 1, 1], [ITEMS as u16, 1, 1]);
    dispatch.lds_bytes = LDS_BYTES;
    // The two waves access the same memory without a barrier. Waves that are told what they are run one after the other.
    dispatch.rsrc2 |= 1 << 10;
    match card.run(&dispatch) {
        Outcome::Done => {
            let mut results = Vec::new();
            for va in [DATA, DATA + 0x8000, DATA + 0x1_0000] {
                results.extend(card.read(va, data.len()));
            }
            results.extend(card.read(WINDOW, window.len()));
            Some(results)
        }
        _ => None,
    }
}

/// Registers to LDS: 64 bytes for each item, whatever EXEC is.
#[rustfmt::skip]
const LDS_FILL: &[u32] = &[
    0xbe98017e,             // s_mov_b64 s[24:25], exec
    0xbefe01c1,             // s_mov_b64 exec, -1
    0xd9be0000, 0x00000201, // ds_write_b128 v1, v[2:5]
    0xd9be0010, 0x00000601, // ds_write_b128 v1, v[6:9] offset:16
    0xd9be0020, 0x00000a01, // ds_write_b128 v1, v[10:13] offset:32
    0xd9be0030, 0x00000e01, // ds_write_b128 v1, v[14:17] offset:48
    0xbf8cc07f,             // s_waitcnt lgkmcnt(0)
    0xbf8a0000,             // s_barrier
    0xbefe0118,             // s_mov_b64 exec, s[24:25]
];

/// LDS to memory: 64 bytes for each item, whatever EXEC is.
#[rustfmt::skip]
const LDS_DUMP: &[u32] = &[
    0xbe98017e,             // s_mov_b64 s[24:25], exec
    0xbefe01c1,             // s_mov_b64 exec, -1
    0xd9fe0000, 0x14000001, // ds_read_b128 v[20:23], v1
    0xd9fe0010, 0x18000001, // ds_read_b128 v[24:27], v1 offset:16
    0xd9fe0020, 0x1c000001, // ds_read_b128 v[28:31], v1 offset:32
    0xd9fe0030, 0x20000001, // ds_read_b128 v[32:35], v1 offset:48
    0xbf8c0070,             // s_waitcnt vmcnt(0) lgkmcnt(0)
    0x801aff06, 0x00010000, // s_add_u32 s26, s6, 0x10000
    0x821b8007,             // s_addc_u32 s27, s7, 0
    0xdc7c8000, 0x001a1401, // global_store_dwordx4 v1, v[20:23], s[26:27]
    0xdc7c8010, 0x001a1801, // global_store_dwordx4 v1, v[24:27], s[26:27] offset:16
    0xdc7c8020, 0x001a1c01, // global_store_dwordx4 v1, v[28:31], s[26:27] offset:32
    0xdc7c8030, 0x001a2001, // global_store_dwordx4 v1, v[32:35], s[26:27] offset:48
    0xbefe0118,             // s_mov_b64 exec, s[24:25]
];

fn agree(spaces: &[Space], rounds: usize, seed: u64) {
    watchdog(Duration::from_secs(400));
    let kinds = &EngineKind::available()[1..];
    let reference = Card::with_engine(1, EngineKind::Interpreter);
    let cards: Vec<_> = kinds.iter().map(|kind| (kind, Card::with_engine(1, *kind))).collect();
    let wanted = |row: &Row| {
        let Micro::Mem(MemOp { space, kind }) = row.micro else { return false };
        let usual = matches!(
            kind,
            MemKind::Load { .. }
                | MemKind::Store { .. }
                | MemKind::Load2 { .. }
                | MemKind::Store2 { .. }
                | MemKind::Atomic { .. }
        );
        spaces.contains(&space) && usual
    };
    let rows: Vec<&'static Row> = Table::gfx900().rows().iter().copied().filter(|row| wanted(row)).collect();
    assert!(rows.len() > 20);
    let mut random = Random(seed);
    let (mut compared, mut programs) = (0, 0);
    for round in 0..rounds {
        for (n, first) in rows.iter().enumerate() {
            // The row's turn, and others at random around it.
            let mut list: Vec<&'static Row> =
                (0..LENGTH).map(|_| rows[random.next() as usize % rows.len()]).collect();
            list[(round + n) % LENGTH] = first;
            let aligned = !random.next().is_multiple_of(4);
            let mut instructions = Vec::new();
            for (k, row) in list.iter().enumerate() {
                if let Some(mut words) = instruction(&mut random, row, aligned, k + 1 == LENGTH) {
                    if random.next().is_multiple_of(2) {
                        words.push(0xbf8c_0070); // s_waitcnt vmcnt(0) lgkmcnt(0)
                    }
                    instructions.push(words);
                }
            }
            let mut data: Vec<u32> = (0..ITEMS * 16).map(|_| random.word()).collect();
            let addresses: Vec<Vec<u32>> = (0..4).map(|_| pattern(&mut random, aligned)).collect();
            let beyond = random.next().is_multiple_of(8);
            // Addresses in LDS that an offset brings back from below zero, for some lanes or all.
            let below = if beyond { random.word() % 0x100 * 8 } else { 0 };
            for item in 0..ITEMS as usize {
                let global = MIDDLE + u64::from(addresses[2][item]);
                let mut flat = MIDDLE + u64::from(addresses[3][item]);
                if beyond && random.next().is_multiple_of(3) {
                    // The LDS aperture.
                    flat = (1 << 48) + u64::from(addresses[3][item]);
                }
                let v = &mut data[16 * item..16 * item + 16];
                v[0] = addresses[0][item].wrapping_sub(below);
                v[1] = addresses[1][item];
                (v[2], v[3]) = (global as u32, (global >> 32) as u32);
                (v[14], v[15]) = (flat as u32, (flat >> 32) as u32);
            }
            let window: Vec<u32> = (0..WINDOW_BYTES / 4).map(|_| random.word()).collect();
            let exec = match random.next() % 3 {
                0 => u64::MAX,
                1 => random.next(),
                _ => random.next() & random.next() & 0xffff_ffff_0000_ffff,
            };
            let mut args = vec![DATA as u32, 0, 0, 0, exec as u32, (exec >> 32) as u32];
            args.extend([MIDDLE as u32, 0]);
            // A raw buffer, or one whose lanes' dwords alternate as in scratch memory.
            args.extend(match random.next() % 3 {
                0 => [(MIDDLE - 0x4000) as u32, 1 << 31, 0x140, 3 << 21 | 1 << 23],
                1 => [MIDDLE as u32, 0, 0x1800, 4 << 15],
                _ => [MIDDLE as u32, 0, random.word() % 0x1800, 4 << 15],
            });
            let build = |instructions: &[Vec<u32>]| -> Vec<u32> {
                let parts = [LANE_PROLOGUE, LDS_FILL, &instructions.concat(), LDS_DUMP, ENGINES_EPILOGUE];
                parts.concat()
            };
            let code = build(&instructions);
            programs += 1;
            let expected = run(&reference, &code, &data, &window, &args);
            compared += usize::from(expected.is_some());
            for (kind, card) in &cards {
                if run(card, &code, &data, &window, &args) == expected {
                    continue;
                }
                // The shortest beginning that differs says which instruction it is.
                for n in 1..=instructions.len() {
                    let code = build(&instructions[..n]);
                    let expected = run(&reference, &code, &data, &window, &args);
                    let found = run(card, &code, &data, &window, &args);
                    if expected == found {
                        continue;
                    }
                    let text = |words: &Vec<u32>| {
                        vega_isa::decode(words).map_or_else(|e| format!("{e:?}"), |inst| inst.to_string())
                    };
                    let list: Vec<String> = instructions[..n].iter().map(text).collect();
                    let (Some(expected), Some(found)) = (&expected, &found) else {
                        panic!("{kind}: only one engine faulted, exec {exec:016x}:\n{}", list.join("\n"));
                    };
                    let at = (0..expected.len()).find(|at| expected[*at] != found[*at]).unwrap_or(0);
                    let (block, item, register) = (at / 2048, at % 2048 / 16, at % 16);
                    panic!(
                        "{kind}: {}\n{} (item {item}, register {register}): {:08x}, not {:08x}, exec {exec:016x}\naddresses {:x?}\n{}",
                        list.last().cloned().unwrap_or_default(),
                        ["v2 +", "scalar", "LDS"]
                            .get(block)
                            .map_or(format!("window {:#x}", 4 * (at - 6144)), ToString::to_string),
                        found[at],
                        expected[at],
                        addresses,
                        list.join("\n")
                    );
                }
                panic!("{kind}: a program that differs once only");
            }
        }
    }
    assert!(compared > programs / 2, "only {compared} of {programs} programs ended");
}

#[test]
fn engines_agree_on_faults() {
    watchdog(Duration::from_secs(400));
    let kinds = &EngineKind::available()[1..];
    let cards: Vec<_> = EngineKind::available().iter().map(|kind| Card::with_engine(1, *kind)).collect();
    let wanted = |row: &Row| {
        let Micro::Mem(MemOp { space, kind }) = row.micro else { return false };
        let usual = matches!(kind, MemKind::Load { .. } | MemKind::Store { .. } | MemKind::Atomic { .. });
        matches!(space, Space::Global | Space::Flat) && usual
    };
    let mut random = Random(6);
    let mut faults = 0;
    for row in Table::gfx900().rows().iter().copied().filter(|row| wanted(row)) {
        for _ in 0..4 {
            let Some(words) = instruction(&mut random, row, true, true) else { continue };
            let mut data: Vec<u32> = (0..ITEMS * 16).map(|_| random.word()).collect();
            let addresses: Vec<Vec<u32>> = (0..4).map(|_| pattern(&mut random, true)).collect();
            // Some lanes point to nothing, or one does.
            let wild = random.next() as usize % ITEMS as usize;
            for item in 0..ITEMS as usize {
                let far =
                    if item == wild || item > wild && random.next().is_multiple_of(8) { 1 << 40 } else { 0 };
                let global = MIDDLE + u64::from(addresses[2][item]) + far;
                let v = &mut data[16 * item..16 * item + 16];
                v[1] = addresses[1][item].wrapping_add((far >> 9) as u32);
                (v[2], v[3]) = (global as u32, (global >> 32) as u32);
                (v[14], v[15]) = (v[2], v[3]);
            }
            let mut args = vec![DATA as u32, 0, 0, 0, !0, !0, MIDDLE as u32, 0];
            args.extend([0; 4]);
            let code = [LANE_PROLOGUE, &words, ENGINES_EPILOGUE].concat();
            let reports: Vec<_> = cards
                .iter()
                .map(|card| {
                    card.write(DATA, &data);
                    let report = card.fault(&code, &args, [ITEMS, 1, 1], [ITEMS as u16, 1, 1]);
                    (report.kind, report.pc, report.wave, report.lane, report.exec)
                })
                .collect();
            faults += 1;
            for (kind, report) in kinds.iter().zip(&reports[1..]) {
                let text = vega_isa::decode(&words).map(|inst| inst.to_string());
                assert_eq!(report, &reports[0], "{kind}: {text:?}");
            }
        }
    }
    assert!(faults > 100, "only {faults}");
}

#[test]
fn engines_agree_on_lds() {
    agree(&[Space::Lds], 6, 1);
}

#[test]
fn engines_agree_on_global_memory() {
    agree(&[Space::Global], 10, 2);
}

#[test]
fn engines_agree_on_flat_addresses() {
    agree(&[Space::Flat], 6, 3);
}

#[test]
fn engines_agree_on_buffers() {
    agree(&[Space::Buffer], 6, 4);
}

#[test]
fn engines_agree_on_all_kinds_of_memory() {
    agree(&[Space::Lds, Space::Global, Space::Flat, Space::Buffer], 4, 5);
}
