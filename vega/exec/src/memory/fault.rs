//! What can go wrong with an access to guest memory.

use std::fmt;

/// What an access wanted to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Access {
    /// A load.
    Read,
    /// A store.
    Write,
    /// An atomic read-modify-write.
    Atomic,
    /// An instruction fetch.
    Execute,
}

/// Why an access failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FaultReason {
    /// No mapping covers the address.
    NotMapped,
    /// The mapping does not allow this kind of access.
    NoRight,
    /// The host took the memory away (munmap, mprotect, truncation) while it was mapped to the card.
    HostMemoryGone,
    /// Scratch memory beyond the wave's own part: a stack overflow. A card would go on in the memory of
    /// another wave.
    BeyondScratch,
    /// An atomic operation on an address that is not a multiple of its size.
    Misaligned,
}

/// A failed access to guest memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{access} at {va:#x}: {reason}")]
pub struct GuestFault {
    /// The GPU address of the first byte that could not be accessed, or of the element that holds it.
    pub va: u64,
    /// What was wanted.
    pub access: Access,
    /// Why it failed.
    pub reason: FaultReason,
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Atomic => "atomic",
            Self::Execute => "instruction fetch",
        })
    }
}

impl fmt::Display for FaultReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotMapped => "not mapped",
            Self::NoRight => "not allowed by the mapping",
            Self::HostMemoryGone => "the host memory behind the mapping is gone",
            Self::BeyondScratch => "beyond the wave's scratch memory",
            Self::Misaligned => "misaligned",
        })
    }
}
