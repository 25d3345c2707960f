//! Scalar instructions and program flow.

use vega_isa::micro::{Clock, Control, Logic};
use vega_isa::{Encoding, Inst, Kind, Micro, Role};

use super::operands::{destinations, immediate, put, source, sources};
use super::{Handled, Refusal, some};
use crate::interp::control::{self, LOGIC};
use crate::interp::record::Record;
use crate::interp::{cross, scalar};

/// Puts operands into the record, and the widths of the sources and of the destination into `imm`.
fn operands(inst: &Inst, record: &mut Record) -> Result<(), Refusal> {
    destinations(inst, record)?;
    for (n, (slot, operand)) in sources(inst).enumerate().take(2) {
        put(record, n, slot, operand)?;
        if slot.ty.dwords() == 2 {
            record.imm |= [scalar::WIDE_0, scalar::WIDE_1][n];
        }
    }
    let wide = |role: Role| role != Role::Src;
    if inst.iter().any(|(slot, _)| wide(slot.role) && slot.ty.dwords() == 2) {
        record.imm |= scalar::WIDE_DST;
    }
    Ok(())
}

fn exec_logic(inst: &Inst, record: &mut Record, logic: Logic, write: bool) -> Handled {
    destinations(inst, record)?;
    for (n, (slot, operand)) in sources(inst).enumerate().take(1) {
        put(record, n, slot, operand)?;
    }
    let number = LOGIC.iter().position(|l| *l == logic).unwrap_or(0);
    record.imm = number as i32 | if write { 0x100 } else { 0 };
    some::<control::SaveExec>()
}

/// Puts the hardware register into `imm` and the value into source 0.
fn hardware_register(inst: &Inst, record: &mut Record) -> Result<(), Refusal> {
    record.imm = immediate(inst);
    for (slot, operand) in inst.iter() {
        match (slot.kind, slot.role) {
            (Kind::HwReg, _) => {}
            (_, Role::Dst) => record.sdst = super::operands::scalar_register(slot, operand)?,
            _ => (record.src[0], record.consts[0]) = source(slot, operand)?,
        }
    }
    Ok(())
}

/// Lowers a scalar instruction.
pub(super) fn lower(inst: &Inst, record: &mut Record) -> Handled {
    match inst.row.micro {
        Micro::Scalar1(un, ty) => {
            operands(inst, record)?;
            scalar::scalar1(un, ty).ok_or(Refusal::Undecodable)
        }
        Micro::Scalar2(bin, ty) => {
            operands(inst, record)?;
            scalar::scalar2(bin, ty).ok_or(Refusal::Undecodable)
        }
        Micro::ScalarCompare(cond, ty) => {
            operands(inst, record)?;
            scalar::scalar_compare(cond, ty).ok_or(Refusal::Undecodable)
        }
        Micro::ScalarBitCompare { set, ty } => {
            operands(inst, record)?;
            scalar::scalar_bit_compare(set, ty).ok_or(Refusal::Undecodable)
        }
        Micro::SaveExec(logic) => exec_logic(inst, record, logic, false),
        Micro::WriteExec(logic) => exec_logic(inst, record, logic, true),
        Micro::MoveRelSource(ty) | Micro::MoveRelDest(ty) => {
            operands(inst, record)?;
            let to = matches!(inst.row.micro, Micro::MoveRelDest(_));
            record.imm = i32::from(ty.dwords() == 2) | i32::from(to) << 1;
            some::<cross::MoveRelative>()
        }
        Micro::GetReg => {
            hardware_register(inst, record)?;
            some::<control::GetReg>()
        }
        Micro::SetReg => {
            hardware_register(inst, record)?;
            some::<control::SetReg>()
        }
        Micro::Time(clock) => {
            destinations(inst, record)?;
            match clock {
                Clock::Core => some::<control::MemTime>(),
                Clock::Real => some::<control::RealTime>(),
            }
        }
        // Nothing is cached between memory and waves; the order of accesses is what remains.
        Micro::Cache(_) => some::<control::Waitcnt>(),
        Micro::Control(control) => flow(inst, record, control),
        _ => Err(Refusal::Undecodable),
    }
}

fn flow(inst: &Inst, record: &mut Record, control: Control) -> Handled {
    destinations(inst, record)?;
    for (n, (slot, operand)) in sources(inst).enumerate().take(2) {
        put(record, n, slot, operand)?;
    }
    record.imm = immediate(inst);
    match control {
        Control::Nop
        | Control::SetPriority
        | Control::Wakeup
        | Control::IncPerfLevel
        | Control::DecPerfLevel
        | Control::TraceData => some::<control::Nop>(),
        Control::InstructionCacheInvalidate => some::<control::InvalidateCode>(),
        Control::EndProgram | Control::EndProgramSaved => some::<control::End>(),
        Control::Branch(condition) => control::branch(condition).ok_or(Refusal::Undecodable),
        Control::Call => some::<control::Call>(),
        Control::GetPc => some::<control::GetPc>(),
        Control::SetPc => some::<control::SetPc>(),
        Control::SwapPc => some::<control::SwapPc>(),
        Control::Barrier => some::<control::Barrier>(),
        Control::Waitcnt => some::<control::Waitcnt>(),
        Control::Sleep => some::<control::Sleep>(),
        Control::SendMessage => some::<control::SendMessage>(),
        Control::Trap => some::<control::Trap>(),
        Control::GprIdxOn => some::<control::GprIdxOn>(),
        Control::GprIdxOff => some::<control::GprIdxOff>(),
        Control::GprIdxIdx => some::<control::GprIdxIdx>(),
        Control::GprIdxMode => some::<control::GprIdxMode>(),
        Control::SendMessageHalt => some::<control::SendMessageHalt>(),
        Control::SetHalt | Control::SetKill if record.imm & 1 == 0 => some::<control::Nop>(),
        Control::SetHalt => some::<control::Halt>(),
        Control::SetKill => some::<control::End>(),
        Control::SetVskip => some::<control::SetVskip>(),
        Control::Fork => {
            if inst.row.encoding == Encoding::Sopk {
                // The mask stands in the destination's place.
                let mask = inst.iter().find(|(slot, _)| slot.kind != Kind::Branch);
                if let Some((slot, operand)) = mask {
                    put(record, 0, slot, operand)?;
                }
                return some::<control::ForkNear>();
            }
            some::<control::Fork>()
        }
        Control::Join => some::<control::Join>(),
        Control::ReturnFromException | Control::ReturnFromExceptionRestore => Err(Refusal::Privileged),
        Control::EndProgramOrderedPsDone => Err(Refusal::Graphics),
    }
}
