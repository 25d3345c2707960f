//! Listing directories. No directory of ours exists anywhere, so a stream of ours is an object of this
//! file, and every function that takes a `DIR` looks whether it is one.
//!
//! # Safety
//! See [`super`]: every function has its C prototype and its callers keep that function's contract. A
//! `DIR` of ours is the address of an element of [`STREAMS`], so it is recognised by its address alone,
//! without a lock, and a foreign `DIR` is never looked into. As C demands, one stream is used by one
//! thread at a time, and not after `closedir`.

use std::ffi::{c_char, c_int, c_long};
use std::sync::atomic::{AtomicPtr, Ordering};

use libc::{DIR, dirent};
use vega_kfd::Errno;
use vega_kfd::tree::Node;

use super::{answer, node, real, set_errno};

/// How many directories of ours can be open at once.
const MAX_STREAMS: usize = 256;

static STREAMS: [AtomicPtr<Stream>; MAX_STREAMS] =
    [const { AtomicPtr::new(std::ptr::null_mut()) }; MAX_STREAMS];

/// An open directory of ours.
struct Stream {
    names: Vec<(String, bool)>,
    next: usize,
    entry: dirent,
}

impl Stream {
    fn open(names: &[(String, bool)]) -> *mut DIR {
        let dots = [(".".to_owned(), true), ("..".to_owned(), true)];
        // SAFETY: all zeros is a valid dirent.
        let entry = unsafe { std::mem::zeroed() };
        let stream = Stream { names: dots.iter().chain(names).cloned().collect(), next: 0, entry };
        let stream = Box::into_raw(Box::new(stream));
        for slot in &STREAMS {
            let free = std::ptr::null_mut();
            if slot.compare_exchange(free, stream, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
                return std::ptr::from_ref(slot).cast_mut().cast();
            }
        }
        // SAFETY: made above, and nobody else has it.
        drop(unsafe { Box::from_raw(stream) });
        set_errno(Errno(libc::ENFILE));
        std::ptr::null_mut()
    }

    fn read(&mut self) -> *mut dirent {
        let Some((name, is_dir)) = self.names.get(self.next) else { return std::ptr::null_mut() };
        self.next += 1;
        self.entry.d_ino = self.next as libc::ino_t;
        self.entry.d_off = self.next as libc::off_t;
        self.entry.d_reclen = size_of::<dirent>() as u16;
        self.entry.d_type = if *is_dir { libc::DT_DIR } else { libc::DT_REG };
        let end = self.entry.d_name.len() - 1;
        let bytes = name.bytes().map(|byte| byte as c_char).chain(std::iter::repeat(0));
        self.entry.d_name.iter_mut().take(end).zip(bytes).for_each(|(to, from)| *to = from);
        &raw mut self.entry
    }
}

/// The slot of a stream of ours.
fn slot(dir: *mut DIR) -> Option<&'static AtomicPtr<Stream>> {
    let offset = (dir as usize).wrapping_sub(STREAMS.as_ptr() as usize);
    STREAMS.get(offset / size_of::<AtomicPtr<Stream>>())
}

/// The stream of ours that `dir` is.
unsafe fn ours<'a>(dir: *mut DIR) -> Option<&'a mut Stream> {
    // SAFETY: an element is null or an open stream, which its one user has handed in.
    unsafe { slot(dir)?.load(Ordering::Acquire).as_mut() }
}

