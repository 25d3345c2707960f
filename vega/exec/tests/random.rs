//! Random instructions: whatever they are, a dispatch ends or faults, and the engine stays usable.

mod common;

use std::time::Duration;

use common::{CODE, Card, DATA, KERNARG, Random, programs, watchdog};
use vega_exec::{FaultKind, Outcome};
use vega_isa::{Class, decode};

/// Instructions of one program.
const LENGTH: usize = 60;

/// A random instruction that does not change the flow; memory only where `memory` says so.
fn instruction(random: &mut Random, memory: bool) -> Vec<u32> {
    // First words that are likely to decode: all encodings begin with a few fixed bits.
    const PREFIXES: [u32; 16] = [
        0x0000_0000,
        0x2000_0000,
        0x4000_0000,
        0x6000_0000,
        0x7e00_0000,
        0x7c00_0000,
        0x8000_0000,
        0x9000_0000,
        0xb000_0000,
        0xbe80_0000,
        0xbf00_0000,
        0xc000_0000,
        0xd100_0000,
        0xd800_0000,
        0xdc00_0000,
        0xe000_0000,
    ];
    loop {
        let prefix = PREFIXES[random.next() as usize % PREFIXES.len()];
        let first = prefix | random.word() & 0x1fff_ffff;
        let words = [first, random.word(), random.word()];
        let Ok(inst) = decode(&words) else { continue };
        let wanted = match inst.row.class {
            Class::Scalar | Class::LaneLocal | Class::CrossLane => true,
            Class::Memory => memory,
            _ => false,
        };
        if wanted {
            return words[..usize::from(inst.size_bytes) / 4].to_vec();
        }
    }
}

#[test]
fn random_programs_end_or_fault() {
    watchdog(Duration::from_secs(400));
    let card = Card::new(1);
    let mut random = Random(2026);
    let (mut done, mut faults) = (0, 0);
    for program in 0..1500 {
        let mut code = Vec::new();
        // Registers that are not zero: the kernarg segment's words, and the lane.
        code.extend([0xc00e_0400, 0x0000_0000, 0xbf8c_c07f]);
        for _ in 0..LENGTH {
            code.extend(instruction(&mut random, program % 3 == 0));
        }
        code.push(0xbf81_0000);
        card.write(CODE, &code);
        let args: Vec<u32> = (0..32).map(|_| random.word()).collect();
        card.write(KERNARG, &args);
        match card.run(&card.dispatch([100, 1, 1], [100, 1, 1])) {
            Outcome::Done => done += 1,
            Outcome::Fault(report) => {
                assert!(
                    matches!(report.kind, FaultKind::Memory(_) | FaultKind::IllegalInstruction { .. }),
                    "{report}"
                );
                faults += 1;
            }
            Outcome::Canceled => panic!("nobody cancelled"),
        }
    }
    assert!(done > 100 && faults > 100, "{done} ended, {faults} faulted");
    card.run_code(programs::SET_FLAG, &[DATA as u32, 0], [64, 1, 1], [64, 1, 1]);
    assert_eq!(card.read(DATA, 1), [7]);
}
