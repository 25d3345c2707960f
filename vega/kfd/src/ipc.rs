//! Buffers that other processes map: IPC_EXPORT_HANDLE and IPC_IMPORT_HANDLE of ROCm's own kernel driver.
//!
//! A handle has 16 bytes: the exporter's watcher thread (in whose descriptor table `/dev/kfd` stays open),
//! its number there, and a nonce. The importer opens `/proc/THREAD/fd/N`, which the kernel allows to
//! processes of the same user; the nonce leads to the buffer's file in a table inside the exporter's
//! `/dev/kfd`. A dead exporter has no such path, and a reused thread number has no such nonce: the import
//! fails. What an exported buffer is: see [`dmabuf`](crate::dmabuf).

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::abi::{IpcExport, IpcImport};
use crate::backing::Region;
use crate::dmabuf::{Dmabuf, Location};
use crate::driver::Driver;
use crate::errno::Errno;

/// Where the table is in `/dev/kfd`, and its size.
const TABLE_OFFSET: u64 = 0x10_0000;
const TABLE_BYTES: u64 = 0x1_0000;
/// Words of an entry: nonce, the file's keeper and number, its inode, handle of the buffer in the exporter,
/// flags that newer thunks pass along.
const WORDS: usize = 5;
const ENTRIES: usize = TABLE_BYTES as usize / 8 / WORDS;

/// What this process exports.
#[derive(Default)]
pub struct Exports {
    table: OnceLock<Region>,
    /// Held while an entry is added or removed.
    changing: Mutex<()>,
}

/// A handle taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handle {
    thread: u32,
    kfd: u32,
    nonce: u64,
}

impl Handle {
    fn pack(self) -> [u32; 4] {
        [self.thread, self.kfd, self.nonce as u32, (self.nonce >> 32) as u32]
    }

    fn unpack(words: [u32; 4]) -> Handle {
        let [thread, kfd, low, high] = words;
        Handle { thread, kfd, nonce: u64::from(low) | u64::from(high) << 32 }
    }

    /// The exporter's `/dev/kfd`.
    fn open(self) -> io::Result<OwnedFd> {
        let path = format!("/proc/{}/fd/{}", self.thread, self.kfd);
        File::options().read(true).write(true).open(path).map(OwnedFd::from)
    }
}

/// An entry of a table, if it is the nonce's.
fn entry(table: &'static [AtomicU64], nonce: u64) -> Option<(Location, u32)> {
    let is_wanted = |words: &&[AtomicU64]| words.first().is_some_and(|w| w.load(Ordering::Acquire) == nonce);
    let [_, file, inode, _, flags] = table.chunks_exact(WORDS).find(is_wanted)? else { return None };
    let (file, inode) = (file.load(Ordering::Relaxed), inode.load(Ordering::Relaxed));
    let location = Location { thread: (file >> 32) as u32, fd: file as u32, inode };
    Some((location, flags.load(Ordering::Relaxed) as u32))
}

fn map_table(kfd: std::os::fd::BorrowedFd<'_>) -> io::Result<(Region, &'static [AtomicU64])> {
    let region = Region::shared(kfd, TABLE_OFFSET, TABLE_BYTES)?;
    let words = region.words(0, ENTRIES * WORDS).ok_or(io::ErrorKind::InvalidData)?;
    Ok((region, words))
}

fn nonce() -> io::Result<u64> {
    let mut bytes = [0; 8];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(u64::from_le_bytes(bytes) | 1)
}

