//! What waves start with, how they meet, and that nothing starves.

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::{CODE, Card, DATA, KERNARG, engine, on_each_engine, programs, watchdog};
use vega_exec::{CancelToken, Engine, EngineConfig, Host, NoHost, Outcome, Rights};

const LIMIT: Duration = Duration::from_secs(200);

/// Low and high word of an address.
fn address(va: u64) -> [u32; 2] {
    [va as u32, (va >> 32) as u32]
}

fn args(va: u64, rest: &[u32]) -> Vec<u32> {
    address(va).into_iter().chain(rest.iter().copied()).collect()
}

/// Every work-item of the grid finds its ids and its workgroup's, and EXEC has a bit for each item.
fn check_ids(grid: [u32; 3], workgroup: [u16; 3]) {
    let card = Card::new(2);
    let [wx, wy, wz] = workgroup.map(u32::from);
    let groups = [grid[0].div_ceil(wx), grid[1].div_ceil(wy), grid[2].div_ceil(wz)];
    // The program numbers items by the whole workgroup, and ignores z of the workgroup id.
    assert_eq!(groups[2], 1);
    let items = wx * wy * wz;
    card.run_code(programs::EXEC_IDS, &args(DATA, &[items, groups[0], wx, wy]), grid, workgroup);
    for gy in 0..groups[1] {
        for gx in 0..groups[0] {
            let size = [wx.min(grid[0] - gx * wx), wy.min(grid[1] - gy * wy), wz.min(grid[2])];
            let count = size.iter().product::<u32>();
            for z in 0..wz {
                for y in 0..wy {
                    for x in 0..wx {
                        let item = z * wx * wy + y * wx + x;
                        let at = DATA + 32 * u64::from((gy * groups[0] + gx) * items + item);
                        let found = card.read(at, 8);
                        if x >= size[0] || y >= size[1] || z >= size[2] {
                            assert_eq!(found, [0; 8], "no such item: {x} {y} {z} of {gx} {gy}");
                            continue;
                        }
                        let flat = (z * size[1] + y) * size[0] + x;
                        let lanes = (count - flat / 64 * 64).min(64);
                        let exec = if lanes == 64 { !0 } else { (1u64 << lanes) - 1 };
                        let [low, high] = address(exec);
                        assert_eq!(found, [x, y, z, gx, gy, 0, low, high], "{x} {y} {z} of {gx} {gy}");
                    }
                }
            }
        }
    }
}

#[test]
fn waves_know_their_ids() {
    on_each_engine(|| {
        watchdog(LIMIT);
        check_ids([256, 1, 1], [64, 1, 1]);
        check_ids([100, 1, 1], [64, 1, 1]);
        check_ids([40, 20, 1], [16, 16, 1]);
        check_ids([9, 7, 5], [9, 4, 5]);
        check_ids([1024, 2, 1], [1024, 1, 1]);
        check_ids([1, 1, 1], [1, 1, 1]);
    });
}

#[test]
fn a_grid_of_nothing_runs_nothing() {
    on_each_engine(|| {
        let card = Card::new(1);
        card.run_code(programs::SET_FLAG, &args(DATA, &[]), [0, 1, 1], [64, 1, 1]);
        assert_eq!(card.read(DATA, 1), [0]);
    });
}

#[test]
fn waves_resume_behind_a_barrier() {
    on_each_engine(|| {
        watchdog(LIMIT);
        for (threads, items) in [(1, 1024), (2, 1024), (2, 192), (1, 100)] {
            let card = Card::new(threads);
            let groups = 50;
            card.run_code(
                programs::REVERSE,
                &args(DATA, &[items]),
                [items * groups, 1, 1],
                [items as u16, 1, 1],
            );
            for group in 0..groups {
                let found = card.read(DATA + u64::from(4 * group * items), items as usize);
                assert_eq!(found, (0..items).rev().collect::<Vec<_>>(), "workgroup {group}");
            }
        }
    });
}

