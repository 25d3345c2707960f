//! Memory that host and device reach at the same elements.
//!
//! # Safety
//! The host's pointer and the device's address name the same `len` elements, which were set to zero (`Pod` types may be)
//! and belong to this value alone. The host gets a reference only after everything that the device was given is done, and
//! while it has one, Rust's borrows keep work that conflicts from being enqueued: writers need `&mut`. Ownership is that
//! of a `Vec<T>`, hence `Send` and `Sync` where `T` is.
#![allow(unsafe_code)]

use super::block::{Freed, required, slice_bytes};
use super::view::elements;
use super::{Access, Allocation};
use crate::error::Call;
use crate::{Device, HostFlags, Result, Stream};
use bytemuck::Pod;
use hip_sys::{
    hipMemAdviseSetAccessedBy, hipMemAdviseSetCoarseGrain, hipMemAdviseSetPreferredLocation,
    hipMemAdviseSetReadMostly, hipMemAdviseUnsetAccessedBy, hipMemAdviseUnsetCoarseGrain,
    hipMemAdviseUnsetPreferredLocation, hipMemAdviseUnsetReadMostly, hipMemAttachGlobal,
    hipMemRangeAttribute, hipMemRangeAttributeLastPrefetchLocation, hipMemRangeAttributePreferredLocation,
    hipMemRangeAttributeReadMostly, hipMemoryAdvise,
};
use std::ffi::{c_int, c_void};
use std::fmt;
use std::marker::PhantomData;
use std::ptr::NonNull;

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Managed {}
    impl Sealed for super::Mapped {}
}

/// How a [`UnifiedBuffer`] is made. Sealed.
///
/// ```no_run
/// # let device = hip::Device::first()?;
/// use hip::memory::{UnifiedBuffer, UnifiedKind};
/// /// Of managed or mapped memory alike.
/// fn sum<K: UnifiedKind>(numbers: &UnifiedBuffer<f32, K>) -> hip::Result<f32> {
///     Ok(numbers.read()?.iter().sum())
/// }
/// sum(&hip::MappedBuffer::zeroed(device, 10)?)?;
/// # Ok::<(), hip::Error>(())
/// ```
pub trait UnifiedKind: sealed::Sealed + 'static {
    /// The type's name, for messages.
    #[doc(hidden)]
    const NAME: &'static str;
}

/// The kind of [`ManagedBuffer`]s.
///
/// ```no_run
/// # let device = hip::Device::first()?;
/// use hip::memory::{Managed, UnifiedBuffer};
/// let numbers: UnifiedBuffer<f32, Managed> = hip::ManagedBuffer::zeroed(device, 10)?;
/// # Ok::<(), hip::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Managed;

/// The kind of [`MappedBuffer`]s.
///
/// ```no_run
/// # let device = hip::Device::first()?;
/// use hip::memory::{Mapped, UnifiedBuffer};
/// let numbers: UnifiedBuffer<f32, Mapped> = hip::MappedBuffer::zeroed(device, 10)?;
/// # Ok::<(), hip::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Mapped;

impl UnifiedKind for Managed {
    const NAME: &'static str = "ManagedBuffer";
}

impl UnifiedKind for Mapped {
    const NAME: &'static str = "MappedBuffer";
}

/// `len` elements of managed memory, which the runtime keeps or moves where they are used.
///
/// ```no_run
/// # let device = hip::Device::first()?;
/// # let stream = device.stream()?;
/// let mut numbers = hip::ManagedBuffer::<u32>::zeroed(device, 1000)?;
/// numbers.write()?[0] = 7;
/// numbers.prefetch(&stream, hip::MemoryPlace::Device(device))?;
/// stream.fill(numbers.view_mut().slice(1..)?, 9)?;
/// assert_eq!(numbers.read()?[..2], [7, 9]); // waits for the fill
/// # Ok::<(), hip::Error>(())
/// ```
#[doc(alias = "hipMallocManaged")]
pub type ManagedBuffer<T> = UnifiedBuffer<T, Managed>;

/// `len` elements of page-locked host memory that kernels reach in place, across the bus.
///
/// ```no_run
/// # let device = hip::Device::first()?;
/// # let stream = device.stream()?;
/// let mut flags = hip::MappedBuffer::<u32>::zeroed(device, 64)?;
/// stream.fill(&mut flags, 1)?;
/// assert_eq!(flags.read()?[63], 1);
/// # Ok::<(), hip::Error>(())
/// ```
#[doc(alias = "hipHostMalloc")]
#[doc(alias = "hipHostGetDevicePointer")]
#[doc(alias = "hipHostMallocMapped")]
pub type MappedBuffer<T> = UnifiedBuffer<T, Mapped>;

