//! The rare DS instructions on LDS, and all of them on the global data share.

use vega_isa::memory::{MemOp, Space};
use vega_isa::{Field, Flags, Inst, Legal, Micro, Modifiers, Operand, Table};

use crate::bench::{Setting, State, inst, run, run_in, run_words, words};
use crate::common::{Card, Random, on_each_engine};

fn ds(name: &str, change: impl Fn(&mut Modifiers)) -> Inst {
    let operands = [
        (Field::Addr, Operand::Vgpr(2)),
        (Field::Data0, Operand::Vgpr(4)),
        (Field::Data1, Operand::Vgpr(6)),
        (Field::Dst, Operand::Vgpr(10)),
    ];
    inst(name, &operands, change)
}

fn gds(name: &str) -> Inst {
    ds(name, |m| m.flags = Flags::GDS)
}

/// Lane n has its address in v2, 16 bytes apart.
fn state() -> State {
    let mut state = State::new(|lane, n| (0x100 * n + lane) as u32);
    state.set(2, |lane| 16 * lane);
    state
}

fn at(m0: u32) -> Setting {
    Setting { m0, ..Setting::default() }
}

/// Runs instructions in one program, so that LDS lives from one to the next.
fn run_all(card: &Card, insts: &[Inst], m0: u32, before: &State) -> State {
    run_words(card, &words(insts), &at(m0), before)
}

#[test]
fn exchanges_return_both_old_values() {
    on_each_engine(|| {
        let card = Card::new(1);
        let mut before = state();
        before.exec = 0x0f0f_0f0f_ffff_fff1;
        let pair = |m: &mut Modifiers| (m.offset0, m.offset1) = (0, 1);
        let write = ds("ds_write2_b32", pair);
        // v[10:11] receive what v4 and v6 stored before, v4 and v6 are stored again.
        for (name, change) in [("ds_wrxchg2_rtn_b32", pair as fn(&mut Modifiers))] {
            let after = run_all(&card, &[write, ds(name, change)], 0, &before);
            for lane in 0..64 {
                let expected = if before.active(lane) {
                    [before.v(4)[lane], before.v(6)[lane]]
                } else {
                    [0xa00 + lane as u32, 0xb00 + lane as u32]
                };
                assert_eq!([after.v(10)[lane], after.v(11)[lane]], expected, "{name} lane {lane}");
            }
        }
        // 64 bits and a stride of 64 elements.
        let far = |m: &mut Modifiers| (m.offset0, m.offset1) = (0, 2);
        let after =
            run_all(&card, &[ds("ds_write2st64_b64", far), ds("ds_wrxchg2st64_rtn_b64", far)], 0, &state());
        for lane in 0..64 {
            let expected = [4, 5, 6, 7].map(|n| state().v(n)[lane]);
            assert_eq!([10, 11, 12, 13].map(|n| after.v(n)[lane]), expected, "lane {lane}");
        }
    });
}

#[test]
fn conditional_exchange_looks_at_the_top_bits() {
    on_each_engine(|| {
        let card = Card::new(1);
        let mut before = state();
        before.set(4, |lane| lane | if lane % 2 == 0 { 1 << 31 } else { 0 });
        before.set(5, |lane| (1000 + lane) | if lane % 3 == 0 { 1 << 31 } else { 0 });
        before.set(6, |lane| 5000 + lane);
        before.set(7, |lane| 6000 + lane);
        let store = inst(
            "ds_write_b64",
            &[(Field::Addr, Operand::Vgpr(2)), (Field::Data0, Operand::Vgpr(6))],
            |_| (),
        );
        let load =
            inst("ds_read_b64", &[(Field::Addr, Operand::Vgpr(2)), (Field::Dst, Operand::Vgpr(12))], |_| ());
        let after = run_all(&card, &[store, ds("ds_condxchg32_rtn_b64", |_| ()), load], 0, &before);
        for lane in 0..64u32 {
            let old = [5000 + lane, 6000 + lane];
            let new =
                [if lane % 2 == 0 { lane } else { old[0] }, if lane % 3 == 0 { 1000 + lane } else { old[1] }];
            let found = [10, 11, 12, 13].map(|n| after.v(n)[lane as usize]);
            assert_eq!(found, [old[0], old[1], new[0], new[1]], "lane {lane}");
        }
    });
}

