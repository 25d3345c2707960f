//! What the thunk calls in libdrm. A newer thunk finds some of these with `dlsym`.
//!
//! # Safety
//! See [`super`]: every function has its C prototype and its callers keep that function's contract. A
//! device handle of ours is the address of an element of [`DEVICES`], so it is recognised by its address
//! alone, and a foreign handle is never looked into.

use std::ffi::{c_char, c_int, c_void};
use std::sync::atomic::{AtomicI32, Ordering};

use vega_kfd::tree::Node;
use vega_kfd::{Errno, driver, files, spec};

use super::{answer, real};

/// How many device handles of ours can be open at once.
const MAX_DEVICES: usize = 64;
/// An element of [`DEVICES`] without a handle.
const FREE: i32 = -1;

/// The descriptors behind the handles.
static DEVICES: [AtomicI32; MAX_DEVICES] = [const { AtomicI32::new(FREE) }; MAX_DEVICES];

/// The version of the DRM interface that a recent amdgpu has.
const DRM_VERSION: (u32, u32) = (3, 49);
/// `AMDGPU_FAMILY_AI`: Vega 10.
const FAMILY_AI: u32 = 141;
/// A1 of Vega 10.
const EXTERNAL_REVISION: u32 = 1;

/// The beginning of `struct amdgpu_gpu_info` (amdgpu.h); the thunk looks at nothing else.
#[repr(C)]
struct GpuInfo {
    asic_id: u32,
    chip_rev: u32,
    chip_external_rev: u32,
    family_id: u32,
    ids_flags: u64,
}

fn device(handle: *mut c_void) -> Option<&'static AtomicI32> {
    let offset = (handle as usize).wrapping_sub(DEVICES.as_ptr() as usize);
    DEVICES.get(offset / size_of::<AtomicI32>())
}

#[unsafe(no_mangle)]
unsafe extern "C" fn drmOpenRender(minor: c_int) -> c_int {
    match u32::try_from(minor).ok().and_then(spec::by_render_minor) {
        Some(card) => answer(driver::open(&Node::Render(card), libc::O_RDWR | libc::O_CLOEXEC)),
        // SAFETY: the caller keeps the contract of this function's C namesake.
        None => unsafe {
            real::drmOpenRender.get().map_or_else(|| answer(Err(Errno::ENODEV)), |real| real(minor))
        },
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn drmClose(fd: c_int) -> c_int {
    // SAFETY: closing is what the caller asks for.
    unsafe { libc::close(fd) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn amdgpu_device_initialize(
    fd: c_int,
    major: *mut u32,
    minor: *mut u32,
    handle: *mut *mut c_void,
) -> c_int {
    if !driver::is_render(fd) {
        // SAFETY: the caller keeps the contract of this function's C namesake.
        return unsafe {
            real::amdgpu_device_initialize.get().map_or(-libc::ENODEV, |real| real(fd, major, minor, handle))
        };
    }
    // SAFETY: duplicating any number is harmless.
    let fd = unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 3) };
    let taken =
        |slot: &&AtomicI32| slot.compare_exchange(FREE, fd, Ordering::AcqRel, Ordering::Relaxed).is_ok();
    let slot = if fd < 0 { None } else { DEVICES.iter().find(taken) };
    let Some(slot) = slot else { return -libc::ENOMEM };
    // A newer thunk maps memory through it.
    files::give(fd);
    // SAFETY: the caller's three results.
    unsafe {
        major.write(DRM_VERSION.0);
        minor.write(DRM_VERSION.1);
        handle.write(std::ptr::from_ref(slot).cast_mut().cast());
    }
    0
}

#[unsafe(no_mangle)]
unsafe extern "C" fn amdgpu_device_deinitialize(handle: *mut c_void) -> c_int {
    let Some(slot) = device(handle) else {
        // SAFETY: the caller keeps the contract of this function's C namesake.
        return unsafe { real::amdgpu_device_deinitialize.get().map_or(-libc::EINVAL, |real| real(handle)) };
    };
    let fd = slot.swap(FREE, Ordering::AcqRel);
    // The program may have closed it, and opened a file of its own under the same number.
    if driver::is_render(fd) {
        // SAFETY: the handle's own descriptor.
        unsafe { libc::close(fd) };
    }
    0
}

#[unsafe(no_mangle)]
unsafe extern "C" fn amdgpu_device_get_fd(handle: *mut c_void) -> c_int {
    match device(handle) {
        Some(slot) => slot.load(Ordering::Acquire),
        // SAFETY: the caller keeps the contract of this function's C namesake.
        None => unsafe { real::amdgpu_device_get_fd.get().map_or(-libc::EINVAL, |real| real(handle)) },
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn amdgpu_get_marketing_name(handle: *mut c_void) -> *const c_char {
    match device(handle) {
        Some(_) => spec::MARKETING_NAME.as_ptr(),
        // SAFETY: the caller keeps the contract of this function's C namesake.
        None => unsafe {
            real::amdgpu_get_marketing_name.get().map_or(std::ptr::null(), |real| real(handle))
        },
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn amdgpu_query_gpu_info(handle: *mut c_void, info: *mut c_void) -> c_int {
    if device(handle).is_none() {
        // SAFETY: the caller keeps the contract of this function's C namesake.
        return unsafe { real::amdgpu_query_gpu_info.get().map_or(-libc::EINVAL, |real| real(handle, info)) };
    }
    let answer = GpuInfo {
        asic_id: spec::DEVICE_ID,
        chip_rev: spec::REVISION,
        chip_external_rev: EXTERNAL_REVISION,
        family_id: FAMILY_AI,
        ids_flags: 0,
    };
    // SAFETY: the caller's struct begins with these fields.
    unsafe { info.cast::<GpuInfo>().write(answer) };
    0
}
