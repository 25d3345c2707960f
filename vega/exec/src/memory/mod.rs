//! A card's view of memory: GPU addresses, their translation to host pointers, and every access to them.
//!
//! Guest memory is shared with other threads, with the program that owns it and with other processes, so
//! it is never a Rust slice or reference. All accesses go through the few routines of `leaf`; a SIGSEGV or
//! SIGBUS inside those, and only there, is a GPU memory fault ([`on_host_fault`]).
//!
//! | file | what it holds |
//! |---|---|
//! | `fault` | [`GuestFault`] and its parts |
//! | `space` | [`AddressSpace`]: the page table |
//! | `quiesce` | how [`AddressSpace::unmap`] waits for accesses that still use the old translation |
//! | `access` | typed accesses by the command processor |
//! | `leaf` | the routines that touch guest memory, and the recovery from host faults |

mod access;
mod fault;
pub(crate) mod leaf;
pub(crate) mod quiesce;
mod space;

pub use access::AtomicOp;
pub use fault::{Access, FaultReason, GuestFault};
pub use leaf::on_host_fault;
pub use space::{AddressSpace, MapError, Mapping, Rights};
pub(crate) use space::{Range, RangeCache};
