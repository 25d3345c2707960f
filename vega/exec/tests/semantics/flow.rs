//! Program flow, and what depends on the instructions before: register indexing, MODE, the clocks, messages.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use vega_exec::{EngineKind, Host};
use vega_isa::{Encoding, Form, Inst, Modifiers, Operand, Row, Table, encode, sgpr};

use crate::common::Random;
use crate::generate::{instance, is_plain, state};
use crate::harness::{Bench, difference};
use crate::model::Wave;
use crate::rows::DEFAULT_MODE;

/// Each branch jumps over the instruction that sets a bit of s16.
#[rustfmt::skip]
const BRANCHES: &[u32] = &[
    0xbe900080,             // s_mov_b32 s16, 0
    0xbf840001,             // s_cbranch_scc0 1
    0xbe901a80,             // s_bitset1_b32 s16, 0
    0xbf850001,             // s_cbranch_scc1 1
    0xbe901a81,             // s_bitset1_b32 s16, 1
    0xbf860001,             // s_cbranch_vccz 1
    0xbe901a82,             // s_bitset1_b32 s16, 2
    0xbf870001,             // s_cbranch_vccnz 1
    0xbe901a83,             // s_bitset1_b32 s16, 3
    0xbf880001,             // s_cbranch_execz 1
    0xbe901a84,             // s_bitset1_b32 s16, 4
    0xbf890001,             // s_cbranch_execnz 1
    0xbe901a85,             // s_bitset1_b32 s16, 5
    0xbf820001,             // s_branch 1
    0xbe901a86,             // s_bitset1_b32 s16, 6
    0xbf970001,             // s_cbranch_cdbgsys 1
    0xbe901a87,             // s_bitset1_b32 s16, 7
    0xbf980001,             // s_cbranch_cdbguser 1
    0xbe901a88,             // s_bitset1_b32 s16, 8
    0xbf990001,             // s_cbranch_cdbgsys_or_user 1
    0xbe901a89,             // s_bitset1_b32 s16, 9
    0xbf9a0001,             // s_cbranch_cdbgsys_and_user 1
    0xbe901a8a,             // s_bitset1_b32 s16, 10
];

#[test]
fn branches_are_taken_when_their_condition_holds() {
    let bench = Bench::new(EngineKind::best());
    let mut random = Random(21);
    for n in 0..8 {
        let mut before = state(&mut random, DEFAULT_MODE, false);
        before.scc = n & 1 != 0;
        before.set_pair(sgpr::VCC_LO, if n & 2 != 0 { 1 << 40 } else { 0 });
        before.set_pair(sgpr::EXEC_LO, if n & 4 != 0 { 1 << 63 } else { 0 });
        let found = bench.run(BRANCHES, &[before.clone()]).expect("it ends");
        let mut after = before.clone();
        let [scc, vcc, exec] = [n & 1, n >> 1 & 1, n >> 2 & 1];
        // A bit stays clear where the branch was taken; nobody debugs.
        after.s[16] = scc | (1 - scc) << 1 | vcc << 2 | (1 - vcc) << 3 | exec << 4 | (1 - exec) << 5 | 0x780;
        assert_eq!(difference(&found[0], &after), None, "SCC {scc}, VCC {vcc}, EXEC {exec}");
    }
}

/// A call and its return; s_swappc over one instruction. s20 says what was executed.
#[rustfmt::skip]
const CALLS: &[u32] = &[
    0xbe940080,             // s_mov_b32 s20, 0
    0xbe901c00,             // s_getpc_b64 s[16:17]
    0xba920002,             // s_call_b64 s[18:19], 2
    0xbe941a80,             // s_bitset1_b32 s20, 0
    0xbf820002,             // s_branch 2
    0xbe941a81,             // s_bitset1_b32 s20, 1
    0xbe801d12,             // s_setpc_b64 s[18:19]
    0xbe961c00,             // s_getpc_b64 s[22:23]
    0x80169016,             // s_add_u32 s22, s22, 16
    0x82178017,             // s_addc_u32 s23, s23, 0
    0xbe981e16,             // s_swappc_b64 s[24:25], s[22:23]
    0xbe941a82,             // s_bitset1_b32 s20, 2
    0xbe941a83,             // s_bitset1_b32 s20, 3
];

