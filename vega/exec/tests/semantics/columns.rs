//! The columns by which engines and tools reason about an instruction without executing it: its EXEC rule, and the
//! registers that it reads and writes without naming them. What happens must be what the table says, and a table that says
//! anything else must be noticed.

use vega_isa::{ExecRule, Implicit, Inst, Kind, Legal, Operand, Role, Row, Table, sgpr};

use crate::common::Random;
use crate::coverage::elsewhere;
use crate::generate::is_plain;
use crate::model::Wave;
use crate::rows::{Case, DEFAULT_MODE, case};

/// Cases of each row in each form.
const CASES: usize = 20;

/// The most of a row.
const MOST_CASES: usize = 3000;

/// One implicit register and how to change it.
type Change = (Implicit, fn(&mut Wave));

const REGISTERS: [Change; 5] = [
    (Implicit::EXEC, |wave| wave.set_pair(sgpr::EXEC_LO, !wave.pair(sgpr::EXEC_LO))),
    (Implicit::VCC, |wave| wave.set_pair(sgpr::VCC_LO, !wave.pair(sgpr::VCC_LO))),
    (Implicit::SCC, |wave| wave.scc = !wave.scc),
    (Implicit::M0, |wave| wave.s[usize::from(sgpr::M0)] ^= 12),
    (Implicit::MODE, |wave| wave.mode ^= 0xff),
];

/// Whether the operands name the register, whose first number this is.
fn names(inst: &Inst, register: Implicit, role: fn(Role) -> bool) -> bool {
    let numbers = match register {
        Implicit::EXEC => 126..=127,
        Implicit::VCC => 106..=107,
        Implicit::M0 => 124..=124,
        _ => return inst.operands().iter().any(|o| register == Implicit::SCC && is_condition(o)),
    };
    let condition = |o: &Operand| is_condition(o) && register != Implicit::M0;
    inst.iter().any(|(slot, o)| {
        let named = matches!(o, Operand::Sgpr(n) if numbers.contains(&n)) || condition(&o);
        named && role(slot.role)
    })
}

/// `src_vccz`, `src_execz`, `src_scc`.
fn is_condition(operand: &Operand) -> bool {
    matches!(operand, Operand::Special(_))
}

/// What differs between two states, besides the register that was changed on purpose.
fn effect(before: &Wave, after: &Wave, without: Implicit) -> Vec<(usize, u32)> {
    let mut all = Vec::new();
    let mut add = |at: usize, b: u32, a: u32| {
        if a != b {
            all.push((at, a));
        }
    };
    for (n, (b, a)) in before.v.iter().zip(&after.v).enumerate() {
        (0..64).for_each(|lane| add(1000 + 64 * n + lane, b[lane], a[lane]));
    }
    for n in 0..128 {
        let own = match without {
            Implicit::EXEC => (126..=127).contains(&n),
            Implicit::VCC => (106..=107).contains(&n),
            Implicit::M0 => n == 124,
            _ => false,
        };
        if !own {
            add(n, before.s[n], after.s[n]);
        }
    }
    if without != Implicit::SCC {
        add(200, before.scc.into(), after.scc.into());
    }
    // Most of memory stays: only pieces that differ are looked into.
    for (space, b, a) in [(1, &before.memory, &after.memory), (2, &before.lds, &after.lds)] {
        for (piece, (b, a)) in b.chunks(256).zip(a.chunks(256)).enumerate().filter(|(_, (b, a))| b != a) {
            for (n, (b, a)) in b.iter().zip(a).enumerate() {
                add(1_000_000 * space + 256 * piece + n, (*b).into(), (*a).into());
            }
        }
    }
    all
}

/// What the model shows of a row.
#[derive(Clone, Copy, Debug, Default)]
struct Shown {
    reads: u8,
    writes: u8,
    /// Vector registers or memory of inactive lanes changed.
    inactive_lanes: bool,
    /// A lane mask was written; some of its bits for inactive lanes were set.
    mask: bool,
    mask_of_inactive: bool,
    /// The result depends on EXEC's first lane only.
    first_lane: bool,
}

impl Shown {
    /// Adds what one more case shows.
    fn observe(&mut self, case: &Case) {
        let (shown, inst) = (self, &case.inst);
        for (before, after) in case.before.iter().zip(&case.after) {
            let run = |change: &dyn Fn(&mut Wave)| {
                let mut wave = before.clone();
                change(&mut wave);
                let start = wave.clone();
                wave.step(inst).ok().map(|()| (start, wave))
            };
            for (register, change) in REGISTERS {
                if let Some((start, end)) = run(&change)
                    && !names(inst, register, |role| role != Role::Dst)
                    && effect(before, after, register) != effect(&start, &end, register)
                {
                    shown.reads |= register.0;
                }
            }
            let dst = |role: Role| role != Role::Src;
            let changed = [
                (Implicit::EXEC, before.exec() != after.exec()),
                (Implicit::VCC, before.pair(sgpr::VCC_LO) != after.pair(sgpr::VCC_LO)),
                (Implicit::SCC, before.scc != after.scc),
                (Implicit::M0, before.s[124] != after.s[124]),
                (Implicit::MODE, before.mode != after.mode),
            ];
            for (register, changed) in changed {
                if changed && !names(inst, register, dst) {
                    shown.writes |= register.0;
                }
            }
            let lanes = |f: &dyn Fn(usize) -> bool| (0..64).any(|lane| !before.active(lane) && f(lane));
            shown.inactive_lanes |=
                lanes(&|lane| before.v.iter().zip(&after.v).any(|(b, a)| b[lane] != a[lane]));
            for (slot, operand) in inst.iter() {
                if let (Kind::LaneMask, Role::Dst, Operand::Sgpr(n)) = (slot.kind, slot.role, operand) {
                    shown.mask = true;
                    shown.mask_of_inactive |= lanes(&|lane| after.pair(n) >> lane & 1 == 1);
                }
            }
            let first = run(&|wave| {
                let exec = wave.exec();
                wave.set_pair(sgpr::EXEC_LO, exec & exec.wrapping_neg());
            });
            let value = names(inst, Implicit::EXEC, |role| role != Role::Dst);
            if let Some((start, end)) = first.filter(|_| !value) {
                shown.first_lane &=
                    effect(before, after, Implicit::EXEC) == effect(&start, &end, Implicit::EXEC);
            }
        }
    }
}

