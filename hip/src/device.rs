//! Devices, and which of them is current.
//!
//! # Safety
//! The calls here pass out-pointers to live locals, and string buffers together with their length.
#![allow(unsafe_code)]

pub mod attribute;
mod control;
mod current;
mod properties;

pub use control::{CacheConfig, Limit, Schedule};
pub(crate) use current::Current;
pub use properties::Properties;

use crate::error::Call;
use crate::event::{MarkerPool, wrong_device};
use crate::memory::{BlockCache, MemoryStatistics, Peers};
use crate::stream::StreamShared;
use crate::{Result, Runtime, Stream};
use hip_sys::hipDeviceAttribute_t;
use std::ffi::{CStr, c_char};
use std::fmt;
use std::sync::{Arc, OnceLock};

/// What the objects of one device share. Part of the leaked [`Runtime`].
pub(crate) struct DeviceState {
    runtime: Runtime,
    ordinal: i32,
    properties: OnceLock<Properties>,
    default_stream: OnceLock<Arc<StreamShared>>,
    pub(crate) markers: MarkerPool,
    pub(crate) cache: BlockCache,
    pub(crate) peers: Peers,
}

impl DeviceState {
    pub(crate) fn new(runtime: Runtime, ordinal: i32) -> Self {
        Self {
            runtime,
            ordinal,
            properties: OnceLock::new(),
            default_stream: OnceLock::new(),
            markers: MarkerPool::default(),
            cache: BlockCache::default(),
            peers: Peers::default(),
        }
    }
}

/// A device: a cheap handle.
///
/// HIP's notion of a current device per thread does not appear: each call that depends on it sets it, and puts back what
/// it found.
///
/// ```no_run
/// let device = hip::Device::first()?;
/// println!("{} ({}), {} MiB", device.name()?, device.arch()?, device.total_memory()? >> 20);
/// # Ok::<(), hip::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct Device(&'static DeviceState);

impl Device {
    pub(crate) fn new(state: &'static DeviceState) -> Self {
        Self(state)
    }

    /// The first device of the process's HIP runtime, which is loaded if it is not yet.
    ///
    /// # Errors
    /// Those of [`Runtime::load`] and [`Runtime::device`].
    pub fn first() -> Result<Self> {
        Runtime::load()?.device(0)
    }

    /// The runtime that the device belongs to.
    pub fn runtime(self) -> Runtime {
        self.0.runtime
    }

    /// The device's number in this process, from 0 up. `HIP_VISIBLE_DEVICES` decides which devices are numbered.
    pub fn ordinal(self) -> usize {
        usize::try_from(self.0.ordinal).unwrap_or(0)
    }

    pub(crate) fn raw(self) -> i32 {
        self.0.ordinal
    }

