//! Operations with two sources.

use vega_isa::Ty;
use vega_isa::micro::Bin;

use super::{Context, fit, format, integer, low};
use crate::numeric::{Format, Round, arith, convert, order, round, trig};

/// Two sources (and the old destination, for the one operation that reads it), before output modifiers.
pub(super) fn evaluate(op: Bin, ty: Ty, [a, b, c]: [u64; 3], context: &Context) -> u64 {
    if op == Bin::PkAccumU8 {
        return replace_byte(c, b, convert::float_to_u8(a as u32, context.mode(Ty::F32)));
    }
    match format(ty) {
        Some(f) => float(op, ty, f, [a, b], context),
        None => int(op, ty, a, b, context),
    }
}

fn float(op: Bin, ty: Ty, f: Format, [a, b]: [u64; 2], context: &Context) -> u64 {
    let mode = context.mode(ty);
    let pair = |one: fn(Format, u64, crate::numeric::Mode) -> u16| {
        u64::from(one(f, a, mode)) | u64::from(one(f, b, mode)) << 16
    };
    match op {
        Bin::Add => arith::add(f, a, b, mode),
        Bin::Sub => arith::sub(f, a, b, mode),
        Bin::Mul => arith::mul(f, a, b, mode),
        Bin::MulLegacy => arith::mul_legacy(f, a, b, mode),
        Bin::Min => order::min(f, a, b, mode),
        Bin::Max => order::max(f, a, b, mode),
        Bin::Ldexp if ty == Ty::F16 => round::ldexp(f, a, i32::from(b as i16), mode),
        Bin::Ldexp => round::ldexp(f, a, b as i32, mode),
        Bin::TrigPreop => trig::trig_preop(a, b as u32),
        Bin::PkNormI16 => pair(convert::snorm16),
        Bin::PkNormU16 => pair(convert::unorm16),
        Bin::PkRtzF16 => {
            let to = context.mode(Ty::F16).rounding(Round::TowardZero);
            let half = |x| convert::float_to_float(Format::F32, Format::F16, x, context.mode(Ty::F32), to);
            half(a) | half(b) << 16
        }
        other => int(other, ty, a, b, context),
    }
}

/// `value` with byte `index` mod 4 replaced.
pub(super) fn replace_byte(value: u64, index: u64, byte: u8) -> u64 {
    let shift = 8 * (index & 3);
    value & 0xffff_ffff & !(0xff << shift) | u64::from(byte) << shift
}

fn int(op: Bin, ty: Ty, a: u64, b: u64, context: &Context) -> u64 {
    let width = ty.bits();
    let signed = ty.is_signed();
    let (x, y) = (integer(ty, a), integer(ty, b));
    let word = |value: u32| u64::from(value);
    match op {
        Bin::Add => fit(x + y, width, signed, context.clamp),
        Bin::Sub => fit(x - y, width, signed, context.clamp),
        Bin::Mul if width == 24 => low((x * y) as u64, 32),
        Bin::Mul => low((x * y) as u64, width),
        // The 24-bit product has 48 bits; the high operation gives those above 32, extended.
        Bin::MulHi => low(((x * y) >> 32) as u64, 32),
        Bin::Min => low(x.min(y) as u64, width),
        Bin::Max => low(x.max(y) as u64, width),
        Bin::Lshl => low(low(a, width) << (b & u64::from(width - 1)), width),
        Bin::Lshr => low(a, width) >> (b & u64::from(width - 1)),
        Bin::Ashr => low((sign_extended(a, width) >> (b & u64::from(width - 1))) as u64, width),
        Bin::And => a & b,
        Bin::Or => a | b,
        Bin::Xor => a ^ b,
        Bin::BcntAdd => word((a as u32).count_ones().wrapping_add(b as u32)),
        Bin::MbcntLo => word((a as u32 & below(context.lane.min(32))).count_ones().wrapping_add(b as u32)),
        Bin::MbcntHi => {
            let mask = below(context.lane.saturating_sub(32));
            word((a as u32 & mask).count_ones().wrapping_add(b as u32))
        }
        Bin::Bfm => word(((1u32 << (a & 31)) - 1) << (b & 31)),
        Bin::PkInt16 if signed => word(
            u32::from(convert::saturate_i16(a as u32)) | u32::from(convert::saturate_i16(b as u32)) << 16,
        ),
        Bin::PkInt16 => word(
            u32::from(convert::saturate_u16(a as u32)) | u32::from(convert::saturate_u16(b as u32)) << 16,
        ),
        Bin::PkB16 => a & 0xffff | (b & 0xffff) << 16,
        _ => a,
    }
}

/// Ones in the lowest `count` bits.
fn below(count: u32) -> u32 {
    if count >= 32 { u32::MAX } else { (1 << count) - 1 }
}

fn sign_extended(value: u64, width: u32) -> i64 {
    (value << (64 - width)) as i64 >> (64 - width)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_replaced_in_place() {
        assert_eq!(replace_byte(0x1122_3344, 2, 0xff), 0x11ff_3344);
    }
}
