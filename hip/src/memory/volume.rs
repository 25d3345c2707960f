//! Boxes of elements in up to three dimensions, and copies between them.
//!
//! # Safety
//! A region lies inside the buffer or array that it was taken from, which its allocation's uses keep alive; the host's end
//! of a copy holds as many elements as the device's. Copies from and to the host are waited for by a
//! [`scope`](super::scope()) before the borrow ends.
//! The regions are `Send` and `Sync` as views are: they only allow to enqueue work.
#![allow(unsafe_code)]

use super::copy::same_length;
use super::pending::give_up;
use super::scope::scope;
use super::{Access, Allocation, HostMemory, Pattern, Pending, ViewMut};
use crate::error::Call;
use crate::{Device, Error, ErrorKind, Result, Stream};
use bytemuck::Pod;
use hip_sys::{
    hipArray_t, hipExtent, hipMemcpy3DParms, hipMemcpyDeviceToDevice, hipMemcpyDeviceToHost,
    hipMemcpyHostToDevice, hipMemcpyKind, hipPitchedPtr, hipPos,
};
use std::ffi::c_void;
use std::fmt;
use std::marker::PhantomData;

/// Elements along x, y and z. Dimensions that are not used have the extent 1.
///
/// ```
/// use hip::Extent;
/// assert_eq!(Extent::from((640, 480)), Extent { width: 640, height: 480, depth: 1 });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Extent {
    /// Along x.
    pub width: usize,
    /// Along y.
    pub height: usize,
    /// Along z.
    pub depth: usize,
}

impl Extent {
    /// The number of elements. `None` when it does not fit into a `usize`.
    pub const fn count(self) -> Option<usize> {
        match self.width.checked_mul(self.height) {
            Some(plane) => plane.checked_mul(self.depth),
            None => None,
        }
    }
}

impl From<usize> for Extent {
    fn from(width: usize) -> Self {
        Self { width, height: 1, depth: 1 }
    }
}

impl From<(usize, usize)> for Extent {
    fn from((width, height): (usize, usize)) -> Self {
        Self { width, height, depth: 1 }
    }
}

impl From<(usize, usize, usize)> for Extent {
    fn from((width, height, depth): (usize, usize, usize)) -> Self {
        Self { width, height, depth }
    }
}

/// Where a box of elements begins.
#[derive(Clone, Copy)]
pub(crate) enum Place {
    /// At an address, in rows that are `pitch` bytes apart and planes that are `rows` rows apart.
    Pitched { address: *mut c_void, pitch: usize, rows: usize },
    /// One row, so many bytes behind the start of its memory.
    Row { memory: *mut c_void, offset: usize },
    /// In an array, at a position in elements.
    Array { array: hipArray_t, position: [usize; 3] },
}

impl Place {
    /// The place `origin` elements further.
    fn at<T>(self, [x, y, z]: [usize; 3]) -> Self {
        match self {
            Self::Pitched { address, pitch, rows } => {
                let offset = (z * rows + y) * pitch + x * size_of::<T>();
                Self::Pitched { address: address.wrapping_byte_add(offset), pitch, rows }
            }
            Self::Row { memory, offset } => Self::Row { memory, offset: offset + x * size_of::<T>() },
            Self::Array { array, position: [a, b, c] } => {
                Self::Array { array, position: [a + x, b + y, c + z] }
            }
        }
    }

    /// Elements in host memory, without gaps.
    fn host<T>(elements: *mut T, extent: Extent) -> Self {
        Self::Pitched { address: elements.cast(), pitch: extent.width * size_of::<T>(), rows: extent.height }
    }

    /// The three fields that an end of a `hipMemcpy3DParms` has.
    fn raw(self, width: usize) -> (hipArray_t, hipPos, hipPitchedPtr) {
        let nowhere = hipPitchedPtr { ptr: std::ptr::null_mut(), pitch: 0, xsize: 0, ysize: 0 };
        match self {
            Self::Pitched { address, pitch, rows } => {
                let pointer = hipPitchedPtr { ptr: address, pitch, xsize: width, ysize: rows };
                (std::ptr::null_mut(), hipPos { x: 0, y: 0, z: 0 }, pointer)
            }
            Self::Row { memory, offset } => {
                let pointer = hipPitchedPtr { ptr: memory, pitch: offset + width, xsize: width, ysize: 1 };
                (std::ptr::null_mut(), hipPos { x: offset, y: 0, z: 0 }, pointer)
            }
            Self::Array { array, position: [x, y, z] } => (array, hipPos { x, y, z }, nowhere),
        }
    }
}

