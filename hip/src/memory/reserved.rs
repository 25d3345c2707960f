//! Buffers that grow in place: addresses are reserved first, memory is put behind them later.
//!
//! # Safety
//! Only the part of the range that has memory and access is ever part of a view. Everything is unmapped, released and freed
//! once, after all work on it is done; what a failed step made is undone before its error is returned. Handles name objects
//! of the runtime, whose calls may come from any thread, hence `Send`.
#![allow(unsafe_code)]

use super::Allocation;
use super::block::{ALIGNMENT, Block, Local, Owner, overflow, required};
use super::pool::location;
use super::view::elements;
use crate::error::Call;
use crate::{Device, Error, ErrorKind, Result};
use bytemuck::Pod;
use hip_sys::abi::{MEM_ALLOCATION_PROP, Version, v5_0};
use hip_sys::{
    hipDeviceAttributeVirtualMemoryManagementSupported, hipError_t, hipMemAccessDesc,
    hipMemAccessFlagsProtReadWrite, hipMemAllocationGranularityMinimum, hipMemAllocationProp,
    hipMemAllocationProp_allocFlags, hipMemAllocationProp_anon_1, hipMemAllocationTypePinned,
    hipMemGenericAllocationHandle_t, hipMemHandleTypeNone,
};
use std::ffi::c_void;
use std::fmt;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, MutexGuard};

/// The properties of memory, in either order of members.
#[repr(C)]
union Properties {
    old: v5_0::hipMemAllocationProp,
    new: hipMemAllocationProp,
}

impl Properties {
    fn of(device: Device) -> Self {
        let version = device.runtime().version();
        let location = location(device);
        if MEM_ALLOCATION_PROP.holds(Version::new(version.major, version.minor)) {
            let new = hipMemAllocationProp {
                type_: hipMemAllocationTypePinned,
                anon_1: hipMemAllocationProp_anon_1 { requestedHandleType: hipMemHandleTypeNone },
                location,
                win32HandleMetaData: std::ptr::null_mut(),
                allocFlags: hipMemAllocationProp_allocFlags {
                    compressionType: 0,
                    gpuDirectRDMACapable: 0,
                    usage: 0,
                },
            };
            return Self { new };
        }
        let old = v5_0::hipMemAllocationProp {
            compressionType: 0,
            location,
            requestedHandleType: hipMemHandleTypeNone,
            type_: hipMemAllocationTypePinned,
            usage: 0,
            win32HandleMetaData: std::ptr::null_mut(),
        };
        Self { old }
    }

    fn as_ptr(&self) -> *const hipMemAllocationProp {
        (&raw const *self).cast()
    }
}

/// Memory behind a part of the range.
struct Chunk {
    handle: hipMemGenericAllocationHandle_t,
    offset: usize,
    bytes: usize,
    /// It is mapped, not only made.
    mapped: bool,
}

// SAFETY: the handle names an object of the runtime that may be used from any thread.
unsafe impl Send for Chunk {}

type Chunks = Arc<Mutex<Vec<Chunk>>>;

fn lock(chunks: &Chunks) -> MutexGuard<'_, Vec<Chunk>> {
    chunks.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// The owner of a reserved range.
struct Range {
    reserved: usize,
    chunks: Chunks,
}

impl Owner for Range {
    fn release(&mut self, device: Device, block: &mut Block) -> Result<()> {
        block.uses.finish()?;
        let _current = device.enter()?;
        let mut chunks = lock(&self.chunks);
        while let Some(chunk) = chunks.pop() {
            give_back(device, block.address, &chunk)?;
        }
        // SAFETY: nothing is behind the range any more, and nobody uses it.
        let status = unsafe { device.runtime().api().hipMemAddressFree(block.address, self.reserved) };
        device.runtime().check(status, || Call::new("hipMemAddressFree").on(device.raw()))
    }
}

