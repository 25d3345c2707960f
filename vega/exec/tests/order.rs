//! The memory model, between workgroups on two threads, for each engine of this host.

mod common;

use std::time::Duration;

use common::{CODE, Card, DATA, DATA_BYTES, KERNARG, programs, watchdog};
use vega_exec::{EngineKind, Outcome, Rights};

const LIMIT: Duration = Duration::from_secs(300);

fn args(rounds: u32) -> [u32; 3] {
    [DATA as u32, (DATA >> 32) as u32, rounds]
}

/// Runs the program as workgroup 0 and as workgroup 1, each on a thread of its own.
fn run_pair(card: &Card, program: &[u32], args: &[u32]) {
    // s_mov_b32 s2, 0 and s_mov_b32 s2, 1.
    let entries = [(CODE, 0xbe82_0080), (CODE + 0x1000, 0xbe82_0081)];
    for (va, number) in entries {
        card.write(va, &[number]);
        card.write(va + 4, program);
    }
    card.write(KERNARG, args);
    std::thread::scope(|scope| {
        for (va, _) in entries {
            scope.spawn(move || {
                let mut dispatch = card.dispatch([64, 1, 1], [64, 1, 1]);
                dispatch.entry_va = va;
                assert_eq!(card.run(&dispatch), Outcome::Done);
            });
        }
    });
}

#[test]
fn dekker_a_store_before_s_waitcnt_comes_before_a_later_load() {
    watchdog(LIMIT);
    for kind in EngineKind::available() {
        let mut card = Card::with_engine(1, *kind);
        card.map(DATA + DATA_BYTES as u64, 64 << 16, Rights::ALL);
        let rounds = 20_000u32;
        run_pair(&card, programs::DEKKER, &args(rounds));
        for round in 1..=rounds {
            // What each workgroup saw of the other's flag in this round.
            let seen = card.read(DATA + 1024 + u64::from(8 * round), 2);
            assert!(
                seen.iter().any(|flag| *flag >= round),
                "{kind}, round {round}: both loads overtook the stores"
            );
        }
    }
}

#[test]
fn message_passing_data_is_there_before_its_flag() {
    watchdog(LIMIT);
    for kind in EngineKind::available() {
        let card = Card::with_engine(1, *kind);
        let rounds = 3000;
        run_pair(&card, programs::PING_PONG, &args(rounds));
        assert_eq!(card.read(DATA + 128, 1), [0], "messages older than their flag");
        assert_eq!(card.read(DATA, 1), [rounds]);
    }
}

#[test]
fn aligned_pairs_of_dwords_are_never_torn() {
    watchdog(LIMIT);
    for kind in EngineKind::available() {
        let card = Card::with_engine(1, *kind);
        let rounds = 300_000;
        run_pair(&card, programs::PACKED_FLAG, &args(rounds));
        assert_eq!(card.read(DATA + 1024, 1), [0], "torn pairs");
        let pair = [rounds, !rounds];
        assert_eq!(card.read(DATA, 128), pair.repeat(64));
    }
}

#[test]
fn aligned_elements_of_16_bytes_are_never_torn() {
    watchdog(LIMIT);
    for kind in EngineKind::available() {
        let card = Card::with_engine(1, *kind);
        let rounds = 300_000;
        run_pair(&card, programs::PACKED_WIDE, &args(rounds));
        assert_eq!(card.read(DATA + 2048, 1), [0], "torn elements");
        assert_eq!(card.read(DATA + 32 * 63, 4), [rounds, !rounds, rounds, !rounds]);
    }
}

#[test]
fn overlapping_lanes_store_in_ascending_order() {
    for kind in EngineKind::available() {
        let card = Card::with_engine(1, *kind);
        card.run_code(programs::OVERLAP, &args(0), [64, 1, 1], [64, 1, 1]);
        assert_eq!(card.read(DATA, 1), [63]);
        assert_eq!(card.read(DATA + 256, 32), (0..32).map(|pair| 2 * pair + 1).collect::<Vec<_>>());
    }
}
