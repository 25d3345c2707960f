//! The blocks of device memory that are kept for reuse.
//!
//! # Safety
//! A block's address came from `hipMalloc` and is freed once, by [`BlockCache::trim`], after everything that used it is
//! done.
#![allow(unsafe_code)]

use super::block::{ALIGNMENT, Block, allocated, out_of_memory, overflow};
use crate::error::Call;
use crate::{Device, Error, Result};
use std::collections::BTreeMap;
use std::ffi::c_void;
use std::ptr::NonNull;
use std::sync::{Mutex, MutexGuard};

/// The freed blocks of one device, by size.
#[derive(Default)]
pub(crate) struct BlockCache(Mutex<Shelves>);

#[derive(Default)]
struct Shelves {
    blocks: BTreeMap<usize, Vec<Block>>,
    /// What is left on the host of blocks that were freed.
    spares: Vec<Block>,
    statistics: MemoryStatistics,
}

/// More spares than these are dropped.
const SPARES: usize = 128;

impl Shelves {
    fn keep(&mut self, block: Block) {
        self.statistics.cached += block.bytes;
        self.blocks.entry(block.bytes).or_default().push(block);
    }
}

/// What a device's allocator did so far; see [`Device::memory_statistics`]. Sizes are in bytes.
///
/// ```no_run
/// # let device = hip::Device::first()?;
/// let statistics = device.memory_statistics();
/// println!("{} bytes in buffers, {} kept for the next ones", statistics.used, statistics.cached);
/// # Ok::<(), hip::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct MemoryStatistics {
    /// In buffers, rounded up to what was allocated for them.
    pub used: usize,
    /// The most that was ever in buffers.
    pub peak_used: usize,
    /// Kept for reuse.
    pub cached: usize,
    /// Buffers that got a kept block.
    pub reuses: u64,
    /// Calls of `hipMalloc`.
    pub allocations: u64,
    /// Calls of `hipFree`.
    pub frees: u64,
}

impl MemoryStatistics {
    /// The peak is what there was before `used` became less, or is now.
    fn with_peak(self) -> Self {
        Self { peak_used: self.peak_used.max(self.used), ..self }
    }
}

impl BlockCache {
    /// A block of at least `bytes`, from the cache or from HIP. When HIP has no more, the cache is emptied first.
    pub(super) fn take(&self, device: Device, bytes: usize) -> Result<Block> {
        let size = size_class(bytes).ok_or_else(|| overflow(bytes))?;
        let mut shelves = self.lock();
        if let Some(block) = shelves.blocks.get_mut(&size).and_then(Vec::pop) {
            shelves.statistics.cached -= block.bytes;
            shelves.statistics.reuses += 1;
            shelves.statistics.used += block.bytes;
            return Ok(block);
        }
        let spare = shelves.spares.pop();
        // Counted before it is there, for the sake of one turn with the lock instead of two.
        shelves.statistics.allocations += 1;
        shelves.statistics.used += size;
        drop(shelves);
        match self.ask(device, size) {
            Ok(address) => Ok(match spare {
                Some(spare) => spare.renew(address.as_ptr(), size),
                None => Block::new(address.as_ptr(), size),
            }),
            Err(error) => {
                let statistics = &mut self.lock().statistics;
                statistics.allocations -= 1;
                statistics.used -= size;
                Err(error)
            }
        }
    }

    /// Memory from HIP.
    fn ask(&self, device: Device, size: usize) -> Result<NonNull<c_void>> {
        let mut address = allocate(device, size)?;
        if address.is_none() && self.trim(device, 0)? > 0 {
            address = allocate(device, size)?;
        }
        address.ok_or_else(|| out_of_device_memory(device, size))
    }

    pub(super) fn put(&self, block: Block) {
        let mut shelves = self.lock();
        shelves.statistics = shelves.statistics.with_peak();
        shelves.statistics.used = shelves.statistics.used.saturating_sub(block.bytes);
        shelves.keep(block);
    }

