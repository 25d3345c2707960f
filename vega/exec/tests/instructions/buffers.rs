//! MUBUF and MTBUF: formats, ranges, swizzles, transfers to LDS.

use vega_exec::image::TexelFormat;
use vega_isa::{Field, Flags, InlineFloat, Inst, Modifiers, Operand};

use crate::bench::{MEMORY, Setting, State, inst, run, run_words, words};
use crate::common::{Card, Random, on_each_engine};

/// Words of a descriptor.
#[derive(Clone, Copy)]
struct Buffer {
    stride: u32,
    records: u32,
    /// Word 3: selects, formats, index stride, ADD_TID; and word 1's top bit.
    word3: u32,
    swizzle: bool,
}

/// x, y, z, w as they are.
const XYZW: u32 = 4 | 5 << 3 | 6 << 6 | 7 << 9;
const ADD_TID: u32 = 1 << 23;

impl Buffer {
    const fn raw(bytes: u32) -> Self {
        Self { stride: 0, records: bytes, word3: XYZW, swizzle: false }
    }

    fn setting(self) -> Setting {
        let mut descriptor = [0; 8];
        let word1 = self.stride << 16 | u32::from(self.swizzle) << 31;
        descriptor[..4].copy_from_slice(&[MEMORY as u32, word1, self.records, self.word3]);
        Setting { descriptor, ..Setting::default() }
    }
}

/// Address in v2 (index, then offset), data in v10.
fn buffer(name: &str, offset: Operand, change: impl Fn(&mut Modifiers)) -> Inst {
    let operands = [
        (Field::Addr, Operand::Vgpr(2)),
        (Field::Data0, Operand::Vgpr(10)),
        (Field::Rsrc, Operand::Sgpr(8)),
        (Field::SOffset, offset),
    ];
    inst(name, &operands, change)
}

const NO_OFFSET: Operand = Operand::InlineInt(0);

fn offen(m: &mut Modifiers) {
    m.flags = m.flags.with(Flags::OFFEN);
}

fn idxen(m: &mut Modifiers) {
    m.flags = m.flags.with(Flags::IDXEN);
}

fn state() -> State {
    State::new(|lane, n| (0x1000 * n + lane) as u32)
}

fn fill(card: &Card, dwords: u32) {
    card.write(MEMORY, &(0..dwords).map(|n| 0xa000 + n).collect::<Vec<_>>());
}

#[test]
fn raw_ranges_count_bytes_dword_by_dword() {
    on_each_engine(|| {
        let card = Card::new(1);
        fill(&card, 1024);
        let mut before = state();
        before.set(2, |lane| 12 * lane);
        before.scalars[0] = 16;
        // 12 bytes per lane from byte 20 on, of 100: lane 5 ends at 92, lane 6 has 8 of its 12 bytes, lane 7 none.
        let load = buffer("buffer_load_dwordx3", Operand::Sgpr(24), |m| {
            offen(m);
            m.offset = 4;
        });
        let after = run(&card, &load, &Buffer::raw(100).setting(), &before);
        for lane in 0..64u32 {
            for k in 0..3 {
                let at = 20 + 12 * lane + 4 * k;
                let expected = if at + 4 <= 100 { 0xa000 + at / 4 } else { 0 };
                assert_eq!(after.v(10 + k as usize)[lane as usize], expected, "lane {lane} dword {k}");
            }
        }
        // Stores out of range are dropped.
        let store = buffer("buffer_store_dwordx3", Operand::Sgpr(24), |m| {
            offen(m);
            m.offset = 4;
        });
        run(&card, &store, &Buffer::raw(100).setting(), &before);
        for at in 0..64u32 {
            let (lane, k) = ((4 * at).wrapping_sub(20) / 12, (4 * at).wrapping_sub(20) / 4 % 3);
            let inside = (20..100).contains(&(4 * at));
            let expected = if inside { 0x1000 * (10 + k) + lane } else { 0xa000 + at };
            assert_eq!(card.read(MEMORY + 4 * u64::from(at), 1), [expected], "dword {at}");
        }
        // Atomic operations are in range as a whole.
        let atomic = buffer("buffer_atomic_add_x2", NO_OFFSET, |m| {
            offen(m);
            m.flags = m.flags.with(Flags::GLC);
        });
        before.set(2, |lane| 8 * lane);
        let after = run(&card, &atomic, &Buffer::raw(20).setting(), &before);
        assert_eq!(after.v(10)[2..], [0; 62]);
        assert_ne!(after.v(10)[1], 0);
    });
}

