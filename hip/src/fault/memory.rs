//! The simulated runtime's C functions for memory that the host sees, and for peers.
//!
//! # Safety
//! As for [`calls`](super::calls).
#![allow(unsafe_code)]

use super::CURRENT;
use super::calls::{copy, functions, put};
use super::state::{INVALID_HANDLE, INVALID_VALUE, OUT_OF_MEMORY, Op, SUCCESS, State, pointer};
use hip_sys::{hipDeviceP2PAttr, hipError_t, hipMemRangeAttribute, hipMemoryAdvise};
use std::ffi::{c_int, c_uint, c_void};

const PEER_ACCESS_ALREADY_ENABLED: u32 = 704;
const PEER_ACCESS_NOT_ENABLED: u32 = 705;
const ALREADY_REGISTERED: u32 = 712;
const NOT_REGISTERED: u32 = 713;

functions! {
    hipHostGetDevicePointer |state| (out: *mut *mut c_void, host: *mut c_void, _flags: c_uint) {
        let known = state.registered.contains_key(&host.addr()) || state.allocations.contains_key(&host.addr());
        if !known { return INVALID_VALUE; }
        put(out, host);
        SUCCESS
    }
    hipHostRegister |state| (host: *mut c_void, bytes: usize, _flags: c_uint) {
        if state.registered.insert(host.addr(), bytes).is_some() { return ALREADY_REGISTERED; }
        SUCCESS
    }
    hipHostUnregister |state| (host: *mut c_void) {
        let Some(bytes) = state.registered.remove(&host.addr()) else { return NOT_REGISTERED };
        if state.is_waited_for(host.addr(), bytes) { state.violations.push("memory was unregistered while work was in flight".to_owned()); }
        SUCCESS
    }
    hipMallocManaged |state| (out: *mut *mut c_void, size: usize, _flags: c_uint) {
        match state.allocate_managed(size) {
            Some(address) => { put(out, pointer(address)); SUCCESS }
            None if state.config.null_on_oom => { put(out, std::ptr::null_mut()); SUCCESS }
            None => OUT_OF_MEMORY,
        }
    }
    hipMemAdvise |state| (address: *const c_void, _bytes: usize, _advice: hipMemoryAdvise, _device: c_int) {
        if state.allocations.contains_key(&address.addr()) { SUCCESS } else { INVALID_VALUE }
    }
    hipMemPrefetchAsync |state| (_address: *const c_void, _bytes: usize, device: c_int, stream: *mut c_void) {
        let Some(stream) = state.stream(stream) else { return INVALID_HANDLE };
        state.prefetched = device;
        state.enqueue(stream, Op::Nothing);
        SUCCESS
    }
    hipMemRangeGetAttribute |state| (
        out: *mut c_void, _size: usize, attribute: hipMemRangeAttribute, _address: *const c_void, _bytes: usize
    ) {
        let value = if attribute == hip_sys::hipMemRangeAttributeReadMostly { 1 } else { state.prefetched };
        put(out.cast::<c_int>(), value);
        SUCCESS
    }
    hipDeviceCanAccessPeer |_state| (out: *mut c_int, device: c_int, peer: c_int) {
        put(out, c_int::from(device != peer));
        SUCCESS
    }
    hipDeviceEnablePeerAccess |state| (peer: c_int, _flags: c_uint) {
        if state.peers.insert((CURRENT.get(), peer)) { SUCCESS } else { PEER_ACCESS_ALREADY_ENABLED }
    }
    hipDeviceDisablePeerAccess |state| (peer: c_int) {
        if state.peers.remove(&(CURRENT.get(), peer)) { SUCCESS } else { PEER_ACCESS_NOT_ENABLED }
    }
    hipDeviceGetP2PAttribute |_state| (out: *mut c_int, _attribute: hipDeviceP2PAttr, _from: c_int, _to: c_int) {
        put(out, 1);
        SUCCESS
    }
    hipExtGetLinkTypeAndHopCount |_state| (_from: c_int, _to: c_int, kind: *mut u32, hops: *mut u32) {
        put(kind, 2);
        put(hops, 1);
        SUCCESS
    }
    hipMemcpyPeerAsync |state| (
        to: *mut c_void, _to_device: c_int, from: *const c_void, _from_device: c_int, bytes: usize, stream: *mut c_void
    ) {
        if copy(state, to, from, bytes, stream).is_some() { SUCCESS } else { INVALID_HANDLE }
    }
}