/// Elements that host and device reach in place: a [`ManagedBuffer`] or a [`MappedBuffer`].
///
/// Its [views](Self::view) go wherever those of a [`DeviceBuffer`](crate::DeviceBuffer) go. The host looks at it through [`read`](Self::read) and
/// [`write`](Self::write), which wait for the device; there is no `Deref`, since work may be in flight. Dropping it waits,
/// too.
///
/// ```no_run
/// # let device = hip::Device::first()?;
/// # let stream = device.stream()?;
/// let mut numbers = hip::ManagedBuffer::<f32>::zeroed(device, 10)?;
/// numbers.write()?[0] = 1.0;
/// stream.fill(numbers.view_mut().slice(1..)?, 2.0)?;
/// assert_eq!(numbers.read()?[..2], [1.0, 2.0]);
/// # Ok::<(), hip::Error>(())
/// ```
pub struct UnifiedBuffer<T: Pod, K: UnifiedKind> {
    allocation: Allocation,
    host: NonNull<T>,
    len: usize,
    kind: PhantomData<K>,
}

// SAFETY: the memory is owned as a `Vec<T>` owns its own (see the head of this file).
unsafe impl<T: Pod + Send, K: UnifiedKind> Send for UnifiedBuffer<T, K> {}
// SAFETY: as above.
unsafe impl<T: Pod + Sync, K: UnifiedKind> Sync for UnifiedBuffer<T, K> {}

impl<T: Pod, K: UnifiedKind> UnifiedBuffer<T, K> {
    /// HIP hands out whole pages.
    const ALIGNED: () = assert!(align_of::<T>() <= 4096, "an element type aligned to more than a page");

    fn empty(device: Device, len: usize) -> Self {
        Self { allocation: Allocation::empty(device), host: NonNull::dangling(), len, kind: PhantomData }
    }

    /// Sets new memory to zero.
    ///
    /// # Safety
    /// `host` is valid for `len` elements that nobody uses, and is the memory of `allocation`.
    unsafe fn zeroed_at(allocation: Allocation, host: NonNull<T>, len: usize) -> Self {
        // SAFETY: the caller's promise.
        unsafe { host.as_ptr().cast::<u8>().write_bytes(0, len * size_of::<T>()) };
        Self { allocation, host, len, kind: PhantomData }
    }

    /// The device that the memory was made for.
    pub fn device(&self) -> Device {
        self.allocation.device()
    }

    /// Waits for the device's work on the elements, and lends them to the host.
    ///
    /// # Errors
    /// The failure of `hipStreamSynchronize`, or of the work.
    pub fn read(&self) -> Result<&[T]> {
        self.allocation.uses().wait_on_host()?;
        // SAFETY: `len` initialised elements; the device is done, and new work on them can only read while `self` is borrowed.
        Ok(unsafe { std::slice::from_raw_parts(self.host.as_ptr(), self.len) })
    }

    /// Waits for the device's work on the elements, and lends them to the host for writing.
    ///
    /// # Errors
    /// The failure of `hipStreamSynchronize`, or of the work.
    pub fn write(&mut self) -> Result<&mut [T]> {
        self.allocation.uses().wait_on_host()?;
        // SAFETY: as above, and `self` is borrowed exclusively: no work can be given the elements.
        Ok(unsafe { std::slice::from_raw_parts_mut(self.host.as_ptr(), self.len) })
    }
}

impl<T: Pod> MappedBuffer<T> {
    /// `hipHostMalloc` and `hipHostGetDevicePointer`: `len` elements of zero bytes.
    ///
    /// # Errors
    /// [`OutOfMemory`](crate::ErrorKind::OutOfMemory), [`Overflow`](crate::ErrorKind::Overflow), or the failure of a call.
    pub fn zeroed(device: Device, len: usize) -> Result<Self> {
        Self::with_flags(device, len, HostFlags::new())
    }

    /// As [`zeroed`](Self::zeroed), with flags.
    ///
    /// # Errors
    /// Those of [`MappedBuffer::zeroed`].
    pub fn with_flags(device: Device, len: usize, flags: HostFlags) -> Result<Self> {
        let () = Self::ALIGNED;
        let bytes = slice_bytes::<T>(len)?;
        if bytes == 0 {
            return Ok(Self::empty(device, len));
        }
        let host = flags.mapped().allocate(device, bytes)?;
        let address = match device_address(device, host.as_ptr()) {
            Ok(address) => address,
            Err(error) => {
                super::host::free(device, host);
                return Err(error);
            }
        };
        // The owner frees by the host's address, which need not be the device's.
        let allocation = Allocation::owned(device, address, bytes, super::host::HostOwner::new(host));
        // SAFETY: HIP gave that many bytes, and they are ours alone.
        Ok(unsafe { Self::zeroed_at(allocation, host.cast(), len) })
    }
}

