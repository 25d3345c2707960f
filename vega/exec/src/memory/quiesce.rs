//! How [`AddressSpace::unmap`](super::AddressSpace::unmap) waits for accesses that still use an old
//! translation.
//!
//! Every thread that touches guest memory owns a [`Slot`] in a cache line of its own. It announces each
//! access with a plain store before it looks at the epoch, and withdraws it with a plain store afterwards.
//! The store and the load of the epoch may pass each other in the processor, so the waiting side orders
//! them: `membarrier(PRIVATE_EXPEDITED)` makes every running thread execute a full barrier. Where the
//! kernel refuses it, the announcing side pays for the barrier itself.
//!
//! # Safety
//! The file calls `membarrier` through libc; it takes no pointers.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering, compiler_fence, fence};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

/// One thread's announcement: odd while an access is under way.
#[repr(align(64))]
#[derive(Debug, Default)]
pub(crate) struct Slot {
    sequence: AtomicU32,
    taken: AtomicBool,
}

/// All slots ever made. They are leaked and reused, so that a waiter may look at them without a lock on
/// their owners; there are as many as there were threads at once.
static SLOTS: Mutex<Vec<&'static Slot>> = Mutex::new(Vec::new());

/// Whether the announcing side needs no fence.
fn expedited() -> bool {
    static REGISTERED: OnceLock<bool> = OnceLock::new();
    *REGISTERED.get_or_init(|| membarrier(16 /* MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED */))
}

/// Whether a full barrier must follow an announcement.
pub(crate) fn is_fenced() -> bool {
    !expedited()
}

#[cfg(target_os = "linux")]
fn membarrier(command: libc::c_long) -> bool {
    // SAFETY: membarrier takes a command, flags and a CPU number, and touches no memory of ours.
    unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) == 0 }
}

#[cfg(not(target_os = "linux"))]
fn membarrier(_command: libc::c_long) -> bool {
    false
}

/// A slot taken by this owner; it is given back on drop.
#[derive(Debug)]
pub(crate) struct SlotGuard {
    slot: &'static Slot,
    fenced: bool,
}

impl SlotGuard {
    /// Takes a free slot or makes one.
    pub fn take() -> Self {
        let fenced = !expedited();
        let mut slots = SLOTS.lock().unwrap_or_else(PoisonError::into_inner);
        let free = slots.iter().find(|slot| !slot.taken.swap(true, Ordering::Acquire));
        let slot = match free {
            Some(slot) => slot,
            None => {
                let slot: &'static Slot = Box::leak(Box::default());
                slot.taken.store(true, Ordering::Relaxed);
                slots.push(slot);
                slot
            }
        };
        Self { slot, fenced }
    }

    /// The announcement, for compiled code: it adds one to it on the way in and out.
    pub fn sequence(&self) -> *mut u32 {
        self.slot.sequence.as_ptr()
    }

    /// Announces an access. Translations may be used until [`leave`](Self::leave) if they are valid for an
    /// epoch that was read after this call.
    #[inline(always)]
    pub fn enter(&self) {
        let next = self.slot.sequence.load(Ordering::Relaxed).wrapping_add(1);
        self.slot.sequence.store(next, Ordering::Relaxed);
        if self.fenced {
            fence(Ordering::SeqCst);
        } else {
            compiler_fence(Ordering::SeqCst);
        }
    }

    /// Withdraws the announcement.
    #[inline(always)]
    pub fn leave(&self) {
        let next = self.slot.sequence.load(Ordering::Relaxed).wrapping_add(1);
        self.slot.sequence.store(next, Ordering::Release);
    }
}

impl Drop for SlotGuard {
    fn drop(&mut self) {
        self.slot.taken.store(false, Ordering::Release);
    }
}

/// Returns when every access that was under way at the call has ended.
pub(crate) fn wait() {
    // Those who enter after this barrier see the new epoch; those who entered before are waited for.
    fence(Ordering::SeqCst);
    if expedited() {
        membarrier(8 /* MEMBARRIER_CMD_PRIVATE_EXPEDITED */);
    }
    let slots: Vec<&'static Slot> = SLOTS.lock().unwrap_or_else(PoisonError::into_inner).clone();
    for slot in slots {
        let seen = slot.sequence.load(Ordering::Acquire);
        let mut spins = 0u32;
        while seen & 1 == 1 && slot.sequence.load(Ordering::Acquire) == seen {
            spins += 1;
            if spins < 100 {
                std::hint::spin_loop();
            } else if spins < 1000 {
                std::thread::yield_now();
            } else {
                std::thread::sleep(Duration::from_micros(50));
            }
        }
    }
}
