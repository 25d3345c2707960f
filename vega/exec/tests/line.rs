//! Workgroups whose work-items lie in a line begin programs as one wide wave, where compiled code can do that. They do what
//! the interpreter does, wherever they stop to be one.

mod common;

use std::sync::atomic::Ordering;
use std::time::Duration;

use common::*;
use vega_exec::{EngineKind, Outcome, Rights};

/// Of items below the bound, item i takes two dwords from source + 4 (i + index) on, and stores their sum to target + 4 (i +
/// index). Then it goes on by one of several ways, and its registers go to 64 bytes of the dump. Args: source, target, dump,
/// bound, index, items of a workgroup, rounds of a loop on the way, a mask for EXEC.
#[rustfmt::skip]
const PROGRAM: &[u32] = &[
    0xc00e0100, 0x00000000, // s_load_dwordx8 s[4:11], s[0:1], 0x0
    0xc00a0500, 0x00000020, // s_load_dwordx4 s[20:23], s[0:1], 0x20
    0xbf8cc07f,             // s_waitcnt lgkmcnt(0)
    0x92031402,             // s_mul_i32 s3, s2, s20
    0x68000003,             // v_add_u32_e32 v0, s3, v0
    0x7e1c0300,             // v_mov_b32_e32 v14, v0
    0x241e0086,             // v_lshlrev_b32_e32 v15, 6, v0
    0x6800000b,             // v_add_u32_e32 v0, s11, v0
    0x7d88000a,             // v_cmp_gt_i32_e32 vcc, s10, v0
    0xbe8e206a,             // s_and_saveexec_b64 s[14:15], vcc
    0xbf880025,             // s_cbranch_execz end
    0x86fe167e,             // s_and_b64 exec, exec, s[22:23]
    0x2202009f,             // v_ashrrev_i32_e32 v1, 31, v0
    0xd28f0002, 0x00020082, // v_lshlrev_b64 v[2:3], 2, v[0:1]
    0x7e080205,             // v_mov_b32_e32 v4, s5
    0x320c0404,             // v_add_co_u32_e32 v6, vcc, s4, v2
    0x380e0704,             // v_addc_co_u32_e32 v7, vcc, v4, v3, vcc
    0xdc508004, 0x057f0006, // global_load_dword v5, v[6:7], off offset:4
    0xdc508000, 0x067f0006, // global_load_dword v6, v[6:7], off
    0x7e080207,             // v_mov_b32_e32 v4, s7
    0x32100406,             // v_add_co_u32_e32 v8, vcc, s6, v2
    0x38120704,             // v_addc_co_u32_e32 v9, vcc, v4, v3, vcc
    0xbf8c0f70,             // s_waitcnt vmcnt(0)
    0x680a0d05,             // v_add_u32_e32 v5, v5, v6
    0xdc708000, 0x007f0508, // global_store_dword v[8:9], v5, off
    0xbf8c0f73,             // s_waitcnt vmcnt(3)
    0x80038503,             // s_add_u32 s3, s3, 5
    0xbf078015,             // s_cmp_lg_u32 s21, 0
    0xbf850010,             // s_cbranch_scc1 other
    0x7e060505,             // v_readfirstlane_b32 s3, v5
    0x7e14026a,             // v_mov_b32_e32 v10, vcc_lo
    0x7e16020e,             // v_mov_b32_e32 v11, s14
    0x7e180203,             // v_mov_b32_e32 v12, s3
    0xbe90007f,             // s_mov_b32 s16, exec_hi
    0x7e1a0210,             // v_mov_b32_e32 v13, s16
    0xbf8c0f70,             // s_waitcnt vmcnt(0)
    0xdc7c8000, 0x0008000f, // global_store_dwordx4 v15, v[0:3], s[8:9]
    0xdc7c8010, 0x0008040f, // global_store_dwordx4 v15, v[4:7], s[8:9] offset:16
    0xdc7c8020, 0x0008080f, // global_store_dwordx4 v15, v[8:11], s[8:9] offset:32
    0xdc788030, 0x00080c0f, // global_store_dwordx3 v15, v[12:14], s[8:9] offset:48
    0xbf810000,             // s_endpgm
    0x681c1c81,             // v_add_u32_e32 v14, 1, v14
    0x80958115,             // s_sub_u32 s21, s21, 1
    0xbf078015,             // s_cmp_lg_u32 s21, 0
    0xbf85fffc,             // s_cbranch_scc1 other
    0x7e14026a,             // v_mov_b32_e32 v10, vcc_lo
    0x7e16020e,             // v_mov_b32_e32 v11, s14
    0x7e180203,             // v_mov_b32_e32 v12, s3
    0xbe90007f,             // s_mov_b32 s16, exec_hi
    0x7e1a0210,             // v_mov_b32_e32 v13, s16
    0xbf8c0f70,             // s_waitcnt vmcnt(0)
    0xdc7c8000, 0x0008000f, // global_store_dwordx4 v15, v[0:3], s[8:9]
    0xdc7c8010, 0x0008040f, // global_store_dwordx4 v15, v[4:7], s[8:9] offset:16
    0xdc7c8020, 0x0008080f, // global_store_dwordx4 v15, v[8:11], s[8:9] offset:32
    0xdc788030, 0x00080c0f, // global_store_dwordx3 v15, v[12:14], s[8:9] offset:48
    0xbf810000,             // s_endpgm
];

