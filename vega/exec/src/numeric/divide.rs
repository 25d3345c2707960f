//! The helpers of IEEE division: `v_div_scale`, `v_div_fmas`, `v_div_fixup` (Vega ISA, VOP3A).
//!
//! With them the compiler's Newton-Raphson sequence gives the correctly rounded quotient.

use super::arith;
use super::format::{Format, Value};
use super::mode::{Mode, Round};
use super::round::ldexp;

/// Scales by 2^64 (f32) or 2^128 (f64), far enough from both ends for the residuals.
const fn scale(f: Format) -> i32 {
    if f.fraction_bits == 52 { 128 } else { 64 }
}

/// `v_div_scale`: s0, which is the denominator s1 or the numerator s2, scaled where the plain sequence would
/// overflow or lose bits; and whether `v_div_fmas` must scale the quotient back.
pub fn div_scale(f: Format, s0: u64, s1: u64, s2: u64, mode: Mode) -> (u64, bool) {
    let (s0, s1, s2) = (f.input(s0, mode), f.input(s1, mode), f.input(s2, mode));
    if f.is_zero(s1) || f.is_zero(s2) {
        return (f.default_nan(), false);
    }
    if let Some(nan) = f.first_nan(&[s0]) {
        return (nan, false);
    }
    let up = |when: bool| if when { ldexp(f, s0, scale(f), mode) } else { s0 };
    let difference = f.exponent_field(s2) - f.exponent_field(s1);
    let near_overflow = if f.fraction_bits == 52 { 768 } else { 96 };
    let tiny_numerator = if f.fraction_bits == 52 { 53 } else { 23 };
    // 1/s1 is denormal from 2^(bias + 1) on: a reciprocal at or below 2^-bias.
    let reciprocal_denormal = f.exponent_field(s1) >= 2 * f.bias()
        || f.magnitude(s1) > ((2 * f.bias() - 1) as u64) << f.fraction_bits;
    let reciprocal_denormal = reciprocal_denormal && !f.is_infinite(s1) && !f.is_nan(s1);
    let quotient_denormal = quotient_is_denormal(f, s2, s1);
    if difference >= near_overflow {
        (up(s0 == s1), true)
    } else if f.is_denormal(s1) {
        (up(true), false)
    } else if reciprocal_denormal && quotient_denormal {
        // A smaller denominator makes both normal.
        (if s0 == s1 { ldexp(f, s0, -scale(f), mode) } else { s0 }, true)
    } else if reciprocal_denormal {
        (ldexp(f, s0, -scale(f), mode), false)
    } else if quotient_denormal {
        (up(s0 == s2), true)
    } else if f.exponent_field(s2) <= tiny_numerator {
        (up(true), false)
    } else {
        (s0, false)
    }
}

/// Whether numerator / denominator, correctly rounded, is a denormal other than zero or rounds to zero.
fn quotient_is_denormal(f: Format, numerator: u64, denominator: u64) -> bool {
    let (Value::Finite { significand: n, exponent: e }, Value::Finite { significand: d, exponent: g }) =
        (f.value(numerator), f.value(denominator))
    else {
        return false;
    };
    // Normalise both to [1, 2) and compare: the quotient is in [2^k, 2^(k+1)).
    let (nl, dl) = (n.leading_zeros() as i32, d.leading_zeros() as i32);
    let below = (n << nl) < (d << dl);
    (e - nl) - (g - dl) - i32::from(below) < 1 - f.bias()
}

/// `v_div_fmas`: a * b + c rounded once, times the power of two that undoes `v_div_scale` when `scaled`.
///
/// A quotient that `v_div_scale` made small (the denominator was scaled up) is scaled up, one that it made
/// large is scaled down; c, the quotient's estimate, tells which.
pub fn div_fmas(f: Format, a: u64, b: u64, c: u64, scaled: bool, mode: Mode) -> u64 {
    if !scaled {
        return arith::fma(f, a, b, c, mode);
    }
    let (a, b, c) = (f.input(a, mode), f.input(b, mode), f.input(c, mode));
    let power = if f.exponent_field(c) > f.bias() { scale(f) } else { -scale(f) };
    if power > 0 {
        // Scaling up is exact or overflows, either way after the rounding of the sum.
        return ldexp(f, arith::fma(f, a, b, c, mode), power, mode);
    }
    // Scaling down may reach denormals, which must be rounded once: the sum's error decides halfway cases.
    let exact = Mode { denormal_in: true, denormal_out: true, ..mode };
    let truncated = arith::fma(f, a, b, c, exact.rounding(Round::TowardZero));
    // Zeros of either sign are the same number.
    let differs = |round| {
        let other = arith::fma(f, a, b, c, exact.rounding(round));
        other != truncated && !(f.is_zero(other) && f.is_zero(truncated))
    };
    let inexact = differs(Round::Up) || differs(Round::Down);
    let (significand, exponent) = match f.value(truncated) {
        Value::Finite { significand, exponent } => (significand, exponent),
        // Something below the least denormal: directed rounding sees it.
        Value::Zero if inexact => (1, -5000),
        _ => return ldexp(f, truncated, power, mode),
    };
    if f.exponent_field(truncated) + power > 0 {
        // The result is normal: no bit is lost by scaling, and the sum's own rounding is the only one.
        return ldexp(f, arith::fma(f, a, b, c, mode), power, mode);
    }
    let negative = f.is_negative(truncated);
    let packed = super::pack::pack(f, negative, significand.into(), exponent + power, inexact, mode.round);
    f.output(packed, mode)
}

/// `v_div_fixup`: the quotient s0, or what division by s1 of s2 gives in its special cases.
pub fn div_fixup(f: Format, s0: u64, s1: u64, s2: u64, mode: Mode) -> u64 {
    let (s1, s2) = (f.input(s1, mode), f.input(s2, mode));
    let sign = f.sign(s1 ^ s2);
    let invalid = f.default_nan() | f.sign_bit();
    if let Some(nan) = f.first_nan(&[s2, s1]) {
        return nan;
    }
    let (zero1, zero2) = (f.is_zero(s1), f.is_zero(s2));
    let (infinite1, infinite2) = (f.is_infinite(s1), f.is_infinite(s2));
    if zero1 && zero2 || infinite1 && infinite2 {
        return invalid;
    }
    if zero1 || infinite2 {
        return sign | f.infinity();
    }
    if infinite1 || zero2 {
        return sign;
    }
    let difference = f.exponent_field(s2) - f.exponent_field(s1);
    // Below the least denormal whatever the fractions are.
    let underflow = match f.fraction_bits {
        23 => difference < -150,
        52 => difference < -1075,
        _ => false,
    };
    if underflow {
        let up = match mode.round {
            Round::Up => sign == 0,
            Round::Down => sign != 0,
            _ => false,
        };
        return f.output(sign | u64::from(up), mode);
    }
    let magnitude = if f.is_nan(s0) { f.infinity() } else { f.magnitude(s0) };
    f.output(sign | magnitude, mode)
}
