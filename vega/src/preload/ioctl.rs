//! `ioctl`, `mmap`, and the one command of the shell that a ROCm program runs.
//!
//! # Safety
//! See [`super`]: every function has its C prototype and its callers keep that function's contract.

use std::ffi::{CStr, c_char, c_int, c_ulong, c_void};

use libc::{FILE, off_t, size_t};
use vega_kfd::{Errno, driver, ioctl as kfd};

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

/// The kernel's own `mmap` does what the driver's would. This hook is only for buffers of another process,
/// and for programs that closed the thunk's descriptors behind its back: both are mapped through a new one.
macro_rules! hook_mmap {
    ($($name:ident)*) => {$(
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name(
            address: *mut c_void,
            length: size_t,
            protection: c_int,
            flags: c_int,
            fd: c_int,
            offset: off_t,
        ) -> *mut c_void {
            // SAFETY: the caller keeps the contract of this function's C namesake.
            unsafe {
                let Some(real) = real::$name.get() else {
                    answer(Err(Errno(libc::ENOSYS)));
                    return libc::MAP_FAILED;
                };
                let again = if fd >= 0 && flags & libc::MAP_FIXED != 0 {
                    driver::reopen_for_mmap(fd, address as u64, offset as u64)
                } else {
                    None
                };
                let Some((again, offset)) = again else {
                    return real(address, length, protection, flags, fd, offset);
                };
                let result = real(address, length, protection, flags, again, offset as off_t);
                libc::close(again);
                result
            }
        }
    )*};
}

hook_mmap! { mmap mmap64 }

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
