//! Register numbers and constants.

use vega_isa::{Field, InlineFloat, Inst, Kind, Operand, Role, Slot, Special, Ty};

use super::Refusal;
use crate::interp::record::{Record, code};
use crate::interp::wave::extra;

/// Scalar registers that instructions can name.
const SGPRS: u16 = 128;

/// An inline float as a type sees it.
fn float(value: InlineFloat, ty: Ty) -> u64 {
    match (ty.bits(), ty.dwords()) {
        (16, _) => value.f16().into(),
        (_, 2) => value.f64(),
        _ => value.f32().into(),
    }
}

/// A literal as a type sees it.
fn literal(value: u32, ty: Ty) -> u64 {
    match ty {
        Ty::F64 => u64::from(value) << 32,
        Ty::I64 => i64::from(value as i32) as u64,
        _ => value.into(),
    }
}

/// The source code of an operand, and its constant.
pub(crate) fn source(slot: &Slot, operand: Operand) -> Result<(u16, u64), Refusal> {
    let dwords = u16::from(slot.dwords.max(slot.ty.dwords()).max(1));
    let wide = dwords >= 2;
    Ok(match operand {
        Operand::None => (code::NONE, 0),
        Operand::Vgpr(n) => (code::VGPR + u16::from(n), 0),
        Operand::Sgpr(n) if u16::from(n) + dwords <= SGPRS => (n.into(), 0),
        Operand::Sgpr(_) => return Err(Refusal::Register),
        Operand::InlineInt(n) => (code::CONST, i64::from(n) as u64),
        Operand::InlineFloat(value) => (code::CONST, float(value, slot.ty)),
        Operand::Literal(value) => (code::CONST, literal(value, slot.ty)),
        Operand::Imm(n) => (code::CONST, i64::from(n) as u64),
        Operand::Special(special) => {
            let aperture = |n: u16| extra::APERTURES as u16 + 2 * n + u16::from(!wide);
            let number = match special {
                Special::SharedBase => aperture(0),
                Special::SharedLimit => aperture(1),
                Special::PrivateBase => aperture(2),
                Special::PrivateLimit => aperture(3),
                Special::Vccz => extra::VCCZ,
                Special::Execz => extra::EXECZ,
                Special::Scc => extra::SCC,
                Special::LdsDirect => extra::LDS_DIRECT,
                Special::PopsExitingWaveId => return Err(Refusal::Graphics),
            };
            (number, 0)
        }
    })
}

/// Puts source `n` into the record.
pub(crate) fn put(record: &mut Record, n: usize, slot: &Slot, operand: Operand) -> Result<(), Refusal> {
    let (number, constant) = source(slot, operand)?;
    if let (Some(src), Some(value)) = (record.src.get_mut(n), record.consts.get_mut(n)) {
        (*src, *value) = (number, constant);
    }
    Ok(())
}

/// The first scalar register that a slot names for writing.
pub(crate) fn scalar_register(slot: &Slot, operand: Operand) -> Result<u16, Refusal> {
    match operand {
        Operand::Sgpr(n) if u16::from(n) + u16::from(slot.dwords.max(slot.ty.dwords())) <= SGPRS => {
            Ok(n.into())
        }
        _ => Err(Refusal::Register),
    }
}

/// Sources in the order of the micro-operations: read slots, then those that are also written.
pub(crate) fn sources(inst: &Inst) -> impl Iterator<Item = (&'static Slot, Operand)> + '_ {
    let role = |wanted: Role| inst.iter().filter(move |(slot, _)| slot.role == wanted);
    role(Role::Src).chain(role(Role::Both))
}

/// Puts the destinations into the record.
pub(crate) fn destinations(inst: &Inst, record: &mut Record) -> Result<(), Refusal> {
    for (slot, operand) in inst.iter().filter(|(slot, _)| matches!(slot.role, Role::Dst | Role::Both)) {
        match (slot.kind, operand) {
            (Kind::Vgpr, Operand::Vgpr(n)) => record.dst = n.into(),
            (Kind::Sgpr | Kind::LaneMask, operand) => record.sdst = scalar_register(slot, operand)?,
            _ => {}
        }
    }
    Ok(())
}

/// The slot and operand that a field fills.
pub(crate) fn field(inst: &Inst, field: Field) -> Option<(&'static Slot, Operand)> {
    inst.iter().find(|(slot, operand)| slot.field == field && *operand != Operand::None)
}

/// The immediate operand.
pub(crate) fn immediate(inst: &Inst) -> i32 {
    let imm = inst.operands().iter().find_map(|operand| match operand {
        Operand::Imm(n) => Some(*n),
        _ => None,
    });
    imm.unwrap_or(0)
}
