//! Comparisons of what the device computed with what is right.

use crate::c_math::ldexp;
use hip::bytemuck::Pod;
use hip::half::f16;
use std::fmt::Debug;

/// How far a number may be off: so many units in the last place, or so much, whichever is more.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    pub ulp: f64,
    pub absolute: f64,
}

impl Limit {
    pub const fn ulp(ulp: f64) -> Self {
        Self { ulp, absolute: 0.0 }
    }

    pub const fn absolute(absolute: f64) -> Self {
        Self { ulp: 1.0, absolute }
    }
}

/// What is compared bit by bit, except that a NaN is a NaN.
pub trait Exact: Pod + Debug {
    fn same(self, other: Self) -> bool;
}

/// The same bits, or both a zero, or both a NaN.
pub fn same_number<T: Exact + Float>(a: T, b: T) -> bool {
    a.same(b) || (a.wide() == 0.0 && b.wide() == 0.0)
}

macro_rules! exact_integers {
    ($($t:ty)+) => {$(impl Exact for $t {
        fn same(self, other: Self) -> bool { self == other }
    })+};
}
exact_integers! { i8 u8 i16 u16 i32 u32 i64 u64 u128 }

macro_rules! exact_floats {
    ($($t:ty)+) => {$(impl Exact for $t {
        fn same(self, other: Self) -> bool {
            self.to_bits() == other.to_bits() || (self.is_nan() && other.is_nan())
        }
    })+};
}
exact_floats! { f16 f32 f64 }

/// A binary floating-point type.
pub trait Float: Pod + Debug {
    /// Bits of the significand, the hidden one included.
    const PRECISION: i32;
    /// The exponent of the smallest normal number.
    const MIN_EXPONENT: i32;
    /// The exponent of the largest number.
    const MAX_EXPONENT: i32;
    fn wide(self) -> f64;
}

macro_rules! floats {
    ($($t:ty, $precision:literal, $min:literal, $max:literal;)+) => {$(impl Float for $t {
        const PRECISION: i32 = $precision;
        const MIN_EXPONENT: i32 = $min;
        const MAX_EXPONENT: i32 = $max;
        fn wide(self) -> f64 { f64::from(self) }
    })+};
}
floats! {
    f16, 11, -14, 15;
    f32, 24, -126, 127;
    f64, 53, -1022, 1023;
}

/// The distance of `T`'s numbers around `x`.
fn ulp<T: Float>(x: f64) -> f64 {
    let exponent =
        if x == 0.0 { T::MIN_EXPONENT } else { exponent(x).clamp(T::MIN_EXPONENT, T::MAX_EXPONENT) };
    ldexp(1.0, exponent - T::PRECISION + 1)
}

fn exponent(x: f64) -> i32 {
    let biased = (x.to_bits() >> 52 & 0x7ff) as i32;
    if biased == 0 { -1074 + (63 - x.abs().to_bits().leading_zeros() as i32) } else { biased - 1023 }
}

/// How many units in the last place `got` is off, an infinity counting as the number after the largest.
fn error<T: Float>(got: T, expected: f64) -> (f64, f64) {
    let got = got.wide();
    if got.is_nan() || expected.is_nan() {
        let error = if got.is_nan() && expected.is_nan() { 0.0 } else { f64::INFINITY };
        return (error, error);
    }
    if got == expected {
        return (0.0, 0.0);
    }
    // Halved, so that the double after the largest is a double.
    let largest = 2f64.powi(T::MAX_EXPONENT);
    let halved = |x: f64| (x / 2.0).clamp(-largest, largest);
    let distance = (halved(got) - halved(expected)).abs();
    (distance / ulp::<T>(expected) * 2.0, distance * 2.0)
}

/// All elements are the same.
pub fn exact<T: Exact>(got: &[T], expected: &[T]) -> Result<(), String> {
    report(got, expected, |at| !got[at].same(expected[at]), |_| String::new())
}

/// All elements are the same numbers.
pub fn equal<T: Exact + Float>(got: &[T], expected: &[T]) -> Result<(), String> {
    report(got, expected, |at| !same_number(got[at], expected[at]), |_| String::new())
}

/// All elements are within their limits; `limit` is told the index.
pub fn near<T: Float>(got: &[T], expected: &[f64], limit: impl Fn(usize) -> Limit) -> Result<(), String> {
    let off = |at: usize| error(got[at], expected[at]);
    let wrong = |at: usize| {
        let (ulp, absolute) = off(at);
        let limit = limit(at);
        // Not a number is beyond any limit.
        !(ulp <= limit.ulp || absolute <= limit.absolute)
    };
    report(got, expected, wrong, |at| {
        let worst = (0..got.len()).filter(|&at| wrong(at)).map(|at| off(at).0).fold(0.0, f64::max);
        format!(", {:.1} ulp with a limit of {:?}; the worst is {worst:.1} ulp", off(at).0, limit(at))
    })
}

/// Tells how many are wrong, and shows the first few.
fn report<T: Debug, U: Debug>(
    got: &[T],
    expected: &[U],
    wrong: impl Fn(usize) -> bool,
    more: impl Fn(usize) -> String,
) -> Result<(), String> {
    if got.len() != expected.len() {
        return Err(format!("{} elements instead of {}", got.len(), expected.len()));
    }
    let all: Vec<usize> = (0..got.len()).filter(|&at| wrong(at)).collect();
    let Some(&first) = all.first() else { return Ok(()) };
    let shown: Vec<String> = all
        .iter()
        .take(6)
        .map(|&at| format!("[{at}] {:x?} instead of {:x?}", got[at], expected[at]))
        .collect();
    Err(format!("{} of {} are wrong: {}{}", all.len(), got.len(), shown.join("; "), more(first)))
}
