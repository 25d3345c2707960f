//! `ioctl`, and the one command of the shell that a ROCm program runs.
//!
//! # Safety
//! See [`super`]: every function has its C prototype and its callers keep that function's contract.

use std::ffi::{CStr, c_char, c_int, c_ulong, c_void};

use libc::FILE;
use vega_kfd::{Errno, ioctl as kfd};

use super::{answer, real};

#[unsafe(no_mangle)]
unsafe extern "C" fn ioctl(fd: c_int, request: c_ulong, argument: *mut c_void) -> c_int {
    if let Some(result) = kfd::ioctl(fd, request as u32, argument as u64) {
        return answer(result.map(|()| 0));
    }
    // SAFETY: the caller keeps the contract of this function's C namesake.
    match real::ioctl.get() {
        // SAFETY: as above.
        Some(real) => unsafe { real(fd, request, argument) },
        None => answer(Err(Errno(libc::ENOSYS))),
    }
}

/// What rocminfo of ROCm 5 asks the shell to learn whether the driver is loaded.
fn asks_for_driver(command: &CStr) -> bool {
    let command = command.to_string_lossy();
    command.contains("lsmod") && command.contains("amdgpu")
}

#[unsafe(no_mangle)]
unsafe extern "C" fn popen(command: *const c_char, mode: *const c_char) -> *mut FILE {
    // SAFETY: the caller keeps the contract of this function's C namesake.
    unsafe {
        let ours = !command.is_null() && asks_for_driver(CStr::from_ptr(command));
        let command = if ours { c"echo 'amdgpu 1 0'".as_ptr() } else { command };
        real::popen.get().map_or(std::ptr::null_mut(), |real| real(command, mode))
    }
}
