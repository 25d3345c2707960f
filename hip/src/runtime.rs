//! The handle to a loaded HIP runtime.
//!
//! # Safety
//! A runtime is either a library that was found under HIP's name, or a table that somebody vouched for in `with_api`.
//! The calls here pass out-pointers to live locals, or read the static strings that `hipGetErrorName` and
//! `hipGetErrorString` return.
#![allow(unsafe_code)]

use crate::deferred::Deferred;
use crate::device::DeviceState;
use crate::error::{Call, ErrorCode, kind_of};
use crate::observe::Observers;
use crate::{Device, Error, ErrorKind, Result};
use hip_sys::{Api, MissingSymbol, hipError_t};
use std::ffi::{CStr, c_char};
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, RwLock};

/// The version of a HIP runtime, as `hipRuntimeGetVersion` tells it: 5.2.21153 for 50221153.
///
/// ```
/// use hip::Version;
/// assert_eq!(Version::from_raw(50_221_153), Version { major: 5, minor: 2, patch: 21153 });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Version {
    /// 5 in 5.2.21153.
    pub major: u32,
    /// 2 in 5.2.21153.
    pub minor: u32,
    /// 21153 in 5.2.21153.
    pub patch: u32,
}

impl Version {
    /// What a runtime that cannot tell its version is taken for.
    pub const UNKNOWN: Self = Self { major: 0, minor: 0, patch: 0 };

