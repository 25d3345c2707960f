//! The C functions of the fake runtime.
//!
//! # Safety
//! Out-pointers are those of the wrapper, which passes live locals. Argument pointers of a launch are read with the sizes of
//! saxpy's parameters, the only kernel there is.

use crate::fake::{
    CURRENT, INVALID_HANDLE, INVALID_VALUE, NO_DEVICE, NOT_READY, OUT_OF_MEMORY, Op, SUCCESS, State,
    StreamState, call, null_stream,
};
use hip::sys::{hipDeviceAttribute_t, hipDeviceProp_tR0000, hipDeviceProp_tR0600, hipError_t, hipMemcpyKind};
use std::ffi::{CStr, c_char, c_int, c_uint, c_void};

/// Defines the functions, and the table that finds them by name. Each body gets the state and returns a code.
macro_rules! functions {
    ($($name:ident |$state:ident| ($($arg:ident: $ty:ty),*) $body:block)+) => {
        $(#[allow(non_snake_case)]
        extern "C" fn $name($($arg: $ty),*) -> hipError_t {
            call(stringify!($name), |$state: &mut State| $body)
        })+

        /// The address of a function of the fake runtime.
        pub fn lookup(name: &str) -> Option<*const c_void> {
            match name {
                $(stringify!($name) => Some($name as *const c_void),)+
                "hipGetErrorName" => Some(hipGetErrorName as *const c_void),
                "hipGetErrorString" => Some(hipGetErrorString as *const c_void),
                _ => None,
            }
        }

        /// The names of all functions of the fake runtime that return a status.
        pub const NAMES: &[&str] = &[$(stringify!($name)),+];
    };
}

/// Writes through an out-pointer of the wrapper.
fn put<T>(to: *mut T, value: T) {
    // SAFETY: the wrapper passes pointers to live locals.
    unsafe { to.write(value) }
}

fn pointer(address: usize) -> *mut c_void {
    std::ptr::with_exposed_provenance_mut(address)
}

#[allow(non_snake_case)]
extern "C" fn hipGetErrorName(code: hipError_t) -> *const c_char {
    let name = match code.0 {
        INVALID_VALUE => c"hipErrorInvalidValue",
        OUT_OF_MEMORY => c"hipErrorOutOfMemory",
        _ => c"hipErrorOther",
    };
    name.as_ptr()
}

#[allow(non_snake_case)]
extern "C" fn hipGetErrorString(_: hipError_t) -> *const c_char {
    c"the fake runtime was told to fail".as_ptr()
}

fn copy(
    state: &mut State,
    to: *mut c_void,
    from: *const c_void,
    bytes: usize,
    stream: *mut c_void,
) -> Option<usize> {
    let stream = state.stream(stream)?;
    state.enqueue(stream, Op::Copy { to: to.expose_provenance(), from: from.expose_provenance(), bytes });
    Some(stream)
}

fn fill(state: &mut State, to: *mut c_void, pattern: &[u8], count: usize, stream: *mut c_void) -> u32 {
    let Some(stream) = state.stream(stream) else { return INVALID_HANDLE };
    state.enqueue(stream, Op::Fill { to: to.addr(), pattern: pattern.to_vec(), count });
    SUCCESS
}

fn new_stream(state: &mut State, out: *mut *mut c_void, flags: c_uint, priority: c_int) -> u32 {
    let handle = state.handle();
    let stream = StreamState { device: CURRENT.get(), flags, priority, ..StreamState::default() };
    state.streams.insert(handle, stream);
    put(out, pointer(handle));
    SUCCESS
}