/// Leaves something else in the registers.
#[rustfmt::skip]
const POISON: &[u32] = &[
    0x7e0002ff, 0x00000055, // v_mov_b32_e32 v0, 0x55
    0x7e0202ff, 0x00005555, // v_mov_b32_e32 v1, 0x5555
    0x7e040301,             // v_mov_b32_e32 v2, v1
    0x7e060301,             // v_mov_b32_e32 v3, v1
    0x7e080301,             // v_mov_b32_e32 v4, v1
    0x7e0a0301,             // v_mov_b32_e32 v5, v1
    0x7e0c0301,             // v_mov_b32_e32 v6, v1
    0x7e0e0301,             // v_mov_b32_e32 v7, v1
    0x7e100301,             // v_mov_b32_e32 v8, v1
    0x7e120301,             // v_mov_b32_e32 v9, v1
    0x7e1c0301,             // v_mov_b32_e32 v14, v1
    0x7e1e0301,             // v_mov_b32_e32 v15, v1
    0x7e20027f,             // v_mov_b32_e32 v16, exec_hi
    0xbf810000,             // s_endpgm
];

/// The scalar instruction that reads a lane, for which the waves are disbanded; without it they are at the dump.
const READ_LANE: u32 = 0x7e060505;
/// The wait behind the store; without it another region may follow, and the store is not joined to the loads.
const WAIT: u32 = 0xbf8c_0f73;
/// The first of the two loads.
const FIRST_LOAD: [u32; 2] = [0xdc50_8004, 0x057f_0006];
/// v_mov_b32 v5, 0
const ZERO: u32 = 0x7e0a_0280;
/// s_nop
const NOTHING: u32 = 0xbf80_0000;

const LIMIT: Duration = Duration::from_secs(200);
const LOW: u64 = 0x1_ffff_e000;
const BYTES: usize = 0x4000;
const GROUPS: u32 = 3;

#[derive(Clone, Copy, Debug)]
struct Case {
    source: u64,
    target: u64,
    bound: u32,
    index: i32,
    items: u16,
    rounds: u32,
    exec: u64,
    reads_lane: bool,
    /// Without that, it goes on at once behind the store.
    waits: bool,
    /// There is one load only.
    single: bool,
    /// Items that the last workgroup lacks.
    missing: u32,
}

/// Items from 1024 on do not fit.
const PLAIN: Case = Case {
    source: LOW,
    target: LOW + 0x2000,
    bound: 2000,
    index: 0,
    items: 256,
    rounds: 0,
    exec: !0,
    reads_lane: false,
    waits: true,
    single: false,
    missing: 0,
};