macro_rules! region {
    ($(#[$doc:meta])* $name:ident of $reference:ty) => {
        $(#[$doc])*
        pub struct $name<'a, T: Pod> {
            allocation: &'a Allocation,
            place: Place,
            extent: Extent,
            elements: PhantomData<$reference>,
        }

        // SAFETY: as for views, see the head of this file.
        unsafe impl<T: Pod + Sync> Send for $name<'_, T> {}
        // SAFETY: as above.
        unsafe impl<T: Pod + Sync> Sync for $name<'_, T> {}

        impl<'a, T: Pod> $name<'a, T> {
            pub(crate) fn new(allocation: &'a Allocation, place: Place, extent: Extent) -> Self {
                Self { allocation, place, extent, elements: PhantomData }
            }

            /// Its elements along each dimension.
            pub fn extent(&self) -> Extent {
                self.extent
            }

            /// The device whose memory it is.
            pub fn device(&self) -> Device {
                self.allocation.device()
            }

            /// The elements of a box within: where it begins along x, y and z, and its extent.
            ///
            /// # Errors
            /// [`ErrorKind::Length`] when it reaches beyond this one.
            pub fn region(self, origin: [usize; 3], extent: impl Into<Extent>) -> Result<Self> {
                let (own, extent) = (self.extent, extent.into());
                let ends = [(extent.width, own.width), (extent.height, own.height), (extent.depth, own.depth)];
                for (start, (len, own)) in origin.into_iter().zip(ends) {
                    if start.checked_add(len).is_none_or(|end| end > own) {
                        return Err(Error::length("a region", start.saturating_add(len), own));
                    }
                }
                Ok(Self::new(self.allocation, self.place.at::<T>(origin), extent))
            }
        }

        impl<T: Pod> fmt::Debug for $name<'_, T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).field("extent", &self.extent).finish_non_exhaustive()
            }
        }
    };
}

region! {
    /// A box of elements of a [`PitchedBuffer`](crate::PitchedBuffer) or an [`Array`](crate::texture::Array), to read: what a
    /// [`View`](crate::View) is to a [`DeviceBuffer`](crate::DeviceBuffer).
    ///
    /// ```no_run
    /// # let stream = hip::Device::first()?.stream()?;
    /// let image = hip::PitchedBuffer::<f32>::zeroed(&stream, (640, 480))?;
    /// // 5 columns and 4 rows, from column 10 and row 20 on.
    /// let part: hip::Region<'_, f32> = image.region([10, 20, 0], (5, 4))?;
    /// let mut elements = [1.0; 20];
    /// stream.download_region(part, &mut elements)?;
    /// assert_eq!(elements, [0.0; 20]);
    /// # Ok::<(), hip::Error>(())
    /// ```
    Region of &'a [T]
}

region! {
    /// A box of elements of a [`PitchedBuffer`](crate::PitchedBuffer) or an [`Array`](crate::texture::Array), to write: what a
    /// [`ViewMut`](crate::ViewMut) is to a [`DeviceBuffer`](crate::DeviceBuffer).
    ///
    /// ```no_run
    /// # let stream = hip::Device::first()?.stream()?;
    /// let mut image = hip::PitchedBuffer::<f32>::zeroed(&stream, (640, 480))?;
    /// let part: hip::RegionMut<'_, f32> = image.region_mut([10, 20, 0], (5, 4))?;
    /// stream.fill_region(part, 1.0)?;
    /// # Ok::<(), hip::Error>(())
    /// ```
    RegionMut of &'a mut [T]
}

impl<T: Pod> Clone for Region<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Pod> Copy for Region<'_, T> {}

/// A copy's arguments. Both ends are valid for the extent when it runs.
struct BoxCopy {
    from: Place,
    to: Place,
    extent: Extent,
    element: usize,
    kind: hipMemcpyKind,
}