/// Fills the fields that both layouts have; more than one field per kind of conversion.
macro_rules! describe {
    ($out:expr) => {{
        // SAFETY: the wrapper passes a pointer to zeroed memory of this layout.
        let out = unsafe { &mut *$out };
        let text = |to: &mut [c_char], from: &str| {
            to.iter_mut().zip(from.bytes()).for_each(|(to, from)| *to = from as c_char)
        };
        text(&mut out.name, "Fake Vega (virtual)");
        text(&mut out.gcnArchName, "gfx900:xnack-");
        out.totalGlobalMem = 8 << 30;
        out.sharedMemPerBlock = 65536;
        out.warpSize = 64;
        out.maxThreadsPerBlock = 1024;
        out.maxThreadsDim = [1024, 1024, 1024];
        out.maxGridSize = [i32::MAX, i32::MAX, i32::MAX];
        out.multiProcessorCount = 56;
        out.clockRate = 1_590_000;
        out.pciBusID = 3;
        out.concurrentKernels = 1;
        out.canMapHostMemory = 1;
        SUCCESS
    }};
}

functions! {
    hipInit |state| (_flags: c_uint) { if state.config.devices == 0 { NO_DEVICE } else { SUCCESS } }
    hipRuntimeGetVersion |state| (out: *mut c_int) { put(out, state.config.version); SUCCESS }
    hipDriverGetVersion |state| (out: *mut c_int) { put(out, state.config.version); SUCCESS }
    hipGetLastError |state| () { std::mem::take(&mut state.last_error) }
    hipGetDeviceCount |state| (out: *mut c_int) { put(out, state.config.devices); SUCCESS }
    hipGetDevice |_state| (out: *mut c_int) { put(out, CURRENT.get()); SUCCESS }
    hipSetDevice |_state| (device: c_int) { CURRENT.set(device); SUCCESS }
    hipDeviceTotalMem |state| (out: *mut usize, _device: c_int) { put(out, state.config.memory); SUCCESS }
    hipMemGetInfo |state| (free: *mut usize, total: *mut usize) {
        let used: usize = state.allocations.values().filter(|a| !a.freed && !a.host).map(|a| a.bytes.len()).sum();
        put(free, state.config.memory - used);
        put(total, state.config.memory);
        SUCCESS
    }
    hipDeviceGetAttribute |_state| (out: *mut c_int, attribute: hipDeviceAttribute_t, _device: c_int) {
        if attribute != hip::sys::hipDeviceAttributeWarpSize { return INVALID_VALUE; }
        put(out, 64);
        SUCCESS
    }
    hipDeviceGetPCIBusId |_state| (out: *mut c_char, len: c_int, _device: c_int) {
        let text = c"0000:03:00.0".to_bytes_with_nul();
        if len < text.len() as c_int { return INVALID_VALUE; }
        for (index, &byte) in text.iter().enumerate() { put(out.wrapping_add(index), byte as c_char); }
        SUCCESS
    }
    hipGetDeviceProperties |_state| (out: *mut hipDeviceProp_tR0000, _device: c_int) { describe!(out) }
    hipGetDevicePropertiesR0600 |_state| (out: *mut hipDeviceProp_tR0600, _device: c_int) { describe!(out) }
    hipDeviceSynchronize |state| () {
        let device = CURRENT.get();
        let streams: Vec<usize> = state.streams.iter().filter(|(_, s)| s.device == device).map(|(&s, _)| s).collect();
        streams.into_iter().for_each(|stream| state.run(stream, u64::MAX));
        SUCCESS
    }
    hipDeviceGetStreamPriorityRange |_state| (least: *mut c_int, greatest: *mut c_int) {
        put(least, 1);
        put(greatest, -1);
        SUCCESS
    }
    hipStreamCreateWithFlags |state| (out: *mut *mut c_void, flags: c_uint) { new_stream(state, out, flags, 0) }
    hipStreamCreateWithPriority |state| (out: *mut *mut c_void, flags: c_uint, priority: c_int) {
        new_stream(state, out, flags, priority.clamp(-1, 1))
    }
    hipStreamDestroy |state| (stream: *mut c_void) {
        let Some(stream) = state.stream(stream) else { return INVALID_HANDLE };
        let stream = state.streams.get_mut(&stream).expect("just found");
        stream.destroyed = true;
        if stream.done != stream.enqueued {
            state.violations.push("a stream was destroyed before its work was done".to_owned());
        }
        SUCCESS
    }
    hipStreamSynchronize |state| (stream: *mut c_void) {
        let Some(stream) = state.stream(stream) else { return INVALID_HANDLE };
        state.run(stream, u64::MAX);
        SUCCESS
    }
    hipStreamQuery |state| (stream: *mut c_void) {
        let Some(stream) = state.stream(stream) else { return INVALID_HANDLE };
        let stream = &state.streams[&stream];
        if stream.done == stream.enqueued { SUCCESS } else { NOT_READY }
    }
    hipStreamGetPriority |state| (stream: *mut c_void, out: *mut c_int) {
        let Some(stream) = state.stream(stream) else { return INVALID_HANDLE };
        put(out, state.streams[&stream].priority);
        SUCCESS
    }
    hipStreamGetFlags |state| (stream: *mut c_void, out: *mut c_uint) {
        let Some(stream) = state.stream(stream) else { return INVALID_HANDLE };
        put(out, state.streams[&stream].flags);
        SUCCESS
    }
    hipStreamWaitEvent |state| (stream: *mut c_void, event: *mut c_void, _flags: c_uint) {
        let Some(stream) = state.stream(stream) else { return INVALID_HANDLE };
        match state.events.get(&event.addr()) {
            Some(&Some((earlier, until))) => state.enqueue(stream, Op::Wait { stream: earlier, until }),
            Some(None) => {}
            None => return INVALID_HANDLE,
        }
        SUCCESS
    }
    hipEventCreateWithFlags |state| (out: *mut *mut c_void, _flags: c_uint) {
        let handle = state.handle();
        state.events.insert(handle, None);
        put(out, pointer(handle));
        SUCCESS
    }
    hipEventRecord |state| (event: *mut c_void, stream: *mut c_void) {
        let Some(stream) = state.stream(stream) else { return INVALID_HANDLE };
        if !state.events.contains_key(&event.addr()) { return INVALID_HANDLE; }
        // The event is work of its own: it is reached when that is done.
        state.enqueue(stream, Op::Nothing);
        let until = state.streams[&stream].enqueued;
        state.events.insert(event.addr(), Some((stream, until)));
        SUCCESS
    }
    hipEventQuery |state| (event: *mut c_void) {
        match state.events.get(&event.addr()) {
            Some(&Some((stream, until))) if state.streams[&stream].done < until => NOT_READY,
            Some(_) => SUCCESS,
            None => INVALID_HANDLE,
        }
    }
    hipEventSynchronize |state| (event: *mut c_void) {
        match state.events.get(&event.addr()) {
            Some(&Some((stream, until))) => { state.run(stream, until); SUCCESS }
            Some(None) => SUCCESS,
            None => INVALID_HANDLE,
        }
    }
    hipEventElapsedTime |state| (out: *mut f32, start: *mut c_void, stop: *mut c_void) {
        for event in [start, stop] {
            match state.events.get(&event.addr()) {
                Some(&Some((stream, until))) if state.streams[&stream].done < until => return NOT_READY,
                Some(Some(_)) => {}
                _ => return INVALID_HANDLE,
            }
        }
        put(out, 1.5);
        SUCCESS
    }
    hipEventDestroy |state| (event: *mut c_void) {
        if state.events.remove(&event.addr()).is_some() { SUCCESS } else { INVALID_HANDLE }
    }
    hipMalloc |state| (out: *mut *mut c_void, size: usize) {
        match state.allocate(size, false) {
            Some(address) => { put(out, pointer(address)); SUCCESS }
            None if state.config.null_on_oom => { put(out, std::ptr::null_mut()); SUCCESS }
            None => OUT_OF_MEMORY,
        }
    }
    hipFree |state| (address: *mut c_void) { state.free(address.addr()) }
    hipHostMalloc |state| (out: *mut *mut c_void, size: usize, _flags: c_uint) {
        match state.allocate(size, true) {
            Some(address) => { put(out, pointer(address)); SUCCESS }
            None if state.config.null_on_oom => { put(out, std::ptr::null_mut()); SUCCESS }
            None => OUT_OF_MEMORY,
        }
    }
    hipHostFree |state| (address: *mut c_void) { state.free(address.addr()) }
    hipMemcpyAsync |state| (to: *mut c_void, from: *const c_void, bytes: usize, _kind: hipMemcpyKind, stream: *mut c_void) {
        if copy(state, to, from, bytes, stream).is_some() { SUCCESS } else { INVALID_HANDLE }
    }
    hipMemcpyWithStream |state| (to: *mut c_void, from: *const c_void, bytes: usize, _kind: hipMemcpyKind, stream: *mut c_void) {
        let Some(stream) = copy(state, to, from, bytes, stream) else { return INVALID_HANDLE };
        state.run(stream, u64::MAX);
        SUCCESS
    }
    hipMemsetD8Async |state| (to: *mut c_void, value: u8, count: usize, stream: *mut c_void) {
        fill(state, to, &[value], count, stream)
    }
    hipMemsetD16Async |state| (to: *mut c_void, value: u16, count: usize, stream: *mut c_void) {
        fill(state, to, &value.to_ne_bytes(), count, stream)
    }
    hipMemsetD32Async |state| (to: *mut c_void, value: c_int, count: usize, stream: *mut c_void) {
        fill(state, to, &value.to_ne_bytes(), count, stream)
    }
    hipModuleLoadData |state| (out: *mut *mut c_void, _image: *const c_void) {
        let handle = state.handle();
        state.modules.insert(handle, true);
        put(out, pointer(handle));
        SUCCESS
    }
    hipModuleUnload |state| (module: *mut c_void) {
        match state.modules.insert(module.addr(), false) { Some(true) => SUCCESS, _ => INVALID_HANDLE }
    }
    hipModuleGetFunction |state| (out: *mut *mut c_void, module: *mut c_void, name: *const c_char) {
        // SAFETY: the wrapper passes a NUL-terminated name.
        let name = unsafe { CStr::from_ptr(name) };
        if state.modules.get(&module.addr()) != Some(&true) || name.is_empty() { return INVALID_HANDLE; }
        // A function is its module plus one.
        put(out, pointer(module.addr() + 1));
        SUCCESS
    }
    hipModuleLaunchKernel |state| (
        function: *mut c_void, grid_x: c_uint, _grid_y: c_uint, _grid_z: c_uint, block_x: c_uint, _block_y: c_uint,
        _block_z: c_uint, _shared: c_uint, stream: *mut c_void, arguments: *mut *mut c_void, _extra: *mut *mut c_void
    ) {
        let Some(stream) = state.stream(stream) else { return INVALID_HANDLE };
        // SAFETY: the wrapper passes a pointer per parameter of saxpy, the only kernel.
        let (a, x, y, n) = unsafe {
            let argument = |index: usize| *arguments.add(index);
            (*argument(0).cast::<f32>(), *argument(1).cast::<usize>(), *argument(2).cast::<usize>(), *argument(3).cast::<i32>())
        };
        let covered = i32::try_from(u64::from(grid_x) * u64::from(block_x)).unwrap_or(i32::MAX);
        state.enqueue(stream, Op::Saxpy { a, x, y, n: n.min(covered), module: function.addr() - 1 });
        SUCCESS
    }
}

/// The null stream exists as soon as it is asked for.
pub fn work_of_null_stream(state: &State, device: c_int) -> u64 {
    state.streams.get(&null_stream(device)).map_or(0, |stream| stream.enqueued)
}
