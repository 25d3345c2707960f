//! Arrays: elements in a layout that suits the texture units.
//!
//! # Safety
//! An array's handle is what its allocation has for an address: it is freed once, by the function that belongs to the one
//! that made it, when everything that used it is done. Levels of a mipmapped array belong to it and live as long.
//!
//! Handles name objects of the runtime, whose calls may come from any thread, hence `Send` and `Sync`.
#![allow(unsafe_code)]

use super::Texel;
use crate::error::{Call, ErrorCode};
use crate::memory::{Allocation, Freed, Local, Place, download, required};
use crate::{Device, Error, ErrorKind, Extent, Region, RegionMut, Result, Stream};
use hip_sys::{
    hipArray_t, hipArrayCubemap, hipArrayDefault, hipArrayLayered, hipArraySurfaceLoadStore, hipExtent,
    hipMipmappedArray_t,
};
use std::ffi::c_uint;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

/// What the dimensions of an array mean.
///
/// ```no_run
/// # let device = hip::Device::first()?;
/// use hip::texture::{Array, ArrayKind};
/// let layers = Array::<f32>::with_kind(device, (64, 64, 10), ArrayKind::Layered)?;
/// # Ok::<(), hip::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ArrayKind {
    /// As many dimensions as have an extent other than 1.
    #[default]
    Plain,
    /// The depth counts layers of one or two dimensions.
    #[doc(alias = "hipArrayLayered")]
    Layered,
    /// The depth is 6: the sides of a cube.
    #[doc(alias = "hipArrayCubemap")]
    Cubemap,
    /// The depth is a multiple of 6.
    LayeredCubemap,
}

impl ArrayKind {
    fn flags(self) -> u32 {
        match self {
            Self::Plain => hipArrayDefault,
            Self::Layered => hipArrayLayered,
            Self::Cubemap => hipArrayCubemap,
            Self::LayeredCubemap => hipArrayLayered | hipArrayCubemap,
        }
    }

    /// The extent as HIP wants it: dimensions that are not used are 0.
    fn raw(self, Extent { width, height, depth }: Extent) -> hipExtent {
        let depth = if depth == 1 && self == Self::Plain { 0 } else { depth };
        let height = if height == 1 && (depth == 0 || self == Self::Layered) { 0 } else { height };
        hipExtent { width, height, depth }
    }
}

/// Elements in one, two or three dimensions, in a layout that suits the texture units. Clones are the same array.
///
/// Work on an array is ordered by the wrapper, as that on a [`DeviceBuffer`](crate::DeviceBuffer) is. The array is freed when
/// the last clone, [`Texture`](super::Texture) and [`Surface`](super::Surface) of it is dropped, which waits for its work.
///
/// ```no_run
/// # let stream = hip::Device::first()?.stream()?;
/// use hip::texture::Array;
/// let image = Array::from_slice(&stream, (2, 2), &[[255u8, 0, 0, 255]; 4])?;
/// assert_eq!(image.to_vec(&stream)?[3], [255, 0, 0, 255]);
/// # Ok::<(), hip::Error>(())
/// ```
#[doc(alias = "hipMallocArray")]
#[doc(alias = "hipFreeArray")]
#[doc(alias = "hipArrayDestroy")]
pub struct Array<T: Texel> {
    allocation: Arc<Allocation>,
    extent: Extent,
    kind: ArrayKind,
    texels: PhantomData<T>,
}

impl<T: Texel> Array<T> {
    /// `hipMallocArray` or `hipMalloc3DArray`: elements whose contents are whatever the memory held before.
    ///
    /// # Errors
    /// [`OutOfMemory`](ErrorKind::OutOfMemory), or the failure of the call.
    pub fn uninit(device: Device, extent: impl Into<Extent>) -> Result<Self> {
        Self::with_kind(device, extent, ArrayKind::Plain)
    }

