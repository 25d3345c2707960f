//! The meaning of every lane-local instruction, one lane at a time, with all its modifiers.
//!
//! [`LanePlan`] is made once per instruction from what `vega-isa` decoded; [`LanePlan::lane`] then maps raw
//! register contents to raw register contents. It favours plainness over speed: it is what engines use for
//! whatever they have no faster path for, and what those faster paths are tested against.
//!
//! | file | what it holds |
//! |---|---|
//! | `plan` | sources and destination: neg, abs, op_sel, SDWA, clamp, omod |
//! | `unary`, `binary`, `ternary` | operations with one, two and three sources |
//! | `packed` | packed 16-bit operations and `v_mad_mix` |
//! | `mask` | comparisons, carries and the division helpers: operations that write lane masks |

mod binary;
mod mask;
mod packed;
mod plan;
mod ternary;
mod unary;

pub use plan::{LaneIn, LaneOut, LanePlan};

use crate::numeric::{Format, Mode, Round};
use vega_isa::Ty;

/// What an operation needs to know besides its sources.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context {
    /// The MODE register.
    pub register: u32,
    /// The row's floating-point column.
    pub fp: vega_isa::FpTraits,
    /// Integers saturate.
    pub clamp: bool,
    /// The lane's number.
    pub lane: u32,
}

impl Context {
    /// How a value of this type is treated.
    pub fn mode(&self, ty: Ty) -> Mode {
        use vega_isa::{Denormals, Rounding};
        let single = match self.fp.denormals {
            Denormals::Mode32 => true,
            Denormals::Mode16And64 => false,
            _ => ty == Ty::F32,
        };
        let mode = if single { Mode::single(self.register) } else { Mode::half_and_double(self.register) };
        let mode = match self.fp.denormals {
            Denormals::Flush => mode.flushing(),
            Denormals::Keep => Mode { denormal_in: true, denormal_out: true, ..mode },
            _ => mode,
        };
        match self.fp.rounding {
            Rounding::Exact | Rounding::NearestEven => mode.rounding(Round::NearestEven),
            Rounding::TowardZero => mode.rounding(Round::TowardZero),
            Rounding::Mode32 => mode.rounding(Mode::single(self.register).round),
            Rounding::Mode16And64 => mode.rounding(Mode::half_and_double(self.register).round),
        }
    }
}

/// The format of a floating-point type.
pub(crate) fn format(ty: Ty) -> Option<Format> {
    match ty {
        Ty::F16 | Ty::PkF16 => Some(Format::F16),
        Ty::F32 => Some(Format::F32),
        Ty::F64 => Some(Format::F64),
        _ => None,
    }
}

/// The low `bits` bits.
pub(crate) fn low(value: u64, bits: u32) -> u64 {
    if bits >= 64 { value } else { value & ((1 << bits) - 1) }
}

/// An integer of the type, extended by its sign or with zeroes.
pub(crate) fn integer(ty: Ty, bits: u64) -> i128 {
    let width = ty.bits().min(64);
    let value = low(bits, width);
    if ty.is_signed() && value >> (width - 1) & 1 == 1 {
        i128::from(value) - (1i128 << width)
    } else {
        i128::from(value)
    }
}

/// An integer result of `width` bits, wrapped or (with clamp) saturated.
pub(crate) fn fit(value: i128, width: u32, signed: bool, clamp: bool) -> u64 {
    let (min, max) = if signed {
        (-(1i128 << (width - 1)), (1i128 << (width - 1)) - 1)
    } else {
        (0, (1i128 << width) - 1)
    };
    low(if clamp { value.clamp(min, max) } else { value } as u64, width)
}
