//! Operations with three sources.

use vega_isa::Ty;
use vega_isa::micro::Tri;

use super::{Context, binary, fit, format, integer, low};
use crate::numeric::{Format, arith, bytes, convert, cube, order};

/// Three sources, before output modifiers.
pub(super) fn evaluate(op: Tri, ty: Ty, src: [u128; 3], context: &Context) -> u128 {
    let [a, b, c] = src.map(|value| value as u64);
    if op == Tri::MqsadU32U8 {
        let addend = [0, 32, 64, 96].map(|shift| (src[2] >> shift) as u32);
        let sums = bytes::four_msads_u32(a, b as u32, addend);
        return sums.iter().rev().fold(0, |all, sum| all << 32 | u128::from(*sum));
    }
    let result = match format(ty) {
        Some(f) => float(op, ty, f, a, b, c, context),
        None => int(op, ty, a, b, c, context),
    };
    result.into()
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
        Tri::QsadPkU16U8 => return bytes::four_sads_u16(bytes::sad_u8, a, y, c),
        Tri::MqsadPkU16U8 => return bytes::four_sads_u16(bytes::msad_u8, a, y, c),
        Tri::Bfe if signed => bytes::bfe_i32(x, y, z),
        Tri::Bfe => bytes::bfe_u32(x, y, z),
        Tri::Bfi => x & y | !x & z,
        Tri::LerpU8 => bytes::lerp_u8(x, y, z),
        Tri::AlignBit => bytes::align_bit(x, y, z),
        Tri::AlignByte => bytes::align_byte(x, y, z),
        Tri::SadU8 => bytes::sad_u8(x, y, z),
        Tri::SadHiU8 => bytes::sad_hi_u8(x, y, z),
        Tri::SadU16 => bytes::sad_u16(x, y, z),
        Tri::SadU32 => x.abs_diff(y).wrapping_add(z),
        Tri::MsadU8 => bytes::msad_u8(x, y, z),
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
