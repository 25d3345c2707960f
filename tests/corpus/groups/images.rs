//! `kernels/corpus/images.hip`: all exact, since the coordinates are those of texels.
//!
//! # Safety
//! Arrays and objects are made by HIP's own functions from descriptors that live across each call, and destroyed when the
//! launch that uses them has been waited for.

use crate::case::{Arg, Case, shape};
use crate::compare::exact;
use crate::inputs::f32s;
use crate::run::{Session, check};
use hip::bytemuck::{bytes_of, cast_slice};
use hip::sys::*;
use std::ffi::c_void;

const W: usize = 48;
const H: usize = 5;

/// An array of `channels` floats per element.
struct Image<'a> {
    api: &'a Api,
    array: hipArray_t,
}

impl<'a> Image<'a> {
    /// An array with these texels; the extent is that of HIP, 0 for a dimension that is not there.
    fn new(
        api: &'a Api,
        channels: i32,
        [width, height, depth]: [usize; 3],
        texels: &[f32],
    ) -> Result<Self, String> {
        let bits = |channel| if channel < channels { 32 } else { 0 };
        let format =
            hipChannelFormatDesc { x: 32, y: bits(1), z: bits(2), w: bits(3), f: hipChannelFormatKindFloat };
        let mut array = std::ptr::null_mut();
        let extent = hipExtent { width, height, depth };
        // SAFETY: the out-pointer and the descriptor are live locals.
        let made = unsafe {
            if depth == 0 {
                api.hipMallocArray(&mut array, &format, width, height, 0)
            } else {
                api.hipMalloc3DArray(&mut array, &format, extent, 0)
            }
        };
        check("hipMallocArray", made)?;
        let image = Self { api, array };
        let pitch = width * channels as usize * 4;
        let origin = hipPos { x: 0, y: 0, z: 0 };
        let nothing = hipPitchedPtr { ptr: std::ptr::null_mut(), pitch: 0, xsize: 0, ysize: 0 };
        let rows = height.max(1);
        let source =
            hipPitchedPtr { ptr: texels.as_ptr().cast_mut().cast(), pitch, xsize: width, ysize: rows };
        let copy = hipMemcpy3DParms {
            srcArray: std::ptr::null_mut(),
            srcPos: origin,
            srcPtr: source,
            dstArray: array,
            dstPos: origin,
            dstPtr: nothing,
            extent: hipExtent { width, height: rows, depth: depth.max(1) },
            kind: hipMemcpyHostToDevice,
        };
        assert_eq!(texels.len() * 4, pitch * rows * depth.max(1), "a texel for each element");
        // SAFETY: the descriptor is a live local; the texels are as many as the extent says.
        check("hipMemcpy3D", unsafe { api.hipMemcpy3D(&copy) })?;
        Ok(image)
    }

    fn resource(&self) -> hipResourceDesc {
        let array = hipResourceDesc_res_array { array: self.array };
        hipResourceDesc { resType: hipResourceTypeArray, res: hipResourceDesc_res { array } }
    }
}

impl Drop for Image<'_> {
    fn drop(&mut self) {
        // SAFETY: the array is this value's own, and no launch uses it any more.
        let _ = unsafe { self.api.hipFreeArray(self.array) };
    }
}

/// A texture object, and its bytes as an argument.
struct Texture<'a> {
    api: &'a Api,
    object: hipTextureObject_t,
}

impl<'a> Texture<'a> {
    fn new(api: &'a Api, resource: &hipResourceDesc) -> Result<Self, String> {
        // SAFETY: a plain struct of numbers, for which zero bytes are values.
        let mut descriptor: hipTextureDesc = unsafe { std::mem::zeroed() };
        descriptor.addressMode = [hipAddressModeClamp; 3];
        descriptor.filterMode = hipFilterModePoint;
        descriptor.readMode = hipReadModeElementType;
        let mut object = std::ptr::null_mut();
        // SAFETY: the out-pointer and the descriptors are live; there is no view.
        let made =
            unsafe { api.hipCreateTextureObject(&mut object, resource, &descriptor, std::ptr::null()) };
        check("hipCreateTextureObject", made)?;
        Ok(Self { api, object })
    }

    fn arg(&self) -> Arg {
        Arg::Value(bytes_of(&(self.object as u64)).to_vec())
    }
}

