//! The cases, a module per file of kernels.

pub mod applications;
pub mod atomics;
pub mod control;
pub mod half;
pub mod ieee;
pub mod images;
pub mod integer;
pub mod lanes;
pub mod lds;
pub mod math;
pub mod math_f32;
pub mod math_f64;
pub mod math_rest;
pub mod matrix;
pub mod services;
pub mod types;