    /// Decodes `major * 10^7 + minor * 10^5 + patch` (hip_version.h, `HIP_VERSION`).
    pub const fn from_raw(raw: u32) -> Self {
        Self { major: raw / 10_000_000, minor: raw / 100_000 % 100, patch: raw % 100_000 }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::UNKNOWN {
            return f.write_str("of unknown version");
        }
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

type DropHook = Arc<dyn Fn(&Error) + Send + Sync>;

/// What a runtime's objects share. Leaked, so that every object can carry a plain reference.
pub(crate) struct Shared {
    api: &'static Api,
    version: Version,
    /// The number of the simulation that the functions are of, 0 for none.
    #[cfg_attr(not(feature = "fault"), expect(dead_code, reason = "there are no simulations"))]
    simulation: u64,
    /// HIP has no device: `hipInit` said so.
    deviceless: bool,
    devices: OnceLock<Box<[DeviceState]>>,
    next_stream: AtomicU64,
    drop_hook: RwLock<Option<DropHook>>,
    pub(crate) deferred: Deferred,
    pub(crate) observers: Observers,
}

/// A loaded and initialised HIP runtime: a cheap handle that every other object carries.
///
/// There is no global state: a test brings its own function table with [`Runtime::with_api`].
///
/// ```no_run
/// let runtime = hip::Runtime::load()?;
/// println!("HIP {} with {} devices", runtime.version(), runtime.device_count()?);
/// # Ok::<(), hip::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct Runtime(&'static Shared);

impl Runtime {
    /// `hipInit`, once per process: finds, loads and initialises the HIP runtime.
    ///
    /// Where it is looked for is said at [`hip_sys::Api::load`]. The outcome is kept, a failure too.
    ///
    /// # Errors
    /// [`ErrorKind::RuntimeNotFound`], with every path that was tried, or the failure of `hipInit`. A machine without a
    /// device is no error here: [`Runtime::device`] says so.
    #[doc(alias = "hipInit")]
    pub fn load() -> Result<Self> {
        static LOADED: OnceLock<Result<Runtime>> = OnceLock::new();
        let load = || match Api::load() {
            // SAFETY: the library was found under HIP's name.
            Ok(api) => unsafe { Self::with_api(api) },
            Err(error) => Err(Error::new(ErrorKind::RuntimeNotFound, error.to_string())),
        };
        LOADED.get_or_init(load).clone()
    }

    /// `hipInit` on a function table of the caller's own.
    ///
    /// Each call makes a new handle and leaks a few hundred bytes: meant for tests.
    ///
    /// # Safety
    /// The functions of the table have the types that HIP's headers give them, and do what those say.
    ///
    /// # Errors
    /// The failure of `hipInit`.
    #[doc(alias = "hipInit")]
    pub unsafe fn with_api(api: &'static Api) -> Result<Self> {
        // SAFETY: the caller's promise; 0 is no simulation.
        unsafe { Self::of_simulation(api, 0) }
    }

    /// As [`with_api`](Self::with_api); `simulation` is 0 for a table whose functions mean the same in every thread.
    ///
    /// # Safety
    /// As for [`with_api`](Self::with_api), in threads that are attached to the simulation.
    pub(crate) unsafe fn of_simulation(api: &'static Api, simulation: u64) -> Result<Self> {
        let mut shared = Shared {
            simulation,
            api,
            version: Version::UNKNOWN,
            deviceless: false,
            devices: OnceLock::new(),
            next_stream: AtomicU64::new(1),
            drop_hook: RwLock::new(None),
            deferred: Deferred::default(),
            observers: Observers::from_environment(),
        };
        // SAFETY: 0 is the only flag there is.
        let initialised = unsafe { api.hipInit(0) };
        let mut raw = 0;
        // SAFETY: the out-pointer is to a live local.
        if let Ok(hipError_t(0)) = unsafe { api.hipRuntimeGetVersion(&mut raw) } {
            shared.version = Version::from_raw(raw.unsigned_abs());
        }
        shared.deviceless =
            matches!(initialised.map(ErrorCode::from), Ok(ErrorCode::NO_DEVICE | ErrorCode::INVALID_DEVICE));
        let runtime = Self(Box::leak(Box::new(shared)));
        if !runtime.0.deviceless {
            runtime.check(initialised, || Call::new("hipInit").arg("flags", 0))?;
        }
        Ok(runtime)
    }

    /// The function table, for calls that this crate does not wrap.
    pub fn api(self) -> &'static Api {
        self.0.api
    }

    /// `hipRuntimeGetVersion`: the version of the loaded runtime, or [`Version::UNKNOWN`].
    #[doc(alias = "hipRuntimeGetVersion")]
    pub fn version(self) -> Version {
        self.0.version
    }

    /// `hipDriverGetVersion`: the version of the driver's interface. AMD's runtime reports its own version here.
    ///
    /// # Errors
    /// The failure of the call.
    #[doc(alias = "hipDriverGetVersion")]
    pub fn driver_version(self) -> Result<Version> {
        let mut raw = 0;
        // SAFETY: the out-pointer is to a live local.
        let status = unsafe { self.usable_api()?.hipDriverGetVersion(&mut raw) };
        self.check(status, || Call::new("hipDriverGetVersion"))?;
        Ok(Version::from_raw(raw.unsigned_abs()))
    }

    /// Whether the runtime exports a function, by its C name. What it lacks answers [`ErrorKind::Unsupported`].
    #[doc(alias = "hipGetProcAddress")]
    #[doc(alias = "hipGetDriverEntryPoint")]
    pub fn supports(self, symbol: &str) -> bool {
        self.api().supports(symbol)
    }

    /// `hipGetDeviceCount`: how many devices there are, 0 included.
    ///
    /// # Errors
    /// The failure of the call.
    #[doc(alias = "hipGetDeviceCount")]
    pub fn device_count(self) -> Result<usize> {
        self.states().map(<[DeviceState]>::len)
    }

    /// The device of that number.
    ///
    /// # Errors
    /// [`ErrorKind::NoDevice`] when there is none at all, [`ErrorKind::InvalidDevice`] when there is none of that number.
    #[doc(alias = "hipDeviceGet")]
    pub fn device(self, ordinal: usize) -> Result<Device> {
        let states = self.states()?;
        if let Some(state) = states.get(ordinal) {
            return Ok(Device::new(state));
        }
        let count = states.len();
        Err(match count {
            0 => Error::new(ErrorKind::NoDevice, "there is no device that HIP can use"),
            _ => Error::new(
                ErrorKind::InvalidDevice { ordinal, count },
                format!("there is no device {ordinal}: HIP has {count}"),
            ),
        })
    }

    /// All devices, in HIP's order.
    ///
    /// # Errors
    /// The failure of `hipGetDeviceCount`.
    pub fn devices(self) -> Result<impl ExactSizeIterator<Item = Device>> {
        Ok(self.states()?.iter().map(Device::new))
    }

    /// Sets what becomes of errors that happen while something is dropped. By default they go to standard error.
    ///
    /// An error in `drop` has nowhere else to go: it never panics and never surfaces at an unrelated call. A panic in the
    /// hook is caught and dropped.
    pub fn on_drop_error(self, hook: impl Fn(&Error) + Send + Sync + 'static) {
        let mut slot = self.0.drop_hook.write().unwrap_or_else(|poisoned| poisoned.into_inner());
        *slot = Some(Arc::new(hook));
    }

    /// Whether each kernel, copy, fill and graph is waited for before the call that enqueues it returns: for debugging. The
    /// environment variable `HIP_RS_LAUNCH_BLOCKING=1` sets it for every runtime of a process.
    ///
    /// An error then names the operation that failed ([`Error::cause`]). AMD's runtime aborts the process after a memory
    /// fault; the operation is then named on standard error.
    ///
    /// ```no_run
    /// let runtime = hip::Runtime::load()?;
    /// runtime.set_launch_blocking(true);
    /// # Ok::<(), hip::Error>(())
    /// ```
    pub fn set_launch_blocking(self, blocking: bool) {
        self.0.observers.set_blocking(blocking);
    }

    /// `hipProfilerStart`: tells a profiler that is attached to the process to record from here on.
    ///
    /// # Errors
    /// The failure of the call: AMD's releases up to 5.7 answer `hipErrorNotSupported`.
    #[doc(alias = "hipProfilerStart")]
    pub fn start_profiler(self) -> Result<()> {
        // SAFETY: the call takes nothing.
        let status = unsafe { self.usable_api()?.hipProfilerStart() };
        self.check(status, || Call::new("hipProfilerStart"))
    }

    /// `hipProfilerStop`: tells a profiler that is attached to the process to record no more.
    ///
    /// # Errors
    /// As [`Runtime::start_profiler`].
    #[doc(alias = "hipProfilerStop")]
    pub fn stop_profiler(self) -> Result<()> {
        // SAFETY: the call takes nothing.
        let status = unsafe { self.usable_api()?.hipProfilerStop() };
        self.check(status, || Call::new("hipProfilerStop"))
    }

    /// An error where this thread cannot use HIP: inside a callback, or when it is attached to another simulation.
    #[inline]
    pub(crate) fn refuse(self) -> Result<()> {
        #[cfg(feature = "fault")]
        crate::fault::refuse(self.0.simulation)?;
        crate::callback::refuse()
    }

    /// The function table, where this thread can use HIP: see [`refuse`](Self::refuse).
    #[inline]
    pub(crate) fn usable_api(self) -> Result<&'static Api> {
        self.refuse()?;
        Ok(self.0.api)
    }

