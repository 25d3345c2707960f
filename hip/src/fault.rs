//! A HIP runtime in memory, for tests of one's own error handling: no GPU, no ROCm, and every failure there is.
//!
//! A [`Simulation`] stands below the wrapper, as a function table. It allocates, copies, fills, orders streams and runs
//! graphs; kernels are closures. Any call can be made to fail with any code ([`Simulation::fail`]), any function be missing
//! ([`Config::missing`]), memory run out in both ways that releases report it ([`Config::null_on_oom`]), and both layouts
//! of `hipDeviceProp_t` be played.
//!
//! It is lazy and adversarial: work runs only when somebody waits for it, and then only as much as the API promises, which
//! is what the streams' own order and their waits for events demand. Work that another stream should have waited for but
//! did not is thus seen as missing, and memory that is freed too early as a [violation](State::violations). The null stream
//! is ordered with no other stream: less than HIP promises.
//!
//! "Device" memory is host memory that is never given back before the simulation ends, so a violation is reported, not
//! executed.
//!
//! ```
//! use hip::fault::{Config, Simulation};
//! use hip::{DeviceBuffer, ErrorCode, ErrorKind};
//!
//! let simulation = Simulation::new(Config { memory: 1 << 20, ..Config::default() });
//! let stream = simulation.runtime()?.device(0)?.stream()?;
//! let mut buffer = DeviceBuffer::<u32>::zeroed(&stream, 100)?;
//!
//! // The third copy from now fails. What does the program do?
//! simulation.fail("hipMemcpyWithStream", 2, ErrorCode::ILLEGAL_ADDRESS);
//! assert!(buffer.to_vec(&stream).is_ok() && buffer.to_vec(&stream).is_ok());
//! let error = buffer.to_vec(&stream).unwrap_err();
//! assert_eq!((error.kind(), error.call()), (&ErrorKind::DeviceFailure, Some("hipMemcpyWithStream")));
//!
//! let error = DeviceBuffer::<u8>::uninit(stream.device(), 2 << 20).unwrap_err();
//! assert_eq!(error.kind(), &ErrorKind::OutOfMemory { requested: 2 << 20 });
//! # Ok::<(), hip::Error>(())
//! ```
//!
//! A thread that was not the one that made the simulation calls [`Simulation::attach`] first. In a thread that is attached to
//! none, or to another one, whatever would enqueue or wait is an error.
//!
//! # Safety
//! Addresses are followed only after `State::touch` found them inside an allocation of the simulation's, or when they came
//! from the wrapper as borrowed host memory, whose lifetime is what such tests are about. The functions of the table have
//! the types of those they stand for.
#![allow(unsafe_code)]

mod arrays;
mod calls;
mod graph_calls;
mod graphs;
mod kernels;
mod memory;
mod resources;
mod rtc;
mod rtc_calls;
mod state;

pub use arrays::NAMES as ARRAY_NAMES;
pub use calls::NAMES;
pub use graph_calls::NAMES as GRAPH_NAMES;
pub use kernels::Launched;
pub use memory::NAMES as MEMORY_NAMES;
pub use resources::NAMES as RESOURCE_NAMES;
pub use rtc_calls::NAMES as RTC_NAMES;
pub use state::{Allocation, State, StreamState};

use crate::kernel::Params;
use crate::{Error, ErrorCode, ErrorKind, Result, Runtime};
use hip_sys::Api;
use state::Failure;
use std::cell::{Cell, RefCell};
use std::ffi::{CStr, c_void};
use std::ops::Deref;
use std::ptr::NonNull;
use std::sync::{Arc, Mutex, MutexGuard};

/// What a [`Simulation`] pretends to be.
///
/// ```
/// use hip::fault::{Config, Simulation};
/// let three = Simulation::new(Config { devices: 3, ..Config::default() });
/// assert_eq!(three.runtime()?.device_count()?, 3);
/// # Ok::<(), hip::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Config {
    /// How many devices there are.
    pub devices: i32,
    /// What `hipRuntimeGetVersion` tells: 50221153 for 5.2.21153.
    pub version: i32,
    /// Bytes of device memory.
    pub memory: usize,
    /// Out of memory is reported as success with a null pointer, as releases before 6 do.
    pub null_on_oom: bool,
    /// Whether devices have memory pools.
    pub pools: bool,
    /// C functions that the runtime does not have.
    pub missing: Vec<&'static str>,
    /// The devices' target id.
    pub target_id: String,
}

