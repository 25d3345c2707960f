//! The functions that stand in front of libc's, libdrm's and a few of ROCr's when this file is preloaded.
//!
//! | file | functions |
//! |---|---|
//! | [`open`] | `open`, `openat`, `fopen` and their kin |
//! | [`stat`] | `stat`, `access`, `readlink` and their kin |
//! | [`directory`] | `opendir`, `readdir` and their kin |
//! | [`ioctl`] | `ioctl`, `mmap`, `popen` |
//! | [`drm`] | what the thunk calls in libdrm |
//! | [`signal`] | `sigaction`, `signal` and their kin |
//! | [`exit`] | `_exit`, `abort` and their kin |
//! | [`wait`] | ROCr's waits for signals: they sleep instead of spinning |
//!
//! A call inside libc does not come here, so the functions are the outermost ones that programs call. Each
//! asks whether the path or the descriptor is the virtual card's, and otherwise hands its arguments on.
//! Stable Rust cannot define C-variadic functions: `open` and `ioctl` have a fixed third argument, which
//! the calling conventions of x86-64 and AArch64 pass in the same place.
//!
//! # Safety
//! Each function has the C prototype of the function that it stands for, and its caller keeps that
//! function's contract; pointers are only used as that contract allows.

pub mod directory;
pub mod drm;
pub mod exit;
pub mod ioctl;
pub mod open;
pub mod real;
pub mod signal;
pub mod stat;
pub mod wait;

use std::ffi::{CStr, c_char, c_int};

use vega_kfd::tree::{self, Node};
use vega_kfd::{Errno, config, settings};

/// Runs before the program: reads the environment and finds the real functions, so that later calls take
/// no lock.
extern "C" fn construct() {
    config::init();
    settings::get();
    real::resolve();
}

#[used]
#[unsafe(link_section = ".init_array")]
static CONSTRUCTOR: extern "C" fn() = construct;

/// Sets the calling thread's error number.
fn set_errno(errno: Errno) {
    // SAFETY: the thread's own error number.
    unsafe { *libc::__errno_location() = errno.0 };
}

/// A C function's way to say how it went: the number, or -1 and `errno`.
fn answer(result: Result<c_int, Errno>) -> c_int {
    result.unwrap_or_else(|errno| {
        set_errno(errno);
        -1
    })
}

/// The node of ours at a path that the program gave; `None` if the path is not ours.
///
/// # Safety
/// `path` is null or a C string.
unsafe fn node(path: *const c_char) -> Option<Node> {
    if path.is_null() {
        return None;
    }
    // SAFETY: not null, so a C string.
    tree::resolve(unsafe { CStr::from_ptr(path) }.to_bytes())
}
