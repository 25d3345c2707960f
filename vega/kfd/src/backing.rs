//! Memory that the driver owns: memfds and mappings of them, which last as long as the process.
//!
//! # Safety
//! Every mapping is made at an address that the kernel chooses and is never unmapped (but for what was
//! imported from another process, after it has left every page table), so a pointer into it stays valid;
//! nothing in the process but guest code and the few atomics below uses
//! the bytes. Offsets are checked against the mapping's length before a pointer is made or the kernel is
//! asked to change anything. Memory is released with `madvise` on the mapping, never through a descriptor:
//! the program may have closed it and opened a file of its own under the same number.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, PoisonError};

use crate::errno::Errno;
use crate::files;

/// The page size of guest and host.
pub const PAGE: u64 = 4096;
/// How much anonymous memory becomes accessible at a time.
const COMMIT_STEP: u64 = 64 << 20;

/// A value of `sysconf`, 0 when it has none.
pub fn sysconf(name: i32) -> u64 {
    // SAFETY: takes and returns numbers.
    unsafe { libc::sysconf(name) }.try_into().unwrap_or(0)
}

/// A new sparse memfd.
pub fn memfd(name: &CStr, len: u64) -> io::Result<OwnedFd> {
    create(name, len, libc::MFD_CLOEXEC)
}

/// A new sparse memfd whose size nobody can change.
pub fn sealed_memfd(name: &CStr, len: u64) -> io::Result<OwnedFd> {
    let fd = create(name, len, libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING)?;
    let seals = libc::F_SEAL_SHRINK | libc::F_SEAL_GROW | libc::F_SEAL_SEAL;
    // SAFETY: `fd` is open, and the argument a number.
    if unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_ADD_SEALS, seals) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(fd)
}

