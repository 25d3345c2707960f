//! What HIP knows of an address.
//!
//! # Safety
//! Addresses are looked up, not followed; out-pointers are to live locals.
#![allow(unsafe_code)]

use crate::error::Call;
use crate::{Device, Result, Runtime};
use hip_sys::abi::MemoryType;
use hip_sys::hipPointerAttribute_t;
use std::ffi::c_void;
use std::mem::MaybeUninit;

/// What kind of memory an address is in.
///
/// ```no_run
/// # let device = hip::Device::first()?;
/// use hip::memory::MemoryKind;
/// let pinned = hip::PinnedBuffer::<f32>::zeroed(device, 10)?;
/// assert_eq!(device.runtime().pointer_attributes(pinned.as_ptr())?.kind, Some(MemoryKind::Host));
/// # Ok::<(), hip::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MemoryKind {
    /// HIP does not know it: ordinary memory of the host. Releases before 6.0 answer an error instead.
    Unregistered,
    /// Page-locked memory of the host.
    Host,
    /// Memory of a device.
    Device,
    /// An array of a device.
    Array,
    /// Memory with one address on host and device.
    Unified,
    /// Managed memory.
    Managed,
}

/// What HIP knows of an address; see [`Runtime::pointer_attributes`].
///
/// ```no_run
/// # let device = hip::Device::first()?;
/// # let stream = device.stream()?;
/// let buffer = hip::DeviceBuffer::<f32>::zeroed(&stream, 10)?;
/// let attributes = device.runtime().pointer_attributes(buffer.view().address())?;
/// assert_eq!((attributes.device, attributes.is_managed), (Some(device), false));
/// # Ok::<(), hip::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PointerAttributes {
    /// The kind of memory. `None` for one that this crate does not know.
    pub kind: Option<MemoryKind>,
    /// The device that the memory belongs to, or was locked for.
    pub device: Option<Device>,
    /// The address on the device, 0 for none.
    pub device_address: usize,
    /// The address on the host, 0 for none.
    pub host_address: usize,
    /// Whether it is managed memory.
    pub is_managed: bool,
}

impl Runtime {
    /// `hipPointerGetAttributes`: what kind of memory an address is in, decoded as the loaded release numbers it.
    ///
    /// ```no_run
    /// # let stream = hip::Device::first()?.stream()?;
    /// let buffer = hip::DeviceBuffer::<f32>::zeroed(&stream, 10)?;
    /// let attributes = stream.runtime().pointer_attributes(buffer.view().address())?;
    /// assert_eq!(attributes.kind, Some(hip::memory::MemoryKind::Device));
    /// # Ok::<(), hip::Error>(())
    /// ```
    ///
    /// # Errors
    /// The failure of the call: releases before 6.0 fail for memory that HIP does not know.
    #[doc(alias = "hipPointerGetAttributes")]
    #[doc(alias = "hipPointerGetAttribute")]
    #[doc(alias = "hipDrvPointerGetAttributes")]
    pub fn pointer_attributes<T>(self, address: *const T) -> Result<PointerAttributes> {
        self.refuse()?;
        let mut raw = MaybeUninit::<hipPointerAttribute_t>::zeroed();
        // SAFETY: the out-pointer is to a live local; the address is looked up only.
        let status =
            unsafe { self.api().hipPointerGetAttributes(raw.as_mut_ptr(), address.cast::<c_void>()) };
        self.check(status, || Call::new("hipPointerGetAttributes").arg("ptr", address))?;
        // SAFETY: zero bytes were a value, and HIP wrote another.
        let raw = unsafe { raw.assume_init() };
        let version = hip_sys::abi::Version::new(self.version().major, self.version().minor);
        // The member moved its name, not its place: `type` was `memoryType` before 6.0.
        let kind = MemoryType::decode(raw.type_, version).and_then(|kind| match kind {
            MemoryType::Unregistered => Some(MemoryKind::Unregistered),
            MemoryType::Host => Some(MemoryKind::Host),
            MemoryType::Device => Some(MemoryKind::Device),
            MemoryType::Array => Some(MemoryKind::Array),
            MemoryType::Unified => Some(MemoryKind::Unified),
            MemoryType::Managed => Some(MemoryKind::Managed),
            _ => None,
        });
        Ok(PointerAttributes {
            kind,
            device: usize::try_from(raw.device).ok().and_then(|ordinal| self.device(ordinal).ok()),
            device_address: raw.devicePointer.addr(),
            host_address: raw.hostPointer.addr(),
            is_managed: raw.isManaged != 0,
        })
    }
}

/// The memory that an address is in.
///
/// ```no_run
/// # let device = hip::Device::first()?;
/// # let stream = device.stream()?;
/// let buffer = hip::DeviceBuffer::<f32>::zeroed(&stream, 100)?;
/// let range = device.address_range(buffer.slice(50..)?.address())?;
/// assert!(range.start == buffer.view().address().addr() && range.bytes >= 400);
/// # Ok::<(), hip::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddressRange {
    /// Where it begins.
    pub start: usize,
    /// Its size.
    pub bytes: usize,
}

impl Device {
    /// `hipMemGetAddressRange`: the allocation of this device that an address is in.
    ///
    /// # Errors
    /// The failure of the call, when it is in none.
    #[doc(alias = "hipMemGetAddressRange")]
    #[doc(alias = "hipMemPtrGetInfo")]
    pub fn address_range<T>(self, address: *mut T) -> Result<AddressRange> {
        let _current = self.enter()?;
        let (mut start, mut bytes) = (std::ptr::null_mut(), 0);
        // SAFETY: the out-pointers are to live locals; the address is looked up only.
        let status = unsafe {
            self.runtime().api().hipMemGetAddressRange(&mut start, &mut bytes, address.cast::<c_void>())
        };
        let call = || Call::new("hipMemGetAddressRange").arg("dptr", address).on(self.raw());
        self.runtime().check(status, call)?;
        Ok(AddressRange { start: start.addr(), bytes })
    }
}
