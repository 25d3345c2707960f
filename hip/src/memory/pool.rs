//! Stream-ordered pools.
//!
//! # Safety
//! HIP 5.2 follows a null stream and a null address in these calls, and tells a lack of memory by success with a null
//! pointer: no null stream and no null address is ever passed, and addresses are checked. A pool is destroyed after the
//! last buffer out of it was freed, since each keeps it. The handle names an object of the runtime, whose calls may come
//! from any thread, hence `Send` and `Sync`.
#![allow(unsafe_code)]

use super::block::{ALIGNMENT, Block, Owner, overflow, required};
use super::peer::peer_bit;
use super::{Access, Allocation, DeviceBuffer};
use crate::error::Call;
use crate::stream::StreamShared;
use crate::{Device, Error, ErrorKind, Result, Stream, StreamFlags};
use bytemuck::Pod;
use hip_sys::{
    hipDeviceAttributeMemoryPoolsSupported, hipMemAccessDesc, hipMemAccessFlagsProtNone,
    hipMemAccessFlagsProtReadWrite, hipMemAllocationTypePinned, hipMemHandleTypeNone, hipMemLocation,
    hipMemLocationTypeDevice, hipMemPool_t, hipMemPoolAttr, hipMemPoolAttrReleaseThreshold,
    hipMemPoolAttrReservedMemCurrent, hipMemPoolAttrReservedMemHigh, hipMemPoolAttrUsedMemCurrent,
    hipMemPoolAttrUsedMemHigh, hipMemPoolProps, hipMemPoolReuseAllowInternalDependencies,
    hipMemPoolReuseAllowOpportunistic, hipMemPoolReuseFollowEventDependencies,
};
use std::ffi::{c_int, c_void};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What a pool holds, in bytes.
///
/// ```no_run
/// # let device = hip::Device::first()?;
/// let pool = hip::memory::MemoryPool::of_device(device)?;
/// if pool.is_native() {
///     println!("{} of {} bytes are in buffers", pool.statistics()?.used, pool.statistics()?.reserved);
/// }
/// # Ok::<(), hip::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct PoolStatistics {
    /// Held by the pool.
    pub reserved: u64,
    /// The most that was ever held since the last [reset](MemoryPool::reset_peaks).
    pub peak_reserved: u64,
    /// In buffers.
    pub used: u64,
    /// The most that was ever in buffers since the last reset.
    pub peak_used: u64,
}

/// Which freed memory a pool may give to another stream.
///
/// ```no_run
/// # let device = hip::Device::first()?;
/// use hip::memory::{MemoryPool, PoolReuse};
/// let pool = MemoryPool::new(device)?;
/// if pool.is_native() {
///     pool.set_reuse(PoolReuse::AllowOpportunistic, false)?;
/// }
/// # Ok::<(), hip::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PoolReuse {
    /// What an event that the stream waits for says is free.
    FollowEventDependencies,
    /// What happens to be free.
    AllowOpportunistic,
    /// What will be free, after a wait that the pool inserts.
    AllowInternalDependencies,
}

/// A pool of device memory, allocated and freed in stream order. Clones are the same pool.
///
/// Whether a runtime has pools that work is hard to tell: releases differ, and so do the ways they fail. Where the device
/// says that it has none, this is the device's [cache](Device::memory_statistics), which does the same for every buffer; see
/// [`is_native`](Self::is_native).
///
/// ```no_run
/// # let stream = hip::Device::first()?.stream()?;
/// let pool = hip::memory::MemoryPool::new(stream.device())?;
/// let mut scratch = pool.alloc::<f32>(&stream, 1000)?;
/// stream.fill(&mut scratch, 0.5)?;
/// # Ok::<(), hip::Error>(())
/// ```
#[derive(Clone)]
pub struct MemoryPool(Arc<Inner>);

struct Inner {
    device: Device,
    /// `None` where the device's cache stands in.
    native: Option<Native>,
}

struct Native {
    handle: hipMemPool_t,
    /// Made here, and to be destroyed here.
    owned: bool,
    /// Where memory is freed whose own stream is gone or has no handle.
    home: Stream,
    /// The devices that have been given access, by the bits of their ordinals.
    peers: AtomicU64,
}

// SAFETY: the handle names an object of the runtime that may be used from any thread (see the head of this file).
unsafe impl Send for Native {}
// SAFETY: as above.
unsafe impl Sync for Native {}

impl MemoryPool {
    /// `hipMemPoolCreate`: a new pool on the device, or its cache where it has no pools.
    ///
    /// # Errors
    /// The failure of a call.
    #[doc(alias = "hipMemPoolCreate")]
    #[doc(alias = "hipMemPoolDestroy")]
    pub fn new(device: Device) -> Result<Self> {
        Self::with_limit(device, 0)
    }

