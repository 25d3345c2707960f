//! SIGSEGV and SIGBUS, shared with the program.
//!
//! Guest accesses to memory that has gone, and stores to a protected doorbell page, raise these signals, so
//! the process's handler must be ours. The program's own handler keeps working, whether it was installed
//! before or after: [`sigaction`] keeps the program's disposition here, answers queries with it, and our
//! handler does with every signal that is not ours what the kernel would have done.
//!
//! # Safety
//! The handler is async-signal-safe: it reads atomics, makes system calls, and calls the program's handler
//! with the arguments that the kernel gave. Dispositions are kept in atomics; a signal that arrives in the
//! middle of a change may see the old handler with the new flags, which at worst calls it once more.

use std::io;
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU64, AtomicUsize, Ordering};

use crate::doorbell::trap;

/// The program's disposition of one signal.
struct Disposition {
    signal: i32,
    handler: AtomicUsize,
    flags: AtomicI32,
    mask: AtomicU64,
}

static DISPOSITIONS: [Disposition; 2] = [Disposition::new(libc::SIGSEGV), Disposition::new(libc::SIGBUS)];
/// Whether our handler is the process's.
static INSTALLED: AtomicBool = AtomicBool::new(false);

/// A plain copy of a disposition: what `struct sigaction` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Action {
    /// `sa_handler` or `sa_sigaction`; `SIG_DFL` is 0, `SIG_IGN` is 1.
    pub handler: usize,
    /// `sa_flags`.
    pub flags: i32,
    /// `sa_mask`, the signals 1 to 64 in bits 0 to 63.
    pub mask: u64,
}

type Handler = extern "C" fn(i32, *mut libc::siginfo_t, *mut libc::c_void);

impl Disposition {
    const fn new(signal: i32) -> Self {
        Disposition {
            signal,
            handler: AtomicUsize::new(libc::SIG_DFL),
            flags: AtomicI32::new(0),
            mask: AtomicU64::new(0),
        }
    }

    fn load(&self) -> Action {
        Action {
            handler: self.handler.load(Ordering::Acquire),
            flags: self.flags.load(Ordering::Relaxed),
            mask: self.mask.load(Ordering::Relaxed),
        }
    }

    fn store(&self, action: Action) {
        self.flags.store(action.flags, Ordering::Relaxed);
        self.mask.store(action.mask, Ordering::Relaxed);
        self.handler.store(action.handler, Ordering::Release);
    }

    /// Installs our handler, with the mask and the flags that the program's has.
    fn install(&self) -> io::Result<()> {
        let program = self.load();
        let kept = libc::SA_NODEFER | libc::SA_RESTART;
        let flags = program.flags & kept | libc::SA_SIGINFO | libc::SA_ONSTACK;
        set(self.signal, Action { handler: on_signal as Handler as usize, flags, mask: program.mask })
    }
}

/// Makes our handler the process's. Doing so again changes nothing.
pub fn install() -> io::Result<()> {
    if INSTALLED.load(Ordering::Acquire) {
        return Ok(());
    }
    for disposition in &DISPOSITIONS {
        disposition.store(get(disposition.signal)?);
        disposition.install()?;
    }
    INSTALLED.store(true, Ordering::Release);
    for disposition in &DISPOSITIONS {
        // Another thread may have installed its handler a moment ago, past us.
        let now = get(disposition.signal)?;
        if now.handler != on_signal as Handler as usize {
            disposition.store(now);
            disposition.install()?;
        }
    }
    Ok(())
}

/// The program's `sigaction`: answers for the signals that are ours, `None` for all others.
pub fn sigaction(signal: i32, new: Option<Action>) -> Option<Action> {
    if !INSTALLED.load(Ordering::Acquire) {
        return None;
    }
    let disposition = DISPOSITIONS.iter().find(|disposition| disposition.signal == signal)?;
    let old = disposition.load();
    if let Some(new) = new {
        disposition.store(new);
        // The kernel takes any handler for these two signals, so this cannot fail.
        let _ = disposition.install();
    }
    Some(old)
}

/// Signals that a thread of the program must not block: a blocked SIGSEGV kills the process at the next
/// doorbell, if those are noticed by it. As bits of a mask.
pub fn never_blocked() -> u64 {
    if trap::get().is_used() { 1 << (libc::SIGSEGV - 1) } else { 0 }
}

/// What the kernel driver does about a memory fault that no event of the program waits for: SIGSEGV
/// (`kfd_signal_vm_fault_event` in kfd_events.c). Without it, a program without interrupts would wait for
/// ever.
pub fn send_segmentation_fault() {
    // SAFETY: sends a signal to this process; no memory is involved.
    unsafe { libc::kill(libc::getpid(), libc::SIGSEGV) };
}

extern "C" fn on_signal(signal: i32, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: the thread's own error number, which the interrupted code must find unchanged.
    let errno = unsafe { libc::__errno_location() };
    // SAFETY: as above.
    let saved = unsafe { *errno };
    if !is_ours(signal, info, context) {
        pass_on(signal, info, context);
    }
    // SAFETY: as above.
    unsafe { *errno = saved };
}

