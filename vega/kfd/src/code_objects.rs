//! Code objects as the program has them: the runtime keeps a list for debuggers.
//!
//! ROCr's `_amdgpu_r_debug` is an `r_debug` of link.h whose entries are code objects: where each is loaded, and a URI
//! of its file (LLVM AMDGPUUsage, "Loaded Code Object Path Uniform Resource Identifier"): a part of a file, or of this
//! process's memory.
//!
//! # Safety
//! `dl_iterate_phdr`, `dlopen` of a library that is there already and `dlsym` get C strings that outlive the calls.
//! The list belongs to the runtime, whose threads may change it at any time: it is read by the kernel
//! (`process_vm_readv`), which answers with an error where nothing is mapped, and no value in it is trusted.

use std::ffi::{CStr, CString, OsStr, c_int, c_void};
use std::fs::File;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::FileExt;
use std::path::Path;

use vega_gpu::LoadedCode;

/// The library that has the list.
const LIBRARY: &[u8] = b"libhsa-runtime64.so";
const SYMBOL: &CStr = c"_amdgpu_r_debug";

/// Entries of the list that are looked at.
const MAX_ENTRIES: usize = 65536;
/// Longest URI in bytes.
const MAX_URI: usize = 8192;
/// Largest code object in bytes.
const MAX_BYTES: u64 = 1 << 30;

/// Offset of `r_map` in `r_debug`; of `l_addr`, `l_name` and `l_next` in `link_map`.
const R_MAP: u64 = 8;
const LINK_DWORDS: usize = 4;

/// The code object that is loaded around a GPU address.
pub fn find(va: u64) -> Option<LoadedCode> {
    let mut link = u64::from_ne_bytes(read(list()?.checked_add(R_MAP)?)?);
    let mut nearest: Option<(u64, u64)> = None;
    for _ in 0..MAX_ENTRIES {
        if link == 0 {
            break;
        }
        let bytes: [u8; 8 * LINK_DWORDS] = read(link)?;
        let word = |n: usize| {
            bytes.chunks_exact(8).nth(n).and_then(|w| Some(u64::from_ne_bytes(w.try_into().ok()?)))
        };
        let (base, name, next) = (word(0)?, word(1)?, word(3)?);
        // The object with the greatest address in front of it: whether it reaches so far, its headers tell.
        if base <= va && nearest.is_none_or(|(best, _)| base >= best) {
            nearest = Some((base, name));
        }
        link = next;
    }
    let (base, name) = nearest?;
    let bytes = Location::parse(&text(name)?)?.read()?;
    Some(LoadedCode { base, bytes })
}

/// The address of the list; `None` without ROCr.
fn list() -> Option<u64> {
    /// Stops at the library and keeps its path.
    unsafe extern "C" fn visit(info: *mut libc::dl_phdr_info, _: usize, found: *mut c_void) -> c_int {
        // SAFETY: the dynamic linker's own structure, and the pointer that `list` passes.
        let (name, found) = unsafe { ((*info).dlpi_name, &mut *found.cast::<Option<CString>>()) };
        if name.is_null() {
            return 0;
        }
        // SAFETY: not null, so a C string.
        let name = unsafe { CStr::from_ptr(name) };
        let file = Path::new(OsStr::from_bytes(name.to_bytes())).file_name();
        let ours = file.is_some_and(|file| file.as_bytes().starts_with(LIBRARY));
        if ours {
            *found = Some(name.to_owned());
        }
        c_int::from(ours)
    }
    let mut path: Option<CString> = None;
    // SAFETY: `visit` writes to `path`, which outlives the call.
    unsafe { libc::dl_iterate_phdr(Some(visit), (&raw mut path).cast()) };
    let path = path?;
    // SAFETY: a C string; NOLOAD runs no code of the library. The handle is kept: the runtime stays loaded.
    let library = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_LAZY | libc::RTLD_NOLOAD) };
    if library.is_null() {
        return None;
    }
    // SAFETY: a handle from dlopen, and a C string.
    let address = unsafe { libc::dlsym(library, SYMBOL.as_ptr()) };
    (!address.is_null()).then_some(address as u64)
}

