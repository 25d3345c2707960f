//! What the simulated runtime holds, and how its work runs.
//!
//! # Safety
//! See the head of [`fault`](super): memory is followed after `touch` found it inside an allocation, which lives as long as
//! the state, or is host memory of the wrapper's.

use super::arrays::Objects;
use super::graphs::Graphs;
use super::kernels::{Body, Launched, Parameter};
use super::resources::Others;
use super::rtc::{Compiler, Program};
use super::{CURRENT, Config, STATE};
use crate::Dim3;
use hip_sys::hipError_t;
use std::alloc::Layout;
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::ffi::c_void;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

pub(super) const SUCCESS: u32 = 0;
pub(super) const INVALID_VALUE: u32 = 1;
pub(super) const OUT_OF_MEMORY: u32 = 2;
const NOT_INITIALIZED: u32 = 3;
const NOT_PERMITTED: u32 = 800;
pub(super) const NO_DEVICE: u32 = 100;
pub(super) const INVALID_HANDLE: u32 = 400;
pub(super) const NOT_READY: u32 = 600;

/// Memory that was allocated, and kept after it was freed.
///
/// ```
/// # let simulation = hip::fault::Simulation::new(hip::fault::Config::default());
/// # let device = simulation.runtime()?.device(0)?;
/// let buffer = hip::DeviceBuffer::<u8>::uninit(device, 100)?;
/// assert!(!simulation.state().allocations[&buffer.view().address().addr()].freed);
/// # Ok::<(), hip::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Allocation {
    /// Its size in bytes.
    pub bytes: usize,
    /// Whether it was freed.
    pub freed: bool,
    /// Whether it is memory of the host.
    pub host: bool,
    /// Whether the host may have references to it.
    pub(super) seen: bool,
}

impl Allocation {
    /// Aligned as HIP aligns: memory that the host sees to pages, other memory to 256 bytes. The state has the address
    /// alone: the wrapper has slices of the memory, which an owner here would alias.
    fn layout(self) -> Option<Layout> {
        Layout::from_size_align(self.bytes.max(1), if self.seen { 4096 } else { 256 }).ok()
    }
}

/// Work in a stream or a graph.
#[derive(Clone)]
pub(super) enum Op {
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
    Kernel {
        body: Option<Arc<Body>>,
        grid: Dim3,
        block: Dim3,
        arguments: Vec<Vec<u8>>,
        module: usize,
    },
    /// Waits for the work numbered `until` in `stream`.
    Wait {
        stream: usize,
        until: u64,
    },
    /// `hipLaunchHostFunc`: a function of the host, and its argument.
    Host(unsafe extern "C" fn(*mut c_void), usize),
    /// `hipStreamAddCallback`, with the stream's handle.
    Callback(unsafe extern "C" fn(*mut c_void, hipError_t, *mut c_void), usize, usize),
    /// `hipFreeAsync`.
    Free(usize),
    Nothing,
}

/// A stream, in the order of whose work nothing can be wrong.
///
/// ```
/// # let simulation = hip::fault::Simulation::new(hip::fault::Config::default());
/// let stream = simulation.runtime()?.device(0)?.stream()?;
/// let buffer = hip::DeviceBuffer::<u8>::zeroed(&stream, 100)?;
/// let state = simulation.state();
/// let stream = &state.streams[&stream.raw().addr()];
/// assert_eq!((stream.enqueued, stream.done), (1, 0));
/// # Ok::<(), hip::Error>(())
/// ```
#[derive(Default)]
pub struct StreamState {
    /// The stream's device.
    pub device: i32,
    /// The stream's priority.
    pub priority: i32,
    /// The flags that it was made with.
    pub flags: u32,
    /// Whether it was destroyed.
    pub destroyed: bool,
    /// Work that was ever enqueued.
    pub enqueued: u64,
    /// Work that is done.
    pub done: u64,
    pub(super) queue: VecDeque<Op>,
    /// The graph that the stream is captured into.
    pub(super) capture: Option<usize>,
}

/// How a function is made to fail.
pub(super) struct Failure {
    /// Calls that still succeed.
    pub(super) successes: u32,
    pub(super) code: u32,
    /// The call does its work, and reports the failure nevertheless.
    pub(super) late: bool,
}

