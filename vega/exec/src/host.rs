//! What a wave can ask of the device around it.

use crate::gws::Gws;

/// The device around a running wave.
///
/// Called from worker threads: implementations must be quick and must not block on the dispatch.
pub trait Host: Send + Sync {
    /// `s_sendmsg(MSG_INTERRUPT)` with the value of M0.
    fn interrupt(&self, m0: u32);

    /// `s_memtime`: the shader clock.
    fn shader_clock(&self) -> u64;

    /// `s_memrealtime`: the constant clock that timestamps of signals use (27 MHz on a Vega 10).
    fn realtime_clock(&self) -> u64;

    /// Global wave sync, if the device has it.
    fn gws(&self) -> Option<&Gws> {
        None
    }
}

/// A host that ignores interrupts and counts nanoseconds: enough for tests and benches.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoHost;

impl Host for NoHost {
    fn interrupt(&self, _m0: u32) {}

    fn shader_clock(&self) -> u64 {
        use std::sync::OnceLock;
        use std::time::Instant;
        static START: OnceLock<Instant> = OnceLock::new();
        u64::try_from(START.get_or_init(Instant::now).elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    fn realtime_clock(&self) -> u64 {
        self.shader_clock() / 37
    }
}
