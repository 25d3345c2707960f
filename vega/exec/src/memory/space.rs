//! The page table of one card.
//!
//! # Safety
//! This file only stores host pointers; `map` is unsafe because later accesses rely on its contract.

use std::collections::BTreeMap;
use std::ops::{BitAnd, BitOr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::fault::{Access, FaultReason};
use super::quiesce;

/// The size of a page, and the alignment of every mapping.
pub(crate) const PAGE: u64 = 4096;

/// What a mapping allows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Rights(u8);

impl Rights {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// Loads.
    pub const READ: Self = Self(1);
    /// Stores; with [`READ`](Self::READ) also atomics.
    pub const WRITE: Self = Self(2);
    /// Instruction fetches.
    pub const EXECUTE: Self = Self(4);
    /// Loads and stores.
    pub const READ_WRITE: Self = Self(3);
    /// Everything.
    pub const ALL: Self = Self(7);

    /// Whether every right of `other` is among these.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// What an access needs.
    pub(crate) const fn needed_by(access: Access) -> Self {
        match access {
            Access::Read => Self::READ,
            Access::Write => Self::WRITE,
            Access::Atomic => Self::READ_WRITE,
            Access::Execute => Self::EXECUTE,
        }
    }
}

impl BitOr for Rights {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitAnd for Rights {
    type Output = Self;
    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

/// Why [`AddressSpace::map`] refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MapError {
    /// Address, length or host pointer are no multiples of 4 KiB.
    #[error("mapping of {len:#x} bytes at {va:#x} is not page aligned")]
    Unaligned {
        /// The GPU address asked for.
        va: u64,
        /// The length asked for.
        len: u64,
    },
    /// The length is zero, or the range wraps around.
    #[error("mapping of {len:#x} bytes at {va:#x} has no valid length")]
    Length {
        /// The GPU address asked for.
        va: u64,
        /// The length asked for.
        len: u64,
    },
    /// Part of the range is mapped already.
    #[error("{va:#x} is already mapped")]
    Overlap {
        /// First address of the mapping in the way.
        va: u64,
    },
}

/// One mapping, as [`AddressSpace::lookup`] finds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// First GPU address.
    pub va: u64,
    /// Length in bytes.
    pub len: u64,
    /// Where the first byte is in the host's address space.
    pub host: *mut u8,
    /// What is allowed.
    pub rights: Rights,
}

/// What the table keeps per mapping; the key is the GPU address.
#[derive(Clone, Copy)]
struct Region {
    len: u64,
    /// Host address of the first byte.
    host: u64,
    rights: Rights,
}

/// A translation as instructions keep it: `host = va + delta` for addresses in `[start, start + len)`.
///
/// Valid only while `epoch` equals the space's; epochs are unique among all spaces of the process, so an
/// entry of another card never matches. `len` 0 is the empty cache.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RangeCache {
    pub range: Range,
    pub epoch: u64,
    pub rights: Rights,
}

/// A range of GPU addresses and what to add to get host addresses.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Range {
    pub start: u64,
    pub len: u64,
    pub delta: u64,
}

/// A translation of one address.
pub(crate) type Lookup = Result<RangeCache, FaultReason>;

/// The page table of one card: GPU address to host pointer, with rights.
///
/// Ranges are kept as they were mapped, at 4 KiB granularity. The table is the one truth; instructions
/// cache single ranges of it and notice by the epoch when it has changed.
pub struct AddressSpace {
    regions: RwLock<BTreeMap<u64, Region>>,
    epoch: AtomicU64,
}

/// Epochs of all spaces; 0 is never used.
static NEXT_EPOCH: AtomicU64 = AtomicU64::new(1);

impl AddressSpace {
    /// An empty page table.
    pub fn new() -> Arc<Self> {
        let epoch = AtomicU64::new(NEXT_EPOCH.fetch_add(1, Ordering::Relaxed));
        Arc::new(Self { regions: RwLock::new(BTreeMap::new()), epoch })
    }

