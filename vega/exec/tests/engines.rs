//! The engines agree, bit for bit: programs from the table, run by the interpreter and by every other engine
//! of this host, which must execute most of them in compiled code.
//!
//! `VEGA_PROGRAMS=100000 cargo test --release -p vega-exec --test engines -- --nocapture` compares as many programs.

mod common;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use common::instructions::{ENGINES_EPILOGUE, LANE_PROLOGUE};
use common::{CODE, Card, DATA, KERNARG, Random, watchdog};
use vega_exec::observe::{KernelStats, Observe, Stats};
use vega_exec::{EngineConfig, EngineKind, Outcome};
use vega_isa::{
    Class, Dpp, DppCtrl, Encoding, Form, Implicit, InlineFloat, Inst, Kind, Legal, Micro, Operand, Role, Row,
    Slot, Table, encode,
};

/// Instructions of one program.
const LENGTH: usize = 24;

/// Work-items: two full waves. (In lanes that are no work-items, registers hold what nobody has defined.)
const ITEMS: u32 = 128;

/// Values that arithmetic treats in ways of their own, among random ones.
fn value(random: &mut Random) -> u32 {
    const SPECIAL: [u32; 24] = [
        0,
        1,
        31,
        32,
        0x7fff_ffff,
        0x8000_0000,
        0xffff_ffff,
        0x3f80_0000,
        0xbf80_0000,
        0x7f80_0000,
        0xff80_0000,
        0x7fc0_0001,
        0x7f80_0001,
        0xffc1_2345,
        0x0000_0001,
        0x8040_0000,
        0x0080_0000,
        0x7f7f_ffff,
        0x4f00_0000,
        0xcf00_0000,
        0x3c00_7e01,
        0x7ff0_0000,
        0x7ff8_0000,
        0x3ff0_0000,
    ];
    match random.next() % 8 {
        0 | 1 => SPECIAL[random.next() as usize % SPECIAL.len()],
        2 => random.word() % 64,
        // Floats of a moderate size.
        3..=5 => 0x3d80_0000 + (random.word() & 0x83ff_ffff),
        _ => random.word(),
    }
}

/// An operand for a slot: registers of the test's few, or a constant.
fn operand(random: &mut Random, slot: &Slot, row: &Row, form: Form) -> Operand {
    let dwords = slot.dwords.max(slot.ty.dwords()).max(1);
    let vgpr = |random: &mut Random| Operand::Vgpr(2 + (random.next() % (17 - u64::from(dwords))) as u8);
    let sgpr = |random: &mut Random| match random.next() % 5 {
        0 => Operand::Sgpr(106),
        _ => Operand::Sgpr(20 + 2 * (random.next() % 5) as u8),
    };
    let constant = |random: &mut Random| match random.next() % 2 {
        0 => Operand::InlineInt((random.next() % 81) as i8 - 16),
        _ => Operand::InlineFloat(InlineFloat::ALL[random.next() as usize % 9]),
    };
    match slot.kind {
        Kind::Vgpr => vgpr(random),
        Kind::Vector | Kind::VectorOnly => match random.next() % 6 {
            0 if form != Form::Dpp && slot.kind == Kind::Vector => sgpr(random),
            1 if matches!(form, Form::Native | Form::E64) && slot.kind == Kind::Vector => constant(random),
            _ => vgpr(random),
        },
        Kind::LaneMask if form != Form::E64 && row.encoding != Encoding::Vop3 => Operand::Sgpr(106),
        Kind::LaneMask => sgpr(random),
        Kind::Sgpr => sgpr(random),
        Kind::Scalar => match random.next() % 4 {
            0 => constant(random),
            1 if slot.role == Role::Src => Operand::Sgpr(126),
            _ => sgpr(random),
        },
        Kind::LaneSelect => Operand::InlineInt((random.next() % 64) as i8),
        _ => Operand::Imm((random.word() & 0x7fff) as i32),
    }
}