#[test]
fn calls_leave_the_address_behind_them() {
    let bench = Bench::new(EngineKind::best());
    let before = state(&mut Random(22), DEFAULT_MODE, false);
    let found = bench.run(CALLS, std::slice::from_ref(&before)).expect("it ends");
    let first = found[0].pair(16);
    let mut after = before.clone();
    after.scc = found[0].scc;
    after.s[20] = 1 << 3 | 1 << 1 | 1;
    after.set_pair(16, first);
    // Behind s_call, which follows s_getpc at once.
    after.set_pair(18, first + 4);
    let second = first + 24;
    after.set_pair(22, second + 16);
    after.set_pair(24, second + 12);
    assert_eq!(difference(&found[0], &after), None);
}

/// Both clocks, twice.
#[rustfmt::skip]
const CLOCKS: &[u32] = &[
    0xc0900400, 0x00000000, // s_memtime s[16:17]
    0xc0940480, 0x00000000, // s_memrealtime s[18:19]
    0xbf8cc07f,             // s_waitcnt lgkmcnt(0)
    0xc0900500, 0x00000000, // s_memtime s[20:21]
    0xc0940580, 0x00000000, // s_memrealtime s[22:23]
    0xbf8cc07f,             // s_waitcnt lgkmcnt(0)
];

/// A message; halting and killing nobody.
#[rustfmt::skip]
const MESSAGE: &[u32] = &[
    0xbefc00ff, 0x00001234, // s_mov_b32 m0, 0x1234
    0xbf900001,             // s_sendmsg sendmsg(MSG_INTERRUPT)
    0xbf8d0000,             // s_sethalt 0
    0xbf8b0000,             // s_setkill 0
    0xbe900087,             // s_mov_b32 s16, 7
];

/// A device whose clocks count their readings.
#[derive(Default)]
struct Clocks {
    readings: AtomicU32,
    messages: Mutex<Vec<u32>>,
}

impl Host for Clocks {
    fn interrupt(&self, payload: u32) {
        self.messages.lock().expect("nobody panics").push(payload);
    }

    fn shader_clock(&self) -> u64 {
        0x1_0000_0000 + u64::from(self.readings.fetch_add(1, Ordering::Relaxed))
    }

    fn realtime_clock(&self) -> u64 {
        0x2_0000_0000 + u64::from(self.readings.fetch_add(1, Ordering::Relaxed))
    }
}

#[test]
fn clocks_and_messages_are_the_devices() {
    let mut bench = Bench::new(EngineKind::best());
    let clocks = Arc::new(Clocks::default());
    bench.0.host = clocks.clone();
    let before = state(&mut Random(23), DEFAULT_MODE, false);
    let found = bench.run(CLOCKS, std::slice::from_ref(&before)).expect("it ends");
    let read = [16, 18, 20, 22].map(|n| found[0].pair(n));
    assert_eq!(read, [0x1_0000_0000, 0x2_0000_0001, 0x1_0000_0002, 0x2_0000_0003]);
    let found = bench.run(MESSAGE, &[before]).expect("it ends");
    assert_eq!((found[0].s[16], &*clocks.messages.lock().expect("nobody panics")), (7, &vec![0x1234]));
}

fn row(mnemonic: &str) -> &'static Row {
    Table::gfx900().rows().iter().find(|row| row.mnemonic == mnemonic).expect("a row")
}

/// An instruction with these operands, in the order of its row's slots.
fn with(mnemonic: &str, operands: &[Operand]) -> Inst {
    let mut slots = [Operand::None; vega_isa::inst::MAX_OPERANDS];
    slots[..operands.len()].copy_from_slice(operands);
    let modifiers = Modifiers::default();
    let inst = Inst { row: row(mnemonic), form: Form::Native, size_bytes: 0, slots, modifiers };
    vega_isa::decode(encode(&inst).expect("it can be encoded").as_slice()).expect("it decodes")
}

