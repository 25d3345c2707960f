//! Texture and surface objects: what kernels are passed.
//!
//! # Safety
//! An object describes memory that it owns or shares, so that lives as long. It is destroyed once, after everything that
//! used the memory is done: kernels read the object itself, too. Handles name objects of the runtime, whose calls may come
//! from any thread, hence `Send` and `Sync`.
#![allow(unsafe_code)]

use super::{Array, Filter, MipmappedArray, ReadMode, Texel, TextureOptions};
use crate::error::Call;
use crate::memory::Allocation;
use crate::{Device, DeviceBuffer, Error, ErrorKind, Extent, PitchedBuffer, Result};
use hip_sys::{
    hipResourceDesc, hipResourceDesc_res, hipResourceDesc_res_array, hipResourceDesc_res_linear,
    hipResourceDesc_res_mipmap, hipResourceDesc_res_pitch2D, hipResourceTypeArray, hipResourceTypeLinear,
    hipResourceTypeMipmappedArray, hipResourceTypePitch2D, hipSurfaceObject_t, hipTextureObject_t,
};
use std::fmt;
use std::mem::ManuallyDrop;

/// The parameter type of `hipTextureObject_t`: the caller passes a `&Texture<T>` of any element. Its
/// [shape](crate::Param::Shape) is the texture's extent.
///
/// ```
/// use hip::texture::Tex;
/// hip::kernel! {
///     /// `__global__ void blur(hipTextureObject_t image, float *out)`
///     struct Blur = "blur"(Tex, &mut [f32]);
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Tex(());

/// The parameter type of `hipSurfaceObject_t`: the caller passes a `&Surface<T>` of any element. Its
/// [shape](crate::Param::Shape) is the surface's extent.
///
/// ```
/// use hip::texture::Surf;
/// hip::kernel! {
///     /// `__global__ void invert(hipSurfaceObject_t image, int width)`
///     struct Invert = "invert"(Surf, i32);
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Surf(());

/// The memory behind an object.
enum Source<T: Texel> {
    Array(Array<T>),
    Mipmapped(MipmappedArray<T>),
    Linear(DeviceBuffer<T>),
    Pitched(PitchedBuffer<T>),
}

impl<T: Texel> Source<T> {
    fn allocation(&self) -> &Allocation {
        match self {
            Self::Array(array) => array.allocation(),
            Self::Mipmapped(array) => array.allocation(),
            Self::Linear(buffer) => buffer.view().allocation(),
            Self::Pitched(buffer) => buffer.view().allocation(),
        }
    }

    fn extent(&self) -> Extent {
        match self {
            Self::Array(array) => array.extent(),
            Self::Mipmapped(array) => array.extent(),
            Self::Linear(buffer) => buffer.len().into(),
            Self::Pitched(buffer) => buffer.extent(),
        }
    }

    fn describe(&self) -> hipResourceDesc {
        let desc = T::FORMAT.raw();
        let address = self.allocation().address();
        // The products cannot overflow: the memory exists.
        match self {
            Self::Array(array) => hipResourceDesc {
                resType: hipResourceTypeArray,
                res: hipResourceDesc_res { array: hipResourceDesc_res_array { array: array.raw() } },
            },
            Self::Mipmapped(array) => hipResourceDesc {
                resType: hipResourceTypeMipmappedArray,
                res: hipResourceDesc_res { mipmap: hipResourceDesc_res_mipmap { mipmap: array.raw() } },
            },
            Self::Linear(buffer) => {
                let bytes = buffer.len() * size_of::<T>();
                let linear = hipResourceDesc_res_linear { devPtr: address, desc, sizeInBytes: bytes };
                hipResourceDesc { resType: hipResourceTypeLinear, res: hipResourceDesc_res { linear } }
            }
            Self::Pitched(buffer) => {
                let Extent { width, height, .. } = buffer.extent();
                let pitch = buffer.pitch() * size_of::<T>();
                let pitched =
                    hipResourceDesc_res_pitch2D { devPtr: address, desc, width, height, pitchInBytes: pitch };
                hipResourceDesc {
                    resType: hipResourceTypePitch2D,
                    res: hipResourceDesc_res { pitch2D: pitched },
                }
            }
        }
    }
}

