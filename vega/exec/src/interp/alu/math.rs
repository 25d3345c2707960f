//! Reciprocals, roots, exponentials, sines and what division is made of: fast for usual values, by way of
//! [`crate::numeric`] for the others (NaNs, infinities, denormals, results that may round either way).

use vega_isa::Ty;
use vega_isa::micro::Un;

use super::{Make, make, op};
use crate::interp::lanes::{FlagLane, FlagOp};
use crate::interp::num::flush32;
use crate::numeric::approx::{cos_turn, exp2_fraction, log2_mantissa, sin_turn};
use crate::numeric::{Format, Mode, approx, divide, round};

/// How `v_exp_f32` and its like treat denormals.
const FLUSH: Mode = Mode::DEFAULT.flushing();

/// The exponent's field.
#[inline(always)]
fn exponent32(bits: u32) -> i32 {
    (bits >> 23 & 0xff) as i32
}

/// The exponent's field.
#[inline(always)]
fn exponent64(bits: u64) -> i32 {
    (bits >> 52 & 0x7ff) as i32
}

#[inline(always)]
fn is_usual32(x: f32) -> bool {
    (1..255).contains(&exponent32(x.to_bits()))
}

#[inline(always)]
fn is_usual64(x: f64) -> bool {
    (1..2047).contains(&exponent64(x.to_bits()))
}

type Exact = fn(Format, u64, Mode) -> u64;

#[cold]
#[inline(never)]
fn exact32(f: Exact, x: f32) -> f32 {
    f32::from_bits(f(Format::F32, x.to_bits().into(), FLUSH) as u32)
}

#[cold]
#[inline(never)]
fn exact64(f: Exact, x: f64) -> f64 {
    f64::from_bits(f(Format::F64, x.to_bits(), Mode::DEFAULT))
}

/// A power of two; the exponent must be that of a normal number.
#[inline(always)]
fn power64(exponent: i32) -> f64 {
    f64::from_bits(((exponent + 1023) as u64) << 52)
}

#[inline(always)]
fn exp2(x: f32) -> f32 {
    if !is_usual32(x) {
        return exact32(approx::exp2, x);
    }
    // Far beyond the range of f32, and well within that of f64.
    let wide = f64::from(x).clamp(-900.0, 900.0);
    let whole = wide.round_ties_even();
    flush32((exp2_fraction(wide - whole) * power64(whole as i32)) as f32)
}

#[inline(always)]
fn log2(x: f32) -> f32 {
    if !is_usual32(x) || x < 0.0 {
        return exact32(approx::log2, x);
    }
    let bits = f64::from(x).to_bits();
    let mut whole = exponent64(bits) - 1023;
    let mut mantissa = f64::from_bits(bits & ((1 << 52) - 1) | 1023 << 52);
    if mantissa > std::f64::consts::SQRT_2 {
        mantissa *= 0.5;
        whole += 1;
    }
    (f64::from(whole) + log2_mantissa(mantissa)) as f32
}

/// sin(2 pi (x + quarters / 4))
#[inline(always)]
fn turn(x: f32, quarters: i32, exact: Exact) -> f32 {
    if !is_usual32(x) || x.abs() > 256.0 {
        return exact32(exact, x);
    }
    let wide = f64::from(x);
    let r = wide - wide.round_ties_even();
    let quarter = (r * 4.0).round_ties_even();
    let s = r - quarter * 0.25;
    let quarter = quarter as i32 + quarters;
    let value = if quarter & 1 == 0 { sin_turn(s) } else { cos_turn(s) };
    let value = if quarter & 2 == 0 { value } else { -value };
    // Zero has no sign.
    flush32((value + 0.0) as f32)
}

#[inline(always)]
fn rsq(x: f32) -> f32 {
    if !is_usual32(x) || x < 0.0 {
        return exact32(approx::rsq, x);
    }
    let wide = 1.0 / f64::from(x).sqrt();
    // The error is below two units of f64: it matters only that close to the middle between two f32.
    let beyond = (wide.to_bits() & 0x1fff_ffff) as i32;
    if (beyond - 0x1000_0000).abs() < 8 { exact32(approx::rsq, x) } else { wide as f32 }
}

#[inline(always)]
fn fract(x: f32) -> f32 {
    let difference = x - x.floor();
    if difference == 1.0 { f32::from_bits(0x3f7f_ffff) } else { difference }
}

#[inline(always)]
fn fract64(x: f64) -> f64 {
    let difference = x - x.floor();
    if difference == 1.0 { f64::from_bits(0x3fef_ffff_ffff_ffff) } else { difference }
}

