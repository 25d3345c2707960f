//! Each row in each form, one instruction at a time, with edge and random values, against the model.

use vega_exec::EngineKind;
use vega_isa::{Form, Inst, Row, Table, encode};

use crate::common::{Random, watchdog};
use crate::coverage::elsewhere;
use crate::generate::{instance, is_plain, state};
use crate::harness::{Bench, difference, engines};
use crate::model::Wave;

/// MODE as kernels start with it, and with everything else.
pub const DEFAULT_MODE: u32 = 0x3f0;
pub const OTHER_MODES: [u32; 4] = [0x3cc, 0x00f, 0x165, 0x29a];

/// Random instructions of each row in each form.
const INSTANCES: u64 = 16;
/// States that each runs in.
const RUNS: usize = 2;

/// What the model says of an instruction: the states before and after.
pub struct Case {
    pub inst: Inst,
    pub words: Vec<u32>,
    pub before: Vec<Wave>,
    pub after: Vec<Wave>,
}

/// Whether the row needs more than registers.
pub fn touches_memory(row: &Row) -> bool {
    row.class == vega_isa::Class::Memory
}

/// A case of the row, or why there is none.
pub fn case(row: &'static Row, form: Form, mode: u32, random: &mut Random) -> Result<Case, &'static str> {
    let inst = (0..50).find_map(|_| instance(row, form, random)).ok_or("no instruction can be made")?;
    let words = encode(&inst).ok_or("it cannot be encoded")?.as_slice().to_vec();
    let mut why = "there is no state";
    for _ in 0..20 {
        // Memory is shared by the states: one is enough then.
        let memory = touches_memory(row);
        let runs = if memory { 1 } else { RUNS };
        let mut before: Vec<Wave> = (0..runs).map(|_| state(random, mode, memory)).collect();
        let memory = before[0].memory.clone();
        before.iter_mut().for_each(|wave| wave.memory.clone_from(&memory));
        let mut after = before.clone();
        if after.iter_mut().all(|wave| wave.step(&inst).is_ok()) {
            return Ok(Case { inst, words, before, after });
        }
        why = "the model does not know it";
    }
    Err(why)
}

impl Case {
    /// How the engine differs from the model.
    pub fn difference(&self, bench: &Bench) -> Option<String> {
        match bench.run(&self.words, &self.before) {
            Ok(found) => {
                found.iter().zip(&self.after).zip(&self.before).find_map(|((found, after), before)| {
                    difference(found, after)
                        .map(|what| format!("{what}; {}", sources(&self.inst, before, &what)))
                })
            }
            Err(fault) => Some(fault),
        }
    }
}

/// The operands' values before an instruction, in the lane that a difference names.
pub fn sources(inst: &Inst, before: &Wave, what: &str) -> String {
    let lane = what.split("lane ").nth(1).and_then(|rest| rest.split(' ').next()?.parse().ok());
    let value = |(slot, operand)| before.operand(slot, operand, lane.unwrap_or(0)).unwrap_or(0);
    let values: Vec<String> = inst.iter().map(|o| format!("{:#x}", value(o))).collect();
    format!("operands {}, SCC {}, EXEC {:#x}", values.join(", "), before.scc, before.exec())
}

fn check(kind: EngineKind, seed: u64) {
    watchdog(std::time::Duration::from_secs(500));
    let bench = Bench::new(kind);
    let mut random = Random(seed);
    let mut problems: Vec<String> = Vec::new();
    let mut count = 0;
    for row in Table::gfx900().rows().iter().filter(|row| is_plain(row) && elsewhere(row).is_none()) {
        for form in row.forms.iter() {
            for n in 0..INSTANCES {
                let mode = if n % 4 == 3 { OTHER_MODES[n as usize / 4 % 4] } else { DEFAULT_MODE };
                let problem = match case(row, form, mode, &mut random) {
                    Ok(case) => case
                        .difference(&bench)
                        .map(|what| format!("{} {:08x?} in mode {mode:#x}: {what}", case.inst, case.words)),
                    Err(why) => Some(format!("{} {form:?}: {why}", row.mnemonic)),
                };
                count += 1;
                if let Some(problem) = problem {
                    problems.push(problem);
                    break;
                }
            }
        }
    }
    eprintln!("{count} instructions on {kind:?}");
    assert!(problems.is_empty(), "{} of {count}:\n{}", problems.len(), problems.join("\n"));
}

#[test]
fn every_row_does_what_the_model_says() {
    engines().zip(1..).for_each(|(kind, seed)| check(kind, seed));
}
