//! Settings of a device, and its names.
//!
//! # Safety
//! Out-pointers are to live locals; strings end with a NUL.
#![allow(unsafe_code)]

use super::Device;
use crate::error::{Call, ErrorCode};
use crate::{Error, ErrorKind, Result, Runtime};
use hip_sys::{
    hipDeviceScheduleAuto, hipDeviceScheduleBlockingSync, hipDeviceScheduleMask, hipDeviceScheduleSpin,
    hipDeviceScheduleYield, hipFuncCache_t, hipFuncCachePreferEqual, hipFuncCachePreferL1,
    hipFuncCachePreferNone, hipFuncCachePreferShared, hipLimit_t, hipLimitMallocHeapSize,
    hipLimitPrintfFifoSize, hipLimitStackSize, hipUUID,
};
use std::ffi::CString;

/// A size that a device reserves for its kernels.
///
/// ```no_run
/// # let device = hip::Device::first()?;
/// println!("malloc in kernels has {} bytes", device.limit(hip::Limit::MallocHeapSize)?);
/// # Ok::<(), hip::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Limit {
    /// The stack of a thread.
    #[doc(alias = "hipLimitStackSize")]
    StackSize,
    /// The buffer of `printf`.
    #[doc(alias = "hipLimitPrintfFifoSize")]
    PrintfFifoSize,
    /// The heap of `malloc` in kernels.
    #[doc(alias = "hipLimitMallocHeapSize")]
    MallocHeapSize,
}

impl Limit {
    fn raw(self) -> hipLimit_t {
        match self {
            Self::StackSize => hipLimitStackSize,
            Self::PrintfFifoSize => hipLimitPrintfFifoSize,
            Self::MallocHeapSize => hipLimitMallocHeapSize,
        }
    }
}

/// What kernels would rather have of memory that is both cache and LDS. AMD's devices have no such memory, and ignore it.
///
/// ```no_run
/// # let device = hip::Device::first()?;
/// device.set_cache_config(hip::CacheConfig::Shared)?;
/// # Ok::<(), hip::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum CacheConfig {
    /// Either.
    #[default]
    None,
    /// LDS.
    Shared,
    /// Cache.
    L1,
    /// As much of each.
    Equal,
}

/// The C enumerators of [`CacheConfig`].
const CACHE_CONFIGS: [(CacheConfig, hipFuncCache_t); 4] = [
    (CacheConfig::None, hipFuncCachePreferNone),
    (CacheConfig::Shared, hipFuncCachePreferShared),
    (CacheConfig::L1, hipFuncCachePreferL1),
    (CacheConfig::Equal, hipFuncCachePreferEqual),
];

/// What a thread does while it waits for a device.
///
/// ```no_run
/// # let device = hip::Device::first()?;
/// // Leave the processor to others while this thread waits.
/// device.set_schedule(hip::Schedule::Block)?;
/// # Ok::<(), hip::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Schedule {
    /// What the runtime thinks best.
    #[default]
    #[doc(alias = "hipDeviceScheduleAuto")]
    Auto,
    /// It spins: the least delay.
    #[doc(alias = "hipDeviceScheduleSpin")]
    Spin,
    /// It spins, and gives its processor to others in between.
    #[doc(alias = "hipDeviceScheduleYield")]
    Yield,
    /// It sleeps.
    #[doc(alias = "hipDeviceScheduleBlockingSync")]
    Block,
}

/// The C flags of [`Schedule`].
const SCHEDULES: [(Schedule, u32); 4] = [
    (Schedule::Auto, hipDeviceScheduleAuto),
    (Schedule::Spin, hipDeviceScheduleSpin),
    (Schedule::Yield, hipDeviceScheduleYield),
    (Schedule::Block, hipDeviceScheduleBlockingSync),
];

/// The partner of `key` in a table of pairs.
fn partner<A: Copy + PartialEq, B: Copy>(table: &[(A, B)], key: A) -> Option<B> {
    table.iter().find(|(a, _)| *a == key).map(|&(_, b)| b)
}

impl Device {
    /// `hipDeviceGetLimit`: a size that the device reserves for its kernels, in bytes.
    ///
    /// # Errors
    /// The failure of the call: HIP 5.2 knows the heap's size only.
    #[doc(alias = "hipDeviceGetLimit")]
    pub fn limit(self, limit: Limit) -> Result<usize> {
        let _current = self.enter()?;
        let mut bytes = 0;
        // SAFETY: the out-pointer is to a live local.
        let status = unsafe { self.runtime().api().hipDeviceGetLimit(&mut bytes, limit.raw()) };
        self.runtime().check(status, || Call::new("hipDeviceGetLimit").arg("limit", limit).on(self.raw()))?;
        Ok(bytes)
    }

    /// `hipDeviceSetLimit`: sets a size that the device reserves for its kernels. Releases before 5.3 have no such call.
    ///
    /// # Safety
    /// No kernel needs more from here on: beyond the end of its stack, a thread of a recursive kernel finds that of another one.
    ///
    /// # Errors
    /// The failure of the call.
    #[doc(alias = "hipDeviceSetLimit")]
    pub unsafe fn set_limit(self, limit: Limit, bytes: usize) -> Result<()> {
        let _current = self.enter()?;
        // SAFETY: a limit that is unknown or too large is refused; the caller answers for kernels that need more.
        let status = unsafe { self.runtime().api().hipDeviceSetLimit(limit.raw(), bytes) };
        let call = || Call::new("hipDeviceSetLimit").arg("limit", limit).arg("value", bytes);
        self.runtime().check(status, || call().on(self.raw()))
    }