#[test]
fn structured_ranges_count_records_where_an_index_is_given() {
    on_each_engine(|| {
        let card = Card::new(1);
        fill(&card, 1024);
        let mut before = state();
        before.set(2, |lane| lane);
        before.set(3, |_| 4);
        let records = Buffer { stride: 12, records: 40, ..Buffer::raw(0) };
        let both = |m: &mut Modifiers| m.flags = Flags::IDXEN.with(Flags::OFFEN);
        let after = run(&card, &buffer("buffer_load_dword", NO_OFFSET, both), &records.setting(), &before);
        for lane in 0..64 {
            assert_eq!(
                after.v(10)[lane],
                if lane < 40 { 0xa001 + 3 * lane as u32 } else { 0 },
                "lane {lane}"
            );
        }
        // Without an index the same number counts bytes.
        before.set(2, |lane| 4 * lane);
        let after = run(&card, &buffer("buffer_load_dword", NO_OFFSET, offen), &records.setting(), &before);
        for lane in 0..64 {
            assert_eq!(after.v(10)[lane], if lane < 10 { 0xa000 + lane as u32 } else { 0 }, "lane {lane}");
        }
    });
}

#[test]
fn swizzled_buffers_interleave_records() {
    on_each_engine(|| {
        let card = Card::new(1);
        fill(&card, 4096);
        let mut before = state();
        before.set(2, |lane| lane);
        // Sixteen records share a block, 24 bytes each: an element is a dword.
        let swizzled = Buffer { stride: 24, records: 64, word3: XYZW | 1 << 21, swizzle: true };
        let load = buffer("buffer_load_dwordx2", NO_OFFSET, |m| {
            idxen(m);
            m.offset = 8;
        });
        let after = run(&card, &load, &swizzled.setting(), &before);
        for lane in 0..64u32 {
            for k in 0..2 {
                let dword = lane / 16 * 16 * 6 + (2 + k) * 16 + lane % 16;
                assert_eq!(after.v(10 + k as usize)[lane as usize], 0xa000 + dword, "lane {lane} dword {k}");
            }
        }
        // ADD_TID: the lane is the index, and the format's bits belong to the stride.
        let lanes = Buffer { stride: 8, records: 1 << 20, word3: XYZW | ADD_TID, swizzle: false };
        let after = run(
            &card,
            &buffer("buffer_load_dword", Operand::InlineInt(4), |_| ()),
            &lanes.setting(),
            &before,
        );
        assert_eq!(after.v(10), std::array::from_fn(|lane| 0xa001 + 2 * lane as u32));
        // 64 bytes between lanes come from both halves of the stride: 64 = 1 << 6; 1 << 14 makes 16 KiB more.
        let far = Buffer { stride: 64, records: !0, word3: XYZW | ADD_TID, swizzle: false };
        let after = run(&card, &buffer("buffer_load_dword", NO_OFFSET, |_| ()), &far.setting(), &before);
        assert_eq!(after.v(10)[63], 0xa000 + 63 * 16);
    });
}

