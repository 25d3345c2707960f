//! Which of the host's processors a thread runs on.
//!
//! A queue's thread that a program's thread has woken should not stay behind it on the same processor: the program mostly
//! waits for the kernel next, and may do so with a loop that leaves the processor to nobody. Systems differ in whether they
//! look for an idle processor when they wake a thread.
//!
//! # Safety
//! The system calls get sets of processors on the stack, with their size.

use std::mem::{MaybeUninit, size_of};

/// Whether there is one processor only that this thread may use.
pub(crate) fn is_only() -> bool {
    std::thread::available_parallelism().is_ok_and(|processors| processors.get() == 1)
}

/// The processor that this thread is on, where the system says.
pub(crate) fn current() -> Option<usize> {
    // SAFETY: takes nothing and touches no memory of ours.
    usize::try_from(unsafe { libc::sched_getcpu() }).ok()
}

/// Moves this thread to another processor of those that it may use, if there is one. It may come back later.
pub(crate) fn leave(processor: usize) {
    const SIZE: usize = size_of::<libc::cpu_set_t>();
    let mut allowed = MaybeUninit::<libc::cpu_set_t>::zeroed();
    // SAFETY: the system writes at most `SIZE` bytes there. Any bytes make a set.
    let (result, allowed) =
        unsafe { (libc::sched_getaffinity(0, SIZE, allowed.as_mut_ptr()), allowed.assume_init()) };
    if result != 0 || processor >= 8 * SIZE {
        return;
    }
    let mut others = allowed;
    // SAFETY: the number is that of a bit of the set.
    unsafe { libc::CPU_CLR(processor, &mut others) };
    // SAFETY: both are whole sets, of which the system reads `SIZE` bytes. The first call fails, and changes nothing,
    // where no other processor is left.
    unsafe {
        if libc::sched_setaffinity(0, SIZE, &raw const others) == 0 {
            libc::sched_setaffinity(0, SIZE, &raw const allowed);
        }
    }
}