    /// As [`new`](Self::new), holding at most `bytes`; 0 for no limit. Releases before 6.0 know no limit.
    ///
    /// # Errors
    /// The failure of a call.
    pub fn with_limit(device: Device, bytes: usize) -> Result<Self> {
        Self::open(device, true, |handle| {
            let properties = hipMemPoolProps {
                allocType: hipMemAllocationTypePinned,
                handleTypes: hipMemHandleTypeNone,
                location: location(device),
                win32SecurityAttributes: std::ptr::null_mut(),
                maxSize: bytes,
                reserved: [0; 56],
            };
            // SAFETY: the out-pointer and the properties are live locals.
            let status = unsafe { device.runtime().api().hipMemPoolCreate(handle, &properties) };
            device.runtime().check(status, || Call::new("hipMemPoolCreate").on(device.raw()))
        })
    }

    /// `hipDeviceGetDefaultMemPool`: the pool that `hipMallocAsync` takes memory from, or the device's cache where it has no
    /// pools.
    ///
    /// # Errors
    /// The failure of a call.
    #[doc(alias = "hipDeviceGetDefaultMemPool")]
    #[doc(alias = "hipDeviceGetMemPool")]
    pub fn of_device(device: Device) -> Result<Self> {
        Self::open(device, false, |handle| {
            // SAFETY: the out-pointer is to a live local.
            let status = unsafe { device.runtime().api().hipDeviceGetDefaultMemPool(handle, device.raw()) };
            device.runtime().check(status, || Call::new("hipDeviceGetDefaultMemPool").on(device.raw()))
        })
    }

    fn open(device: Device, owned: bool, make: impl FnOnce(&mut hipMemPool_t) -> Result<()>) -> Result<Self> {
        // A device that does not know the attribute has no pools.
        if device.attribute(hipDeviceAttributeMemoryPoolsSupported).unwrap_or(0) == 0
            || !device.runtime().supports("hipMallocFromPoolAsync")
            || !device.runtime().supports("hipFreeAsync")
        {
            return Ok(Self(Arc::new(Inner { device, native: None })));
        }
        let home = Stream::with_flags(device, StreamFlags::new().non_blocking(true))?;
        let _current = device.enter()?;
        let mut handle: hipMemPool_t = std::ptr::null_mut();
        make(&mut handle)?;
        if handle.is_null() {
            return Ok(Self(Arc::new(Inner { device, native: None })));
        }
        Ok(Self(Arc::new(Inner {
            device,
            native: Some(Native { handle, owned, home, peers: AtomicU64::new(0) }),
        })))
    }

    /// Whether this is a pool of the runtime's. If not, its attributes are not supported, and
    /// [`Device::memory_statistics`] tells what it holds.
    pub fn is_native(&self) -> bool {
        self.0.native.is_some()
    }

    /// The device whose memory it is.
    pub fn device(&self) -> Device {
        self.0.device
    }

    /// `hipMallocFromPoolAsync`: `len` elements whose contents are whatever the memory held before. Dropping the buffer frees
    /// it in stream order (`hipFreeAsync`), after everything that uses it.
    ///
    /// # Errors
    /// [`OutOfMemory`](ErrorKind::OutOfMemory), [`Overflow`](ErrorKind::Overflow), [`WrongDevice`](ErrorKind::WrongDevice), or
    /// the failure of the call.
    #[doc(alias = "hipMallocAsync")]
    #[doc(alias = "hipMallocFromPoolAsync")]
    #[doc(alias = "hipFreeAsync")]
    pub fn alloc<T: Pod>(&self, stream: &Stream, len: usize) -> Result<DeviceBuffer<T>> {
        const { assert!(align_of::<T>() <= ALIGNMENT, "an element type aligned to more than 256 bytes") };
        let device = self.device();
        if stream.device() != device {
            return Err(crate::event::wrong_device("the pool", stream.device(), device));
        }
        let bytes = len.checked_mul(size_of::<T>()).ok_or_else(|| overflow(len))?;
        let Some(native) = self.0.native.as_ref().filter(|_| bytes != 0) else {
            return DeviceBuffer::uninit(device, len);
        };
        // Never the null stream.
        let stream = if stream.raw().is_null() { &native.home } else { stream };
        let _current = stream.shared().enter()?;
        let mut address = std::ptr::null_mut();
        let (api, handle) = (device.runtime().api(), native.handle);
        // SAFETY: the out-pointer is to a live local; pool and stream are alive, and the stream is not the null stream.
        let status = unsafe { api.hipMallocFromPoolAsync(&mut address, bytes, handle, stream.raw()) };
        let call = || Call::new("hipMallocFromPoolAsync").arg("size", bytes).on(device.raw());
        let address = required(device, bytes, status, address, call)?;
        let owner = Pooled { pool: self.0.clone(), stream: stream.shared().clone() };
        let allocation = Allocation::owned(device, address.as_ptr(), bytes, owner);
        // The memory is there when the stream comes to this point: others wait for that.
        let ticket = allocation.uses().before(stream.shared(), Access::Write)?;
        allocation.uses().after(stream.shared(), ticket);
        Ok(DeviceBuffer::from_allocation(allocation, len))
    }

