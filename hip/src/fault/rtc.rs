//! The run-time compiler of the simulation: a closure.
//!
//! # Safety
//! As for [`calls`](super::calls): strings end with a NUL, buffers have the size that was told before.
#![allow(unsafe_code)]

use super::state::{INVALID_VALUE, SUCCESS, State};
use hip_sys::{
    HIPRTC_ERROR_COMPILATION, HIPRTC_ERROR_INVALID_PROGRAM, HIPRTC_ERROR_NAME_EXPRESSION_NOT_VALID,
};
use std::collections::BTreeMap;
use std::ffi::{CStr, CString, c_char, c_void};

/// Turns a source into a code object, or says why it does not compile.
pub(super) type Compiler = dyn Fn(&str) -> Result<Vec<u8>, String> + Send + Sync;

/// A program between its creation and its destruction.
#[derive(Default)]
pub(super) struct Program {
    source: String,
    code: Vec<u8>,
    log: Vec<u8>,
    names: BTreeMap<CString, CString>,
}

/// What a program is asked for.
pub(super) enum Part {
    Code,
    Log,
}

impl State {
    fn program(&mut self, program: *mut c_void) -> Option<&mut Program> {
        self.programs.get_mut(&program.addr())
    }

    pub(super) fn create_program(&mut self, source: *const c_char) -> usize {
        // SAFETY: the wrapper passes a NUL-terminated source.
        let source = unsafe { CStr::from_ptr(source) }.to_string_lossy().into_owned();
        let handle = self.handle();
        self.programs.insert(handle, Program { source, ..Program::default() });
        handle
    }

    pub(super) fn name_expression(&mut self, program: *mut c_void, name: *const c_char) -> u32 {
        // SAFETY: the wrapper passes a NUL-terminated name.
        let name = unsafe { CStr::from_ptr(name) }.to_owned();
        let Some(program) = self.program(program) else { return HIPRTC_ERROR_INVALID_PROGRAM.0 };
        // Nothing is mangled here.
        program.names.insert(name.clone(), name);
        SUCCESS
    }

    pub(super) fn compile(&mut self, program: *mut c_void) -> u32 {
        let compiler = self.compiler.clone();
        let Some(program) = self.program(program) else { return HIPRTC_ERROR_INVALID_PROGRAM.0 };
        let outcome = match compiler {
            Some(compiler) => compiler(&program.source),
            None => Err("the simulation was given no compiler".to_owned()),
        };
        match outcome {
            Ok(code) => program.code = code,
            Err(log) => {
                program.log = log.into_bytes();
                program.log.push(0);
                return HIPRTC_ERROR_COMPILATION.0;
            }
        }
        SUCCESS
    }

    pub(super) fn part(&mut self, program: *mut c_void, part: Part) -> Option<&[u8]> {
        let program = self.program(program)?;
        Some(match part {
            Part::Code => &program.code,
            Part::Log => &program.log,
        })
    }

    /// Copies a part into a buffer of the wrapper's.
    pub(super) fn copy_part(&mut self, program: *mut c_void, part: Part, to: *mut c_char) -> u32 {
        let Some(bytes) = self.part(program, part) else { return HIPRTC_ERROR_INVALID_PROGRAM.0 };
        // SAFETY: the buffer has the size that the wrapper was told.
        unsafe { bytes.as_ptr().copy_to_nonoverlapping(to.cast(), bytes.len()) };
        SUCCESS
    }

    pub(super) fn lowered(
        &mut self,
        program: *mut c_void,
        name: *const c_char,
    ) -> Result<*const c_char, u32> {
        // SAFETY: the wrapper passes a NUL-terminated name.
        let name = unsafe { CStr::from_ptr(name) };
        let program = self.program(program).ok_or(HIPRTC_ERROR_INVALID_PROGRAM.0)?;
        let found = program.names.get(name).ok_or(HIPRTC_ERROR_NAME_EXPRESSION_NOT_VALID.0)?;
        Ok(found.as_ptr())
    }

    pub(super) fn destroy_program(&mut self, program: *mut *mut c_void) -> u32 {
        // SAFETY: the wrapper passes a pointer to its handle.
        let handle = unsafe { *program };
        if self.programs.remove(&handle.addr()).is_some() { SUCCESS } else { INVALID_VALUE }
    }
}
