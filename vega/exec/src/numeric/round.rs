//! To integral values, fraction, frexp and ldexp.

use super::arith;
use super::format::{Format, Value};
use super::mode::{Mode, Round};
use super::pack::pack;

/// The integral value that `round` chooses; zeros and signs stay, NaNs become quiet.
pub fn integral(f: Format, bits: u64, round: Round, mode: Mode) -> u64 {
    let bits = f.input(bits, mode);
    let Value::Finite { significand, exponent } = f.value(bits) else {
        return if f.is_nan(bits) { f.quiet(bits) } else { bits };
    };
    if exponent >= 0 {
        return bits;
    }
    // Scaled so that the format's last bit is the unit: then packing rounds at the unit.
    let negative = f.is_negative(bits);
    let shift = (-exponent).min(100) as u32;
    let whole = u128::from(significand) >> shift;
    let dropped = u128::from(significand) & ((1 << shift) - 1);
    let half = 1u128 << (shift - 1);
    let away = match round {
        Round::NearestEven => dropped > half || dropped == half && whole & 1 == 1,
        Round::Up => !negative && dropped != 0,
        Round::Down => negative && dropped != 0,
        Round::TowardZero => false,
    };
    pack(f, negative, whole + u128::from(away), 0, false, Round::NearestEven)
}

/// x - floor(x), kept below 1 (the largest value below 1 stands in where the difference rounds to 1).
pub fn fract(f: Format, bits: u64, mode: Mode) -> u64 {
    if f.is_infinite(bits) {
        return f.default_nan();
    }
    let floor = integral(f, bits, Round::Down, mode);
    let difference = arith::sub(f, bits, floor, mode);
    // Rounding down, x - x is minus zero.
    if difference == f.one() { f.one() - 1 } else { difference }
}

/// frexp's exponent: x = mantissa * 2^result with the mantissa in \[0.5, 1). 0 for zero, infinity and NaN.
pub fn frexp_exponent(f: Format, bits: u64, mode: Mode) -> i32 {
    match f.value(f.input(bits, mode)) {
        Value::Finite { significand, exponent } => exponent + 64 - significand.leading_zeros() as i32,
        _ => 0,
    }
}

/// frexp's mantissa, in \[0.5, 1) with the sign of x; zero, infinity and quiet NaN pass.
pub fn frexp_mantissa(f: Format, bits: u64, mode: Mode) -> u64 {
    let bits = f.input(bits, mode);
    match f.value(bits) {
        Value::Finite { significand, .. } => {
            let exponent = significand.leading_zeros() as i32 - 64;
            pack(f, f.is_negative(bits), significand.into(), exponent, false, Round::NearestEven)
        }
        Value::Nan => f.quiet(bits),
        _ => bits,
    }
}

/// x * 2^power, rounded once.
pub fn ldexp(f: Format, bits: u64, power: i32, mode: Mode) -> u64 {
    let bits = f.input(bits, mode);
    match f.value(bits) {
        Value::Finite { significand, exponent } => {
            // No format spans more than 4400 powers of two.
            let exponent = exponent + power.clamp(-5000, 5000);
            f.result(pack(f, f.is_negative(bits), significand.into(), exponent, false, mode.round), &[], mode)
        }
        Value::Nan => f.quiet(bits),
        _ => bits,
    }
}
