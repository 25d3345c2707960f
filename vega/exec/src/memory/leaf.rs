//! The routines that touch guest memory, and the recovery from host faults inside them.

/// To be called first from the process's SIGSEGV and SIGBUS handler.
///
/// Returns true when the fault happened inside one of the routines that access guest memory: the machine
/// context has then been redirected, the handler must return at once, and the access reports
/// [`FaultReason::HostMemoryGone`](super::FaultReason::HostMemoryGone). Otherwise the signal belongs to
/// somebody else. Async-signal-safe; takes no lock.
///
/// # Safety
/// The arguments must be the ones that the kernel passed to an `SA_SIGINFO` handler.
pub unsafe fn on_host_fault(
    _signal: libc::c_int,
    _info: *mut libc::siginfo_t,
    _context: *mut libc::c_void,
) -> bool {
    false
}
