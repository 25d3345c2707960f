//! `kernels/corpus/math_f32.hip`.

use super::math::{Row, case};
use crate::c_math::*;
use crate::case::Case;
use crate::inputs::{Domain, f32_pairs};
use std::f64::consts::{PI, SQRT_2};

/// No arguments: for functions that HIP documents no limit for.
const NONE: (f64, f64) = (1.0, -1.0);

/// The smaller number, -0 being less than 0; a NaN is no number.
fn minimum(a: f32, b: f32) -> f32 {
    match (a.is_nan(), b.is_nan()) {
        (true, _) => b,
        (_, true) => a,
        _ => {
            if a < b || (a == b && a.is_sign_negative()) {
                a
            } else {
                b
            }
        }
    }
}

fn maximum(a: f32, b: f32) -> f32 {
    -minimum(-a, -b)
}

/// The median of `a`, `b` and 1; with a NaN among them, the minimum.
fn median(a: f32, b: f32) -> f32 {
    if a.is_nan() || b.is_nan() {
        return minimum(minimum(a, b), 1.0);
    }
    maximum(minimum(a, b), minimum(maximum(a, b), 1.0))
}

fn saturate(x: f32) -> f32 {
    x.clamp(0.0, 1.0)
}

/// What is above the whole number below, always less than 1.
fn fract(a: f32) -> f32 {
    if a.is_finite() { minimum(a - a.floor(), 1.0 - f32::EPSILON / 2.0) } else { f32::NAN }
}

fn frexp(a: f32) -> f32 {
    let mut exponent = 0;
    let mantissa = frexpf(a, &mut exponent);
    if a.is_finite() { mantissa + exponent as f32 } else { a }
}

fn modf(a: f32) -> f32 {
    let fraction = if a.is_infinite() { 0.0f32.copysign(a) } else { (a - a.trunc()).copysign(a) };
    fraction * 2.0 + a.trunc()
}

