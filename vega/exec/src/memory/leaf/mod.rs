//! The routines that touch guest memory, and the recovery from host faults inside them.
//!
//! On x86-64 Linux they are assembly in one contiguous text range (`x86_64.rs`), so a signal handler can
//! tell a fault inside them from any other. Elsewhere they are volatile and atomic accesses without
//! recovery (`portable.rs`). Both have the same functions:
//!
//! - addresses are host addresses, already translated and allowed;
//! - every routine returns a [`Done`]; `fault` is 0, or the host address that could not be accessed;
//! - elements of 1, 2, 4 and 8 bytes move in one piece when they are naturally aligned; larger ones move
//!   as dwordx2 pairs;
//! - lanes are visited in ascending order.

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
pub(crate) mod landing;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod x86_64;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
pub(crate) use x86_64::*;

#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
mod portable;
#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
pub(crate) use portable::*;

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
pub use x86_64::on_host_fault;

#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
pub use portable::on_host_fault;

/// What a routine returns, in two registers.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Done {
    /// The value read, where there is one.
    pub value: u64,
    /// 0, or the host address of the fault.
    pub fault: u64,
}
