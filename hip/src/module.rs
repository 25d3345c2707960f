//! Modules: code objects loaded on a device.
//!
//! # Safety
//! `hipModuleLoadData` is told no length, so the bytes are parsed first, which checks that every extent in them lies inside
//! them; and some releases keep referring to them, so the module owns a copy for as long as it is loaded. The module's
//! handle is valid until the last clone is dropped, which waits for the device first: no kernel's code goes away under it.
//!
//! `Loaded` is `Send` and `Sync`: its handle names an object of the runtime, whose calls may come from any thread.
#![allow(unsafe_code)]

use crate::error::{Call, ErrorCode};
use crate::kernel::{Embedded, Function, Kernel, Named};
use crate::{Device, Error, ErrorKind, Result};
use code_object::{CodeObject, Image, TargetId};
use hip_sys::{hipFunction_t, hipModule_t};
use std::ffi::CString;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

/// What `hipModuleLoadData` is given: 16 bytes of alignment, as `malloc` would give it.
#[repr(C, align(16))]
#[derive(Clone, Copy)]
struct Aligned([u8; 16]);

/// A loaded code object, shared by the module's clones and its kernels.
pub(crate) struct Loaded {
    device: Device,
    handle: hipModule_t,
    kernels: Vec<code_object::Kernel>,
    /// What the program embeds, if it came from there: see [`Module::kernel`].
    source: Option<&'static [u8]>,
    /// The addresses of variables that somebody has.
    lent: Mutex<Vec<usize>>,
    /// The code object's bytes, which the runtime may refer to.
    _bytes: Vec<Aligned>,
}

// SAFETY: the handle names an object of the runtime that may be used from any thread.
unsafe impl Send for Loaded {}
// SAFETY: as above; everything else is only read.
unsafe impl Sync for Loaded {}

impl Loaded {
    pub(crate) fn device(&self) -> Device {
        self.device
    }
}

impl Drop for Loaded {
    /// Waits for the device. Work that cannot be waited for may still run the code, which then stays where it is.
    fn drop(&mut self) {
        let runtime = self.device.runtime();
        if crate::callback::is_inside() {
            let late = Self {
                device: self.device,
                handle: self.handle,
                kernels: Vec::new(),
                source: self.source,
                lent: Mutex::default(),
                _bytes: std::mem::take(&mut self._bytes),
            };
            return runtime.shared().deferred.later(Box::new(late));
        }
        let unload = || {
            self.device.synchronize()?;
            let _current = self.device.enter()?;
            // SAFETY: nobody has the handle any more, and nothing runs.
            let status = unsafe { runtime.api().hipModuleUnload(self.handle) };
            runtime.check(status, || {
                Call::new("hipModuleUnload").arg("module", self.handle).on(self.device.raw())
            })
        };
        if let Err(error) = unload() {
            runtime.report(&error);
            // The runtime may still refer to the bytes.
            std::mem::forget(std::mem::take(&mut self._bytes));
        }
    }
}

/// A code object loaded on a device: where kernels come from. Clones share it; the last one unloads it.
///
/// ```no_run
/// let device = hip::Device::first()?;
/// let module = hip::Module::from_file(device, "saxpy.co")?;
/// println!("{:?}", module.kernel_names().collect::<Vec<_>>());
/// # Ok::<(), hip::Error>(())
/// ```
#[doc(alias = "hipModuleUnload")]
#[derive(Clone)]
pub struct Module(Arc<Loaded>);

impl Module {
    /// `hipModuleLoadData` with the contents of a file.
    ///
    /// # Errors
    /// [`ErrorKind::File`], or those of [`Module::from_bytes`].
    #[doc(alias = "hipModuleLoad")]
    pub fn from_file(device: Device, path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let bytes = std::fs::read(path).map_err(|error| {
            Error::new(ErrorKind::File, format!("cannot read {}: {error}", path.display()))
        })?;
        Self::load(device, &bytes, None, &path.display().to_string())
    }

