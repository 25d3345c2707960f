//! The `VEGA_*` environment variables, read once and kept in atomics.
//!
//! # Safety
//! `getenv` is called from the library's constructor, before the program can have a second thread that
//! calls `setenv`; a later first call (from a constructor that runs even earlier) has the same property.
//! The strings are read at once and not kept.
//!
//! Reading the configuration takes no lock: the path filter in front of `open` runs in forked children of
//! multi-threaded programs, where a lock could be held for ever.

use std::ffi::CStr;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// Number of cards (`vega run --gpus N`); 1 when unset.
pub const GPUS: &CStr = c"VEGA_GPUS";
/// 1: the CPU can access all of VRAM (resizable BAR). Default 0.
pub const LARGE_BAR: &CStr = c"VEGA_LARGE_BAR";
/// Host threads that execute kernels; 0 or unset: one per CPU.
pub const THREADS: &CStr = c"VEGA_THREADS";
/// How doorbells are noticed: `uffd`, `trap` or `poll`. Unset: the first of them that works.
pub const DOORBELL: &CStr = c"VEGA_DOORBELL";
/// MiB of VRAM of each card; a Vega 56's when unset.
pub const VRAM_MIB: &CStr = c"VEGA_VRAM_MIB";
/// 1: every ioctl is printed on stderr.
pub const TRACE: &CStr = c"VEGA_TRACE_IOCTL";
/// 1: waits for signals spin as HIP asks ROCr to. Unset: they sleep, so that they take no processor from the
/// threads that execute kernels.
pub const SPIN: &CStr = c"VEGA_SPIN";
/// `skip-dispatch`: dispatches complete without being executed. The control of the tests: whatever passes
/// with it proves nothing.
pub const CONTROL: &CStr = c"VEGA_CONTROL";

/// The most cards a process can have.
pub const MAX_GPUS: u32 = 16;

/// How doorbells are noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DoorbellMode {
    /// The first that works: userfaultfd, then trap.
    Auto,
    /// Write protection by userfaultfd.
    Uffd,
    /// Write protection by `mprotect`, and a SIGSEGV handler.
    Trap,
    /// Looking every few microseconds.
    Poll,
}

/// What the environment asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// Number of cards.
    pub gpus: u32,
    /// Whether the CPU can access all of VRAM.
    pub large_bar: bool,
    /// Threads that execute kernels; 0 means one per CPU.
    pub threads: usize,
    /// How doorbells are noticed.
    pub doorbell: DoorbellMode,
    /// VRAM of each card in MiB; 0 means a Vega 56's.
    pub vram_mib: u64,
    /// Whether ioctls are printed.
    pub trace: bool,
    /// Whether dispatches complete without being executed.
    pub skip_dispatch: bool,
    /// Whether waits for signals spin.
    pub spin: bool,
}

/// Bits of [`FLAGS`].
const READY: u32 = 1;
const LARGE_BAR_BIT: u32 = 2;
const TRACE_BIT: u32 = 4;
const SKIP_DISPATCH_BIT: u32 = 8;
const SPIN_BIT: u32 = 16;
const DOORBELL_SHIFT: u32 = 8;

static FLAGS: AtomicU32 = AtomicU32::new(0);
static COUNTS: AtomicU64 = AtomicU64::new(0);
static VRAM: AtomicU64 = AtomicU64::new(0);

/// Reads the environment. The library's constructor calls it; calling it again changes nothing unless the
/// environment changed.
pub fn init() {
    let gpus = number(GPUS).unwrap_or(1).clamp(0, u64::from(MAX_GPUS));
    let threads = number(THREADS).unwrap_or(0).min(4096);
    let doorbell = match text(DOORBELL) {
        Some(b"uffd") => 1,
        Some(b"trap") => 2,
        Some(b"poll") => 3,
        _ => 0,
    };
    COUNTS.store(gpus << 32 | threads, Ordering::Relaxed);
    VRAM.store(number(VRAM_MIB).unwrap_or(0).min(1 << 20), Ordering::Relaxed);
    let bit = |name, bit| if number(name).unwrap_or(0) != 0 { bit } else { 0 };
    let skip = if text(CONTROL) == Some(b"skip-dispatch") { SKIP_DISPATCH_BIT } else { 0 };
    let flags = READY | bit(LARGE_BAR, LARGE_BAR_BIT) | bit(TRACE, TRACE_BIT) | bit(SPIN, SPIN_BIT) | skip;
    FLAGS.store(flags | doorbell << DOORBELL_SHIFT, Ordering::Release);
}

/// The configuration of this process.
pub fn get() -> Config {
    if FLAGS.load(Ordering::Acquire) & READY == 0 {
        init();
    }
    let flags = FLAGS.load(Ordering::Acquire);
    let counts = COUNTS.load(Ordering::Relaxed);
    Config {
        gpus: (counts >> 32) as u32,
        large_bar: flags & LARGE_BAR_BIT != 0,
        threads: (counts & 0xffff_ffff) as usize,
        doorbell: match flags >> DOORBELL_SHIFT & 3 {
            1 => DoorbellMode::Uffd,
            2 => DoorbellMode::Trap,
            3 => DoorbellMode::Poll,
            _ => DoorbellMode::Auto,
        },
        vram_mib: VRAM.load(Ordering::Relaxed),
        trace: flags & TRACE_BIT != 0,
        skip_dispatch: flags & SKIP_DISPATCH_BIT != 0,
        spin: flags & SPIN_BIT != 0,
    }
}

pub(crate) fn text(name: &CStr) -> Option<&'static [u8]> {
    // SAFETY: `name` is a C string; the result is null or a C string of the environment block, see above.
    let value = unsafe { libc::getenv(name.as_ptr()) };
    if value.is_null() {
        return None;
    }
    // SAFETY: not null, so a C string; it is read at once.
    Some(unsafe { CStr::from_ptr(value) }.to_bytes())
}

fn number(name: &CStr) -> Option<u64> {
    std::str::from_utf8(text(name)?).ok()?.trim().parse().ok()
}