/// What a [`Simulation`](super::Simulation) holds, for assertions.
///
/// ```
/// # let simulation = hip::fault::Simulation::new(hip::fault::Config::default());
/// # let device = simulation.runtime()?.device(0)?;
/// let pinned = hip::PinnedBuffer::<u8>::zeroed(device, 100)?;
/// assert_eq!(simulation.state().live(true), 1);
/// drop(pinned);
/// assert_eq!(simulation.state().live(true), 0);
/// # Ok::<(), hip::Error>(())
/// ```
pub struct State {
    /// What it pretends to be.
    pub config: Config,
    /// Memory by its address.
    pub allocations: BTreeMap<usize, Allocation>,
    /// Streams by their handle; see [`null_stream`](State::null_stream).
    pub streams: BTreeMap<usize, StreamState>,
    /// Per event: the stream and the number of its last work when it was recorded.
    pub events: HashMap<usize, Option<(usize, u64)>>,
    /// Per module: whether it is loaded.
    pub modules: HashMap<usize, bool>,
    /// Every call, by the C name of the function.
    pub log: Vec<&'static str>,
    /// What was used although it was not alive.
    pub violations: Vec<String>,
    /// What `hipGetLastError` would answer.
    pub last_error: u32,
    /// Host memory that is registered: addresses and bytes.
    pub registered: HashMap<usize, usize>,
    /// Which device may touch which one's memory.
    pub peers: HashSet<(i32, i32)>,
    /// Where managed memory was last prefetched to.
    pub prefetched: i32,
    pub(super) objects: Objects,
    pub(super) others: Others,
    pub(super) failures: HashMap<&'static str, Failure>,
    pub(super) bodies: HashMap<String, Arc<Body>>,
    pub(super) functions: HashMap<usize, Function>,
    pub(super) graphs: Graphs,
    pub(super) compiler: Option<Arc<Compiler>>,
    pub(super) programs: HashMap<usize, Program>,
    /// Tells the simulation from all others.
    pub(super) id: u64,
}

/// A kernel of a module.
pub(super) struct Function {
    pub(super) module: usize,
    pub(super) name: String,
    pub(super) parameters: Vec<Parameter>,
}

/// A handle that no simulation ever gave out: what one simulation knows, no other one does.
pub(super) fn new_handle() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(16);
    NEXT.fetch_add(16, Ordering::Relaxed)
}

thread_local! {
    /// What a function of the host called, which must not call HIP.
    static INSIDE_CALLBACK: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
}