/// Whether programs may contain the row: it changes registers only.
fn is_wanted(row: &Row) -> bool {
    let class = match row.class {
        Class::LaneLocal => true,
        Class::Scalar => !matches!(
            row.micro,
            Micro::MoveRelSource(_) | Micro::MoveRelDest(_) | Micro::SetReg | Micro::GetReg | Micro::Time(_)
        ),
        Class::CrossLane => row.encoding != Encoding::Ds,
        _ => false,
    };
    class && !row.writes.has(Implicit::INDEXED) && !row.writes.has(Implicit::MODE)
}

/// Any way in which lanes are permuted, and rows and banks that write.
fn permutation(random: &mut Random) -> Dpp {
    let n = (random.next() % 15) as u8 + 1;
    let ctrl = match random.next() % 12 {
        0 => DppCtrl::QuadPerm(random.word() as u8),
        1 => DppCtrl::RowShl(n),
        2 => DppCtrl::RowShr(n),
        3 => DppCtrl::RowRor(n),
        4 => DppCtrl::WaveShl,
        5 => DppCtrl::WaveRol,
        6 => DppCtrl::WaveShr,
        7 => DppCtrl::WaveRor,
        8 => DppCtrl::RowMirror,
        9 => DppCtrl::RowHalfMirror,
        10 => DppCtrl::RowBcast15,
        _ => DppCtrl::RowBcast31,
    };
    let mask =
        |random: &mut Random| if random.next().is_multiple_of(2) { 15 } else { random.word() as u8 & 15 };
    Dpp { ctrl, row_mask: mask(random), bank_mask: mask(random), bound_ctrl: random.next().is_multiple_of(2) }
}

