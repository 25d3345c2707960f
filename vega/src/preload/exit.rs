//! The ends of a program: what is observed of it is printed there. `exit` and a return from `main` run the library's
//! destructor; these functions run none.
//!
//! # Safety
//! See [`super`]: every function has its C prototype and its callers keep that function's contract.

use std::ffi::{c_char, c_int, c_uint};

use vega_kfd::driver;

use super::real;

extern "C" fn destruct() {
    driver::at_exit();
}

#[used]
#[unsafe(link_section = ".fini_array")]
static DESTRUCTOR: extern "C" fn() = destruct;

/// What a function that never returns does should the real one be missing.
fn end(status: c_int) -> ! {
    loop {
        // SAFETY: ends the process.
        unsafe { libc::syscall(libc::SYS_exit_group, status) };
    }
}

macro_rules! hook_exit {
    ($($name:ident)*) => {$(
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name(status: c_int) -> ! {
            driver::at_exit();
            if let Some(real) = real::$name.get() {
                // SAFETY: the caller keeps the contract of this function's C namesake.
                unsafe { real(status) };
            }
            end(status)
        }
    )*};
}

hook_exit! { _exit _Exit }

/// The status that shells give a program that SIGABRT ended.
const ABORTED: c_int = 128 + libc::SIGABRT;

#[unsafe(no_mangle)]
unsafe extern "C" fn abort() -> ! {
    driver::at_exit();
    if let Some(real) = real::abort.get() {
        // SAFETY: the caller keeps the contract of this function's C namesake.
        unsafe { real() };
    }
    end(ABORTED)
}

/// What `assert` calls; it does not call `abort` by its name.
#[unsafe(no_mangle)]
unsafe extern "C" fn __assert_fail(
    assertion: *const c_char,
    file: *const c_char,
    line: c_uint,
    function: *const c_char,
) -> ! {
    driver::at_exit();
    if let Some(real) = real::__assert_fail.get() {
        // SAFETY: the caller keeps the contract of this function's C namesake.
        unsafe { real(assertion, file, line, function) };
    }
    end(ABORTED)
}
