//! Operands of vector instructions: where they are, and which part of them.

use vega_isa::{Form, Inst, OtherHalf, Sel, Slot, Ty, Unused};

/// Where a source's value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// There is none.
    None,
    /// Vector registers from this one on.
    Vector(u16),
    /// Scalar registers from this one on.
    Scalar(u16),
    /// A constant.
    Constant(u64),
}

/// A part of a dword.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// Its lowest bit.
    pub shift: u8,
    /// How many bits.
    pub bits: u8,
    /// Extended by its sign.
    pub sext: bool,
}

impl Part {
    pub const WHOLE: Self = Self { shift: 0, bits: 32, sext: false };

    fn new(sel: Sel) -> Self {
        let (shift, bits) = match sel {
            Sel::Byte0 => (0, 8),
            Sel::Byte1 => (8, 8),
            Sel::Byte2 => (16, 8),
            Sel::Byte3 => (24, 8),
            Sel::Word0 => (0, 16),
            Sel::Word1 => (16, 16),
            Sel::Dword => (0, 32),
        };
        Self { shift, bits, sext: false }
    }

    /// Whether it is all of the dword.
    pub fn is_whole(self) -> bool {
        self == Self::WHOLE
    }

    /// It, of a constant.
    pub fn of(self, value: u32) -> u32 {
        let (up, down) = (32 - self.shift - self.bits, 32 - self.bits);
        if self.sext { ((value << up) as i32 >> down) as u32 } else { value << up >> down }
    }
}

/// Where a result goes in the destination's dword.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// Its lowest bit.
    pub shift: u8,
    /// How many bits.
    pub bits: u8,
    /// What becomes of the rest.
    pub unused: Unused,
}

/// Which halves packed operations take, a bit for each source.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Halves {
    /// The high half enters the low result.
    pub low: u8,
    /// The high half enters the high result. In `v_mad_mix`: the source is f16.
    pub high: u8,
    /// Negation in the low result. In `v_mad_mix`: of the source.
    pub negate_low: u8,
    /// Negation in the high result. In `v_mad_mix`: the source's magnitude.
    pub negate_high: u8,
}

/// A source operand.
#[derive(Clone, Copy, Debug)]
pub(super) struct Operand {
    /// Where it is.
    pub from: Source,
    /// How many registers it takes.
    pub dwords: u8,
    /// How its bits are read.
    pub ty: Ty,
    /// The sign is cleared, before `neg`.
    pub abs: bool,
    /// The sign is turned round.
    pub neg: bool,
    /// Which part of it.
    pub part: Part,
    /// DPP permutes it.
    pub permuted: bool,
}

impl Operand {
    /// Whether the register enters as it is.
    pub fn is_whole(&self) -> bool {
        self.part.is_whole() && !self.permuted
    }

    pub const NONE: Self = Self {
        from: Source::None,
        dwords: 0,
        ty: Ty::B32,
        abs: false,
        neg: false,
        part: Part::WHOLE,
        permuted: false,
    };
}

/// The part of a source that an instruction's form chooses (as `semantics::plan` has it).
pub(super) fn part(inst: &Inst, slot: &Slot, index: usize) -> Part {
    let m = &inst.modifiers;
    let bit = 1u8 << index;
    match inst.form {
        Form::Sdwa if index < 2 => {
            let mut part = Part::new(if index == 0 { m.sdwa.src0 } else { m.sdwa.src1 });
            // A half takes the low bits of a whole dword.
            part.bits = part.bits.min(slot.ty.bits().max(16) as u8);
            Part { sext: m.sdwa.sext & bit != 0, ..part }
        }
        Form::E64 if slot.ty.bits() == 16 => {
            Part { shift: if m.op_sel & bit != 0 { 16 } else { 0 }, bits: 16, sext: false }
        }
        _ => Part::WHOLE,
    }
}

/// Where the result goes; `None` for the whole dword, or where the operation leaves the rest zero by itself.
pub(super) fn place(inst: &Inst, ty: Ty) -> Option<Place> {
    if inst.form == Form::Sdwa {
        let part = Part::new(inst.modifiers.sdwa.dst);
        let place = Place { shift: part.shift, bits: part.bits, unused: inst.modifiers.sdwa.unused };
        return (part.bits != 32).then_some(place);
    }
    let high = inst.form == Form::E64 && inst.modifiers.op_sel & 8 != 0;
    if inst.row.other_half == OtherHalf::NoHalf || ty.bits() != 16 {
        return None;
    }
    match (high, inst.row.other_half) {
        (true, _) => Some(Place { shift: 16, bits: 16, unused: Unused::Preserve }),
        (_, OtherHalf::Kept) => Some(Place { shift: 0, bits: 16, unused: Unused::Preserve }),
        _ => None,
    }
}
