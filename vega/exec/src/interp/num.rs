//! Fast versions, for the default MODE, of arithmetic that the host does not have as an instruction.
//!
//! [`crate::numeric`] is what they must agree with, bit for bit.

use super::elem::F16;

/// f16 to f32, exact; a NaN keeps its sign and payload, made quiet by the caller if need be.
#[inline(always)]
pub(crate) fn f16_to_f32(h: F16) -> f32 {
    let bits = u32::from(h.0);
    let sign = (bits & 0x8000) << 16;
    let magnitude = bits & 0x7fff;
    if magnitude >= 0x7c00 {
        return f32::from_bits(sign | 0x7f80_0000 | (magnitude & 0x3ff) << 13);
    }
    // Shifting the exponent into place leaves it 112 too small; the multiplication repairs denormals too.
    let scaled = f32::from_bits(magnitude << 13) * f32::from_bits(0x7780_0000);
    f32::from_bits(sign | scaled.to_bits())
}

/// f64 to f16, to nearest even.
#[inline(always)]
pub(crate) fn f64_to_f16(x: f64) -> F16 {
    let bits = x.to_bits();
    let sign = (bits >> 48) as u16 & 0x8000;
    let magnitude = f64::from_bits(bits & !(1 << 63));
    if magnitude.is_nan() {
        return F16(sign | 0x7e00 | (bits >> 42) as u16 & 0x1ff);
    }
    if magnitude >= 65520.0 {
        return F16(sign | 0x7c00);
    }
    // Adding 2^52 ulps of the result makes the addition round to those ulps.
    let exponent = ((magnitude.to_bits() >> 52) as i64 - 1023).max(-14);
    let magic = f64::from_bits(((exponent - 10 + 52 + 1023) as u64) << 52);
    let ulps = ((magnitude + magic).to_bits() - magic.to_bits()) as u16;
    // `ulps` has the hidden bit of normal numbers; a carry out of the fraction raises the exponent itself.
    F16(sign | (((exponent + 14) as u16) << 10).wrapping_add(ulps))
}

/// f32 to f16, to nearest even.
#[inline(always)]
pub(crate) fn f32_to_f16(x: f32) -> F16 {
    f64_to_f16(f64::from(x))
}

/// f64 to f32 to nearest even; NaNs keep the top of their payload, quiet.
#[inline(always)]
pub(crate) fn f64_to_f32(x: f64) -> f32 {
    if x.is_nan() {
        let bits = x.to_bits();
        let sign = (bits >> 32) as u32 & 0x8000_0000;
        return f32::from_bits(sign | 0x7fc0_0000 | (bits >> 29) as u32 & 0x3f_ffff);
    }
    x as f32
}

/// f32 to f64; NaNs become quiet.
#[inline(always)]
pub(crate) fn f32_to_f64(x: f32) -> f64 {
    if x.is_nan() {
        let bits = x.to_bits();
        let sign = u64::from(bits & 0x8000_0000) << 32;
        return f64::from_bits(sign | 0x7ff8 << 48 | u64::from(bits & 0x3f_ffff) << 29);
    }
    f64::from(x)
}

/// An f16 operation done in f32: right for +, -, *, / and square root, whose f32 result is so much wider
/// that the second rounding cannot err.
#[inline(always)]
pub(crate) fn via_f32(a: F16, b: F16, f: impl Fn(f32, f32) -> f32) -> F16 {
    f32_to_f16(f(f16_to_f32(a), f16_to_f32(b)))
}

/// Fused f16 multiply-add. The product is exact in f64; the sum is rounded to odd there, so that rounding
/// it once more to f16 gives the rounding of the exact sum.
#[inline(always)]
pub(crate) fn fma_f16(a: F16, b: F16, c: F16) -> F16 {
    let wide = |x| f64::from(f16_to_f32(x));
    let (product, addend) = (wide(a) * wide(b), wide(c));
    let sum = product + addend;
    if !sum.is_finite() {
        return f64_to_f16(sum);
    }
    let virtual_addend = sum - product;
    let error = (product - (sum - virtual_addend)) + (addend - virtual_addend);
    let bits = sum.to_bits();
    if error != 0.0 && bits & 1 == 0 {
        // Toward the exact value: away from zero if the error has the sum's sign.
        let outward = (error > 0.0) == (sum > 0.0);
        return f64_to_f16(f64::from_bits(if outward { bits + 1 } else { bits - 1 }));
    }
    f64_to_f16(sum)
}

/// Zero of the same sign for denormals.
#[inline(always)]
pub(crate) fn flush32(x: f32) -> f32 {
    let bits = x.to_bits();
    f32::from_bits(if bits & 0x7f80_0000 == 0 { bits & 0x8000_0000 } else { bits })
}

/// IEEE minNum and maxNum with MODE.ieee set: a signaling NaN wins and becomes quiet, a quiet one loses; -0 < +0.
macro_rules! min_max {
    ($ty:ident, $min:ident, $max:ident, $of_nans:ident, $quiet:expr) => {
        /// The lesser one.
        #[inline(always)]
        pub(crate) fn $min(a: $ty, b: $ty) -> $ty {
            if a.is_nan() || b.is_nan() {
                return $of_nans(a, b);
            }
            if a < b || (a == b && a.is_sign_negative()) { a } else { b }
        }

        /// The greater one.
        #[inline(always)]
        pub(crate) fn $max(a: $ty, b: $ty) -> $ty {
            if a.is_nan() || b.is_nan() {
                return $of_nans(a, b);
            }
            if a > b || (a == b && a.is_sign_positive()) { a } else { b }
        }

        #[inline(always)]
        fn $of_nans(a: $ty, b: $ty) -> $ty {
            let signaling = |x: $ty| x.is_nan() && x.to_bits() & $quiet == 0;
            if signaling(a) || (!signaling(b) && b.is_nan() && a.is_nan()) {
                $ty::from_bits(a.to_bits() | $quiet)
            } else if signaling(b) {
                $ty::from_bits(b.to_bits() | $quiet)
            } else if a.is_nan() {
                b
            } else {
                a
            }
        }
    };
}
min_max!(f32, min32, max32, of_nans32, 1 << 22);
min_max!(f64, min64, max64, of_nans64, 1 << 51);
