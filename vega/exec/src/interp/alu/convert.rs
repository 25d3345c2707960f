//! Conversions. Float to integer saturates and turns NaN into 0, as Rust's `as` does.

use vega_isa::Ty;
use vega_isa::micro::Cvt;

use super::{Make, op};
use crate::interp::elem::F16;
use crate::interp::num::{f16_to_f32, f32_to_f16, f32_to_f64, f64_to_f32};

/// The handler of a conversion.
pub(crate) fn convert(from: Ty, to: Ty, how: Cvt) -> Option<Make> {
    match how {
        Cvt::Plain => plain(from, to),
        Cvt::Byte(0) => op!(|a: u32| -> f32 { (a & 0xff) as f32 }),
        Cvt::Byte(1) => op!(|a: u32| -> f32 { (a >> 8 & 0xff) as f32 }),
        Cvt::Byte(2) => op!(|a: u32| -> f32 { (a >> 16 & 0xff) as f32 }),
        Cvt::Byte(_) => op!(|a: u32| -> f32 { (a >> 24) as f32 }),
        _ => None,
    }
}

fn plain(from: Ty, to: Ty) -> Option<Make> {
    match (from, to) {
        (Ty::I32, Ty::F32) => op!(|a: i32| -> f32 { a as f32 }),
        (Ty::U32, Ty::F32) => op!(|a: u32| -> f32 { a as f32 }),
        (Ty::I32, Ty::F64) => op!(|a: i32| -> f64 { f64::from(a) }),
        (Ty::U32, Ty::F64) => op!(|a: u32| -> f64 { f64::from(a) }),
        (Ty::I16, Ty::F16) => op!(|a: i16| -> F16 { f32_to_f16(f32::from(a)) }),
        (Ty::U16, Ty::F16) => op!(|a: u16| -> F16 { f32_to_f16(f32::from(a)) }),
        (Ty::F32, Ty::I32) => op!(|a: f32| -> i32 { a as i32 }),
        (Ty::F32, Ty::U32) => op!(|a: f32| -> u32 { a as u32 }),
        (Ty::F64, Ty::I32) => op!(|a: f64| -> i32 { a as i32 }),
        (Ty::F64, Ty::U32) => op!(|a: f64| -> u32 { a as u32 }),
        (Ty::F16, Ty::I16) => op!(|a: F16| -> i16 { f16_to_f32(a) as i16 }),
        (Ty::F16, Ty::U16) => op!(|a: F16| -> u16 { f16_to_f32(a) as u16 }),
        (Ty::F32, Ty::F16) => op!(|a: f32| -> F16 { f32_to_f16(a) }),
        (Ty::F16, Ty::F32) => op!(|a: F16| -> f32 {
            let x = f16_to_f32(a);
            if x.is_nan() { f32::from_bits(x.to_bits() | 0x40_0000) } else { x }
        }),
        (Ty::F64, Ty::F32) => op!(|a: f64| -> f32 { f64_to_f32(a) }),
        (Ty::F32, Ty::F64) => op!(|a: f32| -> f64 { f32_to_f64(a) }),
        _ => None,
    }
}
