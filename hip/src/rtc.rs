//! Compiling HIP C++ at run time.
//!
//! ```no_run
//! use hip::rtc::Program;
//! use hip::{Device, InOut, LaunchConfig};
//!
//! let device = Device::first()?;
//! let source = "template <class T> __global__ void scale(T *x, T by) { x[threadIdx.x] *= by; }";
//! let compiled = Program::new("scale.hip", source).name_expression("scale<float>").compile(device)?;
//! let function = compiled.load(device)?.function(compiled.lowered_name("scale<float>")?)?;
//! let scale = function.with_parameters::<(InOut<f32>, f32)>()?;
//! # Ok::<(), hip::Error>(())
//! ```
//!
//! hiprtc is part of libamdhip64 in HIP 5, and a library of its own (libhiprtc) later; both are searched.
//!
//! # Safety
//! Every string that is passed ends with a NUL and lives across the call. A program's handle is destroyed once, by the
//! guard that holds it. Buffers are as long as hiprtc said they have to be.
#![allow(unsafe_code)]

mod cache;

pub use cache::Cache;

use crate::error::Call;
use crate::{Device, Error, ErrorKind, Module, Result, Runtime};
use hip_sys::{HIPRTC_ERROR_COMPILATION, HIPRTC_SUCCESS, MissingSymbol, hiprtcProgram, hiprtcResult};
use std::collections::BTreeMap;
use std::ffi::{CStr, CString, c_char, c_int};
use std::sync::Mutex;

/// A source that is about to be compiled: its headers, options and name expressions.
///
/// ```no_run
/// # let device = hip::Device::first()?;
/// use hip::rtc::Program;
/// let source = "extern \"C\" __global__ void zero(float *x) { x[threadIdx.x] = ZERO; }";
/// let compiled = Program::new("zero.hip", source).option("-DZERO=0").compile(device)?;
/// # Ok::<(), hip::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
#[doc(alias = "hiprtcProgram")]
#[doc(alias = "hiprtcDestroyProgram")]
pub struct Program {
    name: String,
    source: String,
    headers: Vec<(String, String)>,
    options: Vec<String>,
    expressions: Vec<String>,
    cache: Option<Cache>,
}

/// What came of a [`Program`]: a code object for one architecture.
///
/// ```no_run
/// # let device = hip::Device::first()?;
/// # let program = hip::rtc::Program::new("zero.hip", "");
/// let compiled = program.compile(device)?;
/// print!("{}", compiled.log());
/// let module = compiled.load(device)?;
/// # Ok::<(), hip::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compiled {
    code: Vec<u8>,
    log: String,
    names: BTreeMap<String, String>,
}

impl Program {
    /// A source; `name` stands in messages.
    pub fn new(name: impl Into<String>, source: impl Into<String>) -> Self {
        Self { name: name.into(), source: source.into(), ..Self::default() }
    }

    /// A header that the source includes as `name`.
    pub fn header(mut self, name: impl Into<String>, text: impl Into<String>) -> Self {
        self.headers.push((name.into(), text.into()));
        self
    }

    /// An option of the compiler, as `-DTILE=16` or `-O3`. The architecture is added by [`compile`](Self::compile).
    pub fn option(mut self, option: impl Into<String>) -> Self {
        self.options.push(option.into());
        self
    }

    /// An instance of a template that is needed, as `scale<float>`: [`Compiled::lowered_name`] has the name of its kernel.
    #[doc(alias = "hiprtcAddNameExpression")]
    pub fn name_expression(mut self, expression: impl Into<String>) -> Self {
        self.expressions.push(expression.into());
        self
    }

    /// Looks in `cache` before compiling, and leaves the result there. A program with an option that names files (`-I`,
    /// `-include`, `@`) is always compiled, as nobody sees when these change.
    pub fn cache(mut self, cache: Cache) -> Self {
        self.cache = Some(cache);
        self
    }

    /// `hiprtcCompileProgram`: compiles for the device's architecture.
    ///
    /// # Errors
    /// [`ErrorKind::Compilation`], with the compiler's log; or the failure of another call.
    #[doc(alias = "hiprtcCompileProgram")]
    #[doc(alias = "hiprtcGetErrorString")]
    pub fn compile(&self, device: Device) -> Result<Compiled> {
        self.compile_for(device.runtime(), device.arch()?)
    }

    /// `hiprtcCompileProgram`: compiles for an architecture, as `gfx900`, of which no device need be there.
    ///
    /// # Errors
    /// Those of [`Program::compile`].
    #[doc(alias = "hiprtcCompileProgram")]
    #[doc(alias = "hiprtcCreateProgram")]
    pub fn compile_for(&self, runtime: Runtime, arch: &str) -> Result<Compiled> {
        runtime.refuse()?;
        let mut options = self.options.clone();
        options.push(format!("--offload-arch={arch}"));
        let names_files = |option: &String| {
            ["-I", "-include", "-isystem", "@"].iter().any(|prefix| option.starts_with(prefix))
        };
        let Some(cache) = self.cache.as_ref().filter(|_| !self.options.iter().any(names_files)) else {
            return self.run(runtime, &options);
        };
        let key = self.key(runtime, &options)?;
        if let Some(compiled) = cache.find(&key) {
            return Ok(compiled);
        }
        let compiled = self.run(runtime, &options)?;
        cache.keep(&key, &compiled);
        Ok(compiled)
    }