    /// As [`uninit`](Self::uninit), for layers and cubes.
    ///
    /// # Errors
    /// Those of [`Array::uninit`].
    #[doc(alias = "hipMallocArray")]
    #[doc(alias = "hipMalloc3DArray")]
    #[doc(alias = "hipArrayCreate")]
    #[doc(alias = "hipArray3DCreate")]
    pub fn with_kind(device: Device, extent: impl Into<Extent>, kind: ArrayKind) -> Result<Self> {
        let extent = extent.into();
        let bytes = byte_count::<T>(extent)?;
        let _current = device.enter()?;
        let (format, size, api) = (T::FORMAT.raw(), kind.raw(extent), device.runtime().api());
        let mut array: hipArray_t = std::ptr::null_mut();
        let mut create = |flags| {
            if size.depth == 0 && kind == ArrayKind::Plain {
                let (width, height) = (size.width, size.height);
                // SAFETY: the out-pointer and the description are live locals.
                let status = unsafe { api.hipMallocArray(&mut array, &format, width, height, flags) };
                return ("hipMallocArray", status);
            }
            // SAFETY: as above.
            ("hipMalloc3DArray", unsafe { api.hipMalloc3DArray(&mut array, &format, size, flags) })
        };
        let (mut name, mut status) = create(kind.flags() | hipArraySurfaceLoadStore);
        if matches!(status, Ok(code) if ErrorCode::from(code) == ErrorCode::NOT_SUPPORTED) {
            // HIP 5.2 refuses the flag, and makes surfaces of arrays without it.
            device.runtime().clear_last_error();
            (name, status) = create(kind.flags());
        }
        let call = || Call::new(name).arg("desc", format).arg("extent", extent).on(device.raw());
        let array = required(device, bytes, status, array.cast(), call)?;
        // SAFETY: hipFreeArray takes what both functions return.
        let owner = Freed::by("hipFreeArray", |api, array| unsafe { api.hipFreeArray(array.cast()) });
        // HIP 5.2 ends the process when an array is freed that another device has copied.
        let allocation = Allocation::owned(device, array.as_ptr(), bytes, Local(owner));
        Ok(Self { allocation: Arc::new(allocation), extent, kind, texels: PhantomData })
    }

    /// A copy of elements that lie without gaps, x first.
    ///
    /// # Errors
    /// Those of [`Array::uninit`] and [`Stream::upload_region`].
    pub fn from_slice(stream: &Stream, extent: impl Into<Extent>, elements: &[T]) -> Result<Self> {
        let array = Self::uninit(stream.device(), extent)?;
        stream.upload_region(elements, &array)?;
        Ok(array)
    }

    /// A copy of the elements on the host, without gaps, x first.
    ///
    /// # Errors
    /// Those of [`Stream::download_region`].
    pub fn to_vec(&self, stream: &Stream) -> Result<Vec<T>> {
        download(stream, self.into(), self.extent)
    }

    /// The elements along each dimension.
    #[doc(alias = "hipArrayGetInfo")]
    #[doc(alias = "hipArrayGetDescriptor")]
    #[doc(alias = "hipArray3DGetDescriptor")]
    #[doc(alias = "hipGetChannelDesc")]
    pub fn extent(&self) -> Extent {
        self.extent
    }

    /// What the dimensions mean.
    pub fn kind(&self) -> ArrayKind {
        self.kind
    }

    /// The device whose memory it is.
    pub fn device(&self) -> Device {
        self.allocation.device()
    }

    /// The handle, for calls that this crate does not wrap.
    pub fn raw(&self) -> hipArray_t {
        self.allocation.address().cast()
    }

