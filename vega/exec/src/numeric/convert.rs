//! Conversions between formats, integers and normalised integers.

use super::arith;
use super::format::{Format, Value};
use super::mode::{Mode, Round};
use super::pack::pack;
use super::round::integral;

/// From one format to another. Denormal inputs follow `from_mode`, rounding and denormal results `to_mode`.
/// A NaN becomes quiet and keeps the top bits of its payload.
pub fn float_to_float(from: Format, to: Format, bits: u64, from_mode: Mode, to_mode: Mode) -> u64 {
    let bits = from.input(bits, from_mode);
    let sign = if from.is_negative(bits) { to.sign_bit() } else { 0 };
    match from.value(bits) {
        Value::Nan => {
            let payload = bits & (from.quiet_bit() - 1);
            let payload = if to.fraction_bits >= from.fraction_bits {
                payload << (to.fraction_bits - from.fraction_bits)
            } else {
                payload >> (from.fraction_bits - to.fraction_bits)
            };
            sign | to.default_nan() | payload
        }
        Value::Infinity => sign | to.infinity(),
        Value::Zero => sign,
        Value::Finite { significand, exponent } => {
            let packed = pack(to, sign != 0, significand.into(), exponent, false, to_mode.round);
            to.result(packed, &[], to_mode)
        }
    }
}

/// From an integer, rounded as `mode` says.
pub fn int_to_float(f: Format, value: i64, mode: Mode) -> u64 {
    pack(f, value < 0, value.unsigned_abs().into(), 0, false, mode.round)
}

/// To an integer in \[min, max\]: rounded by `round`, saturated, NaN gives 0.
pub fn float_to_int(f: Format, bits: u64, min: i64, max: i64, round: Round, mode: Mode) -> i64 {
    let whole = integral(f, bits, round, mode);
    match f.value(whole) {
        Value::Nan | Value::Zero => 0,
        Value::Infinity => {
            if f.is_negative(whole) {
                min
            } else {
                max
            }
        }
        Value::Finite { significand, exponent } => {
            // An integral value with a negative exponent has that many trailing zeroes.
            let magnitude = if exponent <= 0 {
                i128::from(significand.checked_shr(exponent.unsigned_abs()).unwrap_or(0))
            } else {
                i128::from(significand) << exponent.min(64)
            };
            let value = if f.is_negative(whole) { -magnitude } else { magnitude };
            value.clamp(min.into(), max.into()) as i64
        }
    }
}

/// floor(x + 1/2) to i32 (`v_cvt_rpi_i32_f32`), without the rounding error of a sum.
pub fn round_half_up(f: Format, bits: u64, mode: Mode) -> i32 {
    let (min, max) = (i64::from(i32::MIN), i64::from(i32::MAX));
    let floor = integral(f, bits, Round::Down, mode);
    let half = f.one() - f.min_normal();
    let fraction = arith::sub(f, bits, floor, mode);
    let up = !f.is_nan(fraction) && fraction >= half;
    let floor = float_to_int(f, floor, min, max, Round::TowardZero, mode);
    (floor + i64::from(up)).min(max) as i32
}

/// A signed four-bit value divided by 16, as binary32 (`v_cvt_off_f32_i4`).
pub fn offset_i4(bits: u32) -> u32 {
    let signed = i64::from((bits << 28) as i32 >> 28);
    let value = int_to_float(Format::F32, signed, Mode::DEFAULT);
    super::round::ldexp(Format::F32, value, -4, Mode::DEFAULT) as u32
}

/// Signed normalised: \[-1, 1\] to \[-32767, 32767\], to nearest even; NaN gives 0.
pub fn snorm16(f: Format, bits: u64, mode: Mode) -> u16 {
    normalised(f, bits, 32767, true, mode) as u16
}

/// Unsigned normalised: \[0, 1\] to \[0, 65535\], to nearest even; NaN gives 0.
pub fn unorm16(f: Format, bits: u64, mode: Mode) -> u16 {
    normalised(f, bits, 65535, false, mode) as u16
}

fn normalised(f: Format, bits: u64, scale: u64, signed: bool, mode: Mode) -> i64 {
    let bits = f.input(bits, mode);
    let negative = f.is_negative(bits);
    if f.is_nan(bits) || negative && !signed {
        return 0;
    }
    let magnitude = f.magnitude(bits).min(f.one());
    let Value::Finite { significand, exponent } = f.value(magnitude) else { return 0 };
    // The exact product needs at most 69 bits; binary64 rounds it to nearest even only at the end because
    // the integer part is taken exactly here.
    let product = u128::from(significand) * u128::from(scale);
    let shift = exponent.unsigned_abs().min(127);
    let whole = product >> shift;
    let dropped = product & ((1u128 << shift) - 1);
    let half = (1u128 << shift) >> 1;
    let away = shift != 0 && (dropped > half || dropped == half && whole & 1 == 1);
    let value = (whole + u128::from(away)) as i64;
    if negative { -value } else { value }
}

/// To an unsigned byte, rounded by `mode`, saturated; NaN gives 0.
pub fn float_to_u8(bits: u32, mode: Mode) -> u8 {
    float_to_int(Format::F32, bits.into(), 0, 255, mode.round, mode) as u8
}

/// A 32-bit integer saturated to 16 bits; both as bit patterns.
pub fn saturate_i16(bits: u32) -> u16 {
    (bits as i32).clamp(i16::MIN.into(), i16::MAX.into()) as u16
}

/// A 32-bit integer saturated to 16 bits.
pub fn saturate_u16(bits: u32) -> u16 {
    bits.min(u16::MAX.into()) as u16
}
