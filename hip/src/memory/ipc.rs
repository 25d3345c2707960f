//! Memory and events of other processes.
//!
//! # Safety
//! Nothing tells what another process does with memory that it shares, or whether it still has it: opening a handle is
//! `unsafe`, and memory that was exported is never freed by safe code.
#![allow(unsafe_code)]

use super::block::{Freed, overflow, required};
use super::{Allocation, DeviceBuffer};
use crate::error::Call;
use crate::{Device, Error, ErrorKind, Event, Result};
use bytemuck::Pod;
use hip_sys::abi::{IPC_LAZY_PEER_ACCESS, Version, v5_0, v6_0};
use hip_sys::{hipIpcEventHandle_t, hipIpcMemHandle_t};
use std::ffi::c_char;

macro_rules! handle {
    ($(#[$doc:meta])* $name:ident $raw:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub struct $name([u8; 64]);

        #[cfg(feature = "serde")]
        impl serde::Serialize for $name {
            /// As a sequence of 64 bytes.
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
                serializer.collect_seq(self.0)
            }
        }

        #[cfg(feature = "serde")]
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
                let bytes = <Vec<u8>>::deserialize(deserializer)?;
                let length = bytes.len();
                let bytes = bytes.try_into().map_err(|_| {
                    serde::de::Error::invalid_length(length, &"the 64 bytes of a handle")
                })?;
                Ok(Self(bytes))
            }
        }

        impl $name {
            /// The handle as bytes, to send to another process.
            pub const fn to_bytes(self) -> [u8; 64] {
                self.0
            }

            /// The handle that another process sent.
            pub const fn from_bytes(bytes: [u8; 64]) -> Self {
                Self(bytes)
            }

            fn from_raw(raw: &$raw) -> Self {
                Self(raw.reserved.map(|byte| byte as u8))
            }

            fn raw(self) -> $raw {
                $raw { reserved: self.0.map(|byte| byte as c_char) }
            }
        }
    };
}

handle! {
    /// Names memory of one process to others on the same machine.
    ///
    /// ```no_run
    /// # let stream = hip::Device::first()?.stream()?;
    /// use hip::memory::IpcMemoryHandle;
    /// let buffer = hip::DeviceBuffer::<f32>::zeroed(&stream, 1000)?;
    /// let bytes: [u8; 64] = buffer.ipc_handle()?.to_bytes();
    /// // … sent through a pipe, say; in the other process …
    /// let handle = IpcMemoryHandle::from_bytes(bytes);
    /// # Ok::<(), hip::Error>(())
    /// ```
    #[doc(alias = "hipIpcMemHandle_t")]
    IpcMemoryHandle hipIpcMemHandle_t
}

handle! {
    /// Names an event of one process to others on the same machine.
    ///
    /// ```no_run
    /// # let device = hip::Device::first()?;
    /// use hip::memory::IpcEventHandle;
    /// let event = hip::Event::with_flags(device, hip::EventFlags::new().interprocess(true))?;
    /// let bytes: [u8; 64] = event.ipc_handle()?.to_bytes();
    /// // … sent through a pipe, say; in the other process …
    /// let handle = IpcEventHandle::from_bytes(bytes);
    /// # Ok::<(), hip::Error>(())
    /// ```
    #[doc(alias = "hipIpcEventHandle_t")]
    IpcEventHandle hipIpcEventHandle_t
}

impl<T: Pod> DeviceBuffer<T> {
    /// `hipIpcGetMemHandle`: a handle by which other processes open this memory.
    ///
    /// HIP does not tell when they are done with it, so the memory is not freed and not used again, not even when the buffer
    /// is dropped.
    ///
    /// # Errors
    /// [`ErrorKind::Length`] for no elements, [`ErrorKind::Unshareable`] for memory that did not come from `hipMalloc`, or the
    /// failure of the call.
    #[doc(alias = "hipIpcGetMemHandle")]
    pub fn ipc_handle(&self) -> Result<IpcMemoryHandle> {
        let (allocation, device) = (self.allocation(), self.device());
        if allocation.address().is_null() {
            return Err(Error::length("memory to share", 1, 0));
        }
        if !allocation.is_cached() {
            return Err(Error::new(ErrorKind::Unshareable, "only memory from hipMalloc can be shared"));
        }
        let _current = device.enter()?;
        let mut raw = hipIpcMemHandle_t { reserved: [0; 64] };
        let address = allocation.address();
        // Also if the call fails: it may have done its work.
        allocation.export();
        // SAFETY: the out-pointer is to a live local, the address is one that hipMalloc returned.
        let status = unsafe { device.runtime().api().hipIpcGetMemHandle(&mut raw, address) };
        let call = || Call::new("hipIpcGetMemHandle").arg("devPtr", address).on(device.raw());
        device.runtime().check(status, call)?;
        Ok(IpcMemoryHandle::from_raw(&raw))
    }

