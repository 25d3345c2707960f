//! Asking about files.
//!
//! # Safety
//! See [`super`]: every function has its C prototype and its callers keep that function's contract.

use std::ffi::{c_char, c_int, c_uint};

use libc::{size_t, ssize_t};
use vega_kfd::Errno;
use vega_kfd::tree::Node;

use super::{answer, node, real};

/// Major number of the KFD (assigned dynamically on a real machine) and of DRM devices.
const KFD_MAJOR: u32 = 510;
const DRM_MAJOR: u32 = 226;
const SYSFS_BLOCK: i64 = 4096;

/// What `stat` says of a node.
struct Facts {
    mode: u32,
    size: i64,
    /// Major and minor number of a device.
    device: (u32, u32),
    /// Any number that differs from node to node.
    inode: u64,
}

fn facts(node: &Node) -> Result<Facts, Errno> {
    let (mode, size, device, inode) = match node {
        Node::Kfd => (libc::S_IFCHR | 0o666, 0, (KFD_MAJOR, 0), 1),
        Node::Render(card) => {
            let minor = card.render_minor;
            (libc::S_IFCHR | 0o666, 0, (DRM_MAJOR, minor), 2 + u64::from(minor))
        }
        Node::File(text) => (libc::S_IFREG | 0o444, SYSFS_BLOCK, (0, 0), 0x1000 + text.len() as u64),
        Node::Dir(names) => (libc::S_IFDIR | 0o755, 0, (0, 0), 0x10000 + names.len() as u64),
        Node::Missing => return Err(Errno::ENOENT),
    };
    Ok(Facts { mode, size, device, inode })
}

/// Fills the program's struct for a node of ours.
unsafe fn fill(node: &Node, into: *mut libc::stat) -> c_int {
    let facts = match facts(node) {
        Ok(facts) => facts,
        Err(errno) => return answer(Err(errno)),
    };
    // SAFETY: the caller's struct; all zeros is a valid value of it.
    let stat = unsafe {
        into.write_bytes(0, 1);
        &mut *into
    };
    stat.st_mode = facts.mode;
    stat.st_size = facts.size;
    stat.st_rdev = libc::makedev(facts.device.0, facts.device.1);
    stat.st_ino = facts.inode;
    stat.st_nlink = 1;
    stat.st_blksize = SYSFS_BLOCK as libc::blksize_t;
    0
}

unsafe fn fill_statx(node: &Node, into: *mut libc::statx) -> c_int {
    let facts = match facts(node) {
        Ok(facts) => facts,
        Err(errno) => return answer(Err(errno)),
    };
    // SAFETY: the caller's struct; all zeros is a valid value of it.
    let statx = unsafe {
        into.write_bytes(0, 1);
        &mut *into
    };
    statx.stx_mask = libc::STATX_BASIC_STATS;
    statx.stx_mode = facts.mode as u16;
    statx.stx_size = facts.size as u64;
    (statx.stx_rdev_major, statx.stx_rdev_minor) = facts.device;
    statx.stx_ino = facts.inode;
    statx.stx_nlink = 1;
    statx.stx_blksize = SYSFS_BLOCK as u32;
    0
}

/// Defines hooks that answer for a node of ours and call the real function otherwise.
macro_rules! hook {
    ($($name:ident($($arg:ident: $type:ty),*) -> $result:ty, at $path:ident => |$node:ident| $body:expr;)*) => {$(
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name($($arg: $type),*) -> $result {
            // SAFETY: the caller keeps the contract of this function's C namesake.
            unsafe {
                if let Some($node) = node($path) {
                    return $body;
                }
                match real::$name.get() {
                    Some(real) => real($($arg),*),
                    None => answer(Err(Errno(libc::ENOSYS))) as $result,
                }
            }
        }
    )*};
}

type Path = *const c_char;
type Stat = *mut libc::stat;

hook! {
    stat(path: Path, buf: Stat) -> c_int, at path => |n| fill(&n, buf);
    stat64(path: Path, buf: Stat) -> c_int, at path => |n| fill(&n, buf);
    lstat(path: Path, buf: Stat) -> c_int, at path => |n| fill(&n, buf);
    lstat64(path: Path, buf: Stat) -> c_int, at path => |n| fill(&n, buf);
    fstatat(fd: c_int, path: Path, buf: Stat, flags: c_int) -> c_int, at path => |n| fill(&n, buf);
    fstatat64(fd: c_int, path: Path, buf: Stat, flags: c_int) -> c_int, at path => |n| fill(&n, buf);
    __xstat(version: c_int, path: Path, buf: Stat) -> c_int, at path => |n| fill(&n, buf);
    __xstat64(version: c_int, path: Path, buf: Stat) -> c_int, at path => |n| fill(&n, buf);
    __lxstat(version: c_int, path: Path, buf: Stat) -> c_int, at path => |n| fill(&n, buf);
    __lxstat64(version: c_int, path: Path, buf: Stat) -> c_int, at path => |n| fill(&n, buf);
    __fxstatat(version: c_int, fd: c_int, path: Path, buf: Stat, flags: c_int) -> c_int, at path =>
        |n| fill(&n, buf);
    __fxstatat64(version: c_int, fd: c_int, path: Path, buf: Stat, flags: c_int) -> c_int, at path =>
        |n| fill(&n, buf);
    statx(fd: c_int, path: Path, flags: c_int, mask: c_uint, buf: *mut libc::statx) -> c_int, at path =>
        |n| fill_statx(&n, buf);
    access(path: Path, mode: c_int) -> c_int, at path => |n| may(&n, mode);
    eaccess(path: Path, mode: c_int) -> c_int, at path => |n| may(&n, mode);
    euidaccess(path: Path, mode: c_int) -> c_int, at path => |n| may(&n, mode);
    faccessat(fd: c_int, path: Path, mode: c_int, flags: c_int) -> c_int, at path => |n| may(&n, mode);
    readlink(path: Path, buf: *mut c_char, size: size_t) -> ssize_t, at path => |n| no_link(&n);
    readlinkat(fd: c_int, path: Path, buf: *mut c_char, size: size_t) -> ssize_t, at path =>
        |n| no_link(&n);
}

/// `access`: files of sysfs can only be read, device nodes also be written.
fn may(node: &Node, mode: c_int) -> c_int {
    let refused = match node {
        Node::Missing => return answer(Err(Errno::ENOENT)),
        Node::Kfd | Node::Render(_) => libc::X_OK,
        Node::File(_) => libc::W_OK | libc::X_OK,
        Node::Dir(_) => libc::W_OK,
    };
    answer(if mode & refused == 0 { Ok(0) } else { Err(Errno::EACCES) })
}

/// `readlink`: nothing of ours is a symbolic link.
fn no_link(node: &Node) -> ssize_t {
    let errno = if *node == Node::Missing { Errno::ENOENT } else { Errno::EINVAL };
    answer(Err(errno)) as ssize_t
}
