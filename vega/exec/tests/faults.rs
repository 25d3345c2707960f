//! Faults of kernels: what is told, and that nothing breaks.

mod common;

use std::time::Duration;

use common::{CODE, Card, DATA, KERNARG, Pages, engine, on_each_engine, programs, watchdog};
use vega_exec::{
    Access, Engine, EngineConfig, FaultKind, FaultReason, GuestFault, KernelProperties, Outcome, Position,
    Rights, Scratch, WaveState,
};

const LIMIT: Duration = Duration::from_secs(200);

/// Where a test maps memory of its own.
const OWN: u64 = 0x5000_0000;

fn args(va: u64) -> [u32; 2] {
    [va as u32, (va >> 32) as u32]
}

/// Addresses for LOAD_EACH: DATA for every lane but one.
fn one_bad_lane(lane: usize, va: u64) -> Vec<u32> {
    (0..64).flat_map(|at| args(if at == lane { va } else { DATA + 4 * at as u64 })).collect()
}

#[test]
fn an_unmapped_address_names_lane_and_address() {
    on_each_engine(|| {
        let card = Card::new(1);
        for lane in [0, 17, 63] {
            let report =
                card.fault(programs::LOAD_EACH, &one_bad_lane(lane, 0xdead_0000), [128, 1, 1], [64, 1, 1]);
            let fault = GuestFault { va: 0xdead_0000, access: Access::Read, reason: FaultReason::NotMapped };
            assert_eq!(report.kind, FaultKind::Memory(fault));
            assert_eq!(report.lane, Some(lane as u32));
            assert_eq!((report.wave, report.exec), (0, !0));
            let address = report.registers.iter().find(|r| r.registers.to_string() == "v[2:3]");
            assert_eq!(address.expect("the address registers").values, [0xdead_0000, 0]);
            // The third instruction: behind v_lshlrev, an 8-byte load and s_waitcnt.
            assert_eq!(report.pc, CODE + 16);
            assert_eq!(report.words[..2], [0xdc50_8000, 0x047f_0002]);
            assert!(report.to_string().contains("0xdead0000"), "{report}");
            // The engine goes on.
            card.run_code(programs::SET_FLAG, &args(DATA), [64, 1, 1], [64, 1, 1]);
            assert_eq!(card.read(DATA, 1), [7]);
        }
    });
}

#[test]
fn inactive_lanes_do_not_fault() {
    on_each_engine(|| {
        let card = Card::new(1);
        // Only 17 lanes are active: lane 17's bad address does not matter.
        card.run_code(programs::LOAD_EACH, &one_bad_lane(17, 0xdead_0000), [17, 1, 1], [64, 1, 1]);
    });
}

#[test]
fn rights_are_those_of_the_mapping() {
    on_each_engine(|| {
        let mut card = Card::new(1);
        card.map(OWN, 0x1000, Rights::READ);
        let report = card.fault(programs::SET_FLAG, &args(OWN), [64, 1, 1], [64, 1, 1]);
        let fault = GuestFault { va: OWN, access: Access::Write, reason: FaultReason::NoRight };
        assert_eq!(report.kind, FaultKind::Memory(fault));
        // Code needs a right of its own.
        let mut dispatch = card.dispatch([64, 1, 1], [64, 1, 1]);
        dispatch.entry_va = OWN;
        let Outcome::Fault(report) = card.run(&dispatch) else { panic!("readable memory was executed") };
        let fault = GuestFault { va: OWN, access: Access::Execute, reason: FaultReason::NoRight };
        assert_eq!(report.kind, FaultKind::Memory(fault));
        assert_eq!(report.pc, OWN);
    });
}

#[test]
fn an_atomic_operation_must_be_aligned() {
    on_each_engine(|| {
        let card = Card::new(1);
        let report = card.fault(programs::ATOMIC_MISALIGNED, &args(DATA), [64, 1, 1], [64, 1, 1]);
        let fault = GuestFault { va: DATA + 2, access: Access::Atomic, reason: FaultReason::Misaligned };
        assert_eq!(report.kind, FaultKind::Memory(fault));
    });
}