    /// `hipModuleLoadData`: a code object, or the one for this device out of a bundle. The bytes are copied.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidCodeObject`] for bytes that are not (all of) one, [`ErrorKind::NoCodeObject`] when none is for
    /// this device, or the failure of the call.
    #[doc(alias = "hipModuleLoadData")]
    #[doc(alias = "hipModuleLoadDataEx")]
    #[doc(alias = "hipModuleLoadFatBinary")]
    pub fn from_bytes(device: Device, bytes: &[u8]) -> Result<Self> {
        Self::load(device, bytes, None, "the code object")
    }

    /// `hipModuleLoadData`: as [`from_bytes`](Self::from_bytes), for code that is part of the program, whose
    /// [`Embedded`] kernels [`kernel`](Self::kernel) then finds.
    ///
    /// # Errors
    /// Those of [`Module::from_bytes`].
    #[doc(alias = "hipModuleLoadData")]
    pub fn from_static(device: Device, bytes: &'static [u8]) -> Result<Self> {
        Self::load(device, bytes, Some(bytes), "the embedded code object")
    }

    fn load(device: Device, bytes: &[u8], source: Option<&'static [u8]>, what: &str) -> Result<Self> {
        let invalid =
            |error| Error::new(ErrorKind::InvalidCodeObject, format!("{what} cannot be loaded: {error}"));
        if bytes.is_empty() {
            let message = format!("{what} is empty: was the program built where there was no hipcc?");
            return Err(Error::new(ErrorKind::InvalidCodeObject, message));
        }
        let image = Image::parse(bytes).map_err(invalid)?;
        let target: TargetId = device.target_id()?.parse().map_err(invalid)?;
        let Some(entry) = image.select(&target) else {
            let available: Vec<String> = image.targets().iter().map(ToString::to_string).collect();
            return Err(no_code_object(device, what, target.to_string(), available));
        };
        let object = CodeObject::parse(&entry.bytes).map_err(invalid)?;
        if !object.target().runs_on(&target) {
            // The bundle's label and the ELF header disagree; the header is what the loader goes by.
            return Err(no_code_object(device, what, target.to_string(), vec![object.target().to_string()]));
        }
        let owned: Vec<Aligned> = object.bytes().chunks(size_of::<Aligned>()).map(aligned).collect();
        let runtime = device.runtime();
        let _current = device.enter()?;
        let mut handle: hipModule_t = std::ptr::null_mut();
        // SAFETY: the bytes were parsed, so all that the loader follows lies inside them; they live as long as the module.
        let status = unsafe { runtime.api().hipModuleLoadData(&mut handle, owned.as_ptr().cast()) };
        let call = || Call::new("hipModuleLoadData").arg("image", what).on(device.raw());
        runtime.check(status, call)?;
        let kernels = object.into_kernels();
        Ok(Self(Arc::new(Loaded { device, handle, kernels, source, lent: Mutex::default(), _bytes: owned })))
    }

    /// `hipModuleGetFunction`: a kernel that is part of the program, as `hip-build` or [`kernel!`](crate::kernel!) declares
    /// it. Its parameters are compared with the code object's metadata, once.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownKernel`]; [`ErrorKind::Signature`] when the parameters differ, or when the module is not the
    /// code that `K` stands in; or the failure of the call.
    #[doc(alias = "hipModuleGetFunction")]
    pub fn kernel<K: Embedded>(&self) -> Result<Kernel<K>> {
        let code = K::code();
        if !self.0.source.is_some_and(|source| std::ptr::eq(source, code) || source == code) {
            let message =
                format!("the module was not made with Module::from_static from the code of `{}`", K::NAME);
            return Err(Error::new(ErrorKind::Signature, message));
        }
        self.function(K::NAME)?.typed()
    }