/// Reads this process's memory; false if some of it is not there.
fn read_into(address: u64, bytes: &mut [u8]) -> bool {
    let local = libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: bytes.len() };
    let remote = libc::iovec { iov_base: address as *mut c_void, iov_len: bytes.len() };
    // SAFETY: `local` is a slice that may be written; the kernel checks `remote`.
    let count = unsafe { libc::process_vm_readv(libc::getpid(), &local, 1, &remote, 1, 0) };
    usize::try_from(count).is_ok_and(|count| count == bytes.len())
}

fn read<const N: usize>(address: u64) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    read_into(address, &mut bytes).then_some(bytes)
}

/// A string that ends with a zero byte.
fn text(address: u64) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    while text.len() < MAX_URI {
        match read::<1>(address.checked_add(text.len() as u64)?)? {
            [0] => return Some(text),
            [byte] => text.push(byte),
        }
    }
    None
}

/// Where a code object is.
#[derive(Debug, PartialEq, Eq)]
enum Location {
    File { path: Vec<u8>, offset: u64, bytes: Option<u64> },
    Memory { address: u64, bytes: u64 },
}

impl Location {
    /// Parses `file://PATH[#offset=N&size=N]` or `memory://PID#offset=N&size=N`.
    fn parse(uri: &[u8]) -> Option<Location> {
        let uri = std::str::from_utf8(uri).ok()?;
        let (place, range) = uri.split_once(['#', '?']).unwrap_or((uri, ""));
        let field = |name: &str| {
            let mut fields = range.split('&').filter_map(|field| field.split_once('='));
            fields.find(|(key, _)| *key == name).and_then(|(_, value)| number(value))
        };
        let (offset, size) = (field("offset"), field("size"));
        if let Some(path) = place.strip_prefix("file://") {
            return Some(Location::File { path: decoded(path)?, offset: offset.unwrap_or(0), bytes: size });
        }
        place.starts_with("memory://").then_some(Location::Memory { address: offset?, bytes: size? })
    }

    fn read(&self) -> Option<Vec<u8>> {
        let buffer = |bytes: u64| (bytes <= MAX_BYTES).then(|| vec![0; bytes as usize]);
        match self {
            Location::Memory { address, bytes } => {
                let mut buffer = buffer(*bytes)?;
                read_into(*address, &mut buffer).then_some(buffer)
            }
            Location::File { path, offset, bytes } => {
                let file = File::open(std::ffi::OsString::from_vec(path.clone())).ok()?;
                let length = file.metadata().ok().filter(|metadata| metadata.is_file())?.len();
                let mut buffer = buffer(bytes.unwrap_or(length.checked_sub(*offset)?))?;
                file.read_exact_at(&mut buffer, *offset).ok()?;
                Some(buffer)
            }
        }
    }
}

/// A decimal or, after `0x`, a hexadecimal number.
fn number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

/// Text without its percent-encoding.
fn decoded(text: &str) -> Option<Vec<u8>> {
    let mut rest = text.bytes();
    let mut bytes = Vec::new();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            byte => byte,
        });
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations_are_read_as_the_runtime_writes_them() {
        let file = |path: &str, offset, bytes| Some(Location::File { path: path.into(), offset, bytes });
        let cases: [(&[u8], _); 6] = [
            (b"file:///a/b.co", file("/a/b.co", 0, None)),
            (b"file:///a%20b%25#offset=0x1000&size=32", file("/a b%", 4096, Some(32))),
            (b"memory://77#offset=0x7f00&size=16", Some(Location::Memory { address: 0x7f00, bytes: 16 })),
            (b"memory://77", None),
            (b"file:///a%2", None),
            (b"http://a", None),
        ];
        for (uri, expected) in cases {
            assert_eq!(Location::parse(uri), expected, "{}", String::from_utf8_lossy(uri));
        }
    }

    #[test]
    fn memory_that_is_not_there_is_no_code() {
        let bytes = *b"0123456789";
        let here = Location::Memory { address: bytes.as_ptr() as u64, bytes: 10 };
        assert_eq!(here.read().as_deref(), Some(&bytes[..]));
        assert_eq!(Location::Memory { address: 0x10, bytes: 8 }.read(), None);
        assert_eq!(Location::Memory { address: 0, bytes: u64::MAX }.read(), None);
        assert_eq!(find(0x1000), None, "there is no runtime in this process");
    }
}