/// Names of the directory at a path of ours, or why there are none; `None` if the path is not ours.
unsafe fn names(path: *const c_char) -> Option<Result<Vec<(String, bool)>, Errno>> {
    // SAFETY: the caller's path is null or a C string.
    match unsafe { node(path) }? {
        Node::Dir(names) => Some(Ok(names)),
        Node::Missing => Some(Err(Errno::ENOENT)),
        _ => Some(Err(Errno::ENOTDIR)),
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn opendir(path: *const c_char) -> *mut DIR {
    // SAFETY: the caller keeps the contract of this function's C namesake.
    unsafe {
        match names(path) {
            Some(Ok(names)) => Stream::open(&names),
            Some(Err(errno)) => {
                set_errno(errno);
                std::ptr::null_mut()
            }
            None => real::opendir.get().map_or(std::ptr::null_mut(), |real| real(path)),
        }
    }
}

/// Defines hooks that answer for a stream of ours and call the real function otherwise.
macro_rules! hook {
    ($($name:ident(dir $(, $arg:ident: $type:ty)*) -> $result:ty, |$stream:ident| $body:expr, else $default:expr;)*) => {$(
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name(dir: *mut DIR $(, $arg: $type)*) -> $result {
            // SAFETY: the caller keeps the contract of this function's C namesake.
            unsafe {
                if let Some($stream) = ours(dir) {
                    return $body;
                }
                real::$name.get().map_or($default, |real| real(dir $(, $arg)*))
            }
        }
    )*};
}

hook! {
    readdir(dir) -> *mut dirent, |stream| stream.read(), else std::ptr::null_mut();
    readdir64(dir) -> *mut dirent, |stream| stream.read(), else std::ptr::null_mut();
    rewinddir(dir) -> (), |stream| stream.next = 0, else ();
    telldir(dir) -> c_long, |stream| stream.next as c_long, else -1;
    seekdir(dir, position: c_long) -> (), |stream| stream.next = position.max(0) as usize, else ();
    // There is no descriptor behind it.
    dirfd(dir) -> c_int, |_stream| answer(Err(Errno(libc::ENOTSUP))), else -1;
}

#[unsafe(no_mangle)]
unsafe extern "C" fn closedir(dir: *mut DIR) -> c_int {
    if let Some(slot) = slot(dir) {
        let stream = slot.swap(std::ptr::null_mut(), Ordering::AcqRel);
        if stream.is_null() {
            return answer(Err(Errno::EBADF));
        }
        // SAFETY: made by `Stream::open`, and taken out of the table by this call alone.
        drop(unsafe { Box::from_raw(stream) });
        return 0;
    }
    // SAFETY: the caller keeps the contract of this function's C namesake.
    unsafe { real::closedir.get().map_or(-1, |real| real(dir)) }
}

type Filter = Option<unsafe extern "C" fn(*const dirent) -> c_int>;
type Compare = Option<unsafe extern "C" fn(*mut *const dirent, *mut *const dirent) -> c_int>;

/// `scandir` on a directory of ours: entries that the program frees, in an array that it frees.
unsafe fn scan(
    names: Result<Vec<(String, bool)>, Errno>,
    list: *mut *mut *mut dirent,
    filter: Filter,
    compare: Compare,
) -> c_int {
    let dir = match names {
        Ok(names) => Stream::open(&names),
        Err(errno) => return answer(Err(errno)),
    };
    // SAFETY: `dir` is a stream of ours or null; the memory is libc's, of the sizes asked for, and filled
    // before it is handed out; `filter` and `compare` are the program's, called as scandir calls them.
    unsafe {
        let Some(stream) = ours(dir) else { return -1 };
        let array = libc::calloc(stream.names.len(), size_of::<*mut dirent>()).cast::<*mut dirent>();
        let mut count = 0;
        while !array.is_null() {
            let entry = stream.read();
            if entry.is_null() {
                break;
            }
            if filter.is_some_and(|filter| filter(entry) == 0) {
                continue;
            }
            let copy = libc::malloc(size_of::<dirent>()).cast::<dirent>();
            if copy.is_null() {
                break;
            }
            copy.copy_from_nonoverlapping(entry, 1);
            array.add(count).write(copy);
            count += 1;
        }
        closedir(dir);
        if array.is_null() {
            return answer(Err(Errno::ENOMEM));
        }
        if let Some(compare) = compare {
            let compare: unsafe extern "C" fn(*const libc::c_void, *const libc::c_void) -> c_int =
                std::mem::transmute(compare);
            libc::qsort(array.cast(), count, size_of::<*mut dirent>(), Some(compare));
        }
        list.write(array);
        count as c_int
    }
}

macro_rules! hook_scandir {
    ($($name:ident)*) => {$(
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name(
            path: *const c_char,
            list: *mut *mut *mut dirent,
            filter: Filter,
            compare: Compare,
        ) -> c_int {
            // SAFETY: the caller keeps the contract of this function's C namesake.
            unsafe {
                match names(path) {
                    Some(names) => scan(names, list, filter, compare),
                    None => real::$name.get().map_or(-1, |real| real(path, list, filter, compare)),
                }
            }
        }
    )*};
}

hook_scandir! { scandir scandir64 }
