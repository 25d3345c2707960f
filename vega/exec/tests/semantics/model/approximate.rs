//! Roots, reciprocals and transcendental functions.
//!
//! Reciprocals and roots have one right answer. Of the others the engine's value is taken, after it was compared with the
//! host's library: within 0.51 units in the last place.

use std::sync::LazyLock;

use rustc_apfloat::Round;
use vega_exec::numeric::{self, Format, approx};

use super::float::{self, Fmt, Fp};

/// The value of a function of one source; `None` if it is no function of this file.
pub fn unary(op: &str, f: Fmt, a: u64, fp: Fp) -> Option<u64> {
    let a = fp.input(f, a);
    let result = match op {
        "rcp" | "rcp_iflag" => float::div(f, f.one(), a, fp),
        "sqrt" => square_root(f, a),
        "rsq" => inverse_root(f, a),
        "exp" | "exp_legacy" => transcendental(f, a, approx::exp2, f64::exp2),
        "log" | "log_legacy" => transcendental(f, a, approx::log2, f64::log2),
        "sin" => transcendental(f, a, approx::sin, |x| turns(x, f64::sin, 0.0)),
        "cos" => transcendental(f, a, approx::cos, |x| turns(x, f64::cos, 1.0)),
        _ => return None,
    };
    Some(fp.output(f, result))
}

fn square_root(f: Fmt, a: u64) -> u64 {
    if f.nan(a) {
        return a | f.quiet_bit();
    }
    if f.negative(a) && !f.zero(a) {
        return f.default_nan();
    }
    match f {
        Fmt::F32 => f32::from_bits(a as u32).sqrt().to_bits().into(),
        // The root in binary64 has more than twice the bits of binary16.
        Fmt::F16 => float::convert(Fmt::F64, f, f.wide(a).sqrt().to_bits(), Round::NearestTiesToEven),
        Fmt::F64 => f64::from_bits(a).sqrt().to_bits(),
    }
}

fn inverse_root(f: Fmt, a: u64) -> u64 {
    if f.nan(a) {
        return a | f.quiet_bit();
    }
    if f.zero(a) {
        return a & f.sign() | f.infinity();
    }
    if f.negative(a) {
        return f.default_nan();
    }
    if f.infinite(a) {
        return 0;
    }
    let wide = 1.0 / f.wide(a).sqrt();
    if f == Fmt::F64 {
        return wide.to_bits();
    }
    // The nearest of the neighbours: the square of the midpoint to the next one decides, exactly.
    let mut r = float::convert(Fmt::F64, f, wide.to_bits(), Round::TowardZero) - 1;
    while midpoint_is_below(f, r, a) {
        r += 1;
    }
    r
}

/// Whether the midpoint of `r` and its successor is below 1/sqrt(a): midpoint^2 * a < 1.
fn midpoint_is_below(f: Fmt, r: u64, a: u64) -> bool {
    let midpoint = f64::midpoint(f.wide(r), f.wide(r + 1));
    // Significands of 26 and 24 bits: the product of all three fits 76 bits.
    let parts = |x: f64| {
        let shift = (x.to_bits() & ((1 << 52) - 1) | 1 << 52).trailing_zeros();
        let significand = (x.to_bits() & ((1 << 52) - 1) | 1 << 52) >> shift;
        (u128::from(significand), (x.to_bits() >> 52) as i32 - 1075 + shift as i32)
    };
    let ((m, e), (n, d)) = (parts(midpoint), parts(f.wide(a)));
    let (product, exponent) = (m * m * n, 2 * e + d);
    exponent < 0 && (exponent < -127 || product < 1 << -exponent)
}

fn turns(x: f64, of: fn(f64) -> f64, outside: f64) -> f64 {
    if x.is_finite() && x.abs() > 256.0 { outside } else { of((x - x.round()) * std::f64::consts::TAU) }
}

