//! Compiled code that accesses guest memory, and where it goes on when the host faults.
//!
//! # Safety
//! A signal handler reads the table while other threads change it, so it consists of atomics only and its
//! parts are never freed while code that they describe can run. An entry belongs to one [`Landing`]; the
//! handler takes it only for a program counter within its code, which then is running and alive.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicPtr, AtomicU64, AtomicUsize, Ordering};

/// Pieces of compiled code that can be alive at once.
const CAPACITY: usize = 8192;

/// One range of code: offsets of its begin and end, and where a fault inside it goes on.
pub(crate) type Site = (usize, usize, usize);

struct Entry {
    begin: AtomicU64,
    end: AtomicU64,
    sites: AtomicPtr<Site>,
    count: AtomicUsize,
}

static ENTRIES: [Entry; CAPACITY] = [const {
    Entry {
        begin: AtomicU64::new(0),
        end: AtomicU64::new(0),
        sites: AtomicPtr::new(std::ptr::null_mut()),
        count: AtomicUsize::new(0),
    }
}; CAPACITY];

/// Entries beyond this one were never used.
static USED: AtomicUsize = AtomicUsize::new(0);

/// Which entries are free.
static FREE: Mutex<Vec<usize>> = Mutex::new(Vec::new());

/// The registration of a piece of code; ends on drop.
#[derive(Debug)]
pub(crate) struct Landing {
    entry: usize,
    /// What the entry points to.
    _sites: Box<[Site]>,
}

impl Landing {
    /// Registers `len` bytes of code at `start`; `None` when there is too much code already. The sites are
    /// sorted and do not overlap.
    pub fn new(start: usize, len: usize, sites: &[Site]) -> Option<Self> {
        let mut free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
        let number = free.pop().or_else(|| {
            let next = USED.load(Ordering::Relaxed);
            (next < CAPACITY).then(|| {
                USED.store(next + 1, Ordering::Release);
                next
            })
        })?;
        let mut sites: Box<[Site]> = sites.into();
        let entry = ENTRIES.get(number)?;
        entry.sites.store(sites.as_mut_ptr(), Ordering::Relaxed);
        entry.count.store(sites.len(), Ordering::Relaxed);
        entry.end.store((start + len) as u64, Ordering::Relaxed);
        // Last: from now on the handler takes the entry.
        entry.begin.store(start as u64, Ordering::Release);
        Some(Self { entry: number, _sites: sites })
    }
}

impl Drop for Landing {
    fn drop(&mut self) {
        let mut free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = ENTRIES.get(self.entry) {
            entry.begin.store(0, Ordering::Release);
            entry.end.store(0, Ordering::Release);
            entry.count.store(0, Ordering::Release);
        }
        free.push(self.entry);
    }
}

/// Where code that faulted at `pc` goes on. Async-signal-safe.
pub(super) fn landing(pc: u64) -> Option<u64> {
    for entry in ENTRIES.iter().take(USED.load(Ordering::Acquire)) {
        let begin = entry.begin.load(Ordering::Acquire);
        if begin == 0 || pc < begin || pc >= entry.end.load(Ordering::Acquire) {
            continue;
        }
        // The entry may have changed hands between the loads; code that is running does not.
        if entry.begin.load(Ordering::Acquire) != begin {
            continue;
        }
        let (sites, count) = (entry.sites.load(Ordering::Acquire), entry.count.load(Ordering::Acquire));
        let offset = (pc - begin) as usize;
        for n in 0..count {
            // SAFETY: the code runs, so its list of sites is alive.
            let (from, to, target) = unsafe { *sites.add(n) };
            if (from..to).contains(&offset) {
                return Some(begin + target as u64);
            }
        }
    }
    None
}
