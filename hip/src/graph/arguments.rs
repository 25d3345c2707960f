//! What the calls for nodes are told: structs of parameters, out of views and values.

use crate::kernel::Function;
use crate::memory::Pattern;
use crate::{Dim3, Error, ErrorKind, LaunchConfig, Result, View, ViewMut};
use bytemuck::Pod;
use hip_sys::{
    dim3, hipKernelNodeParams, hipMemcpyDeviceToDevice, hipMemcpyDeviceToHost, hipMemcpyHostToDevice,
    hipMemcpyKind, hipMemsetParams,
};
use std::ffi::c_void;

pub(super) fn kernel_parameters(
    function: &Function,
    config: LaunchConfig,
    arguments: *mut *mut c_void,
) -> hipKernelNodeParams {
    let extent = |it: Dim3| dim3 { x: it.x, y: it.y, z: it.z };
    hipKernelNodeParams {
        blockDim: extent(config.block),
        extra: std::ptr::null_mut(),
        func: function.raw().cast(),
        gridDim: extent(config.grid),
        kernelParams: arguments,
        sharedMemBytes: config.shared_bytes,
    }
}

/// The arguments of a copy.
#[derive(Clone, Copy)]
pub(super) struct NodeCopy {
    pub(super) source: *const c_void,
    pub(super) destination: *mut c_void,
    pub(super) bytes: usize,
    pub(super) kind: hipMemcpyKind,
    pub(super) direction: &'static str,
}

impl NodeCopy {
    pub(super) fn of(
        source: *const c_void,
        destination: *mut c_void,
        bytes: usize,
        kind: hipMemcpyKind,
    ) -> Self {
        let direction = match kind {
            kind if kind == hipMemcpyHostToDevice => "host to device",
            kind if kind == hipMemcpyDeviceToHost => "device to host",
            _ => "device to device",
        };
        Self { source, destination, bytes, kind, direction }
    }

    /// The product cannot overflow: both ends exist.
    pub(super) fn new<T>(source: *const T, destination: *mut T, len: usize, kind: hipMemcpyKind) -> Self {
        Self::of(source.cast(), destination.cast(), len * size_of::<T>(), kind)
    }

    pub(super) fn on_device<T: Pod>(source: &View<'_, T>, destination: &ViewMut<'_, T>) -> Result<Self> {
        same_length(source.len(), destination.len())?;
        let (from, to) = (source.address().cast_const(), destination.address());
        Ok(Self::new(from, to, source.len(), hipMemcpyDeviceToDevice))
    }
}

pub(super) fn same_length(source: usize, destination: usize) -> Result<()> {
    match source == destination {
        true => Ok(()),
        false => Err(Error::length("copying in a graph", source, destination)),
    }
}

/// The parameters of a fill; `None` for no bytes.
pub(super) fn memset<T: Pod>(destination: &ViewMut<'_, T>, value: T) -> Result<Option<hipMemsetParams>> {
    let bytes = destination.len() * size_of::<T>();
    if bytes == 0 {
        return Ok(None);
    }
    let Some(pattern) = Pattern::of(bytemuck::bytes_of(&value)) else {
        let reason = "an element's bytes repeat after 1, 2 or 4 bytes";
        let message = format!("a graph cannot fill with this value: it needs that {reason}");
        return Err(Error::new(ErrorKind::Refused { reason }, message));
    };
    if !pattern.fits(destination.address().cast(), bytes) {
        let reason = "a fill reaches a multiple of eight bytes";
        let message = format!("a graph cannot fill so few bytes at this place: HIP needs that {reason}");
        return Err(Error::new(ErrorKind::Refused { reason }, message));
    }
    Ok(Some(memset_parameters(destination.address().cast(), pattern, bytes)))
}

pub(super) fn memset_parameters(destination: *mut c_void, pattern: Pattern, bytes: usize) -> hipMemsetParams {
    let (element, value) = pattern.parts();
    hipMemsetParams {
        dst: destination,
        elementSize: element,
        height: 1,
        pitch: bytes,
        value,
        width: bytes / element as usize,
    }
}
