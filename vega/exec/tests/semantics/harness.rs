//! Runs code on the engine from any state of registers and memory, and reads the state back.

use vega_exec::{EngineKind, Outcome};
use vega_isa::{Table, sgpr};

use crate::common::registers::{BLOCK, EPILOGUE, PROLOGUE};
use crate::common::{CODE, Card, DATA, KERNARG};
use crate::model::{MEMORY, Wave};

/// Registers that are set and read back; code between prologue and epilogue must leave the others alone.
pub const VGPRS: usize = 32;
pub const SGPRS: usize = 92;
/// LDS that is set and read back, and that the workgroup has.
pub const LDS: usize = 4096;
/// The engines that are tested: all that this machine has.
pub fn engines() -> impl Iterator<Item = EngineKind> {
    EngineKind::available().iter().copied()
}

/// A card that runs code from given states.
pub struct Bench(pub Card);

impl Bench {
    /// On an engine of a kind.
    pub fn new(kind: EngineKind) -> Self {
        Self(Card::with_engine(1, kind))
    }

    /// On the interpreter, by another table.
    pub fn with_table(table: &'static Table) -> Self {
        Self(Card::with_table(1, table))
    }

    /// Runs `code` from each of the states, which share the memory of the first, and returns what it leaves.
    pub fn run(&self, code: &[u32], states: &[Wave]) -> Result<Vec<Wave>, String> {
        let card = &self.0;
        let mut program = PROLOGUE.to_vec();
        program.extend(code);
        program.extend(EPILOGUE);
        card.write(CODE, &program);
        card.write(KERNARG, &[DATA as u32, (DATA >> 32) as u32]);
        for (n, state) in states.iter().enumerate() {
            let at = DATA + BLOCK * n as u64;
            card.write(at, &state.s[..SGPRS]);
            let [exec, vcc, flat] = [sgpr::EXEC_LO, sgpr::VCC_LO, sgpr::FLAT_SCR_LO].map(usize::from);
            let s = &state.s;
            let m0 = s[usize::from(sgpr::M0)];
            card.write(
                at + 0x200,
                &[s[exec], s[exec + 1], state.scc.into(), m0, s[vcc], s[vcc + 1], s[flat], s[flat + 1]],
            );
            let lanes: Vec<u32> =
                (0..64).flat_map(|lane| state.v.iter().take(VGPRS).map(move |v| v[lane])).collect();
            card.write(at + 0x1000, &lanes);
            card.space.write_bytes(at + 0x4000, &state.lds).expect("mapped");
        }
        card.space.write_bytes(MEMORY, &states[0].memory).expect("mapped");
        let mut dispatch = card.dispatch([64 * states.len() as u32, 1, 1], [64, 1, 1]);
        dispatch.lds_bytes = LDS as u32;
        // MODE's four fields for rounding and denormals, dx10_clamp, ieee.
        let mode = states[0].mode;
        dispatch.rsrc1 = (mode & 0xff) << 12 | (mode >> 8 & 1) << 21 | (mode >> 9 & 1) << 23;
        match card.run(&dispatch) {
            Outcome::Done => {}
            Outcome::Fault(report) => return Err(report.to_string()),
            Outcome::Canceled => return Err("cancelled".to_owned()),
        }
        Ok((0..states.len()).map(|n| self.read(DATA + BLOCK * n as u64, &states[n])).collect())
    }

    fn read(&self, at: u64, before: &Wave) -> Wave {
        let card = &self.0;
        let mut wave = before.clone();
        wave.s[..SGPRS].copy_from_slice(&card.read(at, SGPRS));
        let special = card.read(at + 0x200, 9);
        wave.set_pair(sgpr::EXEC_LO, u64::from(special[0]) | u64::from(special[1]) << 32);
        wave.scc = special[2] != 0;
        wave.s[usize::from(sgpr::M0)] = special[3];
        wave.set_pair(sgpr::VCC_LO, u64::from(special[4]) | u64::from(special[5]) << 32);
        wave.set_pair(sgpr::FLAT_SCR_LO, u64::from(special[6]) | u64::from(special[7]) << 32);
        wave.mode = special[8];
        let lanes = card.read(at + 0x1000, 64 * VGPRS);
        for (lane, registers) in lanes.chunks(VGPRS).enumerate() {
            for (v, value) in wave.v.iter_mut().zip(registers) {
                v[lane] = *value;
            }
        }
        card.space.read_bytes(at + 0x4000, &mut wave.lds).expect("mapped");
        card.space.read_bytes(MEMORY, &mut wave.memory).expect("mapped");
        // Behind the epilogue's s_set_gpr_idx_off.
        wave.indexing = false;
        wave
    }
}

/// Where two states differ, for a message.
pub fn difference(found: &Wave, wanted: &Wave) -> Option<String> {
    for n in 0..found.v.len() {
        for lane in 0..64 {
            let (f, w) = (found.v[n][lane], wanted.v[n][lane]);
            if f != w {
                return Some(format!("v{n} of lane {lane} is {f:#010x} instead of {w:#010x}"));
            }
        }
    }
    for n in 0..found.s.len() {
        if found.s[n] != wanted.s[n] {
            return Some(format!("s{n} is {:#010x} instead of {:#010x}", found.s[n], wanted.s[n]));
        }
    }
    if (found.scc, found.mode) != (wanted.scc, wanted.mode) {
        return Some(format!(
            "SCC and MODE are {}, {:#x} instead of {}, {:#x}",
            found.scc, found.mode, wanted.scc, wanted.mode
        ));
    }
    let bytes = |what: &str, f: &[u8], w: &[u8]| {
        let at = f.iter().zip(w).position(|(f, w)| f != w)?;
        Some(format!("{what} byte {at:#x} is {:#04x} instead of {:#04x}", f[at], w[at]))
    };
    bytes("LDS", &found.lds, &wanted.lds).or_else(|| bytes("memory", &found.memory, &wanted.memory))
}