/// Runs instructions on the engine and in the model.
fn compare(bench: &Bench, before: &Wave, insts: &[Inst]) {
    let mut after = before.clone();
    for inst in insts {
        after.step(inst).expect("the model knows it");
    }
    after.indexing = false;
    let words: Vec<u32> =
        insts.iter().flat_map(|inst| encode(inst).expect("encoded").as_slice().to_vec()).collect();
    let listing: Vec<String> = insts.iter().map(ToString::to_string).collect();
    let found =
        bench.run(&words, std::slice::from_ref(before)).unwrap_or_else(|e| panic!("{e}: {listing:?}"));
    if let Some(what) = difference(&found[0], &after) {
        panic!("{what}, after\n  {}", listing.join("\n  "));
    }
}

#[test]
fn vector_registers_are_relative_while_indexing_is_on() {
    let bench = Bench::new(EngineKind::best());
    let mut random = Random(24);
    let vector = |row: &&&Row| {
        matches!(row.encoding, Encoding::Vop1 | Encoding::Vop2 | Encoding::Vop3 | Encoding::Vopc)
            && is_plain(row)
            && !row.mnemonic.contains("lane")
            && row.mnemonic != "v_swap_b32"
    };
    let rows: Vec<&&Row> = Table::gfx900().rows().iter().filter(vector).collect();
    let exchanges = ["ds_bpermute_b32", "ds_swizzle_b32"].map(row);
    for _ in 0..1500 {
        let before = state(&mut random, DEFAULT_MODE, false);
        let mut wave = before.clone();
        let imm = |random: &mut Random, n: u64| (random.next() % n) as i32;
        let index = Operand::InlineInt(imm(&mut random, 9) as i8);
        let mut insts = vec![with("s_set_gpr_idx_on", &[index, Operand::Imm(imm(&mut random, 16))])];
        wave.step(&insts[0]).expect("known");
        while insts.len() < 6 {
            let next = match random.next() % 8 {
                0 => Some(with("s_set_gpr_idx_idx", &[Operand::InlineInt(imm(&mut random, 9) as i8)])),
                1 => Some(with("s_set_gpr_idx_mode", &[Operand::Imm(imm(&mut random, 16))])),
                // Not vector arithmetic: indexing is nothing to them.
                2 => instance(exchanges[insts.len() % 2], Form::Native, &mut random),
                _ => {
                    let row = rows[random.next() as usize % rows.len()];
                    let forms: Vec<Form> = row.forms.iter().collect();
                    instance(row, forms[random.next() as usize % forms.len()], &mut random)
                }
            };
            let next = next.filter(|inst| inst.iter().all(|(_, o)| o != Operand::Sgpr(sgpr::M0)));
            if let Some(inst) = next.filter(|inst| wave.step(inst).is_ok()) {
                insts.push(inst);
            }
        }
        insts.push(with("s_set_gpr_idx_off", &[]));
        compare(&bench, &before, &insts);
    }
}

#[test]
fn mode_changes_take_effect_at_once() {
    let bench = Bench::new(EngineKind::best());
    let mut random = Random(25);
    let float = |row: &&&Row| {
        is_plain(row)
            && matches!(row.encoding, Encoding::Vop1 | Encoding::Vop2 | Encoding::Vop3 | Encoding::Vop3p)
            && row.operands.iter().any(|slot| slot.ty.is_float())
    };
    let rows: Vec<&&Row> = Table::gfx900().rows().iter().filter(float).collect();
    for _ in 0..1500 {
        let before = state(&mut random, DEFAULT_MODE, false);
        let mut wave = before.clone();
        let mut insts: Vec<Inst> = Vec::new();
        while insts.len() < 9 {
            let next = match random.next() % 4 {
                0 => {
                    let name = ["s_setreg_imm32_b32", "s_setreg_b32"][(random.next() % 2) as usize];
                    instance(row(name), Form::Native, &mut random)
                }
                1 if insts.len() == 8 => instance(row("s_getreg_b32"), Form::Native, &mut random),
                _ => {
                    let row = rows[random.next() as usize % rows.len()];
                    let forms: Vec<Form> = row.forms.iter().collect();
                    instance(row, forms[random.next() as usize % forms.len()], &mut random)
                }
            };
            if let Some(inst) = next.filter(|inst| wave.step(inst).is_ok()) {
                insts.push(inst);
            }
        }
        compare(&bench, &before, &insts);
    }
}
