//! Copies between host and device, and on the device.
//!
//! # Safety
//! Every copy's two ends have been checked to be of the same length, and alive: blocking copies are done with the borrowed
//! host memory when they return, whether they succeeded or not; asynchronous ones own the host memory (through a
//! [`Pending`]) or borrow it in a [`scope`](super::scope()); device memory is kept by its allocation's [`Uses`](super::Uses).
#![allow(unsafe_code)]

use super::pending::give_up;
use super::{Access, Allocation, Pending, PinnedBuffer, View, ViewMut};
use crate::error::Call;
use crate::event::wrong_device;
use crate::observe::{Operation, observe};
use crate::{Error, Result, Stream};
use bytemuck::Pod;
use hip_sys::{
    MissingSymbol, hipError_t, hipMemcpyDefault, hipMemcpyDeviceToDevice, hipMemcpyDeviceToHost,
    hipMemcpyHostToDevice, hipMemcpyKind,
};
use std::ffi::c_void;

/// Owned host memory that a copy can be in flight to or from: [`PinnedBuffer`], which copies at full speed and beside other
/// work, or a `Vec`, whose copies the runtime stages. Sealed.
///
/// ```no_run
/// # let device = hip::Device::first()?;
/// # let stream = device.stream()?;
/// /// With a `Vec` or a `PinnedBuffer` alike.
/// fn send<H: hip::HostMemory>(stream: &hip::Stream, host: H, to: hip::ViewMut<'_, H::Element>) -> hip::Result<H> {
///     stream.upload_async(host, to)?.wait()
/// }
/// let mut buffer = hip::DeviceBuffer::<u32>::uninit(device, 3)?;
/// assert_eq!(send(&stream, vec![1, 2, 3], buffer.view_mut())?, [1, 2, 3]);
/// # Ok::<(), hip::Error>(())
/// ```
///
/// # Safety
/// The elements stay at their address when the value moves, and nothing but the value's owner reaches them.
pub unsafe trait HostMemory: Send + Sized + 'static + sealed::Sealed {
    /// The type of the elements.
    type Element: Pod;
    /// Where the elements are, and how many.
    #[doc(hidden)]
    fn raw(&mut self) -> (*mut Self::Element, usize);
}

mod sealed {
    pub trait Sealed {}
    impl<T: super::Pod> Sealed for super::PinnedBuffer<T> {}
    impl<T: super::Pod> Sealed for Vec<T> {}
}

// SAFETY: the elements are behind a pointer that the value owns.
unsafe impl<T: Pod + Send> HostMemory for PinnedBuffer<T> {
    type Element = T;
    fn raw(&mut self) -> (*mut T, usize) {
        (self.as_raw(), self.element_count())
    }
}

// SAFETY: the elements are on the heap.
unsafe impl<T: Pod + Send> HostMemory for Vec<T> {
    type Element = T;
    fn raw(&mut self) -> (*mut T, usize) {
        (self.as_mut_ptr(), self.len())
    }
}