    fn read_table(&self) -> RwLockReadGuard<'_, BTreeMap<u64, Region>> {
        self.regions.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_table(&self) -> RwLockWriteGuard<'_, BTreeMap<u64, Region>> {
        self.regions.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Maps `len` bytes at GPU address `va` to the host memory at `host`.
    ///
    /// # Safety
    /// `[host, host + len)` must be memory that nothing in the process but guest code and raw accesses
    /// uses while it is mapped: no Rust reference to it, no allocation of the process's own data. It may
    /// become inaccessible at any time (that is a GPU memory fault), but must not be reused for anything
    /// else before [`unmap`](Self::unmap) has returned.
    ///
    /// # Errors
    /// When the range is not page aligned, empty, or overlaps a mapping. Nothing is changed then.
    pub unsafe fn map(&self, va: u64, len: u64, host: *mut u8, rights: Rights) -> Result<(), MapError> {
        let host = host as u64;
        if !(va | len | host).is_multiple_of(PAGE) {
            return Err(MapError::Unaligned { va, len });
        }
        let end = va.checked_add(len).filter(|_| len != 0 && host.checked_add(len).is_some());
        let end = end.ok_or(MapError::Length { va, len })?;
        let mut table = self.write_table();
        if let Some((&start, region)) = table.range(..end).next_back()
            && start + region.len > va
        {
            return Err(MapError::Overlap { va: start });
        }
        table.insert(va, Region { len, host, rights });
        Ok(())
    }

    /// Removes every mapping of `[va, va + len)`, splitting those that reach beyond it.
    ///
    /// Returns only when no access that started with an old translation is still under way, so the host
    /// memory may be reused. Must not be called from inside a [`Host`](crate::Host) callback.
    pub fn unmap(&self, va: u64, len: u64) {
        let first = va & !(PAGE - 1);
        let end = va.saturating_add(len).div_ceil(PAGE).saturating_mul(PAGE);
        if len == 0 {
            return;
        }
        {
            let mut table = self.write_table();
            let hit = table.range(..end).rev().take_while(|(start, r)| **start + r.len > first);
            let hit: Vec<(u64, Region)> = hit.map(|(&start, &region)| (start, region)).collect();
            for (start, region) in hit {
                table.remove(&start);
                if start < first {
                    table.insert(start, Region { len: first - start, ..region });
                }
                let region_end = start + region.len;
                if region_end > end {
                    let rest = Region { len: region_end - end, host: region.host + (end - start), ..region };
                    table.insert(end, rest);
                }
            }
            self.epoch.store(NEXT_EPOCH.fetch_add(1, Ordering::Relaxed), Ordering::SeqCst);
        }
        quiesce::wait();
    }

    /// The mapping that covers `va`.
    pub fn lookup(&self, va: u64) -> Option<Mapping> {
        let table = self.read_table();
        let (&start, region) = table.range(..=va).next_back()?;
        (va - start < region.len).then_some(Mapping {
            va: start,
            len: region.len,
            host: region.host as *mut u8,
            rights: region.rights,
        })
    }

    /// The number that changes whenever a translation is taken away.
    #[inline(always)]
    pub(crate) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Relaxed)
    }

    /// Where compiled code reads the epoch.
    pub(crate) fn epoch_pointer(&self) -> *const u64 {
        self.epoch.as_ptr()
    }

    /// Translates `va`. The caller must have announced its access (`quiesce::Slot::enter`) before.
    #[cold]
    #[inline(never)]
    pub(crate) fn translate(&self, va: u64, access: Access) -> Lookup {
        let table = self.read_table();
        let (&start, region) = table.range(..=va).next_back().ok_or(FaultReason::NotMapped)?;
        if va - start >= region.len {
            return Err(FaultReason::NotMapped);
        }
        if !region.rights.contains(Rights::needed_by(access)) {
            return Err(FaultReason::NoRight);
        }
        let range = Range { start, len: region.len, delta: region.host.wrapping_sub(start) };
        Ok(RangeCache { range, epoch: self.epoch(), rights: region.rights })
    }
}
