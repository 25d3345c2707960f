//! Reciprocal, roots, exp2, log2, sine and cosine.
//!
//! Hardware documents 1 ulp for these. Here reciprocal and roots are correctly rounded (binary64's inverse
//! root is within 1 ulp), and the others are evaluated in binary64 with relative errors below 2^-36, then
//! rounded once: within 0.501 ulp of binary32, and the same bits on every host.

use super::format::{Format, Value};
use super::mode::{Mode, Round};
use super::pack::pack;

/// 1 / x
pub fn rcp(f: Format, bits: u64, mode: Mode) -> u64 {
    let bits = f.input(bits, mode);
    let sign = f.sign(bits);
    let result = match f.value(bits) {
        Value::Nan => return f.quiet(bits),
        Value::Infinity => sign,
        Value::Zero => sign | f.infinity(),
        Value::Finite { significand, exponent } => {
            let one = 1u128 << 126;
            let quotient = one / u128::from(significand);
            let inexact = !one.is_multiple_of(u128::from(significand));
            let packed = pack(f, sign != 0, quotient, -126 - exponent, inexact, Round::NearestEven);
            return f.result(packed, &[], mode);
        }
    };
    f.output(result, mode)
}

/// sqrt(x)
pub fn sqrt(f: Format, bits: u64, mode: Mode) -> u64 {
    let bits = f.input(bits, mode);
    match f.value(bits) {
        Value::Nan => f.quiet(bits),
        Value::Zero => bits,
        _ if f.is_negative(bits) => f.default_nan(),
        Value::Infinity => bits,
        Value::Finite { significand, exponent } => {
            // An even exponent and as many bits as fit: the root then has at least 60.
            let shift = significand.leading_zeros() + 62;
            let shift = shift - ((exponent - shift as i32) & 1) as u32;
            let wide = u128::from(significand) << shift;
            let root = wide.isqrt();
            let exponent = (exponent - shift as i32) / 2;
            f.output(pack(f, false, root, exponent, root * root != wide, Round::NearestEven), mode)
        }
    }
}

/// 1 / sqrt(x)
pub fn rsq(f: Format, bits: u64, mode: Mode) -> u64 {
    let bits = f.input(bits, mode);
    match f.value(bits) {
        Value::Nan => f.quiet(bits),
        Value::Zero => f.sign(bits) | f.infinity(),
        _ if f.is_negative(bits) => f.default_nan(),
        Value::Infinity => 0,
        Value::Finite { .. } if f == Format::F64 => {
            let root = sqrt(f, bits, mode);
            rcp(f, root, mode)
        }
        Value::Finite { significand, exponent } => {
            // floor(sqrt(floor(y))) is floor(sqrt(y)), so the quotient may be truncated first.
            let shift = 126 - ((126 + exponent) & 1);
            let one = 1u128 << shift;
            let quotient = one / u128::from(significand);
            let root = quotient.isqrt();
            let exact = root * root == quotient && one.is_multiple_of(u128::from(significand));
            let exponent = -(shift + exponent) / 2;
            f.output(pack(f, false, root, exponent, !exact, Round::NearestEven), mode)
        }
    }
}

/// 2^x
pub fn exp2(f: Format, bits: u64, mode: Mode) -> u64 {
    let bits = f.input(bits, mode);
    match f.value(bits) {
        Value::Nan => f.quiet(bits),
        Value::Infinity if f.is_negative(bits) => 0,
        Value::Infinity => bits,
        Value::Zero => f.one(),
        Value::Finite { .. } => {
            let x = widen(f, bits).clamp(-2000.0, 2000.0);
            let whole = x.round_ties_even();
            f.result(narrow(f, exp2_fraction(x - whole), whole as i32), &[], mode)
        }
    }
}

/// log2(x)
pub fn log2(f: Format, bits: u64, mode: Mode) -> u64 {
    let bits = f.input(bits, mode);
    match f.value(bits) {
        Value::Nan => f.quiet(bits),
        Value::Zero => f.sign_bit() | f.infinity(),
        _ if f.is_negative(bits) => f.default_nan(),
        Value::Infinity => bits,
        Value::Finite { significand, exponent } => {
            let top = 63 - significand.leading_zeros() as i32;
            // 2^-52 * significand << (52 - top), in [1, 2)
            let mut mantissa = f64::from_bits((significand << (52 - top)) - (1 << 52) + (1023 << 52));
            let mut whole = exponent + top;
            if mantissa > std::f64::consts::SQRT_2 {
                mantissa *= 0.5;
                whole += 1;
            }
            f.output(narrow(f, f64::from(whole) + log2_mantissa(mantissa), 0), mode)
        }
    }
}

