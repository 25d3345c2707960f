//! Waves of a workgroup that begin a program together find the same as waves that run one after the other.

mod common;

use std::time::Duration;

use common::{CODE, Card, DATA, KERNARG, on_each_engine, programs, watchdog};
use vega_exec::{Access, EngineKind, FaultKind, FaultReason, GuestFault, Outcome};

const LIMIT: Duration = Duration::from_secs(200);

/// Workgroups of two, three and sixteen waves, of which the last one may be partial.
const SIZES: [u16; 5] = [128, 100, 192, 150, 1024];

/// Dwords that are compared.
const COMPARED: usize = 16384;

/// What memory holds after a few workgroups of this size.
fn run(kind: EngineKind, code: &[u32], rest: [u32; 4], items: u16) -> (Vec<u32>, u64) {
    let card = Card::with_engine(1, kind);
    let [number, bound, first] = [rest[1], rest[0], rest[3]];
    let args = [DATA as u32, (DATA >> 32) as u32, bound, number, items.into(), first];
    let groups = 3;
    // The last workgroup is partial, too.
    let grid = u32::from(items) * groups - 70;
    card.run_code(code, &args, [grid, 1, 1], [items, 1, 1]);
    (card.read(DATA, COMPARED), card.engine.lockstep_workgroups())
}

/// Runs a program on each engine, with workgroups of each size, and bounds that none, some and all waves meet.
fn agree(code: &[u32]) {
    watchdog(LIMIT);
    for items in SIZES {
        let some = u32::from(items) / 2;
        for bounds in [[0, 0], [some, 64], [70, some], [some, 2000], [2000, 0], [2000, 2000]] {
            let rest = [bounds[0], 0x1234_5679, 0, bounds[1]];
            let (expected, alone) = run(EngineKind::Interpreter, code, rest, items);
            assert_eq!(alone, 0, "the interpreter runs each wave by itself");
            for kind in &EngineKind::available()[1..] {
                let (found, together) = run(*kind, code, rest, items);
                let differs = (0..COMPARED).find(|at| expected[*at] != found[*at]);
                if let Some(at) = differs {
                    let (found, expected) = (found[at], expected[at]);
                    panic!("{kind}, {items} items, {bounds:?}: dword {at} is {found:#x}, not {expected:#x}");
                }
                // Of the last workgroup there may be one wave only.
                assert!(together >= 2, "{kind}: {together} workgroups ran together");
            }
        }
    }
}

#[test]
fn waves_exchange_and_part() {
    agree(programs::PART_WAYS);
}

#[test]
fn some_waves_skip_what_others_do() {
    agree(programs::SOME_SKIP);
}

#[test]
fn atomic_operations_come_in_the_order_of_waves() {
    agree(programs::ATOMICS_TOGETHER);
}

#[test]
fn a_fault_names_the_wave() {
    on_each_engine(|| {
        let card = Card::new(1);
        for (wave, lane) in [(0usize, 3usize), (2, 17), (3, 63)] {
            let item = 64 * wave + lane;
            let va = |at: usize| if at == item { 0xdead_0000 } else { DATA + 4 * at as u64 };
            let args: Vec<u32> = (0..256).flat_map(|at| [va(at) as u32, (va(at) >> 32) as u32]).collect();
            let report = card.fault(programs::LOAD_EACH, &args, [512, 1, 1], [256, 1, 1]);
            let fault = GuestFault { va: 0xdead_0000, access: Access::Read, reason: FaultReason::NotMapped };
            assert_eq!(report.kind, FaultKind::Memory(fault));
            assert_eq!((report.wave, report.lane), (wave as u32, Some(lane as u32)));
            assert_eq!((report.pc, report.exec), (CODE + 16, !0));
            let address = report.registers.iter().find(|r| r.registers.to_string() == "v[2:3]");
            assert_eq!(address.expect("the address registers").values, [0xdead_0000, 0]);
        }
    });
}

/// Waves that are told what they are do not start with the same registers, and a single one has no company.
#[test]
fn waves_begin_together_where_they_start_alike() {
    for kind in EngineKind::available() {
        let card = Card::with_engine(1, *kind);
        card.write(CODE, programs::SET_FLAG);
        card.write(KERNARG, &[DATA as u32, (DATA >> 32) as u32]);
        let alike = card.dispatch([1024, 1, 1], [256, 1, 1]);
        let mut told = card.dispatch([1024, 1, 1], [256, 1, 1]);
        told.rsrc2 |= 1 << 10;
        let single = card.dispatch([1024, 1, 1], [64, 1, 1]);
        let together = if *kind == EngineKind::Interpreter { 0 } else { 4 };
        for dispatch in [&alike, &told, &single] {
            assert_eq!(card.run(dispatch), Outcome::Done);
            assert_eq!(card.engine.lockstep_workgroups(), together, "{kind}");
        }
        assert_eq!(card.read(DATA, 1), [7]);
    }
}