#[test]
fn words_that_are_no_instruction_and_traps_are_told_apart() {
    on_each_engine(|| {
        let card = Card::new(1);
        let report = card.fault(programs::ILLEGAL, &[], [64, 1, 1], [64, 1, 1]);
        assert!(matches!(report.kind, FaultKind::IllegalInstruction { .. }), "{report}");
        assert_eq!((report.pc, report.words[0]), (CODE + 4, 0xbfff_0000));
        let report = card.fault(programs::TRAP, &[], [64, 1, 1], [64, 1, 1]);
        assert_eq!((report.kind, report.pc), (FaultKind::Trap(2), CODE));
    });
}

/// The scratch buffer resource of gfx9 (`AqlQueue::FillBufRsrcWord3` in ROCr): swizzled, 64 lanes side by side.
fn scratch_resource(va: u64, bytes: u32) -> [u32; 4] {
    let [low, high] = args(va);
    [low, high | 1 << 31, bytes, 0x00ea_4fac]
}

#[test]
fn a_full_stack_is_a_fault_before_it_reaches_another_wave() {
    on_each_engine(|| {
        const LANE_BYTES: u32 = 64;
        let mut card = Card::new(1);
        let bytes = 64 * LANE_BYTES * 4;
        // The memory goes on behind the waves' parts: nothing but their bounds stops the store.
        card.map(OWN, 2 * bytes as usize, Rights::READ_WRITE);
        let ways = [
            (programs::FILL_STACK, KernelProperties::PRIVATE_SEGMENT_BUFFER, 4, "buffer_store_dword"),
            (programs::FILL_STACK_FLAT, KernelProperties::FLAT_SCRATCH_INIT, 2, "scratch_store_dword"),
        ];
        for (code, properties, sgprs, name) in ways {
            card.write(CODE, code);
            let mut dispatch = card.dispatch([256, 1, 1], [256, 1, 1]);
            dispatch.rsrc2 = 1 | sgprs << 1;
            dispatch.properties = properties;
            dispatch.private_segment_bytes = LANE_BYTES;
            let srd = scratch_resource(OWN, bytes);
            dispatch.scratch = Some(Scratch { va: OWN, srd, wave_bytes: 64 * LANE_BYTES, waves: 4 });
            let Outcome::Fault(report) = card.run(&dispatch) else { panic!("{name} went on") };
            let va = OWN + u64::from(64 * LANE_BYTES);
            let fault = GuestFault { va, access: Access::Write, reason: FaultReason::BeyondScratch };
            assert_eq!((report.kind, report.wave, report.lane), (FaultKind::Memory(fault), 0, Some(0)));
            let inst = vega_isa::decode(&report.words).expect("an instruction");
            assert_eq!((inst.row.mnemonic, inst.modifiers.offset), (name, LANE_BYTES as i32));
            assert_eq!(card.read(va - 4, 2), [7, 0], "the last dword of lane 63, the first of another wave");
        }
    });
}

#[test]
fn a_watchdog_ends_what_never_ends() {
    on_each_engine(|| {
        watchdog(LIMIT);
        let limit = Duration::from_millis(50);
        for code in [programs::FOREVER, programs::JUMP_FOREVER, programs::MEET_FOREVER] {
            for threads in [1, 2] {
                let mut card = Card::new(threads);
                card.engine = Engine::new(EngineConfig {
                    kind: engine(),
                    threads,
                    watchdog: Some(limit),
                    ..EngineConfig::default()
                })
                .expect("threads start");
                let report = card.fault(code, &[], [64 * 100, 1, 1], [256, 1, 1]);
                assert_eq!(report.kind, FaultKind::Watchdog { limit });
                assert!((CODE..CODE + 8).contains(&report.pc), "{report}");
                assert!(report.to_string().contains("for more than 50ms"), "{report}");
                // What ends in time is left alone.
                card.run_code(programs::SET_FLAG, &args(DATA), [64, 1, 1], [64, 1, 1]);
            }
        }
    });
}