fn is_ours(signal: i32, info: *mut libc::siginfo_t, context: *mut libc::c_void) -> bool {
    // SAFETY: the kernel gives a valid siginfo.
    let raised_by_access = unsafe { (*info).si_code } > 0;
    if !raised_by_access {
        return false;
    }
    // SAFETY: as above, and with a positive code it carries an address.
    let address = unsafe { (*info).si_addr() } as u64;
    if signal == libc::SIGSEGV && trap::get().on_fault(address) {
        return true;
    }
    // SAFETY: called from a signal handler with what the kernel gave it.
    unsafe { vega_exec::on_host_fault(signal, info, context) }
}

/// What the kernel would have done if the program's disposition were installed.
fn pass_on(signal: i32, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    let Some(disposition) = DISPOSITIONS.iter().find(|d| d.signal == signal) else { return };
    let action = disposition.load();
    // SAFETY: the kernel gives a valid siginfo.
    let raised_by_access = unsafe { (*info).si_code } > 0;
    match action.handler {
        libc::SIG_IGN if !raised_by_access => {}
        // The kernel kills for an access even if the signal is ignored.
        libc::SIG_DFL | libc::SIG_IGN => {
            let _ = set(signal, Action::default());
            if !raised_by_access {
                // SAFETY: raises the signal again; it is delivered when this handler returns.
                unsafe { libc::raise(signal) };
            }
            // Otherwise the access is repeated on return, and kills with the right signal and address.
        }
        handler => {
            if action.flags & libc::SA_RESETHAND != 0 {
                disposition.store(Action::default());
            }
            // SAFETY: the program installed this address as a handler of this signal. One that takes the
            // signal's number alone ignores the other arguments.
            let handler: Handler = unsafe { std::mem::transmute::<usize, Handler>(handler) };
            handler(signal, info, context);
        }
    }
}

/// The kernel's `struct sigaction` on x86-64 and its peers: libc's wrapper is what the program calls, and
/// what the command hooks, so the driver goes past it.
#[repr(C)]
struct KernelAction {
    handler: usize,
    flags: u64,
    restorer: usize,
    mask: u64,
}

/// The process's disposition, through libc's own function so that it adds its restorer.
fn set(signal: i32, action: Action) -> io::Result<()> {
    let mut raw = KernelAction { handler: action.handler, flags: 0, restorer: 0, mask: action.mask };
    raw.flags = (action.flags as u32).into();
    restorer::add(&mut raw);
    // SAFETY: `raw` is the kernel's struct, its mask has 8 bytes.
    let result = unsafe {
        libc::syscall(
            libc::SYS_rt_sigaction,
            signal,
            &raw const raw,
            std::ptr::null_mut::<KernelAction>(),
            size_of::<u64>(),
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

fn get(signal: i32) -> io::Result<Action> {
    let mut raw = MaybeUninit::<KernelAction>::zeroed();
    // SAFETY: `raw` is the kernel's struct, its mask has 8 bytes.
    let result = unsafe {
        libc::syscall(
            libc::SYS_rt_sigaction,
            signal,
            std::ptr::null::<KernelAction>(),
            raw.as_mut_ptr(),
            size_of::<u64>(),
        )
    };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: zeroed is a valid value, and the kernel has filled it.
    let raw = unsafe { raw.assume_init() };
    let flags = (raw.flags & !restorer::FLAG) as u32 as i32;
    Ok(Action { handler: raw.handler, flags, mask: raw.mask })
}

#[cfg(target_arch = "x86_64")]
mod restorer {
    //! x86-64 wants user space to bring the code that returns from a handler.

    /// `SA_RESTORER`.
    pub const FLAG: u64 = 0x0400_0000;

    std::arch::global_asm!(
        ".hidden vega_kfd_restorer",
        ".globl vega_kfd_restorer",
        ".type vega_kfd_restorer, @function",
        // Debuggers and unwinders know the frame by these two instructions.
        "vega_kfd_restorer:",
        "mov rax, {rt_sigreturn}",
        "syscall",
        ".size vega_kfd_restorer, . - vega_kfd_restorer",
        rt_sigreturn = const libc::SYS_rt_sigreturn,
    );

    unsafe extern "C" {
        fn vega_kfd_restorer();
    }

    pub fn add(action: &mut super::KernelAction) {
        action.flags |= FLAG;
        action.restorer = vega_kfd_restorer as unsafe extern "C" fn() as usize;
    }
}

#[cfg(not(target_arch = "x86_64"))]
mod restorer {
    //! Elsewhere the kernel brings that code itself.

    pub const FLAG: u64 = 0;

    pub fn add(_: &mut super::KernelAction) {}
}

/// The calling thread's id.
pub fn thread_id() -> i32 {
    // SAFETY: no arguments.
    unsafe { libc::syscall(libc::SYS_gettid) as i32 }
}

/// Runs `f` with all asynchronous signals blocked: a thread that it starts never runs the program's
/// handlers.
pub fn with_all_blocked<T>(f: impl FnOnce() -> T) -> T {
    let mut old = MaybeUninit::<libc::sigset_t>::uninit();
    let mut all = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: the sets are filled before they are read; faults must still reach our handler.
    unsafe {
        libc::sigfillset(all.as_mut_ptr());
        for signal in [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE, libc::SIGTRAP] {
            libc::sigdelset(all.as_mut_ptr(), signal);
        }
        libc::pthread_sigmask(libc::SIG_BLOCK, all.as_ptr(), old.as_mut_ptr());
    }
    let result = f();
    // SAFETY: `old` was filled above.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, old.as_ptr(), std::ptr::null_mut()) };
    result
}