/// The handler of a one-source operation that is neither an integer one nor a rounding.
pub(super) fn un(un: Un, ty: Ty) -> Option<Make> {
    match (ty, un) {
        (Ty::F32, Un::Exp2) => op!(|a: f32| -> f32 { exp2(a) }),
        (Ty::F32, Un::Log2) => op!(|a: f32| -> f32 { log2(a) }),
        (Ty::F32, Un::Sin) => op!(|a: f32| -> f32 { turn(a, 0, approx::sin) }),
        (Ty::F32, Un::Cos) => op!(|a: f32| -> f32 { turn(a, 1, approx::cos) }),
        (Ty::F32, Un::Rsq) => op!(|a: f32| -> f32 { rsq(a) }),
        (Ty::F32, Un::Fract) => op!(nan |a: f32| -> f32 { fract(a) }),
        (Ty::F64, Un::Rcp) => op!(nan |a: f64| -> f64 { 1.0 / a }),
        (Ty::F64, Un::Rsq) => op!(|a: f64| -> f64 {
            if is_usual64(a) && a > 0.0 { 1.0 / a.sqrt() } else { exact64(approx::rsq, a) }
        }),
        (Ty::F64, Un::Fract) => op!(nan |a: f64| -> f64 { fract64(a) }),
        (Ty::F32, Un::FrexpExp) => op!(|a: f32| -> i32 {
            if is_usual32(a) {
                exponent32(a.to_bits()) - 126
            } else {
                frexp_exponent(Format::F32, a.to_bits().into())
            }
        }),
        (Ty::F64, Un::FrexpExp) => op!(|a: f64| -> i32 {
            if is_usual64(a) {
                exponent64(a.to_bits()) - 1022
            } else {
                frexp_exponent(Format::F64, a.to_bits())
            }
        }),
        (Ty::F32, Un::FrexpMant) => op!(|a: f32| -> f32 {
            if is_usual32(a) {
                f32::from_bits(a.to_bits() & 0x807f_ffff | 126 << 23)
            } else {
                f32::from_bits(frexp_mantissa(Format::F32, a.to_bits().into()) as u32)
            }
        }),
        (Ty::F64, Un::FrexpMant) => op!(|a: f64| -> f64 {
            if is_usual64(a) {
                f64::from_bits(a.to_bits() & 0x800f_ffff_ffff_ffff | 1022 << 52)
            } else {
                f64::from_bits(frexp_mantissa(Format::F64, a.to_bits()))
            }
        }),
        _ => None,
    }
}

#[cold]
#[inline(never)]
fn frexp_exponent(f: Format, bits: u64) -> i32 {
    round::frexp_exponent(f, bits, Mode::DEFAULT)
}

#[cold]
#[inline(never)]
fn frexp_mantissa(f: Format, bits: u64) -> u64 {
    round::frexp_mantissa(f, bits, Mode::DEFAULT)
}

/// The handler of ldexp.
pub(super) fn ldexp(ty: Ty) -> Option<Make> {
    match ty {
        // Exact in f64, then rounded once.
        Ty::F32 => op!(nan |a: f32, b: i32| -> f32 { (f64::from(a) * power64(b.clamp(-400, 400))) as f32 }),
        Ty::F64 => op!(|a: f64, b: i32| -> f64 {
            let bits = a.to_bits();
            let exponent = exponent64(bits).saturating_add(b);
            if is_usual64(a) && (1..2047).contains(&exponent) {
                f64::from_bits(bits & 0x800f_ffff_ffff_ffff | (exponent as u64) << 52)
            } else {
                f64::from_bits(exact_ldexp(bits, b))
            }
        }),
        _ => None,
    }
}

#[cold]
#[inline(never)]
fn exact_ldexp(bits: u64, power: i32) -> u64 {
    round::ldexp(Format::F64, bits, power, Mode::DEFAULT)
}

