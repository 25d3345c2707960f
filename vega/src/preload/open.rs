//! Opening files.
//!
//! # Safety
//! See [`super`]: every function has its C prototype and its callers keep that function's contract.

use std::ffi::{c_char, c_int};

use libc::{FILE, mode_t};
use vega_kfd::{Errno, driver};

use super::{answer, node, real, set_errno};

/// Opens a path of ours: the descriptor or -1; `None` if the path is not ours.
unsafe fn ours(path: *const c_char, flags: c_int) -> Option<c_int> {
    // SAFETY: the caller's path is null or a C string.
    let node = unsafe { node(path) }?;
    Some(answer(driver::open(&node, flags)))
}

macro_rules! hook_open {
    ($($name:ident($($arg:ident: $type:ty),*), at $path:ident, $flags:ident;)*) => {$(
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name($($arg: $type),*) -> c_int {
            // SAFETY: the caller keeps the contract of this function's C namesake.
            unsafe {
                if let Some(fd) = ours($path, $flags) {
                    return fd;
                }
                match real::$name.get() {
                    Some(real) => real($($arg),*),
                    None => answer(Err(Errno(libc::ENOSYS))),
                }
            }
        }
    )*};
}

type Path = *const c_char;

hook_open! {
    open(path: Path, flags: c_int, mode: mode_t), at path, flags;
    open64(path: Path, flags: c_int, mode: mode_t), at path, flags;
    openat(directory: c_int, path: Path, flags: c_int, mode: mode_t), at path, flags;
    openat64(directory: c_int, path: Path, flags: c_int, mode: mode_t), at path, flags;
    __open_2(path: Path, flags: c_int), at path, flags;
    __open64_2(path: Path, flags: c_int), at path, flags;
    __openat_2(directory: c_int, path: Path, flags: c_int), at path, flags;
    __openat64_2(directory: c_int, path: Path, flags: c_int), at path, flags;
}

/// The flags of `open` for a mode of `fopen`.
unsafe fn flags_of(mode: *const c_char) -> c_int {
    // SAFETY: the caller's mode is a C string.
    let mode = unsafe { std::ffi::CStr::from_ptr(mode) }.to_bytes();
    let access = match (mode.first(), mode.contains(&b'+')) {
        (_, true) => libc::O_RDWR,
        (Some(b'r'), false) => libc::O_RDONLY,
        _ => libc::O_WRONLY,
    };
    access | if mode.contains(&b'e') { libc::O_CLOEXEC } else { 0 }
}

macro_rules! hook_fopen {
    ($($name:ident)*) => {$(
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name(path: *const c_char, mode: *const c_char) -> *mut FILE {
            // SAFETY: the caller keeps the contract of this function's C namesake; the descriptor is new.
            unsafe {
                if let Some(node) = node(path) {
                    return match driver::open(&node, flags_of(mode)) {
                        Ok(fd) => libc::fdopen(fd, mode),
                        Err(errno) => {
                            set_errno(errno);
                            std::ptr::null_mut()
                        }
                    };
                }
                match real::$name.get() {
                    Some(real) => real(path, mode),
                    None => {
                        set_errno(Errno(libc::ENOSYS));
                        std::ptr::null_mut()
                    }
                }
            }
        }
    )*};
}

hook_fopen! { fopen fopen64 }