impl Exports {
    fn words(&self, driver: &Driver) -> io::Result<&'static [AtomicU64]> {
        let table = match self.table.get() {
            Some(table) => table,
            None => {
                let fd = driver.reopen_kfd()?;
                let (region, _) = map_table(fd.as_fd())?;
                self.table.get_or_init(|| region)
            }
        };
        table.words(0, ENTRIES * WORDS).ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    fn add(&self, driver: &Driver, args: &IpcExport, at: Location) -> io::Result<u64> {
        let words = self.words(driver)?;
        let nonce = nonce()?;
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let is_free = |words: &&[AtomicU64]| words.first().is_some_and(|w| w.load(Ordering::Acquire) == 0);
        let free = words.chunks_exact(WORDS).find(is_free);
        let Some([key, file, inode, handle, flags]) = free else {
            return Err(io::ErrorKind::StorageFull.into());
        };
        file.store(u64::from(at.thread) << 32 | u64::from(at.fd), Ordering::Relaxed);
        inode.store(at.inode, Ordering::Relaxed);
        handle.store(args.handle, Ordering::Relaxed);
        flags.store(args.flags.into(), Ordering::Relaxed);
        key.store(nonce, Ordering::Release);
        Ok(nonce)
    }

    /// The buffer is freed: nobody can import it any more.
    pub fn forget(&self, buffer: u64) {
        let Some(words) = self.table.get().and_then(|table| table.words(0, ENTRIES * WORDS)) else { return };
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        for words in words.chunks_exact(WORDS) {
            if let [nonce, _, _, handle, _] = words
                && handle.load(Ordering::Relaxed) == buffer
            {
                nonce.store(0, Ordering::Release);
            }
        }
    }
}

/// IPC_EXPORT_HANDLE.
pub fn export(driver: &Driver, args: &mut IpcExport) -> Result<(), Errno> {
    driver.device(args.gpu_id)?;
    let (thread, kfd) = driver.keeper().ok_or(Errno::EINVAL)?;
    let render = driver.reopen_render().map_err(Errno::of)?;
    let location = driver.memory.share(args.handle, render.as_fd(), Dmabuf::location)?;
    let nonce = driver.exports.add(driver, args, location).map_err(Errno::of)?;
    args.share_handle = Handle { thread, kfd, nonce }.pack();
    Ok(())
}

/// IPC_IMPORT_HANDLE.
pub fn import(driver: &Driver, args: &mut IpcImport) -> Result<(), Errno> {
    driver.device(args.gpu_id)?;
    let handle = Handle::unpack(args.share_handle);
    // Whatever is wrong with a handle, the exporter is gone or never was.
    let kfd = handle.open().map_err(|_| Errno::EINVAL)?;
    let (table, words) = map_table(kfd.as_fd()).map_err(|_| Errno::EINVAL)?;
    let exported = entry(words, handle.nonce);
    table.release();
    let (location, flags) = exported.filter(|_| handle.nonce != 0).ok_or(Errno::EINVAL)?;
    let (file, contents) = location.open().map_err(|_| Errno::EINVAL)?;
    let region = Region::shared(file.as_fd(), 0, contents.bytes).map_err(Errno::of)?;
    (args.handle, args.mmap_offset) =
        driver.memory.import(args.va_addr, region, contents.bytes, Some(location))?;
    args.flags = flags;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles_survive_packing() {
        let handle = Handle { thread: 123_456, kfd: 70_000, nonce: 0x0123_4567_89ab_cdef };
        assert_eq!(Handle::unpack(handle.pack()), handle);
    }

    #[test]
    fn an_entry_is_found_by_its_nonce_alone() {
        let fd = crate::backing::memfd(c"vega-test", TABLE_OFFSET + TABLE_BYTES).unwrap();
        let (_region, words) = map_table(fd.as_fd()).unwrap();
        words[2 * WORDS + 1].store(123_456 << 32 | 70_000, Ordering::Relaxed);
        words[2 * WORDS + 2].store(0x2000, Ordering::Relaxed);
        words[2 * WORDS].store(99, Ordering::Release);
        words[2 * WORDS + 4].store(0x2081, Ordering::Relaxed);
        assert_eq!(entry(words, 99), Some((Location { thread: 123_456, fd: 70_000, inode: 0x2000 }, 0x2081)));
        assert_eq!(entry(words, 98), None);
    }
}
