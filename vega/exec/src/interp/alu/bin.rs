//! Lane operations with two sources.

use vega_isa::Ty;
use vega_isa::micro::Bin;

use super::{Make, math, op};
use crate::interp::elem::F16;
use crate::interp::num::{max32, max64, min32, min64, via_f32};

#[inline(always)]
fn i24(x: u32) -> i64 {
    i64::from((x << 8) as i32 >> 8)
}

#[inline(always)]
fn u24(x: u32) -> u64 {
    u64::from(x & 0xff_ffff)
}

/// The handler of a two-source operation.
pub(crate) fn bin(bin: Bin, ty: Ty) -> Option<Make> {
    if let Some(make) = untyped(bin, ty) {
        return Some(make);
    }
    match ty {
        Ty::F16 => bin16(bin),
        Ty::F32 => bin32(bin),
        Ty::F64 => bin64(bin),
        Ty::U16 | Ty::I16 | Ty::B16 => int16(bin, ty.is_signed()),
        Ty::U24 | Ty::I24 => int24(bin, ty.is_signed()),
        Ty::U32 | Ty::I32 | Ty::B32 => int32(bin, ty.is_signed()),
        Ty::U64 | Ty::I64 | Ty::B64 => int64(bin),
        _ => None,
    }
}

/// Operations for which the type is plain from the name.
fn untyped(bin: Bin, ty: Ty) -> Option<Make> {
    match (bin, ty) {
        (Bin::BcntAdd, _) => op!(|a: u32, b: u32| -> u32 { a.count_ones().wrapping_add(b) }),
        (Bin::Bfm, _) => op!(|a: u32, b: u32| -> u32 { ((1u32 << (a & 31)) - 1) << (b & 31) }),
        (Bin::PkB16, _) => op!(|a: u16, b: u16| -> u32 { u32::from(a) | u32::from(b) << 16 }),
        (Bin::PkInt16, ty) if ty.is_signed() => op!(|a: i32, b: i32| -> u32 {
            let saturate = |x: i32| u32::from(x.clamp(-0x8000, 0x7fff) as u16);
            saturate(a) | saturate(b) << 16
        }),
        (Bin::PkInt16, _) => op!(|a: u32, b: u32| -> u32 { a.min(0xffff) | b.min(0xffff) << 16 }),
        _ => None,
    }
}

fn bin16(bin: Bin) -> Option<Make> {
    match bin {
        Bin::Add => op!(nan |a: F16, b: F16| -> F16 { via_f32(a, b, |a, b| a + b) }),
        Bin::Sub => op!(nan |a: F16, b: F16| -> F16 { via_f32(a, b, |a, b| a - b) }),
        Bin::Mul => op!(nan |a: F16, b: F16| -> F16 { via_f32(a, b, |a, b| a * b) }),
        _ => None,
    }
}

fn bin32(bin: Bin) -> Option<Make> {
    match bin {
        Bin::Add => op!(nan |a: f32, b: f32| -> f32 { a + b }),
        Bin::Sub => op!(nan |a: f32, b: f32| -> f32 { a - b }),
        Bin::Mul => op!(nan |a: f32, b: f32| -> f32 { a * b }),
        Bin::Min => op!(|a: f32, b: f32| -> f32 { min32(a, b) }),
        Bin::Max => op!(|a: f32, b: f32| -> f32 { max32(a, b) }),
        Bin::Ldexp => math::ldexp(Ty::F32),
        _ => None,
    }
}

fn bin64(bin: Bin) -> Option<Make> {
    match bin {
        Bin::Add => op!(nan |a: f64, b: f64| -> f64 { a + b }),
        Bin::Sub => op!(nan |a: f64, b: f64| -> f64 { a - b }),
        Bin::Mul => op!(nan |a: f64, b: f64| -> f64 { a * b }),
        Bin::Min => op!(|a: f64, b: f64| -> f64 { min64(a, b) }),
        Bin::Max => op!(|a: f64, b: f64| -> f64 { max64(a, b) }),
        Bin::Ldexp => math::ldexp(Ty::F64),
        _ => None,
    }
}