    pub(crate) fn statistics(&self) -> MemoryStatistics {
        self.lock().statistics.with_peak()
    }

    /// Frees blocks, the largest first, until at most `keep` bytes are kept. Says how many bytes were freed.
    pub(crate) fn trim(&self, device: Device, keep: usize) -> Result<usize> {
        let (mut freed, mut spares) = (0, Vec::new());
        while let Some(block) = self.take_largest(keep) {
            if let Err(error) = block.uses.finish().and_then(|()| free(device, &block)) {
                let mut shelves = self.lock();
                shelves.statistics.frees -= 1;
                shelves.keep(block);
                return Err(error);
            }
            freed += block.bytes;
            if spares.len() < SPARES {
                spares.push(block);
            }
        }
        let mut shelves = self.lock();
        let room = SPARES.saturating_sub(shelves.spares.len());
        shelves.spares.extend(spares.into_iter().take(room));
        Ok(freed)
    }

    fn take_largest(&self, keep: usize) -> Option<Block> {
        let mut shelves = self.lock();
        if shelves.statistics.cached <= keep {
            return None;
        }
        let block = shelves.blocks.values_mut().rev().find_map(Vec::pop)?;
        shelves.statistics.cached -= block.bytes;
        shelves.statistics.frees += 1;
        Some(block)
    }

    fn lock(&self) -> MutexGuard<'_, Shelves> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// What is allocated for a request: a multiple of an eighth of the next power of two, so that freed blocks fit other
/// requests, but of 2 MiB at most, so that large requests waste little. `None` when that does not fit into a `usize`.
fn size_class(bytes: usize) -> Option<usize> {
    let step = (bytes.checked_next_power_of_two()? / 8).clamp(ALIGNMENT, 2 << 20);
    bytes.checked_next_multiple_of(step)
}

fn malloc(device: Device, bytes: usize) -> Call {
    Call::new("hipMalloc").arg("size", bytes).on(device.raw())
}

/// `hipMalloc`. `None` when there is no memory left.
fn allocate(device: Device, bytes: usize) -> Result<Option<NonNull<c_void>>> {
    let _current = device.enter()?;
    let mut address = std::ptr::null_mut();
    // SAFETY: the out-pointer is to a live local.
    let status = unsafe { device.runtime().api().hipMalloc(&mut address, bytes) };
    allocated(device, status, address, || malloc(device, bytes))
}

#[cold]
fn out_of_device_memory(device: Device, requested: usize) -> Error {
    let message = match device.memory_info() {
        Ok(info) => format!("out of device memory: {} of {} bytes are free", info.free, info.total),
        Err(_) => "out of device memory".to_owned(),
    };
    out_of_memory(requested, malloc(device, requested), message)
}

fn free(device: Device, block: &Block) -> Result<()> {
    let _current = device.enter()?;
    // SAFETY: the address is one that hipMalloc returned, nothing uses it any more, and the block is forgotten on success.
    let status = unsafe { device.runtime().api().hipFree(block.address) };
    device.runtime().check(status, || Call::new("hipFree").arg("ptr", block.address).on(device.raw()))
}

#[cfg(test)]
mod tests {
    use super::size_class;

    #[test]
    fn size_classes_hold_the_request_and_waste_little() {
        for bytes in [1usize, 255, 256, 257, 4096, 5000, 1 << 20, (1 << 20) + 1, 3 << 30, usize::MAX / 4] {
            let size = size_class(bytes).unwrap();
            assert!(size >= bytes && size.is_multiple_of(256), "{bytes} -> {size}");
            assert!(size - bytes < 256.max(bytes / 4).min(2 << 20), "{bytes} -> {size}");
        }
        assert_eq!(size_class(1), Some(256));
        assert_eq!(size_class(usize::MAX), None);
        assert_eq!(size_class(usize::MAX / 2 + 2), None);
    }
}