#[test]
fn every_format_is_read_and_written_by_both_encodings() {
    on_each_engine(|| {
        let card = Card::new(1);
        let mut random = Random(5);
        let mut formats = 0;
        for data in 0..16u32 {
            for number in 0..8u32 {
                let Some(format) = TexelFormat::buffer(data, number) else { continue };
                // Floats have 10, 11, 16 or 32 bits.
                if number == 7 && format.widths.iter().any(|bits| ![0, 10, 11, 16, 32].contains(bits)) {
                    continue;
                }
                formats += 1;
                let size = format.size();
                let texels: Vec<u32> = (0..64 * 4).map(|_| random.word()).collect();
                let raw = |lane: u32| {
                    let bytes: Vec<u8> = texels.iter().flat_map(|word| word.to_le_bytes()).collect();
                    let at = (lane * size) as usize;
                    bytes[at..at + size as usize]
                        .iter()
                        .rev()
                        .fold(0u128, |sum, byte| sum << 8 | u128::from(*byte))
                };
                card.write(MEMORY, &texels);
                let mut before = state();
                before.set(2, |lane| lane * size);
                let typed = |m: &mut Modifiers| {
                    offen(m);
                    (m.dfmt, m.nfmt) = (data as u8, number as u8);
                };
                let words3 = |select: u32| Buffer {
                    word3: select | number << 12 | data << 15,
                    ..Buffer::raw(1 << 16)
                };
                let load = buffer("tbuffer_load_format_xyzw", NO_OFFSET, typed);
                let found = run(&card, &load, &Buffer::raw(1 << 16).setting(), &before);
                // From the descriptor, with w, 1, 0 and x selected.
                let other = buffer("buffer_load_format_xyzw", NO_OFFSET, offen);
                let selected = run(&card, &other, &words3(7 | 1 << 3 | 4 << 9).setting(), &before);
                for lane in 0..64 {
                    let texel = format.decode(raw(lane as u32));
                    let of = |state: &State| [10, 11, 12, 13].map(|n| state.v(n)[lane]);
                    assert_eq!(of(&found), texel, "{format:?} lane {lane}");
                    assert_eq!(
                        of(&selected),
                        [texel[3], format.one(), 0, texel[0]],
                        "{format:?} lane {lane}"
                    );
                }
                // What was read is written elsewhere, three components of it; the fourth becomes zero.
                let mut store = before.clone();
                for (to, from) in store.lanes.iter_mut().zip(&found.lanes) {
                    to[8..12].copy_from_slice(&from[8..12]);
                }
                card.write(MEMORY + 0x1000, &[0; 256]);
                let write = buffer("tbuffer_store_format_xyz", NO_OFFSET, |m| {
                    typed(m);
                    m.offset = 0;
                });
                let mut setting = Buffer::raw(1 << 16).setting();
                setting.descriptor[0] += 0x1000;
                run(&card, &write, &setting, &store);
                for lane in 0..64u32 {
                    let mut texel = format.decode(raw(lane));
                    texel[3] = 0;
                    let mut bytes = [0u8; 16];
                    card.space
                        .read_bytes(MEMORY + 0x1000 + u64::from(lane * size), &mut bytes[..size as usize])
                        .expect("mapped");
                    assert_eq!(u128::from_le_bytes(bytes), format.encode(texel), "{format:?} lane {lane}");
                }
            }
        }
        assert!(formats > 60, "only {formats} formats");
    });
}