/// Runs a call of the C interface on the attached state: logs it, and fails it if that was asked for.
pub(super) fn call(name: &'static str, body: impl FnOnce(&mut State) -> u32) -> hipError_t {
    if crate::callback::is_inside() {
        // The state is locked by whoever waits for the function.
        INSIDE_CALLBACK.with_borrow_mut(|calls| calls.push(name));
        return hipError_t(NOT_PERMITTED);
    }
    let Some(state) = STATE.with_borrow(|state| state.clone()) else { return hipError_t(NOT_INITIALIZED) };
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
    pub(super) fn new(config: Config) -> Self {
        Self {
            config,
            allocations: BTreeMap::new(),
            streams: BTreeMap::new(),
            events: HashMap::new(),
            modules: HashMap::new(),
            log: Vec::new(),
            violations: Vec::new(),
            last_error: SUCCESS,
            objects: Objects::default(),
            others: Others::default(),
            registered: HashMap::new(),
            peers: HashSet::new(),
            prefetched: -2,
            failures: HashMap::new(),
            bodies: HashMap::new(),
            functions: HashMap::new(),
            graphs: Graphs::default(),
            compiler: None,
            programs: HashMap::new(),
            id: new_handle() as u64,
        }
    }

    /// The null stream of device `d` is stream `usize::MAX - d`, so that handles of real streams are distinct from them.
    pub fn null_stream(device: i32) -> usize {
        usize::MAX - device.unsigned_abs() as usize
    }

    pub(super) fn handle(&self) -> usize {
        new_handle()
    }

    /// The stream that a handle means in this thread.
    pub(super) fn stream(&mut self, handle: *mut c_void) -> Option<usize> {
        let stream = if handle.is_null() { Self::null_stream(CURRENT.get()) } else { handle.addr() };
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

    /// Work that was ever enqueued on a stream, 0 for one that does not exist.
    pub(super) fn enqueued(&self, stream: usize) -> u64 {
        self.streams.get(&stream).map_or(0, |stream| stream.enqueued)
    }

    /// Whether a stream's work up to number `until` is done.
    pub(super) fn is_done(&self, stream: usize, until: u64) -> bool {
        self.streams.get(&stream).is_none_or(|stream| stream.done >= until)
    }

    /// Gives work to a stream, or to the graph that the stream is captured into.
    pub(super) fn enqueue(&mut self, stream: usize, op: Op) {
        let Some(state) = self.streams.get_mut(&stream) else { return };
        match state.capture {
            Some(graph) => self.graphs.append(graph, op),
            None => {
                state.queue.push_back(op);
                state.enqueued += 1;
            }
        }
    }

    /// Runs a stream's work up to number `until`, and what that waits for.
    pub(super) fn run(&mut self, stream: usize, until: u64) {
        loop {
            let Some(state) = self.streams.get_mut(&stream) else { return };
            if state.done >= until {
                return;
            }
            let Some(op) = state.queue.pop_front() else { return };
            self.execute(op);
            if let Some(state) = self.streams.get_mut(&stream) {
                state.done += 1;
            }
        }
    }

    fn execute(&mut self, op: Op) {
        match op {
            Op::Nothing => {}
            Op::Free(address) => {
                self.free(address);
            }
            Op::Wait { stream, until } => self.run(stream, until),
            Op::Copy { to, from, bytes } => {
                if self.touch(to, bytes) && self.touch(from, bytes) {
                    // SAFETY: both are inside allocations, or borrowed host memory (see the head).
                    unsafe { std::ptr::copy(pointer(from).cast::<u8>(), pointer(to).cast(), bytes) };
                }
            }
            Op::Fill { to, pattern, count } => {
                self.write(to, &pattern.repeat(count));
            }
            Op::Kernel { body, grid, block, arguments, module } => {
                if self.modules.get(&module) != Some(&true) {
                    self.violations.push("a kernel ran after its module was unloaded".to_owned());
                } else if let Some(body) = body {
                    let (arguments, parameters) = (&arguments[..], body.parameters);
                    (body.run)(&mut Launched { state: self, grid, block, arguments, parameters });
                }
            }
            Op::Host(function, argument) => {
                // SAFETY: whoever enqueued the function answers for it.
                unsafe { function(pointer(argument)) };
                self.blame_callback();
            }
            Op::Callback(function, stream, argument) => {
                // SAFETY: as above.
                unsafe { function(pointer(stream), hipError_t(SUCCESS), pointer(argument)) };
                self.blame_callback();
            }
        }
    }

    fn blame_callback(&mut self) {
        let calls = INSIDE_CALLBACK.take();
        self.violations
            .extend(calls.into_iter().map(|name| format!("{name} was called inside a function of the host")));
    }

    /// Reads memory that work may touch.
    pub(super) fn read(&mut self, address: usize, bytes: &mut [u8]) -> bool {
        let may = self.touch(address, bytes.len());
        if may {
            let from = pointer(address).cast::<u8>();
            // SAFETY: inside an allocation, or borrowed host memory (see the head).
            unsafe { from.copy_to_nonoverlapping(bytes.as_mut_ptr(), bytes.len()) };
        }
        may
    }

    /// Writes memory that work may touch.
    pub(super) fn write(&mut self, address: usize, bytes: &[u8]) {
        if self.touch(address, bytes.len()) {
            let to = pointer(address).cast::<u8>();
            // SAFETY: inside an allocation, or borrowed host memory (see the head).
            unsafe { to.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
        }
    }

    /// Whether kernels may be given the memory: it is inside an allocation, or registered.
    pub(super) fn reaches(&self, address: usize, bytes: usize) -> bool {
        let Some(end) = address.checked_add(bytes) else { return false };
        let inside = |start: usize, len: usize| start <= address && end <= start + len;
        let allocation = self.allocations.range(..=address).next_back();
        allocation.is_some_and(|(&start, allocation)| inside(start, allocation.bytes))
            || self.registered.iter().any(|(&start, &len)| inside(start, len))
    }

    /// Whether work may touch the memory. Addresses that the simulation did not hand out are the wrapper's host memory.
    fn touch(&mut self, address: usize, bytes: usize) -> bool {
        let Some((start, allocation)) = self.allocations.range(..=address).next_back() else { return true };
        if address >= start + allocation.bytes {
            return true;
        }
        let problem = if allocation.freed {
            "after it was freed"
        } else if address + bytes > start + allocation.bytes {
            "beyond its end"
        } else {
            return true;
        };
        self.violations.push(format!("memory was used {problem}"));
        false
    }

    pub(super) fn allocate(&mut self, bytes: usize, host: bool) -> Option<usize> {
        self.allocate_as(bytes, host, host)
    }

    /// Memory of a device that the host sees, too.
    pub(super) fn allocate_managed(&mut self, bytes: usize) -> Option<usize> {
        self.allocate_as(bytes, false, true)
    }

    fn allocate_as(&mut self, bytes: usize, host: bool, seen: bool) -> Option<usize> {
        if self.used().checked_add(bytes)? > self.config.memory {
            return None;
        }
        let allocation = Allocation { bytes, freed: false, host, seen };
        let layout = allocation.layout()?;
        // SAFETY: the size is not 0.
        let memory = unsafe { std::alloc::alloc(layout) };
        if memory.is_null() {
            return None;
        }
        // Not zero, so that nobody takes fresh memory for zeroed memory.
        // SAFETY: that many bytes were allocated.
        unsafe { memory.write_bytes(0xCD, layout.size()) };
        let address = memory.expose_provenance();
        self.allocations.insert(address, allocation);
        Some(address)
    }

    pub(super) fn free(&mut self, address: usize) -> u32 {
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

    /// Whether work that is not done yet touches the memory.
    pub(super) fn is_waited_for(&self, start: usize, bytes: usize) -> bool {
        let inside = |address: usize| (start..start + bytes).contains(&address);
        self.streams.values().flat_map(|stream| &stream.queue).any(|op| match op {
            Op::Copy { to, from, .. } => inside(*to) || inside(*from),
            Op::Fill { to, .. } => inside(*to),
            Op::Kernel { arguments, .. } => arguments.iter().any(|bytes| {
                <[u8; 8]>::try_from(bytes.as_slice()).is_ok_and(|it| inside(usize::from_ne_bytes(it)))
            }),
            _ => false,
        })
    }

    /// The bytes of an allocation of device memory, as they are before any more work runs. `None` for memory that the host sees,
    /// of which somebody may have a slice.
    pub fn peek(&self, address: usize) -> Option<Vec<u8>> {
        let Allocation { bytes, .. } = *self.allocations.get(&address).filter(|it| !it.seen && !it.freed)?;
        // SAFETY: that many initialised bytes, of which nobody has a reference.
        Some(unsafe { std::slice::from_raw_parts(pointer(address).cast::<u8>(), bytes) }.to_vec())
    }

    /// Bytes of device memory that are allocated.
    pub fn used(&self) -> usize {
        self.allocations.values().filter(|a| !a.freed && !a.host).map(|a| a.bytes).sum()
    }

    /// Allocations of one kind that are not freed.
    pub fn live(&self, host: bool) -> usize {
        self.allocations.values().filter(|a| !a.freed && a.host == host).count()
    }
}

impl Drop for State {
    /// Buffers that are still alive keep their memory: nobody can ask them.
    fn drop(&mut self) {
        for (&address, allocation) in self.allocations.iter().filter(|(_, it)| it.freed) {
            if let Some(layout) = allocation.layout() {
                // SAFETY: it was allocated with this layout, and the wrapper has freed it.
                unsafe { std::alloc::dealloc(pointer(address).cast(), layout) };
            }
        }
    }
}

/// An address as the C functions pass it.
pub(super) fn pointer(address: usize) -> *mut c_void {
    std::ptr::with_exposed_provenance_mut(address)
}