    /// A box of elements, to read: where it begins along x, y and z, and its extent.
    ///
    /// # Errors
    /// [`ErrorKind::Length`] when it reaches beyond the array.
    pub fn region(&self, origin: [usize; 3], extent: impl Into<Extent>) -> Result<Region<'_, T>> {
        Region::from(self).region(origin, extent)
    }

    /// A box of elements, to write. Arrays are shared, so this needs no exclusive borrow: writes are ordered.
    ///
    /// # Errors
    /// [`ErrorKind::Length`] when it reaches beyond the array.
    pub fn region_mut(&self, origin: [usize; 3], extent: impl Into<Extent>) -> Result<RegionMut<'_, T>> {
        RegionMut::from(self).region(origin, extent)
    }

    pub(super) fn allocation(&self) -> &Allocation {
        &self.allocation
    }

    fn place(&self) -> Place {
        Place::Array { array: self.raw(), position: [0; 3] }
    }
}

impl<T: Texel> Clone for Array<T> {
    fn clone(&self) -> Self {
        Self { allocation: self.allocation.clone(), ..*self }
    }
}

impl<'a, T: Texel> From<&'a Array<T>> for Region<'a, T> {
    fn from(array: &'a Array<T>) -> Self {
        Region::new(&array.allocation, array.place(), array.extent)
    }
}

impl<'a, T: Texel> From<&'a Array<T>> for RegionMut<'a, T> {
    fn from(array: &'a Array<T>) -> Self {
        RegionMut::new(&array.allocation, array.place(), array.extent)
    }
}

impl<T: Texel> fmt::Debug for Array<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Array")
            .field("extent", &self.extent)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// An array with smaller copies of itself: each level has half the extent of the one before. Clones are the same array.
///
/// AMD's runtime has them on Windows only, and answers `hipErrorNotSupported` elsewhere.
///
/// ```no_run
/// # let stream = hip::Device::first()?.stream()?;
/// let mip = hip::texture::MipmappedArray::<f32>::uninit(stream.device(), (64, 64), 7)?;
/// stream.upload_region(&[0.5; 32 * 32], mip.level_mut(1)?)?;
/// # Ok::<(), hip::Error>(())
/// ```
#[doc(alias = "hipMallocMipmappedArray")]
#[doc(alias = "hipFreeMipmappedArray")]
pub struct MipmappedArray<T: Texel> {
    allocation: Arc<Allocation>,
    levels: Arc<[Level]>,
    texels: PhantomData<T>,
}

struct Level {
    array: hipArray_t,
    extent: Extent,
}

// SAFETY: the handle names an object of the runtime that may be used from any thread.
unsafe impl Send for Level {}
// SAFETY: as above.
unsafe impl Sync for Level {}

impl<T: Texel> MipmappedArray<T> {
    /// `hipMallocMipmappedArray`: elements whose contents are whatever the memory held before, in `levels` levels.
    ///
    /// # Errors
    /// [`OutOfMemory`](ErrorKind::OutOfMemory), or the failure of a call.
    #[doc(alias = "hipMallocMipmappedArray")]
    #[doc(alias = "hipMipmappedArrayCreate")]
    #[doc(alias = "hipMipmappedArrayDestroy")]
    pub fn uninit(device: Device, extent: impl Into<Extent>, levels: u32) -> Result<Self> {
        let extent = extent.into();
        let bytes = byte_count::<T>(extent)?;
        let _current = device.enter()?;
        let (format, size) = (T::FORMAT.raw(), ArrayKind::Plain.raw(extent));
        let mut mipmap: hipMipmappedArray_t = std::ptr::null_mut();
        let (api, flags) = (device.runtime().api(), hipArraySurfaceLoadStore);
        // SAFETY: the out-pointer and the description are live locals.
        let status = unsafe { api.hipMallocMipmappedArray(&mut mipmap, &format, size, levels, flags) };
        let call = || Call::new("hipMallocMipmappedArray").arg("extent", extent).arg("numLevels", levels);
        let mipmap = required(device, bytes, status, mipmap.cast(), || call().on(device.raw()))?;
        let owner = Freed::by("hipFreeMipmappedArray", |api, mipmap| {
            // SAFETY: hipFreeMipmappedArray takes what hipMallocMipmappedArray returns.
            unsafe { api.hipFreeMipmappedArray(mipmap.cast()) }
        });
        let allocation = Allocation::owned(device, mipmap.as_ptr(), bytes, Local(owner));
        let levels: Result<Vec<Level>> =
            (0..levels).map(|number| level(device, mipmap.as_ptr().cast(), number, extent)).collect();
        Ok(Self { allocation: Arc::new(allocation), levels: levels?.into(), texels: PhantomData })
    }

