//! Faults of kernels: what is told, and that nothing breaks.

mod common;

use std::time::Duration;

use common::{CODE, Card, DATA, KERNARG, Pages, programs, watchdog};
use vega_exec::{Access, FaultKind, FaultReason, GuestFault, Outcome, Rights};

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
    let card = Card::new(1);
    for lane in [0, 17, 63] {
        let report =
            card.fault(programs::LOAD_EACH, &one_bad_lane(lane, 0xdead_0000), [128, 1, 1], [64, 1, 1]);
        let fault = GuestFault { va: 0xdead_0000, access: Access::Read, reason: FaultReason::NotMapped };
        assert_eq!(report.kind, FaultKind::Memory(fault));
        assert_eq!(report.lane, Some(lane as u32));
        assert_eq!((report.wave, report.exec), (0, !0));
        // The third instruction: behind v_lshlrev, an 8-byte load and s_waitcnt.
        assert_eq!(report.pc, CODE + 16);
        assert_eq!(report.words[..2], [0xdc50_8000, 0x047f_0002]);
        assert!(report.to_string().contains("0xdead0000"), "{report}");
        // The engine goes on.
        card.run_code(programs::SET_FLAG, &args(DATA), [64, 1, 1], [64, 1, 1]);
        assert_eq!(card.read(DATA, 1), [7]);
    }
}

#[test]
fn inactive_lanes_do_not_fault() {
    let card = Card::new(1);
    // Only 17 lanes are active: lane 17's bad address does not matter.
    card.run_code(programs::LOAD_EACH, &one_bad_lane(17, 0xdead_0000), [17, 1, 1], [64, 1, 1]);
}

#[test]
fn rights_are_those_of_the_mapping() {
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
}

#[test]
fn an_atomic_operation_must_be_aligned() {
    let card = Card::new(1);
    let report = card.fault(programs::ATOMIC_MISALIGNED, &args(DATA), [64, 1, 1], [64, 1, 1]);
    let fault = GuestFault { va: DATA + 2, access: Access::Atomic, reason: FaultReason::Misaligned };
    assert_eq!(report.kind, FaultKind::Memory(fault));
}

#[test]
fn words_that_are_no_instruction_and_traps_are_told_apart() {
    let card = Card::new(1);
    let report = card.fault(programs::ILLEGAL, &[], [64, 1, 1], [64, 1, 1]);
    assert!(matches!(report.kind, FaultKind::IllegalInstruction { .. }), "{report}");
    assert_eq!((report.pc, report.words[0]), (CODE + 4, 0xbfff_0000));
    let report = card.fault(programs::TRAP, &[], [64, 1, 1], [64, 1, 1]);
    assert_eq!((report.kind, report.pc), (FaultKind::Trap(2), CODE));
}

#[test]
fn memory_that_the_host_takes_away_under_a_kernel_is_a_fault() {
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
}

#[test]
fn memory_can_be_unmapped_while_a_kernel_uses_it() {
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
}