/// One of the rows' forms with random operands and modifiers.
fn instruction(random: &mut Random, rows: &[&'static Row]) -> Vec<u32> {
    loop {
        let row = rows[random.next() as usize % rows.len()];
        let forms: Vec<Form> = row.forms.iter().collect();
        let form = forms[random.next() as usize % forms.len()];
        let mut inst =
            Inst { row, form, size_bytes: 0, slots: [Operand::None; 5], modifiers: Default::default() };
        for (place, slot) in inst.slots.iter_mut().zip(row.operands) {
            *place = operand(random, slot, row, form);
        }
        let m = &mut inst.modifiers;
        m.dpp.row_mask = 15;
        m.dpp.bank_mask = 15;
        m.op_sel_hi = 7;
        if form == Form::Dpp && random.next().is_multiple_of(2) {
            m.dpp = permutation(random);
        }
        if form != Form::Native && random.next().is_multiple_of(3) {
            let bits = random.word();
            m.neg = if row.legal.has(Legal::NEG) { bits as u8 & 3 } else { 0 };
            m.abs = if row.legal.has(Legal::ABS) { (bits >> 3) as u8 & 3 } else { 0 };
            m.clamp = row.legal.has(Legal::CLAMP) && bits >> 6 & 3 == 0;
        }
        // What the encoder does not take, and what reads more constants than an instruction may, is left out.
        let Some(words) = encode(&inst) else { continue };
        if vega_isa::decode(words.as_slice()).is_ok() {
            return words.as_slice().to_vec();
        }
    }
}

/// The program's results, or `None` if it faulted.
fn run(card: &Card, code: &[u32], data: &[u32], args: &[u32]) -> Option<Vec<u32>> {
    card.write(CODE, code);
    card.write(KERNARG, args);
    card.write(DATA, data);
    card.write(DATA + 0x8000, &vec![0; data.len()]);
    match card.run(&card.dispatch([ITEMS, 1, 1], [ITEMS as u16, 1, 1])) {
        Outcome::Done => {
            let mut results = card.read(DATA, data.len());
            results.extend(card.read(DATA + 0x8000, data.len()));
            Some(results)
        }
        _ => None,
    }
}

/// A card that counts what it executes in compiled code.
struct Counted {
    card: Card,
    stats: Arc<Stats>,
}

impl Counted {
    fn new(kind: EngineKind) -> Self {
        let stats = Stats::new();
        let observe = Observe { stats: Some(Arc::clone(&stats)), ..Observe::default() };
        let config = EngineConfig { threads: 1, kind, eager: true, observe, ..EngineConfig::default() };
        Self { card: Card::with(config, Table::gfx900()), stats }
    }

    fn run(&self, code: &[u32], data: &[u32], args: &[u32]) {
        assert!(run(&self.card, code, data, args).is_some(), "it faults with statistics only");
    }

    /// Prints the share of the programs' instructions that ran in compiled code, without what stands around them, and fails
    /// if it is too low.
    fn check(&self, kind: EngineKind, programs: usize) {
        let totals = self.stats.totals();
        let sum = |count: fn(&KernelStats) -> u64| totals.kernels.values().map(count).sum::<u64>();
        let length = |mut words: &[u32]| {
            let mut count = 0;
            while let Ok(inst) = vega_isa::decode(words) {
                words = &words[usize::from(inst.size_bytes) / 4..];
                count += 1;
            }
            count
        };
        let around = 2 * programs as u64 * (length(LANE_PROLOGUE) + length(ENGINES_EPILOGUE));
        let (all, compiled) =
            (sum(|k| k.classes.total()) - around, sum(|k| k.compiled).saturating_sub(around));
        let mut call_outs: BTreeMap<&str, u64> = BTreeMap::new();
        for (name, count) in totals.kernels.values().flat_map(|kernel| &kernel.call_outs) {
            *call_outs.entry(name).or_default() += count;
        }
        let mut call_outs: Vec<_> = call_outs.into_iter().collect();
        call_outs.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        call_outs.truncate(20);
        let share = compiled as f64 / all as f64;
        eprintln!(
            "{kind}: {:.1} % of {all} instructions ran compiled; left out: {call_outs:?}",
            100.0 * share
        );
        assert!(share >= LEAST_SHARE, "{kind} leaves too much to the interpreter");
    }
}

/// What an engine must execute in compiled code.
const LEAST_SHARE: f64 = 0.9;

fn agree(programs: usize, seed: u64, wanted: impl Fn(&Row) -> bool) {
    let kinds = &EngineKind::available()[1..];
    let programs = std::env::var("VEGA_PROGRAMS").ok().and_then(|n| n.parse().ok()).unwrap_or(programs);
    let fresh = || {
        let cards: Vec<_> = kinds.iter().map(|kind| (kind, Card::with_engine(1, *kind))).collect();
        (Card::with_engine(1, EngineKind::Interpreter), cards)
    };
    let (mut reference, mut cards) = fresh();
    let counted: Vec<_> = kinds.iter().map(|kind| Counted::new(*kind)).collect();
    let rows: Vec<&'static Row> =
        Table::gfx900().rows().iter().copied().filter(|row| is_wanted(row) && wanted(row)).collect();
    let mut random = Random(seed);
    let mut compared = 0;
    for _ in 0..programs {
        let instructions: Vec<Vec<u32>> = (0..LENGTH).map(|_| instruction(&mut random, &rows)).collect();
        let data: Vec<u32> = (0..128 * 16).map(|_| value(&mut random)).collect();
        let exec = match random.next() % 3 {
            0 => u64::MAX,
            1 => random.next(),
            _ => random.next() & random.next() & 0xffff_ffff_0000_ffff,
        };
        let mask = random.next();
        let mut args =
            vec![DATA as u32, 0, mask as u32, (mask >> 32) as u32, exec as u32, (exec >> 32) as u32];
        args.extend((0..8).map(|_| value(&mut random)));
        let build = |instructions: &[Vec<u32>]| -> Vec<u32> {
            LANE_PROLOGUE
                .iter()
                .copied()
                .chain(instructions.iter().flatten().copied())
                .chain(ENGINES_EPILOGUE.iter().copied())
                .collect()
        };
        let code = build(&instructions);
        let Some(expected) = run(&reference, &code, &data, &args) else {
            // What the wave leaves in registers, the next one finds there in lanes that are no work-items.
            (reference, cards) = fresh();
            continue;
        };
        compared += 1;
        counted.iter().for_each(|counted| counted.run(&code, &data, &args));
        for (kind, card) in &cards {
            if run(card, &code, &data, &args).as_ref() == Some(&expected) {
                continue;
            }
            // The shortest beginning that differs says which instruction it is.
            for n in 1..=LENGTH {
                let code = build(&instructions[..n]);
                let (Some(expected), found) =
                    (run(&reference, &code, &data, &args), run(card, &code, &data, &args))
                else {
                    continue;
                };
                let Some(found) = found else { panic!("{kind} faulted") };
                if let Some(at) = (0..expected.len()).find(|at| expected[*at] != found[*at]) {
                    let list: Vec<String> = instructions[..n]
                        .iter()
                        .map(|words| {
                            vega_isa::decode(words).map_or_else(|e| format!("{e:?}"), |inst| inst.to_string())
                        })
                        .collect();
                    let (block, item, register) = (at / 2048, at % 2048 / 16, at % 16);
                    panic!(
                        "{kind}: {}\nitem {item}, {} {register}: {:08x}, not {:08x}, exec {exec:016x}, before {:08x?} after\n{}",
                        list.last().cloned().unwrap_or_default(),
                        if block == 0 { "v2 +" } else { "scalar" },
                        found[at],
                        expected[at],
                        &data[item * 16..item * 16 + 16],
                        list.join("\n")
                    );
                }
            }
        }
    }
    assert!(compared > programs / 2, "only {compared} of {programs} programs ended");
    for (kind, counted) in kinds.iter().zip(&counted) {
        counted.check(*kind, compared);
    }
}

#[test]
fn engines_agree_on_random_programs() {
    watchdog(Duration::from_secs(400));
    agree(1500, 20261, |_| true);
}

#[test]
fn engines_agree_on_the_frequent_instructions() {
    agree(1500, 20262, |row| {
        let name = row.mnemonic;
        [
            "v_add",
            "v_sub",
            "v_mul",
            "v_fma",
            "v_cmp",
            "v_cndmask",
            "v_lshl",
            "v_and",
            "v_or",
            "v_mad",
            "v_cvt",
            "s_",
        ]
        .iter()
        .any(|prefix| name.starts_with(prefix))
    });
}

/// Code that cannot be compiled is interpreted, with the same results: only the counts tell.
#[test]
fn compiled_code_is_what_runs() {
    watchdog(Duration::from_secs(400));
    for kind in &EngineKind::available()[1..] {
        let stats = Stats::new();
        let observe = Observe { stats: Some(stats.clone()), ..Observe::default() };
        let config =
            EngineConfig { threads: 1, kind: *kind, eager: true, observe, ..EngineConfig::default() };
        let card = Card::with(config, Table::gfx900());
        // v_add_f32 v2, v3, v4 and v_mul_f32 v5, v2, v4.
        let code: Vec<u32> = LANE_PROLOGUE
            .iter()
            .copied()
            .chain([0x0204_0903, 0x0a0a_0902].repeat(16))
            .chain(ENGINES_EPILOGUE.iter().copied())
            .collect();
        let args = [DATA as u32, 0, 0, 0, 0x1234_5678, 0x8000_0001, 0, 0, 0, 0, 0, 0];
        assert!(run(&card, &code, &[0x3f80_0000; 128 * 16], &args).is_some(), "{kind} faulted");
        let totals = stats.totals();
        let (compiled, all) = totals
            .kernels
            .values()
            .fold((0, 0), |(compiled, all), stats| (compiled + stats.compiled, all + stats.classes.total()));
        assert!(4 * compiled > 3 * all, "{kind}: {compiled} of {all} instructions ran in compiled code");
    }
}