fn create(name: &CStr, len: u64, flags: u32) -> io::Result<OwnedFd> {
    // SAFETY: `name` is a C string; the result is checked.
    let fd = unsafe { libc::memfd_create(name.as_ptr(), flags) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: a new descriptor that nothing else owns.
    let fd = unsafe { OwnedFd::from_raw_fd(fd) };
    let len = libc::off_t::try_from(len).map_err(|_| io::ErrorKind::InvalidInput)?;
    // SAFETY: `fd` is open.
    if unsafe { libc::ftruncate(fd.as_raw_fd(), len) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(fd)
}

/// A mapping of the driver's own.
pub struct Region {
    base: NonNull<u8>,
    len: u64,
    shared: bool,
    /// Bytes from the start that are accessible.
    committed: Mutex<u64>,
}

// SAFETY: the pointer is only handed out; see the module's documentation for who uses the bytes.
unsafe impl Send for Region {}
// SAFETY: as above; `committed` has its own lock.
unsafe impl Sync for Region {}

impl Region {
    /// Maps `[offset, offset + len)` of a memfd, shared with whoever else maps it.
    pub fn shared(fd: BorrowedFd<'_>, offset: u64, len: u64) -> io::Result<Region> {
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let base = map(len, protection, libc::MAP_SHARED | libc::MAP_NORESERVE, Some(fd), offset)?;
        Ok(Region { base, len, shared: true, committed: Mutex::new(len) })
    }

    /// Reserves anonymous memory, in huge pages where the system has them.
    pub fn anonymous(len: u64) -> io::Result<Region> {
        let base = map(len, libc::PROT_NONE, libc::MAP_PRIVATE | libc::MAP_NORESERVE, None, 0)?;
        // SAFETY: exactly the mapping made above. Without huge pages this fails, and changes nothing.
        unsafe { libc::madvise(base.as_ptr().cast(), len as usize, libc::MADV_HUGEPAGE) };
        Ok(Region { base, len, shared: false, committed: Mutex::new(0) })
    }

    /// Where a range is in the process; `None` outside the region.
    pub fn host(&self, offset: u64, len: u64) -> Option<*mut u8> {
        let end = offset.checked_add(len)?;
        (end <= self.len).then(|| {
            // SAFETY: `offset` is inside the mapping, or one past its end.
            unsafe { self.base.as_ptr().add(offset as usize) }
        })
    }

    /// Makes a range accessible; it reads as zeros until it is written.
    pub fn commit(&self, offset: u64, len: u64) -> Result<(), Errno> {
        let mut committed = self.committed.lock().unwrap_or_else(PoisonError::into_inner);
        let end = offset.checked_add(len).filter(|&end| end <= self.len).ok_or(Errno::EINVAL)?;
        if end <= *committed {
            return Ok(());
        }
        let end = end.next_multiple_of(COMMIT_STEP).min(self.len);
        let start = self.host(*committed, 0).ok_or(Errno::EINVAL)?;
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: a page-aligned part of the mapping, which becomes more accessible than it was.
        if unsafe { libc::mprotect(start.cast(), (end - *committed) as usize, protection) } != 0 {
            return Err(Errno::last());
        }
        *committed = end;
        Ok(())
    }

    /// Gives the memory of a range back to the system; it reads as zeros afterwards.
    pub fn discard(&self, offset: u64, len: u64) {
        let Some(start) = self.host(offset, len) else { return };
        let advice = if self.shared { libc::MADV_REMOVE } else { libc::MADV_DONTNEED };
        // SAFETY: a part of the mapping that the caller has taken out of every page table.
        unsafe { libc::madvise(start.cast(), len as usize, advice) };
    }

    /// Copies a range into the beginning of a file, and maps it here from there. What is stored to the range
    /// meanwhile may be lost.
    pub fn move_to(&self, offset: u64, len: u64, fd: BorrowedFd<'_>) -> io::Result<()> {
        let start = self.host(offset, len).ok_or(io::ErrorKind::InvalidInput)?;
        let copy = Region::shared(fd, 0, len)?;
        for page in (0..len).step_by(PAGE as usize) {
            // SAFETY: both pages are inside mappings, accessible, and different memory; the guest may store
            // to the first at the same time, which is why neither is a reference.
            unsafe {
                let from = start.add(page as usize).cast::<[u64; PAGE as usize / 8]>();
                let words = from.read_volatile();
                // A page that was never touched stays a hole.
                if words.iter().any(|&word| word != 0) {
                    copy.base.as_ptr().add(page as usize).cast::<[u64; PAGE as usize / 8]>().write(words);
                }
            }
        }
        copy.release();
        self.replace(start, len, libc::MAP_SHARED, Some(fd), 0)
    }

    /// Undoes [`move_to`](Self::move_to) for a region of anonymous memory, or one that is mapped from `at` of
    /// a file. The range reads as zeros.
    pub fn move_back(&self, offset: u64, len: u64, file: Option<(BorrowedFd<'_>, u64)>) -> io::Result<()> {
        let start = self.host(offset, len).ok_or(io::ErrorKind::InvalidInput)?;
        if let Some((fd, at)) = file {
            return self.replace(start, len, libc::MAP_SHARED, Some(fd), at);
        }
        self.replace(start, len, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, None, 0)?;
        // SAFETY: exactly the mapping made above. Without huge pages this fails, and changes nothing.
        unsafe { libc::madvise(start.cast(), len as usize, libc::MADV_HUGEPAGE) };
        Ok(())
    }

    fn replace(
        &self,
        start: *mut u8,
        len: u64,
        flags: i32,
        fd: Option<BorrowedFd<'_>>,
        at: u64,
    ) -> io::Result<()> {
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let flags = flags | libc::MAP_FIXED | libc::MAP_NORESERVE;
        let fd = fd.map_or(-1, |fd| fd.as_raw_fd());
        // SAFETY: replaces a part of this region's own mapping, whose addresses stay valid throughout.
        let result = unsafe { mmap(start.cast(), len as usize, protection, flags, fd, at as libc::off_t) };
        if result == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        keep_private(result, len as usize);
        Ok(())
    }

    /// Unmaps a region that no page table and no [`words`](Self::words) refer to any more.
    pub fn release(self) {
        // SAFETY: the region's own mapping, which nobody uses any more.
        unsafe { libc::munmap(self.base.as_ptr().cast(), self.len as usize) };
    }

    /// The first `slots` 64-bit words at `offset` as atomics.
    pub fn words(&self, offset: u64, slots: usize) -> Option<&'static [AtomicU64]> {
        let start = self.host(offset, slots as u64 * 8)?;
        if !offset.is_multiple_of(8) {
            return None;
        }
        // SAFETY: inside the mapping, which is never unmapped, aligned, accessible (shared regions always
        // are), and atomics may share memory with the program's and the guest's accesses.
        self.shared.then(|| unsafe { std::slice::from_raw_parts(start.cast::<AtomicU64>(), slots) })
    }
}

/// `mmap` itself. The function of libc is hooked for the program's sake, and the hook takes the locks that a caller
/// in here may hold.
///
/// # Safety
/// As for `mmap`.
unsafe fn mmap(
    address: *mut libc::c_void,
    len: usize,
    protection: i32,
    flags: i32,
    fd: i32,
    offset: libc::off_t,
) -> *mut libc::c_void {
    // SAFETY: the caller's promise.
    unsafe { libc::syscall(libc::SYS_mmap, address, len, protection, flags, fd, offset) as *mut libc::c_void }
}

fn map(
    len: u64,
    protection: i32,
    flags: i32,
    fd: Option<BorrowedFd<'_>>,
    offset: u64,
) -> io::Result<NonNull<u8>> {
    let flags = if fd.is_some() { flags } else { flags | libc::MAP_ANONYMOUS };
    let fd = fd.map_or(-1, |fd| fd.as_raw_fd());
    let offset = libc::off_t::try_from(offset).map_err(|_| io::ErrorKind::InvalidInput)?;
    let len = usize::try_from(len).map_err(|_| io::ErrorKind::InvalidInput)?;
    // SAFETY: no address is asked for, so no existing mapping is replaced.
    let base = unsafe { mmap(std::ptr::null_mut(), len, protection, flags, fd, offset) };
    if base == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    keep_private(base, len);
    NonNull::new(base.cast()).ok_or_else(|| io::ErrorKind::OutOfMemory.into())
}

/// Where the program has mapped `from` at `[va, va + len)`, in whole or in part, maps the same bytes from the
/// beginning of `to` instead, with the same rights.
pub fn map_instead(va: u64, len: u64, from: (BorrowedFd<'_>, u64), to: BorrowedFd<'_>) -> io::Result<()> {
    let inode = files::identity(from.0.as_raw_fd()).ok_or_else(io::Error::last_os_error)?.inode();
    for Mapping { start, end, protection, offset } in mappings_of(inode)? {
        let (first, last) = (start.max(va), end.min(va + len));
        if first >= last || offset.wrapping_add(first - start) != from.1.wrapping_add(first - va) {
            continue;
        }
        let (flags, at) = (libc::MAP_SHARED | libc::MAP_FIXED | libc::MAP_NORESERVE, first - va);
        let bytes = (last - first) as usize;
        // SAFETY: these pages are mapped from the driver's own file, and their bytes stay the same.
        let result =
            unsafe { mmap(first as *mut _, bytes, protection, flags, to.as_raw_fd(), at as libc::off_t) };
        if result == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        keep_private(result, bytes);
    }
    Ok(())
}

/// A line of `/proc/self/maps`.
#[derive(Debug, PartialEq, Eq)]
struct Mapping {
    start: u64,
    end: u64,
    protection: i32,
    offset: u64,
}

impl Mapping {
    /// Its inode and what else is said of it.
    fn parse(line: &str) -> Option<(u64, Mapping)> {
        let mut words = line.split_ascii_whitespace();
        let (start, end) = words.next()?.split_once('-')?;
        let (rights, offset, inode) = (words.next()?, words.next()?, words.nth(1)?);
        let hex = |text| u64::from_str_radix(text, 16).ok();
        let flag = |letter: char, flag: i32| if rights.contains(letter) { flag } else { 0 };
        let protection =
            flag('r', libc::PROT_READ) | flag('w', libc::PROT_WRITE) | flag('x', libc::PROT_EXEC);
        let mapping = Mapping { start: hex(start)?, end: hex(end)?, protection, offset: hex(offset)? };
        Some((inode.parse().ok()?, mapping))
    }
}

/// Where this process maps our file of that inode. Files of others may have its number, too, but are no memfd.
fn mappings_of(inode: u64) -> io::Result<Vec<Mapping>> {
    let maps = std::fs::read_to_string("/proc/self/maps")?;
    let ours = maps.lines().filter(|line| line.contains("/memfd:vega-")).filter_map(Mapping::parse);
    Ok(ours.filter(|(found, _)| *found == inode).map(|(_, mapping)| mapping).collect())
}

/// A forked child has no use for the card's memory, and must not make the parent's pages copy-on-write; a
/// core file of the program should not hold 8 GB of it.
fn keep_private(base: *mut libc::c_void, len: usize) {
    for advice in [libc::MADV_DONTFORK, libc::MADV_DONTDUMP] {
        // SAFETY: exactly a mapping that the caller has made; the advice changes no byte of it.
        unsafe { libc::madvise(base, len, advice) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsFd;
    use std::sync::atomic::Ordering;

    #[test]
    fn what_was_discarded_reads_as_zeros() {
        let fd = memfd(c"vega-test", 1 << 20).unwrap();
        let region = Region::shared(fd.as_fd(), 0, 1 << 20).unwrap();
        let words = region.words(PAGE, 8).unwrap();
        words[3].store(42, Ordering::Relaxed);
        let other = Region::shared(fd.as_fd(), PAGE, PAGE).unwrap();
        assert_eq!(other.words(0, 8).unwrap()[3].load(Ordering::Relaxed), 42);
        drop(fd);
        region.discard(PAGE, PAGE);
        assert_eq!(words[3].load(Ordering::Relaxed), 0);
    }

    #[test]
    fn what_the_program_has_mapped_follows_its_buffer() {
        let (from, to) = (memfd(c"vega-test", 1 << 20).unwrap(), memfd(c"vega-test", 4 * PAGE).unwrap());
        let region = Region::shared(from.as_fd(), 0, 1 << 20).unwrap();
        let program = Region::shared(from.as_fd(), 8 * PAGE, 4 * PAGE).unwrap();
        let word = |region: &Region, page| &region.words(page * PAGE, 1).unwrap()[0];
        word(&program, 3).store(7, Ordering::Relaxed);
        region.move_to(8 * PAGE, 4 * PAGE, to.as_fd()).unwrap();
        let va = program.host(0, 0).unwrap() as u64;
        map_instead(va, 4 * PAGE, (from.as_fd(), 8 * PAGE), to.as_fd()).unwrap();
        word(&region, 9).store(9, Ordering::Relaxed);
        assert_eq!(
            (word(&program, 3).load(Ordering::Relaxed), word(&program, 1).load(Ordering::Relaxed)),
            (7, 9)
        );
        region.move_back(8 * PAGE, 4 * PAGE, Some((from.as_fd(), 8 * PAGE))).unwrap();
        word(&region, 9).store(1, Ordering::Relaxed);
        assert_eq!(word(&program, 1).load(Ordering::Relaxed), 9);
    }

    #[test]
    fn lines_of_maps_are_understood() {
        let line = "7f0000000000-7f0000002000 rw-s 00005000 00:01 1234   /memfd:vega-render (deleted)";
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let mapping = Mapping { start: 0x7f00_0000_0000, end: 0x7f00_0000_2000, protection, offset: 0x5000 };
        assert_eq!(Mapping::parse(line), Some((1234, mapping)));
        assert_eq!(Mapping::parse("nonsense"), None);
    }

    #[test]
    fn ranges_outside_are_refused() {
        let region = Region::anonymous(1 << 20).unwrap();
        assert!(region.host(1 << 20, 1).is_none());
        assert!(region.host(u64::MAX, 2).is_none());
        assert_eq!(region.commit(1 << 20, 1), Err(Errno::EINVAL));
        assert_eq!(region.commit(0, 1 << 20), Ok(()));
        assert!(region.words(0, 1).is_none(), "anonymous memory is not shared with the program");
    }
}
