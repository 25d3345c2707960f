//! The functions behind the hooks: the next ones of the same name.
//!
//! # Safety
//! `dlsym(RTLD_NEXT)` finds the function of the name, and the table gives it the type that its header
//! declares. An address is found once and never changes.

use std::ffi::{CStr, c_char, c_int, c_long, c_uint, c_ulong, c_void};
use std::marker::PhantomData;
use std::sync::atomic::{AtomicPtr, Ordering};

use libc::{DIR, FILE, dirent, mode_t, off_t, sighandler_t, size_t, ssize_t};

/// ROCr's file.
const ROCR: &CStr = c"libhsa-runtime64.so.1";

/// A function that is found by name.
pub struct Real<F> {
    name: &'static CStr,
    address: AtomicPtr<c_void>,
    kind: PhantomData<F>,
}

impl<F: Copy> Real<F> {
    const fn new(name: &'static CStr) -> Self {
        Real { name, address: AtomicPtr::new(std::ptr::null_mut()), kind: PhantomData }
    }

    fn resolve(&self) -> *mut c_void {
        // SAFETY: `name` is a C string.
        let mut address = unsafe { libc::dlsym(libc::RTLD_NEXT, self.name.as_ptr()) };
        if address.is_null() {
            // The next one may be in a library that was loaded for some other library only.
            // SAFETY: both names are C strings; nothing is loaded, and ROCr is never unloaded.
            address = unsafe {
                match libc::dlopen(ROCR.as_ptr(), libc::RTLD_NOLOAD | libc::RTLD_LAZY) {
                    rocr if rocr.is_null() => rocr,
                    rocr => libc::dlsym(rocr, self.name.as_ptr()),
                }
            };
        }
        self.address.store(address, Ordering::Release);
        address
    }

    /// The function, if there is one.
    pub fn get(&self) -> Option<F> {
        const { assert!(size_of::<F>() == size_of::<*mut c_void>()) };
        let mut address = self.address.load(Ordering::Acquire);
        if address.is_null() {
            address = self.resolve();
        }
        // SAFETY: `F` is the function's type (see the table below), and has a pointer's size.
        (!address.is_null()).then(|| unsafe { std::mem::transmute_copy::<*mut c_void, F>(&address) })
    }
}

macro_rules! real {
    (libc { $($name:ident: fn($($arg:ty),*) -> $result:ty;)* } later { $($late:ident: fn($($late_arg:ty),*) -> $late_result:ty;)* }) => {
        $(#[allow(non_upper_case_globals, reason = "the name is the function's")]
        pub static $name: Real<unsafe extern "C" fn($($arg),*) -> $result> =
            Real::new(match CStr::from_bytes_with_nul(concat!(stringify!($name), "\0").as_bytes()) {
                Ok(name) => name,
                Err(_) => c"",
            });)*
        $(#[allow(non_upper_case_globals, reason = "the name is the function's")]
        pub static $late: Real<unsafe extern "C" fn($($late_arg),*) -> $late_result> =
            Real::new(match CStr::from_bytes_with_nul(concat!(stringify!($late), "\0").as_bytes()) {
                Ok(name) => name,
                Err(_) => c"",
            });)*

        /// Finds all functions of libc; those of libdrm and ROCr may be loaded later.
        pub fn resolve() {
            $($name.resolve();)*
        }
    };
}

type Path = *const c_char;
type Compare = Option<unsafe extern "C" fn(*mut *const dirent, *mut *const dirent) -> c_int>;
type Filter = Option<unsafe extern "C" fn(*const dirent) -> c_int>;

