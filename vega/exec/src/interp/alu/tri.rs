//! Lane operations with three sources.

use vega_isa::Ty;
use vega_isa::micro::Tri;

use super::{Make, op};
use crate::interp::elem::F16;
use crate::interp::num::{flush32, fma_f16};

/// Absolute differences of the bytes, summed; bytes whose `keep` byte is zero are left out.
#[inline(always)]
fn sad8(a: u32, b: u32, keep: u32) -> u32 {
    let mut sum = 0;
    for shift in [0, 8, 16, 24] {
        let (x, y) = (a >> shift & 0xff, b >> shift & 0xff);
        sum += if keep >> shift & 0xff == 0 { 0 } else { x.abs_diff(y) };
    }
    sum
}

#[inline(always)]
fn perm(a: u32, b: u32, selector: u32) -> u32 {
    let both = u64::from(a) << 32 | u64::from(b);
    let mut r = 0;
    for shift in [0, 8, 16, 24] {
        let byte = match selector >> shift & 0xff {
            n @ 0..=7 => (both >> (8 * n)) as u32 & 0xff,
            n @ 8..=11 => {
                let sign = both >> (16 * (n - 8) + 15) & 1;
                if sign != 0 { 0xff } else { 0 }
            }
            12 => 0,
            _ => 0xff,
        };
        r |= byte << shift;
    }
    r
}

/// The handler of a three-source operation.
pub(crate) fn tri(tri: Tri, ty: Ty) -> Option<Make> {
    match ty {
        Ty::F16 => tri16(tri),
        Ty::F32 => tri32(tri),
        Ty::F64 => match tri {
            Tri::Fma => op!(nan |a: f64, b: f64, c: f64| -> f64 { a.mul_add(b, c) }),
            _ => None,
        },
        _ => integer(tri, ty),
    }
}

fn tri16(tri: Tri) -> Option<Make> {
    match tri {
        Tri::Fma => op!(nan |a: F16, b: F16, c: F16| -> F16 { fma_f16(a, b, c) }),
        _ => None,
    }
}

fn tri32(tri: Tri) -> Option<Make> {
    match tri {
        Tri::Mad => op!(nan |a: f32, b: f32, c: f32| -> f32 {
            flush32(flush32(flush32(a) * flush32(b)) + flush32(c))
        }),
        Tri::Fma => op!(nan |a: f32, b: f32, c: f32| -> f32 { a.mul_add(b, c) }),
        _ => None,
    }
}

