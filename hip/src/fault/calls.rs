//! The C functions of the simulated runtime.
//!
//! # Safety
//! Out-pointers are those of the wrapper, which passes live locals. Argument pointers of a launch are read with the sizes of
//! the kernel's parameters, as the wrapper found them in the code object.

use super::CURRENT;
use super::kernels::Parameter;
use super::state::{
    Function, INVALID_HANDLE, INVALID_VALUE, NO_DEVICE, NOT_READY, OUT_OF_MEMORY, Op, SUCCESS, State,
    StreamState, pointer,
};
use crate::Dim3;
use hip_sys::{
    hipDeviceAttribute_t, hipDeviceProp_tR0000, hipDeviceProp_tR0600, hipError_t, hipFunction_attribute,
    hipMemcpyKind,
};
use std::ffi::{CStr, c_char, c_int, c_uint, c_void};

/// Defines the functions, and the table that finds them by name. Each body gets the state and returns a code.
macro_rules! functions {
    ($($name:ident |$state:ident| ($($arg:ident: $ty:ty),*) $body:block)+) => {
        $(#[allow(non_snake_case)]
        extern "C" fn $name($($arg: $ty),*) -> hipError_t {
            $crate::fault::state::call(stringify!($name), |$state: &mut State| $body)
        })+

        /// The address of a function of this file.
        pub(super) fn lookup(name: &str) -> Option<*const c_void> {
            match name {
                $(stringify!($name) => Some($name as *const c_void),)+
                _ => None,
            }
        }

        /// The C functions of this part of a [`Simulation`](super::Simulation) that return a status: those that can be made
        /// to fail.
        pub const NAMES: &[&str] = &[$(stringify!($name)),+];
    };
}
pub(super) use functions;

/// The address of a function of the simulated runtime, whichever file it is in.
pub(super) fn find(name: &str) -> Option<*const c_void> {
    match name {
        "hipGetErrorName" => Some(hipGetErrorName as *const c_void),
        "hipGetErrorString" => Some(hipGetErrorString as *const c_void),
        _ => lookup(name)
            .or_else(|| super::graph_calls::lookup(name))
            .or_else(|| super::rtc_calls::lookup(name))
            .or_else(|| super::memory::lookup(name))
            .or_else(|| super::arrays::lookup(name))
            .or_else(|| super::resources::lookup(name)),
    }
}

/// Writes through an out-pointer of the wrapper.
pub(super) fn put<T>(to: *mut T, value: T) {
    // SAFETY: the wrapper passes pointers to live locals.
    unsafe { to.write(value) }
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
    c"the simulated runtime was told to fail".as_ptr()
}

