//! A kernel of a module, before its parameters have types.
//!
//! # Safety
//! A function's handle is valid while its module is loaded, and `Function` keeps it loaded; the calls here pass out-pointers
//! to live locals. It is `Send` and `Sync` since
//! the handle names an object of the runtime, whose calls may come from any thread.
#![allow(unsafe_code)]

use super::param::{ParamInfo, ParamKind};
use super::{Kernel, LaunchConfig, Params, Signature};
use crate::error::Call;
use crate::module::Loaded;
use crate::{Device, Error, ErrorKind, Result};
use code_object::{Access, ArgKind};
use hip_sys::{hipFunction_attribute, hipFunction_t};
use std::ffi::c_int;
use std::fmt;
use std::sync::Arc;

/// What a launch of the kernel may not exceed.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    /// Threads of a workgroup.
    pub(crate) threads: u32,
    /// The only workgroup that is allowed, if there is one.
    pub(crate) workgroup: Option<[u32; 3]>,
    /// Bytes of dynamic LDS that the static ones leave.
    pub(crate) dynamic_lds: u32,
}

/// A kernel of a loaded module, known by name: its handle and what the code object says of it.
///
/// ```no_run
/// # let device = hip::Device::first()?;
/// let function = hip::Module::from_file(device, "saxpy.co")?.function("saxpy")?;
/// println!("{} VGPRs, {} workgroups per compute unit", function.metadata().vgpr_count, function.occupancy(256, 0)?);
/// # Ok::<(), hip::Error>(())
/// ```
#[derive(Clone)]
pub struct Function {
    handle: hipFunction_t,
    device: Device,
    limits: Limits,
    _module: Arc<Loaded>,
    metadata: Arc<code_object::Kernel>,
}

// SAFETY: the handle names an object of the runtime that may be used from any thread; the rest is only read.
unsafe impl Send for Function {}
// SAFETY: as above.
unsafe impl Sync for Function {}

impl Function {
    pub(crate) fn new(
        module: Arc<Loaded>,
        handle: hipFunction_t,
        metadata: &code_object::Kernel,
    ) -> Result<Self> {
        let device = module.device();
        let properties = device.properties()?;
        let lds = u32::try_from(properties.shared_mem_per_block).unwrap_or(u32::MAX);
        // An absent limit is written as 0.
        let of_device =
            if properties.max_threads_per_block == 0 { 1024 } else { properties.max_threads_per_block };
        let of_kernel =
            if metadata.max_flat_workgroup_size == 0 { of_device } else { metadata.max_flat_workgroup_size };
        let limits = Limits {
            threads: of_kernel.min(of_device),
            workgroup: metadata.reqd_workgroup_size,
            dynamic_lds: lds.saturating_sub(metadata.group_segment_fixed_size),
        };
        Ok(Self { handle, device, limits, _module: module, metadata: Arc::new(metadata.clone()) })
    }

    /// The kernel's name in the code object.
    pub fn name(&self) -> &str {
        &self.metadata.name
    }

    /// The device that the kernel is loaded on.
    #[inline]
    pub fn device(&self) -> Device {
        self.device
    }

    /// What the code object says of the kernel: its arguments, registers, memory and limits.
    pub fn metadata(&self) -> &code_object::Kernel {
        &self.metadata
    }

    /// `hipFuncGetAttribute`: one number of the kernel, as the runtime loaded it.
    ///
    /// ```no_run
    /// # let function = hip::Module::from_file(hip::Device::first()?, "saxpy.co")?.function("saxpy")?;
    /// let registers = function.attribute(hip::sys::HIP_FUNC_ATTRIBUTE_NUM_REGS)?;
    /// # Ok::<(), hip::Error>(())
    /// ```
    ///
    /// # Errors
    /// The failure of the call, as for an attribute that the runtime does not know.
    #[doc(alias = "hipFuncGetAttribute")]
    #[doc(alias = "hipFuncGetAttributes")]
    pub fn attribute(&self, attribute: hipFunction_attribute) -> Result<i32> {
        let _current = self.device.enter()?;
        let runtime = self.device.runtime();
        let mut value = 0;
        // SAFETY: the handle is alive; the out-pointer is to a live local; an unknown attribute is refused.
        let status = unsafe { runtime.api().hipFuncGetAttribute(&mut value, attribute, self.handle) };
        let call = || Call::new("hipFuncGetAttribute").arg("attrib", attribute).arg("hfunc", self.name());
        runtime.check(status, || call().on(self.device.raw()))?;
        Ok(value)
    }

    /// `hipModuleOccupancyMaxActiveBlocksPerMultiprocessor`: how many workgroups of `threads` threads and `shared_bytes` of
    /// dynamic LDS one compute unit holds at a time.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidLaunch`] for more threads than an `int` holds, or the failure of the call.
    #[doc(alias = "hipModuleOccupancyMaxActiveBlocksPerMultiprocessor")]
    #[doc(alias = "hipModuleOccupancyMaxActiveBlocksPerMultiprocessorWithFlags")]
    #[doc(alias = "hipOccupancyMaxActiveBlocksPerMultiprocessor")]
    #[doc(alias = "hipOccupancyMaxActiveBlocksPerMultiprocessorWithFlags")]
    pub fn occupancy(&self, threads: u32, shared_bytes: usize) -> Result<u32> {
        let Ok(block) = c_int::try_from(threads) else {
            return Err(Error::new(ErrorKind::InvalidLaunch, format!("no workgroup has {threads} threads")));
        };
        let _current = self.device.enter()?;
        let runtime = self.device.runtime();
        let mut blocks = 0;
        // SAFETY: the handle is alive; the out-pointer is to a live local.
        let status = unsafe {
            let (out, function) = (&mut blocks, self.handle);
            runtime.api().hipModuleOccupancyMaxActiveBlocksPerMultiprocessor(
                out,
                function,
                block,
                shared_bytes,
            )
        };
        runtime.check(status, || {
            let call = Call::new("hipModuleOccupancyMaxActiveBlocksPerMultiprocessor").arg("f", self.name());
            call.arg("blockSize", block).arg("dynSharedMemPerBlk", shared_bytes).on(self.device.raw())
        })?;
        Ok(u32::try_from(blocks).unwrap_or(0))
    }

