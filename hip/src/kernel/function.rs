//! A kernel of a module, before its parameters have types.
//!
//! # Safety
//! A function's handle is valid while its module is loaded, and `Function` keeps it loaded. It is `Send` and `Sync` since
//! the handle names an object of the runtime, whose calls may come from any thread.
#![allow(unsafe_code)]

use super::param::{ParamInfo, ParamKind};
use super::{Kernel, Params, Signature};
use crate::module::Loaded;
use crate::{Device, Error, ErrorKind, Result};
use code_object::{Access, ArgKind};
use hip_sys::hipFunction_t;
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
    #[doc(alias = "hipFuncGetAttributes")]
    #[doc(alias = "hipFuncGetAttribute")]
    pub fn metadata(&self) -> &code_object::Kernel {
        &self.metadata
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