impl BoxCopy {
    /// Whether one end is an array and the other is none. HIP 5.2 takes that other end for one without gaps at the start of
    /// its memory, so rows have to be copied one by one.
    fn is_mixed(&self) -> bool {
        matches!(
            (self.from, self.to),
            (Place::Pitched { .. }, Place::Array { .. }) | (Place::Array { .. }, Place::Pitched { .. })
        )
    }

    /// The copy as one for each row; the ends' memory starts at the addresses.
    fn rows<T>(&self, from: *mut c_void, to: *mut c_void) -> impl Iterator<Item = Self> {
        let &Self { from: source, to: target, extent: Extent { width, height, depth }, element, kind } = self;
        let row = |place: Place, memory: *mut c_void| match place {
            Place::Pitched { address, .. } => Place::Row { memory, offset: address.addr() - memory.addr() },
            other => other,
        };
        (0..depth).flat_map(move |z| (0..height).map(move |y| [0, y, z])).map(move |at| {
            let extent = Extent { width, height: 1, depth: 1 };
            let (from, to) = (row(source.at::<T>(at), from), row(target.at::<T>(at), to));
            Self { from, to, extent, element, kind }
        })
    }

    fn run(&self, stream: &Stream) -> Result<()> {
        let _current = stream.shared().enter()?;
        let Self { from, to, extent: Extent { width, height, depth }, element, kind } = *self;
        let (src_array, src_pos, src_ptr) = from.raw(width * element);
        let (dst_array, dst_pos, dst_ptr) = to.raw(width * element);
        // Elements where an array takes part, else bytes (hip_runtime_api.h, hipMemcpy3DParms).
        let has_array = !src_array.is_null() || !dst_array.is_null();
        let width = if has_array { width } else { width * element };
        let parameters = hipMemcpy3DParms {
            srcArray: src_array,
            srcPos: src_pos,
            srcPtr: src_ptr,
            dstArray: dst_array,
            dstPos: dst_pos,
            dstPtr: dst_ptr,
            extent: hipExtent { width, height, depth },
            kind,
        };
        // SAFETY: both ends are valid for the extent (see the head of this file), the stream is alive.
        let status = unsafe { stream.runtime().api().hipMemcpy3DAsync(&parameters, stream.raw()) };
        let call = || Call::new("hipMemcpy3DAsync").arg("extent", self.extent).arg("element", element);
        stream.runtime().check(status, || call().arg("stream", stream.raw()).on(stream.device().raw()))
    }
}

/// How many elements a box has.
pub(super) fn count(extent: Extent) -> Result<usize> {
    let overflow =
        || Error::new(ErrorKind::Overflow, format!("{extent:?} does not fit into the address space"));
    extent.count().ok_or_else(overflow)
}

