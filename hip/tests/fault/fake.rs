//! A HIP runtime for tests, in memory: lazy and adversarial.
//!
//! Work runs only when somebody waits for it, and then only as much as the API promises: what the streams' own order and
//! their waits for events demand. Work that another stream should have waited for but did not is thus seen as missing, and
//! memory that is freed too early as a violation. The null stream is ordered with no other stream: less than HIP promises.
//!
//! "Device" memory is host memory that is never given back before the test ends, so a violation is reported, not executed.
//!
//! # Safety
//! Addresses are followed only after [`State::touch`] found them inside an allocation of the test's, or when they came from
//! the wrapper as borrowed host memory, whose lifetime is what the tests are about.

use hip::Runtime;
use hip::sys::{Api, hipError_t};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::ffi::{CStr, c_void};
use std::ptr::NonNull;
use std::sync::{Arc, Mutex, MutexGuard};

pub const SUCCESS: u32 = 0;
pub const INVALID_VALUE: u32 = 1;
pub const OUT_OF_MEMORY: u32 = 2;
pub const NO_DEVICE: u32 = 100;
pub const INVALID_HANDLE: u32 = 400;
pub const NOT_READY: u32 = 600;
pub const ILLEGAL_ADDRESS: u32 = 700;

pub struct Allocation {
    pub bytes: Box<[u8]>,
    pub freed: bool,
    pub host: bool,
}

/// Work in a stream.
pub enum Op {
    Copy {
        to: usize,
        from: usize,
        bytes: usize,
    },
    Fill {
        to: usize,
        pattern: Vec<u8>,
        count: usize,
    },
    Saxpy {
        a: f32,
        x: usize,
        y: usize,
        n: i32,
        module: usize,
    },
    /// Waits for the work numbered `until` in `stream`.
    Wait {
        stream: usize,
        until: u64,
    },
    Nothing,
}

#[derive(Default)]
pub struct StreamState {
    pub device: i32,
    pub priority: i32,
    pub flags: u32,
    pub destroyed: bool,
    pub queue: VecDeque<Op>,
    /// Work that was ever enqueued.
    pub enqueued: u64,
    /// Work that is done.
    pub done: u64,
}

/// What the runtime shall pretend.
pub struct Config {
    pub devices: i32,
    pub version: i32,
    /// Bytes of device memory.
    pub memory: usize,
    /// Out of memory is reported as success with a null pointer.
    pub null_on_oom: bool,
    pub missing: Vec<&'static str>,
}

impl Default for Config {
    fn default() -> Self {
        let missing = vec!["hipGetDevicePropertiesR0600"];
        Self { devices: 1, version: 50_221_153, memory: 1 << 20, null_on_oom: false, missing }
    }
}

/// How a function is made to fail.
struct Failure {
    /// Calls that still succeed.
    successes: u32,
    code: u32,
    /// The call does its work, and reports the failure nevertheless.
    late: bool,
}

pub struct State {
    pub config: Config,
    pub allocations: BTreeMap<usize, Allocation>,
    pub streams: HashMap<usize, StreamState>,
    /// Per event: the stream and the number of its last work when it was recorded.
    pub events: HashMap<usize, Option<(usize, u64)>>,
    /// Per module: whether it is loaded.
    pub modules: HashMap<usize, bool>,
    /// Per function: how it fails.
    failures: HashMap<&'static str, Failure>,
    pub log: Vec<&'static str>,
    pub violations: Vec<String>,
    pub last_error: u32,
    next_handle: usize,
}

/// The null stream of device `d` is stream `-d - 1`, so that handles of real streams are distinct from them.
pub fn null_stream(device: i32) -> usize {
    usize::MAX - device as usize
}

thread_local! {
    static STATE: RefCell<Option<Arc<Mutex<State>>>> = const { RefCell::new(None) };
    /// The current device of this thread.
    pub static CURRENT: Cell<i32> = const { Cell::new(0) };
}

/// A fake runtime. Threads that use it call [`Fake::attach`].
#[derive(Clone)]
pub struct Fake {
    state: Arc<Mutex<State>>,
    api: &'static Api,
}