fn int16(bin: Bin, signed: bool) -> Option<Make> {
    match bin {
        Bin::Add => op!(|a: u16, b: u16| -> u16 { a.wrapping_add(b) }),
        Bin::Sub => op!(|a: u16, b: u16| -> u16 { a.wrapping_sub(b) }),
        Bin::Mul => op!(|a: u16, b: u16| -> u16 { a.wrapping_mul(b) }),
        Bin::Min if signed => op!(|a: i16, b: i16| -> i16 { a.min(b) }),
        Bin::Max if signed => op!(|a: i16, b: i16| -> i16 { a.max(b) }),
        Bin::Min => op!(|a: u16, b: u16| -> u16 { a.min(b) }),
        Bin::Max => op!(|a: u16, b: u16| -> u16 { a.max(b) }),
        Bin::Lshl => op!(|a: u16, b: u16| -> u16 { a << (b & 15) }),
        Bin::Lshr => op!(|a: u16, b: u16| -> u16 { a >> (b & 15) }),
        Bin::Ashr => op!(|a: i16, b: u16| -> i16 { a >> (b & 15) }),
        _ => None,
    }
}

fn int24(bin: Bin, signed: bool) -> Option<Make> {
    match bin {
        Bin::Mul if signed => op!(|a: u32, b: u32| -> u32 { (i24(a) * i24(b)) as u32 }),
        Bin::MulHi if signed => op!(|a: u32, b: u32| -> u32 { ((i24(a) * i24(b)) >> 32) as u32 }),
        Bin::Mul => op!(|a: u32, b: u32| -> u32 { (u24(a) * u24(b)) as u32 }),
        Bin::MulHi => op!(|a: u32, b: u32| -> u32 { ((u24(a) * u24(b)) >> 32) as u32 }),
        _ => None,
    }
}

fn int32(bin: Bin, signed: bool) -> Option<Make> {
    match bin {
        Bin::Add => op!(|a: u32, b: u32| -> u32 { a.wrapping_add(b) }),
        Bin::Sub => op!(|a: u32, b: u32| -> u32 { a.wrapping_sub(b) }),
        Bin::Mul => op!(|a: u32, b: u32| -> u32 { a.wrapping_mul(b) }),
        Bin::MulHi if signed => op!(|a: i32, b: i32| -> i32 { ((i64::from(a) * i64::from(b)) >> 32) as i32 }),
        Bin::MulHi => op!(|a: u32, b: u32| -> u32 { ((u64::from(a) * u64::from(b)) >> 32) as u32 }),
        Bin::Min if signed => op!(|a: i32, b: i32| -> i32 { a.min(b) }),
        Bin::Max if signed => op!(|a: i32, b: i32| -> i32 { a.max(b) }),
        Bin::Min => op!(|a: u32, b: u32| -> u32 { a.min(b) }),
        Bin::Max => op!(|a: u32, b: u32| -> u32 { a.max(b) }),
        Bin::Lshl => op!(|a: u32, b: u32| -> u32 { a << (b & 31) }),
        Bin::Lshr => op!(|a: u32, b: u32| -> u32 { a >> (b & 31) }),
        Bin::Ashr => op!(|a: i32, b: u32| -> i32 { a >> (b & 31) }),
        Bin::And => op!(|a: u32, b: u32| -> u32 { a & b }),
        Bin::Or => op!(|a: u32, b: u32| -> u32 { a | b }),
        Bin::Xor => op!(|a: u32, b: u32| -> u32 { a ^ b }),
        _ => None,
    }
}

fn int64(bin: Bin) -> Option<Make> {
    match bin {
        Bin::Lshl => op!(|a: u64, b: u32| -> u64 { a << (b & 63) }),
        Bin::Lshr => op!(|a: u64, b: u32| -> u64 { a >> (b & 63) }),
        Bin::Ashr => op!(|a: i64, b: u32| -> i64 { a >> (b & 63) }),
        _ => None,
    }
}
