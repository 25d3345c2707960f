//! The simulated runtime's C functions for memory in two and three dimensions, arrays, textures and surfaces.
//!
//! # Safety
//! As for [`calls`](super::calls).
#![allow(unsafe_code)]

use super::calls::{fill, functions, put};
use super::state::{INVALID_HANDLE, INVALID_VALUE, OUT_OF_MEMORY, Op, SUCCESS, State, pointer};
use hip_sys::{
    hipArray_t, hipChannelFormatDesc, hipError_t, hipExtent, hipMemcpy3DParms, hipPitchedPtr, hipPos,
    hipResourceDesc, hipResourceViewDesc, hipTextureDesc,
};
use std::ffi::{c_int, c_uint, c_void};

/// Objects of the texture units.
#[derive(Default)]
pub(super) struct Objects {
    /// Per array: the address, the bytes of an element, the elements of a row, the rows of a plane.
    arrays: std::collections::HashMap<usize, (usize, usize, usize, usize)>,
    /// Textures and surfaces.
    alive: std::collections::HashSet<usize>,
}

fn element(format: *const hipChannelFormatDesc) -> usize {
    // SAFETY: the wrapper passes a live local.
    let format = unsafe { *format };
    let bits = format.x + format.y + format.z + format.w;
    usize::try_from(bits / 8).unwrap_or(0)
}

impl State {
    fn new_array<T>(&mut self, out: *mut *mut T, element: usize, extent: hipExtent) -> u32 {
        let (width, height, depth) = (extent.width, extent.height.max(1), extent.depth.max(1));
        let Some(address) = self.allocate(element * width * height * depth, false) else {
            if self.config.null_on_oom {
                put(out, std::ptr::null_mut());
                return SUCCESS;
            }
            return OUT_OF_MEMORY;
        };
        self.objects.arrays.insert(address, (address, element, width, height));
        put(out, pointer(address).cast());
        SUCCESS
    }

    fn free_array(&mut self, array: *mut c_void) -> u32 {
        match self.objects.arrays.remove(&array.addr()) {
            Some(_) => self.free(array.addr()),
            None => INVALID_HANDLE,
        }
    }

    fn new_object<T>(&mut self, out: *mut *mut T) -> u32 {
        let handle = self.handle();
        self.objects.alive.insert(handle);
        put(out, pointer(handle).cast());
        SUCCESS
    }

    fn destroy_object(&mut self, object: *mut c_void) -> u32 {
        if self.objects.alive.remove(&object.addr()) { SUCCESS } else { INVALID_HANDLE }
    }

    /// Where an end of a copy begins, and the bytes between its rows and planes.
    fn end(&self, array: hipArray_t, position: hipPos, at: hipPitchedPtr) -> Option<(usize, usize, usize)> {
        if array.is_null() {
            let start = position.x + position.y * at.pitch + position.z * at.pitch * at.ysize;
            return Some((at.ptr.expose_provenance() + start, at.pitch, at.pitch * at.ysize));
        }
        let &(address, element, width, rows) = self.objects.arrays.get(&array.addr())?;
        let (pitch, plane) = (element * width, element * width * rows);
        Some((address + position.x * element + position.y * pitch + position.z * plane, pitch, plane))
    }
}

functions! {
    hipMemcpy3DAsync |state| (parameters: *const hipMemcpy3DParms, stream: *mut c_void) {
        let Some(stream) = state.stream(stream) else { return INVALID_HANDLE };
        // SAFETY: the wrapper passes a live local.
        let p = unsafe { *parameters };
        let (Some(from), Some(to)) =
            (state.end(p.srcArray, p.srcPos, p.srcPtr), state.end(p.dstArray, p.dstPos, p.dstPtr))
        else { return INVALID_VALUE };
        let element = [p.srcArray, p.dstArray].iter().find_map(|array| {
            state.objects.arrays.get(&array.addr()).map(|&(_, element, ..)| element)
        });
        let bytes = p.extent.width * element.unwrap_or(1);
        for z in 0..p.extent.depth {
            for y in 0..p.extent.height {
                let at = |(start, pitch, plane): (usize, usize, usize)| start + y * pitch + z * plane;
                state.enqueue(stream, Op::Copy { to: at(to), from: at(from), bytes });
            }
        }
        SUCCESS
    }
    hipMemset2DAsync |state| (
        to: *mut c_void, pitch: usize, value: c_int, width: usize, height: usize, stream: *mut c_void
    ) {
        for y in 0..height {
            let code = fill(state, to.wrapping_byte_add(y * pitch), &[value as u8], width, stream);
            if code != SUCCESS { return code; }
        }
        SUCCESS
    }
    hipMemset3DAsync |state| (to: hipPitchedPtr, value: c_int, extent: hipExtent, stream: *mut c_void) {
        for z in 0..extent.depth {
            for y in 0..extent.height {
                let row = to.ptr.wrapping_byte_add((z * to.ysize + y) * to.pitch);
                let code = fill(state, row, &[value as u8], extent.width, stream);
                if code != SUCCESS { return code; }
            }
        }
        SUCCESS
    }
    hipMallocArray |state| (
        out: *mut *mut c_void, format: *const hipChannelFormatDesc, width: usize, height: usize, _flags: c_uint
    ) {
        state.new_array(out, element(format), hipExtent { width, height, depth: 0 })
    }
    hipMalloc3DArray |state| (
        out: *mut *mut c_void, format: *const hipChannelFormatDesc, extent: hipExtent, _flags: c_uint
    ) {
        state.new_array(out, element(format), extent)
    }
    hipFreeArray |state| (array: *mut c_void) { state.free_array(array) }
    hipMallocMipmappedArray |state| (
        out: *mut *mut c_void, format: *const hipChannelFormatDesc, extent: hipExtent, _levels: c_uint, _flags: c_uint
    ) {
        state.new_array(out, element(format), hipExtent { depth: 2 * extent.depth.max(1), ..extent })
    }
    hipFreeMipmappedArray |state| (array: *mut c_void) { state.free_array(array) }
    hipGetMipmappedArrayLevel |state| (out: *mut *mut c_void, array: *mut c_void, level: c_uint) {
        let Some(&(address, element, width, rows)) = state.objects.arrays.get(&array.addr()) else {
            return INVALID_HANDLE;
        };
        // Level 0 is the first half of the memory, the others share the second.
        let handle = if level == 0 { address } else { address + element * width * rows };
        let half = |count: usize| (count >> level).max(1);
        state.objects.arrays.insert(handle, (handle, element, half(width), half(rows)));
        put(out, pointer(handle));
        SUCCESS
    }
    hipCreateTextureObject |state| (
        out: *mut *mut c_void, _resource: *const hipResourceDesc, _texture: *const hipTextureDesc,
        _view: *const hipResourceViewDesc
    ) {
        state.new_object(out)
    }
    hipDestroyTextureObject |state| (texture: *mut c_void) { state.destroy_object(texture) }
    hipCreateSurfaceObject |state| (out: *mut *mut c_void, _resource: *const hipResourceDesc) {
        state.new_object(out)
    }
    hipDestroySurfaceObject |state| (surface: *mut c_void) { state.destroy_object(surface) }
}
