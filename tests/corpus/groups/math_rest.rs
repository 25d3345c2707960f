//! `kernels/corpus/math_rest.hip`.

use super::half::half;
use super::math::{Row, case};
use crate::c_math::*;
use crate::case::{Case, shape};
use crate::compare::{self, Limit};
use crate::inputs::{Domain, f32_pairs, f64_pairs};
use hip::half::f16;
use std::f64::consts::PI;

/// No arguments: for functions that HIP documents no limit for.
const NONE: (f64, f64) = (1.0, -1.0);

/// sin(pi x) by way of the nearest even number, which is exact.
fn sinpi(x: f64) -> f64 {
    let r = x - 2.0 * (x / 2.0).round();
    // Of the halves, the one nearer to zero has the smaller error.
    if r.abs() > 0.5 { ((1.0 - r.abs()) * PI).sin().copysign(r) } else { (r * PI).sin() }
}

fn cospi(x: f64) -> f64 {
    let r = (x - 2.0 * (x / 2.0).round()).abs();
    if r > 0.25 { ((0.5 - r) * PI).sin() } else { (r * PI).cos() }
}

fn difference<T: PartialOrd + std::ops::Sub<Output = T> + Default>(a: T, b: T) -> T {
    if a <= b { T::default() } else { a - b }
}

#[rustfmt::skip]
fn f32_rows() -> Vec<Row<f32>> {
    let positive = Domain::Within((0.01, 100.0), (0.01, 10.0));
    vec![
        Row::near("f32_asinh", |a, _| asinh(a), (-4.0, 4.0), 1.0, 4.0),
        Row::near("f32_acosh", |a, _| acosh(a), (1.0, 100.0), 1.0, 4.0),
        Row::near("f32_atanh", |a, _| atanh(a), (-0.9, 0.9), 1.0, 5.0),
        Row::near("f32_sinpi", |a, _| sinpi(a), NONE, 0.0, 4.0),
        Row::near("f32_cospi", |a, _| cospi(a), NONE, 0.0, 4.0).or_absolute(1e-7),
        Row::near("f32_rcbrt", |a, _| 1.0 / a.cbrt(), NONE, 0.0, 2.0),
        Row::near("f32_rhypot", |a, b| 1.0 / a.hypot(b), NONE, 0.0, 4.0),
        // No documented limit: that of erfc, times the exponential.
        Row::near("f32_erfcx", |a, _| (a * a).exp() * erfc(a), NONE, 0.0, 16.0)
            .domain(Domain::Within((-3.0, 9.0), (0.0, 1.0))),
        // No documented limits. They have zeros, where no error is relative.
        Row::near("f32_j1", |a, _| j1(a), NONE, 0.0, 16.0).or_absolute(2e-6),
        Row::near("f32_y0", |a, _| y0(a), NONE, 0.0, 16.0).or_absolute(2e-6).domain(positive),
        Row::near("f32_y1", |a, _| y1(a), NONE, 0.0, 16.0).or_absolute(2e-6).domain(positive),
        Row::near("f32_jn", |a, _| jn(2, a), NONE, 0.0, 16.0).or_absolute(4e-6).domain(positive),
        Row::exact("f32_fdim", |a, b| if a.is_nan() || b.is_nan() { f32::NAN } else { difference(a, b) }),
        Row::exact("f32_nearbyint", |a, _| a.round_ties_even()),
        // The intrinsics' limits: absolute for the angles that HIP names, a few units elsewhere.
        Row::near("f32_native_sin", |a, _| a.sin(), NONE, 0.0, 4.0).or_absolute(1e-6)
            .domain(Domain::Within((-PI, PI), (0.0, 1.0))),
        Row::near("f32_native_cos", |a, _| a.cos(), NONE, 0.0, 4.0).or_absolute(1e-6)
            .domain(Domain::Within((-PI, PI), (0.0, 1.0))),
        Row::near("f32_native_exp", |a, _| a.exp(), NONE, 0.0, 18.0).domain(Domain::Within((-10.0, 10.0), (0.0, 1.0))),
        Row::near("f32_native_exp10", |a, _| exp10(a), NONE, 0.0, 18.0).domain(Domain::Within((-4.0, 4.0), (0.0, 1.0))),
        Row::near("f32_native_log", |a, _| a.ln(), NONE, 0.0, 4.0).or_absolute(1e-6).domain(positive),
        Row::near("f32_native_log2", |a, _| a.log2(), NONE, 0.0, 4.0).or_absolute(1e-6).domain(positive),
        Row::near("f32_native_log10", |a, _| a.log10(), NONE, 0.0, 4.0).or_absolute(1e-6).domain(positive),
        Row::near2("f32_native_pow", f64::powf, (NONE, NONE), 0.0, 64.0)
            .domain(Domain::Within((0.1, 4.0), (-2.0, 2.0))),
        Row::near2("f32_native_div", |a, b| a / b, (NONE, NONE), 0.0, 2.5).domain(Domain::Within((-100.0, 100.0), (0.1, 10.0))),
        Row::exact("f32_add_rn", |a, b| a + b),
        Row::exact("f32_mul_rn", |a, b| a * b),
        Row::exact("f32_fma_rn", |a, b| a.mul_add(b, a)),
        Row::exact("f32_rcp_rn", |a, _| 1.0 / a),
        Row::exact("f32_sqrt_rn", |a, _| a.sqrt()),
    ]
}

