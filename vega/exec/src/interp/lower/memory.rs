//! Memory instructions, and exchange between lanes.

use vega_isa::memory::{Half, MemKind, MemOp, Returns, Space};
use vega_isa::micro::{Cross, Gws};
use vega_isa::{Encoding, Field, Flags, Inst, Kind, Micro, Operand, Role};

use super::operands::{destinations, field, put, scalar_register, sources};
use super::{Handled, Refusal, some};
use crate::interp::alu::Make;
use crate::interp::level::Level;
use crate::interp::mem::buffer::FormatShape;
use crate::interp::mem::components::Components;
use crate::interp::mem::flat::{self, act};
use crate::interp::mem::{self, AtomicShape, Shape, buffer, lds, scalar, share};
use crate::interp::program::Details;
use crate::interp::record::{Record, code};
use crate::interp::{control, cross, gws};

/// Puts the vector register of a field into the record through `set`.
fn vector(inst: &Inst, from: Field) -> Option<u16> {
    match field(inst, from) {
        Some((_, Operand::Vgpr(n))) => Some(n.into()),
        _ => None,
    }
}

/// Address, data and destination registers, as `mem` describes a memory record.
fn registers(inst: &Inst, record: &mut Record) -> Result<(), Refusal> {
    record.src = [code::NONE; 3];
    if let Some(n) = vector(inst, Field::Addr) {
        record.src[0] = code::VGPR + n;
    }
    if let Some(n) = vector(inst, Field::Data0) {
        record.sdst = n;
        record.dst = n;
    }
    if let Some(n) = vector(inst, Field::Data1) {
        record.consts[0] = n.into();
    }
    if let Some(n) = vector(inst, Field::Dst) {
        record.dst = n;
        if vector(inst, Field::Data0).is_none() {
            record.sdst = n;
        }
    }
    for name in [Field::SAddr, Field::SBase, Field::Rsrc] {
        if let Some((slot, operand)) = field(inst, name) {
            record.src[1] = scalar_register(slot, operand)?;
        }
    }
    if let Some((slot, operand)) = field(inst, Field::SOffset) {
        let constants = record.consts;
        put(record, 2, slot, operand)?;
        record.consts = [constants[0], constants[1], record.consts[2]];
    }
    record.imm = inst.modifiers.offset;
    Ok(())
}

/// The action of a load, store or atomic instruction as record constants.
fn action(inst: &Inst, kind: MemKind) -> Option<(u64, u64)> {
    Some(match kind {
        MemKind::Load { bytes, signed, half } => (act::LOAD, Shape { bytes, signed, half }.pack()),
        MemKind::Store { bytes, half } => (act::STORE, Shape { bytes, signed: false, half }.pack()),
        MemKind::Atomic { op, bytes, returns } => {
            let returns = match returns {
                Returns::No => false,
                Returns::Always => true,
                Returns::IfGlc => inst.modifiers.flags.has(Flags::GLC),
            };
            (act::ATOMIC, AtomicShape { op, bytes, returns }.pack())
        }
        _ => return None,
    })
}

/// Lowers a memory instruction.
pub(super) fn lower(
    inst: &Inst,
    op: MemOp,
    record: &mut Record,
    details: &mut Option<Details>,
    level: Level,
) -> Handled {
    let flags = inst.modifiers.flags;
    match op.space {
        Space::Scalar => smem::<{ scalar::PLAIN }>(inst, op.kind, record),
        Space::ScalarBuffer => smem::<{ scalar::BUFFER }>(inst, op.kind, record),
        Space::ScalarScratch => smem::<{ scalar::SCRATCH }>(inst, op.kind, record),
        Space::Lds => ds(inst, op.kind, record, details),
        Space::Global | Space::Flat | Space::Scratch => {
            registers(inst, record)?;
            let (kind, shape) = action(inst, op.kind).ok_or(Refusal::Undecodable)?;
            (record.consts[1], record.consts[2]) = (kind, shape);
            let make = match op.space {
                Space::Flat => some::<flat::Flat>(),
                Space::Scratch => some::<flat::Scratch>(),
                _ => global(op.kind),
            }?;
            if flags.has(Flags::LDS) {
                record.consts[0] = buffer::LDS;
                return detour(record, make, level);
            }
            Ok(make)
        }
        Space::Buffer => vector_buffer(inst, op.kind, record, level),
    }
}

/// Puts what LDS and TFE ask for around the handler.
fn detour(record: &mut Record, make: Make, level: Level) -> Handled {
    record.plain = make(level);
    some::<buffer::Detour>()
}

