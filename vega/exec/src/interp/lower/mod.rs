//! From decoded instructions to records.
//!
//! | file | what it holds |
//! |---|---|
//! | `operands` | register numbers and constants |
//! | `lane` | vector instructions: a fast handler, or the plan for the slow one |
//! | `scalar` | scalar instructions and program flow |
//! | `memory` | memory instructions |

mod lane;
mod memory;
pub(crate) mod operands;
mod scalar;

use vega_isa::{Inst, Micro, Operand, Special};

use super::alu::Make;
use super::control;
use super::level::{Level, run};
use super::mem::lds::LdsDirect;
use super::program::Details;
use super::record::{Record, code};

/// An instruction's record.
pub(crate) struct Lowered {
    /// What has to be done before.
    pub before: Option<Record>,
    pub record: Record,
    /// What the record does not have room for.
    pub details: Option<Details>,
    /// The record's first two sources stand in the micro-operation's order, which is not the instruction's.
    pub swapped: bool,
}

/// Why an instruction cannot be executed: an index into [`control::REASONS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Undecodable = 0,
    Graphics = 1,
    Register = 2,
    Privileged = 3,
}

/// A record that does nothing, at an offset from the program's base.
pub(crate) fn blank(offset: i64, level: Level) -> Record {
    Record {
        run: run::<control::Nop>(level),
        plain: run::<control::Nop>(level),
        consts: [0; 3],
        src: [code::CONST; 3],
        dst: 0,
        sdst: code::NONE,
        cache: 0,
        imm: 0,
        offset,
    }
}

/// A record that jumps to another record.
pub(crate) fn goto(offset: i64, to: usize, level: Level) -> Record {
    Record { run: run::<control::Always>(level), imm: to as i32, ..blank(offset, level) }
}

/// Whether a record is one of [`goto`]'s.
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
pub(crate) fn is_goto(record: &Record) -> bool {
    std::ptr::fn_addr_eq(record.run, run::<control::Always>(Level::detect()))
}

/// A record that jumps to its own address, which lies outside the program.
pub(crate) fn goto_address(offset: i64, level: Level) -> Record {
    Record { run: run::<control::GotoAddress>(level), ..blank(offset, level) }
}

/// A record for an address that cannot be fetched.
pub(crate) fn unfetchable(offset: i64, level: Level) -> Record {
    Record { run: run::<control::Unfetchable>(level), ..blank(offset, level) }
}

/// A record that raises the illegal-instruction fault.
pub(crate) fn illegal(offset: i64, why: Refusal, level: Level) -> Record {
    Record { run: run::<control::Illegal>(level), imm: why as i32, ..blank(offset, level) }
}

/// What lowering an instruction yields: its handler goes to `record.run`.
type Handled = Result<Make, Refusal>;

/// Lowers one instruction. `number` spreads translation caches over the worker's table; `strict` code looks
/// at MODE in every floating-point instruction.
pub(crate) fn lower(inst: &Inst, offset: i64, number: usize, strict: bool, level: Level) -> Lowered {
    let mut record = blank(offset, level);
    record.cache = (number % super::worker::CACHES) as u16;
    let mut details = None;
    let mut swapped = false;
    let make = match inst.row.micro {
        Micro::Lane1(..)
        | Micro::Lane2(..)
        | Micro::Lane3(..)
        | Micro::Packed2(..)
        | Micro::Packed3(..)
        | Micro::MadMix(_)
        | Micro::Carry { .. }
        | Micro::Select
        | Micro::Convert { .. }
        | Micro::Compare { .. }
        | Micro::CompareClass { .. }
        | Micro::DivScale(_)
        | Micro::DivFmas(_)
        | Micro::DivFixup(_)
        | Micro::MadWide(_) => lane::lower(inst, &mut record, &mut details, &mut swapped, strict, level),
        Micro::Cross(_) => memory::cross(inst, &mut record),
        Micro::Mem(op) => memory::lower(inst, op, &mut record, &mut details, level),
        Micro::Image(_) => memory::image(inst, &mut record, &mut details),
        Micro::Gws(op) => memory::gws(inst, op, &mut record),
        Micro::Interp(_) | Micro::Export => Err(Refusal::Graphics),
        _ => scalar::lower(inst, &mut record),
    };
    match make {
        Ok(make) => record.run = make(level),
        Err(why) => {
            let record = illegal(offset, why, level);
            return Lowered { before: None, record, details: None, swapped: false };
        }
    }
    let direct = inst.operands().contains(&Operand::Special(Special::LdsDirect));
    let before = direct.then(|| Record { run: run::<LdsDirect>(level), ..blank(offset, level) });
    Lowered { before, record, details, swapped }
}

/// Why the engine raises the illegal-instruction fault for an instruction; `None` if it executes it.
pub fn refusal(inst: &Inst) -> Option<&'static str> {
    let level = Level::detect();
    let record = lower(inst, 0, 0, false, level).record;
    let illegal = illegal(0, Refusal::Undecodable, level);
    let reason = || control::REASONS.get(record.imm as usize).copied();
    std::ptr::fn_addr_eq(record.run, illegal.run).then(reason).flatten()
}

/// A handler as the tables give it.
fn some<H: super::level::Handler>() -> Handled {
    Ok(|level| run::<H>(level))
}