impl Default for Config {
    /// One device, a gfx900, of HIP 5.2 with 1 MiB of memory.
    fn default() -> Self {
        Self {
            devices: 1,
            version: 50_221_153,
            memory: 1 << 20,
            null_on_oom: false,
            pools: false,
            missing: vec!["hipGetDevicePropertiesR0600"],
            target_id: "gfx900:xnack-".to_owned(),
        }
    }
}

thread_local! {
    /// The number of the simulation that is attached, 0 for none.
    static ATTACHED: Cell<u64> = const { Cell::new(0) };
    static STATE: RefCell<Option<Arc<Mutex<State>>>> = const { RefCell::new(None) };
    static CURRENT: Cell<i32> = const { Cell::new(0) };
}

/// The device that is current in this thread, as `hipGetDevice` tells it to simulated calls.
pub fn current_device() -> i32 {
    CURRENT.get()
}

/// Makes a device current in this thread behind the wrapper's back, as a library would.
pub fn set_current_device(device: i32) {
    CURRENT.set(device);
}

/// An error in a thread that is not attached to the simulation of that number: its calls would reach another one.
#[inline]
pub(crate) fn refuse(simulation: u64) -> Result<()> {
    if simulation == 0 || simulation == ATTACHED.get() { Ok(()) } else { Err(detached()) }
}

#[cold]
fn detached() -> Error {
    Error::new(ErrorKind::Hip, "this thread is not attached to the simulation: see Simulation::attach")
}

/// Tells the attached simulation what parameters a function has.
pub(crate) fn describe(function: *mut c_void, metadata: &code_object::Kernel) {
    let parameter = |argument: &code_object::Arg| kernels::Parameter {
        bytes: usize::try_from(argument.size).unwrap_or(0),
        is_pointer: argument.kind != code_object::ArgKind::ByValue,
    };
    let parameters = metadata.explicit_args().map(parameter).collect();
    let Some(state) = STATE.with_borrow(Clone::clone) else { return };
    let mut state = state.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    if let Some(function) = state.functions.get_mut(&function.addr()) {
        function.parameters = parameters;
    }
}

/// A HIP runtime in memory. Clones are the same one.
///
/// ```
/// use hip::{ErrorCode, fault::{Config, Simulation}};
/// let simulation = Simulation::new(Config::default());
/// let device = simulation.runtime()?.device(0)?;
/// simulation.fail("hipStreamCreateWithFlags", 0, ErrorCode::OUT_OF_MEMORY);
/// assert_eq!(device.stream().unwrap_err().call(), Some("hipStreamCreateWithFlags"));
/// # Ok::<(), hip::Error>(())
/// ```
#[derive(Clone)]
pub struct Simulation {
    state: Arc<Mutex<State>>,
    api: &'static Api,
}

impl Simulation {
    /// A new runtime, [attached](Self::attach) to this thread. Its function table is leaked, a few kilobytes.
    pub fn new(config: Config) -> Self {
        let missing = config.missing.clone();
        let resolve = move |name: &CStr| {
            let name = name.to_str().ok()?;
            if missing.contains(&name) { None } else { NonNull::new(calls::find(name)?.cast_mut()) }
        };
        let state = Arc::new(Mutex::new(State::new(config)));
        let simulation = Self { state, api: Box::leak(Box::new(Api::from_resolver(resolve))) };
        simulation.attach();
        simulation
    }

    /// Makes this runtime the one that HIP calls of this thread reach.
    pub fn attach(&self) {
        ATTACHED.set(self.lock().id);
        STATE.set(Some(self.state.clone()));
        CURRENT.set(0);
    }