#[test]
fn operands_in_lds_are_relative_to_the_address() {
    on_each_engine(|| {
        let card = Card::new(1);
        let pair = |m: &mut Modifiers| (m.offset0, m.offset1) = (0, 3);
        // Dword 3 of each lane's 16 bytes is added to dword 0; then dword 3 replaces it.
        let relative = |m: &mut Modifiers| m.offset = 3;
        let read = ds("ds_read2_b32", pair);
        for (name, expected) in [
            ("ds_add_src2_u32", |a: u32, b: u32| a.wrapping_add(b)),
            ("ds_rsub_src2_u32", |a: u32, b: u32| b.wrapping_sub(a)),
            ("ds_max_src2_u32", |a: u32, b: u32| a.max(b)),
            ("ds_write_src2_b32", |_: u32, b: u32| b),
        ] as [(&str, fn(u32, u32) -> u32); 4]
        {
            let after = run_all(&card, &[ds("ds_write2_b32", pair), ds(name, relative), read], 0, &state());
            for lane in 0..64 {
                let (a, b) = (state().v(4)[lane], state().v(6)[lane]);
                assert_eq!([after.v(10)[lane], after.v(11)[lane]], [expected(a, b), b], "{name} lane {lane}");
            }
        }
        // A negative distance, in 15 bits of the offset: lane n reads what lane n - 1 stored.
        let back = |m: &mut Modifiers| m.offset = -4 & 0x7fff;
        let after =
            run_all(&card, &[ds("ds_write2_b32", pair), ds("ds_write_src2_b32", back), read], 0, &state());
        // In lane order, each reads what the one before has just copied: the first one's, from below LDS, is 0.
        assert_eq!(after.v(10)[1..].iter().filter(|&&value| value != 0).count(), 0);
        // With the top bit, the distance is in the address.
        let mut before = state();
        before.set(2, |lane| (16 * lane) | (3 << 17));
        let setup = state();
        let after = run_all(
            &card,
            &[
                inst(
                    "v_and_b32",
                    &[
                        (Field::Dst, Operand::Vgpr(3)),
                        (Field::Src0, Operand::Literal(0x1_ffff)),
                        (Field::Src1, Operand::Vgpr(2)),
                    ],
                    |_| (),
                ),
                inst(
                    "ds_write2_b32",
                    &[
                        (Field::Addr, Operand::Vgpr(3)),
                        (Field::Data0, Operand::Vgpr(4)),
                        (Field::Data1, Operand::Vgpr(6)),
                    ],
                    pair,
                ),
                ds("ds_add_src2_u32", |m| m.offset = 0x8000),
                inst(
                    "ds_read_b32",
                    &[(Field::Addr, Operand::Vgpr(3)), (Field::Dst, Operand::Vgpr(10))],
                    |_| (),
                ),
            ],
            0,
            &before,
        );
        for lane in 0..64 {
            assert_eq!(after.v(10)[lane], setup.v(4)[lane] + setup.v(6)[lane], "lane {lane}");
        }
    });
}

#[test]
fn lanes_have_consecutive_dwords_from_m0_on() {
    on_each_engine(|| {
        let card = Card::new(1);
        let before = state();
        let insts =
            [ds("ds_write_addtid_b32", |m| m.offset = 8), ds("ds_read_addtid_b32", |m| m.offset = 12)];
        let after = run_all(&card, &insts, 0x40, &before);
        for lane in 0..63 {
            assert_eq!(after.v(10)[lane], before.v(4)[lane + 1], "lane {lane}");
        }
    });
}

#[test]
fn counters_count_active_lanes_once() {
    on_each_engine(|| {
        let card = Card::new(1);
        let mut before = state();
        before.exec = 0xffff_0000_0000_0001;
        let clear = inst(
            "ds_write_b32",
            &[(Field::Addr, Operand::Vgpr(2)), (Field::Data0, Operand::Vgpr(8))],
            |_| (),
        );
        before.set(2, |_| 0x104);
        before.set(8, |_| 100);
        let to = |n: u8| [(Field::Dst, Operand::Vgpr(n))];
        let offset = |m: &mut Modifiers| m.offset = 4;
        let insts = [
            clear,
            inst("ds_append", &to(10), offset),
            inst("ds_append", &to(11), offset),
            inst("ds_consume", &to(12), offset),
        ];
        let after = run_all(&card, &insts, 0x100, &before);
        for lane in 0..64 {
            let expected =
                if before.active(lane) { [100, 117, 134] } else { [10, 11, 12].map(|n| before.v(n)[lane]) };
            assert_eq!([10, 11, 12].map(|n| after.v(n)[lane]), expected, "lane {lane}");
        }
    });
}