/// Takes memory from behind the range, and releases it.
fn give_back(device: Device, base: *mut c_void, chunk: &Chunk) -> Result<()> {
    let (runtime, api) = (device.runtime(), device.runtime().api());
    if chunk.mapped {
        // SAFETY: the chunk is mapped there, and nothing uses it.
        let status = unsafe { api.hipMemUnmap(base.wrapping_byte_add(chunk.offset), chunk.bytes) };
        runtime.check(status, || Call::new("hipMemUnmap").arg("size", chunk.bytes).on(device.raw()))?;
    }
    // SAFETY: the handle is alive, and its memory is mapped nowhere.
    let status = unsafe { api.hipMemRelease(chunk.handle) };
    runtime.check(status, || Call::new("hipMemRelease").on(device.raw()))
}

/// Elements in the memory of one device that can become more without moving.
///
/// It reserves addresses for `capacity` elements and puts memory behind as many of them as [`grow`](Self::grow) says.
///
/// ```no_run
/// # let stream = hip::Device::first()?.stream()?;
/// let mut log = hip::memory::ReservedBuffer::<u32>::with_capacity(stream.device(), 1 << 30)?;
/// log.grow(1000)?;
/// stream.fill(&mut log, 0)?;
/// log.grow(1_000_000)?; // the first 1000 are where they were
/// # Ok::<(), hip::Error>(())
/// ```
///
/// Not every device has it: `hipDeviceAttributeVirtualMemoryManagementSupported` says so.
#[doc(alias = "hipMemAddressReserve")]
#[doc(alias = "hipMemCreate")]
#[doc(alias = "hipMemMap")]
pub struct ReservedBuffer<T: Pod> {
    allocation: Allocation,
    chunks: Chunks,
    granularity: usize,
    /// Bytes that are mapped.
    mapped: usize,
    reserved: usize,
    len: usize,
    elements: PhantomData<T>,
}

impl<T: Pod> ReservedBuffer<T> {
    /// `hipMemAddressReserve`: addresses for at most `capacity` elements, without memory yet.
    ///
    /// # Errors
    /// [`Unsupported`](ErrorKind::Unsupported), [`Overflow`](ErrorKind::Overflow), or the failure of a call.
    #[doc(alias = "hipMemAddressReserve")]
    #[doc(alias = "hipMemAddressFree")]
    #[doc(alias = "hipMemGetAllocationGranularity")]
    pub fn with_capacity(device: Device, capacity: usize) -> Result<Self> {
        const { assert!(align_of::<T>() <= ALIGNMENT, "an element type aligned to more than 256 bytes") };
        let bytes = capacity.checked_mul(size_of::<T>()).ok_or_else(|| overflow(capacity))?;
        // Some releases answer the calls with success and nothing where there is no such thing. What does not know the
        // attribute is asked all the same.
        let unsupported = || {
            let (symbol, runtime) = ("hipMemAddressReserve", device.runtime().version());
            let message = format!("{device:?} has no management of virtual memory, so there is no {symbol}");
            Error::new(ErrorKind::Unsupported { symbol, runtime }, message)
        };
        if device.attribute(hipDeviceAttributeVirtualMemoryManagementSupported).unwrap_or(1) == 0 {
            return Err(unsupported());
        }
        let _current = device.enter()?;
        let (runtime, api) = (device.runtime(), device.runtime().api());
        let (mut granularity, properties) = (0, Properties::of(device));
        // SAFETY: the out-pointer is to a live local; the properties have the loaded release's layout.
        let status = unsafe {
            let minimum = hipMemAllocationGranularityMinimum;
            api.hipMemGetAllocationGranularity(&mut granularity, properties.as_ptr(), minimum)
        };
        runtime.check(status, || Call::new("hipMemGetAllocationGranularity").on(device.raw()))?;
        let granularity = granularity.max(1);
        let reserved =
            bytes.max(1).checked_next_multiple_of(granularity).ok_or_else(|| overflow(capacity))?;
        let mut address = std::ptr::null_mut();
        // SAFETY: the out-pointer is to a live local; any address will do.
        let status = unsafe { api.hipMemAddressReserve(&mut address, reserved, 0, std::ptr::null_mut(), 0) };
        let call = || Call::new("hipMemAddressReserve").arg("size", reserved).on(device.raw());
        if matches!(status, Ok(hipError_t(0))) && address.is_null() {
            return Err(unsupported());
        }
        let address = required(device, reserved, status, address, call)?;
        let chunks = Chunks::default();
        let owner = Range { reserved, chunks: chunks.clone() };
        let allocation = Allocation::owned(device, address.as_ptr(), reserved, Local(owner));
        Ok(Self { allocation, chunks, granularity, mapped: 0, reserved, len: 0, elements: PhantomData })
    }