/// The EXEC rules that fit what was shown.
fn rule(shown: &Shown) -> ExecRule {
    if shown.reads & Implicit::EXEC.0 == 0 {
        ExecRule::Ignores
    } else if shown.first_lane {
        ExecRule::FirstLane
    } else if shown.mask && !shown.mask_of_inactive {
        ExecRule::ZeroesInactive
    } else {
        ExecRule::Obeys
    }
}

/// Registers that a row reads without showing it: its result is the same whatever they hold.
fn hidden(row: &Row) -> Implicit {
    let mut hidden = Implicit::NONE;
    // MODE is told for all arithmetic on floats, even where it is exact.
    if row.operands.iter().any(|slot| slot.ty.is_float()) || row.mnemonic.contains("_f32") {
        hidden = hidden.with(Implicit::MODE);
    }
    // M0 is an address for transfers to LDS, a form that the model leaves out; the thread trace is no register.
    if row.legal.has(Legal::LDS) || row.mnemonic == "s_ttracedata" {
        hidden = hidden.with(Implicit::M0);
    }
    hidden
}

/// Comparisons that never or always hold show less than others: they are only checked for what they may not do.
fn is_constant(row: &Row) -> bool {
    ["_f_", "_t_", "_tru_"]
        .iter()
        .any(|part| row.mnemonic.starts_with("v_cmp") && row.mnemonic.contains(part))
}

/// Problems of a row's columns.
fn problems(row: &Row, shown: &Shown) -> Vec<String> {
    let mut all = Vec::new();
    // Scalar instructions that combine EXEC read it as a value.
    let combines = row.mnemonic.contains("exec");
    if !combines && !is_constant(row) && row.exec != rule(shown) {
        all.push(format!("EXEC rule {:?}, shown {:?}", row.exec, rule(shown)));
    }
    if shown.inactive_lanes && row.exec != ExecRule::Ignores {
        all.push("inactive lanes change".into());
    }
    let watched = REGISTERS.iter().fold(0, |all, (register, _)| all | register.0);
    let mut compare = |what: &str, told: u8, shown: u8, hidden: u8| {
        let missing = if is_constant(row) { 0 } else { told & !shown & !hidden };
        if shown & !told | missing != 0 {
            all.push(format!("{what} {told:#x}, shown {shown:#x}"));
        }
    };
    compare("reads", row.reads.0 & watched, shown.reads, hidden(row).0);
    compare("writes", row.writes.0 & watched, shown.writes, 0);
    all
}

#[test]
fn what_happens_is_what_the_columns_say() {
    let mut random = Random(41);
    let mut wrong = Vec::new();
    let (mut rows, mut unnoticed) = (0, Vec::new());
    for row in Table::gfx900().rows().iter().filter(|row| is_plain(row) && elsewhere(row).is_none()) {
        let mut shown = Shown { first_lane: true, ..Shown::default() };
        // What shows rarely gets more cases.
        let mut count = 0;
        while count < CASES || count < MOST_CASES && !problems(row, &shown).is_empty() {
            for form in row.forms.iter() {
                shown.observe(&case(row, form, DEFAULT_MODE, &mut random).expect("the model knows it"));
            }
            count += 1;
        }
        wrong.extend(problems(row, &shown).into_iter().map(|what| format!("{}: {what}", row.mnemonic)));
        rows += 1;
        // Every other rule would be wrong, and every other register.
        for exec in [ExecRule::Obeys, ExecRule::Ignores, ExecRule::ZeroesInactive, ExecRule::FirstLane] {
            let mutant = Row { exec, ..**row };
            if exec != row.exec
                && problems(&mutant, &shown).is_empty()
                && !row.mnemonic.contains("exec")
                && !is_constant(row)
            {
                unnoticed.push(format!("{}: EXEC rule {exec:?}", row.mnemonic));
            }
        }
        for (register, _) in REGISTERS {
            let reads = Row { reads: Implicit(row.reads.0 ^ register.0), ..**row };
            let writes = Row { writes: Implicit(row.writes.0 ^ register.0), ..**row };
            let unseen = is_constant(row) || hidden(row).has(register);
            if !unseen && problems(&reads, &shown).is_empty() {
                unnoticed.push(format!("{}: reads {register:?}", row.mnemonic));
            }
            if !is_constant(row) && problems(&writes, &shown).is_empty() {
                unnoticed.push(format!("{}: writes {register:?}", row.mnemonic));
            }
        }
    }
    eprintln!("{rows} rows");
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
    assert!(unnoticed.is_empty(), "{} unnoticed:\n{}", unnoticed.len(), unnoticed.join("\n"));
}