/// Memory that kernels read through the texture units: `hipTextureObject_t` in C++.
///
/// Dropping it waits for the work that uses its memory.
///
/// ```no_run
/// # let stream = hip::Device::first()?.stream()?;
/// use hip::texture::{AddressMode, Filter, Texture, TextureOptions};
/// let image = hip::PitchedBuffer::from_slice(&stream, (64, 64), &[0.5f32; 64 * 64])?;
/// let options = TextureOptions::new().filter(Filter::Linear).address(AddressMode::Border);
/// let texture = Texture::from_pitched(image, options)?;
/// # Ok::<(), hip::Error>(())
/// ```
#[doc(alias = "hipCreateTextureObject")]
#[doc(alias = "hipDestroyTextureObject")]
#[doc(alias = "hipTexObjectDestroy")]
pub struct Texture<T: Texel> {
    handle: hipTextureObject_t,
    source: ManuallyDrop<Source<T>>,
}

// SAFETY: the handle names an object of the runtime that may be used from any thread (see the head of this file).
unsafe impl<T: Texel + Send> Send for Texture<T> {}
// SAFETY: as above.
unsafe impl<T: Texel + Sync> Sync for Texture<T> {}

impl<T: Texel> Texture<T> {
    /// `hipCreateTextureObject` of an array, which it shares.
    ///
    /// # Errors
    /// [`ErrorKind::Texture`] for options that the elements do not have; the failure of the call.
    #[doc(alias = "hipCreateTextureObject")]
    #[doc(alias = "hipTexObjectCreate")]
    pub fn new(array: &Array<T>, options: TextureOptions) -> Result<Self> {
        Self::create(Source::Array(array.clone()), options)
    }

    /// `hipCreateTextureObject` of an array with levels, which it shares.
    ///
    /// # Errors
    /// Those of [`Texture::new`].
    #[doc(alias = "hipCreateTextureObject")]
    pub fn from_mipmapped(array: &MipmappedArray<T>, options: TextureOptions) -> Result<Self> {
        Self::create(Source::Mipmapped(array.clone()), options)
    }

    /// `hipCreateTextureObject` of a buffer: one dimension, read with `tex1Dfetch`.
    ///
    /// # Errors
    /// Those of [`Texture::new`]; the buffer is dropped then.
    #[doc(alias = "hipCreateTextureObject")]
    pub fn from_buffer(buffer: DeviceBuffer<T>, options: TextureOptions) -> Result<Self> {
        Self::create(Source::Linear(buffer), options)
    }

    /// `hipCreateTextureObject` of a buffer in two dimensions.
    ///
    /// # Errors
    /// Those of [`Texture::new`], [`ErrorKind::Texture`] for a buffer in three dimensions; the buffer is dropped then.
    #[doc(alias = "hipCreateTextureObject")]
    pub fn from_pitched(buffer: PitchedBuffer<T>, options: TextureOptions) -> Result<Self> {
        if buffer.extent().depth != 1 {
            return Err(unfit("a buffer in three dimensions cannot be a texture: use an array"));
        }
        Self::create(Source::Pitched(buffer), options)
    }

    fn create(source: Source<T>, options: TextureOptions) -> Result<Self> {
        if source.allocation().address().is_null() {
            return Err(unfit("a texture needs at least one element"));
        }
        if options.read == ReadMode::Normalized && !T::FORMAT.normalises() {
            return Err(unfit("only integers of 8 and 16 bits can be read as fractions"));
        }
        if options.filter == Filter::Linear && options.read == ReadMode::Element && !T::FORMAT.is_float() {
            return Err(unfit("only elements that are read as floats can be filtered"));
        }
        let device = source.allocation().device();
        let (resource, description) = (source.describe(), options.raw());
        let mut handle: hipTextureObject_t = std::ptr::null_mut();
        let _current = device.enter()?;
        let (api, no_view) = (device.runtime().api(), std::ptr::null());
        // SAFETY: the out-pointer and the descriptions are live locals; the memory they name lives as long as the object.
        let status = unsafe { api.hipCreateTextureObject(&mut handle, &resource, &description, no_view) };
        let call = || Call::new("hipCreateTextureObject").arg("texDesc", description).on(device.raw());
        device.runtime().check(status, call)?;
        Ok(Self { handle, source: ManuallyDrop::new(source) })
    }

    /// The elements along each dimension.
    #[doc(alias = "hipGetTextureObjectResourceDesc")]
    #[doc(alias = "hipTexObjectGetResourceDesc")]
    pub fn extent(&self) -> Extent {
        self.source.extent()
    }

    /// The device whose memory it is.
    pub fn device(&self) -> Device {
        self.allocation().device()
    }

    /// The handle, for calls that this crate does not wrap.
    pub fn raw(&self) -> hipTextureObject_t {
        self.handle
    }

    pub(crate) fn allocation(&self) -> &Allocation {
        self.source.allocation()
    }
}