    /// Everything that the result depends on.
    fn key(&self, runtime: Runtime, options: &[String]) -> Result<Vec<u8>> {
        let (major, minor) = version(runtime)?;
        let path = runtime.api().path().map(|path| path.display().to_string()).unwrap_or_default();
        let head = [format!("{} {major}.{minor} {path}", runtime.version())];
        let headers = self.headers.iter().flat_map(|(name, text)| [name, text]);
        let parts = head.iter().chain([&self.name, &self.source]);
        let lists =
            [headers.collect::<Vec<_>>(), options.iter().collect(), self.expressions.iter().collect()];
        let mut key = Vec::new();
        cache::put_all(&mut key, parts);
        lists.into_iter().for_each(|list| cache::put_all(&mut key, list.into_iter()));
        Ok(key)
    }

    fn run(&self, runtime: Runtime, options: &[String]) -> Result<Compiled> {
        // Older releases share state between programs.
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let program = Handle::create(runtime, self)?;
        let expressions = strings(&self.expressions)?;
        for expression in &expressions {
            // SAFETY: the handle is alive, the string ends with a NUL.
            let result = unsafe { runtime.api().hiprtcAddNameExpression(program.raw, expression.as_ptr()) };
            check(runtime, result, || Call::new("hiprtcAddNameExpression").arg("name", expression))?;
        }
        let owned = strings(options)?;
        let mut pointers = pointers(&owned);
        let count = c_int::try_from(pointers.len()).unwrap_or(c_int::MAX);
        // SAFETY: the handle is alive; as many strings as are told, which live across the call.
        let result = unsafe { runtime.api().hiprtcCompileProgram(program.raw, count, pointers.as_mut_ptr()) };
        let call = || Call::new("hiprtcCompileProgram").arg("name", &self.name).arg("options", options);
        if result == Ok(HIPRTC_ERROR_COMPILATION) {
            let log = program.log()?;
            let message = format!("{} does not compile:\n{}", self.name, log.trim_end());
            return Err(Error::failed(ErrorKind::Compilation { log }, call(), message));
        }
        check(runtime, result, call)?;
        let mut names = BTreeMap::new();
        for (expression, text) in expressions.iter().zip(&self.expressions) {
            names.insert(text.clone(), program.lowered(expression)?);
        }
        Ok(Compiled { code: program.code()?, log: program.log()?, names })
    }
}

impl Compiled {
    /// The code object.
    #[doc(alias = "hiprtcGetCode")]
    #[doc(alias = "hiprtcGetCodeSize")]
    pub fn code(&self) -> &[u8] {
        &self.code
    }

    /// What the compiler said: warnings, usually nothing.
    #[doc(alias = "hiprtcGetProgramLog")]
    #[doc(alias = "hiprtcGetProgramLogSize")]
    pub fn log(&self) -> &str {
        &self.log
    }

    /// The name in the code object of a kernel that was asked for by [`Program::name_expression`].
    ///
    /// # Errors
    /// [`ErrorKind::UnknownKernel`] for any other expression.
    #[doc(alias = "hiprtcGetLoweredName")]
    pub fn lowered_name(&self, expression: &str) -> Result<&str> {
        let unknown = || {
            let available: Vec<String> = self.names.keys().cloned().collect();
            let message = format!("`{expression}` was not given to name_expression; {available:?} were");
            Error::new(ErrorKind::UnknownKernel { name: expression.to_owned(), available }, message)
        };
        self.names.get(expression).map(String::as_str).ok_or_else(unknown)
    }

    /// Loads the code on a device.
    ///
    /// # Errors
    /// Those of [`Module::from_bytes`].
    pub fn load(&self, device: Device) -> Result<Module> {
        Module::from_bytes(device, &self.code)
    }
}

/// `hiprtcVersion`: the version of the run-time compiler, major and minor.
///
/// # Errors
/// The failure of the call, [`ErrorKind::Unsupported`] where there is no hiprtc.
#[doc(alias = "hiprtcVersion")]
pub fn version(runtime: Runtime) -> Result<(i32, i32)> {
    let (mut major, mut minor) = (0, 0);
    // SAFETY: the out-pointers are to live locals.
    let result = unsafe { runtime.usable_api()?.hiprtcVersion(&mut major, &mut minor) };
    check(runtime, result, || Call::new("hiprtcVersion"))?;
    Ok((major, minor))
}

/// A program inside hiprtc.
struct Handle {
    runtime: Runtime,
    raw: hiprtcProgram,
}

