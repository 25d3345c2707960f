//! Typed buffers in device memory.

use super::block::{ALIGNMENT, overflow};
use super::view::elements;
use super::{Allocation, View, ViewMut};
use crate::{Device, Result, Stream};
use bytemuck::Pod;
use std::fmt;
use std::marker::PhantomData;
use std::ops::RangeBounds;

/// `len` elements of `T` in the memory of one device.
///
/// Work on a buffer is ordered by the wrapper: what comes later waits for what came earlier, across streams too, and
/// dropping a buffer that is still in use is fine. Freed memory is kept for the next buffer of the device; see
/// [`Device::trim`].
///
/// ```no_run
/// # let device = hip::Device::first()?;
/// # let stream = device.stream()?;
/// let mut numbers = hip::DeviceBuffer::<u32>::zeroed(&stream, 1000)?;
/// stream.upload(&[1, 2, 3], numbers.slice_mut(10..13)?)?;
/// assert_eq!(numbers.to_vec(&stream)?[9..14], [0, 1, 2, 3, 0]);
/// # Ok::<(), hip::Error>(())
/// ```
#[doc(alias = "hipMalloc")]
#[doc(alias = "hipFree")]
pub struct DeviceBuffer<T: Pod> {
    allocation: Allocation,
    len: usize,
    marker: PhantomData<T>,
}

impl<T: Pod> DeviceBuffer<T> {
    /// A device aligns its allocations to 256 bytes; no element needs more.
    const ALIGNED: () =
        assert!(align_of::<T>() <= ALIGNMENT, "an element type aligned to more than 256 bytes");

    /// `hipMalloc`: `len` elements whose contents are whatever the memory held before.
    ///
    /// # Errors
    /// [`OutOfMemory`](crate::ErrorKind::OutOfMemory), [`Overflow`](crate::ErrorKind::Overflow), or the failure of the call.
    #[doc(alias = "hipMalloc")]
    pub fn uninit(device: Device, len: usize) -> Result<Self> {
        let () = Self::ALIGNED;
        let bytes = len.checked_mul(size_of::<T>()).ok_or_else(|| overflow(len))?;
        Ok(Self { allocation: Allocation::new(device, bytes)?, len, marker: PhantomData })
    }

    /// `allocation` has that many elements, and is aligned for them.
    pub(super) fn from_allocation(allocation: Allocation, len: usize) -> Self {
        let () = Self::ALIGNED;
        Self { allocation, len, marker: PhantomData }
    }

    pub(super) fn allocation(&self) -> &Allocation {
        &self.allocation
    }

    /// `hipMalloc` and `hipMemsetAsync`: `len` elements of zero bytes.
    ///
    /// # Errors
    /// Those of [`DeviceBuffer::uninit`] and [`Stream::fill`].
    pub fn zeroed(stream: &Stream, len: usize) -> Result<Self> {
        let mut buffer = Self::uninit(stream.device(), len)?;
        stream.fill_zero(&mut buffer)?;
        Ok(buffer)
    }

    /// `hipMalloc` and `hipMemcpyWithStream`: a copy of `elements`.
    ///
    /// # Errors
    /// Those of [`DeviceBuffer::uninit`] and [`Stream::upload`].
    pub fn from_slice(stream: &Stream, elements: &[T]) -> Result<Self> {
        let mut buffer = Self::uninit(stream.device(), elements.len())?;
        stream.upload(elements, &mut buffer)?;
        Ok(buffer)
    }

    /// `hipMemcpyWithStream`: a copy of the elements on the host, after everything that was enqueued on them.
    ///
    /// # Errors
    /// Those of [`Stream::download`].
    pub fn to_vec(&self, stream: &Stream) -> Result<Vec<T>> {
        self.view().to_vec(stream)
    }

    /// The device whose memory it is.
    pub fn device(&self) -> Device {
        self.allocation.device()
    }

    /// Some elements, to read.
    ///
    /// # Errors
    /// [`ErrorKind::Length`](crate::ErrorKind::Length) when the range reaches beyond the buffer.
    pub fn slice(&self, range: impl RangeBounds<usize>) -> Result<View<'_, T>> {
        self.view().slice(range)
    }

    /// Some elements, to write.
    ///
    /// # Errors
    /// [`ErrorKind::Length`](crate::ErrorKind::Length) when the range reaches beyond the buffer.
    pub fn slice_mut(&mut self, range: impl RangeBounds<usize>) -> Result<ViewMut<'_, T>> {
        self.view_mut().slice(range)
    }
}

elements! { [T: Pod] DeviceBuffer<T> }

impl<T: Pod> fmt::Debug for DeviceBuffer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceBuffer")
            .field("device", &self.device())
            .field("address", &self.allocation.address())
            .field("len", &self.len)
            .finish()
    }
}
