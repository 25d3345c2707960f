//! Buffers in two and three dimensions, whose rows are padded.

use super::block::{ALIGNMENT, overflow};
use super::volume::{Place, count};
use super::{Allocation, Extent, Region, RegionMut, View, ViewMut};
use crate::{Device, Error, ErrorKind, Result, Stream};
use bytemuck::Pod;
use std::fmt;
use std::marker::PhantomData;

/// Elements in two or three dimensions in the memory of one device. Rows begin at multiples of 256 bytes, so that they can be
/// read as a texture and wavefronts read whole cache lines.
///
/// A kernel gets all of it as one slice ([`view`](Self::view)) in which element (x, y, z) has the index
/// `(z * height + y) * pitch + x`.
///
/// ```no_run
/// # let device = hip::Device::first()?;
/// # let stream = device.stream()?;
/// let mut image = hip::PitchedBuffer::<f32>::uninit(device, (640, 480))?;
/// stream.fill_region(&mut image, 0.5)?;
/// stream.upload_region(&[1.0; 20], image.region_mut([10, 20, 0], (5, 4))?)?;
/// assert_eq!(image.to_vec(&stream)?.len(), 640 * 480);
/// # Ok::<(), hip::Error>(())
/// ```
#[doc(alias = "hipMallocPitch")]
#[doc(alias = "hipMemAllocPitch")]
#[doc(alias = "hipMalloc3D")]
pub struct PitchedBuffer<T: Pod> {
    allocation: Allocation,
    extent: Extent,
    /// In elements.
    pitch: usize,
    marker: PhantomData<T>,
}

impl<T: Pod> PitchedBuffer<T> {
    /// A device aligns its allocations to 256 bytes; no element needs more.
    const ALIGNED: () =
        assert!(align_of::<T>() <= ALIGNMENT, "an element type aligned to more than 256 bytes");

    /// Elements whose contents are whatever the memory held before. The memory comes from the device's cache, as that of a
    /// [`DeviceBuffer`](crate::DeviceBuffer) does.
    ///
    /// # Errors
    /// [`OutOfMemory`](ErrorKind::OutOfMemory), [`Overflow`](ErrorKind::Overflow), or the failure of `hipMalloc`.
    #[doc(alias = "hipMallocPitch")]
    #[doc(alias = "hipMalloc3D")]
    pub fn uninit(device: Device, extent: impl Into<Extent>) -> Result<Self> {
        let () = Self::ALIGNED;
        let extent = extent.into();
        let len = count(extent)?;
        let pitch = pitch::<T>(extent.width).ok_or_else(|| overflow(len))?;
        let rows = extent.height.checked_mul(extent.depth).and_then(|rows| rows.checked_mul(pitch));
        let bytes = rows.and_then(|elements| elements.checked_mul(size_of::<T>()));
        let allocation = Allocation::new(device, bytes.ok_or_else(|| overflow(len))?)?;
        Ok(Self { allocation, extent, pitch, marker: PhantomData })
    }

    /// Elements of zero bytes.
    ///
    /// # Errors
    /// Those of [`PitchedBuffer::uninit`] and [`Stream::fill`].
    pub fn zeroed(stream: &Stream, extent: impl Into<Extent>) -> Result<Self> {
        let mut buffer = Self::uninit(stream.device(), extent)?;
        stream.fill_zero(buffer.view_mut())?;
        Ok(buffer)
    }

    /// A copy of elements that lie without gaps, x first.
    ///
    /// # Errors
    /// Those of [`PitchedBuffer::uninit`] and [`Stream::upload_region`].
    pub fn from_slice(stream: &Stream, extent: impl Into<Extent>, elements: &[T]) -> Result<Self> {
        let mut buffer = Self::uninit(stream.device(), extent)?;
        stream.upload_region(elements, &mut buffer)?;
        Ok(buffer)
    }

    /// A copy of the elements on the host, without gaps, x first.
    ///
    /// # Errors
    /// Those of [`Stream::download_region`].
    pub fn to_vec(&self, stream: &Stream) -> Result<Vec<T>> {
        download(stream, self.all(), self.extent)
    }