/// `hipHostGetDevicePointer`: what the device knows page-locked memory by.
pub(super) fn device_address(device: Device, host: *mut c_void) -> Result<*mut c_void> {
    let _current = device.enter()?;
    let mut address = std::ptr::null_mut();
    // SAFETY: the out-pointer is to a live local; the host's pointer is one of locked memory, and only looked up.
    let status = unsafe { device.runtime().api().hipHostGetDevicePointer(&mut address, host, 0) };
    let call = || Call::new("hipHostGetDevicePointer").arg("hstPtr", host).on(device.raw());
    device.runtime().check(status, call)?;
    Ok(address)
}

/// Where memory can be: on a device, or on the host.
///
/// ```no_run
/// # let device = hip::Device::first()?;
/// # let stream = device.stream()?;
/// let numbers = hip::ManagedBuffer::<f32>::zeroed(device, 10)?;
/// numbers.prefetch(&stream, hip::MemoryPlace::Host)?;
/// assert_eq!(numbers.last_prefetch()?, Some(hip::MemoryPlace::Host));
/// # Ok::<(), hip::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoryPlace {
    /// The host's memory.
    #[doc(alias = "hipCpuDeviceId")]
    Host,
    /// A device's memory.
    Device(Device),
}

/// `hipCpuDeviceId` of hip_runtime_api.h.
const CPU: c_int = -1;
/// `hipInvalidDeviceId` of hip_runtime_api.h: no place.
const NOWHERE: c_int = -2;

impl MemoryPlace {
    fn raw(self) -> c_int {
        match self {
            Self::Host => CPU,
            Self::Device(device) => device.raw(),
        }
    }
}

/// What a program is about to do with managed memory. Advice changes no result.
///
/// ```no_run
/// # let device = hip::Device::first()?;
/// let table = hip::ManagedBuffer::<f32>::zeroed(device, 1 << 20)?;
/// table.advise(hip::Advice::ReadMostly(true))?;
/// # Ok::<(), hip::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Advice {
    /// It is mostly read, so each device may keep a copy; or it is not.
    ReadMostly(bool),
    /// It belongs there; `None` for nowhere in particular.
    PreferredLocation(Option<MemoryPlace>),
    /// That place will use it, so that it stays mapped there.
    AccessedBy(MemoryPlace),
    /// That place will not use it any more.
    NotAccessedBy(MemoryPlace),
    /// Coherent at the ends of kernels only, which is faster; or within kernels, too.
    CoarseGrain(bool),
}

impl Advice {
    /// The C enumerator, and the place that goes with it.
    fn raw(self, device: Device) -> (hipMemoryAdvise, c_int) {
        match self {
            Self::ReadMostly(true) => (hipMemAdviseSetReadMostly, device.raw()),
            Self::ReadMostly(false) => (hipMemAdviseUnsetReadMostly, device.raw()),
            Self::PreferredLocation(Some(place)) => (hipMemAdviseSetPreferredLocation, place.raw()),
            Self::PreferredLocation(None) => (hipMemAdviseUnsetPreferredLocation, device.raw()),
            Self::AccessedBy(place) => (hipMemAdviseSetAccessedBy, place.raw()),
            Self::NotAccessedBy(place) => (hipMemAdviseUnsetAccessedBy, place.raw()),
            Self::CoarseGrain(true) => (hipMemAdviseSetCoarseGrain, device.raw()),
            Self::CoarseGrain(false) => (hipMemAdviseUnsetCoarseGrain, device.raw()),
        }
    }
}

impl<T: Pod> ManagedBuffer<T> {
    /// `hipMallocManaged`: `len` elements of zero bytes.
    ///
    /// # Errors
    /// [`OutOfMemory`](crate::ErrorKind::OutOfMemory), [`Overflow`](crate::ErrorKind::Overflow), or the failure of the call.
    #[doc(alias = "hipMallocManaged")]
    pub fn zeroed(device: Device, len: usize) -> Result<Self> {
        let () = Self::ALIGNED;
        let bytes = slice_bytes::<T>(len)?;
        if bytes == 0 {
            return Ok(Self::empty(device, len));
        }
        let _current = device.enter()?;
        let mut address = std::ptr::null_mut();
        // SAFETY: the out-pointer is to a live local.
        let status =
            unsafe { device.runtime().api().hipMallocManaged(&mut address, bytes, hipMemAttachGlobal) };
        let call = || Call::new("hipMallocManaged").arg("size", bytes).on(device.raw());
        let host = required(device, bytes, status, address, call)?;
        // SAFETY: hipFree takes what hipMallocManaged returns.
        let owner = Freed::by("hipFree", |api, address| unsafe { api.hipFree(address) });
        let allocation = Allocation::owned(device, host.as_ptr(), bytes, owner);
        // SAFETY: HIP gave that many bytes, and they are ours alone. Managed memory has one address everywhere.
        Ok(unsafe { Self::zeroed_at(allocation, host.cast(), len) })
    }

