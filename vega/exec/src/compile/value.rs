//! Values of a region that may be affine: how the first lane's is computed, and what must hold of the others. See
//! [`super::affine`].

use vega_isa::Ty;
use vega_isa::micro::Cond;

use super::assembler::Condition;

/// A value: the number of the operation that computes it for the first lane.
pub(super) type Slot = usize;

/// How the first lane's value is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Op {
    /// The first lane of a vector register, which must be affine: the number of an input.
    Input(usize),
    /// A scalar register.
    Scalar(u16),
    /// A constant.
    Constant(u32),
    /// a + b
    Add(Slot, Slot),
    /// The carry of a + b (+ carry): 0 or 1.
    Carry(Slot, Slot, Option<Slot>),
    /// a + b + carry
    AddCarry(Slot, Slot, Slot),
    /// a - b
    Sub(Slot, Slot),
    /// a | b, which have no bits in common.
    Or(Slot, Slot),
    /// a << n
    Shl(Slot, u8),
    /// All bits are the sign of a.
    Sign(Slot),
    /// The high dword of {high, low} << n, n below 32.
    ShlHigh { low: Slot, high: Slot, by: u8 },
    /// 1 if the integers compare so, else 0.
    Compare { a: Slot, b: Slot, order: Order },
}

/// How integers are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Order {
    /// The host's condition.
    pub holds: Condition,
    /// With a sign.
    pub signed: bool,
}

impl Order {
    /// A comparison that cannot change more than once as one side grows.
    pub fn new(cond: Cond, ty: Ty) -> Option<Self> {
        let signed = match ty {
            Ty::I32 => true,
            Ty::U32 => false,
            _ => return None,
        };
        let holds = match (cond, signed) {
            (Cond::Lt | Cond::Nge, true) => Condition::Less,
            (Cond::Le | Cond::Ngt, true) => Condition::LessOrEqual,
            (Cond::Gt, true) => Condition::Greater,
            (Cond::Ge, true) => Condition::GreaterOrEqual,
            (Cond::Lt | Cond::Nge, false) => Condition::Below,
            (Cond::Le | Cond::Ngt, false) => Condition::BelowOrEqual,
            (Cond::Gt, false) => Condition::Above,
            (Cond::Ge, false) => Condition::AboveEqual,
            _ => return None,
        };
        Some(Self { holds, signed })
    }
}

/// What must hold of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Guard {
    /// From the first lane to the last it does not wrap around.
    NoWrap(Slot),
    /// Nor does its sign change.
    OneSign(Slot),
    /// All lanes have the same.
    Uniform(Slot),
    /// A comparison comes out the same in all lanes.
    Decided(Slot),
    /// The sides of an OR have no bits in common in any lane.
    Disjoint(Slot),
}

impl Guard {
    /// The value that it is about.
    pub fn slot(self) -> Slot {
        match self {
            Self::NoWrap(slot)
            | Self::OneSign(slot)
            | Self::Uniform(slot)
            | Self::Decided(slot)
            | Self::Disjoint(slot) => slot,
        }
    }
}

/// What is known of a register that is affine: the context holds what the first lane has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Held {
    /// Where in the context.
    pub slot: usize,
    /// From one lane to the next.
    pub stride: u32,
}

impl Op {
    /// The values that an operation takes.
    pub fn sources(self) -> [Option<Slot>; 3] {
        match self {
            Self::Input(_) | Self::Scalar(_) | Self::Constant(_) => [None; 3],
            Self::Add(a, b) | Self::Sub(a, b) | Self::Or(a, b) => [Some(a), Some(b), None],
            Self::Carry(a, b, carry) => [Some(a), Some(b), carry],
            Self::AddCarry(a, b, carry) => [Some(a), Some(b), Some(carry)],
            Self::Compare { a, b, .. } => [Some(a), Some(b), None],
            Self::Shl(a, _) | Self::Sign(a) => [Some(a), None, None],
            Self::ShlHigh { low, high, .. } => [Some(low), Some(high), None],
        }
    }
}
