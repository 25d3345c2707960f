//! The simulated runtime's C functions for pools, reserved addresses, sharing, signals, variables and settings.
//!
//! # Safety
//! As for [`calls`](super::calls).
#![allow(unsafe_code)]

use super::CURRENT;
use super::calls::{functions, put};
use super::state::{INVALID_HANDLE, INVALID_VALUE, OUT_OF_MEMORY, Op, SUCCESS, State, StreamState, pointer};
use hip_sys::{
    hipError_t, hipFuncCache_t, hipIpcEventHandle_t, hipIpcMemHandle_t, hipLimit_t, hipMemAccessDesc,
    hipMemAllocationGranularity_flags, hipMemAllocationProp, hipMemPoolAttr, hipMemPoolProps,
    hipPointerAttribute_t, hipUUID,
};
use std::collections::{BTreeMap, HashMap};
use std::ffi::{CStr, c_char, c_int, c_uint, c_ulonglong, c_void};

const NOT_FOUND: u32 = 500;
/// Bytes of a page of memory behind reserved addresses.
const PAGE: usize = 4096;
/// Bytes of a variable of a module.
const VARIABLE: usize = 64;

/// What else a simulation holds.
#[derive(Default)]
pub(super) struct Others {
    /// Attributes of pools, which stand for the pools, too.
    pools: HashMap<usize, HashMap<u32, u64>>,
    /// Reserved ranges, and memory without addresses: handles and bytes.
    reserved: BTreeMap<usize, usize>,
    memory: HashMap<usize, usize>,
    variables: HashMap<(usize, String), usize>,
    masks: HashMap<usize, Vec<u32>>,
    flags: u32,
    cache: u32,
    heap: usize,
}

impl State {
    fn give<T>(&mut self, out: *mut *mut T, bytes: usize) -> u32 {
        match self.allocate(bytes, false) {
            Some(address) => put(out, pointer(address).cast()),
            None if self.config.null_on_oom => put(out, std::ptr::null_mut()),
            None => return OUT_OF_MEMORY,
        }
        SUCCESS
    }

    fn pool(&mut self, pool: *mut c_void) -> Option<&mut HashMap<u32, u64>> {
        self.others.pools.get_mut(&pool.addr())
    }
}