    /// The elements along each dimension.
    pub fn extent(&self) -> Extent {
        self.extent
    }

    /// The elements from one row to the next, padding included.
    pub fn pitch(&self) -> usize {
        self.pitch
    }

    /// The device whose memory it is.
    pub fn device(&self) -> Device {
        self.allocation.device()
    }

    /// Everything as one slice, padding included, to read.
    pub fn view(&self) -> View<'_, T> {
        View::new(&self.allocation, self.allocation.address().cast(), self.padded())
    }

    /// Everything as one slice, padding included, to write.
    pub fn view_mut(&mut self) -> ViewMut<'_, T> {
        ViewMut::new(&self.allocation, self.allocation.address().cast(), self.padded())
    }

    /// A box of elements, to read: where it begins along x, y and z, and its extent.
    ///
    /// # Errors
    /// [`ErrorKind::Length`] when it reaches beyond the buffer.
    pub fn region(&self, origin: [usize; 3], extent: impl Into<Extent>) -> Result<Region<'_, T>> {
        self.all().region(origin, extent)
    }

    /// A box of elements, to write.
    ///
    /// # Errors
    /// [`ErrorKind::Length`] when it reaches beyond the buffer.
    pub fn region_mut(&mut self, origin: [usize; 3], extent: impl Into<Extent>) -> Result<RegionMut<'_, T>> {
        RegionMut::from(self).region(origin, extent)
    }

    fn all(&self) -> Region<'_, T> {
        Region::new(&self.allocation, self.place(), self.extent)
    }

    fn place(&self) -> Place {
        let (address, pitch) = (self.allocation.address(), self.pitch * size_of::<T>());
        Place::Pitched { address, pitch, rows: self.extent.height }
    }

    /// The product cannot overflow: the memory exists.
    fn padded(&self) -> usize {
        self.pitch * self.extent.height * self.extent.depth
    }
}

/// The least pitch in elements that is a multiple of 256 bytes. `None` when it does not fit into a `usize`.
fn pitch<T>(width: usize) -> Option<usize> {
    let size = size_of::<T>();
    if size == 0 {
        return Some(width);
    }
    // Elements whose bytes are the least common multiple of both: a size divides 2^8 as often as it has a factor 2.
    let step = ALIGNMENT >> size.trailing_zeros().min(ALIGNMENT.trailing_zeros());
    width.checked_next_multiple_of(step)
}

/// The elements of a region on the host.
pub(crate) fn download<T: Pod>(stream: &Stream, region: Region<'_, T>, extent: Extent) -> Result<Vec<T>> {
    let (len, mut elements) = (count(extent)?, Vec::new());
    if elements.try_reserve_exact(len).is_err() {
        return Err(Error::new(ErrorKind::OutOfMemory { requested: len }, "out of host memory"));
    }
    elements.resize(len, T::zeroed());
    stream.download_region(region, &mut elements)?;
    Ok(elements)
}

impl<'a, T: Pod> From<&'a PitchedBuffer<T>> for Region<'a, T> {
    fn from(buffer: &'a PitchedBuffer<T>) -> Self {
        buffer.all()
    }
}

impl<'a, T: Pod> From<&'a mut PitchedBuffer<T>> for RegionMut<'a, T> {
    fn from(buffer: &'a mut PitchedBuffer<T>) -> Self {
        RegionMut::new(&buffer.allocation, buffer.place(), buffer.extent)
    }
}

impl<T: Pod> fmt::Debug for PitchedBuffer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PitchedBuffer")
            .field("device", &self.device())
            .field("extent", &self.extent)
            .field("pitch", &self.pitch)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::pitch;

    #[test]
    fn rows_are_whole_elements_and_multiples_of_256_bytes() {
        assert_eq!((pitch::<u8>(1), pitch::<f32>(64), pitch::<f32>(65)), (Some(256), Some(64), Some(128)));
        assert_eq!((pitch::<[u8; 3]>(10), pitch::<[f32; 3]>(10)), (Some(256), Some(64)));
        assert_eq!(
            (pitch::<[u8; 1024]>(3), pitch::<()>(7), pitch::<u8>(usize::MAX)),
            (Some(3), Some(7), None)
        );
    }
}