/// sin(2 pi x); 0 outside \[-256, 256\].
pub fn sin(f: Format, bits: u64, mode: Mode) -> u64 {
    turn(f, bits, mode, 0)
}

/// cos(2 pi x); 1 outside \[-256, 256\].
pub fn cos(f: Format, bits: u64, mode: Mode) -> u64 {
    turn(f, bits, mode, 1)
}

/// sin(2 pi (x + quarters / 4))
fn turn(f: Format, bits: u64, mode: Mode, quarters: i32) -> u64 {
    let bits = f.input(bits, mode);
    let outside = if quarters == 0 { 0 } else { f.one() };
    match f.value(bits) {
        Value::Nan => f.quiet(bits),
        Value::Infinity => f.default_nan(),
        Value::Zero if quarters == 0 => bits,
        Value::Zero => outside,
        Value::Finite { .. } => {
            let x = widen(f, bits);
            if x.abs() > 256.0 {
                return outside;
            }
            // Exact: x - whole and its distance to the nearest quarter have fewer bits than x.
            let r = x - x.round_ties_even();
            let quarter = (r * 4.0).round_ties_even();
            let s = r - quarter * 0.25;
            let value = match (quarter as i32 + quarters).rem_euclid(4) {
                0 => sin_turn(s),
                1 => cos_turn(s),
                2 => -sin_turn(s),
                _ => -cos_turn(s),
            };
            f.output(narrow(f, value, 0), mode)
        }
    }
}

/// ln(2)^k / k! for k = 9..=1.
pub const EXP2: [f64; 9] = [
    1.0178086009239696e-07,
    1.3215486790144305e-06,
    1.5252733804059838e-05,
    0.00015403530393381606,
    0.0013333558146428441,
    0.009618129107628477,
    0.055504108664821576,
    0.2402265069591007,
    std::f64::consts::LN_2,
];

/// 2^r for |r| <= 1/2.
#[inline(always)]
pub fn exp2_fraction(r: f64) -> f64 {
    horner(&EXP2, r).mul_add(r, 1.0)
}

/// 2 / (ln(2) (2k + 1)) for k = 7..=0.
pub const LOG2: [f64; 8] = [
    0.19235933878519512,
    0.2219530832136867,
    0.2623081892525388,
    0.3205988979753252,
    0.41219858311113244,
    0.5770780163555853,
    0.9617966939259757,
    2.8853900817779268,
];

/// log2(m) for m in \[1/sqrt(2), sqrt(2)\].
#[inline(always)]
pub fn log2_mantissa(m: f64) -> f64 {
    let t = (m - 1.0) / (m + 1.0);
    horner(&LOG2, t * t) * t
}

/// (-1)^k (2 pi)^(2k+1) / (2k+1)! for k = 7..=0.
pub const SIN: [f64; 8] = [
    -0.7181223017785001,
    3.8199525848482803,
    -15.094642576822984,
    42.058693944897634,
    -76.70585975306136,
    81.60524927607504,
    -41.341702240399755,
    std::f64::consts::TAU,
];

/// (-1)^k (2 pi)^(2k) / (2k)! for k = 7..=1.
pub const COS: [f64; 7] = [
    -1.7143907110886711,
    7.903536371318465,
    -26.426256783374388,
    60.24464137187664,
    -85.45681720669371,
    64.93939402266828,
    -19.739208802178716,
];

/// sin(2 pi s) for |s| <= 1/8.
#[inline(always)]
pub fn sin_turn(s: f64) -> f64 {
    horner(&SIN, s * s) * s
}

/// cos(2 pi s) for |s| <= 1/8.
#[inline(always)]
pub fn cos_turn(s: f64) -> f64 {
    horner(&COS, s * s).mul_add(s * s, 1.0)
}

/// The polynomial with these coefficients, highest power first, evaluated with fused steps.
#[inline(always)]
fn horner(coefficients: &[f64], x: f64) -> f64 {
    coefficients.iter().fold(0.0, |sum, coefficient| sum.mul_add(x, *coefficient))
}

/// A finite value as binary64, exactly.
fn widen(f: Format, bits: u64) -> f64 {
    match f.value(bits) {
        Value::Finite { significand, exponent } => {
            let negative = f.is_negative(bits);
            let wide = pack(Format::F64, negative, significand.into(), exponent, false, Round::NearestEven);
            f64::from_bits(wide)
        }
        _ => 0.0,
    }
}

/// value * 2^power, rounded once to the format.
fn narrow(f: Format, value: f64, power: i32) -> u64 {
    let wide = Format::F64;
    let bits = value.to_bits();
    match wide.value(bits) {
        Value::Finite { significand, exponent } => {
            let negative = wide.is_negative(bits);
            pack(f, negative, significand.into(), exponent + power, false, Round::NearestEven)
        }
        _ => 0,
    }
}
