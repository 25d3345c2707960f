//! Packed operations: two 16-bit elements in a dword.

use vega_isa::Ty;
use vega_isa::micro::{Bin, Tri};

use super::{Make, op};
use crate::interp::elem::{Elem, F16};
use crate::interp::num::{fma_f16, via_f32};

/// Both halves through `f`.
#[inline(always)]
fn two(a: u32, b: u32, f: impl Fn(u16, u16) -> u16) -> u32 {
    u32::from(f(a as u16, b as u16)) | u32::from(f((a >> 16) as u16, (b >> 16) as u16)) << 16
}

/// Both halves of three through `f`.
#[inline(always)]
fn three(a: u32, b: u32, c: u32, f: impl Fn(u16, u16, u16) -> u16) -> u32 {
    u32::from(f(a as u16, b as u16, c as u16))
        | u32::from(f((a >> 16) as u16, (b >> 16) as u16, (c >> 16) as u16)) << 16
}

/// The NaN rule for one half.
#[inline(always)]
fn ruled(r: F16, sources: &[u16]) -> u16 {
    if !r.is_nan() {
        return r.0;
    }
    for &x in sources {
        if F16(x).is_nan() {
            return x | 0x200;
        }
    }
    0x7e00
}

/// The handler of a packed two-source operation.
pub(crate) fn packed2(bin: Bin, ty: Ty) -> Option<Make> {
    let signed = ty.is_signed();
    if ty.is_float() {
        return match bin {
            Bin::Add => op!(|a: u32, b: u32| -> u32 {
                two(a, b, |a, b| ruled(via_f32(F16(a), F16(b), |a, b| a + b), &[a, b]))
            }),
            Bin::Mul => op!(|a: u32, b: u32| -> u32 {
                two(a, b, |a, b| ruled(via_f32(F16(a), F16(b), |a, b| a * b), &[a, b]))
            }),
            _ => None,
        };
    }
    match bin {
        Bin::Add => op!(|a: u32, b: u32| -> u32 { two(a, b, u16::wrapping_add) }),
        Bin::Sub => op!(|a: u32, b: u32| -> u32 { two(a, b, u16::wrapping_sub) }),
        Bin::Mul => op!(|a: u32, b: u32| -> u32 { two(a, b, u16::wrapping_mul) }),
        Bin::Min if signed => {
            op!(|a: u32, b: u32| -> u32 { two(a, b, |a, b| (a as i16).min(b as i16) as u16) })
        }
        Bin::Max if signed => {
            op!(|a: u32, b: u32| -> u32 { two(a, b, |a, b| (a as i16).max(b as i16) as u16) })
        }
        Bin::Min => op!(|a: u32, b: u32| -> u32 { two(a, b, |a, b| a.min(b)) }),
        Bin::Max => op!(|a: u32, b: u32| -> u32 { two(a, b, |a, b| a.max(b)) }),
        Bin::Lshl => op!(|a: u32, b: u32| -> u32 { two(a, b, |a, b| a << (b & 15)) }),
        Bin::Lshr => op!(|a: u32, b: u32| -> u32 { two(a, b, |a, b| a >> (b & 15)) }),
        Bin::Ashr => op!(|a: u32, b: u32| -> u32 { two(a, b, |a, b| (a as i16 >> (b & 15)) as u16) }),
        _ => None,
    }
}

/// The handler of a packed three-source operation.
pub(crate) fn packed3(tri: Tri, ty: Ty) -> Option<Make> {
    match tri {
        Tri::Fma if ty.is_float() => op!(|a: u32, b: u32, c: u32| -> u32 {
            three(a, b, c, |a, b, c| ruled(fma_f16(F16(a), F16(b), F16(c)), &[a, b, c]))
        }),
        Tri::Mad if !ty.is_float() => op!(|a: u32, b: u32, c: u32| -> u32 {
            three(a, b, c, |a, b, c| a.wrapping_mul(b).wrapping_add(c))
        }),
        _ => None,
    }
}