impl Fake {
    pub fn new(config: Config) -> Self {
        let missing = config.missing.clone();
        let resolve = move |name: &CStr| {
            let name = name.to_str().ok()?;
            if missing.contains(&name) { None } else { NonNull::new(crate::calls::lookup(name)?.cast_mut()) }
        };
        let state = Arc::new(Mutex::new(State {
            config,
            allocations: BTreeMap::new(),
            streams: HashMap::new(),
            events: HashMap::new(),
            modules: HashMap::new(),
            failures: HashMap::new(),
            log: Vec::new(),
            violations: Vec::new(),
            last_error: SUCCESS,
            next_handle: 16,
        }));
        let fake = Self { state, api: Box::leak(Box::new(Api::from_resolver(resolve))) };
        fake.attach();
        fake
    }

    /// Makes this runtime the one that HIP calls of this thread reach.
    pub fn attach(&self) {
        STATE.set(Some(self.state.clone()));
        CURRENT.set(0);
    }

    pub fn runtime(&self) -> Runtime {
        self.try_runtime().expect("the fake runtime initialises")
    }

    pub fn try_runtime(&self) -> hip::Result<Runtime> {
        // SAFETY: the functions in calls.rs have the types of those they stand for.
        unsafe { Runtime::with_api(self.api) }
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// From the call after the next `successes` ones on, `name` fails with `code`.
    pub fn fail(&self, name: &'static str, successes: u32, code: u32) {
        self.state().failures.insert(name, Failure { successes, code, late: false });
    }

    /// From now on, `name` does what it should and says that it failed with `code`.
    pub fn fail_late(&self, name: &'static str, code: u32) {
        self.state().failures.insert(name, Failure { successes: 0, code, late: true });
    }

    pub fn heal(&self, name: &'static str) {
        self.state().failures.remove(name);
    }

    /// How often a function was called.
    pub fn count(&self, name: &str) -> usize {
        self.state().log.iter().filter(|&&entry| entry == name).count()
    }

    /// Nothing was used after it was freed.
    pub fn assert_clean(&self) {
        let state = self.state();
        assert!(state.violations.is_empty(), "{:?}", state.violations);
    }

    /// Runs everything that was enqueued, so that late uses of freed memory come to light.
    pub fn run_all(&self) {
        let mut state = self.state();
        let streams: Vec<usize> = state.streams.keys().copied().collect();
        streams.into_iter().for_each(|stream| state.run(stream, u64::MAX));
    }
}

/// Runs a call of the C interface on the attached state: logs it, and fails it if that was asked for.
pub fn call(name: &'static str, body: impl FnOnce(&mut State) -> u32) -> hipError_t {
    let state = STATE.with_borrow(|state| state.clone()).expect("a fake runtime is attached to this thread");
    let mut state = state.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    state.log.push(name);
    let injected = match state.failures.get_mut(name) {
        Some(Failure { successes: 0, code, late }) => Some((*code, *late)),
        Some(failure) => {
            failure.successes -= 1;
            None
        }
        None => None,
    };
    let code = match injected {
        Some((code, false)) => code,
        Some((code, true)) => {
            body(&mut state);
            code
        }
        None => body(&mut state),
    };
    // What hipGetLastError returns is no error of its own.
    if code != SUCCESS && code != NOT_READY && name != "hipGetLastError" {
        state.last_error = code;
    }
    hipError_t(code)
}

impl State {
    pub fn handle(&mut self) -> usize {
        self.next_handle += 16;
        self.next_handle
    }

    /// The stream that a handle means in this thread.
    pub fn stream(&mut self, handle: *mut c_void) -> Option<usize> {
        let stream = if handle.is_null() { null_stream(CURRENT.get()) } else { handle.addr() };
        if handle.is_null() {
            self.streams
                .entry(stream)
                .or_insert_with(|| StreamState { device: CURRENT.get(), ..StreamState::default() });
        }
        match self.streams.get(&stream) {
            Some(state) if !state.destroyed => Some(stream),
            Some(_) => {
                self.violations.push("a destroyed stream was used".to_owned());
                None
            }
            None => None,
        }
    }