#[test]
fn the_watchdog_tells_where_all_waves_are() {
    on_each_engine(|| {
        watchdog(LIMIT);
        let mut card = Card::new(1);
        let config = EngineConfig {
            kind: engine(),
            threads: 1,
            watchdog: Some(Duration::from_millis(50)),
            ..EngineConfig::default()
        };
        card.engine = Engine::new(config).expect("threads start");
        let report = card.fault(programs::PART_AT_BARRIER, &[], [256, 1, 1], [256, 1, 1]);
        let at = |waves, state| Position { pc: CODE + 12, state, waves };
        assert_eq!(report.positions, [at(3, WaveState::Running), at(1, WaveState::AtBarrier)]);
        assert_eq!((report.wave, report.pc), (1, CODE + 12), "not the one that waits");
    });
}

#[test]
fn memory_that_the_host_takes_away_under_a_kernel_is_a_fault() {
    on_each_engine(|| {
        watchdog(LIMIT);
        for threads in [1, 2] {
            let card = Card::new(threads);
            let pages = Pages::new(0x1000);
            // SAFETY: nothing else refers to the pages; they outlive the dispatch.
            unsafe { card.space.map(OWN, 0x1000, pages.host, Rights::READ_WRITE) }.expect("free address");
            card.write(CODE, programs::STORE_LOOP);
            card.write(KERNARG, &args(OWN));
            let dispatch = card.dispatch([256, 1, 1], [64, 1, 1]);
            std::thread::scope(|scope| {
                let run = scope.spawn(|| card.run(&dispatch));
                while card.read(OWN, 1) == [0] {
                    std::thread::yield_now();
                }
                pages.protect();
                let Outcome::Fault(report) = run.join().expect("no panic") else { panic!("no fault") };
                let FaultKind::Memory(fault) = report.kind else { panic!("{report}") };
                assert_eq!((fault.access, fault.reason), (Access::Write, FaultReason::HostMemoryGone));
                assert_eq!(fault.va, OWN + 4 * u64::from(report.lane.expect("a lane")));
            });
        }
    });
}

#[test]
fn memory_can_be_unmapped_while_a_kernel_uses_it() {
    on_each_engine(|| {
        watchdog(LIMIT);
        for threads in [1, 2] {
            let card = Card::new(threads);
            let pages = Pages::new(0x1000);
            // SAFETY: nothing else refers to the pages; they are unmapped below.
            unsafe { card.space.map(OWN, 0x1000, pages.host, Rights::READ_WRITE) }.expect("free address");
            card.write(CODE, programs::STORE_LOOP);
            card.write(KERNARG, &args(OWN));
            let dispatch = card.dispatch([256, 1, 1], [64, 1, 1]);
            std::thread::scope(|scope| {
                let run = scope.spawn(|| card.run(&dispatch));
                while card.read(OWN, 1) == [0] {
                    std::thread::yield_now();
                }
                card.space.unmap(OWN, 0x1000);
                // Nobody writes there any more: the pages can serve another purpose.
                // SAFETY: unmapped: the pages are this test's again.
                unsafe { pages.host.write_bytes(0, 0x1000) };
                let Outcome::Fault(report) = run.join().expect("no panic") else { panic!("no fault") };
                let FaultKind::Memory(fault) = report.kind else { panic!("{report}") };
                assert_eq!((fault.access, fault.reason), (Access::Write, FaultReason::NotMapped));
            });
            // SAFETY: as above.
            let bytes = unsafe { std::slice::from_raw_parts(pages.host, 0x1000) };
            assert!(bytes.iter().all(|b| *b == 0), "a kernel wrote to memory after it was unmapped");
        }
    });
}
