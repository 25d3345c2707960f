//! Where queues that wait for a signal are told that some signal changed.
//!
//! One for the process: queues of different cards wait for each other's signals. The host and kernels
//! store to signals without telling anybody, so a waiter also looks by itself, after 20 us at first and
//! every millisecond in the end.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

static GENERATION: AtomicU64 = AtomicU64::new(0);
static WAITERS: AtomicU32 = AtomicU32::new(0);
static LOCK: Mutex<()> = Mutex::new(());
static CHANGED: Condvar = Condvar::new();

const FIRST_WAIT: Duration = Duration::from_micros(20);
const LONGEST_WAIT: Duration = Duration::from_millis(1);
/// Looks before the first wait: most signals come soon.
const SPINS: u32 = 100;

/// A number that changes with every [`changed`].
pub(crate) fn generation() -> u64 {
    GENERATION.load(Ordering::SeqCst)
}

/// Some signal has a new value, or a queue a new state.
pub(crate) fn changed() {
    GENERATION.fetch_add(1, Ordering::SeqCst);
    if WAITERS.load(Ordering::SeqCst) != 0 {
        // A waiter that has counted itself but does not sleep yet holds the lock.
        drop(LOCK.lock().unwrap_or_else(PoisonError::into_inner));
        CHANGED.notify_all();
    }
}

/// How long to wait before looking again.
pub(crate) struct Patience {
    spins: u32,
    wait: Duration,
}

impl Patience {
    pub fn new() -> Self {
        Patience { spins: SPINS, wait: FIRST_WAIT }
    }

    /// Returns at once if something changed since the generation was `seen`, else after a while.
    pub fn wait(&mut self, seen: u64) {
        if self.spins > 0 {
            self.spins -= 1;
            std::hint::spin_loop();
            return;
        }
        let mut guard = LOCK.lock().unwrap_or_else(PoisonError::into_inner);
        WAITERS.fetch_add(1, Ordering::SeqCst);
        if generation() == seen {
            guard =
                CHANGED.wait_timeout(guard, self.wait).map(|(guard, _)| guard).unwrap_or_else(|poisoned| {
                    let (guard, _) = poisoned.into_inner();
                    guard
                });
            self.wait = (self.wait * 2).min(LONGEST_WAIT);
        }
        WAITERS.fetch_sub(1, Ordering::SeqCst);
        drop(guard);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_ends_the_wait_and_is_never_missed() {
        let seen = generation();
        changed();
        let mut patience = Patience { spins: 0, wait: Duration::from_secs(3600) };
        patience.wait(seen);
        let seen = generation();
        let other = std::thread::spawn(changed);
        patience.wait(seen);
        other.join().unwrap();
        assert_ne!(generation(), seen);
        assert!(patience.wait >= LONGEST_WAIT);
    }
}
