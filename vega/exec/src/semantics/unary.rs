//! Operations with one source, and conversions.

use vega_isa::Ty;
use vega_isa::micro::{Cvt, Un};

use super::{Context, format, integer, low};
use crate::numeric::{Format, Round, approx, bytes, convert as number, round};

/// Whether [`evaluate`] knows the operation.
pub(super) fn is_evaluated(op: Un) -> bool {
    !matches!(op, Un::Swap | Un::ScreenPartition | Un::ClearExceptions | Un::Nop)
}

/// One source, before output modifiers.
pub(super) fn evaluate(op: Un, ty: Ty, a: u64, context: &Context) -> u64 {
    let Some(f) = format(ty) else { return bits(op, ty, a) };
    let mode = context.mode(ty);
    let whole = |to: Round| round::integral(f, a, to, mode);
    match op {
        Un::Trunc => whole(Round::TowardZero),
        Un::Ceil => whole(Round::Up),
        Un::Rndne => whole(Round::NearestEven),
        Un::Floor => whole(Round::Down),
        Un::Fract => round::fract(f, a, mode),
        Un::Exp2 | Un::Exp2Legacy => approx::exp2(f, a, mode),
        Un::Log2 | Un::Log2Legacy => approx::log2(f, a, mode),
        Un::Rcp | Un::RcpIflag => approx::rcp(f, a, mode),
        Un::Rsq => approx::rsq(f, a, mode),
        Un::Sqrt => approx::sqrt(f, a, mode),
        Un::Sin => approx::sin(f, a, mode),
        Un::Cos => approx::cos(f, a, mode),
        Un::FrexpExp => low(round::frexp_exponent(f, a, mode) as u64, if ty == Ty::F16 { 16 } else { 32 }),
        Un::FrexpMant => round::frexp_mantissa(f, a, mode),
        other => bits(other, ty, a),
    }
}

/// Operations on bit patterns.
fn bits(op: Un, ty: Ty, a: u64) -> u64 {
    let word = a as u32;
    let result = match op {
        Un::Not => !word,
        Un::Bfrev => word.reverse_bits(),
        Un::Ffbh if ty.is_signed() => bytes::ffbh_i32(word),
        Un::Ffbh => bytes::ffbh_u32(word),
        Un::Ffbl => bytes::ffbl(word),
        Un::SatPkU8 => bytes::sat_pk_u8_i16(word),
        _ => word,
    };
    result.into()
}

/// A conversion, before output modifiers.
pub(super) fn convert(from: Ty, to: Ty, how: Cvt, a: u64, context: &Context) -> u64 {
    let (from_mode, to_mode) = (context.mode(from), context.mode(to));
    match (how, format(from), format(to)) {
        (Cvt::Byte(n), ..) => number::int_to_float(Format::F32, (a >> (8 * n)) as u8 as i64, to_mode),
        (Cvt::OffsetI4, ..) => number::offset_i4(a as u32).into(),
        (Cvt::Plain, Some(f), Some(t)) => number::float_to_float(f, t, a, from_mode, to_mode),
        (Cvt::Rpi, Some(f), None) => u64::from(number::round_half_up(f, a, from_mode) as u32),
        (Cvt::Norm, Some(f), None) if to.is_signed() => number::snorm16(f, a, from_mode).into(),
        (Cvt::Norm, Some(f), None) => number::unorm16(f, a, from_mode).into(),
        (_, Some(f), None) => {
            let width = to.bits();
            let (min, max) = if to.is_signed() {
                (-(1 << (width - 1)), (1 << (width - 1)) - 1)
            } else {
                (0, (1 << width) - 1)
            };
            let toward = if how == Cvt::Floor { Round::Down } else { Round::TowardZero };
            low(number::float_to_int(f, a, min, max, toward, from_mode) as u64, width)
        }
        (_, None, Some(t)) => number::int_to_float(t, integer(from, a) as i64, to_mode),
        (_, None, None) => a,
        (_, Some(_), Some(_)) => a,
    }
}
