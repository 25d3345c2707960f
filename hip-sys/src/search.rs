//! Finding and opening the runtime's library.
//!
//! # Safety
//!
//! Opening a library runs its initialisers; that is what whoever asks for HIP wants from HIP's own library, and
//! there is no other way to use it. A handle is never closed, so what is found in it stays valid.

use std::env;
use std::ffi::{CStr, OsString, c_void};
use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};
use std::ptr::NonNull;

use libloading::Library as Handle;
use once_cell::sync::OnceCell;

use crate::error::{Attempt, LoadError};
use crate::note;
use crate::table::Library;

/// File names of the runtime, in the order of preference.
#[cfg(not(windows))]
const RUNTIME: [&str; 4] = ["libamdhip64.so.7", "libamdhip64.so.6", "libamdhip64.so.5", "libamdhip64.so"];
/// File names of the run-time compiler.
#[cfg(not(windows))]
const COMPILER: [&str; 4] = ["libhiprtc.so.7", "libhiprtc.so.6", "libhiprtc.so.5", "libhiprtc.so"];
/// File names of the runtime, in the order of preference; untested.
#[cfg(windows)]
const RUNTIME: [&str; 3] = ["amdhip64_7.dll", "amdhip64_6.dll", "amdhip64.dll"];
/// File names of the run-time compiler; untested.
#[cfg(windows)]
const COMPILER: [&str; 4] = ["hiprtc0701.dll", "hiprtc0700.dll", "hiprtc0604.dll", "hiprtc.dll"];

/// Folders of a distribution's own packages, for processes whose linker cache is empty.
const SYSTEM: [&str; 6] = [
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/usr/lib64",
    "/usr/lib",
    "/usr/local/lib64",
    "/usr/local/lib",
];

/// A library that is open for the life of the process: the runtime's threads and exit handlers outlive any handle.
pub(crate) struct Loaded {
    handle: ManuallyDrop<Handle>,
    path: Option<PathBuf>,
    /// libhiprtc, opened when the runtime lacks a hiprtc function.
    compiler: OnceCell<Option<ManuallyDrop<Handle>>>,
}

/// Something to hand to the dynamic linker, and why.
#[derive(Clone, Debug, PartialEq)]
struct Candidate {
    path: PathBuf,
    why: &'static str,
}

/// The process's runtime.
pub(crate) fn load() -> Result<Loaded, LoadError> {
    note::keep();
    if let Some(handle) = already_loaded() {
        return Ok(Loaded::new(handle));
    }
    let candidates = candidates(|name| env::var_os(name), &opt_folders(Path::new("/opt")));
    first(&candidates, try_open).map(Loaded::new)
}

/// The runtime in one file.
pub(crate) fn open(path: &Path) -> Result<Loaded, LoadError> {
    first(&[Candidate { path: path.to_owned(), why: "given" }], try_open).map(Loaded::new)
}

/// Opens the first candidate that opens, or tells of all.
fn first<T>(
    candidates: &[Candidate],
    mut open: impl FnMut(&Path) -> Result<T, String>,
) -> Result<T, LoadError> {
    let mut tried = Vec::new();
    for Candidate { path, why } in candidates {
        match open(path) {
            Ok(handle) => return Ok(handle),
            Err(message) => tried.push(Attempt { path: path.display().to_string(), why, message }),
        }
    }
    Err(LoadError::new(tried))
}

fn try_open(path: &Path) -> Result<Handle, String> {
    // SAFETY: see the head of this file.
    unsafe { Handle::new(path) }.map_err(|error| {
        // libloading puts the linker's text into the source; without one its own line has to do.
        std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string)
    })
}

/// What is tried after a loaded copy, in order. `/opt`'s folders are given, so that this reads no disk.
fn candidates(variable: impl Fn(&str) -> Option<OsString>, opt: &[PathBuf]) -> Vec<Candidate> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let mut found = Vec::new();
    if let Some(path) = set("HIP_LIBRARY") {
        // An explicit choice stands: falling back to another runtime behind it would hide the mistake.
        if path.is_dir() {
            in_folder(&mut found, &path, "HIP_LIBRARY");
        } else {
            found.push(Candidate { path, why: "HIP_LIBRARY" });
        }
        return found;
    }
    for why in ["ROCM_PATH", "HIP_PATH"] {
        if let Some(root) = set(why) {
            for folder in ["lib", "lib64", "bin"].into_iter().filter(|f| cfg!(windows) == (*f == "bin")) {
                in_folder(&mut found, &root.join(folder), why);
            }
        }
    }
    found.extend(RUNTIME.iter().map(|name| Candidate { path: PathBuf::from(name), why: "linker's search" }));
    if cfg!(unix) {
        for folder in opt {
            in_folder(&mut found, folder, "ROCm's own folder");
        }
        for folder in SYSTEM {
            in_folder(&mut found, Path::new(folder), "system folder");
        }
    }
    found
}

fn in_folder(found: &mut Vec<Candidate>, folder: &Path, why: &'static str) {
    found.extend(RUNTIME.iter().map(|name| Candidate { path: folder.join(name), why }));
}

/// `lib` of /opt/rocm and of each /opt/rocm-X.Y.Z, the newest version first.
fn opt_folders(opt: &Path) -> Vec<PathBuf> {
    let plain = opt.join("rocm");
    let mut versions: Vec<(Vec<u32>, PathBuf)> = std::fs::read_dir(opt)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name();
            let version = name.to_str()?.strip_prefix("rocm-")?;
            Some((version.split('.').map(|part| part.parse().unwrap_or(0)).collect(), entry.path()))
        })
        .collect();
    versions.sort();
    std::iter::once(plain)
        .chain(versions.into_iter().rev().map(|(_, path)| path))
        .map(|p| p.join("lib"))
        .collect()
}

