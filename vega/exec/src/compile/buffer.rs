//! Memory for compiled code.
//!
//! # Safety
//! The file maps anonymous files and copies bytes into the writable mapping, which is gone before the
//! executable one exists: no address is ever writable and executable, and nothing writes to code that runs.

use std::io;
use std::ptr::{self, NonNull};

/// Code that can be executed.
#[derive(Debug)]
pub(super) struct Executable {
    start: NonNull<u8>,
    len: usize,
}

// SAFETY: the mapping is immutable and owned.
unsafe impl Send for Executable {}
// SAFETY: as above.
unsafe impl Sync for Executable {}

/// A file descriptor that is closed on drop.
struct File(libc::c_int);

impl Drop for File {
    fn drop(&mut self) {
        // SAFETY: the descriptor is this object's.
        unsafe { libc::close(self.0) };
    }
}

impl Executable {
    /// Puts `code` into executable memory.
    ///
    /// # Errors
    /// When the host has no memory for it, or refuses executable memory to this process.
    pub fn new(code: &[u8]) -> io::Result<Self> {
        let len = code.len().max(1).next_multiple_of(4096);
        // SAFETY: the name is a C string; the call touches no other memory.
        let file = File(unsafe { libc::memfd_create(c"vega-code".as_ptr(), libc::MFD_CLOEXEC) });
        if file.0 < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor is open.
        if unsafe { libc::ftruncate(file.0, len as libc::off_t) } != 0 {
            return Err(io::Error::last_os_error());
        }
        let writable = map(len, libc::PROT_READ | libc::PROT_WRITE, &file)?;
        // SAFETY: the fresh mapping has room for the code; it is unmapped once and not used afterwards.
        unsafe {
            ptr::copy_nonoverlapping(code.as_ptr(), writable.as_ptr(), code.len());
            libc::munmap(writable.as_ptr().cast(), len);
        }
        let start = map(len, libc::PROT_READ | libc::PROT_EXEC, &file)?;
        Ok(Self { start, len })
    }

    /// Address of the first byte.
    pub fn start(&self) -> usize {
        self.start.as_ptr() as usize
    }

    /// Bytes of the mapping.
    pub fn len(&self) -> usize {
        self.len
    }
}

fn map(len: usize, access: libc::c_int, file: &File) -> io::Result<NonNull<u8>> {
    // SAFETY: a fresh mapping at an address of the kernel's choice.
    let at = unsafe { libc::mmap(ptr::null_mut(), len, access, libc::MAP_SHARED, file.0, 0) };
    if at == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    NonNull::new(at.cast()).ok_or_else(|| io::Error::from(io::ErrorKind::OutOfMemory))
}

impl Drop for Executable {
    fn drop(&mut self) {
        // SAFETY: the mapping is this object's, and no thread executes it any more: whoever runs code holds
        // its program.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.len) };
    }
}
