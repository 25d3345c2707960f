//! For people who come from elsewhere.
//!
//! | from | chapter |
//! |---|---|
//! | CUDA C++, or cudarc | [`cuda`] |
//! | HIP C++ | [`hip_cpp`] |
//!
//! [`functions`](crate::functions) has a table of all C functions; every one of them is also a search term of this
//! documentation.

/// From CUDA and cudarc.
#[doc = include_str!("guide/cuda.md")]
pub mod cuda {}

/// From HIP C++.
#[doc = include_str!("guide/hip_cpp.md")]
pub mod hip_cpp {}