#[test]
fn a_spinning_workgroup_does_not_keep_others_from_starting() {
    on_each_engine(|| {
        watchdog(LIMIT);
        for threads in [1, 2] {
            let card = Card::new(threads);
            // As many as the card holds: each has the whole LDS of a compute unit.
            let groups = 56;
            card.run_code(programs::SPIN_ON_NEXT, &args(DATA, &[groups]), [64 * groups, 1, 1], [64, 1, 1]);
            assert_eq!(card.read(DATA, groups as usize), vec![1; groups as usize]);
        }
    });
}

#[test]
fn a_spinning_wave_does_not_keep_its_workgroup_from_running() {
    on_each_engine(|| {
        watchdog(LIMIT);
        let card = Card::new(1);
        card.run_code(programs::SPIN_IN_GROUP, &args(DATA, &[960]), [1024, 1, 1], [1024, 1, 1]);
        assert_eq!(card.read(DATA, 1), [42]);
    });
}

#[test]
fn a_spinning_dispatch_does_not_keep_other_queues_from_running() {
    on_each_engine(|| {
        watchdog(LIMIT);
        for threads in [1, 2] {
            let card = Card::new(threads);
            let second = CODE + 0x1000;
            card.write(CODE, programs::WAIT_FOR_FLAG);
            card.write(second, programs::SET_FLAG);
            card.write(KERNARG, &args(DATA, &[]));
            let spinning = card.dispatch([6400, 1, 1], [64, 1, 1]);
            let mut setting = card.dispatch([64, 1, 1], [64, 1, 1]);
            setting.entry_va = second;
            std::thread::scope(|scope| {
                let waiter = scope.spawn(|| card.run(&spinning));
                std::thread::sleep(Duration::from_millis(30));
                assert_eq!(card.run(&setting), Outcome::Done);
                assert_eq!(waiter.join().expect("no panic"), Outcome::Done);
            });
            assert_eq!(card.read(DATA, 2), [7, 7]);
        }
    });
}

#[test]
fn the_host_can_release_a_spinning_kernel() {
    on_each_engine(|| {
        watchdog(LIMIT);
        let card = Card::new(1);
        card.write(CODE, programs::WAIT_FOR_FLAG);
        card.write(KERNARG, &args(DATA, &[]));
        let dispatch = card.dispatch([64, 1, 1], [64, 1, 1]);
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| card.run(&dispatch));
            std::thread::sleep(Duration::from_millis(30));
            card.space.write(DATA, 9u32).expect("mapped");
            assert_eq!(waiter.join().expect("no panic"), Outcome::Done);
        });
        assert_eq!(card.read(DATA + 4, 1), [9]);
    });
}

#[test]
fn a_dispatch_that_never_ends_can_be_cancelled() {
    on_each_engine(|| {
        watchdog(LIMIT);
        let card = Card::new(2);
        for code in [programs::FOREVER, programs::JUMP_FOREVER, programs::MEET_FOREVER] {
            card.write(CODE, code);
            let dispatch = card.dispatch([64 * 1000, 1, 1], [64, 1, 1]);
            let cancel = CancelToken::new();
            std::thread::scope(|scope| {
                let run = scope.spawn(|| card.engine.run(&card.space, &dispatch, &card.host, &cancel));
                std::thread::sleep(Duration::from_millis(30));
                cancel.cancel();
                assert_eq!(run.join().expect("no panic"), Outcome::Canceled);
            });
        }
    });
}

#[test]
fn many_queues_share_one_engine() {
    on_each_engine(|| {
        watchdog(LIMIT);
        let engine = Engine::new(EngineConfig { kind: engine(), threads: 2, ..EngineConfig::default() })
            .expect("threads start");
        std::thread::scope(|scope| {
            for queue in 0..6u32 {
                let engine = Arc::clone(&engine);
                scope.spawn(move || {
                    let mut card = Card::new(1);
                    card.engine = engine;
                    for round in 0..20 {
                        let items = 64 + 32 * ((queue + round) % 5);
                        let grid = [items * 20, 1, 1];
                        card.run_code(programs::REVERSE, &args(DATA, &[items]), grid, [items as u16, 1, 1]);
                        let found = card.read(DATA + u64::from(4 * 19 * items), items as usize);
                        assert_eq!(found, (0..items).rev().collect::<Vec<_>>());
                    }
                });
            }
        });
    });
}

