//! `kernels/corpus/math_f64.hip`. The host's library is at most one unit off itself.

use super::math::{Row, case};
use crate::c_math::*;
use crate::case::Case;
use crate::inputs::{Domain, f64_pairs};
use std::f64::consts::PI;

fn minimum(a: f64, b: f64) -> f64 {
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

fn converted(a: f64, b: f64) -> f64 {
    f64::from(a as f32) + f64::from(b as i32) + f64::from(a as u32) + (b as i64) as f64 + (a as u64) as f64
}

#[rustfmt::skip]
fn rows() -> Vec<Row<f64>> {
    vec![
        Row::near("f64_sin", |a, _| a.sin(), (-PI, PI), 1.0, 4.0),
        Row::near("f64_cos", |a, _| a.cos(), (-PI, PI), 1.0, 4.0),
        Row::near("f64_tan", |a, _| a.tan(), (-1.47 * PI, 1.47 * PI), 1.0, 5.0),
        Row::near("f64_asin", |a, _| a.asin(), (-1.0, 1.0), 1.0, 4.0),
        Row::near2("f64_atan2", f64::atan2, ((-4.0, 4.0), (-2.0, 2.0)), 1.0, 6.0),
        Row::near("f64_tanh", |a, _| a.tanh(), (-5.0, 5.0), 1.0, 5.0),
        Row::near("f64_exp", |a, _| a.exp(), (-10.0, 10.0), 1.0, 3.0),
        Row::near("f64_log", |a, _| a.ln(), (1e-6, 1e6), 1.0, 3.0),
        Row::near("f64_log2", |a, _| a.log2(), (1e-6, 1e6), 1.0, 3.0),
        Row::near2("f64_pow", f64::powf, ((-4.0, 4.0), (-2.0, 2.0)), 1.0, 16.0),
        Row::exact("f64_sqrt", |a, _| a.sqrt()),
        Row::near("f64_rsqrt", |a, _| 1.0 / a.sqrt(), (0.01, 100.0), 1.0, 2.0),
        Row::near("f64_cbrt", |a, _| a.cbrt(), (-100.0, 100.0), 1.0, 2.0),
        Row::near("f64_erf", |a, _| erf(a), (-4.0, 4.0), 4.0, 16.0),
        // The host's own is up to 10 units off (glibc's manual, "Known Maximum Errors in Math Functions").
        Row::near("f64_tgamma", |a, _| tgamma(a), (0.5, 15.0), 6.0, 26.0),
        Row::exact("f64_div", |a, b| a / b),
        Row::exact("f64_fmod", |a, b| a % b),
        Row::exact("f64_fma", |a, b| a.mul_add(b, a)),
        Row::exact("f64_floor", |a, _| a.floor()),
        Row::exact("f64_ceil", |a, _| a.ceil()),
        Row::exact("f64_trunc", |a, _| a.trunc()),
        Row::equal("f64_round", |a, _| a.round()),
        Row::exact("f64_rint", |a, _| a.round_ties_even()),
        Row::exact("f64_minmax", |a, b| minimum(a, b) * -minimum(-a, -2.0)),
        Row::exact("f64_ldexp", |a, b| ldexp(a, b as i32)),
        Row::exact("f64_convert", converted).domain(Domain::Within((0.0, 4e9), (-2e9, 2e9))),
    ]
}

pub fn cases() -> Vec<Case> {
    let all = |row: Row<f64>| {
        let inputs = f64_pairs(row.kernel.len() as u64, row.domain);
        case(row, inputs)
    };
    rows().into_iter().map(all).collect()
}