impl Handle {
    fn create(runtime: Runtime, program: &Program) -> Result<Self> {
        let (name, source) = (string(&program.name)?, string(&program.source)?);
        let (names, texts): (Vec<_>, Vec<_>) = program.headers.iter().cloned().unzip();
        let (names, texts) = (strings(&names)?, strings(&texts)?);
        let (mut names, mut texts) = (pointers(&names), pointers(&texts));
        let count = c_int::try_from(names.len()).unwrap_or(c_int::MAX);
        let mut raw = std::ptr::null_mut();
        // SAFETY: the out-pointer is to a live local; as many headers and names as are told; hiprtc copies all strings.
        let result = unsafe {
            let (texts, names) = (texts.as_mut_ptr(), names.as_mut_ptr());
            runtime.api().hiprtcCreateProgram(&mut raw, source.as_ptr(), name.as_ptr(), count, texts, names)
        };
        check(runtime, result, || Call::new("hiprtcCreateProgram").arg("name", &program.name))?;
        Ok(Self { runtime, raw })
    }

    fn lowered(&self, expression: &CStr) -> Result<String> {
        let mut name = std::ptr::null();
        // SAFETY: the handle is alive, the string ends with a NUL, the out-pointer is to a live local.
        let result =
            unsafe { self.runtime.api().hiprtcGetLoweredName(self.raw, expression.as_ptr(), &mut name) };
        let call = || Call::new("hiprtcGetLoweredName").arg("name_expression", expression);
        check(self.runtime, result, call)?;
        if name.is_null() {
            let message = format!("hiprtc has no name for {expression:?}");
            return Err(Error::failed(ErrorKind::Hip, call(), message));
        }
        // SAFETY: hiprtc keeps the NUL-terminated name for as long as the program.
        Ok(unsafe { CStr::from_ptr(name) }.to_string_lossy().into_owned())
    }

    fn log(&self) -> Result<String> {
        let api = self.runtime.api();
        let mut size = 0;
        // SAFETY: the handle is alive; the out-pointer is to a live local.
        let result = unsafe { api.hiprtcGetProgramLogSize(self.raw, &mut size) };
        check(self.runtime, result, || Call::new("hiprtcGetProgramLogSize"))?;
        let mut log = vec![0u8; size];
        if size > 0 {
            // SAFETY: the handle is alive; the buffer has the size that hiprtc just told.
            let result = unsafe { api.hiprtcGetProgramLog(self.raw, log.as_mut_ptr().cast()) };
            check(self.runtime, result, || Call::new("hiprtcGetProgramLog"))?;
        }
        let end = log.iter().position(|&byte| byte == 0).unwrap_or(log.len());
        log.truncate(end);
        Ok(String::from_utf8_lossy(&log).into_owned())
    }

    fn code(&self) -> Result<Vec<u8>> {
        let api = self.runtime.api();
        let mut size = 0;
        // SAFETY: the handle is alive; the out-pointer is to a live local.
        let result = unsafe { api.hiprtcGetCodeSize(self.raw, &mut size) };
        check(self.runtime, result, || Call::new("hiprtcGetCodeSize"))?;
        let mut code = vec![0u8; size];
        // SAFETY: the handle is alive; the buffer has the size that hiprtc just told.
        let result = unsafe { api.hiprtcGetCode(self.raw, code.as_mut_ptr().cast()) };
        check(self.runtime, result, || Call::new("hiprtcGetCode"))?;
        Ok(code)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: the handle is alive, and not used again.
        let result = unsafe { self.runtime.api().hiprtcDestroyProgram(&mut self.raw) };
        if let Err(error) = check(self.runtime, result, || Call::new("hiprtcDestroyProgram")) {
            self.runtime.report(&error);
        }
    }
}

/// As `Runtime::check`, for hiprtc's own codes.
fn check(
    runtime: Runtime,
    result: Result<hiprtcResult, MissingSymbol>,
    call: impl FnOnce() -> Call,
) -> Result<()> {
    let code = match result {
        Ok(HIPRTC_SUCCESS) => return Ok(()),
        Ok(code) => code,
        Err(_) => return Err(Error::unsupported(call(), runtime.version())),
    };
    // SAFETY: any code may be asked for.
    let text = unsafe { runtime.api().hiprtcGetErrorString(code) };
    let text = match text {
        // SAFETY: hiprtc returns static, NUL-terminated strings.
        Ok(text) if !text.is_null() => unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned(),
        _ => "hiprtcResult".to_owned(),
    };
    Err(Error::failed(ErrorKind::Hip, call(), format!("{text} ({})", code.0)))
}

fn string(text: &str) -> Result<CString> {
    let message = || "the source, a header, an option or a name expression has a NUL byte in it";
    CString::new(text).map_err(|_| Error::new(ErrorKind::Compilation { log: String::new() }, message()))
}

fn strings(texts: &[String]) -> Result<Vec<CString>> {
    texts.iter().map(|text| string(text)).collect()
}

fn pointers(strings: &[CString]) -> Vec<*const c_char> {
    strings.iter().map(|string| string.as_ptr()).collect()
}