    /// How many levels there are.
    pub fn levels(&self) -> usize {
        self.levels.len()
    }

    /// A level's elements, to read.
    ///
    /// # Errors
    /// [`ErrorKind::Length`] when there are not that many levels.
    #[doc(alias = "hipGetMipmappedArrayLevel")]
    pub fn level(&self, number: usize) -> Result<Region<'_, T>> {
        let level = self.find(number)?;
        let place = Place::Array { array: level.array, position: [0; 3] };
        Ok(Region::new(&self.allocation, place, level.extent))
    }

    /// A level's elements, to write.
    ///
    /// # Errors
    /// [`ErrorKind::Length`] when there are not that many levels.
    #[doc(alias = "hipGetMipmappedArrayLevel")]
    #[doc(alias = "hipMipmappedArrayGetLevel")]
    pub fn level_mut(&self, number: usize) -> Result<RegionMut<'_, T>> {
        let level = self.find(number)?;
        let place = Place::Array { array: level.array, position: [0; 3] };
        Ok(RegionMut::new(&self.allocation, place, level.extent))
    }

    /// The device whose memory it is.
    pub fn device(&self) -> Device {
        self.allocation.device()
    }

    /// The handle, for calls that this crate does not wrap.
    pub fn raw(&self) -> hipMipmappedArray_t {
        self.allocation.address().cast()
    }

    pub(super) fn allocation(&self) -> &Allocation {
        &self.allocation
    }

    pub(super) fn extent(&self) -> Extent {
        self.levels.first().map_or(Extent::from(0), |level| level.extent)
    }

    fn find(&self, number: usize) -> Result<&Level> {
        self.levels
            .get(number)
            .ok_or_else(|| Error::length("a level", number.saturating_add(1), self.levels.len()))
    }
}

/// `hipGetMipmappedArrayLevel`. The level belongs to the array.
fn level(device: Device, mipmap: hipMipmappedArray_t, number: c_uint, extent: Extent) -> Result<Level> {
    let mut array: hipArray_t = std::ptr::null_mut();
    // SAFETY: the out-pointer is to a live local, the handle is alive.
    let status = unsafe { device.runtime().api().hipGetMipmappedArrayLevel(&mut array, mipmap, number) };
    let call = || Call::new("hipGetMipmappedArrayLevel").arg("level", number).on(device.raw());
    device.runtime().check(status, call)?;
    let half = |elements: usize| elements.checked_shr(number).unwrap_or(0).max(1);
    let extent = Extent { width: half(extent.width), height: half(extent.height), depth: half(extent.depth) };
    Ok(Level { array, extent })
}

impl<T: Texel> Clone for MipmappedArray<T> {
    fn clone(&self) -> Self {
        Self { allocation: self.allocation.clone(), levels: self.levels.clone(), texels: PhantomData }
    }
}

impl<T: Texel> fmt::Debug for MipmappedArray<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MipmappedArray")
            .field("extent", &self.extent())
            .field("levels", &self.levels())
            .finish()
    }
}

/// The bytes of an array: of no use to HIP, but there must be some, and not too many.
fn byte_count<T>(extent: Extent) -> Result<usize> {
    let bytes = extent.count().and_then(|count| count.checked_mul(size_of::<T>()));
    match bytes {
        Some(0) => Err(Error::length("an array", 1, 0)),
        Some(bytes) => Ok(bytes),
        None => {
            let message = format!("an array of {extent:?} does not fit into the address space");
            Err(Error::new(ErrorKind::Overflow, message))
        }
    }
}