impl Drop for Texture<'_> {
    fn drop(&mut self) {
        // SAFETY: the object is this value's own, and no launch uses it any more.
        let _ = unsafe { self.api.hipDestroyTextureObject(self.object) };
    }
}

fn texture_fetches(session: &Session) -> Result<(), String> {
    let api = session.stream.runtime().api();
    let line = f32s(1, W, -1.0, 1.0);
    let plane = f32s(2, W * H, -1.0, 1.0);
    let colours = f32s(3, W * H * 4, -1.0, 1.0);
    let volume = f32s(4, W * H * 3, -1.0, 1.0);
    let linear = f32s(5, W, -1.0, 1.0);
    let images = [
        Image::new(api, 1, [W, 0, 0], &line)?,
        Image::new(api, 1, [W, H, 0], &plane)?,
        Image::new(api, 4, [W, H, 0], &colours)?,
        Image::new(api, 1, [W, H, 3], &volume)?,
    ];
    let memory =
        hip::DeviceBuffer::from_slice(&session.stream, &linear).map_err(|error| error.to_string())?;
    let of_memory = hipResourceDesc_res_linear {
        devPtr: memory.view().address().cast::<c_void>(),
        desc: hipChannelFormatDesc { x: 32, y: 0, z: 0, w: 0, f: hipChannelFormatKindFloat },
        sizeInBytes: 4 * W,
    };
    let of_memory =
        hipResourceDesc { resType: hipResourceTypeLinear, res: hipResourceDesc_res { linear: of_memory } };
    let textures = [
        Texture::new(api, &images[0].resource())?,
        Texture::new(api, &of_memory)?,
        Texture::new(api, &images[1].resource())?,
        Texture::new(api, &images[2].resource())?,
        Texture::new(api, &images[3].resource())?,
    ];
    let out = Arg::InOut(cast_slice(&[0f32; 6 * W * H]).to_vec());
    let args: Vec<Arg> = textures.iter().map(Texture::arg).chain([out]).collect();
    let function = session.module.function("texture_fetches").map_err(|error| error.to_string())?;
    let outputs = session.launch(&function, shape(H as u32, W as u32), &args, &[Vec::new()])?;
    let got = outputs.get::<f32>(0);
    let alphas: Vec<f32> = colours.chunks(4).map(|colour| colour[3]).collect();
    let kinds = [
        ("tex2D", plane.clone()),
        ("tex1D", line.repeat(H)),
        ("tex1Dfetch", linear.repeat(H)),
        ("tex2D of four channels", alphas),
        ("tex3D", volume[W * H..2 * W * H].to_vec()),
        ("tex2DLod", plane),
    ];
    kinds.iter().zip(got.chunks(W * H)).try_for_each(|((name, expected), got)| {
        exact(got, expected).map_err(|error| format!("{name}: {error}"))
    })
}

fn surface_increment(session: &Session) -> Result<(), String> {
    let api = session.stream.runtime().api();
    let plane = f32s(6, W * H, -1.0, 1.0);
    let image = Image::new(api, 1, [W, H, 0], &plane)?;
    let mut surface = std::ptr::null_mut();
    // SAFETY: the out-pointer and the descriptor are live.
    check("hipCreateSurfaceObject", unsafe { api.hipCreateSurfaceObject(&mut surface, &image.resource()) })?;
    let function = session.module.function("surface_increment").map_err(|error| error.to_string())?;
    let arg = Arg::Value(bytes_of(&(surface as u64)).to_vec());
    let launched = session.launch(&function, shape(H as u32, W as u32), &[arg], &[Vec::new()]);
    session.stream.synchronize().map_err(|error| error.to_string())?;
    // SAFETY: the launch that uses it is done.
    check("hipDestroySurfaceObject", unsafe { api.hipDestroySurfaceObject(surface) })?;
    launched?;
    let mut got = vec![0f32; W * H];
    // SAFETY: the destination has room for the whole array.
    let copied = unsafe {
        let to = got.as_mut_ptr().cast();
        api.hipMemcpy2DFromArray(to, 4 * W, image.array.cast(), 0, 0, 4 * W, H, hipMemcpyDeviceToHost)
    };
    check("hipMemcpy2DFromArray", copied)?;
    exact(&got, &plane.iter().map(|texel| texel + 1.0).collect::<Vec<f32>>())
}

pub fn cases() -> Vec<Case> {
    vec![
        Case::program("texture_fetches", texture_fetches),
        Case::program("surface_increment", surface_increment),
    ]
}