fn vector_buffer(inst: &Inst, kind: MemKind, record: &mut Record, level: Level) -> Handled {
    let flags = inst.modifiers.flags;
    registers(inst, record)?;
    // The scalar offset's constant would stand where the shape does: it goes above the flags.
    let mut extra = if record.src[2] == code::CONST { record.consts[2] << 32 } else { 0 };
    for (flag, bit) in
        [(Flags::IDXEN, buffer::IDXEN), (Flags::OFFEN, buffer::OFFEN), (Flags::LDS, buffer::LDS)]
    {
        extra |= if flags.has(flag) { bit } else { 0 };
    }
    let typed = inst.row.encoding == Encoding::Mtbuf;
    let typed = typed.then_some((inst.modifiers.dfmt, inst.modifiers.nfmt));
    let mut loads = 0;
    let make = match kind {
        MemKind::LoadFormat(format) | MemKind::StoreFormat(format) => {
            let store = matches!(kind, MemKind::StoreFormat(_));
            if !store {
                loads = Components::dwords(format.d16, format.components.into());
            }
            let shape = FormatShape { store, components: format.components, d16: format.d16, typed };
            record.consts = [extra, 0, shape.pack()];
            some::<buffer::Formatted>()
        }
        MemKind::StoreLds => {
            let shape = Shape { bytes: 4, signed: false, half: Half::Whole };
            record.consts = [extra, act::STORE, shape.pack()];
            return some::<buffer::StoreLds>();
        }
        _ => {
            let (kind, shape) = action(inst, kind).ok_or(Refusal::Undecodable)?;
            record.consts = [extra, kind, shape];
            if kind == act::LOAD {
                loads = Shape::unpack(shape).dwords();
            }
            some::<buffer::Buffer>()
        }
    }?;
    if flags.has(Flags::TFE) && loads != 0 {
        record.consts[0] |= buffer::TFE | (loads as u64) << 8;
    }
    if record.consts[0] & (buffer::LDS | buffer::TFE) != 0 { detour(record, make, level) } else { Ok(make) }
}

/// Lowers an image instruction: everything about it is looked at when it is executed.
pub(super) fn image(inst: &Inst, record: &mut Record, details: &mut Option<Details>) -> Handled {
    registers(inst, record)?;
    if let Some((slot, operand)) = field(inst, Field::Sampler) {
        record.src[2] = scalar_register(slot, operand)?;
    }
    *details = Some(Details::Inst(Box::new(*inst)));
    some::<mem::image::Image>()
}

fn global(kind: MemKind) -> Handled {
    match kind {
        MemKind::Load { bytes: 4, .. } => some::<flat::LoadDword>(),
        MemKind::Load { bytes: 8, .. } => some::<flat::GlobalLoad<8>>(),
        MemKind::Load { bytes: 12, .. } => some::<flat::GlobalLoad<12>>(),
        MemKind::Load { bytes: 16, .. } => some::<flat::GlobalLoad<16>>(),
        MemKind::Store { bytes: 4, .. } => some::<flat::StoreDword>(),
        MemKind::Store { bytes: 8, .. } => some::<flat::GlobalStore<8>>(),
        MemKind::Store { bytes: 12, .. } => some::<flat::GlobalStore<12>>(),
        MemKind::Store { bytes: 16, .. } => some::<flat::GlobalStore<16>>(),
        _ => some::<flat::Global>(),
    }
}

fn smem<const FROM: u8>(inst: &Inst, kind: MemKind, record: &mut Record) -> Handled {
    registers(inst, record)?;
    let data = inst.iter().find(|(slot, _)| slot.field == Field::SData);
    if let Some((slot, operand)) = data.filter(|_| kind != MemKind::Probe) {
        record.sdst = scalar_register(slot, operand)?;
    }
    match kind {
        MemKind::Load { bytes, .. } => {
            record.consts[1] = u64::from(bytes / 4);
            some::<scalar::Load<FROM>>()
        }
        MemKind::Store { bytes, .. } => {
            record.consts[1] = u64::from(bytes / 4);
            some::<scalar::Store<FROM>>()
        }
        MemKind::Atomic { .. } => {
            record.consts[1] = action(inst, kind).ok_or(Refusal::Undecodable)?.1;
            some::<scalar::ScalarAtomic<FROM>>()
        }
        // Asks the translation for a page and waits for nothing.
        MemKind::Probe => some::<control::Nop>(),
        _ => Err(Refusal::Undecodable),
    }
}

