//! Operations with three sources.

use vega_isa::Ty;
use vega_isa::micro::Tri;

use super::{Context, binary, fit, format, integer, low};
use crate::numeric::{Format, arith, bytes, convert, cube, order};

/// Three sources, before output modifiers.
pub(super) fn evaluate(op: Tri, ty: Ty, src: [u128; 3], context: &Context) -> u128 {
    let [a, b, c] = src.map(|value| value as u64);
    match op {
        Tri::QsadPkU16U8 => return four_sads(bytes::sad_u8, a, b as u32, src[2], 16, context),
        Tri::MqsadPkU16U8 => return four_sads(bytes::msad_u8, a, b as u32, src[2], 16, context),
        Tri::MqsadU32U8 => return four_sads(bytes::msad_u8, a, b as u32, src[2], 32, context),
        _ => {}
    }
    let result = match format(ty) {
        Some(f) => float(op, ty, f, a, b, c, context),
        None => int(op, ty, a, b, c, context),
    };
    result.into()
}

/// Four sums of absolute differences of a sliding 64-bit source, each with its addend of `width` bits.
fn four_sads(sad: fn(u32, u32, u32) -> u32, a: u64, b: u32, c: u128, width: u32, context: &Context) -> u128 {
    (0..4).fold(0, |all, n| {
        let addend = low((c >> (width * n)) as u64, width);
        let sum = i128::from(sad((a >> (8 * n)) as u32, b, 0)) + i128::from(addend);
        all | u128::from(fit(sum, width, false, context.clamp)) << (width * n)
    })
}

fn float(op: Tri, ty: Ty, f: Format, a: u64, b: u64, c: u64, context: &Context) -> u64 {
    let mode = context.mode(ty);
    let axes = [a as u32, b as u32, c as u32];
    match op {
        Tri::Mad => arith::mad(f, a, b, c, mode),
        Tri::MadLegacy => arith::mad_legacy(f, a, b, c, mode),
        Tri::Fma => arith::fma(f, a, b, c, mode),
        Tri::Min3 => order::min3(f, a, b, c, mode),
        Tri::Max3 => order::max3(f, a, b, c, mode),
        Tri::Med3 => order::med3(f, a, b, c, mode),
        Tri::CubeId => cube::face(axes).into(),
        Tri::CubeSc => cube::s(axes).into(),
        Tri::CubeTc => cube::t(axes).into(),
        Tri::CubeMa => cube::major_axis(axes, mode).into(),
        Tri::PkU8 => binary::replace_byte(c, b, convert::float_to_u8(a as u32, mode)),
        other => int(other, ty, a, b, c, context),
    }
}

fn int(op: Tri, ty: Ty, a: u64, b: u64, c: u64, context: &Context) -> u64 {
    let [x, y, z] = [a, b, c].map(|bits| bits as u32);
    let [i, j, k] = [a, b, c].map(|bits| integer(ty, bits));
    let signed = ty.is_signed();
    let width = ty.bits();
    let sum = |differences: u32| fit(i128::from(differences) + i128::from(z), 32, false, context.clamp);
    let result = match op {
        Tri::Mad if width == 24 => {
            let addend = if signed { i128::from(z as i32) } else { i128::from(z) };
            return fit(i * j + addend, 32, signed, context.clamp);
        }
        Tri::Mad => return fit(i * j + k, width, signed, context.clamp),
        Tri::MadTo32 => {
            let addend = if signed { i128::from(z as i32) } else { i128::from(z) };
            return fit(i * j + addend, 32, signed, context.clamp);
        }
        Tri::Min3 => return low(i.min(j).min(k) as u64, width),
        Tri::Max3 => return low(i.max(j).max(k) as u64, width),
        Tri::Med3 => return low(i.min(j).max(i.max(j).min(k)) as u64, width),
        Tri::Bfe if signed => bytes::bfe_i32(x, y, z),
        Tri::Bfe => bytes::bfe_u32(x, y, z),
        Tri::Bfi => x & y | !x & z,
        Tri::LerpU8 => bytes::lerp_u8(x, y, z),
        Tri::AlignBit => bytes::align_bit(x, y, z),
        Tri::AlignByte => bytes::align_byte(x, y, z),
        Tri::SadU8 => return sum(bytes::sad_u8(x, y, 0)),
        Tri::SadHiU8 => return sum(bytes::sad_hi_u8(x, y, 0)),
        Tri::SadU16 => return sum(bytes::sad_u16(x, y, 0)),
        Tri::SadU32 => return sum(x.abs_diff(y)),
        Tri::MsadU8 => return sum(bytes::msad_u8(x, y, 0)),
        Tri::PkU8 => return binary::replace_byte(c, b, convert::float_to_u8(x, context.mode(Ty::F32))),
        Tri::Perm => bytes::perm(x, y, z),
        Tri::XorAdd => (x ^ y).wrapping_add(z),
        Tri::LshlAdd => (x << (y & 31)).wrapping_add(z),
        Tri::AddLshl => x.wrapping_add(y) << (z & 31),
        Tri::Add3 => x.wrapping_add(y).wrapping_add(z),
        Tri::LshlOr => x << (y & 31) | z,
        Tri::AndOr => x & y | z,
        Tri::Or3 => x | y | z,
        _ => x,
    };
    result.into()
}
