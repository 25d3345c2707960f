//! Memory instructions with random descriptors, addresses and modifiers: each ends or faults as memory does.

use std::time::Duration;

use vega_exec::{FaultKind, Outcome};
use vega_isa::{Class, Encoding, Table, decode};

use crate::bench::MEMORY;
use crate::common::{CODE, Card, DATA, KERNARG, Random, on_each_engine, watchdog};
use crate::words::{EPILOGUE, PROLOGUE};

/// Words of a random instruction of the encoding: its operands are registers that the prologue sets.
fn instruction(random: &mut Random, encoding: Encoding) -> Option<Vec<u32>> {
    let rows = Table::gfx900().rows();
    let row = rows[random.next() as usize % rows.len()];
    if row.encoding != encoding || row.class != Class::Memory {
        return None;
    }
    let opcode = u32::from(row.opcode);
    let bits = random.word();
    let (first, fields) = match encoding {
        Encoding::Mimg => (0xf000_0000 | (opcode & 0x7f) << 18 | bits & 0x0201_ff00, 2 << 16 | 4 << 21),
        Encoding::Mubuf => (0xe000_0000 | opcode << 18 | bits & 0x0003_7fff, 2 << 16 | 128 << 24),
        Encoding::Mtbuf => (0xe800_0000 | opcode << 15 | bits & 0x03f8_7fff, 2 << 16 | 128 << 24),
        _ => (0xd800_0000 | opcode << 17 | bits & 0x0001_ffff, 0),
    };
    // Addresses from v2 on, data from v10 on, sometimes at the end of the file.
    let data = [10, 12, 255][random.next() as usize % 3];
    let high = match encoding {
        Encoding::Ds => 2 | data << 8 | data << 16 | data << 24,
        _ => 2 | data << 8 | fields | random.word() & 1 << 23,
    };
    let words = vec![first, high];
    decode(&words).is_ok().then_some(words)
}

#[test]
fn wild_descriptors_end_or_fault() {
    on_each_engine(|| {
        watchdog(Duration::from_secs(300));
        let card = Card::new(1);
        let mut random = Random(77);
        let (mut done, mut faults) = (0, 0);
        for encoding in [Encoding::Mimg, Encoding::Mubuf, Encoding::Mtbuf, Encoding::Ds] {
            for _ in 0..1500 {
                let Some(words) =
                    std::iter::from_fn(|| Some(instruction(&mut random, encoding))).flatten().next()
                else {
                    continue;
                };
                let mut code = PROLOGUE.to_vec();
                code.extend(&words);
                code.extend(EPILOGUE);
                card.write(CODE, &code);
                // Small integers, floats of some texels' size, anything.
                let value = |random: &mut Random| match random.next() % 4 {
                    0 => random.word() % 64,
                    1 | 2 => ((random.word() % 1024) as f32 / 16.0 - 8.0).to_bits(),
                    _ => random.word(),
                };
                let lanes: Vec<u32> = (0..64 * 16).map(|_| value(&mut random)).collect();
                card.write(DATA, &lanes);
                let mut args = vec![DATA as u32, (DATA >> 32) as u32, random.word(), 0];
                let mut descriptor: [u32; 8] = std::array::from_fn(|_| random.word());
                if encoding == Encoding::Mimg {
                    descriptor[0] = (MEMORY >> 8) as u32;
                    // Sizes up to 64, so that much of it is mapped; any format and kind.
                    descriptor[1] &= !0xff;
                    descriptor[2] &= 63 | 63 << 14;
                    descriptor[3] |= 8 << 28;
                    descriptor[4] &= 7 | 127 << 13;
                } else {
                    descriptor[0] = MEMORY as u32;
                    descriptor[1] &= 0x803f_0000;
                    descriptor[2] &= 0xffff;
                }
                args.extend(descriptor);
                args.extend(std::array::from_fn::<u32, 4, _>(|_| random.word()));
                args.extend([random.word(), random.word(), 0, 0]);
                args.extend(std::array::from_fn::<u32, 8, _>(|_| random.word()));
                card.write(KERNARG, &args);
                match card.run(&card.dispatch([64, 1, 1], [64, 1, 1])) {
                    Outcome::Done => done += 1,
                    Outcome::Fault(report) => {
                        assert!(matches!(report.kind, FaultKind::Memory(_)), "{report}: {words:08x?}");
                        faults += 1;
                    }
                    Outcome::Canceled => panic!("nobody cancelled"),
                }
            }
        }
        assert!(done > 3000 && faults > 50, "{done} ended, {faults} faulted");
    });
}
