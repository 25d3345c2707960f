//! Host memory that devices reach without a detour.
//!
//! # Safety
//! The pointer came from `hipHostMalloc`, holds `len` elements that were set to zero (`Pod` types may be), belongs to this
//! value alone, and is freed once, in drop. While the device uses the memory, the value sits inside a
//! [`Pending`](super::Pending), so nobody can dereference it. Ownership is that of a `Vec<T>`, hence `Send` and `Sync`
//! where `T` is.
#![allow(unsafe_code)]

use super::block::slice_bytes;
use crate::{Device, HostFlags, Result};
use bytemuck::Pod;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;

/// `len` elements of `T` in page-locked host memory: a slice, from and to which copies run at full speed and beside
/// kernels.
///
/// It dereferences to a slice while no copy is in flight; an asynchronous copy takes it and gives it back through a
/// [`Pending`](super::Pending).
///
/// ```no_run
/// # let device = hip::Device::first()?;
/// # let stream = device.stream()?;
/// let mut host = hip::PinnedBuffer::<f32>::zeroed(device, 1000)?;
/// host.fill(1.0);
/// let mut buffer = hip::DeviceBuffer::uninit(device, 1000)?;
/// let pending = stream.upload_async(host, &mut buffer)?;
/// // `host` cannot be touched here.
/// let host = pending.wait()?;
/// assert_eq!(host[999], 1.0);
/// # Ok::<(), hip::Error>(())
/// ```
#[doc(alias = "hipHostMalloc")]
#[doc(alias = "hipHostAlloc")]
#[doc(alias = "hipMallocHost")]
#[doc(alias = "hipMemAllocHost")]
#[doc(alias = "hipHostFree")]
#[doc(alias = "hipFreeHost")]
pub struct PinnedBuffer<T: Pod> {
    device: Device,
    data: NonNull<T>,
    len: usize,
}

// SAFETY: the memory is owned as a `Vec<T>` owns its own (see the head of this file).
unsafe impl<T: Pod + Send> Send for PinnedBuffer<T> {}
// SAFETY: as above.
unsafe impl<T: Pod + Sync> Sync for PinnedBuffer<T> {}

impl<T: Pod> PinnedBuffer<T> {
    /// HIP hands out whole pages.
    const ALIGNED: () = assert!(align_of::<T>() <= 4096, "an element type aligned to more than a page");

    /// `hipHostMalloc`: `len` elements of zero bytes.
    ///
    /// # Errors
    /// [`OutOfMemory`](crate::ErrorKind::OutOfMemory), [`Overflow`](crate::ErrorKind::Overflow), or the failure of the call.
    #[doc(alias = "hipHostMalloc")]
    pub fn zeroed(device: Device, len: usize) -> Result<Self> {
        Self::with_flags(device, len, HostFlags::new())
    }

    /// As [`zeroed`](Self::zeroed), with flags.
    ///
    /// # Errors
    /// Those of [`PinnedBuffer::zeroed`].
    pub fn with_flags(device: Device, len: usize, flags: HostFlags) -> Result<Self> {
        let () = Self::ALIGNED;
        let bytes = slice_bytes::<T>(len)?;
        if bytes == 0 {
            return Ok(Self { device, data: NonNull::dangling(), len });
        }
        let data = flags.allocate(device, bytes)?;
        // SAFETY: HIP gave that many bytes, and they are ours alone.
        unsafe { data.as_ptr().cast::<u8>().write_bytes(0, bytes) };
        Ok(Self { device, data: data.cast(), len })
    }

    /// `hipHostMalloc`: a copy of `elements`.
    ///
    /// # Errors
    /// Those of [`PinnedBuffer::zeroed`].
    pub fn from_slice(device: Device, elements: &[T]) -> Result<Self> {
        let mut buffer = Self::zeroed(device, elements.len())?;
        buffer.copy_from_slice(elements);
        Ok(buffer)
    }

    /// The device that the memory was locked for.
    pub fn device(&self) -> Device {
        self.device
    }

    pub(super) fn as_raw(&self) -> *mut T {
        self.data.as_ptr()
    }

    pub(super) fn element_count(&self) -> usize {
        self.len
    }
}

impl<T: Pod> Deref for PinnedBuffer<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: `len` initialised elements (none behind a dangling pointer), and no device uses them.
        unsafe { std::slice::from_raw_parts(self.data.as_ptr(), self.len) }
    }
}

impl<T: Pod> DerefMut for PinnedBuffer<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as above, and `self` is borrowed exclusively.
        unsafe { std::slice::from_raw_parts_mut(self.data.as_ptr(), self.len) }
    }
}

impl<T: Pod> Drop for PinnedBuffer<T> {
    fn drop(&mut self) {
        if self.len * size_of::<T>() == 0 {
            return;
        }
        super::host::free(self.device, self.data.cast());
    }
}

impl<T: Pod + fmt::Debug> fmt::Debug for PinnedBuffer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