    /// `hipMemAdvise`: tells the runtime what is about to be done with the memory.
    ///
    /// # Errors
    /// The failure of the call: not every device or release takes every advice.
    #[doc(alias = "hipMemAdvise")]
    pub fn advise(&self, advice: Advice) -> Result<()> {
        let device = self.device();
        let (raw, place) = advice.raw(device);
        let (address, bytes) = (self.allocation.address(), self.len * size_of::<T>());
        if bytes == 0 {
            return Ok(());
        }
        // SAFETY: the range is this allocation's; advice does not change its contents.
        let status = unsafe { device.runtime().usable_api()?.hipMemAdvise(address, bytes, raw, place) };
        let call = || Call::new("hipMemAdvise").arg("count", bytes).arg("advice", advice).on(device.raw());
        device.runtime().check(status, call)
    }

    /// `hipMemPrefetchAsync`: moves the memory to where it will be used, in stream order.
    ///
    /// # Errors
    /// [`WrongDevice`](crate::ErrorKind::WrongDevice), or the failure of the call.
    #[doc(alias = "hipMemPrefetchAsync")]
    pub fn prefetch(&self, stream: &Stream, place: MemoryPlace) -> Result<()> {
        let (address, bytes) = (self.allocation.address(), self.len * size_of::<T>());
        stream.with_use(&self.allocation, Access::Read, bytes, || {
            let _current = stream.shared().enter()?;
            let api = stream.runtime().api();
            // SAFETY: the range is this allocation's, which its uses keep alive; moving does not change its contents.
            let status = unsafe { api.hipMemPrefetchAsync(address, bytes, place.raw(), stream.raw()) };
            let call = || Call::new("hipMemPrefetchAsync").arg("count", bytes).arg("place", place);
            stream.runtime().check(status, || call().on(stream.device().raw()))
        })
    }

    /// `hipMemRangeGetAttribute`: whether all of the memory has been advised to be mostly read.
    ///
    /// # Errors
    /// The failure of the call.
    #[doc(alias = "hipMemRangeGetAttribute")]
    pub fn is_read_mostly(&self) -> Result<bool> {
        Ok(self.range_attribute(hipMemRangeAttributeReadMostly, 0)? != 0)
    }

    /// `hipMemRangeGetAttribute`: where the memory has been advised to be.
    ///
    /// # Errors
    /// The failure of the call.
    #[doc(alias = "hipMemRangeGetAttribute")]
    pub fn preferred_location(&self) -> Result<Option<MemoryPlace>> {
        self.place(hipMemRangeAttributePreferredLocation)
    }

    /// `hipMemRangeGetAttribute`: where the memory was last [prefetched](Self::prefetch) to.
    ///
    /// # Errors
    /// The failure of the call.
    #[doc(alias = "hipMemRangeGetAttribute")]
    pub fn last_prefetch(&self) -> Result<Option<MemoryPlace>> {
        self.place(hipMemRangeAttributeLastPrefetchLocation)
    }

    fn place(&self, attribute: hipMemRangeAttribute) -> Result<Option<MemoryPlace>> {
        match self.range_attribute(attribute, NOWHERE)? {
            CPU => Ok(Some(MemoryPlace::Host)),
            ordinal => match usize::try_from(ordinal) {
                Ok(ordinal) => {
                    self.device().runtime().device(ordinal).map(|it| Some(MemoryPlace::Device(it)))
                }
                Err(_) => Ok(None),
            },
        }
    }

    fn range_attribute(&self, attribute: hipMemRangeAttribute, of_nothing: c_int) -> Result<c_int> {
        let (address, bytes) = (self.allocation.address(), self.len * size_of::<T>());
        if bytes == 0 {
            return Ok(of_nothing);
        }
        let (mut value, device) = (of_nothing, self.device());
        let (api, out, size) = (device.runtime().usable_api()?, (&raw mut value).cast(), size_of::<c_int>());
        // SAFETY: the out-pointer is to a live local of that size; the range is this allocation's.
        let status = unsafe { api.hipMemRangeGetAttribute(out, size, attribute, address, bytes) };
        let call = || Call::new("hipMemRangeGetAttribute").arg("attribute", attribute).on(device.raw());
        device.runtime().check(status, call)?;
        Ok(value)
    }
}

elements! { [T: Pod, K: UnifiedKind] UnifiedBuffer<T, K> }

impl<T: Pod, K: UnifiedKind> fmt::Debug for UnifiedBuffer<T, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(K::NAME)
            .field("device", &self.device())
            .field("len", &self.len)
            .finish_non_exhaustive()
    }
}