    /// `hipMemCreate`, `hipMemMap` and `hipMemSetAccess`: makes it at least `len` elements long. New elements hold whatever
    /// the memory held before.
    ///
    /// # Errors
    /// [`Length`](crate::ErrorKind::Length) beyond the capacity, [`OutOfMemory`](crate::ErrorKind::OutOfMemory), or the failure
    /// of a call; the buffer is as it was then.
    #[doc(alias = "hipMemCreate")]
    #[doc(alias = "hipMemRelease")]
    #[doc(alias = "hipMemMap")]
    #[doc(alias = "hipMemUnmap")]
    #[doc(alias = "hipMemSetAccess")]
    #[doc(alias = "hipMemGetAccess")]
    pub fn grow(&mut self, len: usize) -> Result<()> {
        let capacity = self.capacity();
        if len > capacity {
            return Err(Error::length("growing a buffer", len, capacity));
        }
        // The product cannot overflow: the range exists.
        let missing = (len * size_of::<T>()).saturating_sub(self.mapped);
        if missing != 0 {
            let bytes = missing.next_multiple_of(self.granularity);
            let mut chunk = self.create(bytes)?;
            if let Err(error) = self.map(&mut chunk) {
                if let Err(error) = give_back(self.device(), self.allocation.address(), &chunk) {
                    self.device().runtime().report(&error);
                    // It may still be there: nothing else can be mapped in its place.
                    lock(&self.chunks).push(chunk);
                }
                return Err(error);
            }
            lock(&self.chunks).push(chunk);
            self.mapped += bytes;
        }
        self.len = self.len.max(len);
        Ok(())
    }

    fn create(&self, bytes: usize) -> Result<Chunk> {
        let device = self.device();
        let _current = device.enter()?;
        let (mut handle, properties): (hipMemGenericAllocationHandle_t, _) =
            (std::ptr::null_mut(), Properties::of(device));
        // SAFETY: the out-pointer is to a live local; the properties have the loaded release's layout.
        let status =
            unsafe { device.runtime().api().hipMemCreate(&mut handle, bytes, properties.as_ptr(), 0) };
        let call = || Call::new("hipMemCreate").arg("size", bytes).on(device.raw());
        let handle = required(device, bytes, status, handle.cast(), call)?.as_ptr().cast();
        Ok(Chunk { handle, offset: self.mapped, bytes, mapped: false })
    }

    fn map(&self, chunk: &mut Chunk) -> Result<()> {
        let device = self.device();
        let _current = device.enter()?;
        let (runtime, api) = (device.runtime(), device.runtime().api());
        let at = self.allocation.address().wrapping_byte_add(chunk.offset);
        // SAFETY: the place lies in the range and has no memory yet; the handle is alive.
        let status = unsafe { api.hipMemMap(at, chunk.bytes, 0, chunk.handle, 0) };
        runtime.check(status, || Call::new("hipMemMap").arg("size", chunk.bytes).on(device.raw()))?;
        chunk.mapped = true;
        let access = hipMemAccessDesc { location: location(device), flags: hipMemAccessFlagsProtReadWrite };
        // SAFETY: the chunk is mapped there; the description is a live local.
        let status = unsafe { api.hipMemSetAccess(at, chunk.bytes, &access, 1) };
        runtime.check(status, || Call::new("hipMemSetAccess").arg("size", chunk.bytes).on(device.raw()))
    }

    /// How many elements there can be.
    pub fn capacity(&self) -> usize {
        self.reserved.checked_div(size_of::<T>()).unwrap_or(usize::MAX)
    }

    /// The device whose memory it is.
    pub fn device(&self) -> Device {
        self.allocation.device()
    }
}

elements! { [T: Pod] ReservedBuffer<T> }

impl<T: Pod> fmt::Debug for ReservedBuffer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("ReservedBuffer");
        shown.field("len", &self.len).field("capacity", &self.capacity()).finish_non_exhaustive()
    }
}