impl<T: Texel> Drop for Texture<T> {
    fn drop(&mut self) {
        let device = self.device();
        if crate::callback::is_inside() {
            // SAFETY: the source is not touched again.
            let source = unsafe { ManuallyDrop::take(&mut self.source) };
            let late = Self { handle: self.handle, source: ManuallyDrop::new(source) };
            return device.runtime().shared().deferred.later(Box::new(late));
        }
        let destroy = || {
            self.allocation().uses().wait_on_host()?;
            let _current = device.enter()?;
            // SAFETY: nobody has the handle any more, and everything that used it is done.
            let status = unsafe { device.runtime().api().hipDestroyTextureObject(self.handle) };
            device.runtime().check(status, || Call::new("hipDestroyTextureObject").on(device.raw()))
        };
        match destroy() {
            // SAFETY: the source is not touched again.
            Ok(()) => unsafe { ManuallyDrop::drop(&mut self.source) },
            // Something may still read it: the memory stays.
            Err(error) => device.runtime().report(&error),
        }
    }
}

impl<T: Texel> fmt::Debug for Texture<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Texture").field("extent", &self.extent()).finish_non_exhaustive()
    }
}

/// An array that kernels read and write element by element: `hipSurfaceObject_t` in C++.
///
/// Dropping it waits for the work that uses the array.
///
/// ```no_run
/// # let stream = hip::Device::first()?.stream()?;
/// use hip::texture::{Array, Surface};
/// let image = Array::<f32>::uninit(stream.device(), (64, 64))?;
/// let surface = Surface::new(&image)?;
/// # Ok::<(), hip::Error>(())
/// ```
#[doc(alias = "hipCreateSurfaceObject")]
#[doc(alias = "hipDestroySurfaceObject")]
pub struct Surface<T: Texel> {
    handle: hipSurfaceObject_t,
    array: ManuallyDrop<Array<T>>,
}

// SAFETY: the handle names an object of the runtime that may be used from any thread (see the head of this file).
unsafe impl<T: Texel + Send> Send for Surface<T> {}
// SAFETY: as above.
unsafe impl<T: Texel + Sync> Sync for Surface<T> {}

impl<T: Texel> Surface<T> {
    /// `hipCreateSurfaceObject` of an array, which it shares.
    ///
    /// # Errors
    /// The failure of the call.
    #[doc(alias = "hipCreateSurfaceObject")]
    pub fn new(array: &Array<T>) -> Result<Self> {
        let device = array.device();
        let resource = Source::Array(array.clone()).describe();
        let mut handle: hipSurfaceObject_t = std::ptr::null_mut();
        let _current = device.enter()?;
        // SAFETY: the out-pointer and the description are live locals; the array lives as long as the object.
        let status = unsafe { device.runtime().api().hipCreateSurfaceObject(&mut handle, &resource) };
        device.runtime().check(status, || Call::new("hipCreateSurfaceObject").on(device.raw()))?;
        Ok(Self { handle, array: ManuallyDrop::new(array.clone()) })
    }

    /// The elements along each dimension.
    pub fn extent(&self) -> Extent {
        self.array.extent()
    }

    /// The array that it shares.
    pub fn array(&self) -> &Array<T> {
        &self.array
    }

    /// The handle, for calls that this crate does not wrap.
    pub fn raw(&self) -> hipSurfaceObject_t {
        self.handle
    }

    pub(crate) fn allocation(&self) -> &Allocation {
        self.array.allocation()
    }
}

impl<T: Texel> Drop for Surface<T> {
    fn drop(&mut self) {
        let device = self.array.device();
        if crate::callback::is_inside() {
            // SAFETY: the array is not touched again.
            let array = unsafe { ManuallyDrop::take(&mut self.array) };
            let late = Self { handle: self.handle, array: ManuallyDrop::new(array) };
            return device.runtime().shared().deferred.later(Box::new(late));
        }
        let destroy = || {
            self.allocation().uses().wait_on_host()?;
            let _current = device.enter()?;
            // SAFETY: nobody has the handle any more, and everything that used it is done.
            let status = unsafe { device.runtime().api().hipDestroySurfaceObject(self.handle) };
            device.runtime().check(status, || Call::new("hipDestroySurfaceObject").on(device.raw()))
        };
        match destroy() {
            // SAFETY: the array is not touched again.
            Ok(()) => unsafe { ManuallyDrop::drop(&mut self.array) },
            // Something may still use it: the memory stays.
            Err(error) => device.runtime().report(&error),
        }
    }
}

impl<T: Texel> fmt::Debug for Surface<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Surface").field("extent", &self.extent()).finish_non_exhaustive()
    }
}

fn unfit(message: &'static str) -> Error {
    Error::new(ErrorKind::Texture, message)
}
