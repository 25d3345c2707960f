//! Sources and destination of a lane-local instruction.

use vega_isa::micro::MixDst;
use vega_isa::{Form, Inst, Kind, Legal, Micro, OtherHalf, Role, Sel, Slot, Ty, Unused};

use super::{Context, binary, format, mask, packed, ternary, unary};
use crate::numeric::{Format, Mode, arith};

/// What one lane of an instruction reads: raw register contents, before any modifier.
#[derive(Clone, Copy, Debug, Default)]
pub struct LaneIn {
    /// Sources in the order of the row's source slots (a slot that is also written comes last), without
    /// lane masks. Constants as their slot's type sees them.
    pub src: [u128; 3],
    /// The destination before the instruction.
    pub old: u128,
    /// The lane's bit of the mask that the instruction reads: carry in, selection, or VCC of `v_div_fmas`.
    pub mask: bool,
    /// The lane's number, 0 to 63.
    pub lane: u32,
    /// The MODE register.
    pub mode: u32,
}

/// What one lane writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LaneOut {
    /// All of the destination's registers, unwritten halves included.
    pub dst: u128,
    /// The lane's bit of the mask that the instruction writes, if it writes one.
    pub mask: bool,
}

/// How one source is read.
#[derive(Clone, Copy, Debug)]
struct Source {
    ty: Ty,
    shift: u32,
    bits: u32,
    sext: bool,
    abs: bool,
    neg: bool,
}

impl Source {
    const UNUSED: Self = Self { ty: Ty::B32, shift: 0, bits: 32, sext: false, abs: false, neg: false };

    fn new(inst: &Inst, slot: &Slot, index: usize) -> Self {
        let m = &inst.modifiers;
        let bit = 1u8 << index;
        let mut source = Self { ty: slot.ty, bits: slot.ty.dwords().max(1) as u32 * 32, ..Self::UNUSED };
        match inst.form {
            Form::Sdwa if index < 2 => {
                let sel = if index == 0 { m.sdwa.src0 } else { m.sdwa.src1 };
                (source.shift, source.bits) = part(sel);
                // A half takes the low bits of a whole dword.
                source.bits = source.bits.min(slot.ty.bits().max(16));
                source.sext = m.sdwa.sext & bit != 0;
            }
            Form::E64 if slot.ty.bits() == 16 => {
                source.bits = 16;
                source.shift = if m.op_sel & bit != 0 { 16 } else { 0 };
            }
            _ => {}
        }
        if inst.row.legal.has(Legal::NEG) && inst.form != Form::Native {
            source.neg = m.neg & bit != 0;
            source.abs = m.abs & bit != 0 && inst.row.legal.has(Legal::ABS);
        }
        source
    }

    fn read(&self, raw: u128) -> u128 {
        let mut value = raw >> self.shift;
        if self.bits < 128 {
            value &= (1 << self.bits) - 1;
        }
        if self.sext && value >> (self.bits - 1) & 1 == 1 {
            value |= u128::from(u32::MAX) & !((1 << self.bits) - 1);
        }
        let sign = 1u128 << (self.ty.bits().min(64) - 1);
        if self.abs {
            value &= !sign;
        }
        if self.neg {
            value ^= sign;
        }
        value
    }
}

/// Shift and width of an SDWA selection.
fn part(sel: Sel) -> (u32, u32) {
    match sel {
        Sel::Byte0 => (0, 8),
        Sel::Byte1 => (8, 8),
        Sel::Byte2 => (16, 8),
        Sel::Byte3 => (24, 8),
        Sel::Word0 => (0, 16),
        Sel::Word1 => (16, 16),
        Sel::Dword => (0, 32),
    }
}

/// Where the result goes in the destination.
#[derive(Clone, Copy, Debug)]
enum Placement {
    /// All of the destination.
    Whole,
    /// A field; the rest as `unused` says.
    Field { shift: u32, bits: u32, unused: Unused },
}

/// A lane-local instruction, ready to be evaluated.
#[derive(Clone, Copy, Debug)]
pub struct LanePlan {
    inst: Inst,
    sources: [Source; 3],
    dst: Ty,
    placement: Placement,
    has_dst: bool,
}

impl LanePlan {
    /// Plans an instruction; `None` when its lanes are not independent of each other, or when it writes two
    /// registers (`v_swap_b32`).
    pub fn new(inst: &Inst) -> Option<Self> {
        if !is_lane_local(inst.row.micro) {
            return None;
        }
        let mut sources = [Source::UNUSED; 3];
        // A fourth one is a destination of which a half stays: `LaneIn::old` has it.
        for (index, (slot, source)) in source_slots(inst).zip(&mut sources).enumerate() {
            *source = Source::new(inst, slot, index);
        }
        let written = |slot: &&Slot| matches!(slot.role, Role::Dst | Role::Both) && slot.kind == Kind::Vgpr;
        let dst = inst.row.operands.iter().find(written);
        let ty = dst.map_or(Ty::Mask, |slot| slot.ty);
        Some(Self { inst: *inst, sources, dst: ty, placement: placement(inst, ty), has_dst: dst.is_some() })
    }