fn transcendental(
    f: Fmt,
    a: u64,
    ours: fn(Format, u64, numeric::Mode) -> u64,
    exact: impl Fn(f64) -> f64,
) -> u64 {
    let format = if f == Fmt::F16 { Format::F16 } else { Format::F32 };
    let result = ours(format, a, numeric::Mode::DEFAULT);
    let (wide, wanted) = (f.wide(result), exact(f.wide(a)));
    let least = 1 - f.bias();
    let unit = 2f64.powi((wanted.abs().log2().floor() as i32).max(least) - f.fraction() as i32);
    let largest = f.wide(f.infinity() - 1);
    let near = if f.nan(a) {
        result == a | f.quiet_bit()
    } else if wanted.is_nan() {
        result == f.default_nan()
    } else if wanted.abs() > largest {
        wide.abs() >= largest && wide.is_sign_negative() == wanted.is_sign_negative()
    } else {
        // The host's reduction of an angle loses bits near the zeroes of a function.
        (wide - wanted).abs() <= 0.51 * unit || (wide - wanted).abs() < 1e-14
    };
    assert!(near, "{f:?} {a:#x}: {result:#x} ({wide:e}) instead of {wanted:e}");
    result
}

/// Bits of 2/pi, most significant first.
static TWO_OVER_PI: LazyLock<Vec<bool>> = LazyLock::new(|| {
    const WORDS: usize = 44;
    // Fixed point: a word of integer, then fraction words.
    type Number = Vec<u32>;
    let divide = |x: &Number, by: u64| -> Number {
        let mut rest = 0u64;
        x.iter()
            .map(|word| {
                let part = rest << 32 | u64::from(*word);
                rest = part % by;
                (part / by) as u32
            })
            .collect()
    };
    let combine = |x: &Number, y: &Number, sign: i64| -> Number {
        let mut carry = 0i64;
        let mut sum: Number = x
            .iter()
            .zip(y)
            .rev()
            .map(|(a, b)| {
                let word = i64::from(*a) + sign * i64::from(*b) + carry;
                carry = word >> 32;
                word as u32
            })
            .collect();
        sum.reverse();
        sum
    };
    let arctangent_of_inverse = |n: u64, times: u32| -> Number {
        let mut power = vec![0; WORDS];
        power[0] = times;
        power = divide(&power, n);
        let mut sum = vec![0; WORDS];
        for k in 0.. {
            let term = divide(&power, 2 * k + 1);
            if term.iter().all(|word| *word == 0) {
                return sum;
            }
            sum = combine(&sum, &term, if k % 2 == 0 { 1 } else { -1 });
            power = divide(&power, n * n);
        }
        sum
    };
    // Machin's formula.
    let pi = combine(&arctangent_of_inverse(5, 16), &arctangent_of_inverse(239, 4), -1);
    let mut rest: Number = vec![0; WORDS];
    rest[0] = 2;
    (0..1201)
        .map(|_| {
            rest = combine(&rest, &rest, 1);
            let fits = rest >= pi;
            if fits {
                rest = combine(&rest, &pi, -1);
            }
            fits
        })
        .collect()
});

/// `v_trig_preop_f64`: 53 bits of 2/pi for a segment and the argument's exponent.
pub fn two_over_pi(argument: u64, segment: u32) -> u64 {
    let exponent = Fmt::F64.exponent(argument);
    let shift = 53 * (segment & 31) as i32 + (exponent - 1077).max(0);
    let bit = |at: i32| TWO_OVER_PI.get(at as usize).copied().unwrap_or(false);
    let bits = (shift..shift + 53).fold(0u64, |all, at| all << 1 | u64::from(bit(at)));
    let power = -53 - shift + if exponent >= 1968 { 128 } else { 0 };
    let rules = Fp { round: Round::NearestTiesToEven, inputs: true, outputs: true, ieee: true, dx10: true };
    let value = float::from_integer(Fmt::F64, bits.into(), Round::NearestTiesToEven);
    float::scale(Fmt::F64, value, power, rules)
}
