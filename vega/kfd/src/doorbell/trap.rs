//! Write protection by `mprotect`: the SIGSEGV handler makes the page writable again, wakes the watcher,
//! and the store goes on.
//!
//! # Safety
//! Only pages that the program has mapped as doorbells are protected, between the `MAP_MEMORY_TO_GPU` and
//! the `FREE_MEMORY_OF_GPU` of their buffer, and they only ever change between readable and writable. The
//! handler's part uses atomics and system calls alone.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use super::Page;

/// More pages than this are not watched: one for each card.
const MAX_PAGES: usize = crate::config::MAX_GPUS as usize;

/// The pages as the handler sees them; 0 is none. A page's size fits into the low bits of its address.
pub struct Trap {
    pages: [AtomicU64; MAX_PAGES],
    /// 1 while the watcher wants to sleep.
    armed: AtomicU32,
    /// Whether this is the way in which doorbells are noticed.
    in_use: AtomicBool,
}

static TRAP: Trap = Trap {
    pages: [const { AtomicU64::new(0) }; MAX_PAGES],
    armed: AtomicU32::new(0),
    in_use: AtomicBool::new(false),
};

/// Doorbell pages have at most this many pages of 4 KiB.
const PAGES_MASK: u64 = 0xfff;

/// The process's trap.
pub fn get() -> &'static Trap {
    &TRAP
}

impl Trap {
    /// From now on a thread that blocks SIGSEGV would be killed when it rings a doorbell.
    pub fn begin(&self) {
        self.in_use.store(true, Ordering::Release);
    }

    /// Whether doorbells are noticed in this way.
    pub fn is_used(&self) -> bool {
        self.in_use.load(Ordering::Acquire)
    }

    /// Protects the pages.
    pub fn arm(&self, pages: impl Iterator<Item = Page>) {
        let mut slots = self.pages.iter();
        for (slot, page) in slots.by_ref().zip(pages) {
            slot.store(page.va | ((page.bytes / 4096) & PAGES_MASK), Ordering::Release);
        }
        slots.for_each(|slot| slot.store(0, Ordering::Release));
        self.armed.store(1, Ordering::SeqCst);
        for page in self.pages() {
            set_writable(page, false);
        }
    }

    /// Makes the pages writable.
    pub fn disarm(&self) {
        self.armed.store(0, Ordering::SeqCst);
        for page in self.pages() {
            set_writable(page, true);
        }
    }

    /// Sleeps until a page was stored to, or [`wake`](Self::wake) was called.
    pub fn wait(&self) {
        while self.armed.load(Ordering::SeqCst) == 1 {
            // SAFETY: waits on a static word.
            unsafe {
                libc::syscall(
                    libc::SYS_futex,
                    self.armed.as_ptr(),
                    libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG,
                    1,
                    std::ptr::null::<libc::timespec>(),
                );
            }
        }
    }

    /// Ends [`wait`](Self::wait).
    pub fn wake(&self) {
        if self.armed.swap(0, Ordering::SeqCst) == 1 {
            // SAFETY: wakes waiters of a static word.
            unsafe {
                libc::syscall(
                    libc::SYS_futex,
                    self.armed.as_ptr(),
                    libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG,
                    1,
                );
            }
        }
    }

    /// Forgets the page at `va` and makes it writable.
    pub fn forget(&self, va: u64) {
        for slot in &self.pages {
            let value = slot.load(Ordering::Acquire);
            if value != 0 && value & !PAGES_MASK == va {
                slot.store(0, Ordering::Release);
                set_writable(Page { va, bytes: (value & PAGES_MASK) * 4096 }, true);
            }
        }
    }

    fn pages(&self) -> impl Iterator<Item = Page> + '_ {
        self.pages
            .iter()
            .map(|slot| slot.load(Ordering::Acquire))
            .filter(|&value| value != 0)
            .map(|value| Page { va: value & !PAGES_MASK, bytes: (value & PAGES_MASK) * 4096 })
    }

    /// For the SIGSEGV handler: whether the access was to a doorbell page, which is writable now.
    pub fn on_fault(&self, address: u64) -> bool {
        let Some(page) = self.pages().find(|page| address.wrapping_sub(page.va) < page.bytes) else {
            return false;
        };
        let was_ours = set_writable(page, true);
        self.wake();
        was_ours
    }
}

/// False when there is no such page any more.
fn set_writable(page: Page, writable: bool) -> bool {
    let protection = if writable { libc::PROT_READ | libc::PROT_WRITE } else { libc::PROT_READ };
    // SAFETY: a doorbell page of the program, see the module's documentation.
    unsafe { libc::mprotect(page.va as *mut libc::c_void, page.bytes as usize, protection) == 0 }
}
