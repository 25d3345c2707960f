//! Write protection by userfaultfd: no signal is involved, and only stores from user mode are seen, which
//! needs no privilege (`UFFD_USER_MODE_ONLY`).
//!
//! # Safety
//! The structs are those of `linux/userfaultfd.h`, and every ioctl gets a pointer to one on the stack. The
//! descriptor is open in the watcher thread's own table only, so the program cannot close it. Protecting a
//! page changes no byte of it; a store to it is delayed until the protection is lifted.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::sync::atomic::{AtomicU64, Ordering};

use super::Page;
use crate::backing::PAGE;

/// `UFFD_USER_MODE_ONLY`.
const USER_MODE_ONLY: i32 = 1;
/// `UFFD_API`.
const API: u64 = 0xaa;
/// `UFFD_FEATURE_PAGEFAULT_FLAG_WP | UFFD_FEATURE_THREAD_ID | UFFD_FEATURE_WP_HUGETLBFS_SHMEM`: the doorbell page is
/// shared memory.
const FEATURES: u64 = 1 | 1 << 8 | 1 << 12;
/// `UFFDIO_REGISTER_MODE_WP`.
const REGISTER_WRITE_PROTECT: u64 = 1 << 1;
/// `UFFDIO_WRITEPROTECT_MODE_WP`.
const PROTECT: u64 = 1;

#[repr(C)]
struct UffdioApi {
    api: u64,
    features: u64,
    ioctls: u64,
}

#[repr(C)]
struct UffdioRange {
    start: u64,
    len: u64,
}

#[repr(C)]
struct UffdioRegister {
    range: UffdioRange,
    mode: u64,
    ioctls: u64,
}

#[repr(C)]
struct UffdioWriteprotect {
    range: UffdioRange,
    mode: u64,
}

/// `uffd_msg`: the event's kind, and for page faults the address.
#[repr(C)]
struct UffdMsg {
    event: u8,
    reserved: [u8; 7],
    flags: u64,
    address: u64,
    /// The thread's id.
    thread: u32,
    unused: u32,
}

/// A store to a protected page. It waits until the protection is lifted.
pub struct Stored {
    /// The page.
    pub page: Page,
    /// The thread that stores.
    pub thread: u32,
}

/// `UFFDIO_API`, `UFFDIO_REGISTER`, `UFFDIO_WRITEPROTECT`: `_IOWR(0xaa, number, struct)`.
const fn request(number: u64, size: usize) -> libc::c_ulong {
    3 << 30 | (size as libc::c_ulong) << 16 | 0xaa << 8 | number
}
const UFFDIO_API: libc::c_ulong = request(0x3f, size_of::<UffdioApi>());
const UFFDIO_REGISTER: libc::c_ulong = request(0x00, size_of::<UffdioRegister>());
const UFFDIO_WRITEPROTECT: libc::c_ulong = request(0x06, size_of::<UffdioWriteprotect>());

/// A userfaultfd.
pub struct Uffd {
    fd: OwnedFd,
}

impl Uffd {
    /// Opens one and registers the page that wakes its reader.
    ///
    /// # Errors
    /// Where the system forbids it, or cannot protect shared memory.
    pub fn new(wake: &WakePage) -> io::Result<Uffd> {
        // SAFETY: takes flags; the result is checked.
        let fd = unsafe { libc::syscall(libc::SYS_userfaultfd, libc::O_CLOEXEC | USER_MODE_ONLY) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: a new descriptor that nothing else owns.
        let uffd = Uffd { fd: unsafe { OwnedFd::from_raw_fd(fd as i32) } };
        uffd.ioctl(UFFDIO_API, &mut UffdioApi { api: API, features: FEATURES, ioctls: 0 })?;
        wake.touch();
        uffd.register(wake.page())?;
        Ok(uffd)
    }

    /// Makes a page one that can be protected.
    pub fn register(&self, page: Page) -> io::Result<()> {
        let range = UffdioRange { start: page.va, len: page.bytes };
        self.ioctl(UFFDIO_REGISTER, &mut UffdioRegister { range, mode: REGISTER_WRITE_PROTECT, ioctls: 0 })
    }

    /// Protects a page, or lifts the protection and lets waiting stores go on. A page that the program has
    /// unmapped meanwhile needs neither.
    pub fn protect(&self, page: Page, protect: bool) {
        let range = UffdioRange { start: page.va, len: page.bytes };
        let mode = if protect { PROTECT } else { 0 };
        let _ = self.ioctl(UFFDIO_WRITEPROTECT, &mut UffdioWriteprotect { range, mode });
    }

    /// Sleeps until a protected page is stored to.
    pub fn wait(&self) -> Option<Stored> {
        let mut message = UffdMsg { event: 0, reserved: [0; 7], flags: 0, address: 0, thread: 0, unused: 0 };
        let room = size_of::<UffdMsg>();
        // SAFETY: `message` has `room` bytes of integers, any of which may be written.
        let n = unsafe { libc::read(self.fd.as_raw_fd(), std::ptr::from_mut(&mut message).cast(), room) };
        let page = Page { va: message.address & !(PAGE - 1), bytes: PAGE };
        (n == room as isize).then_some(Stored { page, thread: message.thread })
    }

    fn ioctl<T>(&self, request: libc::c_ulong, argument: &mut T) -> io::Result<()> {
        // SAFETY: `argument` is the struct that belongs to `request`; see the callers, all in this file.
        let result = unsafe {
            libc::syscall(libc::SYS_ioctl, self.fd.as_raw_fd(), request, std::ptr::from_mut(argument))
        };
        if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }
}

/// A page of the driver's own; a store to it wakes the watcher like a doorbell.
#[repr(C, align(4096))]
pub struct WakePage {
    word: AtomicU64,
    rest: [u8; PAGE as usize - 8],
}

impl WakePage {
    /// A page of its own.
    pub fn new() -> io::Result<Box<WakePage>> {
        Ok(Box::new(WakePage { word: AtomicU64::new(0), rest: [0; PAGE as usize - 8] }))
    }

    /// Where it is.
    pub fn page(&self) -> Page {
        debug_assert_eq!(self.rest.len() as u64, PAGE - 8);
        Page { va: std::ptr::from_ref(self) as u64, bytes: PAGE }
    }

    /// Stores to the page; returns when the watcher has let the store through.
    pub fn touch(&self) {
        self.word.fetch_add(1, Ordering::SeqCst);
    }
}
