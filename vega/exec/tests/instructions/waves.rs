//! Program flow and wave state: forks, skipping, relative registers, hardware registers, messages, lane masks.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use vega_exec::{CancelToken, FaultKind, Host, NoHost, Outcome};
use vega_isa::{Field, Form, Inst, Operand};

use crate::bench::{Setting, State, inst, run, run_words, words as encoded};
use crate::common::{CODE, Card, Random, on_each_engine, watchdog};
use crate::words;

fn state() -> State {
    State::new(|lane, n| (0x100 * n + lane) as u32)
}

#[test]
fn forks_run_the_smaller_part_first_and_joins_the_other() {
    on_each_engine(|| {
        let card = Card::new(1);
        for code in [words::FORK_NEAR, words::FORK_FAR] {
            for (mask, exec) in
                [(0xffu64, !0u64), (!0xff, !0), (0, !0), (!0, !0), (0xf0f0, 0xff00), (0x5555, 0)]
            {
                let mut before = state();
                before.exec = exec;
                before.scalars = [mask as u32, (mask >> 32) as u32, 0, 0, 0, 0, 0, 0];
                let after = run_words(&card, code, &Setting::default(), &before);
                let (pass, fail) = (mask & exec, !mask & exec);
                // The part that comes second runs on behind the join; nobody puts the two together again.
                let last = match (pass, fail) {
                    (0, only) | (only, 0) => only,
                    _ if fail.count_ones() < pass.count_ones() => pass,
                    _ => fail,
                };
                for lane in 0..64 {
                    let bit = |mask: u64| mask >> lane & 1 == 1;
                    let expected = if bit(pass) {
                        2
                    } else if bit(fail) {
                        1
                    } else {
                        before.v(10)[lane]
                    };
                    let behind = if bit(last) { 3 } else { before.v(11)[lane] };
                    let found = [after.v(10)[lane], after.v(11)[lane]];
                    assert_eq!(found, [expected, behind], "lane {lane}, mask {mask:#x}, exec {exec:#x}");
                }
                assert_eq!(after.exec, last);
            }
        }
    });
}

#[test]
fn vector_instructions_can_be_skipped() {
    on_each_engine(|| {
        let card = Card::new(1);
        for skip in [false, true] {
            let mut before = state();
            before.set(2, |lane| 4 * lane);
            before.scalars[0] = if skip { 1 << 12 } else { !(1 << 12) };
            let after = run_words(&card, words::SKIP, &Setting::default(), &before);
            let mut expected = before.clone();
            if !skip {
                expected.set(10, |_| 1);
                expected.set(11, |lane| 0x300 + lane);
            }
            expected.set(12, |_| 2);
            expected.set(14, |_| 4);
            assert_eq!(after.lanes, expected.lanes, "skip {skip}");
            assert_eq!(after.scalars[1..3], [77, 0x3f0 | 1 << 28]);
        }
    });
}

#[test]
fn relative_registers_follow_the_instructions_order_of_operands() {
    on_each_engine(|| {
        let card = Card::new(1);
        let mut before = state();
        before.set(3, |lane| lane % 5);
        before.set(7, |lane| (lane as f32).to_bits());
        before.set(12, |lane| (0.5 * lane as f32).to_bits());
        before.scalars[0] = 1;
        let after = run_words(&card, words::INDEXED, &Setting::default(), &before);
        let mut expected = before.clone();
        let old = |n: usize, lane: u32| before.v(n)[lane as usize];
        expected.set(8, |lane| old(6, lane).wrapping_sub(old(5, lane)));
        expected.set(9, |lane| old(6, lane) << (lane % 5));
        expected.set(10, |lane| old(4, lane).wrapping_sub(old(7, lane)));
        expected.set(12, |lane| (2.0 * lane as f32 + 0.5 * lane as f32).to_bits());
        expected.set(14, |lane| old(14, lane) & 0xffff | old(5, lane) << 16);
        expected.set(15, |lane| lane);
        expected.set(16, |lane| lane);
        // v259 does not exist: v0 is read. Nor does v256: nothing is written, v0 least of all.
        expected.set(17, |lane| lane);
        expected.set(2, |lane| 2 * lane);
        assert_eq!(after.lanes, expected.lanes);
    });
}