#[test]
fn code_that_changed_is_decoded_again() {
    on_each_engine(|| {
        let card = Card::new(1);
        for value in 0..100u32 {
            // s_mov_b32 s8, value; then as SET_FLAG.
            let mut code = vec![0x7e04_02ff, value, 0x7e02_0280];
            code.extend(&programs::SET_FLAG[..2]);
            // s_waitcnt lgkmcnt(0); global_store_dword v1, v2, s[6:7]; s_endpgm
            code.extend([0xbf8c_c07f, 0xdc70_8000, 0x0006_0201, 0xbf81_0000]);
            card.run_code(&code, &args(DATA, &[]), [64, 1, 1], [64, 1, 1]);
            assert_eq!(card.read(DATA, 1), [value]);
        }
    });
}

#[test]
fn calls_go_there_and_come_back() {
    on_each_engine(|| {
        let card = Card::new(1);
        card.run_code(programs::CALL, &args(DATA, &[]), [64, 1, 1], [64, 1, 1]);
        assert_eq!(card.read(DATA, 64), (0..64).map(|lane| 4 * lane).collect::<Vec<_>>());
    });
}

#[test]
fn vector_registers_can_be_indexed() {
    on_each_engine(|| {
        let card = Card::new(1);
        for index in 0..4u32 {
            card.run_code(programs::GPR_INDEX, &args(DATA, &[index]), [64, 1, 1], [64, 1, 1]);
            let mut expected = [0; 4];
            expected[index as usize] = 100 + index;
            assert_eq!(card.read(DATA + 16 * 63, 4), expected);
        }
    });
}

#[test]
fn mode_changes_take_effect_at_once() {
    on_each_engine(|| {
        let card = Card::new(1);
        card.run_code(programs::SETREG_FLUSH, &args(DATA, &[]), [64, 1, 1], [64, 1, 1]);
        assert_eq!(card.read(DATA, 2), [0, 0x40_0000]);
    });
}

#[test]
fn flat_addresses_reach_lds_private_and_global_memory() {
    on_each_engine(|| {
        let mut card = Card::new(1);
        let scratch = 0x900_0000u64;
        card.map(scratch, 0x1_0000, Rights::READ_WRITE);
        let apertures = [1 << 16, 2 << 16];
        let args = args(DATA, &[apertures[0], apertures[1], scratch as u32, 0]);
        card.run_code(programs::FLAT_APERTURES, &args, [64, 1, 1], [64, 1, 1]);
        assert_eq!(card.read(DATA + 1024, 64), (1000..1064).collect::<Vec<_>>());
        for lane in 0..64u64 {
            let global = if lane % 4 == 0 || lane % 4 == 3 { 1000 + lane as u32 } else { 0 };
            assert_eq!(card.read(DATA + 4 * lane, 1), [global], "global memory of lane {lane}");
            // Offset 16 of a lane is dword 4 of 64 interleaved ones.
            let private = if lane % 4 == 2 { 1000 + lane as u32 } else { 0 };
            assert_eq!(
                card.read(scratch + 4 * (4 * 64 + lane), 1),
                [private],
                "private memory of lane {lane}"
            );
        }
    });
}

#[test]
fn a_dispatch_that_asks_too_much_is_refused() {
    on_each_engine(|| {
        let card = Card::new(1);
        let host: Arc<dyn Host> = Arc::new(NoHost);
        for (workgroup, lds) in [([1025, 1, 1], 0), ([64, 17, 1], 0), ([64, 1, 1], 0x1_0001), ([0, 1, 1], 0)]
        {
            let mut dispatch = card.dispatch([64, 64, 1], workgroup);
            dispatch.lds_bytes = lds;
            let outcome = card.engine.run(&card.space, &dispatch, &host, &CancelToken::new());
            assert!(matches!(outcome, Outcome::Fault(_)), "{workgroup:?} {lds}");
        }
    });
}