    /// `hipDeviceGetCacheConfig`: what kernels would rather have.
    ///
    /// # Errors
    /// The failure of the call.
    #[doc(alias = "hipDeviceGetCacheConfig")]
    pub fn cache_config(self) -> Result<CacheConfig> {
        let _current = self.enter()?;
        let mut raw = hipFuncCachePreferNone;
        // SAFETY: the out-pointer is to a live local.
        let status = unsafe { self.runtime().api().hipDeviceGetCacheConfig(&mut raw) };
        self.runtime().check(status, || Call::new("hipDeviceGetCacheConfig").on(self.raw()))?;
        Ok(partner(&CACHE_CONFIGS.map(|(config, raw)| (raw, config)), raw).unwrap_or_default())
    }

    /// `hipDeviceSetCacheConfig`: says what kernels would rather have.
    ///
    /// # Errors
    /// The failure of the call.
    #[doc(alias = "hipDeviceSetCacheConfig")]
    pub fn set_cache_config(self, config: CacheConfig) -> Result<()> {
        let _current = self.enter()?;
        let raw = partner(&CACHE_CONFIGS, config).unwrap_or(hipFuncCachePreferNone);
        // SAFETY: the enumerator is one of the header's.
        let status = unsafe { self.runtime().api().hipDeviceSetCacheConfig(raw) };
        let call = || Call::new("hipDeviceSetCacheConfig").arg("cacheConfig", config).on(self.raw());
        self.runtime().check(status, call)
    }

    /// `hipGetDeviceFlags`: what threads do while they wait for the device.
    ///
    /// # Errors
    /// The failure of the call.
    #[doc(alias = "hipGetDeviceFlags")]
    pub fn schedule(self) -> Result<Schedule> {
        let flags = self.flags()?;
        Ok(partner(&SCHEDULES.map(|(it, raw)| (raw, it)), flags & hipDeviceScheduleMask).unwrap_or_default())
    }

    /// `hipSetDeviceFlags`: says what threads do while they wait for the device.
    ///
    /// # Errors
    /// The failure of the call.
    #[doc(alias = "hipSetDeviceFlags")]
    pub fn set_schedule(self, schedule: Schedule) -> Result<()> {
        let others = self.flags()? & !hipDeviceScheduleMask;
        let flags = others | partner(&SCHEDULES, schedule).unwrap_or(hipDeviceScheduleAuto);
        let _current = self.enter()?;
        // SAFETY: the flags are ones that the header has.
        let status = unsafe { self.runtime().api().hipSetDeviceFlags(flags) };
        self.runtime().check(status, || Call::new("hipSetDeviceFlags").arg("flags", flags).on(self.raw()))
    }

    fn flags(self) -> Result<u32> {
        let _current = self.enter()?;
        let mut flags = 0;
        // SAFETY: the out-pointer is to a live local.
        let status = unsafe { self.runtime().api().hipGetDeviceFlags(&mut flags) };
        self.runtime().check(status, || Call::new("hipGetDeviceFlags").on(self.raw()))?;
        Ok(flags)
    }

    /// `hipDeviceGetUuid`: 16 bytes that name the device, on this machine at least.
    ///
    /// # Errors
    /// The failure of the call.
    #[doc(alias = "hipDeviceGetUuid")]
    pub fn uuid(self) -> Result<[u8; 16]> {
        let mut uuid = hipUUID { bytes: [0; 16] };
        // SAFETY: the out-pointer is to a live local.
        let status = unsafe { self.runtime().usable_api()?.hipDeviceGetUuid(&mut uuid, self.raw()) };
        self.runtime().check(status, || Call::new("hipDeviceGetUuid").on(self.raw()))?;
        Ok(uuid.bytes.map(|byte| byte as u8))
    }

    /// `hipDeviceReset`: frees everything that the process has on the device.
    ///
    /// # Safety
    /// No object of this device is used any more: no buffer, stream, event, module or graph, and none is dropped either.
    ///
    /// # Errors
    /// The failure of the call.
    #[doc(alias = "hipDeviceReset")]
    #[doc(alias = "hipDevicePrimaryCtxReset")]
    pub unsafe fn reset(self) -> Result<()> {
        let _current = self.enter()?;
        // SAFETY: the caller answers for everything on the device.
        let status = unsafe { self.runtime().api().hipDeviceReset() };
        self.runtime().check(status, || Call::new("hipDeviceReset").on(self.raw()))
    }
}

impl Runtime {
    /// `hipDeviceGetByPCIBusId`: the device at a place on the PCI bus, as [`Device::pci_bus_id`] writes it.
    ///
    /// # Errors
    /// [`ErrorKind::NoDevice`] when there is none, or the failure of the call.
    #[doc(alias = "hipDeviceGetByPCIBusId")]
    pub fn device_by_pci_bus_id(self, id: &str) -> Result<Device> {
        let none = || Error::new(ErrorKind::NoDevice, format!("there is no device at {id} on the PCI bus"));
        let text = CString::new(id).map_err(|_| none())?;
        let mut ordinal = -1;
        // SAFETY: the out-pointer is to a live local, the text ends with a NUL.
        let status = unsafe { self.usable_api()?.hipDeviceGetByPCIBusId(&mut ordinal, text.as_ptr()) };
        if matches!(status, Ok(code) if ErrorCode::from(code) == ErrorCode::INVALID_VALUE) {
            self.clear_last_error();
            return Err(none());
        }
        self.check(status, || Call::new("hipDeviceGetByPCIBusId").arg("pciBusId", id))?;
        self.device(usize::try_from(ordinal).map_err(|_| none())?)
    }
}
