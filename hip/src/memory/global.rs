//! Variables of a module: `__device__` and `__constant__` in C++.
//!
//! # Safety
//! The address and the size are what HIP says of the variable, which lives as long as the module; the value here keeps the
//! module loaded. No two values name one variable, so views of it follow Rust's rules.
#![allow(unsafe_code)]

use super::Allocation;
use super::block::{Kept, Local};
use super::view::elements;
use crate::error::{Call, ErrorCode};
use crate::{Device, Error, ErrorKind, Module, Result};
use bytemuck::Pod;
use hip_sys::hipDeviceptr_t;
use std::ffi::CString;
use std::fmt;
use std::marker::PhantomData;

/// A variable of a module, as a slice of elements. It keeps the module loaded.
///
/// Kernels of the module use it without the wrapper knowing: order such work by using one stream, or with events. Other
/// devices do not reach it, whatever [access](Device::enable_peer_access) they have.
///
/// ```no_run
/// # let device = hip::Device::first()?;
/// # let stream = device.stream()?;
/// # let module = hip::Module::from_file(device, "filter.co")?;
/// let mut weights = module.global::<f32>("weights")?; // __constant__ float weights[9];
/// stream.upload(&[1.0 / 9.0; 9], &mut weights)?;
/// # Ok::<(), hip::Error>(())
/// ```
#[doc(alias = "hipModuleGetGlobal")]
pub struct Global<T: Pod> {
    allocation: Allocation,
    len: usize,
    elements: PhantomData<T>,
}

impl Module {
    /// `hipModuleGetGlobal`: a variable by its name in the code object, which is mangled unless it is `extern "C"`, at
    /// namespace level or in no namespace.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownGlobal`]; [`ErrorKind::Length`] when the variable is no whole number of elements;
    /// [`ErrorKind::Busy`] while another [`Global`] of the variable is alive, as two would be two mutable slices of the same
    /// elements; or the failure of the call.
    #[doc(alias = "hipModuleGetGlobal")]
    #[doc(alias = "hipGetSymbolAddress")]
    #[doc(alias = "hipGetSymbolSize")]
    #[doc(alias = "hipMemcpyToSymbol")]
    #[doc(alias = "hipMemcpyToSymbolAsync")]
    #[doc(alias = "hipMemcpyFromSymbol")]
    #[doc(alias = "hipMemcpyFromSymbolAsync")]
    pub fn global<T: Pod>(&self, name: &str) -> Result<Global<T>> {
        let unknown = || {
            let kind = ErrorKind::UnknownGlobal { name: name.to_owned() };
            Error::new(kind, format!("the module has no variable `{name}`"))
        };
        // A kernel's descriptor is in the symbol table, too: HIP 5.2 ends the process when it is asked for one. From 5.7 on an
        // empty name is an invalid value.
        if name.is_empty() || name.ends_with(".kd") {
            return Err(unknown());
        }
        let c_name = CString::new(name).map_err(|_| unknown())?;
        let device = self.device();
        let _current = device.enter()?;
        let (mut address, mut bytes): (hipDeviceptr_t, usize) = (std::ptr::null_mut(), 0);
        let (api, runtime) = (device.runtime().api(), device.runtime());
        // SAFETY: the out-pointers are to live locals, the module is loaded, the name ends with a NUL.
        let status = unsafe { api.hipModuleGetGlobal(&mut address, &mut bytes, self.raw(), c_name.as_ptr()) };
        if matches!(status, Ok(code) if ErrorCode::from(code) == ErrorCode::NOT_FOUND) {
            runtime.clear_last_error();
            return Err(unknown());
        }
        runtime.check(status, || Call::new("hipModuleGetGlobal").arg("name", name).on(device.raw()))?;
        let len = match size_of::<T>() {
            0 => 0,
            size if bytes % size == 0 && address.addr().is_multiple_of(align_of::<T>()) => bytes / size,
            size => return Err(Error::length("a variable in bytes", bytes.next_multiple_of(size), bytes)),
        };
        let Some(lent) = self.lend(address.addr()) else {
            let message =
                format!("somebody has the variable `{name}` already: there is one Global of it at a time");
            return Err(Error::new(ErrorKind::Busy, message));
        };
        let allocation = Allocation::owned(device, address.cast(), bytes, Local(Kept(lent)));
        Ok(Global { allocation, len, elements: PhantomData })
    }
}

impl<T: Pod> Global<T> {
    /// The device that the module is loaded on.
    pub fn device(&self) -> Device {
        self.allocation.device()
    }
}

elements! { [T: Pod] Global<T> }

impl<T: Pod> fmt::Debug for Global<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Global").field("device", &self.device()).field("len", &self.len).finish()
    }
}
