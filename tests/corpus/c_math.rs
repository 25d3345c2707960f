//! Functions of C's math library that Rust's standard library has no stable name for.
//!
//! # Safety
//! They are pure functions of numbers. (`lgamma` also writes a sign that nobody reads.)

unsafe extern "C" {
    pub safe fn erf(x: f64) -> f64;
    pub safe fn erfc(x: f64) -> f64;
    pub safe fn tgamma(x: f64) -> f64;
    pub safe fn lgamma(x: f64) -> f64;
    pub safe fn asinh(x: f64) -> f64;
    pub safe fn acosh(x: f64) -> f64;
    pub safe fn atanh(x: f64) -> f64;
    pub safe fn exp10(x: f64) -> f64;
    pub safe fn j0(x: f64) -> f64;
    pub safe fn j1(x: f64) -> f64;
    pub safe fn jn(n: i32, x: f64) -> f64;
    pub safe fn y0(x: f64) -> f64;
    pub safe fn y1(x: f64) -> f64;
    pub safe fn remainderf(x: f32, y: f32) -> f32;
    pub safe fn nextafterf(x: f32, y: f32) -> f32;
    pub safe fn frexpf(x: f32, exponent: &mut i32) -> f32;
    pub safe fn logbf(x: f32) -> f32;
    pub safe fn ldexp(x: f64, exponent: i32) -> f64;
    pub safe fn ldexpf(x: f32, exponent: i32) -> f32;
}