#[test]
fn halves_hold_16_bit_components() {
    on_each_engine(|| {
        let card = Card::new(1);
        // 8_8_8_8: unorm, uint, sint.
        for (number, expected) in
            [(0, [0x0000, 0x3c00, 0x3804, 0x2c04]), (4, [0, 255, 128, 16]), (5, [0, 0xffff, 0xff80, 16])]
        {
            card.write(MEMORY, &[0x1080_ff00; 64]);
            let mut before = state();
            before.set(2, |lane| 4 * lane);
            let typed = |m: &mut Modifiers| {
                offen(m);
                (m.dfmt, m.nfmt) = (10, number);
            };
            let load = buffer("tbuffer_load_format_d16_xyzw", NO_OFFSET, typed);
            let after = run(&card, &load, &Buffer::raw(256).setting(), &before);
            let packed = [expected[0] | expected[1] << 16, expected[2] | expected[3] << 16];
            assert_eq!(
                [after.v(10), after.v(11), after.v(12)],
                [[packed[0]; 64], [packed[1]; 64], before.v(12)]
            );
            let load = buffer("tbuffer_load_format_d16_xyz", NO_OFFSET, typed);
            let after = run(&card, &load, &Buffer::raw(256).setting(), &before);
            assert_eq!([after.v(10), after.v(11)], [[packed[0]; 64], [expected[2]; 64]]);
            card.write(MEMORY, &[0; 64]);
            let store = buffer("tbuffer_store_format_d16_xyzw", NO_OFFSET, typed);
            let mut stored = before.clone();
            stored.set(10, |_| packed[0]);
            stored.set(11, |_| packed[1]);
            run(&card, &store, &Buffer::raw(256).setting(), &stored);
            assert_eq!(card.read(MEMORY, 64), [0x1080_ff00; 64]);
        }
        // The high half alone; the low one stays.
        card.write(MEMORY, &[0x3f80_0000; 64]);
        let mut before = state();
        before.set(2, |lane| 4 * lane);
        let float = Buffer { word3: XYZW | 7 << 12 | 4 << 15, ..Buffer::raw(1 << 16) }.setting();
        let after = run(&card, &buffer("buffer_load_format_d16_hi_x", NO_OFFSET, offen), &float, &before);
        assert_eq!(after.v(10), std::array::from_fn(|lane| 0x3c00_a000 + lane as u32));
        let mut stored = before.clone();
        stored.set(10, |_| 0xc000_1234);
        run(&card, &buffer("buffer_store_format_d16_hi_x", NO_OFFSET, offen), &float, &stored);
        assert_eq!(card.read(MEMORY, 64), [0xc000_0000; 64]);
    });
}

#[test]
fn out_of_range_only_constants_are_not_zero() {
    on_each_engine(|| {
        let card = Card::new(1);
        card.write(MEMORY, &[!0; 64]);
        let mut before = state();
        before.set(2, |lane| 4 * lane);
        // x, 1, 0, w of 8_8_8_8 unorm.
        let setting = Buffer { word3: 4 | 1 << 3 | 7 << 9 | 10 << 15, ..Buffer::raw(64) }.setting();
        let after = run(&card, &buffer("buffer_load_format_xyzw", NO_OFFSET, offen), &setting, &before);
        let one = 1f32.to_bits();
        for lane in 0..64 {
            let expected = if lane < 16 { [one, one, 0, one] } else { [0, one, 0, 0] };
            assert_eq!([10, 11, 12, 13].map(|n| after.v(n)[lane]), expected, "lane {lane}");
        }
    });
}