    /// `hipModuleGetFunction`: a kernel of a module that the program found at run time. Its parameters are compared with
    /// the code object's metadata, once.
    ///
    /// # Safety
    /// If `K` is [`Vouched`](crate::Vouched) for, the promise holds for the kernel of that name in this module.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownKernel`]; [`ErrorKind::Signature`] when the parameters differ; or the failure of the call.
    #[doc(alias = "hipModuleGetFunction")]
    pub unsafe fn kernel_of<K: Named>(&self) -> Result<Kernel<K>> {
        self.function(K::NAME)?.typed()
    }

    /// `hipModuleGetFunction`: a kernel by its name, without a type yet.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownKernel`], with the names there are, or the failure of the call.
    #[doc(alias = "hipModuleGetFunction")]
    pub fn function(&self, name: &str) -> Result<Function> {
        let found = self.0.kernels.iter().find(|kernel| kernel.name == name);
        let (Some(kernel), Ok(c_name)) = (found, CString::new(name)) else { return Err(self.unknown(name)) };
        let device = self.0.device;
        let _current = device.enter()?;
        let mut handle: hipFunction_t = std::ptr::null_mut();
        // SAFETY: the module's handle is alive, the name ends with a NUL, the out-pointer is to a live local.
        let status = unsafe {
            device.runtime().api().hipModuleGetFunction(&mut handle, self.0.handle, c_name.as_ptr())
        };
        if matches!(status, Ok(code) if ErrorCode::from(code) == ErrorCode::NOT_FOUND) {
            device.runtime().clear_last_error();
            return Err(self.unknown(name));
        }
        let call = || Call::new("hipModuleGetFunction").arg("kname", name).on(device.raw());
        device.runtime().check(status, call)?;
        #[cfg(feature = "fault")]
        if device.runtime().is_simulated() {
            crate::fault::describe(handle.cast(), kernel);
        }
        Function::new(self.0.clone(), handle, kernel)
    }

    #[cold]
    fn unknown(&self, name: &str) -> Error {
        let available: Vec<String> = self.kernel_names().map(str::to_owned).collect();
        let message = format!("the module has no kernel `{name}`; it has {}", listed(&available));
        Error::new(ErrorKind::UnknownKernel { name: name.to_owned(), available }, message)
    }

    /// The names of the module's kernels, mangled unless they are `extern "C"`.
    #[doc(alias = "hipModuleGetFunctionCount")]
    pub fn kernel_names(&self) -> impl Iterator<Item = &str> {
        self.0.kernels.iter().map(|kernel| kernel.name.as_str())
    }

    /// The device that the module is loaded on.
    pub fn device(&self) -> Device {
        self.0.device
    }

    /// The handle, for calls that this crate does not wrap.
    pub fn raw(&self) -> hipModule_t {
        self.0.handle
    }
}

/// One of a module's variables, which nobody else has meanwhile. It keeps the module loaded.
pub(crate) struct Lent {
    module: Arc<Loaded>,
    address: usize,
}

impl Loaded {
    fn lent(&self) -> MutexGuard<'_, Vec<usize>> {
        self.lent.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Module {
    /// The variable at an address, unless somebody has it.
    pub(crate) fn lend(&self, address: usize) -> Option<Lent> {
        let mut lent = self.0.lent();
        if lent.contains(&address) {
            return None;
        }
        lent.push(address);
        Some(Lent { module: self.0.clone(), address })
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        self.module.lent().retain(|&address| address != self.address);
    }
}

impl fmt::Debug for Module {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kernels: Vec<&str> = self.kernel_names().collect();
        f.debug_struct("Module").field("device", &self.0.device).field("kernels", &kernels).finish()
    }
}

fn aligned(chunk: &[u8]) -> Aligned {
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().zip(chunk) {
        *to = *from;
    }
    Aligned(bytes)
}

#[cold]
fn no_code_object(device: Device, what: &str, target: String, available: Vec<String>) -> Error {
    let message = format!(
        "{what} has no code for device {} ({target}); it has {}",
        device.ordinal(),
        listed(&available)
    );
    Error::new(ErrorKind::NoCodeObject { device: target, available }, message)
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