#[test]
fn hardware_registers_tell_about_wave_and_dispatch() {
    on_each_engine(|| {
        let card = Card::new(1);
        let after = run_words(&card, words::REGISTERS, &Setting::default(), &state());
        let [mode, status, traps, place, registers, lds, bases, counters] = after.scalars;
        assert_eq!(mode, 0x3f0);
        // EXEC is not zero, VCC is, the wave is valid and alone.
        assert_eq!(status & (1 << 9 | 1 << 10 | 1 << 11 | 1 << 16), 1 << 10 | 1 << 16);
        assert_eq!(traps, 0x155);
        assert!(place >> 8 & 15 < 14, "{place:#x}");
        // The tests' dispatches ask for no more than one granule of registers, and for 64 KiB of LDS.
        assert_eq!((registers, lds), (0, 128 << 12));
        assert_eq!((bases, counters), (1 << 16 | 2, 0));
    });
}

#[test]
fn lds_direct_gives_all_lanes_the_same() {
    on_each_engine(|| {
        let card = Card::new(1);
        let mut before = state();
        before.set(4, |_| 0x8291_a0b5);
        let after = run_words(&card, words::LDS_DIRECT, &Setting::default(), &before);
        assert_eq!(after.v(10), [0x8291_a0b5; 64]);
        assert_eq!(after.v(11), before.v(5).map(|x| x + 0xa0));
        assert_eq!(after.v(12), [0x8291; 64]);
        assert_eq!(after.v(13), [0xffff_ff82; 64]);
        assert_eq!(after.scalars[0], 0xffff_8291);
    });
}

/// Counts interrupts.
#[derive(Default)]
struct Counter(AtomicU32);

impl Host for Counter {
    fn interrupt(&self, m0: u32) {
        self.0.fetch_add(m0, Ordering::Relaxed);
    }
    fn shader_clock(&self) -> u64 {
        NoHost.shader_clock()
    }
    fn realtime_clock(&self) -> u64 {
        NoHost.realtime_clock()
    }
}

#[test]
fn messages_hints_and_cache_operations_change_no_register() {
    on_each_engine(|| {
        let mut card = Card::new(1);
        let counter = Arc::new(Counter::default());
        card.host = Arc::clone(&counter) as Arc<dyn Host>;
        let before = state();
        let setting = Setting { m0: 7, ..Setting::default() };
        let after = run_words(&card, words::MESSAGES, &setting, &before);
        let mut expected = before.clone();
        expected.scalars[0] = 99;
        assert_eq!(after, expected);
        assert_eq!(counter.0.load(Ordering::Relaxed), 7);
    });
}

#[test]
fn a_halted_wave_waits_for_ever_and_a_killed_one_ends() {
    on_each_engine(|| {
        watchdog(Duration::from_secs(200));
        let card = Card::new(1);
        // s_sethalt 1; s_endpgm, then s_sendmsghalt sendmsg(MSG_INTERRUPT); s_endpgm
        for code in [[0xbf8d_0001, 0xbf81_0000], [0xbf91_0001, 0xbf81_0000]] {
            card.write(CODE, &code);
            let dispatch = card.dispatch([64, 1, 1], [64, 1, 1]);
            let cancel = CancelToken::new();
            std::thread::scope(|scope| {
                let run = scope.spawn(|| card.engine.run(&card.space, &dispatch, &card.host, &cancel));
                std::thread::sleep(Duration::from_millis(20));
                assert!(!run.is_finished(), "the wave went on");
                cancel.cancel();
                assert_eq!(run.join().expect("no panic"), Outcome::Canceled);
            });
        }
        // s_setkill 1, then no instruction.
        card.run_code(&[0xbf8b_0001, !0], &[], [64, 1, 1], [64, 1, 1]);
    });
}

#[test]
fn what_only_others_may_execute_is_illegal() {
    on_each_engine(|| {
        let card = Card::new(1);
        // exp mrt0 v0, v0, v0, v0 done vm; v_interp_p1_f32 v0, v0, attr0.x; s_rfe_b64 s[0:1]
        for (code, expected) in [
            ([0xc400_180f, 0], "graphics only"),
            ([0xd400_0000, 0xbf81_0000], "graphics only"),
            ([0xbe80_1f00, 0xbf81_0000], "only a trap handler may execute it"),
        ] {
            let report = card.fault(&code, &[], [64, 1, 1], [64, 1, 1]);
            assert_eq!(report.kind, FaultKind::IllegalInstruction { reason: expected }, "{code:x?}");
        }
    });
}

