//! Half precision on the host.

use hip::half::f16;

/// Rounds once, to nearest even: by way of an `f32` that is rounded to odd, which keeps the direction.
pub fn half(x: f64) -> f16 {
    let nearest = x as f32;
    let odd = if f64::from(nearest) == x || !nearest.is_finite() {
        nearest
    } else {
        let above = f64::from(nearest).abs() > x.abs();
        let truncated = nearest.to_bits() - u32::from(above);
        f32::from_bits(truncated | 1)
    };
    f16::from_f32(odd)
}

/// `a * b + c`, rounded once. Exact before that as long as the exponents are within 2^10 of each other.
pub fn fma(a: f16, b: f16, c: f16) -> f16 {
    half(f64::from(a) * f64::from(b) + f64::from(c))
}

/// `len` numbers in `[low, high)`.
pub fn f16s(seed: u64, len: usize, low: f64, high: f64) -> Vec<f16> {
    crate::inputs::f64s(seed, len, low, high).into_iter().map(half).collect()
}