    pub(crate) fn state(self) -> &'static DeviceState {
        self.0
    }

    /// `hipGetDeviceProperties`, decoded from whichever layout the runtime writes. Asked once per device.
    ///
    /// # Errors
    /// The failure of the call, or [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported).
    #[doc(alias = "hipGetDeviceProperties")]
    #[doc(alias = "hipGetDevicePropertiesR0600")]
    #[doc(alias = "hipDeviceProp_t")]
    #[doc(alias = "hipGetDevicePropertiesR0000")]
    #[doc(alias = "hipDeviceComputeCapability")]
    pub fn properties(self) -> Result<&'static Properties> {
        if let Some(properties) = self.0.properties.get() {
            return Ok(properties);
        }
        let properties = Properties::query(self)?;
        Ok(self.0.properties.get_or_init(|| properties))
    }

    /// The marketing name. That of a virtual device ends in "(virtual)".
    ///
    /// # Errors
    /// Those of [`Device::properties`].
    #[doc(alias = "hipDeviceGetName")]
    pub fn name(self) -> Result<&'static str> {
        Ok(&self.properties()?.name)
    }

    /// The target id that code objects are made for, features included: `gfx900:xnack-`.
    ///
    /// # Errors
    /// Those of [`Device::properties`].
    pub fn target_id(self) -> Result<&'static str> {
        Ok(&self.properties()?.target_id)
    }

    /// The architecture, without features: `gfx900`.
    ///
    /// # Errors
    /// Those of [`Device::properties`].
    pub fn arch(self) -> Result<&'static str> {
        let target = self.target_id()?;
        Ok(target.split_once(':').map_or(target, |(processor, _)| processor))
    }

    /// `hipDeviceTotalMem`: the device's memory in bytes.
    ///
    /// # Errors
    /// The failure of the call.
    #[doc(alias = "hipDeviceTotalMem")]
    pub fn total_memory(self) -> Result<usize> {
        let mut bytes = 0;
        // SAFETY: the out-pointer is to a live local.
        let status = unsafe { self.0.runtime.usable_api()?.hipDeviceTotalMem(&mut bytes, self.0.ordinal) };
        self.0.runtime.check(status, || Call::new("hipDeviceTotalMem").on(self.raw()))?;
        Ok(bytes)
    }

    /// `hipMemGetInfo`: how much of the device's memory is free.
    ///
    /// Freed buffers that this crate keeps for reuse count as used: see [`Device::trim`].
    ///
    /// # Errors
    /// The failure of the call.
    #[doc(alias = "hipMemGetInfo")]
    pub fn memory_info(self) -> Result<MemoryInfo> {
        let _current = self.enter()?;
        let mut info = MemoryInfo { free: 0, total: 0 };
        // SAFETY: the out-pointers are to live locals.
        let status = unsafe { self.0.runtime.api().hipMemGetInfo(&mut info.free, &mut info.total) };
        self.0.runtime.check(status, || Call::new("hipMemGetInfo").on(self.raw()))?;
        Ok(info)
    }

    /// `hipDeviceGetAttribute`: one number of the device. The numbers of the attributes are the same in all releases.
    ///
    /// # Errors
    /// The failure of the call; a runtime older than the attribute answers `hipErrorInvalidValue`.
    #[doc(alias = "hipDeviceGetAttribute")]
    pub fn attribute(self, attribute: hipDeviceAttribute_t) -> Result<i32> {
        let mut value = 0;
        // SAFETY: the out-pointer is to a live local; an unknown attribute is refused.
        let status = unsafe {
            self.0.runtime.usable_api()?.hipDeviceGetAttribute(&mut value, attribute, self.0.ordinal)
        };
        let call = || Call::new("hipDeviceGetAttribute").arg("attr", attribute).on(self.raw());
        self.0.runtime.check(status, call)?;
        Ok(value)
    }

    /// `hipDeviceGetPCIBusId`: where the device sits on the PCI bus, as `0000:03:00.0`.
    ///
    /// # Errors
    /// The failure of the call.
    #[doc(alias = "hipDeviceGetPCIBusId")]
    pub fn pci_bus_id(self) -> Result<String> {
        let mut text = [0 as c_char; 64];
        let room = 63;
        // SAFETY: the buffer is one byte longer than what HIP is told, so there is always a NUL at its end.
        let status = unsafe {
            self.0.runtime.usable_api()?.hipDeviceGetPCIBusId(text.as_mut_ptr(), room, self.0.ordinal)
        };
        self.0.runtime.check(status, || Call::new("hipDeviceGetPCIBusId").on(self.raw()))?;
        // SAFETY: the last byte is 0 in any case.
        let text = unsafe { CStr::from_ptr(text.as_ptr()) };
        Ok(text.to_string_lossy().into_owned())
    }

    /// `hipDeviceSynchronize`: waits for everything that was enqueued on the device.
    ///
    /// # Errors
    /// The failure of the call, or of the work.
    #[doc(alias = "hipDeviceSynchronize")]
    pub fn synchronize(self) -> Result<()> {
        let _current = self.enter()?;
        // SAFETY: the call takes nothing.
        let status = unsafe { self.0.runtime.api().hipDeviceSynchronize() };
        self.0.runtime.check(status, || Call::new("hipDeviceSynchronize").on(self.raw()))?;
        self.0.runtime.shared().deferred.sweep();
        Ok(())
    }

    /// `hipDeviceGetStreamPriorityRange`: the priorities that streams can have.
    ///
    /// # Errors
    /// The failure of the call.
    #[doc(alias = "hipDeviceGetStreamPriorityRange")]
    pub fn stream_priorities(self) -> Result<PriorityRange> {
        let _current = self.enter()?;
        let mut range = PriorityRange { least: 0, greatest: 0 };
        let api = self.0.runtime.api();
        // SAFETY: the out-pointers are to live locals.
        let status = unsafe { api.hipDeviceGetStreamPriorityRange(&mut range.least, &mut range.greatest) };
        self.0.runtime.check(status, || Call::new("hipDeviceGetStreamPriorityRange").on(self.raw()))?;
        Ok(range)
    }

    /// The device's default stream (the null stream): work on it waits for, and is waited for by, the device's other
    /// streams, except for those made with [`StreamFlags::non_blocking`](crate::StreamFlags::non_blocking).
    pub fn default_stream(self) -> Stream {
        Stream::from_shared(self.0.default_stream.get_or_init(|| Arc::new(StreamShared::null(self))).clone())
    }

    /// A new stream, as [`Stream::new`].
    ///
    /// # Errors
    /// Those of [`Stream::new`].
    pub fn stream(self) -> Result<Stream> {
        Stream::new(self)
    }

    /// `hipFree`: gives freed buffers that are kept for reuse back to the device, except for at most `keep` bytes, and
    /// returns how many bytes were given back. Waits for work that still uses them.
    ///
    /// # Errors
    /// The failure of a call; blocks that were not freed stay where they were.
    #[doc(alias = "hipFree")]
    pub fn trim(self, keep: usize) -> Result<usize> {
        self.0.cache.trim(self, keep)
    }

    /// Bytes of freed buffers that are kept for reuse.
    pub fn cached_memory(self) -> usize {
        self.0.cache.statistics().cached
    }

    /// What the device's allocator did so far: how much is in buffers and how much is kept, and how often memory was used
    /// again instead of asking HIP for it.
    ///
    /// ```no_run
    /// # let device = hip::Device::first()?;
    /// # let stream = device.stream()?;
    /// drop(hip::DeviceBuffer::<f32>::zeroed(&stream, 1000)?);
    /// let again = hip::DeviceBuffer::<f32>::zeroed(&stream, 1000)?;
    /// assert_eq!(device.memory_statistics().reuses, 1);
    /// # Ok::<(), hip::Error>(())
    /// ```
    pub fn memory_statistics(self) -> MemoryStatistics {
        self.0.cache.statistics()
    }

    /// An error when the other device belongs to another runtime, whose handles mean nothing to this one.
    #[inline]
    pub(crate) fn expect_runtime_of(self, other: Device, what: &str) -> Result<()> {
        if self.runtime() == other.runtime() { Ok(()) } else { Err(wrong_device(what, self, other)) }
    }

    /// Makes the device current in this thread until the guard is dropped.
    #[inline]
    pub(crate) fn enter(self) -> Result<Current> {
        Current::enter(self)
    }
}

/// The memory of a device in bytes.
///
/// ```no_run
/// let hip::MemoryInfo { free, total } = hip::Device::first()?.memory_info()?;
/// println!("{} of {} MiB are free", free >> 20, total >> 20);
/// # Ok::<(), hip::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct MemoryInfo {
    /// Not allocated by anybody.
    pub free: usize,
    /// All of it.
    pub total: usize,
}

/// The priorities of a device's streams: smaller is more urgent, so `greatest <= least`.
///
/// ```no_run
/// # let device = hip::Device::first()?;
/// let range = device.stream_priorities()?;
/// let urgent = hip::Stream::with_flags(device, hip::StreamFlags::new().priority(range.greatest))?;
/// # Ok::<(), hip::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct PriorityRange {
    /// The number of the least urgent streams.
    pub least: i32,
    /// The number of the most urgent streams.
    pub greatest: i32,
}

impl PartialEq for Device {
    /// Whether both are the same device of the same loaded runtime.
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.0, other.0)
    }
}

impl Eq for Device {}

impl fmt::Debug for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Device({})", self.0.ordinal)
    }
}