    /// Whether it is a simulation of `fault`.
    #[cfg(feature = "fault")]
    pub(crate) fn is_simulated(self) -> bool {
        self.0.simulation != 0
    }

    /// Hands an error that happened in `drop` to the hook.
    #[cold]
    pub(crate) fn report(self, error: &Error) {
        let hook = self.0.drop_hook.read().unwrap_or_else(|poisoned| poisoned.into_inner()).clone();
        match hook {
            Some(hook) => {
                if let Err(panic) = std::panic::catch_unwind(AssertUnwindSafe(|| hook(error))) {
                    // What it carries might panic when it is dropped.
                    std::mem::forget(panic);
                }
            }
            None => {
                use std::io::Write as _;
                // A closed standard error must not panic in a destructor, as eprintln would.
                let _ = writeln!(std::io::stderr(), "hip: while something was dropped: {error}");
            }
        }
    }

    pub(crate) fn shared(self) -> &'static Shared {
        self.0
    }

    /// A number for a new stream, which no other one ever had: 64 bits do not run out. Never 0, nor the mark of
    /// [`Uses`](crate::memory::Uses) for "several".
    pub(crate) fn next_stream_id(self) -> u64 {
        self.0.next_stream.fetch_add(1, Ordering::Relaxed)
    }

    fn states(self) -> Result<&'static [DeviceState]> {
        if let Some(states) = self.0.devices.get() {
            return Ok(states);
        }
        let count = if self.0.deviceless { 0 } else { self.query_count()? };
        Ok(self.0.devices.get_or_init(|| (0..count).map(|ordinal| DeviceState::new(self, ordinal)).collect()))
    }

    fn query_count(self) -> Result<i32> {
        let mut count = 0;
        // SAFETY: the out-pointer is to a live local.
        let status = unsafe { self.usable_api()?.hipGetDeviceCount(&mut count) };
        if let Ok(hipError_t(code)) = status
            && ErrorCode(code) == ErrorCode::NO_DEVICE
        {
            self.clear_last_error();
            return Ok(0);
        }
        self.check(status, || Call::new("hipGetDeviceCount"))?;
        Ok(count)
    }

    /// `Ok` for success; else an error that describes the call. `call` runs on failure only.
    #[inline]
    pub(crate) fn check(
        self,
        status: Result<hipError_t, MissingSymbol>,
        call: impl FnOnce() -> Call,
    ) -> Result<()> {
        match status {
            Ok(hipError_t(0)) => Ok(()),
            other => Err(self.failure(other, call())),
        }
    }

    /// As [`check`](Self::check), in `drop`: a failure goes to the hook. Says whether the call succeeded.
    pub(crate) fn check_in_drop(
        self,
        status: Result<hipError_t, MissingSymbol>,
        call: impl FnOnce() -> Call,
    ) -> bool {
        match self.check(status, call) {
            Ok(()) => true,
            Err(error) => {
                self.report(&error);
                false
            }
        }
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn failure(self, status: Result<hipError_t, MissingSymbol>, call: Call) -> Error {
        let Ok(raw) = status else { return Error::unsupported(call, self.version()) };
        self.clear_last_error();
        let code = ErrorCode::from(raw);
        Error::hip(kind_of(code), code, call, self.describe(raw))
    }

    /// HIP 6 keeps the last error of a thread until somebody reads it. This one is reported, so nobody else (a library
    /// that peeks, say) shall find it.
    pub(crate) fn clear_last_error(self) {
        // SAFETY: the call takes nothing.
        let _ = unsafe { self.api().hipGetLastError() };
    }

    /// `hipGetErrorName` and `hipGetErrorString`: the runtime's own words for a code.
    fn describe(self, raw: hipError_t) -> String {
        let code = ErrorCode::from(raw);
        // SAFETY: any code may be asked for.
        let name = unsafe { self.api().hipGetErrorName(raw) };
        // SAFETY: as above.
        let text = unsafe { self.api().hipGetErrorString(raw) };
        let name = name.ok().and_then(owned).or_else(|| code.name().map(str::to_owned));
        let text = text.ok().and_then(owned).filter(|text| Some(text) != name.as_ref());
        let name = name.unwrap_or_else(|| "hipError_t".to_owned());
        match text {
            Some(text) => format!("{name} ({}): {text}", code.0),
            None => format!("{name} ({})", code.0),
        }
    }
}

fn owned(text: *const c_char) -> Option<String> {
    if text.is_null() {
        return None;
    }
    // SAFETY: HIP returns static, NUL-terminated strings.
    let text = unsafe { CStr::from_ptr(text) };
    Some(text.to_string_lossy().into_owned())
}

impl PartialEq for Runtime {
    /// Whether both are the same loaded runtime.
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.0, other.0)
    }
}

impl Eq for Runtime {}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runtime").field("version", &self.0.version).field("path", &self.0.api.path()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_decode() {
        let version = Version::from_raw(50_221_153);
        assert_eq!((version.major, version.minor, version.patch), (5, 2, 21153));
        assert_eq!(Version::from_raw(60_443_484).to_string(), "6.4.43484");
        assert!(Version::from_raw(70_051_831) > Version::from_raw(60_443_484));
    }
}
