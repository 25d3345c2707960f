//! Random programs: every row, form and class of operand again and again, many instructions on one state.
//!
//! `VEGA_ROUNDS=1000 cargo test -p vega-exec --test semantics programs` makes each row in each form at least a thousand
//! times; without the variable it is a few times.

use std::collections::BTreeMap;

use vega_exec::EngineKind;
use vega_isa::{Class, Form, Inst, Kind, Row, Table, encode};

use crate::common::{Random, watchdog};
use crate::coverage::elsewhere;
use crate::generate::{Operands, instance, is_plain, state};
use crate::harness::{Bench, difference, engines};
use crate::model::Wave;
use crate::rows::{DEFAULT_MODE, OTHER_MODES, sources};

/// Rounds over all rows and forms that the usual run makes.
const ROUNDS: usize = 60;

/// Instructions of one program.
const LENGTH: usize = 24;

/// Rows and forms that can stand in a program.
fn pairs() -> Vec<(&'static Row, Form)> {
    let rows = Table::gfx900().rows().iter().filter(|row| is_plain(row) && elsewhere(row).is_none());
    let all = rows.flat_map(|row| row.forms.iter().map(move |form| (*row, form)));
    // Values that the model takes from the engine are compared instruction by instruction, in `rows`.
    let mut random = Random(0);
    let known = all.filter(|(row, form)| crate::rows::case(row, *form, DEFAULT_MODE, &mut random).is_ok());
    // The few rows with a lane select need many instances until each class of operands was in it often enough.
    let times = |row: &Row| if row.class == Class::CrossLane { 24 } else { 1 };
    known.flat_map(|pair| std::iter::repeat_n(pair, times(pair.0))).collect()
}

/// A program on its own state.
struct Program {
    before: Wave,
    insts: Vec<Inst>,
}

impl Program {
    fn words(&self, count: usize) -> Vec<u32> {
        let words = |inst: &Inst| encode(inst).expect("encoded before").as_slice().to_vec();
        self.insts.iter().take(count).flat_map(words).collect()
    }

    fn after(&self, count: usize) -> Wave {
        let mut wave = self.before.clone();
        for inst in self.insts.iter().take(count) {
            wave.step(inst).expect("the model did it before");
        }
        wave
    }

    /// How the engine differs after the first `count` instructions.
    fn difference(&self, bench: &Bench, count: usize) -> Option<String> {
        match bench.run(&self.words(count), std::slice::from_ref(&self.before)) {
            Ok(found) => difference(&found[0], &self.after(count)),
            Err(fault) => Some(fault),
        }
    }

    /// The first instruction after which the engine differs.
    fn culprit(&self, bench: &Bench) -> Option<String> {
        let count = (1..=self.insts.len()).find(|count| self.difference(bench, *count).is_some())?;
        let what = self.difference(bench, count)?;
        let listing: Vec<String> = self.insts[..count].iter().map(ToString::to_string).collect();
        let sources = sources(&self.insts[count - 1], &self.after(count - 1), &what);
        Some(format!("{what}; {sources}, after\n  {}", listing.join("\n  ")))
    }
}

/// What was generated.
#[derive(Default)]
struct Counts {
    pairs: BTreeMap<(&'static str, u8, u16), usize>,
    operands: BTreeMap<(u8, String, Operands), usize>,
}

impl Counts {
    fn add(&mut self, inst: &Inst) {
        let row = inst.row;
        *self.pairs.entry((row.mnemonic, inst.form as u8, row.opcode)).or_default() += 1;
        for (slot, operand) in inst.iter() {
            let kind = (inst.form as u8, format!("{:?} {:?}", slot.kind, slot.role), Operands::of(operand));
            *self.operands.entry(kind).or_default() += 1;
        }
    }
}

fn run(kind: EngineKind, rounds: usize, seed: u64) -> Counts {
    watchdog(std::time::Duration::from_secs(3000));
    let bench = Bench::new(kind);
    let mut random = Random(seed);
    let mut counts = Counts::default();
    let pairs = pairs();
    let mut problems = Vec::new();
    for round in 0..rounds {
        let mut order = pairs.clone();
        for at in (1..order.len()).rev() {
            order.swap(at, random.next() as usize % (at + 1));
        }
        for (n, chunk) in order.chunks(LENGTH).enumerate() {
            let mode = if n % 4 == 3 { OTHER_MODES[round % 4] } else { DEFAULT_MODE };
            let before = state(&mut random, mode, true);
            let mut wave = before.clone();
            let mut insts = Vec::new();
            for (row, form) in chunk {
                // What the registers hold may be beyond the model: another instruction of the row then.
                let inst = (0..1000).find_map(|_| {
                    let inst = instance(row, *form, &mut random)?;
                    wave.step(&inst).ok().map(|()| inst)
                });
                let inst = inst.unwrap_or_else(|| panic!("{} {form:?}: no instruction fits", row.mnemonic));
                counts.add(&inst);
                insts.push(inst);
            }
            let program = Program { before, insts };
            match bench.run(&program.words(LENGTH), std::slice::from_ref(&program.before)) {
                Ok(found) if difference(&found[0], &wave).is_none() => {}
                _ => problems.extend(program.culprit(&bench)),
            }
            assert!(problems.len() < 10, "{}", problems.join("\n"));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    counts
}

#[test]
fn random_programs_do_what_the_model_says() {
    let rounds = std::env::var("VEGA_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(ROUNDS);
    engines().zip(3..).for_each(|(kind, seed)| check(kind, rounds, seed));
}

fn check(kind: EngineKind, rounds: usize, seed: u64) {
    let counts = run(kind, rounds, seed);
    let instructions: usize = counts.pairs.values().sum();
    let rarest = |least: Option<&usize>| least.copied().unwrap_or(0);
    eprintln!(
        "{kind:?}: {instructions} instructions; the rarest of {} rows and forms {} times, the rarest of {} classes of operands {}",
        counts.pairs.len(),
        rarest(counts.pairs.values().min()),
        counts.operands.len(),
        rarest(counts.operands.values().min()),
    );
    assert!(rarest(counts.pairs.values().min()) >= rounds && counts.pairs.len() > 1500);
    let rare: Vec<_> = counts.operands.iter().filter(|(_, count)| **count < rounds).collect();
    assert!(rare.is_empty(), "these classes of operands occur less than {rounds} times: {rare:?}");
    // Both kinds of masks, constants and registers were there.
    let masks = format!("{:?}", Kind::LaneMask);
    assert!(
        counts.operands.keys().any(|(_, kind, class)| kind.starts_with(&masks) && *class == Operands::Sgpr)
    );
}
