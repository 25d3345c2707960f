//! The error number of a refused system call.

use std::fmt;

/// A value of `errno`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Errno(pub i32);

impl Errno {
    /// No such file or directory.
    pub const ENOENT: Errno = Errno(libc::ENOENT);
    /// Bad file descriptor: also what every ioctl answers in a forked child.
    pub const EBADF: Errno = Errno(libc::EBADF);
    /// Out of memory: VRAM, GTT or a table is full.
    pub const ENOMEM: Errno = Errno(libc::ENOMEM);
    /// Permission denied.
    pub const EACCES: Errno = Errno(libc::EACCES);
    /// Bad address.
    pub const EFAULT: Errno = Errno(libc::EFAULT);
    /// No such device.
    pub const ENODEV: Errno = Errno(libc::ENODEV);
    /// Invalid argument.
    pub const EINVAL: Errno = Errno(libc::EINVAL);
    /// Inappropriate ioctl.
    pub const ENOTTY: Errno = Errno(libc::ENOTTY);
    /// Operation not permitted.
    pub const EPERM: Errno = Errno(libc::EPERM);
    /// Input/output error.
    pub const EIO: Errno = Errno(libc::EIO);
    /// No space left.
    pub const ENOSPC: Errno = Errno(libc::ENOSPC);
    /// Taken by another: also global wave sync of another queue.
    pub const EBUSY: Errno = Errno(libc::EBUSY);
    /// Is a directory.
    pub const EISDIR: Errno = Errno(libc::EISDIR);
    /// Not a directory.
    pub const ENOTDIR: Errno = Errno(libc::ENOTDIR);

    /// The error number of an input/output error.
    pub fn of(error: std::io::Error) -> Errno {
        Errno(error.raw_os_error().unwrap_or(libc::EINVAL))
    }

    /// The calling thread's current error number.
    pub fn last() -> Errno {
        Errno(std::io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO))
    }
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        std::io::Error::from_raw_os_error(self.0).fmt(f)
    }
}

impl std::error::Error for Errno {}