impl Stream {
    /// `hipMemcpy3DAsync`: copies host memory to a box of elements and waits. The host's elements lie without gaps, x first.
    ///
    /// # Errors
    /// [`Length`](ErrorKind::Length) when the box has another number of elements, [`WrongDevice`](ErrorKind::WrongDevice), or
    /// the failure of the call.
    #[doc(alias = "hipMemcpy2D")]
    #[doc(alias = "hipMemcpy2DToArray")]
    #[doc(alias = "hipMemcpyToArray")]
    #[doc(alias = "hipMemcpyHtoA")]
    #[doc(alias = "hipMemcpy3D")]
    #[doc(alias = "hipMemcpyParam2D")]
    #[doc(alias = "hipDrvMemcpy2DUnaligned")]
    #[doc(alias = "hipDrvMemcpy3D")]
    pub fn upload_region<'a, T: Pod>(
        &self,
        source: &[T],
        destination: impl Into<RegionMut<'a, T>>,
    ) -> Result<()> {
        let destination = destination.into();
        let host = Place::host(source.as_ptr().cast_mut(), destination.extent);
        scope(|scope| {
            scope.lend_to(self)?;
            self.upload_box(source.len(), host, &destination)
        })
    }

    /// `hipMemcpy3DAsync`: as [`upload_region`](Self::upload_region) without waiting; the host memory comes back when the copy
    /// is done.
    ///
    /// # Errors
    /// Those of [`Stream::upload_region`]; the host memory is dropped then.
    #[doc(alias = "hipMemcpy2DAsync")]
    #[doc(alias = "hipMemcpy2DToArrayAsync")]
    #[doc(alias = "hipMemcpyHtoAAsync")]
    #[doc(alias = "hipMemcpy3DAsync")]
    #[doc(alias = "hipMemcpyParam2DAsync")]
    #[doc(alias = "hipDrvMemcpy3DAsync")]
    pub fn upload_region_async<'a, H: HostMemory>(
        &self,
        mut source: H,
        destination: impl Into<RegionMut<'a, H::Element>>,
    ) -> Result<Pending<H>> {
        let destination = destination.into();
        self.shared().refuse_owned()?;
        let (elements, len) = source.raw();
        let outcome = self.upload_box(len, Place::host(elements, destination.extent), &destination);
        self.pend(source, outcome)
    }

    /// `hipMemcpy3DAsync`: copies a box of elements to the host and waits. The host's elements lie without gaps, x first.
    ///
    /// # Errors
    /// Those of [`Stream::upload_region`].
    #[doc(alias = "hipMemcpy2D")]
    #[doc(alias = "hipMemcpy2DFromArray")]
    #[doc(alias = "hipMemcpyFromArray")]
    #[doc(alias = "hipMemcpyAtoH")]
    #[doc(alias = "hipMemcpy3D")]
    pub fn download_region<'a, T: Pod>(
        &self,
        source: impl Into<Region<'a, T>>,
        destination: &mut [T],
    ) -> Result<()> {
        let source = source.into();
        let host = Place::host(destination.as_mut_ptr(), source.extent);
        scope(|scope| {
            scope.lend_to(self)?;
            self.download_box(destination.len(), host, &source)
        })
    }

    /// `hipMemcpy3DAsync`: as [`download_region`](Self::download_region) without waiting; the host memory comes back when the
    /// copy is done.
    ///
    /// # Errors
    /// Those of [`Stream::upload_region`]; the host memory is dropped then.
    #[doc(alias = "hipMemcpy2DAsync")]
    #[doc(alias = "hipMemcpy2DFromArrayAsync")]
    #[doc(alias = "hipMemcpyAtoHAsync")]
    #[doc(alias = "hipMemcpy3DAsync")]
    pub fn download_region_async<'a, H: HostMemory>(
        &self,
        source: impl Into<Region<'a, H::Element>>,
        mut destination: H,
    ) -> Result<Pending<H>> {
        let source = source.into();
        self.shared().refuse_owned()?;
        let (elements, len) = destination.raw();
        let outcome = self.download_box(len, Place::host(elements, source.extent), &source);
        self.pend(destination, outcome)
    }

    /// `hipMemcpy3DAsync`: copies between boxes of the same extent on the device, in stream order, without waiting.
    ///
    /// # Errors
    /// Those of [`Stream::upload_region`].
    #[doc(alias = "hipMemcpy2DArrayToArray")]
    #[doc(alias = "hipMemcpyAtoA")]
    #[doc(alias = "hipMemcpyAtoD")]
    #[doc(alias = "hipMemcpyDtoA")]
    #[doc(alias = "hipMemcpy3DAsync")]
    pub fn copy_region<'a, 'b, T: Pod>(
        &self,
        source: impl Into<Region<'a, T>>,
        destination: impl Into<RegionMut<'b, T>>,
    ) -> Result<()> {
        let (source, destination) = (source.into(), destination.into());
        if source.extent != destination.extent {
            let (expected, actual) = (count(source.extent)?, count(destination.extent)?);
            let message = format!("copying {:?} to {:?}", source.extent, destination.extent);
            return Err(Error::new(ErrorKind::Length { expected, actual }, message));
        }
        let bytes = count(source.extent)? * size_of::<T>();
        let copy = BoxCopy {
            from: source.place,
            to: destination.place,
            extent: source.extent,
            element: size_of::<T>(),
            kind: hipMemcpyDeviceToDevice,
        };
        self.with_use(source.allocation, Access::Read, bytes, || {
            self.with_use(destination.allocation, Access::Write, bytes, || {
                if !copy.is_mixed() {
                    return copy.run(self);
                }
                let (from, to) = (source.allocation.address(), destination.allocation.address());
                copy.rows::<T>(from, to).try_for_each(|row| row.run(self))
            })
        })
    }

    /// `hipMemset2DAsync` or `hipMemset3DAsync`: sets every element of a box to `value`, in stream order.
    ///
    /// Values whose bytes differ go row by row, as [`Stream::fill`] does it.
    ///
    /// # Errors
    /// Those of [`Stream::fill`]; [`ErrorKind::Hip`] for a box of an array, which HIP cannot fill.
    #[doc(alias = "hipMemset2D")]
    #[doc(alias = "hipMemset2DAsync")]
    #[doc(alias = "hipMemset3D")]
    #[doc(alias = "hipMemset3DAsync")]
    #[doc(alias = "hipMemsetD2D8")]
    #[doc(alias = "hipMemsetD2D8Async")]
    #[doc(alias = "hipMemsetD2D16")]
    #[doc(alias = "hipMemsetD2D16Async")]
    #[doc(alias = "hipMemsetD2D32")]
    #[doc(alias = "hipMemsetD2D32Async")]
    pub fn fill_region<'a, T: Pod>(&self, destination: impl Into<RegionMut<'a, T>>, value: T) -> Result<()> {
        let RegionMut { allocation, place, extent, .. } = destination.into();
        let Place::Pitched { address, pitch, rows } = place else {
            return Err(Error::new(ErrorKind::Hip, "HIP cannot fill an array: fill on the host, and upload"));
        };
        let bytes = count(extent)? * size_of::<T>();
        let Extent { width, height, depth } = extent;
        let [first, rest @ ..] = bytemuck::bytes_of(&value) else { return Ok(()) };
        // Rows begin at multiples of 256 bytes: what is true of one is true of all.
        let fits = Pattern::D8(*first).fits(address, width * size_of::<T>());
        if !fits || rest.iter().any(|byte| byte != first) {
            for z in 0..depth {
                for y in 0..height {
                    let row = address.wrapping_byte_add((z * rows + y) * pitch).cast();
                    self.fill(ViewMut::new(allocation, row, width), value)?;
                }
            }
            return Ok(());
        }
        let (value, width) = (i32::from(*first), width * size_of::<T>());
        self.with_use(allocation, Access::Write, bytes, || {
            let _current = self.shared().enter()?;
            let (api, stream) = (self.runtime().api(), self.raw());
            let (name, status) = if depth == 1 {
                // SAFETY: the box lies inside the allocation, which its uses keep; the stream is alive.
                let status = unsafe { api.hipMemset2DAsync(address, pitch, value, width, height, stream) };
                ("hipMemset2DAsync", status)
            } else {
                let pointer = hipPitchedPtr { ptr: address, pitch, xsize: width, ysize: rows };
                let extent = hipExtent { width, height, depth };
                // SAFETY: as above.
                ("hipMemset3DAsync", unsafe { api.hipMemset3DAsync(pointer, value, extent, stream) })
            };
            let call = || Call::new(name).arg("value", value).arg("extent", extent);
            self.runtime().check(status, || call().arg("stream", stream).on(self.device().raw()))
        })
    }

    fn upload_box<T: Pod>(&self, len: usize, host: Place, destination: &RegionMut<'_, T>) -> Result<()> {
        let &RegionMut { allocation, place, extent, .. } = destination;
        same_length("copying to a region", len, count(extent)?)?;
        let copy =
            BoxCopy { from: host, to: place, extent, element: size_of::<T>(), kind: hipMemcpyHostToDevice };
        self.with_use(allocation, Access::Write, len * size_of::<T>(), || copy.run(self))
    }

    fn download_box<T: Pod>(&self, len: usize, host: Place, source: &Region<'_, T>) -> Result<()> {
        let &Region { allocation, place, extent, .. } = source;
        same_length("copying from a region", count(extent)?, len)?;
        let copy =
            BoxCopy { from: place, to: host, extent, element: size_of::<T>(), kind: hipMemcpyDeviceToHost };
        self.with_use(allocation, Access::Read, len * size_of::<T>(), || copy.run(self))
    }

    fn pend<H: HostMemory>(&self, value: H, outcome: Result<()>) -> Result<Pending<H>> {
        match outcome {
            Ok(()) => Pending::new(self, value),
            Err(error) => {
                give_up(self.shared(), value);
                Err(error)
            }
        }
    }
}