#[test]
fn loads_can_go_to_lds_and_stores_come_from_there() {
    on_each_engine(|| {
        let card = Card::new(1);
        fill(&card, 256);
        let mut before = state();
        before.set(2, |lane| 8 * lane);
        before.exec = 0xffff_ffff_0fff_ffff;
        let to_lds = |m: &mut Modifiers| {
            offen(m);
            (m.flags, m.offset) = (m.flags.with(Flags::LDS), 4);
        };
        let mut load = buffer("buffer_load_ushort", NO_OFFSET, to_lds);
        load.slots[0] = Operand::None;
        let read = inst("ds_read_addtid_b32", &[(Field::Dst, Operand::Vgpr(11))], |m| m.offset = 4);
        let mut setting = Buffer::raw(1 << 16).setting();
        setting.m0 = 0x80;
        let mut code = words(&[load, read]);
        // From LDS to memory, with the lane as the index of records of 12 bytes.
        let store = inst(
            "buffer_store_lds_dword",
            &[(Field::Rsrc, Operand::Sgpr(8)), (Field::SOffset, NO_OFFSET)],
            |m| (m.flags, m.offset) = (Flags::LDS, 4),
        );
        let after = run_words(&card, &code, &setting, &before);
        for lane in 0..64 {
            let expected = if before.active(lane) { 0xa001 + 2 * lane as u32 } else { before.v(11)[lane] };
            assert_eq!([after.v(10)[lane], after.v(11)[lane]], [before.v(10)[lane], expected], "lane {lane}");
        }
        before.exec = !0;
        let write = inst("ds_write_addtid_b32", &[(Field::Data0, Operand::Vgpr(10))], |m| m.offset = 4);
        code = words(&[write, store]);
        let mut setting =
            Buffer { stride: 12, records: 1 << 20, word3: XYZW | ADD_TID, swizzle: false }.setting();
        setting.m0 = 0x80;
        run_words(&card, &code, &setting, &before);
        for lane in 0..64u64 {
            assert_eq!(card.read(MEMORY + 4 + 12 * lane, 1), [0xa000 + lane as u32], "lane {lane}");
        }
        // Global memory to LDS.
        fill(&card, 256);
        let mut global = inst("global_load_dword", &[(Field::Addr, Operand::Vgpr(2))], |m| {
            (m.flags, m.offset) = (Flags::LDS, -8);
        });
        for (slot, operand) in global.row.operands.iter().zip(&mut global.slots) {
            if slot.field == Field::SAddr {
                *operand = Operand::Sgpr(24);
            }
        }
        let mut at = before.clone();
        at.scalars[..2].copy_from_slice(&[MEMORY as u32 + 8, 0]);
        at.set(2, |lane| 4 * (63 - lane));
        let read = inst("ds_read_addtid_b32", &[(Field::Dst, Operand::Vgpr(11))], |m| m.offset = 0);
        let setting = Setting { m0: 0x88, ..Setting::default() };
        let read = vec![
            inst(
                "s_movk_i32",
                &[(Field::SDst, Operand::Sgpr(124)), (Field::Imm16, Operand::Imm(0x80))],
                |_| (),
            ),
            read,
        ];
        code = words(&[vec![global], read].concat());
        let after = run_words(&card, &code, &setting, &at);
        assert_eq!(after.v(11), std::array::from_fn(|lane| 0xa000 + 63 - lane as u32));
    });
}

#[test]
fn a_register_behind_the_data_tells_that_nothing_failed() {
    on_each_engine(|| {
        let card = Card::new(1);
        fill(&card, 256);
        let mut before = state();
        before.set(2, |lane| 8 * lane);
        before.exec = 0x5555_5555_5555_5555;
        let tfe = |m: &mut Modifiers| {
            offen(m);
            m.flags = m.flags.with(Flags::TFE);
        };
        let after = run(
            &card,
            &buffer("buffer_load_dwordx2", NO_OFFSET, tfe),
            &Buffer::raw(1 << 16).setting(),
            &before,
        );
        let format = Buffer { word3: XYZW | 4 << 12 | 4 << 15, ..Buffer::raw(1 << 16) }.setting();
        let formatted = run(&card, &buffer("buffer_load_format_xy", NO_OFFSET, tfe), &format, &before);
        for lane in 0..64 {
            let old = [10, 11, 12, 13].map(|n| before.v(n)[lane]);
            let dword = 0xa000 + 2 * lane as u32;
            let (plain, typed) = match before.active(lane) {
                true => ([dword, dword + 1, 0, old[3]], [dword, 0, 0, old[3]]),
                false => (old, old),
            };
            assert_eq!([10, 11, 12, 13].map(|n| after.v(n)[lane]), plain, "lane {lane}");
            assert_eq!([10, 11, 12, 13].map(|n| formatted.v(n)[lane]), typed, "lane {lane}");
        }
    });
}

#[test]
fn scalar_offsets_can_be_constants() {
    on_each_engine(|| {
        let card = Card::new(1);
        fill(&card, 64);
        let mut before = state();
        before.set(2, |_| 0);
        let load = |offset| buffer("buffer_load_dword", offset, offen);
        let setting = Buffer::raw(!0).setting();
        let at = |offset| run(&card, &load(offset), &setting, &before).v(10)[0];
        assert_eq!(at(Operand::InlineInt(64)), 0xa010);
        assert_eq!(at(Operand::Sgpr(124)), 0xa000);
        let beyond = Buffer::raw(64).setting();
        assert_eq!(
            run(&card, &load(Operand::InlineFloat(InlineFloat::One)), &beyond, &before).v(10),
            [0; 64]
        );
    });
}
