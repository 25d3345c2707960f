//! Buffers that other processes map: each is a file of its own, which is what a dmabuf is.
//!
//! A buffer moves into such a file when it is exported first, by EXPORT_DMABUF or IPC_EXPORT_HANDLE, and
//! stays there. The file is a memfd of the buffer's size, so that its descriptor can be mapped, measured
//! with `lseek` and sent to other processes like a real dmabuf; it lives for as long as anyone has it open
//! or mapped. The memfd's name says which card's it is. The exporter may have no kernel running that writes
//! to the buffer while it is exported first.
//!
//! A thread keeps the file open in a descriptor table of its own, for the program may close what it likes.

use std::ffi::CString;
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::mpsc;

use crate::abi::{DmabufExport, DmabufImport, DmabufInfo, alloc_flags};
use crate::backing::{self, Region};
use crate::driver::Driver;
use crate::errno::Errno;
use crate::files::{self, DeviceFile};
use crate::signals;

/// What the names of these files begin with.
const PREFIX: &str = "vega-dmabuf:";
/// The keepers only sleep.
const KEEPER_STACK: usize = 64 << 10;

/// What a file of this kind holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contents {
    /// The index of the card.
    pub card: u32,
    /// The card's own memory, else host memory.
    pub vram: bool,
    /// The buffer's size.
    pub bytes: u64,
}

impl Contents {
    fn name(self) -> String {
        format!("{PREFIX}{}:{}", self.card, if self.vram { "vram" } else { "gtt" })
    }

    /// What is behind a descriptor; `None` if it is not one of these files.
    pub fn of(fd: RawFd) -> Option<Contents> {
        let link = std::fs::read_link(format!("/proc/self/fd/{fd}")).ok()?;
        let (card, kind) = link.to_str()?.strip_prefix("/memfd:")?.strip_prefix(PREFIX)?.split_once(':')?;
        let vram = match kind.strip_suffix(" (deleted)").unwrap_or(kind) {
            "vram" => true,
            "gtt" => false,
            _ => return None,
        };
        Some(Contents { card: card.parse().ok()?, vram, bytes: files::size(fd)? })
    }
}

/// Where other processes find a file, and how they know it again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Location {
    /// The thread that keeps it open.
    pub thread: u32,
    /// Its number there.
    pub fd: u32,
    /// Its inode.
    pub inode: u64,
}

