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
mod operands;
mod scalar;

use vega_isa::{Inst, Micro};

use super::alu::Make;
use super::control;
use super::level::{Level, run};
use super::planned::Plan;
use super::record::{Record, code};

/// A record and, for the slow handler, its plan.
pub(crate) struct Lowered {
    pub record: Record,
    pub plan: Option<Box<Plan>>,
}

/// Why an instruction cannot be executed: an index into [`control::REASONS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Undecodable = 0,
    Graphics = 1,
    Missing = 2,
    MissingForm = 3,
    Register = 4,
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
    let mut plan = None;
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
        | Micro::MadWide(_) => lane::lower(inst, &mut record, &mut plan, strict, level),
        Micro::Cross(_) => memory::cross(inst, &mut record),
        Micro::Mem(op) => memory::lower(inst, op, &mut record),
        Micro::Gws(op) => memory::gws(inst, op, &mut record),
        Micro::Image(_) => Err(Refusal::Missing),
        Micro::Interp(_) | Micro::Export => Err(Refusal::Graphics),
        _ => scalar::lower(inst, &mut record),
    };
    match make {
        Ok(make) => record.run = make(level),
        Err(why) => return Lowered { record: illegal(offset, why, level), plan: None },
    }
    Lowered { record, plan }
}

/// A handler as the tables give it.
fn some<H: super::level::Handler>() -> Handled {
    Ok(|level| run::<H>(level))
}