functions! {
    hipMemPoolCreate |state| (out: *mut *mut c_void, _properties: *const hipMemPoolProps) {
        let handle = state.handle();
        state.others.pools.insert(handle, HashMap::new());
        put(out, pointer(handle));
        SUCCESS
    }
    hipMemPoolDestroy |state| (pool: *mut c_void) {
        if state.others.pools.remove(&pool.addr()).is_some() { SUCCESS } else { INVALID_HANDLE }
    }
    hipDeviceGetDefaultMemPool |state| (out: *mut *mut c_void, device: c_int) {
        let handle = 8 + device.unsigned_abs() as usize;
        state.others.pools.entry(handle).or_default();
        put(out, pointer(handle));
        SUCCESS
    }
    hipMallocFromPoolAsync |state| (out: *mut *mut c_void, bytes: usize, pool: *mut c_void, stream: *mut c_void) {
        if stream.is_null() || state.pool(pool).is_none() {
            state.violations.push("HIP 5.2 crashes over a null stream or pool".to_owned());
            return INVALID_VALUE;
        }
        state.give(out, bytes)
    }
    hipFreeAsync |state| (address: *mut c_void, stream: *mut c_void) {
        if stream.is_null() || address.is_null() {
            state.violations.push("HIP 5.2 crashes over a null stream or address".to_owned());
            return INVALID_VALUE;
        }
        let Some(stream) = state.stream(stream) else { return INVALID_HANDLE };
        state.enqueue(stream, Op::Free(address.addr()));
        SUCCESS
    }
    hipMemPoolTrimTo |state| (pool: *mut c_void, _keep: usize) {
        if state.pool(pool).is_some() { SUCCESS } else { INVALID_HANDLE }
    }
    hipMemPoolSetAccess |state| (pool: *mut c_void, _access: *const hipMemAccessDesc, _count: usize) {
        if state.pool(pool).is_some() { SUCCESS } else { INVALID_HANDLE }
    }
    hipMemPoolGetAttribute |state| (pool: *mut c_void, attribute: hipMemPoolAttr, value: *mut c_void) {
        let Some(pool) = state.pool(pool) else { return INVALID_HANDLE };
        put(value.cast::<u64>(), pool.get(&attribute.0).copied().unwrap_or(0));
        SUCCESS
    }
    hipMemPoolSetAttribute |state| (pool: *mut c_void, attribute: hipMemPoolAttr, value: *mut c_void) {
        let Some(pool) = state.pool(pool) else { return INVALID_HANDLE };
        // The first three are of type `int`, the others 64 bits wide.
        // SAFETY: the wrapper passes a live local of that type.
        let value = unsafe {
            if attribute.0 <= 3 { u64::from(*value.cast::<u32>()) } else { *value.cast::<u64>() }
        };
        pool.insert(attribute.0, value);
        SUCCESS
    }
    hipMemGetAllocationGranularity |_state| (
        out: *mut usize, _properties: *const hipMemAllocationProp, _option: hipMemAllocationGranularity_flags
    ) {
        put(out, PAGE);
        SUCCESS
    }
    hipMemAddressReserve |state| (
        out: *mut *mut c_void, bytes: usize, _alignment: usize, _at: *mut c_void, _flags: c_ulonglong
    ) {
        // The addresses are those of memory that counts only once it is mapped.
        let (memory, address) = (state.config.memory, state.allocate(bytes, true));
        state.config.memory = memory;
        let Some(address) = address else { return OUT_OF_MEMORY };
        if let Some(allocation) = state.allocations.get_mut(&address) { allocation.freed = true; }
        state.others.reserved.insert(address, bytes);
        put(out, pointer(address));
        SUCCESS
    }
    hipMemAddressFree |state| (address: *mut c_void, _bytes: usize) {
        if state.others.reserved.remove(&address.addr()).is_some() { SUCCESS } else { INVALID_VALUE }
    }
    hipMemCreate |state| (
        out: *mut *mut c_void, bytes: usize, _properties: *const hipMemAllocationProp, _flags: c_ulonglong
    ) {
        let used: usize = state.others.memory.values().sum();
        if used + bytes > state.config.memory { return OUT_OF_MEMORY; }
        let handle = state.handle();
        state.others.memory.insert(handle, bytes);
        put(out, pointer(handle));
        SUCCESS
    }
    hipMemRelease |state| (handle: *mut c_void) {
        if state.others.memory.remove(&handle.addr()).is_some() { SUCCESS } else { INVALID_HANDLE }
    }
    hipMemMap |state| (at: *mut c_void, _bytes: usize, _offset: usize, handle: *mut c_void, _flags: c_ulonglong) {
        if !state.others.memory.contains_key(&handle.addr()) { return INVALID_HANDLE; }
        let range = state.others.reserved.range(..=at.addr()).next_back().map(|(&start, _)| start);
        let Some(start) = range else { return INVALID_VALUE };
        if let Some(allocation) = state.allocations.get_mut(&start) { allocation.freed = false; }
        SUCCESS
    }
    hipMemUnmap |state| (at: *mut c_void, _bytes: usize) {
        let range = state.others.reserved.range(..=at.addr()).next_back().map(|(&start, _)| start);
        let Some(start) = range else { return INVALID_VALUE };
        if start == at.addr() && let Some(allocation) = state.allocations.get_mut(&start) { allocation.freed = true; }
        SUCCESS
    }
    hipMemSetAccess |_state| (_at: *mut c_void, _bytes: usize, _access: *const hipMemAccessDesc, _count: usize) {
        SUCCESS
    }
    hipPointerGetAttributes |state| (out: *mut hipPointerAttribute_t, address: *const c_void) {
        let found = state.allocations.range(..=address.addr()).next_back();
        let Some((&start, allocation)) = found.filter(|(start, it)| address.addr() < *start + it.bytes) else {
            return INVALID_VALUE;
        };
        let new = state.config.version >= 60_000_000;
        let kind = u32::from(!allocation.host) + u32::from(new);
        put(out, hipPointerAttribute_t {
            type_: hip_sys::hipMemoryType(kind),
            device: 0,
            devicePointer: pointer(start),
            hostPointer: if allocation.host { pointer(start) } else { std::ptr::null_mut() },
            isManaged: 0,
            allocationFlags: 0,
        });
        SUCCESS
    }
    hipMemGetAddressRange |state| (start: *mut *mut c_void, bytes: *mut usize, address: *mut c_void) {
        let found = state.allocations.range(..=address.addr()).next_back();
        let Some((&at, allocation)) = found.filter(|(at, it)| address.addr() < *at + it.bytes) else {
            return INVALID_VALUE;
        };
        put(start, pointer(at));
        put(bytes, allocation.bytes);
        SUCCESS
    }
    hipIpcGetMemHandle |state| (out: *mut hipIpcMemHandle_t, address: *mut c_void) {
        if !state.allocations.contains_key(&address.addr()) { return INVALID_VALUE; }
        let mut handle = hipIpcMemHandle_t { reserved: [0; 64] };
        for (to, from) in handle.reserved.iter_mut().zip(address.expose_provenance().to_ne_bytes()) { *to = from as c_char; }
        put(out, handle);
        SUCCESS
    }
    hipIpcOpenMemHandle |_state| (out: *mut *mut c_void, handle: hipIpcMemHandle_t, _flags: c_uint) {
        let mut bytes = [0; 8];
        for (to, from) in bytes.iter_mut().zip(handle.reserved) { *to = from as u8; }
        put(out, pointer(usize::from_ne_bytes(bytes)));
        SUCCESS
    }
    hipIpcCloseMemHandle |_state| (_address: *mut c_void) { SUCCESS }
    hipIpcGetEventHandle |state| (out: *mut hipIpcEventHandle_t, event: *mut c_void) {
        if !state.events.contains_key(&event.addr()) { return INVALID_HANDLE; }
        put(out, hipIpcEventHandle_t { reserved: [7; 64] });
        SUCCESS
    }
    hipIpcOpenEventHandle |state| (out: *mut *mut c_void, _handle: hipIpcEventHandle_t) {
        let handle = state.handle();
        state.events.insert(handle, None);
        put(out, pointer(handle));
        SUCCESS
    }
    hipModuleGetGlobal |state| (out: *mut *mut c_void, bytes: *mut usize, module: *mut c_void, name: *const c_char) {
        // SAFETY: the wrapper passes a NUL-terminated name.
        let name = unsafe { CStr::from_ptr(name) }.to_string_lossy().into_owned();
        if state.modules.get(&module.addr()) != Some(&true) { return INVALID_HANDLE; }
        if name == "missing" { return NOT_FOUND; }
        let key = (module.addr(), name);
        let address = match state.others.variables.get(&key) {
            Some(&address) => address,
            None => match state.allocate(VARIABLE, true) {
                Some(address) => { state.others.variables.insert(key, address); address }
                None => return OUT_OF_MEMORY,
            },
        };
        put(out, pointer(address));
        put(bytes, VARIABLE);
        SUCCESS
    }
    hipExtMallocWithFlags |state| (out: *mut *mut c_void, bytes: usize, _flags: c_uint) { state.give(out, bytes) }
    hipStreamWriteValue64 |state| (stream: *mut c_void, to: *mut c_void, value: u64, _flags: c_uint) {
        let Some(stream) = state.stream(stream) else { return INVALID_HANDLE };
        state.enqueue(stream, Op::Fill { to: to.expose_provenance(), pattern: value.to_ne_bytes().to_vec(), count: 1 });
        SUCCESS
    }
    hipStreamWaitValue64 |state| (stream: *mut c_void, _at: *mut c_void, _value: u64, _flags: c_uint, _mask: u64) {
        let Some(stream) = state.stream(stream) else { return INVALID_HANDLE };
        state.enqueue(stream, Op::Nothing);
        SUCCESS
    }
    hipExtStreamCreateWithCUMask |state| (out: *mut *mut c_void, words: u32, mask: *const u32) {
        // SAFETY: the wrapper passes that many words.
        let mask = unsafe { std::slice::from_raw_parts(mask, words as usize) }.to_vec();
        let handle = state.handle();
        state.streams.insert(handle, StreamState { device: CURRENT.get(), ..StreamState::default() });
        state.others.masks.insert(handle, mask);
        put(out, pointer(handle));
        SUCCESS
    }
    hipExtStreamGetCUMask |state| (stream: *mut c_void, words: u32, mask: *mut u32) {
        let known = state.others.masks.get(&stream.addr()).cloned().unwrap_or_default();
        for index in 0..words as usize {
            put(mask.wrapping_add(index), known.get(index).copied().unwrap_or(0));
        }
        SUCCESS
    }
    hipDeviceGetLimit |state| (out: *mut usize, _limit: hipLimit_t) { put(out, state.others.heap); SUCCESS }
    hipDeviceSetLimit |state| (_limit: hipLimit_t, bytes: usize) { state.others.heap = bytes; SUCCESS }
    hipDeviceGetCacheConfig |state| (out: *mut hipFuncCache_t) { put(out, hipFuncCache_t(state.others.cache)); SUCCESS }
    hipDeviceSetCacheConfig |state| (config: hipFuncCache_t) { state.others.cache = config.0; SUCCESS }
    hipGetDeviceFlags |state| (out: *mut c_uint) { put(out, state.others.flags); SUCCESS }
    hipSetDeviceFlags |state| (flags: c_uint) { state.others.flags = flags; SUCCESS }
    hipDeviceGetUuid |_state| (out: *mut hipUUID, device: c_int) {
        put(out, hipUUID { bytes: [device as c_char; 16] });
        SUCCESS
    }
    hipDeviceGetByPCIBusId |_state| (out: *mut c_int, id: *const c_char) {
        // SAFETY: the wrapper passes a NUL-terminated text.
        if unsafe { CStr::from_ptr(id) } != c"0000:03:00.0" { return INVALID_VALUE; }
        put(out, 0);
        SUCCESS
    }
}