    /// `hipMemPoolTrimTo`: gives memory that no buffer uses back, except for at most `keep` bytes.
    ///
    /// # Errors
    /// The failure of the call.
    #[doc(alias = "hipMemPoolTrimTo")]
    pub fn trim(&self, keep: usize) -> Result<()> {
        let device = self.device();
        let Some(native) = &self.0.native else { return device.trim(keep).map(drop) };
        let _current = device.enter()?;
        // SAFETY: the pool is alive.
        let status = unsafe { device.runtime().api().hipMemPoolTrimTo(native.handle, keep) };
        device.runtime().check(status, || Call::new("hipMemPoolTrimTo").arg("keep", keep).on(device.raw()))
    }

    /// `hipMemPoolGetAttribute`: what the pool holds.
    ///
    /// # Errors
    /// [`Unsupported`](ErrorKind::Unsupported) where the cache stands in, or the failure of the call.
    #[doc(alias = "hipMemPoolGetAttribute")]
    pub fn statistics(&self) -> Result<PoolStatistics> {
        Ok(PoolStatistics {
            reserved: self.get(hipMemPoolAttrReservedMemCurrent)?,
            peak_reserved: self.get(hipMemPoolAttrReservedMemHigh)?,
            used: self.get(hipMemPoolAttrUsedMemCurrent)?,
            peak_used: self.get(hipMemPoolAttrUsedMemHigh)?,
        })
    }

    /// `hipMemPoolSetAttribute`: forgets the peaks of the [statistics](Self::statistics).
    ///
    /// # Errors
    /// Those of [`MemoryPool::statistics`].
    #[doc(alias = "hipMemPoolSetAttribute")]
    pub fn reset_peaks(&self) -> Result<()> {
        self.set(hipMemPoolAttrReservedMemHigh, 0u64)?;
        self.set(hipMemPoolAttrUsedMemHigh, 0u64)
    }

    /// `hipMemPoolGetAttribute`: how many free bytes the pool keeps when a stream is synchronised.
    ///
    /// # Errors
    /// Those of [`MemoryPool::statistics`].
    pub fn release_threshold(&self) -> Result<u64> {
        self.get(hipMemPoolAttrReleaseThreshold)
    }

    /// `hipMemPoolSetAttribute`: how many free bytes the pool keeps when a stream is synchronised.
    ///
    /// # Errors
    /// Those of [`MemoryPool::statistics`].
    pub fn set_release_threshold(&self, bytes: u64) -> Result<()> {
        self.set(hipMemPoolAttrReleaseThreshold, bytes)
    }

    /// `hipMemPoolSetAttribute`: whether the pool reuses memory that way.
    ///
    /// # Errors
    /// Those of [`MemoryPool::statistics`].
    pub fn set_reuse(&self, reuse: PoolReuse, allowed: bool) -> Result<()> {
        let attribute = match reuse {
            PoolReuse::FollowEventDependencies => hipMemPoolReuseFollowEventDependencies,
            PoolReuse::AllowOpportunistic => hipMemPoolReuseAllowOpportunistic,
            PoolReuse::AllowInternalDependencies => hipMemPoolReuseAllowInternalDependencies,
        };
        self.set(attribute, c_int::from(allowed))
    }