impl Stream {
    /// `hipMemcpyWithStream`: copies host memory to the device and waits for the copy, which runs after everything that was
    /// enqueued on the destination.
    ///
    /// # Errors
    /// [`Length`](crate::ErrorKind::Length) when the two lengths differ, [`WrongDevice`](crate::ErrorKind::WrongDevice), or
    /// the failure of the call.
    #[doc(alias = "hipMemcpy")]
    #[doc(alias = "hipMemcpyWithStream")]
    #[doc(alias = "hipMemcpyHtoD")]
    pub fn upload<'a, T: Pod>(&self, source: &[T], destination: impl Into<ViewMut<'a, T>>) -> Result<()> {
        let destination = destination.into();
        same_length("copying to the device", source.len(), destination.len())?;
        let copy = Copy::host_to_device(source.as_ptr(), destination.address(), source.len());
        self.with_use(destination.allocation(), Access::Write, copy.bytes, || copy.run(self, true))
    }

    /// `hipMemcpyWithStream`: copies device memory to the host and waits for the copy, which runs after everything that was
    /// enqueued on the source.
    ///
    /// # Errors
    /// [`Length`](crate::ErrorKind::Length) when the two lengths differ, [`WrongDevice`](crate::ErrorKind::WrongDevice), or
    /// the failure of the call.
    #[doc(alias = "hipMemcpy")]
    #[doc(alias = "hipMemcpyWithStream")]
    #[doc(alias = "hipMemcpyDtoH")]
    pub fn download<'a, T: Pod>(&self, source: impl Into<View<'a, T>>, destination: &mut [T]) -> Result<()> {
        let source = source.into();
        same_length("copying to the host", source.len(), destination.len())?;
        let copy = Copy::device_to_host(source.address(), destination.as_mut_ptr(), source.len());
        self.with_use(source.allocation(), Access::Read, copy.bytes, || copy.run(self, true))
    }

    /// `hipMemcpyAsync`: copies host memory to the device. The host memory comes back when the copy is done.
    ///
    /// # Errors
    /// As [`Stream::upload`]; the host memory is dropped then.
    #[doc(alias = "hipMemcpyAsync")]
    #[doc(alias = "hipMemcpyHtoDAsync")]
    pub fn upload_async<'a, H: HostMemory>(
        &self,
        mut source: H,
        destination: impl Into<ViewMut<'a, H::Element>>,
    ) -> Result<Pending<H>> {
        let destination = destination.into();
        let (elements, len) = source.raw();
        same_length("copying to the device", len, destination.len())?;
        let copy = Copy::host_to_device(elements, destination.address(), len);
        self.with_pending(source, destination.allocation(), Access::Write, copy)
    }

    /// `hipMemcpyAsync`: copies device memory to the host. The host memory comes back when the copy is done.
    ///
    /// # Errors
    /// As [`Stream::download`]; the host memory is dropped then.
    #[doc(alias = "hipMemcpyAsync")]
    #[doc(alias = "hipMemcpyDtoHAsync")]
    pub fn download_async<'a, H: HostMemory>(
        &self,
        source: impl Into<View<'a, H::Element>>,
        mut destination: H,
    ) -> Result<Pending<H>> {
        let source = source.into();
        let (elements, len) = destination.raw();
        same_length("copying to the host", source.len(), len)?;
        let copy = Copy::device_to_host(source.address(), elements, len);
        self.with_pending(destination, source.allocation(), Access::Read, copy)
    }

    /// `hipMemcpyAsync`: copies on the device, in stream order, without waiting.
    ///
    /// # Errors
    /// [`Length`](crate::ErrorKind::Length) when the two lengths differ, [`WrongDevice`](crate::ErrorKind::WrongDevice), or
    /// the failure of the call.
    #[doc(alias = "hipMemcpyAsync")]
    #[doc(alias = "hipMemcpyDtoD")]
    #[doc(alias = "hipMemcpyDtoDAsync")]
    pub fn copy<'a, 'b, T: Pod>(
        &self,
        source: impl Into<View<'a, T>>,
        destination: impl Into<ViewMut<'b, T>>,
    ) -> Result<()> {
        let (source, destination) = (source.into(), destination.into());
        same_length("copying on the device", source.len(), destination.len())?;
        // Memory that the host sees, too, may be anywhere: the runtime knows.
        let cached = source.allocation().is_cached() && destination.allocation().is_cached();
        let kind = if cached { hipMemcpyDeviceToDevice } else { hipMemcpyDefault };
        let copy = Copy::new(source.address(), destination.address(), source.len(), kind);
        self.with_use(source.allocation(), Access::Read, copy.bytes, || {
            self.with_use(destination.allocation(), Access::Write, copy.bytes, || copy.run(self, false))
        })
    }

    /// Runs `enqueue` as a use of `allocation` on this stream. Does nothing for no bytes.
    #[inline]
    pub(super) fn with_use(
        &self,
        allocation: &Allocation,
        access: Access,
        bytes: usize,
        enqueue: impl FnOnce() -> Result<()>,
    ) -> Result<()> {
        if !allocation.is_reached_by(self.device()) {
            return Err(wrong_device("the memory", self.device(), allocation.device()));
        }
        if bytes == 0 {
            return Ok(());
        }
        if self.is_capture() {
            allocation.go_into_graph(self.shared(), access)?;
        }
        let ticket = allocation.uses().before(self.shared(), access)?;
        let outcome = enqueue();
        // Also when it failed: some of the work may have been enqueued.
        allocation.uses().after(self.shared(), ticket);
        outcome
    }

    fn with_pending<H: HostMemory>(
        &self,
        value: H,
        allocation: &Allocation,
        access: Access,
        copy: Copy,
    ) -> Result<Pending<H>> {
        self.shared().refuse_owned()?;
        match self.with_use(allocation, access, copy.bytes, || copy.run(self, false)) {
            Ok(()) => Pending::new(self, value),
            Err(error) => {
                give_up(self.shared(), value);
                Err(error)
            }
        }
    }
}

