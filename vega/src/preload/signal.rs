//! Installing signal handlers. SIGSEGV and SIGBUS belong to the virtual card once it runs; the program's
//! handlers for them live in [`vega_kfd::signals`].
//!
//! # Safety
//! See [`super`]: every function has its C prototype and its callers keep that function's contract.

use std::ffi::c_int;
use std::mem::MaybeUninit;

use libc::sighandler_t;
use vega_kfd::Errno;
use vega_kfd::signals::{self, Action};

use super::{answer, real};

/// `SIG_HOLD` of `sigset`.
const SIG_HOLD: sighandler_t = 2;

/// The first 64 signals of a set; there are no others.
unsafe fn mask_of(set: &libc::sigset_t) -> u64 {
    // SAFETY: a sigset_t is an array of words, the first of which holds the signals 1 to 64.
    unsafe { std::ptr::from_ref(set).cast::<u64>().read() }
}

fn set_of(mask: u64) -> libc::sigset_t {
    let mut set = MaybeUninit::<libc::sigset_t>::zeroed();
    // SAFETY: as in `mask_of`; all zeros is the empty set.
    unsafe {
        set.as_mut_ptr().cast::<u64>().write(mask);
        set.assume_init()
    }
}

/// `sigaction` for our signals; `None` for all others.
unsafe fn ours(signal: c_int, new: *const libc::sigaction, old: *mut libc::sigaction) -> Option<c_int> {
    // SAFETY: the caller's structs, or null.
    unsafe {
        let new = new.as_ref().map(|new| Action {
            handler: new.sa_sigaction,
            flags: new.sa_flags,
            mask: mask_of(&new.sa_mask),
        });
        let was = signals::sigaction(signal, new)?;
        if !old.is_null() {
            old.write_bytes(0, 1);
            (*old).sa_sigaction = was.handler;
            (*old).sa_flags = was.flags;
            (*old).sa_mask = set_of(was.mask);
        }
    }
    Some(0)
}

macro_rules! hook_sigaction {
    ($($name:ident)*) => {$(
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name(
            signal: c_int,
            new: *const libc::sigaction,
            old: *mut libc::sigaction,
        ) -> c_int {
            // SAFETY: the caller keeps the contract of this function's C namesake.
            unsafe {
                ours(signal, new, old).unwrap_or_else(|| match real::sigaction.get() {
                    Some(real) => real(signal, new, old),
                    None => answer(Err(Errno(libc::ENOSYS))),
                })
            }
        }
    )*};
}

hook_sigaction! { sigaction __sigaction }

/// A disposition as the older functions make it.
fn plain(signal: c_int, handler: sighandler_t, flags: c_int) -> Action {
    let mask = if flags & libc::SA_NODEFER != 0 { 0 } else { 1 << (signal - 1) };
    Action { handler, flags, mask }
}

/// Defines the functions that install a handler and return the old one.
macro_rules! hook_signal {
    ($($name:ident => $real:ident, flags $flags:expr;)*) => {$(
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name(signal: c_int, handler: sighandler_t) -> sighandler_t {
            if (1..=64).contains(&signal)
                && let Some(was) = signals::sigaction(signal, Some(plain(signal, handler, $flags)))
            {
                return was.handler;
            }
            // SAFETY: the caller keeps the contract of this function's C namesake.
            real::$real.get().map_or(libc::SIG_ERR, |real| unsafe { real(signal, handler) })
        }
    )*};
}

hook_signal! {
    signal => signal, flags libc::SA_RESTART;
    bsd_signal => signal, flags libc::SA_RESTART;
    ssignal => signal, flags libc::SA_RESTART;
    sysv_signal => sysv_signal, flags libc::SA_RESETHAND | libc::SA_NODEFER;
    __sysv_signal => sysv_signal, flags libc::SA_RESETHAND | libc::SA_NODEFER;
}

#[unsafe(no_mangle)]
unsafe extern "C" fn sigset(signal: c_int, handler: sighandler_t) -> sighandler_t {
    if handler != SIG_HOLD
        && (1..=64).contains(&signal)
        && let Some(was) = signals::sigaction(signal, Some(plain(signal, handler, 0)))
    {
        return was.handler;
    }
    // SAFETY: the caller keeps the contract of this function's C namesake.
    real::sigset.get().map_or(libc::SIG_ERR, |real| unsafe { real(signal, handler) })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn sigignore(signal: c_int) -> c_int {
    if (1..=64).contains(&signal)
        && signals::sigaction(signal, Some(plain(signal, libc::SIG_IGN, 0))).is_some()
    {
        return 0;
    }
    // SAFETY: the caller keeps the contract of this function's C namesake.
    real::sigignore.get().map_or(-1, |real| unsafe { real(signal) })
}

macro_rules! hook_mask {
    ($($name:ident)*) => {$(
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name(
            how: c_int,
            set: *const libc::sigset_t,
            old: *mut libc::sigset_t,
        ) -> c_int {
            // SAFETY: the caller keeps the contract of this function's C namesake; the copy of its set lasts
            // as long as the call.
            unsafe {
                let Some(real) = real::$name.get() else { return libc::ENOSYS };
                let never = signals::never_blocked();
                if never == 0 || set.is_null() || how == libc::SIG_UNBLOCK {
                    return real(how, set, old);
                }
                let mut allowed = *set;
                let mask = std::ptr::from_mut(&mut allowed).cast::<u64>();
                mask.write(mask.read() & !never);
                real(how, &raw const allowed, old)
            }
        }
    )*};
}

hook_mask! { pthread_sigmask sigprocmask }
