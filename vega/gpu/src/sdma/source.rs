//! Where dwords come from: a ring, or an indirect buffer.

use vega_exec::{AddressSpace, GuestFault};

use crate::queue::Ring;

/// Dwords of a ring, which wraps, or of an indirect buffer, which does not.
#[derive(Clone, Copy)]
pub(super) struct Source {
    va: u64,
    /// Offsets are taken modulo this, less one: all ones for a buffer.
    mask: u64,
}

impl Source {
    pub fn ring(ring: Ring) -> Source {
        Source { va: ring.va, mask: ring.bytes.wrapping_sub(1) }
    }

    pub fn buffer(va: u64) -> Source {
        Source { va, mask: u64::MAX }
    }

    /// Address of the dword at a byte offset.
    pub fn address(&self, offset: u64) -> u64 {
        self.va.wrapping_add(offset & self.mask)
    }

    /// `count` dwords from a byte offset on.
    pub fn read(&self, space: &AddressSpace, offset: u64, count: u64) -> Result<Vec<u32>, GuestFault> {
        (0..count).map(|i| space.read::<u32>(self.address(offset.wrapping_add(4 * i)))).collect()
    }
}