    pub fn enqueue(&mut self, stream: usize, op: Op) {
        let state = self.streams.get_mut(&stream).expect("the stream exists");
        state.queue.push_back(op);
        state.enqueued += 1;
    }

    /// Runs a stream's work up to number `until`, and what that waits for.
    pub fn run(&mut self, stream: usize, until: u64) {
        loop {
            let Some(state) = self.streams.get_mut(&stream) else { return };
            if state.done >= until {
                return;
            }
            let Some(op) = state.queue.pop_front() else { return };
            self.execute(op);
            self.streams.get_mut(&stream).expect("streams are never removed").done += 1;
        }
    }

    fn execute(&mut self, op: Op) {
        match op {
            Op::Nothing => {}
            Op::Wait { stream, until } => self.run(stream, until),
            Op::Copy { to, from, bytes } => {
                if self.touch(to, bytes) && self.touch(from, bytes) {
                    // SAFETY: both are inside allocations of the test, or borrowed host memory (see the head).
                    unsafe { std::ptr::copy(from as *const u8, to as *mut u8, bytes) };
                }
            }
            Op::Fill { to, pattern, count } => {
                if self.touch(to, pattern.len() * count) {
                    for index in 0..count {
                        let to = (to + index * pattern.len()) as *mut u8;
                        // SAFETY: inside an allocation of the test.
                        unsafe { std::ptr::copy_nonoverlapping(pattern.as_ptr(), to, pattern.len()) };
                    }
                }
            }
            Op::Saxpy { a, x, y, n, module } => {
                if self.modules.get(&module) != Some(&true) {
                    self.violations.push("a kernel ran after its module was unloaded".to_owned());
                    return;
                }
                let n = usize::try_from(n).unwrap_or(0);
                if self.touch(x, n * 4) && self.touch(y, n * 4) {
                    for index in 0..n {
                        let (x, y) =
                            ((x as *const f32).wrapping_add(index), (y as *mut f32).wrapping_add(index));
                        // SAFETY: inside allocations of the test.
                        unsafe { y.write_unaligned(a.mul_add(x.read_unaligned(), y.read_unaligned())) };
                    }
                }
            }
        }
    }

    /// Whether work may touch the memory. Addresses that the fake did not hand out are the wrapper's host memory.
    fn touch(&mut self, address: usize, bytes: usize) -> bool {
        let Some((start, allocation)) = self.allocations.range(..=address).next_back() else { return true };
        if address >= start + allocation.bytes.len() {
            return true;
        }
        let problem = if allocation.freed {
            "after it was freed"
        } else if address + bytes > start + allocation.bytes.len() {
            "beyond its end"
        } else {
            return true;
        };
        self.violations.push(format!("memory was used {problem}"));
        false
    }

    pub fn allocate(&mut self, bytes: usize, host: bool) -> Option<usize> {
        let used: usize =
            self.allocations.values().filter(|a| !a.freed && !a.host).map(|a| a.bytes.len()).sum();
        if used.checked_add(bytes)? > self.config.memory {
            return None;
        }
        // Not zero, so that nobody takes fresh memory for zeroed memory.
        let memory = vec![0xCD; bytes].into_boxed_slice();
        let address = memory.as_ptr().addr();
        self.allocations.insert(address, Allocation { bytes: memory, freed: false, host });
        Some(address)
    }

    pub fn free(&mut self, address: usize) -> u32 {
        match self.allocations.get_mut(&address) {
            Some(allocation) if !allocation.freed => {
                allocation.freed = true;
                SUCCESS
            }
            _ => {
                self.violations.push("something was freed that is not allocated".to_owned());
                INVALID_VALUE
            }
        }
    }

    /// Allocations of one kind that are not freed.
    pub fn live(&self, host: bool) -> usize {
        self.allocations.values().filter(|a| !a.freed && a.host == host).count()
    }
}
