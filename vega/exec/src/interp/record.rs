//! Predecoded instructions.

use super::wave::Wave;
use super::worker::Worker;

/// What a handler returns when the wave leaves the interpreter; `Wave::stop` says why.
pub(crate) const EXIT: usize = usize::MAX;

/// Executes one record and returns the index of the next one, or [`EXIT`].
///
/// # Safety
/// The processor must have the features that the handler was selected for, and the record must have been
/// made by the lowering: register numbers are not checked again.
pub(crate) type Run = unsafe fn(&mut Wave, &mut Worker, &Record, usize) -> usize;

/// Source codes: scalar file numbers below 144, then these, then vector registers.
pub(crate) mod code {
    /// The source's constant.
    pub const CONST: u16 = 255;
    /// The first vector register; spare ones included.
    pub const VGPR: u16 = 256;
    /// No destination.
    pub const NONE: u16 = u16::MAX;
}

/// One predecoded instruction: a cache line that needs no further decoding on the way that is taken most.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct Record {
    /// What to do.
    pub run: Run,
    /// What to do without modifiers, when `run` takes care of modifiers around it.
    pub plain: Run,
    /// Constants of the sources.
    pub consts: [u64; 3],
    /// Source codes.
    pub src: [u16; 3],
    /// Vector destination, without the offset of [`code::VGPR`].
    pub dst: u16,
    /// Scalar destination.
    pub sdst: u16,
    /// The slot of this instruction in the worker's translation caches.
    pub cache: u16,
    /// Branch target, offset or whatever the handler wants.
    pub imm: i32,
    /// The instruction's offset in bytes from the program's base address.
    pub offset: i64,
}

const _: () = assert!(size_of::<Record>() == 64, "a record is one cache line");