#[test]
fn the_global_share_outlives_a_dispatch() {
    on_each_engine(|| {
        let card = Card::new(1);
        let window = 0x0400_1000;
        let before = state();
        run(&card, &gds("ds_write_b64"), &at(window), &before);
        let after = run(&card, &gds("ds_read_b64"), &at(window), &before);
        for lane in 0..64 {
            let expected = [before.v(4)[lane], before.v(5)[lane]];
            assert_eq!([after.v(10)[lane], after.v(11)[lane]], expected, "lane {lane}");
        }
        // All lanes add to one place, in order.
        let mut same = state();
        same.set(2, |_| 0x800);
        same.set(4, |_| 3);
        let after = run(&card, &gds("ds_add_rtn_u32"), &at(window), &same);
        assert_eq!(after.v(10), std::array::from_fn(|lane| 3 * lane as u32));
        // Half of the lanes are beyond a window of 512 bytes.
        let after = run(&card, &gds("ds_read_b32"), &at(0x0400_0200), &before);
        for lane in 0..64 {
            let expected = if lane < 32 { before.v(4)[lane] } else { 0 };
            assert_eq!(after.v(10)[lane], expected, "lane {lane}");
        }
        // Another card has a share of its own.
        let other = Card::new(1);
        assert_eq!(run(&other, &gds("ds_read_b32"), &at(window), &before).v(10), [0; 64]);
        let counter = ds("ds_append", |m| (m.flags, m.offset) = (Flags::GDS, 0x40));
        assert_eq!(run(&other, &counter, &at(0), &before).v(10), [0; 64]);
        assert_eq!(run(&other, &counter, &at(0), &before).v(10), [64; 64]);
        let mut ordered = state();
        ordered.set(2, |_| 5);
        let count = ds("ds_ordered_count", |m| m.offset = 0x40);
        assert_eq!(run(&other, &count, &at(0), &ordered).v(10), [128; 64]);
        assert_eq!(run(&other, &counter, &at(0), &before).v(10), [133; 64]);
    });
}

/// Every row that both shares have: registers and memory end up the same.
#[test]
fn the_global_share_does_what_lds_does() {
    on_each_engine(|| {
        let card = Card::new(1);
        let mut random = Random(9);
        let mut before = state();
        for n in 4..18 {
            let values: Vec<u32> = (0..64).map(|_| random.word()).collect();
            before.set(n, |lane| values[lane as usize]);
        }
        // Not all lanes are active; elements overlap, and some lie outside of the 512 bytes.
        before.exec = 0xffff_7fff_ffff_fff7;
        let mut rows = 0;
        for row in Table::gfx900().rows() {
            let share = matches!(row.micro, Micro::Mem(MemOp { space: Space::Lds, .. }));
            if !share || ["ds_append", "ds_consume", "ds_ordered_count"].contains(&row.mnemonic) {
                continue;
            }
            let operands = |data: u8| {
                let registers =
                    [(Field::Addr, 2), (Field::Data0, data), (Field::Data1, data + 2), (Field::Dst, 10)];
                registers.map(|(field, register)| (field, Operand::Vgpr(register)))
            };
            let after = [Flags::default(), Flags::GDS].map(|share| {
                let of = |name: &str, data: u8, offsets: [u8; 2]| {
                    inst(name, &operands(data), |m| {
                        m.flags = share;
                        (m.offset0, m.offset1) = (offsets[0], offsets[1]);
                        m.offset = i32::from(offsets[0]) | i32::from(offsets[1]) << 8;
                    })
                };
                // The 512 bytes are set by 64 lanes first, and read last; `m0` is LDS's limit as well as the window.
                let setting = Setting { m0: 512, ..Setting::default() };
                let fill = of("ds_write_b64", 6, [0; 2]);
                // The two elements of a lane overlap no other lane's: nobody says which of them comes first.
                let two = row.legal.has(Legal::OFFSET2);
                let second = if row.mnemonic.contains("st64") { 2 } else { 1 };
                let tested = of(row.mnemonic, 4, if two { [0, second] } else { [4, 0] });
                let place = |shift: i32| {
                    let add = [
                        (Field::Dst, Operand::Vgpr(2)),
                        (Field::Src0, Operand::InlineInt(shift as i8)),
                        (Field::Src1, Operand::Vgpr(3)),
                    ];
                    inst("v_lshlrev_b32", &add, |_| ())
                };
                let mut state = before.clone();
                state.set(3, |lane| lane);
                let exec = |mask: i8| {
                    inst(
                        "s_mov_b64",
                        &[(Field::SDst, Operand::Sgpr(126)), (Field::Src0, Operand::InlineInt(mask))],
                        |_| (),
                    )
                };
                let restore = inst(
                    "s_mov_b64",
                    &[(Field::SDst, Operand::Sgpr(126)), (Field::Src0, Operand::Sgpr(22))],
                    |_| (),
                );
                let scatter = inst(
                    "v_mul_u32_u24",
                    &[
                        (Field::Dst, Operand::Vgpr(2)),
                        (Field::Src0, Operand::InlineInt(if two { 16 } else { 10 })),
                        (Field::Src1, Operand::Vgpr(3)),
                    ],
                    |_| (),
                );
                let mut read = of("ds_read_b64", 4, [0; 2]);
                for (slot, operand) in read.row.operands.iter().zip(&mut read.slots) {
                    if slot.field == Field::Dst {
                        *operand = Operand::Vgpr(14);
                    }
                }
                let insts = [exec(-1), place(3), fill, restore, scatter, tested, exec(-1), place(3), read];
                run_in(&card, &words(&insts), &setting, &state, 512)
            });
            assert_eq!(after[0].lanes, after[1].lanes, "{}", row.mnemonic);
            rows += 1;
        }
        assert!(rows > 120, "only {rows} rows");
    });
}