fn ds(inst: &Inst, kind: MemKind, record: &mut Record, details: &mut Option<Details>) -> Handled {
    registers(inst, record)?;
    let common = matches!(
        kind,
        MemKind::Load { .. }
            | MemKind::Store { .. }
            | MemKind::Load2 { .. }
            | MemKind::Store2 { .. }
            | MemKind::Atomic { .. }
    );
    if inst.modifiers.flags.has(Flags::GDS) || !common {
        *details = Some(Details::Inst(Box::new(*inst)));
        return some::<share::Other>();
    }
    let (first, second) = (i32::from(inst.modifiers.offset0), i32::from(inst.modifiers.offset1));
    let mut pair = |bytes: u8, stride: u16| {
        record.imm = first * i32::from(stride);
        record.consts[1] = (second * i32::from(stride)) as u64;
        bytes
    };
    match kind {
        MemKind::Load { bytes: 4, .. } => some::<lds::Read<1>>(),
        MemKind::Load { bytes: 8, .. } => some::<lds::Read<2>>(),
        MemKind::Load { bytes: 12, .. } => some::<lds::Read<3>>(),
        MemKind::Load { bytes: 16, .. } => some::<lds::Read<4>>(),
        MemKind::Load { bytes, signed, half } => {
            record.consts[2] = Shape { bytes, signed, half }.pack();
            some::<lds::ReadSmall>()
        }
        MemKind::Store { bytes: 4, half: Half::Whole } => some::<lds::Write<1>>(),
        MemKind::Store { bytes: 8, .. } => some::<lds::Write<2>>(),
        MemKind::Store { bytes: 12, .. } => some::<lds::Write<3>>(),
        MemKind::Store { bytes: 16, .. } => some::<lds::Write<4>>(),
        MemKind::Store { bytes, half } => {
            record.consts[2] = Shape { bytes, signed: false, half }.pack();
            some::<lds::WriteSmall>()
        }
        MemKind::Load2 { bytes, stride } => match pair(bytes, stride) {
            4 => some::<lds::Read2<1>>(),
            _ => some::<lds::Read2<2>>(),
        },
        MemKind::Store2 { bytes, stride } => match pair(bytes, stride) {
            4 => some::<lds::Write2<1>>(),
            _ => some::<lds::Write2<2>>(),
        },
        MemKind::Atomic { .. } => {
            record.consts[2] = action(inst, kind).ok_or(Refusal::Undecodable)?.1;
            some::<lds::LdsAtomic>()
        }
        _ => Err(Refusal::Undecodable),
    }
}

/// Lowers global wave sync.
pub(super) fn gws(inst: &Inst, op: Gws, record: &mut Record) -> Handled {
    registers(inst, record)?;
    match op {
        Gws::Init => some::<gws::Init>(),
        Gws::Barrier => some::<gws::Barrier>(),
        Gws::SemaV => some::<gws::SemaV>(),
        Gws::SemaBr => some::<gws::SemaBr>(),
        Gws::SemaP => some::<gws::SemaP>(),
        Gws::SemaReleaseAll => some::<gws::SemaReleaseAll>(),
    }
}

/// Lowers an exchange between lanes.
pub(super) fn cross(inst: &Inst, record: &mut Record) -> Handled {
    let Micro::Cross(cross) = inst.row.micro else { return Err(Refusal::Undecodable) };
    match cross {
        Cross::Swizzle | Cross::Permute | Cross::Bpermute => {
            registers(inst, record)?;
            match cross {
                Cross::Swizzle => {
                    // Its data may be named by either field.
                    if record.src[0] == code::NONE {
                        record.src[0] = code::VGPR + record.sdst;
                    }
                    some::<cross::Swizzle>()
                }
                Cross::Permute => some::<cross::Permute>(),
                _ => some::<cross::Bpermute>(),
            }
        }
        Cross::ReadFirstLane | Cross::ReadLane | Cross::WriteLane => {
            destinations(inst, record)?;
            for (n, (slot, operand)) in sources(inst).enumerate().take(2) {
                put(record, n, slot, operand)?;
            }
            for (slot, operand) in inst.iter().filter(|(slot, _)| slot.role != Role::Src) {
                if let (Kind::Vgpr | Kind::VectorOnly, Operand::Vgpr(n)) = (slot.kind, operand) {
                    record.dst = n.into();
                }
            }
            match cross {
                Cross::ReadFirstLane => some::<cross::ReadFirstLane>(),
                Cross::ReadLane => some::<cross::ReadLane>(),
                _ => some::<cross::WriteLane>(),
            }
        }
    }
}