    /// `hipIpcOpenMemHandle`: memory of another process, as a buffer of `len` elements. Dropping it closes it here.
    ///
    /// ```no_run
    /// # let device = hip::Device::first()?;
    /// # let handle = hip::memory::IpcMemoryHandle::from_bytes([0; 64]);
    /// // SAFETY: the other process exported 1000 floats, and waits until this one says that it is done.
    /// let shared = unsafe { hip::DeviceBuffer::<f32>::open_ipc(device, handle, 1000) }?;
    /// # Ok::<(), hip::Error>(())
    /// ```
    ///
    /// # Safety
    /// The handle is one of another process, that process keeps the memory until this buffer is dropped, and it has at least
    /// `len` elements.
    ///
    /// # Errors
    /// [`Overflow`](ErrorKind::Overflow), or the failure of the call.
    #[doc(alias = "hipIpcOpenMemHandle")]
    #[doc(alias = "hipIpcCloseMemHandle")]
    pub unsafe fn open_ipc(device: Device, handle: IpcMemoryHandle, len: usize) -> Result<Self> {
        let bytes = len.checked_mul(size_of::<T>()).ok_or_else(|| overflow(len))?;
        let _current = device.enter()?;
        let version = device.runtime().version();
        let lazy = if IPC_LAZY_PEER_ACCESS.holds(Version::new(version.major, version.minor)) {
            v6_0::hipIpcMemLazyEnablePeerAccess
        } else {
            v5_0::hipIpcMemLazyEnablePeerAccess
        };
        let mut address = std::ptr::null_mut();
        // SAFETY: the out-pointer is to a live local; the caller answers for the handle.
        let status = unsafe { device.runtime().api().hipIpcOpenMemHandle(&mut address, handle.raw(), lazy) };
        let call = || Call::new("hipIpcOpenMemHandle").on(device.raw());
        let address = required(device, bytes, status, address, call)?;
        let owner = Freed::by("hipIpcCloseMemHandle", |api, address| {
            // SAFETY: hipIpcCloseMemHandle takes what hipIpcOpenMemHandle returns.
            unsafe { api.hipIpcCloseMemHandle(address) }
        });
        Ok(Self::from_allocation(Allocation::owned(device, address.as_ptr(), bytes, owner), len))
    }
}

impl Event {
    /// `hipIpcGetEventHandle`: a handle by which other processes open this event, which was made with
    /// [`EventFlags::interprocess`](crate::EventFlags::interprocess).
    ///
    /// # Errors
    /// The failure of the call.
    #[doc(alias = "hipIpcGetEventHandle")]
    pub fn ipc_handle(&self) -> Result<IpcEventHandle> {
        let device = self.device();
        let _current = device.enter()?;
        let mut raw = hipIpcEventHandle_t { reserved: [0; 64] };
        // SAFETY: the out-pointer is to a live local, the event is alive.
        let status = unsafe { device.runtime().api().hipIpcGetEventHandle(&mut raw, self.raw()) };
        let call = || Call::new("hipIpcGetEventHandle").arg("event", self.raw()).on(device.raw());
        device.runtime().check(status, call)?;
        Ok(IpcEventHandle::from_raw(&raw))
    }

    /// `hipIpcOpenEventHandle`: an event of another process.
    ///
    /// # Safety
    /// The handle is one of another process, which keeps the event until this one is dropped.
    ///
    /// # Errors
    /// The failure of the call.
    #[doc(alias = "hipIpcOpenEventHandle")]
    pub unsafe fn open_ipc(device: Device, handle: IpcEventHandle) -> Result<Self> {
        let _current = device.enter()?;
        let mut event = std::ptr::null_mut();
        // SAFETY: the out-pointer is to a live local; the caller answers for the handle.
        let status = unsafe { device.runtime().api().hipIpcOpenEventHandle(&mut event, handle.raw()) };
        device.runtime().check(status, || Call::new("hipIpcOpenEventHandle").on(device.raw()))?;
        Ok(Self::from_handle(device, event))
    }
}
