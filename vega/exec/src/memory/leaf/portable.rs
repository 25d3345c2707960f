//! Guest memory accesses for hosts without the assembly routines: volatile and atomic, without recovery
//! from host faults.
//!
//! # Safety
//! Callers pass translated addresses of memory that guest code may access, and register arrays of 64 lanes
//! per dword. Guest memory is only touched through raw pointers, volatile or atomic, never by reference.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};

use super::Done;

const fn done(value: u64) -> Done {
    Done { value, fault: 0 }
}

macro_rules! plain {
    ($($load:ident $store:ident $ty:ty),*) => {$(
        /// Loads one element.
        pub(crate) unsafe fn $load(address: u64) -> Done {
            let pointer = address as *const $ty;
            // SAFETY: see the file's head; the unaligned case is not one access on the card either.
            let value = unsafe {
                if pointer.is_aligned() { pointer.read_volatile() } else { pointer.read_unaligned() }
            };
            fence(Ordering::Acquire);
            done(u64::from(value))
        }

        /// Stores one element.
        pub(crate) unsafe fn $store(address: u64, value: u64) -> Done {
            let pointer = address as *mut $ty;
            fence(Ordering::Release);
            // SAFETY: as above.
            unsafe {
                if pointer.is_aligned() {
                    pointer.write_volatile(value as $ty);
                } else {
                    pointer.write_unaligned(value as $ty);
                }
            }
            done(0)
        }
    )*};
}
plain!(load1 store1 u8, load2 store2 u16, load4 store4 u32, load8 store8 u64);

macro_rules! atomic {
    ($($swap:ident $add:ident $cas:ident $atomic:ty, $ty:ty);*) => {$(
        /// Atomically exchanges; returns the old value.
        pub(crate) unsafe fn $swap(address: u64, value: u64) -> Done {
            // SAFETY: callers check alignment before an atomic operation.
            let cell = unsafe { <$atomic>::from_ptr(address as *mut $ty) };
            done(u64::from(cell.swap(value as $ty, Ordering::SeqCst)))
        }

        /// Atomically adds; returns the old value.
        pub(crate) unsafe fn $add(address: u64, value: u64) -> Done {
            // SAFETY: as above.
            let cell = unsafe { <$atomic>::from_ptr(address as *mut $ty) };
            done(u64::from(cell.fetch_add(value as $ty, Ordering::SeqCst)))
        }

        /// Atomically replaces `current` by `new`; returns the old value.
        pub(crate) unsafe fn $cas(address: u64, current: u64, new: u64) -> Done {
            // SAFETY: as above.
            let cell = unsafe { <$atomic>::from_ptr(address as *mut $ty) };
            let old = cell.compare_exchange(current as $ty, new as $ty, Ordering::SeqCst, Ordering::SeqCst);
            done(u64::from(old.unwrap_or_else(|old| old)))
        }
    )*};
}
atomic!(swap4 add4 cas4 AtomicU32, u32; swap8 add8 cas8 AtomicU64, u64);

/// Copies bytes.
pub(crate) unsafe fn copy(dst: u64, src: u64, len: u64) -> Done {
    // SAFETY: see the file's head; the ranges do not overlap.
    unsafe { std::ptr::copy_nonoverlapping(src as *const u8, dst as *mut u8, len as usize) };
    done(0)
}

/// Stores a dword `count` times.
pub(crate) unsafe fn fill4(dst: u64, value: u64, count: u64) -> Done {
    for i in 0..count {
        // SAFETY: see the file's head.
        unsafe { store4(dst + 4 * i, value) };
    }
    done(0)
}

fn lanes(mask: u64) -> impl Iterator<Item = usize> {
    (0..64).filter(move |lane| mask >> lane & 1 == 1)
}

macro_rules! lanewise {
    ($($gather:ident $scatter:ident $bytes:literal $load:ident $store:ident),*) => {$(
        /// Loads one element per lane of `mask`, zero-extended.
        pub(crate) unsafe fn $gather(registers: *mut u32, addresses: *const u64, mask: u64) -> Done {
            for lane in lanes(mask) {
                // SAFETY: see the file's head.
                unsafe {
                    let address = *addresses.add(lane);
                    let mut dword = 0;
                    while 4 * dword < $bytes {
                        let rest = $bytes - 4 * dword;
                        if rest >= 8 {
                            let value = load8(address + 4 * dword).value;
                            registers.add(lane + 64 * dword as usize).write(value as u32);
                            registers.add(lane + 64 * (dword as usize + 1)).write((value >> 32) as u32);
                            dword += 2;
                        } else {
                            let value = $load(address + 4 * dword).value;
                            registers.add(lane + 64 * dword as usize).write(value as u32);
                            dword += 1;
                        }
                    }
                }
            }
            done(0)
        }

        /// Stores one element per lane of `mask`.
        pub(crate) unsafe fn $scatter(registers: *const u32, addresses: *const u64, mask: u64) -> Done {
            for lane in lanes(mask) {
                // SAFETY: see the file's head.
                unsafe {
                    let address = *addresses.add(lane);
                    let mut dword = 0;
                    while 4 * dword < $bytes {
                        let rest = $bytes - 4 * dword;
                        let low = u64::from(registers.add(lane + 64 * dword as usize).read());
                        if rest >= 8 {
                            let high = u64::from(registers.add(lane + 64 * (dword as usize + 1)).read());
                            store8(address + 4 * dword, low | high << 32);
                            dword += 2;
                        } else {
                            $store(address + 4 * dword, low);
                            dword += 1;
                        }
                    }
                }
            }
            done(0)
        }
    )*};
}
lanewise!(
    gather1 scatter1 1u64 load1 store1,
    gather2 scatter2 2u64 load2 store2,
    gather4 scatter4 4u64 load4 store4,
    gather8 scatter8 8u64 load4 store4,
    gather12 scatter12 12u64 load4 store4,
    gather16 scatter16 16u64 load4 store4
);

/// Loads four rows of 16 consecutive dwords, one per 16 lanes.
pub(crate) unsafe fn load_rows_sse2(registers: *mut u32, bases: *const [u64; 4]) -> Done {
    for lane in 0..64usize {
        // SAFETY: see the file's head.
        unsafe {
            registers.add(lane).write(load4((*bases)[lane / 16] + 4 * (lane as u64 % 16)).value as u32)
        };
    }
    done(0)
}

/// Stores four rows of 16 consecutive dwords, one per 16 lanes.
pub(crate) unsafe fn store_rows_sse2(registers: *const u32, bases: *const [u64; 4]) -> Done {
    for lane in 0..64usize {
        // SAFETY: see the file's head.
        unsafe {
            store4((*bases)[lane / 16] + 4 * (lane as u64 % 16), u64::from(registers.add(lane).read()));
        }
    }
    done(0)
}

#[cfg(target_arch = "x86_64")]
pub(crate) use {load_rows_sse2 as load_rows_avx2, store_rows_sse2 as store_rows_avx2};

/// To be called first from the process's SIGSEGV and SIGBUS handler; always false on this host.
///
/// # Safety
/// None needed here; on x86-64 the arguments must be the kernel's own.
pub unsafe fn on_host_fault(
    _signal: libc::c_int,
    _info: *mut libc::siginfo_t,
    _context: *mut libc::c_void,
) -> bool {
    false
}
