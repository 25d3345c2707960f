//! The memfds that stand for `/dev/kfd` and the render nodes.
//!
//! A descriptor is ours if `fstat` says that it is one of these memfds. There is no table of descriptors,
//! so nothing has to follow `close` and `dup`, and the program may close what it likes: the watcher thread
//! keeps both memfds open in a descriptor table of its own, from where `/proc` opens them again.
//!
//! # Safety
//! System calls on descriptor numbers. A number is used only after, or together with, a check of what is
//! behind it; the descriptors that are closed here were opened here, a moment before, by the same thread.

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, IntoRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};

use crate::errno::Errno;

/// What `fstat` calls a file's identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    device: u64,
    inode: u64,
}

impl Identity {
    /// The file's number.
    pub fn inode(self) -> u64 {
        self.inode
    }
}

fn stat(fd: RawFd) -> Option<libc::stat> {
    let mut stat = std::mem::MaybeUninit::<libc::stat>::uninit();
    // SAFETY: `stat` has room for the answer; any number may be asked for.
    if unsafe { libc::fstat(fd, stat.as_mut_ptr()) } != 0 {
        return None;
    }
    // SAFETY: fstat succeeded, so it has filled the struct.
    Some(unsafe { stat.assume_init() })
}

/// Identity of what is behind a number; `None` when that is closed.
pub fn identity(fd: RawFd) -> Option<Identity> {
    stat(fd).map(|stat| Identity { device: stat.st_dev, inode: stat.st_ino })
}

/// Size of the file behind a number; `None` when that is closed.
pub fn size(fd: RawFd) -> Option<u64> {
    stat(fd).and_then(|stat| stat.st_size.try_into().ok())
}

/// A memfd: one of the two device files, or a buffer that other processes map.
pub struct DeviceFile {
    identity: Identity,
    /// Where it was opened in the program's table; the program may have closed it.
    fd: AtomicI32,
    /// The thread in whose own table it is open under the same number; 0 when there is none.
    keeper: AtomicI32,
}

/// Numbers up to this one are remembered as given to the program.
const REMEMBERED: usize = 4096;

/// Which numbers were given to the program for `/dev/kfd`. Only a hint: see [`was_given`].
static GIVEN: [AtomicU64; REMEMBERED / 64] = [const { AtomicU64::new(0) }; REMEMBERED / 64];

impl DeviceFile {
    /// Takes a memfd over, for ever.
    pub fn new(memfd: OwnedFd) -> io::Result<DeviceFile> {
        let identity = identity(memfd.as_raw_fd()).ok_or_else(io::Error::last_os_error)?;
        Ok(DeviceFile { identity, fd: AtomicI32::new(memfd.into_raw_fd()), keeper: AtomicI32::new(0) })
    }

    /// Whether this is the file of that identity.
    pub fn has(&self, identity: Identity) -> bool {
        self.identity == identity
    }

    /// Whether the file behind a number is this one.
    pub fn is(&self, fd: RawFd) -> bool {
        identity(fd) == Some(self.identity)
    }

    /// The number under which it was opened first.
    pub fn first_fd(&self) -> RawFd {
        self.fd.load(Ordering::Relaxed)
    }

    /// The thread that keeps it open in a table of its own; `None` if there is none.
    pub fn keeper(&self) -> Option<u32> {
        u32::try_from(self.keeper.load(Ordering::Acquire)).ok().filter(|&tid| tid != 0)
    }

    /// A descriptor for the driver's own use.
    pub fn open_owned(&self) -> io::Result<OwnedFd> {
        use std::os::fd::FromRawFd;
        let fd = self.open(libc::O_CLOEXEC).map_err(|errno| io::Error::from_raw_os_error(errno.0))?;
        // SAFETY: a new descriptor that nothing else owns.
        Ok(unsafe { OwnedFd::from_raw_fd(fd) })
    }

    /// The thread `tid` keeps it open under its first number, in a table of its own.
    pub fn kept_by(&self, tid: i32) {
        self.keeper.store(tid, Ordering::Release);
    }

    /// Its inode.
    pub fn inode(&self) -> u64 {
        self.identity.inode
    }

    /// Closes the number under which it was opened first, unless the program has.
    pub fn close(&self) {
        if self.is(self.first_fd()) {
            // SAFETY: the driver's own descriptor, as was just checked.
            unsafe { libc::close(self.first_fd()) };
        }
    }

    /// A new descriptor for the program.
    ///
    /// # Errors
    /// `EMFILE` and the like, or `ENODEV` when the program has closed the memfd and it cannot be opened
    /// again because there is no `/proc`.
    pub fn open(&self, flags: i32) -> Result<RawFd, Errno> {
        let fd = self.duplicate(flags).or_else(|| self.reopen(flags)).ok_or_else(|| match Errno::last() {
            e @ (Errno(libc::EMFILE) | Errno(libc::ENFILE)) => e,
            _ => Errno::ENODEV,
        })?;
        Ok(fd)
    }

    fn duplicate(&self, flags: i32) -> Option<RawFd> {
        let command = if flags & libc::O_CLOEXEC != 0 { libc::F_DUPFD_CLOEXEC } else { libc::F_DUPFD };
        // SAFETY: duplicating any number is harmless; what came of it is checked.
        let fd = unsafe { libc::fcntl(self.first_fd(), command, 3) };
        self.checked(fd)
    }

