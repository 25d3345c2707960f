//! Anything may stand in memory as code, and anything in registers: the host does not crash, and nothing outside the
//! mappings is touched.
//!
//! `VEGA_FUZZ=10000000 cargo test --release -p vega-exec --test semantics fuzz -- --nocapture` generates ten million
//! instructions. `vega/exec/fuzz` has the same targets for cargo-fuzz.

use vega_exec::EngineKind;
use vega_isa::{Class, Table, decode, encode};

use crate::common::target::{End, Target};
use crate::common::{Random, watchdog};
use crate::generate::instance;
use crate::harness::engines;

/// Instructions that the usual run generates.
const INSTRUCTIONS: usize = 200_000;

/// The most instructions of one program.
const LENGTH: u64 = 40;

/// Words that decode, of any row, with any fields; branches stay near.
fn any(random: &mut Random, memory: bool) -> Vec<u32> {
    // All encodings begin with a few fixed bits.
    const PREFIXES: [u32; 20] = [
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
        0xbf80_0000,
        0xc000_0000,
        0xd100_0000,
        0xd380_0000,
        0xd800_0000,
        0xdc00_0000,
        0xe000_0000,
        0xe800_0000,
        0xf000_0000,
    ];
    loop {
        let prefix = PREFIXES[random.next() as usize % PREFIXES.len()];
        let mut words = [prefix | random.word() & 0x1fff_ffff, random.word()];
        let Ok(inst) = decode(&words) else { continue };
        let name = inst.row.mnemonic;
        if name.contains("branch") || name.starts_with("s_call") {
            words[0] = words[0] & 0xffff_0000 | (random.next() % 4) as u32;
        }
        let wanted = match inst.row.class {
            Class::Memory => memory,
            // A wave that halts, or waits for others, only costs time.
            Class::Control => {
                !["halt", "gws", "s_sleep"].iter().any(|text| name.contains(text))
                    || random.next().is_multiple_of(512)
            }
            Class::Graphics => random.next().is_multiple_of(16),
            _ => true,
        };
        if wanted {
            return words[..usize::from(inst.size_bytes) / 4].to_vec();
        }
    }
}

/// An instruction of a random row, most of whose memory accesses hit something.
fn from_table(random: &mut Random) -> Option<Vec<u32>> {
    let rows = Table::gfx900().rows();
    let row = rows[random.next() as usize % rows.len()];
    let forms: Vec<_> = row.forms.iter().collect();
    let form = forms[random.next() as usize % forms.len()];
    if matches!(row.class, Class::Control | Class::Graphics) {
        return None;
    }
    Some(encode(&instance(row, form, random)?)?.as_slice().to_vec())
}

#[test]
fn any_instructions_on_any_registers_stay_inside_the_mappings() {
    let wanted = std::env::var("VEGA_FUZZ").ok().and_then(|n| n.parse().ok()).unwrap_or(INSTRUCTIONS);
    watchdog(std::time::Duration::from_secs(6000));
    engines().for_each(|kind| fuzz(kind, wanted));
}

fn fuzz(kind: EngineKind, wanted: usize) {
    let target = Target::new(kind);
    let mut random = Random(2026);
    let (mut generated, mut executed, mut done, mut faults) = (0, 0, 0, 0);
    while generated < wanted {
        // Wild addresses end most programs at once: a third of them has none.
        let memory = !random.next().is_multiple_of(3);
        let mut code = Vec::new();
        let mut starts = Vec::new();
        for _ in 0..1 + random.next() % LENGTH {
            starts.push(code.len());
            let tame = random.next().is_multiple_of(2).then(|| from_table(&mut random)).flatten();
            code.extend(tame.unwrap_or_else(|| any(&mut random, memory)));
        }
        generated += starts.len();
        match target.run(&code, &mut random) {
            End::Done => {
                executed += starts.len();
                done += 1;
            }
            End::Fault(pc) => {
                let at = pc.wrapping_sub(Target::entry()) / 4;
                executed += starts.iter().filter(|start| (**start as u64) <= at).count();
                faults += 1;
            }
        }
    }
    eprintln!(
        "{kind:?}: {generated} instructions generated, about {executed} executed; {done} programs ended, {faults} faulted"
    );
    assert!(done > faults / 50 && faults > done / 50, "{done} ended, {faults} faulted");
}
