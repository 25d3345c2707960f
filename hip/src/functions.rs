//! Where each C function of HIP is here.
//!
//! The table is generated from the `doc(alias)` of this crate's items and from [`left_out`](crate::left_out), which has the
//! reasons for what is not here; a test keeps it true. The second column has the releases whose headers declare the function,
//! of those that the bindings are made from.
//!
#![doc = include_str!("functions.md")]