pub(super) fn same_length(what: &str, source: usize, destination: usize) -> Result<()> {
    if source == destination { Ok(()) } else { Err(Error::length(what, source, destination)) }
}

/// The arguments of a copy. Its two ends are valid for `bytes` when it runs.
#[derive(Clone, Copy)]
pub(super) struct Copy {
    source: *const c_void,
    destination: *mut c_void,
    pub(super) bytes: usize,
    kind: hipMemcpyKind,
}

impl Copy {
    /// The product cannot overflow: both ends exist.
    fn new<T>(source: *const T, destination: *mut T, len: usize, kind: hipMemcpyKind) -> Self {
        Self { source: source.cast(), destination: destination.cast(), bytes: len * size_of::<T>(), kind }
    }

    pub(super) fn host_to_device<T>(source: *const T, destination: *mut T, len: usize) -> Self {
        Self::new(source, destination, len, hipMemcpyHostToDevice)
    }

    pub(super) fn device_to_host<T>(source: *const T, destination: *mut T, len: usize) -> Self {
        Self::new(source, destination, len, hipMemcpyDeviceToHost)
    }

    pub(super) fn run(self, stream: &Stream, blocking: bool) -> Result<()> {
        observe(stream, || self.operation(), || self.enqueue(stream, blocking))
    }

    fn operation(self) -> Operation {
        let name = match self.kind {
            kind if kind == hipMemcpyHostToDevice => "host to device",
            kind if kind == hipMemcpyDeviceToHost => "device to host",
            _ => "device to device",
        };
        Operation::new("copy", name).detail("bytes", self.bytes)
    }

    fn enqueue(self, stream: &Stream, blocking: bool) -> Result<()> {
        if let Some(captured) = stream.shared().captured()
            && self.kind == hipMemcpyDeviceToDevice
            && !blocking
        {
            // SAFETY: both ends are valid for that many bytes (see the head of this file); the graph owns them or fails.
            return unsafe { captured.copy(self.source, self.destination, self.bytes) };
        }
        let _current = stream.shared().enter()?;
        let name = if blocking { "hipMemcpyWithStream" } else { "hipMemcpyAsync" };
        // SAFETY: both ends are valid for that many bytes (see the head of this file), the stream is alive.
        let status = unsafe { self.call(stream, blocking) };
        stream.runtime().check(status, || {
            let call = Call::new(name).arg("dst", self.destination).arg("src", self.source);
            call.arg("sizeBytes", self.bytes).arg("stream", stream.raw()).on(stream.device().raw())
        })
    }

    /// # Safety
    /// Both ends are valid for `bytes`, until the call returns or, unless it is blocking, until the copy is done.
    unsafe fn call(self, stream: &Stream, blocking: bool) -> Result<hipError_t, MissingSymbol> {
        let (api, Self { source, destination, bytes, kind }) = (stream.runtime().api(), self);
        match blocking {
            // SAFETY: the caller's promise.
            true => unsafe { api.hipMemcpyWithStream(destination, source, bytes, kind, stream.raw()) },
            // SAFETY: the caller's promise.
            false => unsafe { api.hipMemcpyAsync(destination, source, bytes, kind, stream.raw()) },
        }
    }
}
