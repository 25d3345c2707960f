//! Blocks of device memory: allocated, shared, and kept for reuse.
//!
//! # Safety
//! A block's address came from `hipMalloc` and is freed exactly once, by [`BlockCache::trim`], after everything that used
//! it is done. `Block` is `Send`: its pointer is an address on the device, which the host never follows.
#![allow(unsafe_code)]

use super::Uses;
use crate::error::{Call, ErrorCode, ErrorKind};
use crate::{Device, Error, Result};
use hip_sys::hipError_t;
use std::collections::BTreeMap;
use std::ffi::c_void;
use std::mem::ManuallyDrop;
use std::sync::{Mutex, MutexGuard};

/// The alignment that `hipMalloc` promises (AMD's runtime aligns to pages; the programming guide promises 256 bytes).
pub(crate) const ALIGNMENT: usize = 256;

/// A piece of device memory, and who used it last.
struct Block {
    /// Null for a block of no bytes.
    address: *mut c_void,
    bytes: usize,
    uses: Uses,
}

// SAFETY: the address is one on the device, see the head of this file.
unsafe impl Send for Block {}

/// A block that a buffer, its views and the work on it share. When it goes, the block is kept for the next buffer, which
/// inherits its uses: nobody has to wait for the work that still runs on it.
pub(crate) struct Allocation {
    device: Device,
    block: ManuallyDrop<Block>,
}

// SAFETY: the address is one on the device, which the host never follows; `Uses` is Sync by itself.
unsafe impl Sync for Allocation {}

impl Allocation {
    /// At least `bytes` of memory on `device`, with whatever contents.
    pub(crate) fn new(device: Device, bytes: usize) -> Result<Self> {
        let block = match bytes {
            0 => Block { address: std::ptr::null_mut(), bytes: 0, uses: Uses::new() },
            _ => device.state().cache.take(device, bytes)?,
        };
        Ok(Self { device, block: ManuallyDrop::new(block) })
    }

    #[inline]
    pub(crate) fn device(&self) -> Device {
        self.device
    }

    /// The address on the device, null for no bytes.
    #[inline]
    pub(crate) fn address(&self) -> *mut c_void {
        self.block.address
    }

    #[inline]
    pub(crate) fn uses(&self) -> &Uses {
        &self.block.uses
    }
}

impl Drop for Allocation {
    fn drop(&mut self) {
        // SAFETY: the block is not touched again.
        let block = unsafe { ManuallyDrop::take(&mut self.block) };
        if !block.address.is_null() {
            self.device.state().cache.put(block);
        }
    }
}

/// The freed blocks of one device, by size.
#[derive(Default)]
pub(crate) struct BlockCache(Mutex<Shelves>);

#[derive(Default)]
struct Shelves {
    blocks: BTreeMap<usize, Vec<Block>>,
    bytes: usize,
}

impl BlockCache {
    /// A block of at least `bytes`, from the cache or from HIP. When HIP has no more, the cache is emptied first.
    fn take(&self, device: Device, bytes: usize) -> Result<Block> {
        let size = size_class(bytes).ok_or_else(|| overflow(bytes))?;
        let mut shelves = self.lock();
        if let Some(block) = shelves.blocks.get_mut(&size).and_then(Vec::pop) {
            shelves.bytes -= block.bytes;
            return Ok(block);
        }
        drop(shelves);
        let address = match allocate(device, size)? {
            Some(address) => address,
            None if self.trim(device, 0)? > 0 => {
                allocate(device, size)?.ok_or_else(|| out_of_memory(device, size))?
            }
            None => return Err(out_of_memory(device, size)),
        };
        Ok(Block { address, bytes: size, uses: Uses::new() })
    }

    fn put(&self, block: Block) {
        let mut shelves = self.lock();
        shelves.bytes += block.bytes;
        shelves.blocks.entry(block.bytes).or_default().push(block);
    }

    /// Bytes that are kept.
    pub(crate) fn bytes(&self) -> usize {
        self.lock().bytes
    }

    /// Frees blocks, the largest first, until at most `keep` bytes are kept. Says how many bytes were freed.
    pub(crate) fn trim(&self, device: Device, keep: usize) -> Result<usize> {
        let mut freed = 0;
        while let Some(mut block) = self.take_largest(keep) {
            if let Err(error) = block.uses.finish().and_then(|()| free(device, &block)) {
                self.put(block);
                return Err(error);
            }
            freed += block.bytes;
        }
        Ok(freed)
    }

    fn take_largest(&self, keep: usize) -> Option<Block> {
        let mut shelves = self.lock();
        if shelves.bytes <= keep {
            return None;
        }
        let block = shelves.blocks.values_mut().rev().find_map(Vec::pop)?;
        shelves.bytes -= block.bytes;
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

/// `hipMalloc`. `None` when there is no memory left, which releases before 6 also report as success with a null pointer.
fn allocate(device: Device, bytes: usize) -> Result<Option<*mut c_void>> {
    let _current = device.enter()?;
    let runtime = device.runtime();
    let mut address = std::ptr::null_mut();
    // SAFETY: the out-pointer is to a live local.
    let status = unsafe { runtime.api().hipMalloc(&mut address, bytes) };
    match status {
        Ok(hipError_t(0)) if !address.is_null() => Ok(Some(address)),
        Ok(hipError_t(0)) => Ok(None),
        Ok(hipError_t(code)) if ErrorCode(code) == ErrorCode::OUT_OF_MEMORY => {
            runtime.clear_last_error();
            Ok(None)
        }
        other => Err(runtime.failure(other, Call::new("hipMalloc").arg("size", bytes).on(device.raw()))),
    }
}

fn free(device: Device, block: &Block) -> Result<()> {
    let _current = device.enter()?;
    // SAFETY: the address is one that hipMalloc returned, nothing uses it any more, and the block is forgotten on success.
    let status = unsafe { device.runtime().api().hipFree(block.address) };
    device.runtime().check(status, || Call::new("hipFree").arg("ptr", block.address).on(device.raw()))
}

#[cold]
fn out_of_memory(device: Device, requested: usize) -> Error {
    let call = Call::new("hipMalloc").arg("size", requested).on(device.raw());
    let message = match device.memory_info() {
        Ok(info) => format!("out of device memory: {} of {} bytes are free", info.free, info.total),
        Err(_) => "out of device memory".to_owned(),
    };
    Error::hip(ErrorKind::OutOfMemory { requested }, ErrorCode::OUT_OF_MEMORY, call, message)
}

/// A length times an element's size that does not fit.
#[cold]
pub(crate) fn overflow(length: usize) -> Error {
    Error::new(
        ErrorKind::Overflow,
        format!("a buffer of {length} elements does not fit into the address space"),
    )
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