fn integer(tri: Tri, ty: Ty) -> Option<Make> {
    let signed = ty.is_signed();
    match (tri, ty.bits()) {
        (Tri::Mad, 16) => op!(|a: u16, b: u16, c: u16| -> u16 { a.wrapping_mul(b).wrapping_add(c) }),
        (Tri::Mad, 24) if signed => op!(|a: u32, b: u32, c: u32| -> u32 {
            let (a, b) = ((a << 8) as i32 >> 8, (b << 8) as i32 >> 8);
            (a.wrapping_mul(b) as u32).wrapping_add(c)
        }),
        (Tri::Mad, 24) => op!(|a: u32, b: u32, c: u32| -> u32 {
            (a & 0xff_ffff).wrapping_mul(b & 0xff_ffff).wrapping_add(c)
        }),
        (Tri::MadTo32, _) if signed => {
            op!(|a: i16, b: i16, c: u32| -> u32 { ((i32::from(a) * i32::from(b)) as u32).wrapping_add(c) })
        }
        (Tri::MadTo32, _) => {
            op!(|a: u16, b: u16, c: u32| -> u32 { (u32::from(a) * u32::from(b)).wrapping_add(c) })
        }
        (Tri::Bfe, _) if signed => op!(|a: i32, b: u32, c: u32| -> i32 {
            let (offset, width) = (b & 31, c & 31);
            let field = a >> offset;
            if width == 0 {
                0
            } else if offset + width < 32 {
                (field << (32 - width)) >> (32 - width)
            } else {
                field
            }
        }),
        (Tri::Bfe, _) => op!(|a: u32, b: u32, c: u32| -> u32 { (a >> (b & 31)) & ((1u32 << (c & 31)) - 1) }),
        (Tri::Bfi, _) => op!(|a: u32, b: u32, c: u32| -> u32 { (a & b) | (!a & c) }),
        (Tri::LerpU8, _) => op!(|a: u32, b: u32, c: u32| -> u32 {
            let mut r = 0;
            for shift in [0, 8, 16, 24] {
                let byte = |x: u32| x >> shift & 0xff;
                r |= ((byte(a) + byte(b) + (byte(c) & 1)) >> 1) << shift;
            }
            r
        }),
        (Tri::AlignBit, _) => {
            op!(|a: u32, b: u32, c: u32| -> u32 { ((u64::from(a) << 32 | u64::from(b)) >> (c & 31)) as u32 })
        }
        (Tri::AlignByte, _) => op!(|a: u32, b: u32, c: u32| -> u32 {
            ((u64::from(a) << 32 | u64::from(b)) >> (8 * (c & 3))) as u32
        }),
        (Tri::Min3, 16) if signed => op!(|a: i16, b: i16, c: i16| -> i16 { a.min(b).min(c) }),
        (Tri::Max3, 16) if signed => op!(|a: i16, b: i16, c: i16| -> i16 { a.max(b).max(c) }),
        (Tri::Med3, 16) if signed => op!(|a: i16, b: i16, c: i16| -> i16 { a.min(b).max(a.max(b).min(c)) }),
        (Tri::Min3, 16) => op!(|a: u16, b: u16, c: u16| -> u16 { a.min(b).min(c) }),
        (Tri::Max3, 16) => op!(|a: u16, b: u16, c: u16| -> u16 { a.max(b).max(c) }),
        (Tri::Med3, 16) => op!(|a: u16, b: u16, c: u16| -> u16 { a.min(b).max(a.max(b).min(c)) }),
        (Tri::Min3, _) if signed => op!(|a: i32, b: i32, c: i32| -> i32 { a.min(b).min(c) }),
        (Tri::Max3, _) if signed => op!(|a: i32, b: i32, c: i32| -> i32 { a.max(b).max(c) }),
        (Tri::Med3, _) if signed => op!(|a: i32, b: i32, c: i32| -> i32 { a.min(b).max(a.max(b).min(c)) }),
        (Tri::Min3, _) => op!(|a: u32, b: u32, c: u32| -> u32 { a.min(b).min(c) }),
        (Tri::Max3, _) => op!(|a: u32, b: u32, c: u32| -> u32 { a.max(b).max(c) }),
        (Tri::Med3, _) => op!(|a: u32, b: u32, c: u32| -> u32 { a.min(b).max(a.max(b).min(c)) }),
        (Tri::SadU8, _) => op!(|a: u32, b: u32, c: u32| -> u32 { sad8(a, b, !0).wrapping_add(c) }),
        (Tri::SadHiU8, _) => op!(|a: u32, b: u32, c: u32| -> u32 { (sad8(a, b, !0) << 16).wrapping_add(c) }),
        (Tri::MsadU8, _) => op!(|a: u32, b: u32, c: u32| -> u32 { sad8(a, b, b).wrapping_add(c) }),
        (Tri::SadU16, _) => op!(|a: u32, b: u32, c: u32| -> u32 {
            let (low, high) = ((a & 0xffff).abs_diff(b & 0xffff), (a >> 16).abs_diff(b >> 16));
            (low + high).wrapping_add(c)
        }),
        (Tri::SadU32, _) => op!(|a: u32, b: u32, c: u32| -> u32 { a.abs_diff(b).wrapping_add(c) }),
        (Tri::Perm, _) => op!(|a: u32, b: u32, c: u32| -> u32 { perm(a, b, c) }),
        (Tri::XorAdd, _) => op!(|a: u32, b: u32, c: u32| -> u32 { (a ^ b).wrapping_add(c) }),
        (Tri::LshlAdd, _) => op!(|a: u32, b: u32, c: u32| -> u32 { (a << (b & 31)).wrapping_add(c) }),
        (Tri::AddLshl, _) => op!(|a: u32, b: u32, c: u32| -> u32 { a.wrapping_add(b) << (c & 31) }),
        (Tri::Add3, _) => op!(|a: u32, b: u32, c: u32| -> u32 { a.wrapping_add(b).wrapping_add(c) }),
        (Tri::LshlOr, _) => op!(|a: u32, b: u32, c: u32| -> u32 { (a << (b & 31)) | c }),
        (Tri::AndOr, _) => op!(|a: u32, b: u32, c: u32| -> u32 { (a & b) | c }),
        (Tri::Or3, _) => op!(|a: u32, b: u32, c: u32| -> u32 { a | b | c }),
        _ => None,
    }
}
