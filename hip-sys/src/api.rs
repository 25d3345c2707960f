//! The table of entry points: one slot per function, resolved at its first use.
//!
//! # Safety
//!
//! A slot is null until its first use and from then on holds either a function's address or [`MISSING`]; it is only
//! ever written with what the resolver answers for that one function, so two threads that race write the same
//! value. The generated methods turn a slot into a function pointer of the type that the headers declare for the
//! function in that slot. Libraries are never closed, so an address stays good.

use std::ffi::{CStr, c_void};
use std::fmt;
use std::path::Path;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicPtr, Ordering};

use once_cell::sync::OnceCell;

use crate::error::{LoadError, MissingSymbol};
use crate::functions::FUNCTIONS;
use crate::search::{self, Loaded};
use crate::table::{FunctionInfo, slot_of};

/// What a slot holds when the runtime has no such function. Page 0 is never mapped, so no function is there.
const MISSING: *mut c_void = ptr::without_provenance_mut(1);

/// A HIP runtime: one method per C function.
///
/// The names, parameters and docs are the headers'. Each method answers [`MissingSymbol`] when the runtime does not
/// export the function; otherwise it calls it and hands back what it returned. Resolving takes no lock, and a
/// resolved call costs one load and one comparison more than a call through a function pointer.
pub struct Api {
    slots: [AtomicPtr<c_void>; FUNCTIONS.len()],
    source: Source,
}

/// Where addresses come from.
enum Source {
    Library(Loaded),
    Resolver(Box<Resolver>),
}

type Resolver = dyn Fn(&CStr) -> Option<NonNull<c_void>> + Send + Sync;

impl Api {
    /// The process's HIP runtime, loaded at the first call. Success or failure, the result is kept, and the library
    /// is never closed.
    ///
    /// Tried in this order: a copy that the process has already loaded; `HIP_LIBRARY` (a file or a folder; when set,
    /// nothing after it is tried); `ROCM_PATH` and `HIP_PATH`; the linker's own search for the sonames .so.7 to .so.5
    /// and the plain name; `/opt/rocm*`; the multiarch folders. On Windows (*untested*) amdhip64_7.dll,
    /// amdhip64_6.dll and amdhip64.dll.
    ///
    /// # Errors
    ///
    /// Every path that was tried, each with the dynamic linker's message.
    pub fn load() -> Result<&'static Api, LoadError> {
        static API: OnceCell<Result<Api, LoadError>> = OnceCell::new();
        let loaded = API.get_or_init(|| search::load().map(|library| Api::new(Source::Library(library))));
        loaded.as_ref().map_err(LoadError::clone)
    }

    /// The runtime in one given file; the library is never closed.
    ///
    /// # Errors
    ///
    /// The path with the dynamic linker's message.
    pub fn open(path: impl AsRef<Path>) -> Result<Api, LoadError> {
        search::open(path.as_ref()).map(|library| Api::new(Source::Library(library)))
    }

    /// A table of one's own: for tests, for injected faults, to measure a call's cost. The resolver is asked once per
    /// spelling at the first use of a function, perhaps by several threads at once.
    ///
    /// What it answers is called with the C signature of the function: that this is right is on the caller of the
    /// unsafe method, as with any library that is found under HIP's name.
    #[must_use]
    pub fn from_resolver(resolver: impl Fn(&CStr) -> Option<NonNull<c_void>> + Send + Sync + 'static) -> Api {
        Api::new(Source::Resolver(Box::new(resolver)))
    }

    fn new(source: Source) -> Api {
        Api { slots: [const { AtomicPtr::new(ptr::null_mut()) }; FUNCTIONS.len()], source }
    }

    /// The file that the runtime was loaded from; `None` for a table of one's own, or when the system does not say.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match &self.source {
            Source::Library(library) => library.path(),
            Source::Resolver(_) => None,
        }
    }

    /// Whether the runtime exports the function of this C name.
    #[must_use]
    pub fn supports(&self, name: &str) -> bool {
        slot_of(name).is_some_and(|slot| self.address(slot).is_ok())
    }

    /// The function in a slot, as a value of its pointer type.
    ///
    /// # Safety
    ///
    /// `F` is the `unsafe extern "C" fn` type of the function in this row of [`FUNCTIONS`].
    #[inline(always)]
    pub(crate) unsafe fn slot<F: Copy>(&self, slot: usize) -> Result<F, MissingSymbol> {
        const { assert!(size_of::<F>() == size_of::<*mut c_void>()) };
        let address = self.address(slot)?;
        // SAFETY: the address is the function's, and the caller names its type, which is as large as a pointer.
        Ok(unsafe { std::mem::transmute_copy::<NonNull<c_void>, F>(&address) })
    }

    /// The address in a slot, resolved at the first use.
    #[inline(always)]
    fn address(&self, slot: usize) -> Result<NonNull<c_void>, MissingSymbol> {
        let Some(entry) = self.slots.get(slot) else { return Err(MissingSymbol { name: "" }) };
        let address = entry.load(Ordering::Acquire);
        match NonNull::new(address) {
            Some(address) if address.as_ptr() != MISSING => Ok(address),
            _ => self.resolve(slot),
        }
    }

    /// Fills a slot, and answers what it now holds.
    #[cold]
    #[inline(never)]
    fn resolve(&self, slot: usize) -> Result<NonNull<c_void>, MissingSymbol> {
        let (Some(row), Some(entry)) = (FUNCTIONS.get(slot), self.slots.get(slot)) else {
            return Err(MissingSymbol { name: "" });
        };
        let missing = MissingSymbol { name: row.name };
        if entry.load(Ordering::Acquire) == MISSING {
            return Err(missing);
        }
        let found = self.find(row);
        entry.store(found.map_or(MISSING, NonNull::as_ptr), Ordering::Release);
        found.ok_or(missing)
    }

    /// Asks the source for each spelling.
    fn find(&self, row: &FunctionInfo) -> Option<NonNull<c_void>> {
        row.spellings.iter().find_map(|symbol| match &self.source {
            Source::Library(library) => library.find(symbol, row.library),
            Source::Resolver(resolver) => resolver(symbol),
        })
    }
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let resolved = self.slots.iter().filter(|slot| slot.load(Ordering::Relaxed).addr() > 1).count();
        f.debug_struct("Api").field("path", &self.path()).field("resolved", &resolved).finish_non_exhaustive()
    }
}