fn with_mask(name: &str, mask: Operand, neg: bool) -> Inst {
    let operands = [
        (Field::Dst, Operand::Vgpr(10)),
        (Field::SDst, Operand::Sgpr(24)),
        (Field::Src0, Operand::Vgpr(4)),
        (Field::Src1, Operand::Vgpr(5)),
        (Field::Src2, mask),
    ];
    let mut inst = inst(name, &operands, |m| m.neg = u8::from(neg));
    inst.form = Form::E64;
    inst
}

#[test]
fn lane_masks_come_from_any_register_pair() {
    on_each_engine(|| {
        let card = Card::new(1);
        let mut random = Random(3);
        let mut before = state();
        for n in [4, 5] {
            let values: Vec<u32> = (0..64).map(|_| random.word()).collect();
            before.set(n, |lane| values[lane as usize]);
        }
        before.exec = 0x7fff_ffff_ffff_fff1;
        let masks = [(Operand::Sgpr(26), 0x5003_0000_5002), (Operand::Sgpr(126), before.exec)];
        for (mask, bits) in masks {
            for neg in [false, true] {
                let after = run(&card, &with_mask("v_cndmask_b32", mask, neg), &Setting::default(), &before);
                for lane in 0..64 {
                    let a = before.v(4)[lane] ^ if neg { 1 << 31 } else { 0 };
                    let chosen = if bits >> lane & 1 == 1 { before.v(5)[lane] } else { a };
                    let expected = if before.active(lane) { chosen } else { before.v(10)[lane] };
                    assert_eq!(after.v(10)[lane], expected, "{mask:?} lane {lane}");
                }
            }
            let after = run(&card, &with_mask("v_addc_co_u32", mask, false), &Setting::default(), &before);
            let mut carries = 0u64;
            for lane in (0..64).filter(|lane| before.active(*lane)) {
                let sum = u64::from(before.v(4)[lane]) + u64::from(before.v(5)[lane]) + (bits >> lane & 1);
                assert_eq!(after.v(10)[lane], sum as u32, "{mask:?} lane {lane}");
                carries |= (sum >> 32) << lane;
            }
            assert_eq!(after.scalars[..2], [carries as u32, (carries >> 32) as u32]);
        }
    });
}

#[test]
fn lanes_are_chosen_by_registers_m0_and_constants() {
    on_each_engine(|| {
        let card = Card::new(1);
        let mut before = state();
        before.exec = 0;
        before.scalars[2] = 64 + 9;
        let setting = Setting { m0: 3, ..Setting::default() };
        for (select, lane) in [(Operand::Sgpr(26), 9), (Operand::Sgpr(124), 3), (Operand::InlineInt(63), 63)]
        {
            let read =
                [(Field::Dst, Operand::Sgpr(24)), (Field::Src0, Operand::Vgpr(4)), (Field::Src1, select)];
            let after = run(&card, &inst("v_readlane_b32", &read, |_| ()), &setting, &before);
            assert_eq!(after.scalars[0], before.v(4)[lane]);
            for (source, value) in
                [(Operand::Sgpr(28), 0x5004), (Operand::InlineInt(-7), -7i32 as u32), (Operand::Sgpr(124), 3)]
            {
                let write = [(Field::Dst, Operand::Vgpr(4)), (Field::Src0, source), (Field::Src1, select)];
                let after = run(&card, &inst("v_writelane_b32", &write, |_| ()), &setting, &before);
                let mut expected = before.clone();
                expected.lanes[lane][2] = value;
                assert_eq!(after.lanes, expected.lanes);
            }
        }
        // The whole wave is inactive: the first lane is lane 0.
        let read = [(Field::Dst, Operand::Sgpr(24)), (Field::Src0, Operand::Vgpr(4))];
        let code = encoded(&[inst("v_readfirstlane_b32", &read, |_| ())]);
        assert_eq!(run_words(&card, &code, &setting, &before).scalars[0], 0x400);
    });
}
