//! Addresses that are affine over a wave, or just not: compiled code looks at such a wave once. Every engine must do what
//! the interpreter does, in registers, lane masks, memory and faults.

mod common;

use common::*;
use vega_exec::{EngineKind, Outcome, Rights};

/// Adds 7 to dwords: item i takes the one at source + 4 (i xor `flip` + `index`) + 4, and stores to target + 4 (the same).
/// What the registers hold behind that goes to 32 bytes of each item in the dump. Args: source, target, dump, index, flip.
#[rustfmt::skip]
const PROGRAM: &[u32] = &[
    0xc00a0100, 0x00000000, // s_load_dwordx4 s[4:7], s[0:1], 0x0
    0xc00a0200, 0x00000010, // s_load_dwordx4 s[8:11], s[0:1], 0x10
    0xbf8cc07f,             // s_waitcnt lgkmcnt(0)
    0xd1fd0000, 0x04010e02, // v_lshl_add_u32 v0, s2, 7, v0
    0x241c0085,             // v_lshlrev_b32_e32 v14, 5, v0
    0x2a00000b,             // v_xor_b32_e32 v0, s11, v0
    0xbf8a0000,             // s_barrier
    0x6800000a,             // v_add_u32_e32 v0, s10, v0
    0x2202009f,             // v_ashrrev_i32_e32 v1, 31, v0
    0xd28f0002, 0x00020082, // v_lshlrev_b64 v[2:3], 2, v[0:1]
    0x7e080205,             // v_mov_b32_e32 v4, s5
    0xd1190e06, 0x00020404, // v_add_co_u32_e64 v6, s[14:15], s4, v2
    0xd11c1007, 0x003a0704, // v_addc_co_u32_e64 v7, s[16:17], v4, v3, s[14:15]
    0xdc508004, 0x057f0006, // global_load_dword v5, v[6:7], off offset:4
    0x7e080207,             // v_mov_b32_e32 v4, s7
    0x32100406,             // v_add_co_u32_e32 v8, vcc, s6, v2
    0x38120704,             // v_addc_co_u32_e32 v9, vcc, v4, v3, vcc
    0xbf8c0f70,             // s_waitcnt vmcnt(0)
    0x680a0a87,             // v_add_u32_e32 v5, 7, v5
    0xdc708000, 0x007f0508, // global_store_dword v[8:9], v5, off
    0xbf8c0f70,             // s_waitcnt vmcnt(0)
    0x7e18026a,             // v_mov_b32_e32 v12, vcc_lo
    0x7e1a026b,             // v_mov_b32_e32 v13, vcc_hi
    0x7e14020e,             // v_mov_b32_e32 v10, s14
    0x7e16020f,             // v_mov_b32_e32 v11, s15
    0xdc7c8000, 0x0008060e, // global_store_dwordx4 v14, v[6:9], s[8:9]
    0xdc7c8010, 0x00080a0e, // global_store_dwordx4 v14, v[10:13], s[8:9] offset:16
    0xbf810000,             // s_endpgm
];

const ITEMS: u32 = 256;
/// Two regions around a boundary of 4 GiB, with a hole behind the second.
const LOW: u64 = 0x1_ffff_e000;
const BYTES: usize = 0x4000;
/// One that stores may not touch.
const CONSTANT: u64 = 0x3_0000_0000;

/// What memory holds afterwards, or the fault's address and lane.
fn run(kind: EngineKind, args: [u64; 3], index: i32, flip: u32) -> Result<Vec<u32>, String> {
    let mut card = Card::with_engine(1, kind);
    card.map(LOW, BYTES, Rights::ALL);
    card.map(CONSTANT, BYTES, Rights::READ);
    let words: Vec<u32> = (0..BYTES as u32 / 4).map(|n| n * 0x0101).collect();
    card.write(LOW, &words);
    let mut all: Vec<u32> = args.iter().flat_map(|va| [*va as u32, (*va >> 32) as u32]).collect();
    all.extend([index as u32, flip]);
    card.write(CODE, PROGRAM);
    card.write(KERNARG, &all);
    let mut results = Vec::new();
    // The second time, translations are known.
    for _ in 0..2 {
        match card.run(&card.dispatch([ITEMS, 1, 1], [128, 1, 1])) {
            Outcome::Done => {}
            Outcome::Fault(report) => {
                return Err(format!("{} {:#x} {:?}", report.kind, report.pc, report.lane));
            }
            other => panic!("{other:?}"),
        }
        results.extend(card.read(LOW, words.len()));
        results.extend(card.read(DATA, 8 * ITEMS as usize));
    }
    Ok(results)
}

#[test]
fn affine_addresses_give_what_the_interpreter_gives() {
    let data = DATA;
    let middle = LOW + 0x2000;
    let cases: &[(u64, u64, i32, u32)] = &[
        // Consecutive; neighbours; the same place; 4 bytes off.
        (LOW, LOW + 0x1000, 0, 0),
        (LOW + 4, LOW, 0, 0),
        (LOW, LOW, 3, 0),
        (LOW + 2, LOW + 0x1002, 0, 0),
        // Across 4 GiB: low halves wrap around within a wave, or between waves.
        (middle - 0x100, LOW, 0, 0),
        (middle - 0x180, middle - 0x84, 0, 0),
        (middle + 0x100, LOW, -100, 0),
        // Signs change within a wave; high halves come from the sign.
        (LOW + 0x1000, LOW + 0x800, -32, 0),
        (LOW + 0x1000, LOW + 0x800, -256, 0),
        (middle, middle + 0x400, i32::MIN, 0),
        // Lanes change places: not affine.
        (LOW, LOW + 0x1000, 0, 1),
        (LOW, LOW + 0x1000, 0, 63),
        (LOW, LOW + 0x1000, 0, 64),
        // The wave's last lanes leave the mapping; a store without the right.
        (LOW + BYTES as u64 - 0x200, LOW, 0, 0),
        (LOW, LOW + BYTES as u64 - 0x110, 0, 0),
        (LOW - 0x40, LOW, 0, 0),
        (LOW, CONSTANT, 0, 0),
        (CONSTANT, LOW, 0, 0),
    ];
    let mut faults = 0;
    for (source, target, index, flip) in cases {
        let args = [*source, *target, data];
        let expected = run(EngineKind::Interpreter, args, *index, *flip);
        faults += usize::from(expected.is_err());
        for kind in &EngineKind::available()[1..] {
            let found = run(*kind, args, *index, *flip);
            match (&expected, &found) {
                (Ok(expected), Ok(found)) => {
                    let at = (0..expected.len()).find(|n| expected[*n] != found[*n]);
                    assert_eq!(at, None, "{kind}: {source:#x} {target:#x} {index} {flip}");
                }
                (Err(expected), Err(found)) => assert_eq!(expected, found, "{kind}"),
                _ => panic!("{kind}: {source:#x} {target:#x} {index} {flip}: only one of them faults"),
            }
        }
    }
    assert!(faults >= 5 && faults < cases.len() / 2, "{faults} of {} cases fault", cases.len());
}