    /// The slots whose values [`LaneIn::src`] holds, in that order.
    pub fn sources(inst: &Inst) -> impl Iterator<Item = &'static Slot> {
        source_slots(inst)
    }

    /// Evaluates one lane.
    pub fn lane(&self, input: &LaneIn) -> LaneOut {
        let row = self.inst.row;
        let clamp = self.inst.modifiers.clamp;
        let context = Context { register: input.mode, fp: row.fp, clamp, lane: input.lane };
        // Packed operations choose halves by themselves.
        let packed = matches!(row.micro, Micro::Packed2(..) | Micro::Packed3(..) | Micro::MadMix(_));
        let mut src = input.src;
        if !packed {
            for (value, source) in src.iter_mut().zip(&self.sources) {
                *value = source.read(*value);
            }
        }
        if row.reversed && !packed {
            src.swap(0, 1);
        }
        let [a, b, c] = src.map(|value| value as u64);
        let m = &self.inst.modifiers;
        let (result, mask) = match row.micro {
            Micro::Lane1(op, ty) => (unary::evaluate(op, ty, a, &context).into(), false),
            Micro::Convert { from, to, how } => (unary::convert(from, to, how, a, &context).into(), false),
            Micro::Lane2(op, ty) => (binary::evaluate(op, ty, [a, b, c], &context).into(), false),
            Micro::Lane3(op, ty) => (ternary::evaluate(op, ty, src, &context), false),
            Micro::Packed2(op, ty) => (packed::two(op, ty, [a, b], row.reversed, m, &context).into(), false),
            Micro::Packed3(op, ty) => (packed::three(op, ty, [a, b, c], m, &context).into(), false),
            Micro::MadMix(dst) => return self.mix(dst, [a, b, c], input, &context),
            Micro::Select => (if input.mask { src[1] } else { src[0] }, false),
            other => mask::evaluate(other, [a, b, c], input.mask, &context),
        };
        if !self.has_dst {
            return LaneOut { dst: input.old, mask };
        }
        let result = match format(self.dst) {
            Some(f) if !packed => self.modify(f, result as u64, &context).into(),
            _ => result,
        };
        LaneOut { dst: self.place(result, input.old), mask }
    }

    /// Output modifiers: MODE alone decides how they round and whether they act, whatever the operation itself does.
    fn modify(&self, f: Format, result: u64, context: &Context) -> u64 {
        let m = &self.inst.modifiers;
        let mode = if f == Format::F32 { Mode::single } else { Mode::half_and_double }(context.register);
        let one = |bits: u64| arith::modify_output(f, bits, m.omod, m.clamp, mode);
        if self.dst == Ty::PkF16 {
            one(result & 0xffff) | one(result >> 16 & 0xffff) << 16
        } else {
            one(result)
        }
    }

    fn mix(&self, dst: MixDst, src: [u64; 3], input: &LaneIn, context: &Context) -> LaneOut {
        let result = packed::mix(dst, src, &self.inst.modifiers, context);
        let old = input.old & 0xffff_ffff;
        let dst = match dst {
            MixDst::F32 => result.into(),
            MixDst::LowF16 => old & 0xffff_0000 | u128::from(result),
            MixDst::HighF16 => old & 0xffff | u128::from(result) << 16,
        };
        LaneOut { dst, mask: false }
    }

    fn place(&self, result: u128, old: u128) -> u128 {
        let Placement::Field { shift, bits, unused } = self.placement else { return result };
        let field = (1u128 << bits) - 1;
        let value = (result & field) << shift;
        let whole = u128::from(u32::MAX);
        match unused {
            Unused::Pad => value,
            Unused::Preserve => value | old & whole & !(field << shift),
            Unused::Sext => {
                let above = whole & !((1 << (shift + bits)) - 1);
                let negative = result >> (bits - 1) & 1 == 1;
                value | if negative { above } else { 0 }
            }
        }
    }
}

/// Source slots without lane masks, those that are also written last.
fn source_slots(inst: &Inst) -> impl Iterator<Item = &'static Slot> + use<> {
    let operands = inst.row.operands;
    // v_mad_mixlo and v_mad_mixhi keep half of the destination, which is no source of theirs.
    let both = !matches!(inst.row.micro, Micro::MadMix(_));
    let role = move |role: Role| {
        operands.iter().filter(move |slot| slot.role == role && slot.kind != Kind::LaneMask)
    };
    role(Role::Src).chain(role(Role::Both).filter(move |_| both))
}

fn placement(inst: &Inst, ty: Ty) -> Placement {
    if inst.form == Form::Sdwa {
        let (shift, bits) = part(inst.modifiers.sdwa.dst);
        return if bits == 32 {
            Placement::Whole
        } else {
            Placement::Field { shift, bits, unused: inst.modifiers.sdwa.unused }
        };
    }
    let high = inst.form == Form::E64 && inst.modifiers.op_sel & 8 != 0;
    match inst.row.other_half {
        OtherHalf::NoHalf => Placement::Whole,
        _ if ty.bits() != 16 => Placement::Whole,
        _ if high => Placement::Field { shift: 16, bits: 16, unused: Unused::Preserve },
        OtherHalf::Zeroed => Placement::Field { shift: 0, bits: 16, unused: Unused::Pad },
        OtherHalf::Kept => Placement::Field { shift: 0, bits: 16, unused: Unused::Preserve },
    }
}

fn is_lane_local(micro: Micro) -> bool {
    match micro {
        Micro::Lane1(op, _) => unary::is_evaluated(op),
        Micro::Lane2(..)
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
        | Micro::MadWide(_) => true,
        _ => false,
    }
}