    /// `hipModuleOccupancyMaxPotentialBlockSize`: the workgroup, in threads, with which most of them are resident, and the
    /// smallest grid of such workgroups that fills the device. No workgroup larger than `limit` is considered; 0 is no limit.
    ///
    /// # Errors
    /// As [`Function::occupancy`].
    #[doc(alias = "hipModuleOccupancyMaxPotentialBlockSize")]
    #[doc(alias = "hipModuleOccupancyMaxPotentialBlockSizeWithFlags")]
    #[doc(alias = "hipOccupancyMaxPotentialBlockSize")]
    pub fn best_config(&self, shared_bytes: u32, limit: u32) -> Result<LaunchConfig> {
        let Ok(limit) = c_int::try_from(limit) else {
            return Err(Error::new(ErrorKind::InvalidLaunch, format!("no workgroup has {limit} threads")));
        };
        let _current = self.device.enter()?;
        let runtime = self.device.runtime();
        let (mut grid, mut block) = (0, 0);
        let bytes = shared_bytes as usize;
        // SAFETY: the handle is alive; the out-pointers are to live locals.
        let status = unsafe {
            let (function, api) = (self.handle, runtime.api());
            api.hipModuleOccupancyMaxPotentialBlockSize(&mut grid, &mut block, function, bytes, limit)
        };
        runtime.check(status, || {
            let call = Call::new("hipModuleOccupancyMaxPotentialBlockSize").arg("f", self.name());
            call.arg("dynSharedMemPerBlk", bytes).arg("blockSizeLimit", limit).on(self.device.raw())
        })?;
        let count = |raw: c_int| u32::try_from(raw).unwrap_or(0);
        Ok(LaunchConfig::new(count(grid), count(block)).shared_bytes(shared_bytes))
    }

    /// The handle, for calls that this crate does not wrap.
    #[inline]
    pub fn raw(&self) -> hipFunction_t {
        self.handle
    }

    #[inline]
    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Gives the parameters types: those of a tuple such as `(f32, In<f32>, InOut<f32>, i32)`. They are compared with the
    /// code object's metadata: how many there are, their sizes, and whether they are values or pointers.
    ///
    /// ```no_run
    /// use hip::{In, InOut};
    /// # let module = hip::Module::from_file(hip::Device::first()?, "saxpy.co")?;
    /// let saxpy = module.function("saxpy")?.with_parameters::<(f32, In<f32>, InOut<f32>, i32)>()?;
    /// # Ok::<(), hip::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Signature`], which tells the two apart.
    pub fn with_parameters<P: Params>(&self) -> Result<Kernel<P>> {
        self.clone().typed()
    }

    pub(crate) fn typed<K: Signature>(self) -> Result<Kernel<K>> {
        self.compare(<K::Params as Params>::INFO)?;
        Ok(Kernel::new(self))
    }

    fn compare(&self, signature: &[ParamInfo]) -> Result<()> {
        let arguments: Vec<&code_object::Arg> = self.metadata.explicit_args().collect();
        if arguments.len() != signature.len() {
            let sizes: Vec<String> =
                arguments.iter().map(|arg| format!("{} ({} bytes)", arg.kind, arg.size)).collect();
            return Err(self.mismatch(format!(
                "takes {} arguments, the signature has {}; the kernel's are: {}",
                arguments.len(),
                signature.len(),
                sizes.join(", ")
            )));
        }
        for (index, (argument, parameter)) in arguments.iter().zip(signature).enumerate() {
            let by_value = match argument.kind {
                ArgKind::ByValue => true,
                ArgKind::GlobalBuffer => false,
                _ => {
                    return Err(self.mismatch(format!(
                        "has an argument {index} of kind {}, which cannot be passed",
                        argument.kind
                    )));
                }
            };
            let written = matches!(
                argument.access.or(argument.actual_access),
                Some(Access::WriteOnly | Access::ReadWrite)
            );
            let described = || (parameter.describe)();
            if by_value != (parameter.kind == ParamKind::Value) {
                let kind = if by_value { "a value" } else { "a pointer" };
                return Err(self.mismatch(format!(
                    "has {kind} as argument {index}, the signature has `{}`",
                    described()
                )));
            }
            if usize::try_from(argument.size) != Ok(parameter.size) {
                return Err(self.mismatch(format!(
                    "has an argument {index} of {} bytes, the signature's `{}` has {}",
                    argument.size,
                    described(),
                    parameter.size
                )));
            }
            if written && parameter.kind == ParamKind::In {
                return Err(self.mismatch(format!(
                    "writes through argument {index}, the signature has `{}`",
                    described()
                )));
            }
        }
        Ok(())
    }

    #[cold]
    fn mismatch(&self, what: String) -> Error {
        Error::new(ErrorKind::Signature, format!("the kernel `{}` {what}", self.name()))
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Function").field("name", &self.name()).field("device", &self.device).finish()
    }
}
