//! Exchange between lanes, and every size of access to LDS, global and private memory.

mod common;

use common::{Card, DATA, instructions, on_each_engine};
use vega_exec::Rights;

fn args(va: u64) -> [u32; 2] {
    [va as u32, (va >> 32) as u32]
}

/// 64 dwords as `f` of the lane says.
fn lanes(f: impl Fn(u32) -> u32) -> Vec<u32> {
    (0..64).map(f).collect()
}

/// Compares the 64 dwords at `DATA + 256 * n`.
fn expect(card: &Card, n: u64, what: &str, f: impl Fn(u32) -> u32) {
    assert_eq!(card.read(DATA + 256 * n, 64), lanes(f), "{what}");
}

#[test]
fn dpp_moves_lanes() {
    on_each_engine(|| {
        let card = Card::new(1);
        card.run_code(instructions::DPP_MOVES, &args(DATA), [64, 1, 1], [64, 1, 1]);
        let keep = 0x63;
        let within = |cond: bool, value: u32, other: u32| if cond { value } else { other };
        expect(&card, 0, "quad_perm", |i| i ^ 1);
        expect(&card, 1, "row_shl:3", |i| within(i % 16 < 13, i + 3, keep));
        expect(&card, 2, "row_shr:1 bound_ctrl", |i| within(i % 16 > 0, i.wrapping_sub(1), 0));
        expect(&card, 3, "row_ror:4", |i| i / 16 * 16 + (i + 12) % 16);
        expect(&card, 4, "wave_shl:1", |i| within(i < 63, i + 1, keep));
        expect(&card, 5, "wave_ror:1", |i| (i + 63) % 64);
        expect(&card, 6, "row_mirror", |i| i ^ 15);
        expect(&card, 7, "row_half_mirror", |i| i ^ 7);
        expect(&card, 8, "row_bcast:15", |i| within(i / 16 % 2 == 1, (i / 16 * 16).wrapping_sub(1), keep));
        expect(&card, 9, "row_bcast:31", |i| within(i >= 32, 31, keep));
        expect(&card, 10, "bank_mask", |i| within(i / 4 % 2 == 0, i, keep));
        // Lanes 0, 2, 4, … 30 are active and read lanes that are not.
        expect(&card, 11, "disabled sources", |_| keep);
    });
}

#[test]
fn lanes_exchange_values() {
    on_each_engine(|| {
        let card = Card::new(1);
        card.run_code(instructions::CROSS, &args(DATA), [64, 1, 1], [64, 1, 1]);
        expect(&card, 0, "bpermute", |i| 1000 + 63 - i);
        expect(&card, 1, "permute: the highest lane wins", |i| if i == 5 { 1063 } else { 0 });
        expect(&card, 2, "swizzle by masks", |i| 1000 + i / 32 * 32 + i % 2);
        expect(&card, 3, "swizzle of quads", |i| 1000 + (i ^ 3));
        expect(&card, 4, "readlane, writelane", |i| if i == 5 { 9 } else { 1007 });
        let pulled = |i: u32| if i == 11 { 0 } else { 1001 + i };
        let before = |i: u32| if i == 5 { 9 } else { 1007 };
        expect(&card, 5, "bpermute from an inactive lane", |i| {
            if (4..12).contains(&i) { pulled(i) } else { before(i) }
        });
        expect(&card, 6, "readfirstlane", |_| 1004);
        expect(&card, 7, "readfirstlane with EXEC 0", |_| 1000);
        expect(&card, 8, "mbcnt", |i| i);
        expect(&card, 9, "swap", |i| i);
    });
}