#[rustfmt::skip]
fn f64_rows() -> Vec<Row<f64>> {
    let positive = Domain::Within((0.01, 100.0), (0.01, 10.0));
    vec![
        Row::near("f64_acos", |a, _| a.acos(), (-1.0, 1.0), 1.0, 4.0),
        Row::near("f64_atan", |a, _| a.atan(), (-10.0, 10.0), 1.0, 5.0),
        Row::near("f64_sinh", |a, _| a.sinh(), (-5.0, 5.0), 1.0, 4.0),
        Row::near("f64_cosh", |a, _| a.cosh(), (-5.0, 5.0), 1.0, 4.0),
        Row::near("f64_asinh", |a, _| asinh(a), (-4.0, 4.0), 1.0, 4.0),
        Row::near("f64_acosh", |a, _| acosh(a), (1.0, 100.0), 1.0, 4.0),
        Row::near("f64_atanh", |a, _| atanh(a), (-0.9, 0.9), 1.0, 5.0),
        Row::near("f64_exp2", |a, _| a.exp2(), (-10.0, 10.0), 1.0, 3.0),
        Row::near("f64_exp10", |a, _| exp10(a), (-10.0, 10.0), 1.0, 3.0),
        Row::near("f64_expm1", |a, _| a.exp_m1(), (-10.0, 10.0), 1.0, 3.0),
        Row::near("f64_log10", |a, _| a.log10(), (1e-6, 1e6), 1.0, 3.0),
        Row::near("f64_log1p", |a, _| a.ln_1p(), (-0.9, 10.0), 1.0, 2.0),
        Row::near2("f64_hypot", f64::hypot, ((-10.0, 10.0), (0.0, 10.0)), 1.0, 4.0),
        Row::near("f64_rcbrt", |a, _| 1.0 / a.cbrt(), NONE, 0.0, 3.0),
        Row::near("f64_erfc", |a, _| erfc(a), (-4.0, 4.0), 4.0, 16.0),
        // Neither document has a limit for negative arguments.
        Row::near("f64_lgamma", |a, _| lgamma(a), NONE, 0.0, 16.0).or_absolute(1e-13).domain(positive),
        // No documented limits. They have zeros, where no error is relative.
        Row::near("f64_j0", |a, _| j0(a), NONE, 0.0, 16.0).or_absolute(1e-14).domain(positive),
        Row::near("f64_j1", |a, _| j1(a), NONE, 0.0, 16.0).or_absolute(1e-14).domain(positive),
        Row::near("f64_y0", |a, _| y0(a), NONE, 0.0, 16.0).or_absolute(1e-14).domain(positive),
        Row::near("f64_y1", |a, _| y1(a), NONE, 0.0, 16.0).or_absolute(1e-14).domain(positive),
        Row::exact("f64_fdim", |a, b| if a.is_nan() || b.is_nan() { f64::NAN } else { difference(a, b) }),
        Row::exact("f64_copysign", f64::copysign),
        Row::exact("f64_nearbyint", |a, _| a.round_ties_even()),
    ]
}

/// A function of halves and its limit in units: OpenCL's for half precision, or 1/2 for a right rounding.
type Half = (&'static str, fn(f64, f64) -> f64, f64);

#[rustfmt::skip]
const HALVES: [Half; 15] = [
    ("f16_cos", |a, _| a.cos(), 2.0),
    ("f16_exp", |a, _| a.exp(), 2.0),
    ("f16_exp2", |a, _| a.exp2(), 2.0),
    ("f16_exp10", |a, _| exp10(a), 2.0),
    ("f16_log", |a, _| a.ln(), 2.0),
    ("f16_log2", |a, _| a.log2(), 2.0),
    ("f16_log10", |a, _| a.log10(), 2.0),
    ("f16_rsqrt", |a, _| 1.0 / a.sqrt(), 1.0),
    ("f16_floor", |a, _| a.floor(), 0.0),
    ("f16_ceil", |a, _| a.ceil(), 0.0),
    ("f16_trunc", |a, _| a.trunc(), 0.0),
    ("f16_rint", |a, _| a.round_ties_even(), 0.0),
    ("f16_add", |a, b| a + b, 0.5),
    ("f16_mul", |a, b| a * b, 0.5),
    ("f16_fma", |a, b| a.mul_add(b, a), 0.5),
];

/// Every half that is a number, with another one.
fn halves() -> (Vec<f16>, Vec<f16>) {
    let numbers = || (0..=u16::MAX).map(f16::from_bits).filter(|x| !x.is_nan());
    let count = numbers().count();
    (numbers().collect(), numbers().cycle().skip(count / 3 + 7).step_by(1).take(count).collect())
}

fn half_case((kernel, of, ulp): Half) -> Case {
    let (x, y) = halves();
    let expected: Vec<f64> = x.iter().zip(&y).map(|(a, b)| of(f64::from(*a), f64::from(*b))).collect();
    let case = Case::new(kernel, shape(x.len().div_ceil(256) as u32, 256)).input(&x).input(&y);
    let case = case.output(&vec![f16::ZERO; x.len()]).value(x.len() as i32);
    case.check(move |outputs| {
        let got = outputs.get::<f16>(0);
        if ulp > 0.5 {
            // Half a unit for the rounding of the result that would be exact.
            return compare::near(&got, &expected, |_| Limit::ulp(ulp + 0.5));
        }
        let rounded: Vec<f16> = expected.iter().map(|x| half(*x)).collect();
        compare::equal(&got, &rounded)
    })
}

pub fn cases() -> Vec<Case> {
    let single = |row: Row<f32>| {
        let inputs = f32_pairs(row.kernel.len() as u64, row.domain);
        case(row, inputs)
    };
    let double = |row: Row<f64>| {
        let inputs = f64_pairs(row.kernel.len() as u64, row.domain);
        case(row, inputs)
    };
    let mut all: Vec<Case> = f32_rows().into_iter().map(single).collect();
    all.extend(f64_rows().into_iter().map(double));
    all.extend(HALVES.map(half_case));
    all
}