macro_rules! division {
    ($scale:ident $ty:ident $bits:ty, $exponent:ident, $format:ident, $max:literal, $tiny:literal, $near:literal,
     $fixup:ident, $cold_scale:ident, $cold_fixup:ident) => {
        #[derive(Clone, Copy)]
        struct $scale;

        impl FlagOp for $scale {
            type A = $ty;
            type C = $ty;
            #[inline(always)]
            fn apply(s0: $ty, s1: $ty, s2: $ty) -> ($ty, bool) {
                let (e0, e1, e2) =
                    ($exponent(s0.to_bits()), $exponent(s1.to_bits()), $exponent(s2.to_bits()));
                // Normal numbers whose quotient and reciprocal are far from both ends.
                let usual = e0 > 0 && e0 <= $max && e1 > 0 && e1 < $max - 1 && e2 > $tiny && e2 <= $max;
                let near = e2 - e1 < $near && e2 - e1 > -$near;
                if usual && near { (s0, false) } else { $cold_scale(s0, s1, s2) }
            }
        }

        #[cold]
        #[inline(never)]
        fn $cold_scale(s0: $ty, s1: $ty, s2: $ty) -> ($ty, bool) {
            let [a, b, c] = [s0, s1, s2].map(|x| x.to_bits() as u64);
            let (value, scaled) = divide::div_scale(Format::$format, a, b, c, Mode::DEFAULT);
            ($ty::from_bits(value as $bits), scaled)
        }

        #[inline(always)]
        fn $fixup(s0: $ty, s1: $ty, s2: $ty) -> $ty {
            let (e1, e2) = ($exponent(s1.to_bits()), $exponent(s2.to_bits()));
            let usual = !s0.is_nan() && e1 > 0 && e1 <= $max && e2 > 0 && e2 <= $max;
            if usual && e2 - e1 > -$near {
                let sign = (s1.to_bits() ^ s2.to_bits()) & $ty::to_bits(-0.0);
                $ty::from_bits(s0.abs().to_bits() | sign)
            } else {
                $cold_fixup(s0, s1, s2)
            }
        }

        #[cold]
        #[inline(never)]
        fn $cold_fixup(s0: $ty, s1: $ty, s2: $ty) -> $ty {
            let [a, b, c] = [s0, s1, s2].map(|x| x.to_bits() as u64);
            $ty::from_bits(divide::div_fixup(Format::$format, a, b, c, Mode::DEFAULT) as $bits)
        }
    };
}
division!(Scale32 f32 u32, exponent32, F32, 254, 23, 96, fixup32, cold_scale32, cold_fixup32);
division!(Scale64 f64 u64, exponent64, F64, 2046, 53, 768, fixup64, cold_scale64, cold_fixup64);

/// The handler of `v_div_scale`.
pub(crate) fn div_scale(ty: Ty) -> Option<Make> {
    match ty {
        Ty::F32 => Some(make::<FlagLane<Scale32>>),
        Ty::F64 => Some(make::<FlagLane<Scale64>>),
        _ => None,
    }
}

/// The handler of `v_div_fixup`.
pub(crate) fn div_fixup(ty: Ty) -> Option<Make> {
    match ty {
        Ty::F32 => op!(|a: f32, b: f32, c: f32| -> f32 { fixup32(a, b, c) }),
        Ty::F64 => op!(|a: f64, b: f64, c: f64| -> f64 { fixup64(a, b, c) }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Words that make floats of every exponent, moderate ones in every fourth place.
    fn words() -> impl Iterator<Item = u64> {
        let mut state = 0x9e37_79b9_7f4a_7c15u64;
        (0..40_000u32).map(move |n| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let moderate = 0x3800_0000_3800_0000 | state & 0x87ff_ffff_87ff_ffff;
            if n % 4 == 0 { moderate } else { state }
        })
    }

    #[test]
    fn one_source_gives_the_exact_bits() {
        type Pair = (fn(f32) -> f32, Exact);
        let pairs: [Pair; 5] = [
            (exp2, approx::exp2),
            (log2, approx::log2),
            (rsq, approx::rsq),
            (|x| turn(x, 0, approx::sin), approx::sin),
            (|x| turn(x, 1, approx::cos), approx::cos),
        ];
        for word in words() {
            let x = f32::from_bits(word as u32);
            for (n, (fast, exact)) in pairs.iter().enumerate() {
                assert_eq!(fast(x).to_bits(), exact32(*exact, x).to_bits(), "function {n} of {x:e}");
            }
        }
    }

    #[test]
    fn division_gives_the_exact_bits() {
        let mut before = (0, 0);
        for word in words() {
            let (x, y) = before;
            before = (word, x);
            let [a, b, c] = [word, x, y].map(|w| f32::from_bits(w as u32));
            let bits = |(value, scaled): (f32, bool)| (value.to_bits(), scaled);
            assert_eq!(bits(Scale32::apply(a, a, b)), bits(cold_scale32(a, a, b)), "{a:e} {b:e}");
            assert_eq!(bits(Scale32::apply(b, a, b)), bits(cold_scale32(b, a, b)), "{a:e} {b:e}");
            assert_eq!(fixup32(a, b, c).to_bits(), cold_fixup32(a, b, c).to_bits(), "{a:e} {b:e} {c:e}");
            let [a, b, c] = [word, x, y].map(f64::from_bits);
            let bits = |(value, scaled): (f64, bool)| (value.to_bits(), scaled);
            assert_eq!(bits(Scale64::apply(a, a, b)), bits(cold_scale64(a, a, b)), "{a:e} {b:e}");
            assert_eq!(bits(Scale64::apply(b, a, b)), bits(cold_scale64(b, a, b)), "{a:e} {b:e}");
            assert_eq!(fixup64(a, b, c).to_bits(), cold_fixup64(a, b, c).to_bits(), "{a:e} {b:e} {c:e}");
        }
    }
}
