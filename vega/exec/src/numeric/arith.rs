//! Add, multiply, multiply-add, and the output modifiers.

use super::format::{Format, Value};
use super::mode::{Mode, Round};
use super::pack::pack;

/// a + b
pub fn add(f: Format, a: u64, b: u64, mode: Mode) -> u64 {
    // 1 * a + b needs no rounding of the product, so the fused form is the sum.
    let (a, b) = (f.input(a, mode), f.input(b, mode));
    f.first_nan(&[a, b])
        .unwrap_or_else(|| f.result(sum_of_product(f, f.one(), a, b, mode.round), &[a, b], mode))
}

/// a - b
pub fn sub(f: Format, a: u64, b: u64, mode: Mode) -> u64 {
    // A NaN keeps the sign that it came with.
    add(f, a, if f.is_nan(b) { b } else { b ^ f.sign_bit() }, mode)
}

/// a * b
pub fn mul(f: Format, a: u64, b: u64, mode: Mode) -> u64 {
    let (a, b) = (f.input(a, mode), f.input(b, mode));
    if let Some(nan) = f.first_nan(&[a, b]) {
        return nan;
    }
    let negative = f.is_negative(a) != f.is_negative(b);
    let sign = if negative { f.sign_bit() } else { 0 };
    let product = match (f.value(a), f.value(b)) {
        (Value::Infinity, Value::Zero) | (Value::Zero, Value::Infinity) => return f.default_nan(),
        (Value::Infinity, _) | (_, Value::Infinity) => sign | f.infinity(),
        (Value::Finite { significand: m, exponent: e }, Value::Finite { significand: n, exponent: d }) => {
            pack(f, negative, u128::from(m) * u128::from(n), e + d, false, mode.round)
        }
        _ => sign,
    };
    f.result(product, &[a, b], mode)
}

/// a * b where zero times anything is plus zero.
pub fn mul_legacy(f: Format, a: u64, b: u64, mode: Mode) -> u64 {
    if f.is_zero(f.input(a, mode)) || f.is_zero(f.input(b, mode)) { 0 } else { mul(f, a, b, mode) }
}

/// a * b + c, rounded once.
pub fn fma(f: Format, a: u64, b: u64, c: u64, mode: Mode) -> u64 {
    let (a, b, c) = (f.input(a, mode), f.input(b, mode), f.input(c, mode));
    f.first_nan(&[a, b, c])
        .unwrap_or_else(|| f.result(sum_of_product(f, a, b, c, mode.round), &[a, b, c], mode))
}

/// a * b + c, rounded after the product and after the sum.
pub fn mad(f: Format, a: u64, b: u64, c: u64, mode: Mode) -> u64 {
    unfused(f, mul, a, b, c, mode)
}

/// [`mad`] where zero times anything is plus zero.
pub fn mad_legacy(f: Format, a: u64, b: u64, c: u64, mode: Mode) -> u64 {
    unfused(f, mul_legacy, a, b, c, mode)
}

fn unfused(f: Format, times: fn(Format, u64, u64, Mode) -> u64, a: u64, b: u64, c: u64, mode: Mode) -> u64 {
    let product = times(f, a, b, mode);
    // An invalid product must not hide a NaN that came in as the addend.
    let invalid = !f.is_nan(a) && !f.is_nan(b) && f.is_nan(product);
    if invalid && f.is_nan(c) { f.quiet(c) } else { add(f, product, c, mode) }
}

/// The exact a * b + c of numbers that are no NaN, rounded once; denormals count as they are.
fn sum_of_product(f: Format, a: u64, b: u64, c: u64, round: Round) -> u64 {
    let product_negative = f.is_negative(a) != f.is_negative(b);
    let addend_negative = f.is_negative(c);
    let sign = |negative: bool| if negative { f.sign_bit() } else { 0 };
    let product = match (f.value(a), f.value(b)) {
        (Value::Infinity, Value::Zero) | (Value::Zero, Value::Infinity) => return f.default_nan(),
        (Value::Infinity, _) | (_, Value::Infinity) => {
            return match f.value(c) {
                Value::Infinity if addend_negative != product_negative => f.default_nan(),
                _ => sign(product_negative) | f.infinity(),
            };
        }
        (Value::Finite { significand: m, exponent: e }, Value::Finite { significand: n, exponent: d }) => {
            Some((u128::from(m) * u128::from(n), e + d))
        }
        _ => None,
    };
    let addend = match f.value(c) {
        Value::Infinity => return c,
        Value::Finite { significand, exponent } => Some((u128::from(significand), exponent)),
        _ => None,
    };
    let (product, addend) = match (product, addend) {
        (None, None) if product_negative == addend_negative => return sign(product_negative),
        (None, None) => return sign(round == Round::Down),
        (None, Some(_)) => return c,
        (Some((m, e)), None) => return pack(f, product_negative, m, e, false, round),
        (Some(product), Some(addend)) => (product, addend),
    };
    // Each at most 106 bits long: move the top bits to bit 125 so that sums fit and the lower value can be
    // shifted down; bits that fall out only ever matter as "not zero".
    let (pm, pe) = normalise(product);
    let (cm, ce) = normalise(addend);
    let ((hm, he, hn), (lm, le, ln)) = if (pe, pm) >= (ce, cm) {
        ((pm, pe, product_negative), (cm, ce, addend_negative))
    } else {
        ((cm, ce, addend_negative), (pm, pe, product_negative))
    };
    let distance = (he - le) as u32;
    let shifted = lm.checked_shr(distance).unwrap_or(0);
    let lost = if distance >= 128 { lm != 0 } else { shifted << distance != lm };
    if hn == ln {
        return pack(f, hn, hm + shifted, he, lost, round);
    }
    let difference = hm - shifted;
    if difference == 0 && !lost {
        return sign(round == Round::Down);
    }
    // Something was lost below the last bit: the true difference lies between this one and the next lower.
    pack(f, hn, difference - u128::from(lost), he, lost, round)
}

/// Moves the top bit of a non-zero significand to bit 125.
fn normalise((significand, exponent): (u128, i32)) -> (u128, i32) {
    let shift = significand.leading_zeros() as i32 - 2;
    (significand << shift, exponent - shift)
}

/// The output modifiers of a float result: times 2, 4 or 1/2 (omod 1, 2, 3), then clamp to \[0, 1\].
///
/// omod has no effect where denormal results are enabled (Vega ISA, "Output Modifiers").
pub fn modify_output(f: Format, bits: u64, omod: u8, clamp: bool, mode: Mode) -> u64 {
    let factor = match omod & 3 {
        1 => f.one() + f.min_normal(),
        2 => f.one() + 2 * f.min_normal(),
        3 => f.one() - f.min_normal(),
        _ => f.one(),
    };
    let scaled =
        if omod & 3 == 0 || mode.denormal_out { bits } else { mul(f, bits, factor, mode.flushing()) };
    if !clamp {
        scaled
    } else if f.is_nan(scaled) {
        if mode.dx10_clamp { 0 } else { scaled }
    } else if f.is_negative(scaled) {
        0
    } else {
        scaled.min(f.one())
    }
}