/// What memory holds afterwards, or the fault; and how many workgroups ran in line.
fn run(kind: EngineKind, case: Case, away: bool) -> (Result<Vec<u32>, String>, u64) {
    let card = Card::with_engine(1, kind);
    let pages = Pages::new(BYTES);
    // SAFETY: nothing else refers to the pages; they outlive the card.
    unsafe { card.space.map(LOW, BYTES as u64, pages.host, Rights::ALL) }.expect("a free address");
    let words: Vec<u32> = (0..BYTES as u32 / 4).map(|n| n * 0x0101).collect();
    card.write(LOW, &words);
    let replaced = |word: u32| match word {
        READ_LANE if !case.reads_lane => NOTHING,
        WAIT if !case.waits => NOTHING,
        word if case.single && word == FIRST_LOAD[0] => ZERO,
        word if case.single && word == FIRST_LOAD[1] => NOTHING,
        word => word,
    };
    let code: Vec<u32> = PROGRAM.iter().copied().map(replaced).collect();
    let vas = [case.source, case.target, DATA];
    let mut args: Vec<u32> = vas.iter().flat_map(|va| [*va as u32, (*va >> 32) as u32]).collect();
    args.extend([case.bound, case.index as u32, case.items.into(), case.rounds]);
    args.extend([case.exec as u32, (case.exec >> 32) as u32]);
    card.write(KERNARG, &args);
    let grid = u32::from(case.items) * GROUPS - case.missing;
    let mut results = Vec::new();
    // The second time, translations are known.
    for round in 0..2 {
        card.write(CODE, POISON);
        assert_eq!(card.run(&card.dispatch([grid, 1, 1], [case.items, 1, 1])), Outcome::Done);
        card.write(CODE, &code);
        if away && round == 1 {
            let at = pages.host as usize + 0x1000;
            AWAY[0].store(at, Ordering::SeqCst);
            AWAY[1].store(0x1000, Ordering::SeqCst);
            // SAFETY: the page is this function's.
            assert_eq!(unsafe { libc::mprotect(at as *mut _, 0x1000, libc::PROT_NONE) }, 0);
        }
        match card.run(&card.dispatch([grid, 1, 1], [case.items, 1, 1])) {
            Outcome::Done => {}
            Outcome::Fault(report) => {
                let text = format!("{} {:#x} {:?} {}", report.kind, report.pc, report.lane, report.wave);
                return (Err(text), card.engine.workgroups_in_line());
            }
            other => panic!("{other:?}"),
        }
        assert!(!away || AWAY[1].load(Ordering::SeqCst) == 0, "nobody has missed the page");
        results.extend(card.read(LOW, words.len()));
        results.extend(card.read(DATA, 16 * grid as usize));
    }
    let in_line = card.engine.workgroups_in_line();
    (Ok(results), in_line)
}

/// Whether this engine runs workgroups in line.
fn runs_in_line(kind: EngineKind) -> bool {
    kind.to_string() == "avx512"
}

/// Every engine does what the interpreter does. Returns how many workgroups ran in line on the one that does that.
fn agree(case: Case) -> u64 {
    let (expected, alone) = run(EngineKind::Interpreter, case, false);
    assert_eq!(alone, 0, "the interpreter runs each wave by itself");
    let mut most = 0;
    for kind in &EngineKind::available()[1..] {
        let (found, in_line) = run(*kind, case, false);
        assert!(in_line == 0 || runs_in_line(*kind));
        most = most.max(in_line);
        match (&expected, &found) {
            (Ok(expected), Ok(found)) => {
                let differs = (0..expected.len()).find(|n| expected[*n] != found[*n]);
                if let Some(at) = differs {
                    panic!("{kind} {case:?}: dword {at:#x} is {:#x}, not {:#x}", found[at], expected[at]);
                }
            }
            (Err(expected), Err(found)) => assert_eq!(expected, found, "{kind} {case:?}"),
            _ => panic!("{kind} {case:?}: {expected:?}, but {found:?}"),
        }
    }
    most
}

/// Workgroups that may have run in line, of two dispatches: the very first one finds no translations.
const ALL: u64 = 2 * GROUPS as u64 - 1;