impl Location {
    /// Opens the file, if it is still there.
    pub fn open(self) -> io::Result<(OwnedFd, Contents)> {
        let path = format!("/proc/{}/fd/{}", self.thread, self.fd);
        let file = OwnedFd::from(File::options().read(true).write(true).open(path)?);
        let is_same = files::identity(file.as_raw_fd()).is_some_and(|found| found.inode() == self.inode);
        let contents = Contents::of(file.as_raw_fd()).filter(|_| is_same);
        contents.map(|contents| (file, contents)).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

/// The file of an exported buffer.
pub struct Dmabuf {
    file: DeviceFile,
    /// The keeper ends when this is dropped.
    _keeper: mpsc::Sender<()>,
}

impl Dmabuf {
    /// An empty file for a buffer.
    pub fn new(contents: Contents) -> io::Result<Dmabuf> {
        let name = CString::new(contents.name())?;
        let file = DeviceFile::new(backing::sealed_memfd(&name, contents.bytes)?)?;
        let (keeper, until_dropped) = mpsc::channel::<()>();
        let (sender, started) = mpsc::channel();
        let fd = file.first_fd();
        let run = move || {
            let own_table = files::leave_the_programs_table(&[fd]).is_ok();
            // The receiver waits for this one message; afterwards nobody listens.
            let _ = sender.send(if own_table { signals::thread_id() } else { 0 });
            // Nothing is ever sent: this ends when the other end is dropped.
            let _ = until_dropped.recv();
        };
        let thread = std::thread::Builder::new().name("vega-dmabuf".into()).stack_size(KEEPER_STACK);
        signals::with_all_blocked(|| thread.spawn(run))?;
        file.kept_by(started.recv().map_err(io::Error::other)?);
        Ok(Dmabuf { file, _keeper: keeper })
    }

    /// A descriptor for the driver's own use.
    pub fn open(&self) -> io::Result<OwnedFd> {
        self.file.open_owned()
    }

    /// Where other processes find it. Without a keeper that is in the program's own table.
    pub fn location(&self) -> Location {
        let thread = self.file.keeper().unwrap_or_else(std::process::id);
        Location { thread, fd: self.file.first_fd() as u32, inode: self.file.inode() }
    }
}

impl Drop for Dmabuf {
    fn drop(&mut self) {
        self.file.close();
    }
}

/// Flags of EXPORT_DMABUF that `drm_gem_prime_handle_to_fd` knows: `DRM_CLOEXEC` and `DRM_RDWR`.
const EXPORT_FLAGS: u32 = (libc::O_CLOEXEC | libc::O_RDWR) as u32;

/// EXPORT_DMABUF.
pub fn export(driver: &Driver, args: &mut DmabufExport) -> Result<(), Errno> {
    if args.flags & !EXPORT_FLAGS != 0 {
        return Err(Errno::EINVAL);
    }
    let render = driver.reopen_render().map_err(Errno::of)?;
    let cloexec = args.flags as i32 & libc::O_CLOEXEC;
    let fd = driver.memory.share(args.handle, files::borrow(&render), |file| file.file.open(cloexec))??;
    args.dmabuf_fd = fd as u32;
    Ok(())
}

/// GET_DMABUF_INFO. Buffers have no metadata: that describes tiled images of graphics drivers.
pub fn info(driver: &Driver, args: &mut DmabufInfo) -> Result<(), Errno> {
    let contents = Contents::of(args.dmabuf_fd as RawFd).ok_or(Errno::EINVAL)?;
    let device = driver.devices.get(contents.card as usize).ok_or(Errno::ENODEV)?;
    args.size = contents.bytes;
    args.gpu_id = device.spec.gpu_id;
    args.metadata_size = 0;
    args.flags = if contents.vram { alloc_flags::VRAM } else { alloc_flags::GTT };
    if contents.vram && driver.memory.large_bar() {
        args.flags |= alloc_flags::PUBLIC;
    }
    Ok(())
}

/// IMPORT_DMABUF.
pub fn import(driver: &Driver, args: &mut DmabufImport) -> Result<(), Errno> {
    driver.device(args.gpu_id)?;
    let fd = args.dmabuf_fd as RawFd;
    let contents = Contents::of(fd).ok_or(Errno::EINVAL)?;
    // SAFETY: it was open a moment ago; if another thread of the program closes it, mapping it fails.
    let region =
        Region::shared(unsafe { BorrowedFd::borrow_raw(fd) }, 0, contents.bytes).map_err(Errno::of)?;
    args.handle = driver.memory.import(args.va_addr, region, contents.bytes, None)?.0;
    Ok(())
}

/// Whether `DMA_BUF_IOCTL_SYNC` is answered for a descriptor: host and card see the same bytes at once.
pub fn is_synchronised(fd: RawFd) -> bool {
    Contents::of(fd).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTENTS: Contents = Contents { card: 3, vram: true, bytes: 0x5000 };

    #[test]
    fn a_file_says_what_it_is_wherever_it_is_opened() {
        let file = Dmabuf::new(CONTENTS).unwrap();
        let (opened, contents) = file.location().open().unwrap();
        assert_eq!(contents, CONTENTS);
        assert_eq!(Contents::of(opened.as_raw_fd()), Some(CONTENTS));
        let other = backing::memfd(c"vega-test", 0x5000).unwrap();
        assert_eq!(Contents::of(other.as_raw_fd()), None);
        assert_eq!(Contents::of(-1), None);
    }

    #[test]
    fn it_lives_while_someone_has_it_and_is_found_only_until_it_is_dropped() {
        let file = Dmabuf::new(CONTENTS).unwrap();
        let location = file.location();
        assert!(Location { inode: location.inode + 1, ..location }.open().is_err());
        let (opened, _) = location.open().unwrap();
        // The program may close every descriptor that it finds.
        file.file.close();
        assert!(file.open().is_ok());
        drop(file);
        let limit = std::time::Instant::now() + std::time::Duration::from_secs(30);
        while location.open().is_ok() {
            assert!(std::time::Instant::now() < limit, "its keeper does not end");
            std::thread::yield_now();
        }
        assert_eq!(Contents::of(opened.as_raw_fd()), Some(CONTENTS));
        assert!(Region::shared(files::borrow(&opened), 0, CONTENTS.bytes).is_ok());
    }
}
