//! The helpers of division (Vega ISA, V_DIV_SCALE, V_DIV_FMAS, V_DIV_FIXUP), by their pseudocode in wide arithmetic.

use rustc_apfloat::Round;

use super::float::{self, Fmt, Fp};

/// A plain division's rules.
const EXACT: Fp = Fp { round: Round::NearestTiesToEven, inputs: true, outputs: true, ieee: true, dx10: true };

fn power(f: Fmt) -> i32 {
    if f == Fmt::F64 { 128 } else { 64 }
}

/// The scaled source and whether the result must be scaled back: s0 is the denominator s1 or the numerator s2.
pub fn scale(f: Fmt, [s0, s1, s2]: [u64; 3], fp: Fp) -> (u64, bool) {
    let fp = fp.exact();
    let [s0, s1, s2] = [s0, s1, s2].map(|x| fp.input(f, x));
    let by = |n: i32| float::scale(f, s0, n, fp);
    if f.zero(s1) || f.zero(s2) {
        return (f.default_nan(), false);
    }
    if f.nan(s0) {
        return (s0 | f.quiet_bit(), false);
    }
    let (far, tiny) = if f == Fmt::F64 { (768, 53) } else { (96, 23) };
    let number = |x: u64| !f.nan(x) && !f.infinite(x);
    let denormal = |x: u64| number(x) && !f.zero(x) && f.denormal(x);
    // The reciprocal and the quotient as division rounds them toward zero: then a denormal is one.
    let toward_zero = Fp { round: Round::TowardZero, ..EXACT };
    let reciprocal = float::div(f, f.one(), f.magnitude(s1), EXACT);
    let quotient = float::div(f, f.magnitude(s2), f.magnitude(s1), toward_zero);
    let small = |x: u64| f.magnitude(x) >> f.fraction() == 0;
    let reciprocal_denormal = number(s1) && {
        // 1/s1 below the least normal number, before rounding.
        let truncated = float::div(f, f.one(), f.magnitude(s1), toward_zero);
        !f.nan(reciprocal) && small(truncated)
    };
    let quotient_denormal = number(s1) && number(s2) && small(quotient);
    if f.exponent(s2) - f.exponent(s1) >= far {
        return (if s0 == s1 { by(power(f)) } else { s0 }, true);
    }
    if denormal(s1) {
        return (by(power(f)), false);
    }
    match (reciprocal_denormal, quotient_denormal) {
        (true, true) => (if s0 == s1 { by(-power(f)) } else { s0 }, true),
        (true, false) => (by(-power(f)), false),
        (false, true) => (if s0 == s2 { by(power(f)) } else { s0 }, true),
        _ if f.exponent(s2) <= tiny => (by(power(f)), false),
        _ => (s0, false),
    }
}

/// Fused, then scaled by a power of two: up after the rounding, down with one rounding in all.
pub fn fmas(f: Fmt, [a, b, c]: [u64; 3], scaled: bool, fp: Fp) -> u64 {
    if !scaled {
        return float::fma(f, a, b, c, fp);
    }
    if f.exponent(fp.input(f, c)) > f.bias() {
        return float::scale(f, float::fma(f, a, b, c, fp), power(f), fp);
    }
    let [a, b, c] = [a, b, c].map(|x| fp.input(f, x));
    let fused = float::fma(f, a, b, c, EXACT);
    if f.nan(fused) {
        return fused;
    }
    if f.infinite(fused) {
        // The sum leaves the format's range before it is scaled.
        return float::scale(f, float::fma(f, a, b, c, fp), -power(f), fp);
    }
    fp.output(f, float::fma_scaled(f, [a, b, c], -power(f), fp.round))
}

/// Special cases of the quotient s0 of s2 by s1.
pub fn fixup(f: Fmt, [s0, s1, s2]: [u64; 3], fp: Fp) -> u64 {
    let [s1, s2] = [s1, s2].map(|x| fp.input(f, x));
    let sign = (s1 ^ s2) & f.sign();
    if let Some(nan) = [s2, s1].into_iter().find(|x| f.nan(*x)) {
        return nan | f.quiet_bit();
    }
    match (f.zero(s1), f.zero(s2), f.infinite(s1), f.infinite(s2)) {
        (true, true, ..) | (_, _, true, true) => f.default_nan() | f.sign(),
        (true, ..) | (.., true) => sign | f.infinity(),
        (_, true, ..) | (_, _, true, _) => sign,
        _ => {
            let least = [i32::MIN, -150, -1075][f as usize];
            if f.exponent(s2) - f.exponent(s1) < least {
                let away = match fp.round {
                    Round::TowardPositive => sign == 0,
                    Round::TowardNegative => sign != 0,
                    _ => false,
                };
                return fp.output(f, sign | u64::from(away));
            }
            let magnitude = if f.nan(s0) { f.infinity() } else { f.magnitude(s0) };
            fp.output(f, sign | magnitude)
        }
    }
}