    /// A handle to the runtime, for the safe layer. Each call makes a new one.
    ///
    /// # Errors
    /// The failure of `hipInit`, if it is told to fail.
    pub fn runtime(&self) -> Result<Runtime> {
        let id = self.lock().id;
        // SAFETY: the functions in calls.rs have the types of those they stand for, in threads that are attached to this
        // simulation; the wrapper refuses all others.
        unsafe { Runtime::of_simulation(self.api, id) }
    }

    /// What the runtime holds. No HIP call of any thread returns while the guard lives.
    pub fn state(&self) -> impl Deref<Target = State> + '_ {
        self.lock()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Sets [`Config::null_on_oom`].
    pub fn set_null_on_oom(&self, yes: bool) {
        self.lock().config.null_on_oom = yes;
    }

    /// Forgets host memory that could not be unregistered: its addresses are used again.
    pub fn forget_registered(&self) {
        self.lock().registered.clear();
    }

    /// From the call after the next `successes` ones on, the C function `name` fails with `code`.
    pub fn fail(&self, name: &'static str, successes: u32, code: ErrorCode) {
        self.lock().failures.insert(name, Failure { successes, code: code.0, late: false });
    }

    /// From now on, `name` does what it should and says that it failed with `code`.
    pub fn fail_late(&self, name: &'static str, code: ErrorCode) {
        self.lock().failures.insert(name, Failure { successes: 0, code: code.0, late: true });
    }

    /// `name` works again.
    pub fn heal(&self, name: &'static str) {
        self.lock().failures.remove(name);
    }

    /// What launches of the kernel `name` do. A kernel that nobody gave a body does nothing.
    ///
    /// The body must not call HIP. It is given the memory behind the kernel's own pointers only, and a launch of a kernel with
    /// other parameters than `P` fails with `hipErrorInvalidHandle`.
    ///
    /// ```
    /// use hip::{In, InOut};
    /// # let simulation = hip::fault::Simulation::new(hip::fault::Config::default());
    /// simulation.kernel::<(f32, In<f32>, InOut<f32>, i32)>("saxpy", |launch| {
    ///     let (Some(a), Some(n)) = (launch.value::<f32>(0), launch.value::<i32>(3)) else { return };
    ///     let n = usize::try_from(n).unwrap_or(0).min(launch.threads());
    ///     let (x, mut y) = (launch.read::<f32>(1, n), launch.read::<f32>(2, n));
    ///     y.iter_mut().zip(&x).for_each(|(y, x)| *y = a.mul_add(*x, *y));
    ///     launch.write(2, &y);
    /// });
    /// ```
    pub fn kernel<P: Params>(&self, name: &str, body: impl Fn(&mut Launched<'_>) + Send + Sync + 'static) {
        let body = kernels::Body { parameters: P::INFO, run: Box::new(body) };
        self.lock().bodies.insert(name.to_owned(), Arc::new(body));
    }

    /// What hiprtc makes of a source: a code object, or the log that says why it does not compile.
    pub fn compiler(
        &self,
        compiler: impl Fn(&str) -> std::result::Result<Vec<u8>, String> + Send + Sync + 'static,
    ) {
        self.lock().compiler = Some(Arc::new(compiler));
    }

    /// How often a C function was called.
    pub fn count(&self, name: &str) -> usize {
        self.state().log.iter().filter(|&&entry| entry == name).count()
    }

    /// Nothing was used after it was freed.
    ///
    /// # Panics
    /// With the list of violations, if there are any.
    #[track_caller]
    pub fn assert_clean(&self) {
        let state = self.state();
        assert!(state.violations.is_empty(), "{:?}", state.violations);
    }

    /// Runs everything that was enqueued, so that late uses of freed memory come to light.
    pub fn run_all(&self) {
        let mut state = self.lock();
        let streams: Vec<usize> = state.streams.keys().copied().collect();
        streams.into_iter().for_each(|stream| state.run(stream, u64::MAX));
    }
}

impl std::fmt::Debug for Simulation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Simulation").field("config", &self.state().config).finish_non_exhaustive()
    }
}