#[test]
fn waves_in_line_do_what_they_do_alone() {
    watchdog(LIMIT);
    let best = EngineKind::best();
    for items in [128, 256, 512] {
        for (rounds, reads_lane, waits) in
            [(0, false, true), (0, true, false), (1, false, true), (1, true, false), (3, true, true)]
        {
            let case = Case { items, rounds, reads_lane, waits, ..PLAIN };
            let in_line = agree(case);
            // With rounds, waves part at the branch; otherwise they are disbanded at what comes next.
            let expected = if rounds == 0 || !runs_in_line(best) { 0 } else { ALL };
            assert_eq!(in_line, expected, "{case:?}");
        }
    }
}

#[test]
fn waves_in_line_end_where_no_item_is_below_the_bound() {
    watchdog(LIMIT);
    for bound in [0, 255, 256, 300, 320, 512, 700, u32::MAX, 1 << 31] {
        for missing in [0, 64, 70, 200] {
            agree(Case { bound, missing, ..PLAIN });
        }
    }
    for exec in [0, 1, !1, 1 << 63, 0xffff_ffff] {
        for rounds in [0, 2] {
            agree(Case { exec, rounds, ..PLAIN });
        }
    }
    // Neither the first item nor the last one is below the bound, but some in between are.
    agree(Case { bound: 0x8000_0002, index: i32::MAX - 100, ..PLAIN });
    let none = agree(Case { bound: 0, ..PLAIN });
    assert_eq!(none, if runs_in_line(EngineKind::best()) { 2 * u64::from(GROUPS) } else { 0 });
}

#[test]
fn addresses_that_are_not_affine_over_all_waves() {
    watchdog(LIMIT);
    let middle = LOW + 0x2000;
    let places = [
        (LOW, LOW + 0x1000, 0),
        (middle - 0x200, LOW, 0),
        (LOW + 0x2c, middle - 0x284, 0),
        // Indices change their sign, and the last one wraps around.
        (middle, middle + 0x1000, -300),
        (middle, middle + 0x1000, i32::MIN),
        (LOW, LOW + 0x1000, i32::MAX - 300),
        (LOW + 2, LOW + 0x1002, 1),
        // The last waves leave the mapping.
        (LOW + BYTES as u64 - 0x700, LOW, 0),
        (LOW, LOW + BYTES as u64 - 0x310, 0),
        (LOW - 0x40, LOW, 0),
    ];
    for (source, target, index) in places {
        for (rounds, reads_lane) in [(0, true), (1, false)] {
            agree(Case { source, target, index, rounds, reads_lane, ..PLAIN });
        }
    }
}

#[test]
fn memory_that_is_away_for_a_moment() {
    watchdog(LIMIT);
    let kind = EngineKind::best();
    // Loads, then stores find the page inaccessible, in a wave's first strip and in others.
    for (source, target) in [(0xe40, 0x2000), (0xfb0, 0x2000), (0x2000, 0xe40), (0x2000, 0xf7c)] {
        for (rounds, reads_lane) in [(0, false), (0, true), (2, false)] {
            let [source, target] = [source, target].map(|at| LOW + at);
            for waits in [false, true] {
                let case = Case { source, target, rounds, reads_lane, waits, ..PLAIN };
                let (expected, _) = run(kind, case, false);
                let (found, _) = run(kind, case, true);
                assert!(expected.is_ok() && expected == found, "{case:?}");
            }
        }
    }
}

/// In a wave, every lane loads before any lane stores, also where it is done strip by strip.
#[test]
fn no_load_sees_what_another_lane_stores() {
    watchdog(LIMIT);
    let original = |n: usize| n as u32 * 0x0101;
    for kind in EngineKind::available() {
        for apart in [0, 4, 16, 48] {
            let case = Case { source: LOW, target: LOW + 4 * apart as u64, single: true, rounds: 1, ..PLAIN };
            let (found, in_line) = run(*kind, case, false);
            let found = found.expect("no fault");
            // Of the first dispatch. The first lanes of a wave load what the wave before it stores, or has not stored yet.
            for item in (0..768).filter(|item| item % 64 >= apart) {
                assert_eq!(found[item + apart], original(item), "{kind}: item {item}, {apart} apart");
            }
            let expected = if apart == 0 && runs_in_line(*kind) { ALL } else { 0 };
            assert_eq!(in_line, expected, "{kind}: {apart} apart");
        }
    }
}