#[rustfmt::skip]
fn rows() -> Vec<Row<f32>> {
    vec![
        Row::near("f32_sin", |a, _| a.sin(), (-PI, PI), 1.0, 4.0),
        Row::near("f32_cos", |a, _| a.cos(), (-PI, PI), 1.0, 4.0),
        Row::near("f32_tan", |a, _| a.tan(), (-1.47 * PI, 1.47 * PI), 1.0, 5.0),
        Row::near("f32_asin", |a, _| a.asin(), (-1.0, 1.0), 2.0, 4.0),
        Row::near("f32_acos", |a, _| a.acos(), (-1.0, 1.0), 1.0, 4.0),
        Row::near("f32_atan", |a, _| a.atan(), (-10.0, 10.0), 2.0, 5.0),
        Row::near2("f32_atan2", f64::atan2, ((-4.0, 4.0), (-2.0, 2.0)), 1.0, 6.0),
        Row::near("f32_sinh", |a, _| a.sinh(), (-5.0, 5.0), 1.0, 4.0),
        Row::near("f32_cosh", |a, _| a.cosh(), (-5.0, 5.0), 1.0, 4.0),
        Row::near("f32_tanh", |a, _| a.tanh(), (-5.0, 5.0), 2.0, 5.0),
        // Two errors of one unit, and a sum in which they may not cancel.
        Row::near("f32_sincos", |a, b| a.sin() * a.cos() + b, NONE, 0.0, 4.0).or_absolute(4e-7),
        Row::near("f32_exp", |a, _| a.exp(), (-10.0, 10.0), 1.0, 3.0),
        Row::near("f32_exp2", |a, _| a.exp2(), (-10.0, 10.0), 1.0, 3.0),
        Row::near("f32_exp10", |a, _| 10f64.powf(a), (-4.0, 4.0), 1.0, 3.0),
        Row::near("f32_expm1", |a, _| a.exp_m1(), (-10.0, 10.0), 1.0, 3.0),
        Row::near("f32_log", |a, _| a.ln(), (1e-6, 1e6), 2.0, 3.0),
        Row::near("f32_log2", |a, _| a.log2(), (1e-6, 1e6), 1.0, 3.0),
        Row::near("f32_log10", |a, _| a.log10(), (1e-6, 1e6), 2.0, 3.0),
        Row::near("f32_log1p", |a, _| a.ln_1p(), (-0.9, 10.0), 1.0, 2.0),
        Row::near2("f32_pow", f64::powf, ((-4.0, 4.0), (-2.0, 2.0)), 1.0, 16.0),
        Row::exact("f32_sqrt", |a, _| a.sqrt()),
        Row::near("f32_rsqrt", |a, _| 1.0 / a.sqrt(), (0.01, 100.0), 1.0, 2.0),
        Row::near("f32_cbrt", |a, _| a.cbrt(), (-100.0, 100.0), 2.0, 2.0),
        Row::near2("f32_hypot", f64::hypot, ((-10.0, 10.0), (0.0, 10.0)), 1.0, 4.0),
        Row::near("f32_erf", |a, _| erf(a), (-4.0, 4.0), 4.0, 16.0),
        Row::near("f32_erfc", |a, _| erfc(a), (-4.0, 4.0), 2.0, 16.0),
        // HIP's 6 units are exceeded near 1: OpenCL's 16 for positive arguments. The library misses those for some negative
        // ones, and overflows to a result of 0 below -31.
        Row::near("f32_tgamma", |a, _| tgamma(a), (0.0, f64::INFINITY), 15.0, 32.0).or_absolute(1e-34),
        // Neither document has a limit for negative arguments: there, the terms of the reflection formula cancel.
        Row::near("f32_lgamma", |a, _| lgamma(a), (0.5, 20.0), 4.0, 16.0).or_absolute(1e-5),
        // No documented limit. It has zeros, where no error is relative.
        Row::near("f32_j0", |a, _| j0(a), NONE, 0.0, 16.0).or_absolute(1e-6),
        // No documented limit: that of erfc, which it is computed from.
        Row::near("f32_normcdf", |a, _| 0.5 * erfc(-a / SQRT_2), NONE, 0.0, 16.0),
        // The sum of the documented limits (18, 4, 6, 2, 1 and 0.5 units) at the greatest value of each term.
        Row::near(
            "f32_native",
            |a, b| a.sin() + b.cos() + a.exp() + b.ln() + a.powf(b) + a / b,
            NONE, 0.0, 1.0,
        ).or_absolute(6e-5).domain(Domain::Within((0.1, 4.0), (0.1, 2.0))),
        Row::exact("f32_div", |a, b| a / b),
        Row::exact("f32_fmod", |a, b| a % b),
        Row::exact("f32_remainder", |a, b| remainderf(a, b)),
        Row::exact("f32_fma", |a, b| a.mul_add(b, a)),
        Row::exact("f32_floor", |a, _| a.floor()),
        Row::exact("f32_ceil", |a, _| a.ceil()),
        Row::exact("f32_trunc", |a, _| a.trunc()),
        Row::equal("f32_round", |a, _| a.round()),
        Row::exact("f32_rint", |a, _| a.round_ties_even()),
        Row::exact("f32_lround", |a: f32, b: f32| a.round() as i64 as f32 + b.round_ties_even() as i64 as f32)
            .domain(Domain::Halves(1e6)),
        Row::exact("f32_fract", |a, _| fract(a)),
        Row::exact("f32_ldexp", |a, b| ldexpf(a, b as i32)),
        Row::exact("f32_copysign", f32::copysign),
        Row::equal("f32_nextafter", |a, b| nextafterf(a, b)),
        Row::exact("f32_logb", |a, _| logbf(a)),
        Row::exact("f32_classify", |a, _| if a.is_nan() { 1.0 } else if a.is_infinite() { 2.0 } else { 0.0 }),
        Row::exact("f32_frexp", |a, _| frexp(a)),
        Row::exact("f32_modf", |a, _| modf(a)),
        Row::exact("f32_fmin", minimum),
        Row::exact("f32_fmax", maximum),
        Row::exact("f32_median", median),
        Row::exact("f32_saturate", |a, b| saturate(a * b)),
    ]
}

pub fn cases() -> Vec<Case> {
    let all = |row: Row<f32>| {
        let inputs = f32_pairs(row.kernel.len() as u64, row.domain);
        case(row, inputs)
    };
    rows().into_iter().map(all).collect()
}