    /// `hipMemPoolSetAccess`: whether kernels of `peer` can touch the pool's memory. They also need
    /// [peer access](Device::enable_peer_access).
    ///
    /// # Safety
    /// When access is taken away, no work of `peer` uses memory of the pool.
    ///
    /// # Errors
    /// Those of [`MemoryPool::statistics`].
    #[doc(alias = "hipMemPoolSetAccess")]
    #[doc(alias = "hipMemPoolGetAccess")]
    pub unsafe fn set_access(&self, peer: Device, allowed: bool) -> Result<()> {
        let (native, device) = (self.native("hipMemPoolSetAccess")?, self.device());
        let flags = if allowed { hipMemAccessFlagsProtReadWrite } else { hipMemAccessFlagsProtNone };
        let access = hipMemAccessDesc { location: location(peer), flags };
        let bit = peer_bit(peer)?;
        if !allowed {
            native.peers.fetch_and(!bit, Ordering::AcqRel);
        }
        // SAFETY: the pool is alive, the description is a live local.
        let status = unsafe { device.runtime().usable_api()?.hipMemPoolSetAccess(native.handle, &access, 1) };
        device
            .runtime()
            .check(status, || Call::new("hipMemPoolSetAccess").arg("peer", peer).on(device.raw()))?;
        if allowed {
            native.peers.fetch_or(bit, Ordering::AcqRel);
        }
        Ok(())
    }

    fn native(&self, symbol: &'static str) -> Result<&Native> {
        self.0.native.as_ref().ok_or_else(|| {
            let kind = ErrorKind::Unsupported { symbol, runtime: self.device().runtime().version() };
            Error::new(kind, format!("{:?} has no pools, so there is no {symbol}", self.device()))
        })
    }

    /// Sizes are 64 bits wide.
    fn get(&self, attribute: hipMemPoolAttr) -> Result<u64> {
        let (native, device, mut value) = (self.native("hipMemPoolGetAttribute")?, self.device(), 0u64);
        let (api, out) = (device.runtime().usable_api()?, (&raw mut value).cast());
        // SAFETY: the pool is alive; the out-pointer is to a live local that is as wide as any attribute.
        let status = unsafe { api.hipMemPoolGetAttribute(native.handle, attribute, out) };
        let call = || Call::new("hipMemPoolGetAttribute").arg("attr", attribute).on(device.raw());
        device.runtime().check(status, call)?;
        Ok(value)
    }

    fn set<V>(&self, attribute: hipMemPoolAttr, mut value: V) -> Result<()> {
        let (native, device) = (self.native("hipMemPoolSetAttribute")?, self.device());
        let (api, from) = (device.runtime().usable_api()?, (&raw mut value).cast::<c_void>());
        // SAFETY: the pool is alive; the pointer is to a live local of the attribute's type.
        let status = unsafe { api.hipMemPoolSetAttribute(native.handle, attribute, from) };
        let call = || Call::new("hipMemPoolSetAttribute").arg("attr", attribute).on(device.raw());
        device.runtime().check(status, call)
    }
}

pub(super) fn location(device: Device) -> hipMemLocation {
    hipMemLocation { type_: hipMemLocationTypeDevice, id: device.raw() }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if crate::callback::is_inside() {
            let late = Self { device: self.device, native: self.native.take() };
            return self.device.runtime().shared().deferred.later(Box::new(late));
        }
        let Some(native) = self.native.as_ref().filter(|native| native.owned) else { return };
        // SAFETY: nobody has the pool any more, and all its memory was freed.
        let status = unsafe { self.device.runtime().api().hipMemPoolDestroy(native.handle) };
        let call = || Call::new("hipMemPoolDestroy").on(self.device.raw());
        self.device.runtime().check_in_drop(status, call);
    }
}

/// The owner of memory out of a pool.
struct Pooled {
    pool: Arc<Inner>,
    /// Where it was allocated, and is freed if that is still there.
    stream: Arc<StreamShared>,
}

impl Owner for Pooled {
    fn release(&mut self, device: Device, block: &mut Block) -> Result<()> {
        let Some(native) = &self.pool.native else { return Ok(()) };
        // One stream is held at a time: two threads that each hold one and want the other's would wait for ever.
        let markers = block.uses.markers(self.stream.id())?;
        let held = self.stream.hold();
        let stream = if held.is_some() { &self.stream } else { native.home.shared() };
        let _current = stream.enter()?;
        markers.iter().try_for_each(|marker| stream.wait_marker(marker))?;
        // SAFETY: the address came from the pool; the stream, which is not the null stream, waits for everything that uses it.
        let status = unsafe { device.runtime().api().hipFreeAsync(block.address, stream.handle()) };
        device
            .runtime()
            .check(status, || Call::new("hipFreeAsync").arg("ptr", block.address).on(device.raw()))
    }

    fn is_for(&self, peer: Device) -> bool {
        let given = self.pool.native.as_ref().map_or(0, |native| native.peers.load(Ordering::Acquire));
        peer_bit(peer).is_ok_and(|bit| given & bit != 0)
    }
}

impl fmt::Debug for MemoryPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryPool")
            .field("device", &self.device())
            .field("native", &self.is_native())
            .finish()
    }
}