/// A copy of the runtime that is in the process already: another library's, or preloaded.
#[cfg(unix)]
fn already_loaded() -> Option<Handle> {
    use libloading::os::unix::Library;
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        /// "Only if it is loaded already": the number of Linux's C libraries.
        const RTLD_NOLOAD: std::ffi::c_int = 4;
        for name in RUNTIME {
            // SAFETY: nothing is loaded and no initialiser runs.
            let found = unsafe { Library::open(Some(name), RTLD_NOLOAD | libloading::os::unix::RTLD_LAZY) };
            if let Ok(library) = found {
                return Some(library.into());
            }
        }
    }
    let program = Library::this();
    // SAFETY: the symbol is only looked at, not used.
    let linked = unsafe { program.get::<*mut c_void>(b"hipGetDeviceCount\0") }.is_ok();
    linked.then(|| program.into())
}

/// A copy of the runtime that is in the process already.
#[cfg(windows)]
fn already_loaded() -> Option<Handle> {
    use libloading::os::windows::Library;
    RUNTIME.iter().find_map(|name| Library::open_already_loaded(name).ok()).map(Handle::from)
}

impl Loaded {
    fn new(handle: Handle) -> Self {
        let path = [c"hipGetDeviceCount", c"hipInit"]
            .into_iter()
            .find_map(|name| symbol(&handle, name))
            .and_then(file_of);
        Loaded { handle: ManuallyDrop::new(handle), path, compiler: OnceCell::new() }
    }

    pub(crate) fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// The address of a symbol; hiprtc's are looked up in libhiprtc when the runtime does not have them.
    pub(crate) fn find(&self, name: &CStr, library: Library) -> Option<NonNull<c_void>> {
        let found = symbol(&self.handle, name);
        if found.is_some() || library == Library::Hip {
            return found;
        }
        symbol(self.compiler.get_or_init(|| self.open_compiler()).as_ref()?, name)
    }

    /// libhiprtc of the runtime's release, beside it if it is there, else by the linker's choice; or any.
    fn open_compiler(&self) -> Option<ManuallyDrop<Handle>> {
        compilers(self.path()).iter().find_map(|path| try_open(path).ok()).map(ManuallyDrop::new)
    }
}

/// Where the run-time compiler of the runtime in this file may be, best first.
///
/// Releases may share a folder, and code of a newer compiler is not always what an older runtime can load.
fn compilers(runtime: Option<&Path>) -> Vec<PathBuf> {
    let folder = runtime.and_then(Path::parent);
    // What the file is called in full: libamdhip64.so.6.4.60403, whatever name it was opened by.
    let file = runtime.map(|path| path.canonicalize().unwrap_or_else(|_| path.to_owned()));
    let name = file.as_deref().and_then(Path::file_name).unwrap_or_default().to_string_lossy();
    let major = name.split_once(".so.").and_then(|(_, version)| version.split('.').next());
    let is_own =
        |name: &&str| major.is_some_and(|major| name.split_once(".so.").is_some_and(|(_, of)| of == major));
    let (own, other): (Vec<_>, Vec<_>) = COMPILER.into_iter().partition(is_own);
    let places = [own, other].into_iter().flat_map(|names| {
        let beside: Vec<_> =
            folder.iter().flat_map(|folder| names.iter().map(|name| folder.join(name))).collect();
        beside.into_iter().chain(names.into_iter().map(PathBuf::from))
    });
    places.collect()
}

fn symbol(handle: &Handle, name: &CStr) -> Option<NonNull<c_void>> {
    // SAFETY: the address is taken as data; the generated methods know its type.
    let found = unsafe { handle.get::<*mut c_void>(name.to_bytes_with_nul()) }.ok()?;
    NonNull::new(*found)
}

/// The file that an address was loaded from.
#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
fn file_of(address: NonNull<c_void>) -> Option<PathBuf> {
    use std::ffi::{OsStr, c_char, c_int};
    use std::os::unix::ffi::OsStrExt;

    /// glibc's `Dl_info`; the C libraries of these systems agree on it.
    #[repr(C)]
    struct Info {
        file: *const c_char,
        base: *mut c_void,
        symbol: *const c_char,
        address: *mut c_void,
    }
    unsafe extern "C" {
        fn dladdr(address: *const c_void, info: *mut Info) -> c_int;
    }
    let mut info = Info {
        file: std::ptr::null(),
        base: std::ptr::null_mut(),
        symbol: std::ptr::null(),
        address: std::ptr::null_mut(),
    };
    // SAFETY: `info` is as large as the C library's and lives across the call; any address may be asked about.
    let found = unsafe { dladdr(address.as_ptr(), &mut info) };
    if found == 0 || info.file.is_null() {
        return None;
    }
    // SAFETY: the linker's own string, which lives as long as the library: for good.
    let file = unsafe { CStr::from_ptr(info.file) };
    Some(PathBuf::from(OsStr::from_bytes(file.to_bytes())))
}

/// The file that an address was loaded from: not asked on this system.
#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
fn file_of(_: NonNull<c_void>) -> Option<PathBuf> {
    None
}

#[cfg(test)]
mod tests;
