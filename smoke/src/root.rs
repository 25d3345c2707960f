//! Entering the system below a folder: a mount namespace of this process alone, then chroot(2).
//!
//! Nothing of it outlives the process, however that ends: temporary files lie in a tmpfs that only the namespace has,
//! the folder itself is not written to, and this program needs nothing of the root's C library.
//!
//! # Safety
//! `unshare`, `mount`, `chroot` and the id calls take C strings that live across the call, null pointers where the
//! manual allows them, and numbers; they touch no memory of this program. The process has one thread here.
#![allow(unsafe_code)]

use std::ffi::{CStr, CString};
use std::fs::{self, File};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use anyhow::{Context, bail, ensure};

/// Folders that every system has.
const FOLDERS: &[&str] = &["dev", "proc", "sys", "tmp", "usr", "etc"];

/// Device files that programs expect.
const DEVICES: &[&str] = &["null", "zero", "full", "random", "urandom", "tty"];

/// What gives access to a real card.
const CARD: &[&str] = &["kfd", "dri"];

/// The environment inside: the root's own, not the caller's.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Checks that the folder holds a system.
///
/// # Errors
/// It says what is missing.
pub fn check(root: &Path) -> anyhow::Result<()> {
    ensure!(root.is_dir(), "{} is no folder", root.display());
    for name in FOLDERS {
        ensure!(root.join(name).is_dir(), "{} is damaged: it has no /{name}", root.display());
    }
    let libc =
        ["lib/x86_64-linux-gnu/libc.so.6", "lib64/libc.so.6", "usr/lib/libc.so.6", "usr/lib64/libc.so.6"];
    if libc.iter().any(|path| root.join(path).exists()) || root.join("nix").is_dir() {
        return Ok(());
    }
    ensure!(
        !root.join("lib/ld-musl-x86_64.so.1").exists(),
        "{} is a system with musl: ROCm's libraries need glibc",
        root.display()
    );
    bail!("{} is damaged: it has no C library", root.display())
}

/// Makes the folder this process's root. `card`: give access to the real card.
///
/// # Errors
/// Which step the system refuses, and what would allow it.
pub fn enter(root: &Path, card: bool) -> anyhow::Result<()> {
    check(root)?;
    let root = root.canonicalize().with_context(|| format!("cannot resolve {}", root.display()))?;
    unshare()?;
    mount(None, Path::new("/"), None, libc::MS_REC | libc::MS_PRIVATE)?;
    mount(Some(&root), &root, None, libc::MS_BIND)?;
    let dev = root.join("dev");
    mount(None, &dev, Some(c"tmpfs"), libc::MS_NOSUID)?;
    let names = DEVICES.iter().chain(CARD.iter().filter(|_| card));
    for name in names {
        let from = Path::new("/dev").join(name);
        let to = dev.join(name);
        if from.is_dir() {
            fs::create_dir(&to)?;
        } else if from.exists() {
            File::create(&to)?;
        } else {
            continue;
        }
        mount(Some(&from), &to, None, libc::MS_BIND | libc::MS_REC)?;
    }
    fs::create_dir(dev.join("shm"))?;
    mount(None, &dev.join("shm"), Some(c"tmpfs"), libc::MS_NOSUID | libc::MS_NODEV)?;
    for name in ["proc", "sys"] {
        mount(Some(&Path::new("/").join(name)), &root.join(name), None, libc::MS_BIND | libc::MS_REC)?;
    }
    mount(None, &root.join("tmp"), Some(c"tmpfs"), libc::MS_NOSUID | libc::MS_NODEV)?;
    let path = c_string(&root)?;
    // SAFETY: see the file's head.
    if unsafe { libc::chroot(path.as_ptr()) } != 0 {
        return Err(io::Error::last_os_error())
            .with_context(|| format!("cannot make {} the root", root.display()));
    }
    std::env::set_current_dir("/").context("the new root has no /")?;
    Ok(())
}

/// The variables of the caller do not count inside the root.
pub fn environment() -> Vec<(&'static str, &'static str)> {
    vec![("PATH", PATH), ("HOME", "/root"), ("LC_ALL", "C.UTF-8"), ("TMPDIR", "/tmp")]
}

/// A mount namespace, and for users without the right to make one, a user namespace around it.
fn unshare() -> anyhow::Result<()> {
    // SAFETY: see the file's head.
    let (user, group) = unsafe { (libc::geteuid(), libc::getegid()) };
    // SAFETY: see the file's head.
    if unsafe { libc::unshare(libc::CLONE_NEWNS) } == 0 {
        return Ok(());
    }
    // SAFETY: see the file's head.
    if unsafe { libc::unshare(libc::CLONE_NEWUSER | libc::CLONE_NEWNS) } != 0 {
        let error = io::Error::last_os_error();
        bail!("cannot enter another root: {error}; run hip-smoke as root, or allow user namespaces");
    }
    let write = |file: &str, text: String| {
        fs::write(Path::new("/proc/self").join(file), text)
            .with_context(|| format!("cannot write /proc/self/{file}"))
    };
    write("setgroups", "deny".to_owned())?;
    write("uid_map", format!("0 {user} 1"))?;
    write("gid_map", format!("0 {group} 1"))
}

fn mount(from: Option<&Path>, to: &Path, kind: Option<&CStr>, flags: libc::c_ulong) -> anyhow::Result<()> {
    let from = from.map(c_string).transpose()?;
    let to_c = c_string(to)?;
    let from_ptr = from.as_ref().map_or(std::ptr::null(), |path| path.as_ptr());
    let kind_ptr = kind.map_or(std::ptr::null(), CStr::as_ptr);
    // SAFETY: see the file's head.
    if unsafe { libc::mount(from_ptr, to_c.as_ptr(), kind_ptr, flags, std::ptr::null()) } != 0 {
        return Err(io::Error::last_os_error()).with_context(|| format!("cannot mount on {}", to.display()));
    }
    Ok(())
}

fn c_string(path: &Path) -> anyhow::Result<CString> {
    CString::new(path.as_os_str().as_bytes())
        .with_context(|| format!("{} has a zero byte in it", path.display()))
}
