//! The clocks that `GET_CLOCK_COUNTERS` reports side by side.
//!
//! # Safety
//! `clock_gettime` writes one `timespec`, and gets a pointer to one on the stack.

use crate::abi::ClockCounters;
use crate::driver::Driver;
use crate::errno::Errno;

/// GET_CLOCK_COUNTERS. Called for every timestamp, also with a `gpu_id` of 0.
pub fn get(_: &Driver, args: &mut ClockCounters) -> Result<(), Errno> {
    args.gpu_clock_counter = if args.gpu_id == 0 { 0 } else { vega_gpu::clock::ticks() };
    args.cpu_clock_counter = nanoseconds(libc::CLOCK_MONOTONIC_RAW);
    args.system_clock_counter = nanoseconds(libc::CLOCK_BOOTTIME);
    args.system_clock_freq = 1_000_000_000;
    Ok(())
}

fn nanoseconds(clock: libc::clockid_t) -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `now` is a valid timespec that outlives the call. A failure leaves it zero.
    unsafe { libc::clock_gettime(clock, &mut now) };
    (now.tv_sec as u64).wrapping_mul(1_000_000_000).wrapping_add(now.tv_nsec as u64)
}