#[test]
fn lds_has_every_size_and_bounds() {
    on_each_engine(|| {
        let card = Card::new(1);
        card.write(common::CODE, instructions::LDS_SIZES);
        card.write(common::KERNARG, &args(DATA));
        let mut dispatch = card.dispatch([64, 1, 1], [64, 1, 1]);
        dispatch.lds_bytes = 512;
        assert_eq!(card.run(&dispatch), vega_exec::Outcome::Done);
        let bytes = |i: u32| i * 0x0101_0101;
        expect(&card, 0, "u8", |i| !i & 0xff);
        expect(&card, 1, "i8", |i| !i);
        expect(&card, 2, "u16", |i| bytes(i) & 0xffff);
        expect(&card, 3, "u8_d16_hi", |i| i << 16 | 0xffff);
        expect(&card, 4, "b32 beyond the end is 0", |i| if i < 32 { bytes(i + 32) } else { 0 });
        expect(&card, 5, "read2", |i| !bytes(i));
        expect(&card, 6, "read2st64", |i| if i % 2 == 0 { bytes(32 + i / 2) } else { !bytes(32 + i / 2) });
        expect(&card, 7, "atomics in lane order", |i| 2 * i);
        // Dword i: byte 3 was written first, then the low half.
        let dword = |i: u32| {
            if i == 0 {
                128
            } else if i.is_multiple_of(2) {
                bytes(i / 2)
            } else {
                !bytes(i / 2)
            }
        };
        expect(&card, 8, "b8 and b16", |i| i << 24 | dword(i) & 0xff_0000 | i);
        // 16 bytes at 496 + 8 * lane: only the first two lanes have some inside, the second wins.
        // The lanes' three dwords overlap; the last lane's stay whole.
        let found = card.read(DATA + 256 * 9 + 4 * 63, 3);
        assert_eq!(found, [bytes(0), !bytes(0), bytes(1)], "b128 across the end, b96");
        expect(&card, 11, "compare and store", |i| if i == 0 { 0 } else { 1234 });
        expect(&card, 12, "compare and store", |_| 1234);
    });
}

#[test]
fn lds_addresses_wrap_around_with_their_offset() {
    on_each_engine(|| {
        let card = Card::new(1);
        card.write(common::CODE, instructions::LDS_NEGATIVE);
        card.write(common::KERNARG, &args(DATA));
        let mut dispatch = card.dispatch([64, 1, 1], [64, 1, 1]);
        dispatch.lds_bytes = 512;
        assert_eq!(card.run(&dispatch), vega_exec::Outcome::Done);
        let at = |i: u32| 1000 + 63 - i;
        expect(&card, 0, "written by negative addresses", at);
        expect(&card, 1, "b32", |i| 1000 + i);
        expect(&card, 2, "u16", |i| 1000 + i);
        expect(&card, 3, "read2, the dword above", |i| if i == 0 { 0 } else { 1000 + i - 1 });
        expect(&card, 4, "an atomic gives the old value", |i| 1000 + i);
    });
}

#[test]
fn global_and_private_memory_have_every_size() {
    on_each_engine(|| {
        let mut card = Card::new(1);
        let private = 0x900_0000u64;
        card.map(private, 0x1_0000, Rights::READ_WRITE);
        let args = [args(DATA), args(private)].concat();
        card.run_code(instructions::MEMORY_SIZES, &args, [64, 1, 1], [64, 1, 1]);
        assert_eq!(card.read(DATA, 4), [0x80, !0x80, 0x1_0000, 0x1234_5678]);
        expect(&card, 4, "ubyte", |i| (0x80 + i) & 0xff);
        expect(&card, 5, "sbyte", |i| (0x80 + i) as i8 as u32);
        expect(&card, 6, "sshort", |i| !(0x80 + i) as i16 as u32);
        expect(&card, 7, "short_d16_hi", |i| i << 16 | 0xffff);
        expect(&card, 8, "byte, byte_d16_hi, short of dwordx3", |i| {
            (!(0x80 + i) & 0xff) | 1 << 8 | (0x80 + i) << 16
        });
        // Private dwords 2 and 3 hold v10 and v11; the short at 10 is the high half of v10.
        expect(&card, 9, "private ushort", |i| (0x80 + i) >> 16);
        expect(&card, 10, "private dword across dwords", |_| 0x1234_5678);
        // 64 lanes increment; the limits grow with the lane, so none wraps.
        expect(&card, 12, "atomic inc", |i| i);
        assert_eq!(card.read(DATA + 2816, 1), [64]);
        // smax of negative numbers with 0; lane 0 swaps 0 for 0, lane 1 for 1, and then 0 is gone; a 64-bit sum.
        assert_eq!(card.read(DATA + 3328, 1), [0]);
        assert_eq!(card.read(DATA + 3332, 1), [1]);
        let sum =
            (0..64u64).map(|i| (0x80 + i) | (!(0x80 + i) & 0xffff_ffff) << 32).fold(0, u64::wrapping_add);
        assert_eq!(card.read(DATA + 3336, 2), [sum as u32, (sum >> 32) as u32]);
    });
}
