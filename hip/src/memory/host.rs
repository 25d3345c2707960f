//! Page-locked host memory: allocated, and given back.
//!
//! # Safety
//! The pointer that is given back is the one that `hipHostMalloc` returned, once, when nothing uses it any more.
#![allow(unsafe_code)]

use super::block::{Block, Owner, required};
use crate::error::Call;
use crate::{Device, Result};
use hip_sys::{
    hipHostMallocCoherent, hipHostMallocMapped, hipHostMallocNonCoherent, hipHostMallocNumaUser,
    hipHostMallocPortable, hipHostMallocWriteCombined,
};
use std::ffi::c_void;
use std::ptr::NonNull;

/// How page-locked host memory is made.
///
/// ```
/// let flags = hip::HostFlags::new().portable(true).coherent(false);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HostFlags {
    bits: u32,
}

impl HostFlags {
    /// Memory for one device, coherent as the device's default is.
    pub const fn new() -> Self {
        Self { bits: 0 }
    }

    /// Locked for all devices.
    #[doc(alias = "hipHostMallocPortable")]
    pub const fn portable(self, yes: bool) -> Self {
        self.with(hipHostMallocPortable, yes)
    }

    /// Written without going through the host's caches: slow for the host to read.
    #[doc(alias = "hipHostMallocWriteCombined")]
    pub const fn write_combined(self, yes: bool) -> Self {
        self.with(hipHostMallocWriteCombined, yes)
    }

    /// On the NUMA node that the thread's policy says.
    #[doc(alias = "hipHostMallocNumaUser")]
    pub const fn numa_user(self, yes: bool) -> Self {
        self.with(hipHostMallocNumaUser, yes)
    }

    /// Coherent within kernels, or only at their ends, which is faster.
    #[doc(alias = "hipHostMallocCoherent")]
    #[doc(alias = "hipHostMallocNonCoherent")]
    pub const fn coherent(self, yes: bool) -> Self {
        self.with(hipHostMallocCoherent, yes).with(hipHostMallocNonCoherent, !yes)
    }

    pub(super) const fn mapped(self) -> Self {
        self.with(hipHostMallocMapped, true)
    }

    const fn with(self, bit: u32, yes: bool) -> Self {
        Self { bits: if yes { self.bits | bit } else { self.bits & !bit } }
    }

    /// `hipHostMalloc`.
    pub(super) fn allocate(self, device: Device, bytes: usize) -> Result<NonNull<c_void>> {
        let _current = device.enter()?;
        let mut address = std::ptr::null_mut();
        // SAFETY: the out-pointer is to a live local; the flags are ones that the header has.
        let status = unsafe { device.runtime().api().hipHostMalloc(&mut address, bytes, self.bits) };
        let call = || Call::new("hipHostMalloc").arg("size", bytes).arg("flags", self.bits).on(device.raw());
        required(device, bytes, status, address, call)
    }
}

/// `hipHostFree`. The memory is not used any more.
pub(super) fn free(device: Device, host: NonNull<c_void>) {
    if crate::callback::is_inside() {
        return device.runtime().shared().deferred.later(Box::new(Late { device, owner: HostOwner(host) }));
    }
    if let Err(error) = try_free(device, host) {
        device.runtime().report(&error);
    }
}

fn try_free(device: Device, host: NonNull<c_void>) -> Result<()> {
    let _current = device.enter()?;
    // SAFETY: the pointer came from hipHostMalloc and is not used again, says the caller.
    let status = unsafe { device.runtime().api().hipHostFree(host.as_ptr()) };
    device.runtime().check(status, || Call::new("hipHostFree").arg("ptr", host).on(device.raw()))
}

/// Memory that was dropped where HIP cannot be used.
struct Late {
    device: Device,
    owner: HostOwner,
}

impl Drop for Late {
    fn drop(&mut self) {
        free(self.device, self.owner.0);
    }
}

/// The owner of a block that the device knows by another address than the host.
pub(super) struct HostOwner(NonNull<c_void>);

// SAFETY: the pointer is only given back.
unsafe impl Send for HostOwner {}
// SAFETY: as above.
unsafe impl Sync for HostOwner {}

impl HostOwner {
    pub(super) fn new(host: NonNull<c_void>) -> Self {
        Self(host)
    }
}

impl Owner for HostOwner {
    fn release(&mut self, device: Device, block: &mut Block) -> Result<()> {
        block.uses.finish()?;
        try_free(device, self.0)
    }
}