    fn reopen(&self, flags: i32) -> Option<RawFd> {
        let tid = self.keeper.load(Ordering::Acquire);
        if tid == 0 {
            return None;
        }
        let path = CString::new(format!("/proc/self/task/{tid}/fd/{}", self.first_fd())).ok()?;
        let flags = libc::O_RDWR | flags & libc::O_CLOEXEC;
        // SAFETY: `path` is a C string; what came of it is checked.
        let fd = unsafe { libc::syscall(libc::SYS_openat, libc::AT_FDCWD, path.as_ptr(), flags) };
        self.checked(fd as RawFd)
    }

    /// `fd` if it is this file; otherwise it is closed again.
    fn checked(&self, fd: RawFd) -> Option<RawFd> {
        if fd < 0 {
            return None;
        }
        if self.is(fd) {
            return Some(fd);
        }
        // SAFETY: opened a moment ago by the caller.
        unsafe { libc::close(fd) };
        None
    }
}

/// Remembers that the program got a number for `/dev/kfd`.
pub fn give(fd: RawFd) {
    if let Some(word) = usize::try_from(fd).ok().and_then(|fd| GIVEN.get(fd / 64)) {
        word.fetch_or(1 << (fd % 64), Ordering::Relaxed);
    }
}

/// Whether the program once got this number for `/dev/kfd`. It may have closed it since, and it may be
/// another file's by now, so that nothing may be done to the file behind it.
pub fn was_given(fd: RawFd) -> bool {
    let word = usize::try_from(fd).ok().and_then(|fd| GIVEN.get(fd / 64));
    word.is_some_and(|word| word.load(Ordering::Relaxed) >> (fd % 64) & 1 != 0)
}

/// A file that holds `text`, at its beginning: what `open` returns for a file of the topology.
pub fn text_file(text: &str, flags: i32) -> Result<RawFd, Errno> {
    if flags & libc::O_ACCMODE != libc::O_RDONLY {
        return Err(Errno::EACCES);
    }
    if flags & libc::O_DIRECTORY != 0 {
        return Err(Errno::ENOTDIR);
    }
    let cloexec = if flags & libc::O_CLOEXEC != 0 { libc::MFD_CLOEXEC } else { 0 };
    let name: &CStr = c"vega-sysfs";
    // SAFETY: `name` is a C string; the result is checked.
    let fd = unsafe { libc::memfd_create(name.as_ptr(), cloexec) };
    if fd < 0 {
        return Err(Errno::last());
    }
    // SAFETY: pwrite reads `text`, at most its length, and does not move the file's position.
    let written = unsafe { libc::pwrite(fd, text.as_ptr().cast(), text.len(), 0) };
    if written == text.len() as isize {
        return Ok(fd);
    }
    // SAFETY: opened a moment ago by this thread.
    unsafe { libc::close(fd) };
    Err(Errno::EIO)
}

/// Gives the calling thread a descriptor table of its own in which only `keep` are open, in ascending order.
///
/// # Errors
/// When the system forbids it (Linux before 5.9, a strict seccomp filter); the table is then still shared.
pub fn leave_the_programs_table(keep: &[RawFd]) -> io::Result<()> {
    let firsts = [0].into_iter().chain(keep.iter().map(|fd| fd + 1));
    let lasts = keep.iter().map(|fd| fd - 1).chain([RawFd::MAX]);
    let ranges = firsts.zip(lasts);
    let mut flags = libc::CLOSE_RANGE_UNSHARE;
    for (first, last) in ranges.filter(|(first, last)| first <= last) {
        // SAFETY: with UNSHARE first, this closes only the calling thread's own copies.
        let result = unsafe { libc::syscall(libc::SYS_close_range, first, last, flags) };
        if result != 0 {
            return Err(io::Error::last_os_error());
        }
        flags = 0;
    }
    Ok(())
}

/// A borrowed view of a number that the caller has just opened.
pub fn borrow(fd: &OwnedFd) -> BorrowedFd<'_> {
    std::os::fd::AsFd::as_fd(fd)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backing::memfd;

    #[test]
    fn a_closed_and_reused_number_is_not_ours() {
        let file = DeviceFile::new(memfd(c"vega-test", 4096).unwrap()).unwrap();
        let fd = file.open(libc::O_CLOEXEC).unwrap();
        assert!(file.is(fd) && file.is(file.first_fd()));
        let other = memfd(c"vega-other", 4096).unwrap();
        // SAFETY: `fd` and the first descriptor are this test's own.
        unsafe {
            libc::dup2(other.as_raw_fd(), fd);
            libc::dup2(other.as_raw_fd(), file.first_fd());
        }
        assert!(!file.is(fd));
        assert_eq!(file.open(0), Err(Errno::ENODEV));
        // SAFETY: as above.
        unsafe {
            libc::close(fd);
            libc::close(file.first_fd());
        }
    }

    #[test]
    fn a_text_file_is_read_from_its_start() {
        use std::io::Read;
        use std::os::fd::FromRawFd;
        let fd = text_file("a 1\n", libc::O_RDONLY).unwrap();
        // SAFETY: a new descriptor that nothing else owns.
        let mut file = unsafe { std::fs::File::from_raw_fd(fd) };
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        assert_eq!(text, "a 1\n");
        assert_eq!(text_file("", libc::O_RDWR), Err(Errno::EACCES));
    }
}
