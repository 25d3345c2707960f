//! What fuzzers aim at: any code, on any registers, on a card whose mappings lie between guards.
//!
//! An access outside the mappings hits a guard page, which the engine would report as memory that the host took away; or
//! it changes bytes beside a mapping, or those that the card may only read.

use std::time::Duration;

use vega_exec::{EngineConfig, EngineKind, FaultKind, FaultReason, Outcome, Rights};
use vega_isa::Table;

use super::registers::PROLOGUE;
use super::{CODE, Card, DATA, DATA_BYTES, KERNARG, Pages, Random};

/// Where one page is mapped, whose host neighbours are not.
pub const ISLAND: u64 = 0x40_0000;
/// Where a page is mapped that may only be read.
pub const READ_ONLY: u64 = 0x50_0000;
const PAGE: usize = 4096;

/// What the neighbours and the read-only page hold.
const CANARY: u8 = 0xa5;

/// The longest that a program may run: jumps can loop.
const LIMIT: Duration = Duration::from_millis(100);

/// A card to run anything on.
pub struct Target {
    card: Card,
    island: Pages,
    read_only: Pages,
}

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Done,
    /// A fault of the program's own, at this address.
    Fault(u64),
}

impl Target {
    pub fn new(kind: EngineKind) -> Self {
        let watchdog = Some(LIMIT);
        let config = EngineConfig { threads: 1, kind, eager: true, watchdog, ..EngineConfig::default() };
        let card = Card::with(config, Table::gfx900());
        let (island, read_only) = (Pages::new(3 * PAGE), Pages::new(PAGE));
        // SAFETY: the pages are fresh and live as long as the card; nothing else refers to them.
        unsafe {
            island.host.write_bytes(CANARY, island.len);
            read_only.host.write_bytes(CANARY, read_only.len);
            let rights = Rights::READ_WRITE;
            card.space.map(ISLAND, PAGE as u64, island.host.add(PAGE), rights).expect("free");
            card.space.map(READ_ONLY, PAGE as u64, read_only.host, Rights::READ).expect("free");
        }
        Self { card, island, read_only }
    }

    /// Runs code on registers that `random` fills. Panics if it reached anything that it may not.
    pub fn run(&self, code: &[u32], random: &mut Random) -> End {
        let card = &self.card;
        let mut program = PROLOGUE.to_vec();
        program.extend(code);
        program.push(0xbf81_0000);
        card.write(CODE, &program);
        card.write(KERNARG, &[DATA as u32, 0]);
        let words: Vec<u32> = (0..0x5000 / 8).flat_map(|_| pair(random)).collect();
        card.write(DATA, &words);
        let mut dispatch = card.dispatch([64, 1, 1], [64, 1, 1]);
        dispatch.lds_bytes = [0, 4, 512, 4096, 0x1_0000][random.next() as usize % 5];
        let outcome = card.run(&dispatch);
        self.check();
        match outcome {
            Outcome::Done => End::Done,
            Outcome::Canceled => panic!("nobody cancelled"),
            Outcome::Fault(report) => {
                if let FaultKind::Memory(fault) = &report.kind {
                    assert_ne!(fault.reason, FaultReason::HostMemoryGone, "a guard was touched: {report}");
                }
                End::Fault(report.pc)
            }
        }
    }

    /// Where the code begins.
    pub fn entry() -> u64 {
        CODE + 4 * PROLOGUE.len() as u64
    }

    fn check(&self) {
        // SAFETY: the pages are mapped and nothing runs.
        let (island, read_only) = unsafe {
            (
                std::slice::from_raw_parts(self.island.host, self.island.len),
                std::slice::from_raw_parts(self.read_only.host, self.read_only.len),
            )
        };
        let outside = island[..PAGE].iter().chain(&island[2 * PAGE..]).chain(read_only);
        assert!(outside.into_iter().all(|byte| *byte == CANARY), "memory outside the mappings was written");
    }
}

/// Two words: an address near the edge of something, or any values.
fn pair(random: &mut Random) -> [u32; 2] {
    let bases = [
        DATA,
        DATA + DATA_BYTES as u64,
        ISLAND,
        ISLAND + PAGE as u64,
        ISLAND,
        ISLAND + PAGE as u64,
        READ_ONLY,
        READ_ONLY + PAGE as u64,
        KERNARG,
        // The apertures of LDS and of private memory.
        1 << 48,
        2 << 48,
        0,
    ];
    match random.next() % 4 {
        0 => {
            let near = match random.next() % 3 {
                0 => random.next() % 64,
                1 => 0u64.wrapping_sub(random.next() % 64),
                _ => random.next() % 4096,
            };
            let at = bases[random.next() as usize % bases.len()].wrapping_add(near);
            [at as u32, (at >> 32) as u32]
        }
        1 => [random.word() % 128, random.word() % 8],
        2 => [random.word() % 0x1_0000, 0],
        _ => [random.word(), random.word()],
    }
}