real! {
    libc {
        open: fn(Path, c_int, mode_t) -> c_int;
        open64: fn(Path, c_int, mode_t) -> c_int;
        openat: fn(c_int, Path, c_int, mode_t) -> c_int;
        openat64: fn(c_int, Path, c_int, mode_t) -> c_int;
        __open_2: fn(Path, c_int) -> c_int;
        __open64_2: fn(Path, c_int) -> c_int;
        __openat_2: fn(c_int, Path, c_int) -> c_int;
        __openat64_2: fn(c_int, Path, c_int) -> c_int;
        fopen: fn(Path, Path) -> *mut FILE;
        fopen64: fn(Path, Path) -> *mut FILE;
        stat: fn(Path, *mut libc::stat) -> c_int;
        stat64: fn(Path, *mut libc::stat) -> c_int;
        lstat: fn(Path, *mut libc::stat) -> c_int;
        lstat64: fn(Path, *mut libc::stat) -> c_int;
        fstatat: fn(c_int, Path, *mut libc::stat, c_int) -> c_int;
        fstatat64: fn(c_int, Path, *mut libc::stat, c_int) -> c_int;
        __xstat: fn(c_int, Path, *mut libc::stat) -> c_int;
        __xstat64: fn(c_int, Path, *mut libc::stat) -> c_int;
        __lxstat: fn(c_int, Path, *mut libc::stat) -> c_int;
        __lxstat64: fn(c_int, Path, *mut libc::stat) -> c_int;
        __fxstatat: fn(c_int, c_int, Path, *mut libc::stat, c_int) -> c_int;
        __fxstatat64: fn(c_int, c_int, Path, *mut libc::stat, c_int) -> c_int;
        statx: fn(c_int, Path, c_int, c_uint, *mut libc::statx) -> c_int;
        access: fn(Path, c_int) -> c_int;
        eaccess: fn(Path, c_int) -> c_int;
        euidaccess: fn(Path, c_int) -> c_int;
        faccessat: fn(c_int, Path, c_int, c_int) -> c_int;
        readlink: fn(Path, *mut c_char, size_t) -> ssize_t;
        readlinkat: fn(c_int, Path, *mut c_char, size_t) -> ssize_t;
        opendir: fn(Path) -> *mut DIR;
        readdir: fn(*mut DIR) -> *mut dirent;
        readdir64: fn(*mut DIR) -> *mut dirent;
        rewinddir: fn(*mut DIR) -> ();
        telldir: fn(*mut DIR) -> c_long;
        seekdir: fn(*mut DIR, c_long) -> ();
        dirfd: fn(*mut DIR) -> c_int;
        closedir: fn(*mut DIR) -> c_int;
        scandir: fn(Path, *mut *mut *mut dirent, Filter, Compare) -> c_int;
        scandir64: fn(Path, *mut *mut *mut dirent, Filter, Compare) -> c_int;
        ioctl: fn(c_int, c_ulong, *mut c_void) -> c_int;
        mmap: fn(*mut c_void, size_t, c_int, c_int, c_int, off_t) -> *mut c_void;
        mmap64: fn(*mut c_void, size_t, c_int, c_int, c_int, off_t) -> *mut c_void;
        popen: fn(Path, Path) -> *mut FILE;
        sigaction: fn(c_int, *const libc::sigaction, *mut libc::sigaction) -> c_int;
        signal: fn(c_int, sighandler_t) -> sighandler_t;
        sysv_signal: fn(c_int, sighandler_t) -> sighandler_t;
        sigset: fn(c_int, sighandler_t) -> sighandler_t;
        sigignore: fn(c_int) -> c_int;
        pthread_sigmask: fn(c_int, *const libc::sigset_t, *mut libc::sigset_t) -> c_int;
        sigprocmask: fn(c_int, *const libc::sigset_t, *mut libc::sigset_t) -> c_int;
        _exit: fn(c_int) -> ();
        _Exit: fn(c_int) -> ();
        abort: fn() -> ();
        __assert_fail: fn(Path, Path, c_uint, Path) -> ();
    }
    later {
        drmOpenRender: fn(c_int) -> c_int;
        amdgpu_device_initialize: fn(c_int, *mut u32, *mut u32, *mut *mut c_void) -> c_int;
        amdgpu_device_deinitialize: fn(*mut c_void) -> c_int;
        amdgpu_device_get_fd: fn(*mut c_void) -> c_int;
        amdgpu_get_marketing_name: fn(*mut c_void) -> *const c_char;
        amdgpu_query_gpu_info: fn(*mut c_void, *mut c_void) -> c_int;
        hsa_signal_wait_scacquire: fn(u64, c_uint, i64, u64, c_uint) -> i64;
        hsa_signal_wait_acquire: fn(u64, c_uint, i64, u64, c_uint) -> i64;
        hsa_signal_wait_relaxed: fn(u64, c_uint, i64, u64, c_uint) -> i64;
    }
}
