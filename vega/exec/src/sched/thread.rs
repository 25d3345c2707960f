//! Floating-point environment and signal mask of executing threads.
//!
//! # Safety
//! The file reads and writes MXCSR around work that expects the default one, and restores it; it changes
//! the signal mask of threads that this crate starts.

/// MXCSR with all exceptions masked, rounding to nearest, denormals kept.
#[cfg(target_arch = "x86_64")]
const DEFAULT_MXCSR: u32 = 0x1f80;

/// Runs `work` with the default floating-point environment and restores the caller's: new threads inherit
/// it, and a program compiled with -ffast-math flushes denormals.
pub(crate) fn with_default_floats<T>(work: impl FnOnce() -> T) -> T {
    #[cfg(target_arch = "x86_64")]
    {
        struct Restore(u32);
        impl Drop for Restore {
            fn drop(&mut self) {
                set_mxcsr(self.0);
            }
        }
        let mut old = 0u32;
        // SAFETY: stores four bytes to a local variable.
        unsafe { std::arch::asm!("stmxcsr [{}]", in(reg) &raw mut old, options(nostack)) };
        let _restore = Restore(old);
        set_mxcsr(DEFAULT_MXCSR);
        work()
    }
    #[cfg(not(target_arch = "x86_64"))]
    work()
}

#[cfg(target_arch = "x86_64")]
fn set_mxcsr(value: u32) {
    // SAFETY: reads four bytes of a local variable; the values are the default one or what was there before.
    unsafe { std::arch::asm!("ldmxcsr [{}]", in(reg) &raw const value, options(nostack, readonly)) };
}

/// Blocks asynchronous signals in the calling thread, so that the program's handlers run on its own
/// threads. Faults stay deliverable: guest accesses may raise them.
pub(crate) fn block_signals() {
    // SAFETY: the set is initialised by sigfillset before it is used; the old mask is not asked for.
    unsafe {
        let mut set = std::mem::zeroed::<libc::sigset_t>();
        libc::sigfillset(&mut set);
        for signal in [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE, libc::SIGTRAP] {
            libc::sigdelset(&mut set, signal);
        }
        libc::pthread_sigmask(libc::SIG_SETMASK, &set, std::ptr::null_mut());
    }
}
