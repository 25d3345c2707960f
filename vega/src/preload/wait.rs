//! Waits for signals, in ROCr. HIP asks it to spin until a kernel ends, which is right beside a card of its own
//! silicon. Here the spinning thread would take a processor from the threads that execute the kernel, so the hint says
//! instead to sleep after a short while. It is only a hint: what a wait returns, and when it may, stays ROCr's.
//! It is the one place where this file stands between HIP and ROCr; `VEGA_SPIN=1` leaves the hint as it is.
//!
//! # Safety
//! See [`super`]: every function has its C prototype and its callers keep that function's contract.

use vega_kfd::config;

use super::real;

/// `HSA_WAIT_STATE_BLOCKED`.
const BLOCKED: u32 = 0;

macro_rules! hook_wait {
    ($($name:ident)*) => {$(
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name(signal: u64, condition: u32, compare: i64, timeout: u64, hint: u32) -> i64 {
            let hint = if config::get().spin { hint } else { BLOCKED };
            match real::$name.get() {
                // SAFETY: the caller keeps the contract of this function's C namesake.
                Some(real) => unsafe { real(signal, condition, compare, timeout, hint) },
                // Nobody has a signal without ROCr.
                None => compare,
            }
        }
    )*};
}

hook_wait! { hsa_signal_wait_scacquire hsa_signal_wait_acquire hsa_signal_wait_relaxed }
