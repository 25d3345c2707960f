//! What compiling costs.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

static INSTRUCTIONS: AtomicU64 = AtomicU64::new(0);
static NANOSECONDS: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicU64 = AtomicU64::new(0);

/// What compiling kernels has cost a process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compiling {
    /// Instructions that were compiled.
    pub instructions: u64,
    /// Processor time.
    pub time: Duration,
    /// The host's code that came out.
    pub bytes: u64,
}

impl Compiling {
    /// What it has cost this process so far.
    pub fn so_far() -> Self {
        Self {
            instructions: INSTRUCTIONS.load(Ordering::Relaxed),
            time: Duration::from_nanos(NANOSECONDS.load(Ordering::Relaxed)),
            bytes: BYTES.load(Ordering::Relaxed),
        }
    }

    /// Counts one more program.
    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    pub(crate) fn add(instructions: usize, time: Duration, bytes: usize) {
        INSTRUCTIONS.fetch_add(instructions as u64, Ordering::Relaxed);
        NANOSECONDS.fetch_add(time.as_nanos() as u64, Ordering::Relaxed);
        BYTES.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

impl fmt::Display for Compiling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let each = self.time.as_secs_f64() * 1e6 / self.instructions.max(1) as f64;
        let bytes = self.bytes / self.instructions.max(1);
        let n = self.instructions;
        write!(
            f,
            "compiled {n} instructions in {:.1?}: {each:.1} us and {bytes} bytes of code each",
            self.time
        )
    }
}
