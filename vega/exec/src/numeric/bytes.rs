//! Byte and bit-field operations of the vector unit (Vega ISA, VOP3A).

/// The four bytes of a dword, lowest first, with those of another.
fn pairs(a: u32, b: u32) -> impl Iterator<Item = (u8, u8)> {
    a.to_le_bytes().into_iter().zip(b.to_le_bytes())
}

/// Sum of absolute differences of four bytes, plus c.
pub fn sad_u8(a: u32, b: u32, c: u32) -> u32 {
    pairs(a, b).fold(c, |sum, (x, y)| sum.wrapping_add(x.abs_diff(y).into()))
}

/// [`sad_u8`] of zero in the high half, plus c.
pub fn sad_hi_u8(a: u32, b: u32, c: u32) -> u32 {
    (sad_u8(a, b, 0) << 16).wrapping_add(c)
}

/// Sum of absolute differences of two halves, plus c.
pub fn sad_u16(a: u32, b: u32, c: u32) -> u32 {
    let low = (a as u16).abs_diff(b as u16);
    let high = ((a >> 16) as u16).abs_diff((b >> 16) as u16);
    c.wrapping_add(low.into()).wrapping_add(high.into())
}

/// [`sad_u8`] that skips the bytes where b is zero.
pub fn msad_u8(a: u32, b: u32, c: u32) -> u32 {
    pairs(a, b).filter(|(_, y)| *y != 0).fold(c, |sum, (x, y)| sum.wrapping_add(x.abs_diff(y).into()))
}

/// Bytewise (a + b + the lowest bit of c's byte) / 2.
pub fn lerp_u8(a: u32, b: u32, c: u32) -> u32 {
    let [a, b, c] = [a, b, c].map(u32::to_le_bytes);
    let mut result = [0; 4];
    for (to, ((x, y), z)) in result.iter_mut().zip(a.into_iter().zip(b).zip(c)) {
        *to = ((u16::from(x) + u16::from(y) + u16::from(z & 1)) >> 1) as u8;
    }
    u32::from_le_bytes(result)
}

/// Four bytes of {a, b} (b holds bytes 0 to 3) chosen by the bytes of `selectors`: 0 to 7 a byte, 8 to 11 the
/// sign of bytes 1, 3, 5, 7 repeated, 12 zero, above 0xff.
pub fn perm(a: u32, b: u32, selectors: u32) -> u32 {
    let bytes = (u64::from(a) << 32 | u64::from(b)).to_le_bytes();
    let pick = |selector: u8| match selector {
        0..=7 => bytes[usize::from(selector & 7)],
        8..=11 if bytes[usize::from((selector & 3) * 2 + 1)] & 0x80 != 0 => 0xff,
        8..=12 => 0,
        _ => 0xff,
    };
    u32::from_le_bytes(selectors.to_le_bytes().map(pick))
}

/// {a, b} shifted right by `bits` mod 32, low dword.
pub fn align_bit(a: u32, b: u32, bits: u32) -> u32 {
    ((u64::from(a) << 32 | u64::from(b)) >> (bits & 31)) as u32
}

/// {a, b} shifted right by `bytes` mod 4 bytes, low dword.
pub fn align_byte(a: u32, b: u32, bytes: u32) -> u32 {
    align_bit(a, b, (bytes & 3) * 8)
}

/// The field of a at `offset` mod 32 with `width` mod 32 bits.
pub fn bfe_u32(a: u32, offset: u32, width: u32) -> u32 {
    (a >> (offset & 31)) & ((1 << (width & 31)) - 1)
}

/// [`bfe_u32`] with the field's top bit as its sign.
pub fn bfe_i32(a: u32, offset: u32, width: u32) -> u32 {
    let width = width & 31;
    if width == 0 {
        return 0;
    }
    let field = (a as i32 >> (offset & 31)) as u32;
    ((field << (32 - width)) as i32 >> (32 - width)) as u32
}

/// Signed halves saturated to unsigned bytes, in the low 16 bits.
pub fn sat_pk_u8_i16(a: u32) -> u32 {
    let byte = |half: u32| u32::from((half as i16).clamp(0, 255) as u8);
    byte(a) | byte(a >> 16) << 8
}

/// Leading bits before the first one, -1 if none.
pub fn ffbh_u32(a: u32) -> u32 {
    if a == 0 { u32::MAX } else { a.leading_zeros() }
}

/// Leading bits before the first one that is unlike the sign, -1 if none.
pub fn ffbh_i32(a: u32) -> u32 {
    ffbh_u32(if a >> 31 == 1 { !a } else { a })
}

/// The lowest one bit, -1 if none.
pub fn ffbl(a: u32) -> u32 {
    if a == 0 { u32::MAX } else { a.trailing_zeros() }
}

/// A signed 24-bit factor.
pub fn i24(a: u32) -> i64 {
    i64::from((a << 8) as i32 >> 8)
}

/// An unsigned 24-bit factor.
pub fn u24(a: u32) -> u64 {
    u64::from(a & 0xff_ffff)
}
