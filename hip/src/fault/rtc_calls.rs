//! The simulated runtime's C functions of hiprtc. Their status is a `hiprtcResult`, which has the same representation.
//!
//! # Safety
//! As for [`calls`](super::calls).
#![allow(unsafe_code)]

use super::calls::{functions, put};
use super::rtc::Part;
use super::state::{SUCCESS, State, pointer};
use hip_sys::hipError_t;
use std::ffi::{c_char, c_int, c_void};

functions! {
    hiprtcVersion |_state| (major: *mut c_int, minor: *mut c_int) {
        put(major, 9);
        put(minor, 0);
        SUCCESS
    }
    hiprtcCreateProgram |state| (
        out: *mut *mut c_void, source: *const c_char, _name: *const c_char, _count: c_int, _headers: *mut *const c_char,
        _names: *mut *const c_char
    ) {
        put(out, pointer(state.create_program(source)));
        SUCCESS
    }
    hiprtcDestroyProgram |state| (program: *mut *mut c_void) { state.destroy_program(program) }
    hiprtcAddNameExpression |state| (program: *mut c_void, name: *const c_char) { state.name_expression(program, name) }
    hiprtcCompileProgram |state| (program: *mut c_void, _count: c_int, _options: *mut *const c_char) { state.compile(program) }
    hiprtcGetCodeSize |state| (program: *mut c_void, out: *mut usize) {
        put(out, state.part(program, Part::Code).map_or(0, <[u8]>::len));
        SUCCESS
    }
    hiprtcGetCode |state| (program: *mut c_void, out: *mut c_char) { state.copy_part(program, Part::Code, out) }
    hiprtcGetProgramLogSize |state| (program: *mut c_void, out: *mut usize) {
        put(out, state.part(program, Part::Log).map_or(0, <[u8]>::len));
        SUCCESS
    }
    hiprtcGetProgramLog |state| (program: *mut c_void, out: *mut c_char) { state.copy_part(program, Part::Log, out) }
    hiprtcGetLoweredName |state| (program: *mut c_void, name: *const c_char, out: *mut *const c_char) {
        match state.lowered(program, name) {
            Ok(name) => { put(out, name); SUCCESS }
            Err(code) => code,
        }
    }
}