pub(super) fn copy(
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

pub(super) fn fill(
    state: &mut State,
    to: *mut c_void,
    pattern: &[u8],
    count: usize,
    stream: *mut c_void,
) -> u32 {
    let Some(stream) = state.stream(stream) else { return INVALID_HANDLE };
    state.enqueue(stream, Op::Fill { to: to.expose_provenance(), pattern: pattern.to_vec(), count });
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
    ($state:ident, $out:expr) => {{
        // SAFETY: the wrapper passes a pointer to zeroed memory of this layout.
        let out = unsafe { &mut *$out };
        let text = |to: &mut [c_char], from: &str| {
            to.iter_mut().zip(from.bytes()).for_each(|(to, from)| *to = from as c_char)
        };
        text(&mut out.name, "Simulated Vega (virtual)");
        text(&mut out.gcnArchName, &$state.config.target_id);
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
        put(free, state.config.memory.saturating_sub(state.used()));
        put(total, state.config.memory);
        SUCCESS
    }
    hipDeviceGetAttribute |state| (out: *mut c_int, attribute: hipDeviceAttribute_t, _device: c_int) {
        let value = match attribute {
            hip_sys::hipDeviceAttributeWarpSize => 64,
            hip_sys::hipDeviceAttributeMemoryPoolsSupported => c_int::from(state.config.pools),
            _ => return INVALID_VALUE,
        };
        put(out, value);
        SUCCESS
    }
    hipDeviceGetPCIBusId |_state| (out: *mut c_char, len: c_int, _device: c_int) {
        let text = c"0000:03:00.0".to_bytes_with_nul();
        if len < text.len() as c_int { return INVALID_VALUE; }
        for (index, &byte) in text.iter().enumerate() { put(out.wrapping_add(index), byte as c_char); }
        SUCCESS
    }
    hipGetDeviceProperties |state| (out: *mut hipDeviceProp_tR0000, _device: c_int) { describe!(state, out) }
    hipGetDevicePropertiesR0600 |state| (out: *mut hipDeviceProp_tR0600, _device: c_int) { describe!(state, out) }
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
        let Some(stream) = state.streams.get_mut(&stream) else { return INVALID_HANDLE };
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
        let until = state.enqueued(stream);
        state.events.insert(event.addr(), Some((stream, until)));
        SUCCESS
    }
    hipEventQuery |state| (event: *mut c_void) {
        match state.events.get(&event.addr()) {
            Some(&Some((stream, until))) if !state.is_done(stream, until) => NOT_READY,
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
                Some(&Some((stream, until))) if !state.is_done(stream, until) => return NOT_READY,
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
        let handle = state.handle();
        let (module, name) = (module.addr(), name.to_string_lossy().into_owned());
        state.functions.insert(handle, Function { module, name, parameters: Vec::new() });
        put(out, pointer(handle));
        SUCCESS
    }
    hipModuleLaunchKernel |state| (
        function: *mut c_void, grid_x: c_uint, grid_y: c_uint, grid_z: c_uint, block_x: c_uint, block_y: c_uint,
        block_z: c_uint, _shared: c_uint, stream: *mut c_void, arguments: *mut *mut c_void, _extra: *mut *mut c_void
    ) {
        let Some(stream) = state.stream(stream) else { return INVALID_HANDLE };
        let (grid, block) = (Dim3::new(grid_x, grid_y, grid_z), Dim3::new(block_x, block_y, block_z));
        let Some(op) = kernel(state, function, grid, block, arguments) else { return INVALID_HANDLE };
        state.enqueue(stream, op);
        SUCCESS
    }
    hipModuleLaunchCooperativeKernel |state| (
        function: *mut c_void, grid_x: c_uint, grid_y: c_uint, grid_z: c_uint, block_x: c_uint, block_y: c_uint,
        block_z: c_uint, _shared: c_uint, stream: *mut c_void, arguments: *mut *mut c_void
    ) {
        let Some(stream) = state.stream(stream) else { return INVALID_HANDLE };
        let (grid, block) = (Dim3::new(grid_x, grid_y, grid_z), Dim3::new(block_x, block_y, block_z));
        let Some(op) = kernel(state, function, grid, block, arguments) else { return INVALID_HANDLE };
        state.enqueue(stream, op);
        SUCCESS
    }
    hipModuleLaunchCooperativeKernelMultiDevice |state| (
        list: *mut hip_sys::hipFunctionLaunchParams, count: c_uint, _flags: c_uint
    ) {
        // SAFETY: the wrapper passes that many entries.
        let list = unsafe { std::slice::from_raw_parts(list, count as usize) };
        for entry in list {
            let Some(stream) = state.stream(entry.hStream.cast()) else { return INVALID_HANDLE };
            let grid = Dim3::new(entry.gridDimX, entry.gridDimY, entry.gridDimZ);
            let block = Dim3::new(entry.blockDimX, entry.blockDimY, entry.blockDimZ);
            let Some(op) = kernel(state, entry.function.cast(), grid, block, entry.kernelParams) else { return INVALID_HANDLE };
            state.enqueue(stream, op);
        }
        SUCCESS
    }
    hipExtModuleLaunchKernel |state| (
        function: *mut c_void, threads_x: u32, threads_y: u32, threads_z: u32, block_x: u32, block_y: u32, block_z: u32,
        _shared: usize, stream: *mut c_void, arguments: *mut *mut c_void, _extra: *mut *mut c_void, start: *mut c_void,
        stop: *mut c_void, _flags: u32
    ) {
        let Some(stream) = state.stream(stream) else { return INVALID_HANDLE };
        let grid = Dim3::new(threads_x / block_x.max(1), threads_y / block_y.max(1), threads_z / block_z.max(1));
        let block = Dim3::new(block_x, block_y, block_z);
        let Some(op) = kernel(state, function, grid, block, arguments) else { return INVALID_HANDLE };
        let before = state.enqueued(stream);
        state.enqueue(stream, op);
        state.events.insert(start.addr(), Some((stream, before)));
        state.events.insert(stop.addr(), Some((stream, before + 1)));
        SUCCESS
    }
    hipFuncGetAttribute |state| (out: *mut c_int, attribute: hipFunction_attribute, function: *mut c_void) {
        if !state.functions.contains_key(&function.addr()) { return INVALID_HANDLE; }
        if attribute.0 >= hip_sys::HIP_FUNC_ATTRIBUTE_MAX.0 { return INVALID_VALUE; }
        put(out, 16);
        SUCCESS
    }
    hipModuleOccupancyMaxActiveBlocksPerMultiprocessor |state| (
        out: *mut c_int, function: *mut c_void, threads: c_int, _shared: usize
    ) {
        if !state.functions.contains_key(&function.addr()) { return INVALID_HANDLE; }
        put(out, 2560 / threads.max(1));
        SUCCESS
    }
    hipModuleOccupancyMaxPotentialBlockSize |state| (
        grid: *mut c_int, block: *mut c_int, function: *mut c_void, _shared: usize, limit: c_int
    ) {
        if !state.functions.contains_key(&function.addr()) { return INVALID_HANDLE; }
        let threads = if limit == 0 { 1024 } else { limit };
        put(block, threads);
        put(grid, 56 * (2560 / threads.max(1)));
        SUCCESS
    }
    hipStreamAddCallback |state| (
        stream: *mut c_void, function: unsafe extern "C" fn(*mut c_void, hipError_t, *mut c_void), argument: *mut c_void,
        _flags: c_uint
    ) {
        let Some(at) = state.stream(stream) else { return INVALID_HANDLE };
        state.enqueue(at, Op::Callback(function, stream.expose_provenance(), argument.expose_provenance()));
        SUCCESS
    }
    hipLaunchHostFunc |state| (
        stream: *mut c_void, function: unsafe extern "C" fn(*mut c_void), argument: *mut c_void
    ) {
        let Some(stream) = state.stream(stream) else { return INVALID_HANDLE };
        state.enqueue(stream, Op::Host(function, argument.expose_provenance()));
        SUCCESS
    }
    hipProfilerStart |_state| () { SUCCESS }
    hipProfilerStop |_state| () { SUCCESS }
}

/// The launch of a kernel, with its arguments as they are now.
pub(super) fn kernel(
    state: &State,
    function: *mut c_void,
    grid: Dim3,
    block: Dim3,
    arguments: *mut *mut c_void,
) -> Option<Op> {
    let Function { module, name, parameters } = state.functions.get(&function.addr())?;
    let body = state.bodies.get(name).cloned();
    if body.as_ref().is_some_and(|body| !body.takes(parameters)) {
        return None;
    }
    let argument = |(index, parameter): (usize, &Parameter)| {
        // SAFETY: the wrapper passes a pointer per parameter, whose sizes it compared with the code object's.
        unsafe { std::slice::from_raw_parts((*arguments.add(index)).cast::<u8>(), parameter.bytes) }.to_vec()
    };
    let arguments = parameters.iter().enumerate().map(argument).collect();
    Some(Op::Kernel { body, grid, block, arguments, module: *module })
}
